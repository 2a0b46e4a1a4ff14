"""The colophon says what the files say, and execution times are those that were recorded."""
import json
import re
from pathlib import Path

import nbformat
import pytest

from tools import colophon, notebooks, times

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def book(tmp_path) -> Path:
    """A book of one chapter: a cell that is compared, one that is not, with a device measurement, and a solution."""
    new = nbformat.v4.new_code_cell
    cells = [new("print(1)\nassert 1 < 2", id="a"), nbformat.v4.new_markdown_cell("assert", id="b"),
             new('for i in range(2):\n    checks.assert_published("x", 1, "1", digits=1, source="s")', id="c"),
             new('device.record("01-speed", rows)', id="d", metadata={"tags": ["device", "nbval-ignore-output"]})]
    cells[0].outputs = [nbformat.v4.new_output("display_data", data={"image/png": "", "text/plain": "Figure"})]
    (tmp_path / "chapters").mkdir()
    nb = nbformat.v4.new_notebook(cells=cells, metadata={notebooks.KEY: {"packages": "0", "text": "now"}})
    (tmp_path / "chapters" / "01-why-derivatives.ipynb").write_text(nbformat.writes(nb), encoding="utf-8")
    for name in ("constraints.txt", "requirements.txt", "requirements-book.txt", "tools/plan.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    return tmp_path


def test_cells_are_counted_as_nbval_treats_them(book):
    n = colophon.count(book / "chapters" / "01-why-derivatives", book)
    assert n == colophon.Counts(cells=3, compared=2, ignored=1, pictures=1, asserts=1, published=1, exercises=0, wrong=0)


def test_the_sums_are_those_of_the_rows():
    text = colophon.checks(ROOT)
    rows = [[int(x) for x in re.findall(r"\| (\d+)(?= )", row)] for row in text.splitlines() if re.match(r"\| (\[\d|p\d)", row)]
    total = [int(x) for x in re.findall(r"\*\*(\d+)\*\*", text.splitlines()[-1])]
    assert len(rows) == len(notebooks.chapters(ROOT) + notebooks.sets(ROOT)) and total == [sum(column) for column in zip(*rows)]
    compared, ignored, asserts, published, exercises = total
    for said in (f"{compared} of {compared + ignored} code cells", f"The other {ignored} cells", f"{asserts} `assert`",
                 f"{published} calls", f"{exercises} have hidden"):
        assert said in text


def test_every_required_package_is_listed_with_the_pinned_version(book):
    text = colophon.versions(ROOT)
    for name in ("jax", "jaxlib", "numpy", "torch", "jupyter-book", "nbval", "playwright"):
        pin = re.search(rf"(?m)^{name}==(\S+)$", (ROOT / "constraints.txt").read_text())[1]
        assert f"| {name} | {pin} |" in text or re.search(rf"\b{name} {re.escape(pin)}[,.]", text), name
    assert "–" not in text, "a package without a pin"
    assert "0 of 1 chapters were last run with these versions (not: 01-why-derivatives)" in colophon.versions(book)


def test_without_a_recording_no_time_is_shown(book):
    assert colophon.times(book).startswith("Not recorded yet.") and not re.search(r"\d", colophon.times(book))


@pytest.mark.parametrize("load, says", [(0.1, "began."), (1.7, "read the times as upper bounds")])
def test_recorded_times_are_shown_with_machine_and_load(book, load, says):
    entry = {"date": "2026-11-23", "command": "python -m tools.times", "load": load,
             "machine": {"processor": "A chip", "cores": 2, "system": "Linux"},
             "versions": {"Python": "3.11.2", "jax": "0.10.2"}, "chapters": {"01-why-derivatives": {"seconds": 31, "text": "then"}}}
    (book / "appendix").mkdir()
    (book / colophon.TIMES).write_text(json.dumps(entry))
    text = colophon.times(book)
    assert "on 2 cores (A chip)" in text and f"load was {load:g}" in text and says in text
    assert "| [01](../chapters/01-why-derivatives.ipynb) | 31 | its text changed |" in text and "**31**" in text


def test_a_recording_holds_every_chapter_and_leaves_the_notebooks_alone(book, monkeypatch, capsys):
    ran = []

    async def run_cells(nb, stem, root, on_cell_executed=None):
        ran.append((stem.name, len(nb.cells)))
    monkeypatch.setattr(notebooks, "run_cells", run_cells)
    monkeypatch.setattr(notebooks, "text_hash", lambda nb, root: "now")
    stem = book / "chapters" / "01-why-derivatives"
    stem.with_suffix(".md").write_text(notebooks.as_text(notebooks.read_notebook(stem.with_suffix(".ipynb"))), encoding="utf-8")
    before = stem.with_suffix(".ipynb").read_bytes()
    (book / "appendix").mkdir()
    assert times.main([], book) == 0
    entry = json.loads((book / colophon.TIMES).read_text())
    assert [name for name, _ in ran] == list(entry["chapters"]) == ["01-why-derivatives"]
    assert stem.with_suffix(".ipynb").read_bytes() == before
    assert entry["chapters"]["01-why-derivatives"] == {"seconds": 1, "text": "now"} and entry["machine"]["cores"] >= 1
    assert "| 1 | unchanged |" in colophon.times(book)


def test_a_chapter_that_fails_records_nothing(book, monkeypatch):
    async def run_cells(nb, stem, root, on_cell_executed=None):
        raise RuntimeError("a cell failed")
    monkeypatch.setattr(notebooks, "run_cells", run_cells)
    stem = book / "chapters" / "01-why-derivatives"
    stem.with_suffix(".md").write_text(notebooks.as_text(notebooks.read_notebook(stem.with_suffix(".ipynb"))), encoding="utf-8")
    (book / "appendix").mkdir()
    with pytest.raises(RuntimeError, match="a cell failed"):
        times.main([], book)
    assert not (book / colophon.TIMES).exists()


def test_gpu_runs_are_shown_when_recorded_and_missed_when_not(book):
    assert "None of the 1 measurements has been run on a GPU yet" in colophon.gpu(book) and "`01-speed` | not yet |" in colophon.gpu(book)
    folder = book / "lecture_utils" / "results"
    folder.mkdir(parents=True)
    (folder / "01-speed.json").write_text(json.dumps({"date": "2026-12-01", "device": {"name": "A GPU"}, "versions": {"jax": "0.10.2"}}))
    assert "1 of 1 measurements have been run" in colophon.gpu(book) and "| 2026-12-01, A GPU, jax 0.10.2 |" in colophon.gpu(book)


def test_every_measurement_of_the_chapters_is_listed():
    texts = [p.read_text(encoding="utf-8") for p in sorted((ROOT / "chapters").glob("*.md"))]
    recorded = [m for text in texts for m in re.findall(r"device\.record\(\"([^\"]+)\"", text)]
    assert recorded and re.findall(r"`(\d\d-[\w-]+)` \|", colophon.gpu(ROOT)) == recorded
