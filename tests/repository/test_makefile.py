"""The Makefile: its targets are listed, run what exists, and mend a half-made environment."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.proofs import contract_report
from tests.support.papers import ROOT, read

if TYPE_CHECKING:
    from pathlib import Path

MAKEFILE = read("Makefile")
# The packages of this repository that make targets start.
OURS = {"bot", "tests", "docs", "benchmarks"}
# A Python that makes environments with or without pip, as python3-venv is installed or not.
PYTHON = """#!/bin/sh
case "$*" in
*version_info*) echo True ;;
*"-m venv"*)
    mkdir .venv .venv/bin && cp "$0" .venv/bin/python && echo made >> made
    echo "$PIP" > .venv/pip ;;
*"-m pip"*) test -n "$(cat .venv/pip)" ;;
esac
"""


def make(folder: Path, *targets: str, pip: str = "yes") -> subprocess.CompletedProcess[str]:
    program = shutil.which("make")
    assert program is not None
    return subprocess.run(  # noqa: S603 - constant arguments
        [program, *targets],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PIP": pip},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.lock").touch()
    (tmp_path / "python").write_text(PYTHON, encoding="utf-8")
    (tmp_path / "python").chmod(0o755)
    return tmp_path


def test_make_alone_lists_each_target_with_a_line_and_installs_nothing(checkout: Path) -> None:
    (phony,) = re.findall(r"(?m)^\.PHONY: (.+)$", MAKEFILE)
    listed = dict(re.findall(r"(?m)^make (\S+) +(\S.+)$", make(checkout).stdout))
    assert sorted(listed) == sorted(phony.split())
    assert not (checkout / ".venv").exists()


def test_an_environment_without_pip_is_made_again(checkout: Path) -> None:
    python = f"PYTHON={checkout / 'python'}"
    assert make(checkout, ".venv/run", python, pip="").returncode
    assert (checkout / ".venv/bin/python").exists()
    for _ in range(2):  # the second time there is nothing to do
        assert make(checkout, ".venv/run", python).returncode == 0
    assert (checkout / "made").read_text(encoding="utf-8") == "made\n" * 2


def test_an_environment_with_pip_is_kept(checkout: Path) -> None:
    python = f"PYTHON={checkout / 'python'}"
    assert make(checkout, ".venv/run", python).returncode == 0
    (checkout / ".venv/run").unlink()
    assert make(checkout, ".venv/run", python).returncode == 0
    assert (checkout / "made").read_text(encoding="utf-8") == "made\n"


def test_every_module_and_suite_that_make_runs_exists() -> None:
    modules = re.findall(r"/python -m ([a-z_.]+)", MAKEFILE)
    ours = {name for name in modules if name.partition(".")[0] in OURS}
    assert ours >= {"tests.proofs.contract_report", "tests.proofs.media", "docs.cards"}
    for name in ours:
        found = importlib.util.find_spec(name)
        assert found, name
        is_package = found.submodule_search_locations is not None
        assert not is_package or importlib.util.find_spec(f"{name}.__main__"), name
    assert sorted(contract_report.SUITE.rglob("test_*.py"))


# The libraries that only the environments of proofs have.
OF_PROOFS = {"boto3", "c2pa", "openrouter", "playwright"}


@pytest.mark.parametrize("package", ["tests.support", "tests.proofs"])
def test_every_module_of_the_proofs_finds_what_it_imports(package: str) -> None:
    missing: set[str | None] = set()
    folder = ROOT.joinpath(*package.split("."))
    for module in pkgutil.walk_packages([str(folder)], f"{package}."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                missing.add(error.name)
    assert missing <= OF_PROOFS
