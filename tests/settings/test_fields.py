from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from bot.backends.standard_webhooks import signing_keys
from bot.errors import StartupError
from bot.settings.error_messages import describe_allowed
from bot.settings.fields import Settings, load_settings

pytestmark = pytest.mark.usefixtures("_empty_environment")

KEY = "whsec_" + b64encode(b"a key of the tests").decode()
OTHER_KEY = "whsec_" + b64encode(b"another of these keys").decode()


def test_without_settings_the_embedded_renderer_is_used() -> None:
    settings = load_settings()
    assert settings.video_backend == "storyboard"
    assert settings.http_host == "127.0.0.1"
    assert settings.data_dir == Path("data")
    assert settings.discord_token.get_secret_value() == ""
    assert settings.webhook_secrets == ()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDEO_SECONDS", "12")
    monkeypatch.setenv("PUBLIC_URL", " https://clapper.example/ ")
    settings = load_settings()
    assert (settings.video_seconds, settings.public_url) == (12, "https://clapper.example")


def test_settings_come_from_a_file_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(".env").write_text("VIDEO_SECONDS=6\nMAX_JOBS=7\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("VIDEO_SECONDS", "12")
    settings = load_settings()
    assert (settings.video_seconds, settings.max_jobs) == (12, 7)


def test_values_given_in_code_win() -> None:
    os.environ["VIDEO_SECONDS"] = "12"
    try:
        assert load_settings(video_seconds=3).video_seconds == 3
    finally:
        del os.environ["VIDEO_SECONDS"]


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDEO_SECONDS", "")
    assert load_settings().video_seconds == 8


def test_settings_dont_change() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.max_jobs = 3  # pyright: ignore[reportAttributeAccessIssue] - that is the test


def test_secrets_are_not_printed() -> None:
    settings = load_settings(
        discord_token="t0ken",
        openai_api_key="k3y",
        openai_webhook_secret="wh" * 12,
        secret_key="s3c" * 6,
    )
    for secret in ("t0ken", "k3y", "whwh", "s3cs3c"):
        assert secret not in repr(settings)
        assert secret not in str(settings)


def test_every_secret_is_known_to_the_logs() -> None:
    values = {
        name: f"{name}-1-of-enough-letters,two:{name}-2-of-enough-letters"
        for name, field in Settings.model_fields.items()
        if field.annotation is SecretStr and name != "database_url"
    }
    assert len(values) >= 6
    secrets = load_settings(**values).secrets
    for value in values.values():
        assert {value, *value.split(",")} <= {*secrets}
    assert "api_token-2-of-enough-letters" in secrets
    assert load_settings().secrets == ()


@pytest.mark.parametrize(
    ("given", "tokens"),
    [
        ("one-token-of-sixteen", {"api": "one-token-of-sixteen"}),
        (
            "web:one-token-of-sixteen, phone:two-token-of-sixteen",
            {"web": "one-token-of-sixteen", "phone": "two-token-of-sixteen"},
        ),
        ("", {}),
    ],
)
def test_api_tokens_have_names(given: str, tokens: dict[str, str]) -> None:
    assert load_settings(api_token=given).api_tokens == tokens


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("short", "16 ASCII characters"),
        ("web:short", "16 ASCII characters"),
        ("one-token-of-sixteen,two-token-of-sixteen", "a different name for each token"),
        ("bot-owner:one-token-of-sixteen", "must not name a client bot-owner"),
        ("web:one-token-of-sixteen,web:two-token-of-sixteen", "a different name for each token"),
        ("a b:one-token-of-sixteen", "letters and digits"),
        (":one-token-of-sixteen", "letters and digits"),
        ("web:one-token-of-sixteen,:two-token-of-sixteen", "letters and digits"),
        ("one token of sixteen letters", "16 ASCII characters"),
        ("web: one-token-of-sixteen", "16 ASCII characters"),
    ],
)
def test_invalid_api_tokens_are_refused(given: str, sentence: str) -> None:
    with pytest.raises(StartupError, match=f"API_TOKEN.*{sentence}"):
        load_settings(api_token=given)


def test_a_dash_leaves_the_model_to_the_server() -> None:
    assert load_settings(video_model="-").model is None
    assert load_settings().model == "sora-2"


def test_several_webhook_secrets_are_accepted_while_they_are_rotated() -> None:
    settings = load_settings(openai_webhook_secret=f" {KEY}, {OTHER_KEY} ,,")
    assert settings.webhook_secrets == (KEY, OTHER_KEY)


