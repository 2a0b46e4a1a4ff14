"""`make grade`: points, feedback, going on after an interruption, and what it refuses. tests/test_grade_hostile.py has the attacks."""
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny_course as tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from tools import exercises, grade, sandbox, submissions

ROOT = Path(__file__).resolve().parents[1]
REASON = sandbox.why_not()
needs_sandbox = pytest.mark.skipif(bool(REASON), reason=REASON or "-")
LIMITS = sandbox.Limits(seconds=20, memory=500, processes=24, output=2, disk=8, start=60)
HALF = "def square(x):\n    return x * abs(x)"
STUBS = {name: f"def {name}({args}):\n    {exercises.PLACEHOLDER}" for name, args in (("square", "x"), ("mean_of", "xs"), ("odd_part", "f, x"))}


@pytest.fixture
def course(tmp_path):
    return tiny.make(tmp_path / "course")


def run(root, folder, out, *more, asked="90-tiny"):
    return grade.main(["-a", asked, "--dir", str(folder), "--out", str(out), "--seed", "5", "--jobs", "2", *more], root, LIMITS)


def three(folder):
    tiny.submit(folder, "ann", tiny.notebook())
    tiny.submit(folder, "bob", tiny.notebook(square=HALF, mean_of="def mean_of(xs):\n    return helper(xs)"))
    tiny.submit(folder, "cy", tiny.notebook(**STUBS))
    return folder


@needs_sandbox
def test_right_half_and_empty_get_their_points_and_the_feedback_that_helps(course, tmp_path):
    out = tmp_path / "out"
    assert run(course, three(tmp_path / "given"), out) == 0
    assert (out / "grades.csv").read_text() == ("student,square,mean-of,odd-part,total,out_of,remark\nann,2,2,3,7,7,\nbob,1,0,3,4,7,\n"
                                                "cy,0,0,0,0,7,\"square, mean-of, odd-part: not answered: the cell is as it was handed out\"\n")
    ann, bob, cy = ((out / "feedback" / f"{name}.md").read_text() for name in ("ann", "bob", "cy"))
    assert ann.startswith("# ann: 7 of 7 points") and "Hint" not in ann
    assert "- **negative numbers**: 0 of 1. Hint: a square is never negative" in bob and "- **positive numbers**: 1 of 1" in bob
    assert "NameError: name 'helper' is not defined" in bob and "Only the import cell and the cells of this exercise were run" in bob
    assert "visible tests:\n" not in bob.split("## The odd-part")[1] and "Not answered: the cell is as it was handed out." in cy


@needs_sandbox
@pytest.mark.parametrize("answer, failure, advice", [
    ("def square(x:\n    return x * x", "SyntaxError: '(' was never closed (<answer>, line 1)", ""),
    ("def sqare(x):\n    return x * x", "the cell does not define square", "keep that name"),
    ("import statsmodelz\ndef square(x):\n    return x * x", "ModuleNotFoundError: No module named 'statsmodelz'", "`!pip install` does nothing"),
    pytest.param("def square(x):\n    while True: pass", "it gave no result: it ran longer than", "It may never end", marks=pytest.mark.slow)])
def test_an_answer_that_did_not_run_has_a_remark_and_no_hints_about_what_it_did_not_do(course, tmp_path, answer, failure, advice):
    tiny.submit(tmp_path / "given", "dan", tiny.notebook(square=answer))
    assert run(course, tmp_path / "given", tmp_path / "out") == 0
    told, grades = (tmp_path / "out" / "feedback" / "dan.md").read_text(), (tmp_path / "out" / "grades.csv").read_text()
    square = told.split("## ")[1]
    assert failure in square and advice in square and "Mend first what is named above" in square and "Hint" not in square
    assert "- **positive numbers**: 0 of 1\n" in square and f"square: {failure}" in grades.splitlines()[1] and ",5,7," in grades


