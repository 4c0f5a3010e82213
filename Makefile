# Two commands do everything: `make run` and `make test`. Both set up what they need.
PYTHON ?= python3
BIN := .venv/bin
RUN ?= out/samples

.PHONY: run test check gate setup model lock clean help

help:
	@echo "make run    extract, check, export and score the sample reports"
	@echo "make test   the tests (with the real model: needs the weights, which are pulled; Chromium for the reports)"
	@echo "make check  lint, types, import rules"
	@echo "make gate   has extraction become worse than the last accepted score?"
	@echo "make setup  prepare .venv with the gongkai command in it"
	@echo "make model  pull the weights of the embedded model"
	@echo "make lock   pin the dependencies anew (needs uv)"

setup: .venv/ready

.venv/ready: requirements.lock pyproject.toml
	@echo "Setting up .venv (pinned packages, checked by hash) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

model: setup
	@$(BIN)/gongkai model pull

run: setup
	@$(BIN)/gongkai extract gold/samples --out $(RUN)
	@$(BIN)/gongkai export $(RUN) --format csv --out $(RUN)/dataset
	@$(BIN)/gongkai eval $(RUN) --gold gold/samples --out $(RUN)/score
	@echo
	@echo "Dataset: $(RUN)/dataset"
	@echo "Report:  $(RUN)/score/report.html (open it, click a figure to see where it is printed)"

test: setup
	@$(BIN)/python -m pytest

check: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

gate: setup
	@$(BIN)/python -m evals.benchmarks.accepted

lock:
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements.lock

clean:
	rm -rf out .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
