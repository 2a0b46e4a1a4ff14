"""Run each chapter as Colab would, without Colab: `make colab-test`.

A chapter's notebook is copied, unedited and alone, into an empty folder and run with the versions of tests/colab-pins.txt.
Its set-up cell installs lecture_utils from the repository's address, which git serves here from a snapshot of the working
tree, uncommitted work included. Afterwards the environment must have gained exactly what the set-up cell names.

`.venv-colab` is never changed by a chapter: each runs in a thin environment on top of it, which is thrown away.
"""
from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools import setup_cell
from tools.files import tracked
from tools.gpu import code_cells, find_chapters

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "tests" / "colab-pins.txt"
BASE = ROOT / ".venv-colab"
CHAPTER_SECONDS = 900       # a chapter that takes longer hangs
RUN = r"""
import json, re, sys
import nbformat
from nbclient import NotebookClient

notebook, error, at = nbformat.read(sys.argv[1], as_version=4), None, []
client = NotebookClient(notebook, timeout=300, kernel_name="python3", on_cell_start=lambda cell, cell_index: at.append(cell_index))
try:
    client.execute()
except Exception as e:
    said = re.sub(r"\x1b\[[0-9;]*m", "", str(e)).strip().splitlines()
    error = f"cell {at[-1] + 1 if at else '?'}: {said[-1] if said else type(e).__name__}"
setup = [c for c in notebook.cells if "setup" in c.metadata.get("tags", [])]
print(json.dumps({"error": error, "setup": "".join(o.get("text", "") for c in setup for o in c.outputs)}))
"""


def main(names: list[str]) -> int:
    chapters = find_chapters(names)
    python = base_environment()
    before = freeze(python)
    with tempfile.TemporaryDirectory() as folder:
        commit, env = serve(Path(folder), setup_cell.package(ROOT))
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            failures = list(pool.map(lambda chapter: run_chapter(chapter, python, before, commit, env), chapters))
    if freeze(python) != before:
        shutil.rmtree(BASE)
        failures.append([f"{BASE.name} itself was changed by a chapter, so it was removed: no cell may install outside its Python"])
    problems = [problem for found in failures for problem in found]
    for problem in problems:
        print(f"FAILED {problem}", file=sys.stderr)
    return 1 if problems else 0


def base_environment() -> Path:
    """The Python of .venv-colab, which is made when it is missing or was made from other pins."""
    python, stamp = BASE / "bin" / "python", BASE / ".pins"
    wanted = hashlib.sha256(PINS.read_bytes()).hexdigest() + " " + sys.version.split()[0]
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    print(f"making {BASE.name} with the versions of {PINS.relative_to(ROOT)} (some minutes, once)", flush=True)
    start = time.perf_counter()
    shutil.rmtree(BASE, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(BASE)], check=True)
    pip = subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", PINS],
                         capture_output=True, text=True)
    if pip.returncode:
        sys.exit(f"{BASE.name} could not be made: is the network there, and every version of {PINS.relative_to(ROOT)}?\n{pip.stderr}")
    stamp.write_text(wanted)
    print(f"made {BASE.name} in {time.perf_counter() - start:.0f} s", flush=True)
    return python


