"""The instructors' page: its tables are current, its commands exist, its exercises too, and its example of one works as it is printed."""
import re
import shutil
from pathlib import Path

import nbformat
import pytest
import yaml

from tools import assignments, exercises, judging, notebooks, pages, teaching

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / pages.INSTRUCTORS).read_text(encoding="utf-8")
BANK = assignments.bank(ROOT)


def block(name: str) -> str:
    return re.search(rf"(?s)<!-- begin {name}:[^>]*-->(.*?)<!-- end {name} -->", PAGE)[1].strip()


TYPED = PAGE.replace(block("paths"), "").replace(block("exercises"), "").replace(block("example"), "").replace(block("sets"), "")


# --- what is generated

def test_the_generated_tables_are_current():
    assert block("paths") == teaching.path_tables(ROOT) and block("exercises") == teaching.exercise_tables(ROOT)
    assert block("sets") == teaching.set_table(ROOT), "run make notebooks"


@pytest.fixture
def course(tmp_path) -> Path:
    """A copy of what the page is made from."""
    for name in ("chapters", "assignments", "appendix", "tools", "lecture_utils"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("intro.md", "references.bib", "constraints.txt", "requirements.txt", "requirements-book.txt", "_config.yml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_a_change_of_an_exercise_its_judge_or_a_path_makes_the_page_stale(course):
    assert course / pages.INSTRUCTORS not in pages.outdated(course)
    for file, before, after in [("chapters/02-numerical.ipynb", '"minutes": 5', '"minutes": 6'), ("tools/paths.yml", "[fd-forward, optimal-step]", "[fd-forward]"),
                                ("assignments/hidden/02-numerical.py", '"32 bits stay 32 bits"', '"32 bits"')]:
        text = (course / file).read_text(encoding="utf-8")
        assert before in text
        (course / file).write_text(text.replace(before, after), encoding="utf-8")
        assert pages.instructors_page(course) != PAGE, file
        (course / file).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("before, after, words", [
    ("homework: [scores]", "homework: [score]", "tools/paths.yml, One week, day 4: got exercise 'score', expected one of its chapters': .*scores"),
    ("homework: [scores]", "homework: [hvp]", "day 4: got exercise 'hvp'"),
    ("17-optima-equilibria], homework: [incidence]", "17-optima], homework: [incidence]", "day 5: got chapter '17-optima', expected one of tools/plan.yml"),
    ("set: p1-mini-autodiff", "set: p1", "A semester, week 4: got problem set 'p1', expected one of p1-mini-autodiff, p2-curvature")])
def test_a_path_with_a_chapter_or_an_exercise_that_is_not_there_is_refused(course, before, after, words):
    path = course / "tools" / "paths.yml"
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))
    with pytest.raises(ValueError, match=words):
        teaching.path_tables(course)


def test_the_sums_of_a_path_are_those_of_its_exercises():
    for path in yaml.safe_load((ROOT / "tools" / "paths.yml").read_text()):
        part = block("paths").split(f"### {path['path']}\n")[1].split("###")[0]
        ids = [i for session in path["sessions"] for i in session["homework"]]
        assert re.findall(r"\[`([\w-]+)`\]", part) == ids and len(set(ids)) == len(ids)
        minutes, points = sum(BANK[i].minutes for i in ids), sum(BANK[i].points for i in ids)
        assert f"{len(ids)} exercises, {minutes} minutes, {points:g} points." in part
        rows = [row.split("|")[1:-1] for row in part.splitlines() if re.match(r"\| \d", row)]
        assert [sum(float(row[i]) for row in rows) for i in (3, 4)] == [minutes, points]


def test_the_paths_are_those_of_the_home_page():
    plans = re.search(r"(?s)## Three paths(.*?)## ", (ROOT / "intro.md").read_text(encoding="utf-8"))[1]
    said = re.findall(r"(?m)^\*\*(One week|Three weeks|A semester)\*\*.*\n: (.+)$", plans)
    numbers = lambda text: {f"{n:02d}" for a, b in re.findall(r"(\d\d) to (\d\d)", text) for n in range(int(a), int(b) + 1)} | set(re.findall(r"\d\d", text))
    mine = {p["path"]: {c[:2] for s in p["sessions"] for c in s["chapters"]} - {"or"} for p in teaching.read_paths(ROOT)}
    assert mine == {name: numbers(text) for name, text in said} and len(mine) == 3


# --- what is typed

