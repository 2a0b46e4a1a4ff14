"""The checks can fail: each planted fault makes the test run fail and say what to do."""
import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow
CHAPTER = "chapters/00-getting-started"


def check(project, *targets):
    """The project's own tests, run in the copy: (exit status, what was printed)."""
    env = {**os.environ, "PYTHONPATH": str(project)}
    done = subprocess.run([sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", *targets], cwd=project,
                          env=env, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1, f"{old!r} is not in {path.name}: the mutation would change nothing"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


FRESHNESS = "tests/test_notebooks.py::test_chapter_is_fresh_paired_executed_and_described"


def test_the_copy_passes_before_it_is_changed(project):
    status, out = check(project, FRESHNESS)
    assert status == 0, out


def test_a_changed_number_in_a_stored_output_is_noticed(project):
    edit(project / f"{CHAPTER}.ipynb", "P(0.09) = 94.382992", "P(0.09) = 94.382993")
    status, out = check(project, f"{CHAPTER}.ipynb")
    assert status == 1
    assert "94.382993" in out and "94.382992" in out
    assert "make notebooks N=<chapter>" in out


def test_a_changed_function_of_the_library_is_noticed(project):
    edit(project / "lecture_utils" / "checks.py", "def assert_published(", "def _unused():\n    return 1\n\n\ndef assert_published(")
    status, out = check(project, FRESHNESS)
    assert status == 1 and "was run before a change of lecture_utils/checks.py: run make notebooks" in out


def test_a_changed_twin_is_noticed(project):
    edit(project / f"{CHAPTER}.md", "Getting started", "Getting going")
    status, out = check(project, FRESHNESS)
    assert status == 1 and "00-getting-started.md and 00-getting-started.ipynb differ: run make notebooks" in out


def test_a_removed_alt_text_is_noticed(project):
    path = project / f"{CHAPTER}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    images = [c for c in notebook["cells"] if "image" in c["metadata"].get("mystnb", {})]
    assert images
    del images[0]["metadata"]["mystnb"]["image"]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    status, out = check(project, FRESHNESS)
    assert status == 1 and "shows an image without written alt text" in out and "mystnb: {image: {alt:" in out


@pytest.mark.parametrize("old, new", [("--no-deps", "--upgrade"), ("your-org", "other-org")])
def test_a_wrong_setup_cell_is_noticed(project, old, new):
    path = project / f"{CHAPTER}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cell = next(c for c in notebook["cells"] if "setup" in c["metadata"].get("tags", []))
    source = "".join(cell["source"])
    address = old if old in source else None
    if address is None:                                   # a fork: its own address stands there
        from tools import setup_cell
        old, new = setup_cell.package(project), "https://github.com/other-org/other"
    assert old in source
    cell["source"] = source.replace(old, new)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    status, out = check(project, FRESHNESS)
    assert status == 1 and "its set-up cell is not the one of tools/setup_cell.py" in out and "run make repo" in out
