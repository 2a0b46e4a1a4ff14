"""Search an edition for lines of solutions, hidden tests and wrong answers.

Secret are the lines inside `# BEGIN SOLUTION … # END SOLUTION` (of a problem set also the model answers in words) and the files in
assignments/hidden, wrong and rubrics. Blanks do not count. By rule these are
not searched for, since they give nothing away:
- a line that also stands in the course's ordinary text: chapters without their solutions, lecture_utils, COMMON below;
- imports, and lines without a letter;
- a line of fewer than 24 characters on its own: it is searched for together with the line before it and the line after it,
  as far as the two have 24.
Files are searched as a reader sees them: the strings of JSON decoded, the tags of HTML taken out, zip files opened, and of an index
of words those that no page has. Standard library only: `make book` uses it.
"""
from __future__ import annotations

import html
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tools.exercises import BEGIN, END, MODEL, WORDS_BEGIN, WORDS_END, files

SHORT = 24                                  # characters, blanks aside
BINARY = {".png", ".gif", ".jpg", ".ico", ".woff", ".woff2", ".ttf", ".gz", ".pyc", ".inv", ".doctree", ".pickle", ".map"}
COMMON = """
rng = np.random.default_rng(seed)
spd = lambda B: B @ B.T + np.eye(len(B))
with jax.enable_x64(True):
@functools.lru_cache(maxsize=64)
if name not in arrays:
    return False
def block_until_ready(self):
info = device.device_info()
"""                                         # what programs with NumPy and JAX, and judges, say everywhere
MARKED = re.compile(rf"(?ms)^[ ]*{BEGIN}$.*?^[ ]*{END}$\n?")
RETURN = re.compile(r"^return(?=[^\w]|\w+[.(\[])")
IMPORT = re.compile(r"(import\s+\w|from\s+[\w.]+\s+import\s)")


def squeeze(line: str) -> str:
    """A line without its blanks."""
    return "".join(line.split())


def _squeezed(text: str) -> str:
    """A text without blanks and blank lines."""
    return "\n".join(filter(None, map(squeeze, text.splitlines())))


def blocks(root: Path) -> list[tuple[str, list[str]]]:
    """What is secret in a project: (where, lines) for each solution, with a line before and after it, and each file."""
    out = []
    for path in files(root).values():
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            facts = cell["metadata"].get("exercise", {})
            if facts.get("role") == "text":
                found = MODEL.search("".join(cell["source"]))
                if not found:
                    raise ValueError(f"{path.name}: no model answer is marked in the text of {facts['id']}")
                words = found[0].replace(WORDS_BEGIN, "").replace(WORDS_END, "")
                out.append((f"the model answer of {facts['id']}", list(filter(str.strip, words.splitlines()))))
            if facts.get("role") == "solution":
                block, inside, before = [], False, ""
                for line in filter(str.strip, "".join(cell["source"]).splitlines()):
                    if line.strip() == BEGIN:
                        block, inside = [before], True
                    elif line.strip() == END:
                        inside = False
                        out.append((f"the solution of {facts['id']}", block))
                    elif inside:
                        block.append(line)
                    before = line
    for path in sorted((Path(root) / "assignments").rglob("*")):
        apart = {"sets", "__pycache__"} & set(path.relative_to(root).parts)
        if path.is_file() and not apart and path.suffix in (".py", ".md", ".ipynb", ".yml", ".json"):
            where = path.relative_to(root).as_posix()
            out.append((where, [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]))
    return out


def ordinary(root: Path) -> str:
    """The course's ordinary text, squeezed."""
    texts = [COMMON]
    for path in files(root).values():
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = MODEL.sub("", "".join(cell["source"]))
            if cell["metadata"].get("exercise", {}).get("role") == "solution":
                source = MARKED.sub("", source)
            else:
                texts += ["".join(output.get("text", "")) for output in cell.get("outputs", [])]
            texts.append(source)
    texts += [p.read_text(encoding="utf-8") for p in sorted((Path(root) / "lecture_utils").rglob("*.py"))]
    return "\n" + "\n".join(map(_squeezed, texts)) + "\n"


@dataclass
class Secrets:
    """What to search for: long lines, pairs of neighbors of which one is short, words; each with where it stands."""
    lines: dict[str, str]
    pairs: dict[str, str]
    words: set[str]


