"""Homework: `make assignments` (A=02-numerical, A=fd-forward,run-list NAME=homework-1, or a problem set, A=p1-mini-autodiff).

For each homework, in _build/assignments/NAME:

    release/NAME.ipynb       what students get: statements, stubs, visible tests; runs on Colab with nothing of a grader
    release/handout.md       one page for them: what to do, until when, for how many points
    private/…-solution.ipynb the same notebook with the answers
    private/autograder.zip   for Gradescope (tools/gradescope.py)
    private/assignment.json  the exercises, their chapters and points, for `make grade`
    private/…-rubric.md      of a problem set: how its parts in words are graded

Everything is derived from the chapters; what stands in release/ is searched for lines of solutions and hidden tests.
"""
from __future__ import annotations

import argparse
import ast
import difflib
import json
import re
import shutil
import sys
import textwrap
from pathlib import Path

from tools import exercises, gradescope, judging, leaks, repo, setup_cell
from tools.anchors import labeled_lines
from tools.exercises import Exercise

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")


# --- which exercises

def bank(root: Path = ROOT) -> dict[str, Exercise]:
    """All exercises of the course by id, in the order of the chapters. Raises ValueError when two have one id."""
    out: dict[str, Exercise] = {}
    for path in sorted((root / "chapters").glob("*.ipynb")):
        for e in exercises.read(path):
            if e.id in out:
                raise ValueError(f"exercise id {e.id!r} stands in {out[e.id].chapter} and {e.chapter}: ids are unique in the course")
            out[e.id] = e
    return out


def problem_sets(root: Path = ROOT) -> dict[str, list[Exercise]]:
    """The parts of each problem set, by its name. Raises ValueError when two exercises of the course have one id."""
    known, out = set(bank(root)), {}
    for name, path in exercises.files(root).items():
        if path.parent.name == "sets":
            out[name] = exercises.read(path)
            twice = known & {e.id for e in out[name]}
            if twice:
                raise ValueError(f"exercise id {min(twice)!r} of {name} stands elsewhere too: ids are unique in the course")
            known |= {e.id for e in out[name]}
    return out


def choose(asked: str, root: Path = ROOT) -> list[Exercise]:
    """The exercises that `asked` names, in its order: chapters and ids, separated by commas; or the parts of one problem set.

    Raises ValueError for a name that is none of these, for an exercise named twice, and for a problem set beside others.
    """
    known, sets, out = bank(root), problem_sets(root), []
    if asked.strip() in sets:
        return sets[asked.strip()]
    chapters = list(dict.fromkeys(e.chapter for e in known.values()))
    for name in filter(None, re.split(r"[,\s]+", asked)):
        if name in chapters:
            found = [e for e in known.values() if e.chapter == name]
        elif name in known:
            found = [known[name]]
        elif name in sets or any(name == e.id for parts in sets.values() for e in parts):
            raise ValueError(f"A: {name} is (of) a problem set: its parts build on one another, so it is handed out whole and alone, "
                             f"as A={next(s for s, parts in sets.items() if name == s or name in {e.id for e in parts})}")
        else:
            near = difflib.get_close_matches(name, [*known, *chapters, *sets], 3)
            raise ValueError(f"A: got {name!r}, expected a chapter with exercises ({chapters[0]} … {chapters[-1]}) or the id of an "
                             f"exercise{', such as ' + ', '.join(near) if near else ''}; "
                             "python -m tools.assignments --list prints them")
        twice = [e.id for e in found if e in out]
        if twice:
            raise ValueError(f"A: the exercise {twice[0]} is named twice")
        out += found
    if not out:
        raise ValueError(f"A: got {asked!r}, expected a chapter such as {chapters[0]}, or ids of exercises separated by commas")
    return out


# --- what stands at the top of a notebook

def merged_extras(chapters: list[str], root: Path = ROOT) -> list[str]:
    """EXTRAS of the set-up cells of those chapters. Raises ValueError when two want different versions of a package."""
    found: dict[str, tuple[str, str]] = {}
    for chapter in chapters:
        for extra in setup_cell.extras(_tagged(chapter, "setup", root)):
            name = extra.split("==")[0]
            if found.setdefault(name, (extra, chapter))[0] != extra:
                raise ValueError(f"A: {chapter} needs {extra}, {found[name][1]} {found[name][0]}: they cannot share a notebook")
    return [extra for extra, _ in found.values()]


