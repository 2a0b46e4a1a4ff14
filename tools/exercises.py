"""Exercises as the chapters hold them: read them, derive the stubs, the tests that students see and the course edition.

An exercise lives once, in its chapter: a statement, a solution cell whose answer stands between
`# BEGIN SOLUTION` and `# END SOLUTION`, and a visible test cell. Its hidden test lives in
`assignments/hidden/NN-name.py` as two functions,

    drive_ID(answer, seed) -> {name: array or zero-argument function}    runs beside the answer
    judge_ID(arrays, seed) -> [Part, ...]                                runs elsewhere, gives the points

so that expected values never stand where a student's code runs. `assignments/wrong/NN-name.py`
holds plausible wrong answers, whole or as edits of the solution. In ID the hyphens of the exercise's id are underscores.

A problem set, `assignments/sets/NAME.ipynb`, is read in the same way; its exercises are its parts. Three
things are its own: cells tagged `given` run before each answer, as the import cell does; a part may
call the student's answers to earlier parts (`needs` in its metadata); and a part may ask for words: a
Markdown cell with the role "text", whose model answer stands between `<!-- BEGIN SOLUTION -->` and
`<!-- END SOLUTION -->`, graded by a person with assignments/rubrics/NAME.md.
tools/judging.py runs and judges. Standard library only: the site is built with it.
"""
from __future__ import annotations

import ast
import copy
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
UNANSWERED = "your code here"
PLACEHOLDER = f'raise NotImplementedError("{UNANSWERED}")'
SAYS = "not answered yet"            # what a visible test prints where the placeholder still stands


WORDS_BEGIN, WORDS_END = "<!-- BEGIN SOLUTION -->", "<!-- END SOLUTION -->"
MODEL = re.compile(rf"(?s){WORDS_BEGIN}.*?{WORDS_END}")
WRITE_HERE = "*Your answer, in place of this line.*"
STATEMENT = re.compile(r"(?ms)^(:::+)\{exercise\}[^\n]*\n:label:[ \t]*ex-(\S+)\n(.*?)^\1[ \t]*$")


# --- what stands in a chapter -----------------------------------------------------------------

def stub(source: str) -> str:
    """The student's version of a solution cell: each marked block becomes a placeholder that raises when it is called.

    The cell itself must run untouched, so a block in the body of a class becomes a constructor that raises.
    Raises ValueError when the markers are missing, nested, do not pair up or stand outside a function or class.
    """
    out: list[str] = []
    inside, blocks = False, 0
    for line in source.splitlines():
        mark = line.strip()
        if mark == BEGIN:
            if inside:
                raise ValueError(f"solution cell: a second '{BEGIN}' before '{END}'")
            inside, blocks = True, blocks + 1
            out += _placeholder(out, line[: len(line) - len(line.lstrip())])
        elif mark == END:
            if not inside:
                raise ValueError(f"solution cell: '{END}' without '{BEGIN}'")
            inside = False
        elif not inside:
            out.append(line)
    if inside or not blocks:
        raise ValueError(f"solution cell: expected '{BEGIN}' … '{END}', found {blocks} opened"
                         f"{' and the last one not closed' if inside else ''}")
    if PLACEHOLDER in out:
        raise ValueError(f"solution cell: '{BEGIN}' outside a function or class: untouched, the cell would stop the notebook; "
                         "put it inside, below the signature")
    return "\n".join(out)


def _placeholder(above: list[str], indent: str) -> list[str]:
    """What stands for a marked block of that indentation, below those lines."""
    heads = [line for line in above if line.strip() and len(line) - len(line.lstrip()) < len(indent)]
    if heads and heads[-1].lstrip().startswith("class "):
        return [f"{indent}def __init__(self, *args, **kwargs):", f"{indent}    {PLACEHOLDER}"]
    return [indent + PLACEHOLDER]


