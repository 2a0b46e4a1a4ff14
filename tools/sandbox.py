"""A place where a student's code can compute, and can do nothing else.

The idea: bubblewrap (Debian package `bubblewrap`) starts the worker of tools/exercise_worker.py in
namespaces of its own. There it sees the system and the Python environment, read-only, lecture_utils, and
a small temporary folder; not this project, no home, no other submission, no network. What it computes
comes back through one pipe as arrays, of limited size, checked before use. Inside, a user without rights
(also when root grades), limits that cannot be raised, and no system calls for memory that nobody
counts; outside, a watch on memory, processes, output and time, which ends the whole sandbox.

Source: bubblewrap's manual; the limits were tried with the hostile answers of tests/test_grade.py.
Elsewhere than on Linux: tools/grade.Dockerfile.
"""
from __future__ import annotations

import compileall
import functools
import itertools
import json
import os
import platform
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
MB = 1_000_000
_started = itertools.count()


@dataclass(frozen=True)
class Limits:
    """What one answer may use: seconds, memory and output in MB, processes; `start`: seconds for the course's imports."""
    seconds: float = 60
    memory: int = 4000
    processes: int = 64
    output: int = 16
    disk: int = 64
    start: float = 180


@dataclass
class Given:
    """What came back from one answer: the bytes that it sent, or why there are none."""
    body: bytes = b""
    lost: str = ""


class SandboxError(RuntimeError):
    """The sandbox, or the course's own import cell, does not work on this machine."""


# --- the command ------------------------------------------------------------------------------------

def prepare(folder: Path, root: Path = ROOT, fonts: bool = True) -> Path:
    """Fill a folder with all of the project that a sandbox is given: lecture_utils and the worker.

    `fonts`: with matplotlib's list of fonts, which takes a second to make anew.
    """
    folder = Path(folder)
    shutil.copytree(Path(root) / "lecture_utils", folder / "lecture_utils", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(Path(__file__).with_name("exercise_worker.py"), folder / "worker.py")
    if fonts:
        (folder / "mpl").mkdir()
        for name, data in _fonts().items():
            (folder / "mpl" / name).write_bytes(data)
    compileall.compile_dir(folder, quiet=2)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


@functools.lru_cache(maxsize=1)
def _fonts() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as made:
        subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], env=os.environ | {"MPLCONFIGDIR": made},
                       capture_output=True)
        return {path.name: path.read_bytes() for path in Path(made).glob("*.json")}


def _environment(course: str) -> dict[str, str]:
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    return {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "TMPDIR": "/tmp", "USER": "student", "LOGNAME": "student", "LANG": "C.UTF-8",
            "JAX_PLATFORMS": "cpu", "MPLBACKEND": "agg", "MPLCONFIGDIR": "/tmp/mpl", "PYTHONPATH": course,
            "PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1", "PYTHONHASHSEED": "0", **threads}


def command(course: Path, limits: Limits = Limits(), filter_fd: int | None = None) -> list[str]:
    """The command that runs the worker in a sandbox; `course` is what `prepare` made."""
    out = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
           "--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv"]
    out += [] if os.geteuid() == 0 else ["--unshare-user"]
    made = {"/"}

    def parents(path: str) -> None:                            # bubblewrap would make them for their owner alone
        for parent in reversed(Path(path).parents):
            if str(parent) not in made:
                made.add(str(parent))
                out.extend(["--perms", "0755", "--dir", str(parent)])

    def show(path: str, at: str | None = None) -> None:
        parents(at or path)
        made.add(at or path)
        out.extend(["--ro-bind", path, at or path])

    size = ["--perms", "1777", "--size", str(limits.disk * MB), "--tmpfs"]
    out += ["--proc", "/proc", "--dev", "/dev", *size, "/tmp", *size, "/dev/shm"]      # first: Python may be installed below /tmp
    made |= {"/proc", "/dev", "/tmp"}
    show("/usr")
    for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
        if os.path.islink(name):
            out += ["--symlink", os.readlink(name), name]
        elif os.path.isdir(name):
            show(name)
    for name in ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/alternatives",
                 "/sys/devices/system/cpu"):
        if os.path.exists(name):
            show(name)
    for prefix in dict.fromkeys([os.path.realpath(sys.base_prefix), sys.prefix, sys.base_prefix]):
        if Path(prefix) in Path.home().parents or prefix in ("/", str(Path.home())):
            raise SandboxError(f"Python is installed in {prefix}: showing that to a sandbox would show a home folder; use another Python")
        if not Path(prefix).is_relative_to("/usr"):
            show(prefix)
    show(str(course), "/course")
    out += ["--remount-ro", "/dev", "--remount-ro", "/"]
    for name, value in _environment("/course").items():
        out += ["--setenv", name, value]
    out += ["--chdir", "/tmp"] + (["--seccomp", str(filter_fd)] if filter_fd is not None else [])
    if os.geteuid() == 0:                                      # a user that nobody is, one for each sandbox that runs
        user = str(60000 + (37 * os.getpid() + next(_started)) % 5000)
        out += ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    return out + [sys.executable, "-s", "/course/worker.py"]


