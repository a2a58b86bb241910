PYTHON ?= python3
BIN := .venv/bin
INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes -r

# Exit code 2: the command has printed the fix, so make reports no error of its own.
ADVISED := || test $$? -eq 2

.PHONY: demo run voice test coverage check contract format lock picture cards prompts bench proof-media proof-fit proof-kill proof-api proof-web proof-voice peers clean

.venv/run: requirements.lock
	@$(if $(shell $(PYTHON) -c 'import sys; print(sys.version_info >= (3, 11) or "")'),,$(error Clapper needs Python 3.11 or newer: name one, as in make PYTHON=python3.12))
	@echo 'Installing the libraries of the bot into .venv (once, about a minute) ...'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
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

demo: .venv/run
	@$(BIN)/python -m bot demo $(ADVISED)

run: .venv/run
	@$(BIN)/python -m bot run $(ADVISED)

voice: .venv/voice

test: .venv/dev
	$(BIN)/python -m pytest -n 2 --dist worksteal

# Takes half as long again as `make test`.
coverage: .venv/dev
	$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/ci.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/feature.yml

contract: .venv/dev
	$(BIN)/python -m tests.proofs.contract_report

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Needs uv. The lock files contain no index hosts and no local paths.
lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml --extra voice -c requirements.lock -o requirements-voice.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml --group browser -c requirements.lock -o requirements-browser.lock

.venv-browser/installed: requirements-browser.lock
	@echo 'Installing Playwright into .venv-browser (once) ...'
	@$(PYTHON) -m venv .venv-browser
	@.venv-browser/bin/python $(INSTALL) requirements-browser.lock
	@touch $@

# Needs Chromium.
picture: .venv-browser/installed
	.venv-browser/bin/python -m docs.picture
	.venv-browser/bin/python -m docs.page_picture

cards: .venv/dev
	$(BIN)/python -m docs.cards

prompts: .venv/dev
	$(BIN)/python -m docs.prompts

bench: .venv/dev
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.media_operations

# Takes longer than the tests. If strace is installed, it records the files that ffmpeg opens.
proof-media: .venv/dev
	$(BIN)/python -m tests.proofs.media

proof-fit: .venv/dev
	$(BIN)/python -m tests.proofs.fit

# Installs Chromium (on Debian, as root) and axe-core, or prints what is missing.
proof-web: .venv-browser/installed
	.venv-browser/bin/python -m tests.proofs.web

proof-kill: .venv/dev
	$(BIN)/python -m pytest -n 2 -m proof

proof-api: .venv/dev
	$(BIN)/python -m tests.proofs.api

.venv-voice/installed: requirements-voice.lock
	@echo 'Installing the voice into .venv-voice (once, about 280 MB) ...'
	@$(PYTHON) -m venv .venv-voice
	@.venv-voice/bin/python $(INSTALL) requirements-voice.lock
	@touch $@

# Speaks with the real voice, from a separate virtual environment.
proof-voice: .venv-voice/installed
	.venv-voice/bin/python -m tests.proofs.voice

# Installs servers of other projects into .venv-peers, or prints the reason why it can't.
# The first run takes some minutes.
peers: .venv/dev
	$(BIN)/python -m tests.proofs.peers

clean:
	rm -rf .venv .venv-browser .venv-proofs .venv-peers .venv-voice .pytest_cache .ruff_cache .import_linter_cache .coverage*
