"""What a cell ran on, and what was measured there: this run's rows beside the recorded GPU run.

Idea: a timing means nothing without its machine, so each row carries one, and only a GPU run is ever written to a file.
Source: T. Hoefler, R. Belli, Scientific Benchmarking of Parallel Computing Systems, SC 2015: give the whole set-up.
"""
import datetime
import importlib.metadata
import importlib.resources
import json
import math
import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

import jax

_MEASURED_ON = "Measured on"
_NOTHING_RECORDED = "No GPU run has been recorded yet; `make gpu` on a machine with a GPU records one."
_shown: set[str] = set()  # names asked for since the import: the recorded results that a chapter shows


def device_info():
    """Describe where JAX runs by default.

    Returns a dict: `platform` ("cpu", "gpu" or "tpu"), `name` (the maker's name of the device; "CPU" for any processor),
    `memory_gib` (what JAX may use of the device's own memory, None where it does not say) and `versions` (a dict: python,
    jax, jaxlib, numpy, and torch where it is installed; torch is not imported to find out).

    Starts JAX's backend, so set `JAX_PLATFORMS` and the like before the first call.

    >>> sorted(device_info())
    ['memory_gib', 'name', 'platform', 'versions']
    """
    device = jax.devices()[0]
    kind = {"cuda": "gpu", "rocm": "gpu"}.get(device.platform, device.platform)
    memory = (device.memory_stats() or {}).get("bytes_limit")
    versions = {"python": platform.python_version()}
    for package in ("jax", "jaxlib", "numpy", "torch"):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            pass
    return {"platform": kind, "name": "CPU" if kind == "cpu" else device.device_kind,
            "memory_gib": round(memory / 2**30, 1) if memory else None, "versions": versions}


def has_gpu():
    """Return True if JAX runs on a GPU by default.

    >>> has_gpu() == (device_info()["platform"] == "gpu")
    True
    """
    return device_info()["platform"] == "gpu"


def scaled(cpu, gpu):
    """Return `gpu` where JAX runs on a GPU and `cpu` elsewhere: a problem size that suits the machine.

    >>> scaled(1_000, 1_000_000) in (1_000, 1_000_000)
    True
    """
    return gpu if has_gpu() else cpu


def record(name, rows):
    """Show what this run measured beside the recorded GPU run; on request, record this one.

    name: what is measured, in lower-case letters, digits and hyphens. rows: a non-empty list of dicts with the same keys,
    whose values are str, int, float or bool. NaN and infinity are refused: they are no measurement (write what happened as
    a word, such as "out of memory").

    Returns an object that displays as one table, each row labeled with its device, and one line of provenance.
    Writes `<name>.json` if the environment variable LECTURE_RESULTS names a folder and JAX runs on a GPU; never otherwise.

    Raises ValueError or TypeError for a bad name or bad rows, and ValueError if LECTURE_RESULTS names no folder.

    >>> print(record("doctest-only", [{"N": 1000, "ms": 1.5}]))  # doctest: +ELLIPSIS, +NORMALIZE_WHITESPACE
    Measured on N ms
    ...
    """
    _shown.add(_check_name(name))
    rows = _check_rows(rows)
    here = device_info()
    labeled = [(f"this run: {here['name']}", row) for row in rows]
    folder = os.environ.get("LECTURE_RESULTS")
    if folder and here["platform"] == "gpu":
        entry = {"name": name, "device": {key: here[key] for key in ("platform", "name", "memory_gib")},
                 "versions": here["versions"], "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
                 "command": os.environ.get("LECTURE_COMMAND", "a run with LECTURE_RESULTS set"), "rows": rows}
        _write(Path(folder), entry)
        return Measurements(labeled, _provenance(entry))
    entry = recorded(name)
    if entry is None:
        return Measurements(labeled, _NOTHING_RECORDED)
    note = _provenance(entry)
    if list(entry["rows"][0]) != list(rows[0]):
        note += " It was recorded from an earlier version of this cell."
    return Measurements(labeled + [(f"recorded: {entry['device']['name']}", row) for row in entry["rows"]], note)


