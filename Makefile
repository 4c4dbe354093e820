# Everything works from a bare clone with python3 (3.11 or newer), pip and make: the environment is made when missing,
# reused while locks/dev.txt and pyproject.toml stay the same, and brought up to date when they change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCK := locks/dev.txt
# One resolution of all extras (locks/all.txt) constrains the others, so that any of them can be installed together.
EXTRAS := explorer cluster s3
PIP_COMPILE := $(BIN)/pip-compile --quiet --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check

SUDO := $(shell test "$$(id -u)" = 0 || echo sudo)

.DEFAULT_GOAL := help
.PHONY: help install run test browser lint format site docs serve lock bench clean

help:  ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "make %-10s %s\n", $$1, $$2}'

install: $(STAMP)  ## Make or update the environment .venv

$(BIN)/python:
	@$(PYTHON) scripts/make_venv.py $(VENV)

$(STAMP): $(LOCK) pyproject.toml | $(BIN)/python
	@echo "installing the locked environment"
	@$(PIP_INSTALL) -r $(LOCK)
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

run: $(STAMP)  ## Theory against simulation for the Hopfield model, and digits recalled
	$(BIN)/replicon run memory.hopfield

test: $(STAMP) browser  ## Run the tests
	$(BIN)/pytest $(PYTEST_ARGS)

browser:  ## Install chromium with apt-get where there is no browser: the tests of the explorer need one
	@{ command -v chromium || command -v chromium-browser || command -v google-chrome; } > /dev/null || { \
		echo "installing chromium: the tests of the explorer need a browser"; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends chromium; }

lint: $(STAMP)  ## Check style, formatting, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache

format: $(STAMP)  ## Format the code and repair what can be repaired
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

site: $(STAMP)  ## Build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

docs: site  ## Build the documentation and run its examples
	$(BIN)/pytest --durations=3 tests/test_docs.py

serve: $(STAMP)  ## Serve the documentation while writing it
	$(BIN)/mkdocs serve

lock: $(STAMP)  ## Write locks/ after a change of pyproject.toml; UPGRADE=1 takes the newest allowed versions
	$(PIP_COMPILE) $(if $(UPGRADE),--upgrade) --all-extras --output-file locks/all.txt pyproject.toml
	$(PIP_COMPILE) --upgrade --constraint locks/all.txt --extra docs --extra dev $(foreach extra,$(EXTRAS),--extra $(extra)) \
		--output-file $(LOCK) pyproject.toml
	for extra in $(EXTRAS); do \
		$(PIP_COMPILE) --upgrade --constraint locks/all.txt --extra $$extra --output-file locks/$$extra.txt pyproject.toml || exit 1; \
	done

bench: $(STAMP)  ## Run the benchmarks
	for script in benchmarks/[a-z]*.py; do $(BIN)/python $$script || exit 1; done

clean:  ## Remove the environment and everything that was built
	rm -rf $(VENV) build dist site .pytest_cache .ruff_cache .hypothesis .import_linter_cache src/replicon.egg-info
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
