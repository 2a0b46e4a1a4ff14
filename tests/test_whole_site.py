"""The site as a whole: search finds what students type, lost readers find back, shared links show a picture, the keyboard is enough.

As in test_site.py, the built site is looked at: run `make book` first.
"""
import functools
import io
import json
import re
import struct
from urllib.parse import parse_qs, urljoin, urlsplit
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from PIL import Image
from test_site import (
    ADDRESS,
    AXE,
    AXE_RUN,
    HTML,
    ORDER,
    PAGES,
    ROOT,
    SAMPLE,
    SETTLED,
    STICKS_OUT,
    WIDTHS,
    browser,  # noqa: F401  # a fixture
    one_line_each,
    server,  # noqa: F401  # a fixture
    soup,
    source,
)

from tools import share_picture

# --- search

# What students type, and the chapters of which one should be among the first three that the site's search lists.
TYPED = {
    "hessian vector product": ["11-higher-order"], "step size": ["02-numerical"], "logm": ["14-matrix-rules"],
    "wrong gradient": ["15-control-flow-pitfalls"], "checkpointing": ["10-complexity-memory"], "implicit function": ["16-implicit"],
    "conditional logit": ["08-jax", "09-pytorch"], "jvp": ["05-forward-mode", "08-jax"], "standard errors": ["08-jax", "02-numerical"],
    "Hessian": ["11-higher-order"], "dual numbers": ["05-forward-mode"], "nan": ["15-control-flow-pitfalls"], "vmap": ["08-jax"],
    "finite differences": ["02-numerical"], "fixed point": ["16-implicit"], "envelope theorem": ["17-optima-equilibria"],
    "sparse jacobian": ["12-sparse"], "backpropagation": ["06-reverse-mode"], "reparameterization": ["19-expectations"],
}
WORDS = yaml.safe_load((ROOT / "tools" / "search.yml").read_text(encoding="utf-8"))
FOUND = """() => {
  const summary = document.querySelector('#search-results .search-summary');
  return summary && /finished|did not match/.test(summary.textContent);
}"""


@functools.cache
def html(page: str) -> str:
    """One page as it is written."""
    return (HTML / page).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def results(browser, server):
    """The addresses that the search page lists for a query, in order."""
    tab = browser.new_page()

    def search(query: str) -> list[str]:
        tab.goto(f"{server.address}search.html")
        tab.locator("main input[name=q]").first.fill(query)
        tab.keyboard.press("Enter")
        tab.wait_for_function(FOUND)
        links = tab.eval_on_selector_all("#search-results ul.search > li > a", "links => links.map(a => a.href)")
        return [urlsplit(link)._replace(query="").geturl().removeprefix(server.address) for link in links]
    yield search
    tab.close()


@pytest.mark.parametrize("query", TYPED)
def test_search_finds_what_a_student_types(results, query):
    first = results(query)[:3]
    assert [link for link in first if urlsplit(link).path in [f"chapters/{name}.html" for name in TYPED[query]]], \
        f"search {query!r} lists {first} first, expected one of {TYPED[query]}: add the words to tools/search.yml"


def test_every_word_of_the_index_leads_to_its_place(browser, server):
    tab = browser.new_page()
    tab.goto(f"{server.address}search.html?q=jvp")
    tab.wait_for_function(FOUND)
    words = [(word, place) for place, list_ in WORDS.items() for word in list_]
    found = tab.evaluate("""words => words.map(word => Search._performSearch(...Search._parseQuery(word)).slice(-3)
                             .map(([page, title, anchor]) => page + anchor))""", [word for word, _ in words])
    tab.close()
    lost = [f"{word}: {first[::-1]}, expected {place}" for (word, place), first in zip(words, found) if place not in first]
    assert not lost, f"tools/search.yml: these words are not among the first three that the search lists:{one_line_each(lost)}"


