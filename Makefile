# The main commands; `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3.11
PORT ?= 8080
API_PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLING := $(VENV)/.installing
UV := $(shell command -v uv)
FIND_LINKS := $(addprefix --find-links ,$(PIP_FIND_LINKS))

.PHONY: help setup run demo-client test coverage docs bench month airflow drills clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1	/' | expand -t 20

setup: $(INSTALLED) ## Create .venv and install everything that requirements.lock pins
	@:

# .installing remains after a set-up that was interrupted; such a .venv is incomplete and is removed. .installed is
# written last.
$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { \
		echo "make setup: '$(PYTHON)' is not a working Python 3.11. Install Python 3.11, or name one:" \
			"make setup PYTHON=/path/to/python3.11" >&2; exit 1; }
	@if [ -e $(INSTALLING) ]; then echo "The last set-up was interrupted; starting over."; rm -rf $(VENV); fi
	@mkdir -p $(VENV) && touch $(INSTALLING) && date +%s > $(INSTALLING)
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
ifneq ($(UV),)
	$(UV) pip install --python $(BIN)/python --requirements requirements.lock $(FIND_LINKS)
	$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
else
	$(BIN)/python -m pip install --requirement requirements.lock
	$(BIN)/python -m pip install --no-deps --no-build-isolation --editable .
endif
	@echo "$$(( $$(date +%s) - $$(cat $(INSTALLING)) ))" > $@.part
	@rm $(INSTALLING) && mv $@.part $@
	@echo "Installed in $$(cat $@) s."

run: setup ## Run every step on the demo sources, then serve the API on port API_PORT (8000)
	@echo "Installed in $$(cat $(INSTALLED)) s, once."
	@$(BIN)/ukok run --demo --serve --port $(API_PORT)

demo-client: setup ## Run a scripted client against the API that `make run` serves
	@$(BIN)/python docker/demo_client.py --url http://127.0.0.1:$(API_PORT)

# Three test processes on two cores, as one often waits for a server; threads of their own would wait for each other.
test coverage: export OMP_NUM_THREADS := 1

test: setup ## Lint, types, import rules and all tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --num-workers 2
	$(BIN)/lint-imports
	$(BIN)/pytest -n 3 --dist worksteal --durations=30 --durations-min=10

coverage: setup ## All tests with their coverage, which takes half as long again
	$(BIN)/pytest -n 3 --dist worksteal --cov --cov-report=term-missing:skip-covered

docs: setup ## Write the generated documents under docs/: OpenAPI, DAG page, data dictionary, events
	$(BIN)/python -m docs.generate

bench: setup ## Measure: crawling, serving, log writes, swaps, memory, search, encoding, completing a recipe, linking products, building a release
	$(BIN)/python -m tests.bench.bench_crawl
	$(BIN)/python -m tests.bench.bench_serving
	$(BIN)/python -m tests.bench.bench_log
	$(BIN)/python -m tests.bench.bench_ingest
	$(BIN)/python -m tests.bench.bench_swaps
	$(BIN)/python -m tests.bench.bench_memory
	$(BIN)/python -m tests.bench.bench_search
	$(BIN)/python -m tests.bench.bench_quality
	$(BIN)/python -m tests.bench.bench_next_items
	$(BIN)/python -m tests.bench.bench_word2vec
	$(BIN)/python -m tests.bench.bench_encoder
	$(BIN)/python -m tests.bench.bench_link
	$(BIN)/python -m tests.bench.bench_build

month: setup ## Run 30 days of crawls, loads, links and ingestions against living sources; compare with the truth
	$(BIN)/python -m tests.month

airflow: setup ## Start Airflow with the DAGs on the embedded database and the demo sources
	@$(BIN)/python docker/local_airflow.py --port $(PORT)

drills: setup ## Break things under Airflow's scheduler and under the API, and write docs/drills.md; needs MariaDB, PostgreSQL, nginx and root
	$(BIN)/python -m tests.drills

clean: ## Stop the embedded database and remove .venv, var and every cache
	@if [ -x $(BIN)/ukok ]; then $(BIN)/ukok db stop || true; fi
	rm -rf $(VENV) var build .coverage *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
