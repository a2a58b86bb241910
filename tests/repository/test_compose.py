"""The example of docs/scaling.md: a bot of several processes accepts its settings and commands."""

from __future__ import annotations

import argparse
import re
import tomllib
from typing import Any
from urllib.parse import urlsplit

import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from bot.commands.run import Run
from bot.runtime.roles.role import Role, check_role
from bot.settings.fields import Settings, load_settings
from tests.support.papers import ROOT, block, read

PAGE = read("docs/scaling.md")
EXAMPLE: dict[str, Any] = YAML(typ="safe").load("\n".join(block(PAGE, "### An example", "```yaml")))
SERVICES: dict[str, dict[str, Any]] = EXAMPLE["services"]
GARAGE = tomllib.loads("\n".join(block(PAGE, "`garage.toml`:", "```toml")))
# A value that the operator gives, such as ${SECRET_KEY}.
GIVEN = re.compile(r"\$\{(\w+)\}")
GIVEN_VALUES = {
    "DISCORD_TOKEN": "a.b.c",
    "SECRET_KEY": "x" * 32,
    "STORE_KEY_ID": "GK3515373e4c851ebaad366558",
    "STORE_SECRET": "7d37d093435a41f2",
    "OPENAI_BASE_URL": "http://videos:8000/v1",
    "OPENAI_API_KEY": "a-key",
}
ROLES = {"desk": Role.DESK, "worker": Role.WORKER}


def test_compose_reads_the_example() -> None:
    schema = get_builtin_schema("vendor.compose-spec")
    assert [error.message for error in Draft202012Validator(schema).iter_errors(EXAMPLE)] == []


def settings_of(name: str) -> dict[str, str]:
    environment: dict[str, str] = SERVICES[name]["environment"]
    return {
        setting: GIVEN.sub(lambda found: GIVEN_VALUES[found[1]], value)
        for setting, value in environment.items()
    }


@pytest.mark.parametrize("name", ROLES)
@pytest.mark.usefixtures("_empty_environment")
def test_each_process_of_the_example_starts_with_its_command_and_settings(name: str) -> None:
    command, *options = SERVICES[name]["command"]
    parser = argparse.ArgumentParser(exit_on_error=False)
    Run().add_arguments(parser)
    assert (command, Role(parser.parse_args(options).role)) == ("run", ROLES[name])
    environment = settings_of(name)
    assert environment.keys() <= {each.upper() for each in Settings.model_fields}
    values = {setting.lower(): value for setting, value in environment.items()}
    settings = load_settings(with_discord=ROLES[name] is Role.DESK, **values)
    check_role(ROLES[name], settings)
    # An example that names a default would hide which settings are needed.
    unset = Settings.model_fields
    assert not [each for each in values if unset[each].default == getattr(settings, each)]


def test_processes_of_the_example_differ_in_the_token_alone() -> None:
    desk, worker = settings_of("desk"), settings_of("worker")
    assert desk.pop("DISCORD_TOKEN")
    assert desk == worker
    given = {name for each in ROLES for name in GIVEN.findall(str(SERVICES[each]["environment"]))}
    assert given == GIVEN_VALUES.keys()


def test_what_the_processes_of_the_example_connect_to_is_in_it() -> None:
    settings = settings_of("worker")
    database, store = urlsplit(settings["DATABASE_URL"]), urlsplit(settings["STORE_ENDPOINT"])
    login = SERVICES[str(database.hostname)]["environment"]
    # Without POSTGRES_DB, the database has the name of its user.
    assert login == {"POSTGRES_USER": database.username, "POSTGRES_PASSWORD": database.password}
    assert database.path == f"/{database.username}"
    volumes: list[str] = SERVICES[str(store.hostname)]["volumes"]
    assert [each for each in volumes if each.startswith("./")] == ["./garage.toml:/etc/garage.toml"]
    [kept] = [each.partition(":")[2] for each in volumes if each.startswith("store:")]
    assert all(GARAGE[each].startswith(f"{kept}/") for each in ("metadata_dir", "data_dir"))
    assert GARAGE["s3_api"]["api_bind_addr"].endswith(f":{store.port}")
    assert GARAGE["s3_api"]["s3_region"] == settings["STORE_REGION"]
    bucket = urlsplit(settings["STORE_URL"]).hostname
    assert f"/garage bucket create {bucket}\n" in PAGE


def test_the_example_builds_the_image_with_the_libraries_that_it_needs() -> None:
    dockerfile = read("Dockerfile")
    for name in ROLES:
        build: dict[str, Any] = SERVICES[name]["build"]
        [(argument, lock)] = build["args"].items()
        assert f"ARG {argument}=" in dockerfile
        assert (ROOT / lock).exists()
        assert re.search(rf"(?m)^COPY .*\b{re.escape(lock)}\b", dockerfile)
        libraries = read(lock)
        assert all(f"\n{each}==" in libraries for each in ("asyncpg", "obstore"))
    volumes = {each for service in SERVICES.values() for each in service.get("volumes", ())}
    named = {each.partition(":")[0] for each in volumes if not each.startswith(".")}
    assert EXAMPLE["volumes"].keys() == named
