"""The sandbox: what an answer sees, what comes back, and that lies in what comes back are refused."""
import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tools import exercise_worker, sandbox

ROOT = Path(__file__).resolve().parents[1]
REASON = sandbox.why_not()
needs_sandbox = pytest.mark.skipif(bool(REASON), reason=REASON or "-")
LIMITS = sandbox.Limits(seconds=10, memory=500, processes=24, output=2, disk=8, start=60)


@pytest.fixture
def course(tmp_path):
    tmp_path.chmod(0o755)
    return sandbox.prepare(tmp_path / "made", ROOT, fonts=False)


def job(*answers, imports="import numpy as np"):
    return {"imports": imports, "answers": [
        {"cells": [a], "imports": [], "name": "f", "tests": [], "driver": "def drive(f, seed): return {'x': f}", "drive": "drive", "seed": 0}
        for a in answers]}


def values(given):
    return [None if g.lost else sandbox.decode(g.body)[0].get("x") for g in given]


SEES = """
import os, socket
def write(path):
    try: open(path, "w").close()
    except OSError: return False
    return True
def f():
    assert os.getuid() != 0 and os.getgid() != 0 and os.getgroups() == [], os.getgroups()
    assert sorted(os.environ) == @ENV@, sorted(os.environ)
    assert [name for _, name in socket.if_nameindex()] == ["lo"]
    assert set(os.listdir("/")) <= set("bin course dev etc lib lib32 lib64 libx32 opt proc root sbin sys tmp usr home work".split() + @TOP@)
    assert set(os.listdir("/course")) <= {"lecture_utils", "worker.py", "mpl", "__pycache__"}
    assert [p for p in ("/x", "/usr/x", "/etc/x", "/course/x", "/dev/x", "/proc/sys/kernel/hostname") if write(p)] == []
    assert write("/tmp/x") and write("/dev/shm/x")
    assert len([p for p in os.listdir("/proc") if p.isdigit()]) <= 4
    assert "Seccomp:\\t2" in open("/proc/self/status").read() or not @FILTER@
    assert "CapEff:\\t0000000000000000" in open("/proc/self/status").read()
    return 1.0
"""


@needs_sandbox
def test_an_answer_sees_the_system_and_the_library_and_can_write_nowhere_else(course):
    env = sorted([*sandbox._environment("/course"), "PWD"])
    top = [Path(p).parts[1] for p in (os.path.realpath(os.sys.base_prefix), os.sys.prefix)]
    source = SEES.replace("@ENV@", repr(env)).replace("@TOP@", repr(top)).replace("@FILTER@", str(bool(sandbox.syscall_filter())))
    (given,) = sandbox.run(job(source), course, limits=LIMITS)
    arrays, visible, errors = sandbox.decode(given.body)
    assert not visible and not errors and arrays["x"] == 1.0, (visible, errors)


@needs_sandbox
def test_the_project_is_not_shown_but_for_its_environment(course):
    command = sandbox.command(course)
    shown = [command[i + 1] for i, word in enumerate(command) if word == "--ro-bind"]
    for path in shown:
        assert not ROOT.is_relative_to(path) and not Path.home().is_relative_to(path)
        assert not Path(path).is_relative_to(ROOT) or path == os.sys.prefix
    assert "--bind" not in command and "--dev-bind" not in command and "--share-net" not in command


@needs_sandbox
def test_answers_after_one_that_ends_the_sandbox_still_run(course):
    ends = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)"
    given = sandbox.run(job("def f(): return 1.0", ends, "def f(): return 3.0", ends, "def f(): return 5.0"), course, limits=LIMITS)
    assert values(given) == [1.0, None, 3.0, None, 5.0]
    assert [g.lost for g in given[1::2]] == ["it ended the process that ran it"] * 2


@needs_sandbox
def test_an_import_cell_that_fails_is_the_course_s_fault_and_says_so(course):
    with pytest.raises(sandbox.SandboxError, match="import cell does not run(.|\n)*no_such_module"):
        sandbox.run(job("def f(): return 1.0", imports="import no_such_module"), course, limits=LIMITS)


def test_side_by_side_and_one_by_one_give_the_same(course):
    answers = [f"def f(): return np.arange({n}.)" for n in range(5)] + ["1 / 0", "import os; os._exit(1)"]
    one, many = (sandbox.run(job(*answers), course, limits=LIMITS, sandboxed=False, parallel=n) for n in (1, 3))
    assert one == many and [len(v) for v in values(one)[:5]] == list(range(5)) and values(one)[-1] is None


def sent(arrays, visible=(), errors=None):
    read, write = os.pipe()
    exercise_worker.send(write, arrays, list(visible), errors or {})
    with open(read, "rb") as f:
        sent, why = exercise_worker.report(f.read(), os.getpid(), 0)
    assert not why
    return sent


