from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from openai import OpenAI

from bot.backends.standard_webhooks import signing_keys, verify
from bot.errors import WebhookError
from tests.support.providers.videos_api import sign

SECRET = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, made up").decode()
OLD = "whsec_" + base64.b64encode(b"the key before that one, also made").decode()
BODY = '{"type": "video.completed", "data": {"id": "vidéo_1"}}'.encode()
NOW = 1_800_000_000


def signed(secret: str = SECRET, *, at: int = NOW, body: bytes = BODY) -> dict[str, str]:
    return sign(secret, "wh_1", at, body)


def test_a_signed_webhook_is_identified_by_its_id() -> None:
    assert verify(signed(), BODY, keys=signing_keys([SECRET]), now=NOW) == "wh_1"


def test_header_names_are_read_in_any_case() -> None:
    headers = {name.title(): value for name, value in signed().items()}
    assert verify(headers, BODY, keys=signing_keys([SECRET]), now=NOW) == "wh_1"


def test_an_old_secret_is_accepted_while_it_is_listed() -> None:
    assert verify(signed(OLD), BODY, keys=signing_keys([SECRET, OLD]), now=NOW)
    with pytest.raises(WebhookError):
        verify(signed(OLD), BODY, keys=signing_keys([SECRET]), now=NOW)


def test_one_of_several_signatures_is_enough() -> None:
    headers = signed()
    other = signed(OLD)["webhook-signature"]
    headers["webhook-signature"] = f"v1a,asymmetric {other} {headers['webhook-signature']}"
    assert verify(headers, BODY, keys=signing_keys([SECRET]), now=NOW)


@pytest.mark.parametrize("decoded", [True, False])
def test_a_secret_without_prefix_is_accepted_as_base64_and_as_text(*, decoded: bool) -> None:
    bare = SECRET.removeprefix("whsec_")
    key = base64.b64decode(bare) if decoded else bare.encode()
    digest = hmac.new(key, f"wh_1.{NOW}.".encode() + BODY, hashlib.sha256).digest()
    headers = signed() | {"webhook-signature": "v1," + base64.b64encode(digest).decode()}
    assert verify(headers, BODY, keys=signing_keys([bare]), now=NOW)


def test_a_secret_that_is_not_base64_is_accepted_as_text() -> None:
    assert signing_keys(["päss word"]) == ("päss word".encode(),)


@pytest.mark.parametrize("secret", ["", "  ", "whsec_"])
def test_an_empty_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        signing_keys([secret])


def test_without_secrets_nothing_verifies() -> None:
    with pytest.raises(WebhookError):
        verify(signed(), BODY, keys=(), now=NOW)


@pytest.mark.parametrize("drift", [-300, 0, 300])
def test_five_minutes_of_drift_are_accepted(drift: int) -> None:
    assert verify(signed(at=NOW + drift), BODY, keys=signing_keys([SECRET]), now=NOW)


@pytest.mark.parametrize("drift", [-301, 301, 10**9])
def test_a_stale_or_future_webhook_is_refused(drift: int) -> None:
    with pytest.raises(WebhookError, match="too far"):
        verify(signed(at=NOW + drift), BODY, keys=signing_keys([SECRET]), now=NOW)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, "", "x" * 100_000, "\udcff", "ключ", "NaN", "1e9", "-1"])
def test_an_odd_header_causes_no_other_error(name: str, value: str | None) -> None:
    headers = signed()
    del headers[name]
    if value is not None:
        headers[name] = value
    with pytest.raises(WebhookError):
        verify(headers, BODY, keys=signing_keys([SECRET]), now=NOW)


@pytest.mark.parametrize(
    "signature", ["v1,", "v1", "v2,", ",", "v1,ÿÿ", "v1,\ud800", " v1,x " * 99]
)
def test_an_odd_signature_causes_no_other_error(signature: str) -> None:
    headers = signed() | {"webhook-signature": signature}
    with pytest.raises(WebhookError):
        verify(headers, BODY, keys=signing_keys([SECRET]), now=NOW)


def test_a_signature_of_another_version_does_not_count() -> None:
    headers = signed()
    headers["webhook-signature"] = headers["webhook-signature"].replace("v1,", "v2,")
    with pytest.raises(WebhookError):
        verify(headers, BODY, keys=signing_keys([SECRET]), now=NOW)


def test_an_altered_body_or_id_is_refused() -> None:
    keys = signing_keys([SECRET])
    with pytest.raises(WebhookError):
        verify(signed(), BODY + b" ", keys=keys, now=NOW)
    with pytest.raises(WebhookError):
        verify(signed() | {"webhook-id": "wh_2"}, BODY, keys=keys, now=NOW)


def test_a_body_that_is_not_text_can_be_verified() -> None:
    body = b"\xff\xfe\x00"
    assert verify(signed(body=body), body, keys=signing_keys([SECRET]), now=NOW)


def test_the_sdk_agrees_on_what_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: NOW)
    headers = signed()
    with OpenAI(api_key="k", webhook_secret=SECRET) as sdk:
        sdk.webhooks.verify_signature(BODY, headers)
        assert verify(headers, BODY, keys=signing_keys([SECRET]), now=NOW)
