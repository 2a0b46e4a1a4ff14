"""Point the book at another repository: `make repo URL=https://github.com/OWNER/NAME [PACKAGE_URL=…]`.

The address stands in `_config.yml`; everything that repeats it (links, Colab addresses, set-up
cells) is rewritten here. Without URL it writes set-up cells anew. Going back leaves no difference.
"""
from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from tools import setup_cell
from tools.files import tracked
from tools.notebooks import ROOT, chapters, replace_file, sets

GITHUB = re.compile(r"https://github\.com/([A-Za-z0-9][A-Za-z0-9-]*)/([A-Za-z0-9._-]*[A-Za-z0-9_-])")


def spellings(url: str) -> list[str]:
    """The ways in which a repository's address is written: itself, its pages, its path on Colab."""
    found = GITHUB.fullmatch(url)
    if not found:
        raise ValueError(f"url is {url!r}, expected https://github.com/OWNER/NAME")
    owner, name = found.groups()
    return [url, f"https://{owner}.github.io/{name}", f"colab.research.google.com/github/{owner}/{name}"]


def _pattern(spelling: str) -> re.Pattern:
    return re.compile(re.escape(spelling) + r"(?![A-Za-z0-9_-]|\.(?!git\b)[A-Za-z0-9])")


def texts(root: Path) -> list[Path]:
    """The text files of the project that git knows, or would add."""
    return [path for path in tracked(root) if b"\0" not in path.read_bytes()[:8000]]


def repoint(url: str, package_url: str, root: Path = ROOT) -> list[Path]:
    """Rewrite the project for another repository; the files that changed.

    Raises ValueError when an address is not one of a GitHub repository (Colab opens no other), or
    when the new address is already mentioned (going back would then rewrite that mention too).
    """
    for argument, value in [("URL", url), ("PACKAGE_URL", package_url)]:
        if not GITHUB.fullmatch(value) or value.endswith(".git"):
            raise ValueError(f"{argument}: got {value!r}, expected https://github.com/OWNER/NAME")
    old, old_package = setup_cell.repository(root), setup_cell.package(root)
    files, done = texts(root), []
    if url != old:
        for path in files:
            text = path.read_text(encoding="utf-8")
            for spelling in spellings(url):
                if _pattern(spelling).search(text) and url != old_package:
                    raise ValueError(f"URL: {spelling} is already mentioned in {path.relative_to(root)}; change that first")
    for path in files:
        text = path.read_text(encoding="utf-8")
        new = text
        for before, after in zip(spellings(old), spellings(url)):
            new = _pattern(before).sub(after, new)
        if path == root / "_config.yml":
            new = re.sub(r"(?m)^(\s+package_url:\s*)\S+", rf"\g<1>{package_url}", new)
        if replace_file(path, new):
            done.append(path)
    return done + write_setup_cells(root)


def write_setup_cells(root: Path = ROOT) -> list[Path]:
    """Write the set-up cell of every chapter and problem set anew, in both files of its pair; the files that changed."""
    import jupytext
    import nbformat

    from tools.notebooks import FORMAT, _with_ids, as_text, read_notebook
    done, package_url = [], setup_cell.package(root)
    for stem in chapters(root) + sets(root):
        for path in (stem.with_suffix(".md"), stem.with_suffix(".ipynb")):
            if not path.exists():
                continue
            nb = read_notebook(path) if path.suffix == ".ipynb" else jupytext.read(path, fmt=FORMAT)
            for cell in nb.cells:
                if "setup" in cell.metadata.get("tags", []):
                    extras = setup_cell.extras(cell.source) if "EXTRAS" in cell.source else []
                    cell.source = setup_cell.render(package_url, extras)
                    cell.metadata.update(json.loads(json.dumps(setup_cell.METADATA)))
            text = nbformat.writes(_with_ids(nb)) + "\n" if path.suffix == ".ipynb" else as_text(nb)
            if replace_file(path, text):
                done.append(path)
    return done


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="make repo", description=__doc__.splitlines()[0])
    parser.add_argument("url", nargs="?", default="", help="the fork's address, https://github.com/OWNER/NAME")
    parser.add_argument("package_url", nargs="?", default="",
                        help="where set-up cells install lecture_utils from, for a private fork; the fork itself if not given")
    args = parser.parse_args(argv)
    try:
        url = (args.url or setup_cell.repository()).rstrip("/")
        package_url = (args.package_url or (url if args.url else setup_cell.package())).rstrip("/")
        done = repoint(url, package_url)
    except ValueError as e:
        print(f"make repo: {e}", file=sys.stderr)
        return 1
    print(f"the book points at {url}, its set-up cells at {package_url}: {len(done)} files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