def recorded(name):
    """Return the recorded GPU run called `name`, or None if there is none.

    The dict holds name, device (platform, name, memory_gib), versions, date (UTC), command and rows.

    Raises ValueError for a bad name, and for a record that does not come from a GPU.

    >>> recorded("never-measured") is None
    True
    """
    _shown.add(_check_name(name))
    file = importlib.resources.files("lecture_utils") / "results" / f"{name}.json"
    if not file.is_file():
        return None
    entry = json.loads(file.read_text(encoding="utf-8"))
    found = entry.get("device", {}).get("platform")
    if found != "gpu":
        raise ValueError(f"lecture_utils/results/{name}.json was measured on platform {found!r}, expected 'gpu': "
                         "delete it and run `make gpu` on a machine with a GPU")
    return entry


@dataclass(frozen=True)
class Measurements:
    """Rows with the device of each (`rows`: pairs of label and dict) and the line below them (`note`)."""
    rows: list
    note: str

    def _cells(self):
        """Return the table as lists of str: its header and then its rows. A key that a row lacks shows as a dash."""
        keys = list(dict.fromkeys(key for _, row in self.rows for key in row))
        lines = [[label] + [_text(row[key]) if key in row else "–" for key in keys] for label, row in self.rows]
        return [[_MEASURED_ON] + keys] + lines

    def _repr_markdown_(self):
        header, *lines = [[cell.replace("|", r"\|") for cell in line] for line in self._cells()]
        numeric = [all(isinstance(row.get(key), (int, float)) for _, row in self.rows) for key in self.rows[0][1]]
        rule = ["---"] + ["--:" if right else "---" for right in numeric] + ["---"] * (len(header) - 1 - len(numeric))
        return "\n".join(f"| {' | '.join(line)} |" for line in [header, rule] + lines) + f"\n\n{self.note}"

    def __repr__(self):
        cells = self._cells()
        widths = [max(map(len, column)) for column in zip(*cells)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells]
        return "\n".join(lines + [self.note])


def _text(value):
    """Write a value for a table: floats to 3 significant digits, thousands with commas, booleans as words.

    >>> [_text(v) for v in (1.5, 0.012345, 12345.6, 1.2e-7, 0.0, 4096, True, "T4")]
    ['1.50', '0.0123', '12,300', '1.20e-07', '0', '4,096', 'yes', 'T4']
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, str):
        return " ".join(value.split())
    if value == 0:
        return "0"
    value = float(f"{value:.3g}")
    if not 1e-3 <= abs(value) < 1e6:
        return f"{value:.2e}"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def _provenance(entry):
    versions = " and ".join(f"{p} {entry['versions'][p]}" for p in ("jax", "torch") if p in entry["versions"])
    return f"Recorded on {entry['date']} on {entry['device']['name']} with {versions}, by `{entry['command']}`."


def _check_name(name):
    if not isinstance(name, str) or not re.fullmatch(r"[0-9a-z]+(-[0-9a-z]+)*", name):
        raise ValueError(f"name is {name!r}, expected lower-case letters, digits and single hyphens, such as 'gradient-cost'")
    return name


def _check_rows(rows):
    if not isinstance(rows, (list, tuple)) or not rows or not all(isinstance(row, dict) and row for row in rows):
        raise TypeError(f"rows is {rows!r}, expected a non-empty list of non-empty dicts")
    for i, row in enumerate(rows):
        if set(row) != set(rows[0]):
            raise ValueError(f"rows[{i}] has the keys {list(row)}, expected those of rows[0]: {list(rows[0])}")
        for key, value in row.items():
            if not isinstance(key, str) or key == _MEASURED_ON:
                raise ValueError(f"rows[{i}] has the key {key!r}, expected a str other than {_MEASURED_ON!r}")
            if not isinstance(value, (str, int, float)):
                raise TypeError(f"rows[{i}][{key!r}] is a {type(value).__name__}, expected str, int, float or bool: convert it")
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"rows[{i}][{key!r}] is {value}, expected a finite number, or a word for what happened")
    return [{key: row[key] for key in rows[0]} for row in rows]


def _write(folder, entry):
    """Write the entry's file in one step: a reader sees the old file or the new one, never half of it."""
    if not folder.is_dir():
        raise ValueError(f"LECTURE_RESULTS is {str(folder)!r}, expected a folder that exists")
    new = folder / f".{entry['name']}.json.new"
    new.write_text(json.dumps(entry, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(new, folder / f"{entry['name']}.json")
