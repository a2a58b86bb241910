PYTHON ?= python3
BIN := .venv/bin
INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes -r

# Exit code 2: the command has printed the fix, so make reports no error of its own.
ADVISED := || test $$? -eq 2

.PHONY: help demo run voice scale test coverage check contract format lock picture cards backends prompts storyboard bench bench-scale proof-media proof-playback proof-shrink proof-kill proof-api proof-web proof-voice proof-provenance proof-length proof-scale peers clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# Without python3-venv, Debian's Python makes a .venv that has no pip: it is made again.
.venv/run: requirements.lock
	@$(if $(shell $(PYTHON) -c 'import sys; print(sys.version_info >= (3, 11) or "")'),,$(error Clapper needs Python 3.11 or newer: name one, as in make PYTHON=python3.12))
	@echo 'Installing the libraries of the bot into .venv (once, about a minute) ...'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf .venv && $(PYTHON) -m venv .venv; }
	@$(BIN)/python $(INSTALL) requirements.lock
	@touch $@

.venv/dev: .venv/run requirements-dev.lock
	@echo 'Installing the tools for the tests into .venv (once, about a minute) ...'
	@$(BIN)/python $(INSTALL) requirements-dev.lock
	@touch $@

# Separate from the other libraries, because it is licensed under the GPL and large.
.venv/voice: .venv/run requirements-voice.lock
	@echo 'Installing the voice into .venv (once, about 280 MB) ...'
	@$(BIN)/python $(INSTALL) requirements-voice.lock
	@touch $@

# Not needed by a bot that keeps its rows and its files on its own disk.
.venv/scale: .venv/run requirements-scale.lock
	@echo 'Installing the libraries for PostgreSQL and buckets into .venv (once) ...'
	@$(BIN)/python $(INSTALL) requirements-scale.lock
	@touch $@

demo: .venv/run ## watch one /video, without an account
	@$(BIN)/python -m bot demo $(ADVISED)

run: .venv/run ## run the bot with the settings of .env
	@$(BIN)/python -m bot run $(ADVISED)

voice: .venv/voice ## install the offline voice

scale: .venv/scale ## install the libraries for PostgreSQL and buckets

test: .venv/dev ## run the tests
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist worksteal

# Takes half as long again as `make test`.
coverage: .venv/dev ## run the tests, and list the lines that they miss
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term

check: .venv/dev ## run the linter, strict types, import rules and schemas
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/ci.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/feature.yml

contract: .venv/dev ## print which backend passes which test of the contract
	$(BIN)/python -m tests.proofs.contract_report

format: .venv/dev ## apply the fixes of the linter and the formatter
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Needs uv. The lock files contain no index hosts and no local paths.
lock: ## pin the libraries again; needs uv
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml --extra voice -c requirements.lock -o requirements-voice.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml --group browser -c requirements.lock -o requirements-browser.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml --extra scale -c requirements.lock -o requirements-scale.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml --extra scale --group scale-proof -c requirements-scale.lock -o requirements-scale-proof.lock

.venv-browser/installed: requirements-browser.lock
	@echo 'Installing Playwright into .venv-browser (once) ...'
	@$(PYTHON) -m venv .venv-browser
	@.venv-browser/bin/python $(INSTALL) requirements-browser.lock
	@touch $@

# Needs Chromium.
picture: .venv-browser/installed ## draw the pictures of the pages; needs Chromium
	.venv-browser/bin/python -m docs.picture
	.venv-browser/bin/python -m docs.page_picture

cards: .venv/dev ## write docs/cards.md
	$(BIN)/python -m docs.cards

storyboard: .venv/dev ## draw the sheet of docs/storyboard.md
	$(BIN)/python -m docs.storyboard

backends: .venv/dev ## write the tables of video services
	$(BIN)/python -m docs.capabilities

prompts: .venv/dev ## write docs/prompts.md
	$(BIN)/python -m docs.prompts

bench: .venv/dev ## measure memory and pace, and write docs/benchmarks.md
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.media_operations

# Parts are run alone by PARTS=encodes, or by the name of another part.
bench-scale: .venv/dev ## compare SQLite with PostgreSQL, and one engine or worker with two
	$(BIN)/python -m benchmarks.scale $(PARTS)

# Takes longer than the tests. If strace is installed, it records the files that ffmpeg opens.
proof-media: .venv/dev ## process odd and hostile files
	$(BIN)/python -m tests.proofs.media

# Plays what proof-media left. Installs Chromium (on Debian, as root), or prints what is missing.
proof-playback: .venv-browser/installed ## play the results of proof-media in a browser
	.venv-browser/bin/python -m tests.proofs.media_playback $(ADVISED)

proof-shrink: .venv/dev ## shrink clips below four upload limits
	$(BIN)/python -m tests.proofs.shrinking

# Installs Chromium (on Debian, as root) and axe-core, or prints what is missing.
proof-web: .venv-browser/installed ## use the page in a browser
	.venv-browser/bin/python -m tests.proofs.web

proof-kill: .venv/dev ## kill the bot in every state of a job, then 500 times at random
	$(BIN)/python -m pytest -n 2 -m proof
	$(BIN)/python -m tests.proofs.kill

proof-api: .venv/dev ## send the API what its document allows, and more
	$(BIN)/python -m tests.proofs.api

.venv-voice/installed: requirements-voice.lock
	@echo 'Installing the voice into .venv-voice (once, about 280 MB) ...'
	@$(PYTHON) -m venv .venv-voice
	@.venv-voice/bin/python $(INSTALL) requirements-voice.lock
	@touch $@

# Speaks with the real voice, from a separate virtual environment.
proof-voice: .venv-voice/installed ## speak with the offline voice
	.venv-voice/bin/python -m tests.proofs.voice

# Installs exiftool (on Debian, as root) and c2pa-python, or prints the reason why it can't.
proof-provenance: .venv/dev ## have other projects' tools read the marks of videos
	$(BIN)/python -m tests.proofs.provenance $(ADVISED)

# Takes six minutes on two cores.
proof-length: .venv/dev ## order clips for short and long voices over HTTP, and measure them
	$(BIN)/python -m tests.proofs.length

.venv-scale/installed: requirements-scale-proof.lock
	@echo 'Installing a server with the API of S3 into .venv-scale (once) ...'
	@$(PYTHON) -m venv .venv-scale
	@.venv-scale/bin/python $(INSTALL) requirements-scale-proof.lock
	@touch $@

# Needs Chromium: installs it (on Debian, as root), or prints what is missing. The losses take an hour.
proof-scale: .venv-scale/installed ## keep files in a bucket, and take away parts of a fleet
	.venv-scale/bin/python -m tests.proofs.scale $(ADVISED)
	.venv-scale/bin/python -m tests.proofs.scale.losses

# Installs servers of other projects into .venv-peers, or prints the reason why it can't.
# The first run takes some minutes.
peers: .venv/dev ## run the bot against servers of other projects
	$(BIN)/python -m tests.proofs.peers

clean: ## remove the virtual environments and caches; your data stays
	rm -rf .venv .venv-browser .venv-proofs .venv-peers .venv-voice .venv-scale .pytest_cache .ruff_cache .import_linter_cache .coverage*
