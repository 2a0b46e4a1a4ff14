"""Notation, glossary and cheat sheet say what the chapters say, and the sheet prints on two pages."""
import re
import unicodedata
import warnings
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import test_site as site
import torch
from torch.utils.checkpoint import checkpoint

from lecture_utils import finite_diff
from tools.anchors import labeled_lines

server, browser = site.server, site.browser           # fixtures

ROOT = Path(__file__).resolve().parents[1]
NOTATION = (ROOT / "appendix" / "92-notation.md").read_text(encoding="utf-8")
SHEET = (ROOT / "appendix" / "93-cheat-sheet.md").read_text(encoding="utf-8")
LINK = re.compile(r"\[([^\]]+)\]\(#([^)]+)\)")
CODE = re.compile(r"`([^`]+)`")


@cache
def chapters() -> dict[str, str]:
    """The text twins, by the number of the chapter."""
    return {path.name[:2]: path.read_text(encoding="utf-8") for path in sorted((ROOT / "chapters").glob("*.md"))}


@cache
def chapter_of() -> dict[str, str]:
    """Label -> number of the chapter that has it."""
    return {label: number for number, text in chapters().items() for _, label in labeled_lines(text) if label}


@cache
def code_cells() -> str:
    """All code of the chapters."""
    return "\n".join(cell for text in chapters().values() for cell in re.findall(r"```\{code-cell\}.*?\n```", text, flags=re.S))


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its first two lines."""
    block = page.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    lines = [line for line in block.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def squeezed(text: str) -> str:
    """Text without white space, and with one spelling for TeX that has two."""
    return re.sub(r"\s|\\,|\\!", "", text)


# --- notation and glossary ---------------------------------------------------------------------

LETTERS = [(row, heading) for heading in re.findall(r"^### .*$", NOTATION, flags=re.M) if "several" not in heading
           for row in rows(NOTATION, heading)]


@pytest.mark.parametrize("row", [row for row, _ in LETTERS], ids=[row[0] for row, _ in LETTERS])
def test_each_letter_stands_in_the_chapter_that_it_links_to(row):
    (number, label), = LINK.findall(row[-1])
    assert chapter_of()[label] == number, f"{row[0]}: #{label} is in chapter {chapter_of()[label]}, the page says {number}"
    text = squeezed(chapters()[number])
    for letter in re.findall(r"\$([^$]+)\$", row[0]):
        assert squeezed(letter) in text, f"chapter {number} has no {letter}: correct appendix/92-notation.md"


def test_letters_with_several_meanings_name_the_chapters_right():
    for row in rows(NOTATION, "### One letter, several meanings"):
        for number, label in LINK.findall(" ".join(row)):
            assert chapter_of()[label] == number, f"{row[0]}: #{label} is in chapter {chapter_of()[label]}, the page says {number}"
            for letter in re.findall(r"\$([^$]+)\$", row[0]):
                names = {squeezed(letter), {r"\varphi": r"\phi", r"\phi": r"\varphi"}.get(letter, squeezed(letter))}
                assert any(name in squeezed(chapters()[number]) for name in names), f"chapter {number} has no {letter}"


def test_letters_for_one_thing_stand_in_the_chapters_named():
    for what, where in rows(NOTATION, "### One thing, several letters"):
        for letters, links in re.findall(r"((?:\$[^$]+\$(?:, )?)+) in ((?:\[\d\d\]\(#[^)]+\)(?: and )?)+)", where):
            for number, label in LINK.findall(links):
                assert chapter_of()[label] == number, f"{what}: #{label} is in chapter {chapter_of()[label]}, the page says {number}"
                for letter in re.findall(r"\$([^$]+)\$", letters):
                    assert squeezed(letter) in squeezed(chapters()[number]), f"{what}: chapter {number} has no {letter}"


GLOSSARY = re.findall(r"^\[\{index\}`!([^`]+)`\]\{#[^}]+\}\n: ([^\n]+)\n", NOTATION, flags=re.M)


def plain(term: str) -> str:
    """A term as it is sorted and searched: small letters, no accents."""
    return unicodedata.normalize("NFKD", term.replace("–", "-")).encode("ascii", "ignore").decode().lower()


def test_the_glossary_is_in_order_and_has_a_term_once():
    terms = [plain(term) for term, _ in GLOSSARY]
    assert terms == sorted(set(terms)) and len(terms) >= 80
    for term, label in re.findall(r"^\[\{index\}`!([^`]+)`\]\{#term-([^}]+)\}$", NOTATION, flags=re.M):
        assert label == re.sub(r"[^a-z0-9]+", "-", plain(term)).strip("-"), f"{term}: the label of a term is made from it, not {label}"


@pytest.mark.parametrize("term, text", GLOSSARY, ids=[plain(term) for term, _ in GLOSSARY])
def test_each_term_stands_in_the_chapter_that_teaches_it(term, text):
    (words, label), = LINK.findall(text)
    number = chapter_of()[label]
    assert words == f"Chapter {number}", f"{term}: #{label} is in chapter {number}, the page says {words}"
    chapter = plain(chapters()[number])
    stems = [word[:max(4, len(word) // 2)] for word in re.findall(r"[\w-]+", plain(term))]
    missing = [stem for stem in stems if stem not in chapter]
    assert not missing, f"chapter {number} never says {missing}: {term} is not taught there"


# --- the cheat sheet ---------------------------------------------------------------------------

def space(lib) -> dict:
    """The names that the table's code uses, on the same numbers in both libraries."""
    draw = np.random.default_rng(93).standard_normal
    numbers = {"x": draw(3), "v": draw(3), "u": draw(2), "w": draw(3), "X": draw((5, 3)), "A": draw((3, 3))}
    make = jnp.asarray if lib is jnp else torch.tensor
    names = {name: make(array) for name, array in numbers.items()}
    return {"jax": jax, "jnp": jnp, "torch": torch, "func": torch.func, "checkpoint": checkpoint, **names,
            "t": torch.tensor(numbers["x"], requires_grad=True), "P": {"A": names["A"], "x": names["x"]},
            "F": lambda x: lib.stack([x[0] * x[1], lib.sin(x[2])]), "g": lambda x: lib.sum(lib.exp(x) * x),
            "h": lambda w, x: lib.tanh(lib.sum(w * x)), "loss": lambda P: lib.sum(P["A"] @ P["x"]) ** 2}


