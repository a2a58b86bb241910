"""Tests of the recipes in docs/backends.md: the bot accepts each `.env`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, get_args

import pytest

from bot.settings.fields import Settings, load_settings
from tests.proofs.peers import litellm
from tests.support.providers import recipes

if TYPE_CHECKING:
    from pathlib import Path

PAGE = recipes.PAGE.read_text(encoding="utf-8")
RECIPES = recipes.blocks("ini")
BACKENDS = {*get_args(Settings.model_fields["video_backend"].annotation)}
BIFROST = "Bifrost in front of other vendors"
LITELLM = "LiteLLM in front of other vendors"


pytestmark = pytest.mark.usefixtures("_empty_environment")


def test_there_is_a_recipe_for_every_backend_but_the_embedded_one() -> None:
    named = {recipes.environment(name).get("VIDEO_BACKEND") for name in RECIPES}
    assert named == BACKENDS - {"storyboard"}
    assert len(RECIPES) >= 8


@pytest.mark.parametrize("name", RECIPES)
def test_each_env_file_is_accepted(name: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(RECIPES[name], encoding="utf-8")
    settings = load_settings()
    written = recipes.environment(name)
    for needed in ("VIDEO_BACKEND", "VIDEO_MODEL"):
        assert needed in written, f"the .env of the recipe {name!r} does not set {needed}"
    assert {key.lower() for key in written} <= Settings.model_fields.keys()
    assert settings.video_backend == written["VIDEO_BACKEND"]
    assert settings.video_model == written["VIDEO_MODEL"]


@pytest.mark.parametrize("name", [name for name in RECIPES if "GPU" in name or "servers" in name])
def test_a_self_hosted_server_is_asked_only_for_what_it_supports(name: str) -> None:
    written = recipes.environment(name)
    assert written["VIDEO_BACKEND"] == "openai"
    assert written["VIDEO_MODEL"] == "-"
    assert written["OPENAI_BASE_URL"].startswith("http://127.0.0.1:")
    start = recipes.blocks("sh")[name]
    port = written["OPENAI_BASE_URL"].removesuffix("/v1").rpartition(":")[2]
    assert f"--port {port}" in start


def test_litellm_sends_nothing_twice_and_each_model_to_one_place() -> None:
    config = recipes.blocks("yaml")[LITELLM]
    assert re.search(r"(?m)^router_settings:\n  num_retries: 0\b", config)
    names = re.findall(r"model_name: (\S+)", config)
    models = re.findall(r"(?m)^ {6}model: (\S+)", config)
    assert len(names) == len(models) == len({*names}) == len({*models}) >= 3
    assert recipes.environment(LITELLM)["VIDEO_MODEL"] in names
    for variable in re.findall(r"os\.environ/(\w+)", config):
        assert f"{variable}=" in recipes.blocks("sh")[LITELLM], variable


def test_bifrost_sends_nothing_twice_and_reads_its_keys_from_the_environment() -> None:
    config = json.loads(recipes.blocks("json")[BIFROST])
    start = recipes.blocks("sh")[BIFROST]
    for vendor in config["providers"].values():
        assert vendor["network_config"]["max_retries"] == 0
        for key in vendor["keys"]:
            assert f"{key['value'].removeprefix('env.')}=" in start
    model = recipes.environment(BIFROST)["VIDEO_MODEL"]
    assert model.partition("/")[0] in config["providers"]


def test_what_makes_one_clip_at_a_time_gets_one_order_at_a_time() -> None:
    assert recipes.environment("Unsloth Studio")["MAX_JOBS"] == "1"


def test_the_page_names_the_tested_versions() -> None:
    version = litellm.NAME.rpartition(" ")[2]
    assert f"litellm[proxy]=={version}" in recipes.blocks("sh")[LITELLM]
    assert litellm.NAME in PAGE
