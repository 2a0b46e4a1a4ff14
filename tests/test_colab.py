"""What `make colab-test` holds a chapter to: the environment gains what its set-up cell names, and nothing else changes."""
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools import colab, exercises
from tools.colab import difference, serve

ROOT = Path(__file__).resolve().parents[1]

COMMIT = "0123abc"
BEFORE = {"jax": "jax==0.7.2", "numpy": "numpy==2.1.3"}
OURS = {"lecture-utils": f"lecture-utils @ git+https://github.com/a/b@{COMMIT}"}


def test_gaining_lecture_utils_and_the_named_extras_is_right():
    assert difference(BEFORE, {**BEFORE, **OURS}, [], COMMIT) == []
    assert difference(BEFORE, {**BEFORE, **OURS, "asdex": "asdex==0.5.1"}, ["asdex==0.5.1"], COMMIT) == []


@pytest.mark.parametrize("after, extras, words", [
    ({"jax": "jax==0.7.2", **OURS}, [], "lost numpy==2.1.3"),
    ({**BEFORE, **OURS, "jax": "jax==0.10.2"}, [], "changed jax==0.7.2 to jax==0.10.2"),
    ({**BEFORE, **OURS, "lineax": "lineax==0.1.1"}, [], "gained lineax==0.1.1, which its set-up cell does not name"),
    ({**BEFORE, **OURS}, ["asdex==0.5.1"], "has nothing where EXTRAS names asdex==0.5.1"),
    ({**BEFORE, **OURS, "asdex": "asdex==0.5.2"}, ["asdex==0.5.1"], "has asdex==0.5.2 where EXTRAS names asdex==0.5.1"),
    (BEFORE, [], "has no lecture-utils, expected lecture-utils from the address"),
    ({**BEFORE, "lecture-utils": "lecture-utils==0.1.0"}, [], "has lecture-utils==0.1.0, expected"),
], ids=["lost", "changed", "gained", "extra missing", "extra in another version", "not installed", "from elsewhere"])
def test_any_other_change_is_named(after, extras, words):
    found = difference(BEFORE, after, extras, COMMIT)
    assert len(found) == 1 and words in found[0]


def test_the_working_tree_is_served_at_the_address_and_nothing_else_can_be_reached(tmp_path):
    commit, env = serve(tmp_path, "https://github.com/a/b")
    ask = lambda url: subprocess.run(["git", "ls-remote", url, "main"], env=env, cwd=tmp_path, capture_output=True, text=True)
    assert ask("https://github.com/a/b").stdout.split() == [commit, "refs/heads/main"]
    other = ask("https://github.com/a/other")
    assert other.returncode and "not allowed" in other.stderr
    listed = subprocess.run(["git", f"--git-dir={tmp_path / 'repository.git'}", "ls-tree", "-r", "--name-only", commit],
                            capture_output=True, text=True, check=True).stdout.split("\n")
    assert {"pyproject.toml", "lecture_utils/device.py"} <= set(listed) and not any(f.startswith((".venv", "_build")) for f in listed)


def test_the_untouched_exercises_of_a_chapter_stand_in_a_notebook_of_their_own(tmp_path):
    path, = colab.untouched(ROOT / "chapters" / "02-numerical.ipynb", tmp_path)
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert path.name == "02-numerical-exercises.ipynb" and sum(c["metadata"].get("exercise", {}).get("role") == "stub" for c in cells) == 5
    setup = [next("".join(c["source"]) for c in nb if "setup" in c["metadata"].get("tags", []))
             for nb in (cells, json.loads((ROOT / "chapters" / "02-numerical.ipynb").read_text(encoding="utf-8"))["cells"])]
    assert setup[0] == setup[1], "the chapter runs after it in the same environment"


def test_an_untouched_exercise_that_says_anything_else_or_an_error_is_reported(tmp_path):
    def cell(source, role):
        return {"cell_type": "code", "source": source, "outputs": [], "execution_count": None, "metadata": {"exercise": {"id": "x", "role": role}}}
    for name, source in [("waits", f"print('{exercises.SAYS}')"), ("passes", "print('visible tests passed')"), ("fails", "1 / 0")]:
        (tmp_path / f"{name}.ipynb").write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {},
                                                            "cells": [cell("x = 1", "stub"), cell(source, "test")]}))
    done = subprocess.run([sys.executable, "-c", colab.RUN, "waits.ipynb", "passes.ipynb"], cwd=tmp_path, capture_output=True, text=True)
    assert json.loads(done.stdout)["error"] == "passes.ipynb: the untouched exercise x says 'visible tests passed\\n'"
    done = subprocess.run([sys.executable, "-c", colab.RUN, "fails.ipynb"], cwd=tmp_path, capture_output=True, text=True)
    assert json.loads(done.stdout)["error"].startswith("fails.ipynb, cell 2: ZeroDivisionError")


@pytest.mark.parametrize("base", [Path(sys.executable), Path(sys._base_executable)], ids=["an environment", "the system's Python"])
def test_a_chapter_sees_the_packages_below_it_and_installs_above_them(tmp_path, base):
    ask = lambda python, what: subprocess.run([python, "-c", f"import sys, sysconfig; print({what})"], env=env, capture_output=True,
                                              text=True, check=True).stdout.strip()
    python, env, _ = colab.overlay(tmp_path, base)
    below = ask(base, "sysconfig.get_path('purelib')")
    assert below in ask(python, "sys.path") and ask(python, "sysconfig.get_path('purelib')").startswith(str(tmp_path))
