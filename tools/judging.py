"""Run answers to exercises in a process of their own, and judge what they computed.

The idea: the process that runs an answer computes arrays for given inputs; expected values, tolerances
and points stay in this one. That process is no sandbox: code that looks for the hidden tests on this
disk finds them. tools/exercises.py describes the format.
"""
from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.exercises import Exercise

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Part:
    """One judged part of an exercise: its name, what it is worth, whether it holds, what to try if not."""
    name: str
    points: float
    ok: bool
    hint: str


def close(arrays: dict, name: str, expected, rtol: float = 1e-8, atol: float = 1e-12) -> bool:
    """Whether the answer returned `name`, with the shape of `expected`, finite, and equal within tolerance."""
    if name not in arrays:
        return False
    value, expected = np.asarray(arrays[name]), np.asarray(expected)
    return (value.dtype.kind in "biuf" and value.shape == expected.shape
            and bool(np.all(np.isfinite(value))) and bool(np.allclose(value, expected, rtol=rtol, atol=atol)))


@dataclass
class Wrong:
    """A plausible wrong answer: what is wrong, a word that the hint must contain, the code."""
    exercise: str
    what: str
    hint: str
    source: str


def hidden(chapter: str, root: Path = ROOT):
    """The module `assignments/hidden/<chapter>.py`. Raises FileNotFoundError when there is none."""
    path = Path(root) / "assignments" / "hidden" / f"{chapter}.py"
    if not path.exists():
        raise FileNotFoundError(f"{path}: each chapter with exercises needs its hidden tests there")
    spec = importlib.util.spec_from_file_location("hidden_" + re.sub(r"\W", "_", chapter), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def driver_source(chapter: str, ident: str, root: Path = ROOT) -> str:
    """The source of `drive_ID` alone: all that a student's process is given of the hidden test."""
    path = Path(root) / "assignments" / "hidden" / f"{chapter}.py"
    text, name = path.read_text(encoding="utf-8"), "drive_" + ident.replace("-", "_")
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return ast.get_source_segment(text, node)
    raise ValueError(f"{path}: no function {name}(answer, seed)")


def wrong_answers(chapter: str, root: Path = ROOT) -> list[Wrong]:
    """The wrong answers of `assignments/wrong/<chapter>.py`, cells `# %% id | what is wrong | hint word`."""
    path = Path(root) / "assignments" / "wrong" / f"{chapter}.py"
    if not path.exists():
        raise FileNotFoundError(f"{path}: each chapter with exercises needs its wrong answers there")
    out = []
    for block in re.split(r"^# %% ", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
        head, _, body = block.partition("\n")
        parts = [p.strip() for p in head.split("|")]
        if len(parts) != 3:
            raise ValueError(f"{path}: '# %% {head}', expected '# %% exercise-id | what is wrong | word of the hint'")
        out.append(Wrong(*parts, body))
    return out


# --- running and judging

@dataclass
class Result:
    """What one answer got: points, the visible tests that failed, the hidden parts, errors by name."""
    points: float
    visible: list[str]
    parts: list[Part]
    errors: dict[str, str]

    @property
    def hints(self) -> list[str]:
        """What the student is told: visible failures, errors, then name and hint of each hidden part that failed."""
        errors = [f"{name}: {error}" for name, error in self.errors.items() if error not in self.visible]
        return self.visible + errors + [f"{p.name}: {p.hint}" for p in self.parts if not p.ok]


def run(answers: list[tuple[Exercise, str, int]], *, root: Path = ROOT, seconds: float = 60) -> list[Result]:
    """Run answers (all of one chapter), each in a process of its own, then judge them here.

    Arguments: triples (exercise, source of the answer cell, seed of the hidden inputs); the time
    limit of one answer in seconds. Its process is given the chapter's import cell (run once, and
    not to compute anything), the answer, the visible tests and the driver, not the judge. An answer
    that fails gets the points of what it did give back; one that ends its process gets none.
    Cost: one import of the chapter's packages, then each answer once. Needs os.fork; tried on Linux.
    """
    if not answers:
        return []
    chapters = {e.chapter for e, _, _ in answers}
    if len(chapters) != 1:
        raise ValueError(f"answers: expected exercises of one chapter, got {sorted(chapters)}")
    chapter = chapters.pop()
    module, judge_of = hidden(chapter, root), {}
    for e, _, _ in answers:
        judge_of[e.id] = getattr(module, "judge_" + e.id.replace("-", "_"), None)
        if judge_of[e.id] is None:
            raise ValueError(f"assignments/hidden/{chapter}.py: no function judge_{e.id.replace('-', '_')}(arrays, seed)")
    job = {"imports": answers[0][0].imports, "seconds": seconds, "answers": [
        {"source": source, "name": e.answer, "tests": e.tests, "driver": driver_source(chapter, e.id, root),
         "drive": "drive_" + e.id.replace("-", "_"), "seed": seed} for e, source, seed in answers]}
    env = {k: os.environ[k] for k in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR") if k in os.environ}
    env |= {"JAX_PLATFORMS": os.environ.get("JAX_PLATFORMS", "cpu"), "MPLBACKEND": "agg", "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        env |= {"JAX_COMPILATION_CACHE_DIR": f"{folder}/jax", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}        # answers compile much the same programs
        shutil.copytree(Path(root) / "lecture_utils", Path(folder) / "lecture_utils")     # and nothing else of the project
        (Path(folder) / "job.json").write_text(json.dumps(job))
        done = subprocess.run([sys.executable, str(ROOT / "tools" / "exercise_worker.py"), "job.json"], cwd=folder,
                              env=env | {"PYTHONPATH": folder}, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{chapter}: the process that runs the answers failed:\n{done.stderr[-2000:]}")
        return [_judge(e, seed, Path(folder) / str(i), judge_of[e.id], seconds) for i, (e, _, seed) in enumerate(answers)]


def _judge(exercise: Exercise, seed: int, given: Path, judge, seconds: float) -> Result:
    """Judge what one answer wrote to `given`.json and `given`.npz: files from a process that is not trusted."""
    try:
        report = json.loads(given.with_suffix(".json").read_text())
        visible, errors = [str(v) for v in report["visible"]], {str(k): str(v) for k, v in report["errors"].items()}
        with np.load(given.with_suffix(".npz"), allow_pickle=False) as npz:
            arrays = {k: npz[k] for k in npz.files}
    except Exception:
        reason = f"it gave no result: it ended its process, or ran longer than {seconds:g} s"
        visible, errors, arrays = [reason], {}, {}
    try:
        parts = judge(arrays, seed)
    except Exception as e:                                     # arrays that the judge did not think of
        parts = [Part("what it gave back", exercise.points, False, f"it could not be judged ({type(e).__name__}: {e})")]
    return Result(sum(p.points for p in parts if p.ok), visible, parts, errors)