def test_a_provider_without_an_address_is_explained() -> None:
    with pytest.raises(StartupError, match=r"^OPENAI_BASE_URL is missing"):
        load_settings(video_backend="openai")
    settings = load_settings(video_backend="openai", openai_base_url="http://127.0.0.1:8000/v1")
    assert settings.openai_base_url == "http://127.0.0.1:8000/v1"


def test_a_voice_without_an_address_is_explained() -> None:
    with pytest.raises(StartupError, match=r"^NARRATION_BASE_URL is missing"):
        load_settings(narration_backend="openai")
    assert load_settings(narration_backend="piper").narration_voice == ""


def test_extra_fields_are_a_json_object() -> None:
    assert load_settings().extra_fields == {}
    extra = load_settings(openai_extra='{"fps": 24, "seed": 7}').extra_fields
    assert extra == {"fps": 24, "seed": 7}


def test_openrouter_needs_a_key_and_a_model() -> None:
    with pytest.raises(StartupError, match=r"^OPENROUTER_API_KEY is missing"):
        load_settings(video_backend="openrouter")
    with pytest.raises(StartupError, match=r"^VIDEO_MODEL: "):
        load_settings(video_backend="openrouter", openrouter_api_key="sk-or", video_model="-")


DATABASE = {
    "database_url": "postgresql://clapper:pass%2Fword@db.example:5432/clapper",
    "secret_key": "x" * 16,
    "store_url": "s3://clips/clapper",
    "storyboard_url": "http://renderer.example:8090/v1",
}


def test_postgres_needs_a_secret_key_a_bucket_and_a_storyboard_that_is_a_service() -> None:
    assert load_settings(**DATABASE).database == DATABASE["database_url"]
    with pytest.raises(StartupError, match=r"^SECRET_KEY is missing: with DATABASE_URL"):
        load_settings(**DATABASE | {"secret_key": ""})
    with pytest.raises(StartupError, match=r"^STORE_URL is missing: with DATABASE_URL"):
        load_settings(**DATABASE | {"store_url": ""})
    with pytest.raises(StartupError, match=r"^STORYBOARD_URL is missing: with DATABASE_URL, run"):
        load_settings(**DATABASE | {"storyboard_url": ""})
    another = {"storyboard_url": "", "video_backend": "gemini", "gemini_api_key": "gm-made-up"}
    assert load_settings(**DATABASE | another).storyboard_url == ""
    assert load_settings().database == Path("data")


@pytest.mark.parametrize(
    "url",
    [
        "clapper",
        "mysql://db/clapper",
        "postgresql://db",
        "postgresql://db:x/clapper",
        "postgres://[",
    ],
)
def test_the_url_of_another_database_is_refused(url: str) -> None:
    with pytest.raises(StartupError, match=r"^DATABASE_URL: is not the URL of a PostgreSQL"):
        load_settings(**DATABASE | {"database_url": url})


def test_the_password_of_the_database_is_a_secret() -> None:
    settings = load_settings(**DATABASE)
    assert {"pass/word", "pass%2Fword", DATABASE["database_url"]} <= {*settings.secrets}
    assert "pass" not in str(settings)


def test_gemini_needs_a_key_and_has_a_model() -> None:
    with pytest.raises(StartupError, match=r"^GEMINI_API_KEY is missing"):
        load_settings(video_backend="gemini")
    values = {"video_backend": "gemini", "gemini_api_key": "gm-made-up"}
    assert load_settings(**values).model == "gemini-omni-1.2-flash"
    assert load_settings(**values, video_model="gemini-omni-2").model == "gemini-omni-2"
    with pytest.raises(StartupError, match=r"^VIDEO_MODEL: "):
        load_settings(**values, video_model="-")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (
            {"video_seconds": 8, "video_seconds_max": 6},
            "^VIDEO_SECONDS_MAX: 6 is less than VIDEO_SECONDS=8: set it to at least 8, or leave",
        ),
        (
            {"video_backend": "openai", "openai_base_url": "http://a", "video_lengths": "4,12"},
            "^VIDEO_LENGTHS: 8 is missing, the value of VIDEO_SECONDS: add it, or set",
        ),
        ({"prompt_writer": "openai"}, "^PROMPT_BASE_URL is missing"),
        ({"prompt_writer": "openai", "prompt_model": "m"}, "^PROMPT_BASE_URL is missing"),
        (
            {"prompt_writer": "openai", "prompt_base_url": "http://127.0.0.1:9/v1"},
            "^PROMPT_MODEL is missing",
        ),
        ({"moderation": "openai"}, "^MODERATION_API_KEY is missing"),
        ({"moderation": "openai", "moderation_base_url": ""}, "^MODERATION_BASE_URL is missing"),
        ({"store_url": "s3://b", "store_key_id": "id"}, "^STORE_SECRET is missing"),
        ({"store_endpoint": "http://10.0.0.5:9000"}, "^STORE_URL is missing"),
        ({"store_public_endpoint": "https://f.example"}, "^STORE_URL is missing"),
        *(
            ({"store_url": url}, "^STORE_URL: .* is not the address of a bucket")
            for url in ("https://b.example", "s3://", "s3://b/../c d", "s3://b?x=1", "ftp://b")
        ),
    ],
)
def test_a_service_with_incomplete_settings_is_refused(values: dict[str, str], reason: str) -> None:
    with pytest.raises(StartupError, match=reason):
        load_settings(**values)


