"""The chapters are in order, and the machinery that runs them loses nothing."""
import base64
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools import new_chapter, notebooks

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = notebooks.chapters(ROOT)
HEADER = new_chapter.TEXT[:new_chapter.TEXT.index("# {title}")]


@pytest.mark.parametrize("stem", CHAPTERS, ids=lambda s: s.name)
def test_chapter_is_fresh_paired_executed_and_described(stem):
    problems = notebooks.problems(stem, ROOT)
    assert not problems, "\n" + "\n".join(problems)


@pytest.fixture
def small(project):
    """A copy of the project whose chapters are two small ones, run once."""
    for path in (project / "chapters").iterdir():
        path.unlink()
    (project / "tools" / "paths.yml").write_text("[]\n")
    for name in ("01-first", "02-second"):
        cells = "\n".join(f"```{{code-cell}} ipython3\nprint({i}, '{name}')\n```\n" for i in range(3))
        (project / "chapters" / f"{name}.md").write_text(f"{HEADER}\n# {name}\n\nText.\n\n{cells}")
    assert notebooks.main([], root=project) == 0
    return project


def contents(root):
    return {p.name: p.read_bytes() for p in sorted((root / "chapters").iterdir())}


def test_a_second_run_changes_no_byte(small, capsys):
    before = contents(small)
    assert len(before) == 4
    assert notebooks.main([], root=small) == 0
    assert contents(small) == before
    assert "up to date" in capsys.readouterr().out


def test_running_again_by_force_changes_no_byte(small):
    before = contents(small)
    assert notebooks.main(["--force"], root=small) == 0
    assert contents(small) == before


def test_a_notebook_made_from_its_text_alone_is_the_same_notebook(small):
    before = contents(small)
    (small / "chapters" / "01-first.ipynb").unlink()
    assert notebooks.main([], root=small) == 0
    assert contents(small) == before


def test_an_edited_line_runs_its_chapter_alone(small, capsys):
    before = contents(small)
    md = small / "chapters" / "01-first.md"
    md.write_text(md.read_text().replace("print(1,", "print(1 + 10,"))
    capsys.readouterr()
    assert notebooks.main([], root=small) == 0
    out = capsys.readouterr().out
    assert "01-first: its text" in out and "02-second" not in out
    after = contents(small)
    assert after["02-second.ipynb"] == before["02-second.ipynb"]
    assert b"11 01-first" in after["01-first.ipynb"]


def test_a_run_for_a_preview_leaves_the_written_pages_alone(small):
    pages = {p: p.read_bytes() for p in (small / "appendix").glob("*.md")}
    md = small / "chapters" / "01-first.md"
    md.write_text(md.read_text() + "\n```{code-cell} ipython3\nassert 1 + 1 == 2\n```\n")
    assert notebooks.main(["--no-pages", "01-first"], root=small) == 0
    assert {p: p.read_bytes() for p in pages} == pages
    assert notebooks.main([], root=small) == 0
    assert {p: p.read_bytes() for p in pages} != pages, "the colophon counts the new cell"


def test_an_edit_in_the_notebook_reaches_its_text(small):
    path = small / "chapters" / "01-first.ipynb"
    path.write_text(path.read_text().replace("print(2, ", "print(2 + 20, "))
    assert notebooks.main([], root=small) == 0
    assert "print(2 + 20, " in (small / "chapters" / "01-first.md").read_text()
    assert "22 01-first" in path.read_text()


def test_edits_on_both_sides_are_refused_and_kept(small, capsys):
    md, ipynb = small / "chapters" / "01-first.md", small / "chapters" / "01-first.ipynb"
    md.write_text(md.read_text().replace("print(0, ", "print(100, "))
    ipynb.write_text(ipynb.read_text().replace("print(2, ", "print(200, "))
    before = contents(small)
    assert notebooks.main([], root=small) == 1
    assert contents(small) == before
    assert "both edited" in capsys.readouterr().err


