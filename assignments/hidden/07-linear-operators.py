"""Hidden tests of chapter 07: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def drive_operator_matrix(answer, seed):
    from types import FunctionType

    import numpy as np

    def refuse(*args, **kwargs):
        raise RuntimeError("write it yourself: this exercise asks for a function of your own")

    try:                                        # in place, so that a name bound before is refused as well
        from lecture_utils import checks, linop
        for function in [*vars(linop).values(), checks.dot_product_test]:
            if isinstance(function, FunctionType) and function.__module__ in (linop.__name__, checks.__name__):
                function.__code__ = refuse.__code__
    except ImportError:
        pass
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    m = n + int(rng.integers(1, 4))
    tall, wide, square = (rng.standard_normal(shape) for shape in [(m, n), (n, m), (n, n)])

    def asked(adjoint):
        seen = []

        def product(e):
            seen.append(np.array(e))
            return (tall.T if adjoint else tall) @ e

        answer(product, m if adjoint else n, adjoint=adjoint)
        return np.array(seen, dtype=float)

    def one_buffer():
        buffer = np.empty(m)

        def product(v):
            np.matmul(tall, v, out=buffer)
            return buffer

        return np.array(answer(product, n))

    def overwrites():
        def product(v):
            image = tall @ v
            v[:] = 7
            return image

        return np.array(answer(product, n))

    return {
        "tall": lambda: answer(lambda v: tall @ v, n),
        "wide": lambda: answer(lambda v: wide @ v, m),
        "tall adjoint": lambda: answer(lambda u: tall.T @ u, m, adjoint=True),
        "wide adjoint": lambda: answer(lambda u: wide.T @ u, n, adjoint=True),
        "square": lambda: answer(lambda v: square @ v, n),
        "square adjoint": lambda: answer(lambda u: square.T @ u, n, adjoint=True),
        "asked": lambda: asked(False),
        "asked adjoint": lambda: asked(True),
        "one buffer": one_buffer,
        "overwrites": overwrites,
    }


def judge_operator_matrix(arrays, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    m = n + int(rng.integers(1, 4))
    tall, wide, square = (rng.standard_normal(shape) for shape in [(m, n), (n, m), (n, n)])
    right = lambda name, A: close(arrays, name, A, rtol=1e-12)
    once = lambda name, size: name in arrays and arrays[name].shape == (size, size) and bool(
        np.array_equal(np.sort(np.argmax(arrays[name], 1)), np.arange(size)) and np.sum(arrays[name]) == size)
    columns = right("tall", tall) and right("wide", wide) and right("square", square)
    rows = right("tall adjoint", tall) and right("wide adjoint", wide) and right("square adjoint", square)
    careful = right("one buffer", tall) and right("overwrites", tall)
    return [
        Part("from the operator", 1, columns,
             "what the operator returns for basis vector i is column i, for tall and for wide matrices" if arrays else ABOVE),
        Part("from the adjoint", 1, rows,
             "what the adjoint returns for basis vector j is row j of the matrix; the result has shape (M, N) there, too" if arrays else ABOVE),
        Part("each basis vector once, and no array shared", 1,
             (columns or rows) and once("asked", n) and once("asked adjoint", m) and careful,
             ABOVE if not (columns or rows) else
             "call the product once for each basis vector, size times in all" if not (once("asked", n) and once("asked adjoint", m)) else
             "the product may write into the vector that it gets and return one array again and again: give it a new vector each "
             "time, and copy what it returns"),
    ]


def drive_adjoint_test(answer, seed):
    from types import FunctionType

    import jax
    import numpy as np

    def refuse(*args, **kwargs):
        raise RuntimeError("write it yourself: this exercise asks for a function of your own")

    try:                                        # in place, so that a name bound before is refused as well
        from lecture_utils import checks, linop
        for function in [*vars(linop).values(), checks.dot_product_test]:
            if isinstance(function, FunctionType) and function.__module__ in (linop.__name__, checks.__name__):
                function.__code__ = refuse.__code__
    except ImportError:
        pass
    rng = np.random.default_rng(seed)
    n = int(rng.integers(20, 30))
    m = n + int(rng.integers(5, 15))
    A, E = rng.standard_normal((m, n)), rng.standard_normal((n, m))
    E *= np.linalg.norm(A) / np.linalg.norm(E)
    square = rng.standard_normal((n, n))
    keys = [jax.random.key(seed + i) for i in range(20)]

    def many(forward, back):
        size_m, size_n = forward.shape
        return np.array([answer(lambda v: forward @ v, lambda u: back @ u, size_n, size_m, key) for key in keys], dtype=float)

    def drawn():
        """The draws, a row for each call: v beside u."""
        vs, us = [], []
        for key in keys + [jax.random.key(seed + i) for i in range(20, 40)]:
            answer(lambda v: (vs.append(np.array(v)), square @ v)[1], lambda u: (us.append(np.array(u)), square.T @ u)[1], n, n, key)
        return np.concatenate([np.array(vs, dtype=float), np.array(us, dtype=float)], axis=1)

    def is_float():
        return np.array(isinstance(answer(lambda v: A @ v, lambda u: A.T @ u, n, m, keys[0]), float))

    return {
        "right": lambda: many(A, A.T),
        "right, small": lambda: many(1e-9 * A, 1e-9 * A.T),
        "perturbed": lambda: many(A, A.T + 1e-3 * E),
        "perturbed, large": lambda: many(1e6 * A, 1e6 * (A.T + 1e-3 * E)),
        "sign": lambda: many(A, -A.T),
        "not transposed": lambda: many(square, square),
        "zero": lambda: many(0 * A, 0 * A.T),
        "twice": lambda: np.stack([many(A, A.T + 1e-3 * E), many(A, A.T + 1e-3 * E)]),
        "drawn": drawn,
        "a float": is_float,
    }


def judge_adjoint_test(arrays, seed):
    def values(name):
        x = arrays.get(name, np.zeros(0))
        return x if x.shape == (20,) and x.dtype.kind == "f" and bool(np.all(np.isfinite(x) & (x >= 0))) else np.zeros(0)

    typical = lambda name, size: values(name).size > 0 and bool(size / 5 < np.sqrt(np.mean(values(name) ** 2)) < 2.5 * size)
    passes = all(values(name).size > 0 and np.max(values(name)) < 1e-12 for name in ("right", "right, small"))
    zero = values("zero").size > 0 and not np.any(values("zero")) and bool(arrays.get("a float", False))
    finds = typical("perturbed", 1e-3) and typical("sign", 2)
    scale = typical("perturbed, large", 1e-3)
    n = int(np.random.default_rng(seed).integers(20, 30))
    drawn = arrays.get("drawn", np.zeros(0))
    known = drawn.ndim == 2 and len(drawn) > 0 and drawn.shape[1] == 2 * n
    v, u = (drawn[:, :n], drawn[:, n:]) if known else np.full((2, 1, n), np.nan)
    # 800 numbers and more: means within 0.2, mean squares within 0.3 of 1, the correlation within 0.2 of 0 (5 standard errors).
    once = known and len(drawn) == 40
    normal = bool(abs(v.mean()) < 0.2 and abs(u.mean()) < 0.2 and abs((v**2).mean() - 1) < 0.3 and abs((u**2).mean() - 1) < 0.3)
    apart = bool(abs((v * u).mean()) < 0.2) and values("not transposed").size > 0 and np.median(values("not transposed")) > 0.05
    twice = arrays.get("twice", np.zeros(0))
    same = twice.shape == (2, 20) and bool(np.array_equal(twice[0], twice[1])) and len(np.unique(values("perturbed"))) == 20
    return [
        Part("right adjoints pass", 1, passes and zero and (finds or typical("not transposed", 1)),
             "the two sides of the identity are u with J v and J'u with v; for the right adjoint they agree to rounding, whatever the "
             "size of J; two zero norms give 0.0, and the answer is a Python float" if arrays else ABOVE),
        Part("an adjoint that is off by a thousandth is found, in any units", 1, finds and scale,
             "divide by the larger of the norms of J v and J'u: then the result is about 1e-3 for an adjoint that is off by 1e-3, "
             "whether J is measured in dollars or in millions, and about 2 for the wrong sign" if arrays else ABOVE),
        Part("v and u are independent and standard normal", 1, normal and apart,
             "split the key and draw v from one part and u from the other: with one key for both, u = v whenever N = M, and an "
             "operator that was never transposed passes; entries are standard normal, jax.random.normal" if arrays else ABOVE),
        Part("the key decides, one call of each", 1, once and same and normal,
             "draw from the key that is given, with jax.random, so that the same key gives the same draws and another key others; "
             "and keep what each function returned instead of calling it twice" if arrays else ABOVE),
    ]


def drive_weighted_adjoint(answer, seed):
    from types import FunctionType

    import numpy as np

    def refuse(*args, **kwargs):
        raise RuntimeError("write it yourself: this exercise asks for a function of your own")

    try:                                        # in place, so that a name bound before is refused as well
        from lecture_utils import checks, linop
        for function in [*vars(linop).values(), checks.dot_product_test]:
            if isinstance(function, FunctionType) and function.__module__ in (linop.__name__, checks.__name__):
                function.__code__ = refuse.__code__
    except ImportError:
        pass
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    m = n + int(rng.integers(1, 4))
    J = rng.standard_normal((m, n))
    spd = lambda B: B @ B.T + np.eye(len(B))
    W_x, W_y = spd(rng.standard_normal((n, n))), spd(rng.standard_normal((m, m)))

    def afterwards():
        given = [J.copy(), W_x.copy(), W_y.copy()]
        answer(*given)
        return np.concatenate([a.ravel() for a in given])

    return {
        "both": lambda: answer(J.copy(), W_x.copy(), W_y.copy()),
        "wide": lambda: answer(J.T.copy(), W_y.copy(), W_x.copy()),
        "only x": lambda: answer(J.copy(), W_x.copy(), np.eye(m)),
        "only y": lambda: answer(J.copy(), np.eye(n), W_y.copy()),
        "diagonal": lambda: answer(J.copy(), np.diag(np.diag(W_x)), np.diag(np.diag(W_y))),
        "afterwards": afterwards,
    }


def judge_weighted_adjoint(arrays, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    m = n + int(rng.integers(1, 4))
    J = rng.standard_normal((m, n))
    spd = lambda B: B @ B.T + np.eye(len(B))
    W_x, W_y = spd(rng.standard_normal((n, n))), spd(rng.standard_normal((m, m)))
    right = lambda name, J, W_x, W_y: close(arrays, name, np.linalg.inv(W_x) @ J.T @ W_y, rtol=1e-9, atol=1e-10)
    only_x, only_y = right("only x", J, W_x, np.eye(m)), right("only y", J, np.eye(n), W_y)
    both = (right("both", J, W_x, W_y) and right("wide", J.T, W_y, W_x) and close(arrays, "afterwards", np.concatenate([J.ravel(), W_x.ravel(), W_y.ravel()]), rtol=0, atol=0)
            and right("diagonal", J, np.diag(np.diag(W_x)), np.diag(np.diag(W_y))))
    return [
        Part("weights on the outputs alone", 1, only_y,
             "with W_x = I the identity reads u'W_y J v = (J* u)'v: collect what stands before v, and transpose it" if arrays else ABOVE),
        Part("weights on the inputs alone", 1, only_x,
             "with W_y = I the identity reads u'J v = (J* u)'W_x v: solve with W_x, all of it, not with its diagonal, and not with "
             "W_x where its inverse belongs" if arrays else ABOVE),
        Part("both, for tall and for wide J", 1, both,
             ABOVE if not (only_x and only_y) else
             "the order is W_x inverse, then J transposed, then W_y, so that the shapes fit; leave the arguments as they are"),
    ]


def drive_chain_vjp(answer, seed):
    import numpy as np
    rng = np.random.default_rng(seed)
    sizes = [3, 5, 2, 4, 3]
    matrices = [rng.uniform(-1, 1, (m, n)) for n, m in zip(sizes, sizes[1:])]
    x, u = rng.uniform(-1, 1, 3), rng.uniform(-1, 1, 3)

    def chain(matrices, calls=None):
        """sin(A x) again and again; calls counts f and pull of each step."""
        def step(A, i):
            def f(x):
                if calls is not None:
                    calls[i, 0] += 1
                return np.sin(A @ x)

            def pull(x, u):
                if calls is not None:
                    calls[i, 1] += 1
                return A.T @ (np.cos(A @ x) * u)

            return f, pull
        return [step(A, i) for i, A in enumerate(matrices)]

    def counted():
        calls = np.zeros((len(matrices), 2))
        answer(chain(matrices, calls), x.copy(), u.copy())
        return calls

    def untouched():
        given, weights, steps = x.copy(), u.copy(), chain(matrices)
        before = list(steps)
        answer(steps, given, weights)
        return np.concatenate([given, weights, [before.index(step) if step in before else -1 for step in steps]])

    def long():
        calls = [0]

        def f(x):
            calls[0] += 1
            if calls[0] > 20_000:
                raise RuntimeError("each f was called again and again")
            return x + 1e-4 * x * x

        return answer([(f, lambda x, u: u * (1 + 2e-4 * x))] * 10_000, np.array([0.3]), np.array([1.0]))

    return {
        "four steps": lambda: answer(chain(matrices), x.copy(), u.copy()),
        "one step": lambda: answer(chain(matrices[:1]), x.copy(), np.arange(1.0, 6.0)),
        "two steps": lambda: answer(chain(matrices[:2]), x.copy(), np.array([1.0, -2.0])),
        "long": long,
        "calls": counted,
        "untouched": untouched,
    }


def judge_chain_vjp(arrays, seed):
    rng = np.random.default_rng(seed)
    sizes = [3, 5, 2, 4, 3]
    matrices = [rng.uniform(-1, 1, (m, n)) for n, m in zip(sizes, sizes[1:])]
    x, u = rng.uniform(-1, 1, 3), rng.uniform(-1, 1, 3)

    def exact(matrices, u):
        """By the full Jacobian, accumulated forward."""
        J, point = np.eye(3), x
        for A in matrices:
            J, point = np.cos(A @ point)[:, None] * A @ J, np.sin(A @ point)
        return J.T @ u

    slope, point = 1.0, 0.3
    for _ in range(10_000):
        slope, point = slope * (1 + 2e-4 * point), point + 1e-4 * point**2
    short = close(arrays, "one step", exact(matrices[:1], np.arange(1.0, 6.0)), rtol=1e-9)
    value = close(arrays, "four steps", exact(matrices, u), rtol=1e-9) and close(
        arrays, "two steps", exact(matrices[:2], np.array([1.0, -2.0])), rtol=1e-9)
    calls = arrays.get("calls", np.full((4, 2), -1.0))
    counts = calls.shape == (4, 2)
    once = counts and bool(np.all(calls[:, 0] <= 1) and np.all(calls[:, 1] == 1))
    no_last = counts and calls[-1, 0] == 0
    return [
        Part("the pullback of a chain", 2, value and short,
             "go through the steps from the last to the first; each pull gets the point at which its own step runs, that is the value "
             "of the step before it, and x for the first" if arrays else ABOVE),
        Part("no call too many", 1, once and no_last and value,
             ABOVE if not value else
             "go forward once and keep the points: computing them anew for each step calls the first f again and again" if not once else
             "the value of the last step is no point of linearization: do not call the last f"),
        Part("long chains, and arguments untouched", 1,
             value and close(arrays, "long", [slope], rtol=1e-9) and close(arrays, "untouched", np.concatenate([x, u, np.arange(4)]), rtol=0, atol=0),
             ABOVE if not value else
             "use loops, since a recursion stops after about a thousand steps; do not change x, u or the list of steps in place"),
    ]
