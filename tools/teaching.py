"""The generated parts of the instructors' page: the paths with their homework, the tables of all exercises and of the problem sets.

Paths come from tools/paths.yml, everything else from the chapters and from the judges of assignments/hidden. Part of `make notebooks`.
"""
from __future__ import annotations

from pathlib import Path

import yaml

from tools import assignments, pages

ROOT = Path(__file__).resolve().parents[1]


def read_paths(root: Path = ROOT) -> list[dict]:
    """The paths of tools/paths.yml, each {path, about, session, sessions}; a session's homework as exercises.

    Raises ValueError for a chapter that is not of the plan, for an exercise that none of its session's chapters has, and for
    a problem set that is not there.
    """
    bank = assignments.bank(root)
    sets = assignments.problem_sets(root)
    planned = {c["name"] for part in pages.read_plan(root) for c in part["chapters"]}
    paths = yaml.safe_load((root / "tools" / "paths.yml").read_text(encoding="utf-8"))
    for path in paths:
        for number, session in enumerate(path["sessions"], 1):
            where, chapters = f"tools/paths.yml, {path['path']}, {path['session'].lower()} {number}", set(session["chapters"]) - {"or"}
            if chapters - planned:
                raise ValueError(f"{where}: got chapter {min(chapters - planned)!r}, expected one of tools/plan.yml")
            here = {e.id: e for e in bank.values() if e.chapter in chapters}
            for ident in set(session["homework"]) - set(here):
                raise ValueError(f"{where}: got exercise {ident!r}, expected one of its chapters': {', '.join(here) or 'they have none'}")
            if "set" in session and session["set"] not in sets:
                raise ValueError(f"{where}: got problem set {session['set']!r}, expected one of {', '.join(sets)}")
            session["homework"] = [here[ident] for ident in session["homework"]]
    return paths


def path_tables(root: Path = ROOT) -> str:
    """The three paths in Markdown: a table each, with the minutes and points of each homework and of all."""
    out = []
    for path in read_paths(root):
        rows = [e for session in path["sessions"] for e in session["homework"]]
        out += [f"### {path['path']}", "", f"{path['about']} Homework: {len(rows)} exercises, {_sum(rows, 'minutes')} minutes, "
                f"{_sum(rows, 'points')} points.", "",
                f"| {path['session']} | Chapters | Homework | Minutes | Points |", "|--:|:--|:--|--:|--:|"]
        for number, session in enumerate(path["sessions"], 1):
            homework = session["homework"]
            tasks = [f"[`{e.id}`](#ex-{e.id})" for e in homework] or ["none yet"]
            tasks += [f"problem set `{session['set']}`"] if "set" in session else []
            tasks += [session["beside"]] if "beside" in session else []
            out.append(f"| {number} | {_chapters(session['chapters'], root)} | {', '.join(tasks)} | {_sum(homework, 'minutes')} | "
                       f"{_sum(homework, 'points')} |")
        out.append("")
    return "\n".join(out).rstrip()


def _sum(chosen: list, what: str) -> str:
    return f"{sum(getattr(e, what) for e in chosen):g}"


def _chapters(names: list[str], root: Path) -> str:
    """Chapters by number, linked where they are there: "01, 02, 21 or 22 (planned)"."""
    out = ""
    for name, after in zip(names, [*names[1:], ""]):
        if name == "or":
            out += " or "
            continue
        out += f"[{name[:2]}](../chapters/{name}.ipynb)" if pages.written(root, name) else f"{name[:2]} (planned)"
        out += "" if after in ("", "or") else ", "
    return out


def exercise_tables(root: Path = ROOT) -> str:
    """All exercises in Markdown, a table for each chapter."""
    known = list(assignments.bank(root).values())
    return (f"{len(known)} exercises, {_sum(known, 'points')} points, {sum(e.minutes for e in known) / 60:.0f} hours.\n\n"
            + assignments.table(root)).rstrip()


def set_table(root: Path = ROOT) -> str:
    """The problem sets in Markdown: hours, points, and how many of these a person gives."""
    out = ["| Problem set | Hours | Points | By hand | Parts |", "|:--|--:|--:|--:|:--|"]
    for name, parts in assignments.problem_sets(root).items():
        hand = [e for e in parts if e.by_hand]
        out.append(f"| {assignments.title(name, root).partition(': ')[2]}<br>`{name}` | "
                   f"{sum(e.minutes for e in parts) / 60:.1f} | {_sum(parts, 'points')} | "
                   f"{_sum(hand, 'points')} | {len(parts) - len(hand)} in code, {len(hand)} in words |")
    return "\n".join(out)