# System calls that an answer has no use for: memory that belongs to no process, other namespaces, keys, tracing.
_CALLS = {"x86_64": (0xC000003E, 56, {
    "memfd_create": 319, "memfd_secret": 447, "shmget": 29, "msgget": 68, "semget": 64, "io_uring_setup": 425, "userfaultfd": 323,
    "add_key": 248, "request_key": 249, "keyctl": 250, "bpf": 321, "perf_event_open": 298, "unshare": 272, "setns": 308, "mount": 165,
    "ptrace": 101, "process_vm_writev": 311, "clone3": 435}),
    "aarch64": (0xC00000B7, 220, {
        "memfd_create": 279, "memfd_secret": 447, "shmget": 194, "msgget": 186, "semget": 190, "io_uring_setup": 425, "userfaultfd": 282,
        "add_key": 217, "request_key": 218, "keyctl": 219, "bpf": 280, "perf_event_open": 241, "unshare": 97, "setns": 268, "mount": 40,
        "ptrace": 117, "process_vm_writev": 271, "clone3": 435})}


def syscall_filter(machine: str = platform.machine()) -> bytes:
    """A seccomp program (classic BPF) that refuses those calls with ENOSYS, and kills what calls in another way."""
    if machine not in _CALLS:
        return b""
    arch, clone, calls = _CALLS[machine]
    load, jump_eq, jump_ge, jump_set, give = 0x20, 0x15, 0x35, 0x45, 0x06
    kill, refuse, allow = 0x80000000, 0x00050000 | 38, 0x7FFF0000
    lines = [(load, 0, 0, 4), (jump_eq, 1, 0, arch), (give, 0, 0, kill), (load, 0, 0, 0)]
    if machine == "x86_64":
        lines += [(jump_ge, 0, 1, 0x40000000), (give, 0, 0, kill)]                # the x32 numbers
    for number in calls.values():
        lines += [(jump_eq, 0, 1, number), (give, 0, 0, refuse)]
    lines += [(jump_eq, 0, 3, clone), (load, 0, 0, 16), (jump_set, 0, 1, 0x10000000), (give, 0, 0, refuse)]    # CLONE_NEWUSER
    lines += [(give, 0, 0, allow)]
    return b"".join(struct.pack("<HBBI", *line) for line in lines)


def why_not() -> str:
    """Why there is no sandbox on this machine, and what to do; empty when it works."""
    if sys.platform != "linux":
        return "bubblewrap needs Linux; grade in a container: tools/grade.Dockerfile says how"
    for program, package in (("bwrap", "bubblewrap"), ("setpriv", "util-linux")):
        if shutil.which(program) is None and (program == "bwrap" or os.geteuid() == 0):
            return f"the program {program} is missing: install the Debian package {package}"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "worker.py").write_text("import os; print(os.getuid(), os.path.exists('/home'), os.path.exists('/course'))")
        with _filter() as fd:
            done = subprocess.run(command(Path(folder), filter_fd=fd), pass_fds=[fd] if fd else [], capture_output=True, text=True)
    if done.returncode or done.stdout.split()[1:] != ["False", "True"] or done.stdout.split()[0] == "0":
        return (f"bubblewrap does not work here ({(done.stderr or done.stdout).strip()[-300:]}); on Ubuntu, AppArmor may forbid user "
                "namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns); in a container, see tools/grade.Dockerfile")
    return ""


class _filter:
    """A file descriptor with the filter, for as long as the sandbox starts."""
    def __enter__(self):
        program = syscall_filter()
        if not program:
            self.fd = None
            return None
        self.fd, write = os.pipe()
        os.write(write, program)
        os.close(write)
        return self.fd

    def __exit__(self, *_):
        if self.fd is not None:
            os.close(self.fd)


# --- running ----------------------------------------------------------------------------------------

