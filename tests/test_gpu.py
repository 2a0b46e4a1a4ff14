"""tools.gpu: the device cells of the chapters in plain Python, and what a GPU records."""
import json
import os
import subprocess
import sys

import pytest

from lecture_utils import device
from tools import gpu

SETUP = ("setup", "ready = True")
IMPORTS = ("imports", "from lecture_utils import device")
RECORD = ("device", 'device.record("test-only", [{"N": device.scaled(10, 1000), "ms": 1.5}])')
CPU = {"platform": "cpu", "name": "CPU", "memory_gib": None, "versions": {"jax": "0.10.2"}}
T4 = {"platform": "gpu", "name": "NVIDIA T4", "memory_gib": 10.9, "versions": {"jax": "0.7.2"}}


def notebook(folder, name, *cells):
    """Write a notebook of (tag, source) code cells under a heading."""
    cells = [{"cell_type": "code", "metadata": {"tags": [tag]} if tag else {}, "source": source.splitlines(keepends=True),
              "outputs": [], "execution_count": None} for tag, source in cells]
    path = folder / f"{name}.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# A chapter"]}] + cells,
                                "metadata": {}, "nbformat": 4, "nbformat_minor": 4}))
    return path


@pytest.fixture
def plain_python(tmp_path):
    """Environment variables of a machine that has no GPU, no IPython and no Jupyter."""
    for package in ("IPython", "ipykernel", "matplotlib_inline", "nbformat", "nbclient", "jupyter_client", "jupytext", "tqdm"):
        (tmp_path / "blocked").mkdir(exist_ok=True)
        (tmp_path / "blocked" / f"{package}.py").write_text("raise ImportError(f'{__name__} is not on this machine')")
    return {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(tmp_path / "blocked")}


def make_gpu(env, *notebooks):
    return subprocess.run([sys.executable, "-m", "tools.gpu", *map(str, notebooks)], cwd=gpu.ROOT, env=env, text=True, capture_output=True)


def results():
    return {p.name: p.read_bytes() for p in gpu.RESULTS.iterdir()}


def test_on_a_cpu_it_runs_the_device_cells_without_ipython_labels_them_cpu_and_writes_nothing(tmp_path, plain_python):
    before = results()
    done = make_gpu(plain_python, notebook(tmp_path, "one", SETUP, IMPORTS, RECORD), notebook(tmp_path, "two", SETUP))
    assert done.returncode == 0, done.stderr
    assert "  this run: CPU  10  1.50\n" in done.stdout and "two: no device cells\n" in done.stdout
    assert done.stdout.endswith("no GPU here: ran every device cell, wrote no result\n")
    assert results() == before and "test-only.json" not in before


def test_a_package_that_is_missing_stops_only_the_chapters_whose_device_cells_need_it(tmp_path, plain_python):
    imports = ("imports", "import no_such_package\nfrom no_such_other import part as other\nfrom lecture_utils import device")
    done = make_gpu(plain_python, notebook(tmp_path, "without", SETUP, imports, RECORD),
                    notebook(tmp_path, "with", SETUP, imports, ("device", "other.run()")))
    assert "no_such_package is not on this machine; no device cell needs it" in done.stdout and "without: done in" in done.stdout
    assert done.returncode == 1
    assert "FAILED with, cell 3 (imports), line 2: ModuleNotFoundError: No module named 'no_such_other'" in done.stderr


def test_a_failure_is_named_and_stops_no_other_chapter(tmp_path, plain_python):
    done = make_gpu(plain_python,
                    notebook(tmp_path, "breaks", SETUP, ("device", "a = 1\nraise ValueError('two\\nlines')")),
                    notebook(tmp_path, "dies", ("device", "import os\nos._exit(9)")),
                    notebook(tmp_path, "works", ("device", "print('it ran')")))
    assert done.returncode == 1
    assert "FAILED breaks, cell 3 (device), line 2: ValueError: two lines\n" in done.stderr
    assert "FAILED dies: its process ended with status 9" in done.stderr
    assert "  it ran\nworks: done in" in done.stdout and "ran every device cell" not in done.stdout


@pytest.mark.slow
def test_every_device_cell_of_the_book_runs_in_plain_python_and_writes_nothing(plain_python, tmp_path):
    before, chapters = results(), [p for p in gpu.find_chapters([]) if gpu.has_device_cells(p)]
    assert chapters
    # One process for all, to import jax and torch once; `make gpu` takes a fresh one for each.
    program = "import sys; from pathlib import Path; from tools import gpu\nfor p in sys.argv[1:]: gpu.run_cells(Path(p))"
    env = {**plain_python, "PYTHONPATH": f"{gpu.ROOT}{os.pathsep}{plain_python['PYTHONPATH']}", "MPLBACKEND": "Agg", "LECTURE_RESULTS": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program, *chapters], cwd=tmp_path, env=env, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert "this run: CPU" in done.stdout and results() == before and not list(tmp_path.glob("*.json"))


