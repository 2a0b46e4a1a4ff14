"""The pinned versions fit what the README promises."""
import importlib.metadata
import re
from pathlib import Path

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
PINS = dict(re.findall(r"(?m)^([A-Za-z0-9._-]+)==(\S+)$", (ROOT / "constraints.txt").read_text()))


def test_every_pin_installs_on_the_first_python_3_11():
    too_new = [f"{d.name}=={d.version} needs Python {needs}" for d in importlib.metadata.distributions()
               if (needs := d.metadata["Requires-Python"]) and d.name in PINS and not SpecifierSet(needs).contains("3.11.0")]
    assert not too_new, f"choose older versions in constraints.txt: {too_new}"


def test_the_site_needs_neither_jax_nor_torch():
    text = (ROOT / "requirements-book.txt").read_text()
    assert not re.search(r"(?m)^(jax|torch)", text)


def test_the_exact_versions_of_the_requirements_are_those_of_the_constraints():
    for name in (f"requirements{kind}.txt" for kind in ("", "-book", "-pdf", "-bench", "-lint")):
        for package, version in re.findall(r"(?m)^([A-Za-z0-9._-]+)==(\S+)", (ROOT / name).read_text()):
            assert PINS.get(package, "none") == version, f"{name} has {package}=={version}, constraints.txt {PINS.get(package)}"
