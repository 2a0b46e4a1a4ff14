"""This tree as students get it: chapters fresh and paired, exercises unanswered, every address its own."""
import json
from pathlib import Path

import pytest

from tools import exercises, notebooks, setup_cell

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = notebooks.chapters(ROOT)


def test_there_are_chapters():
    assert CHAPTERS


@pytest.mark.parametrize("stem", CHAPTERS, ids=lambda stem: stem.name)
def test_chapter_is_fresh_paired_and_described(stem):
    assert notebooks.problems(stem, ROOT) == []


@pytest.mark.parametrize("stem", CHAPTERS, ids=lambda stem: stem.name)
def test_exercises_wait_for_an_answer(stem):
    cells = json.loads(stem.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
    roles = [c["metadata"]["exercise"]["role"] for c in cells if "exercise" in c["metadata"]]
    assert set(roles) <= {"stub", "test"}
    for cell in cells:
        if cell["metadata"].get("exercise", {}).get("role") == "stub":
            assert exercises.PLACEHOLDER in "".join(cell["source"])
        if cell["metadata"].get("exercise", {}).get("role") == "test":
            assert ["".join(o["text"]) for o in cell["outputs"]] == [exercises.SAYS + "\n"]
        assert exercises.BEGIN not in "".join(cell["source"])


def test_set_up_cells_install_from_this_repository():
    assert setup_cell.package(ROOT) == setup_cell.repository(ROOT)
    for stem in CHAPTERS:
        assert f"git+{setup_cell.repository(ROOT)}@main" in stem.with_suffix(".md").read_text(encoding="utf-8")


def test_the_package_that_they_install_is_here():
    assert (ROOT / "pyproject.toml").exists() and (ROOT / "lecture_utils" / "__init__.py").exists()
