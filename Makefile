# make demo   sets everything up and converts the bundled samples of all formats
# make test   sets everything up and runs the tests
# make lint   style, types, spelling          make bench  speed and memory beside the peers
# make fuzz   hostile input for every reader  make docs   regenerate what is made from the code
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench fuzz docs samples clean

PYTHON ?= python3
BIN := .venv/bin
# One set of versions for everybody who works on maskforge; users get what pyproject.toml allows.
export PIP_CONSTRAINT := $(CURDIR)/constraints/ci.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help:
	@sed -n 's/^# //p' Makefile

.venv/done: pyproject.toml constraints/ci.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "maskforge needs Python 3.11 or newer: make PYTHON=python3.x"; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { echo "python3 has no venv module here (on Debian: apt-get install python3-venv)"; exit 1; }
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	@touch .venv/done

setup: .venv/done

demo: .venv/done
	@$(BIN)/python samples/demo.py

# The trainer's tests and types need torch, which the demo does not.
.venv/train: .venv/done
	$(BIN)/python -m pip install --quiet --editable ".[test,train]"
	@touch .venv/train

test: .venv/train
	$(BIN)/python -m pytest

lint: .venv/train
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/typos

bench: .venv/done
	@$(BIN)/python -m pip install --quiet --editable ".[bench]"
	@$(BIN)/python benchmarks/run.py

fuzz: .venv/done
	@$(BIN)/python tests/fuzz/run.py

docs: .venv/done
	@$(BIN)/python docs/make.py

samples: .venv/done
	@$(BIN)/python samples/make.py

clean:
	rm -rf .venv demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
