# diffstn: `make` alone explains itself.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup train demo test test-slow fuzz lint format types check clean

help: ## Show this help
	@echo "diffstn: diffusion models and spatial transformers. Targets:"
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "  make %-10s %s\n", $$1, $$2}'
	@echo "Everything sets itself up in $(VENV) on first use. More: README.md"

setup: $(READY) ## Create .venv and install diffstn with its development tools

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 10) <= v < (3, 14) else f"diffstn needs Python 3.10 to 3.13, this is {v[0]}.{v[1]}; run: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing diffstn and its dependencies into $(VENV) (once; a few minutes, 6 GB) ..."
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -e '.[dev]'
	@touch $@

train: $(READY) ## The main job: Diff-in-STN learns to turn distorted digits upright (ARGS="..." adds overrides)
	$(BIN)/python train.py model=diff_in_stn data=affine_mnist schedule=cosine $(ARGS)

demo: $(READY) ## Correct a page of distorted digits with shipped weights; no training, under a minute
	$(BIN)/python sample.py run=pretrained/diff_in_stn_full out=demo $(ARGS)

test: $(READY) ## Run the tests (minutes on two cores)
	$(BIN)/python -m pytest $(ARGS)

test-slow: $(READY) ## Run every test, the slow ones too
	$(BIN)/python -m pytest -m '' $(ARGS)

fuzz: $(READY) ## Read damaged files of every format for a minute (MINUTES=60 for an hour)
	$(BIN)/python benchmarks/fuzz.py --minutes $(or $(MINUTES),1) $(ARGS)

lint: $(READY) ## Lint and check formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY) ## Format the code and fix what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(READY) ## Check types
	$(BIN)/mypy

check: test lint types ## Tests, lint, format and types

clean: ## Remove the virtual environment and caches (runs stay)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build src/*.egg-info
