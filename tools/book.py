"""Build the site: `make book`, `make serve`, `make preview`.

The full edition is built where it stands. The course edition, which holds no solutions, is built
from a copy of the sources in which solution cells have become stubs, so that none is in its pages,
in its search index or in the notebooks that its download buttons hand out.
"""
from __future__ import annotations

import argparse
import functools
import http.server
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.exercises import course_edition, public_page

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ["_config.yml", "_toc.yml", "intro.md", "references.bib", "_assets", "_ext", "appendix", "tools"]


def stage_course(root: Path = ROOT) -> Path:
    """Copy the sources to _build/course without solutions; the folder."""
    stage = root / "_build" / "course"
    shutil.rmtree(stage, ignore_errors=True)
    (stage / "chapters").mkdir(parents=True)
    for name in SOURCES:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, stage / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, stage / name)
    config = stage / "_config.yml"              # Colab and the edit button would open the chapters with their solutions
    text = config.read_text(encoding="utf-8")
    text = re.sub(r"(?m)^launch_buttons:\n(  .*\n)+", "", text).replace("use_edit_page_button: true", "use_edit_page_button: false")
    config.write_text(text, encoding="utf-8")
    for path in sorted((root / "chapters").glob("*.ipynb")):
        notebook = course_edition(json.loads(path.read_text(encoding="utf-8")))
        (stage / "chapters" / path.name).write_text(json.dumps(notebook, indent=1, ensure_ascii=False), encoding="utf-8")
    for path in [stage / "intro.md", *(stage / "appendix").glob("*.md")]:
        path.write_text(public_page(path.read_text(encoding="utf-8")), encoding="utf-8")
    return stage


def build(edition: str = "full", root: Path = ROOT) -> Path:
    """Build an edition with warnings as errors; the folder of its pages. Raises SystemExit when it fails."""
    source = {"full": lambda: root, "course": lambda: stage_course(root)}[edition]()
    shutil.rmtree(source / "_build" / "html", ignore_errors=True)      # no page of a chapter that is gone
    return _jupyter_book(source, source / "_build" / "html", root, "--all")


def preview(root: Path = ROOT) -> Path:
    """Build the full edition beside the real one, reading only the files that changed since the last preview; the folder of its pages.

    For a look while writing: a page that a deleted chapter left stays. Raises SystemExit when the build fails.
    """
    folder = root / "_build" / "preview"
    return _jupyter_book(root, folder / "_build" / "html", root, "--path-output", str(folder))


def _jupyter_book(source: Path, html: Path, root: Path, *options: str) -> Path:
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", str(source),
               *options, "-q", "-W", "-n", "--keep-going"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout[-4000:], done.stderr[-8000:], sep="\n", file=sys.stderr)
        raise SystemExit("the build failed; the warnings above name the file and the line")
    if not (html / "index.html").exists():
        raise SystemExit(f"the build ended without {html / 'index.html'}:\n{done.stdout[-4000:]}")
    return html


def serve(html: Path, port: int = 8000) -> None:
    """Serve a built site on this machine alone, until interrupted; the next free port from 8000."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(html))
    for attempt in range(port, port + 20):
        try:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", attempt), handler)
            break
        except OSError:
            continue
    else:
        raise SystemExit(f"make serve: no free port between {port} and {port + 19}")
    print(f"serving http://127.0.0.1:{attempt}/ — stop with Ctrl-C", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(prog="make book", description=__doc__.splitlines()[0])
    parser.add_argument("--edition", choices=["full", "course"], default="full")
    parser.add_argument("--preview", action="store_true", help="only what changed since the last preview, beside the real site")
    parser.add_argument("--serve", action="store_true")
    args = parser.parse_args(argv)
    html = preview() if args.preview else build(args.edition)
    print(f"built {html / 'index.html'}")
    if args.serve:
        serve(html)
    return 0


if __name__ == "__main__":
    sys.exit(main())