def test_a_self_hosted_service_needs_no_key() -> None:
    url = "http://127.0.0.1:8000/v1"
    settings = load_settings(
        prompt_writer="openai",
        prompt_base_url=url,
        prompt_model="m",
        moderation="openai",
        moderation_base_url=url,
    )
    assert settings.secrets == ()


def test_the_webhook_secrets_are_those_of_the_backend() -> None:
    values = {
        "openai_webhook_secret": KEY,
        "openrouter_webhook_secret": f"{'b' * 16}, {'c' * 16}",
        "openrouter_api_key": "sk-or",
        "openai_base_url": "http://127.0.0.1:8000/v1",
    }
    assert load_settings(video_backend="openai", **values).webhook_secrets == (KEY,)
    openrouter = load_settings(video_backend="openrouter", **values)
    assert openrouter.webhook_secrets == ("b" * 16, "c" * 16)
    gemini = load_settings(video_backend="gemini", gemini_api_key="gm", **values)
    assert gemini.webhook_secrets == ()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("fps=24", "is not a JSON object"),
        ("[1]", "is not a JSON object"),
        ('{"fps": NaN}', "is not a JSON object"),
        ("[" * 100_000, "is not a JSON object"),
        ('{"seed": null}', "must not contain null"),
        *((f'{{"{name}": 1}}', f"must not contain {name}") for name in ("prompt", "model", "size")),
        ('{"fps": 24, "seconds": 4}', "must not contain seconds"),
    ],
)
def test_invalid_extra_fields_are_explained(value: str, reason: str) -> None:
    with pytest.raises(StartupError, match=f"^OPENAI_EXTRA: {reason}"):
        load_settings(openai_extra=value)


