"""Links and reading: what chapters cite, references.bib and the page agree."""
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from pybtex.database import parse_file

from tools import links, pages

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / pages.LINKS).read_text(encoding="utf-8")
WORKS = {w.key: w for w in links.read_works(ROOT)}


@pytest.fixture
def book(tmp_path) -> Path:
    """A copy of what the lists are made from, with one chapter that cites one work."""
    for name in ("references.bib", "tools/plan.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "02-numerical.md").write_text(
        "**References.** B. Fornberg, Generation of finite difference formulas on arbitrarily spaced grids, *Math. Comp.* 51 (1988) "
        "699–706.\n", encoding="utf-8")
    return tmp_path


def cited_years(references: str) -> Counter:
    """The years of the works in a References line; not page ranges, arXiv numbers, addresses or what a work is cited for."""
    text = re.sub(r"\]\([^)]*\)", "]", references)
    text = re.sub(r"(?i)arXiv:\S+|\d+–\d+|, for [^.]*", " ", text)
    return Counter(re.findall(r"(?<![\d-])(?:18|19|20)\d\d(?![\d-])", text))


@pytest.mark.parametrize("key", parse_file(str(ROOT / "references.bib"), bib_format="bibtex").entries)
def test_every_work_of_the_references_stands_on_the_page_once_with_its_annotation(key):
    anchors = [label for label in pages.anchor_lines(PAGE) if label == f"ref-{key}"]
    assert len(anchors) == 1, f"{key} stands {len(anchors)} times on {pages.LINKS}: run make notebooks"
    entry = PAGE.split(f'<a id="ref-{key}"></a>')[1].split("<a id=")[0]
    assert WORKS[key].annote in entry and WORKS[key].shown in entry


def test_every_work_that_a_chapter_cites_is_in_the_references():
    for name, text in links.references(ROOT).items():
        lacking = cited_years(text) - Counter(w.year for w in WORKS.values() if name in w.chapters)
        assert not lacking, (f"chapters/{name}.md cites works of {', '.join(lacking)} that references.bib lacks, or has with another year: "
                            "add them (with cited = {…} where the chapter spells the title otherwise), then make notebooks")


def test_every_chapter_says_what_it_cites_and_every_paper_is_cited_or_has_a_topic():
    assert set(links.references(ROOT)) == {p.stem for p in (ROOT / "chapters").glob("[0-9]*.md")}
    planned = {c["name"] for part in pages.read_plan(ROOT) for c in part["chapters"]}
    lost = [w.key for w in WORKS.values() if not w.book and w.topic not in planned]
    assert not lost, f"no chapter cites {lost}: cite them, or give them topic = {{a chapter}}"
    assert "### Elsewhere" not in PAGE


def test_a_work_stands_under_the_first_chapter_that_cites_it(book):
    assert links.papers(book).startswith('### 02 Numerical differentiation\n\n<a id="ref-fornberg-1988"></a>')
    chapter = book / "chapters" / "02-numerical.md"
    chapter.write_text(chapter.read_text(encoding="utf-8").replace("Fornberg", "Somebody"), encoding="utf-8")
    assert "02 Numerical" not in links.papers(book), "another author's work of that title is another work"


def test_a_work_that_the_references_lack_is_found_by_its_year(book):
    line = links.references(book)["02-numerical"]
    known = Counter(w.year for w in links.read_works(book) if "02-numerical" in w.chapters)
    assert cited_years(line) == known == Counter({"1988": 1})
    longer = line + " A. Nobody, A new paper, *J.* 3 (2021) 1999–2003, for the tax of 2024."
    assert cited_years(longer) - known == Counter({"2021": 1})


def test_a_work_without_annotation_is_refused(book):
    bib = book / "references.bib"
    bib.write_text(re.sub(r"(?m)^ *annote *= \{Weights of any difference.*\n", "", bib.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ValueError, match="fornberg-1988: expected an author, a title and an annote"):
        links.read_works(book)


def test_how_works_are_shown():
    assert WORKS["griewank-2000"].shown == (
        "A. Griewank, J. Utke and A. Walther, [Evaluating Higher Derivative Tensors by Forward Propagation of Univariate Taylor Series]"
        "(https://doi.org/10.1090/S0025-5718-00-01120-0), *Mathematics of Computation* 69 (2000) 1117–1130.")
    assert WORKS["ulam-von-neumann-1947"].shown.startswith("S. M. Ulam and J. von Neumann, *On Combination")
    assert WORKS["hairer-1993"].shown.endswith(", 2nd ed., Springer 1993.")
    assert WORKS["paszke-2019"].shown.startswith("A. Paszke and others, [")


def test_no_number_of_a_doi_or_arxiv_stands_for_two_works():
    entries = parse_file(str(ROOT / "references.bib"), bib_format="bibtex").entries
    for kind in ("doi", "eprint"):
        twice = [n for n, times in Counter(e.fields[kind] for e in entries.values() if kind in e.fields).items() if times > 1]
        assert not twice and all(re.fullmatch(r"10\.\d{4,5}/\S+" if kind == "doi" else r"\d{4}\.\d{4,5}", e.fields[kind])
                                 for e in entries.values() if kind in e.fields), twice
