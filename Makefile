# make        what there is
# make test   everything needed, then the tests

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help run doctor test check lint dashboards bench soak login lock clean

help:
	@echo "make run     the console without Docker: bot, exporter and what is installed of Prometheus, Alertmanager, Grafana"
	@echo "make doctor  what is wrong with it, each line with its fix"
	@echo "make login   the passwords that the first start made"
	@echo "make test    set up what the tests need and run them"
	@echo "make check   everything that CI runs: style, types, generated dashboards fresh, tests"
	@echo "make bench   the promised figures, each with its target and its floor"
	@echo "make soak    the same at length: more faults, more states, steadier figures"
	@echo "make lock    pin again what pyproject.toml asks for"
	@echo "make clean   remove the environment and what tests left (./data stays)"
	@echo "With Docker: docker compose up"

run: $(VENV)/.can-run
	@$(RUN) -m deploy.run_local --env-file .env --secrets secrets

doctor: $(VENV)/.can-run
	@$(RUN) -m deploy.run_local --env-file .env --doctor

test: $(VENV)/.can-test
	@$(RUN) -m tests.missing_programs
	@$(RUN) -m pytest $(TESTS)

check: lint dashboards test

lint: $(VENV)/.can-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

dashboards: $(VENV)/.can-test
	$(RUN) -m grafana --check

bench: $(VENV)/.can-test
	@$(RUN) -m benchmarks

soak: $(VENV)/.can-test
	$(RUN) -m pytest --soak
	$(RUN) -m benchmarks --long

# The run without Docker keeps its passwords in its data, Compose in a volume; here may be either, or both.
login:
	@found=; data=$${DATA_DIR:-data}/secrets; \
	if [ -d "$$data" ]; then \
		found=1; echo "make run:"; $(PYTHON) -m deploy.welcome --secrets "$$data" --login; \
	fi; \
	if [ -n "$$(docker compose ps --all --quiet first-start 2>/dev/null)" ]; then \
		found=1; echo "docker compose up:"; \
		docker compose run --rm --no-deps --no-TTY welcome deploy.welcome --secrets /secrets --login; \
	fi; \
	[ -n "$$found" ] || { echo "no login here yet: docker compose up, or make run, makes one"; exit 1; }

# Hashes and no addresses: the lock says what, the machine says from where.
lock: $(VENV)/.can-test
	$(RUN) -m pip install --quiet uv==0.13.8
	for set in "exporter --extra exporter" "local --extra exporter --extra local" "dev --all-extras"; do \
		$(VENV)/bin/uv pip compile --quiet pyproject.toml $${set#* } --universal --python-version 3.11 \
			--generate-hashes --no-header --output-file requirements/$${set%% *}.lock || exit 1; \
	done

clean:
	rm -rf $(VENV) build .pytest_cache .hypothesis .mypy_cache .ruff_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or later is needed; name it with: make PYTHON=python3.12"; exit 1; }
	@echo "Making the environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "python3 cannot make an environment; on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/.can-run: requirements/local.lock | $(VENV)/bin/python
	$(RUN) -m pip install --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.can-test: requirements/dev.lock | $(VENV)/bin/python
	$(RUN) -m pip install --disable-pip-version-check --require-hashes -r $<
	@touch $@ $(VENV)/.can-run
