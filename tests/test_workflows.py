"""The workflows are read here, not run: that they are well formed, call commands that exist, and may do no more than they must."""
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"(?m)^([a-z][\w-]*):(?!=)", (ROOT / "Makefile").read_text(encoding="utf-8")))
MAY_WRITE = {("publish", "pages"): {"pages", "id-token"}, ("publish", "release"): {"contents"}, ("newest", "tell"): {"issues"}}


def read(path: Path) -> dict:
    """A workflow; YAML 1.1 takes its key `on` for a truth value."""
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {("on" if key is True else key): value for key, value in workflow.items()}


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request):
    return read(request.param)


def test_there_are_four_and_dependabot():
    assert [path.stem for path in WORKFLOWS] == ["ci", "colab", "newest", "publish"] and (ROOT / ".github" / "dependabot.yml").exists()


def test_each_command_is_a_target_of_the_makefile(workflow):
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            for target in re.findall(r"\bmake ([a-z][\w-]*)", step.get("run", "")):
                assert target in TARGETS, f"make {target} is no target of the Makefile"


def test_each_file_that_a_command_names_is_there(workflow):
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            for name in re.findall(r"\bbash (\S+/\S+)", step.get("run", "")):
                assert (ROOT / name).exists(), name


def test_they_may_only_do_what_they_must(workflow):
    assert workflow.get("permissions") == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        writes = {what for what, how in job.get("permissions", {}).items() if how != "read"}
        assert writes == MAY_WRITE.get((workflow["name"], name), set()), f"{workflow['name']}, {name}: {writes}"


def test_every_job_ends_and_every_action_has_a_version(workflow):
    for name, job in workflow["jobs"].items():
        assert "timeout-minutes" in job, f"{workflow['name']}, {name}: say timeout-minutes"
        for step in job["steps"]:
            assert re.search(r"@(v\d+|[0-9a-f]{40})$", step.get("uses", "x@v1")), step["uses"]
            assert step.get("uses", "actions/").startswith("actions/"), f"{step['uses']} is not GitHub's own"


def test_jobs_wait_only_for_jobs_that_are_there(workflow):
    for job in workflow["jobs"].values():
        assert {job["needs"]} <= set(workflow["jobs"]) if "needs" in job else True


def test_the_site_offers_the_pdf_under_the_name_that_make_pdf_gives_it():
    from tools.pdf import NAME
    text = (ROOT / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8")
    assert f"_build/pdf/{NAME}.pdf _build/html/" in text and "make pdf" in text
