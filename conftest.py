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
    """What must run in one process, in order: a notebook's cells, a page's browser checks, a file's other tests."""
    for item in items:
        page = getattr(item, "callspec", None) and item.callspec.params.get("visit")
        item.add_marker(pytest.mark.xdist_group(f"page {page}" if page else str(item.path.name)))


def pytest_terminal_summary(terminalreporter):
    failed = sorted({r.nodeid.split("::")[0] for r in terminalreporter.stats.get("failed", []) if ".ipynb::" in r.nodeid})
    if failed:
        terminalreporter.section("what to do")
        terminalreporter.write_line(
            f"A new run of {', '.join(failed)} does not give the stored outputs (shown above).\n"
            "If the code or a package changed on purpose: make notebooks N=<chapter>, look at the diff, commit it.\n"
            "If the number differs between machines: round it to what holds everywhere, or tag the cell nbval-ignore-output.")


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
