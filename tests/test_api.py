"""The reference names everything public, as it is: signatures, examples, source lines and the chapters that use it."""
import importlib
import inspect
import json
import pkgutil
import re
import shutil

import pytest

import lecture_utils
from tools import api
from tools.pages import ROOT

TEXT = api.api_page(ROOT)
MODULES = {name: importlib.import_module(f"lecture_utils.{name}")
           for _, name, _ in pkgutil.iter_modules(lecture_utils.__path__) if not name.startswith("_")}
ENTRIES = [entry for module in api.modules(ROOT) for entry in module.entries]


def public(module) -> set[str]:
    """What a module defines, by its objects: functions, classes and the like that are made in it or below it."""
    if hasattr(module, "__all__"):
        return set(module.__all__)
    made_here = lambda value: getattr(value, "__module__", "").startswith(module.__name__)
    return {name for name, value in vars(module).items() if not name.startswith("_") and made_here(value)
            and (inspect.isclass(value) or inspect.isfunction(value))}


def section(name: str) -> str:
    """What the page says of a module."""
    return re.split(r"(?m)^## ", TEXT.split(f"\n## `{name}`\n")[1])[0]


def test_the_page_is_current():
    assert (ROOT / api.PAGE).read_text(encoding="utf-8") == TEXT, f"{api.PAGE} is out of date: run make notebooks"


def test_every_module_and_every_public_name_has_a_heading():
    assert re.findall(r"(?m)^## `(\w+)`$", TEXT) == api.ORDER and set(api.ORDER) == set(MODULES)
    for name, module in MODULES.items():
        lacking = public(module) - set(re.findall(r"(?m)^### `(\w+)`$", section(name)))
        assert not lacking, f"{api.PAGE} lacks {', '.join(sorted(lacking))} of lecture_utils.{name}"
    for name in ("COLORS", "GROUPS", "Node"):
        assert f"\n### `{name}`\n" in section("plot")
    assert "\n### `np`\n" in section("tape") and "`logaddexp`" in section("tape") and "\n### `PUBLISHED`\n" in section("data")


def test_names_of_other_packages_and_private_ones_are_left_out():
    names = re.findall(r"(?m)^### `(\w+)`$", TEXT)
    assert not {"partial", "NamedTuple", "jax", "CSS", "linear_solve"} & set(names) and not [n for n in names if n.startswith("_")]


@pytest.mark.parametrize("entry", [e for e in ENTRIES if isinstance(e.node, api.FUNCTION)], ids=lambda e: f"{e.module}.{e.name}")
def test_a_signature_is_that_of_the_function(entry):
    shown = re.sub(r"\s+", " ", api.signature(entry)).replace("( ", "(").replace(" )", ")")
    assert shown.startswith(f"{entry.name}(")
    namespace = {}
    exec(f"def {shown}: pass", namespace)
    there = inspect.signature(getattr(MODULES[entry.module], entry.name))
    plain = there.replace(parameters=[p.replace(annotation=p.empty) for p in there.parameters.values()], return_annotation=there.empty)
    assert inspect.signature(namespace[entry.name]) == plain
    assert max(map(len, api.signature(entry).splitlines())) <= 80


def test_every_example_and_every_word_of_the_docstrings_is_there():
    assert TEXT.count(">>> ") == sum(inspect.getdoc(getattr(MODULES[e.module], e.name)).count(">>> ") for e in ENTRIES
                                     if not isinstance(e.node, api.ast.Assign))
    plain = lambda text: re.sub(r"[^\w]", "", re.sub(r"\]\([^)]*\)|&lt;|# doctest: .*|^Example:$", "", text, flags=re.M))
    page = plain(TEXT.replace("\n: ", "\n"))
    for e in ENTRIES:
        if not isinstance(e.node, api.ast.Assign):
            for line in inspect.getdoc(getattr(MODULES[e.module], e.name)).replace("<", "").splitlines():
                assert plain(line) in page, f"{e.module}.{e.name}: the page lacks {line!r}"


