"""Labels in Markdown: a line that is exactly `<a id="LABEL"></a>`, outside code fences.

Such a line is invisible on Colab and GitHub; _ext/book_fixes.py turns it into a MyST target.
"""
from __future__ import annotations

import re
from collections.abc import Iterator

ANCHOR = re.compile(r'<a id="([^"]+)"></a>\s*')
FENCE = re.compile(r"\s*(`{3,}|~{3,})")


def labeled_lines(markdown: str) -> Iterator[tuple[str, str | None]]:
    """The lines of a text, each with its label if it is an anchor."""
    fence = ""
    for line in markdown.split("\n"):
        mark = FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
            fence = ""
        anchor = None if fence else ANCHOR.fullmatch(line)
        yield line, anchor[1] if anchor else None
