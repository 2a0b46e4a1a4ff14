"""The PDF of the book: fonts, tags, outline, links, and that nothing is cut.

Printing the whole book takes minutes, so the tests print the home page and chapter 00 of the site that `make test` has built; where
`make pdf` has been run, its file is held to the same. Without Debian's chromium they are skipped, and with CI=true they fail.
"""
import os
import re
import shutil
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
import yaml

from tools import pdf as printer

ROOT = Path(__file__).resolve().parents[1]
HTML = Path(os.environ.get("BOOK_HTML", ROOT / "_build" / "html"))
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
SMALL = {"root": TOC["root"], "parts": [{"caption": TOC["parts"][0]["caption"], "chapters": TOC["parts"][0]["chapters"][:1]}]}
WHOLE = HTML.parent / "pdf" / f"{printer.NAME}.pdf"
FACTS = printer.read_facts(ROOT, "full")
MM = 72 / 25.4
CHROMIUM = next(filter(None, map(shutil.which, printer.CHROMIUM)), None)


@pytest.fixture(scope="module")
def chromium():
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no chromium here, so nothing was printed: apt-get install chromium")


@pytest.fixture(scope="module")
def small(chromium, tmp_path_factory):
    """The home page and chapter 00 as a PDF."""
    if not (HTML / f"{TOC['root']}.html").exists():
        pytest.fail(f"{HTML} holds no site: run `make book`")
    target = tmp_path_factory.mktemp("pdf") / "small.pdf"
    text = printer.document(HTML, SMALL, FACTS)
    printer.print_pdf(HTML, text, target)
    printer.finish(target, FACTS, text)
    return target


@pytest.fixture(scope="module", params=["small", "whole"])
def printed(request):
    """A PDF with the table of contents that it was made from: that of chapter 00, and that of the whole book where it was made."""
    if request.param == "small":
        return request.getfixturevalue("small"), SMALL
    if not WHOLE.exists():
        pytest.skip("make pdf has not been run")
    if WHOLE.stat().st_mtime < (HTML / "index.html").stat().st_mtime:
        pytest.skip("the PDF is older than the site: run make pdf")
    return WHOLE, TOC


def outline(items, depth=0):
    """The outline as (depth, title)."""
    for item in items:
        yield depth, printer.words(item.title)
        yield from outline(item.children, depth + 1)


def elements(node):
    """Every structure element below a node of the tag tree."""
    todo = [node]
    while todo:
        node = todo.pop()
        if isinstance(node, pikepdf.Array):
            todo += list(node)
        elif isinstance(node, pikepdf.Dictionary):
            if "/S" in node:
                yield node
            if "/K" in node:
                todo.append(node.K)


def outside(path: Path, margin=20 * MM) -> list[str]:
    """Letters and digits nearer than `margin` to the left or right edge of their page, each with its page."""
    found = []
    for number, page in enumerate(pypdfium2.PdfDocument(path), 1):
        text, width = page.get_textpage(), page.get_width()
        for i in range(text.count_chars()):
            left, _, right, _ = text.get_charbox(i)
            # not signs: MathJax makes long arrows and braces of pieces that reach beyond what shows of them
            if right > left and (left < margin or right > width - margin) and text.get_text_range(i, 1).isalnum():
                found.append(f"page {number}: {text.get_text_range(max(0, i - 30), 31)!r}")
    return found


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def all_text(path: Path) -> str:
    return "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(path))


