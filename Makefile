# The commands of this repository; `make demo` and `make test` need Python 3.11 or newer and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
unexport PYTHONDONTWRITEBYTECODE  # many processes load the same files: compile them once
INSTALL := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test check check-slow format bench peers docs clean

demo: $(VENV)/.core  ## environment + the main job on the embedded data: verdicts and a report
	$(BIN)/gradlab run tour

test: $(VENV)/.dev  ## environment + tests
	$(BIN)/python -m pytest -n auto --dist worksteal

check: $(VENV)/.dev  ## format, lint, types, tests, executed docs, committed results
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) test
	for result in results/*/results.json; do $(BIN)/gradlab verify "$$result" || exit 1; done

check-slow: $(VENV)/.dev  ## what takes longer: thirty kills at random moments, and all else marked slow
	$(BIN)/python -m pytest -n auto -m slow

format: $(VENV)/.dev  ## format and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## speed as ratios, in one table: bench.md and bench.json
	$(BIN)/python benchmarks/table.py --peers .peers

peers: constraints.txt  ## environments of the libraries that gradlab's speed is compared with
	for name in attacks detection explanations; do $(PYTHON) -m venv .peers/$$name || exit 1; \
	.peers/$$name/bin/python -m pip install --quiet torch==2.13.0 || exit 1; done
	.peers/attacks/bin/python -m pip install --quiet torch==2.13.0 --editable . torchattacks foolbox adversarial-robustness-toolbox
	.peers/detection/bin/python -m pip install --quiet torch==2.13.0 --editable . pytorch-ood
	.peers/explanations/bin/python -m pip install --quiet torch==2.13.0 --editable . captum grad-cam

docs: $(VENV)/.dev  ## write docs/cli.md from the program and docs/results.md from the results
	$(BIN)/python docs/make_cli.py
	$(BIN)/python docs/make_results.py

# torch goes first: the pinned build is then kept by everything that follows
$(VENV)/.core: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gradlab needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)  # also one that was cut off
	$(INSTALL) torch==2.13.0
	$(INSTALL) torch==2.13.0 --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.core
	$(INSTALL) torch==2.13.0 --editable '.[onnx,tensorboard,text,wandb]' --requirement requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) .peers runs