@needs_sandbox
def test_what_is_no_notebook_is_told_what_to_hand_in(course, tmp_path):
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "eve.ipynb").write_bytes(b"PK\x03\x04 a text document")
    assert run(course, tmp_path / "given", tmp_path / "out") == 0
    assert "Download .ipynb" in (tmp_path / "out" / "feedback" / "eve.md").read_text()


@needs_sandbox
def test_the_order_of_files_and_the_number_of_jobs_change_nothing(course, tmp_path):
    tables = []
    for jobs, names in (("1", "abcd"), ("3", "dcba")):
        for name in names:
            tiny.submit(tmp_path / jobs, name, tiny.notebook(square=HALF if name in "bd" else "1 / 0"))
        assert run(course, tmp_path / jobs, tmp_path / f"out{jobs}", "--jobs", jobs) == 0
        tables.append((tmp_path / f"out{jobs}" / "grades.csv").read_text())
    assert tables[0] == tables[1]


@needs_sandbox
def test_an_interrupted_run_goes_on_where_it_was(course, tmp_path, capsys):
    given, out = tmp_path / "given", tmp_path / "out"
    for i in range(8):
        tiny.submit(given, f"s{i}", tiny.notebook(square="import time\ntime.sleep(0.3)\n" + (HALF if i % 2 else STUBS["square"].replace("raise", "return 1 #"))))
    code = (f"import signal, sys; sys.path.insert(0, {str(ROOT)!r})\nfrom pathlib import Path\nfrom tools import grade\nif __name__ == '__main__':\n"
            "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"          # a shell's background job starts with it ignored
            f"    sys.exit(grade.main(['-a', '90-tiny', '--dir', {str(given)!r}, '--out', {str(out)!r}, '--seed', '5', '--jobs', '1'], "
            f"Path({str(course)!r}), grade.sandbox.{LIMITS!r}))")
    (tmp_path / "run.py").write_text(code)
    process = subprocess.Popen([sys.executable, str(tmp_path / "run.py")], stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 120
    while len(list((out / "records").glob("*.json"))) < 4 and time.monotonic() < end and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "the same command goes on" in errors, errors
    before = {p.name: p.stat().st_mtime_ns for p in (out / "records").glob("*.json")}
    assert 4 <= len(before) < 8 and not (out / "grades.csv").exists()
    assert run(course, given, out) == 0
    assert f"graded {8 - len(before)}, kept {len(before)}" in capsys.readouterr().out
    assert {p.name: p.stat().st_mtime_ns for p in (out / "records").glob("*.json") if p.name in before} == before
    assert run(course, given, tmp_path / "fresh") == 0
    assert (out / "grades.csv").read_text() == (tmp_path / "fresh" / "grades.csv").read_text()


@needs_sandbox
def test_only_what_changed_is_graded_again(course, tmp_path, capsys):
    given, out = three(tmp_path / "given"), tmp_path / "out"
    told = lambda: (run(course, given, out), capsys.readouterr().out)[1]
    assert "graded 3, kept 0" in told() and "graded 0, kept 3" in told()
    tiny.submit(given, "bob", tiny.notebook())
    assert "graded 1, kept 2" in told() and "\nbob,2,2,3,7,7,\n" in (out / "grades.csv").read_text()
    (out / "records" / "ann.json").write_text("half a rec")
    assert "graded 1, kept 2" in told()
    hidden = course / "assignments" / "hidden" / "90-tiny.py"
    hidden.write_text(hidden.read_text().replace("a square is never negative", "look at the sign"))
    assert "graded 3, kept 0" in told()
    (given / "bob.ipynb").unlink()
    assert "graded 0, kept 2" in told() and not (out / "feedback" / "bob.md").exists() and "bob" not in (out / "grades.csv").read_text()


@needs_sandbox
def test_a_homework_from_several_chapters_each_with_its_own_imports(course, tmp_path):
    other = json.loads((course / "chapters" / "90-tiny.ipynb").read_text())
    other["cells"] = [other["cells"][0], other["cells"][1], tiny.code("from math import prod", tags=["imports"]),
                      tiny.markdown(":::{exercise} A product\n:label: ex-product\n:::"), tiny.code(
                          "def product(xs):\n    # BEGIN SOLUTION\n    return prod(xs)\n    # END SOLUTION", "product", "solution",
                          answer="product", points=1, stars=1, minutes=1), tiny.code("assert product([2, 3]) == 6", "product", "test")]
    other["cells"][4]["metadata"] |= {"cellView": "form", "tags": ["hide-input"]}
    (course / "chapters" / "91-other.ipynb").write_text(json.dumps(other))
    (course / "assignments" / "hidden" / "91-other.py").write_text(
        "from tools.judging import Part, close\ndef drive_product(answer, seed):\n    return {'x': lambda: answer([2.0, 3.0, seed])}\n"
        "def judge_product(arrays, seed):\n    return [Part('three', 1, close(arrays, 'x', 6.0 * seed), 'multiply')]\n")
    nb = tiny.notebook()
    nb["cells"][2]["source"] = "import math\nimport numpy as np\nfrom math import prod\n"
    nb["cells"] += [tiny.markdown('<a id="ex-product"></a>\n## A product'), tiny.code("def product(xs): return np.prod(xs)", "product", "stub")]
    tiny.submit(tmp_path / "given", "ann", nb)                     # uses np, which the exercise's own chapter does not import
    homework = course / "_build" / "assignments" / "hw" / "private"
    homework.mkdir(parents=True)
    (homework / "assignment.json").write_text(json.dumps({"seed": 9, "exercises": [{"id": "product"}, {"id": "square"}]}))
    for asked in ("product,square", "hw", str(homework / "assignment.json")):
        out = tmp_path / f"out{len(asked)}"
        assert run(course, tmp_path / "given", out, asked=asked) == 0
        assert (out / "grades.csv").read_text() == "student,product,square,total,out_of,remark\nann,1,2,3,3,\n"
    assert grade.chosen("hw", course)[1] == 9


def test_without_a_sandbox_nothing_runs_unless_told(course, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sandbox, "why_not", lambda: "there is none")
    given = three(tmp_path / "given")
    assert run(course, given, tmp_path / "out") == 2
    assert "there is none. With UNSAFE=1" in capsys.readouterr().err and not (tmp_path / "out").exists()
    assert run(course, given, tmp_path / "out", "--unsafe", "1") == 0
    assert "ann,2,2,3,7,7,\nbob,1,0,3,4,7,\n" in (tmp_path / "out" / "grades.csv").read_text()
    assert "UNSAFE=1: submissions run without a sandbox" in capsys.readouterr().err


@pytest.mark.parametrize("arguments, message", [
    (["-a", "", "--dir", "."], "A is missing: make grade A="),
    (["-a", "90-tiny", "--dir", ""], "DIR is missing"),
    (["-a", "90-tiny", "--dir", "/nowhere"], "DIR=/nowhere: no such folder"),
    (["-a", "tiny", "--dir", "@"], "A=tiny: expected a chapter with exercises (90-tiny), ids of exercises such as square"),
    (["-a", "square,90-tiny", "--dir", "@"], "square would be graded twice"),
    (["-a", ",", "--dir", "@"], "expected a chapter"),
    (["-a", "90-tiny", "--dir", "@", "--jobs", "0"], "JOBS=0: expected a whole number from 1"),
    (["-a", "90-tiny", "--dir", "@", "--seed", "x"], "SEED=x: expected a whole number from 0"),
    (["-a", "90-tiny", "--dir", "@", "--unsafe", "yes"], "UNSAFE=yes: expected 1"),
    (["-a", "90-tiny", "--dir", "@", "--out", "@"], "expected a folder that does not hold the submissions"),
    (["-a", "90-tiny", "--dir", "@", "--out", "@/../course"], "expected a new or empty folder"),
])
def test_a_wrong_argument_is_named_with_what_was_expected(course, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.setattr(sandbox, "why_not", lambda: "")
    three(tmp_path / "given")
    code = grade.main([a.replace("@", str(tmp_path / "given")) for a in arguments], course, LIMITS)
    assert code == 2 and message in capsys.readouterr().err


def test_an_empty_folder_and_grades_of_another_homework_are_refused(course, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sandbox, "why_not", lambda: "")
    (tmp_path / "given").mkdir()
    assert run(course, tmp_path / "given", tmp_path / "out") == 2 and "no files in it" in capsys.readouterr().err
    three(tmp_path / "given")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "settings.json").write_text('{"A": "02-numerical", "exercises": ["fd-forward"], "seed": 1}')
    assert run(course, tmp_path / "given", tmp_path / "out") == 2
    assert "it holds the grades of 02-numerical" in capsys.readouterr().err


@needs_sandbox
def test_nothing_is_graded_when_the_solution_itself_loses_points(course, tmp_path, capsys):
    hidden = course / "assignments" / "hidden" / "90-tiny.py"
    hidden.write_text(hidden.read_text().replace("xs.mean()", "xs.mean() + (seed == 5)"))
    assert run(course, three(tmp_path / "given"), tmp_path / "out") == 2
    assert "mean-of: 0 of 2 (five numbers)" in capsys.readouterr().err and not (tmp_path / "out" / "grades.csv").exists()
    assert run(course, tmp_path / "given", tmp_path / "out", "--seed", "6") == 0


@needs_sandbox
def test_a_seed_that_is_not_given_is_drawn_once_and_kept(course, tmp_path):
    given, out = three(tmp_path / "given"), tmp_path / "out"
    seeds = []
    for _ in range(2):
        assert grade.main(["-a", "90-tiny", "--dir", str(given), "--out", str(out)], course, LIMITS) == 0
        seeds.append(json.loads((out / "settings.json").read_text())["seed"])
        tiny.submit(given, "dee", tiny.notebook())
    assert seeds[0] == seeds[1]


@needs_sandbox
def test_a_real_chapter_its_solution_as_a_submission_and_one_wrong_answer(tmp_path):
    chapter = json.loads((ROOT / "chapters" / "02-numerical.ipynb").read_text(encoding="utf-8"))
    tiny.submit(tmp_path / "given", "right", chapter)
    for cell in chapter["cells"]:
        cell["metadata"] = {}                                  # an editor lost all of it
        cell["source"] = "".join(cell["source"]).replace("return (f(x + h * v) - f(x)) / h", "return (f(x) - f(x + h * v)) / h")
    tiny.submit(tmp_path / "given", "wrong", chapter)
    assert grade.main(["-a", "fd-forward,optimal-step", "--dir", str(tmp_path / "given"), "--out", str(tmp_path / "out"), "--seed", "1"]) == 0
    right, wrong = (tmp_path / "out" / "grades.csv").read_text().splitlines()[1:]
    assert right == "right,3,4,7,7,"
    assert wrong.split(",")[1] in "012" and wrong.split(",")[2] == "4", wrong
    assert "the sign" in (tmp_path / "out" / "feedback" / "wrong.md").read_text()


# --- finding answers -----------------------------------------------------------------------------------

def found(root, nb):
    es = exercises.read(root / "chapters" / "90-tiny.ipynb")
    return submissions.read(json.dumps(nb).encode(), es, submissions.course_cells(root / "chapters" / "90-tiny.ipynb"))


ANSWER = "def mean_of(xs):\n    return np.mean(xs)"


def test_answers_are_found_by_mark_by_place_and_by_name(course):
    read = lambda nb: found(course, nb)
    nb = tiny.notebook(mean_of=ANSWER)
    assert read(nb).answers["mean-of"] == [ANSWER]
    for cell in nb["cells"]:
        cell["metadata"] = {}
    assert read(nb).answers["mean-of"] == [ANSWER]                                        # by place
    nb["cells"] = [c for c in nb["cells"] if c["cell_type"] == "code"][::-1]
    assert read(nb).answers["mean-of"] == [ANSWER]                                        # by name
    nb["cells"][:] = [tiny.code("x = 1") | {"id": "mean-of-answer"}, tiny.code("y = 1")]
    assert read(nb).answers["mean-of"] == ["x = 1"] and "defines square" in read(nb).missing["square"]


def test_a_visible_test_is_no_answer_also_when_it_was_wrapped_and_lost_its_mark(course):
    nb = tiny.notebook(mean_of=STUBS["mean_of"])
    for cell in nb["cells"]:
        cell["metadata"] = {}
        if cell["source"].startswith("assert mean_of"):
            cell["source"] = "try:\n    assert mean_of(\n        [1, 3],\n    ) == 2\nexcept NotImplementedError:\n    print('not answered yet')"
    assert found(course, nb).missing["mean-of"].startswith("not answered")


def test_helpers_beside_the_answer_count_and_an_untouched_stub_replaces_nothing(course):
    read = lambda nb: found(course, nb)
    nb = tiny.notebook(mean_of=ANSWER)
    at = next(i for i, c in enumerate(nb["cells"]) if c["source"] == ANSWER)
    nb["cells"].insert(at, tiny.code("helper = 1"))
    assert read(nb).answers["mean-of"] == ["helper = 1", ANSWER]
    nb = tiny.notebook(mean_of=STUBS["mean_of"])
    assert read(nb).missing["mean-of"].startswith("not answered")
    nb["cells"].append(tiny.code(ANSWER))                                                # written in a new cell at the end
    assert read(nb).answers["mean-of"] == [ANSWER]
    nb["cells"].insert(0, tiny.code(ANSWER + "  # "))
    assert read(nb).answers["mean-of"] == [ANSWER + "  # ", ANSWER]                      # the last one counts


def test_what_the_chapter_itself_defines_is_no_answer(course):
    own = "def mean_of(xs):\n    return 'a function of the chapter, not an answer'"
    nb = {"cells": [tiny.code(own), tiny.code("z = 0")]}
    assert "mean-of" in found(course, nb).missing


def test_imports_that_a_student_added_come_along_when_the_answer_uses_them(course):
    nb = tiny.notebook(mean_of="def mean_of(xs):\n    return statistics.fmean(xs)")
    nb["cells"][2]["source"] += "import statistics\nimport scipy.linalg as la\n"
    read = found(course, nb)
    assert read.imports["mean-of"] == ["import statistics"] and read.imports["square"] == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=300), min_size=2, max_size=6, unique=True))
