"""What all tests share: the accelerator stays out of it, and copies of the project to try things on."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
os.environ.pop("LECTURE_RESULTS", None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What must run in one process, in order: a notebook's cells, a page's browser checks, a chapter's exercises, a file's other tests."""
    for item in items:
        given = item.callspec.params if hasattr(item, "callspec") else {}
        page, notebook = given.get("visit"), given.get("notebook")
        group = f"page {page}" if page else f"exercises {notebook.stem}" if notebook else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))


def counted(terminalreporter) -> str:
    """What tests/test_exercises.py counted in the chapters that ran; empty when none did."""
    found = [dict(r.user_properties)["exercises"] for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, [])
             if r.when == "call" and "exercises" in dict(r.user_properties)]
    if not found:
        return ""
    n = {key: sum(one.get(key, 0) for one in found) for key in set().union(*found)}
    said = [f"{n['exercises']} in {n['chapters']} notebooks", f"solutions with all points {n['full']} of {n['solutions']}"]
    if "untouched" in n:
        said.append(f"untouched 0 points {n['none']} of {n['untouched']}")
    if "wrong" in n:
        said.append(f"wrong answers rejected {n['rejected']} of {n['wrong']}")
    return "exercises: " + "; ".join(said)


def pytest_terminal_summary(terminalreporter):
    if line := counted(terminalreporter):
        terminalreporter.section("exercises")
        terminalreporter.write_line(line)
    failed = sorted({r.nodeid.split("::")[0] for r in terminalreporter.stats.get("failed", []) if ".ipynb::" in r.nodeid})
    if failed:
        terminalreporter.section("what to do")
        terminalreporter.write_line(
            f"A new run of {', '.join(failed)} does not give the stored outputs (shown above).\n"
            "If the code or a package changed on purpose: make notebooks N=<chapter>, look at the diff, commit it.\n"
            "If the number differs between machines: round it to what holds everywhere, or tag the cell nbval-ignore-output.")


@pytest.fixture(scope="module")
def x64():
    """JAX in 64 bits for a whole file: `pytestmark = pytest.mark.usefixtures("x64")`."""
    import jax
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.fixture
def project(tmp_path) -> Path:
    """A copy of the project as git would commit it, in a repository of its own."""
    return copy_project(tmp_path / "project")


def copy_project(target: Path) -> Path:
    from tools.files import tracked
    for path in tracked(ROOT):
        copy = target / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "copy"]):
        subprocess.run(git + command, cwd=target, check=True)
    return target