def test_labels_are_unique_and_links_within_the_page_lead_somewhere():
    labels = re.findall(r'(?m)^<a id="([\w-]+)"></a>$', TEXT)
    assert len(labels) == len(set(labels)) == len(ENTRIES) + len(MODULES) and labels == [label.lower() for label in labels]
    assert set(re.findall(r"\]\(#([\w-]+)\)", TEXT)) <= set(labels)


def test_arguments_and_what_is_labeled_stand_apart():
    taylor = section("checks").split("### `taylor_test`")[1].split("### ")[0]
    for line in ("\n`x`, `v`\n: \\[N\\], of the same floating type.", "\n**Returns** [TaylorResult]", "\n**Cost:** H + 1 evaluations",
                 "\n**Raises** `ValueError` or `TypeError` if f", "```pycon\n>>> x, v = "):
        assert line.replace("[TaylorResult]", "TaylorResult") in taylor, line
    assert '| `"central"` | 2 | h² |' in section("finite_diff") and "**Source:** B. Fornberg" in section("finite_diff")


def test_a_source_link_leads_to_the_line_that_defines_the_name():
    found = re.findall(r"### `(\w+)`\n(?s:.*?)/blob/main/([\w/.]+)#L(\d+)\)\n", TEXT)
    assert len(found) == len(ENTRIES)
    for name, path, line in found:
        text = (ROOT / path).read_text(encoding="utf-8").splitlines()[int(line) - 1]
        assert re.match(rf"(def|class) {name}\b|{name} = ", text), f"{path}, line {line} does not define {name}: {text}"


def test_the_chapters_named_are_those_whose_code_uses_the_name(tmp_path):
    (tmp_path / "chapters").mkdir()
    cells = [("from lecture_utils import checks, plot as p\nfrom lecture_utils.sparse import seed_matrix", {}), ("%pip install x", {}),
             ("p.step_plot(1)\nother.record(2)", {}), ("checks.taylor_test", {"exercise": {"role": "solution"}})]
    cells = [{"cell_type": "code", "source": [source], "metadata": meta} for source, meta in cells]
    (tmp_path / "chapters" / "02-x.ipynb").write_text(json.dumps({"cells": cells}))
    assert set(api.uses(tmp_path)) == {("plot", "step_plot"), ("sparse", "seed_matrix")}
    assert api.uses(tmp_path, solutions=True)[("checks", "taylor_test")] == ["02-x"]
    used = api.uses(ROOT)
    assert "02-numerical" in used[("finite_diff", "jvp_fd")] and "12-sparse" in used[("sparse", "sparse_jacobian")]
    assert "[02](../chapters/02-numerical.ipynb)" in section("finite_diff").split("### `stencil`")[1].split("###")[0]


@pytest.fixture
def package(tmp_path):
    for name in ("lecture_utils", "chapters"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.md"))
    shutil.copy(ROOT / "_config.yml", tmp_path)
    return tmp_path


def test_a_new_name_changes_the_page_and_one_without_docstring_or_place_is_refused(package):
    module = package / "lecture_utils" / "linop.py"
    assert api.api_page(package) == TEXT
    module.write_text(module.read_text() + '\n\ndef later(x):\n    """Return x. x: anything."""\n    return x\n')
    assert "### `later`\n\n```python\nlater(x)\n```\n\nReturn x.\n\n`x`\n: anything." in api.api_page(package)
    module.write_text(module.read_text() + "\n\ndef bare(x):\n    return x\n")
    with pytest.raises(ValueError, match=r"linop\.py, line \d+: bare is public and has no docstring"):
        api.api_page(package)
    shutil.move(module, module.with_name("operators.py"))
    with pytest.raises(ValueError, match=r"ORDER names \['linop'\].*lacks \['operators'\]"):
        api.api_page(package)