def run(job: dict, course: Path, *, limits: Limits = Limits(), sandboxed: bool = True, parallel: int = 1) -> list[Given]:
    """What each answer of a job gave back, in order.

    Arguments: job {"imports": source, "answers": [{"cells", "imports", "name", "tests", "driver", "drive",
    "seed"}, ...]}; the folder that `prepare` made. An answer that breaks a limit loses its own result; those
    after it run in a new sandbox. Raises SandboxError when the course's own import cell does not run.
    """
    given: list[Given | None] = [None] * len(job["answers"])
    while None in given:
        todo = [i for i, g in enumerate(given) if g is None]
        part = _once({**job, "answers": [job["answers"][i] for i in todo]}, Path(course), limits, sandboxed, parallel)
        if not any(part):
            raise SandboxError("the sandbox gave nothing back, not even a reason")
        for i, g in zip(todo, part):
            given[i] = g
    return [g for g in given if g is not None]


def _once(job: dict, course: Path, limits: Limits, sandboxed: bool, parallel: int) -> list[Given | None]:
    """One sandbox; None for answers that it did not come to."""
    n = len(job["answers"])
    cpus = os.cpu_count() or 1
    hard = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": limits.disk * MB, "RLIMIT_NOFILE": 512, "RLIMIT_DATA": 2 * limits.memory * MB,
            "RLIMIT_MSGQUEUE": 0, "RLIMIT_MEMLOCK": 16 * MB}
    if sandboxed:                                              # counts threads, and every process of this user
        others = 0 if os.geteuid() == 0 else sum(len(os.listdir(f"/proc/{pid}/task")) for pid in _mine())
        hard["RLIMIT_NPROC"] = others + 4 * limits.processes + 16 * cpus
    text = json.dumps({**job, "seconds": limits.seconds, "output": limits.output * MB, "limits": hard, "parallel": parallel}).encode()
    given: list[Given | None] = [None] * n
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryDirectory() as own, _filter() as fd:
        stdin.write(text)
        stdin.seek(0)
        if sandboxed:
            argv, env, cwd = command(course, limits, fd), None, None
        else:
            argv, cwd = [sys.executable, "-s", str(course / "worker.py")], own
            env = {k: os.environ[k] for k in ("PATH", "LD_LIBRARY_PATH", "LANG") if k in os.environ}
            env = _environment(str(course)) | env | {"HOME": own, "TMPDIR": own, "MPLCONFIGDIR": f"{own}/mpl"}
            env |= {"JAX_COMPILATION_CACHE_DIR": f"{own}/jax", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}      # many answers compile much the same programs
        process = subprocess.Popen(argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=cwd,
                                   pass_fds=[fd] if sandboxed and fd else [], start_new_session=True)
        try:
            why, ready, running, errors = _watch(process, given, limits, parallel if sandboxed or sys.platform == "linux" else 0)
            if not why:
                process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            pass
        finally:
            inside = family(process.pid)[1:2] if sandboxed and process.poll() is None else []
            try:
                os.killpg(process.pid, signal.SIGKILL)          # the rest dies with it
            except ProcessLookupError:
                pass
            process.wait()
            end = time.monotonic() + 10                        # the first process inside goes when all others are gone
            while inside and os.path.exists(f"/proc/{inside[0]}") and time.monotonic() < end:
                time.sleep(0.01)
            for pipe in filter(None, (process.stdout, process.stderr)):
                pipe.close()
    if not ready:
        raise SandboxError(f"the course's import cell does not run in the sandbox: {why or 'it ended'}\n"
                           f"{errors.decode(errors='replace')[-1500:]}")
    for i in running:                                          # what was at work when the sandbox ended
        given[i] = Given(lost=why or "it ended the process that ran it")
    if not running and None in given:                          # between two answers: the next one bears it
        i = given.index(None)
        given[i] = Given(lost=why or "it ended the process that ran it")
    return given