def merged_imports(cells: dict[str, str]) -> str:
    """One import cell from those of several chapters ({chapter: source}), no line twice.

    Raises ValueError when two chapters give one name to different things.
    """
    plain: dict = {}
    members: dict = {}
    rest: dict = {}
    bound: dict = {}
    for chapter, source in cells.items():
        for node in ast.parse(source).body:
            text = _lines(source, node)
            for name, what in _binds(node):
                if bound.setdefault(name, (what, chapter))[0] != what:
                    raise ValueError(f"A: {chapter} imports {what} as {name}, {bound[name][1]} imports {bound[name][0]}: "
                                     "they cannot share a notebook")
            if isinstance(node, ast.Import):
                plain.setdefault(ast.unparse(node), text)
            elif isinstance(node, ast.ImportFrom):
                remark = text.partition("#")[2].strip()
                group = members.setdefault("." * node.level + (node.module or ""), ({}, []))
                group[0].update({ast.unparse(alias): None for alias in node.names})
                group[1].extend([remark] if remark and remark not in group[1] else [])
            else:
                key = ast.unparse(node)
                if key not in rest or len(text) > len(rest[key]):
                    rest[key] = text
    lines = [*sorted(plain.values()), *sorted(_from(module, *group) for module, group in members.items())]
    local = [line for line in lines if "lecture_utils" in line.split()[1]]
    standard = [line for line in lines if line.split()[1].split(".")[0] in sys.stdlib_module_names]
    others = [line for line in lines if line not in local + standard]
    groups = ["\n".join(standard), "\n".join(others + local)]
    blocks = [text for text in rest.values() if "\n" in text and not text.startswith("#")]
    last = [text for text in rest.values() if text not in blocks]
    last.sort(key=lambda text: text.startswith("plot."))
    return "\n\n".join(filter(None, groups + blocks + ["\n".join(last)]))


def _from(module: str, names: dict, remarks: list[str]) -> str:
    line = f"from {module} import {', '.join(sorted(names, key=str.lower))}" + "".join(f"  # {r}" for r in remarks[:1])
    if len(line) <= 80:
        return line
    return f"from {module} import (\n" + textwrap.fill(", ".join(sorted(names, key=str.lower)), 78, initial_indent="    ",
                                                       subsequent_indent="    ", break_long_words=False) + ")"


def _lines(source: str, node: ast.stmt) -> str:
    """A statement with the remark behind it and the remarks right above it."""
    lines, first = source.splitlines(), node.lineno - 1
    while first and lines[first - 1].startswith("#"):
        first -= 1
    return "\n".join(lines[first: node.end_lineno])


def _binds(node: ast.stmt) -> list[tuple[str, str]]:
    """(name, what it is) for each name that an import binds, also inside a try."""
    out = []
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            out += [(a.asname, a.name) if a.asname else (a.name.split(".")[0],) * 2 for a in part.names]
        elif isinstance(part, ast.ImportFrom):
            out += [(a.asname or a.name, f"{part.module}.{a.name}") for a in part.names]
    return out


def _notebook(chapter: str, root: Path) -> dict:
    return json.loads(exercises.files(root)[chapter].read_text(encoding="utf-8"))


def _tagged(chapter: str, tag: str, root: Path) -> str:
    return next("".join(c["source"]) for c in _notebook(chapter, root)["cells"] if tag in c["metadata"].get("tags", []))


def title(chapter: str, root: Path = ROOT) -> str:
    """A chapter's title, from its first heading."""
    text = "\n".join("".join(c["source"]) for c in _notebook(chapter, root)["cells"] if c["cell_type"] == "markdown")
    return re.findall(r"(?m)^# (.+)$", text)[0].strip()


# --- links: a homework is read away from the book

