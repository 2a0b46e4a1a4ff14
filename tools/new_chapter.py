"""Begin a chapter of the plan: `make chapter N=02-numerical` writes its text and adds it to `_toc.yml`."""
from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml

from tools import pages, setup_cell
from tools.notebooks import ROOT, replace_file

TEXT = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# {title}

{promise}

:::{{admonition}} Short answer
:class: tip
To be written: the answer in three sentences, before the reasons.
:::

| Before you start | What it takes |
|:--|:--|
| You need | {after} |
| Time | to be measured with a reader |
| GPU | not needed |

```{{code-cell}} ipython3
---
{metadata}
---
{setup}
```

```{{code-cell}} ipython3
:tags: [imports]

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
```

## The idea

```{{code-cell}} ipython3
print(f"{{jax.grad(jnp.sin)(0.0):.6f}}")
```

## Summary

- To be written.
"""


def begin(name: str, root: Path = ROOT) -> Path:
    """Write chapters/NAME.md and list it in _toc.yml; the file.

    Raises ValueError when the plan has no such chapter, FileExistsError when it was begun already.
    """
    parts = pages.read_plan(root)
    plan = {c["name"]: (part["part"], c) for part in parts for c in part["chapters"]}
    if name not in plan:
        raise ValueError(f"N: got {name!r}, expected a chapter of tools/plan.yml (add it there first): {', '.join(plan)}")
    md = root / "chapters" / f"{name}.md"
    if md.exists():
        raise FileExistsError(f"chapters/{name}.md exists already: edit it, then run make notebooks")
    part, chapter = plan[name]
    titles = [plan[a][1]["title"] for a in chapter.get("after", []) if a in plan]
    metadata = "\n".join(f"{k}: {json.dumps(v)}" for k, v in setup_cell.METADATA.items())
    _add_to_toc(f"chapters/{name}", part, [p["part"] for p in parts], list(plan), root)
    replace_file(md, TEXT.format(title=chapter["title"], promise=chapter["promise"],
                                 after="; ".join(titles) or "calculus; Python and NumPy at reading level",
                                 metadata=metadata, setup=setup_cell.render(setup_cell.package(root))))
    return md


def _add_to_toc(file: str, part: str, parts: list[str], order: list[str], root: Path) -> None:
    path = root / "_toc.yml"
    text = path.read_text(encoding="utf-8")
    comment = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    toc = yaml.safe_load(text)
    for p in toc["parts"]:
        for c in p["chapters"]:
            if set(c) != {"file"}:
                raise ValueError(f"_toc.yml: {c} has more than a file, which would be lost: add '- file: {file}' by hand")
    section = next((p for p in toc["parts"] if p["caption"] == part), None)
    if section is None:                                    # keep the parts in the plan's order
        before = sum(p["caption"] in parts[:parts.index(part)] for p in toc["parts"])
        section = {"caption": part, "chapters": []}
        toc["parts"].insert(before, section)
    section["chapters"].append({"file": file})
    place = {name: i for i, name in enumerate(order)}
    section["chapters"].sort(key=lambda c: place.get(Path(c["file"]).name, len(place)))
    lines = [comment + f"format: {toc['format']}", f"root: {toc['root']}", "parts:"]
    for p in toc["parts"]:
        lines += [f"  - caption: {p['caption']}", "    chapters:"] + [f"      - file: {c['file']}" for c in p["chapters"]]
    replace_file(path, "\n".join(lines) + "\n")


def main(argv=None) -> int:
    names = sys.argv[1:] if argv is None else argv
    if len(names) != 1:
        print("make chapter: name one, e.g. make chapter N=02-numerical", file=sys.stderr)
        return 1
    try:
        md = begin(names[0])
    except (ValueError, FileExistsError) as e:
        print(f"make chapter: {e}", file=sys.stderr)
        return 1
    print(f"wrote {md.relative_to(ROOT)} and added it to _toc.yml; edit it, then: make notebooks && make book && make test")
    return 0


if __name__ == "__main__":
    sys.exit(main())
