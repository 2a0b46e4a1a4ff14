"""Chapter 15: the table of symptoms and the gallery say the same."""
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = ROOT / "chapters" / "15-control-flow-pitfalls"


def table():
    """The rows of the one table of the gallery: label of the exhibit -> what its last column says."""
    rows = re.findall(r"^\| \[[^]]*\]\(#wrong-([a-z0-9-]+)\).*\| ([a-z ]*) \|$", CHAPTER.with_suffix(".md").read_text(encoding="utf-8"), re.M)
    return {name: word for name, word in rows if word}


def exhibits():
    """What the cells of the notebook printed: label of the exhibit -> {program, true, cured, check}."""
    found = {}
    for cell in json.loads(CHAPTER.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]:
        name = re.search(r'exhibit\("([a-z0-9-]+)"|GALLERY\["([a-z-]+)"\] = verdict', "".join(cell["source"]))
        if cell["cell_type"] == "code" and name:
            text = "".join("".join(output.get("text", "")) for output in cell["outputs"])
            found[name[1] or name[2]] = dict(re.findall(r"^(program|true|cured|check) +(.*)$", text, re.M))
    return found


def test_every_exhibit_stands_in_the_table_with_what_the_check_said():
    assert table() == {name: lines["check"] for name, lines in exhibits().items()}


def test_at_least_20_wrong_gradients_show_what_the_program_says_what_is_true_and_the_cure():
    shown = exhibits()
    assert len(shown) >= 20
    assert all(set(lines) == {"program", "true", "cured", "check"} and lines["program"] != lines["true"] for lines in shown.values())
