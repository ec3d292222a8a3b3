# tui-chat: `make chat` sets everything up and opens the chat; `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON3 ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(BIN)/python
PIP := $(PYTHON) -m pip --disable-pip-version-check
STARTER := build/models
# As many tests at once as tests/conftest.py finds healthy; whoever has run out of tests takes from the others.
AT_ONCE := -n auto --dist worksteal
# How much further `make soak` goes than `make test` where tests walk at random.
SOAK_WALKS ?= 20

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev bytecode chat test soak check format bench screenshots lock wheel clean $(STARTER)

help:  ## Show this list
	@echo "make TARGET, where TARGET is one of:"
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

chat: setup bytecode  ## Set everything up, fetch a first model if there is none, and open the chat
	@$(BIN)/tui-chat models get starter --if-none || echo "Going on without a model; the chat offers to fetch one."
	exec $(BIN)/tui-chat $(ARGS)

test: setup-dev bytecode $(STARTER) check  ## Run the checks and all tests (ARGS="-n 0 -k name" for some, in one process)
	@$(PYTHON) -m pytest $(AT_ONCE) $(ARGS)

soak: setup-dev bytecode $(STARTER)  ## Chat, swap and walk at random while things die (SOAK_MINUTES, SOAK_SWAPS, SOAK_WALKS)
	@$(PYTHON) -m pytest tests/soak/soak_swaps.py tests/soak/soak_survival.py --timeout 0 -s $(ARGS)
	SOAK_WALKS=$(SOAK_WALKS) $(PYTHON) -m pytest -m "walk or hypothesis" --timeout 0 $(AT_ONCE) $(ARGS)

check: setup-dev  ## Check style, types and the order of the layers
	@$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: setup-dev  ## Write the code the way `make check` wants it
	@$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup-dev bytecode $(STARTER)  ## Measure (all groups, or GROUP=memory) and write build/bench-GROUP.json
	@$(PYTHON) -m tests.benchmarks $(GROUP)

screenshots: setup-dev bytecode $(STARTER)  ## Make the pictures in screenshots/ from the real app and model
	@PYTHONPATH=. $(PYTHON) screenshots/take.py
	PYTHONPATH=. $(PYTHON) screenshots/record.py

setup: $(VENV)/.setup  ## Make .venv with the package and what it needs

setup-dev: $(VENV)/.setup-dev

# Each stamp is as new as the files that decide what is installed, so that a second `make` does nothing.
$(VENV)/.setup: pyproject.toml requirements.lock
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
	    echo "tui-chat needs Python 3.11 or newer; \`$(PYTHON3)\` is $$($(PYTHON3) --version). Try: make PYTHON3=python3.12"; exit 1; }
	[ -x $(PYTHON) ] && $(PYTHON) -c 'import pip' 2>/dev/null || $(PYTHON3) -m venv --clear $(VENV) || {
	    echo "A virtual environment cannot be made. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	if ! $(PYTHON) -c 'import llama_cpp' 2>/dev/null; then
	    echo
	    echo "Installing into $(VENV). llama-cpp-python is compiled for this machine, once: 3 to 10 minutes on 2 cores."
	    echo "(README.md tells how to use a ready-made build, or one for CUDA.)"
	    echo
	    $(PIP) install --no-deps $$(grep '^llama-cpp-python==' requirements.lock) || {
	        echo "To compile llama-cpp-python takes a C++ compiler. On Debian and Ubuntu: apt-get install g++"; exit 1; }
	fi
	$(PIP) install --quiet -r requirements.lock
	$(PIP) install --quiet --no-deps --editable .
	$(PYTHON) -m compileall -q -j 0 $(VENV)/lib || true
	touch $@

$(VENV)/.setup-dev: $(VENV)/.setup requirements-dev.lock
	@$(PIP) install --quiet -r requirements-dev.lock
	$(PYTHON) -m compileall -q -j 0 $(VENV)/lib || true
	touch $@

# Also where PYTHONDONTWRITEBYTECODE is set: compiling the sources at every start costs more than the start.
bytecode: $(VENV)/.setup
	@$(PYTHON) -m compileall -q tui_chat

$(STARTER): $(VENV)/.setup
	@$(BIN)/tui-chat models get starter --to $@ > /dev/null

lock:  ## Choose the newest versions that pyproject.toml allows, and pin them
	@$(PYTHON3) -m venv build/lock && build/lock/bin/pip install --quiet uv
	compile() { # OUTPUT TARGET [OPTIONS]
	    echo "# Installed by \`make $$2\`. Made by \`make lock\` from pyproject.toml; do not edit." > $$1
	    build/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-header --no-annotate \
	        pyproject.toml "$${@:3}" >> $$1
	}
	compile requirements.lock setup
	compile requirements-dev.lock test --group dev

wheel:  ## Build the wheel into dist/
	@$(PYTHON3) -m venv build/wheel && build/wheel/bin/pip --disable-pip-version-check wheel --quiet --no-deps -w dist .

clean:  ## Remove what was built; models, sessions and settings stay
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find tui_chat tests -name __pycache__ -type d -prune -exec rm -rf {} +
