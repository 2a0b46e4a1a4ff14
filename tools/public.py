"""The tree that students of a private class may see: `make public URL=https://github.com/OWNER/NAME [DIR=…]`.

The authoring repository stays private. What is written here is a project of its own, to be pushed to a public repository: the chapters
as student notebooks (stubs, tests that wait for an answer, the stored outputs of all other cells) with their text twins, the
package, the pages, and what builds and checks them. Its buttons, links and set-up cells point at that public repository, from which
the set-up cells install lecture_utils too. Only what is named below is copied, and the result is searched for lines of solutions,
hidden tests and wrong answers before anything is put in place.
"""
from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

from tools import exercises, leaks, notebooks, repo, setup_cell
from tools.files import tracked

ROOT = Path(__file__).resolve().parents[1]
FILES = ["_config.yml", "_toc.yml", "intro.md", "references.bib", "LICENSE", "LICENSE-content", "CITATION.cff", "pyproject.toml",
         "pytest.ini", "conftest.py", "constraints.txt", "requirements-book.txt", "requirements.txt", ".gitignore", ".gitattributes"]
FOLDERS = ["_assets", "_ext", "appendix", "lecture_utils", "tests/data"]
TOOLS = ["__init__.py", "anchors.py", "api.py", "book.py", "exercises.py", "files.py", "notebooks.py", "pages.py",
         "setup_cell.py", "plan.yml", "search.yml"]
TARGETS = ["help", "book", "serve", "test", "clean", ".venv/.book", ".venv/.everything"]
NOT_FOR_THIS_TREE = re.compile(r"(?m)^\s*(from|import) tools\b|^def test_\w+\([^)]*\bproject\b|copy_project|"
                               r"[\"'/](benchmarks|assignments|tools|chapters|_build)\b|[\"'](README\.md|\.github|requirements)")
MARK = ".public-tree"
KEPT = {".git", ".venv"}                     # of what stands there already
OTHERS = {".git", MARK, "README.md", "LICENSE", ".gitignore"}      # what a new repository on GitHub may hold


def address(url: str, root: Path = ROOT) -> str:
    """The public repository's address: `url`, or package_url of `_config.yml` where that is another than the repository's own.

    Raises ValueError when there is none: the buttons of the tree would lead to the chapters with their solutions.
    """
    own, package = setup_cell.repository(root), setup_cell.package(root)
    url = (url or (package if package != own else "")).strip().rstrip("/")
    if not repo.GITHUB.fullmatch(url) or url.endswith(".git"):
        raise ValueError(f"URL: got {url!r}, expected the public repository's address, https://github.com/OWNER/NAME")
    if url == own:
        raise ValueError(f"URL: got {url}, which is this project with its solutions; expected the address of another repository, "
                         "which students can read")
    return url


def student_chapter(path: Path, root: Path = ROOT) -> nbformat.NotebookNode:
    """A chapter as a student notebook. Raises ValueError when its stored outputs are not fresh."""
    problems = notebooks.problems(path.with_suffix(""), root)
    if problems:
        raise ValueError(f"chapters/{path.name}: {problems[0]}")
    notebook = exercises.course_edition(json.loads(path.read_text(encoding="utf-8")))
    return notebooks._with_ids(nbformat.reads(json.dumps(notebook), as_version=4))


def public_tests(root: Path = ROOT) -> list[Path]:
    """The tests of the package: those that use nothing but it, tests/data and one another."""
    texts = {p: p.read_text(encoding="utf-8") for p in sorted((root / "tests").glob("*.py"))}
    left_out = {p for p, text in texts.items() if NOT_FOR_THIS_TREE.search(text)}
    while True:                                               # and what imports one that is left out
        names = "|".join(re.escape(p.stem) for p in left_out)
        more = {p for p, text in texts.items() if names and re.search(rf"(?m)^\s*(from|import) ({names})\b", text)} - left_out
        if not more:
            return [p for p in texts if p not in left_out]
        left_out |= more


def makefile(text: str) -> str:
    """The Makefile with the targets that students need. Raises ValueError when one of them is gone."""
    out, found = [], set()
    for block in re.split(r"\n\n+", text.strip()):
        target = re.search(r"(?m)^([.\w/-]+):(?!=)", re.sub(r"(?m)^\.(DEFAULT_GOAL|NOTPARALLEL|PHONY).*$", "", block))
        if target is None or target[1] in TARGETS:
            out.append(re.sub(r"(?m)^\.PHONY:.*$", ".PHONY: help book serve test clean", block))
            found |= {target[1]} if target else set()
    if found != set(TARGETS):
        raise ValueError(f"Makefile: expected the targets {', '.join(TARGETS)}, found no {', '.join(sorted(set(TARGETS) - found))}")
    text = "\n\n".join(out) + "\n"
    text = re.sub(r"(?m)^# the Python of `make gpu`.*\nGPU_PYTHON.*\n", "", text)
    return text.replace(" --edition $(EDITION)", "").replace("EDITION ?= full\n", "").replace(
        " (EDITION=course: no solutions, into _build/course/_build/html)", "")


