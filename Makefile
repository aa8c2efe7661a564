# Needs Python 3.11 or later and a package index; everything else goes into $(VENV).
PYTHON ?= python3
VENV ?= .venv
BIN := $(abspath $(VENV))/bin
STAMP := $(VENV)/.stamp
PIP_FLAGS := --quiet --disable-pip-version-check
PYTEST_FLAGS ?= -q -n 2 --dist loadfile --no-loadscope-reorder --durations=20

export PATH := $(BIN):$(PATH)
# Nobody is told that this ran, and no model hub is asked for anything.
export DBT_SEND_ANONYMOUS_USAGE_STATS := 0
export HF_HUB_OFFLINE := 1
export TOKENIZERS_PARALLELISM := false

.PHONY: .venv demo test check format clean

.venv: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@echo "installing into $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; name one with PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install $(PIP_FLAGS) -c constraints.txt -e ".[dev,mcp,serve]"
	@touch $(STAMP)

demo: $(STAMP)
	cd example_project && dbt --quiet deps --profiles-dir .
	cd example_project && dbt --quiet build --profiles-dir .
	cd example_project && dbt-t2s train
	cd example_project && dbt-t2s ask "net revenue by month in 2025"
	cd example_project && dbt-t2s ask "which five products were returned most often?"
	cd example_project && dbt-t2s ask "how many active subscriptions do we have per plan?"

test: $(STAMP)
	python -m pytest $(PYTEST_FLAGS)

check: $(STAMP)
	ruff check .
	ruff format --check .
	mypy

format: $(STAMP)
	ruff check --fix .
	ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf example_project/target example_project/logs example_project/.t2s example_project/dbt_packages example_project/*.duckdb*