def test_every_font_is_embedded(printed):
    with pikepdf.open(printed[0]) as file:
        fonts = [o for o in file.objects if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/Font" and o.get("/Subtype") != "/Type0"]
        bare = [str(f.get("/BaseFont")) for f in fonts if f.Subtype != "/Type3"            # whose outlines are the font: MathJax's
                and not {"/FontFile", "/FontFile2", "/FontFile3"} & set(f.get("/FontDescriptor", {}).keys())]
        drawn = [f for f in fonts if f.Subtype == "/Type3" and "/CharProcs" not in f]
        assert len(fonts) > 3 and not bare and not drawn, f"not embedded: {bare}"


def test_it_is_tagged_and_says_its_language_title_and_author(printed):
    with pikepdf.open(printed[0]) as file:
        assert file.Root.MarkInfo.Marked and "/StructTreeRoot" in file.Root
        assert file.Root.Lang == "en" and file.Root.ViewerPreferences.DisplayDocTitle
        assert file.docinfo["/Title"] == FACTS["title"] and file.docinfo["/Author"] == FACTS["author"]


def test_formulas_and_figures_have_their_text_in_the_tags(small):
    document = printer.BeautifulSoup(printer.document(HTML, SMALL, FACTS), "html.parser")
    wanted = {img["alt"] for img in document.find_all("img")}
    with pikepdf.open(small) as file:
        spoken = {str(e.Alt) for e in elements(file.Root.StructTreeRoot.K) if e.S == "/Figure" and "/Alt" in e}
    assert len(document.find_all("img", class_="tex")) == len(document.find_all(class_="math")) > 5
    assert wanted <= spoken, f"without text: {wanted - spoken}"


def test_the_outline_has_every_part_chapter_and_section(printed):
    path, toc = printed
    with pikepdf.open(path) as file:
        found = list(outline(file.open_outline().root))
    chapters = [title for depth, title in found if depth == 1 and re.match(r"\d\d ", title)]
    names = [name for caption, some in printer.page_names(toc) for name in some if caption]
    expected = [(printer.slug(name)[:2], printer.words(printer.read_page(HTML / f"{name}.html")[1].h1.find(string=True))) for name in names]
    assert chapters == [" ".join(one) for one in expected]
    assert [title for depth, title in found if depth == 0][-len(toc["parts"]):] == [part["caption"] for part in toc["parts"]]
    for name in names:
        sections = [printer.words(h.find(string=True)) for h in printer.read_page(HTML / f"{name}.html")[1].find_all("h2") if h.find(string=True)]
        at = next(i for i, (depth, title) in enumerate(found) if depth == 1 and title.startswith(printer.slug(name)[:2]))
        below = [title for depth, title in found[at + 1:at + 200] if depth == 2]
        lost = [s for s in sections if not any(title.startswith(s) for title in below)]
        assert not lost, f"{name}: not in the outline: {lost}"


def test_no_character_stands_in_the_margin(printed):
    found = outside(printed[0])
    assert not found, f"{len(found)} characters, among them {found[:5]}"


def test_every_line_of_code_is_printed_to_its_end(small):
    _, article, listings = printer.read_page(HTML / f"{SMALL['parts'][0]['chapters'][0]['file']}.html")
    for cell in article.select("div.cell.tag_setup"):
        cell.decompose()
    for details in article.find_all("details"):
        if details.find_parent("div", class_="cell").select_one(".cell_output img"):
            details.decompose()
    text = squeezed(all_text(small))
    shown = [listings[int(pre["data-listing"])] for pre in article.find_all("pre", attrs={"data-listing": True})]
    lines = [squeezed(line) for listing in shown for line in printer.BeautifulSoup(listing, "html.parser").get_text().splitlines()]
    lost = [line for line in lines if line and line not in text]
    assert len(lines) > 100 and not lost, lost


def test_links_within_the_book_lead_somewhere(printed):
    with pikepdf.open(printed[0]) as file:
        places, used, own = set(file.Root.Dests.keys()), set(), []
        for page in file.pages:
            for note in page.get("/Annots", []):
                if "/Dest" in note:
                    used.add(f"/{str(note.Dest).lstrip('/')}")
                elif "/A" in note and "/URI" in note.A:
                    own.append(str(note.A.URI))
    assert used and used <= places, f"links to places that are not there: {sorted(used - places)[:5]}"
    assert not [uri for uri in own if uri.startswith(printer.HOST)], "links to the printer's own address"


def test_the_contents_name_the_page_on_which_each_chapter_begins(printed):
    path, toc = printed
    places, file = printer.page_numbers(path), pypdfium2.PdfDocument(path)
    numbered = re.search(r"About this course\s*\d", printer.words(file[2].get_textpage().get_text_range()))
    assert numbered or path == WHOLE                     # where Chromium's pages did not settle there are none
    for caption, some in printer.page_names(toc):
        for name in some if numbered else []:
            page = places[printer.slug(name)]
            title = "About this course" if not caption else printer.words(printer.read_page(HTML / f"{name}.html")[1].h1.find(string=True))
            contents = " ".join(file[i].get_textpage().get_text_range() for i in range(2, 4))
            assert re.search(rf"{re.escape(title)}\s*{page}\b", printer.words(contents)), f"{title}: expected page {page}"
            assert title in printer.words(file[page - 1].get_textpage().get_text_range())


def test_solutions_stand_at_the_end_and_what_installs_or_draws_is_left_out():
    name = "chapters/02-numerical"
    soup, article, _ = printer.read_page(HTML / f"{name}.html")
    asked = len(article.select("div.exercise"))
    printer.own_links(article, name, {name}, "https://example.org/")
    assert printer.unfold(soup, article, name) == asked == 5
    assert not article.find_all("details") and not article.select(".tag_setup")
    last = article.find("section").find_all("section", recursive=False)[-1]
    assert last["id"] == "02-numerical--solutions" and len(last.select("div.cell")) == asked
    assert {a["href"][1:] for a in article.select(".to-solution a")} <= {tag["id"] for tag in article.find_all(id=True)}


def test_a_book_without_solutions_says_so():
    says = lambda n: printer.front_matter(FACTS, "https://example.org/", [], n)
    assert "holds no solutions" in says(0) and "at the end of their chapter" in says(3)


def test_printing_reaches_no_network_and_a_file_that_is_missing_is_named(chromium, tmp_path):
    for wanted in ("https://example.org/x.png", "gone.png"):
        text = f'<html><script>window.MathJax = {{startup: {{promise: 1}}}}</script><img src="{wanted}" loading="eager"></html>'
        with pytest.raises(SystemExit, match=re.escape(wanted)):
            printer.print_pdf(tmp_path, text, tmp_path / "x.pdf")
