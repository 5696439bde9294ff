# `make help` lists the commands. Everything is installed into .venv, from requirements/*.txt, by hash.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
APT_LINE := sudo apt-get install -y make git python3-venv
PACKAGES := mosquitto chromium libzbar0

# A uv that obeys nothing but the lock; a mirror that pip is told of, and the certificates it trusts, are uv's too.
export UV_NO_CONFIG := 1
export UV_PYTHON_DOWNLOADS := never
pip_knows = $$($(BIN)/pip config list 2>/dev/null | sed -n "s/^global\.$(1)='\(.*\)'$$/\1/p")
AS_PIP = index="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$(call pip_knows,index-url)}}"; \
	[ -z "$$index" ] || export UV_DEFAULT_INDEX="$$index"; \
	cert="$${SSL_CERT_FILE:-$${PIP_CERT:-$(call pip_knows,cert)}}"; \
	[ -z "$$cert" ] || export SSL_CERT_FILE="$$cert";
# Compiled once: each process that starts is the sooner there.
UV_INSTALL = $(AS_PIP) $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python

.PHONY: help setup demo test fuzz lint format bench bench-gateway bench-memory bench-audit bench-large bench-bombs bench-flood bench-ledger bench-labels bench-gs1 bench-read soak lock clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | while IFS=: read -r name rest; do \
		printf '  make %-14s %s\n' "$$name" "$${rest#*## }"; \
	done

setup: .venv/.installed-all ## install Tallystick and what it runs with into .venv

demo: .venv/.installed-all ## a product's story on this machine, until Ctrl-C
	@$(BIN)/tallystick demo $(ARGS)

# Tests wait about as long as they compute: a worker more than there are cores. Some files share what they made.
test: .venv/.installed-dev ## run all tests, with the real Mosquitto, PostgreSQL and Chromium
	@.ci/packages $(PACKAGES)
	@$(AS_PIP) $(BIN)/python -m pytest -n $$(($$(nproc) + 1)) --dist loadfile --no-loadscope-reorder $(ARGS)

fuzz: .venv/.installed-dev ## look for inputs that break a decoder, led by coverage; ARGS="--seconds 120"
	@$(BIN)/python -m tests.fuzz $(ARGS)

lint: .venv/.installed-dev ## ruff and mypy
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

format: .venv/.installed-dev ## let ruff format and mend what it can
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: .venv/.installed-dev ## measure an idle machine, and the gateway under load; prints JSON
	@$(BIN)/python -m tests.bench $(ARGS)

bench-gateway: .venv/.installed-dev ## measure the gateway under load against its unavoidable steps; prints JSON
	@$(BIN)/python -m tests.bench.gateway $(ARGS)

bench-memory: .venv/.installed-dev ## watch memory over ten minutes of load; prints JSON
	@$(BIN)/python -m tests.bench.memory $(ARGS)

bench-audit: .venv/.installed-dev ## measure the audit against the signatures that it checks; prints JSON
	@$(BIN)/python -m tests.bench.audit $(ARGS)

bench-large: .venv/.installed-dev ## measure a statement's cost beside ten million entries (20 GB of disk); prints JSON
	@$(BIN)/python -m tests.bench.large $(ARGS)

bench-bombs: .venv/.installed-dev ## measure the costliest messages against good ones of their size; prints JSON
	@$(BIN)/python -m tests.bench.bombs $(ARGS)

bench-flood: .venv/.installed-dev ## measure what a flood of bad signatures does to the other devices; prints JSON
	@$(BIN)/python -m tests.bench.flood $(ARGS)

bench-ledger: .venv/.installed-dev ## measure proofs beside ten million entries (15 GB of disk); prints JSON
	@$(BIN)/python -m tests.bench.ledger $(ARGS)

bench-labels: .venv/.installed-dev ## measure sheets of labels against encoding and reading alone; prints JSON
	@$(BIN)/python -m tests.bench.labels $(ARGS)

bench-gs1: .venv/.installed-dev ## measure reading GS1 messages, beside biip; prints JSON
	@$(BIN)/python -m tests.bench.gs1 $(ARGS)

bench-read: .venv/.installed-dev ## print a thousand labels, spoil them and read them back; prints JSON
	@.ci/packages libzbar0
	@$(BIN)/python -m tests.bench.read $(ARGS)

soak: .venv/.installed-dev ## break the gateway, its broker and its database under load, for ten minutes; prints JSON
	@.ci/packages mosquitto
	@$(BIN)/python -m tests.faults.soak $(ARGS)

# dev holds all the others, so its versions bind them. `make lock ARGS=--upgrade` takes the newest.
LOCK = $(AS_PIP) $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--only-binary :all: --no-header --no-annotate

lock: .venv/.installed-uv ## write requirements/*.txt anew from pyproject.toml
	@$(LOCK) pyproject.toml --extra dev -o requirements/dev.txt $(ARGS)
	@for extra in all edge gateway labels ledger; do \
		$(LOCK) pyproject.toml --extra $$extra -c requirements/dev.txt -o requirements/$$extra.txt $(ARGS); \
	done
	@$(LOCK) requirements/uv.in -c requirements/dev.txt -o requirements/uv.txt $(ARGS)

clean: ## remove .venv and what the tools left
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .fuzz dist build

# A stamp lies in .venv, so that it goes with it; it is newer than all it was made from.
.venv/.installed-%: requirements/%.txt pyproject.toml .venv/.installed-uv
	@echo "installing requirements/$*.txt into .venv"
	@$(UV_INSTALL) --only-binary :all: --require-hashes -r requirements/$*.txt
	@$(UV_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.installed-uv: requirements/uv.txt | .venv/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes \
		-r requirements/uv.txt
	@touch $@

.venv/bin/python:
	@rm -f .venv/.installed-*
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		"$$python" -c 'import ensurepip, venv' 2>/dev/null || continue; \
		exec "$$python" -m venv .venv; \
	done; \
	echo 'make: error: there is no Python 3.11 or newer with its venv module' >&2; \
	echo 'make: hint: $(APT_LINE)' >&2; \
	exit 1
