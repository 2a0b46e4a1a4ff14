"""Run answers to exercises in a process of their own, and judge what they computed.

The idea: the process that runs an answer computes arrays for given inputs; expected values, tolerances
and points stay in this one. For `run` that process is no sandbox: code that looks for the hidden tests
on this disk finds them; `make grade` runs submissions in one. tools/exercises.py describes the format.
"""
from __future__ import annotations

import ast
import functools
import importlib.util
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools import exercises, sandbox
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
    """A plausible wrong answer: what is wrong, a word that the hint must contain, the code; the points it keeps, if stated."""
    exercise: str
    what: str
    hint: str
    source: str
    keeps: float | None = None


def hidden(chapter: str, root: Path = ROOT):
    """The module `assignments/hidden/<chapter>.py`. Raises FileNotFoundError when there is none."""
    path = Path(root) / "assignments" / "hidden" / f"{chapter}.py"
    if not path.exists():
        raise FileNotFoundError(f"{path}: each chapter with exercises needs its hidden tests there")
    spec = importlib.util.spec_from_file_location("hidden_" + re.sub(r"\W", "_", chapter), path)
    assert spec and spec.loader                # a file with this ending always has them
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def driver_source(chapter: str, ident: str, root: Path = ROOT) -> str:
    """The source of `drive_ID` alone: all that a student's process is given of the hidden test."""
    path = Path(root) / "assignments" / "hidden" / f"{chapter}.py"
    name = "drive_" + ident.replace("-", "_")
    found = _functions(path, path.stat().st_mtime_ns)
    if name not in found:
        raise ValueError(f"{path}: no function {name}(answer, seed)")
    return found[name]


@functools.lru_cache(maxsize=64)
def _functions(path: Path, changed: int) -> dict[str, str]:
    text = path.read_text(encoding="utf-8")
    return {node.name: ast.get_source_segment(text, node) or "" for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}


EDITS = "# the solution, but"


def edited(solution: str, edits: str) -> str:
    """The solution with some of its lines exchanged.

    Arguments: the source of a solution cell; edits, each of them lines `-…` that stand together exactly
    once in the solution, then lines `+…` that take their place. Raises ValueError when an edit is
    anything else.
    """
    lines = [line for line in solution.splitlines() if line.strip() not in (exercises.BEGIN, exercises.END)]
    found = re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)*)", edits.rstrip() + "\n", flags=re.M)
    if not found or "".join(a + b for a, b in found).split() != edits.split():
        raise ValueError(f"edits of a solution are lines that begin with '-', then lines that begin with '+'; got\n{edits}")
    for old, new in ([[line[1:] for line in part.splitlines()] for part in edit] for edit in found):
        places = [i for i in range(len(lines)) if lines[i:i + len(old)] == old]
        if len(places) != 1:
            raise ValueError(f"these lines stand {len(places)} times in the solution, expected once:\n" + "\n".join(old))
        lines[places[0]:places[0] + len(old)] = new
    return "\n".join(lines) + "\n"


def wrong_answers(chapter: str, root: Path = ROOT) -> list[Wrong]:
    """The wrong answers of `assignments/wrong/<chapter>.py`, cells `# %% id | what is wrong | hint word [| points kept]`.

    A cell is a whole answer, or, when its first line is `# the solution, but`, edits of the solution.
    """
    path = Path(root) / "assignments" / "wrong" / f"{chapter}.py"
    if not path.exists():
        raise FileNotFoundError(f"{path}: each chapter with exercises needs its wrong answers there")
    out = []
    for block in re.split(r"^# %% ", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
        head, _, body = block.partition("\n")
        parts = [p.strip() for p in head.split("|")]
        try:
            keeps = float(parts[3]) if len(parts) == 4 else None
        except ValueError:
            keeps = -1
        if len(parts) not in (3, 4) or keeps == -1:
            raise ValueError(f"{path}: '# %% {head}', expected '# %% exercise-id | what is wrong | word of the hint', "
                             "and, if wanted, '| points that it keeps'")
        if body.startswith(EDITS + "\n"):
            solution = next(e.solution for e in exercises.read(exercises.files(Path(root))[chapter]) if e.id == parts[0])
            try:
                body = edited(solution, body.removeprefix(EDITS + "\n"))
            except ValueError as problem:
                raise ValueError(f"{path}: '# %% {head}': {problem}") from None
        out.append(Wrong(parts[0], parts[1], parts[2], body, keeps))
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
    module = hidden(chapter, root)
    judge_of = {e.id: judge_for(e, module) for e, _, _ in answers}
    known = {e.id: e for e in exercises.read(exercises.files(root)[chapter])} if any(e.needs for e, _, _ in answers) else {}
    below = lambda e: [known[i].solution for i in needed(e, known)]       # a part is judged with right answers to those it calls
    job = {"imports": answers[0][0].imports, "answers": [task(e, [*below(e), source], seed, root) for e, source, seed in answers]}
    with tempfile.TemporaryDirectory() as folder:
        course = sandbox.prepare(Path(folder) / "course", root, fonts="matplotlib" in answers[0][0].imports)
        given = sandbox.run(job, course, limits=sandbox.Limits(seconds=seconds), sandboxed=False, parallel=os.cpu_count() or 1)
    return [judge(e, seed, g, judge_of[e.id]) for (e, _, seed), g in zip(answers, given)]


def needed(exercise: Exercise, known: dict[str, Exercise]) -> list[str]:
    """The ids of the parts that a part calls, and of those that they call, in the order of the problem set."""
    found, todo = set(), list(exercise.needs)
    while todo:
        ident = todo.pop()
        if ident not in found:
            found.add(ident)
            todo += known[ident].needs
    return [ident for ident in known if ident in found]


def task(exercise: Exercise, cells: list[str], seed: int, root: Path = ROOT, imports: Sequence[str] = ()) -> dict:
    """What a worker is told of one answer: its cells, the visible tests, the driver; nothing of the judge."""
    return {"cells": cells, "imports": list(imports), "name": exercise.answer, "tests": exercise.tests, "seed": seed,
            "driver": driver_source(exercise.chapter, exercise.id, root), "drive": "drive_" + exercise.id.replace("-", "_")}


def judge_for(exercise: Exercise, module):
    """The function `judge_ID` of a module of hidden tests."""
    name = "judge_" + exercise.id.replace("-", "_")
    if not hasattr(module, name):
        raise ValueError(f"assignments/hidden/{exercise.chapter}.py: no function {name}(arrays, seed)")
    return getattr(module, name)


def judge(exercise: Exercise, seed: int, given: sandbox.Given, judge) -> Result:
    """Judge what one answer gave back: bytes from a process that is not trusted."""
    arrays: dict = {}
    errors: dict = {}
    visible = [f"it gave no result: {given.lost}"]
    if not given.lost:
        try:
            arrays, visible, errors = sandbox.decode(given.body)
        except ValueError as e:
            visible = [f"it gave no result: {e}"]
    try:
        parts = [Part(str(p.name), float(p.points), bool(p.ok), str(p.hint)) for p in judge(arrays, seed)]
    except Exception as e:                                     # arrays that the judge did not think of
        parts = [Part("what it gave back", exercise.points, False, f"it could not be judged ({type(e).__name__}: {e})")]
    return Result(float(sum(p.points for p in parts if p.ok)), visible, parts, errors)
