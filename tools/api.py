"""The reference of lecture_utils, appendix/95-api.md: `python -m tools.pages`, part of `make notebooks`.

Signatures, docstrings and the chapters that use a name are read with `ast`: nothing is imported, so the page can be written and
built without jax or torch. A docstring is plain text; what stands in it by habit is set apart on the page: arguments (a name in
lower case, or of an argument, and a colon at the start of a sentence), "Raises …", "Cost: …", "Source: …", and examples.
"""
from __future__ import annotations

import ast
import functools
import json
import re
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import yaml

PAGE = Path("appendix/95-api.md")
# In the order in which a reader of the book meets them; a module that is not named here is an error.
ORDER = ["checks", "finite_diff", "plot", "stepper", "dual", "tape", "linop", "bench", "device", "sparse", "matrix_functions",
         "implicit", "data"]
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
# What may begin a sentence and is set apart from the text around it.
LABEL = re.compile(r"(?:(?<=^)|(?<=[.!?…;] ))(?:"
                   r"(?P<label>(?:Cost|Source|Domain|Checked|Idea|The idea)(?: [a-z][\w ]*)?: )|"
                   r"(?P<raises>(?:Raises|Returns)(?=,? [A-Za-z]))|"
                   r"(?P<names>(?:[A-Za-z_]\w*(?:\([^()]*\))?, )*[A-Za-z_]\w*(?:\([^()]*\))?): )")
EXAMPLE = re.compile(r"(?:Example:\n)?\s*>>> ")


class Entry(NamedTuple):
    """A public name of a module: the node and the file that define it, and for a constant the comment that goes with it."""
    module: str
    name: str
    node: Any                                # a function, a class or an assignment of `ast`
    path: Path
    note: str = ""

    @property
    def anchor(self) -> str:
        kind = "class-" if isinstance(self.node, ast.ClassDef) else ""       # labels know no capitals: Stepper beside stepper
        return f"api-{self.module}-{kind}{self.name}".replace("_", "-").lower()


class Module(NamedTuple):
    """A public module: its name, its docstring and its entries, in the order of the page."""
    name: str
    doc: str
    entries: list[Entry]


# --- what there is -----------------------------------------------------------------------------

@functools.cache
def _parse(path: Path, stamp: int) -> tuple[ast.Module, list[str]]:
    text = path.read_text(encoding="utf-8")
    return ast.parse(text), text.splitlines()


def _tree(path: Path) -> tuple[ast.Module, list[str]]:
    return _parse(path, path.stat().st_mtime_ns)


