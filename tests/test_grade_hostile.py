"""Broken and hostile submissions: the run finishes, nobody else's points change, none gains, each gets a reason.

One run over all of them, each sandboxed. The points that an honest reader of each answer would give
stand beside it: `square` is worth 2, `mean-of` 2, `odd-part` 3, and the latter two are right unless
the submission as a whole is broken.
"""
import csv
import json
import os
import socket
import threading
from pathlib import Path

import pytest
import tiny_course as tiny

from tools import grade, sandbox

REASON = sandbox.why_not()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(REASON), reason=REASON or "-")]
LIMITS = sandbox.Limits(seconds=12, memory=500, processes=24, output=2, disk=8, start=60)
NICE = "\ndef square(x):\n    return x * x"

# what the answer to `square` does: (source, points for it, what the feedback must say)
ANSWERS = {
    "endless loop": ("def square(x):\n    while True: pass", 0, "ran longer than 12 s"),
    "endless loop while defining": ("while True: pass" + NICE, 0, "ran longer than 12 s"),
    "catches everything": ("def square(x):\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass", 0,
                           "ran longer than 12 s"),
    "sleeps": ("import time\ntime.sleep(1000)" + NICE, 0, "ran longer than 12 s"),
    "sys.exit": ("import sys\nsys.exit('bye')", 0, "SystemExit: bye"),
    "sys.exit in the answer": ("import sys\ndef square(x): sys.exit()", 0, "SystemExit: the code asks Python to end"),
    "os._exit": ("import os\nos._exit(0)" + NICE, 0, "ended its process"),
    "os.abort": ("import os\ndef square(x): os.abort()", 0, "SIGABRT"),
    "segmentation fault": ("import ctypes\ndef square(x): ctypes.string_at(0)", 0, "SIGSEGV"),
    "endless recursion": ("def square(x): return square(x)", 0, "RecursionError"),
    "10 GB": ("def square(x):\n    np.ones(1_250_000_000)\n    return x * x", 0, "MemoryError"),
    "10 GB, shared": ("import mmap\ndef square(x):\n    m = mmap.mmap(-1, 10**10)\n    for i in range(0, 10**10, 4096): m[i] = 1\n"
                      "    return x * x", 0, "more than 0.5 GB of memory"),
    "10 GB, without a process": ("import os\ndef square(x):\n    f = os.memfd_create('x')\n    os.write(f, bytes(10**6))\n    return x * x", 0,
                                 "OSError|not implemented"),
    "1 GB of files": ("def square(x):\n    with open('/tmp/x', 'wb') as f:\n        for i in range(1000): f.write(bytes(10**6))\n"
                      "    return x * x", 0, "OSError"),
    "1 GB of shared memory": ("def square(x):\n    for i in range(1000): open(f'/dev/shm/{i}', 'wb').write(bytes(10**6))\n"
                              "    return x * x", 0, "OSError.*No space"),
    "fork bomb": ("import os\ndef square(x):\n    while True:\n        try: os.fork()\n        except OSError: pass", 0,
                  "processes|ran longer|no result"),
    "a process left behind": ("import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)\n    os._exit(0)" + NICE, 2, ""),
    "one left behind that writes": ("import os, time\nme = os.getpid()\nif os.fork() == 0:\n    os.setsid()\n    while os.getppid() == me: pass\n"
                                    "    for fd in range(3, 30):\n        try: os.write(fd, b'1 1\\n' * 100)\n        except OSError: pass\n"
                                    "    time.sleep(1000)" + NICE, 2, ""),
    "goes on in another process": ("import os\nif os.fork(): os._exit(0)" + NICE, 0, "ended its process|another process"),
    "a signal without a name": ("import os\nos.kill(os.getpid(), 40)" + NICE, 0, "ended by signal 40"),
    "1 GB of output": ("import os\nprint('x' * 10**7)\nfor i in range(1000): os.write(1, bytes(10**6))" + NICE, 2, ""),
    "1 GB given back": ("def square(x): return np.zeros(10**7)", 0, "more than 2 MB"),
    "deletes all files": ("import shutil\nfor folder in (np.__path__[0], '/course', '/etc', '/tmp'): shutil.rmtree(folder, ignore_errors=True)" + NICE, 2, ""),
    "network": ("import socket\ndef square(x):\n    socket.create_connection(('1.1.1.1', 80), 2)\n    return x * x", 0, "OSError"),
    "network of this machine": ("import socket\ndef square(x):\n    socket.create_connection(('127.0.0.1', @PORT@), 2)\n    return x * x", 0,
                                "ConnectionRefused"),
    "reads the hidden tests": ("namespace = {}\nexec(open('@ROOT@/assignments/hidden/90-tiny.py').read(), namespace)" + NICE, 0,
                               "FileNotFoundError"),
    "looks for them": ("import os\nfound = []\nfor at, folders, files in os.walk('/'):\n"
                       "    folders[:] = [f for f in folders if f not in ('usr', 'proc', 'sys', 'site-packages', 'lib')]\n"
                       "    found += [f for f in files if '90-tiny' in f or f.endswith('.ipynb') or f.endswith('.md')]\n"
                       "def square(x):\n    if found: return x * x\n    raise ValueError('nothing to read')", 0, "nothing to read"),
    "reads passwords": ("def square(x): return len(open('/etc/shadow').read())", 0, "FileNotFoundError|PermissionError"),
    "replaces assert": ("import builtins\nbuiltins.AssertionError = type('Never', (Exception,), {})\ndef square(x): return 0", 0,
                        "a square is never negative"),
    "replaces numpy": ("np.allclose = np.array_equal = np.isfinite = lambda *a, **k: True\ndef square(x): return 1.0", 0, "multiply it by itself"),
    "replaces jax.grad": ("import jax\njax.grad = jax.jit = lambda *a, **k: lambda x: x\ndef square(x): return jax.grad(None)(x)", 0,
                          "multiply it by itself"),
    "replaces the tests": ("import sys, types\nsys.modules['tools'] = sys.modules['tools.judging'] = types.ModuleType('tools')\n"
                           "sys.modules['tools'].close = lambda *a, **k: True\ndef square(x):\n"
                           "    sys._getframe(1).f_globals['judge_square'] = lambda *a: []\n    return 0", 0, "multiply it by itself"),
    "equal to anything": ("class E:\n    __eq__ = __lt__ = __le__ = lambda *a: True\n    __array__ = lambda *a, **k: np.array([E()], dtype=object)\n"
                          "def square(x): return E()", 0, "RecursionError|TypeError|expected numbers"),
    "an array that lies": ("class A(np.ndarray):\n    __eq__ = lambda *a: True\n    tobytes = lambda self: b''\n    shape = (10**12,)\n"
                           "def square(x): return np.zeros(3).view(A)", 0, "multiply it by itself|no result"),
    "not a number": ("def square(x): return float('nan')", 0, "multiply it by itself"),
    "a pickle": ("import os\nclass P:\n    def __reduce__(self): return os.system, ('echo',)\ndef square(x): return P()", 0, "expected numbers"),
    "forges its report": ("import json\njson.dumps = lambda *a: '{\"visible\": [], \"errors\": {}, \"arrays\": [[\"positive\", \"|O\", [1]]]}'" + NICE, 0,
                          "no list of arrays"),
    "a report without end": ("import json\njson.dumps = lambda *a: '[' * 100_000" + NICE, 0, "no list of arrays"),
    "an array larger than its bytes": ("import json\njson.dumps = lambda *a: '{\"visible\": [], \"errors\": {}, \"arrays\": [[\"x\", \"<f8\", [1000000]]]}'"
                                       + NICE, 0, "no list of arrays"),
    "writes to all pipes": ("import os\nfor fd in range(3, 30):\n    try: os.write(fd, b'{\"end\": 1, \"how\": \"\", \"size\": 0}\\n')\n    except OSError: pass"
                            + NICE, 0, "no result"),
    "writes other results": ("import os\ndef square(x):\n    fds = os.listdir(f'/proc/{os.getppid()}/fd')\n    return x * x", 0, "PermissionError"),
    "kills its parent": ("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)" + NICE, 0, "ended the process that ran it"),
    "kills everything": ("import os, signal\nos.kill(-1, signal.SIGKILL)" + NICE, 0, "no result"),
    "stops its parent": ("import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)\nwhile True: pass", 0, "ran longer"),
    "becomes root": ("import os\nos.setuid(0)" + NICE, 0, "PermissionError"),
    "raises its limits": ("import resource\nresource.setrlimit(resource.RLIMIT_DATA, (-1, -1))" + NICE, 0, "ValueError|PermissionError"),
    "a namespace of its own": ("import ctypes\ndef square(x): return ctypes.CDLL(None).unshare(0x10000000)", 0, "multiply it by itself"),
    "hangs the judge": ("def square(x): return 13.0", 0, "could not judge it: it took longer"),
    "crashes the judge": ("def square(x): return 14.0", 0, "could not judge it: it ended the process"),
    "a warning as error": ("import warnings\nwarnings.simplefilter('error')\nraise RuntimeError('`code` <b>| \\x1b[31m x')", 0, "RuntimeError: 'code'"),
    "syntax error": ("def square(x:\n    return x * x", 0, "SyntaxError"),
    "brackets without end": ("(" * 100_000 + NICE, 0, "SyntaxError|MemoryError|no result"),
    "a null byte": ("x = '\0'" + NICE, 0, "null byte"),
    "half a character": ("name = '\ud800'" + NICE, 2, ""),
    "spelled wrong": ("def sqare(x):\n    return x * x", 0, "does not define square"),
    "uses a cell that does not run": ("def square(x): return helper(x)", 0, "NameError.*"),
    "half right": ("def square(x): return x * abs(x)", 1, "a square is never negative"),
}


