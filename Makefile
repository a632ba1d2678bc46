# One make for two languages: `make watch` and `make test` need no other command before them.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(PATH):$(HOME)/.cargo/bin
PYTHON ?= $(shell tools/prerequisites.sh python)
FUZZ_SECONDS ?= 300
# Workers of pytest: one more than there are cores, since tests wait as much as they work; each takes 0.4 GB.
WORKERS ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 8 ? cores + 1 : 8)))
RUST_SOURCES := $(shell find crates -name fuzz -prune -o \( -name '*.rs' -o -name Cargo.toml \) -print) Cargo.toml Cargo.lock
PYTHON_SOURCES := src tests bench tools
# maturin builds into the active environment: let it be ours, whatever the caller has activated.
export PIP_QUIET := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export VIRTUAL_ENV := $(abspath $(VENV))
unexport CONDA_PREFIX
# Cargo shares no jobs with a make that does not share them with it, and its children would warn.
unexport MAKEFLAGS MFLAGS
.DEFAULT_GOAL := help
.PHONY: help watch demo build test test-rust test-python check check-rust check-python bench fuzz fuzz-build clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):[^#]*## /make \1  	/p' Makefile

watch: build ## watch this machine's connections live; ARGS="-i eth0" are passed on
	@if [ "$$(id -u)" = 0 ]; then exec $(BIN)/tidegate watch $(ARGS); \
	elif command -v sudo >/dev/null; then exec sudo $(abspath $(BIN))/tidegate watch $(ARGS); \
	else echo "Watching needs root and there is no sudo. As root: $(abspath $(BIN))/tidegate watch $(ARGS)" >&2; exit 1; fi

demo: build ## traffic in namespaces of its own raises an alert and lets it recover, on screen
	@tools/demo.sh

build: $(VENV)/.built ## the virtual environment with the Rust core in it, built in release

# Parts of their own, so that .ci/run can have some of them made side by side.
test: test-rust test-python ## all tests, in both languages

test-rust: $(VENV)/.venv
	cargo test --quiet --package tidegate-core

# A file's tests run one after another on one worker, and files are begun in their order.
test-python: $(VENV)/.dev
	$(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder

check: check-python check-rust ## format, lints, types, floors, sizes

check-rust: $(VENV)/.venv
	cargo fmt --all --check
	PYO3_PYTHON=$(abspath $(BIN))/python cargo clippy --quiet --workspace --all-targets -- -D warnings

check-python: $(VENV)/.dev
	$(BIN)/ruff check $(PYTHON_SOURCES)
	$(BIN)/ruff format --check $(PYTHON_SOURCES)
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest tidegate._core
	$(BIN)/lint-imports
	$(BIN)/python tools/sizes.py

bench: $(VENV)/.dev ## every number we claim, beside its peers; ARGS="reading mix.pcap" chooses
	$(BIN)/python bench/run $(ARGS)

fuzz: ## every fuzz target for FUZZ_SECONDS (300) each; needs `cargo install cargo-fuzz`
	tools/fuzz.sh $(FUZZ_SECONDS)

fuzz-build:
	tools/fuzz.sh build

clean: ## removes the virtual environment and what cargo built
	rm -rf $(VENV) target

# The stamps lie in the environment, so that removing it builds all anew.
$(VENV)/.venv: tools/prerequisites.sh
	@tools/prerequisites.sh all
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check 'maturin>=1.9,<2'
	@touch $@

$(VENV)/.built: $(VENV)/.venv pyproject.toml $(RUST_SOURCES)
	$(BIN)/maturin develop --release
	@touch $@

$(VENV)/.dev: $(VENV)/.built
	$(BIN)/maturin develop --release --quiet --extras dev
	@touch $@
