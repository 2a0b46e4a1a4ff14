"""Each of ten changes of one character in finite_diff is noticed: by a test of the library, and by chapter 02 where it shows."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CHANGES = [                                # the text, the text with one wrong character, and the test that notices it
    ("- z[n - 1] * old[k])", "+ z[n - 1] * old[k])", "the_weights_are_the_published_ones"),
    ("(-2, -1, 1, 2)", "(-2, -1, 1, 3)", "the_error_falls_with_the_order"),
    ('"forward": (2 * epsilon)', '"forward": (3 * epsilon)', "the_default_step_is_the_power_of_two_nearest_to_the_best"),
    ("** (1 / 3)", "** (1 / 2)", "the_default_step_is_the_power_of_two_nearest_to_the_best"),
    ("/ 32) ** (1 / 5)", "/ 32) ** (1 / 4)", "the_default_step_is_the_power_of_two_nearest_to_the_best"),
    ("epsilon**1.25", "epsilon**0.25", "the_default_complex_step_is_far_below_the_root_of_epsilon"),
    ("(value - values[0])", "(value + values[0])", "the_error_falls_with_the_order"),
    ("terms[0]) / h**order", "terms[0]) * h**order", "the_error_falls_with_the_order"),
    ("f(x + (o * h * v)", "f(x - (o * h * v)", "polynomials_up_to_the_order_have_no_truncation_error"),
    ("(columns, axis=-1)", "(columns, axis=-2)", "each_column_is_the_directional_derivative"),
]

pytestmark = pytest.mark.slow


@pytest.fixture
def copy(tmp_path):
    """The library and its tests of finite differences, in a folder where nothing else is found first."""
    shutil.copytree(ROOT / "lecture_utils", tmp_path / "lecture_utils", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "tests" / "test_finite_diff.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text("from pathlib import Path\nimport lecture_utils\n"
                                          "assert Path(lecture_utils.__file__).parent.parent == Path(__file__).parent\n"
                                          "import jax, pytest\njax.config.update('jax_enable_x64', True)\n"
                                          "x64 = pytest.fixture(lambda: None)                # here all is in 64 bits\n")
    return tmp_path


def check(copy, *selection):
    """Run the tests of the copy: (exit status, what was printed). Status 1: tests ran and some failed."""
    env = {**os.environ, "PYTHONPATH": str(copy), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}      # plugins: 2 s a run
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *selection, "test_finite_diff.py"]
    done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_the_copy_passes_before_it_is_changed(copy):
    status, out = check(copy, "-k", " or ".join(sorted({noticed_by for _, _, noticed_by in CHANGES})))
    assert status == 0 and " passed" in out, out


def test_a_library_from_elsewhere_is_not_taken_for_the_copy(copy):
    shutil.rmtree(copy / "lecture_utils")
    status, out = check(copy, "-k", "published")
    assert status not in (0, 1), out


@pytest.mark.parametrize("old, new, noticed_by", CHANGES)
def test_one_wrong_character_is_noticed(copy, old, new, noticed_by):
    path = copy / "lecture_utils" / "finite_diff.py"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in finite_diff.py: choose text that stands there once"
    assert len(old) == len(new) and sum(a != b for a, b in zip(old, new)) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    status, out = check(copy, "-k", noticed_by)
    assert status == 1 and f"FAILED test_finite_diff.py::test_{noticed_by}" in out and "1 failed" in out.splitlines()[-1], out


# Chapter 02: its import cell is run once; then, for each change, a copy of that process takes the changed module and runs the
# cells in order until one prints something else than is stored, or fails.
RUN_CHAPTER = """
import ast, contextlib, io, json, os, sys
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt

notebook, sources = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
cells = [c for c in notebook["cells"] if c["cell_type"] == "code" and "setup" not in c["metadata"].get("tags", [])]
space = {"__name__": "__main__"}
exec("".join(cells[0]["source"]), space)
plt.show = lambda: plt.close("all")


def first_difference(source):
    exec(compile(source, "finite_diff.py", "exec"), vars(space["finite_diff"]))
    for i, cell in enumerate(cells[1:], 1):
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
                exec("".join(cell["source"]), space)
        except Exception as error:
            return f"cell {i}: {type(error).__name__}"
        stored = "".join("".join(o["text"]) for o in cell["outputs"] if o["output_type"] == "stream")
        if "nbval-ignore-output" not in cell["metadata"].get("tags", []) and printed.getvalue() != stored:
            return f"cell {i}: another output"
    return ""


for name, source in sources.items():
    child = os.fork()
    if child == 0:
        with open(f"{name}.txt", "w") as file:
            file.write(first_difference(source))
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_the_chapter_notices_each_change_that_shows(tmp_path):
    text = (ROOT / "lecture_utils" / "finite_diff.py").read_text(encoding="utf-8")
    sources = {"unchanged": text} | {str(i): text.replace(old, new) for i, (old, new, _) in enumerate(CHANGES)}
    (tmp_path / "sources.json").write_text(json.dumps(sources))
    subprocess.run([sys.executable, "-W", "ignore", "-c", RUN_CHAPTER, ROOT / "chapters" / "02-numerical.ipynb", "sources.json"],
                   cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    found = {name: (tmp_path / f"{name}.txt").read_text() for name in sources}
    assert found.pop("unchanged") == ""
    assert all(found.values()), f"chapter 02 prints the same with {[CHANGES[int(i)][1] for i in found if not found[i]]}"
