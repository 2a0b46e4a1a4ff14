"""The autograder bundle of a homework: a zip that Gradescope takes as it is, in the format of otter-grader 7.0.0.

    setup.sh run_autograder run_otter.py       otter-grader's own (tools/autograder, with its license)
    environment.yml otter_config.json          Python and packages as in constraints.txt; hidden tests' results are shown
    tests/ID.py                                a test case for each part of each exercise's judge, with its points
    files/lecture_utils                        so that the set-up cell installs nothing
    files/course_grading.py .json tools assignments    what runs and judges the answers

It holds hidden tests and must stay with instructors. Written without otter: nothing of it is needed to make assignments.
"""
from __future__ import annotations

import ast
import json
import sys
import zipfile
from pathlib import Path

from tools import judging
from tools.exercises import Exercise

ROOT = Path(__file__).resolve().parents[1]
OTTER = "7.0.0"
PYTHON = "3.11"                              # what constraints.txt was made on
CPU_TORCH = "https://download.pytorch.org/whl/cpu"
DISTRIBUTIONS = {"mpl_toolkits": "matplotlib", "PIL": "pillow", "sklearn": "scikit-learn"}
CASE = '''\

@test_case(name={name!r}, points={points}, hidden={hidden})
def test_{number}():
    course_grading.check({id!r}, {part})
'''


def modules(source: str) -> set[str]:
    """The top-level packages that a source imports, inside functions too, without the standard library."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return {name for name in found if name not in sys.stdlib_module_names and name not in ("lecture_utils", "tools")}


def requirements(chosen: list[Exercise], extras: list[str], root: Path = ROOT) -> list[str]:
    """What the grading environment needs, in the versions of constraints.txt. Raises ValueError for an unknown package."""
    pins = {}
    for line in (root / "constraints.txt").read_text(encoding="utf-8").splitlines():
        name, sign, version = line.split("#")[0].strip().partition("==")
        if sign:
            pins[name.lower().replace("_", "-")] = f"{name}=={version.split(';')[0].strip()}"
    needed = {"jax", "jaxlib", "numpy", "scipy", "matplotlib"}
    for chapter in {e.chapter for e in chosen}:
        needed |= modules((root / "assignments" / "hidden" / f"{chapter}.py").read_text(encoding="utf-8"))
    for e in chosen:
        needed |= modules(e.imports)
    needed = {DISTRIBUTIONS.get(name, name).lower().replace("_", "-") for name in needed}
    needed |= {extra.split("==")[0].lower().replace("_", "-") for extra in extras}
    lacking = sorted(needed - set(pins))
    if lacking:
        raise ValueError(f"constraints.txt pins no {', '.join(lacking)}, which {', '.join(sorted({e.chapter for e in chosen}))} "
                         "needs: add it to requirements.txt and constraints.txt")
    return ([f"--extra-index-url {CPU_TORCH}"] if "torch" in needed else []) + sorted(pins[name] for name in needed)


def environment(packages: list[str]) -> str:
    """The environment.yml that `otter generate` would write for these packages."""
    lines = ["name: otter-env", "channels:", "  - conda-forge", "dependencies:", f"  - python={PYTHON}", "  - pip",
             "  - jupyter_server", "  - pip:", f"      - otter-grader[grading,plugins]=={OTTER}"]
    return "\n".join(lines + [f"      - {package}" for package in packages]) + "\n"


def test_file(e: Exercise, root: Path = ROOT) -> tuple[str, int]:
    """tests/ID.py for one exercise, and the number of its judged parts. Raises ValueError when their points do not add up."""
    parts = getattr(judging.hidden(e.chapter, root), "judge_" + e.id.replace("-", "_"))({}, 0)
    if sum(p.points for p in parts) != e.points:
        raise ValueError(f"{e.id}: the parts of its judge are worth {sum(p.points for p in parts)}, its chapter says {e.points}")
    text = ["from otter.test_files import test_case", "", "import course_grading", "", "OK_FORMAT = False",
            f"name = {e.id!r}", f"points = {e.points}", ""]
    cases = [CASE.format(name=f"{e.title}: visible tests", points=0, hidden=False, number=0, id=e.id, part=-1)]
    cases += [CASE.format(name=f"{e.title}: {p.name}", points=p.points, hidden=True, number=i, id=e.id, part=i - 1)
              for i, p in enumerate(parts, 1)]
    return "\n".join(text) + "\n".join(cases), len(parts)


def needed_tools(root: Path = ROOT) -> list[str]:
    """The modules of tools/ that the bundle runs, with those that they need."""
    found, todo = set(), ["judging", "exercise_worker"]
    while todo:
        name = todo.pop()
        path = root / "tools" / f"{name}.py"
        if name in found or not path.exists():
            continue
        found.add(name)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "tools":
                todo += node.module.split(".")[1:2] or [alias.name for alias in node.names]
    return sorted(found | {"__init__"})


def write(path: Path, chosen: list[Exercise], extras: list[str], seed: int = 0, root: Path = ROOT) -> None:
    """Write the bundle of a homework. The same homework gives the same bytes."""
    jobs: dict[str, dict] = {}
    members: dict[str, str] = {name: (root / "tools" / "autograder" / name).read_text(encoding="utf-8")
                               for name in ("setup.sh", "run_autograder", "run_otter.py")}
    members["LICENSE-otter-grader"] = (root / "tools" / "autograder" / "LICENSE").read_text(encoding="utf-8")
    members["environment.yml"] = environment(requirements(chosen, extras, root))
    members["otter_config.json"] = json.dumps({"show_hidden": True}, indent=2)
    for e in chosen:
        members[f"tests/{e.id}.py"], parts = test_file(e, root)
        job = jobs.setdefault(e.chapter, {"imports": e.imports, "exercises": []})
        below = [x.answer for i in judging.needed(e, {x.id: x for x in chosen}) for x in chosen if x.id == i]
        job["exercises"].append({**judging.task(e, [], seed, root), "id": e.id, "needs": below, "parts": parts})
    members["files/course_grading.py"] = (root / "tools" / "autograder" / "course_grading.py").read_text(encoding="utf-8")
    members["files/course_grading.json"] = json.dumps(jobs, indent=1)
    for chapter in jobs:
        members[f"files/assignments/hidden/{chapter}.py"] = (root / "assignments" / "hidden" / f"{chapter}.py").read_text(encoding="utf-8")
    for name in needed_tools(root):
        members[f"files/tools/{name}.py"] = (root / "tools" / f"{name}.py").read_text(encoding="utf-8")
    for source in sorted((root / "lecture_utils").rglob("*")):
        if source.suffix in (".py", ".json"):
            members[f"files/{source.relative_to(root).as_posix()}"] = source.read_text(encoding="utf-8")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in members.items():
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (0o755 if "." not in name or name.endswith(".sh") else 0o644) << 16
            z.writestr(info, text)
