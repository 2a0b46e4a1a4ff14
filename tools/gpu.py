"""Run every chapter's device cells in plain Python and record what a GPU measures: `make gpu`.

Each chapter gets a fresh process and an empty folder, in which its cells tagged setup, imports and device run in order,
as they would in a notebook: the value of a cell's last line is printed. Needs no Jupyter and no IPython. On a machine
without a GPU the same cells run and nothing is written.
"""
from __future__ import annotations

import ast
import importlib.util
import json
import linecache
import os
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "lecture_utils" / "results"
TAGS = ("setup", "imports", "device")
PROBE = """
import json, shutil
from lecture_utils.device import device_info
info = device_info()
if info["platform"] != "gpu" and shutil.which("nvidia-smi"):
    import torch
    info["torch_sees_gpu"] = torch.cuda.is_available()
print(json.dumps(info))
"""


# --- one chapter, in the process that runs it --------------------------------------------------

class CellError(Exception):
    """A cell failed. The message names chapter, cell, line and error."""


def code_cells(notebook: Path) -> list[tuple[str, str, list[str]]]:
    """The code cells of a notebook as (place, source, tags); the place counts all cells from 1, as Colab does."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [(f"{notebook.stem}, cell {i}", "".join(cell["source"]), cell["metadata"].get("tags", []))
            for i, cell in enumerate(cells, 1) if cell["cell_type"] == "code"]


def has_device_cells(notebook: Path) -> bool:
    return any("device" in tags for _, _, tags in code_cells(notebook))


def run_cells(notebook: Path) -> None:
    """Run a notebook's cells tagged setup, imports or device in one namespace. Raises CellError."""
    space = {"__name__": "__main__", "display": lambda *values: print(*map(repr, values), sep="\n")}
    cells = code_cells(notebook)
    for place, source, tags in cells:
        tag = next((t for t in TAGS if t in tags), None)
        if tag is None:
            continue
        place = f"{place} ({tag})"
        linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)   # lines for tracebacks
        try:
            body = ast.parse(source, place).body
        except SyntaxError as error:
            raise CellError(f"{place}, line {error.lineno}: SyntaxError: {error.msg}; `make gpu` runs plain Python, "
                            "so a tagged cell has no lines that begin with % or !") from error
        if tag == "imports":
            body = _without_what_is_missing(body, cells)
        try:
            _run_cell(body, place, space, echo=not source.rstrip().endswith(";"))
        except (Exception, SystemExit) as error:
            lines = [f.lineno or 0 for f in traceback.extract_tb(error.__traceback__) if f.filename == place]
            line = max(lines) if lines else "?"
            raise CellError(f"{place}, line {line}: {type(error).__name__}: {error}{_hint(error, cells)}") from error


def _without_what_is_missing(body: list[ast.stmt], cells) -> list[ast.stmt]:
    """Leave out the imports of packages that this machine lacks and that no device cell names; say so."""
    used = {name for _, source, tags in cells if "device" in tags for name in _names(source)}
    kept = []
    for statement in body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            modules = [a.name for a in statement.names] if isinstance(statement, ast.Import) else [str(statement.module)]
            bound = {(a.asname or a.name).split(".")[0] for a in statement.names}
            missing = [m.split(".")[0] for m in modules if importlib.util.find_spec(m.split(".")[0]) is None]
            if missing and not bound & used:
                print(f"{', '.join(missing)} is not on this machine; no device cell needs it")
                continue
        kept.append(statement)
    return kept


def _names(source: str) -> set[str]:
    """The names that a cell uses; none if it is not plain Python."""
    try:
        return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    except SyntaxError:
        return set()


def _run_cell(body: list[ast.stmt], place: str, space: dict, echo: bool) -> None:
    """Run a cell's statements; with echo, print the value of the last one if it is an expression and not None."""
    end, last = body[-1] if body else None, None
    if echo and isinstance(end, ast.Expr):
        body, last = body[:-1], ast.Expression(end.value)
    exec(compile(ast.Module(body, []), place, "exec"), space)
    value = None if last is None else eval(compile(last, place, "eval"), space)
    if value is not None:
        print(repr(value))


def _hint(error: BaseException, cells) -> str:
    """For a name that only an untagged cell defines: where, and what to do."""
    name = getattr(error, "name", None) if isinstance(error, NameError) else None
    for place, source, tags in cells:
        if name and not set(TAGS) & set(tags) and name in _defined(source):
            return (f". {place} defines it, but has none of the tags {', '.join(TAGS)}, and `make gpu` runs only cells that "
                    "have one: define it in a device cell or in lecture_utils")
    return ""