def secrets(root: Path) -> Secrets:
    """The secrets of a project that holds its solutions and assignments/."""
    known = ordinary(root)
    lines: dict = {}
    pairs: dict = {}
    words = set()
    for where, block in blocks(root):
        plain = [(squeeze(line), not IMPORT.match(line.strip()) and re.search(r"[^\W\d_]", line)) for line in block]
        for line, counts in plain:
            for form in {line, RETURN.sub("", line)}:             # what is returned is the secret, with or without the word
                if counts and len(form) >= SHORT and form not in known:
                    lines.setdefault(form, where)
        for (line, counts), (after, too) in zip(plain, plain[1:]):
            pair = f"\n{line}\n{after}\n"
            if (counts or too) and min(len(line), len(after)) < SHORT <= len(line + after) and pair not in known:
                pairs.setdefault(pair, where)
        words |= {word.lower() for line in block for word in re.findall(r"\w+_\w+", line)}
    return Secrets(lines, pairs, words)


def readings(path: Path) -> list[str]:
    """The ways to read a file; none for a picture or a font."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as z:
            return [z.read(name).decode("utf-8", "ignore") for name in z.namelist()]
    if path.suffix in BINARY or not path.is_file():
        return []
    text = path.read_text(encoding="utf-8", errors="ignore")
    out = [text]
    if path.suffix in (".ipynb", ".json"):
        try:
            todo, strings = [json.loads(text)], []
        except ValueError:
            return out
        while todo:
            value = todo.pop()
            if isinstance(value, dict):
                todo += [v for k, v in value.items() if not k.startswith("image/")]
            elif isinstance(value, list):
                todo += [v for v in value if not isinstance(v, str)]
                strings.append("".join(v for v in value if isinstance(v, str)))       # a source may be a list of lines
            elif isinstance(value, str):
                strings.append(value)
        return ["\n".join(strings)]
    if path.suffix in (".html", ".xml"):
        out.append(html.unescape(re.sub(r"<[^>]+>", "", text)))
    return out


def _found(text: str, wanted: Secrets, heads: dict[str, list[str]]) -> list[tuple[str, str]]:
    """(line, where it comes from) for each secret in a squeezed text."""
    out = []
    for line in set(text.split("\n")):
        bare = line.lstrip("#>.|-*\"'")                       # a comment, a prompt, a quotation
        for begin in {0, len(line) - len(bare)}:
            if line[begin:] in wanted.lines:
                out.append((line[begin:], wanted.lines[line[begin:]]))
                break
        else:
            for i in range(len(line) - SHORT + 1):
                for secret in heads.get(line[i: i + SHORT], ()):
                    if line.startswith(secret, i):
                        out.append((secret, wanted.lines[secret]))
    lines = text.split("\n")
    for first, second in zip(lines, lines[1:]):
        where = wanted.pairs.get(f"\n{first}\n{second}\n")
        if where:
            out.append((f"{first} ⏎ {second}", where))
    return out


def search(folder: Path, wanted: Secrets) -> list[str]:
    """The secrets that stand in the files of a folder, in words; empty when there are none."""
    heads: dict[str, list[str]] = {}
    for secret in wanted.lines:
        heads.setdefault(secret[:SHORT], []).append(secret)
    out, indices, words = [], [], set()
    for path in sorted(Path(folder).rglob("*")):
        name = path.relative_to(folder).as_posix()
        if ".git" in path.relative_to(folder).parts or "/_static/mathjax/" in f"/{name}":
            continue
        if path.name == "searchindex.js":
            indices.append(path)
            continue
        hits: dict = {}
        for text in readings(path):
            words |= {word.lower() for word in re.findall(r"\w+_\w+", text)}
            hits |= dict(_found(_squeezed(text), wanted, heads))
        out += [f"{name} holds a line of {where}: {line}" for line, where in hits.items()]
    for path in indices:                                      # its words come from pages; those that no page has do not
        terms = set(re.findall(r"\w+_\w+", path.read_text(encoding="utf-8").lower()))
        out += [f"{path.relative_to(folder).as_posix()} holds a word of a secret: {word}"
                for word in sorted((terms & wanted.words) - words)]
    return out