def test_the_places_of_the_index_exist_and_the_index_page_lists_their_words():
    named = {place.split("#")[0] + ".html" for place in WORDS}
    lacking = [page for page in ORDER if page.startswith("chapters/") and page not in named]
    assert not lacking, f"tools/search.yml has no words for {', '.join(lacking)}"
    for place in WORDS:
        page, _, anchor = place.partition("#")
        there = f"{page}.html" in ORDER and (not anchor or f'id="{anchor}"' in html(f"{page}.html"))
        assert there, f"tools/search.yml: there is no {place}"
    listed = {(a["href"], a.get_text()) for a in soup("genindex.html").select(".genindextable a")}
    for place in WORDS:
        page, _, anchor = place.partition("#")
        link = f"{page}.html" + (f"#{anchor}" if anchor else "")
        assert {href for href, _ in listed} & {link, link + "#"}, f"genindex.html does not lead to {place}"
    assert {word for words in WORDS.values() for word in words} <= {text for _, text in listed}


# --- a page that is not there

def test_the_404_page_works_at_any_depth():
    page, text = soup("404.html"), html("404.html")
    assert not page.select("script, img, link[rel=stylesheet], iframe") and "url(" not in text, "it must not need another file"
    links = [a["href"] for a in page.select("a")] + [page.select_one("form")["action"]]
    for link in links:
        assert link.startswith(ADDRESS) and (HTML / link.removeprefix(ADDRESS)).is_file(), f"404.html: {link} leads nowhere"
    lacking = [name for name in ORDER if ADDRESS + name not in links]
    assert not lacking, f"404.html lacks {lacking}"
    for a in page.select("nav a[href]"):
        name = a["href"].removeprefix(ADDRESS)
        assert a.get_text() in soup(name).select_one("article h1").get_text(), f"404.html calls {name} {a.get_text()!r}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_404_page_is_readable_and_its_search_searches(browser, theme):
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=theme)
    asked = []

    def serve(route):
        asked.append(route.request.url)
        there = HTML / urlsplit(route.request.url).path.removeprefix(urlsplit(ADDRESS).path)
        found = there.is_file()
        route.fulfill(status=200 if found else 404, body=(there if found else HTML / "404.html").read_bytes(), content_type="text/html")
    context.route("**/*", serve)
    tab = context.new_page()
    tab.goto(ADDRESS + "chapters/not/there.html")
    ground, text = (tab.evaluate(f"getComputedStyle(document.body).{what}") for what in ("backgroundColor", "color"))
    sums = [sum(map(int, re.findall(r"\d+", color)[:3])) for color in (ground, text)]
    assert (sums[0] < sums[1]) == (theme == "dark"), f"in {theme}: text {text} on {ground}"
    tab.evaluate(AXE)
    for width in WIDTHS:
        tab.set_viewport_size({"width": width, "height": 844})
        assert tab.evaluate(AXE_RUN, [None, "everything"]) == []
        assert not tab.evaluate("document.scrollingElement.scrollWidth > innerWidth")
    tab.get_by_label("Search the book").fill("step size")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/search.html?*")
    address = urlsplit(next(url for url in asked if "search.html" in url))
    assert parse_qs(address.query) == {"q": ["step size"]} and address._replace(query="").geturl() == ADDRESS + "search.html"
    context.close()


# --- machines that read the site

