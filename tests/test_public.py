"""The tree that students may see, and the search that says so: no line of a solution, hidden test or wrong answer; it builds and holds."""
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools import assignments, exercises, leaks, notebooks, public, repo, setup_cell

ROOT = Path(__file__).resolve().parents[1]
OTHER = "https://github.com/x-class/x-course"
WANTED = leaks.secrets(ROOT)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The public tree of this project, in a folder that is a repository already and holds a file too many."""
    out = tmp_path_factory.mktemp("public") / "tree"
    subprocess.run(["git", "init", "-q", str(out)], check=True)
    (out / ".git" / "kept").touch()
    (out / "README.md").write_text("# a new repository\n")
    (out / public.MARK).touch()
    (out / "stale.md").write_text("of another term\n")
    (out / ".venv").mkdir()
    assert public.main([OTHER, str(out)]) == 0
    return out


# --- what it holds

def test_what_is_replaced_and_what_is_kept(tree):
    assert (tree / ".git" / "kept").exists() and (tree / ".venv").exists() and not (tree / "stale.md").exists()
    top = {p.name for p in tree.iterdir()}
    assert top == set(public.FILES) - {"LICENSE-x"} | {".git", ".venv", public.MARK, ".github", "Makefile", "README.md", "_assets", "_ext",
                                                       "appendix", "chapters", "lecture_utils", "tests", "tools"}
    assert {p.name for p in (tree / "tools").iterdir()} == set(public.TOOLS)
    chapters = {p.name for p in (ROOT / "chapters").glob("[0-9]*")}
    assert {p.name for p in (tree / "chapters").iterdir()} == chapters and chapters


def test_it_holds_no_line_of_a_secret(tree):
    assert leaks.search(tree, WANTED) == []


def test_chapters_keep_the_outputs_of_all_other_cells_and_exercises_wait(tree):
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        before, after = (json.loads(p.read_text(encoding="utf-8"))["cells"] for p in (path, tree / "chapters" / path.name))
        assert len(before) == len(after)
        for old, new in zip(before, after):
            if "exercise" not in old["metadata"]:
                assert old.get("outputs") == new.get("outputs"), f"{path.name}: {new['id']}"
            elif old["metadata"]["exercise"]["role"] == "test":
                assert new["outputs"][0]["text"] in (exercises.SAYS + "\n", [exercises.SAYS + "\n"])
        assert sum("exercise" in c["metadata"] for c in after) == sum("exercise" in c["metadata"] for c in before)


def test_every_address_is_that_of_the_public_repository(tree):
    own = setup_cell.repository(ROOT)
    for path in sorted(p for p in tree.rglob("*") if p.is_file() and ".git" not in p.parts and p.suffix in (".md", ".yml", ".ipynb", ".cff", ".toml", ".py")):
        text = path.read_text(encoding="utf-8")
        for spelling in repo.spellings(own):
            assert not repo._pattern(spelling).search(text), f"{path.relative_to(tree)} leads to the private repository"
    assert setup_cell.repository(tree) == setup_cell.package(tree) == OTHER
    for path in (tree / "chapters").glob("*.md"):
        assert f"git+{OTHER}@main" in path.read_text(encoding="utf-8")
    assert f"{repo.spellings(OTHER)[2]}/blob/main/chapters/00-getting-started.ipynb" in (tree / "README.md").read_text()


def test_the_targets_of_its_makefile_need_nothing_that_is_not_there(tree):
    text = (tree / "Makefile").read_text()
    targets = re.findall(r"(?m)^([a-z-]+):.*## ", text)
    assert targets == ["help", "book", "serve", "test", "clean"]
    assert all((tree / "tools" / f"{name}.py").exists() for name in re.findall(r"-m tools\.(\w+)", text))
    assert "EDITION" not in text
    done = subprocess.run(["make", "-n", "book", "test"], cwd=tree, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_it_passes_the_tests_of_its_own_chapters_and_builds_with_buttons_that_lead_to_it(tree):
    env = {**os.environ, "PYTHONPATH": str(tree)}
    subprocess.run(["git", "add", "-A"], cwd=tree, check=True)
    done = subprocess.run([sys.executable, "-m", "pytest", "-n", "0", "tests/test_tree.py"], cwd=tree, env=env,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    done = subprocess.run([sys.executable, "-m", "tools.book"], cwd=tree, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    html = tree / "_build" / "html"
    page = (html / "chapters" / "02-numerical.html").read_text(encoding="utf-8")
    assert f"https://{repo.spellings(OTHER)[2]}/blob/main/chapters/02-numerical.ipynb" in page and "Show solution" not in page
    assert exercises.SAYS in page and "★" in page
    assert leaks.search(html, WANTED) == []


# --- what is refused

def test_without_an_address_of_its_own_nothing_is_written(tmp_path, capsys):
    own = setup_cell.repository(ROOT)
    for url, words in [("", "URL: got ''"), (own, "with its solutions"), ("https://gitlab.com/a/b", "URL: got 'https://gitlab.com/a/b'")]:
        if url == "" and setup_cell.package(ROOT) != own:
            continue
        assert public.main([url, str(tmp_path / "out")]) == 1
        assert words in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_a_fork_with_a_public_copy_needs_no_url(monkeypatch):
    monkeypatch.setattr(setup_cell, "package", lambda root: OTHER)
    assert public.address("") == OTHER and public.address("https://github.com/a/b/") == "https://github.com/a/b"


def test_a_folder_that_holds_something_else_stays_as_it_is(tmp_path, capsys):
    for folder, file in [(tmp_path / "work", "thesis.tex"), (tmp_path / "clone", "chapters")]:
        folder.mkdir()
        (folder / file).touch()
        assert public.main([OTHER, str(folder)]) == 1
        assert "DIR: got" in capsys.readouterr().err and [p.name for p in folder.iterdir()] == [file]
    with pytest.raises(ValueError, match="DIR: got"):
        public.write(ROOT, OTHER)


def test_a_leak_or_a_stale_chapter_stops_it_and_leaves_the_old_tree(tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / public.MARK).write_text("old")
    def leaky(new, url, root):
        (new / "notes.md").write_text("hint: w solves `np.linalg.solve(powers, moments)`\n")
    monkeypatch.setattr(public, "stage", leaky)
    assert public.main([OTHER, str(out)]) == 1
    assert "notes.md holds a line of the solution of fd-weights" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.setattr(notebooks, "problems", lambda stem, root: [f"{stem.name}.ipynb was run before a change"])
    assert public.main([OTHER, str(out)]) == 1
    assert "chapters/00-getting-started.ipynb: 00-getting-started.ipynb was run before a change" in capsys.readouterr().err
    assert [p.name for p in out.iterdir()] == [public.MARK] and (out / public.MARK).read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_only_tests_of_the_package_are_public_and_what_they_import_is_there():
    names = {p.stem for p in public.public_tests(ROOT)}
    assert {"test_dual", "test_sparse_coloring", "sparse_problems"} <= names
    assert not names & {"test_public", "test_exercises", "test_assignments", "test_repo", "test_site", "test_notebooks"}
    inside = {p.stem for p in (ROOT / "tests").glob("*.py")}
    for name in names:
        imported = set(re.findall(r"(?m)^\s*(?:from|import) (\w+)", (ROOT / "tests" / f"{name}.py").read_text(encoding="utf-8")))
        assert imported & inside <= names and "tools" not in imported, name


def test_the_makefile_must_have_the_targets():
    with pytest.raises(ValueError, match="found no .*book"):
        public.makefile("help:\n\techo\n")


def test_the_table_of_what_hidden_tests_look_at_is_taken_out_of_pages():
    page = "a\n<!-- begin exercises: written by make notebooks -->\n\n| id | 32 bits |\n\n<!-- end exercises -->\nb\n"
    assert "32 bits" not in exercises.public_page(page) and exercises.public_page(page).startswith("a\n")
    assert exercises.public_page("no table") == "no table"


def test_the_instructors_page_loses_what_is_not_for_students_and_nothing_else(tree):
    full, left = ((root / "appendix" / "96-instructors.md").read_text(encoding="utf-8") for root in (ROOT, tree))
    for block in ("exercises", "example", "fork", "gradescope", "secrets"):
        begin, end = f"<!-- begin {block}:", f"<!-- end {block} -->"
        inside = left[left.index(begin):left.index(end)].splitlines()[1:]
        assert "".join(inside).startswith("*The ") and "".join(inside).endswith((" stands in the instructors' edition.*", " stand in the instructors' edition.*"))
        assert len(full[full.index(begin):full.index(end)]) > 1000
    assert "make public" not in left and "unearned" not in left and "forge" not in left
    headings = lambda text: re.findall(r"(?m)^## .+$", text)
    assert headings(full) == headings(left) and "[`fd-weights`](#ex-fd-weights)" in left, "the paths stay"


# --- the search

SOLUTION = "    return np.linalg.solve(powers, moments)"                      # of fd-weights, and nowhere else


def plants():
    """{file: text} with one secret in each, in all the ways in which one could get out."""
    solution = next(e.solution for e in assignments.bank(ROOT).values() if e.id == "fd-weights")
    hidden = [line for line in (ROOT / "assignments/hidden/02-numerical.py").read_text().splitlines() if "two_points = " in line][0]
    wrong = [line for line in (ROOT / "assignments/wrong/02-numerical.py").read_text().splitlines() if line.startswith("# %% ")][0]
    cell = lambda source: json.dumps({"cells": [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []}]})
    return {"solution.ipynb": cell(solution), "lines.ipynb": cell(solution.splitlines(keepends=True)),
            "output.ipynb": json.dumps({"cells": [{"outputs": [{"text": ["Traceback\n", f"--> 7 {SOLUTION}\n"]}]}]}),
            "metadata.ipynb": json.dumps({"metadata": {"old": {"cell": solution}}}),
            "twin.md": f"```{{code-cell}}\n{solution}\n```", "page.html": "<pre><span>return</span> <span>np</span>.linalg.solve(<b>powers</b>, moments)</pre>",
            "module.py": f"def f():\n    if True:\n    {SOLUTION}", "comment.py": f"# {SOLUTION.strip()}", "hidden.py": f"x = 1\n{hidden}\n",
            "wrong.md": f"A list:\n- {wrong}\n", "tabs.txt": SOLUTION.replace("    ", "\t").replace(", ", ","), "no-suffix": SOLUTION,
            "joined.js": json.dumps([solution]).replace("\\n", " "), "windows.txt": solution.replace("\n", "\r\n"),
            "short.md": "taken = []\nv[:] = 7\n"}


def test_the_search_finds_a_line_in_every_kind_of_file(tmp_path):
    for name, text in plants().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as z:
        z.writestr("a/b.py", SOLUTION)
    found = {line.split(" holds ")[0] for line in leaks.search(tmp_path, WANTED)}
    assert found == set(plants()) - {"short.md"} | {"archive.zip"}, "short lines alone give nothing away; all others are found"


def test_the_search_finds_every_line_that_it_says_it_looks_for(tmp_path):
    """All secrets planted at once, each in a program of its own."""
    for i, secret in enumerate([*WANTED.lines, *WANTED.pairs]):
        (tmp_path / f"{i}.py").write_text(f"import os\n{secret}\n", encoding="utf-8")
    found = {line.split(" holds ")[0] for line in leaks.search(tmp_path, WANTED)}
    assert len(found) == len(WANTED.lines) + len(WANTED.pairs)


def test_almost_every_exercise_has_lines_to_search_for_and_so_has_every_file_of_tests():
    wheres = [*WANTED.lines.values(), *WANTED.pairs.values()]
    bank = assignments.bank(ROOT)
    without = [i for i in bank if f"the solution of {i}" not in wheres]
    assert not without
    for path in sorted((ROOT / "assignments").rglob("[0-9]*.py")):
        assert wheres.count(path.relative_to(ROOT).as_posix()) >= 5, path.name


def test_what_gives_nothing_away_is_not_searched_for(tmp_path):
    (tmp_path / "assignments").mkdir()
    (tmp_path / "chapters").mkdir()
    (tmp_path / "lecture_utils").mkdir()
    (tmp_path / "lecture_utils" / "a.py").write_text("def taught_in_the_course(x, y):\n    return x\n")
    (tmp_path / "assignments" / "h.py").write_text(
        "import some_long_module_name.with_parts\ndef taught_in_the_course(x, y):\n    a = 1\n    b = [a, 2, 3, 4, 5, 6, 7]\n\n"
        "    a_line_of_its_own = a + b + c + d\n########################################\n")
    wanted = leaks.secrets(tmp_path)
    assert set(wanted.lines) == {"a_line_of_its_own=a+b+c+d"}
    assert set(wanted.pairs) == {"\ndeftaught_in_the_course(x,y):\na=1\n",
                                 "\nb=[a,2,3,4,5,6,7]\na_line_of_its_own=a+b+c+d\n"}


def test_an_index_with_a_word_that_no_page_has_is_found(tmp_path):
    (tmp_path / "page.html").write_text("<p>value_and_grad</p>")
    (tmp_path / "searchindex.js").write_text('Search.setIndex({"terms": {"value_and_grad": 0, "drive_fd_weights": 1}})')
    assert leaks.search(tmp_path, WANTED) == ["searchindex.js holds a word of a secret: drive_fd_weights"]
