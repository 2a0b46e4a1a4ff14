"""The book as one PDF: `make pdf`.

The pages of the built site are put together into one HTML document: a title page, contents with page numbers, then every page of
`_toc.yml` under its part. What folds on a screen is decided here for a reader on paper: solutions move to the end of their chapter,
the code that draws a figure and the set-up cells are left out (the notebooks have them), everything else is open. Chromium sets the
formulas, prints it with tags and an outline, and reaches no network: it gets every file from the site's folder.
"""
from __future__ import annotations

import argparse
import datetime
import json
import mimetypes
import posixpath
import re
import shutil
import subprocess
import sys
import time
from html import escape
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import yaml
from bs4 import BeautifulSoup, Tag

from tools import book

ROOT = Path(__file__).resolve().parents[1]
CSS = Path(__file__).with_name("print.css")
NAME = "differentiation-in-practice"
HOST = "http://book.invalid/"                  # no such host: every request is answered from the folder of the site
DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"      # one transparent pixel
LONG = 30                                      # lines of code from which on a block may go over a page's end
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
# Formulas are set all at once, without the menu and without hidden MathML, which would be in the PDF's text.
MATHJAX = '{"options": {"processHtmlClass": "math", "enableMenu": false, "renderActions": {"assistiveMml": []}}}'
SETTLE = """async () => {
  await MathJax.startup.promise;
  await document.fonts.ready;
  await Promise.all([...document.images].map(image => image.decode().catch(() => null)));
  for (const table of document.querySelectorAll('table')) {                            // too wide for the page: set smaller
    const room = document.body.clientWidth;
    for (let size = 9; size > 6 && table.getBoundingClientRect().right > room + 1; size -= 0.5) table.style.fontSize = size + 'pt';
    if (table.getBoundingClientRect().right > room + 1) table.classList.add('break-anywhere');
  }
  for (const box of document.querySelectorAll('mjx-container[display="true"]')) {
    const room = box.parentElement.clientWidth, wide = box.firstElementChild.scrollWidth;
    if (wide > room) box.style.fontSize = Math.max(0.5, 0.98 * room / wide) * 100 + '%';
  }
}"""
NUMBER_CONTENTS = """pages => {
  for (const link of document.querySelectorAll('.toc li > a')) link.dataset.page = pages[link.getAttribute('href').slice(1)] ?? '';
}"""


# --- one document out of the site's pages ----------------------------------------------------------

def page_names(toc: dict) -> list[tuple[str, list[str]]]:
    """The parts of a `_toc.yml`, each with its pages in order; the first part has no caption and holds the root."""
    parts = [("", [toc["root"]])]
    for part in toc["parts"]:
        parts.append((part["caption"], [chapter["file"] for chapter in part["chapters"]]))
    return parts


def words(text: str) -> str:
    """Text with its white space made even."""
    return " ".join(text.split())


def slug(name: str) -> str:
    """What begins every id of a page in the document: the page's file name."""
    return posixpath.basename(name)


def own_links(article: Tag, name: str, pages: set[str], address: str) -> None:
    """Make a page's ids and links fit into one document: `#label` of page NAME becomes `#NAME--label`.

    Links to other pages of the book become links within the document; those to other files of the site lead to the site's address.
    """
    for tag in article.find_all(id=True):
        if not tag.find_parent("svg"):
            tag["id"] = f"{slug(name)}--{tag['id']}"
    here = f"{name}.html"
    for tag in article.find_all(["a", "img"]):
        key = "href" if tag.name == "a" else "src"
        link = tag.get(key)
        if not link or urlsplit(link).scheme or link.startswith("//"):
            continue
        target, fragment = urlsplit(urljoin(here, link)).path or here, unquote(urlsplit(link).fragment)
        if target.removesuffix(".html") in pages:
            other = slug(target.removesuffix(".html"))
            tag[key] = f"#{other}--{fragment}" if fragment else f"#{other}"
        else:
            tag[key] = target if tag.name == "img" else urljoin(address, target) + (f"#{fragment}" if fragment else "")


