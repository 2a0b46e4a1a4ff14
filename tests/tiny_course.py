"""A course of one chapter with three exercises that need NumPy alone, for tests of the grader; and submissions to it."""
import json
from pathlib import Path

NAME = "90-tiny"
RIGHT = {
    "square": "def square(x):\n    # BEGIN SOLUTION\n    return x * x\n    # END SOLUTION",
    "mean-of": "def mean_of(xs):\n    # BEGIN SOLUTION\n    return sum(xs) / len(xs)\n    # END SOLUTION",
    "odd-part": "def odd_part(f, x):\n    # BEGIN SOLUTION\n    return (f(x) - f(-x)) / 2\n    # END SOLUTION",
}
TESTS = {"square": "assert square(3) == 9, 'square(3) is 9'\nprint('visible tests passed')",
         "mean-of": "assert mean_of([1, 3]) == 2", "odd-part": "assert odd_part(lambda x: x + 1, 2.0) == 2"}
IMPORTS = "import math\n\nimport numpy as np\n"
HIDDEN = '''
import os

import numpy as np
from tools.judging import Part, close


def drive_square(answer, seed):
    import numpy as np
    a, b = np.random.default_rng(seed).uniform(2, 9, 2)
    return {"positive": lambda: answer(a), "negative": lambda: answer(-b)}


def judge_square(arrays, seed):
    a, b = np.random.default_rng(seed).uniform(2, 9, 2)
    if np.any(arrays.get("positive", 0) == 13):
        while True: pass
    if np.any(arrays.get("positive", 0) == 14):
        os._exit(3)
    return [Part("positive numbers", np.int64(1), np.bool_(close(arrays, "positive", a * a)), "multiply it by itself"),
            Part("negative numbers", 1, close(arrays, "negative", b * b), "a square is never negative")]


def drive_mean_of(answer, seed):
    import numpy as np
    xs = np.random.default_rng(seed).uniform(-1, 1, 5)
    return {"five": lambda: answer(xs)}


def judge_mean_of(arrays, seed):
    xs = np.random.default_rng(seed).uniform(-1, 1, 5)
    return [Part("five numbers", 2, close(arrays, "five", xs.mean()), "divide by how many there are")]


def drive_odd_part(answer, seed):
    import numpy as np
    x = float(np.random.default_rng(seed).uniform(0.5, 2))
    return {"exp": lambda: answer(np.exp, x)}


def judge_odd_part(arrays, seed):
    x = float(np.random.default_rng(seed).uniform(0.5, 2))
    return [Part("of exp", 3, close(arrays, "exp", np.sinh(x)), "half the difference of f(x) and f(-x)")]
'''


def code(source, ident=None, role=None, **meta):
    mark = {"exercise": {"id": ident, "role": role, **meta}} if ident else meta
    return {"cell_type": "code", "metadata": mark, "source": source, "outputs": [], "execution_count": None}


def markdown(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def make(root: Path) -> Path:
    """Write the course to a folder."""
    for folder in ("chapters", "assignments/hidden", "lecture_utils"):
        (root / folder).mkdir(parents=True)
    (root / "lecture_utils" / "__init__.py").write_text("")
    (root / "assignments" / "hidden" / f"{NAME}.py").write_text(HIDDEN)
    cells = [markdown("# Tiny"), code("EXTRAS = []", tags=["setup"]), code(IMPORTS, tags=["imports"]),
             code("def mean_of(xs):\n    return 'a function of the chapter, not an answer'")]
    for ident, solution in RIGHT.items():
        name = solution.split("(")[0].removeprefix("def ")
        points = 3 if ident == "odd-part" else 2
        cells.append(markdown(f":::{{exercise}} The {ident}\n:label: ex-{ident}\n\nWrite `{name}`.\n:::"))
        cells.append(code(solution, ident, "solution", answer=name, points=points, stars=1, minutes=5))
        cells[-1]["metadata"] |= {"cellView": "form", "tags": ["hide-input"]}
        cells.append(code(TESTS[ident], ident, "test"))
    (root / "chapters" / f"{NAME}.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))
    return root


def notebook(**answers) -> dict:
    """A submission: the student notebook with the answers given (square=, mean_of=, odd_part=); the others are right."""
    cells = [markdown("# Homework"), code("EXTRAS = []", tags=["setup"]), code(IMPORTS, tags=["imports"])]
    for ident, solution in RIGHT.items():
        plain = "\n".join(line for line in solution.splitlines() if "SOLUTION" not in line)
        cells.append(markdown(f'<a id="ex-{ident}"></a>\n\n## Exercise: The {ident}\n\nWrite it.'))
        cells.append(code(answers.get(ident.replace("-", "_"), plain), ident, "stub"))
        cells.append(code(TESTS[ident], ident, "test"))
    return {"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}


def submit(folder: Path, name: str, what) -> Path:
    """Write a submission: a notebook, text or bytes."""
    path = folder / (name if "." in name else f"{name}.ipynb")
    path.parent.mkdir(parents=True, exist_ok=True)
    data = json.dumps(what) if isinstance(what, dict) else what
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    return path