numbers = st.sampled_from(["<f8", "<f4", "<i4", "|b1", "|u1", ">f8"]).flatmap(lambda d: hnp.arrays(np.dtype(d), hnp.array_shapes(min_dims=0, max_side=4)))


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=9), numbers, max_size=4), st.lists(st.text(max_size=9), max_size=3))
def test_what_was_sent_is_what_comes_back(arrays, visible):
    got, told, errors = sandbox.decode(sent(arrays, visible, {"a": "b"}))
    assert list(got) == list(arrays) and told == visible and errors == {"a": "b"}
    for name, array in arrays.items():
        assert got[name].dtype == array.dtype and got[name].shape == array.shape and got[name].tobytes() == array.tobytes()


@pytest.mark.parametrize("body, status, sent, why", [
    (b"7 3\nabc", 0, b"abc", ""), (b"7 3\nabc", -9, b"abc", ""), (b"7 3\nabcdef", 0, b"abc", ""), (b"7 0\n", 0, b"", ""),
    (b"7 3\nab", 0, b"", "before it gave"), (b"7 3\nab", -11, b"", "SIGSEGV"), (b"", -40, b"", "signal 40"), (b"7 3", 0, b"", "before it gave"),
    (b"8 3\nabc", 0, b"", "another process"), (b"abc\n7 3\nabc", 0, b"", "the pipe"), (b"7\n", 0, b"", "the pipe"), (b"7 -1\n", 0, b"", "before it gave"),
    (b"9" * 10_000 + b" 1\n", 0, b"", "the pipe")])
def test_a_report_is_what_its_own_process_sent_and_all_of_it(body, status, sent, why):
    got, told = exercise_worker.report(bytearray(body), 7, status)
    assert got == sent and (why in told if why else not told)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4), lambda x: st.lists(x, max_size=3)
       | st.dictionaries(st.sampled_from(["visible", "errors", "arrays", "x"]), x, max_size=4)).map(lambda x: json.dumps(x).encode() + b"\n12345678"))
def test_any_other_bytes_are_refused_and_nothing_else_happens(body):
    try:
        arrays, visible, errors = sandbox.decode(body)
    except ValueError as e:
        assert "no list of arrays" in str(e)
    else:
        assert all(isinstance(a, np.ndarray) and a.dtype.kind in "biuf" for a in arrays.values())


@pytest.mark.parametrize("head", [["x", "|O", [1]], ["x", "<f8", [2]], ["x", "<f8", [-1]], ["x", "<f8", [1, 1.0]], ["x", "<f8", [10**30, 0]], ["x", "<c16", []],
                                  ["x", "V8", [1]], ["x", "<U2", [1]], ["x", "(2,)f4", [1]], ["x", "f4,f4", [1]], ["x", "<f8", "1"], ["x", "<f8", [True]],
                                  ["x", "<f4", [1]]])
def test_a_shape_or_type_that_lies_is_refused(head):
    with pytest.raises(ValueError, match="no list of arrays"):
        sandbox.decode(json.dumps({"visible": [], "errors": {}, "arrays": [head]}).encode() + b"\n" + bytes(8))


@pytest.mark.parametrize("line", [b"x", b"[]", b"{}", b'{"start": 9}', b'{"start": true}', b'{"end": 1, "how": "", "size": 0}', b'{"end": 0, "how": "", "size": "1"}',
                                  b'{"ready": 1, "end": 0}', b"[" * 5000])
def test_a_frame_that_the_worker_never_writes_is_refused(line):
    assert sandbox._head(line, [0], [None, None]) is None
    assert sandbox._head(b'{"end": 0, "how": "", "size": 3}', [0], [None, None]) == {"end": 0, "how": "", "size": 3}


def test_the_filter_of_system_calls_is_well_formed_and_ends_with_allow():
    for machine in ("x86_64", "aarch64"):
        lines = list(struct.iter_unpack("<HBBI", sandbox.syscall_filter(machine)))
        assert lines[-1] == (0x06, 0, 0, 0x7FFF0000) and 20 < len(lines) < 256
        for i, (code, yes, no, _) in enumerate(lines):
            assert code not in (0x15, 0x35, 0x45) or max(i + 1 + yes, i + 1 + no) < len(lines)
    assert sandbox.syscall_filter("sparc") == b""


def test_usage_counts_a_process_and_its_children():
    import subprocess
    import time
    child = subprocess.Popen(["sh", "-c", "sleep 30 & sleep 30 & wait"])
    try:
        end = time.monotonic() + 10
        while sandbox.usage(child.pid)[0] < 3 and time.monotonic() < end:
            time.sleep(0.05)
        processes, memory = sandbox.usage(child.pid)
        assert processes == 3 and 10_000 < memory < 50e6
    finally:
        subprocess.run(["kill", *map(str, sandbox.family(child.pid)[::-1])])
        child.wait()
