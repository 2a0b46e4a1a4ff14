"""The built site, as readers get it: its HTML alone, then in a real browser.

`make test` builds `_build/html` first; BOOK_HTML names another folder to check. The browser is
Debian's chromium: where it is missing the browser checks are skipped, and with CI=true they fail.
Each page is opened once, with an empty cache, and looked at in both schemes, at both widths and
on paper; the browser tests below only ask what that visit found.
"""
import functools
import gzip
import http.server
import os
import re
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import axe_playwright_python
import pytest
import yaml
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
HTML = Path(os.environ.get("BOOK_HTML", ROOT / "_build" / "html"))
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
REPOSITORY, BRANCH = CONFIG["repository"]["url"], CONFIG["repository"]["branch"]
ORG, REPO = REPOSITORY.split("/")[-2:]
ADDRESS = f"https://{ORG.lower()}.github.io/{REPO}/"
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))

FIRST_LOAD, LATER_LOAD = 1_350_000, 150_000      # bytes, gzipped; a later page's figures are not counted
CI = os.environ.get("CI") == "true"
WIDTHS, THEMES = (1280, 390), ("light", "dark")


def toc_files(node) -> list[str]:
    """The pages of the table of contents, in reading order."""
    if isinstance(node, list):
        return [file for entry in node for file in toc_files(entry)]
    own = [node[key] for key in ("root", "file") if key in node]
    return own + [file for key in ("parts", "chapters", "sections") for file in toc_files(node.get(key, []))]


ORDER = [f"{file}.html" for file in toc_files(TOC)]
# Every page there is. Without a build the table of contents stands in, so that the tests fail and say why.
PAGES = sorted((str(p.relative_to(HTML)) for p in HTML.rglob("*.html") if p.name != "index.html" and "_static" not in p.parts),
               key=lambda page: (ORDER.index(page) if page in ORDER else len(ORDER), page)) or ORDER


# --- the HTML alone ---------------------------------------------------------------------------

@functools.cache
def soup(page: str) -> BeautifulSoup:
    """One page, parsed. Fails when the book is not built."""
    if not (HTML / page).exists():
        pytest.fail(f"{HTML / page} does not exist: run `make book`")
    return BeautifulSoup((HTML / page).read_text(encoding="utf-8"), "html.parser")


@functools.cache
def anchors(page: str) -> set[str]:
    """Everything on a page that a link can point to."""
    return {tag["id"] for tag in soup(page).find_all(id=True)}


def source(page: str) -> str | None:
    """The file that a page is made from, relative to the root; None for search, index and the like."""
    return next((page[:-5] + suffix for suffix in (".ipynb", ".md") if (ROOT / (page[:-5] + suffix)).exists()), None)


def words(text: str) -> str:
    """Text with its white space made even."""
    return " ".join(text.split())


def one_line_each(lines) -> str:
    """For a message: a line each, after an empty first line."""
    return "".join(f"\n  {line}" for line in lines)


@pytest.mark.parametrize("page", ORDER)
def test_every_page_of_the_table_of_contents_is_built(page):
    soup(page)


def test_the_front_door_leads_to_the_first_page():
    assert f"url={ORDER[0]}" in (HTML / "index.html").read_text(), f"index.html does not lead to {ORDER[0]}: check _toc.yml"


@pytest.mark.parametrize("page", PAGES)
def test_links_and_anchors_resolve(page):
    broken = []
    for tag in soup(page).find_all(["a", "link", "script", "img"]):
        link = tag.get("href") or tag.get("src")
        if not link or urlsplit(link).scheme or link.startswith("//"):
            continue
        target, fragment = urlsplit(urljoin(page, link)).path or page, unquote(urlsplit(link).fragment)
        if not (HTML / unquote(target)).is_file():
            broken.append(f"{link}: no such file")
        elif fragment and target.endswith(".html") and fragment not in anchors(target):
            broken.append(f"{link}: {target} has no id {fragment!r}")
    assert not broken, f"{page}: correct these links (anchors are lines <a id=\"LABEL\"></a>):{one_line_each(broken)}"


