"""Hidden tests of chapter 10: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import functools

import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def drive_flop_ratio(answer, seed):
    from types import FunctionType

    import jax
    import jax.numpy as jnp
    import numpy as np

    def refuse(*args, **kwargs):
        raise RuntimeError("count it yourself: this exercise asks for the compiler's own figures")

    try:                                        # in place, so that a name bound before is refused as well
        from lecture_utils import bench
        for name, function in vars(bench).items():
            if isinstance(function, FunctionType) and not name.startswith("_") and function.__module__ == bench.__name__:
                function.__code__ = refuse.__code__
    except ImportError:
        pass
    rng = np.random.default_rng(seed)
    n = int(rng.integers(200, 400))
    A = rng.standard_normal((n, n))
    x = rng.standard_normal(n)
    functions = {
        "a quadratic form": lambda z: z @ (A @ z),
        "Rosenbrock": lambda z: jnp.sum(100 * (z[1:] - z[:-1] ** 2) ** 2 + (1 - z[:-1]) ** 2),
        "exp of sin": lambda z: jnp.sum(jnp.exp(jnp.sin(z))),
        "tanh and log": lambda z: jnp.sum(jnp.log(2 + jnp.tanh(z)) * z),
    }

    def runs():
        concrete = [0]

        def f(z):
            concrete[0] += not isinstance(z, jax.core.Tracer)
            return jnp.sum(z * z)

        value = answer(f, x.copy())
        return np.array([concrete[0], isinstance(value, float)])

    return {**{name: lambda f=f: np.array([answer(f, x.copy())], dtype=float) for name, f in functions.items()}, "runs": runs}


@functools.lru_cache(maxsize=64)
def counted(name, n):
    """What this machine's compiler counts for a function of n numbers, and for it with its gradient: [2, flops or transcendentals]."""
    import jax
    import jax.numpy as jnp
    f = {"a quadratic form": lambda z: z @ (jnp.ones((n, n)) @ z),
         "Rosenbrock": lambda z: jnp.sum(100 * (z[1:] - z[:-1] ** 2) ** 2 + (1 - z[:-1]) ** 2),
         "exp of sin": lambda z: jnp.sum(jnp.exp(jnp.sin(z))),
         "tanh and log": lambda z: jnp.sum(jnp.log(2 + jnp.tanh(z)) * z)}[name]
    with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):      # as where answers run
        costs = [jax.jit(program).lower(np.ones(n)).compile().cost_analysis() for program in (f, jax.value_and_grad(f))]
    return np.array([[cost.get("flops", 0), cost.get("transcendentals", 0)] for cost in costs], dtype=float)


def judge_flop_ratio(arrays, seed):
    n = int(np.random.default_rng(seed).integers(200, 400))

    def right(name, *, only_flops=False):
        if name not in arrays:
            return False
        table = counted(name, n)
        totals = table[:, 0] if only_flops else table.sum(axis=1)
        return close(arrays, name, [totals[1] / totals[0]], rtol=1e-9)

    plain = right("a quadratic form") and right("Rosenbrock")
    curved = right("exp of sin") and right("tanh and log")
    forgot = right("exp of sin", only_flops=True)
    return [
        Part("programs of sums and products", 2, plain,
             "compile two programs, value and gradient together, and the value alone, and divide the first count by the second; "
             "a gradient alone is less, since the compiler drops the value"),
        Part("programs with exp, sin, tanh and log", 1, curved,
             "XLA lists transcendental functions apart, under another name: add them to the flops in both programs; an entry that is missing counts 0"
             if plain or forgot else ABOVE),
        Part("a float, without running f", 1, close(arrays, "runs", [0, 1]) and (plain or curved),
             "lower and compile f, which traces it; do not call it with numbers; and turn the answer into a Python float"
             if plain or curved else ABOVE),
    ]


