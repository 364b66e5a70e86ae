# Embedscope. `make help` lists what can be made.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_READY := $(VENV)/.run-ready
TEST_READY := $(VENV)/.test-ready
BENCH_READY := $(VENV)/.bench-ready

.PHONY: help run test check bench samples screenshots examples clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(RUN_READY) ## set up what is needed and open the app on its sample data
	$(BIN)/streamlit run app.py

test: $(TEST_READY) ## set up what is needed and run every test
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		printf '\n*** No Chromium here: the browser tests WILL BE SKIPPED. On Debian: apt-get install chromium ***\n\n'
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: $(TEST_READY) ## format, lint, types, and the arrows between the modules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(BENCH_READY) ## slow measurements, side by side with what a user would pick instead
	$(BIN)/python -m benchmarks

samples: $(RUN_READY) ## compute again what ships in sample_data/ (embeddings and maps)
	$(BIN)/python -m lib samples

screenshots: $(TEST_READY) ## take the pictures of the README and the gallery again
	$(BIN)/python -m docs.screenshots
	$(BIN)/python -m docs.gallery --strip
	$(BIN)/python -m docs.gallery

examples: $(RUN_READY) ## work docs/examples.md and docs/agents_session.md out again
	$(BIN)/python -m docs.examples
	$(BIN)/python -m docs.agents_session

clean: ## remove the environment and every cache
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Embedscope needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(RUN_READY): requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(TEST_READY): requirements.txt requirements-test.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-test.txt
	touch $@ $(RUN_READY)

$(BENCH_READY): requirements-bench.txt | $(TEST_READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-test.txt -r requirements-bench.txt
	touch $@