def unfold(soup: BeautifulSoup, article: Tag, name: str) -> int:
    """Decide for paper what folds on a screen; the number of solutions, which now stand at the end of the page."""
    for cell in article.select("div.cell.tag_setup"):
        cell.decompose()
    solutions = []
    for details in article.find_all("details"):
        cell = details.find_parent("div", class_="cell")
        stub = cell and cell.find_previous_sibling("div", class_="exercise-stub")
        if cell and cell.select_one(".cell_output img"):
            details.decompose()
        elif stub and stub.find_next_sibling("div") is cell:
            solutions.append((stub.find_previous_sibling("div", class_="exercise"), stub, cell))
        else:
            open_up(details)
    if not solutions:
        return 0
    section = soup.new_tag("section", id=f"{slug(name)}--solutions")
    heading = soup.new_tag("h2")
    heading.string = "Solutions"
    section.append(heading)
    for exercise, stub, cell in solutions:
        title = exercise.select_one(".admonition-title").get_text(" ", strip=True)
        anchor = f"{exercise['id']}--solution"
        note = f'<p class="to-solution">Solution: <a href="#{anchor}">at the end of the chapter</a>.</p>'
        stub.insert_after(BeautifulSoup(note, "html.parser"))
        section.append(BeautifulSoup(f'<p class="rubric" id="{anchor}"><a href="#{exercise["id"]}">{escape(title)}</a></p>', "html.parser"))
        for details in cell.find_all("details"):
            open_up(details)
        section.append(cell.extract())
    (article.find("section") or article).append(section)
    return len(solutions)


def open_up(details: Tag) -> None:
    """Put what a fold holds in its place."""
    details.summary.decompose()
    details.unwrap()


def keep_together(article: Tag) -> None:
    """Mark what fits on a page as `short`, and the paragraph before a display as not to be parted from it."""
    for block in article.select("div.highlight, .cell_output, .admonition, .exercise, table"):
        lines = sum(int(pre["data-lines"]) for pre in block.find_all("pre")) + len(block.find_all(["tr", "p", "li"]))
        block["class"] = [*block.get("class", []), "short" if lines < LONG else "long"]
    for paragraph in article.find_all("p"):
        after = paragraph.find_next_sibling()
        if paragraph.get_text().rstrip().endswith(":") and after and after.name in ("div", "ul", "ol", "table"):
            paragraph["class"] = [*paragraph.get("class", []), "before-block"]


def name_formulas(soup: BeautifulSoup, article: Tag) -> None:
    """Put an invisible image with a formula's TeX as its alt text before it: the tags of MathJax's own glyphs say nothing."""
    for math in article.find_all(class_="math"):
        tex = words(re.sub(r"^\\[(\[]|\\[)\]]$", "", math.get_text().strip()))
        math.insert_before(soup.new_tag("img", attrs={"alt": tex, "src": DOT, "class": "tex"}))


def read_page(path: Path) -> tuple[BeautifulSoup, Tag, list[str]]:
    """A built page, the article in it, and its listings, for which empty `pre` stand in: parsing their colors takes most of the time."""
    listings = []

    def keep(found: re.Match) -> str:
        listings.append(found[0])
        return f'<pre data-lines="{found[0].count(chr(10))}" data-listing="{len(listings) - 1}"></pre>'

    soup = BeautifulSoup(re.sub(r"<pre>.*?</pre>", keep, path.read_text(encoding="utf-8"), flags=re.S), "html.parser")
    return soup, soup.select_one("article.bd-article"), listings


def with_listings(text: str, listings: list[str]) -> str:
    """HTML with the listings that `read_page` took out put back."""
    return re.sub(r'<pre data-lines="\d+" data-listing="(\d+)"></pre>', lambda found: listings[int(found[1])], text)


def lower_headings(article: Tag, by: int) -> None:
    """Chapters stand below parts: h1 becomes h2, and so on."""
    for level in range(6, 0, -1):
        for heading in article.find_all(f"h{level}"):
            heading.name = f"h{min(6, level + by)}"


