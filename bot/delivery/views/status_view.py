"""The response to `/status`: whether orders are accepted, and how many videos wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.delivery.views.access.settings_view import AccessView
from bot.delivery.views.formatting import rough_time
from bot.delivery.views.notice import render_panel

if TYPE_CHECKING:
    from discord import ui

    from bot.texts import Texts
    from storage.access.pause import Pause
    from storage.jobs.queue.overview import QueueOverview
    from storage.jobs.queue_outlook import Outlook


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusReport:
    """The facts that `/status` shows to a person.

    `outlook`: the forecast for a new job. `pause`: the operator's pause, if there is one now.
    """

    overview: QueueOverview
    outlook: Outlook
    pause: Pause | None = None


class StatusView:
    """Renders a report in the language of the person who asks."""

    def __init__(self, texts: Texts, locale: str) -> None:
        self._texts = texts
        self._locale = locale

    def render(self, report: StatusReport) -> ui.LayoutView:
        """Render a report. The result contains no names, and no numbers about any other person."""
        overview = report.overview
        lines = [
            *self._pause(report.pause),
            *self._service(report),
            self._say("status.all", running=overview.running, waiting=overview.waiting),
            self._say("status.own", running=overview.own_running, waiting=overview.own_waiting),
            *self._places(overview.places),
            *self._usual(report.outlook.usual_seconds),
        ]
        return render_panel(
            [
                self._say("status.heading"),
                *(f"- {line}" for line in lines),
                self._say("status.more"),
            ]
        )

    def _pause(self, pause: Pause | None) -> list[str]:
        return [] if pause is None else [AccessView(self._texts, self._locale).pause(pause)]

    def _service(self, report: StatusReport) -> list[str]:
        full = [self._say("hold.disk")] if report.overview.is_disk_full else []
        trouble = report.outlook.trouble
        reasons = [*([self._say(f"trouble.{trouble}")] if trouble else []), *full]
        if not reasons:
            return [self._say("status.works")]
        return [self._say("status.waits", reason=reason) for reason in reasons]

    def _places(self, places: tuple[int, ...]) -> list[str]:
        if not places:
            return []
        return [self._say("status.places", places=" · ".join(map(str, places)))]

    def _usual(self, seconds: float | None) -> list[str]:
        if seconds is None:
            return []
        key, count = rough_time(seconds)
        return [self._say("status.usual", duration=self._say(key, count=count))]

    def _say(self, key: str, **fields: object) -> str:
        return self._texts(key, self._locale, **fields)
