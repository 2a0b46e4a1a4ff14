"""Runs answers to exercises and sends what they computed; judges nothing, knows no expected value.

Started by tools/sandbox.py. Reads one job (JSON) from stdin and writes frames to stdout, each a line of
JSON and a body of as many bytes as the line says: {"ready": true} once the course's import cell has
run, {"start": i} when answer i begins, {"end": i, "how": "", "size": n} when it is over. The body is
what `send` wrote behind its first line: a line of JSON (failed visible tests, errors by name, names, types
and shapes of the arrays), then the arrays' bytes. No pickles. Standard library and NumPy only.

An answer is over when its own process has ended. What it left running is killed then, and its report
stands: the first line names the process and the size, so that nothing written by others counts.
"""
import ctypes
import json
import os
import re
import resource
import select
import shutil
import signal
import sys
import time
import warnings

import numpy as np

PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36


def one_line(error: BaseException) -> str:
    text = str(error).strip().splitlines() or ["the code asks Python to end"] * isinstance(error, SystemExit)
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def attempt(answer: dict, imported: dict) -> tuple[dict, list, dict]:
    """(arrays, visible failures, errors) of one answer."""
    arrays: dict = {}
    visible: list = []
    errors: dict = {}
    space = dict(imported)
    for statement in answer.get("imports", []):               # what the student imports beside the course's import cell
        try:
            exec(compile(statement, "<imports>", "exec"), space)
        except Exception:
            pass
    for cell in answer["cells"]:
        try:
            plain = re.sub(r"(?m)^([%!].*)$", r"# \1", cell)    # a notebook's magics do nothing here
            exec(compile(plain, "<answer>", "exec"), space)
        except BaseException as e:                            # as in a notebook, the next cell still runs
            visible.append(one_line(e))
    if answer["name"] not in space:
        visible = visible or [f"the cell does not define {answer['name']}"]
        return arrays, visible, {"answer": visible[0]}
    function = space[answer["name"]]
    for test in answer["tests"]:
        try:
            exec(compile(test, "<visible test>", "exec"), dict(space))
        except BaseException as e:
            visible.append(one_line(e))
    tools: dict = {}
    exec(compile(answer["driver"], "<driver>", "exec"), tools)
    try:
        values = tools[answer["drive"]](function, answer["seed"])
    except BaseException as e:
        return arrays, visible, {"driver": one_line(e)}
    for name, value in values.items():
        try:                                     # one input at a time: a failing one does not cost the rest
            value = value() if callable(value) else value
            value = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
            if value.dtype.kind not in "biuf":
                raise TypeError(f"expected numbers, got {value.dtype}")
            arrays[name] = value
        except BaseException as e:
            errors[name] = one_line(e)
    return arrays, visible, errors


def send(pipe: int, arrays: dict, visible: list, errors: dict) -> None:
    """Write one answer's report and arrays to a pipe, behind a line "PROCESS BYTES"."""
    bodies = [(name, a.dtype.str, list(a.shape), a.tobytes()) for name, a in arrays.items()]
    head = json.dumps({"visible": [str(v)[:1000] for v in visible], "errors": {k: str(v)[:1000] for k, v in errors.items()},
                       "arrays": [body[:3] for body in bodies]}).encode("utf-8", "replace") + b"\n"
    with open(pipe, "wb") as f:
        f.write(f"{os.getpid()} {len(head) + sum(len(data) for *_, data in bodies)}\n".encode() + head)
        for *_, data in bodies:
            f.write(data)


# --- what no student's code can reach -------------------------------------------------------------

def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def limit(limits: dict) -> None:
    """Limits that the processes started from here cannot raise again."""
    for name, value in limits.items():
        kind = getattr(resource, name, None)
        if kind is not None:
            try:
                resource.setrlimit(kind, (value, value))
            except (ValueError, OSError):                     # macOS refuses some; a lower limit of the user's stays
                pass


def _children() -> list[int]:
    out: list[int] = []
    try:
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/children") as f:
                out += map(int, f.read().split())
        return out
    except OSError:
        return []


def kill(how, process: int) -> None:
    """os.kill or os.killpg, of what may be gone."""
    try:
        how(process, signal.SIGKILL)
    except OSError:
        pass


def end(child: int, seconds: float) -> int:
    """The exit code of a child, which gets some time to end by itself and is then killed."""
    over = time.monotonic() + seconds
    while True:
        gone, status = os.waitpid(child, os.WNOHANG)
        if gone:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > over:
            kill(os.killpg, child)
            kill(os.kill, child)
            over = float("inf")
        time.sleep(0.002)