@pytest.mark.parametrize("page", PAGES)
def test_every_image_has_written_alt_text(page):
    bad = []
    for img in soup(page).find_all("img"):
        alt = img.get("alt")
        if "logo__image" in img.get("class", []) and alt == "":     # beside the book's name, in the same link
            continue
        short = img.find_parent("article") and len((alt or "").split()) < 3
        if not (alt or "").strip() or re.search(r"\.(png|svg|jpe?g|gif|webp)$|_images/", alt) or short:
            bad.append(f"{img['src']}: alt={alt!r}")
    assert not bad, (f"{page}: say in words what these show, in the cell's metadata "
                     f'{{"mystnb": {{"image": {{"alt": "..."}}}}}} or the figure\'s :alt: line{one_line_each(bad)}')


@pytest.mark.parametrize("page", PAGES)
def test_buttons_lead_to_the_repository(page):
    links = {next((c for c in a["class"] if c.startswith("btn-source") or c == "btn-launch"), a.get_text(strip=True)): a["href"]
             for a in soup(page).select(".article-header-buttons a[href]")}
    made_from = source(page)
    if made_from is None:
        return
    name = page.removesuffix(".html")
    twin = f"{name}.md"                              # what people edit, also where a notebook is what is built
    expected = {"btn-source-repository-button": REPOSITORY, "btn-source-edit-button": f"{REPOSITORY}/edit/{BRANCH}/{twin}"}
    if made_from.endswith(".ipynb"):
        expected["Colab"] = f"https://colab.research.google.com/github/{ORG}/{REPO}/blob/{BRANCH}/{made_from}"
    for button, address in expected.items():
        assert links.get(button) == address, f"{page}: the button {button} leads to {links.get(button)}, expected {address}"
    assert "Colab" in expected or "Colab" not in links, f"{page} is no notebook and has a Colab button"
    assert (ROOT / twin).exists(), f"{page}: its edit button opens {twin}, which does not exist: run `make notebooks`"
    issue = links.get("btn-source-issues-button", "")
    assert issue.startswith(f"{REPOSITORY}/issues/new") and f"{name}.html" in issue, \
        f"{page}: the issue button leads to {issue!r}, expected {REPOSITORY}/issues/new… naming the page"


@pytest.mark.parametrize("page", [page for page in PAGES if source(page)])
def test_description_is_the_first_paragraph(page):
    tree = soup(page)
    meta = {tag.get("property") or tag.get("name"): tag.get("content") for tag in tree.find_all("meta")}
    subtitle = lambda p: len(p.contents) == 1 and p.contents[0].name == "em"
    first = next((p for p in tree.select("article section > p") if not subtitle(p)), None)
    assert first, f"{page}: begin with a paragraph that says what the page gives its reader"
    text = words(first.get_text())
    assert not first.select(".math"), f"{page}: its first paragraph is its description where it is shared: no formula in it"
    assert len(text) >= 40, f"{page}: its first paragraph is its description where it is shared; {text!r} says too little"
    for key in ("description", "og:description"):
        assert words(meta.get(key) or "") == text, f"{page}: {key} is {meta.get(key)!r}, expected the first paragraph {text!r}"
    assert meta.get("og:site_name") == CONFIG["sphinx"]["config"]["project"], f"{page}: og:site_name is {meta.get('og:site_name')!r}"
    canonical = tree.find("link", rel="canonical")["href"]
    assert canonical == meta.get("og:url") == ADDRESS + page, f"{page}: canonical address {canonical}, expected {ADDRESS + page}"


@pytest.mark.parametrize("page", ORDER)
def test_previous_and_next_follow_the_table_of_contents(page):
    at = ORDER.index(page)
    for kind, expected in (("left-prev", ORDER[at - 1] if at else None), ("right-next", (ORDER + [None])[at + 1])):
        link = soup(page).select_one(f".prev-next-footer a.{kind}")
        found = urljoin(page, link["href"]) if link else None
        assert found == expected, f"{page}: {kind} leads to {found}, expected {expected} (_toc.yml)"


# --- in the browser ---------------------------------------------------------------------------

