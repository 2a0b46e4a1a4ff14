"""Homework: student notebooks without an answer in them, which run untouched; solution notebooks that pass; bundles that give the judge's points."""
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from tools import assignments, exercises, gradescope, judging, leaks, setup_cell

ROOT = Path(__file__).resolve().parents[1]
BANK = assignments.bank(ROOT)
CHAPTERS = list(dict.fromkeys(e.chapter for e in BANK.values()))
FIVE = ["run-list", "fd-forward", "modified-duration", "fd-weights", "count-paths"]        # of three chapters, mixed
RUN = """
import contextlib, io, json, sys
for path in sys.argv[1:]:
    space, said = {"__name__": "__main__"}, []
    for cell in json.load(open(path))["cells"]:
        if cell["cell_type"] == "code" and cell["id"] != "setup":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(cell["source"], path + " " + cell["id"], "exec"), space)
            if cell["metadata"].get("exercise", {}).get("role") == "test":
                said.append(out.getvalue().strip())
    print(json.dumps(said))
"""


def of(chapter):
    return [e for e in BANK.values() if e.chapter == chapter]


@pytest.fixture(scope="module")
def homework(tmp_path_factory):
    """A homework of five exercises from three chapters, as `make assignments` writes it."""
    out = tmp_path_factory.mktemp("homework")
    assert assignments.main([",".join(FIVE), "--name", "homework-1", "--out", str(out), "--seed", "7"]) == 0
    return out / "homework-1"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_student_notebook_has_statement_stub_and_test_of_each_exercise_and_nothing_else(chapter):
    nb = assignments.notebook(chapter, of(chapter), "student", ROOT)
    nbformat.validate(nbformat.from_dict(nb))
    cells, ids = nb["cells"], [cell["id"] for cell in nb["cells"]]
    assert ids[:3] == ["intro", "setup", "imports"] and len(set(ids)) == len(ids)
    expected = [(e.id, role) for e in of(chapter) for role in ["stub"] + ["test"] * len(e.tests)]
    assert [(c["metadata"]["exercise"]["id"], c["metadata"]["exercise"]["role"]) for c in cells
            if "exercise" in c["metadata"]] == expected
    for cell in cells[1:]:
        assert not cell.get("outputs") and cell.get("execution_count") is None
        if cell["cell_type"] == "code" and cell["id"] != "setup":
            wide = [line for line in cell["source"].splitlines() if len(line) > 80]
            assert not wide, f"{cell['id']}: shorten the visible test's line to 76 characters: {wide}"
    prose = "\n".join(c["source"] for c in cells if c["cell_type"] == "markdown")
    assert ":::" not in prose and ":label:" not in prose
    links = [to for _, to in assignments.LINK.findall(prose)]
    assert links and all(to.startswith("https://") for to in links), "a homework is read away from the book"
    assert cells[2]["source"] == of(chapter)[0].imports
    extras = setup_cell.extras(assignments._tagged(chapter, "setup", ROOT))
    assert cells[1]["source"] == setup_cell.render(setup_cell.package(ROOT), extras)


def test_untouched_notebooks_run_from_top_to_bottom_and_solutions_pass(tmp_path):
    """Every exercise of the course in one notebook, untouched, forwards and backwards; five of three chapters solved."""
    files = []
    for name, chosen, edition in [("all", list(BANK.values()), "student"), ("back", list(BANK.values())[::-1], "student"),
                                  ("five", [BANK[i] for i in FIVE], "solution")]:
        files.append(tmp_path / f"{name}.ipynb")
        files[-1].write_text(json.dumps(assignments.notebook(name, chosen, edition, ROOT)))
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", RUN, *files], capture_output=True, text=True, cwd=tmp_path,
                          env={**os.environ, "MPLBACKEND": "agg"})
    assert done.returncode == 0, done.stderr[-2000:]
    said = [json.loads(line) for line in done.stdout.splitlines()]
    tests = sum(len(e.tests) for e in BANK.values())
    assert said[0] == said[1] == [exercises.SAYS] * tests
    assert said[2] == ["visible tests passed"] * len(FIVE)


# --- composing

