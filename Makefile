# One verb a line. `make` alone says what there is.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup test slow lint format ci bench gallery lowest wheel clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

setup: $(BIN)/growthsim  ## a virtual environment with everything the tests need

$(BIN)/growthsim: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e '.[test]'
	@touch $@

test: setup  ## the tests, without the slow ones
	$(BIN)/pytest

slow: setup  ## the slow tests only
	$(BIN)/pytest -m slow

lint: setup  ## format, rules, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict simulator
	$(BIN)/lint-imports

format: setup  ## put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

ci:  ## what a change must pass, in a fresh environment
	.ci/run

bench: setup  ## how fast, as ratios to peers measured in the same run
	$(BIN)/pip install -q -e '.[bench]'
	$(BIN)/python -m benchmarks.bench_start
	$(BIN)/python -m benchmarks.bench_batch --ciw
	$(BIN)/python -m benchmarks.bench_answers
	$(BIN)/python -m benchmarks.bench_sweep --memory
	$(BIN)/python -m benchmarks.bench_cluster
	$(BIN)/python -m benchmarks.bench_flow
	$(BIN)/python -m benchmarks.bench_mechanisms

gallery: setup  ## docs/gallery.md and its pictures
	$(BIN)/growthsim gallery --out docs

lowest:  ## the tests with the lowest versions we claim
	$(PYTHON) -m venv --clear .venv-lowest
	.venv-lowest/bin/pip install -q -e '.[test]' -c tests/lowest.txt
	.venv-lowest/bin/pytest

wheel:  ## what would be published, in dist/
	$(PYTHON) -m pip wheel -q --no-deps --wheel-dir dist .

clean:  ## remove what the above made
	rm -rf .venv .venv-lowest dist build
