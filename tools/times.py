"""How long each chapter runs: `python -m tools.times`, on a machine that does nothing else.

Runs every chapter once, one after the other, as `make notebooks` does, keeps none of the outputs, and writes the wall times to
appendix/execution-times.json with machine, date, versions and the load that the machine had before. The colophon shows them.
"""
from __future__ import annotations

import argparse
import asyncio
import datetime
import importlib.metadata
import json
import os
import platform
import re
import sys
import time
from pathlib import Path

from tools import notebooks
from tools.colophon import TIMES

ROOT = Path(__file__).resolve().parents[1]


def machine() -> dict[str, str | int]:
    """Processor, cores that this process may use, system."""
    info = Path("/proc/cpuinfo")
    name = re.search(r"(?m)^model name\s*: (.+)$", info.read_text()) if info.exists() else None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {"processor": name[1] if name else platform.processor() or platform.machine(), "cores": cores, "system": platform.system()}


def measure(stem: Path, root: Path = ROOT) -> int:
    """Seconds, rounded up, that one chapter takes from the start of its kernel to the end. Raises CellExecutionError when a cell fails."""
    nb = notebooks.read_text(stem.with_suffix(".md"))
    begun = time.perf_counter()
    asyncio.run(notebooks.run_cells(nb, stem, root))
    return int(time.perf_counter() - begun) + 1


def main(argv=None, root: Path = ROOT) -> int:
    argparse.ArgumentParser(prog="python -m tools.times", description=__doc__.splitlines()[0]).parse_args(argv)
    load = round(os.getloadavg()[0], 2)
    if load > 0.5:
        print(f"times: the load of this machine is {load}: other work will be in the times, and the colophon will say so", file=sys.stderr)
    chapters = {}
    for stem in notebooks.chapters(root):
        seconds = measure(stem, root)
        chapters[stem.name] = {"seconds": seconds, "text": notebooks.text_hash(notebooks.read_text(stem.with_suffix(".md")), root)}
        print(f"{stem.name}: {seconds} s", flush=True)
    packages = {name: importlib.metadata.version(name) for name in ("jax", "torch", "numpy")}
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    entry = {"date": today, "command": "python -m tools.times", "machine": machine(), "load": load,
             "versions": {"Python": platform.python_version(), **packages}, "chapters": chapters}
    notebooks.replace_file(root / TIMES, json.dumps(entry, indent=1, ensure_ascii=False) + "\n")
    print(f"wrote {TIMES}; next: make notebooks, which renews the colophon")
    return 0


if __name__ == "__main__":
    sys.exit(main())
