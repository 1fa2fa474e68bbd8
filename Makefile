# make demo    the whole way on this machine: simulated Exchange, the real template in an embedded engine, judged
# make test    everything that must hold: lint, types, all tests, the template, the build
# make faults  faults of Exchange and the network, one a row: what should be seen of each, and what was
# make bench   what is promised about time, processor time and requests, measured here; build/bench.json has the figures
#
# Needs python3 (3.11 or newer), make, and a package index that pip knows. What is downloaded is kept in build/wheels,
# so that everything works a second time without a network. Nothing is installed outside of .venv and build.

PYTHON ?= python3
BUILD  := build
WHEELS := $(BUILD)/wheels
STAMPS := $(BUILD)/stamps
BIN    := .venv/bin

# The Lambda runtime's interpreter, where this machine has one: on PATH (an inactive pyenv shim does not count), or
# among the versions of pyenv.
PYTHON313 ?= $(shell for python in python3.13 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.13*/bin/python3.13 \
    "$$(pyenv root 2>/dev/null)"/versions/3.13*/bin/python3.13; do \
    "$$python" -c 'import sys; print(sys.executable); sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && break; done)

# An environment is made anew when its requirements or its interpreter change: its stamp carries their checksum.
python_tag = $(shell $(1) -c 'import platform, sys; print(*sys.version_info[:2], platform.machine(), sep="-")' 2>/dev/null)
key        = $(shell cat $(1) 2>/dev/null | cksum | cut -d' ' -f1)
TAG     := $(call python_tag,$(PYTHON))
DEV     := $(STAMPS)/dev-$(TAG)-$(call key,requirements/dev.txt pyproject.toml layers/*/pyproject.toml)
ENGINE  := $(STAMPS)/engine-$(TAG)-$(call key,requirements/engine.txt)
LAYERS  := $(STAMPS)/layers-$(TAG)-$(call key,requirements/engine.txt layers/*/requirements.txt)
SAM     := $(STAMPS)/sam-$(TAG)-$(call key,requirements/sam.txt)
PY313   := $(STAMPS)/py313-$(call key,requirements/dev.txt pyproject.toml layers/*/pyproject.toml)
RUNTIME := $(STAMPS)/runtime-$(call key,requirements/runtime.txt layers/*/requirements.txt)

PYTEST := $(BIN)/python -m pytest
BESIDE := --numprocesses 4 --dist loadgroup
# Where a third of the time is spent waiting: two more than there are processors.
WAITING := --numprocesses $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)

# What many processes load is compiled once, also where the caller's Python is told to keep no bytecode.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo faults test lint types unit unit-py313 contract model integration engine-tests properties e2e template build bench install engine layers \
    sam pins clean distclean

help:
	@sed -n '1,7s/^# \{0,1\}//p' Makefile
	@echo 'Also: lint types unit contract model integration engine-tests properties e2e template build clean distclean pins'

# ---- what people call ----

demo: install $(if $(DAY),,engine layers)
	$(BIN)/python -m local.demo $(if $(WATCH),--watch) $(if $(SAMPLES),--samples) $(if $(DAY),--day)

# Only some of them: `make faults ONLY=Retry-After` takes the rows whose group or name has these words.
faults: install
	$(BIN)/python -m local.faults $(if $(ONLY),--only '$(ONLY)')

test: lint types unit unit-py313 contract model integration template engine-tests build e2e

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: install
	$(BIN)/mypy

unit: install
	$(PYTEST) $(WAITING) tests/unit

contract: install
	$(PYTEST) --numprocesses auto tests/contract

# The whole pipeline against an oracle, in random order: `make model EXAMPLES=20000` tries so many fresh ones.
model: install
	MODEL_EXAMPLES=$(or $(EXAMPLES),0) $(PYTEST) --numprocesses auto tests/model$(if $(EXAMPLES),/test_pipeline.py)

# What is shown at random against an oracle: `make properties EXAMPLES=1000000` tries a million scenarios.
properties: install
	EXAMPLES=$(or $(EXAMPLES),100000) $(PYTEST) --numprocesses auto tests/integration/test_properties.py

integration: install
	$(PYTEST) --numprocesses auto tests/integration

# One after the other where it is measured what is on time, since two engines at once starve each other. The rest
# mostly waits for engines, processes and schedules, and does so beside each other.
engine-tests: install engine layers
	$(PYTEST) -m timed tests/engine
	$(PYTEST) -m 'not timed' $(BESIDE) tests/engine

# The rest of the demo mostly waits as well; days and faults keep a processor busy.
e2e: install engine layers
	$(PYTEST) -m timed tests/e2e
	$(PYTEST) -m 'not timed' $(BESIDE) tests/e2e/test_demo.py
	$(PYTEST) -m 'not timed' --numprocesses auto --dist loadgroup tests/e2e --ignore tests/e2e/test_demo.py

template: install sam
	$(PYTEST) tests/template