def test_results_may_come_from_the_listed_origins() -> None:
    assert load_settings().result_origins == ()
    named = load_settings(openai_result_origins="http://10.0.0.2:9000, https://minio.lan/ ,")
    assert named.result_origins == ("http://10.0.0.2:9000", "https://minio.lan/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENAI_BODY", "xml"),
        ("OPENAI_RESULT_ORIGINS", "10.0.0.2"),
        ("TRUSTED_PROXIES", "proxy.example"),
        ("TRUSTED_PROXIES", "10.0.0.1,10.0.0.1/8"),
        ("OPENAI_RESULT_ORIGINS", "http://10.0.0.2,ftp://b"),
        ("OPENAI_RESULT_ORIGINS", "http://10.0.0.2/results"),
        ("PUBLIC_URL", "clapper.example"),
        ("PUBLIC_URL", "ftp://clapper.example"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "http://[::1"),
        ("PUBLIC_URL", "https://clapper.example:notaport"),
        ("PUBLIC_URL", "https://clapper.example:99999"),
        ("PUBLIC_URL", "https://clapper.example/?a=b"),
        ("PUBLIC_URL", "https://clapper.example/#top"),
        ("VIDEO_SIZE", "large"),
        ("VIDEO_SIZE", "1280"),
        ("VIDEO_SIZE", "1281x720"),
        ("VIDEO_SIZE", "1280x721"),
        ("VIDEO_SIZE", "0x0"),
        ("VIDEO_SECONDS", "0"),
        ("VIDEO_SECONDS", "eight"),
        ("VIDEO_BACKEND", "other"),
        ("VIDEO_MODEL", "m" * 201),
        ("HTTP_PORT", "65536"),
        ("MAX_JOBS", "0"),
        ("MAX_JOBS_PER_USER", "-1"),
        ("MAX_QUEUE", "-1"),
        ("MAX_JOBS_PER_USER_DAY", "0"),
        ("ROLE_CAPS", "12345"),
        ("ROLE_CAPS", "12345:0"),
        ("ROLE_CAPS", "moderators:5"),
        ("ROLE_CAPS", "12345:5,12345:6"),
        ("JOB_DEADLINE_MINUTES", "0"),
        ("JOB_DEADLINE_MINUTES", "nan"),
        ("JOB_DEADLINE_MINUTES", "inf"),
        ("LOG_LEVEL", "LOUD"),
        ("NARRATION_FIT", "stretch"),
        ("NARRATION_MIX", "both"),
        ("PROMPT_WRITER", "poet"),
        ("PROMPT_BASE_URL", "chat.example"),
        ("MODERATION", "strict"),
        ("MAX_RESULT_MB", "0"),
    ],
)
def test_an_invalid_value_is_named_with_its_variable(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StartupError) as caught:
        load_settings()
    sentence = str(caught.value)
    assert sentence.startswith(f"{name}: ")
    assert sentence.count("\n") == 0
    assert "m" * 201 not in sentence


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("VIDEO_SECONDS", "eight", '"eight" is not valid: use a whole number from 1 to 60'),
        ("VIDEO_SECONDS", "0", '"0" is not valid: use a whole number from 1 to 60'),
        ("VIDEO_SECONDS_MAX", "61", '"61" is not valid: use a whole number from 1 to 60'),
        (
            "VIDEO_LENGTHS",
            "4,eight",
            (
                '"4,eight" needs whole numbers of seconds from 1 to 60, separated by commas: write '
                "it like 4,8,12"
            ),
        ),
        ("VIDEO_SECONDS", "8.5", '"8.5" is not valid: use a whole number from 1 to 60'),
        ("KEEP_GB", "nan", '"nan" is not valid: use a number above 0'),
        ("JOB_DEADLINE_MINUTES", "soon", '"soon" is not valid: use a number above 0'),
        (
            "VIDEO_BACKEND",
            "sora",
            '"sora" is not valid: use storyboard, openai, openrouter or gemini',
        ),
        ("LOG_LEVEL", "loud", '"LOUD" is not valid: use DEBUG, INFO, WARNING or ERROR'),
        ("VIDEO_LABEL", "x" * 61, f'"{"x" * 39}…" is not valid: use at most 60 characters'),
        ("VIDEO_LABEL", "two\nlines", '"two lines" must be one line, without control characters'),
        ("NARRATION_VOICE", "v" * 1001, f'"{"v" * 39}…" is not valid: use at most 1000 characters'),
        ("VIDEO_MODEL", "m" * 201, f'"{"m" * 39}…" is not valid: use 1 to 200 characters'),
        (
            "PUBLIC_URL",
            "clapper.example",
            '"clapper.example" is not a URL: write it like https://example.org',
        ),
        (
            "PUBLIC_URL",
            "https://clapper.example:99999",
            '"https://clapper.example:99999" is not a URL: write it like https://example.org',
        ),
        (
            "VIDEO_SIZE",
            "large\tone",
            '"large one" must be WIDTHxHEIGHT in even numbers of pixels, like 1280x720',
        ),
    ],
)
def test_a_refusal_quotes_the_value_and_names_the_allowed_values(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StartupError) as caught:
        load_settings()
    assert str(caught.value) == f"{name}: {sentence} (see .env.example)."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("openai_base_url", "ftp://ada:pa55@host.example"),
        ("openai_extra", '{"token": "pa55", "seed": null}'),
        ("secret_key", "pa55"),
    ],
)
def test_a_refusal_repeats_no_secret(name: str, value: str) -> None:
    with pytest.raises(StartupError, match=rf"^{name.upper()}: ") as caught:
        load_settings(**{name: value})
    assert "pa55" not in str(caught.value)


def test_every_setting_with_bounds_describes_its_allowed_values() -> None:
    bounded = [name for name, field in Settings.model_fields.items() if describe_allowed(field)]
    assert len(bounded) >= 18


def test_the_cause_of_a_refusal_does_not_contain_the_secrets() -> None:
    with pytest.raises(StartupError) as caught:
        load_settings(discord_token="t0ken", video_seconds=0)
    assert caught.value.__cause__ is None
    assert "t0ken" not in str(caught.value)


