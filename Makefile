# make demo    the whole way on real data: train, export, compile, run, report
# make test    the test suite
# make check   format, lint, types
# make bench   speed, against peers in the same run
# make env     only the environment (.venv); PYTHON=python3.12 chooses the interpreter

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
# The stamp carries the interpreter's version, so another PYTHON makes the environment anew.
PYTHON_VERSION := $(shell $(PYTHON) -c 'import platform; print(platform.python_version())')
STAMP := $(VENV)/.made-with-$(PYTHON_VERSION)

.PHONY: demo test check bench env clean

demo: env
	$(BIN)/python -m lavadeploy.scripts.demo

test: env
	$(BIN)/python -m pytest -n logical --maxprocesses 8 --dist loadfile

check: env
	mkdir -p .typecheck && ln -sfn .. .typecheck/lavadeploy
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

bench: env
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/compile.py
	$(BIN)/python benchmarks/lava_backend.py

env: $(STAMP)

$(STAMP): pyproject.toml constraints.txt Makefile
	@test -n "$(PYTHON_VERSION)" || { echo "'$(PYTHON)' does not run; set PYTHON=python3.11"; exit 1; }
	@echo "Making the environment in $(VENV) with Python $(PYTHON_VERSION) (a minute or more)"
	@test "$$($(BIN)/python -c 'import platform; print(platform.python_version())' 2>&1)" \
	    = "$(PYTHON_VERSION)" || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) "torch==2.13.0"
	@$(PIP) --no-deps --ignore-requires-python "lava-nc==0.10.0" "lava-dl==0.6.0"
	@# the two declare NumPy 1 and older tools; what they really need is in pyproject.toml
	@$(PIP) --no-warn-conflicts -c constraints.txt -e ".[lava,train,dev]"
	@rm -f $(VENV)/.made-with-* && touch $@

clean:
	rm -rf $(VENV) .typecheck build dist *.egg-info .pytest_cache .ruff_cache .hypothesis runs
