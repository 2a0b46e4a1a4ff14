"""The pages and parts of pages that follow from other files: `python -m tools.pages`, part of `make notebooks`.

An item of the source slides is ticked by a line `<a id="item-N"></a>` in the chapter that teaches it.
From those lines, tools/plan.yml, appendix/slide-items.csv and appendix/errata.yml come the slide
index, the errata page, and the map and the list of chapters on the home page; from the exercises and tools/paths.yml,
the tables of the instructors' page (tools/teaching.py); from references.bib, what to read (tools/links.py); from the
docstrings of lecture_utils, its reference (tools/api.py); from the notebooks, the requirements and what was recorded,
the colophon (tools/colophon.py).
"""
from __future__ import annotations

import argparse
import csv
import re
import sys
from itertools import groupby
from pathlib import Path

import yaml

from tools import api
from tools.anchors import labeled_lines

ROOT = Path(__file__).resolve().parents[1]
PARTS = ["Foundations", "Tools and cost", "Rules and implicit functions", "Applications"]
ROMAN = ["I", "II", "III", "IV"]
VERDICTS = {"right": "right", "conditional": "right with a condition", "wrong": "wrong", "pointer": "pointer"}
KINDS = {"wrong": "wrong", "stale": "out of date", "conditional": "true with a condition", "typo": "slip of the pen"}
INDEX, ERRATA = Path("appendix/90-slide-index.md"), Path("appendix/91-errata.md")
INSTRUCTORS = Path("appendix/96-instructors.md")
LINKS, COLOPHON = Path("appendix/94-links.md"), Path("appendix/97-colophon.md")


# --- what the files say ------------------------------------------------------------------------

def read_plan(root: Path = ROOT) -> list[dict]:
    """The parts of the book, each {part, chapters}. Raises ValueError for an unknown part or one out of order."""
    plan = yaml.safe_load((root / "tools" / "plan.yml").read_text(encoding="utf-8"))
    if [p["part"] for p in plan] != PARTS:
        raise ValueError(f"tools/plan.yml: got the parts {[p['part'] for p in plan]}, expected {PARTS}")
    return plan


def written(root: Path, name: str) -> bool:
    """Whether this chapter is there."""
    return (root / "chapters" / f"{name}.md").exists()


def _names(root: Path):
    """How a page is called in a sentence: a chapter by number and short title, a page of the appendix by its number."""
    short = {c["name"]: f"{c['name'][:2]} {c['short']}" for part in read_plan(root) for c in part["chapters"]}
    return lambda name: short.get(name, "the home page" if name == "intro" else name[:2])


def anchor_lines(text: str) -> list[str]:
    """The labels of the lines `<a id="LABEL"></a>` that stand outside code fences, in order."""
    return [label for _, label in labeled_lines(text) if label]


def item_anchors(root: Path = ROOT) -> dict[int, str]:
    """Where each item of the slides is taught: item number -> file stem ("intro" or a chapter's or appendix page's).

    Raises ValueError, naming both files, when an item is anchored twice.
    """
    pages = [root / "intro.md", *sorted((root / "chapters").glob("*.md")), *sorted((root / "appendix").glob("*.md"))]
    found: dict[int, Path] = {}
    for page in pages:
        if not page.exists() or page.relative_to(root) in (INDEX, ERRATA):
            continue
        for label in anchor_lines(page.read_text(encoding="utf-8")):
            item = re.fullmatch(r"item-(\d+)", label)
            if not item:
                continue
            number = int(item[1])
            if number in found:
                raise ValueError(f"item-{number} is anchored twice: in {found[number].relative_to(root)} and in "
                                 f"{page.relative_to(root)}; keep the anchor where the item is taught")
            found[number] = page
    return {number: found[number].stem for number in sorted(found)}


