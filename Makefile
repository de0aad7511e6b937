# Two commands are enough to meet this project: `make demo` and `make test`. Each target sets up what it needs.
.DEFAULT_GOAL := help
.PHONY: help venv demo airflow test test-long test-oldest lint format astro constraints clean

VENV := .venv
OLDEST := .venv-oldest
PYTHON_BIN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/\1	\2/p' Makefile | expand -t 14

venv: $(INSTALLED) ## make the virtual environment .venv (needs Python 3.11 to 3.13; PYTHON=... prefers one)

$(INSTALLED): pyproject.toml constraints.txt tools/venv.sh
	@PYTHON="$(PYTHON)" sh tools/venv.sh $(VENV) --editable '.[all]' --group dev --constraint constraints.txt
	@touch $@

demo: $(INSTALLED) ## sync a DuckDB warehouse with the sandbox through Airflow, and show what landed
	@$(PYTHON_BIN) -m demo.run

airflow: $(INSTALLED) ## start Airflow with the example DAGs and the sandbox, to click through
	@$(PYTHON_BIN) -m demo.standalone

test: $(INSTALLED) ## run all tests but the long ones, with coverage
	$(PYTHON_BIN) -m coverage run -m pytest -m "not long" --durations=10
	$(PYTHON_BIN) -m coverage report

test-long: $(INSTALLED) ## run the tests that take longer than a coffee
	$(PYTHON_BIN) -m pytest -m long --durations=10

test-oldest: $(OLDEST)/.installed ## run the core task on the oldest Airflow and libraries that are supported
	$(OLDEST)/bin/python -m pytest --override-ini filterwarnings= tests/test_oldest.py

$(OLDEST)/.installed: pyproject.toml constraints-oldest.txt tools/venv.sh
	@PYTHON="$(PYTHON)" sh tools/venv.sh $(OLDEST) --editable '.[salesforce,google_sheets,duckdb]' \
		--group oldest --constraint constraints-oldest.txt
	@touch $@

lint: $(INSTALLED) ## check style and types: ruff and mypy
	$(PYTHON_BIN) -m ruff check
	$(PYTHON_BIN) -m ruff format --check
	$(PYTHON_BIN) -m mypy

format: $(INSTALLED) ## mend what ruff can mend by itself
	$(PYTHON_BIN) -m ruff check --fix
	$(PYTHON_BIN) -m ruff format

astro: $(INSTALLED) ## build the wheel into astro/, for `astro dev start` there
	@rm -f astro/*.whl
	$(PYTHON_BIN) -m hatchling build --target wheel --directory astro

constraints: ## choose newer versions for development: constraints*.txt (needs uv)
	uv pip compile pyproject.toml --extra all --group dev --python-version 3.11 --universal --upgrade \
		--no-header --no-emit-index-url --quiet --output-file constraints.txt
	echo 'apache-airflow==3.1.8' | uv pip compile pyproject.toml --constraint - --extra salesforce --extra google_sheets \
		--extra duckdb --group oldest --resolution lowest-direct --python-version 3.11 --universal --upgrade \
		--no-header --no-emit-index-url --quiet --output-file constraints-oldest.txt

clean: ## remove all that make has made, the virtual environments too
	rm -rf $(VENV) $(OLDEST) .airflow .cache .coverage* htmlcov build dist astro/*.whl
	rm -rf .mypy_cache .pytest_cache .ruff_cache
