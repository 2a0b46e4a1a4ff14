"""The library speaks in one voice: modules open alike, and each docstring has its sections in one order."""
import ast
import re
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).resolve().parents[1] / "lecture_utils").rglob("*.py"))
SECTIONS = ("Cost: ", "Raises ", "Source: ", ">>> ")
FUNCTIONS = {f"{path.stem}.{node.name}": ast.get_docstring(node) for path in FILES if not path.stem.startswith("_") or path.parent.name == "sparse"
             for node in ast.parse(path.read_text(encoding="utf-8")).body
             if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and ">>> " in (ast.get_docstring(node) or "")}


@pytest.mark.parametrize("path", FILES[1:], ids=lambda path: path.stem)
def test_a_module_says_what_it_is_for_its_idea_and_its_source(path):
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert re.fullmatch(r"(?s)[A-Z][^\n]*[.:]\n\nIdea: .+\nSource: .+", text), text


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_docstring_has_cost_then_errors_then_source_then_example_each_on_a_line_of_its_own(name):
    text = FUNCTIONS[name]
    found = [re.match("|".join(SECTIONS), line)[0] for line in text.splitlines() if line.startswith(SECTIONS)]
    assert list(dict.fromkeys(found)) == [section for section in SECTIONS if section in found], found
    inside = re.findall(r"[.)] (?:Cost: |Raises [A-Z]|Source: )", text)
    assert not inside, f"begin a line with {inside}"


def test_every_public_function_has_an_example():
    assert len(FUNCTIONS) > 45