def serve(folder: Path, url: str) -> tuple[str, dict[str, str]]:
    """Commit the working tree (what git tracks, or could track) to the branch main of a new bare repository in `folder`.

    Returns the commit and the environment in which git finds that repository at `url`, and reaches no other.
    """
    bare = folder / "repository.git"
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    who = {f"GIT_{role}_{what}": "colab-test" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def git(*arguments, given=None):
        done = subprocess.run(["git", *arguments], input=given, cwd=ROOT, env={**env, **who}, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"make colab-test needs git and a clone of the repository; git {arguments[0]} said:\n{done.stderr}")
        return done.stdout

    git("init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    there = [str(path.relative_to(ROOT)) for path in tracked(ROOT)]
    here = (f"--git-dir={bare}", f"--work-tree={ROOT}")
    git(*here, "update-index", "--add", "-z", "--stdin", given="\0".join(there))
    commit = git(*here, "commit-tree", "-m", "the working tree", git(*here, "write-tree").strip()).strip()
    git(*here, "update-ref", "refs/heads/main", commit)
    config = {f"url.file://{bare}.insteadOf": url, "protocol.allow": "never", "protocol.file.allow": "always"}
    env["GIT_CONFIG_COUNT"] = str(len(config))
    for i, (key, value) in enumerate(config.items()):
        env[f"GIT_CONFIG_KEY_{i}"], env[f"GIT_CONFIG_VALUE_{i}"] = key, value
    return commit, env


def run_chapter(notebook: Path, base: Path, before: dict, commit: str, env: dict) -> list[str]:
    """Run one chapter in an environment of its own; what went wrong, in words."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        python, own, alone = overlay(Path(folder), base)
        shutil.copy(notebook, alone)
        env = {**env, **own}
        try:
            done = subprocess.run([python, "-c", RUN, notebook.name], cwd=alone, env=env, capture_output=True, text=True,
                                  timeout=CHAPTER_SECONDS)
            run = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {"error": done.stderr, "setup": ""}
        except subprocess.TimeoutExpired:
            run = {"error": f"it ran longer than {CHAPTER_SECONDS} s", "setup": ""}
        problems = [run["error"]] if run["error"] else []
        setup = next((source for _, source, tags in code_cells(notebook) if "setup" in tags), "EXTRAS = []")
        problems += difference(before, freeze(python), setup_cell.extras(setup), commit)
    if "could not be installed" in run["setup"]:
        problems.append(f"its set-up cell printed: {run['setup'].strip()}")
    print(f"{notebook.stem}: {'FAILED' if problems else 'runs alone'}, {time.perf_counter() - start:.0f} s", flush=True)
    return [f"{notebook.stem}, {problem}" for problem in problems]


def overlay(folder: Path, base: Path) -> tuple[Path, dict[str, str], Path]:
    """A new environment in `folder` that sees all of `base` and can change none of it, and an empty folder beside it.

    Returns its Python, what to add to the environment variables, and the empty folder.
    """
    python = folder / "venv" / "bin" / "python"
    subprocess.run([base, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    packages = "import sysconfig; print(sysconfig.get_path('purelib'))"
    above, below = (subprocess.run([p, "-c", packages], check=True, capture_output=True, text=True).stdout.strip()
                    for p in (python, base))
    Path(above, "base.pth").write_text(below + "\n")
    # The kernel must be this Python: a kernelspec of the same name elsewhere on the machine would be another.
    kernel = folder / "jupyter" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
    alone = folder / "content"
    alone.mkdir()
    return python, {"JUPYTER_PATH": str(folder / "jupyter"), "IPYTHONDIR": str(folder / "ipython"), "JAX_PLATFORMS": "cpu",
                    "PYTHONPATH": "", "PYTHONNOUSERSITE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}, alone


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"==| @ ", requirement)[0]).lower()


def freeze(python: Path) -> dict[str, str]:
    """What pip sees: the line of `pip freeze` for each normalized name."""
    env = {**os.environ, "PYTHONPATH": "", "PYTHONNOUSERSITE": "1"}
    pip = subprocess.run([python, "-m", "pip", "freeze", "--all"], env=env, cwd=python.parent, check=True,
                         capture_output=True, text=True)
    return {_name(line): line for line in pip.stdout.splitlines()}


def difference(before: dict, after: dict, extras: list[str], commit: str) -> list[str]:
    """What a chapter changed other than to gain lecture_utils from the snapshot and its extras, each with what to do."""
    extras = {_name(extra): extra for extra in extras}
    out = [f"lost {before[n]}: no cell may uninstall" for n in before if n not in after]
    out += [f"changed {before[n]} to {after[n]}: Colab's own builds must stay; take it out of EXTRAS or choose {before[n]}"
            for n in before if after.get(n, before[n]) != before[n]]
    out += [f"gained {after[n]}, which its set-up cell does not name: add it to EXTRAS, or do not install it"
            for n in after if n not in before and n not in extras and n != "lecture-utils"]
    out += [f"has {after.get(n, 'nothing')} where EXTRAS names {extra}: give a version that installs with the pins"
            for n, extra in extras.items() if _name(after.get(n, "")) != n or after[n].split("==")[-1] != extra.split("==")[-1]]
    if not after.get("lecture-utils", "").endswith(commit):
        out.append(f"has {after.get('lecture-utils', 'no lecture-utils')}, expected lecture-utils from the address in _config.yml: "
                   "run make repo to write the set-up cells anew")
    return out


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