def commands() -> list[str]:
    """The lines of its bash blocks, and the commands in its sentences."""
    parts = re.findall(r"(?ms)^```bash\n(.*?)^```", PAGE.replace("\\\n", " "))
    lines = [line for part in parts for line in part.splitlines()]
    return [line for line in lines if not line.startswith("#")] + re.findall(r"`(make [^`]+)`", PAGE)


def test_every_make_command_is_a_target_with_the_variables_that_it_takes():
    makefile = (ROOT / "Makefile").read_text()
    found = [c for c in commands() if c.startswith("make ")]
    assert {c.split()[1] for c in found} >= {"test", "assignments", "grade", "public", "repo", "notebooks", "book"}
    for command in found:
        target, *words = command.split()[1:]
        assert re.search(rf"(?m)^{target}:.*## ", makefile), f"{command}: no such target"
        recipe = re.search(rf"(?m)^{target}:.*\n((?:\t.*\n)+)", makefile)[1]
        for word in words:
            name = word.split("=")[0]
            assert name.isupper() and f"$({name})" in recipe, f"{command}: {target} takes no {name}"


def test_every_homework_that_it_names_can_be_made():
    asked = [m for c in commands() for m in re.findall(r"^make assignments .*?\bA=(\S+)", c)]
    assert len(asked) >= 4
    for names in asked:
        if names != "second-difference":                       # the example of a new one
            assert assignments.choose(names, ROOT)


def test_every_exercise_and_every_file_that_it_names_exists():
    words = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", TYPED)) - {"homework-1", "homework-2", "apt-get"}
    assert words and words <= set(BANK), words - set(BANK)
    files = set(re.findall(r"`((?:tools|assignments|chapters|benchmarks|lecture_utils)/[\w./-]*)`", PAGE)) | set(re.findall(r"/blob/main/([\w./-]+)", PAGE))
    files = {f for f in files if "homework" not in f}
    assert len(files) > 5 and not [f for f in files if not (ROOT / f).exists()]


def test_times_are_those_of_the_recorded_run():
    said = re.search(r"100 submissions of 02-numerical: (\d+) s", (ROOT / "benchmarks" / "recorded" / "grading.txt").read_text())[1]
    assert f"`make grade`: {said} seconds for 100 submissions of chapter 02" in PAGE


def test_limits_of_the_sandbox_are_those_of_the_code():
    from tools import sandbox
    limits = sandbox.Limits()
    assert (f"- {limits.seconds:g} seconds, {limits.memory / 1000:g} GB of memory, {limits.processes} processes, and {limits.disk} MB of "
            f"temporary files;\n- {limits.output} MB for what it gives back.") in PAGE
    hostile = (ROOT / "tests" / "test_grade_hostile.py").read_text()
    tried = len(re.findall(r'(?m)^    "[^"\n]+": \(', hostile))
    assert tried > 60 and "more than 60 broken or hostile submissions" in PAGE


# --- the example

def test_the_example_of_an_exercise_works_as_it_is_printed(course):
    if "second-difference" in BANK:
        pytest.skip("the example was added to the course")
    markdown, = re.findall(r"(?ms)^`````markdown\n(.*?)^`````$", block("example"))
    hidden, wrong = re.findall(r"(?ms)^```python\n(.*?)^```$", block("example"))
    text = course / "chapters" / "02-numerical.md"
    assert text.read_text(encoding="utf-8").count("\n## Summary\n") == 1
    text.write_text(text.read_text(encoding="utf-8").replace("\n## Summary\n", f"\n{markdown}\n## Summary\n"), encoding="utf-8")
    for folder, part in (("hidden", hidden), ("wrong", wrong)):
        with open(course / "assignments" / folder / "02-numerical.py", "a", encoding="utf-8") as f:
            f.write("\n\n" + part)
    nb = notebooks.read_text(text)
    text.with_suffix(".ipynb").write_text(nbformat.writes(nb), encoding="utf-8")
    e = assignments.bank(course)["second-difference"]
    answers = [w for w in judging.wrong_answers("02-numerical", course) if w.exercise == e.id]
    results = judging.run([(e, e.solution, seed) for seed in (0, 1, 2)] + [(e, exercises.stub(e.solution), 0)]
                          + [(e, w.source, 0) for w in answers], root=course)
    assert [r.points for r in results[:4]] == [2, 2, 2, 0] and not results[0].visible and len(answers) == 2
    for w, result in zip(answers, results[4:]):
        assert result.points < 2 and any(w.hint in hint for hint in result.hints)
    assert "`second-difference`" in assignments.table(course)
    assert all(len(line) <= 80 for c in nb.cells if c.metadata.get("exercise", {}).get("id") == e.id for line in c.source.splitlines())