@dataclass
class Visit:
    """What visiting one page found; empty lists are good. Weights in bytes, gzipped."""
    page: str
    first_load: int = 0
    later_load: int = 0
    outside: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    formulas: list[str] = field(default_factory=list)
    axe: list[str] = field(default_factory=list)
    sideways: list[str] = field(default_factory=list)
    boxes: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)


@functools.cache
def weight(path: Path) -> int:
    """Bytes that a file takes on its way to a reader: gzipped, or as it is where that is smaller (fonts, pictures)."""
    return min(len(gzip.compress(path.read_bytes(), 6)), path.stat().st_size)


class Server(http.server.ThreadingHTTPServer):
    """The site on loopback; `served` lists (path, status) of every request."""

    def __init__(self):
        self.served = []
        super().__init__(("127.0.0.1", 0), functools.partial(Handler, directory=str(HTML)))
        self.address = f"http://127.0.0.1:{self.server_port}/"

    def take(self) -> set[str]:
        """The files served since this was last asked."""
        files = {path for path, status in self.served if status == 200}
        self.served.clear()
        return files


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_request(self, code="-", size="-"):
        self.server.served.append((unquote(urlsplit(self.path).path).lstrip("/"), int(code)))

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    """Chromium that can reach loopback only. Skips where there is none, fails there in CI."""
    path = shutil.which("chromium")
    if path is None:
        tell = pytest.fail if CI else pytest.skip
        tell("no chromium here, so the site was not checked in a browser: apt-get install chromium")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=flags)
        yield browser
        browser.close()


AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
# Everything has arrived, every formula is set, and nothing moves or fades any more.
SETTLED = """async () => {
  if (window.MathJax) await MathJax.startup.promise;
  await document.fonts.ready;
  for (let i = 0; i < 2; i++) {
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    await Promise.race([Promise.allSettled(document.getAnimations().map(a => a.finished)),
                        new Promise(done => setTimeout(done, 2000))]);
  }
}"""
# Formulas without MathJax's container, with its error box, or with a macro that it does not know (set in red).
FORMULAS = """() => [...document.querySelectorAll('.math')].filter(e => {
  const box = e.querySelector('mjx-container');
  return !box || box.querySelector('mjx-merror, merror') || [...box.querySelectorAll('mtext')].some(t => t.textContent.startsWith('\\\\'));
}).map(e => e.textContent.trim().slice(0, 80))"""
OPEN_ALL = """() => {
  for (const e of document.querySelectorAll('details')) e.open = true;
  for (const e of document.querySelectorAll('article button.toggle-button.toggle-button-hidden')) e.click();
}"""
AXE_RUN = """async ([where, asked]) => {
  const some = {everything: {}, 'all but contrast': {rules: {'color-contrast': {enabled: false}}},
                contrast: {runOnly: {type: 'rule', values: ['color-contrast']}}}[asked];
  const found = await axe.run(where ? document.querySelector(where) : document,
    {preload: false, resultTypes: ['violations'], ...some});
  return found.violations.flatMap(v => v.nodes.map(n => `${v.id} (${v.impact}): ${v.help}: ${n.html.slice(0, 160)}`));
}"""
# What sticks out of the window and has no box of its own to scroll in; pictures out of proportion.
STICKS_OUT = """() => {
  const limit = document.documentElement.clientWidth + 1, bad = [];
  for (const e of document.querySelectorAll('article *, footer *')) {
    if (e.parentElement.closest('mjx-container, svg') || e.getBoundingClientRect().right <= limit) continue;
    if (getComputedStyle(e).clipPath !== 'none' || e.getBoundingClientRect().width <= 1) continue;
    let box = e;
    while (box && !(['auto', 'scroll'].includes(getComputedStyle(box).overflowX) && box.getBoundingClientRect().right <= limit))
      box = box.parentElement;
    if (!box) bad.push(`<${e.tagName.toLowerCase()} class="${e.className}"> ${e.textContent.trim().slice(0, 60)}`);
  }
  for (const img of document.querySelectorAll('article img[src]')) {
    const style = getComputedStyle(img), inside = (size, a, b) => img[size] - parseFloat(style[a]) - parseFloat(style[b]);
    const shape = inside('clientWidth', 'paddingLeft', 'paddingRight') / inside('clientHeight', 'paddingTop', 'paddingBottom');
    if (img.naturalWidth && Math.abs(shape * img.naturalHeight / img.naturalWidth - 1) > 0.03) bad.push(`stretched: ${img.alt}`);
  }
  return bad;
}"""
PRINTED = """() => [...document.querySelectorAll('article pre')]
  .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.trim().slice(0, 80))"""