def _defined(source: str) -> set[str]:
    """The names that a cell may define; none if it is not plain Python."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return set()
    names = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    names |= {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    imported = [a for n in nodes if isinstance(n, (ast.Import, ast.ImportFrom)) for a in n.names]
    return names | {(a.asname or a.name).split(".")[0] for a in imported}


def _run_here(notebook: Path) -> int:
    """Run one chapter in this process; the last line printed names the failure."""
    warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")      # plt.show()
    try:
        run_cells(notebook)
    except CellError as error:
        traceback.print_exception(error.__cause__)
        print(" ".join(str(error).split()))
        return 1
    return 0


# --- all chapters ------------------------------------------------------------------------------

def find_chapters(names: list[str], root: Path = ROOT) -> list[Path]:
    """The chapters' notebooks; `names` are stems (00-getting-started) or files, all chapters when there are none.

    Raises SystemExit when one is not there.
    """
    there = sorted(root.glob("chapters/[0-9]*.ipynb"))
    if not names:
        if not there:
            sys.exit("chapters/ holds no notebook: run make notebooks first")
        return there
    found = [Path(n).resolve() if n.endswith(".ipynb") else root / "chapters" / f"{n}.ipynb" for n in names]
    for name, path in zip(names, found):
        if not path.is_file():
            sys.exit(f"no chapter {name!r}; there are: {', '.join(p.stem for p in there) or 'none'}")
    return found


def child_environment() -> dict[str, str]:
    """The environment of a chapter's process."""
    env = dict(os.environ)
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), env.get("PYTHONPATH")]))
    env.update(LECTURE_RESULTS=str(RESULTS), LECTURE_COMMAND="make gpu", MPLBACKEND="Agg", PYTHONUNBUFFERED="1")
    env.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")      # or JAX takes 3/4 of the GPU, and PyTorch has too little
    return env


def run_chapter(notebook: Path) -> str | None:
    """Run one chapter in a fresh process and pass on what it prints; None, or what went wrong."""
    with tempfile.TemporaryDirectory() as empty:
        process = subprocess.Popen([sys.executable, "-m", "tools.gpu", "--run-here", str(notebook)], cwd=empty, text=True,
                                   env=child_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        last = ""
        for line in process.stdout or ():
            print("  " + line, end="", flush=True)
            last = line.strip() or last
        code = process.wait()
    if code == 0:
        return None
    return last if code == 1 else f"{notebook.stem}: its process ended with status {code} after printing: {last}"


def _device() -> dict:
    """What the chapters will run on. Exits with what to do when this Python lacks a package."""
    missing = [p for p in ("jax", "torch", "numpy", "matplotlib") if importlib.util.find_spec(p) is None]
    if missing:
        sys.exit(f"{sys.executable} lacks {', '.join(missing)}. Install what is missing there, or name a Python that has "
                 "it: make gpu PYTHON=/path/to/python")
    probe = subprocess.run([sys.executable, "-c", PROBE], env=child_environment(), text=True, capture_output=True)
    if probe.returncode:
        sys.exit(f"JAX does not start in {sys.executable}:\n{probe.stderr.strip()}")
    return json.loads(probe.stdout.splitlines()[-1])


def _results() -> dict[str, int]:
    return {p.name: p.stat().st_mtime_ns for p in RESULTS.glob("*.json")}


def main(names: list[str]) -> int:
    notebooks, device, before, failures = find_chapters(names), _device(), _results(), []
    gpu = device["platform"] == "gpu"
    print(f"{device['name']}: " + ", ".join(f"{p} {v}" for p, v in device["versions"].items()))
    if device.get("torch_sees_gpu"):
        print("PyTorch sees a GPU and JAX does not, so nothing will be recorded: install JAX for it, "
              "such as pip install 'jax[cuda12]'")
    for notebook in notebooks:
        if not has_device_cells(notebook):
            print(f"{notebook.stem}: no device cells")
            continue
        print(f"{notebook.stem}:", flush=True)
        start = time.perf_counter()
        failure = run_chapter(notebook)
        failures += [failure] if failure else []
        print(f"{notebook.stem}: {'FAILED' if failure else 'done'} in {time.perf_counter() - start:.0f} s", flush=True)
    written = [name for name, when in _results().items() if before.get(name) != when]
    if written:
        print(f"wrote {', '.join(f'lecture_utils/results/{w}' for w in written)}: now run make notebooks and commit both")
    elif not gpu:
        print("no GPU here: " + ("" if failures else "ran every device cell, ") + "wrote no result")
    else:
        print("no device cell recorded a result")
    for failure in failures:
        print(f"FAILED {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run-here"]:
        sys.exit(_run_here(Path(sys.argv[2])))
    sys.exit(main(sys.argv[1:]))