def test_a_failing_chapter_keeps_its_old_notebook_and_the_others_run(small, capsys):
    before = contents(small)
    for name, old, new in [("01-first", "print(1,", "print(1 / 0,"), ("02-second", "print(1,", "print(1 + 5,")]:
        md = small / "chapters" / f"{name}.md"
        md.write_text(md.read_text().replace(old, new))
    assert notebooks.main([], root=small) == 1
    after = contents(small)
    assert after["01-first.ipynb"] == before["01-first.ipynb"] and b"6 02-second" in after["02-second.ipynb"]
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_killed_run_loses_nothing_and_the_next_one_completes(small):
    before = contents(small)
    md = small / "chapters" / "01-first.md"
    md.write_text(md.read_text().replace("print(1,", "import time; time.sleep(5); print(1 + 30,"))
    edited = md.read_bytes()
    env = {**os.environ, "PYTHONPATH": str(small)}
    process = subprocess.Popen([sys.executable, "-m", "tools.notebooks"], cwd=small, env=env, start_new_session=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert "01-first" in process.stdout.readline()
    time.sleep(2.5)                                            # in the kernel's sleep, or on the way there
    assert process.poll() is None, "the run ended before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    after = contents(small)
    assert after["01-first.ipynb"] == before["01-first.ipynb"] and md.read_bytes() == edited
    md.write_text(md.read_text().replace("time.sleep(5)", "time.sleep(0)"))
    assert notebooks.main([], root=small) == 0
    assert "31 01-first" in (small / "chapters" / "01-first.ipynb").read_text()


def test_a_file_is_replaced_in_one_step_or_not_at_all(small, monkeypatch):
    before = contents(small)
    md = small / "chapters" / "01-first.md"
    md.write_text(md.read_text().replace("print(1,", "print(1 + 40,"))

    def killed(*args):
        raise KeyboardInterrupt
    monkeypatch.setattr(notebooks.os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        notebooks.main([], root=small)
    monkeypatch.undo()
    assert (small / "chapters" / "01-first.ipynb").read_bytes() == before["01-first.ipynb"]
    assert notebooks.main([], root=small) == 0
    assert "41 01-first" in (small / "chapters" / "01-first.ipynb").read_text()


def edit_during_a_run(small, edit):
    """Run chapter 01, which calls `edit` in its second cell; the exit status."""
    md = small / "chapters" / "01-first.md"
    md.write_text(md.read_text().replace("print(1,", f"exec({edit!r}); print(1,"))
    return notebooks.main([], root=small)


def test_an_edit_of_the_text_during_a_run_stays_and_is_run_next(small, capsys):
    assert edit_during_a_run(small, "open('01-first.md', 'a').write('\\nMeanwhile.\\n')") == 0
    assert (small / "chapters" / "01-first.md").read_text().endswith("Meanwhile.\n")
    capsys.readouterr()
    assert "its text" in (notebooks.main([], root=small), capsys.readouterr().out)[1]


def test_an_edit_of_the_notebook_during_a_run_is_not_overwritten(small, capsys):
    assert edit_during_a_run(small, "open('01-first.ipynb', 'a').write(' ')") == 1
    assert (small / "chapters" / "01-first.ipynb").read_text().endswith(" ")
    assert "was changed while it ran" in capsys.readouterr().err


@pytest.mark.parametrize("suffix, kept", [("md", "Meanwhile."), ("ipynb", " ")])
def test_an_edit_of_a_chapter_that_waits_for_its_run_is_not_lost(small, suffix, kept):
    md = small / "chapters" / "02-second.md"
    md.write_text(md.read_text().replace("print(1,", "print(1 + 5,"))
    first = small / "chapters" / "01-first.md"
    edit = f"open('02-second.{suffix}', 'a').write('{kept}')"
    first.write_text(first.read_text().replace("print(1,", f"exec({edit!r}); print(1,"))
    assert notebooks.main(["--jobs", "1"], root=small) == (1 if suffix == "ipynb" else 0)
    assert (small / "chapters" / f"02-second.{suffix}").read_text().endswith(kept)


def test_a_module_that_changes_during_a_run_makes_the_run_stale(small):
    edit = "import lecture_utils; open(lecture_utils.__file__, 'a').write('\\n')"
    assert edit_during_a_run(small, edit) == 0
    nb = notebooks.read_notebook(small / "chapters" / "01-first.ipynb")
    assert notebooks.changed(nb, small) == ["lecture_utils/__init__.py"]


def test_new_versions_of_the_packages_and_foreign_outputs_make_a_chapter_stale(small):
    stem = small / "chapters" / "01-first"
    path = stem.with_suffix(".ipynb")
    path.write_text(path.read_text().replace("2 01-first", "3 01-first"))
    assert "holds outputs that its run did not give: run make notebooks" in " ".join(notebooks.problems(stem, small))
    assert notebooks.main([], root=small) == 0 and "2 01-first" in path.read_text()
    pins = small / "constraints.txt"
    pins.write_text(pins.read_text().replace("numpy==", "numpy==1"))
    assert notebooks.changed(notebooks.read_notebook(path), small) == ["the versions in constraints.txt"]


@pytest.mark.parametrize("extras, words", [('["no-such-package==1.0"]', "EXTRAS name no-such-package==1.0, absent here"),
                                           ('["numpy"]', "expected an exact version"), ("[numpy==2.1]", "expected a list of strings")])
def test_extras_that_would_be_installed_here_or_are_no_versions_stop_the_chapter(small, capsys, extras, words):
    md = small / "chapters" / "01-first.md"
    md.write_text(md.read_text() + f"\n```{{code-cell}} ipython3\n:tags: [setup]\n\nEXTRAS = {extras}\n```\n")
    assert notebooks.main([], root=small) == 1
    assert words in capsys.readouterr().err


def test_text_that_is_no_notebook_is_named_and_the_others_run(small, capsys):
    first, second = (small / "chapters" / f"{name}.md" for name in ("01-first", "02-second"))
    first.write_text(first.read_text().replace("print(0,", ":tags: [imports\n\nprint(0,"))
    second.write_text(second.read_text().replace("print(1,", "print(1 + 5,"))
    assert notebooks.main([], root=small) == 1
    assert "chapters/01-first.md" in capsys.readouterr().err
    assert "6 02-second" in (small / "chapters" / "02-second.ipynb").read_text()


def test_a_changed_module_or_result_makes_its_chapters_stale(small):
    md = small / "chapters" / "01-first.md"
    md.write_text(md.read_text().replace("print(1,", "from lecture_utils import device; device.recorded('a-name'); print(1,"))
    assert notebooks.main([], root=small) == 0
    stale = lambda name: notebooks.changed(notebooks.read_notebook(small / "chapters" / f"{name}.ipynb"), small)
    assert stale("01-first") == [] and stale("02-second") == []
    result = small / "lecture_utils" / "results" / "a-name.json"
    result.write_text("{}")
    assert stale("01-first") == ["lecture_utils/results/a-name.json"]
    result.unlink()
    module = small / "lecture_utils" / "device.py"
    module.write_text(module.read_text() + "\n")
    assert stale("01-first") == ["lecture_utils/device.py"] and stale("02-second") == []


def test_metadata_holds_no_time_no_version_and_no_path():
    for stem in CHAPTERS:
        text = stem.with_suffix(".ipynb").read_text()
        assert str(ROOT) not in text and "site-packages" not in text, f"{stem.name} stores a local path"
        for cell in json.loads(text)["cells"]:
            assert "execution" not in cell["metadata"], f"{stem.name} stores time stamps"


def test_figures_are_stored_with_a_palette():
    """Byte 25 of a PNG is its color type: 3 is a palette, which takes a third of the bytes."""
    figures = [output["data"]["image/png"] for stem in CHAPTERS
               for cell in json.loads(stem.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
               for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
    assert figures and all(base64.b64decode("".join(figure))[25] == 3 for figure in figures)