def document(html: Path, toc: dict, facts: dict) -> str:
    """The whole book as one HTML document, to be read from the folder `html`. Raises FileNotFoundError for a page that is not built."""
    parts = page_names(toc)
    names = [name for _, some in parts for name in some]
    root, _, _ = read_page(html / f"{names[0]}.html")
    address = urljoin(root.find("link", rel="canonical")["href"], "./")
    sheets = [link["href"] for link in root.find_all("link", rel="stylesheet")]
    script = next(tag["src"] for tag in root.find_all("script", src=True) if "mathjax" in tag["src"])
    body: list[str] = []
    contents: list[str] = []
    running: list[str] = []
    solutions = 0
    for number, (caption, some) in enumerate(parts):
        if caption:
            body.append(f'<section class="part" id="part-{number}"><h1>{escape(caption)}</h1></section>')
            contents.append(f'<li class="of-part"><a href="#part-{number}">{escape(caption)}</a></li>')
        for name in some:
            soup, article, listings = read_page(html / f"{name}.html")
            for tag in [*article.find_all(class_="headerlink"), *article.find_all("script")]:
                tag.decompose()
            own_links(article, name, set(names), address)
            solutions += unfold(soup, article, name)
            name_formulas(soup, article)
            keep_together(article)
            heading = article.find("h1")
            digits = re.match(r"\d+", slug(name))
            shown = f'<span class="number">{digits[0]}</span>' if digits else ""
            title = heading.decode_contents() if caption else "About this course"
            heading.clear()
            heading.append(BeautifulSoup(f"{shown} {title}".strip(), "html.parser"))
            lower_headings(article, by=1 if caption else 0)
            body.append(f'<section class="page" id="{slug(name)}" style="page: p{len(running)}">'
                        f"{with_listings(article.decode_contents(), listings)}</section>")
            running.append(words(heading.get_text()))
            contents.append(f'<li><a href="#{slug(name)}"><span>{shown} {title}</span></a></li>')
    pages = "".join(f"@page p{i} {{ @top-right {{ content: {json.dumps(text, ensure_ascii=False)} }} }}" for i, text in enumerate(running))
    head = "".join(f'<link rel="stylesheet" href="{escape(sheet)}">' for sheet in sheets)
    return ('<!doctype html><html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8">'
            f'<title>{escape(facts["title"])}</title>'
            f"{head}<style>{CSS.read_text(encoding='utf-8')}{pages}</style><script>window.MathJax = {MATHJAX}</script>"
            f'<script defer src="{escape(script)}"></script></head><body><article class="bd-article">'
            f"{front_matter(facts, address, contents, solutions)}{''.join(body)}</article></body></html>")


def front_matter(facts: dict, address: str, contents: list[str], solutions: int) -> str:
    """Title page, what this PDF holds, contents."""
    told = ("Solutions of the exercises stand at the end of their chapter." if solutions
            else "This edition holds no solutions: where the exercises ask for an answer stands what you start from.")
    link = lambda url: f'<a href="{escape(url)}">{escape(url)}</a>'
    return f"""<section class="title-page"><p class="title">{escape(facts["title"])}</p><p class="subtitle">{escape(facts["subtitle"])}</p>
<p>{escape(facts["author"])}</p><p>{escape(facts["version"])}, {facts["date"]}</p><p>{escape(facts["license"])}</p>
<p>{link(address)}<br>{link(facts["repository"])}</p></section>
<section class="page"><h1>About this PDF</h1>
<p>It holds the pages of the website, in order. The chapters are notebooks: the code that you see has run, and what it printed
stands below it.
{told} Left out are the code that draws the figures, and the first cell of each chapter, which
installs the course's package where it is missing.
Both are in the notebooks, which you find at {link(facts["repository"])}.</p>
<p>Links within the book work here too, and the outline of your PDF reader lists parts, chapters and sections.</p></section>
<nav class="toc page"><h1>Contents</h1><ol>{"".join(contents)}</ol></nav>"""


def read_facts(root: Path, edition: str) -> dict:
    """What the title page says, from `_config.yml`, CITATION.cff and git."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    title, _, subtitle = citation["title"].partition(": ")
    git = subprocess.run(["git", "log", "-1", "--format=%cs %h"], cwd=root, capture_output=True, text=True)
    date, _, commit = git.stdout.strip().partition(" ") if git.returncode == 0 else (datetime.date.today().isoformat(), "", "")
    version = f"Version {citation['version']}" + (f" (commit {commit})" if commit else "")
    return {"title": title, "subtitle": subtitle[:1].upper() + subtitle[1:], "date": date,
            "author": "; ".join(a.get("name") or f"{a['given-names']} {a['family-names']}" for a in citation["authors"]),
            "version": version + (", edition for students, without solutions" if edition == "course" else ""),
            "license": config["html"]["extra_footer"], "repository": config["repository"]["url"]}


# --- printing ----------------------------------------------------------------------------------------

def browser_path() -> str:
    """Where Chromium is. Raises SystemExit when there is none."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        raise SystemExit(f"make pdf: Chromium prints the book; found none of {', '.join(CHROMIUM)}: apt-get install chromium")
    return found