def labels(root: Path = ROOT) -> dict[str, str]:
    """Where each label of the book is defined: label -> page#anchor."""
    out: dict[str, str] = {}
    pages = [*sorted((root / "chapters").glob("*.md")), *sorted((root / "appendix").glob("*.md")), root / "intro.md"]
    for path in filter(Path.exists, pages):
        text, page = path.read_text(encoding="utf-8"), path.relative_to(root).with_suffix(".html").as_posix()
        plain = [label for _, label in labeled_lines(text) if label] + re.findall(r"(?m)^\(([\w-]+)\)=$", text)
        plain += re.findall(r"(?m)^:(?:label|name):[ \t]*(\S+)$", text) + re.findall(r"(?m)^ +name: (\S+)$", text)
        for label in plain:
            out.setdefault(label, f"{page}#{re.sub('[^a-z0-9]+', '-', label.lower()).strip('-')}")
        for label in re.findall(r"(?m)^\$\$[ \t]*\(([\w:-]+)\)$", text):
            out.setdefault(label, f"{page}#equation-{re.sub('[^a-z0-9]+', '-', label.lower())}")
    return out


def absolute(markdown: str, chapter: str, known: dict[str, str], pages: str) -> str:
    """Markdown whose links lead to the book's pages; links to what stands in `known` with "" lead into the notebook itself.

    Raises ValueError for a label that the book does not have.
    """
    def replace(found: re.Match) -> str:
        text, to = found.groups()
        if re.match(r"[a-z]+:", to):
            return found[0]
        file, _, anchor = to.partition("#")
        if not file:
            if anchor not in known:
                raise ValueError(f"chapters/{chapter}: the link [{text}](#{anchor}) leads to no label of the book")
            return f"[{text}]({pages}/{known[anchor]})" if known[anchor] else found[0]
        page = re.sub(r"\.(ipynb|md)$", ".html", file)
        page = page.removeprefix("../") if page.startswith("../") else f"chapters/{page}"
        return f"[{text}]({pages}/{page}{'#' + anchor if anchor else ''})"
    return LINK.sub(replace, markdown)


# --- the notebooks

def facts(e: Exercise) -> str:
    """Stars, minutes and points of an exercise, as the book shows them."""
    count = lambda n, what: f"{n} {what}{'' if n == 1 else 's'}"
    return f"{'★' * e.stars} · {count(e.minutes, 'minute')} · {count(e.points, 'point')}"


def notebook(name: str, chosen: list[Exercise], edition: str, root: Path = ROOT) -> dict:
    """The notebook of a homework, "student" or "solution". Without outputs; its cells say {id, role} of their exercise."""
    if edition not in ("student", "solution"):
        raise ValueError(f"edition: got {edition!r}, expected 'student' or 'solution'")
    if exercises.files(root)[chosen[0].chapter].parent.name == "sets":
        return whole_set(chosen, edition, root)
    chapters = list(dict.fromkeys(e.chapter for e in chosen))
    pages, known = repo.spellings(setup_cell.package(root))[1], labels(root)
    imports = {e.chapter: e.imports for e in chosen}
    cells = [_markdown("intro", _intro(name, chosen, chapters, edition, pages, root)),
             _code("setup", setup_cell.render(setup_cell.package(root), merged_extras(chapters, root)), setup_cell.METADATA),
             _code("imports", imports[chapters[0]] if len(chapters) == 1 else merged_imports(imports), {"tags": ["imports"]})]
    noted: set[str] = set()
    for number, e in enumerate(chosen, 1):
        text = f'<a id="ex-{e.id}"></a>\n\n## Exercise {number}: {e.title}\n\n{facts(e)}\n\n'
        if e.notes and e.chapter not in noted:
            whole = [x.id for x in chosen if x.chapter == e.chapter] == [x.id for x in bank(root).values() if x.chapter == e.chapter]
            where = "" if whole and len(chapters) == 1 else f" (of chapter {e.chapter[:2]})"
            text += f"*For the exercises below{where}:* {absolute(e.notes, e.chapter, known, pages)}\n\n"
        noted.add(e.chapter)
        cells.append(_markdown(f"{e.id}-statement", text + absolute(e.statement, e.chapter, known, pages)))
        meta = {"id": e.id, "answer": e.answer, "points": e.points, "stars": e.stars, "minutes": e.minutes}
        if edition == "student":
            cells.append(_code(f"{e.id}-answer", exercises.stub(e.solution), {"exercise": {**meta, "role": "stub"}}))
        else:
            answer = "\n".join(line for line in e.solution.splitlines() if line.strip() not in (exercises.BEGIN, exercises.END))
            cells.append(_code(f"{e.id}-answer", answer, {"exercise": {**meta, "role": "solution"}}))
        cells += [_code(f"{e.id}-test-{i}", exercises.guarded(test), {"exercise": {"id": e.id, "role": "test"}})
                  for i, test in enumerate(e.tests)]
    return {"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"},
        "assignment": {"name": name, "exercises": [e.id for e in chosen]}}}


