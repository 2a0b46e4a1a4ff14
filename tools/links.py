"""The books and papers of the page "Links and reading", from references.bib: part of `make notebooks`.

Each work stands there with its field `annote` and with the chapters whose References line names it, found by author and title, so
that the page and the chapters cannot disagree. A generated list, and not {cite} with {bibliography}: a reader sees what a work is good
for and where it is used, the same text reads well on Colab, and every work has an anchor `ref-KEY` to link to.
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pybtex.database import Entry, Person, parse_file

from tools import pages

ROOT = Path(__file__).resolve().parents[1]
NEAR = 320           # characters from an author's name to the title: room for co-authors and for an earlier work of theirs


@dataclass
class Work:
    """A work of references.bib: how the page shows it, and the chapters (in order) that cite it."""
    key: str
    shown: str
    annote: str
    year: str
    book: bool
    chapters: list[str]
    topic: str


def plain(text: str) -> str:
    """Words alone, for comparing: lower case, everything else than letters and digits a space."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def references(root: Path = ROOT) -> dict[str, str]:
    """What each chapter that is there says in its line `**References.**`, by name."""
    found = {}
    for path in sorted((root / "chapters").glob("[0-9]*.md")):
        line = re.search(r"(?m)^\*\*References\.\*\* (.+)$", path.read_text(encoding="utf-8"))
        if line:
            found[path.stem] = line[1]
    return found


def read_works(root: Path = ROOT) -> list[Work]:
    """The works of references.bib, in its order. Raises ValueError for one without author, title or annotation."""
    cited = {name: plain(text) for name, text in references(root).items()}
    out = []
    for key, entry in parse_file(str(root / "references.bib"), bib_format="bibtex").entries.items():
        get = lambda name, fields=entry.fields: _text(fields.get(name, ""))
        people = entry.persons.get("author", [])
        if not people or not get("title") or not get("annote"):
            raise ValueError(f"references.bib, {key}: expected an author, a title and an annote, which says what it is good for")
        spelled = rf"\b{re.escape(plain(_last(people[0])))}\b.{{0,{NEAR}}}?\b{re.escape(plain(get('cited') or get('title')))}\b"
        at = [name for name, text in cited.items() if re.search(spelled, text)]
        book = entry.type == "book" or get("type") == "book"
        out.append(Work(key, _shown(entry, get), get("annote"), get("year"), book, at, get("topic") or (at[0] if at else "")))
    return out


def _text(value: str) -> str:
    """A field as Markdown: no braces, dashes for ranges, one line."""
    return " ".join(value.replace("{", "").replace("}", "").replace("--", "–").split())


def _last(person: Person) -> str:
    return _text(" ".join([*person.prelast_names, *person.last_names]))


def _authors(people: list[Person]) -> str:
    """A. Griewank, J. Utke and A. Walther."""
    def one(person: Person) -> str:
        given = [*person.first_names, *person.middle_names]
        short = " ".join("-".join(f"{part[0]}." for part in re.split("-", _text(name)) if part) for name in given)
        return f"{short} {_last(person)}".strip()
    names = ["others" if _last(p) == "others" else one(p) for p in people]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _shown(entry: Entry, get) -> str:
    """Authors, linked title, and where it appeared."""
    arxiv = f"https://arxiv.org/abs/{get('eprint')}" if get("eprint") else ""
    link = f"https://doi.org/{get('doi')}" if get("doi") else get("url") or arxiv
    title = f"[{get('title')}]({link})" if link else f"*{get('title')}*"
    editors = _authors(entry.persons["editor"]) + " (ed.), " if "editor" in entry.persons else ""
    number, pages_, year = get("number"), get("pages"), get("year")
    if entry.type == "article":
        where = f"*{get('journal')}* {get('volume')}{f'({number})' if number else ''} ({year})"
        where += f" {pages_}" if pages_ else f", {get('note').lower()}" if get("note") else ""
    elif entry.type == "book":
        where = f"{get('edition')} ed., " if get("edition") else ""
        where += f"{get('publisher')} {year}".strip()
    elif entry.type in ("inproceedings", "incollection"):
        volume = f" {get('volume')}" if get("volume") else ""
        more = [part for part in (get("publisher"), year, pages_ and f"pages {pages_}") if part]
        where = ", ".join([f"in {editors}*{get('booktitle')}*{volume}", *more])
    elif entry.type in ("phdthesis", "mastersthesis"):
        where = f"{'PhD' if entry.type == 'phdthesis' else 'master’s'} thesis, {get('school')} {year}"
        where += f", {get('note')[0].lower()}{get('note')[1:]}" if get("note") else ""
    elif entry.type == "techreport":
        where = f"{get('institution')}{f' {number}' if number else ''}, {year}"
    else:
        where = f"{get('howpublished') or (get('eprint') and 'arXiv:' + get('eprint'))}, {year}".lstrip(", ")
    return f"{_authors(entry.persons['author'])}, {title}, {where}."


def _list(works: list[Work], told: str = "") -> list[str]:
    """The works, each with its anchor, its annotation and its chapters; `told` is the chapter that the heading names already."""
    out = []
    for w in works:
        at = [f"[{name[:2]}](../chapters/{name}.ipynb)" for name in w.chapters if name != told]
        chapters = f" *{'Also in' if told in w.chapters else 'Used in'}* {', '.join(at)}." if at else ""
        out += [f'<a id="ref-{w.key}"></a>', "", f"{w.shown}\\", f"{w.annote}{chapters}", ""]
    return out


def books(root: Path = ROOT) -> str:
    """The books in Markdown, in the order of references.bib."""
    return "\n".join(_list([w for w in read_works(root) if w.book])).rstrip()


def papers(root: Path = ROOT) -> str:
    """The papers in Markdown, each under the first chapter that cites it (or under its topic), in the order of the chapters."""
    works = [w for w in read_works(root) if not w.book]
    headings = {c["name"]: f"{c['name'][:2]} {c['title']}" for part in pages.read_plan(root) for c in part["chapters"]}
    out = []
    for name, heading in [*headings.items(), ("", "Elsewhere")]:
        here = [w for w in works if (w.topic if w.topic in headings else "") == name]
        out += [f"### {heading}", "", *_list(here, name)] if here else []
    return "\n".join(out).rstrip()
