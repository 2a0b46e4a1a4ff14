"""Submitted notebooks: what they are called, and which of their cells answer which exercise.

How an answer is found, in this order:

1. by metadata: code cells whose metadata or cell id name the exercise (`exercise: {id: …}`, `ID-answer`);
2. by place: code cells below the statement (its label `ex-ID`, or its title as a heading), up to the next
   statement, heading or test; so helpers in cells of their own count, and so do cells whose metadata an
   editor lost;
3. by name, when what was found so far does not define the answer's function: any cell that does, wherever
   it was moved, unless it is the course's own text, a test, or marked as another exercise's.

Parts in words are found in the same way, by mark or by place, in Markdown cells.
The code cells run in the notebook's order; the last definition counts, but an untouched stub never replaces an answer.
Nothing of a submission is run here. Imports that the student added run beside the course's.
"""
from __future__ import annotations

import ast
import json
import re
import stat
from collections.abc import Set
from dataclasses import dataclass, field
from pathlib import Path

from tools.exercises import WRITE_HERE, Exercise, stub, wordless

LARGEST = 20_000_000
IGNORED = {"thumbs.db", "desktop.ini", "__macosx"}


@dataclass
class Submission:
    """What one file holds: exercises' cells, why there are none, the imports that the student added for them, answers in words."""
    answers: dict[str, list[str]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    imports: dict[str, list[str]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)


class Unreadable(ValueError):
    """A file that is no notebook, with the reason in words."""


def files(folder: Path, skip: Path | None = None) -> dict[str, Path]:
    """The submissions in a folder and those below it: {student: file}, in order of the names.

    A student's name is the file's, without its ending, with the folders before it ("group-a/ann").
    """
    found = []
    for path in sorted(Path(folder).rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(p.startswith(".") or p.lower() in IGNORED for p in parts)
        if hidden or (path.is_dir() and not path.is_symlink()) or (skip and skip in path.parents):
            continue
        found.append((path.relative_to(folder).with_suffix("").as_posix(), path))
    names = [name for name, _ in found]
    out = {}
    for name, path in found:
        out[_printable(name if names.count(name) == 1 else path.relative_to(folder).as_posix())] = path
    return out


def _printable(text: str) -> str:
    """A name with nothing in it that a terminal, a table or a file system trips over."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else "�" for c in text)


def load(path: Path) -> bytes:
    """The bytes of a submission. Raises Unreadable for a link, a device, a file that is empty or too large."""
    try:
        mode = path.lstat()
        if stat.S_ISLNK(mode.st_mode):
            raise Unreadable("a link to another file, not a notebook")
        if not stat.S_ISREG(mode.st_mode):
            raise Unreadable("not a regular file")
        if mode.st_size > LARGEST:
            raise Unreadable(f"the file has {mode.st_size / 1e6:.0f} MB, at most {LARGEST / 1e6:.0f} MB are read")
        data = path.read_bytes()
    except OSError as e:
        raise Unreadable(f"the file cannot be read ({e.strerror})") from None
    if not data.strip():
        raise Unreadable("the file is empty")
    return data


def cells(data: bytes) -> list[dict]:
    """The cells of a notebook: {code: bool, source, id, meta, tags}. Raises Unreadable when it is none."""
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        notebook = json.loads(text)
    except (UnicodeDecodeError, ValueError) as e:
        what = "; it ends too early: was the upload cut off?" if text_of(data).lstrip().startswith("{") else ""
        raise Unreadable(f"not a notebook: no JSON ({type(e).__name__}){what}") from None
    except RecursionError:
        raise Unreadable("not a notebook: JSON nested too deep") from None
    if isinstance(notebook, dict) and "cells" not in notebook and isinstance(notebook.get("worksheets"), list) and notebook["worksheets"]:
        notebook = notebook["worksheets"][0]                    # nbformat 3
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise Unreadable("not a notebook: JSON without a list of cells")
    out = []
    for cell in notebook["cells"]:
        if not isinstance(cell, dict):
            continue
        source = cell.get("source", cell.get("input", ""))
        source = "".join(map(str, source)) if isinstance(source, list) else str(source)
        of_kind = lambda value, kind: value if isinstance(value, kind) else kind()
        meta = of_kind(cell.get("metadata"), dict)
        mark, tags = of_kind(meta.get("exercise"), dict), of_kind(meta.get("tags"), list)
        ids = {str(i) for i in (cell.get("id"), meta.get("id")) if i}
        source = source.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
        out.append({"code": cell.get("cell_type") == "code", "source": source, "ids": ids, "mark": mark, "tags": tags})
    if not any(c["code"] for c in out):
        raise Unreadable("a notebook without code cells")
    return out


def text_of(data: bytes) -> str:
    return data[:200].decode("utf-8", "replace")


def _lines(source: str) -> list[str]:
    return [line.strip() for line in source.splitlines() if line.strip()]


def _within(lines: list[str], source: str) -> bool:
    """Whether a cell holds these lines, however they are wrapped and indented."""
    plain = lambda text: re.sub(r"[\s,()]", "", text)
    have = plain(source)
    return bool(lines) and all(plain(line) in have for line in lines)


def defines(source: str, name: str) -> bool:
    """Whether a cell gives `name` a value at its top level, also when it does not parse."""
    try:
        tree = ast.parse(re.sub(r"(?m)^([%!].*)$", r"# \1", source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return bool(re.search(rf"(?m)^(?:async\s+def|def|class)\s+{re.escape(name)}\b|^{re.escape(name)}\s*=", source))
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name == name:
            return True
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if any(isinstance(part, ast.Name) and part.id == name for target in targets for part in ast.walk(target)):
            return True
    return False


def _imports(source: str) -> list[str]:
    try:
        tree = ast.parse(re.sub(r"(?m)^([%!].*)$", r"# \1", source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [ast.unparse(node) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]


def _names(line: str) -> set[str]:
    """What an import statement gives a name to."""
    return {(alias.asname or alias.name).split(".")[0] for node in ast.parse(line).body
            if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names}


def untouched(source: str, exercise: Exercise) -> bool:
    """Whether a cell is the stub as it was handed out (or holds nothing)."""
    left = [line for line in _lines(source) if not line.startswith("#")]
    return not left or left == [line for line in _lines(stub(exercise.solution)) if not line.startswith("#")]


def read(data: bytes, exercises: list[Exercise], course: Set[str] = frozenset()) -> Submission:
    """Find the answers in a submitted notebook; `course` holds the chapters' own cells, which answer nothing.

    Raises Unreadable when it is no notebook.
    """
    found, known = cells(data), {e.id: e for e in exercises}
    tests = [_lines(test) for e in exercises for test in e.tests]
    owner: list[str | None] = [None] * len(found)
    test = [False] * len(found)
    for i, cell in enumerate(found):
        if cell["mark"].get("id") in known:
            owner[i] = cell["mark"]["id"]
        for e in exercises:
            if f"{e.id}-answer" in cell["ids"]:
                owner[i] = e.id
        test[i] = ((cell["mark"].get("role") == "test" or any(_within(lines, cell["source"]) for lines in tests))
                   and not any(defines(cell["source"], e.answer) for e in exercises))      # an answer written above its test
    other = lambda cell, e: any(defines(cell["source"], x.answer) for x in exercises if x.id != e.id)
    own = lambda cell, *tags: set(tags) & set(map(str, cell["tags"])) or cell["source"].strip() in course
    out = Submission(words={e.id: _words(found, e) for e in exercises if e.by_hand})
    exercises = [e for e in exercises if not e.by_hand]
    imports = [line for i, cell in enumerate(found) if cell["code"] and not test[i] and owner[i] is None
               and not own(cell, "setup") for line in _imports(cell["source"])]
    for e in exercises:
        usable = [i for i, cell in enumerate(found)
                  if cell["code"] and not test[i] and not own(cell, "setup", "imports") and owner[i] in (None, e.id)]
        chosen = {i for i in usable if owner[i] == e.id} | {i for i in _below(found, test, e) if i in usable and not other(found[i], e)}
        if not any(defines(found[i]["source"], e.answer) and not untouched(found[i]["source"], e) for i in chosen):
            chosen |= {i for i in usable if defines(found[i]["source"], e.answer)}
        sources = [found[i]["source"] for i in sorted(chosen)]
        if not sources:
            out.missing[e.id] = ("no cell of this exercise was found, neither by its mark, nor below its statement, "
                                 f"nor one that defines {e.answer}")
        elif all(untouched(source, e) for source in sources):
            out.missing[e.id] = "not answered: the cell is as it was handed out"
        else:
            out.answers[e.id] = [s for s in sources if not untouched(s, e)]
            words = set(re.findall(r"\w+", " ".join(sources)))
            out.imports[e.id] = [line for line in dict.fromkeys(imports) if line not in _imports(e.imports) and words & _names(line)]
    return out


def _words(found: list[dict], e: Exercise) -> str:
    """What a student wrote to a part that asks for words; empty when it is as it was handed out."""
    label = re.compile(rf'<a id="ex-{re.escape(e.id)}">|^#+ {re.escape(e.title)}\s*$', re.M)
    marked = [c["source"] for c in found if not c["code"] and c["mark"].get("id") == e.id]
    if not marked:
        at = next((i for i, c in enumerate(found) if not c["code"] and label.search(c["source"])), len(found))
        for cell in found[at + 1:]:
            if cell["code"] or re.search(r'<a id="ex-|^#{1,3} ', cell["source"], re.M):
                break
            marked.append(cell["source"])
    given = wordless(e.solution)
    return "\n\n".join(t.replace(WRITE_HERE, "").strip() for t in marked if t.strip() != given.strip()).strip()


def _below(found: list[dict], test: list[bool], e: Exercise) -> list[int]:
    """The cells below an exercise's statement."""
    label = re.compile(rf"\bex-{re.escape(e.id)}(?![\w-])")
    title = re.compile(rf"^(?:#+ |:::+\{{exercise\}}).*{re.escape(e.title)}\s*$", re.M)
    statement = lambda text: re.search(r"<a id=\"ex-|^:label:\s*ex-|^#{1,6} |^:::+\{exercise\}", text, re.M)
    out, inside = [], False
    for i, cell in enumerate(found):
        if not cell["code"]:
            if statement(cell["source"]):
                inside = bool(label.search(cell["source"]) or title.search(cell["source"]))
        elif inside and test[i]:
            inside = False
        elif inside:
            out.append(i)
    return out


def course_cells(notebook: Path) -> set[str]:
    """A chapter's own code cells, without the exercises'."""
    return {"".join(c["source"]).replace("\r\n", "\n").strip() for c in json.loads(notebook.read_text(encoding="utf-8"))["cells"]
            if c["cell_type"] == "code" and not c["metadata"].get("exercise") and "".join(c["source"]).strip()}