bench: install engine layers
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(filter-out $(WHEELS),$(wildcard $(BUILD)/*)) .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info \
	    layers/*/*.egg-info

distclean: clean
	rm -rf $(BUILD)

# ---- what needs python3.13 ----

ifneq ($(PYTHON313),)
unit-py313: $(PY313)
	$(BUILD)/py313/bin/python -m pytest $(WAITING) tests/unit

build: install sam $(RUNTIME)
	PYTHON313=$(PYTHON313) $(PYTEST) tests/sam_build
else
unit-py313:
	@echo 'Unit tests on python3.13: skipped, because no python3.13 is on PATH or among the versions of pyenv.'

build: install
	$(PYTEST) tests/sam_build
endif

# ---- environments ----

install: $(DEV)
engine:  $(ENGINE)
layers:  $(LAYERS)
sam:     $(SAM)

# Every package is pinned, so that nothing is resolved (--no-deps); every file's hash is checked. Only where the cache
# lacks one is the index asked.
PIP_FLAGS  := --quiet --disable-pip-version-check --no-deps --require-hashes
FROM_CACHE := $(PIP_FLAGS) --no-index --find-links $(WHEELS)
# (1) interpreter, (2) requirements, (3) more flags
fetch = mkdir -p $(WHEELS) && $(1) -m pip download $(FROM_CACHE) --only-binary=:all: --dest $(WHEELS) $(3) -r $(2) >/dev/null 2>&1 \
    || $(1) -m pip download $(PIP_FLAGS) --quiet --only-binary=:all: --dest $(WHEELS) $(3) -r $(2)
# (1) folder, (2) base interpreter, (3) requirements
environment = { test "$(call python_tag,$(1)/bin/python)" = "$(call python_tag,$(2))" || rm -rf $(1); } \
    && $(2) -m venv $(1) && $(call fetch,$(1)/bin/python,$(3)) \
    && $(1)/bin/python -m pip install $(FROM_CACHE) -r $(3)
# The packages of this checkout, from where they lie. Nothing is fetched to build them.
editable = $(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-index --no-build-isolation \
    -e layers/presence -e layers/exchange -e .
done_with = mkdir -p $(STAMPS) && rm -f $(STAMPS)/$(1)-* && touch $@

$(DEV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python3 is older than 3.11: name another with PYTHON=…")'
	@echo 'Installing what develops, tests and demonstrates into .venv …'
	@$(call environment,.venv,$(PYTHON),requirements/dev.txt)
	@$(call editable,.venv)
	@$(call done_with,dev)

$(ENGINE):
	@echo 'Installing the embedded engine into $(BUILD)/engine …'
	@rm -rf $(BUILD)/engine
	@$(call environment,$(BUILD)/engine,$(PYTHON),requirements/engine.txt)
	@$(call done_with,engine)

# The layers' packages for the engine's Python. Their bytecode is not checked against the sources, since the engine
# unpacks the layers with new dates for each worker.
$(LAYERS): $(ENGINE)
	@echo "Installing the layers' packages into $(BUILD)/layers …"
	@rm -rf $(BUILD)/layers
	@for layer in presence exchange; do \
	    $(call fetch,$(BUILD)/engine/bin/python,layers/$$layer/requirements.txt) || exit 1; \
	    $(BUILD)/engine/bin/python -m pip install $(FROM_CACHE) --no-compile --target $(BUILD)/layers/$$layer/python \
	        -r layers/$$layer/requirements.txt || exit 1; \
	    $(BUILD)/engine/bin/python -m compileall -qq --invalidation-mode unchecked-hash $(BUILD)/layers/$$layer/python; \
	done
	@$(call done_with,layers)

$(SAM):
	@echo 'Installing the AWS SAM CLI into $(BUILD)/sam …'
	@$(call environment,$(BUILD)/sam,$(PYTHON),requirements/sam.txt)
	@$(call done_with,sam)

$(PY313): $(DEV)
	@echo 'Installing what tests on python3.13 into $(BUILD)/py313 …'
	@$(call environment,$(BUILD)/py313,$(PYTHON313),requirements/dev.txt)
	@$(call editable,$(BUILD)/py313)
	@$(call done_with,py313)

# For `sam build`: the layers' wheels for python3.13 on this machine's architecture and on arm64, and what stands for
# the Lambda runtime. Lambda's python3.13 runs on Amazon Linux 2023, whose glibc is 2.34.
ARM64 := --implementation cp --python-version 3.13 --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64 \
    --platform manylinux_2_28_aarch64 --platform manylinux_2_34_aarch64
$(RUNTIME):
	@echo 'Fetching the wheels of the layers for python3.13 and arm64 …'
	@for layer in presence exchange; do \
	    $(call fetch,$(PYTHON313),layers/$$layer/requirements.txt) || exit 1; \
	    $(call fetch,$(PYTHON313),layers/$$layer/requirements.txt,$(ARM64)) || exit 1; \
	done
	@$(call environment,$(BUILD)/runtime,$(PYTHON313),requirements/runtime.txt)
	@$(call done_with,runtime)

# ---- pins ----

# Needs uv. One set of pins for Python 3.11 to 3.13 and all platforms, with hashes and without the index's address.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
    --no-annotate
pins:
	$(COMPILE) layers/presence/requirements.in -o layers/presence/requirements.txt
	$(COMPILE) layers/exchange/requirements.in -o layers/exchange/requirements.txt
	for name in dev engine runtime sam; do $(COMPILE) requirements/$$name.in -o requirements/$$name.txt || exit 1; done
