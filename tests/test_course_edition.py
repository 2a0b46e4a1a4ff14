"""The course edition holds no line of a solution, hidden test or wrong answer: not in its pages, sources, search index or downloads."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import exercises, leaks

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_no_file_of_the_course_edition_holds_a_line_of_a_solution(project):
    done = subprocess.run([sys.executable, "-m", "tools.book", "--edition", "course"], cwd=project, capture_output=True,
                          text=True, env={**os.environ, "PYTHONPATH": str(project)})
    assert done.returncode == 0, done.stderr
    html = project / "_build" / "course" / "_build" / "html"
    solution, = (e.solution for e in exercises.read(ROOT / "chapters" / "00-getting-started.ipynb")
                 if e.id == "modified-duration")
    secret = "value, slope = jax.value_and_grad(price)(y)"      # stands in the solution and nowhere else
    assert secret in solution
    assert leaks.search(project / "_build" / "course", leaks.secrets(ROOT)) == []
    texts = {p: re.sub(r"<[^>]+>", "", p.read_text(encoding="utf-8", errors="ignore")) for p in html.rglob("*")
             if p.suffix in (".html", ".ipynb", ".js", ".md", ".txt") and "mathjax" not in p.as_posix()}
    page = next(text for p, text in texts.items() if p.name == "00-getting-started.html")
    assert "def modified_duration(price, y):" in page and "NotImplementedError" in page and "Show solution" not in page
    for path, text in texts.items():
        assert secret not in text and exercises.BEGIN not in text, f"{path.relative_to(html)} holds a solution"
    assert exercises.SAYS in page, "visible tests show what an untouched chapter prints"
    notebook = json.loads((html / "_sources" / "chapters" / "00-getting-started.ipynb").read_text(encoding="utf-8"))
    said = ["".join(o["text"]) for c in notebook["cells"] if c["metadata"].get("exercise", {}).get("role") == "test" for o in c["outputs"]]
    assert set(said) == {exercises.SAYS + "\n"} and len(said) >= 2, "the notebook that the download button hands out"
    page = (html / "chapters" / "00-getting-started.html").read_text(encoding="utf-8")
    for address in ("colab.research.google.com", "/edit/main/"):
        assert address not in page, f"a button of the course edition leads to the chapter with its solutions: {address}"
    index = json.loads((html / "searchindex.js").read_text().removeprefix("Search.setIndex(").rstrip().removesuffix(")"))
    hits = index["terms"].get("value_and_grad", [])
    assert index["docnames"].index("chapters/00-getting-started") not in (hits if isinstance(hits, list) else [hits])
