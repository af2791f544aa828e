# The few commands of the project. `make demo` and `make test` do their own set-up.
# Where python3 is an older one, python3.11 is the one that is meant.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := $(wildcard plugins/*/pyproject.toml)
STAMP := $(VENV)/.installed
FOREIGN := $(patsubst tests/foreign/requirements/%.txt,.venv-foreign/%/installed,$(wildcard tests/foreign/requirements/*.txt))
DEMO ?=
TESTS ?=
BENCH ?=
TRAPS ?=

.PHONY: help setup demo test foreign traps check format bench bench-surveys bench-publish clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*##/\1\t/p' $(MAKEFILE_LIST)

setup: $(STAMP)  ## make the virtual environment (.venv) with the project, its plugins and its tools

# Core and plugins in one line: pip must see them together to tie them to each other.
$(STAMP): pyproject.toml constraints.txt $(PLUGINS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "VMO Bridge needs Python 3.11 or newer, this is %d.%d: make PYTHON=python3.11 …" % sys.version_info[:2])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/pip install --quiet --disable-pip-version-check \
	  -e '.[all,dev]' $(foreach plugin,$(PLUGINS),-e $(dir $(plugin)))
	@touch $@

demo: $(STAMP)  ## run the whole loop on a sample agency; flags by DEMO="--once --seed 7"
	$(BIN)/vmo-bridge demo $(DEMO)

test: $(STAMP)  ## all tests, with coverage; a part by TESTS="tests/store -k lock"
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(TESTS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report $(if $(TESTS),,--fail-under=90)

foreign: $(STAMP) $(FOREIGN)  ## the sandbox, as clients that others wrote see it; each in a venv of its own
	$(BIN)/python -m pytest tests/foreign -v $(TESTS)

# A client that cannot be had does not stop the others: its test tells pip's last word.
.venv-foreign/%/installed: tests/foreign/requirements/%.txt
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	@{ $(@D)/bin/pip install --disable-pip-version-check -r $< >$(@D)/pip.log 2>&1 && touch $@; } \
	  || tail -n 1 $(@D)/pip.log >$(@D)/failed

traps: $(STAMP)  ## take each guard of docs/traps.md out and see its test fail; a part by TRAPS="C5 C8"
	$(BIN)/python tests/traps/take_out_guards.py $(TRAPS)

check: $(STAMP)  ## style, types and the layers of the house
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)  ## bring the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)  ## measure beside peers, each in its own venv; flags by BENCH="--rows 20000 --only first"
	PYTHONPATH=tests $(BIN)/python -m benchmarks.bench $(BENCH)

bench-surveys: $(STAMP)  ## measure a first sync of 100k survey answers; flags by BENCH="--runs 5"
	$(BIN)/python tests/benchmarks/bench_surveys.py $(BENCH)

bench-publish: $(STAMP)  ## measure writing 10,000 values to 5,000 records; flags by BENCH="--runs 3"
	$(BIN)/python tests/benchmarks/bench_publish.py $(BENCH)

clean:  ## remove everything that is made
	rm -rf $(VENV) .venv-foreign .venv-peers var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