def open_page(browser, server, visit):
    """The page of `visit` in a new window with an empty cache, settled. Returns the window's context and its tab."""
    context = browser.new_context(viewport={"width": WIDTHS[0], "height": 900}, color_scheme="light")
    context.set_default_timeout(20_000)
    tab = context.new_page()
    tab.on("request", lambda r: visit.outside.append(r.url) if not r.url.startswith((server.address, "data:", "blob:")) else None)
    tab.on("console", lambda m: visit.console.append(f"{m.type}: {m.text}") if m.type in ("error", "warning") else None)
    tab.on("pageerror", lambda e: visit.console.append(f"page error: {e}"))
    server.served.clear()
    tab.goto(server.address + visit.page)
    tab.evaluate(SETTLED)
    return context, tab


@pytest.fixture(scope="module")
def files_of(browser, server):
    """For a page, the files that it makes a browser with an empty cache ask for: looked up, or the page opened for it."""
    known = {}

    def files(page):
        if page not in known:
            context, _ = open_page(browser, server, Visit(page))
            known[page] = server.take()
            context.close()
        return known[page]
    files.known = known
    return files


def audit(tab, visit, state, where=None, asked="everything"):
    """Run axe on what is open now, all of it or the part `where`, and note what it finds."""
    tab.evaluate(SETTLED)
    visit.axe += [f"[{state}] {found}" for found in tab.evaluate(AXE_RUN, [where, asked])]


def audit_what_opens(tab, visit, state, width):
    """Open the menus and the search dialog, or on a phone the dialog and the sidebars, one by one, and audit each."""
    press = lambda button: button.evaluate("button => button.click()")      # a tooltip may lie over the button
    dialogs = {":is(.search-button, .search-button-field):visible": "#pst-search-dialog"}
    if width == WIDTHS[0]:
        for menu in tab.locator(".article-header-buttons .dropdown-toggle").all():
            press(menu)
            audit(tab, visit, f"{state}, menu {menu.get_attribute('aria-label')!r}", ".article-header-buttons .dropdown-menu.show")
            press(menu)
    else:
        dialogs |= {".primary-toggle": "#pst-primary-sidebar-modal", ".secondary-toggle": "#pst-secondary-sidebar-modal"}
    for button, dialog in dialogs.items():
        if tab.locator(button).count():
            press(tab.locator(button).first)
            tab.locator(f"{dialog}[open]").wait_for()
            audit(tab, visit, f"{state}, {dialog}", dialog)
            tab.keyboard.press("Escape")
            tab.locator(f"{dialog}[open]").wait_for(state="hidden")


# Menus, dialogs and sidebars are the theme's, the same on every page: audited on the first notebook's.
SAMPLE = next((page for page in ORDER if (source(page) or "").endswith(".ipynb")), ORDER[0])
# On that page axe is asked everything, in both schemes at both widths, of every element. Elsewhere, since no color
# depends on the width and nothing but color on the scheme, only what can differ is asked, and of a chapter's thousands
# of code tokens and formulas only the first of each kind is looked at: axe takes most of a minute over all of them.
ASKED = {("light", 1280): "everything", ("dark", 1280): "contrast", ("light", 390): "all but contrast", ("dark", 390): None}
ONE_OF_EACH = """() => {
  const seen = new Set();
  for (const e of document.querySelectorAll('article pre span:not(:has(*)), article mjx-container')) {
    const style = getComputedStyle(e), kind = [e.className, e.parentElement.tagName, e.parentElement.className,
      style.color, style.backgroundColor, style.fontSize, style.fontWeight].join();
    if (seen.has(kind)) e.replaceWith(e.textContent); else seen.add(kind);
  }
  for (const pre of document.querySelectorAll('article pre')) pre.normalize();
}"""