def whole_set(chosen: list[Exercise], edition: str, root: Path = ROOT) -> dict:
    """The notebook of a problem set, "student" or "solution": its own text and cells, without outputs."""
    name, by_id = chosen[0].chapter, {e.id: e for e in chosen}
    pages, known = repo.spellings(setup_cell.package(root))[1], labels(root)
    source = _notebook(name, root)
    known |= {label: "" for cell in source["cells"] if cell["cell_type"] == "markdown"
              for label in re.findall(r'<a id="([\w-]+)">', "".join(cell["source"]))} | {f"ex-{ident}": "" for ident in by_id}
    cells = []
    count: dict = {}

    def box(found: re.Match) -> str:
        e = by_id[found[2]]
        return f'<a id="ex-{e.id}"></a>\n\n### {e.title}\n\n{facts(e)}{" · graded by hand" * e.by_hand}\n\n{found[3].strip()}'

    for cell in source["cells"]:
        text, meta = "".join(cell["source"]), cell["metadata"]
        role, ident = (meta.get("exercise", {}).get(key) for key in ("role", "id"))
        tags = [tag for tag in meta.get("tags", []) if tag in ("setup", "imports", "given")]
        key = f"{ident}-{'test' if role == 'test' else 'answer'}" if ident else (tags or [cell["cell_type"]])[0]
        count[key] = count.get(key, -1) + 1
        key += f"-{count[key]}" if count[key] or role == "test" or not (ident or tags) else ""
        if role == "solution" and edition == "student":
            text, role = exercises.stub(text), "stub"
        elif role == "solution":
            text = "\n".join(line for line in text.splitlines() if line.strip() not in (exercises.BEGIN, exercises.END))
        elif role == "test":
            text = exercises.guarded(text)
        elif role == "text":
            text = (exercises.wordless(text) if edition == "student"
                    else text.replace(exercises.WORDS_BEGIN, "").replace(exercises.WORDS_END, "").strip())
        if cell["cell_type"] == "markdown":
            new = _markdown(key, absolute(exercises.STATEMENT.sub(box, text), name, known, pages))
        else:
            new = _code(key, text, setup_cell.METADATA if "setup" in tags else {"tags": tags} if tags else {})
        if role:
            new["metadata"] = {"exercise": {**meta["exercise"], "role": role}}
        cells.append(new)
    return {"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"},
        "assignment": {"name": name, "exercises": list(by_id)}}}


def _intro(name: str, chosen: list, chapters: list, edition: str, pages: str, root: Path) -> str:
    read = ", ".join(f"[{title(c, root)}]({pages}/chapters/{c}.html)" for c in chapters)
    if edition == "solution":
        return f"# {heading(name, chosen, root)}: solutions\n\nFor the instructor. Chapters: {read}."
    return "\n\n".join([
        f"# {heading(name, chosen, root)}",
        f"{len(chosen)} exercise{'s' * (len(chosen) > 1)} · {sum(e.points for e in chosen):g} points · about "
        f"{sum(e.minutes for e in chosen)} minutes · what you need stands in {read}.",
        "Run the two cells below first. Then replace each line\n\n```python\n" + exercises.PLACEHOLDER + "\n```\n\n"
        f"and run the test below your answer: it prints *{exercises.SAYS}*, or *visible tests passed*, or says what is wrong. "
        "Hidden tests, which give the points, call your function with other inputs.",
        "Keep the names of the functions, and all that an answer needs in its own cell: each is graded alone, after the import cell."])