def guarded(test: str) -> str:
    """A visible test as students get it: an exercise without an answer is a line of text there, not an error.

    An untouched notebook runs from top to bottom that way; any other error, and any failing assert, still shows.
    """
    out = "\n".join(["try:", *(line if not line else "    " + line for line in test.splitlines()),
                     "except NotImplementedError as error:", f'    if str(error) != "{UNANSWERED}":', "        raise",
                     f'    print("{SAYS}")'])
    body = lambda source: [ast.dump(node) for node in ast.parse(source).body]
    wrapped = "\n".join(_narrow(line) for line in out.split("\n"))
    for text in (wrapped, out):                                # a line that cannot be broken stays as it is
        try:
            whole = ast.parse(text).body[0]
            if isinstance(whole, ast.Try) and [ast.dump(node) for node in whole.body] == body(test):
                return text
        except SyntaxError:
            pass
    raise ValueError(f"visible test: it changes when it is indented (a string over several lines?): {test.splitlines()[:1]}")


def _narrow(line: str, width: int = 80) -> str:
    """A line that indentation made too wide for the page, in two: the message of an assert, the arguments of a call."""
    if len(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip()))
    remark = re.fullmatch(r"(.*\S)\s{3,}(# .*)", line)         # blanks that line up a remark
    if remark and len("  ".join(remark.groups())) <= width:
        return "  ".join(remark.groups())
    try:
        node = ast.parse(line.strip()).body[0]
    except SyntaxError:
        return line
    if isinstance(node, ast.Assert) and node.msg:
        at = len(indent) + node.msg.col_offset
        return f"{line[:at]}(\n{indent}    {line[at:]})"
    call = getattr(node, "value", None)
    if isinstance(call, ast.Call) and call.args:
        at = len(indent) + call.args[0].col_offset
        return f"{line[:at]}\n{indent}    {line[at:]}"
    return line


@dataclass
class Exercise:
    """One exercise as its chapter states it. `points` is what the judge can give in all.

    `statement` is the text in the statement's box, in Markdown; `notes` what the chapter says to all its exercises.
    """
    id: str
    chapter: str
    answer: str
    points: float
    stars: int
    minutes: int
    title: str
    solution: str
    imports: str
    tests: list[str] = field(default_factory=list)
    statement: str = ""
    notes: str = ""
    needs: tuple[str, ...] = ()
    by_hand: bool = False


def files(root: Path) -> dict[str, Path]:
    """The notebooks that hold exercises, by name: the chapters in order, then the problem sets."""
    found = [*sorted((Path(root) / "chapters").glob("[0-9]*.ipynb")), *sorted((Path(root) / "assignments" / "sets").glob("[a-z]*.ipynb"))]
    return {path.stem: path for path in found}


def wordless(source: str) -> str:
    """A part that asks for words, as students get it. Raises ValueError when its model answer is not marked."""
    found = MODEL.findall(source)
    if len(found) != 1:
        raise ValueError(f"text cell: expected one model answer between '{WORDS_BEGIN}' and '{WORDS_END}', found {len(found)}")
    return MODEL.sub(WRITE_HERE, source)


