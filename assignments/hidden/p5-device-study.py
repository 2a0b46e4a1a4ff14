"""Hidden tests of problem set 5: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import json
import math
import re

import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


# --- part 1: rounding

def drive_dev_round(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    kept = (rng.integers(0x00800000, 0x7F000000, 200) & 0xFFFFE000 | rng.integers(0, 2, 200) << 31).astype(np.uint32)
    plain = (rng.integers(0x00800000, 0x7F000000, 3000) | rng.integers(0, 2, 3000) << 31).astype(np.uint32)
    plain = plain[(plain & 0x1FFF) != 0x1000]
    ties = (rng.integers(0x00800000, 0x7F000000, 300) & 0xFFFFE000 | 0x1000 | rng.integers(0, 2, 300) << 31).astype(np.uint32)
    special = np.array([0, 0x80000000, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00000, 0x7FFFFFFF, 0x7F800001, 0xFFFFFFFF, 0x7F7FFFFF,
                        0xFF7FFFFF, 0x7F7FEFFF, 0x3FFFFFFF, 0x00000001, 0x00003001, 0x807FFFFF, 0x00001FFF], np.uint32)

    def bits(given, compiled=False):
        x = jnp.asarray(given.view(np.float32))
        out = np.asarray((jax.jit(answer) if compiled else answer)(x))
        if out.dtype != np.float32 or out.shape != given.shape:
            raise TypeError(f"expected float32 of shape {given.shape}, got {out.dtype} of shape {out.shape}")
        return np.ascontiguousarray(out).view(np.uint32)

    def found(jaxpr, names):
        for eqn in jaxpr.eqns:
            names.append(eqn.primitive.name)
            for value in eqn.params.values():
                for inner in value if isinstance(value, (tuple, list)) else [value]:
                    inner = getattr(inner, "jaxpr", inner)
                    if hasattr(inner, "eqns"):
                        found(inner, names)
        return names

    def traced():
        names = found(jax.make_jaxpr(answer)(jnp.ones((2, 3), jnp.float32)).jaxpr, [])
        return np.array(["bitcast_convert_type" in names, "reduce_precision" not in names], int)

    def refuses(dtype):
        try:
            answer(jnp.ones(3, dtype))
        except TypeError:
            return 1
        return 0

    return {"kept": lambda: bits(kept), "plain": lambda: bits(plain), "ties": lambda: bits(ties), "special": lambda: bits(special),
            "compiled": lambda: bits(kept.reshape(2, 2, 50), True), "traced": traced,
            "refuses": lambda: np.array([refuses(jnp.float64), refuses(jnp.float16), refuses(jnp.int32)])}


def _short(bits):
    """The rule itself, on bits: nearest, ties to even; a NaN is not judged by its bits."""
    wide = bits.astype(np.uint64)
    return ((wide + 0xFFF + (wide >> 13 & 1)) & 0xFFFFE000).astype(np.uint32)


def judge_dev_round(arrays, seed):
    rng = np.random.default_rng(seed)
    kept = (rng.integers(0x00800000, 0x7F000000, 200) & 0xFFFFE000 | rng.integers(0, 2, 200) << 31).astype(np.uint32)
    plain = (rng.integers(0x00800000, 0x7F000000, 3000) | rng.integers(0, 2, 3000) << 31).astype(np.uint32)
    plain = plain[(plain & 0x1FFF) != 0x1000]
    ties = (rng.integers(0x00800000, 0x7F000000, 300) & 0xFFFFE000 | 0x1000 | rng.integers(0, 2, 300) << 31).astype(np.uint32)
    got = lambda name, like: (arrays[name] if name in arrays and arrays[name].shape == like.shape and arrays[name].dtype == np.uint32
                              else None)
    same = lambda name, given, right: got(name, given) is not None and bool(np.array_equal(got(name, given), right))
    neighbor = lambda out, given: out is not None and bool(np.all(out & 0x1FFF == 0) and np.all(
        (out == given & 0xFFFFE000) | (out == (given & 0xFFFFE000) + 0x2000)))
    grid = same("kept", kept, kept) and neighbor(got("plain", plain), plain)
    nearest = same("plain", plain, _short(plain))
    even = same("ties", ties, _short(ties)) or not nearest and neighbor(got("ties", ties), ties)
    special = np.array([0, 0x80000000, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00000, 0x7FFFFFFF, 0x7F800001, 0xFFFFFFFF, 0x7F7FFFFF,
                        0xFF7FFFFF, 0x7F7FEFFF, 0x3FFFFFFF, 0x00000001, 0x00003001, 0x807FFFFF, 0x00001FFF], np.uint32)
    out, is_nan = got("special", special), special & 0x7FFFFFFF > 0x7F800000
    rule = _short if nearest else lambda bits: bits & 0xFFFFE000            # whoever cuts off is told so above
    near_ok = out is not None and bool(np.all(out[is_nan] & 0x7FFFFFFF > 0x7F800000)
                                       and (np.array_equal(out[~is_nan], rule(special[~is_nan])) or not nearest and np.all(
                                           out[1:4] == special[1:4])))
    alike = got("kept", kept)
    traced = close(arrays, "traced", [1, 1]) and alike is not None and same("compiled", kept.reshape(2, 2, 50), alike.reshape(2, 2, 50))
    return [
        Part("a fraction of 10 bits", 1, grid,
             "a number that has 10 bits of fraction already must come back as it is, and every other one become one of its two "
             "neighbors of that kind, with 13 zero bits at the end: the mask is 0xFFFFE000" if arrays else ABOVE),
        Part("to the nearest", 2, nearest,
             "clearing the last 13 bits rounds toward zero; before it, add half of the last kept bit, 0x1000 less the tie's share" if grid else ABOVE),
        Part("ties to even", 1, even,
             "exactly half way (the 13 bits are 1000000000000) the number goes to the neighbor whose last kept bit is 0: add 0xFFF, and "
             "1 more only where bit 13 is set" if nearest else ABOVE),
        Part("zeros, infinities, NaN, carries into the exponent, very small numbers", 1, near_ok,
             "a NaN whose bits are all ones runs over when you add to it, and an infinity must stay: look at both; signs stay; "
             "below the smallest normal number the same rule holds for the bits" if grid else ABOVE),
        Part("by integer operations, under jit", 1, traced,
             "work on the bits with jax.lax.bitcast_convert_type, not with reduce_precision or NumPy: the function must be one that "
             "JAX can trace, for arrays of any shape" if arrays else ABOVE),
        Part("float32 only", 1, close(arrays, "refuses", [1, 1, 1]) and (grid or "plain" in arrays),
             "x.dtype other than float32 must raise a TypeError; do not convert it in silence" if arrays else ABOVE),
    ]


# --- part 2: the gradient

def drive_dev_gradient(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    n, p, k = 40 + int(rng.integers(20)), 7, 5
    W, X, y = rng.standard_normal((p, k)), rng.standard_normal((n, p)), rng.integers(0, k, n)
    few = 2
    W2, X2, y2 = 1.5 * rng.standard_normal((9, 16)), rng.standard_normal((few, 9)), rng.integers(0, 16, few)
    W3 = np.outer(np.ones(p), np.arange(k) * 1.0) * 1e3

    def run(precision, W, X, y, dtype=np.float64):
        f = jax.jit(lambda W, X, y: answer(W, X, y, precision))
        return np.asarray(f(jnp.asarray(W, dtype), jnp.asarray(X, dtype), jnp.asarray(y)))

    def products(jaxpr, out):
        for eqn in jaxpr.eqns:
            if eqn.primitive.name == "dot_general":
                asked = eqn.params["precision"]
                names = {str(getattr(a, "name", a)) for a in (asked if isinstance(asked, tuple) else (asked,))}
                code = (2 if names <= {"HIGHEST", "F32_F32_F32"} else 1 if names <= {"HIGH", "TF32_TF32_F32"}
                        else 0 if names <= {"DEFAULT", "None"} else -1)
                out.append([code, max(v.aval.dtype.itemsize for v in eqn.invars)])
            for value in eqn.params.values():
                for inner in value if isinstance(value, (tuple, list)) else [value]:
                    inner = getattr(inner, "jaxpr", inner)
                    if hasattr(inner, "eqns"):
                        products(inner, out)
        return out

    def asked(precision):
        traced = jax.make_jaxpr(lambda W, X, y: answer(W, X, y, precision))(jnp.asarray(W), jnp.asarray(X), jnp.asarray(y))
        return np.array(products(traced.jaxpr, []), int).reshape(-1, 2)

    def refuses(name):
        try:
            jax.eval_shape(lambda W, X, y: answer(W, X, y, name), jnp.asarray(W), jnp.asarray(X), jnp.asarray(y))
        except ValueError:
            return 1
        return 0

    return {
        "float64": lambda: run("float64", W, X, y),
        "float64 of float32": lambda: run("float64", W, X, y, np.float32),
        "large, float64": lambda: run("float64", W3, np.abs(X), y),
        "large, float32": lambda: run("float32", W3, np.abs(X), y),
        "float32": lambda: run("float32", W, X, y),
        "float32 of float32": lambda: run("float32", W, X, y, np.float32),
        "tf32": lambda: run("tf32", W, X, y),
        "simulated": lambda: run("simulated", W2, X2, y2),
        "asked, float32": lambda: asked("float32"), "asked, tf32": lambda: asked("tf32"), "asked, simulated": lambda: asked("simulated"),
        "refuses": lambda: np.array([refuses("float16"), refuses("TF32"), refuses("")]),
    }


def _mean_gradient(W, X, y, first=lambda a: a, W_first=lambda a: a, second=lambda a: a, R_second=lambda a: a):
    """In float64; each input of each product may be rounded on its way."""
    Z = first(X) @ W_first(W)
    R = np.exp(Z - Z.max(axis=1, keepdims=True))
    R /= R.sum(axis=1, keepdims=True)
    R[np.arange(len(y)), y] -= 1
    return second(X).T @ R_second(R) / len(y)


def _tf32(a):
    return _short(np.ascontiguousarray(a, np.float32).view(np.uint32)).view(np.float32).astype(np.float64)


def judge_dev_gradient(arrays, seed):
    rng = np.random.default_rng(seed)
    n, p, k = 40 + int(rng.integers(20)), 7, 5
    W, X, y = rng.standard_normal((p, k)), rng.standard_normal((n, p)), rng.integers(0, k, n)
    few = 2
    W2, X2, y2 = 1.5 * rng.standard_normal((9, 16)), rng.standard_normal((few, 9)), rng.integers(0, 16, few)
    W3 = np.outer(np.ones(p), np.arange(k) * 1.0) * 1e3
    single = lambda a: a.astype(np.float32).astype(np.float64)
    G = _mean_gradient(W, X, y)
    near = lambda name, right, tol: close(arrays, name, right, rtol=0, atol=tol * np.max(np.abs(right)))
    right = (near("float64", G, 1e-12) and near("float64 of float32", _mean_gradient(single(W), single(X), y), 1e-12))
    forms = {"": 1.0, "sign": -1.0, "sum": float(n), "sign and sum": -float(n)}
    form = next((name for name, c in forms.items() if near("float64", c * G, 1e-12)), None) if not right else ""
    scale = {"": lambda m: 1.0, "sign": lambda m: -1.0, "sum": float, "sign and sum": lambda m: -float(m)}[form or ""]

    is32 = lambda name: name in arrays and arrays[name].dtype == np.float32
    wide = [arrays[name][:, 1].max() for name in ("asked, float32", "asked, tf32", "asked, simulated")
            if arrays.get(name, np.zeros(0)).shape[:1] > (0,)]
    in32 = (near("float32", scale(n) * _mean_gradient(single(W), single(X), y), 1e-5) and near("tf32", scale(n) * G, 5e-3)
            and near("float32 of float32", scale(n) * _mean_gradient(single(W), single(X), y), 1e-5)
            and all(is32(name) for name in ("float32", "float32 of float32", "tf32", "simulated")) and bool(wide) and max(wide) == 4)
    big = _mean_gradient(W3, np.abs(X), y)
    stable = near("large, float64", scale(n) * big, 1e-9) and near("large, float32", scale(n) * big, 1e-4)

    def codes(name, code, least):
        out = arrays.get(name, np.zeros((0, 2)))
        return out.ndim == 2 and len(out) >= least and bool(np.all(out[:, 0] == code))

    asks = codes("asked, float32", 2, 2) and codes("asked, tf32", 1, 2) and codes("asked, simulated", 2, 1)
    keep = lambda a: a
    R2 = _mean_gradient(W2, X2, y2, second=lambda a: np.eye(few)) * few    # [few, 16]
    size = np.abs(X2).T @ np.abs(R2) / few                                 # of the terms of each element
    choice, best = None, 0.85
    for flags in np.ndindex(2, 2, 2, 2):
        first, W_first, second, R_second = (_tf32 if flag else keep for flag in flags)
        model = scale(few) * _mean_gradient(single(W2), single(X2), y2, first, W_first, second, R_second)
        out = arrays.get("simulated", np.zeros(0))
        ok = out.shape == model.shape and out.dtype.kind == "f"
        share = float(np.mean(np.abs(out - model) <= 1e-5 * abs(scale(few)) * size)) if ok else 0.0
        if share > best:
            choice, best = flags, share
    after = lambda hint: hint if form is not None else ABOVE
    return [
        Part("the mean gradient in float64", 3, right,
             ABOVE if not arrays else
             "it is the gradient of MINUS the log-likelihood, P minus the indicator of the choice: the sign" if form == "sign" else
             "the mean over persons, not the sum: divide by n" if form == "sum" else
             "compare it with reference(W, X, y), on other numbers of characteristics and alternatives than 64 and 32; it must run "
             "under jax.jit, and float32 arrays must be converted to float64 first, not after"),
        Part("large utilities", 1, stable,
             after("exp of a large utility overflows: subtract the largest of each person first, as jax.nn.softmax does")),
        Part("float32 where it is asked for", 2, in32,
             after("for float32, tf32 and simulated convert W and X to float32 first; the products, too, must be of float32 arrays (a "
                   "float64 array anywhere, such as an indicator made without a type, turns what it meets into float64)")),
        Part("what each product asks for", 3, asks,
             "both products, the one on the way back as well, must carry the request: 'highest' for float32 and simulated, "
             "'tensorfloat32' for tf32, by precision= or by the context jax.default_matmul_precision around all of them" if arrays else ABOVE),
        Part("simulated: the inputs of the first product", 2, choice is not None and bool(choice[0] and choice[1]),
             after("round X and W by round_tf32 before X @ W, and nothing else there: the utilities themselves stay in float32")),
        Part("simulated: the inputs of the second product", 2, choice is not None and bool(choice[2] and choice[3]),
             after("round X and R by round_tf32 before the product that gives G, and not its result; jax.grad through the rounding gives "
                   "zeros or leaves this product as it was, so write X.T @ R out")),
        Part("an unknown precision", 1, close(arrays, "refuses", [1, 1, 1]) and "float64" in arrays,
             "a name that is not one of the four, such as 'TF32', must raise a ValueError" if arrays else ABOVE),
    ]


# --- part 3: a compensated addition

def drive_dev_add(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    T = 50_000 + int(rng.integers(5000))
    terms = {"equal": np.full((T, 2), rng.uniform(0.09, 0.11, 2)), "positive": rng.uniform(0, 1, (T, 3)),
             "mixed": rng.standard_normal((T, 3)) + 0.1}
    large = 2.0 ** rng.integers(26, 34, 3)
    swallow = np.stack([np.ones(3), large, np.ones(3), -large])
    once = 2.0 ** -rng.integers(26, 40, 4)

    def add(terms, dtype):
        def step(carry, term):
            return tuple(answer(*carry, term)), None

        terms = jnp.asarray(terms, dtype)
        zeros = jnp.zeros(terms.shape[1:], dtype)
        return jax.jit(lambda terms: jax.lax.scan(step, (zeros, zeros), terms)[0])(terms)

    def both(terms, dtype=jnp.float32):
        out = add(terms, dtype)
        return np.stack([np.asarray(a, np.float64) for a in out])

    def types():
        out = add(terms["mixed"][:5], jnp.float32) + add(terms["mixed"][:5], jnp.float64)
        seen, todo = [], [jax.make_jaxpr(answer)(*(jnp.ones(2, jnp.float32),) * 3).jaxpr]
        while todo:
            for eqn in todo.pop().eqns:
                seen += [v.aval.dtype.itemsize for v in eqn.outvars if v.aval.dtype.kind == "f"]
                for value in eqn.params.values():
                    for inner in value if isinstance(value, (tuple, list)) else [value]:
                        inner = getattr(inner, "jaxpr", inner)
                        if hasattr(inner, "eqns"):
                            todo.append(inner)
        return np.array([a.dtype.itemsize for a in out] + [max(seen)])

    def single():
        total, lost = answer(jnp.ones(4, jnp.float32), jnp.zeros(4, jnp.float32), jnp.asarray(once, jnp.float32))
        return np.stack([np.asarray(total, np.float64), np.asarray(lost, np.float64)])

    return {"once": single, **{name: lambda t=t: both(t) for name, t in terms.items()}, "swallow": lambda: both(swallow),
            "64 bits": lambda: both(terms["equal"], jnp.float64), "types": types}


def judge_dev_add(arrays, seed):
    rng = np.random.default_rng(seed)
    T = 50_000 + int(rng.integers(5000))
    terms = {"equal": np.full((T, 2), rng.uniform(0.09, 0.11, 2)), "positive": rng.uniform(0, 1, (T, 3)),
             "mixed": rng.standard_normal((T, 3)) + 0.1}
    rng.integers(26, 34, 3)
    once = 2.0 ** -rng.integers(26, 40, 4)

    def error(name, sign):
        """Of total + sign * lost, in units u of the sum of absolute terms; the worst column."""
        x = terms[name].astype(np.float32)
        out = arrays.get(name, np.zeros(0))
        if out.shape != (2, x.shape[1]) or not np.all(np.isfinite(out)):
            return math.inf
        sums = [math.fsum(column) for column in x.T.tolist()]
        return float(np.max(np.abs(out[0] + sign * out[1] - sums) / (2.0**-24 * np.sum(np.abs(x.astype(float)), axis=0))))

    convention = close(arrays, "once", np.stack([np.ones(4), once]), rtol=0, atol=0)
    signs = (1,) if convention else (1, -1)                                 # a wrong sign costs the first part only
    long = any(all(error(name, s) <= 4 for name in terms) for s in signs)
    out = arrays.get("swallow", np.zeros(0))
    swallow = out.shape == (2, 3) and any(np.array_equal(out[0] + s * out[1], [2.0] * 3) for s in signs)
    x = terms["equal"]
    wide = arrays.get("64 bits", np.zeros(0))
    in64 = wide.shape == (2, 2) and bool(np.allclose(wide[0], T * x[0], rtol=1e-10, atol=0))
    return [
        Part("what one addition rounds off", 2, convention,
             "from total 1, lost 0 and a term of 2**-30 come total 1 and lost 2**-30: what must be ADDED to the total; a minus sign "
             "there belongs to the other convention" if arrays else ABOVE),
        Part("a long sum", 3, long,
             "over 50,000 terms the error of total + lost must stay below 4u times the sum of absolute terms: what was rounded off at "
             "each step has to be kept, and added to what was lost before" if arrays else ABOVE),
        Part("a term that is larger than the total", 1, swallow,
             "1 + 2**30 + 1 - 2**30 must leave 2: Kahan's four operations assume that the total is the larger of the two; Knuth's six "
             "do not" if long else ABOVE),
        Part("in the type of the arguments", 1, close(arrays, "types", [4, 4, 8, 8, 4]) and in64,
             "float32 in, float32 out, and no float64 on the way; float64 arguments stay float64" if arrays else ABOVE),
    ]


# --- part 4: blocks

def drive_dev_stream(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    n, p, k = 24 * int(rng.integers(5, 9)), 6, 4
    W, X, y = rng.standard_normal((p, k)), rng.standard_normal((n, p)), rng.integers(0, k, n)
    one, many = rng.uniform(0.5, 1.5, p), 20_000 + 64 * int(rng.integers(20))

    def run(block, precision, W=W, X=X, y=y):
        f = jax.jit(lambda W, X, y: answer(W, X, y, block, precision))
        dtype = jnp.float64 if precision == "float64" else jnp.float32
        return np.asarray(f(jnp.asarray(W, dtype), jnp.asarray(X, dtype), jnp.asarray(y)))

    def equal_persons(block):
        count = many - many % block
        return run(block, "float32", W, np.tile(one, (count, 1)), np.full(count, 1))

    def planned(block, n, k=16):
        shape = lambda *s: jax.ShapeDtypeStruct(s, jnp.float32)
        f = jax.jit(lambda W, X, y: answer(W, X, y, block, "float32"))
        compiled = f.lower(shape(p, k), shape(n, p), jax.ShapeDtypeStruct((n,), jnp.int64)).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    def refuses(block):
        try:
            jax.eval_shape(lambda W, X, y: answer(W, X, y, block, "float64"), jnp.asarray(W), jnp.asarray(X), jnp.asarray(y))
        except ValueError:
            return 1
        return 0

    return {
        "one block": lambda: run(n, "float64"), "blocks of 1": lambda: run(1, "float64"),
        "simulated": lambda: run(8, "simulated"),
        "refuses": lambda: np.array([refuses(7 if n % 7 else 11), refuses(n - 1), refuses(12)]),
        "equal, 1": lambda: equal_persons(1),
        "planned, 16": lambda: np.array([planned(16, 8192), planned(16, 32768)]),
    }


def judge_dev_stream(arrays, seed):
    rng = np.random.default_rng(seed)
    n, p, k = 24 * int(rng.integers(5, 9)), 6, 4
    W, X, y = rng.standard_normal((p, k)), rng.standard_normal((n, p)), rng.integers(0, k, n)
    one, many = rng.uniform(0.5, 1.5, p), 20_000 + 64 * int(rng.integers(20))
    G = _mean_gradient(W, X, y)
    top = np.max(np.abs(G))
    near = lambda name, right, tol: close(arrays, name, right, rtol=0, atol=tol * np.max(np.abs(right)))
    right = all(near(name, G, 1e-11) for name in ("one block", "blocks of 1"))
    # A sum of the blocks' means, and a sum over persons, cost the first part only.
    blocks = {"one block": n, "blocks of 1": 1}
    factors = {"mean": lambda m, b: 1.0, "sum of means": lambda m, b: m / b, "sum": lambda m, b: float(m), "over n": lambda m, b: 1.0 / b}
    form = next((name for name, c in factors.items() if all(near(what, c(n, b) * G, 1e-11) for what, b in blocks.items())), "mean")
    single = lambda a: a.astype(np.float32).astype(np.float64)
    g = _mean_gradient(single(W), single(one[None]), np.array([1]))

    def steady(name, block):
        out = arrays.get(name, np.zeros(0))
        if out.shape != (p, k) or out.dtype != np.float32 or not np.all(np.isfinite(out)):
            return False
        factor = factors[form](many - many % block, block)
        return bool(np.max(np.abs(out / factor - g)) <= 32 * 2.0**-24 * np.max(np.abs(g)))

    passed_on = near("simulated", factors[form](n, 8) * G, 3e-2) and arrays["simulated"].dtype == np.float32 and bool(
        np.max(np.abs(arrays["simulated"] / factors[form](n, 8) - G)) > 3e-6 * top)

    def level(name, block):
        """A counter for each block is forgiven, an array of the size of a gradient for each is not."""
        out = arrays.get(name, np.zeros(0))
        return out.shape == (2,) and out.dtype.kind in "iu" and bool(
            0 <= out[1] <= 1.25 * out[0] + 16 * (32768 - 8192) / block and out[1] <= 32768 * 16 * 4 / 8)

    refused = arrays.get("refuses", np.zeros(0))
    after = lambda hint: hint if arrays else ABOVE
    return [
        Part("the gradient, whatever the blocks", 2, right,
             after("the mean of the blocks' means, since all blocks have one size: one block, and blocks of 1, must give what "
                   "gradient gives for all persons" if form == "mean" else
                   "each block's mean counts block / n in the mean of all: divide the sum of means by the number of blocks, n // block")),
        Part("the precision reaches the blocks", 1, passed_on,
             after("pass precision on to gradient, and begin the sum with zeros of its type: 'simulated' must show its rounding")),
        Part("blocks that do not fit", 1, refused.shape == (3,) and bool(refused[0] and refused[1] and not refused[2]) and "one block" in arrays,
             after("where n % block is not 0 raise a ValueError; persons at the end must not be dropped in silence")),
        Part("an error that does not grow with n", 3, steady("equal, 1", 1),
             after("20,000 equal persons in float32 must give the gradient of one of them: carry total and lost through the loop by "
                   "compensated_add, and add lost at the end")),
        Part("memory that does not grow with n", 3, level("planned, 16", 16),
             after("bench.temp_bytes grows with n: something holds an array of all persons or of all blocks, such as the gradients that "
                   "a scan or lax.map returns for each block; keep the sum in the carry")),
    ]


# --- part 5: the clock

def drive_dev_measure(answer, seed):
    import time

    import numpy as np

    rng = np.random.default_rng(seed)
    repeats = int(rng.integers(6, 12))
    waits = rng.uniform(1e-3, 3e-3, 60)
    right = rng.standard_normal((5, 4))
    value = (right * (1 + 1e-4 * rng.standard_normal((5, 4)))).astype(np.float32)
    broken = value.copy()
    broken[2, 1], broken[3, 3] = np.nan, np.inf
    given = rng.standard_normal(3)

    def run(value):
        now, free, calls = [100.0], [0.0], []

        class Later(np.ndarray):
            def __array_finalize__(self, other):
                self.ready = getattr(other, "ready", 0.0)

            def block_until_ready(self):
                now[0] = max(now[0], self.ready)
                return self

        def f(a, b):
            if a is not given or b != 7:
                raise ValueError("f was not called with *args")
            now[0] += 1e-4 + (0 if calls else 50.0)
            out = value.copy().view(Later)
            out.ready = free[0] = max(now[0], free[0]) + float(waits[len(calls)])
            calls.append(now[0])
            return out

        real = {name: getattr(time, name) for name in ("perf_counter", "perf_counter_ns", "monotonic", "time")}
        try:
            for name in real:
                setattr(time, name, (lambda: int(now[0] * 1e9)) if name.endswith("ns") else (lambda: now[0]))
            out = answer(f, (given, 7), right, repeats)
        finally:
            for name, function in real.items():
                setattr(time, name, function)
        return out, len(calls)

    def seconds():
        out, calls = run(value)
        return np.concatenate([[calls], np.asarray(out["seconds"], float).ravel()])

    def summary():
        out, _ = run(value)
        return np.array([out["seconds_median"], out["seconds_iqr"]], float)

    def errors(value):
        out, _ = run(value)
        return np.array([out["error_max"], out["error_median"]], float)

    def floats():
        out, _ = run(value)
        names = ("seconds_median", "seconds_iqr", "error_max", "error_median")
        return np.array([type(out["seconds"]) is list and all(type(s) is float for s in out["seconds"]), set(out) == {"seconds", *names},
                         all(type(out[name]) is float for name in names)], int)

    return {"seconds": seconds, "summary": summary, "errors": lambda: errors(value), "broken": lambda: errors(broken), "floats": floats}


def judge_dev_measure(arrays, seed):
    rng = np.random.default_rng(seed)
    repeats = int(rng.integers(6, 12))
    waits = rng.uniform(1e-3, 3e-3, 60)
    right = rng.standard_normal((5, 4))
    value = (right * (1 + 1e-4 * rng.standard_normal((5, 4)))).astype(np.float32)
    out = arrays.get("seconds", np.zeros(0))
    calls, seconds = (int(out[0]), out[1:]) if out.ndim == 1 and len(out) > 1 and np.all(np.isfinite(out)) else (0, np.zeros(0))
    before = calls - repeats
    warm = len(seconds) == repeats and 1 <= before <= 3 and bool(np.all(seconds < 10))
    waited = len(seconds) > 0 and any(
        bool(np.allclose(seconds[skip:], 1e-4 + waits[start + skip:start + len(seconds)], rtol=1e-6, atol=1e-9))
        for start in {max(before, 0), 0, 1} for skip in (0, 1) if skip < len(seconds) and start + len(seconds) <= 60
        and (skip == 0 or not warm))
    summary = arrays.get("summary", np.zeros(0))
    quartiles = np.quantile(seconds, [0.25, 0.5, 0.75]) if len(seconds) else np.full(3, np.nan)
    summed = summary.shape == (2,) and bool(np.allclose(summary, [quartiles[1], quartiles[2] - quartiles[0]], rtol=1e-6, atol=1e-12))
    error = np.abs(value.astype(float) - right) / np.max(np.abs(right))
    exact = close(arrays, "errors", [np.max(error), np.median(error)], rtol=1e-9, atol=0)
    error[2, 1] = error[3, 3] = np.inf
    broken = arrays.get("broken", np.zeros(0))
    infinite = broken.shape == (2,) and bool(np.isposinf(broken[0])) and (not exact or bool(np.isclose(broken[1], np.median(error), rtol=1e-9)))
    after = lambda hint: hint if arrays else ABOVE
    return [
        Part("as many timings as asked for, none of the compilation", 2, warm,
             after("call f once before the loop, untimed, since the first call compiles; then time each of `repeats` calls on its own")),
        Part("until the result is there", 2, waited,
             after("stop the clock after jax.block_until_ready of the result, and wait for the untimed call, too: the promise comes back "
                   "at once, the numbers later")),
        Part("median and spread of that list", 1, summed,
             after("the median of `seconds`, and its third quartile less its first, both by np.quantile of the list that you return")),
        Part("the errors", 1, exact and close(arrays, "floats", [1, 1, 1]),
             after("absolute differences in float64, divided by the largest absolute element of reference; then the largest and the median "
                   "of all elements; all as Python floats under the five keys, and no other key")),
        Part("results that are not finite", 1, infinite,
             after("an element that is NaN or infinite has the error inf, so error_max is inf: np.nanmax would hide it, np.max gives nan")),
    ]


# --- part 6: the file

def drive_dev_results(answer, seed):
    import json

    import numpy as np

    text = answer()
    text = text if isinstance(text, str) else json.dumps(text)
    return {"text": np.frombuffer(text.encode("utf-8", "replace")[:2_000_000], np.uint8)}


NAMES = ("float64", "float32", "tf32", "simulated")
MEASURED = {"precision", "status", "batched", "n", "repeats", "seconds", "seconds_median", "seconds_iqr", "throughput", "bytes",
            "error_max", "error_median"}
WITH_TF32 = r"\b(A100|A800|A10G?|A16|A2|A30|A40|A[2-6]000|H100|H200|H800|GH200|B100|B200|GB200|L4|L40S?)\b|RTX (30|40|50)\d\d|RTX A\d|Ada"
WITHOUT_TF32 = r"\b(T4|P4|P40|P100|V100S?|K80|K40|M60|T1000|TITAN|GTX)\b|RTX 20\d\d"


def _number(value, low=0.0):
    return type(value) in (int, float) and abs(value) < 1e300 and math.isfinite(value) and value >= low


def _whole(value, low=0):
    return type(value) is int and low <= value < 10**15


def _text(value, longest=500):
    return isinstance(value, str) and 0 < len(value.strip()) <= longest


def _usable(row):
    """Whether a row says what it is of, so that its values can be looked at."""
    if not isinstance(row, dict) or not isinstance(row.get("precision"), str) or row["precision"] not in NAMES:
        return False
    if row.get("status") == "not available":
        return True
    return row.get("status") == "measured" and type(row.get("batched")) is bool and _whole(row.get("n"), 1)


def _complete(row):
    """Whether a usable row has the keys and the kinds of values of the statement; lacking raw timings count elsewhere."""
    if row["status"] == "not available":
        return set(row) == {"precision", "status", "reason"} and _text(row["reason"])
    return (set(row) | {"seconds"} == MEASURED and isinstance(row.get("seconds", []), list) and _whole(row["repeats"], 1)
            and all(_number(row[key]) for key in ("seconds_median", "seconds_iqr", "throughput", "error_max", "error_median"))
            and _whole(row["bytes"]))


def _parse(array):
    """The file as a dict, or an empty one, and whether it is plain JSON: what came is text from somewhere else, and may be anything."""
    odd = []

    def constant(name):                                                     # NaN and Infinity are no JSON
        odd.append(name)
        return math.nan

    try:
        text = bytes(np.asarray(array, np.uint8).ravel()).decode("utf-8")
        study = json.loads(text, parse_constant=constant)
    except (ValueError, RecursionError, MemoryError, TypeError):
        return {}, False
    return (study, not odd) if isinstance(study, dict) else ({}, False)


def _data(n, D=64, K=32):
    random = np.random.default_rng([5, n])
    W, X = random.standard_normal((D, K)) / 16, random.standard_normal((n, D))
    return W, X, np.argmax(2 * X @ W + random.gumbel(size=(n, K)), axis=1)


def judge_dev_results(arrays, seed):
    study, plain = _parse(arrays.get("text", np.zeros(0)))
    given = study.get("rows") if isinstance(study.get("rows"), list) else []
    rows = [row for row in given[:1000] if _usable(row)]
    measured = [row for row in rows if row["status"] == "measured"]
    value = lambda row, key: float(row[key]) if row is not None and _number(row.get(key)) else math.nan
    where = study.get("device") if isinstance(study.get("device"), dict) else {}
    kind, name = where.get("platform"), where.get("name")
    versions = study.get("versions") if isinstance(study.get("versions"), dict) else {}
    schema = (plain and all(map(_complete, rows)) and set(study) == {"device", "versions", "host", "date", "rows"} and set(where) == {"platform", "name", "memory_gib"}
              and (where["memory_gib"] is None or _number(where["memory_gib"])) and 0 < len(given) == len(rows))

    on_cpu = kind == "cpu" and _text(name) and "cpu" in name.lower()
    on_other = kind in ("gpu", "tpu") and _text(name) and "cpu" not in name.lower() and name.lower() not in ("gpu", "tpu", "cuda")
    version = lambda key: isinstance(versions.get(key), str) and re.match(r"\d+\.\d+", versions[key]) is not None
    day = study.get("date")
    named = ((on_cpu or on_other) and _text(study.get("host")) and all(map(version, ("python", "jax", "jaxlib", "numpy")))
             and isinstance(day, str) and re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", day) is not None)

    def raw(row):
        seconds = row.get("seconds")
        if not isinstance(seconds, list) or not 5 <= len(seconds) < 10**5 or not all(_number(s) and s > 0 for s in seconds):
            return False
        low, median, high = np.quantile(seconds, [0.25, 0.5, 0.75])
        return bool(row.get("repeats") == len(seconds) and len(set(seconds)) > 2
                    and abs(value(row, "seconds_median") - median) <= 0.01 * median
                    and abs(value(row, "seconds_iqr") - (high - low)) <= 0.02 * (high - low) + 0.001 * median)

    timings = bool(measured) and all(map(raw, measured))
    rates = bool(measured) and all(abs(value(row, "throughput") * value(row, "seconds_median") / row["n"] - 1) <= 0.01 for row in measured)

    def find(precision, batched, n=None):
        """The row of that kind and size; without a size, the one with the most persons."""
        found = [row for row in measured if (row["precision"], row["batched"]) == (precision, batched) and n in (None, row["n"])]
        return max(found, key=lambda row: row["n"], default=None)

    present = {row["precision"] for row in measured}
    time = lambda p, n: value(find(p, False, n), "seconds_median")
    waited = bool(present) and all(time(p, 4096) >= 2 * time(p, 1024) > 0 for p in present)

    W, X, y = _data(1024)
    G = _mean_gradient(W, X, y)
    single = lambda a: a.astype(np.float32).astype(np.float64)
    off = np.abs(_mean_gradient(single(W), single(X), y, _tf32, _tf32, _tf32, _tf32) - G) / np.max(np.abs(G))
    error = lambda p, batched, n, key="error_max": value(find(p, batched, n), key)
    ways = [(b, n) for b in (True, False) for n in (1024, 4096) if all(find(p, b, n) for p in ("float64", "float32", "simulated"))]
    ordered = (True, 1024) in ways and all(
        error("float64", *way) < 1e-12 < 1e-9 < error("float32", *way) < 1e-5
        and 2 * error("float32", *way) < error("simulated", *way) < 1e-2 for way in ways)
    ordered = ordered and all(value(row, "error_median") <= value(row, "error_max") for row in measured) and all(
        2 * error("float32", True, row["n"]) < value(row, "error_max") < 1e-2
        for row in measured if row["precision"] == "tf32" and row["batched"] and find("float32", True, row["n"]))
    repeated = ordered and all(abs(error("simulated", b, n, key) / right - 1) <= 0.1 for b, n in ways if n == 1024
                               for key, right in (("error_max", np.max(off)), ("error_median", np.median(off))))

    planned = lambda row: value(row, "bytes") if row is not None else -1.0
    memory = bool(present) and all(planned(find(p, True)) > max(planned(find(p, True, 1024)), planned(find(p, False, 4096)), 0)
                                   for p in present)
    memory = memory and (not {"float64", "float32"} <= present or planned(find("float64", True)) > planned(find("float32", True)))

    least = 262144 if kind == "gpu" else 16384
    covered = {"float64", "float32", "simulated"} <= present and all(
        find(p, b, n) is not None for p in present for b in (True, False) for n in (1024, 4096)) and all(
        find(p, True)["n"] >= least for p in present)
    absent = [row["precision"] for row in rows if row["status"] == "not available"]
    label = absent == (["tf32"] if "tf32" not in present else []) and ("tf32" not in present or kind == "gpu")
    if kind == "gpu" and isinstance(name, str):
        label = label and not ("tf32" in present and re.search(WITHOUT_TF32, name)) and not (absent and re.search(WITH_TF32, name))
    after = lambda hint: hint if measured else ABOVE
    return [
        Part("the file and its keys", 1, schema,
             "it must be JSON as as_text prints it, with the five keys of the statement and, in each row, exactly the keys of its table, "
             "numbers as numbers (no NaN, no Infinity)" if "text" in arrays else ABOVE),
        Part("the device, the versions, the date", 1, named,
             after("platform is cpu, gpu or tpu, as device.device_info() says, and the name is that of such a device (CPU for a CPU, the "
                   "maker's name for a card); host, the four versions and a date as 2026-01-31 are there")),
        Part("raw timings, median and spread", 2, timings,
             after("repeats is the number of raw timings, at least 5, which are not all the same; seconds_median and seconds_iqr are "
                   "theirs, in seconds, of the same run")),
        Part("throughput", 1, rates, after("throughput is n over seconds_median, in persons per second")),
        Part("time grows with the work", 1, waited,
             after("4096 persons one by one must take at least twice as long as 1024: a loop four times as long cannot be as fast; did the "
                   "clock wait for the result?")),
        Part("the errors", 2, ordered and repeated,
             after("at each size error_max must rise from float64 to float32 to simulated" if not ordered else
                   "the errors of the simulation at n = 1024 do not depend on the machine: all inputs of both products rounded by "
                   "round_tf32, draw_data(1024), reference in float64 of the data before they are rounded to float32")),
        Part("planned bytes", 1, memory,
             after("bytes is what bench.temp_bytes plans for that function and that n: it grows with n in one batch, is larger in one batch "
                   "of the largest size than one by one, and larger in float64 than in float32")),
        Part("all rows, and TF32 only where there is any", 2, covered and label,
             after("each measured precision needs n = 1024 and 4096 both ways and one larger batch" if label else
                   "a CPU and cards before NVIDIA's Ampere have no TF32: one row with the status 'not available' and a reason stands in "
                   "place of its rows, and a simulation is called simulated; where a card has TF32, its rows are there")),
    ]
