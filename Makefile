PYTHON ?= python3
BIN := .venv/bin
INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes -r

# A command that exits with 2 has printed one sentence that names the fix: make adds no error to it.
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

# Under the GPL, and large: not among the libraries that every bot needs.
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

# Half as long again as the tests alone.
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
	$(BIN)/python -m tests.contract_report

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Needs uv; index hosts and local paths stay out of the files.
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

# Longer than the tests; strace, where it is, watches what ffmpeg opens.
proof-media: .venv/dev
	$(BIN)/python -m tests.proof_media

proof-fit: .venv/dev
	$(BIN)/python -m tests.proof_fit

# Installs Playwright, Chromium (Debian, as root) and axe-core, or says what is missing.
proof-web: .venv-browser/installed
	.venv-browser/bin/python -m tests.proof_web

proof-kill: .venv/dev
	$(BIN)/python -m pytest -n 2 -m proof

proof-api: .venv/dev
	$(BIN)/python -m tests.proof_api

.venv-voice/installed: requirements-voice.lock
	@echo 'Installing the voice into .venv-voice (once, about 280 MB) ...'
	@$(PYTHON) -m venv .venv-voice
	@.venv-voice/bin/python $(INSTALL) requirements-voice.lock
	@touch $@

# Speaks with the real voice, in an environment of its own.
proof-voice: .venv-voice/installed
	.venv-voice/bin/python -m tests.proof_voice

# Installs other people's servers into .venv-peers, or says why it can't; needs some minutes the first time.
peers: .venv/dev
	$(BIN)/python -m tests.peers

clean:
	rm -rf .venv .venv-browser .venv-proofs .venv-peers .venv-voice .pytest_cache .ruff_cache .import_linter_cache .coverage*
