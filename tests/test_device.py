"""lecture_utils.device: what a cell ran on, and recorded results."""
import importlib.metadata
import json
import os
import subprocess
import sys

import jax
import numpy as np
import pytest

from lecture_utils import device

ROWS = [{"N": 1000, "way": "forward", "ms": 1.2345}, {"N": 100_000, "way": "reverse", "ms": 12345.6}]
VERSIONS = {"python": "3.13.15", "jax": "0.7.2", "jaxlib": "0.7.2", "numpy": "2.1.3", "torch": "2.11.0+cu128"}
CPU = {"platform": "cpu", "name": "CPU", "memory_gib": None, "versions": VERSIONS}
T4 = {"platform": "gpu", "name": "NVIDIA T4", "memory_gib": 10.9, "versions": VERSIONS}
H200_ENTRY = {"name": "cost", "device": {"platform": "gpu", "name": "NVIDIA H200", "memory_gib": 104.3},
              "versions": VERSIONS, "date": "2026-11-22", "command": "make gpu", "rows": ROWS}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The folder of recorded results, empty, in place of the package's own; and no wish to record."""
    folder = tmp_path / "package" / "results"
    folder.mkdir(parents=True)
    monkeypatch.setattr(device.importlib.resources, "files", lambda name: {"lecture_utils": folder.parent}[name])
    monkeypatch.delenv("LECTURE_RESULTS", raising=False)
    monkeypatch.delenv("LECTURE_COMMAND", raising=False)
    return folder


def on(monkeypatch, info):
    monkeypatch.setattr(device, "device_info", lambda: info)


def put(folder, entry):
    (folder / f"{entry['name']}.json").write_text(json.dumps(entry))


def test_importing_the_library_starts_no_device_and_changes_no_flag_and_no_random_state():
    program = """
import sys, numpy as np, jax, random
before = np.random.get_state()[1].tolist(), random.getstate(), jax.config.values.copy()
import lecture_utils.device, lecture_utils.checks, lecture_utils.bench
from jax._src import xla_bridge
assert not xla_bridge.backends_are_initialized()
assert (np.random.get_state()[1].tolist(), random.getstate(), jax.config.values) == before
assert not jax.config.jax_enable_x64
lecture_utils.device.device_info()
assert xla_bridge.backends_are_initialized() and "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "JAX_PLATFORMS": "cpu"})


def test_device_info_tells_the_platform_of_jax_and_the_installed_versions():
    info = device.device_info()
    assert info["platform"] == jax.default_backend() and device.has_gpu() == (jax.default_backend() == "gpu")
    assert info["versions"]["jax"] == jax.__version__ and info["versions"]["numpy"] == np.__version__
    assert info["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))


def test_a_package_that_is_not_installed_has_no_version(monkeypatch):
    def version(package):
        if package == "torch":
            raise importlib.metadata.PackageNotFoundError
        return "1.0"
    monkeypatch.setattr(device.importlib.metadata, "version", version)
    assert set(device.device_info()["versions"]) == {"python", "jax", "jaxlib", "numpy"}


@pytest.mark.parametrize("info, size", [(CPU, 10), (T4, 1000), (CPU | {"platform": "tpu", "name": "TPU v5"}, 10)])
def test_scaled_gives_the_large_size_on_a_gpu_only(monkeypatch, info, size):
    on(monkeypatch, info)
    assert device.scaled(cpu=10, gpu=1000) == size


def test_a_cpu_run_is_labeled_cpu_and_says_that_nothing_is_recorded(monkeypatch, package):
    on(monkeypatch, CPU)
    shown = device.record("cost", ROWS)
    assert shown._repr_markdown_() == """\
| Measured on | N | way | ms |
| --- | --: | --- | --: |
| this run: CPU | 1,000 | forward | 1.23 |
| this run: CPU | 100,000 | reverse | 12,300 |

No GPU run has been recorded yet; `make gpu` on a machine with a GPU records one."""
    assert repr(shown) == """\
