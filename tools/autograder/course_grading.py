"""Runs in Gradescope's container, for the files in tests/: gives each part of an exercise its points.

The answers are taken from the notebook's cells as they were run. They run once more, each in a copy of a process that
has run the chapter's import cell; another process, which sees arrays only, judges what they computed. The notebook's own process
reads the verdicts and asserts them. It is no sandbox: code that looks for the hidden tests in this container finds them.
"""
import ast
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECONDS = 120                                # for one answer
UNANSWERED = "NotImplementedError: your code here"
verdicts = None                              # exercise -> its visible failures, errors and parts


def check(exercise, part):
    """Assert that a part of an exercise holds (part -1: its visible tests). The message is its hint."""
    global verdicts
    if verdicts is None:
        verdicts = grade()
    verdict = verdicts[exercise]
    assert verdict["visible"] != [UNANSWERED], "not answered yet"
    if part < 0:
        assert not verdict["visible"], "; ".join(verdict["visible"])
        return
    ok, hint = verdict["parts"][part]
    errors = sorted(set(verdict["errors"].values()))
    assert ok, hint + (f" (raised: {'; '.join(errors[:3])})" if errors else "")


def grade():
    """Run and judge all exercises with the cells that this notebook has run."""
    from IPython import get_ipython
    cells = [raw for _, _, raw in get_ipython().history_manager.get_range(raw=True)]
    bundle, out = json.loads((HERE / "course_grading.json").read_text(encoding="utf-8")), {}
    env = {**os.environ, "PYTHONPATH": str(HERE), "JAX_PLATFORMS": "cpu", "MPLBACKEND": "agg"}
    for chapter, job in bundle.items():
        for exercise in job["exercises"]:
            exercise["cells"] = [defining(cells, name) for name in [*exercise["needs"], exercise["name"]]]
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "job.json").write_text(json.dumps(job))
            run = [sys.executable, str(HERE / "course_grading.py")]
            done = subprocess.run([*run, "run", "job.json"], cwd=folder, env=env, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"{chapter}: the answers could not be run: {done.stderr[-2000:]}")
            done = subprocess.run([*run, "judge", "job.json", chapter], cwd=folder, env=env, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"{chapter}: the answers could not be judged: {done.stderr[-2000:]}")
            out.update(json.loads(done.stdout.splitlines()[-1]))
    return out


def defining(cells, name):
    """The last cell that defines a name; empty when none does."""
    for cell in reversed(cells):
        try:
            for node in ast.parse(plain(cell)).body:
                targets = [t.id for t in getattr(node, "targets", []) if isinstance(t, ast.Name)]
                if getattr(node, "name", None) == name or name in targets:
                    return plain(cell)
        except SyntaxError:
            if re.search(rf"(?m)^(def|class)\s+{name}\b|^{name}\s*=", cell):
                return cell
    return ""


def plain(cell):
    """A cell without magics."""
    return re.sub(r"(?m)^([%!].*)$", r"# \1", cell)


# --- in the process that runs answers

def run(path):
    job, space = json.loads(Path(path).read_text()), {"__name__": "__main__"}
    exec(compile(job["imports"], "<imports>", "exec"), space)
    for i, exercise in enumerate(job["exercises"]):
        child = os.fork()
        if child == 0:
            try:
                answer(exercise, space, i)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)
        until = time.monotonic() + SECONDS
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            if time.monotonic() > until:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.01)


def answer(exercise, space, i):
    import numpy as np

    from tools.exercise_worker import attempt
    arrays, visible, errors = attempt(exercise, space)
    np.savez(f"{i}.npz", **arrays)
    Path(f"{i}.json").write_text(json.dumps({"visible": visible, "errors": errors}))


# --- in the process that judges

def judge(path, chapter):
    import numpy as np

    from tools.judging import hidden
    module, out = hidden(chapter, HERE), {}
    for i, exercise in enumerate(json.loads(Path(path).read_text())["exercises"]):
        try:
            verdict = json.loads(Path(f"{i}.json").read_text())
            with np.load(f"{i}.npz", allow_pickle=False) as npz:
                arrays = {name: npz[name] for name in npz.files}
        except Exception:
            verdict, arrays = {"visible": ["it gave no result: it ended its process, or ran too long"], "errors": {}}, {}
        try:
            parts = [(bool(p.ok), p.hint) for p in getattr(module, "judge_" + exercise["id"].replace("-", "_"))(arrays, exercise["seed"])]
        except Exception as e:
            parts = [(False, f"it could not be judged ({type(e).__name__}: {e})")] * exercise["parts"]
        out[exercise["id"]] = {**verdict, "parts": parts}
    print(json.dumps(out))


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    {"run": run, "judge": judge}[sys.argv[1]](*sys.argv[2:])
