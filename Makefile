# Two commands: `make run` and `make test`. Everything they need goes into .venv and the user's cache.
# Use the user's python3 if it is new enough (it may have a CUDA torch), else the newest Python that runs.
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
PYTHON ?= $(firstword $(foreach v,python3 python3.14 python3.13 python3.12 python3.11,$(shell $(v) $(NEW_ENOUGH) && echo $(v))) python3)
BIN := .venv/bin
# One thread per test process, because two processes run side by side.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest

.PHONY: run test test-slow test-gpu faults bench docs install clean help

help:
	@echo 'make run        install what is missing, then start (ARGS="run my.yaml" passes arguments on)'
	@echo 'make test       lint, types, import rules and tests: 10 to 15 minutes on two cores'
	@echo 'make test-slow  full parity with lm-eval, and other slow tests'
	@echo 'make test-gpu   tests that need a CUDA device'
	@echo 'make faults     kill programs, fill disks, damage stores, feed bad input: under an hour (PART=kills for one part)'
	@echo 'make bench      measure speed and memory, also against lm-eval'
	@echo 'make docs       write docs/reference.md from the program'

install: .venv/.installed

.venv/.installed: install.py pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo 'install: no python3 found; install Python 3.11 or newer' >&2; exit 2; }
	@$(PYTHON) install.py

run: install
	@$(BIN)/cornerstone $(ARGS)

test: install
	@echo '1/5 lint (1 s)' && $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo '2/5 types (30 s)' && $(BIN)/mypy
	@echo '3/5 import rules (5 s)' && $(BIN)/lint-imports
	@echo '4/5 the default model, if it is not cached (1 min)' && $(BIN)/python -m tests.support.default_model
	@echo '5/5 tests (10 min)' && $(PYTEST) -m 'not slow and not gpu' -n 2 --dist worksteal

test-slow: install
	@echo 'slow tests: every ablation of the default model against lm-eval, coverage of intervals (about 30 min)'
	@$(PYTEST) -m slow -n 2 --dist worksteal

test-gpu: install
	@$(BIN)/python -m pytest -m gpu

faults: install
	@$(BIN)/python -m tests.support.default_model
	@PART='$(PART)' SEED='$(SEED)' CASE='$(CASE)' FRESH='$(FRESH)' $(BIN)/python -m tests.faults

bench: install
	@$(BIN)/python -m tests.benchmarks

docs: install
	@CORNERSTONE_PLUGINS=off $(BIN)/python -m docs.generate

clean:
	rm -rf .venv build *.egg-info