def test_each_student_has_a_file_of_their_own_on_any_file_system(students):
    names = [grade.file_name(s) for s in students]
    assert len({n.lower() for n in names}) == len(students)
    assert all(n and len(n.encode()) <= 200 and not set(n) & set("/\\\0:*?\"<>|\n") and n.strip(" .") == n for n in names)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda x: st.lists(x, max_size=4) | st.dictionaries(
    st.sampled_from(["cells", "source", "metadata", "cell_type", "id", "exercise", "tags"]), x, max_size=4)).map(lambda x: json.dumps(x).encode()))
def test_any_bytes_are_a_notebook_or_refused_with_a_reason(data):
    es = [exercises.Exercise("square", "90-tiny", "square", 2, 1, 1, "The square", tiny.RIGHT["square"], tiny.IMPORTS, [tiny.TESTS["square"]])]
    try:
        submission = submissions.read(data, es)
    except submissions.Unreadable as e:
        assert len(str(e)) > 10
    else:
        assert set(submission.answers) | set(submission.missing) == {"square"}


@pytest.mark.parametrize("path", sorted((ROOT / "chapters").glob("[0-9]*.ipynb")), ids=lambda p: p.stem)
def test_every_answer_of_the_course_is_found_without_metadata_and_in_any_order(path):
    """So no chapter's own text, tests or names are taken for an answer."""
    es, nb = exercises.read(path), json.loads(path.read_text(encoding="utf-8"))
    for cell in nb["cells"]:
        cell["metadata"] = {}
    for cells in (nb["cells"], nb["cells"][::-1]):
        read = submissions.read(json.dumps({"cells": cells}).encode(), es, submissions.course_cells(path))
        assert not read.missing
        for e in es:
            assert read.answers[e.id] == [e.solution], e.id
