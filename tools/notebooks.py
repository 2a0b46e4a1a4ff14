"""Text twins to executed notebooks: `make notebooks`.

Each chapter is a pair, `chapters/NN-name.md` (MyST text, what people edit) and `NN-name.ipynb`
(what is built, tested and opened on Colab); so is each problem set, in `assignments/sets`.
A notebook's metadata records what its outputs came from: a hash of its text, of the lecture_utils
modules that it imported, of the recorded results that it showed, of the pinned versions, and of the
outputs themselves. Only chapters for which one of these changed are run, side by side, each into a
new file that replaces the old one in one step.
"""
from __future__ import annotations

import argparse
import asyncio
import base64
import copy
import hashlib
import importlib.metadata
import io
import json
import os
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image
from tqdm import tqdm

from tools import pages, setup_cell

ROOT = Path(__file__).resolve().parents[1]
FORMAT = "md:myst"
KEY = "run"          # in the notebook's metadata
PACKAGES = ("jax", "jaxlib", "torch", "numpy", "scipy", "sympy", "matplotlib")
WIDTH = 80           # characters of a code line that fit the page at 1280 pixels
PROBE = """
import json as _json, sys as _sys
_modules = sorted(m for m in _sys.modules if m == "lecture_utils" or m.startswith("lecture_utils."))
_device = _sys.modules.get("lecture_utils.device")
print(_json.dumps([_modules, sorted(_device._shown) if _device else []]))
"""


# --- what a notebook came from ----------------------------------------------------------------

def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _neutral(text: str, root: Path) -> str:
    """The text with the repository's addresses blanked, so that `make repo` makes nothing stale."""
    for url in sorted({setup_cell.package(root), setup_cell.repository(root)}, key=len, reverse=True):
        text = text.replace(url, "@URL@")
    return text


def text_hash(nb, root: Path) -> str:
    """Hash of what is written in a notebook: kinds, sources and metadata of its cells; not outputs.

    Of the set-up cell only its list EXTRAS counts: the rest is the same everywhere, and checked as such.
    """
    cells = [[c.cell_type, setup_cell.extras(c.source)] if "setup" in c.metadata.get("tags", []) and "EXTRAS = [" in c.source
             else [c.cell_type, c.source, c.metadata] for c in nb.cells]
    return _sha(_neutral(json.dumps(cells, sort_keys=True), root).encode())


def _module_path(module: str, root: Path) -> Path:
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def module_hash(module: str, root: Path) -> str | None:
    """Hash of a lecture_utils module's file; None when there is none."""
    path = _module_path(module, root)
    return _sha(path.read_bytes()) if path.exists() else None


def result_hash(name: str, root: Path) -> str | None:
    """Hash of a recorded result; None when nothing is recorded under that name."""
    path = root / "lecture_utils" / "results" / f"{name}.json"
    return _sha(path.read_bytes()) if path.exists() else None


def packages_hash(root: Path) -> str:
    """Hash of the pinned versions of the packages that outputs come from."""
    pins = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return _sha("\n".join(p for p in pins if p.split("==")[0] in PACKAGES).encode())


def outputs_hash(nb) -> str:
    """Hash of the stored outputs, pictures included."""
    outputs = [[dict(o) for o in c.outputs] for c in nb.cells if c.cell_type == "code"]
    return _sha(json.dumps(outputs, sort_keys=True).encode())