def test_a_homework_of_three_chapters_keeps_the_order_asked_for_and_repeats_no_line(homework):
    nb = json.loads((homework / "release" / "homework-1.ipynb").read_text(encoding="utf-8"))
    assert nb["metadata"]["assignment"]["exercises"] == FIVE
    assert [c["metadata"]["exercise"]["id"] for c in nb["cells"] if c["metadata"].get("exercise", {}).get("role") == "stub"] == FIVE
    sources = {c["id"]: c["source"] for c in nb["cells"]}
    assert setup_cell.extras(sources["setup"]) == ["numdifftools==0.11.2"]
    lines = [line for line in sources["imports"].splitlines() if line.strip()]
    assert len(set(lines)) == len(lines)
    bound = {name for node in ast.parse(sources["imports"]).body for name, _ in assignments._binds(node)}
    for e in FIVE:
        assert {name for node in ast.parse(BANK[e].imports).body for name, _ in assignments._binds(node)} <= bound
    assert "(of chapter 04)" in "".join(sources.values()) and sources["imports"].count("lecture_utils") == 1


def test_the_import_cells_of_all_chapters_merge_without_a_repeated_line():
    merged = assignments.merged_imports({c: of(c)[0].imports for c in CHAPTERS})
    lines = [line for line in merged.splitlines() if line.strip()]
    assert len(set(lines)) == len(lines) and max(map(len, lines)) <= 80
    for chapter in CHAPTERS:
        for node in ast.parse(of(chapter)[0].imports).body:
            if not isinstance(node, (ast.Import, ast.ImportFrom)):
                assert ast.unparse(node) in ast.unparse(ast.parse(merged)), f"{chapter}: lost {ast.unparse(node)}"


def test_names_that_mean_two_things_and_versions_that_differ_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="02-b imports scipy.special.erf as erf, 01-a imports math.erf"):
        assignments.merged_imports({"01-a": "from math import erf", "02-b": "from scipy.special import erf"})
    monkeypatch.setattr(assignments, "_tagged", lambda chapter, tag, root: f'EXTRAS = ["asdex==0.5.{chapter[1]}"]')
    with pytest.raises(ValueError, match=r"02-b needs asdex==0.5.2, 01-a asdex==0.5.1"):
        assignments.merged_extras(["01-a", "02-b"])


def test_a_chapter_and_an_exercise_can_be_mixed():
    assert [e.id for e in assignments.choose("run-list, 00-getting-started")] == ["run-list", *[e.id for e in of("00-getting-started")]]


@pytest.mark.parametrize("asked, words", [("fd-foward", "got 'fd-foward'.*such as fd-forward"), ("2-numerical", "such as 02-numerical"),
                                          ("hvp,hvp", "hvp is named twice"), ("fd-forward,02-numerical", "fd-forward is named twice"),
                                          (" , ", "expected a chapter such as")])
def test_what_is_no_exercise_is_refused_with_the_nearest_name(asked, words):
    with pytest.raises(ValueError, match=f"A: .*{words}"):
        assignments.choose(asked)


@pytest.mark.parametrize("argv, words", [(["--name", "x"], "NAME: .*expected A="), (["hvp", "--name", "a/b"], "NAME: got 'a/b'"),
                                         (["hvp", "--name", "02-numerical"], "is the name of a chapter or problem set"),
                                         (["hvp", "--seed", "one"], "SEED: got 'one'"), (["nothing"], "A: got 'nothing'")])
def test_the_command_names_the_argument_and_writes_nothing(argv, words, tmp_path, capsys):
    assert assignments.main([*argv, "--out", str(tmp_path)]) == 1
    assert re.search(words, capsys.readouterr().err) and not list(tmp_path.iterdir())


def test_a_link_to_no_label_is_refused():
    with pytest.raises(ValueError, match=r"chapters/02-numerical: the link \[t\]\(#nowhere\)"):
        assignments.absolute("[t](#nowhere)", "02-numerical", {}, "https://x")
    said = assignments.absolute("[a](#b) [c](03-symbolic.md#d) [e](https://f) ![g](h.png)", "02-numerical", {"b": "p.html#b"}, "https://x")
    assert said == "[a](https://x/p.html#b) [c](https://x/chapters/03-symbolic.html#d) [e](https://f) ![g](h.png)"


# --- what is released, what is kept