def _watch(process, given, limits: Limits, watched: int):
    """Read frames and enforce the limits until all came, or one is broken: (why, ready, running, errors).

    `watched`: for how many answers at a time processes and memory are counted; 0 where that cannot be done.
    """
    pipes = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    for fd in pipes:
        os.set_blocking(fd, False)
    data, errors = pipes.values()
    running: list = []
    open_pipes, ready, head = set(pipes), False, None
    deadline, look = time.monotonic() + limits.start, 0.0
    while process.stdout.fileno() in open_pipes:
        readable, _, _ = select.select(list(open_pipes), [], [], 0.1)
        for fd in readable:
            chunk = os.read(fd, 1 << 20)
            if not chunk:
                open_pipes.discard(fd)
            pipes[fd] += chunk
        del errors[:-4000]
        while True:                                            # whole frames
            if head is None:
                line, found, _ = bytes(data[:10_000]).partition(b"\n")
                if not found:
                    if len(data) > 10_000:
                        return "it wrote into the pipe of its results", ready, running, errors
                    break
                del data[:len(line) + 1]
                head = _head(line, running, given)
                if head is None:
                    return "it wrote into the pipe of its results", ready, running, errors
            if "ready" in head:
                ready = True
            elif "start" in head:
                running.append(head["start"])
            else:
                if not 0 <= head["size"] <= limits.output * MB + MB:
                    return "it gave back too much", ready, running, errors
                if len(data) < head["size"]:
                    break
                i, body = head["end"], bytes(data[:head["size"]])
                del data[:head["size"]]
                running.remove(i)
                given[i] = Given(body, head["how"])
            head = None
            deadline = time.monotonic() + limits.seconds + 5
        if None not in given:
            return "", ready, running, errors
        now = time.monotonic()
        if now > deadline:
            return f"it ran longer than {limits.seconds if ready else limits.start:g} s", ready, running, errors
        if watched and now > look + 0.1:
            look = now
            processes, memory = usage(process.pid)
            if processes > watched * limits.processes + 4:
                return f"it started more than {limits.processes} processes", ready, running, errors
            if memory > watched * limits.memory * MB:
                return f"it used more than {limits.memory / 1000:g} GB of memory", ready, running, errors
    return "", ready, running, errors


def _head(line: bytes, running, given):
    """A frame's first line, when it is one that the worker writes."""
    try:
        head = json.loads(line)
    except (ValueError, RecursionError):
        return None
    whole = lambda value: type(value) is int and 0 <= value < len(given)
    if not isinstance(head, dict):
        return None
    if set(head) == {"ready"} or set(head) == {"start"} and whole(head["start"]) and given[head["start"]] is None:
        return head
    if set(head) == {"end", "how", "size"} and whole(head["end"]) and head["end"] in running and type(head["size"]) is int:
        return {**head, "how": str(head["how"])[:300]}
    return None


def _mine() -> list[str]:
    """This user's processes."""
    out = []
    for entry in os.scandir("/proc"):
        try:
            if entry.name.isdigit() and entry.stat().st_uid == os.geteuid():
                os.listdir(f"/proc/{entry.name}/task")
                out.append(entry.name)
        except OSError:
            pass
    return out


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    below: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as f:
                    below.setdefault(int(f.read().rpartition(b")")[2].split()[1]), []).append(int(name))
            except (OSError, IndexError, ValueError):
                pass
    out = [pid]
    for member in out:
        out += below.get(member, [])
    return out


def usage(pid: int) -> tuple[int, int]:
    """(processes, bytes of memory) of a process and all that descend from it; shared memory counts once where Linux tells."""
    members = family(pid)
    memory = 0
    for member in members[:200]:
        try:
            with open(f"/proc/{member}/smaps_rollup", "rb") as f:
                memory += 1024 * int(next(line for line in f if line.startswith(b"Pss:")).split()[1])
        except (OSError, StopIteration):
            try:
                with open(f"/proc/{member}/statm", "rb") as f:
                    memory += os.sysconf("SC_PAGE_SIZE") * int(f.read().split()[1])
            except (OSError, IndexError):
                pass
    return len(members), memory


# --- what came back ---------------------------------------------------------------------------------

def decode(body: bytes) -> tuple[dict[str, np.ndarray], list[str], dict[str, str]]:
    """(arrays, failed visible tests, errors by name) from the bytes that an answer sent.

    Nothing in them is trusted: raises ValueError unless they are plain numbers, as many as they claim to be.
    """
    try:
        line, found, rest = body.partition(b"\n")
        head = json.loads(line)
        visible, errors = [str(v) for v in head["visible"][:50]], {str(k)[:200]: str(v) for k, v in list(head["errors"].items())[:200]}
        arrays, at = {}, 0
        if len(head["arrays"]) > 2000:
            raise ValueError("too many arrays")
        for name, kind, shape in head["arrays"]:
            kind = np.dtype(str(kind))
            if kind.kind not in "biuf" or kind.fields or kind.subdtype or len(shape) > 32:
                raise ValueError(f"{kind}, expected numbers")
            if not all(type(n) is int and 0 <= n <= len(body) for n in shape):
                raise ValueError(f"shape {shape}")
            size = kind.itemsize
            for n in shape:
                size *= n
            if at + size > len(rest):
                raise ValueError("fewer bytes than claimed")
            arrays[str(name)] = np.frombuffer(rest[at:at + size], kind).reshape(shape).copy()
            at += size
        if at != len(rest):
            raise ValueError("more bytes than claimed")
    except Exception as e:
        raise ValueError(f"what it gave back is no list of arrays ({type(e).__name__})") from None
    return arrays, visible, errors
