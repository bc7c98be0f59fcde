# The commands of this project. `make nightly` and `make test` need nothing but Python 3.11+ and make.
# Paths stay relative: a checkout may lie in a folder with spaces in its name.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed
SPARK := .venv-spark

.DEFAULT_GOAL := help
.PHONY: help install nightly test test-spark lint ui bench bench-quick chaos lock clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "journeymart needs Python 3.11 to 3.13, but '$(PYTHON)' is $$($(PYTHON) -V 2>&1): run make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Installing into .venv from requirements.lock (about a minute) ..."
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

install: $(STAMP) ## Create .venv from the hash-pinned lock.

nightly: $(STAMP) ## Write the sample company's next extracts and run the nights that are due.
	@$(BIN)/journeymart sample --next
	@$(BIN)/journeymart run --night-by-night

ui: $(STAMP) ## Open the Dagster UI on http://127.0.0.1:3000.
	@$(BIN)/journeymart ui

test: $(STAMP) ## Run all tests.
	@# In the order of the files: whole nights first, so that short tests fill the end.
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

$(SPARK)/installed: requirements-spark.lock
	@echo "Installing into $(SPARK) from requirements-spark.lock ..."
	@rm -rf $(SPARK)
	@$(PYTHON) -m venv $(SPARK)
	@$(SPARK)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-spark.lock
	@touch $(SPARK)/installed

test-spark: $(STAMP) $(SPARK)/installed ## Run a night's models on Spark's SQL too (Sail, no Java): equal marts.
	@JOURNEYMART_SAIL_PYTHON=$(SPARK)/bin/python $(BIN)/python -m pytest tests/spark

lint: $(STAMP) ## Linters and the type checker.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(STAMP) ## Measure what nights cost at three sizes (SIZES=S,M,L), or some ratios (ONLY=B1,B9).
	@$(BIN)/python -m bench $(if $(SIZES),--sizes $(SIZES)) $(if $(ONLY),--only $(ONLY)) $(if $(PAIRS),--pairs $(PAIRS))
	@$(BIN)/python scripts/scale_docs

bench-quick: $(STAMP) ## Hold what a small night may cost.
	@$(BIN)/python -m bench --quick

chaos: $(STAMP) ## Try every promise at length (or some: PROMISE=kills,disk; WORKERS=2 processes) and write docs/promises.md.
	@JOURNEYMART_CHAOS=long $(BIN)/python -m pytest -m chaos --timeout 0 -o faulthandler_timeout=0 $(if $(PROMISE),--promise $(PROMISE)) $(if $(WORKERS),-n $(WORKERS) --maxschedchunk 1)

lock: $(STAMP) ## Rewrite requirements.lock from pyproject.toml.
	@scripts/lock

clean: ## Remove the environment and what nights made (extracts, versions, run history).
	rm -rf .venv $(SPARK) data .dagster/storage .dagster/dbt .dagster/lineage.json