def _file(root: Path, dotted: str) -> Path:
    path = root.joinpath(*dotted.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _comment(lines: list[str], node: Any) -> str:
    """The comment right above a definition, or at the end of its line."""
    above: list[str] = []
    at = node.lineno - 2
    while at >= 0 and lines[at].startswith("# ") and not lines[at].startswith("# ---"):
        above.insert(0, lines[at][2:].strip())
        at -= 1
    beside = re.search(r"\s#\s+(.*)$", lines[node.end_lineno - 1])
    return " ".join(above) or (beside[1] if beside else "")


def _definitions(path: Path, module: str) -> dict[str, Entry]:
    """What a file defines at its top level by public names."""
    tree, lines = _tree(path)
    found = {}
    for node in tree.body:
        if isinstance(node, (*FUNCTION, ast.ClassDef)):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        else:
            continue
        for name in names:
            if not name.startswith("_"):
                note = _comment(lines, node) if isinstance(node, ast.Assign) else ""
                found[name] = Entry(module, name, node, path, note)
    return found


def _imported(path: Path, root: Path, module: str) -> dict[str, Entry]:
    """What a file takes from private files of the package, by name."""
    found: dict[str, Entry] = {}
    for node in _tree(path)[0].body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("lecture_utils."):
            there = _definitions(_file(root, node.module), module)
            found |= {(a.asname or a.name): there[a.name]._replace(name=a.asname or a.name) for a in node.names if a.name in there}
    return found


def _exported(path: Path) -> list[str] | None:
    """The names of a file's `__all__`; None where it has none."""
    for node in _tree(path)[0].body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            return ast.literal_eval(node.value)
    return None


def modules(root: Path) -> list[Module]:
    """The public modules of lecture_utils, with their public names.

    Public is what a module defines without a leading underscore; with an `__all__`, what that names; and what it takes from a
    private file if a docstring of the package names it as the module's, as in `plot.Node`.
    Raises ValueError for a module that ORDER does not name or that is gone, and for a definition without a docstring.
    """
    folder = root / "lecture_utils"
    files = {p.stem: p for p in folder.glob("*.py")} | {p.parent.name: p for p in folder.glob("*/__init__.py")}
    files = {name: path for name, path in files.items() if not name.startswith("_")}
    if set(files) != set(ORDER):
        raise ValueError(f"tools/api.py: ORDER names {sorted(set(ORDER) - set(files))}, which lecture_utils does not have, "
                         f"and lacks {sorted(set(files) - set(ORDER))}")
    named = set(re.findall(r"`(\w+\.\w+)`", "".join(p.read_text(encoding="utf-8") for p in folder.rglob("*.py"))))
    out = []
    for name in ORDER:
        path = files[name]
        own, taken, exported = _definitions(path, name), _imported(path, root, name), _exported(path)
        if exported is None:
            entries = [*[e for n, e in taken.items() if f"{name}.{n}" in named], *own.values()]
        else:
            entries = [(own | taken)[n] for n in exported]
        for entry in entries:
            if not isinstance(entry.node, ast.Assign) and not ast.get_docstring(entry.node):
                raise ValueError(f"{entry.path.relative_to(root)}, line {entry.node.lineno}: {entry.name} is public and has no docstring")
        out.append(Module(name, ast.get_docstring(_tree(path)[0]) or "", entries))
    return out


def uses(root: Path, solutions: bool = False) -> dict[tuple[str, str], list[str]]:
    """The chapters that use a name: (module, name) -> names of chapters, in order. `solutions`: whether those of exercises count.

    The page counts none, so that it is the same in the students' tree.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for path in sorted((root / "chapters").glob("*.ipynb")):
        trees = []
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] != "code" or not solutions and cell["metadata"].get("exercise", {}).get("role") in ("solution", "stub"):
                continue
            try:
                trees.append(ast.parse("".join(cell["source"])))
            except SyntaxError:                              # the set-up cell: IPython, not Python
                continue
        alias: dict[str, str] = {}
        here = set()
        for node in (node for tree in trees for node in ast.walk(tree)):
            if isinstance(node, ast.ImportFrom) and node.module == "lecture_utils":
                alias |= {(a.asname or a.name): a.name for a in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("lecture_utils."):
                here |= {(node.module.split(".")[1], a.name) for a in node.names}
            elif isinstance(node, ast.Import):
                alias |= {a.asname: a.name.split(".")[1] for a in node.names if a.asname and a.name.startswith("lecture_utils.")}
        for node in (node for tree in trees for node in ast.walk(tree)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in alias:
                here.add((alias[node.value.id], node.attr))
        for key in here:
            found.setdefault(key, []).append(path.stem)
    return found


# --- how it is written -------------------------------------------------------------------------

def signature(entry: Entry, width: int = 76) -> str:
    """How a name is called or defined, as Python, broken at arguments where it is long."""
    node = entry.node
    if isinstance(node, ast.Assign):
        value = ast.get_source_segment(entry.path.read_text(encoding="utf-8"), node) or ""
        return value if value.count("\n") < 10 and "_" not in value else entry.name
    head, parts = entry.name, None
    if isinstance(node, FUNCTION):
        parts = _arguments(node.args)
    else:
        bases = [ast.unparse(base) for base in node.bases if ast.unparse(base) != "NamedTuple"]
        init = next((n for n in node.body if isinstance(n, FUNCTION) and n.name == "__init__"), None)
        fields = [n for n in node.body if isinstance(n, ast.AnnAssign)]
        if init:
            parts = _arguments(init.args)[1:]
        elif fields:
            parts = [ast.unparse(f.target) + (f"={ast.unparse(f.value)}" if f.value else "") for f in fields]
        elif bases:
            parts = bases
        head = f"class {head}"
    if parts is None:
        return head
    line = f"{head}({', '.join(parts)})"
    return line if len(line) <= width else f"{head}(\n" + textwrap.fill(", ".join(parts), width, initial_indent="    ",
                                                                       subsequent_indent="    ", break_long_words=False) + "\n)"


def _arguments(a: ast.arguments) -> list[str]:
    """The arguments of a function, each as Python, without annotations."""
    given = a.posonlyargs + a.args
    defaults = [None] * (len(given) - len(a.defaults)) + a.defaults
    show = lambda arg, default: arg.arg + (f"={ast.unparse(default)}".replace("'", '"') if default else "")
    out = [show(*pair) for pair in zip(given, defaults)]
    out += [f"*{a.vararg.arg}"] if a.vararg else ["*"] if a.kwonlyargs else []
    out += [show(*pair) for pair in zip(a.kwonlyargs, a.kw_defaults)]
    return out + ([f"**{a.kwarg.arg}"] if a.kwarg else [])


def note(entry: Entry, root: Path) -> str:
    """What is said of a constant: the comment that goes with it, and the names that it holds where its value is not shown."""
    held = []
    if signature(entry) == entry.name and isinstance(entry.node.value, ast.Dict):
        held = [str(key.value) for key in entry.node.value.keys if isinstance(key, ast.Constant)]
    elif (entry.module, entry.name) == ("tape", "np"):        # a namespace made of the rules
        rules: Any = _definitions(root / "lecture_utils" / "_rules.py", "tape")["RULES"].node.value
        held = [key.value for key in rules.keys if key.value not in ("getitem", "scatter", "concatenate")]
        held += [keyword.arg for keyword in entry.node.value.keywords if keyword.arg]
    says = [entry.note[0].upper() + entry.note[1:].rstrip(".") + "."] if entry.note else []
    if entry.name == "np":
        says.append("The functions that a traced program may call, by NumPy's names.")
    return " ".join([*says, *(["It holds " + ", ".join(f"`{name}`" for name in sorted(held)) + "."] if held else [])])


class Writer:
    """Docstrings as MyST, with links between the names of the package."""

    def __init__(self, found: list[Module]):
        self.known = {(m.name, e.name): e.anchor for m in found for e in m.entries}
        self.modules = {m.name for m in found}

    def text(self, raw: str, module: str, own: str = "") -> str:
        """Plain text as Markdown: names in backquotes are linked where they are public; nothing else is marked up."""
        out = []
        for part in re.split(r'(`[^`]+`|"[^"\n]{1,60}")', raw):
            if part[:1] == "`":
                out.append(self._name(part.strip("`"), module, own))
            elif part[:1] == '"' and len(part) > 1:
                out.append(f"`{part}`")
            else:
                part = re.sub(r"([\\*_$\[\]{}|~])", r"\\\1", part).replace("<", "&lt;")
                part = re.sub(r"\b([A-Za-z])'(?!s\b)", "\\1′", part).replace(" -> ", " → ")
                out.append(re.sub(r"\b([A-Z]\w*(?:Error|Interrupt))\b", lambda m: self._name(m[1], module, own), part))
        return "".join(out)

    def _name(self, name: str, module: str, own: str) -> str:
        there, _, last = name.rpartition(".")
        anchor = self.known.get((there or module, last))
        if anchor is None and not there and name in self.modules:
            anchor = f"api-{name.replace('_', '-')}"
        return f"`{name}`" if anchor is None or name == own else f"[`{name}`](#{anchor})"

    def docstring(self, doc: str, module: str, arguments: set[str], own: str = "") -> list[str]:
        """A docstring as lines of Markdown."""
        out: list[str] = []
        for block in re.split(r"\n\s*\n", doc):
            if EXAMPLE.match(block):
                code = textwrap.dedent(re.sub(r"^Example:\n", "", block)).strip("\n")
                code = re.sub(r"\s*# doctest: .*", "", code)
                if out[-2:-1] == ["```"]:                    # one example over an empty line
                    out[-2:] = ["", code, "```", ""]
                else:
                    out += ["```pycon", code, "```", ""]
                continue
            lines = block.split("\n")
            table = [bool(re.search(r"\S {3,}\S", line)) for line in lines]
            while lines:
                n = next((i for i, flag in enumerate(table) if flag != table[0]), len(lines))
                out += self._table(lines[:n], module, own) if table[0] else self._running(" ".join(lines[:n]), module, arguments, own)
                lines, table = lines[n:], table[n:]
        return out

    def _table(self, lines: list[str], module: str, own: str) -> list[str]:
        rows = [re.split(r" {2,}", line.strip()) for line in lines]
        width = len(rows[0])
        rows = [[self.text(cell, module, own) for cell in (*row[:width - 1], " ".join(row[width - 1:]))] for row in rows]
        line = lambda cells: "| " + " | ".join(cells) + " |"
        return [line(rows[0]), line(["---"] * width), *map(line, rows[1:]), ""]

    def _running(self, raw: str, module: str, arguments: set[str], own: str) -> list[str]:
        """A paragraph: arguments as a definition list, what is labeled as a paragraph of its own."""
        raw, out, marks = " ".join(raw.split()), [], []
        for match in LABEL.finditer(raw):
            names = re.findall(r"([A-Za-z_]\w*)(?:\([^()]*\))?", re.sub(r"\([^()]*\)", "", match["names"] or ""))
            inside = raw[:match.start()].endswith("; ")
            if match["names"] is None and not inside or names and all(n in arguments or n == n.lower() and not inside for n in names):
                marks.append(match)
        first = marks[0].start() if marks else len(raw)
        if raw[:first].strip():
            out += [self.text(raw[:first].strip(), module, own), ""]
        for match, end in zip(marks, [*[m.start() for m in marks[1:]], len(raw)]):
            body = self.text(re.sub(r";$", ".", raw[match.end():end].strip()), module, own)
            if match["names"]:
                out += [", ".join(f"`{n}`" for n in re.findall(r"\w+(?:\([^()]*\))?", match["names"])), f": {body}", ""]
            elif match["label"]:
                out += [f"**{match['label'].strip()}** {body}", ""]
            else:
                out += [f"**{match['raises']}**{'' if body.startswith(',') else ' '}{body}", ""]
        return out


def api_page(root: Path) -> str:
    """The text of the reference. Raises ValueError as `modules` does."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]
    found, used = modules(root), uses(root)
    writer = Writer(found)
    out = ["# Reference of lecture_utils", "",
           "<!-- Written by `make notebooks` from the docstrings of lecture_utils and the code of the chapters: edit those, not this page. "
           "-->", "",
           "What the chapters import, name by name: how each is called, what it returns, what it refuses and what it costs.", "",
           f"There are {len(found)} modules with {sum(len(m.entries) for m in found)} public names. In a chapter, write "
           "`from lecture_utils import checks` and then `checks.taylor_test(…)`. The package imports NumPy, SciPy, JAX and matplotlib; "
           "PyTorch only in functions that are about it. Shapes stand in brackets: `[N]` is a vector, `[M, N]` a matrix, "
           "`[..., N, N]` a stack of matrices.", ""]
    for module in found:
        names = ", ".join(f"[`{e.name}`](#{e.anchor})" for e in module.entries)
        summary = module.doc.split("\n\n")[0].replace("\n", " ")
        out += [f"- [`{module.name}`](#api-{module.name.replace('_', '-')}): {writer.text(summary, module.name)}\\", f"  {names}"]
    out.append("")
    for module in found:
        out += [f'<a id="api-{module.name.replace("_", "-")}"></a>', "", f"## `{module.name}`", "",
                *writer.docstring(module.doc, module.name, set()), f"```python\nfrom lecture_utils import {module.name}\n```", ""]
        for entry in module.entries:
            out += [f'<a id="{entry.anchor}"></a>', "", f"### `{entry.name}`", "", "```python", signature(entry), "```", ""]
            if isinstance(entry.node, ast.Assign):
                says = note(entry, root)
                out += [writer.text(says, module.name, entry.name), ""] if says else []
            else:
                doc = ast.get_docstring(entry.node) or ""
                out += writer.docstring(doc, module.name, set(re.findall(r"\w+", signature(entry))), entry.name)
            path = entry.path.relative_to(root).as_posix()
            source = (f"[{writer.text(path, '')}, line {entry.node.lineno}]"
                      f"({config['url']}/blob/{config['branch']}/{path}#L{entry.node.lineno})")
            chapters = ", ".join(f"[{name[:2]}](../chapters/{name}.ipynb)" for name in used.get((module.name, entry.name), []))
            out += [f"{'Chapters that use it: ' + chapters + ' · ' if chapters else ''}Source: {source}", ""]
    return "\n".join(out).rstrip() + "\n"


if __name__ == "__main__":                                    # what no chapter uses: python -m tools.api
    ROOT = Path(__file__).resolve().parents[1]
    taught = uses(ROOT, solutions=True)
    for module in modules(ROOT):
        for entry in module.entries:
            if (module.name, entry.name) not in taught:
                print(f"no chapter uses {module.name}.{entry.name}")
