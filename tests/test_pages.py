"""The generated pages say what the chapters, the plan and the slides' list say."""
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tools import pages
from tools.pages import ROOT


def chapter_files():
    return sorted((ROOT / "chapters").glob("*.md"))


@pytest.fixture
def book(tmp_path) -> Path:
    """A copy of what the pages are made from, with the first chapter alone."""
    for name in ("intro.md", "tools/plan.yml", "appendix/slide-items.csv", "appendix/errata.yml", "chapters/00-getting-started.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def begin(book: Path, name: str, text: str) -> None:
    (book / "chapters" / f"{name}.md").write_text(f"# A chapter\n\n{text}\n", encoding="utf-8")


def a_planned_item(book: Path) -> dict:
    """An item of a chapter that is not in the copy."""
    taught = pages.item_anchors(book)
    return next(row for row in pages.read_items(book)
                if row["item"] not in taught and row["chapters"][0] == "02-numerical")


def row_of(text: str, item: int) -> str:
    return text.split(f'<a id="slide-item-{item}"></a>')[1].split("<a id=")[0]


# --- the pages as they stand -------------------------------------------------------------------

def test_generated_pages_are_current():
    stale = [str(path.relative_to(ROOT)) for path in pages.outdated()]
    assert not stale, f"out of date: {', '.join(stale)}; run make notebooks"


def test_every_erratum_that_a_page_links_to_exists():
    numbers = {e["number"] for e in pages.read_errata()}
    for path in [ROOT / "intro.md", *chapter_files(), *(ROOT / "appendix").glob("*.md")]:
        linked = {int(n) for n in re.findall(r"\]\(#erratum-(\d+)\)", path.read_text(encoding="utf-8"))}
        assert linked <= numbers, f"{path.name} links to errata {sorted(linked - numbers)}; appendix/errata.yml ends at {max(numbers)}"


def test_items_and_errata_refer_to_each_other():
    items, errata = pages.read_items(), pages.read_errata()
    from_items = {(row["item"], int(e[1:])) for row in items for e in row["erratum"]}
    from_errata = {(i, e["number"]) for e in errata for i in e["items"]}
    assert from_items == from_errata, "slide-items.csv and errata.yml disagree on these (item, erratum) pairs"


def test_every_chapter_named_for_an_item_or_erratum_is_one_of_the_plan():
    known = {c["name"] for part in pages.read_plan() for c in part["chapters"]} | {"intro", "94-links"}
    named = {name for row in pages.read_items() for name in row["chapters"]} | {n for e in pages.read_errata() for n in e["chapters"]}
    assert named <= known


def test_every_wrong_item_has_an_erratum():
    assert not [row["item"] for row in pages.read_items() if row["verdict"] == "wrong" and not row["erratum"]]


def test_the_index_has_each_item_once_and_counts_the_anchors():
    text, items = pages.slide_index(), pages.read_items()
    labels = pages.anchor_lines(text)
    assert labels == [f"slide-item-{n}" for n in range(1, len(items) + 1)] and len(items) == 178
    assert "**178 of 178** items have their place" in text and text.count("✓") == 178 and "planned:" not in text
    assert pages.item_anchors()[1] == "intro"


def in_the_book(root: Path) -> set[str]:
    """The stems of the pages that the table of contents lists and that are there."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    files = [toc["root"], *(c["file"] for part in toc["parts"] for c in part["chapters"])]
    return {Path(file).name for file in files if (root / f"{file}.md").exists()}


def misplaced_items(root: Path) -> list[str]:
    """The items of the slides without an anchor on a page of the book that is to teach them, in words."""
    taught, there, out = pages.item_anchors(root), in_the_book(root), []
    for row in pages.read_items(root):
        page = taught.get(row["item"])
        if page not in there:
            out.append(f"item {row['item']} ({row['statement'][:50]}) is taught nowhere: expected <a id=\"item-{row['item']}\"></a> "
                       f"in {row['chapters']}")
        elif page not in row["chapters"]:
            out.append(f"item {row['item']} is anchored in {page}, appendix/slide-items.csv says {row['chapters']}")
    return out


def test_every_item_has_its_place_on_a_page_of_the_book_that_is_to_teach_it():
    lacking = misplaced_items(ROOT)
    assert not lacking, "\n" + "\n".join(lacking)


def test_an_item_whose_anchor_its_chapter_or_its_place_in_the_contents_is_gone_is_named(tmp_path):
    for name in ("chapters", "appendix"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.ipynb"))
    for name in ("intro.md", "_toc.yml"):
        shutil.copy(ROOT / name, tmp_path / name)
    assert misplaced_items(tmp_path) == []
    sparse, toc = tmp_path / "chapters" / "12-sparse.md", tmp_path / "_toc.yml"
    sparse.write_text(sparse.read_text(encoding="utf-8").replace('<a id="item-99"></a>\n', ""), encoding="utf-8")
    (lacking,) = misplaced_items(tmp_path)
    assert lacking.startswith("item 99 (") and "12-sparse" in lacking
    toc.write_text(toc.read_text(encoding="utf-8").replace("      - file: appendix/94-links\n", ""), encoding="utf-8")
    assert len(misplaced_items(tmp_path)) == 1 + 14
    (tmp_path / "chapters" / "13-custom-rules.md").unlink()
    assert {"42", "108"} <= {line.split()[1] for line in misplaced_items(tmp_path)}


def test_labels_of_the_generated_pages_are_unique():
    labels = pages.anchor_lines(pages.slide_index()) + pages.anchor_lines(pages.errata_page())
    assert len(labels) == len(set(labels))


# --- what an anchor does -----------------------------------------------------------------------

def test_an_anchor_ticks_its_item(book):
    row = a_planned_item(book)
    n, name = row["item"], row["chapters"][0]
    before = pages.slide_index(book)
    assert f"planned: {name[:2]} " in row_of(before, n) and "✓" not in row_of(before, n)
    begin(book, name, f'<a id="item-{n}"></a>\n\nTaught here.')
    after = pages.slide_index(book)
    assert f"✓ [{name[:2]}](#item-{n})" in row_of(after, n) and "planned" not in row_of(after, n)
    assert after.count("✓") == before.count("✓") + 1


def test_an_anchor_inside_a_code_fence_or_a_line_of_text_counts_for_nothing(book):
    row = a_planned_item(book)
    line = f'<a id="item-{row["item"]}"></a>'
    begin(book, row["chapters"][0], f"```html\n{line}\n```\n\nwrite {line} there")
    assert row["item"] not in pages.item_anchors(book)


def test_an_item_anchored_twice_is_refused_with_both_names(book):
    row = a_planned_item(book)
    line = f'<a id="item-{row["item"]}"></a>'
    begin(book, "98-first", line)
    begin(book, "99-second", line)
    with pytest.raises(ValueError, match=r"chapters/98-first\.md and in chapters/99-second\.md"):
        pages.item_anchors(book)


def test_an_anchor_of_an_item_that_the_slides_do_not_have_is_refused(book):
    begin(book, "98-first", '<a id="item-179"></a>')
    with pytest.raises(ValueError, match="98-first anchors item-179; .* items 1 to 178"):
        pages.slide_index(book)


# --- the plan, the home page and the table of contents --------------------------------------------

def test_every_chapter_of_the_plan_stands_after_those_it_needs():
    seen = []
    for part in pages.read_plan():
        for c in part["chapters"]:
            assert set(c["after"]) <= set(seen), f"tools/plan.yml: {c['name']} needs {c['after']}, before it stand {seen}"
            assert c["name"] not in seen
            seen.append(c["name"])
    assert seen == sorted(seen)


def test_an_unknown_part_is_refused(book):
    path = book / "tools" / "plan.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("part: Applications", "part: Aplications"), encoding="utf-8")
    with pytest.raises(ValueError, match="Aplications"):
        pages.read_plan(book)


def test_the_table_of_contents_lists_exactly_the_chapters_that_are_there():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = [(part["caption"], c["file"]) for part in toc["parts"] for c in part["chapters"]]
    expected = [(part["part"], f"chapters/{c['name']}") for part in pages.read_plan() for c in part["chapters"]
                if pages.written(ROOT, c["name"])]
    assert [entry for entry in listed if entry[1].startswith("chapters/")] == expected, (
        "_toc.yml must list the chapters that are in chapters/, in the parts and the order of tools/plan.yml: "
        f"make it {expected}")
    unplanned = {p.stem for p in chapter_files()} - {Path(file).name for _, file in expected}
    assert not unplanned, f"chapters/ holds {sorted(unplanned)}, which tools/plan.yml does not: add them to the plan, or move them out"


def test_every_chapter_bears_its_title_of_the_plan():
    for part in pages.read_plan():
        for c in part["chapters"]:
            if pages.written(ROOT, c["name"]):
                heading = re.search(r"(?m)^# (.+)$", (ROOT / "chapters" / f"{c['name']}.md").read_text(encoding="utf-8"))[1]
                assert heading == c["title"], f"{c['name']}: the chapter is headed {heading!r}, tools/plan.yml calls it {c['title']!r}"


def test_an_erratum_links_the_chapter_that_teaches_one_of_its_items(book):
    erratum = next(e for e in pages.read_errata(book) if not set(e["items"]) & set(pages.item_anchors(book)))
    name, n = erratum["chapters"][0], erratum["items"][0]
    begin(book, name, "Text.")
    assert f"](#item-{n})" not in pages.errata_page(book), "a chapter that does not teach it yet is no place to send a reader"
    begin(book, name, f'<a id="item-{n}"></a>\n\nTaught here.')
    assert f"](#item-{n})" in pages.errata_page(book)


def test_the_home_page_counts_the_chapters_and_exercises_that_are_there(book):
    assert pages.facts(book).startswith("**1** chapter · **2** exercises with tests")
    begin(book, "02-numerical", "::::{exercise} One\n:::{note}\n:::\n::::")
    assert pages.facts(book).startswith("**2** chapters · **3** exercises with tests") and pages.facts(book) in pages.home_page(book)


def test_a_new_chapter_is_linked_on_the_map_and_in_the_list(book):
    name = a_planned_item(book)["chapters"][0]
    assert f'href="chapters/{name}.html"' not in pages.home_page(book)
    begin(book, name, "Text.")
    home = pages.home_page(book)
    assert f'<a href="chapters/{name}.html"><rect' in home and f"](chapters/{name}.ipynb)" in home


def test_a_part_of_which_nothing_is_there_is_named_below_the_list_and_not_on_the_map(book):
    second = pages.read_plan()[1]
    home = pages.home_page(book)
    assert f"II. {second['part']}" not in home and f"**Planned: {second['part']}.** {second['chapters'][0]['title']}; " in home
    assert "dashed ones are planned" in home
    begin(book, second["chapters"][0]["name"], "Text.")
    home = pages.home_page(book)
    assert home.count(f"II. {second['part']}") == 2 and f"**Planned: {second['part']}" not in home


def test_the_map_draws_an_arrow_for_each_need_and_none_through_a_box():
    plan = pages.begun(ROOT)
    placed, _, height = pages.boxes(plan)
    needs = [(before, c["name"]) for part in plan for c in part["chapters"] for before in c["after"]]
    assert pages.chapter_map().count("marker-end") == len(needs)
    for first, then in needs:
        corners = pages.arrow(first, then, placed)
        for (x0, y0), (x1, y1) in zip(corners, corners[1:]):
            assert x0 == x1 or y0 == y1, f"{first} to {then}: a piece is neither upright nor level"
            assert 0 <= min(x0, x1) and max(x0, x1) <= pages.WIDTH and 0 <= min(y0, y1) and max(y0, y1) <= height
            hit = [name for name, (left, top, right, bottom) in placed.items()
                   if max(x0, x1) > left and min(x0, x1) < right and max(y0, y1) > top and min(y0, y1) < bottom]
            assert not hit, f"the arrow from {first} to {then} runs through {hit}"


def test_two_chapters_in_one_place_of_the_map_are_refused():
    plan = pages.read_plan()
    plan[0]["chapters"][1]["at"] = plan[0]["chapters"][0]["at"]
    with pytest.raises(ValueError, match="01-why-derivatives and 00-getting-started"):
        pages.boxes(plan)


# --- the command ---------------------------------------------------------------------------------

def test_writing_makes_everything_current_and_checking_names_what_is_not(book, capsys):
    assert pages.main([], book) == 0 and pages.outdated(book) == {}
    assert pages.main(["--check"], book) == 0
    row = a_planned_item(book)
    begin(book, row["chapters"][0], f'<a id="item-{row["item"]}"></a>')
    capsys.readouterr()
    assert pages.main(["--check"], book) == 1
    said = capsys.readouterr().err
    assert "appendix/90-slide-index.md is out of date: run make notebooks" in said and "intro.md is out of date" in said
    assert pages.outdated(book), "checking must write nothing"


def test_a_home_page_without_its_marks_is_refused(book):
    path = book / "intro.md"
    path.write_text(path.read_text(encoding="utf-8").replace("<!-- end map -->", ""), encoding="utf-8")
    with pytest.raises(ValueError, match="intro.md: expected one block between .*begin map"):
        pages.home_page(book)
