# Two commands do everything on a machine with git, make and Python 3.11 or newer:
#   make demo   sets up and runs the whole job on the embedded study
#   make test   sets up and passes the tests

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready

.PHONY: setup demo test lint clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt tools/make_venv.py
	$(PYTHON) tools/make_venv.py $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,segmentation,training]'
	touch $(READY)

demo: $(READY)
	$(VENV)/bin/organdose demo --out demo

test: $(READY)
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile

lint: $(READY)
	$(VENV)/bin/ruff check .

clean:
	rm -rf $(VENV) demo
	find . -name __pycache__ -prune -exec rm -rf {} +
