"""Run each chapter and problem set as Colab would, without Colab: `make colab-test`.

A chapter's notebook is copied, unedited and alone, into an empty folder and run with the versions of tests/colab-pins.txt; before it,
in the same environment and with the same set-up cell, the untouched student notebook of its exercises. EDITION=public runs the
chapters of the tree that `make public` writes instead, with nothing but that tree to install from.
Its set-up cell installs lecture_utils from the repository's address, which git serves here from a snapshot of the working
tree, uncommitted work included. Afterwards the environment must have gained exactly what the set-up cell names.

In Google's public image of Colab (`make colab-image`) the chapters run on the Python and the packages that are there instead.

`.venv-colab` is never changed by a chapter: each runs in a thin environment on top of it, which is thrown away.
"""
from __future__ import annotations

import argparse
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

from tools import assignments, exercises, public, setup_cell
from tools.files import tracked
from tools.gpu import code_cells, find_chapters

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "tests" / "colab-pins.txt"
BASE = ROOT / ".venv-colab"
CHAPTER_SECONDS = 900       # a chapter that takes longer hangs
PUBLIC = "https://github.com/public-copy/of-the-course"     # stands in for the public repository's address
RUN = r"""
import json, re, sys
import nbformat
from nbclient import NotebookClient

def roles(notebook, ident):
    return [c.metadata["exercise"]["role"] for c in notebook.cells if c.metadata.get("exercise", {}).get("id") == ident]


errors, said_by_setup = [], ""
for name in sys.argv[1:]:
    notebook, at = nbformat.read(name, as_version=4), []
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", on_cell_start=lambda cell, cell_index: at.append(cell_index))
    try:
        client.execute()
    except Exception as e:
        said = re.sub(r"\x1b\[[0-9;]*m", "", str(e)).strip().splitlines()
        errors.append(f"{name}, cell {at[-1] + 1 if at else '?'}: {said[-1] if said else type(e).__name__}")
    for cell in notebook.cells:
        said = "".join(o.get("text", "") for o in cell.get("outputs", []))
        exercise = cell.metadata.get("exercise", {})
        if "setup" in cell.metadata.get("tags", []):
            said_by_setup += said
        elif exercise.get("role") == "test" and not errors and "solution" not in roles(notebook, exercise["id"]):
            if said != "not answered yet\n":
                errors.append(f"{name}: the untouched exercise {exercise['id']} says {said!r}")
print(json.dumps({"error": "; ".join(errors), "setup": said_by_setup}))
"""


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make colab-test", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="N: chapters and problem sets; all when none is given")
    parser.add_argument("--edition", choices=["full", "public"], default="full")
    parser.add_argument("--runtime", type=Path, help="a Python with Colab's packages, to run on instead of .venv-colab")
    args = parser.parse_args(argv)
    known, root = exercises.files(ROOT), ROOT
    chapters = find_chapters([str(known.get(name, name)) for name in args.names])
    if not args.names and args.edition == "full":
        chapters += [path for path in known.values() if path not in chapters]          # the problem sets
    python = args.runtime or base_environment()
    before = freeze(python)
    with tempfile.TemporaryDirectory() as folder:
        if args.edition == "public":
            root = public.write(Path(folder) / "tree", PUBLIC, ROOT)
            subprocess.run(["git", "init", "-q", str(root)], check=True)
            jobs = [[root / "chapters" / chapter.name] for chapter in chapters]
        else:
            jobs = [untouched(chapter, Path(folder)) + [chapter] for chapter in chapters]
        commit, env = serve(Path(folder), setup_cell.package(root), root)
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            failures = list(pool.map(lambda job: run_chapter(job, python, before, commit, env), jobs))
    if freeze(python) != before and args.runtime:
        failures.append([f"the packages of {args.runtime} were changed by a chapter: no cell may install outside its Python"])
    elif freeze(python) != before:
        shutil.rmtree(BASE)
        failures.append([f"{BASE.name} itself was changed by a chapter, so it was removed: no cell may install outside its Python"])
    problems = [problem for found in failures for problem in found]
    for problem in problems:
        print(f"FAILED {problem}", file=sys.stderr)
    return 1 if problems else 0


def untouched(chapter: Path, folder: Path) -> list[Path]:
    """The student notebook of a chapter's exercises, in a file in `folder`; none when the chapter has no exercise."""
    chosen = exercises.read(chapter)
    if not chosen:
        return []
    path = folder / f"{chapter.stem}-exercises.ipynb"
    path.write_text(json.dumps(assignments.notebook(chapter.stem, chosen, "student", ROOT)), encoding="utf-8")
    return [path]


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


