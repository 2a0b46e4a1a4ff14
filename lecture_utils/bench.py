"""Cost: operations and memory, as the program states them or as the compiler counts them, and times that can be compared.

Idea: a machine drifts, so functions are timed in turns and each is divided by the first one's time of the same round.
Source: T. Hoefler, R. Belli, Scientific Benchmarking of Parallel Computing Systems, SC 2015: medians, with their spread.
"""
import math
import re
import time

import jax
import numpy as np
from jax.interpreters.partial_eval import dce_jaxpr

_SAMPLE_SECONDS = 2e-3  # one sample lasts at least about this long, so that the clock's own steps do not matter

# What each primitive of JAX costs. One operation for each element of the result:
_ONE_EACH = set("""abs acos acosh add add_any and asin asinh atan atan2 atanh cbrt ceil clamp cos cosh digamma div eq erf erf_inv
    erfc exp exp2 expm1 floor ge gt is_finite le lgamma log log1p logistic lt max min mul ne neg nextafter not or pow rem round
    rsqrt select_n sign sin sinh sqrt square sub tan tanh xor""".split())
# One for each element that goes in, less those that come out:
_REDUCTIONS = set("reduce_sum reduce_prod reduce_max reduce_min reduce_and reduce_or argmax argmin".split())
_CUMULATIVE = set("cumsum cumprod cummax cummin cumlogsumexp".split())
# Nothing: they move or name numbers.
_MOVES = set("""bitcast_convert_type broadcast_in_dim concatenate convert_element_type copy copy_p device_put dynamic_slice
    dynamic_update_slice expand_dims gather iota name empty2 imag optimization_barrier pad pvary real reduce_precision reshape rev scatter
    sharding_constraint slice split squeeze stack stop_gradient tile transpose unstack""".split())

# They run the program that they hold as it stands:
_CALLS = set("checkpoint closed_call core_call custom_jvp_call custom_vjp_call jit pjit remat2 scan".split())