def heading(name: str, chosen: list[Exercise], root: Path = ROOT) -> str:
    """The title of a homework: that of its chapter, or its name."""
    if exercises.files(root)[chosen[0].chapter].parent.name == "sets":
        return title(chosen[0].chapter, root)
    return f"Exercises: {title(name, root)}" if name == chosen[0].chapter else name.replace("-", " ").capitalize()


def _markdown(ident: str, source: str) -> dict:
    return {"cell_type": "markdown", "id": ident[:64], "metadata": {}, "source": source}


def _code(ident: str, source: str, metadata: dict) -> dict:
    return {"cell_type": "code", "id": ident[:64], "metadata": json.loads(json.dumps(metadata)), "source": source,
            "outputs": [], "execution_count": None}


# --- the page that goes with it

HANDOUT = """\
# {heading}

**Due:** ______________ · **Hand in:** `{name}.ipynb`, at ______________ · {points:g} points · about {minutes} minutes

| | Exercise | Chapter | Difficulty | Minutes | Points |
|--:|:--|:--|:--|--:|--:|
{rows}

## What to do

1. Open the notebook on Colab: go to <https://colab.research.google.com>, *File → Upload notebook*, and choose `{name}.ipynb`. Nothing \
needs to be installed; the first cell fetches the course's small helper package. (On your own machine: open it in Jupyter and run \
the same cell.)
2. Run the first two cells. Answer an exercise by replacing the line `{placeholder}` with your code, and run the test below it.
3. Before you hand in: *Runtime → Restart session and run all*. No cell may end in an error; an exercise that you skip says \
*{says}*, which is fine. Then *File → Download → Download .ipynb*.

## What is tested

- The test below each answer is a first check on one or two inputs; it gives no points.
- The points come from hidden tests. They call your function with other inputs, look at everything that the statement asks for, and \
are divided into parts, so that an answer that is right in part gets part of the points.
- {alone}

## Honor

Talk about the problems with anyone; write every line that you hand in yourself, and name the people and the tools that helped you.
"""


ALONE = "Each answer is run alone, after the import cell: keep its name and arguments, and put what it needs into its own cell."
TOGETHER = ("Each part in code is run after the cells that you were given, and after your answers to the parts "
            "that its statement builds on: "
            "keep names and arguments, and put all else that it needs into its own cell. Parts in words are read by a person.")


def handout(name: str, chosen: list[Exercise], root: Path = ROOT) -> str:
    """The page that students get with a homework, in Markdown."""
    rows = "\n".join(f"| {i} | {e.title} | {title(e.chapter, root)} | {'★' * e.stars} | {e.minutes} | {e.points:g} |"
                     for i, e in enumerate(chosen, 1))
    whole = exercises.files(root)[chosen[0].chapter].parent.name == "sets"
    return HANDOUT.format(alone=TOGETHER if whole else ALONE, heading=heading(name, chosen, root), name=name, rows=rows,
                          points=sum(e.points for e in chosen),
                          minutes=sum(e.minutes for e in chosen), placeholder=exercises.PLACEHOLDER, says=exercises.SAYS)


# --- the table of all exercises

def table(root: Path = ROOT) -> str:
    """All exercises for the instructors' page, in Markdown, a table for each chapter; what one tests is named by its judge's parts."""
    out, known = [], list(bank(root).values())
    for chapter in dict.fromkeys(e.chapter for e in known):
        module = judging.hidden(chapter, root)
        out += [f"**[{chapter[:2]} {title(chapter, root)}](../chapters/{chapter}.ipynb)**", "",
                "| Exercise | What its hidden tests look at (points) |", "|:--|:--|"]
        for e in (e for e in known if e.chapter == chapter):
            parts = getattr(module, "judge_" + e.id.replace("-", "_"))({}, 0)
            tested = "; ".join(f"{p.name} ({p.points:g})" for p in parts).replace("|", "\\|")
            out.append(f"| [{e.title}](#ex-{e.id})<br>`{e.id}`<br>{facts(e).replace(' ', chr(160))} | {tested} |")
        out.append("")
    return "\n".join(out).rstrip()


# --- writing

