"""A class of 100 graded, interrupted at half and taken up again: `make bench`. Linux with bubblewrap; else it says why not.

The class hands in chapter 02: from all exercises right to none touched, one in four answers a wrong one of assignments/wrong, and
five files broken in ways that files are broken (empty, cut off, not a notebook, a syntax error, an endless loop). The grading
program is interrupted (as by Ctrl-C) when half of the records are written; the same command then goes on. Seconds by wall time.
"""
import copy
import csv
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools import exercises, judging, sandbox

CHAPTER, STUDENTS = "02-numerical", 100
BROKEN = {"empty": lambda text: "", "cut off": lambda text: text[: len(text) // 2], "no notebook": lambda text: "%PDF-1.7 essay"}


def hand_in(folder: Path) -> dict[str, float]:
    """Write the class's notebooks; the points that each must get, as far as they are known beforehand."""
    notebook = json.loads((ROOT / "chapters" / f"{CHAPTER}.ipynb").read_text(encoding="utf-8"))
    untouched, points = exercises.course_edition(notebook), {e.id: e.points for e in exercises.read(ROOT / "chapters" / f"{CHAPTER}.ipynb")}
    wrong = {e: [w.source for w in judging.wrong_answers(CHAPTER) if w.exercise == e] for e in points}
    known = {}
    for i in range(STUDENTS):
        mine, name, total = copy.deepcopy(untouched), f"student-{i:03d}", 0
        for k, (cell, full) in enumerate(zip(mine["cells"], notebook["cells"])):
            facts = cell["metadata"].get("exercise", {})
            if facts.get("role") != "stub":
                continue
            choice = (7 * i + k) % 4                               # right, right, wrong, not answered
            if i % 10 == 0 or choice in (0, 1) and i % 10 != 9:
                cell["source"], total = "".join(full["source"]), total + points[facts["id"]]
            elif choice == 2 and i % 10 != 9:
                cell["source"], total = wrong[facts["id"]][i % len(wrong[facts["id"]])], float("nan")
        first = next(c for c in mine["cells"] if c["metadata"].get("exercise", {}).get("role") == "stub")
        if i == 91:
            first["source"], total = "def fd_forward(f x, v, h):\n    return 0", float("nan")
        if i == 92:
            first["source"], total = "while True:\n    pass", float("nan")
        text = json.dumps(mine, indent=1)
        for j, spoil in enumerate(BROKEN.values()):
            if i == 93 + j:
                text, total = spoil(text), 0
        (folder / f"{name}.ipynb").write_text(text, encoding="utf-8")
        known[name] = total
    return known


def grade(folder: Path, stop_at: int | None = None) -> tuple[float, str]:
    """(seconds, what the program said last) of one run, interrupted when that many records are written."""
    start = time.monotonic()
    argv = [sys.executable, "-m", "tools.grade", "-a", CHAPTER, "--dir", str(folder), "--seed", "1"]
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    if stop_at:
        records = folder.with_name(folder.name + "-graded") / "records"
        while len(list(records.glob("*.json")) if records.exists() else []) < stop_at and process.poll() is None:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
    said = process.communicate()[0].strip().splitlines()[-1]
    if process.returncode not in (0, 130):
        raise RuntimeError(said)
    return time.monotonic() - start, said


def main():
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {sys.platform}; load {os.getloadavg()[0]:.1f} before")
    reason = sandbox.why_not()
    if reason:
        print(f"not measured: {reason}")
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "submissions"
        place.mkdir()
        known = hand_in(place)
        whole, said = grade(place)
        print(f"{STUDENTS} submissions of {CHAPTER}: {whole:.0f} s; {said.split(':')[0]}")
        tables = []
        graded = place.with_name("submissions-graded")
        tables.append((graded / "grades.csv").read_bytes())
        graded.rename(place.with_name("first"))
        first, _ = grade(place, stop_at=STUDENTS // 2)
        kept = len(list((graded / "records").glob("*.json")))
        rest, said = grade(place)
        print(f"interrupted with {kept} records after {first:.0f} s; taken up: {rest:.0f} s; {said.split(':')[0]}")
        tables.append((graded / "grades.csv").read_bytes())
        print(f"both tables the same: {tables[0] == tables[1]}")
        rows = list(csv.DictReader(tables[0].decode().splitlines()))
        off = [row["student"] for row in rows
               if known[row["student"]] == known[row["student"]] and float(row["total"]) != known[row["student"]]]
        exact = sum(total == total for total in known.values())
        print(f"points as known beforehand for {exact - len(off)} of the {exact} whose points are known without grading")


if __name__ == "__main__":
    main()