def test_the_folder_holds_what_students_get_apart_from_what_is_kept(homework):
    files = sorted(p.relative_to(homework).as_posix() for p in homework.rglob("*") if p.is_file())
    assert files == ["private/assignment.json", "private/autograder.zip", "private/homework-1-solution.ipynb",
                     "release/handout.md", "release/homework-1.ipynb"]
    text = (homework / "release" / "handout.md").read_text(encoding="utf-8")
    points = sum(BANK[i].points for i in FIVE)
    assert f"{points} points" in text and "**Due:**" in text and all(BANK[i].title in text for i in FIVE) and len(text) < 4000
    facts = json.loads((homework / "private" / "assignment.json").read_text())
    assert [e["id"] for e in facts["exercises"]] == FIVE and facts["seed"] == 7
    assert leaks.search(homework / "release", leaks.secrets(ROOT)) == []
    assert leaks.search(homework / "private", leaks.secrets(ROOT)), "the search finds the solutions where they are"


def test_a_release_with_a_line_of_a_solution_is_not_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(exercises, "stub", lambda source: source)
    assert assignments.main(["fd-weights", "--out", str(tmp_path)]) == 1
    assert "homework.ipynb holds a line of the solution of fd-weights" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_the_table_has_every_exercise_with_the_parts_that_give_its_points():
    text = assignments.table()
    assert re.findall(r"(?m)^\*\*\[(\d\d) ", text) == [c[:2] for c in CHAPTERS]
    rows = [row for row in text.splitlines() if row.startswith("| [")]
    assert [re.match(r"\| \[.+\]\(#ex-([\w-]+)\)<br>`\1`<br>", row)[1] for row in rows] == list(BANK)
    for row, e in zip(rows, BANK.values()):
        assert f"[{e.title}]" in row and f"<br>{assignments.facts(e)} |" in row.replace(chr(160), " ")
        assert sum(float(p) for p in re.findall(r"\((\d+(?:\.\d+)?)\)(?:;| \|$)", row)) == e.points, row


# --- stubs and tests that wait

def test_a_placeholder_in_a_class_waits_until_it_is_used_and_one_outside_is_refused():
    source = "class A:\n    '''Doc.'''\n    # BEGIN SOLUTION\n    x = 1\n    # END SOLUTION"
    space = {}
    exec(exercises.stub(source), space)
    with pytest.raises(NotImplementedError, match=exercises.UNANSWERED):
        space["A"](1, 2)
    with pytest.raises(ValueError, match="outside a function or class"):
        exercises.stub("# BEGIN SOLUTION\nx = 1\n# END SOLUTION")


def test_a_test_waits_for_an_answer_and_shows_every_other_error(capsys):
    def say(f):
        exec(exercises.guarded("answer = f()\nassert answer == 1, 'not one'\nprint('passed')"), {"f": f})
        return capsys.readouterr().out
    def unanswered(): raise NotImplementedError("your code here")
    def other(): raise NotImplementedError("a rule of JAX")
    assert say(unanswered) == exercises.SAYS + "\n" and say(lambda: 1) == "passed\n"
    for f, error in [(other, NotImplementedError), (lambda: 2, AssertionError), (lambda: 1 / 0, ZeroDivisionError)]:
        with pytest.raises(error):
            say(f)
    with pytest.raises(ValueError, match="it changes when it is indented"):
        exercises.guarded("text = '''a\nb'''\nassert f(text)")


# --- the bundle

def test_a_bundle_gives_each_part_its_points_and_pins_what_it_needs(homework):
    with zipfile.ZipFile(homework / "private" / "autograder.zip") as z:
        names = z.namelist()
        assert {"setup.sh", "run_autograder", "environment.yml", "otter_config.json", "files/course_grading.py",
                "files/lecture_utils/__init__.py", "files/tools/judging.py"} <= set(names)
        for i in FIVE:
            text = z.read(f"tests/{i}.py").decode()
            assert sum(float(p) for p in re.findall(r"^@test_case\(.*points=([\d.]+)", text, flags=re.M)) == BANK[i].points
        pins = re.findall(r"- ([\w.-]+)==([\w.]+)", z.read("environment.yml").decode())
        job = json.loads(z.read("files/course_grading.json"))
    assert {"jax", "numpy", "sympy", "numdifftools", "torch"} <= {name for name, _ in pins}
    constraints = (ROOT / "constraints.txt").read_text()
    assert all(f"{name}=={version}" in constraints for name, version in pins if name != "otter-grader")
    assert {e["seed"] for chapter in job.values() for e in chapter["exercises"]} == {7}