TABLE = rows(SHEET, "## JAX to PyTorch")
CALLS = [row for row in TABLE if all(re.fullmatch(r"`[^`]+`", cell) for cell in row[1:]) and "(" in row[1] and "(" in row[2]
         and ".set_" not in row[2]]
# Settings and names: what the sheet says of them is run here or stands in a chapter's code.
RUN_HERE = {"torch.set_default_dtype(torch.float64)", 'jnp.matmul(A, A, precision="highest")',
            'torch.set_float32_matmul_precision("highest")', "jax.config.update(\"jax_enable_x64\", True)"}


@pytest.mark.parametrize("row", CALLS, ids=[row[0] for row in CALLS])
def test_both_sides_of_a_row_are_the_same_number(row):
    with jax.enable_x64(True), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = (jax.tree.leaves(eval(CODE.fullmatch(cell)[1], space(lib))) for cell, lib in zip(row[1:], (jnp, torch)))
        ours, theirs = ([np.asarray(leaf.detach() if torch.is_tensor(leaf) else leaf) for leaf in leaves] for leaves in (ours, theirs))
    assert len(ours) == len(theirs) >= 1
    for one, other in zip(ours, theirs):
        assert one.shape == other.shape and one.dtype == other.dtype == np.float64
        assert np.max(np.abs(one - other)) < 1e-10


def test_the_table_has_the_rows_that_chapter_09_compares_and_no_code_that_nobody_runs():
    assert len(CALLS) >= 18
    for row in TABLE:
        for code in CODE.findall(" ".join(row[1:])):
            chapter_code = re.sub(r"\bfunc\.", "torch.func.", code)
            known = chapter_code in code_cells() or row in CALLS or code in RUN_HERE
            assert known or code in chapters()["13"] + chapters()["15"], f"{row[0]}: no chapter runs {code}"


def test_the_settings_do_what_the_table_says():
    dtype, precision = torch.get_default_dtype(), torch.get_float32_matmul_precision()
    try:
        torch.set_default_dtype(torch.float64)
        assert torch.tensor(0.1).dtype == torch.float64
        torch.set_float32_matmul_precision("highest")
        assert torch.get_float32_matmul_precision() == "highest"
    finally:
        torch.set_default_dtype(dtype)
        torch.set_float32_matmul_precision(precision)
    A = jnp.eye(2)
    assert "HIGHEST" in str(jax.make_jaxpr(lambda A: jnp.matmul(A, A, precision="highest"))(A))


STEPS = rows(SHEET, "## Step sizes")
METHODS = {"forward": ("forward", 1), "central": ("central", 1), "five-point": ("five_point", 1),
           "[complex step]": ("complex_step", 1), "second derivative": (((-1, 0, 1), 2), 2)}


@pytest.mark.parametrize("row", STEPS, ids=[re.split(r" \$|\(", row[0])[0] for row in STEPS])
@pytest.mark.parametrize("column, dtype", [(2, np.float64), (3, np.float32)], ids=["64 bits", "32 bits"])
def test_each_step_gives_the_error_beside_it(row, column, dtype):
    (method, order), = (found for name, found in METHODS.items() if row[0].startswith(name))
    h, bound = (float(number) for number in row[column].split(", "))
    points = np.linspace(0.5, 1.5, 41).astype(dtype)
    slopes = {1: (np.exp, np.cos), 2: (np.exp, lambda x: -np.sin(x))}[order]
    errors = [finite_diff.step_sweep(f, df, points, [h], method)[0] for f, df in zip((np.exp, np.sin), slopes)]
    assert max(errors) < bound, f"at h = {h:.0e} the error is {max(errors):.1e}"
    assert max(errors) > bound / 5 or method == "complex_step", f"the bound {bound:.0e} is loose: the error is {max(errors):.1e}"


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_sheet_prints_on_two_pages(server, browser, paper):
    page = "appendix/93-cheat-sheet.html"
    site.soup(page)
    context, tab = site.open_page(browser, server, site.Visit(page))
    printed = tab.pdf(format=paper)
    tab.emulate_media(media="print")
    wide = tab.evaluate("() => [...document.querySelectorAll('article table')].some(e => e.scrollWidth > e.clientWidth + 1)")
    context.close()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 2, f"{page} does not print on two pages of {paper}: see _assets/book.css"
    assert not wide, f"{page}: a table is wider than its column on paper"
