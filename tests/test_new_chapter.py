"""Adding a chapter is only writing a chapter: the template passes every check as it stands."""
import os
import subprocess
import sys

import pytest
import yaml

from tools import new_chapter, notebooks


def plan(project):
    return [c["name"] for part in yaml.safe_load((project / "tools" / "plan.yml").read_text()) for c in part["chapters"]]


@pytest.mark.slow
def test_a_new_chapter_is_written_run_listed_and_built(project):
    names = [n for n in plan(project) if not (project / "chapters" / f"{n}.md").exists()]
    for name in (names[-1], names[0]):                         # the first of its part, and one before it
        new_chapter.begin(name, project)
    assert notebooks.main([], root=project) == 0
    for name in (names[-1], names[0]):
        assert notebooks.problems(project / "chapters" / name, project) == []
        assert f"chapters/{name}.html" in (project / "intro.md").read_text(), "the map links the new chapter"
    toc = yaml.safe_load((project / "_toc.yml").read_text())
    listed = [c["file"].split("/")[1] for part in toc["parts"] for c in part["chapters"] if c["file"].startswith("chapters/")]
    assert listed == [n for n in plan(project) if n in listed] and {names[0], names[-1]} <= set(listed)
    assert toc["parts"][-1]["caption"] == "Appendix"
    env = {**os.environ, "PYTHONPATH": str(project)}
    book = [sys.executable, "-m", "tools.book"]
    done = subprocess.run(book, cwd=project, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (project / "_build" / "html" / "chapters" / f"{names[0]}.html").exists()
    preview = project / "_build" / "preview" / "_build" / "html"
    for words in ("written first", "written second"):          # the second reads one file of all
        md = project / "chapters" / f"{names[0]}.md"
        md.write_text(md.read_text() + f"\nThis was {words}.\n")
        assert notebooks.main(["--no-pages", names[0]], root=project) == 0
        done = subprocess.run([*book, "--preview"], cwd=project, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert f"This was {words}." in (preview / "chapters" / f"{names[0]}.html").read_text()
    assert "This was" not in (project / "_build" / "html" / "chapters" / f"{names[0]}.html").read_text(), "the real site stays"
    (project / "intro.md").write_text((project / "intro.md").read_text() + "\n[nowhere](#no-such-label)\n")
    done = subprocess.run(book, cwd=project, env=env, capture_output=True, text=True)
    assert done.returncode != 0 and "intro.md" in done.stderr and "no-such-label" in done.stderr


def test_a_table_of_contents_with_more_than_files_is_not_rewritten(project):
    name = next(n for n in plan(project) if not (project / "chapters" / f"{n}.md").exists())
    toc = project / "_toc.yml"
    toc.write_text(toc.read_text().replace("- file: chapters/00-getting-started", "- file: chapters/00-getting-started\n        title: T"))
    before = toc.read_bytes()
    with pytest.raises(ValueError, match="add '- file: .*' by hand"):
        new_chapter.begin(name, project)
    assert toc.read_bytes() == before and not (project / "chapters" / f"{name}.md").exists()


def test_a_chapter_outside_the_plan_is_refused(project):
    with pytest.raises(ValueError, match="N: got '99-nothing', expected a chapter of tools/plan.yml"):
        new_chapter.begin("99-nothing", project)


def test_a_chapter_that_exists_is_not_overwritten(project):
    text = (project / "chapters" / "00-getting-started.md").read_bytes()
    with pytest.raises(FileExistsError, match="exists already"):
        new_chapter.begin("00-getting-started", project)
    assert (project / "chapters" / "00-getting-started.md").read_bytes() == text
