"""Sphinx extension: what belongs to the site and to no page of it.

- the words of tools/search.yml lead the site's search, and the page "Index", to the places that they name;
- 404.html, which GitHub Pages shows for an address that does not exist, at any depth: it needs no other file;
- sitemap.xml, and robots.txt that names it. (Robots read robots.txt at the top of a host only: it works where the book has a host
  of its own, and does no harm under OWNER.github.io/NAME, where the map's address is given to a search engine by hand.)
"""
from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import quote

import yaml
from sphinx import addnodes
from sphinx.util import logging

log = logging.getLogger(__name__)
WORDS = Path(__file__).resolve().parents[1] / "tools" / "search.yml"
NOT_FOUND = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Page not found — {project}</title>
<link rel="icon" href="data:image/svg+xml,{icon}">
<style>
:root {{color-scheme: light dark; --text: #222832; --ground: #fff; --link: #1f5c94; --line: #8a94a3; --button: #1f4e79; --on-button: #fff}}
@media (prefers-color-scheme: dark) {{
  :root {{--text: #ced6dd; --ground: #14181e; --link: #8ec1f0; --line: #7d8792; --button: #8ec1f0; --on-button: #14181e}}
}}
body {{margin: 0; background: var(--ground); color: var(--text);
  font: 1.0625rem/1.62 Charter, "Bitstream Charter", "Source Serif 4", "Sitka Text", Cambria, Georgia, serif}}
header, main {{max-width: 60rem; margin: 0 auto; padding: 1rem}}
header a {{display: inline-flex; gap: 0.6rem; align-items: center; font-weight: 600; text-decoration: none; color: inherit}}
header svg {{width: 2.6rem; height: 2.6rem; border-radius: 6px}}
h1 {{font-size: 2.1rem; line-height: 1.22; margin: 0.5rem 0}}
h2 {{font-size: 1.2rem; margin: 1.4rem 0 0.3rem}}
a {{color: var(--link)}}
:focus-visible {{outline: 3px solid var(--link); outline-offset: 2px}}
form {{display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: end; margin: 1.4rem 0}}
label {{flex: 1 1 16rem; max-width: 28rem}}
input, button {{box-sizing: border-box; width: 100%; font: inherit; padding: 0.4rem 0.7rem; background: var(--ground); color: inherit;
  border: 1px solid var(--line); border-radius: 4px}}
button {{width: auto; border-color: var(--button); background: var(--button); color: var(--on-button); cursor: pointer}}
.parts {{display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); column-gap: 2rem}}
ul {{margin: 0; padding-left: 1.1rem}}
li {{padding: 0.1rem 0}}
</style>
</head>
<body>
<header><a href="{home}">{logo}{project}</a></header>
<main>
<h1>There is no such page</h1>
<p>The address may be mistyped, or the page has moved. Search the book, or choose a chapter.</p>
<form action="{search}" role="search"><label>Search the book<br><input type="search" name="q"></label><button>Search</button></form>
<nav aria-label="Chapters">
<div class="parts">
{parts}
</div>
</nav>
</main>
</body>
</html>
"""


def index_words(app, doctree):
    """Put the words that lead to this page into the index. Warns where one leads to an anchor that the page does not have."""
    page, entries = app.env.docname, []
    for place, words in app.config.search_words.items():
        there, _, anchor = place.partition("#")
        if there != page:
            continue
        if anchor and anchor not in doctree.ids:
            log.warning("tools/search.yml: %s has no anchor %r for %s", page, anchor, ", ".join(words))
        entries += [("single", word, anchor, "main", None) for word in words]
    if entries:
        doctree.append(addnodes.index(entries=entries))
        app.env.get_domain("index").entries.setdefault(page, []).extend(entries)      # it has looked at the page already


def pages(app) -> list[tuple[str, list[str]]]:
    """The parts of the table of contents: (caption, names of pages); the first has no caption, and the home page."""
    toc = yaml.safe_load(Path(app.srcdir, "_toc.yml").read_text(encoding="utf-8"))
    return [("", [toc["root"]])] + [(part["caption"], [c["file"] for c in part["chapters"]]) for part in toc["parts"]]


def not_found(app) -> str:
    """The text of 404.html: every address in it is whole, since nobody knows at which depth it will be shown."""
    address = lambda name: html.escape(app.config.html_baseurl + app.builder.get_target_uri(name))
    title = lambda name: html.escape(app.env.titles[name].astext())
    parts = []
    for caption, names in pages(app)[1:]:
        links = "\n".join(f'<li><a href="{address(name)}">{title(name)}</a></li>' for name in names if name in app.env.titles)
        if caption == pages(app)[-1][0]:
            links += f'\n<li><a href="{address("genindex")}">Index</a></li>'
        parts.append(f"<section><h2>{html.escape(caption)}</h2>\n<ul>\n{links}\n</ul></section>")
    icon = Path(app.confdir, "_assets", "favicon.svg").read_text(encoding="utf-8").strip()
    logo = re.sub(r">\s+<", "><", icon).replace("<svg ", '<svg aria-hidden="true" ')
    return NOT_FOUND.format(project=html.escape(app.config.project), home=address(app.config.root_doc), search=address("search"),
                            icon=quote(re.sub(r">\s+<", "><", icon)), logo=logo, parts="\n".join(parts))


def write_files(app, exception):
    """After the build: 404.html, sitemap.xml and robots.txt."""
    if exception or app.builder.name != "html":
        return
    base, out = app.config.html_baseurl, Path(app.outdir)
    found = [name for _, names in pages(app) for name in names if name in app.env.found_docs]
    lines = [f"  <url><loc>{html.escape(base + app.builder.get_target_uri(name))}</loc></url>" for name in found]
    (out / "404.html").write_text(not_found(app), encoding="utf-8")
    (out / "sitemap.xml").write_text("\n".join(['<?xml version="1.0" encoding="UTF-8"?>',
                                                '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">', *lines, "</urlset>", ""]),
                                     encoding="utf-8")
    (out / "robots.txt").write_text(f"User-agent: *\nAllow: /\nSitemap: {base}sitemap.xml\n", encoding="utf-8")


def setup(app):
    """Register all of the above; a change of the words makes every page stale."""
    app.add_config_value("search_words", yaml.safe_load(WORDS.read_text(encoding="utf-8")), "env")
    app.connect("doctree-read", index_words)
    app.connect("build-finished", write_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