def stage(new: Path, url: str, root: Path = ROOT) -> None:
    """Write the tree for that address into a new folder."""
    known = {p.relative_to(root).as_posix() for p in tracked(root)}
    names = [n for n in FILES if n in known] + [n for n in known if any(n.startswith(f"{f}/") for f in FOLDERS)]
    names += [f"tools/{n}" for n in TOOLS] + [p.relative_to(root).as_posix() for p in public_tests(root)]
    for name in names:
        target = new / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".md":
            target.write_text(exercises.public_page((root / name).read_text(encoding="utf-8")), encoding="utf-8")
        else:
            shutil.copy2(root / name, target)
    mine = root / "tools" / "public_tree"
    shutil.copy2(mine / "test_tree.py", new / "tests" / "test_tree.py")
    (new / ".github" / "workflows").mkdir(parents=True)
    shutil.copy2(mine / "publish.yml", new / ".github" / "workflows" / "publish.yml")
    (new / "Makefile").write_text(makefile((root / "Makefile").read_text(encoding="utf-8")), encoding="utf-8")
    (new / "chapters").mkdir()
    for path in sorted((root / "chapters").glob("*.ipynb")):
        notebook = student_chapter(path, root)
        (new / "chapters" / path.name).write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
        path = new / "chapters" / path.name
        path.with_suffix(".md").write_text(notebooks.as_text(notebook), encoding="utf-8")
    subprocess.run(["git", "init", "-q", str(new)], check=True, capture_output=True)       # make repo asks git for the files
    repo.repoint(url, url, new)
    shutil.rmtree(new / ".git")
    for path in sorted((new / "chapters").glob("*.ipynb")):     # the hashes of what is now written, and of nothing else
        notebook = notebooks.read_notebook(path)
        notebook.metadata[notebooks.KEY]["text"] = notebooks.text_hash(notebook, new)
        notebook.metadata[notebooks.KEY]["outputs"] = notebooks.outputs_hash(notebook)
        path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    address, pages, colab = repo.spellings(url)
    text, title = (mine / "README.md").read_text(encoding="utf-8"), re.findall(r"(?m)^title: (.+)$", (root / "_config.yml").read_text())
    for mark, value in {"@TITLE@": title[0], "@URL@": address, "@PAGES@": pages, "@COLAB@": colab,
                        "@PLACEHOLDER@": exercises.PLACEHOLDER, "@SAYS@": exercises.SAYS}.items():
        text = text.replace(mark, value)
    (new / "README.md").write_text(text, encoding="utf-8")
    (new / MARK).write_text("Written by `make public`, which replaces all of this folder but .git and .venv when it runs again.\n",
                            encoding="utf-8")


def write(out: Path, url: str, root: Path = ROOT) -> Path:
    """Write the tree to `out`, in place of all that stands there but .git and .venv; the folder.

    Raises ValueError when `out` holds something else than such a tree or an empty repository, when an address will not do or a chapter
    is not fresh, and RuntimeError when a line of a secret is found. `out` stays as it was then.
    """
    out, url = Path(out).resolve(), address(url, root)
    if out.exists() and (not out.is_dir() or {p.name for p in out.iterdir()} - OTHERS and not (out / MARK).exists()):
        raise ValueError(f"DIR: got {out}, expected a new folder, a clone of the public repository or a tree that make public wrote: "
                         "everything there would be replaced")
    new = out.with_name(f".{out.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        stage(new, url, root)
        found = leaks.search(new, leaks.secrets(root))
        if found:
            raise RuntimeError(f"nothing was written, since {len(found)} lines of secrets stand in the tree:\n" + "\n".join(found[:10]))
        out.mkdir(exist_ok=True)
        for old in out.iterdir():
            if old.name not in KEPT:
                shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        for path in new.iterdir():
            shutil.move(path, out / path.name)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return out


def main(argv=None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="make public", description=__doc__.splitlines()[0])
    parser.add_argument("url", nargs="?", default="", help="URL: the public repository, https://github.com/OWNER/NAME")
    parser.add_argument("dir", nargs="?", default="", help="DIR: where to write it, best a clone of that repository (_build/public)")
    args = parser.parse_args(argv)
    try:
        out = write(Path(args.dir) if args.dir else root / "_build" / "public", args.url, root)
    except (ValueError, RuntimeError) as e:
        print(f"make public: {e}", file=sys.stderr)
        return 1
    print(f"wrote {out} for {address(args.url, root)}; no line of a solution, hidden test or wrong answer is in it\n"
          f"next: cd {out} && make book && make test, then commit and push it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
