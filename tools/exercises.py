"""Exercises as the chapters hold them: read them, derive the stubs and the course edition.

An exercise lives once, in its chapter: a statement, a solution cell whose answer stands between
`# BEGIN SOLUTION` and `# END SOLUTION`, and a visible test cell. Its hidden test lives in
`assignments/hidden/NN-name.py` as two functions,

    drive_ID(answer, seed) -> {name: array or zero-argument function}    runs beside the answer
    judge_ID(arrays, seed) -> [Part, ...]                                runs elsewhere, gives the points

so that expected values never stand where a student's code runs. `assignments/wrong/NN-name.py`
holds plausible wrong answers. In ID the hyphens of the exercise's id are underscores.
tools/judging.py runs and judges. Standard library only: the site is built with it.
"""
from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
PLACEHOLDER = 'raise NotImplementedError("your code here")'


# --- what stands in a chapter -----------------------------------------------------------------

def stub(source: str) -> str:
    """The student's version of a solution cell: each marked block becomes one placeholder line.

    Raises ValueError when the markers are missing, nested or do not pair up.
    """
    out, inside, blocks = [], False, 0
    for line in source.splitlines():
        mark = line.strip()
        if mark == BEGIN:
            if inside:
                raise ValueError(f"solution cell: a second '{BEGIN}' before '{END}'")
            inside, blocks = True, blocks + 1
            out.append(line[: len(line) - len(line.lstrip())] + PLACEHOLDER)
        elif mark == END:
            if not inside:
                raise ValueError(f"solution cell: '{END}' without '{BEGIN}'")
            inside = False
        elif not inside:
            out.append(line)
    if inside or not blocks:
        raise ValueError(f"solution cell: expected '{BEGIN}' … '{END}', found {blocks} opened"
                         f"{' and the last one not closed' if inside else ''}")
    return "\n".join(out)


@dataclass
class Exercise:
    """One exercise as its chapter states it. `points` is what the judge can give in all."""
    id: str
    chapter: str
    answer: str
    points: float
    stars: int
    minutes: int
    title: str
    solution: str
    imports: str
    tests: list[str] = field(default_factory=list)


def read(notebook: Path) -> list[Exercise]:
    """The exercises of one chapter, in order. Raises ValueError for one that is incomplete."""
    notebook = Path(notebook)
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    source = lambda cell: "".join(cell["source"])
    tagged = lambda tag: [source(c) for c in cells if tag in c["metadata"].get("tags", [])]
    prose = "\n".join(source(c) for c in cells if c["cell_type"] == "markdown")
    titles = {label: title.strip() for title, label in
              re.findall(r"^:::+\{exercise\}[ \t]*(.*)\n(?:.*\n)*?:label:[ \t]*ex-(\S+)", prose, flags=re.M)}
    found: dict[str, Exercise] = {}
    for cell in cells:
        meta = cell["metadata"].get("exercise")
        if not meta:
            continue
        ident, role = meta.get("id"), meta.get("role")
        where = f"{notebook.name}, exercise {ident!r}"
        if role == "solution":
            lacking = [k for k in ("answer", "points", "stars", "minutes") if k not in meta]
            if lacking:
                raise ValueError(f"{where}: the solution cell's metadata lacks {', '.join(lacking)}")
            if ident in found:
                raise ValueError(f"{where}: two solution cells have this id")
            if ident not in titles:
                raise ValueError(f"{where}: no statement ':::{{exercise}} Title' with ':label: ex-{ident}'")
            if cell["metadata"].get("cellView") != "form" or "hide-input" not in cell["metadata"].get("tags", []):
                raise ValueError(f"{where}: its solution cell stands open; it needs cellView: form (Colab) and the tag hide-input")
            stub(source(cell))
            found[ident] = Exercise(ident, notebook.stem, meta["answer"], meta["points"], meta["stars"],
                                    meta["minutes"], titles[ident], source(cell), "\n".join(tagged("imports")))
        elif role == "test":
            if ident not in found:
                raise ValueError(f"{where}: a test cell stands before its solution")
            found[ident].tests.append(source(cell))
        else:
            first = source(cell).strip().splitlines()[:1]
            raise ValueError(f"{where}: role {role!r} of the cell that begins {first}, expected 'solution' or 'test'")
    for ident in titles.keys() - found.keys():
        raise ValueError(f"{notebook.name}, exercise {ident!r}: a statement without a solution cell")
    for exercise in found.values():
        if not exercise.tests:
            raise ValueError(f"{notebook.name}, exercise {exercise.id!r}: no visible test")
    return list(found.values())


def course_edition(notebook: dict) -> dict:
    """A chapter without its solutions: each solution cell becomes its stub; outputs that need it go."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        exercise = cell["metadata"].get("exercise")
        if not exercise:
            continue
        cell["outputs"], cell["execution_count"] = [], None
        if exercise["role"] == "solution":
            cell["source"] = stub("".join(cell["source"]))
            cell["metadata"] = {"exercise": {**exercise, "role": "stub"}}
    return notebook