Measured on    N        way      ms
this run: CPU  1,000    forward  1.23
this run: CPU  100,000  reverse  12,300
No GPU run has been recorded yet; `make gpu` on a machine with a GPU records one."""


@pytest.mark.parametrize("info, label", [(CPU, "this run: CPU"), (T4, "this run: NVIDIA T4")])
def test_a_run_is_shown_beside_the_recorded_one_each_row_with_its_device(monkeypatch, package, info, label):
    on(monkeypatch, info)
    put(package, H200_ENTRY)
    shown = device.record("cost", ROWS[:1])
    assert [row[0] for row in shown.rows] == [label, "recorded: NVIDIA H200", "recorded: NVIDIA H200"]
    note = "Recorded on 2026-11-22 on NVIDIA H200 with jax 0.7.2 and torch 2.11.0+cu128, by `make gpu`."
    assert shown._repr_markdown_().endswith("\n\n" + note) and repr(shown).endswith("\n" + note)
    assert [p.name for p in package.iterdir()] == ["cost.json"]


def test_markdown_is_one_table_of_github_whatever_a_value_holds(monkeypatch, package):
    markdown_it = pytest.importorskip("markdown_it")
    on(monkeypatch, CPU)
    put(package, H200_ENTRY)
    rows = [{"N": 1, "way": "a|b\nc", "ms": 0.5}, {"N": 2, "way": "d", "ms": 2e-9}]
    html = markdown_it.MarkdownIt("commonmark").enable("table").render(device.record("cost", rows)._repr_markdown_())
    assert html.count("<table>") == 1 and html.count("<tr>") == 5 and html.count("<td") == 4 * 4
    assert "<td>a|b c</td>" in html and ">2.00e-09</td>" in html


def test_a_record_of_an_older_cell_says_so_and_shows_a_dash(monkeypatch, package):
    on(monkeypatch, CPU)
    put(package, H200_ENTRY)
    shown = device.record("cost", [{"N": 1000, "seconds": 1.0}])
    assert "It was recorded from an earlier version of this cell." in repr(shown)
    assert shown._cells()[2] == ["recorded: NVIDIA H200", "1,000", "–", "forward", "1.23"]


def test_a_gpu_run_is_written_with_its_provenance_when_asked(monkeypatch, package):
    on(monkeypatch, T4)
    monkeypatch.setenv("LECTURE_RESULTS", str(package))
    monkeypatch.setenv("LECTURE_COMMAND", "make gpu")
    put(package, H200_ENTRY)
    shown = device.record("cost", ROWS)
    entry = device.recorded("cost")
    assert entry["device"] == {"platform": "gpu", "name": "NVIDIA T4", "memory_gib": 10.9}
    assert entry["versions"] == VERSIONS and entry["rows"] == ROWS and entry["command"] == "make gpu"
    assert list(entry) == ["name", "device", "versions", "date", "command", "rows"] and len(entry["date"]) == 10
    assert [row[0] for row in shown.rows] == ["this run: NVIDIA T4"] * 2 and "NVIDIA T4 with jax 0.7.2" in repr(shown)
    assert [p.name for p in package.iterdir()] == ["cost.json"]


@pytest.mark.parametrize("info, wish", [(CPU, True), (CPU, False), (T4, False), (CPU | {"platform": "tpu"}, True)])
def test_nothing_is_written_unless_a_gpu_ran_and_a_folder_is_named(monkeypatch, package, info, wish):
    on(monkeypatch, info)
    if wish:
        monkeypatch.setenv("LECTURE_RESULTS", str(package))
    device.record("cost", ROWS)
    assert list(package.iterdir()) == []


def test_an_interrupted_write_leaves_the_old_record_whole(monkeypatch, package):
    on(monkeypatch, T4)
    monkeypatch.setenv("LECTURE_RESULTS", str(package))
    put(package, H200_ENTRY)

    def killed(*_):
        raise KeyboardInterrupt
    monkeypatch.setattr(device.os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        device.record("cost", ROWS)
    assert device.recorded("cost") == H200_ENTRY


def test_a_folder_that_does_not_exist_is_named(monkeypatch, package):
    on(monkeypatch, T4)
    monkeypatch.setenv("LECTURE_RESULTS", str(package / "nowhere"))
    with pytest.raises(ValueError, match="LECTURE_RESULTS.*nowhere"):
        device.record("cost", ROWS)


@pytest.mark.parametrize("platform", ["cpu", "tpu", None])
def test_a_file_that_no_gpu_measured_is_refused(monkeypatch, package, platform):
    put(package, {**H200_ENTRY, "device": {"platform": platform}} if platform else {"rows": ROWS, "name": "cost"})
    with pytest.raises(ValueError, match=f"cost.json was measured on platform {platform!r}, expected 'gpu'"):
        device.recorded("cost")
    on(monkeypatch, CPU)
    with pytest.raises(ValueError, match="expected 'gpu'"):
        device.record("cost", ROWS)


def test_every_result_in_the_package_can_be_read():
    for file in device.importlib.resources.files("lecture_utils").joinpath("results").iterdir():
        if file.name.endswith(".json"):
            entry = device.recorded(file.name.removesuffix(".json"))
            assert entry["name"] + ".json" == file.name and device._check_rows(entry["rows"]) == entry["rows"]


def test_the_names_asked_for_are_kept_recorded_or_not(monkeypatch, package):
    monkeypatch.setattr(device, "_shown", set())
    on(monkeypatch, T4)
    assert device.recorded("one") is None
    device.record("two", ROWS)
    monkeypatch.setenv("LECTURE_RESULTS", str(package))
    device.record("three", ROWS)
    assert device._shown == {"one", "two", "three"}


@pytest.mark.parametrize("name", ["", "Cost", "a b", "a/b", "../a", "a--b", "-a", "a.json", "cost\n", None, 3])
def test_a_name_that_is_no_slug_is_refused(name):
    for call in (lambda: device.record(name, ROWS), lambda: device.recorded(name)):
        with pytest.raises(ValueError, match="name is"):
            call()


@pytest.mark.parametrize("rows, error, says", [
    ([], TypeError, "non-empty list"),
    ({"N": 1}, TypeError, "non-empty list"),
    ([{}], TypeError, "non-empty dicts"),
    ([{"N": 1}, {"M": 1}], ValueError, r"rows\[1\] has the keys \['M'\]"),
    ([{"N": 1}, {"N": 1, "M": 2}], ValueError, r"rows\[1\] has the keys"),
    ([{1: 2}], ValueError, "key 1"),
    ([{"Measured on": "moon"}], ValueError, "Measured on"),
    ([{"N": np.int64(3)}], TypeError, r"rows\[0\]\['N'\] is a int64"),
    ([{"N": np.float32(3)}], TypeError, "is a float32"),
    ([{"N": None}], TypeError, "is a NoneType"),
    ([{"N": [1]}], TypeError, "is a list"),
    ([{"N": float("nan")}], ValueError, "is nan"),
    ([{"N": 1.0}, {"N": float("-inf")}], ValueError, r"rows\[1\]\['N'\] is -inf"),
])
def test_rows_that_are_no_table_of_measurements_are_refused(rows, error, says):
    with pytest.raises(error, match=says):
        device.record("cost", rows)