def write(name: str, chosen: list[Exercise], out: Path, seed: int = 0, root: Path = ROOT, wanted: leaks.Secrets | None = None) -> Path:
    """Write one homework to out/name, in place of what stood there; the folder.

    Raises ValueError for a bad name, and RuntimeError, leaving nothing behind, when release/ would hold a line of a secret.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ValueError(f"NAME: got {name!r}, expected a name of letters, digits, - and _ such as homework-1")
    folder, new = out / name, out / f".{name}.new"
    shutil.rmtree(new, ignore_errors=True)
    for part in ("release", "private"):
        (new / part).mkdir(parents=True)
    text = lambda edition: json.dumps(notebook(name, chosen, edition, root), indent=1, ensure_ascii=False) + "\n"
    (new / "release" / f"{name}.ipynb").write_text(text("student"), encoding="utf-8")
    (new / "release" / "handout.md").write_text(handout(name, chosen, root), encoding="utf-8")
    found = leaks.search(new / "release", wanted or leaks.secrets(root))
    if found:
        shutil.rmtree(new)
        raise RuntimeError(f"{name}: nothing was released: " + "\n".join(found[:5]))
    (new / "private" / f"{name}-solution.ipynb").write_text(text("solution"), encoding="utf-8")
    gradescope.write(new / "private" / "autograder.zip", [e for e in chosen if not e.by_hand],
                     merged_extras([e.chapter for e in chosen], root), seed, root)
    rubric = root / "assignments" / "rubrics" / f"{chosen[0].chapter}.md"
    if any(e.by_hand for e in chosen):
        (new / "private" / f"{name}-rubric.md").write_text(rubric.read_text(encoding="utf-8"), encoding="utf-8")
    (new / "private" / "assignment.json").write_text(json.dumps({
        "name": name, "seed": seed, "exercises": [{"id": e.id, "chapter": e.chapter, "points": e.points} for e in chosen]},
        indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
    return folder


def main(argv=None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="make assignments", description=__doc__.splitlines()[0])
    parser.add_argument("asked", nargs="?", default="",
                        help="A: a chapter, ids of exercises separated by commas, or a problem set; all chapters and sets")
    parser.add_argument("--name", default="", help="NAME: the name of a homework that is not one chapter (homework)")
    parser.add_argument("--seed", default="", help="SEED: for the inputs of the hidden tests on Gradescope, a whole number (0)")
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--list", action="store_true", help="print all exercises and problem sets and write nothing")
    args = parser.parse_args(argv)
    out = args.out or root / "_build" / "assignments"
    try:
        if args.list:
            print(table(root))
            for name, parts in problem_sets(root).items():
                print(f"\n{name}: {', '.join(e.id for e in parts)}")
            return 0
        if args.seed and not re.fullmatch(r"\d{1,9}", args.seed):
            raise ValueError(f"SEED: got {args.seed!r}, expected a whole number of at most nine digits")
        known = bank(root)
        if args.asked.strip():
            chosen = choose(args.asked, root)
            alone = args.asked.strip() if args.asked.strip() == chosen[0].chapter else "homework"
            if args.name in exercises.files(root):
                raise ValueError(f"NAME: {args.name} is the name of a chapter or problem set; expected another, such as homework-1")
            todo = {args.name or alone: chosen}
        elif args.name:
            raise ValueError("NAME: it names a homework of your own; expected A= with it, "
                             "e.g. make assignments A=fd-forward,run-list NAME=homework-1")
        else:
            todo = {c: [e for e in known.values() if e.chapter == c] for c in dict.fromkeys(e.chapter for e in known.values())}
            todo |= problem_sets(root)
        out.mkdir(parents=True, exist_ok=True)
        wanted = leaks.secrets(root)
        for name, chosen in todo.items():
            folder = write(name, chosen, out, int(args.seed or 0), root, wanted)
            count = f"{len(chosen)} exercise{'s' * (len(chosen) > 1)}, {sum(e.points for e in chosen):g} points"
            print(f"{folder.relative_to(root) if folder.is_relative_to(root) else folder}: {count}", flush=True)
    except (ValueError, RuntimeError, FileNotFoundError) as e:
        print(f"make assignments: {e}", file=sys.stderr)
        return 1
    print("give release/ to students; keep private/ (solutions, and autograder.zip for Gradescope)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
