# make demo   sets everything up, converts the bundled samples of all formats and trains on them
# make test   sets everything up and runs the tests
# make newcomer  README's first commands, typed in a new environment
# make lint   style, types, spelling          make bench  speed and memory beside the peers
# make bench-coco  masks to COCO and back beside five peers, in an environment of its own
# make bench-training  the trainer beside its peers (PEOPLE=DIR, STREET=DIR, MINUTES=M)
# make fuzz   hostile input for every reader  make docs   regenerate what is made from the code
# make trainers  the set-ups, opened by ultralytics, nnU-Net, torchvision … in .trainers (gigabytes)
# make mutation  mistakes in the core, made on purpose: whether the tests notice each of them
.DEFAULT_GOAL := help
.PHONY: help setup demo newcomer test lint bench bench-coco bench-training fuzz mutation trainers \
        docs samples clean

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

.venv/train: .venv/done
	$(BIN)/python -m pip install --quiet --editable ".[test,train,onnx]"
	@touch .venv/train

.venv/ray: .venv/train
	$(BIN)/python -m pip install --quiet --editable ".[test,train,onnx,pretrained,ray]"
	@touch .venv/ray

demo: .venv/train
	@$(BIN)/python samples/demo.py

newcomer:
	@$(PYTHON) samples/newcomer.py

test: .venv/ray
	$(BIN)/python -m pytest

lint: .venv/train
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/typos

bench: .venv/done
	@$(BIN)/python -m pip install --quiet --editable ".[bench]"
	@$(BIN)/python benchmarks/run.py

.venv-peers/done: pyproject.toml constraints/peers.txt
	@$(PYTHON) -m venv .venv-peers
	PIP_CONSTRAINT= .venv-peers/bin/python -m pip install --quiet \
	  --requirement constraints/peers.txt --editable .
	@touch .venv-peers/done

bench-coco: .venv-peers/done
	@.venv-peers/bin/python benchmarks/run.py --only regions,coco

MINUTES ?= 15
bench-training: .venv/done
	@$(BIN)/python -m pip install --quiet --editable ".[train,pretrained,bench]"
	@$(BIN)/python benchmarks/training/steps.py
	@$(BIN)/python benchmarks/training/loading.py
	@if [ -n "$(PEOPLE)" ]; then \
	  $(BIN)/python benchmarks/training/people.py --data "$(PEOPLE)" --minutes $(MINUTES); fi
	@if [ -n "$(STREET)" ]; then \
	  $(BIN)/python benchmarks/training/street.py --data "$(STREET)" --minutes $(MINUTES); fi

fuzz: .venv/train
	@$(BIN)/python tests/fuzz/run.py
	@$(BIN)/python tests/fuzz/outlines.py
	@$(BIN)/python tests/fuzz/run.py --histories 2000
	@$(BIN)/python tests/fuzz/run.py --kill 50
	@$(BIN)/python tests/fuzz/run.py --power 50

mutation: .venv/train
	@$(BIN)/python tests/mutation/run.py

trainers:
	@test -d .trainers || $(PYTHON) -m venv .trainers
	@PIP_CONSTRAINT= .trainers/bin/python -m pip install --quiet -r tests/trainers/requirements.txt --editable .
	@.trainers/bin/python tests/trainers/run.py

docs: .venv/done
	@$(BIN)/python docs/make.py

samples: .venv/done
	@$(BIN)/python samples/make.py

clean:
	rm -rf .venv .venv-peers demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