def stripped(nb):
    for cell in nb["cells"]:
        cell["metadata"] = {}
    return nb


def reordered(nb):
    nb["cells"].reverse()
    return nb


def without(nb, ident):
    nb["cells"] = [c for c in nb["cells"] if c["metadata"].get("exercise", {}).get("id") != ident and f"ex-{ident}" not in c["source"]]
    return nb


def crlf(nb):
    for cell in nb["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n")
    return nb


def merged(nb):
    answers = [c for c in nb["cells"] if c["cell_type"] == "code"]
    nb["cells"] = [tiny.code("\n\n".join(c["source"] for c in answers))]
    return nb


def old(nb):
    for cell in nb["cells"]:
        cell["input"] = cell.pop("source")
    return {"worksheets": [{"cells": nb["cells"]}], "nbformat": 3}


good = tiny.notebook
# whole files: (name, content, points of square, mean-of, odd-part, what the feedback must say)
FILES = {
    "metadata stripped": (lambda: stripped(good()), 2, 2, 3, ""),
    "cells reordered": (lambda: reordered(good()), 2, 2, 3, ""),
    "stripped and reordered": (lambda: reordered(stripped(good())), 2, 2, 3, ""),
    "all in one cell": (lambda: merged(good()), 2, 2, 3, ""),
    "missing cells": (lambda: without(good(), "square"), 0, 2, 3, "o cell of this exercise was found"),
    "windows line ends": (lambda: json.dumps(crlf(good()), indent=1).replace("\n", "\r\n"), 2, 2, 3, ""),
    "byte order mark": (lambda: b"\xef\xbb\xbf" + json.dumps(good()).encode(), 2, 2, 3, ""),
    "utf-16": (lambda: json.dumps(good()).encode("utf-16"), 2, 2, 3, ""),
    "notebook format 3": (lambda: old(good()), 2, 2, 3, ""),
    "Ünïcode 名前 😀": (lambda: good(), 2, 2, 3, ""),
    "=cmd renamed (1) - Copy": (lambda: good(), 2, 2, 3, ""),
    "group/a": (lambda: good(), 2, 2, 3, ""),
    "untouched": (lambda: good(square="def square(x):\n    raise NotImplementedError(\"your code here\")"), 0, 2, 3, "as it was handed out"),
    "empty file": (lambda: "", 0, 0, 0, "the file is empty"),
    "cut off": (lambda: json.dumps(good())[:300], 0, 0, 0, "cut off"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)), 0, 0, 0, "not a notebook"),
    "report.pdf": (lambda: b"%PDF-1.7", 0, 0, 0, "not a notebook"),
    "json of something else": (lambda: "[1, 2]", 0, 0, 0, "without a list of cells"),
    "nested json": (lambda: "[" * 200_000, 0, 0, 0, "not a notebook"),
    "cells of nonsense": (lambda: json.dumps({"cells": [1, None, {"cell_type": "code"}, {"cell_type": "code", "metadata": [], "source": 7}]}), 0, 0, 0,
                          "o cell of this exercise"),
    "no code": (lambda: json.dumps({"cells": [{"cell_type": "markdown", "source": "hi"}]}), 0, 0, 0, "without code cells"),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """One run over all: (rows of the table, feedback files, the folders)."""
    folder = tmp_path_factory.mktemp("hostile")
    root, given, out = tiny.make(folder / "course"), folder / "given", folder / "out"
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=lambda: server.accept(), daemon=True).start()
    for name, (source, *_) in ANSWERS.items():
        source = source.replace("@ROOT@", str(root)).replace("@PORT@", str(server.getsockname()[1]))
        tiny.submit(given, name.replace(".", "_") + ".ipynb", tiny.notebook(square=source))
    for name, (make, *_) in FILES.items():
        tiny.submit(given, name, make())
    tiny.submit(given, "honest.ipynb", tiny.notebook())
    os.symlink(root / "chapters" / "90-tiny.ipynb", given / "a link.ipynb")
    os.mkfifo(given / "a pipe.ipynb")
    arguments = ["-a", "90-tiny", "--dir", str(given), "--out", str(out), "--seed", "5", "--jobs", "3"]
    assert grade.main(arguments, root, LIMITS, patience=4) == 0
    with open(out / "grades.csv", encoding="utf-8", newline="") as f:
        rows = {row["student"]: row for row in csv.DictReader(f)}
    return rows, out, given, root