def test_the_sitemap_names_the_pages_of_the_table_of_contents_and_no_other():
    tree = ElementTree.parse(HTML / "sitemap.xml")
    places = [loc.text for loc in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert places == [ADDRESS + page for page in ORDER]
    assert f"\nSitemap: {ADDRESS}sitemap.xml\n" in (HTML / "robots.txt").read_text() and "Disallow" not in (HTML / "robots.txt").read_text()


@pytest.mark.parametrize("page", ORDER)
def test_a_shared_link_shows_title_description_and_picture(page):
    meta = {tag.get("property") or tag.get("name"): tag.get("content") for tag in soup(page).find_all("meta")}
    h1 = soup(page).select_one("article h1").get_text().rstrip("#")
    assert meta.get("og:title") == h1, f"{page}: og:title is {meta.get('og:title')!r}, expected {h1!r}"
    assert not re.search(r"[$\\`<>]|\*\*", meta["og:description"]), f"{page}: og:description is no plain prose: {meta['og:description']!r}"
    assert meta.get("og:type") == "website" and meta.get("twitter:card") == "summary_large_image"
    image = meta.get("og:image", "")
    assert image.startswith(ADDRESS), f"{page}: og:image is {image!r}, expected an address under {ADDRESS}"
    file = HTML / image.removeprefix(ADDRESS)
    assert file.is_file(), f"{page}: og:image leads to {image}, which does not exist"
    picture = file.read_bytes()
    assert struct.unpack(">II", picture[16:24]) == (1200, 630) == (int(meta["og:image:width"]), int(meta["og:image:height"]))
    assert len(meta.get("og:image:alt", "").split()) > 3


def test_the_picture_of_shared_links_is_what_its_script_draws():
    drawn, there = (np.asarray(Image.open(file).convert("RGB")).astype(int)
                    for file in (io.BytesIO(share_picture.picture()), ROOT / share_picture.PICTURE))
    assert drawn.shape == there.shape == (630, 1200, 3)
    differ = (abs(drawn - there).max(axis=2) > 40).mean()      # of the pixels; a few at edges with another FreeType
    assert differ < 0.002, f"{differ:.1%} of {share_picture.PICTURE} differ: run python -m tools.share_picture"


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_the_icon(page):
    icon = soup(page).find("link", rel="icon")
    assert icon, f"{page} has no favicon"
    link = icon["href"]
    assert link.startswith("data:image/svg+xml,") or (HTML / urljoin(page, link)).is_file(), f"{page}: favicon {link} does not exist"


# --- readers

@pytest.mark.parametrize("page", ORDER)
def test_the_download_button_hands_out_the_page_s_source(page):
    button = soup(page).select_one("a.btn-download-source-button")
    assert button, f"{page} has no download button"
    file, there = HTML / urljoin(page, button["href"]), ROOT / source(page)
    assert file.name == there.name and file.exists(), f"{page}: the download button leads to {button['href']}, expected {there.name}"
    if there.suffix == ".ipynb":
        assert json.loads(file.read_text(encoding="utf-8"))["nbformat"] == 4
    if "course" not in HTML.parts:
        assert file.read_bytes() == there.read_bytes()


@pytest.mark.parametrize("page", PAGES)
def test_headings_are_in_order(page):
    levels = [(int(tag.name[1]), tag.get_text(" ", strip=True)) for tag in soup(page).select("main :is(h1, h2, h3, h4, h5, h6)")
              if not tag.find_parent(attrs={"id": "jb-print-docs-body"}) and not tag.find_parent(attrs={"class": "onlyprint"})]
    assert [level for level, _ in levels].count(1) == 1 == levels[0][0], f"{page}: expected one h1, first: {levels[:3]}"
    assert all(text for _, text in levels), f"{page} has an empty heading"
    jumps = [f"{before} > {after}" for before, after in zip(levels, levels[1:]) if after[0] > before[0] + 1]
    assert not jumps, f"{page}: a level of headings is passed over:{one_line_each(jumps)}"


# What the Tab key should reach: everything that can be used and seen. Of radio buttons with one name it reaches one.
USABLE = """() => {
  const shown = e => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length
    && !e.closest('[inert], dialog:not([open])');
  const all = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
    .filter(e => e.tabIndex >= 0 && !e.disabled && e.type !== 'hidden' && shown(e));
  all.forEach((e, n) => e.dataset.usable = n);
  const groups = new Set();
  return all.filter(e => e.type !== 'radio' || !(groups.has(e.name) || !groups.add(e.name)))
    .map(e => e.type === 'radio' ? 'radio ' + e.name : e.dataset.usable);
}"""
# What has the focus now, whether that shows, and what it is.
FOCUSED = """() => {
  const e = document.activeElement, style = getComputedStyle(e);
  if (e === document.body) return null;
  const line = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  const box = e.getBoundingClientRect();
  return [e.type === 'radio' ? 'radio ' + e.name : e.dataset.usable ?? '', line || style.boxShadow !== 'none',
          e.outerHTML.slice(0, 120), box.width > 0 && box.bottom > 0 && box.top < innerHeight];
}"""


@pytest.mark.parametrize("page, width", [(ORDER[0], 1280), (ORDER[0], 390), (SAMPLE, 1280), ("search.html", 1280), ("404.html", 390)])
def test_the_keyboard_alone_reaches_everything_and_shows_where_it_is(browser, server, page, width):
    tab = browser.new_page(viewport={"width": width, "height": 900})
    tab.goto(server.address + page)
    tab.evaluate(SETTLED)
    tab.evaluate("document.activeElement.blur()")
    expected, reached, faint = set(tab.evaluate(USABLE)), {}, []
    for _ in range(3 * len(expected) + 20):
        tab.keyboard.press("Tab")
        focused = tab.evaluate(FOCUSED)
        if focused is None:
            if reached:
                break
            continue
        if not (focused[1] and focused[3]):
            tab.wait_for_timeout(400)                         # it fades or slides in
            focused = tab.evaluate(FOCUSED)
        name, shows, what, inside = focused
        if name in reached and len(reached) > 1 and name == next(iter(reached)):
            break
        reached[name] = what
        if not shows or not inside:
            faint.append(what)
    told = "name => document.querySelector(`[data-usable='${name}']`)?.outerHTML.slice(0, 160) ?? name"
    lost = [tab.evaluate(told, name) for name in expected - set(reached)]
    tab.close()
    assert not lost, f"{page}, {width} px: the Tab key does not reach:{one_line_each(lost)}"
    assert not faint, f"{page}, {width} px: nothing shows that these have the focus:{one_line_each(faint)}"


def test_the_first_tab_offers_to_skip_to_the_text(browser, server):
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.goto(server.address + SAMPLE)
    tab.evaluate(SETTLED)
    tab.keyboard.press("Tab")
    tab.wait_for_timeout(500)                                 # it slides in
    box = tab.evaluate("(({left, top, bottom, width}) => ({left, top, bottom, width}))(document.activeElement.getBoundingClientRect())")
    assert "Skip to main content" in tab.evaluate("document.activeElement.textContent")
    assert box["top"] >= 0 and box["left"] >= 0 and box["width"] > 50, f"the link cannot be seen: {box}"
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert tab.evaluate("!!document.activeElement.closest('main')"), "after it, the Tab key goes on in the text"
    tab.close()


@pytest.mark.parametrize("page", [ORDER[0], SAMPLE, "appendix/95-api.html"])
def test_on_paper_a_page_is_its_text_alone_and_nothing_is_cut(browser, server, page):
    tab = browser.new_page(viewport={"width": 720, "height": 1000})        # the text width of an A4 sheet
    tab.emulate_media(media="print", color_scheme="light")
    tab.goto(server.address + page)
    tab.evaluate(SETTLED)
    seen = tab.evaluate("""() => [...document.querySelectorAll('.bd-sidebar-primary, .bd-sidebar-secondary, .bd-header, '
      + '.bd-header-article, .prev-next-footer, .skip-link, #pst-back-to-top, button.copybtn')]
      .filter(e => e.checkVisibility() && e.offsetHeight > 0)
      .map(e => e.outerHTML.slice(0, 100))""")
    cut = tab.evaluate(STICKS_OUT)
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    tab.close()
    assert not seen, f"{page}: on paper these mean nothing (@media print in _assets/book.css):{one_line_each(seen[:5])}"
    assert not cut, f"{page}: on paper these are cut:{one_line_each(cut)}"
    assert ground in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"), f"{page} is printed on {ground}"
