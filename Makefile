# Everything from a fresh machine: Python >= 3.11 and make are all it needs. `make` alone lists what there is.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PINS := requirements.txt requirements-dev.txt constraints.txt
STACK := $(BIN)/python -m learning247.stack

.DEFAULT_GOAL := help
# FULL=1 reaches the processes by itself, also when it is given to make.
export FULL

.PHONY: help install run demo test watch bench drill lint format types imports clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1 \t\2/p' $(MAKEFILE_LIST) | expand -t 18

install: $(INSTALLED) ## create .venv and install the pinned requirements

run: $(INSTALLED) ## start everything and print where it is; Ctrl-C stops it (PORT=8080 SANDBOX_PORT=8090)
	@exec $(STACK) run

demo: $(INSTALLED) ## sales, a refund, a dispute, a review, withdrawals, told step by step; uses the running stack or starts one
	@exec $(STACK) demo

# Files are shared out among processes, each with a database and a Redis of its own; a part runs in one process, which
# starts sooner and can be stepped through.
test: $(INSTALLED) ## the whole suite; ARGS="accounts/tests -k login" or ARGS="-m property" for a part of it
	@exec $(BIN)/python -m pytest $(or $(ARGS),-n logical --maxprocesses 4 --dist loadfile)

watch: $(INSTALLED) ## the tests again on every change (ARGS as for test)
	@exec $(STACK) watch $(ARGS)

bench: $(INSTALLED) ## speed as ratios, on data made for it; ARGS="http --only me", ARGS=all, ARGS="--courses 100000"
	@exec $(BIN)/python -m learning247.bench $(ARGS)

drill: $(INSTALLED) ## what it must stand, tried out; quick, or with FULL=1; ARGS="chaos" for one
	@exec $(BIN)/python -m learning247.drill $(ARGS)

lint: $(INSTALLED) ## style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(INSTALLED) ## put the style right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# mypy's Django plugin reads the settings; nothing is connected to.
types: $(INSTALLED) ## static types
	DATABASE_URL=postgres:///none REDIS_URL=redis:///0 SESSION_SECRET=none JWT_SECRET=none $(BIN)/mypy .

imports: $(INSTALLED) ## who may import whom
	$(BIN)/lint-imports

clean: ## stop what runs, then remove .venv and var with all local data
	@if [ -e $(INSTALLED) ]; then $(STACK) stop; fi
	rm -rf $(VENV) var

# Again only when the pins have changed. A venv whose making was interrupted has no pip: it is made anew.
$(INSTALLED): $(PINS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or newer is needed; name one: make $(MAKECMDGOALS) PYTHON=python3.12' >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo 'Installing the pinned requirements (a minute or two the first time) ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	@touch $@
