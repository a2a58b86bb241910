from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from bot.errors import StartupError
from bot.links import Links, derive_key, load_secret

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.fakes.clock import Clock

JOB = "0123456789abcdef" * 2
WEEK = 7 * 24 * 60 * 60


def links(
    clock: Clock, *, key: bytes = b"key", public_url: str = "https://clapper.example"
) -> Links:
    return Links(key, public_url=public_url, lifetime=WEEK, clock=clock)


def token_of(link: str) -> str:
    return link.rpartition("/")[2]


def test_a_link_leads_to_its_job(clock: Clock) -> None:
    link = links(clock).make(JOB)
    assert link.startswith("https://clapper.example/d/")
    assert links(clock).check(token_of(link)) == JOB


def test_a_link_works_until_it_expires(clock: Clock) -> None:
    token = token_of(links(clock).make(JOB))
    clock.advance(WEEK - 1)
    assert links(clock).check(token) == JOB
    clock.advance(1)
    assert links(clock).check(token) is None


def test_a_link_signed_with_another_key_is_refused(clock: Clock) -> None:
    token = token_of(links(clock, key=b"another").make(JOB))
    assert links(clock).check(token) is None


def test_no_character_of_a_link_can_be_changed(clock: Clock) -> None:
    token = token_of(links(clock).make(JOB))
    for place, character in enumerate(token[:-1]):
        other = "1" if character != "1" else "2"
        assert links(clock).check(token[:place] + other + token[place + 1 :]) is None


def test_the_expiry_of_a_link_cant_be_changed(clock: Clock) -> None:
    job, expires, mac = token_of(links(clock).make(JOB)).split(".")
    assert links(clock).check(f"{job}.{int(expires) + WEEK}.{mac}") is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        JOB,
        "../../etc/passwd",
        f"{JOB}.9999999999.",
        f"{JOB}.9999999999.{'A' * 43}",
        f"{JOB}.{'9' * 500}.{'A' * 43}",
        f"{JOB}.9999999999.{'A' * 42}é",
        f"{JOB}.٣٣٣٣.{'A' * 43}",
        f"{JOB}.9999999999.{'A' * 43}\n",
        f"{JOB.upper()}.9999999999.{'A' * 43}",
        "\udce4" * 80,
    ],
)
def test_a_malformed_link_is_refused(token: str, clock: Clock) -> None:
    assert links(clock).check(token) is None


def test_a_share_link_contains_its_job_serial_and_expiry(clock: Clock) -> None:
    share = links(clock).share(JOB, serial=3)
    assert share.url.startswith("https://clapper.example/v/")
    assert links(clock).check_share_link(token_of(share.url)) == share
    assert (share.job_id, share.serial, share.expires_at) == (JOB, 3, clock() + WEEK)


def test_a_share_link_works_until_it_expires(clock: Clock) -> None:
    token = token_of(links(clock).share(JOB, serial=0).url)
    clock.advance(WEEK - 1)
    assert links(clock).check_share_link(token) is not None
    clock.advance(1)
    assert links(clock).check_share_link(token) is None


def test_no_character_of_a_share_link_can_be_changed(clock: Clock) -> None:
    token = token_of(links(clock).share(JOB, serial=0).url)
    for place, character in enumerate(token):
        for other in "1Az":
            changed = token[:place] + other + token[place + 1 :]
            assert character == other or links(clock).check_share_link(changed) is None


def test_a_link_is_not_valid_for_another_purpose(clock: Clock) -> None:
    file, page = token_of(links(clock).make(JOB)), token_of(links(clock).share(JOB, serial=0).url)
    _, expires, serial, mac = page.split(".")
    assert links(clock).check_share_link(file) is None
    assert links(clock).check(page) is None
    assert links(clock).check(f"{JOB}.{expires}.{mac}") is None
    assert links(clock).check_share_link(f"{JOB}.{expires}.0{serial}.{mac}") is None
    assert links(clock, key=b"another").check_share_link(page) is None


@pytest.mark.parametrize("token", ["", f"{JOB}.9.9.", f"{JOB}.9999999999.-1.{'A' * 43}", "\udce4"])
def test_a_malformed_share_link_is_refused(token: str, clock: Clock) -> None:
    assert links(clock).check_share_link(token) is None


def test_links_are_possible_only_with_a_public_url(clock: Clock) -> None:
    assert links(clock).enabled
    assert not links(clock, public_url="").enabled


def test_each_purpose_has_a_key_of_its_own() -> None:
    keys = {derive_key(b"secret", purpose) for purpose in ("links", "webhook", "other")}
    assert len(keys) == 3
    assert derive_key(b"secret", "links") in keys
    assert derive_key(b"another", "links") not in keys


def test_the_operators_secret_takes_precedence(tmp_path: Path) -> None:
    assert load_secret("given", tmp_path / "secret.key") == b"given"
    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    (tmp_path / "secret.part").write_text("left by a killed start")
    secret = load_secret("", path)
    assert len(secret) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_secret("", path) == secret
    assert load_secret("", tmp_path / "another.key") != secret
    assert not (tmp_path / "secret.part").exists()


def test_a_secret_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_bytes(b"short")
    with pytest.raises(StartupError, match="too short"):
        load_secret("", tmp_path / "secret.key")


def test_a_secret_that_cant_be_read_is_explained(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="SECRET_KEY"):
        load_secret("", tmp_path)


def test_a_secret_that_cant_be_written_is_explained(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="SECRET_KEY"):
        load_secret("", tmp_path / "missing" / "secret.key")


def test_a_secret_survives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[bool, bool]] = []
    fsync = os.fsync

    def sync(handle: int) -> None:
        fsync(handle)
        synced.append((stat.S_ISDIR(os.fstat(handle).st_mode), (tmp_path / "secret.key").exists()))

    monkeypatch.setattr(os, "fsync", sync)
    load_secret("", tmp_path / "secret.key")
    assert synced == [(False, False), (True, True)]