def compare(fs, *args, repeat=15):
    """Time functions against each other, in turns, each on the same arguments.

    fs: a dict from a label to a callable; the first one is what the others are compared to. args: what each is called
    with. repeat: the number of rounds; in each round every function gives one sample, and the order rotates.

    Each function is first called twice to compile and warm up. A call counts as finished when its result is there: JAX
    arrays are waited for, and so is the device of a CUDA tensor of PyTorch; other work on a GPU would go unseen.
    Returns one dict per function, ready for `device.record`: `function` (the label), `median_ms`, `spread_ms` (the middle
    half of the samples: third less first quartile), and `ratio` and `ratio_spread`, the same two for the time divided by
    the first function's time in the same round.

    Cost: each sample repeats calls for about 2 ms, so about `repeat * len(fs)` times 2 ms or one call, whichever is longer.
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
    samples: dict[str, list[float]] = {name: [] for name in names}
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


def operations(f, *args):
    """Return how many operations on numbers `f(*args)` takes, as an int, counted in the program that JAX records (its jaxpr).

    Arithmetic, comparisons, choices (`where`) and elementary functions (exp, sin, tanh, …) count one for each element of the
    result, a matrix product two for each of its products, x**n the products of repeated squaring, a sum one less than its
    terms. Moving numbers (slices, reshapes, gathers, conversions of type) is free,
    but the arithmetic on indices that NumPy-style indexing brings along counts. The body of a scan counts as often as it
    runs, the dearest branch of a cond once, and what no result needs not at all. The compiler may do less (common
    subexpressions, which count each time here) or more (it may compute a thing twice rather than store it): see `flops`.
    f: a function of arrays that JAX can trace; args: arrays, or `jax.ShapeDtypeStruct`s in their place.

    Cost: one trace.

    Raises ValueError at a while loop, whose number of rounds nobody knows, and at a primitive that has no weight here (a
    factorization, a sort, a random draw).
    Source: A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed. 2008, section 3.1.

    >>> operations(lambda A, x: jax.numpy.tanh(A @ x), np.ones((5, 7)), np.ones(7))
    75
    >>> operations(lambda x: jax.lax.scan(lambda x, _: (2 * x, None), x, length=500)[0], 1.0)
    500
    """
    if not callable(f):
        raise TypeError(f"f is {f!r}, expected a callable")
    return _count(jax.make_jaxpr(f)(*args).jaxpr)


def flops(f, *args, transcendentals=False):
    """Return how many floating-point operations XLA counts in `f(*args)` once compiled, as an int.

    Additions, products, divisions and comparisons count one each. Transcendental functions (exp, log, sin, tanh, …) are
    left out, or count one each if transcendentals is True. The count is of the optimized program, so common subexpressions
    count once, and it can change a little from one version of XLA, or from one kind of device, to another.
    f: a function of arrays that `jax.jit` accepts.

    Cost: one compilation; f is not run.

    Raises TypeError if f is no function or transcendentals no bool, and ValueError where XLA's count would be silently wrong: a
    loop (scan, fori_loop, while_loop; jax.random has one), whose body it counts once however often it runs, and a
    factorization by LAPACK or cuSOLVER, which it does not see.

    >>> flops(lambda A, x: A @ x, np.ones((5, 7)), np.ones(7))
    70
    """
    if not isinstance(transcendentals, bool):
        raise TypeError(f"transcendentals is {transcendentals!r}, expected True or False")
    compiled = _compile(f, args)
    program = compiled.as_text()
    if re.search(r"\bwhile\(", program):
        raise ValueError("f contains a loop, expected none: XLA counts a loop's body once, however often it runs; use operations")
    if call := re.search(r'custom_call_target="((?:lapack|cusolver)\w*)', program):
        raise ValueError(f"f calls {call[1]}, expected no library call: XLA does not see the work inside; count by hand")
    if call := re.search(r'custom_call_target="(\w*callback\w*)', program):
        raise ValueError(f"f calls Python ({call[1]}), expected none: XLA does not see the work inside; count by hand")
    cost = compiled.cost_analysis()
    return int(cost.get("flops", 0) + (cost.get("transcendentals", 0) if transcendentals else 0))


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


def _count(jaxpr):
    """Return the operations of a jaxpr, loops and calls included, without those that no result needs."""
    jaxpr, _ = dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars))
    return sum(map(_cost, jaxpr.eqns))


def _cost(eqn):
    """Return the operations of one equation of a jaxpr."""
    name, params = eqn.primitive.name, eqn.params
    size = lambda variable: math.prod(variable.aval.shape)
    if name in _ONE_EACH:
        return size(eqn.outvars[0])
    if name in _MOVES and params.get("update_jaxpr") is None:
        return 0
    if name == "integer_pow":
        n = abs(params["y"])
        return size(eqn.outvars[0]) * (max(n.bit_length() + n.bit_count() - 2, 0) + (params["y"] < 0))
    if name == "dot_general":
        (contracted, _), _ = params["dimension_numbers"]
        return 2 * size(eqn.outvars[0]) * math.prod(eqn.invars[0].aval.shape[axis] for axis in contracted)
    if name in _REDUCTIONS:
        return max(size(eqn.invars[0]) - size(eqn.outvars[0]), 0)
    if name in _CUMULATIVE:
        return size(eqn.invars[0])
    if name.startswith(("scatter-", "scatter_")):                # scatter-add and its like; plain scatter is a move
        return size(eqn.invars[2])
    if name == "while":
        raise ValueError("f contains a while loop, expected none: nobody knows how often it runs; count by hand")
    if name == "cond":
        return max(_count(branch.jaxpr) for branch in params["branches"])
    inner = next((params[key] for key in ("jaxpr", "call_jaxpr", "fun_jaxpr") if key in params), None)
    if inner is None or name not in _CALLS:
        raise ValueError(f"f uses {name!r}, expected primitives whose operations can be counted; count by hand")
    return _count(getattr(inner, "jaxpr", inner)) * (params["length"] if name == "scan" else 1)


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