def test_a_chapter_on_a_gpu_writes_what_its_device_cells_record(tmp_path, monkeypatch):
    chapter = notebook(tmp_path, "one", SETUP, IMPORTS, RECORD)
    monkeypatch.setenv("LECTURE_RESULTS", str(tmp_path))
    monkeypatch.setenv("LECTURE_COMMAND", gpu.child_environment()["LECTURE_COMMAND"])
    monkeypatch.setattr(device, "device_info", lambda: CPU)
    gpu.run_cells(chapter)
    assert not (tmp_path / "test-only.json").exists()
    monkeypatch.setattr(device, "device_info", lambda: T4)
    gpu.run_cells(chapter)
    entry = json.loads((tmp_path / "test-only.json").read_text())
    assert entry["rows"] == [{"N": 1000, "ms": 1.5}] and entry["device"]["name"] == "NVIDIA T4" and entry["command"] == "make gpu"


def test_its_processes_record_into_the_package(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    env = gpu.child_environment()
    assert env["LECTURE_RESULTS"] == str(gpu.ROOT / "lecture_utils" / "results") and os.path.isdir(env["LECTURE_RESULTS"])
    assert env["PYTHONPATH"].split(os.pathsep) == [str(gpu.ROOT), "/elsewhere"] and env["MPLBACKEND"] == "Agg"


def test_only_tagged_cells_run_in_order_and_show_the_value_of_their_last_line(tmp_path, capsys):
    gpu.run_cells(notebook(tmp_path, "one", SETUP, ("imports", "x = 2"), (None, "x = 3; print('untagged')"), ("device", "y = x + 1\ny"),
                           ("device", "y + 1;"), ("device", "None"), ("device", "display('shown')\nif ready:\n    y + 5"), ("device", "# nothing")))
    assert capsys.readouterr().out == "3\n'shown'\n"


@pytest.mark.parametrize("untagged", ["import math\nscale = 2.0", "def scale(): pass", "from math import sin as scale", "for scale in [1]: pass"])
def test_a_name_from_an_untagged_cell_is_explained(tmp_path, untagged):
    chapter = notebook(tmp_path, "one", SETUP, (None, "%magic\nscale = 1"), (None, untagged), ("device", "def f():\n    return scale\nf()"))
    with pytest.raises(gpu.CellError, match=r"one, cell 5 \(device\), line 3: NameError: name 'scale' is not defined\. one, cell 4 defines it, but has none of the tags"):
        gpu.run_cells(chapter)


def test_a_name_that_no_cell_defines_is_a_plain_name_error(tmp_path):
    with pytest.raises(gpu.CellError, match="NameError: name 'scale' is not defined$"):
        gpu.run_cells(notebook(tmp_path, "one", (None, "other = 1"), ("device", "scale")))


@pytest.mark.parametrize("source", ["%pip install x", "!nvidia-smi", "x = 1\n%matplotlib inline"])
def test_a_line_that_only_ipython_reads_is_named(tmp_path, source):
    with pytest.raises(gpu.CellError, match=r"one, cell 2 \(setup\), line [12]: SyntaxError: .*no lines that begin with % or !"):
        gpu.run_cells(notebook(tmp_path, "one", ("setup", source)))


def test_what_this_python_lacks_is_named_with_what_to_do(monkeypatch):
    monkeypatch.setattr(gpu.importlib.util, "find_spec", lambda package: None if package in ("jax", "torch") else object())
    with pytest.raises(SystemExit, match=r"lacks jax, torch\. .*make gpu PYTHON="):
        gpu._device()


def test_chapters_are_found_by_name_or_file_and_a_wrong_name_is_refused(tmp_path):
    (tmp_path / "chapters").mkdir()
    one = notebook(tmp_path / "chapters", "01-one", SETUP)
    assert gpu.find_chapters([], tmp_path) == gpu.find_chapters(["01-one"], tmp_path) == gpu.find_chapters([str(one)], tmp_path) == [one]
    with pytest.raises(SystemExit, match="no chapter '02-two'; there are: 01-one"):
        gpu.find_chapters(["02-two"], tmp_path)
    with pytest.raises(SystemExit, match="run make notebooks"):
        gpu.find_chapters([], tmp_path / "chapters")