def serve(folder: Path, url: str, root: Path = ROOT) -> tuple[str, dict[str, str]]:
    """Commit the working tree at `root` (what git tracks, or could track) to the branch main of a new bare repository in `folder`.

    Returns the commit and the environment in which git finds that repository at `url`, and reaches no other.
    """
    bare = folder / "repository.git"
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    who = {f"GIT_{role}_{what}": "colab-test" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def git(*arguments, given=None):
        done = subprocess.run(["git", *arguments], input=given, cwd=root, env={**env, **who}, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"make colab-test needs git and a clone of the repository; git {arguments[0]} said:\n{done.stderr}")
        return done.stdout

    git("init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    there = [str(path.relative_to(root)) for path in tracked(root)]
    here = (f"--git-dir={bare}", f"--work-tree={root}")
    git(*here, "update-index", "--add", "-z", "--stdin", given="\0".join(there))
    commit = git(*here, "commit-tree", "-m", "the working tree", git(*here, "write-tree").strip()).strip()
    git(*here, "update-ref", "refs/heads/main", commit)
    config = {f"url.file://{bare}.insteadOf": url, "protocol.allow": "never", "protocol.file.allow": "always"}
    env["GIT_CONFIG_COUNT"] = str(len(config))
    for i, (key, value) in enumerate(config.items()):
        env[f"GIT_CONFIG_KEY_{i}"], env[f"GIT_CONFIG_VALUE_{i}"] = key, value
    return commit, env


def run_chapter(notebooks: list[Path], base: Path, before: dict, commit: str, env: dict) -> list[str]:
    """Run a chapter, the last of the notebooks, and those before it in an environment of its own; what went wrong, in words."""
    start, notebook = time.perf_counter(), notebooks[-1]
    with tempfile.TemporaryDirectory() as folder:
        python, own, alone = overlay(Path(folder), base)
        for path in notebooks:
            shutil.copy(path, alone)
        env = {**env, **own}
        try:
            done = subprocess.run([python, "-c", RUN, *[path.name for path in notebooks]], cwd=alone, env=env,
                                  capture_output=True, text=True,
                                  timeout=CHAPTER_SECONDS)
            run = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {"error": done.stderr, "setup": ""}
        except subprocess.TimeoutExpired:
            run = {"error": f"it ran longer than {CHAPTER_SECONDS} s", "setup": ""}
        problems = [run["error"]] if run["error"] else []
        setup = next((source for _, source, tags in code_cells(notebook) if "setup" in tags), "EXTRAS = []")
        problems += difference(before, freeze(python), setup_cell.extras(setup), commit)
    if "could not be installed" in run["setup"]:
        problems.append(f"its set-up cell printed: {run['setup'].strip()}")
    with_exercises = " with its untouched exercises" if len(notebooks) > 1 else ""
    print(f"{notebook.stem}: {'FAILED' if problems else 'runs alone' + with_exercises}, {time.perf_counter() - start:.0f} s", flush=True)
    return [f"{notebook.stem}, {problem}" for problem in problems]


def overlay(folder: Path, base: Path) -> tuple[Path, dict[str, str], Path]:
    """A new environment in `folder` that sees all of `base` and can change none of it, and an empty folder beside it.

    Returns its Python, what to add to the environment variables, and the empty folder.
    """
    python = folder / "venv" / "bin" / "python"
    inside = subprocess.run([base, "-c", "import sys; sys.exit(sys.prefix == sys.base_prefix)"]).returncode == 0
    subprocess.run([base, "-m", "venv", "--without-pip", *([] if inside else ["--system-site-packages"]), str(folder / "venv")], check=True)
    packages = "import sysconfig; print(sysconfig.get_path('purelib'))"
    above, below = (subprocess.run([p, "-c", packages], check=True, capture_output=True, text=True).stdout.strip()
                    for p in (python, base))
    if inside:                                   # an environment's own packages are no system's: only a path leads to them
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
    named = {_name(extra): extra for extra in extras}
    out = [f"lost {before[n]}: no cell may uninstall" for n in before if n not in after]
    out += [f"changed {before[n]} to {after[n]}: Colab's own builds must stay; take it out of EXTRAS or choose {before[n]}"
            for n in before if after.get(n, before[n]) != before[n]]
    out += [f"gained {after[n]}, which its set-up cell does not name: add it to EXTRAS, or do not install it"
            for n in after if n not in before and n not in named and n != "lecture-utils"]
    out += [f"has {after.get(n, 'nothing')} where EXTRAS names {extra}: give a version that installs with the pins"
            for n, extra in named.items() if _name(after.get(n, "")) != n or after[n].split("==")[-1] != extra.split("==")[-1]]
    if not after.get("lecture-utils", "").endswith(commit):
        out.append(f"has {after.get('lecture-utils', 'no lecture-utils')}, expected lecture-utils from the address in _config.yml: "
                   "run make repo to write the set-up cells anew")
    return out


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
