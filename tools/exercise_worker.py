"""Runs answers to exercises and writes down what they computed; judges nothing, knows no expected value.

Called by tools/judging.py in a folder of its own: reads job.json, writes for answer i the arrays
`i.npz` (no pickles) and `i.json` with the visible tests that failed and the errors by name.
"""
import json
import os
import re
import signal
import sys
import time
import warnings

import numpy as np


def one_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def attempt(answer: dict, imported: dict) -> tuple[dict, list, dict]:
    """(arrays, visible failures, errors) of one answer."""
    space, arrays, visible, errors = dict(imported), {}, [], {}
    try:
        plain = re.sub(r"(?m)^([%!].*)$", r"# \1", answer["source"])      # a notebook's magics do nothing here
        exec(compile(plain, "<answer>", "exec"), space)
    except BaseException as e:
        return arrays, [one_line(e)], {"answer": one_line(e)}
    if answer["name"] not in space:
        message = f"the cell does not define {answer['name']}"
        return arrays, [message], {"answer": message}
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


def run(answer: dict, i: int, imported: dict) -> None:
    """Run one answer and write what it gave."""
    arrays, visible, errors = attempt(answer, imported)
    np.savez(f"{i}.npz", **arrays)
    with open(f"{i}.json", "w", encoding="utf-8") as f:
        json.dump({"visible": visible, "errors": errors}, f)


def main(path: str) -> None:
    """Import once, then run each answer in a copy of this process, so that none changes what the next one sees."""
    with open(path, encoding="utf-8") as f:
        job = json.load(f)
    imported: dict = {"__name__": "__main__"}
    exec(compile(job["imports"], "<imports>", "exec"), imported)
    warnings.filterwarnings("ignore", message=".*fork.*", category=RuntimeWarning)     # nothing was computed yet
    running: dict[int, float] = {}                             # process -> when its time is over
    waiting = list(enumerate(job["answers"]))
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            i, answer = waiting.pop(0)
            child = os.fork()
            if child == 0:
                try:
                    run(answer, i, imported)
                finally:
                    os._exit(0)
            running[child] = time.monotonic() + job["seconds"]
        for child, deadline in list(running.items()):
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
            if os.waitpid(child, os.WNOHANG) != (0, 0):
                del running[child]
        time.sleep(0.01)


if __name__ == "__main__":
    main(sys.argv[1])
