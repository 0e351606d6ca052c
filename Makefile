# demo · test · lint · bench: each sets up .venv itself on a fresh machine.
PYTHON ?= python3
PORT ?= 5006
BIN := .venv/bin

.PHONY: demo test lint bench clean

demo: .venv/compiled data_example/spectra
	$(BIN)/mapstack serve data_example --port $(PORT)

test: .venv/installed-test .venv/compiled data_example/spectra
	@command -v chromium >/dev/null || echo "Chromium is missing: the browser tests will fail. Install it with: apt-get install -y chromium"
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed-test
	for script in benchmarks/[a-z]*.py; do $(BIN)/python $$script || exit 1; done

data_example/spectra: | .venv/installed
	$(BIN)/python data_example/make.py

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable ".[formats,openvino]"
	touch $@

# Compile the kernels once, here and not at the first click: every analysis on a handful of pixels.
.venv/compiled: .venv/installed
	$(BIN)/python -m engine.runtime.warmup
	touch $@

.venv/installed-test: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@ .venv/installed

clean:
	rm -rf .venv data_example/maps data_example/sem data_example/spectra
