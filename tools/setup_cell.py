"""The one set-up cell of every chapter, and the repository's address, from their one source.

The address stands in `_config.yml` (`repository: url`); set-up cells install lecture_utils from
`sphinx: config: package_url`, which differs only for a private fork. Chapters differ in the line
`EXTRAS = [...]` alone.
"""
from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

TEMPLATE = '''\
# @title Set-up: run this cell first { display-mode: "form" }
# Installs what is missing and nothing else. --no-deps: the runtime's own
# jax, torch and numpy stay as they are.
EXTRAS = []
import importlib.metadata, importlib.util, subprocess, sys

PACKAGE = "lecture-utils @ git+@PACKAGE_URL@@main"
name = lambda text: text.split("==")[0].lower().replace("_", "-")
have = {name(d.name or "") for d in importlib.metadata.distributions()}
missing = [requirement for requirement in EXTRAS if name(requirement) not in have]
if importlib.util.find_spec("lecture_utils") is None:
    missing.append(PACKAGE)
for requirement in missing:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    done = subprocess.run(pip + [requirement], capture_output=True, text=True)
    result = "could not be installed" if done.returncode else "installed"
    print(requirement.split()[0], result, done.stderr if done.returncode else "")
importlib.invalidate_caches()'''

METADATA = {"cellView": "form", "tags": ["setup", "hide-input", "nbval-ignore-output"],
            "mystnb": {"code_prompt_show": "Show the set-up cell", "code_prompt_hide": "Hide the set-up cell"}}


def repository(root: Path = ROOT) -> str:
    """The repository's address, from `_config.yml`."""
    return _setting(root, "url")


def package(root: Path = ROOT) -> str:
    """Where set-up cells install lecture_utils from: `package_url` in `_config.yml`."""
    return _setting(root, "package_url")


def _setting(root: Path, key: str) -> str:
    found = re.findall(rf"^\s+{key}:\s*(\S+)", (Path(root) / "_config.yml").read_text(encoding="utf-8"), flags=re.M)
    if len(found) != 1:
        raise ValueError(f"_config.yml: expected one line '{key}: …', found {len(found)}")
    return found[0]


def render(package_url: str, extras: Sequence[str] = ()) -> str:
    """The set-up cell for a chapter that needs `extras`, exact versions such as "asdex==0.5.1"."""
    for extra in extras:
        if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", extra):
            raise ValueError(f"EXTRAS: {extra!r}, expected an exact version such as 'asdex==0.5.1'")
    listed = "[" + ", ".join(f'"{e}"' for e in extras) + "]"
    return TEMPLATE.replace("EXTRAS = []", f"EXTRAS = {listed}").replace("@PACKAGE_URL@", package_url)


def extras(source: str) -> list[str]:
    """The list `EXTRAS` of a set-up cell. Raises ValueError when there is none."""
    found = re.findall(r"^EXTRAS = (\[.*\])$", source, flags=re.M)
    if len(found) != 1:
        raise ValueError("set-up cell: expected one line 'EXTRAS = [...]'")
    try:
        listed = ast.literal_eval(found[0])
    except (SyntaxError, ValueError):
        raise ValueError(f'set-up cell: EXTRAS = {found[0]}, expected a list of strings such as ["asdex==0.5.1"]') from None
    return listed