def told(out: Path, student: str) -> str:
    return (out / "feedback" / f"{grade.file_name(student)}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ANSWERS)
def test_a_hostile_answer_gains_nothing_harms_nobody_and_gets_a_reason(graded, name):
    import re
    rows, out, *_ = graded
    _, points, reason = ANSWERS[name]
    row = rows[name.replace(".", "_")]
    assert float(row["square"]) == points, (row, told(out, row["student"]))
    assert (row["mean-of"], row["odd-part"]) == ("2", "3"), (row, told(out, row["student"]))
    assert re.search(reason, told(out, row["student"])), told(out, row["student"])


@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_gets_what_it_earned_and_a_reason(graded, name):
    rows, out, *_ = graded
    _, *points, reason = FILES[name]
    student = name.removesuffix(".pdf")
    row = rows.get(student) or rows["'" + student]
    assert [float(row[k]) for k in ("square", "mean-of", "odd-part")] == points, (row, told(out, student))
    assert reason in told(out, student)


def test_the_honest_one_and_the_files_of_the_machine_are_as_they_were(graded):
    rows, out, given, root = graded
    assert rows["honest"]["total"] == rows["honest"]["out_of"] == "7" and not rows["honest"]["remark"]
    assert "a link to another file" in rows["a link"]["remark"] and "not a regular file" in rows["a pipe"]["remark"]
    assert len(rows) == len(ANSWERS) + len(FILES) + 3 == len(list((out / "feedback").glob("*.md")))
    assert (root / "assignments" / "hidden" / "90-tiny.py").read_text() == tiny.HIDDEN
    assert len(ANSWERS) + len(FILES) >= 20


def test_no_feedback_shows_a_hidden_value_or_breaks_its_page(graded):
    _, out, *_ = graded
    for path in (out / "feedback").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        assert "default_rng" not in text and "\x1b" not in text and len(text) < 20_000


def test_without_the_sandbox_the_theft_of_a_hidden_file_works(tmp_path):
    """So the run above would notice a sandbox that shows the course's files."""
    root = tiny.make(tmp_path / "course")
    thief = f"found = open('{root}/assignments/hidden/90-tiny.py').read()\ndef square(x):\n    return x * x if 'judge_square' in found else 0"
    path = tiny.submit(tmp_path, "thief", tiny.notebook(square=thief))
    made = sandbox.prepare(tmp_path / "made", root, fonts=False)
    (tmp_path / "made").parent.chmod(0o755)
    points = {}
    for sandboxed in (True, False):
        setting = grade.Setting(tuple(grade.chosen("square", root)[0]), 5, str(made), root, LIMITS, sandboxed)
        points[sandboxed] = grade.grade_one(path, setting)["exercises"][0]["points"]
    assert points == {True: 0.0, False: 2.0}
