"""Sphinx extension: what this book needs and Jupyter Book, its theme and its extensions do not give.

From the sources to the pages:
- the address of the pages follows from `repository: url` in `_config.yml`;
- a line `<a id="LABEL"></a>` in Markdown becomes a MyST target, so `[text](#LABEL)` works from any page;
- before each solution cell stand its exercise's facts and the stub derived from it;
- MathJax is served by the book (the few files of it that pages can ask for);
- a page's description is its first paragraph;
- the edit button opens the text twin, not the notebook's JSON;
- faults of the theme that readers meet (page errors, half a megabyte of icons twice, roles that
  screen readers stumble over) are taken out.
"""
from __future__ import annotations

import hashlib
import html
import importlib.util
import inspect
import json
import re
import shutil
import sys
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
from tools.anchors import labeled_lines
from tools.exercises import stub

MATHJAX = ("tex-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions", "a11y",
           "sre/mathmaps/base.json", "sre/mathmaps/en.json")

# What is wrong in the written pages, and what should stand there. Each pattern no longer matches once replaced.
REPAIRS = [
    # The sidebar is no landmark.
    (re.compile(r'<div id="pst-primary-sidebar" class'),
     '<div id="pst-primary-sidebar" role="complementary" aria-label="Book" class'),
    # Every icon comes twice: as a web font (in the style sheet) and as 1.5 MB of JavaScript. One is enough.
    (re.compile(r'\s*<!-- So that users can add custom icons -->\s*<script defer src="[^"]*/fontawesome\.js[^"]*"></script>'), ""),
    # A list of references whose entries are no list items, under a role that ARIA has withdrawn.
    (re.compile(r'role="doc-biblioentry"'), 'role="listitem"'),
]


def set_addresses(app, config):
    """Derive the address of the pages from that of the repository. Raises ExtensionError for another host."""
    url = config.html_theme_options.get("repository_url", "")
    found = re.fullmatch(r"https://github\.com/([\w.-]+)/([\w.-]+)", url)
    if not found:
        raise ExtensionError(f"_config.yml, repository: url: expected https://github.com/ORG/REPO, got {url!r}")
    org, repo = found.groups()
    config.html_baseurl = config.html_baseurl or f"https://{org.lower()}.github.io/{repo}/"
    config.ogp_site_url = config.html_baseurl
    config.mathjax_path = "mathjax/tex-chtml.js"


def copy_mathjax(app):
    """Copy the part of MathJax that pages can ask for (3 of 24 MB) from the package sphinx-mathjax-offline."""
    if app.builder.format != "html":
        return
    package = importlib.util.find_spec("sphinx-mathjax-offline")
    if package is None:
        raise ExtensionError("sphinx-mathjax-offline is not installed: pip install -r requirements-book.txt")
    source, target = Path(package.origin).parent / "static" / "mathjax", Path(app.outdir) / "_static" / "mathjax"
    for name in MATHJAX:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, dirs_exist_ok=True)
        else:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / name, target / name)


def complete_singlehtml(app):
    """Give the one-page builder all visitors of the HTML builder: sphinx-exercise hides the others from it."""
    handlers = app.registry.translation_handlers
    if "singlehtml" in handlers:
        handlers["singlehtml"] = {**handlers.get("html", {}), **handlers["singlehtml"]}


def targets(markdown: str) -> str:
    """Markdown with each line `<a id="LABEL"></a>` outside code fences replaced by `(LABEL)=`."""
    return "\n".join(f"({label})=" if label else line for line, label in labeled_lines(markdown))


def stub_cell(cell: dict) -> dict:
    """A Markdown cell with an exercise's facts (stars, minutes, points) and, before a solution, its stub.

    In the course edition the cell itself is the stub, so the facts stand alone.
    """
    facts = cell["metadata"]["exercise"]
    count = lambda n, what: f"{n} {what}{'' if n == 1 else 's'}"
    lines = [":::{container} exercise-stub",
             f"{'★' * facts['stars']} · {count(facts['minutes'], 'minute')} · {count(facts['points'], 'point')}"]
    if facts["role"] == "solution":
        lines += ["", "`````python", stub("".join(cell["source"])), "`````"]
    return {"cell_type": "markdown", "id": f"stub-{facts['id']}"[:64], "metadata": {}, "source": "\n".join(lines + [":::"])}


def read_source(app, docname, source):
    """Before a page is parsed: anchors become targets, and before each solution cell stands its stub."""
    if Path(app.env.doc2path(docname)).suffix != ".ipynb":
        source[0] = targets(source[0])
        return
    notebook, cells = json.loads(source[0]), []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = targets("".join(cell["source"]))
        elif cell["metadata"].get("exercise", {}).get("role") in ("solution", "stub"):
            cells.append(stub_cell(cell))
        cells.append(cell)
    notebook["cells"] = cells
    source[0] = json.dumps(notebook)


def describe_page(app, pagename, templatename, context, doctree):
    """Give a page its first paragraph as its description, for search engines and where it is shared.

    A paragraph all in italics is a subtitle, not the first paragraph.
    """
    paragraphs = doctree.findall(nodes.paragraph) if doctree else []
    first = next((" ".join(p.astext().split()) for p in paragraphs if isinstance(p.parent, nodes.section)
                  and not (len(p) == 1 and isinstance(p[0], nodes.emphasis))), None)
    if first:
        context["metatags"] += f'<meta name="description" content="{html.escape(first)}" />\n'
        context["meta"] = {**(context["meta"] or {}), "og:description": first}


def fix_page(app, pagename, templatename, context, doctree):
    """Before a page is written: no live-code scripts (one throws on every page), and the edit button's address."""
    def is_thebe(script):
        return "sphinx-thebe" in str(script.filename) or "THEBE_JS_URL" in script.attributes.get("body", "")
    context["script_files"] = [s for s in context["script_files"] if not is_thebe(s)]
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []):
            if button.get("label") == "source-edit-button":
                button["url"] = re.sub(r"\.ipynb$", ".md", button["url"])


def repair_pages(app, exception):
    """After the build: replace in every page what no setting or template reaches (REPAIRS)."""
    if exception or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = repaired = page.read_text(encoding="utf-8")
        for pattern, right in REPAIRS:
            repaired = pattern.sub(right, repaired)
        if repaired != text:
            page.write_text(repaired, encoding="utf-8")
    for leftover in Path(app.outdir, "_static", "scripts").glob("fontawesome.js*"):
        leftover.unlink()


def setup(app):
    """Register all of the above, and `package_url` of `_config.yml`, which the set-up cells are made from."""
    app.add_config_value("package_url", "", "")
    # A change in this file, or in the function that makes stubs, makes every page stale.
    own = Path(__file__).read_bytes() + inspect.getsource(stub).encode()
    app.add_config_value("book_fixes_hash", hashlib.sha256(own).hexdigest(), "env")
    app.connect("config-inited", set_addresses)
    app.connect("builder-inited", complete_singlehtml, priority=1)
    app.connect("builder-inited", copy_mathjax)
    app.connect("source-read", read_source)
    app.connect("html-page-context", describe_page, priority=400)      # before sphinxext.opengraph
    app.connect("html-page-context", fix_page, priority=900)
    app.connect("build-finished", repair_pages, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