def test_a_file_that_is_not_text_is_explained() -> None:
    Path(".env").write_bytes(b"VIDEO_MODEL=\xff\xfe\n")
    with pytest.raises(StartupError, match=r"\.env"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("discord_token", "with a blank"),
        ("openai_api_key", "sk-\nnext"),
        ("openai_api_key", "schlüssel"),
        ("secret_key", "short"),
    ],
)
def test_a_secret_that_cant_work_is_refused_without_repeating_it(name: str, value: str) -> None:
    with pytest.raises(StartupError, match=name.upper()) as refused:
        load_settings(**{name: value})
    assert value not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("openai_webhook_secret", "whsec_a2V5LW9uZQ=="),
        ("openai_webhook_secret", f"whsec_{b64encode(b'k' * 15).decode()}"),
        ("openai_webhook_secret", f"whsec_{b64encode(b'k' * 15).decode().rstrip('=')}"),
        ("openai_webhook_secret", b64encode(b"k" * 15).decode()),
        ("openai_webhook_secret", "k-" * 7),
        ("openai_webhook_secret", f"{'x' * 24},whsec_aaaa"),
        ("openrouter_webhook_secret", "k" * 15),
        ("openrouter_webhook_secret", f"{'k' * 16},short"),
    ],
)
def test_a_webhook_secret_that_can_be_guessed_is_refused(name: str, value: str) -> None:
    with pytest.raises(StartupError, match="fewer than 16 bytes") as refused:
        load_settings(**{name: value})
    assert value not in str(refused.value)


@pytest.mark.parametrize("value", ["whsec_", "whsec_ ", "whsec_a2V5LW9uZQ==,whsec_", "a\udcffb"])
def test_a_webhook_secret_that_is_not_a_key_is_refused_without_repeating_it(value: str) -> None:
    with pytest.raises(StartupError, match=r"^OPENAI_WEBHOOK_SECRET: ") as refused:
        load_settings(openai_webhook_secret=value)
    assert "a2V5LW9uZQ" not in str(refused.value)
    assert str(refused.value).count("\n") == 0


@pytest.mark.parametrize(
    "value", ["", " , ", "bare" * 6, "päss word päss word", f"{KEY},whsec_!{'x' * 16}"]
)
def test_every_accepted_webhook_secret_yields_keys(value: str) -> None:
    secrets = load_settings(openai_webhook_secret=value).webhook_secrets
    assert len(signing_keys(secrets)) >= len(secrets)


def test_all_invalid_settings_are_reported_at_once() -> None:
    with pytest.raises(StartupError) as refused:
        load_settings(video_seconds="long", http_port=70000, narration_fit="stretch")
    lines = str(refused.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "HTTP_PORT",
        "VIDEO_SECONDS",
        "NARRATION_FIT",
    ]
    assert all(line.endswith("(see .env.example).") for line in lines)


_ALL_AT_OPENAI = {
    "video_backend": "openai",
    "narration_backend": "openai",
    "moderation": "openai",
    "prompt_writer": "openai",
}


def names_reported(**values: object) -> list[str]:
    with pytest.raises(StartupError) as refused:
        load_settings(**values)
    return [line.split()[0].rstrip(":") for line in str(refused.value).splitlines()]


def test_all_missing_settings_are_reported_at_once() -> None:
    missing = ["OPENAI_BASE_URL", "NARRATION_BASE_URL", "PROMPT_BASE_URL", "PROMPT_MODEL"]
    assert names_reported(**_ALL_AT_OPENAI) == [*missing, "MODERATION_API_KEY"]
    reported = names_reported(with_discord=True, video_backend="gemini", video_model="-")
    assert reported == ["DISCORD_TOKEN", "GEMINI_API_KEY", "VIDEO_MODEL"]


def test_an_invalid_setting_does_not_hide_a_missing_one() -> None:
    reported = names_reported(metrics_token="hunter2", video_backend="openai")
    assert reported == ["METRICS_TOKEN", "OPENAI_BASE_URL"]


def test_an_invalid_setting_is_not_called_missing() -> None:
    wrong = {"openai_base_url": "localhost", "prompt_model": "m" * 201, "moderation_base_url": "x"}
    reported = names_reported(**_ALL_AT_OPENAI, **wrong)
    assert sorted(reported) == sorted(
        [*(name.upper() for name in wrong), "NARRATION_BASE_URL", "PROMPT_BASE_URL"]
    )


@pytest.mark.parametrize(
    "path",
    [
        {"data_dir": "~nosuch/x"},
        {"blocked_words_file": "~nosuch/w"},
        {"narration_voice": "~nosuch"},
    ],
)
def test_the_home_of_no_user_is_refused_with_a_sentence(path: dict[str, str]) -> None:
    with pytest.raises(StartupError, match="no user of this machine: write the whole path"):
        load_settings(**path)


def test_a_users_home_is_expanded_in_every_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = load_settings(data_dir="~/x", blocked_words_file="~/w", narration_voice="~/v.onnx")
    assert settings.data_dir == tmp_path / "x"
    assert settings.blocked_words_file == str(tmp_path / "w")
    assert settings.narration_voice == str(tmp_path / "v.onnx")


def test_caps_of_roles_are_read_by_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLE_CAPS", "123456789012345678:20, booster:50")
    assert Settings().caps_by_role == {"123456789012345678": 20, "booster": 50}
