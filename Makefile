# Everything that a person or a machine does with this tree; `make help` lists it.
# PYTHON chooses the interpreter (3.11 or newer); each version gets a virtual environment of its own.

PYTHON ?= python3
VENV   := .venv-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none)
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: help setup demo test check bench torture fuzz coverage lock clean

help:            ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "cannot set up, because $(PYTHON) is not Python 3.11 or newer, do: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "cannot set up, because venv is missing, do: apt install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --config-settings editable_mode=compat -e .
	@touch $(READY)

setup: $(READY)  ## make the virtual environment with the pinned versions

demo: $(READY)   ## see it work: one command in the middle of a campaign, proof, the post gone, report
	$(BIN)/guardian demo

WORKERS ?= 3
test: $(READY)   ## run the tests, WORKERS files at a time
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

check: $(READY)  ## import contracts, lint, types
	$(BIN)/lint-imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)  ## measure side by side in one run: ratios and goals (WHAT="stop growth"); writes docs/performance.md
	$(BIN)/python -m bench $(WHAT)

torture: $(READY) ## the proof: one line per row, exit 0 only if all hold (ROWS="..." FREEZES=n)
	$(BIN)/python -m tests.torture $(ROWS) --freezes $(FREEZES)

INPUTS  ?= 100000
FREEZES ?= 200
fuzz: $(READY)   ## ask what nobody thought of, INPUTS times; exit 0 only if nothing breaks
	$(BIN)/python -m tests.fuzz --inputs $(INPUTS)

# What looks at which modules are imported would see those of the measuring, too.
coverage: $(READY) ## branches of the fence, the gate and the law that the tests for them pass: all of them
	rm -f .coverage .coverage.*
	$(BIN)/python -m coverage run -m pytest tests/fence tests/gate tests/rules tests/adapters tests/duties -k "not import and not nothing_dear"
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report

lock:            ## write requirements.lock anew (needs uv)
	uv pip compile --universal --python-version 3.11 --extra dev --generate-hashes -o requirements.lock pyproject.toml

clean:           ## remove what the targets made
	rm -rf .venv-* bench/.peers build ./*.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