def sweep(keep) -> None:
    """Kill what an answer left running: its processes have become this one's children."""
    for _ in range(1000):
        left = [pid for pid in _children() if pid not in keep]
        if not left:
            return
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        for pid in left:
            try:
                os.waitpid(pid, 0)
            except ChildProcessError:
                pass


def take(pipe: int, body: bytearray, most: int) -> bool:
    """Add to body what a pipe holds, until there are more than `most` bytes; whether the pipe is closed."""
    while len(body) <= most:
        try:
            data = os.read(pipe, 1 << 20)
        except BlockingIOError:
            return False
        if not data:
            return True
        body += data
    return False


def report(body: bytearray, child: int, status: int) -> tuple[bytes, str]:
    """(what `send` wrote in that process, which has ended with that exit code; why there is nothing)."""
    first, found, rest = bytes(body).partition(b"\n")
    names = {one.value: one.name for one in signal.Signals}
    ended = (f"its process was ended by {names.get(-status, f'signal {-status}')}" if status < 0
             else "it ended its process before it gave anything back")
    if not found:
        return b"", ended
    try:
        process, size = map(int, first[:100].split())
    except ValueError:
        process, size = 0, 0
    if process != child:
        return b"", "it wrote into the pipe of its results, or went on in another process"
    return (b"", ended) if not 0 <= size <= len(rest) else (rest[:size], "")


def start(answer: dict, imported: dict, out: int) -> tuple[int, int]:
    """(process, pipe) of a copy of this process that runs one answer."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        os.set_blocking(read, False)
        return child, read
    try:
        _prctl(PR_SET_DUMPABLE, 1)
        _prctl(PR_SET_CHILD_SUBREAPER, 0)
        os.setsid()
        os.close(out)
        os.close(read)
        send(write, *attempt(answer, imported))
    finally:
        os._exit(0)


def main() -> None:
    """Import once, then run each answer in a copy of this process, so that none changes what the next one sees."""
    job = json.load(sys.stdin)
    out, nothing = os.dup(1), os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)                                        # what is printed goes nowhere

    def frame(head: dict, body: bytes = b"") -> None:
        data = memoryview(json.dumps(head).encode() + b"\n" + body)
        while data:
            data = data[os.write(out, data):]

    limit(job["limits"])
    fonts = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mpl")
    if os.path.isdir(fonts):                                   # matplotlib would list all fonts anew
        shutil.copytree(fonts, os.environ["MPLCONFIGDIR"])
    imported: dict = {"__name__": "__main__"}
    exec(compile(job["imports"], "<imports>", "exec"), imported)
    warnings.filterwarnings("ignore", message=".*fork.*", category=RuntimeWarning)     # nothing was computed yet
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    _prctl(PR_SET_DUMPABLE, 0)                                 # answers cannot look into this process
    os.dup2(nothing, 2)
    frame({"ready": True})
    running: dict[int, list] = {}                              # process -> [answer, pipe, when its time is over, bytes]
    waiting = list(enumerate(job["answers"]))
    while waiting or running:
        while waiting and len(running) < job["parallel"]:
            i, answer = waiting.pop(0)
            frame({"start": i})
            child, pipe = start(answer, imported, out)
            running[child] = [i, pipe, time.monotonic() + job["seconds"], bytearray()]
        select.select([pipe for _, pipe, _, _ in running.values()], [], [], 0.05)
        for child, (i, pipe, deadline, body) in list(running.items()):
            most = job["output"] + 100                         # and the first line
            gone, status = os.waitpid(child, os.WNOHANG)       # first: then all that it sent is in the pipe
            if gone:
                del running[child]
                kill(os.killpg, child)
                sweep(running)
            closed = take(pipe, body, most)
            how = ""
            if len(body) > most:
                how = f"it gave back more than {job['output'] / 1e6:g} MB"
            elif time.monotonic() > deadline and not gone:
                how = f"it ran longer than {job['seconds']:g} s"
            elif not gone and not closed:                      # still at work
                continue
            os.close(pipe)
            if gone:
                status = os.waitstatus_to_exitcode(status)
            else:
                del running[child]
                status = end(child, 0.0 if how or body else 2.0)
                sweep(running)
            sent, how = (b"", how) if how else report(body, child, status)
            frame({"end": i, "how": how, "size": len(sent)}, sent)


if __name__ == "__main__":
    main()
    os._exit(0)
