# The commands a person types. `make` alone lists them.
#
#   make run     PISAX on http://127.0.0.1:8080, with sample events, on SQLite
#   make test    everything that has to hold before a change is taken

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test lint unit e2e pymisp pymisp-all bench fmt doc screenshots knowledge machine pins clean

CACHE := .cache
VENV := $(CACHE)/venv
# Servers that the tests talk to; what they need must not change the client under test.
SERVERS := $(CACHE)/servers
# Clients of other makers, likewise.
PROGRAMS := $(CACHE)/programs
PYTHON := $(VENV)/bin/python
RUFF := $(VENV)/bin/ruff --quiet
RUFFED := tests tools/answer-shapes tools/pymisp-suite tools/with-postgres

# The release build is for running and measuring; the tests use the development build, so that one
# debug build serves unit tests, end-to-end tests and PyMISP's suite.
BINARY := target/release/pisax
BINARY_UNDER_TEST := target/debug/pisax

help: ## this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# Running

run: knowledge ## build and start PISAX; the first time with public knowledge and sample events
	cargo build --release --package pisax
	tools/run $(BINARY)

knowledge: ## fetch the public knowledge packages; without them PISAX starts all the same
	@tools/fetch-knowledge || true

# Testing

test: lint unit pymisp-all e2e ## all checks and tests

lint: $(VENV)/ready ## formatting, clippy, the rules for dependencies, ruff
	cargo fmt --all --check
	cargo clippy --quiet --workspace --all-targets -- -D warnings
	tools/check-dependencies
	$(RUFF) format --config tests/ruff.toml --check $(RUFFED)
	$(RUFF) check --config tests/ruff.toml $(RUFFED)

unit: machine knowledge ## the tests of the crates, the store's on both engines
	if compgen -G '$(CACHE)/knowledge/*.whl' >/dev/null; then \
	    export PISAX_KNOWLEDGE=$(CURDIR)/$(CACHE)/knowledge; \
	fi; \
	if cargo nextest --version >/dev/null 2>&1; then \
	    tools/with-postgres cargo nextest run --workspace --no-fail-fast --status-level fail --final-status-level slow; \
	else \
	    tools/with-postgres cargo test --workspace --no-fail-fast; \
	fi

e2e: $(VENV)/ready $(SERVERS)/ready $(PROGRAMS)/ready knowledge $(BINARY_UNDER_TEST) ## the binary from outside, on SQLite and PostgreSQL
	$(PYTHON) -m pytest -c tests/pytest.ini tests/e2e $(PYTEST)

pymisp: $(VENV)/ready knowledge $(BINARY_UNDER_TEST) ## PyMISP's own live suite against the binary
	$(PYTHON) tools/pymisp-suite $(NAMES)

pymisp-all: $(VENV)/ready knowledge $(BINARY_UNDER_TEST)
	$(PYTHON) tools/pymisp-suite --all

screenshots: $(VENV)/ready $(SERVERS)/ready $(BINARY_UNDER_TEST) ## pictures of the pages, in .cache/screenshots
	$(PYTHON) -m pytest -c tests/pytest.ini tests/e2e/test_pages.py -k sqlite

# cargo knows best whether it is up to date.
.PHONY: $(BINARY_UNDER_TEST)
$(BINARY_UNDER_TEST):
	cargo build --package pisax

# Measuring and writing

bench: knowledge ## how near the store runs to the limit of its engine
	cargo build --release --package pisax --package pisax-bench
	target/release/pisax-bench $(BENCH)

fmt: $(VENV)/ready ## put the code in form
	cargo fmt --all
	$(RUFF) format --config tests/ruff.toml $(RUFFED)
	$(RUFF) check --config tests/ruff.toml --fix $(RUFFED)

doc: ## the documentation of the crates, in target/doc
	cargo doc --workspace --no-deps

# What the tests need

machine:
	@tools/prepare-machine

$(VENV)/ready: tests/requirements.txt | machine
	python3 -m venv --clear $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@

$(SERVERS)/ready $(PROGRAMS)/ready: $(CACHE)/%/ready: tests/%.txt | machine
	python3 -m venv --clear $(CACHE)/$*
	$(CACHE)/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@

pins: ## write the pins of Python packages anew: tests/{requirements,servers,programs}.txt
	python3 -m venv $(CACHE)/pins
	$(CACHE)/pins/bin/pip install --quiet --disable-pip-version-check uv
	for list in requirements servers programs; do \
	    $(CACHE)/pins/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	        --custom-compile-command "make pins" --output-file tests/$$list.txt tests/$$list.in; \
	done

clean: ## remove what the build and the tests made; data stays
	rm -rf target $(CACHE)