def test_the_same_homework_gives_the_same_bundle(homework, tmp_path):
    gradescope.write(tmp_path / "again.zip", [BANK[i] for i in FIVE], ["numdifftools==0.11.2"], 7, ROOT)
    assert (tmp_path / "again.zip").read_bytes() == (homework / "private" / "autograder.zip").read_bytes()


def test_a_package_that_is_not_pinned_is_named(monkeypatch):
    monkeypatch.setattr(gradescope, "modules", lambda source: {"no_such_package"})
    with pytest.raises(ValueError, match="constraints.txt pins no no-such-package, which 02-numerical needs"):
        gradescope.requirements([BANK["fd-forward"]], [], ROOT)


def test_the_bundle_judges_as_the_course_does(tmp_path):
    """Right, untouched and wrong answers of a chapter, through the bundle's two processes and through tools/judging.py."""
    chapter = "04-computational-graphs"
    gradescope.write(tmp_path / "a.zip", of(chapter), [], 3, ROOT)
    with zipfile.ZipFile(tmp_path / "a.zip") as z:
        z.extractall(tmp_path / "z")
    files = tmp_path / "z" / "files"
    job = json.loads((files / "course_grading.json").read_text())[chapter]
    base = {e["id"]: e for e in job["exercises"]}
    answers = [(i, e.solution) for i, e in BANK.items() if e.chapter == chapter]
    answers += [(i, exercises.stub(BANK[i].solution)) for i, _ in answers[:1]] + [("share", "def share("), ("run-list", ""),
                                                                                 ("count-paths", "import os; os._exit(0)")]
    answers += [(w.exercise, w.source) for w in judging.wrong_answers(chapter)[:3]]
    (tmp_path / "job.json").write_text(json.dumps({**job, "exercises": [{**base[i], "cells": [source]} for i, source in answers]}))
    points = {i: [p.points for p in getattr(judging.hidden(chapter), "judge_" + i.replace("-", "_"))({}, 0)] for i in base}
    env = {**os.environ, "PYTHONPATH": str(files)}
    subprocess.run([sys.executable, files / "course_grading.py", "run", "job.json"], cwd=tmp_path, env=env, check=True)
    code = f"import json, sys; sys.path.insert(0, {str(files)!r}); import course_grading as c\nfor i in range({len(answers)}):\n" \
           "    job = json.load(open('job.json')); one = {**job, 'exercises': [job['exercises'][i]]}\n" \
           "    import shutil, os; os.makedirs(f'd{i}'); json.dump(one, open(f'd{i}/job.json', 'w'))\n" \
           "    [shutil.copy(f'{i}{s}', f'd{i}/0{s}') for s in ('.npz', '.json') if os.path.exists(f'{i}{s}')]\n" \
           f"    os.chdir(f'd{{i}}'); c.judge('job.json', {chapter!r}); os.chdir('..')"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    got = [sum(p for p, (ok, _) in zip(points[i], json.loads(line)[i]["parts"]) if ok) for (i, _), line in zip(answers, done.stdout.splitlines())]
    expected = [r.points for r in judging.run([(BANK[i], source, 3) for i, source in answers])]
    assert got == expected and set(got[:3]) != {0} and not any(got[3:7])


@pytest.mark.skipif(shutil.which("otter") is None, reason="otter-grader is not installed here: pip install otter-grader==7.0.0 in an "
                                                          "environment of its own, on the PATH")
def test_otter_itself_gives_a_right_answer_all_points_and_an_untouched_one_none(homework, tmp_path):
    total = sum(BANK[i].points for i in FIVE)
    for notebook, points in [("private/homework-1-solution.ipynb", total), ("release/homework-1.ipynb", 0)]:
        subprocess.run(["otter", "run", "-a", homework / "private" / "autograder.zip", "-o", tmp_path, "--no-logo", homework / notebook],
                       check=True, capture_output=True, env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"})
        results = json.loads((tmp_path / "results.json").read_text())["tests"]
        assert sum(t.get("score") or 0 for t in results) == points