def read_items(root: Path = ROOT) -> list[dict]:
    """The rows of slide-items.csv, with `item` a number and `erratum`, `chapters` lists.

    Raises ValueError when the rows are not numbered 1, 2, … or a verdict is unknown.
    """
    with open(root / "appendix" / "slide-items.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for n, row in enumerate(rows, 1):
        if row["item"] != str(n):
            raise ValueError(f"appendix/slide-items.csv, row {n}: got item {row['item']!r}, expected {n}")
        if row["verdict"] not in VERDICTS:
            raise ValueError(f"appendix/slide-items.csv, item {n}: got verdict {row['verdict']!r}, expected one of {list(VERDICTS)}")
        row["item"] = n
        for key in ("erratum", "chapters"):
            row[key] = [part for part in row[key].split(";") if part]
    return rows


def read_errata(root: Path = ROOT) -> list[dict]:
    """The entries of errata.yml. Raises ValueError when they are not numbered 1, 2, … or a kind is unknown."""
    errata = yaml.safe_load((root / "appendix" / "errata.yml").read_text(encoding="utf-8"))
    for n, e in enumerate(errata, 1):
        if e["number"] != n:
            raise ValueError(f"appendix/errata.yml, entry {n}: got number {e['number']!r}, expected {n}")
        if e["kind"] not in KINDS:
            raise ValueError(f"appendix/errata.yml, E{n}: got kind {e['kind']!r}, expected one of {list(KINDS)}")
    return errata


# --- the appendix ------------------------------------------------------------------------------

def _generated(*sources: str) -> str:
    return f"<!-- Written by `make notebooks` from {', '.join(sources)}: edit those, not this page. -->"


def _number(name: str) -> str:
    """A page's short name in a link: 02 for 02-numerical."""
    return "home page" if name == "intro" else name.split("-")[0]


def slide_index(root: Path = ROOT) -> str:
    """The text of the slide index. Raises ValueError when a chapter anchors an item that the slides do not have."""
    items, taught = read_items(root), item_anchors(root)
    for number, name in taught.items():
        if not 1 <= number <= len(items):
            raise ValueError(f"{name} anchors item-{number}; appendix/slide-items.csv has items 1 to {len(items)}")
    out = ["# Slide index", "",
           _generated("appendix/slide-items.csv", "the anchors item-N in the chapters"), "",
           "Everything that the source slides say, claim by claim, with a verdict and the place in this book where it "
           "is taught. The slides are “Symbolic, Numerical, and Automatic Differentiation” from ECON622 by Jesse Perla, "
           "University of British Columbia; the statements are restated in our words.", "",
           f"**{len(taught)} of {len(items)}** items have their place, linked after the check mark"
           f"{f'; {len(items) - len(taught)} are still to come' if len(taught) < len(items) else ''}. "
           "The verdict is on the statement as the slides make it; a link E*n* leads to the [errata](91-errata.md), "
           "which may say more of the same slide, such as a fault in its code.", ""]
    name_of = _names(root)
    for slide, rows in groupby(items, key=lambda row: row["slide"]):
        out += [f"## {slide}", ""]
        for row in rows:
            n = row["item"]
            where = (f"✓ [{_number(taught[n])}](#item-{n})" if n in taught
                     else f"planned: {', '.join(name_of(name) for name in row['chapters'])}")
            verdict = "**wrong**" if row["verdict"] == "wrong" else f"*{VERDICTS[row['verdict']]}*"
            errata = "".join(f", [{e}](#erratum-{e[1:]})" for e in row["erratum"])
            out += [f'<a id="slide-item-{n}"></a>', "",
                    f"**{n}.** {row['statement']}\\", f"{verdict}{errata} · {where}", ""]
    return "\n".join(out)


def errata_page(root: Path = ROOT) -> str:
    """The text of the errata page."""
    errata, taught = read_errata(root), item_anchors(root)
    out = ["# Errata of the source slides", "",
           _generated("appendix/errata.yml"), "",
           "Where the source slides err, are out of date or leave out a condition, and what is true instead. The figures "
           "were measured while the course was planned (JAX 0.10.2, PyTorch 2.13, on a CPU) or stand in the work that is "
           "named; the chapter that teaches an item shows the program behind its figures.", ""]
    name_of = _names(root)
    for kind, words in KINDS.items():
        of_kind = ", ".join(f"[E{e['number']}](#erratum-{e['number']})" for e in errata if e["kind"] == kind)
        if of_kind:
            out.append(f"- **{words.capitalize()}:** {of_kind}")
    out.append("")
    for e in errata:
        items = ", ".join(f"[{i}](#slide-item-{i})" for i in e["items"])
        at = {name: next((i for i in e["items"] if taught.get(i) == name), None) for name in e["chapters"]}
        links = [f"[{name_of(name)}](#item-{i})" for name, i in at.items() if i]
        planned = [name_of(name) for name, i in at.items() if not i]
        taught_in = "; ".join(filter(None, [", ".join(links), f"planned: {', '.join(planned)}" if planned else ""]))
        out += [f'<a id="erratum-{e["number"]}"></a>', "",
                f"## E{e['number']}. {e['title']}", "",
                f"**The slides say:** {e['slides'].strip()}", "",
                f"**What is true:** {e['right'].strip()}", "",
                f"*{KINDS[e['kind']]}* · item{'s' if len(e['items']) > 1 else ''} {items} · {taught_in}", ""]
    return "\n".join(out)


# --- the home page -----------------------------------------------------------------------------

WIDTH, BOX, ROW = 720, (206, 50), 78               # of the drawing, of a box, from row to row; a phone halves them
COLUMNS = [30, 260, 490]                           # left edges; between and beside them run the lanes
LANES = {"left": 13, "first gap": 244, "second gap": 474, "right": 708}
HEAD, FOOT, GAP, GUTTER = 42, 18, 8, 14            # of a part: its heading, below its boxes, to the next part
# Arrows that do not simply go right, down, or to the next row: which lane they take.
VIA = {("08", "13"): "left", ("08", "19"): "left", ("08", "24"): "left", ("08", "25"): "left",
       ("16", "18"): "first gap", ("16", "21"): "first gap", ("16", "23"): "first gap",
       ("11", "20"): "second gap", ("12", "22"): "right"}
STYLE = """\
.cmap-figure {max-width: 36rem; padding: 0}
.cmap {display: block; width: 100%; height: auto}
.cmap text {font: 23px var(--pst-font-family-base, sans-serif); fill: var(--pst-color-text-base, #222832)}
.cmap .cmap-part {font-weight: 600}
.cmap .cmap-number {font-weight: 600}
.cmap .cmap-band {fill: var(--pst-color-surface, #f3f4f5)}
.cmap .cmap-box {fill: none; stroke: var(--pst-color-text-muted, #48566b); stroke-width: 2; stroke-dasharray: 5 4}
.cmap .cmap-planned text {fill: var(--pst-color-text-muted, #48566b)}
.cmap a .cmap-box {fill: var(--pst-color-primary, #176de8); stroke: var(--pst-color-primary, #176de8); stroke-dasharray: none}
.cmap a text {fill: var(--pst-color-primary-text, #fff)}
.cmap a:hover .cmap-box, .cmap a:focus-visible .cmap-box {stroke: var(--pst-color-text-base, #222832); stroke-width: 5}
.cmap a, .cmap a:hover, .cmap a:focus {text-decoration: none}
.cmap-halo {fill: none; stroke: var(--pst-color-surface, #f3f4f5); stroke-width: 7}
.cmap-line {fill: none; stroke: var(--pst-color-text-muted, #48566b); stroke-width: 2.5}
.cmap-tip {fill: var(--pst-color-text-muted, #48566b)}"""


def boxes(plan: list[dict]) -> tuple[dict[str, tuple[int, int, int, int]], list[tuple[int, int]], int]:
    """Where things stand on the map: chapter -> (left, top, right, bottom); each part's (top, height); the map's height.

    Raises ValueError when two chapters have the same place.
    """
    placed: dict[str, tuple[int, int, int, int]] = {}
    bands, top = [], 0
    for part in plan:
        rows = 1 + max(c["at"][0] for c in part["chapters"])
        for c in part["chapters"]:
            row, column = c["at"]
            left, y = COLUMNS[column], top + HEAD + row * ROW
            box = (left, y, left + BOX[0], y + BOX[1])
            if box in placed.values():
                other = next(name for name, b in placed.items() if b == box)
                raise ValueError(f"tools/plan.yml: {c['name']} and {other} have the same place {c['at']}")
            placed[c["name"]] = box
        height = HEAD + (rows - 1) * ROW + BOX[1] + FOOT
        bands.append((top, height))
        top += height + GAP
    return placed, bands, top - GAP


def arrow(first: str, then: str, placed: dict) -> list[tuple[int, int]]:
    """The corners of the arrow from one chapter to another. Raises ValueError when no route is known."""
    (al, at, ar, ab), (bl, bt, br, bb) = placed[first], placed[then]
    ax, ay, bx, by = (al + ar) // 2, (at + ab) // 2, (bl + br) // 2, (bt + bb) // 2
    lane = VIA.get((first[:2], then[:2]))
    if lane == "second gap":
        x = LANES[lane]
        return [(ax, ab), (ax, ab + GUTTER), (x, ab + GUTTER), (x, bt - GUTTER), (bx, bt - GUTTER), (bx, bt)]
    if lane:
        x = LANES[lane]
        return [(al if lane == "left" else ar, ay), (x, ay), (x, by), (br if lane == "right" else bl, by)]
    if ay == by and 0 < bl - ar < BOX[0]:
        return [(ar, ay), (bl, by)]
    if 0 < bt - ab < BOX[1] + HEAD:
        if ax == bx:
            return [(ax, ab), (bx, bt)]
        return [(ax, ab), (ax, ab + GUTTER), (bx, ab + GUTTER), (bx, bt)]
    raise ValueError(f"the map has no way for the arrow from {first} to {then}: add one to VIA in tools/pages.py")


def crossings(lines: list[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    """Where an upright piece of one arrow crosses a level piece of another that does not begin or end there."""
    pieces = [(n, a, b) for n, corners in enumerate(lines) for a, b in zip(corners, corners[1:])]
    upright = [(n, a[0], *sorted((a[1], b[1]))) for n, a, b in pieces if a[0] == b[0]]
    level = [(n, a[1], *sorted((a[0], b[0]))) for n, a, b in pieces if a[1] == b[1]]
    return [(x, y) for n, x, top, bottom in upright for m, y, left, right in level
            if lines[n][0] != lines[m][0] and top < y < bottom and left < x < right]


def begun(root: Path) -> list[dict]:
    """The parts of the plan of which a chapter is there."""
    return [part for part in read_plan(root) if any(written(root, c["name"]) for c in part["chapters"])]


def chapter_map(root: Path = ROOT) -> str:
    """The map of the chapters as SVG: parts as bands, an arrow from each chapter to those that need it.

    A part of which nothing is there has no place on it.
    """
    plan = begun(root)
    all_there = all(written(root, c["name"]) for part in plan for c in part["chapters"])
    placed, bands, height = boxes(plan)
    lines = [arrow(before, c["name"], placed) for part in plan for c in part["chapters"] for before in c["after"]
             if before in placed]
    path = lambda corners: "M" + " L".join(f"{x} {y}" for x, y in corners)
    out = ['<figure class="cmap-figure">',
           f'<svg class="cmap" viewBox="0 0 {WIDTH} {height}" role="group" aria-label="Map of the chapters" aria-describedby="cmap-desc">',
           '<desc id="cmap-desc">Boxes are chapters, in bands that are parts. Arrows lead from a chapter to those that need it. '
           'The list below the map says the same in words.</desc>',
           f"<style>\n{STYLE}\n</style>",
           '<defs><marker id="cmap-end" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="11" markerHeight="11" '
           'markerUnits="userSpaceOnUse" orient="auto"><path class="cmap-tip" d="M0 0 L10 5 L0 10 z"/></marker></defs>']
    for number, part, (top, tall) in zip(ROMAN, plan, bands):
        out += [f'<rect class="cmap-band" y="{top}" width="{WIDTH}" height="{tall}" rx="8"/>',
                f'<text class="cmap-part" x="{COLUMNS[0]}" y="{top + 29}">{number}. {part["part"]}</text>']
    out.append('<g aria-hidden="true">')
    for corners in lines:
        out.append(f'<path class="cmap-line" marker-end="url(#cmap-end)" d="{path(corners)}"/>')
    for x, y in crossings(lines):                      # the long arrow passes over the short one
        out += [f'<path class="cmap-halo" d="M{x} {y - 5} V{y + 5}"/>', f'<path class="cmap-line" d="M{x} {y - 8} V{y + 8}"/>']
    out.append("</g>")
    for part in plan:
        for c in part["chapters"]:
            left, top, _, _ = placed[c["name"]]
            begin, end = ((f'<a href="chapters/{c["name"]}.html">', "</a>") if written(root, c["name"])
                          else ('<g class="cmap-planned">', "</g>"))
            out.append(f'{begin}<rect class="cmap-box" x="{left}" y="{top}" width="{BOX[0]}" height="{BOX[1]}" rx="6"/>'
                       f'<text x="{left + 9}" y="{top + 33}"><tspan class="cmap-number">{c["name"][:2]}</tspan> '
                       f'{c["short"]}</text>{end}')
    out += ["</svg>",
            "<figcaption><p>Where to start, and what each chapter builds on: arrows lead from what you need to what needs it."
            f"{'' if all_there else ' Filled boxes can be read now; dashed ones are planned.'}</p></figcaption>", "</figure>"]
    return "```{raw} html\n" + "\n".join(out) + "\n```"


def chapter_list(root: Path = ROOT) -> str:
    """The chapters in words, part by part: what is there, linked, and what is planned."""
    plan = begun(root)
    out = []
    if not all(written(root, c["name"]) for part in plan for c in part["chapters"]):
        out += ["Chapters with a link are there; the others are planned.", ""]
    for number, part in zip(ROMAN, plan):
        out += [f"**{number}. {part['part']}**", ""]
        for c in part["chapters"]:
            needs = f" · needs {', '.join(name[:2] for name in c['after'])}" if c["after"] else ""
            if written(root, c["name"]):
                out.append(f"- {c['name'][:2]} [{c['title']}](chapters/{c['name']}.ipynb){needs}\\\n  {c['promise']}")
            else:
                out.append(f"- {c['name'][:2]} {c['title']}{needs}\\\n  {c['promise']}")
        out.append("")
    for part in (part for part in read_plan(root) if part not in plan):
        out += [f"**Planned: {part['part']}.** {'; '.join(c['title'] for c in part['chapters'])}.", ""]
    return "\n".join(out).rstrip()


def facts(root: Path = ROOT) -> str:
    """What there is, counted."""
    texts = [(root / "chapters" / f"{c['name']}.md").read_text(encoding="utf-8")
             for part in read_plan(root) for c in part["chapters"] if written(root, c["name"])]
    exercises = sum(len(re.findall(r"(?m)^:{3,}\{exercise\}", text)) for text in texts)
    count = lambda n, what: f"**{n}** {what}{'' if n == 1 else 's'}"
    return f"{count(len(texts), 'chapter')} · {count(exercises, 'exercise')} with tests · **JAX** and **PyTorch** · free and open"


def home_page(root: Path = ROOT) -> str:
    """intro.md with its generated blocks written anew. Raises ValueError when the marks of a block are missing."""
    return _filled(Path("intro.md"), {"facts": facts, "map": chapter_map, "chapters": chapter_list}, root)


def instructors_page(root: Path = ROOT) -> str:
    """The instructors' page with its generated blocks written anew. Raises ValueError for a missing mark or an unknown exercise."""
    from tools import teaching  # which the students' tree does not have
    return _filled(INSTRUCTORS, {"paths": teaching.path_tables, "exercises": teaching.exercise_tables, "sets": teaching.set_table}, root)


def links_page(root: Path = ROOT) -> str:
    """Links and reading with its generated blocks written anew. Raises ValueError for a missing mark or a work that has no place."""
    from tools import links  # nor this
    return _filled(LINKS, {"books": links.books, "papers": links.papers}, root)


def colophon_page(root: Path = ROOT) -> str:
    """The colophon with its generated blocks written anew. Raises ValueError for a missing mark."""
    from tools import colophon  # nor this
    return _filled(COLOPHON, {"versions": colophon.versions, "checks": colophon.checks, "times": colophon.times, "gpu": colophon.gpu}, root)


def _filled(page: Path, blocks: dict, root: Path) -> str:
    text = (root / page).read_text(encoding="utf-8")
    for name, make in blocks.items():
        begin, end = f"<!-- begin {name}: written by make notebooks -->", f"<!-- end {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
            raise ValueError(f"{page}: expected one block between {begin} and {end}")
        text = text[:text.index(begin) + len(begin)] + f"\n\n{make(root)}\n\n" + text[text.index(end):]
    return text


# --- writing -----------------------------------------------------------------------------------

def outdated(root: Path = ROOT) -> dict[Path, str]:
    """The files that should change, each with the text that it should hold."""
    texts = {root / INDEX: slide_index(root), root / ERRATA: errata_page(root), root / "intro.md": home_page(root)}
    if (root / "assignments").exists():                # the students' tree keeps these pages as it got them
        more = {INSTRUCTORS: instructors_page, LINKS: links_page, COLOPHON: colophon_page}
        texts |= {root / page: make(root) for page, make in more.items() if (root / page).exists()}
    if (root / api.PAGE).exists():
        texts[root / api.PAGE] = api.api_page(root)
    return {path: text for path, text in texts.items()
            if not path.exists() or path.read_text(encoding="utf-8") != text}


def main(argv=None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.pages", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is out of date")
    args = parser.parse_args(argv)
    try:
        todo = outdated(root)
    except ValueError as e:
        print(f"pages: {e}", file=sys.stderr)
        return 1
    for path, text in todo.items():
        if args.check:
            print(f"{path.relative_to(root)} is out of date: run make notebooks", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(root)}")
    return 1 if args.check and todo else 0


if __name__ == "__main__":
    sys.exit(main())