@pytest.fixture(scope="module", params=PAGES)
def visit(request, server, browser, files_of):
    """What one page shows in the browser: with an empty cache, at both widths, on paper, and in both schemes."""
    visit = Visit(request.param)
    soup(visit.page)
    context, tab = open_page(browser, server, visit)
    visit.missing = [path for path, status in server.served if status >= 400]
    files = files_of.known[visit.page] = server.take()
    visit.first_load = sum(weight(HTML / path) for path in files)
    at = ORDER.index(visit.page) if visit.page in ORDER else 1
    new = files - files_of(ORDER[at - 1] if at else ORDER[1])       # coming from the page before
    visit.later_load = sum(weight(HTML / path) for path in new if not path.startswith("_images/"))
    visit.formulas = tab.evaluate(FORMULAS)
    for width in reversed(WIDTHS):
        tab.set_viewport_size({"width": width, "height": 900})
        tab.evaluate(OPEN_ALL)
        if tab.evaluate("document.scrollingElement.scrollWidth > innerWidth"):
            visit.sideways.append(f"{width} px")
        visit.boxes += [f"[{width} px] {found}" for found in tab.evaluate(STICKS_OUT)]
    tab.evaluate(AXE)
    if visit.page != SAMPLE:
        tab.evaluate(ONE_OF_EACH)
    for width in WIDTHS:
        tab.set_viewport_size({"width": width, "height": 900})
        tab.wait_for_timeout(500)                              # the theme waits 300 ms to see which boxes scroll now
        for theme in THEMES:
            state = f"{theme}, {width} px"
            tab.evaluate("theme => Object.assign(document.documentElement.dataset, {mode: theme, theme})", theme)
            asked = "everything" if visit.page == SAMPLE else ASKED[theme, width]
            if asked:
                audit(tab, visit, state, asked=asked)
            if visit.page == SAMPLE:
                audit_what_opens(tab, visit, state, width)
    tab.set_viewport_size({"width": 720, "height": 900})        # the text width of an A4 sheet
    tab.emulate_media(media="print")
    visit.printed = tab.evaluate(PRINTED)
    context.close()
    return visit


def test_nothing_is_asked_of_other_hosts(visit):
    assert not visit.outside, f"{visit.page} asks other hosts; the site must serve all it needs:{one_line_each(visit.outside)}"
    assert not visit.missing, f"{visit.page} asks for files that the site does not have:{one_line_each(visit.missing)}"


def test_the_console_is_silent(visit):
    assert not visit.console, f"{visit.page}: open the browser's console and remove the cause of:{one_line_each(visit.console)}"


def test_every_formula_is_rendered(visit):
    assert not visit.formulas, f"{visit.page}: MathJax cannot set these formulas, correct their TeX:{one_line_each(visit.formulas)}"


def test_no_accessibility_violation(visit):
    assert not visit.axe, f"{visit.page}: axe finds these (its rule ids are explained at dequeuniversity.com):{one_line_each(visit.axe)}"


def test_the_page_does_not_scroll_sideways(visit):
    assert not visit.sideways, f"{visit.page} scrolls sideways at {', '.join(visit.sideways)}: {one_line_each(visit.boxes)}"
    assert not visit.boxes, f"{visit.page}: wrap these or give them a box that scrolls (_assets/book.css):{one_line_each(visit.boxes)}"


def test_no_printed_code_is_cut(visit):
    assert not visit.printed, f"{visit.page}: on paper these lines are cut (@media print in _assets/book.css):{one_line_each(visit.printed)}"


def test_the_page_is_light(visit):
    assert visit.first_load <= FIRST_LOAD, \
        f"{visit.page}: {visit.first_load:,} bytes gzipped at a first visit, at most {FIRST_LOAD:,}: fewer or smaller figures and scripts"
    assert visit.later_load <= LATER_LOAD, \
        f"{visit.page}: {visit.later_load:,} bytes gzipped without figures coming from the page before, at most {LATER_LOAD:,}"
