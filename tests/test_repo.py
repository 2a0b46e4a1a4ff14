"""One address, in one place: `make repo` re-points the whole project, and going back leaves no difference."""
import json
import re
import subprocess
from pathlib import Path

import pytest

from tools import notebooks, repo, setup_cell

ROOT = Path(__file__).resolve().parents[1]
HERE = repo.GITHUB.fullmatch(setup_cell.repository(ROOT)).groups()
FORK = "https://github.com/x-{}/x-{}".format(*HERE)           # an address that the project does not mention


def snapshot(root):
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in repo.texts(root)}


def test_every_mention_of_the_repository_is_that_of_the_configuration():
    url = setup_cell.repository(ROOT)
    owner, name = repo.GITHUB.fullmatch(url).groups()
    placeholder = "https://github.com/" + "your-org/differentiation-in-practice"
    mentions = 0
    for path in repo.texts(ROOT):
        text = path.read_text(encoding="utf-8")
        mentions += len(repo._pattern(url).findall(text))
        if url != placeholder and "tests" not in path.parts:
            assert not repo._pattern(placeholder).search(text), f"{path}: still points at the placeholder; run make repo URL={url}"
    assert mentions >= 4, "README, CITATION, configuration and set-up cells name the repository"


def test_a_fork_changes_every_link_button_and_setup_cell_and_back_leaves_no_difference(project):
    old, old_package = setup_cell.repository(project), setup_cell.package(project)
    before, problems = snapshot(project), {s: notebooks.problems(s, project) for s in notebooks.chapters(project)}
    changed = repo.repoint(FORK, FORK, project)
    assert {p.name for p in changed} >= {"README.md", "CITATION.cff", "_config.yml", "00-getting-started.md",
                                         "00-getting-started.ipynb"}
    for name, data in snapshot(project).items():
        for spelling in repo.spellings(old):
            assert not repo._pattern(spelling).search(data.decode()), f"{name} still has {spelling}"
    readme = (project / "README.md").read_text()
    address, pages, colab = repo.spellings(FORK)
    assert address in readme and f"{pages}/" in readme and f"{colab}/blob" in readme
    for stem in notebooks.chapters(project):
        nb = notebooks.read_notebook(stem.with_suffix(".ipynb"))
        assert f"git+{FORK}@main" in next(c for c in nb.cells if "setup" in c.metadata.get("tags", [])).source
        assert notebooks.problems(stem, project) == problems[stem], "an address is no result: chapters must stay fresh"
    repo.repoint(old, old_package, project)
    assert snapshot(project) == before


def test_a_private_fork_installs_from_its_public_copy(project):
    old, old_package = setup_cell.repository(project), setup_cell.package(project)
    before = snapshot(project)
    repo.repoint(FORK, "https://github.com/someone/public-copy", project)
    for stem in notebooks.chapters(project):
        assert "git+https://github.com/someone/public-copy@main" in stem.with_suffix(".md").read_text()
    assert FORK in (project / "README.md").read_text()
    repo.repoint(old, old_package, project)
    assert snapshot(project) == before


def test_a_repository_has_three_spellings():
    owner, name = (f"x-{part}" for part in HERE)
    assert repo.spellings(FORK) == [FORK, f"https://{owner}.github.io/{name}", f"colab.research.google.com/github/{owner}/{name}"]


@pytest.mark.parametrize("url", ["", "github.com/a/b", "https://gitlab.com/a/b", "https://github.com/a/b.git",
                                 "https://github.com/a", "https://github.com/a/b c"])
def test_an_address_that_colab_cannot_open_is_refused(project, url):
    before = snapshot(project)
    with pytest.raises(ValueError, match="URL: got .*expected https://github.com/OWNER/NAME"):
        repo.repoint(url, FORK, project)
    assert snapshot(project) == before


def test_an_address_that_is_already_mentioned_is_refused(project):
    (project / "intro.md").write_text((project / "intro.md").read_text() + f"\nSee {FORK}.\n")
    with pytest.raises(ValueError, match="already mentioned in intro.md"):
        repo.repoint(FORK, FORK, project)


@pytest.mark.parametrize("text, matched", [("{}", True), ("({})", True), ("{}.git", True), ("{}.", True), ("{}/blob", True),
                                           ("{}-2", False), ("{}.js", False), ("{}s", False)])
def test_only_whole_addresses_are_rewritten(text, matched):
    assert bool(repo._pattern(FORK).search(text.format(FORK))) is matched


def test_setup_cells_of_all_chapters_are_the_same_but_for_extras():
    cells = set()
    for stem in notebooks.chapters(ROOT):
        nb = json.loads(stem.with_suffix(".ipynb").read_text(encoding="utf-8"))
        for cell in nb["cells"]:
            if "setup" in cell["metadata"].get("tags", []):
                cells.add(re.sub(r"(?m)^EXTRAS = .*$", "", "".join(cell["source"])))
    assert len(cells) == 1


@pytest.mark.parametrize("extra", ["asdex", "asdex>=0.5", "asdex==0.5.1 --index-url x", "git+https://x"])
def test_extras_must_be_exact_versions(extra):
    with pytest.raises(ValueError, match="expected an exact version"):
        setup_cell.render("https://github.com/a/b", [extra])


def test_the_setup_cell_runs_and_installs_nothing_where_all_is_there(capsys, monkeypatch):
    def refuse(*a, **k):
        raise AssertionError("pip was called")
    monkeypatch.setattr(subprocess, "run", refuse)
    exec(setup_cell.render("https://github.com/a/b", ["numpy==1.0"]), {})
    assert capsys.readouterr().out == ""


def test_the_setup_cell_names_what_could_not_be_installed_and_goes_on(capsys, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="no such version")
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: failed)
    exec(setup_cell.render("https://github.com/a/b", ["no-such-package==1.0"]), {})
    assert "no-such-package==1.0 could not be installed no such version" in capsys.readouterr().out
