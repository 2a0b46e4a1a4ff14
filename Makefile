# The only list of commands. `make help` prints it.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python
EDITION ?= full
# the Python of `make gpu`: the environment of the tests when it is there, else the one at hand
GPU_PYTHON := $(if $(and $(wildcard .venv/.everything),$(filter file default undefined,$(origin PYTHON))),$(RUN),$(PYTHON))

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help book serve preview pdf test test-slow lint notebooks chapter colab-test gpu bench assignments grade public repo newest colab-image clean

help:  ## this list
	@echo "Differentiation in Practice"; echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

book: .venv/.book  ## build the site into _build/html (EDITION=course: no solutions, into _build/course/_build/html)
	@$(RUN) -m tools.book --edition $(EDITION)

serve: .venv/.book  ## build the site and serve it on this machine
	@$(RUN) -m tools.book --edition $(EDITION) --serve

preview: .venv/.everything .venv/.book  ## a quick look while writing: run what is stale (N=02-numerical: only that one), build the pages that changed
	@$(RUN) -m tools.notebooks --no-pages $(N)
	@$(RUN) -m tools.book --preview

pdf: .venv/.pdf  ## the book as one PDF, printed by Chromium (EDITION=course: no solutions); it prints the path
	@$(RUN) -m tools.pdf --edition $(EDITION)

test: .venv/.everything book  ## everything that must hold: library, notebooks, exercises, the site in a browser
	@$(RUN) -m pytest

test-slow: .venv/.everything  ## what takes longest and changes least: all wrong answers, hostile submissions, whole editions (CI runs it too)
	@$(RUN) -m pytest -m slow

lint: .venv/.lint  ## faults that need no run: ruff, codespell, deptry, mypy (settings: pyproject.toml, deptry.toml)
	@$(BIN)/ruff check --quiet
	@$(BIN)/codespell
	@$(BIN)/deptry . --config deptry.toml --no-ansi
	@$(BIN)/deptry lecture_utils --no-ansi
	@$(BIN)/mypy

notebooks: .venv/.everything  ## sync the text twins and run the chapters that are stale (N=02-numerical: only that one)
	@$(RUN) -m tools.notebooks $(N)

chapter: .venv/.everything  ## begin a chapter of the plan: make chapter N=02-numerical
	@$(RUN) -m tools.new_chapter $(N)

colab-test: .venv/.everything  ## each chapter, unedited and alone, with the versions that Colab ships (EDITION=public: the students' tree)
	@$(RUN) -m tools.colab $(N)$(if $(filter public,$(EDITION)), --edition public)

colab-image:  ## inside Google's public image of Colab: each chapter with the Python and the packages that are there
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --target _build/colab-driver jupytext -c constraints.txt
	@PYTHONPATH=_build/colab-driver $(PYTHON) -m tools.colab --runtime "$$(command -v $(PYTHON))" $(N)

newest:  ## the library's tests and all chapters with the newest versions of everything, in an environment of their own
	@$(PYTHON) -m venv --clear .venv-newest && mkdir -p _build
	@sed -E '/^-r /d; /^pytest==/!s/(==|>=)[^ #]*//' requirements.txt > _build/newest.txt
	@.venv-newest/bin/python -m pip install --quiet --disable-pip-version-check -r _build/newest.txt
	@.venv-newest/bin/python -m pip freeze
	@# torch 2.15 warns of its own torch.jit.script at the first forward derivative: no fault of a chapter
	@PYTHONWARNINGS=ignore::FutureWarning:torch.jit._script .venv-newest/bin/python -m pytest lecture_utils chapters $$(.venv-newest/bin/python -c 'from tools import public; print(*public.public_tests())')

gpu:  ## run the device cells on the accelerator at hand and record what they measure (plain Python, no Jupyter)
	@$(GPU_PYTHON) -m tools.gpu $(N)

bench: .venv/.bench  ## our code beside its peers, as ratios in one run
	@set -e; for file in benchmarks/[!_]*.py; do echo "== $$file"; $(RUN) $$file; done

assignments: .venv/.everything  ## homework for students, solutions, Gradescope bundle (A=02-numerical, or A=id,id,… NAME=homework-1)
	@$(RUN) -m tools.assignments "$(A)" --name "$(if $(filter command,$(firstword $(origin NAME))),$(NAME))" --seed "$(SEED)"

public: .venv/.everything  ## the tree that students of a private class may see: make public URL=https://github.com/OWNER/NAME [DIR=…]
	@$(RUN) -m tools.public "$(URL)" "$(DIR)"

grade: .venv/.everything  ## grade submitted notebooks, each in a sandbox: make grade A=02-numerical DIR=submissions
	@$(RUN) -m tools.grade --assignment "$(A)" --dir "$(DIR)" --out "$(OUT)" --jobs "$(JOBS)" --seed "$(SEED)" --unsafe "$(UNSAFE)"

repo: .venv/.everything  ## point links, Colab buttons and set-up cells at a fork: make repo URL=https://github.com/OWNER/NAME
	@$(RUN) -m tools.repo "$(URL)" "$(PACKAGE_URL)"

clean:  ## remove what was built (the environment stays)
	rm -rf _build

.venv/.book: requirements-book.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; name another: make book PYTHON=python3.12")'
	@echo "installing what the book needs into .venv (about a minute, once)"
	@$(RUN) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-book.txt -c constraints.txt
	@touch $@

.venv/.pdf: .venv/.book requirements-pdf.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-pdf.txt -c constraints.txt
	@touch $@

.venv/.everything: .venv/.book requirements.txt
	@echo "installing jax, torch and the tests' tools into .venv (some minutes, once)"
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	@touch $@

.venv/.lint: .venv/.everything requirements-lint.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-lint.txt -c constraints.txt
	@touch $@

.venv/.bench: .venv/.everything requirements-bench.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt -c constraints.txt
	@touch $@