def drive_sqrt_checkpoint(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np
    rng = np.random.default_rng(seed)
    n, a = 400, float(rng.uniform(0.9, 1.1))
    x = rng.uniform(0.2, 1.0, n)

    def step(z):
        return jnp.sin(a * z)

    def summed(T, z):
        return jnp.sum(answer(step, z, T))

    def value_and_gradient(T):
        value = answer(step, jnp.asarray(x), T)
        return np.stack([value, jax.jit(jax.grad(lambda z: summed(T, z)))(x)])

    def states(T):
        memory = jax.jit(jax.grad(lambda z: summed(T, z))).lower(x).compile().memory_analysis()
        return np.array([memory.temp_size_in_bytes / (8 * n)])

    def written(T):
        def equations(jaxpr):
            inner = [v for eqn in jaxpr.eqns for v in eqn.params.values() if hasattr(v, "jaxpr") or hasattr(v, "eqns")]
            return len(jaxpr.eqns) + sum(equations(getattr(v, "jaxpr", v)) for v in inner)
        return np.array([equations(jax.make_jaxpr(lambda z: answer(step, z, T))(x).jaxpr)])

    return ({f"square {T}": lambda T=T: value_and_gradient(T) for T in (1, 4, 49)}
            | {f"other {T}": lambda T=T: value_and_gradient(T) for T in (2, 7, 60)}
            | {f"states {T}": lambda T=T: states(T) for T in (100, 400, 1600, 401)}
            | {f"written {T}": lambda T=T: written(T) for T in (64, 256)})


def judge_sqrt_checkpoint(arrays, seed):
    rng = np.random.default_rng(seed)
    n, a = 400, float(rng.uniform(0.9, 1.1))
    start = rng.uniform(0.2, 1.0, n)

    def right(name):
        z, slope = start, np.ones(n)
        for _ in range(int(name.split()[1])):
            z, slope = np.sin(a * z), slope * a * np.cos(a * z)
        return close(arrays, name, np.stack([z, slope]), rtol=1e-10, atol=1e-13)

    def few(T, most):
        used = arrays.get(f"states {T}", np.zeros(0))
        return used.shape == (1,) and used[0] <= most

    squares = all(right(f"square {T}") for T in (1, 4, 49))
    others = all(right(f"other {T}") for T in (2, 7, 60))
    small = all(few(T, 2 * T**0.5 + 4) for T in (100, 400, 1600))
    some, prime = few(1600, 1000), few(401, 3 * 401**0.5 + 6)
    short = [arrays.get(f"written {T}", np.zeros(1)) for T in (64, 256)]
    rolled = all(a.shape == (1,) and a[0] > 0 for a in short) and short[1][0] < short[0][0] + 8
    return [
        Part("state and gradient, T a square", 1, squares,
             "T steps, and no more: segments times steps of a segment must be T" if arrays else ABOVE),
        Part("state and gradient, any T", 1, others and squares and (prime or not small),
             ABOVE if not squares else
             "where T is no square some steps are left over after the segments: take them as well, and not more of them" if not others
             else "T = 401 is prime and has no divisor to use: take segments of about sqrt(T) steps, and the steps left over apart"),
        Part("at most 2 sqrt(T) + 4 states", 2, small and squares,
             ABOVE if not squares else
             "a scan of sqrt(T) segments, each one jax.checkpoint of a scan of sqrt(T) steps: checkpoint the whole segment; "
             "a checkpoint around each single step still keeps the state of each step" if not some else
             "close: the number of segments and the steps in one should both be sqrt(T), in two scans and no more"),
        Part("loops, not unrolled", 1, rolled and squares,
             "a Python loop writes each segment down anew, and the program grows with T: use jax.lax.scan for both loops"
             if squares else ABOVE),
    ]


def drive_hourglass(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    from lecture_utils import bench
    rng = np.random.default_rng(seed)
    jitter = lambda size: int(size + rng.integers(0, 5))
    sizes = {"waist": (jitter(60), 3, jitter(70)), "wide waist, N < M": (jitter(8), 50, jitter(40)),
             "wide waist, M < N": (jitter(40), 50, jitter(8)), "one output": (jitter(20), 100, 1), "K = N": (12, 12, 30)}
    out = {}
    for name, (N, K, M) in sizes.items():
        H = max(N, M)
        A, B = rng.standard_normal((H, N)) / N**0.5, rng.standard_normal((K, H)) / H**0.5
        C, D = rng.standard_normal((H, K)) / K**0.5, rng.standard_normal((M, H)) / H**0.5
        x = rng.standard_normal(N)
        g, h = (lambda z, A=A, B=B: B @ jnp.tanh(A @ z)), (lambda z, C=C, D=D: jnp.tanh(D @ (C @ z)))

        def work(g=g, h=h, x=x, K=K):
            f = lambda z: h(g(z))
            ours = bench.operations(lambda z: answer(g, h, z, K), x)
            return np.array([ours, bench.operations(jax.jacfwd(f), x), bench.operations(jax.jacrev(f), x)], dtype=float)

        out[name] = lambda g=g, h=h, x=x, K=K: np.asarray(answer(g, h, x.copy(), K))
        out[f"work, {name}"] = work
    return out


def judge_hourglass(arrays, seed):
    rng = np.random.default_rng(seed)
    jitter = lambda size: int(size + rng.integers(0, 5))
    sizes = {"waist": (jitter(60), 3, jitter(70)), "wide waist, N < M": (jitter(8), 50, jitter(40)),
             "wide waist, M < N": (jitter(40), 50, jitter(8)), "one output": (jitter(20), 100, 1), "K = N": (12, 12, 30)}
    right, ratio = {}, {}
    for name, (N, K, M) in sizes.items():
        H = max(N, M)
        A, B = rng.standard_normal((H, N)) / N**0.5, rng.standard_normal((K, H)) / H**0.5
        C, D = rng.standard_normal((H, K)) / K**0.5, rng.standard_normal((M, H)) / H**0.5
        x = rng.standard_normal(N)
        hidden = np.tanh(A @ x)
        outer = 1 - np.tanh(D @ (C @ (B @ hidden))) ** 2
        right[name] = close(arrays, name, outer[:, None] * (D @ C @ B @ ((1 - hidden**2)[:, None] * A)), rtol=1e-9, atol=1e-11)
        work = arrays.get(f"work, {name}", np.zeros(0))
        ratio[name] = work[0] / min(work[1:]) if work.shape == (3,) and work[0] > 0 else np.inf
    narrow = right["waist"] and right["one output"]
    every = all(right.values())
    wide = [name for name in sizes if name != "waist"]
    return [
        Part("the Jacobian, through a waist and to one output", 1, narrow,
             "J is the derivative of h at g(x), not at x, times that of g at x, in this order: [M, K] times [K, N]" if arrays else ABOVE),
        Part("the Jacobian for every K", 1, every,
             "K may be larger than N, than M, or equal to either: the answer is still the Jacobian of h after g" if narrow else ABOVE),
        Part("few operations through a narrow waist", 2, bool(narrow and ratio["waist"] < 0.15),
             "reverse mode through g, K pullbacks, and forward mode through h, K directions; the other way round takes N and M runs"
             if narrow else ABOVE),
        Part("no more than a pure mode elsewhere", 1, every and all(ratio[name] < 1.05 for name in wide),
             "where K is no smaller than N and M, mixing costs more than a pure mode: then forward if N <= M, reverse if not"
             if every else ABOVE),
    ]
