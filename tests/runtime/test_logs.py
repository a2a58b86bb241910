from __future__ import annotations

import json
import logging

import pytest

from bot import logs

pytestmark = pytest.mark.usefixtures("_own_logging")
LIBRARIES = ("discord", "httpx2", "httpcore2", "openai", "aiosqlite", "aiohttp")


log = logging.getLogger("bot.test")


def log_error(error: Exception) -> None:
    """Log an error as it is caught."""
    try:
        raise error
    except type(error):
        log.exception("failed")


SECRETS = [
    "https://discord.com/api/v10/webhooks/123/SECRET/messages/@original",
    "https://discord.com/api/v10/interactions/123/SECRET/callback",
    "Authorization: Bearer SECRET",
    "Authorization: Bot SECRET",
    "{'Authorization': 'Bearer SECRET'}",
    "whsec_SECRET",
    "https://cdn.discordapp.com/a/b/voice.ogg?ex=SECRET&is=SECRET&hm=SECRET&",
    "https://storage.example/clip.mp4?X=1&sig=SECRET",
    "https://storage.example/clip.mp4?token=SECRET",
    "the key known-SECRET-value in the middle",
    "https://clapper.example/d/0123456789abcdef0123456789abcdef.1800000000." + "SECRET" * 7 + "x",
    "GET /v/0123456789abcdef0123456789abcdef.1800000000.2." + "SECRET" * 7 + "x/video.mp4",
    "https://storage.example/clip.mp4?X-Amz-Signature=SECRET&X-Amz-Credential=SECRET",
    "wss://gateway.example/?access_token=SECRET",
    "Authorization: Bearer abc/SECRET+SECRET==",
    "whsec_abc/SECRET+SECRET=",
    "no answer from http://user:SECRET@10.0.0.2:8000/v1",
    "no answer from http://SECRET@example.org",
    "no answer from http://user:it's@SECRET@example.org/v1",
    "openai said: Incorrect API key provided: sk-SECRET",
]


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_never_reaches_the_log(
    text: str, style: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(level="INFO", style=style, secrets=("known-SECRET-value",))
    log.warning("%s", text)
    log.warning(text.replace("%", "%%"))
    log_error(ValueError(text))
    printed = capsys.readouterr().err
    assert "SECRET" not in printed
    assert printed.count("[secret]") >= 3


def test_text_that_is_not_secret_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level="INFO", style="text", secrets=("",))
    log.info("job.state id=%s from=%s to=%s", "abc", "queued", "submitting")
    printed = capsys.readouterr().err
    assert "bot.test job.state id=abc from=queued to=submitting" in printed
    assert "[secret]" not in printed


def test_a_record_that_can_not_be_formatted_does_not_crash(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure(level="INFO", style="text", secrets=("hush",))
    log.info("%d of hush", "many")
    assert "%d of [secret]" in capsys.readouterr().err


def test_json_logs_are_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level="INFO", style="json", secrets=())
    log.info("one\ntwo %s", "ü")
    log_error(ZeroDivisionError("three"))
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert first["message"] == "one\ntwo ü"
    assert (first["level"], first["logger"]) == ("info", "bot.test")
    assert first["time"].endswith("+00:00")
    assert "traceback" not in first
    assert "ZeroDivisionError" in second["traceback"]


def test_the_level_is_the_operators(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level="WARNING", style="text", secrets=())
    log.info("quiet")
    log.warning("loud")
    printed = capsys.readouterr().err
    assert "quiet" not in printed
    assert "loud" in printed


@pytest.mark.parametrize("name", LIBRARIES)
def test_libraries_that_print_requests_are_kept_quiet(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(level="DEBUG", style="text", secrets=())
    logging.getLogger(name).info("GET https://example.org/with/a/token")
    logging.getLogger(name).warning("loud")
    printed = capsys.readouterr().err
    assert "token" not in printed
    assert "loud" in printed


def test_the_connection_of_the_gateway_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level="INFO", style="text", secrets=())
    logging.getLogger("discord.gateway").info("connected")
    assert "connected" in capsys.readouterr().err


def test_the_gateway_logger_obeys_the_level_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level="ERROR", style="text", secrets=())
    logging.getLogger("discord.gateway").info("connected")
    assert capsys.readouterr().err == ""


def test_records_that_outsiders_cause_are_limited_to_one_a_minute(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure(level="INFO", style="text", secrets=())
    for name in ("bot.web.x", "aiohttp.server", "asyncio", "bot.jobs.x"):
        for number in range(3):
            logging.getLogger(name).warning("event %d", number)
    out = capsys.readouterr().err
    assert [out.count(name) for name in ("bot.web", "aiohttp", "asyncio", "bot.jobs")] == [
        1,
        1,
        1,
        3,
    ]


def test_any_number_of_kinds_takes_bounded_memory() -> None:
    limit, logger = logs.RepeatLimit(clock=lambda: 0.0), logging.getLogger("asyncio")
    records = [
        logger.makeRecord(logger.name, logging.ERROR, "", 0, f"kind {number}", (), None)
        for number in range(1000)
    ]
    assert sum(limit.filter(record) for record in records) < len(records) // 2