def answer(route, html: Path, text: str) -> None:
    """Answer a request of the browser: the document, or a file of the site; anything else fails."""
    path = unquote(urlsplit(route.request.url).path).lstrip("/")
    if not route.request.url.startswith(HOST):
        route.abort()
    elif path == "":
        route.fulfill(body=text, content_type="text/html; charset=utf-8")
    elif (html / path).is_file():
        route.fulfill(body=(html / path).read_bytes(), content_type=mimetypes.guess_type(path)[0] or "application/octet-stream")
    else:
        route.fulfill(status=404, body="")


def print_pdf(html: Path, text: str, target: Path) -> None:
    """Print a document that `document` made. Raises SystemExit naming what the document asked for and did not get."""
    from playwright.sync_api import sync_playwright
    missing: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), headless=True, args=FLAGS)
        target.parent.mkdir(parents=True, exist_ok=True)
        load_and_print(browser, html, text, target, {}, missing)              # to learn on which page each chapter begins
        pages = page_numbers(target)
        load_and_print(browser, html, text, target, pages, missing)
        if page_numbers(target) != pages:                                     # better no number than a wrong one
            print("make pdf: Chromium laid out the pages anew, so the contents have links but no page numbers", file=sys.stderr)
            load_and_print(browser, html, text, target, {}, missing)
        browser.close()


def load_and_print(browser, html: Path, text: str, target: Path, pages: dict[str, int], missing: list[str]) -> None:
    """Print the document from a page of its own: a page that was printed before is laid out otherwise.

    Raises SystemExit for what is missing.
    """
    page = browser.new_page(color_scheme="light", viewport={"width": 627, "height": 956})      # the text block of A4, in CSS pixels
    page.set_default_timeout(240_000)
    page.on("response", lambda r: missing.append(r.url) if r.status != 200 else None)
    page.on("requestfailed", lambda r: missing.append(r.url))
    page.route("**/*", lambda route: answer(route, html, text))
    page.emulate_media(media="print")
    page.goto(HOST)
    page.evaluate(NUMBER_CONTENTS, pages)
    page.evaluate(SETTLE)
    if missing:
        raise SystemExit(f"make pdf: not there: {', '.join(sorted(set(missing)))}")
    page.pdf(path=target, prefer_css_page_size=True, print_background=True, tagged=True, outline=True)
    page.close()


def page_numbers(path: Path) -> dict[str, int]:
    """On which page, from 1, each named place of a PDF is."""
    import pikepdf
    with pikepdf.open(path) as pdf:
        order: dict = {page.objgen: number for number, page in enumerate(pdf.pages, 1)}
        return {name.lstrip("/"): order[place[0].objgen] for name, place in pdf.Root.Dests.items()}


def finish(path: Path, facts: dict, text: str) -> int:
    """Say in the PDF who wrote it and what it is, let readers show its title, mend its outline, and pack it; the number of its pages."""
    import pikepdf
    headings = (words(h.get_text()) for h in BeautifulSoup(text, "html.parser").find_all(["h1", "h2", "h3", "h4"]))
    spaced = {"".join(heading.split()): heading for heading in headings}

    def mend(items):
        for item in items:          # Chromium loses the space where a heading breaks into two lines
            item.title = max(words(item.title), spaced.get("".join(item.title.split()), ""), key=len)
            mend(item.children)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        for key, value in {"/Title": facts["title"], "/Author": facts["author"],
                           "/Subject": f"{facts['subtitle']}. {facts['version']}, {facts['date']}"}.items():
            pdf.docinfo[key] = value
        with pdf.open_outline() as outline:
            mend(outline.root)
        pdf.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        pdf.save(path, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        return len(pdf.pages)


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="make pdf", description=__doc__.splitlines()[0])
    parser.add_argument("--edition", choices=["full", "course"], default="full")
    args = parser.parse_args(argv)
    start = time.perf_counter()
    html = book.build(args.edition)
    built = time.perf_counter()
    facts = read_facts(ROOT, args.edition)
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    target = html.parent / "pdf" / f"{NAME}.pdf"
    text = document(html, toc, facts)
    print_pdf(html, text, target)
    count = finish(target, facts, text)
    print(f"wrote {target}: {count} pages, {target.stat().st_size / 1e6:.1f} MB, "
          f"{time.perf_counter() - start:.0f} s ({built - start:.0f} s of them for the site)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
