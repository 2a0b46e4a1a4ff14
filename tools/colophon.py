"""The generated parts of the colophon: versions, how the numbers are checked, execution times, runs on a GPU. Part of `make notebooks`.

All of it is read from files: the requirements and constraints, the notebooks as they are stored, assignments/, what
`python -m tools.times` and `make gpu` recorded. Nothing is run, so the page changes only when one of these does.
"""
from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path

from tools import exercises, judging, notebooks, pages

ROOT = Path(__file__).resolve().parents[1]
TIMES = Path("appendix/execution-times.json")
IGNORED = {"nbval-ignore-output", "nbval-skip"}


def _pins(root: Path) -> dict[str, str]:
    return dict(re.findall(r"(?m)^([A-Za-z0-9._-]+)==(\S+)$", (root / "constraints.txt").read_text(encoding="utf-8")))


def versions(root: Path = ROOT) -> str:
    """The packages of requirements.txt and requirements-book.txt, by the comments above them, with the versions of constraints.txt."""
    pins, lines = _pins(root), (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    made_on = re.search(r"\((Python [^)]*)\)", (root / "constraints.txt").read_text(encoding="utf-8"))
    stale = [stem.name for stem in notebooks.chapters(root) if stem.with_suffix(".ipynb").exists()
             and _read(stem)["metadata"].get(notebooks.KEY, {}).get("packages") != notebooks.packages_hash(root)]
    fresh = len(notebooks.chapters(root)) - len(stale)
    out = [f"{made_on[1] if made_on else 'Python'}. {fresh} of {fresh + len(stale)} chapters were last run with these versions"
           f"{' (not: ' + ', '.join(stale) + ')' if stale else ''}: each notebook holds a hash of the versions of "
           f"{', '.join(notebooks.PACKAGES)} that it was run with, and a test fails when it is not that of these tables.", ""]
    groups: dict[str, list[str]] = {"the site": (root / "requirements-book.txt").read_text(encoding="utf-8").splitlines()}
    for line in lines:
        if line.startswith("# "):
            heading = line[2:]
        elif line and not line.startswith("-"):
            groups.setdefault(heading, []).append(line)
    listed = {_name(line) for group in groups.values() for line in group}
    groups["the chapters"] += [name for name in notebooks.PACKAGES if name not in listed]
    for heading in [*(g for g in groups if g != "the site"), "the site"]:
        found = [(_name(line), pins.get(_name(line), "–"), _sentence(line.partition("#")[2])) for line in groups[heading] if _name(line)]
        long = [f"| {name} | {version} | {remark} |" for name, version, remark in found if remark]
        table = len(long) > 2                               # else the remarks stand in the sentence
        said = ", ".join(f"{name} {version}{f' ({remark[:1].lower()}{remark[1:]})' if remark else ''}" for name, version, remark in found
                         if not (table and remark))
        out += [f"**{_sentence(heading.partition(' (')[0])}:**{' ' + said + '.' if said else ''}", ""]
        out += ["| Package | Version | Remark |", "|:--|:--|:--|", *long, ""] if table else []
    return "\n".join(out).rstrip()


def _name(line: str) -> str:
    """The package that a line of requirements asks for; empty for a comment."""
    return re.split(r"[=<>#\s]", line.strip())[0]


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text[:1].upper() + text[1:]


def _read(stem: Path) -> dict:
    return json.loads(stem.with_suffix(".ipynb").read_text(encoding="utf-8"))


@dataclass
class Counts:
    """What one notebook holds, and how it is checked."""
    cells: int = 0           # code cells
    compared: int = 0        # of these, run again and compared by strict nbval
    ignored: int = 0         # run again; what they print depends on the machine
    pictures: int = 0        # figures stored
    asserts: int = 0         # assert statements outside exercises
    published: int = 0       # calls of assert_published
    exercises: int = 0       # with hidden tests
    wrong: int = 0           # wrong answers that must be rejected


def count(stem: Path, root: Path = ROOT) -> Counts:
    """Count one notebook's cells and checks. Calls count once, also in a loop. Raises SyntaxError for a cell that is no Python."""
    n = Counts()
    for cell in _read(stem)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or not source.strip():
            continue
        n.cells += 1
        ignored = bool(IGNORED & set(cell["metadata"].get("tags", [])))
        n.ignored += ignored
        n.compared += not ignored
        n.pictures += sum(any(kind.startswith("image/") for kind in o.get("data", {})) for o in cell["outputs"])
        if "exercise" in cell["metadata"]:
            continue
        nodes = list(ast.walk(ast.parse(source)))
        n.asserts += sum(isinstance(node, ast.Assert) for node in nodes)
        n.published += sum(isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "assert_published"
                           for node in nodes)
    if '"exercise"' in stem.with_suffix(".ipynb").read_text(encoding="utf-8"):
        n.exercises = sum(not e.by_hand for e in exercises.read(stem.with_suffix(".ipynb")))
    if (root / "assignments" / "wrong" / f"{stem.name}.py").exists():
        n.wrong = len(judging.wrong_answers(stem.name, root))
    return n


def checks(root: Path = ROOT) -> str:
    """How the numbers are checked, in sentences with their sums and a table of the chapters and problem sets."""
    stems = [s for s in notebooks.chapters(root) + notebooks.sets(root) if s.with_suffix(".ipynb").exists()]
    counts = {stem: count(stem, root) for stem in stems}
    total = Counts(*(sum(getattr(n, f) for n in counts.values()) for f in Counts.__dataclass_fields__))
    out = [f"- **Run again and compared.** {total.compared} of {total.cells} code cells: a test runs them and compares every line that "
           "they print, tables and formulas included, with what is stored here, character by character (nbval, strict). Numbers are "
           "rounded to what "
           "holds on every machine.",
           f"- **Run again, not compared.** The other {total.ignored} cells: set-up, times, and what else depends on the device. They "
           "carry a tag, and the test only asks that they run.",
           f"- **Pictures.** {total.pictures} are stored; they are not compared, since two machines draw them with small "
           "differences. That they come from the present code follows from hashes of the text, of the modules of `lecture_utils` that "
           "the chapter imports and of the "
           "stored outputs: a test fails when one of them does not match.",
           f"- **Asserted.** {total.asserts} `assert` statements in the chapters' cells hold bounds and identities that no rounding hides.",
           f"- **Published.** {total.published} calls of `checks.assert_published` compare with a number printed elsewhere, to the digits "
           "printed there, and name the source.",
           f"- **Exercises.** {total.exercises} have hidden tests. A test grades each solution (all points), each untouched stub (none) "
           f"and {total.wrong} plausible wrong answers, each of which must lose points and get its hint.", "",
           "Notebook by notebook; p1, p2 and so on are the problem sets:", ""]
    header = {"Compared": "compared", "Only run": "ignored", "Asserts": "asserts", "Published": "published", "Exercises": "exercises"}
    out += [f"| No. | {' | '.join(header)} |", "|:--|" + "--:|" * len(header)]
    for stem, n in counts.items():
        shown = f"[{stem.name[:2]}](../chapters/{stem.name}.ipynb)" if stem.parent.name == "chapters" else stem.name.split("-")[0]
        out.append(f"| {shown} | " + " | ".join(str(getattr(n, f)) for f in header.values()) + " |")
    out.append("| **all** | " + " | ".join(f"**{getattr(total, f)}**" for f in header.values()) + " |")
    return "\n".join(out)


def times(root: Path = ROOT) -> str:
    """How long each chapter took when `python -m tools.times` last ran; that nothing is recorded, where that is so."""
    if not (root / TIMES).exists():
        return "Not recorded yet. `python -m tools.times` on a machine that does nothing else records how long each chapter runs."
    entry = json.loads((root / TIMES).read_text(encoding="utf-8"))
    machine, taken = entry["machine"], entry["chapters"]
    busy = entry["load"] > 0.5
    out = [f"Recorded on {entry['date']} by `{entry['command']}`: each chapter alone, in a new process, from the first cell to the last, "
           f"with {', '.join(f'{name} {version}' for name, version in entry['versions'].items())}, on {machine['cores']} cores "
           f"({machine['processor']}), no GPU. "
           f"The machine's load was {entry['load']:g} when the recording began"
           f"{': it did other work too, so read the times as upper bounds.' if busy else '.'}", "",
           "| Chapter | Seconds | Since |", "|:--|--:|:--|"]
    for stem in notebooks.chapters(root):
        if stem.name in taken:
            same = taken[stem.name]["text"] == _read(stem)["metadata"].get(notebooks.KEY, {}).get("text")
            shown = f"{taken[stem.name]['seconds']} | {'unchanged' if same else 'its text changed'}"
        else:
            shown = "not recorded | "
        out.append(f"| [{stem.name[:2]}](../chapters/{stem.name}.ipynb) | {shown} |")
    out.append(f"| **all** | **{sum(t['seconds'] for t in taken.values())}** | |")
    return "\n".join(out)


def gpu(root: Path = ROOT) -> str:
    """Which chapters have a measurement on a GPU on record, and which have not."""
    names = {c["name"]: c["short"] for part in pages.read_plan(root) for c in part["chapters"]}
    rows, found, missing = [], 0, []
    for stem in notebooks.chapters(root):
        cells = [c for c in _read(stem)["cells"] if "device" in c["metadata"].get("tags", [])]
        for name in [m for c in cells for m in re.findall(r"device\.record\(\s*\"([^\"]+)\"", "".join(c["source"]))]:
            path = root / "lecture_utils" / "results" / f"{name}.json"
            shown = f"[{stem.name[:2]}](../chapters/{stem.name}.ipynb) {names.get(stem.name, '')} | `{name}`"
            if path.exists():
                entry = json.loads(path.read_text(encoding="utf-8"))
                found += 1
                rows.append(f"| {shown} | {entry['date']}, {entry['device']['name']}, jax {entry['versions']['jax']} |")
            else:
                missing.append(name)
                rows.append(f"| {shown} | not yet |")
    if not rows:
        return "No chapter measures anything on a device."
    said = (f"{found} of {found + len(missing)} measurements have been run on a GPU and recorded." if found else
            f"None of the {len(missing)} measurements has been run on a GPU yet: what the chapters show there was measured on a CPU, and "
            "says so.")
    return "\n".join([f"{said} `make gpu` on a machine with a GPU runs them all and records them with device, versions and date; the "
                      "chapters then show both.", "", "| Chapter | Measurement | Recorded |", "|:--|:--|:--|", *rows])
