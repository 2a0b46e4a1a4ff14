"""Cost: floating-point operations and memory as the compiler counts them, and times that can be compared.

Idea: a machine drifts, so functions are timed in turns and each is divided by the first one's time of the same round.
Source: T. Hoefler, R. Belli, Scientific Benchmarking of Parallel Computing Systems, SC 2015: medians, with their spread.
"""
import math
import re
import time

import jax
import numpy as np

_SAMPLE_SECONDS = 2e-3  # one sample lasts at least about this long, so that the clock's own steps do not matter


def compare(fs, *args, repeat=15):
    """Time functions against each other, in turns, each on the same arguments.

    fs: a dict from a label to a callable; the first one is what the others are compared to. args: what each is called
    with. repeat: the number of rounds; in each round every function gives one sample, and the order rotates.

    Each function is first called twice to compile and warm up. A call counts as finished when its result is there: JAX
    arrays are waited for, and so is the device of a CUDA tensor of PyTorch; other work on a GPU would go unseen.
    Cost: each sample repeats calls for about 2 ms, so about `repeat * len(fs)` times 2 ms or one call, whichever is longer.

    Returns one dict per function, ready for `device.record`: `function` (the label), `median_ms`, `spread_ms` (the middle
    half of the samples: third less first quartile), and `ratio` and `ratio_spread`, the same two for the time divided by
    the first function's time in the same round.
    Raises TypeError if fs is not a dict of callables and ValueError if it is empty or repeat is below 3.

    >>> rows = compare({"sum": np.sum, "sorted": np.sort}, np.ones(10), repeat=3)
    >>> [row["function"] for row in rows], rows[0]["ratio"], rows[0]["ratio_spread"]
    (['sum', 'sorted'], 1.0, 0.0)
    """
    if not isinstance(fs, dict) or not all(callable(f) for f in fs.values()):
        raise TypeError(f"fs is {fs!r}, expected a dict from labels to callables")
    if not fs:
        raise ValueError("fs is empty, expected at least one function")
    if isinstance(repeat, bool) or not isinstance(repeat, int) or repeat < 3:
        raise ValueError(f"repeat is {repeat!r}, expected an int of at least 3")
    names = list(fs)
    calls = {}
    for name, f in fs.items():
        _seconds(f, args, 1)
        calls[name] = math.ceil(_SAMPLE_SECONDS / max(_seconds(f, args, 1), 1e-7))
    samples = {name: [] for name in names}
    for i in range(repeat):
        turn = i % len(names)
        for name in names[turn:] + names[:turn]:
            samples[name].append(_seconds(fs[name], args, calls[name]))
    first = np.array(samples[names[0]])
    rows = []
    for name in names:
        low, median, high = np.quantile(samples[name], [0.25, 0.5, 0.75]) * 1e3
        ratio_low, ratio, ratio_high = np.quantile(samples[name] / first, [0.25, 0.5, 0.75])
        rows.append({"function": name, "median_ms": float(median), "spread_ms": float(high - low),
                     "ratio": float(ratio), "ratio_spread": float(ratio_high - ratio_low)})
    return rows


def flops(f, *args):
    """Return how many floating-point operations XLA counts in `f(*args)` once compiled, as an int.

    Additions, products, divisions and comparisons count one each. Transcendental functions (exp, log, sin, tanh, …) are
    left out: count them beside. The count is of the optimized program, so common subexpressions count once, and it can
    change a little from one version of XLA, or from one kind of device, to another.
    f: a function of arrays that `jax.jit` accepts. Cost: one compilation; f is not run.

    Raises ValueError where XLA's count would be silently wrong: a loop (scan, fori_loop, while_loop; jax.random has one),
    whose body it counts once however often it runs, and a factorization by LAPACK or cuSOLVER, which it does not see.

    >>> flops(lambda A, x: A @ x, np.ones((5, 7)), np.ones(7))
    70
    """
    compiled = _compile(f, args)
    program = compiled.as_text()
    if re.search(r"\bwhile\(", program):
        raise ValueError("f contains a loop, expected none: XLA counts a loop's body once, however often it runs; count by hand")
    if call := re.search(r'custom_call_target="((?:lapack|cusolver)\w*)', program):
        raise ValueError(f"f calls {call[1]}, expected no library call: XLA does not see the work inside; count by hand")
    return int(compiled.cost_analysis().get("flops", 0))


def temp_bytes(f, *args):
    """Return the bytes of scratch memory that compiled `f(*args)` needs beside its arguments and its result.

    For a reverse-mode gradient this holds the stored intermediates. f: a function of arrays that `jax.jit` accepts.
    Cost: one compilation; f is not run. The figure is that of this backend and version: compare, do not quote.
    Raises ValueError where the backend does not say.

    >>> temp_bytes(lambda x: x + 1, np.ones(1000))
    0
    """
    analysis = _compile(f, args).memory_analysis()
    if analysis is None:
        raise ValueError(f"the {jax.default_backend()!r} backend gives no memory analysis, expected one that does, such as 'cpu'")
    return int(analysis.temp_size_in_bytes)


def _compile(f, args):
    if not callable(f):
        raise TypeError(f"f is {f!r}, expected a callable")
    return jax.jit(f).lower(*args).compile()


def _seconds(f, args, calls):
    """Return the time of one call, as the mean over `calls` of them, each waited for."""
    start = time.perf_counter()
    for _ in range(calls):
        _wait(f(*args))
    return (time.perf_counter() - start) / calls


def _wait(result):
    jax.block_until_ready(result)
    for leaf in jax.tree.leaves(result):
        if getattr(leaf, "is_cuda", False):
            import torch

            torch.cuda.synchronize(leaf.device)