def inputs(root: Path) -> dict[str, dict[str, str | None]]:
    """Hashes of all that a notebook can come from beside its text, as the files are now."""
    folder = root / "lecture_utils"
    modules = [".".join(p.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for p in folder.rglob("*.py")]
    return {"modules": {m: module_hash(m, root) for m in modules},
            "results": {p.stem: result_hash(p.stem, root) for p in (folder / "results").glob("*.json")}}


def changed(nb, root: Path) -> list[str]:
    """What changed since the notebook was run, in words; empty when its outputs are fresh."""
    run = nb.metadata.get(KEY)
    if not run or set(run) != {"text", "modules", "results", "packages", "outputs"}:
        return ["it was never run"]
    out = [] if run["text"] == text_hash(nb, root) else ["its text"]
    out += [] if run["packages"] == packages_hash(root) else ["the versions in constraints.txt"]
    out += [_module_path(m, root).relative_to(root).as_posix() for m, h in run["modules"].items() if module_hash(m, root) != h]
    out += [f"lecture_utils/results/{r}.json" for r, h in run["results"].items() if result_hash(r, root) != h]
    return out


# --- reading and writing pairs ----------------------------------------------------------------

def read_text(md: Path):
    """The notebook (without outputs) that a text twin describes, with ids that depend on its text alone."""
    text = as_text(jupytext.read(md, fmt=FORMAT))            # in its canonical spelling
    return _with_ids(jupytext.reads(text, fmt=FORMAT))


def _with_ids(nb):
    seen: dict[str, int] = {}
    for cell in nb.cells:
        ident = _sha(f"{cell.cell_type}\n{cell.source}".encode())[:8]
        seen[ident] = seen.get(ident, 0) + 1
        cell["id"] = ident if seen[ident] == 1 else f"{ident}-{seen[ident]}"
    nb.nbformat, nb.nbformat_minor = 4, 5
    return nb


def as_text(nb) -> str:
    """The text twin of a notebook."""
    nb = nbformat.reads(nbformat.writes(nb), as_version=4)      # as the file has it: keys in order
    nb.metadata.pop(KEY, None)
    return jupytext.writes(nb, fmt=FORMAT)


def read_notebook(path: Path):
    return nbformat.read(path, as_version=4)


def replace_file(path: Path, text: str) -> bool:
    """Write a file in one step (a killed process leaves the old one whole); False when nothing changes."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)
    return True


def chapters(root: Path) -> list[Path]:
    """The stems of all chapters, with or without an .ipynb yet."""
    return sorted({p.with_suffix("") for p in (root / "chapters").glob("[0-9]*.md")}
                  | {p.with_suffix("") for p in (root / "chapters").glob("[0-9]*.ipynb")})


def sets(root: Path) -> list[Path]:
    """The stems of all problem sets, with or without an .ipynb yet."""
    folder = root / "assignments" / "sets"
    return sorted({p.with_suffix("") for ending in ("md", "ipynb") for p in folder.glob(f"[a-z]*.{ending}")})


def _paths(stem: Path) -> tuple[Path, Path]:
    return stem.with_suffix(".md"), stem.with_suffix(".ipynb")


class Conflict(Exception):
    """Both files of a pair were edited since the last run."""


def to_run(stem: Path, root: Path):
    """(notebook to run or None, why). Writes an edit made in the .ipynb back to its text twin first.

    Raises Conflict when the .md and the .ipynb were both edited since the last run.
    """
    md, ipynb = _paths(stem)
    if not ipynb.exists():
        return read_text(md), ["it was never run"]
    stored = read_notebook(ipynb)
    if not md.exists():
        replace_file(md, as_text(stored))
    text = read_text(md)
    last = stored.metadata.get(KEY, {}).get("text")
    in_md, in_nb = text_hash(text, root), text_hash(_with_ids(copy.deepcopy(stored)), root)
    if in_md != in_nb and in_nb != last:                      # the .ipynb was edited
        if in_md != last:
            raise Conflict(f"{md.name} and {ipynb.name} were both edited since the last run; "
                           f"keep one: delete the edits of the other (git checkout -- FILE), then run make notebooks")
        replace_file(md, as_text(stored))
        text = read_text(md)
    text.metadata[KEY] = stored.metadata.get(KEY)
    why = changed(text, root)
    if not why and stored.metadata[KEY]["outputs"] != outputs_hash(stored):
        why = ["its stored outputs, which are not those of its run"]
    if not why:
        replace_file(md, as_text(stored))                     # same cells, other spelling of the text
    return (text, why) if why else (None, [])


def problems(stem: Path, root: Path) -> list[str]:
    """What is wrong with a pair, each with what to do about it; empty when it is in order."""
    md, ipynb = _paths(stem)
    lacking = [p.name for p in (md, ipynb) if not p.exists()]
    if lacking:
        return [f"{lacking[0]} is missing: run make notebooks"]
    nb, out = read_notebook(ipynb), []
    if as_text(nb) != md.read_text(encoding="utf-8"):
        out.append(f"{md.name} and {ipynb.name} differ: run make notebooks and commit both")
    out += [f"{ipynb.name} was run before a change of {what}: run make notebooks" for what in changed(nb, root)]
    if nb.metadata.get(KEY, {}).get("outputs") not in (None, outputs_hash(nb)):
        out.append(f"{ipynb.name} holds outputs that its run did not give: run make notebooks")
    if [c.id for c in nb.cells] != [c.id for c in _with_ids(copy.deepcopy(nb)).cells]:
        out.append(f"{ipynb.name} has cell ids that its text does not give: run make notebooks")
    for i, cell in enumerate(nb.cells):
        where = f"{ipynb.name}, cell {i}"
        tags, outputs = cell.metadata.get("tags", []), cell.get("outputs", [])
        if cell.cell_type != "code":
            continue
        wide = [line for line in cell.source.splitlines() if len(line) > WIDTH and "setup" not in tags]
        if wide:
            out.append(f"{where} has a line of {len(wide[0])} characters, at most {WIDTH} fit the page: {wide[0].strip()}")
        if cell.source.strip() and cell.execution_count is None:
            out.append(f"{where} was not executed: run make notebooks")
        if any(o.output_type == "error" for o in outputs):
            out.append(f"{where} stores a traceback: show errors with try/except and one printed line")
        if any(o.get("name") == "stderr" for o in outputs):
            out.append(f"{where} writes to stderr: cure the warning, or print what the reader should know")
        pictures = any(k.startswith("image/") for o in outputs for k in o.get("data", {}))
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if pictures and len(alt.split()) < 4:
            out.append(f"{where} shows an image without written alt text: add to the cell's metadata in {md.name} "
                       "mystnb: {image: {alt: what the figure shows}}")
        if "device" in tags and "nbval-ignore-output" not in tags:
            out.append(f"{where} is tagged device: tag it nbval-ignore-output too")
    return out + setup_problems(nb, ipynb.name, root)


def setup_problems(nb, name: str, root: Path) -> list[str]:
    """What is wrong with a chapter's set-up and import cells."""
    out = []
    for tag in ("setup", "imports"):
        found = [c for c in nb.cells if tag in c.metadata.get("tags", [])]
        if len(found) != 1:
            out.append(f"{name}: expected one cell tagged '{tag}', found {len(found)}")
        elif tag == "setup":
            try:
                right = setup_cell.render(setup_cell.package(root), setup_cell.extras(found[0].source))
            except ValueError as e:
                right = str(e)
            if found[0].source != right:
                out.append(f"{name}: its set-up cell is not the one of tools/setup_cell.py (only the line "
                           "EXTRAS = [...] may differ): run make repo to write it anew, then make notebooks")
    return out


def lacking_extras(nb) -> str:
    """Which packages of a chapter's EXTRAS are not installed here, and what to do; empty when all are.

    Its set-up cell would install them into this environment, at versions meant for Colab.
    """
    try:
        extras = [e for c in nb.cells if "setup" in c.metadata.get("tags", []) for e in setup_cell.extras(c.source)]
        setup_cell.render("", extras)
    except ValueError as e:
        return str(e)
    absent = [e for e in extras if not _installed(e.split("==")[0])]
    if not absent:
        return ""
    return f"its EXTRAS name {', '.join(absent)}, absent here: add them to requirements.txt and constraints.txt, then make test"


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


# --- running ----------------------------------------------------------------------------------

def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _says(md: Path, text: str, root: Path) -> bool:
    """Whether a text twin still says what was run: `text` is the hash of that."""
    try:
        return text_hash(read_text(md), root) == text
    except Exception:                                          # half an edit is an edit
        return False


def lighten(nb) -> None:
    """Store the figures with a palette of 256 colors: a third of the bytes, and no difference that the eye sees in a plot."""
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                small = io.BytesIO()
                picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")
                picture.quantize(256, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
                data["image/png"] = base64.b64encode(small.getvalue()).decode()


async def run_cells(nb, stem: Path, root: Path, on_cell_executed=None) -> None:
    """Run a notebook's cells on the CPU in a new kernel; outputs go into `nb`. Raises CellExecutionError when a cell fails."""
    client = NotebookClient(nb, timeout=300, kernel_name="python3", record_timing=False, coalesce_streams=True,
                            resources={"metadata": {"path": str(stem.parent)}}, extra_arguments=["--log-level=ERROR"],
                            on_cell_executed=on_cell_executed)
    env = {k: v for k, v in os.environ.items() if k != "LECTURE_RESULTS"}
    await client.async_execute(env={**env, "JAX_PLATFORMS": "cpu",
                                    "PYTHONPATH": os.pathsep.join(filter(None, [str(root), env.get("PYTHONPATH")]))})


async def execute(nb, stem: Path, planned: bytes | None, root: Path, bar: tqdm) -> None:
    """Run one notebook and replace its .ipynb (and the text twin, in its canonical spelling).

    What it came from is hashed as it was when the run began, so that a change meanwhile shows as one.
    An edit of the text made since the run was planned stays. `planned` is what the .ipynb held then:
    raises Conflict, and writes nothing, when it holds something else now.
    """
    md, ipynb = _paths(stem)
    packages, before = packages_hash(root), inputs(root)
    nb = copy.deepcopy(nb)
    nb.metadata.pop(KEY, None)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nb.cells.append(nbformat.v4.new_code_cell(PROBE, id="probe"))
    await run_cells(nb, stem, root, lambda **_: bar.update(1))
    modules, results = json.loads(nb.cells.pop().outputs[0].text)
    nb.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}   # no versions: they vary
    for cell in nb.cells:
        cell.metadata.pop("execution", None)
    lighten(nb)
    nb.metadata[KEY] = {"text": text_hash(nb, root), "modules": {m: before["modules"].get(m) for m in modules},
                        "results": {r: before["results"].get(r) for r in results},
                        "packages": packages, "outputs": outputs_hash(nb)}
    if _bytes(ipynb) != planned:
        raise Conflict(f"{ipynb.name} was changed while it ran; its new outputs were not written: run make notebooks again")
    replace_file(ipynb, nbformat.writes(nb) + "\n")
    if _says(md, nb.metadata[KEY]["text"], root):               # else the edit made meanwhile stays, for the next run
        replace_file(md, as_text(nb))


async def execute_all(todo: list, root: Path, jobs: int) -> list[str]:
    """Run notebooks, `jobs` at a time; the failures, in words. The order of completion does not matter."""
    failures, gate = [], asyncio.Semaphore(jobs)
    total = sum(sum(c.cell_type == "code" for c in nb.cells) + 1 for nb, _, _ in todo)
    with tqdm(total=total, unit="cell", desc="running") as bar:
        async def one(nb, stem, planned):
            async with gate:
                bar.set_postfix_str(stem.name)
                try:
                    await execute(nb, stem, planned, root, bar)
                except CellExecutionError as e:
                    failures.append(f"{stem.relative_to(root)}: {e.ename}: {e.evalue}\n\n{e.traceback[-3000:]}")
                except Exception as e:                       # a kernel that dies, a time-out
                    failures.append(f"{stem.relative_to(root)}: {type(e).__name__}: {e}")
        await asyncio.gather(*(one(*t) for t in todo))
    return failures


def main(argv=None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="make notebooks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="chapters and problem sets, e.g. 02-numerical; all when none is given")
    parser.add_argument("--force", action="store_true", help="run them even when nothing changed")
    parser.add_argument("--no-pages", action="store_true", help="leave the pages that are written from the chapters as they are")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args(argv)
    stems = chapters(root) + sets(root)
    unknown = set(args.names) - {s.name for s in stems}
    if unknown:
        parser.error(f"no chapter {', '.join(sorted(unknown))}; there are: {', '.join(s.name for s in stems)}")
    todo, failures = [], []
    for stem in stems:
        if args.names and stem.name not in args.names:
            continue
        planned = _bytes(stem.with_suffix(".ipynb"))
        try:
            nb, why = to_run(stem, root)
        except Conflict as e:
            failures.append(str(e))
            continue
        except Exception as e:                               # text that is no notebook, such as bad YAML in a cell
            failures.append(f"{stem.relative_to(root)}.md: {type(e).__name__}: {e}")
            continue
        if nb is None and args.force:
            nb, why = read_text(stem.with_suffix(".md")), ["asked for"]
        if nb is not None:
            lacking = lacking_extras(nb)
            if lacking:
                failures.append(f"{stem.relative_to(root)}: {lacking}")
                continue
            print(f"{stem.name}: {', '.join(why)}", flush=True)
            todo.append((nb, stem, planned))
    if todo:
        failures += asyncio.run(execute_all(todo, root, args.jobs))
    written = {}
    try:
        written = {} if args.no_pages else pages.outdated(root)
        for path, text in written.items():
            replace_file(path, text)
            print(f"wrote {path.relative_to(root)}")
    except ValueError as e:                                  # an item taught twice, a mark that is missing
        failures.append(str(e))
    if not (todo or failures or written):
        print("notebooks: everything is up to date")
    for _, stem, _ in todo:
        for problem in problems(stem, root) if stem.with_suffix(".ipynb").exists() and not failures else []:
            print(f"still to mend: {problem}", file=sys.stderr)
    for failure in failures:
        print(f"\nFAILED {failure}\nThe files that are there were left as they were.", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