def read(notebook: Path) -> list[Exercise]:
    """The exercises of one chapter or problem set, in order. Raises ValueError for one that is incomplete."""
    notebook = Path(notebook)
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    source = lambda cell: "".join(cell["source"])
    tagged = lambda tag: [source(c) for c in cells if tag in c["metadata"].get("tags", [])]
    prose = "\n".join(source(c) for c in cells if c["cell_type"] == "markdown")
    titles = {label: title.strip() for title, label in
              re.findall(r"^:::+\{exercise\}[ \t]*(.*)\n(?:.*\n)*?:label:[ \t]*ex-(\S+)", prose, flags=re.M)}
    statements = {label: text.strip() for _, label, text in STATEMENT.findall(prose)}
    notes = re.search(r"(?ms)^## Exercises$\n(.*?)(?=^:::+\{exercise\})", prose)
    found: dict[str, Exercise] = {}
    for cell in cells:
        meta = cell["metadata"].get("exercise")
        if not meta:
            continue
        ident, role = meta.get("id"), meta.get("role")
        where = f"{notebook.name}, exercise {ident!r}"
        if role == "solution":
            lacking = [k for k in ("answer", "points", "stars", "minutes") if k not in meta]
            if lacking:
                raise ValueError(f"{where}: the solution cell's metadata lacks {', '.join(lacking)}")
            if ident in found:
                raise ValueError(f"{where}: two solution cells have this id")
            if ident not in titles:
                raise ValueError(f"{where}: no statement ':::{{exercise}} Title' with ':label: ex-{ident}'")
            if ident not in statements:
                raise ValueError(f"{where}: its statement does not end: close ':::{{exercise}}' with as many colons")
            if cell["metadata"].get("cellView") != "form" or "hide-input" not in cell["metadata"].get("tags", []):
                raise ValueError(f"{where}: its solution cell stands open; it needs cellView: form (Colab) and the tag hide-input")
            stub(source(cell))
            needs = tuple(meta.get("needs", ()))
            unknown = [n for n in needs if n not in found or found[n].by_hand]
            if unknown:
                raise ValueError(f"{where}: it needs {', '.join(unknown)}, expected exercises that stand above it")
            found[ident] = Exercise(ident, notebook.stem, meta["answer"], meta["points"], meta["stars"],
                                    meta["minutes"], titles[ident], source(cell), "\n".join(tagged("imports") + tagged("given")),
                                    statement=statements[ident], notes=notes[1].strip() if notes else "", needs=needs)
        elif role == "text":
            lacking = [k for k in ("points", "stars", "minutes") if k not in meta]
            if lacking or cell["cell_type"] != "markdown" or ident in found or ident not in statements:
                raise ValueError(f"{where}: a text part is one Markdown cell below its statement, with points, stars and minutes"
                                 f"{' (it lacks ' + ', '.join(lacking) + ')' if lacking else ''}")
            wordless(source(cell))
            found[ident] = Exercise(ident, notebook.stem, "", meta["points"], meta["stars"], meta["minutes"], titles[ident],
                                    source(cell), "", statement=statements[ident], by_hand=True)
        elif role == "test":
            if ident not in found:
                raise ValueError(f"{where}: a test cell stands before its solution")
            found[ident].tests.append(source(cell))
        else:
            first = source(cell).strip().splitlines()[:1]
            raise ValueError(f"{where}: role {role!r} of the cell that begins {first}, expected 'solution', 'test' or 'text'")
    for ident in titles.keys() - found.keys():
        raise ValueError(f"{notebook.name}, exercise {ident!r}: a statement without a solution cell")
    for exercise in found.values():
        if not exercise.tests and not exercise.by_hand:
            raise ValueError(f"{notebook.name}, exercise {exercise.id!r}: no visible test")
    return list(found.values())


def course_edition(notebook: dict) -> dict:
    """A chapter without its solutions: each solution cell becomes its stub, each visible test one that waits for an answer.

    Their outputs become what the untouched chapter prints.
    """
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        exercise = cell["metadata"].get("exercise")
        if not exercise:
            continue
        if exercise["role"] == "text":
            cell["source"] = wordless("".join(cell["source"]))
            continue
        cell["outputs"] = []
        if exercise["role"] == "solution":
            cell["source"] = stub("".join(cell["source"]))
            cell["metadata"] = {"exercise": {**exercise, "role": "stub"}}
        elif exercise["role"] == "test":
            cell["source"] = guarded("".join(cell["source"]))
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": SAYS + "\n"}]
    return notebook


def public_page(markdown: str) -> str:
    """A page for students: without the table of what hidden tests look at, the example of a solution, how to fork the source, and how
    points can be gained unearned."""
    for block, stands in [("exercises", "The table stands"), ("example", "The example stands"), ("fork", "The steps stand"),
                          ("gradescope", "The table stands"), ("secrets", "The table stands")]:
        markdown = re.sub(rf"(?s)(<!-- begin {block}:[^>]*-->).*?(<!-- end {block} -->)",
                          rf"\1\n\n*{stands} in the instructors' edition.*\n\n\2", markdown)
    return markdown
