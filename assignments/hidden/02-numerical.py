"""Hidden tests of chapter 02: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import math

import numpy as np

from tools.judging import Part, close


def drive_fd_forward(answer, seed):
    import numpy as np
    from types import FunctionType

    def refuse(*args, **kwargs):
        raise RuntimeError("write it yourself: this exercise asks for NumPy alone")

    try:                                        # in place, so that a name bound before is refused as well
        from lecture_utils import finite_diff
        for name, function in vars(finite_diff).items():
            if isinstance(function, FunctionType) and not name.startswith("_") and function.__module__ == finite_diff.__name__:
                function.__code__ = refuse.__code__
    except ImportError:
        pass
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    m = n + int(rng.integers(1, 4))
    A, B, x, v = rng.standard_normal((m, n)), rng.standard_normal((m, n)), rng.standard_normal(n), rng.standard_normal(n)
    v *= 2.5 / np.linalg.norm(v)
    v[0] = -abs(v[0]) - 0.5
    h = float(rng.uniform(0.2, 0.6))
    unit = -np.eye(n)[1]

    def quadratic(z):
        return A.astype(z.dtype) @ z + (B.astype(z.dtype) @ z) ** 2

    def seen(x, v, what):
        calls = []

        def f(z):
            calls.append(what(z))
            return quadratic(z)

        answer(f, x.copy(), v.copy(), h)
        return np.array(calls)

    def on_one_side(z):
        if np.any(z < 0):
            raise ValueError("f was called where it is not defined: at a point that is neither x nor x + h v")
        return np.array([np.sum(np.sqrt(z))])

    x32, unit32 = x.astype(np.float32), unit.astype(np.float32)
    return {
        "a direction": lambda: answer(quadratic, x.copy(), v.copy(), h),
        "twice the direction": lambda: answer(quadratic, x.copy(), 2 * v, h),
        "a direction of zeros": lambda: answer(quadratic, x.copy(), np.zeros(n), h),
        "the points": lambda: seen(x, v, lambda z: np.array(z, dtype=float)),
        "from the edge of the domain": lambda: answer(on_one_side, np.zeros(2), np.array([0.6, 0.8]), h),
        "32 bits": lambda: answer(quadratic, x32.copy(), unit32.copy(), h),
        "the points' types": lambda: seen(x32, unit32, lambda z: np.asarray(z).dtype.itemsize),
    }


def judge_fd_forward(arrays, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    m = n + int(rng.integers(1, 4))
    A, B, x, v = rng.standard_normal((m, n)), rng.standard_normal((m, n)), rng.standard_normal(n), rng.standard_normal(n)
    v *= 2.5 / np.linalg.norm(v)
    v[0] = -abs(v[0]) - 0.5
    h = float(rng.uniform(0.2, 0.6))
    exact = lambda v: A @ v + 2 * (B @ x) * (B @ v) + h * (B @ v) ** 2
    points = arrays.get("the points", np.zeros((0, n)))
    near = lambda point: np.all(np.abs(points - point) < 1e-9, axis=1)
    two_points = points.ndim == 2 and points.shape[1] == n and bool(
        near(x).any() and near(x + h * v).any() and np.all(near(x) | near(x + h * v)))
    single = arrays.get("32 bits", np.zeros(0))
    types = arrays.get("the points' types", np.zeros(0))
    return [
        Part("the derivative along a direction of any length", 1,
             close(arrays, "a direction", exact(v), rtol=1e-9, atol=1e-9)
             and close(arrays, "twice the direction", exact(2 * v), rtol=1e-9, atol=1e-9)
             and close(arrays, "a direction of zeros", np.zeros(m)),
             "the value ahead minus the value at x, over the step h: the sign follows that order; v enters as it is given, "
             "never scaled to length 1, and its length is not divided out (v may be zero, too)"),
        Part("the two points of the formula", 1,
             two_points and close(arrays, "from the edge of the domain", [(math.sqrt(0.6 * h) + math.sqrt(0.8 * h)) / h], rtol=1e-9),
             "a forward difference takes f at x and at x + h v; a central or backward one also looks behind x, where f may not "
             "be defined, and has another error"),
        Part("32 bits stay 32 bits", 1,
             single.dtype == np.float32 and close(arrays, "32 bits", exact(-np.eye(n)[1]), rtol=1e-3, atol=5e-3)
             and types.size > 0 and bool(np.all(types == 4)),
             "for x in float32 the points and the answer must be float32, with the right value: look for what turns them into "
             "float64, such as float(…), a dtype, or an array made without one"),
    ]


def drive_fd_weights(answer, seed):
    import numpy as np
    from types import FunctionType

    def refuse(*args, **kwargs):
        raise RuntimeError("write it yourself: this exercise asks for NumPy alone")

    try:                                        # in place, so that a name bound before is refused as well
        from lecture_utils import finite_diff
        for name, function in vars(finite_diff).items():
            if isinstance(function, FunctionType) and not name.startswith("_") and function.__module__ == finite_diff.__name__:
                function.__code__ = refuse.__code__
    except ImportError:
        pass
    rng = np.random.default_rng(seed)
    whole = lambda P: sorted(rng.choice(np.arange(-1, 7), P, replace=False).tolist())
    stencils = {f"{order} of {P}": (whole(P), order) for order, P in [(1, 2), (1, 4), (1, 5), (2, 3), (2, 4), (3, 5), (4, 5)]}
    for P in (4, 5):
        offsets = rng.permutation(np.arange(-2, 4) + rng.uniform(-0.3, 0.3, 6))[:P].tolist()
        stencils[f"unsorted {P}"] = (offsets[::-1] if offsets == sorted(offsets) else offsets, 1)
    return {name: lambda o=offsets, k=order: answer(list(o), k) for name, (offsets, order) in stencils.items()}


def judge_fd_weights(arrays, seed):
    rng = np.random.default_rng(seed)
    whole = lambda P: sorted(rng.choice(np.arange(-1, 7), P, replace=False).tolist())
    stencils = {f"{order} of {P}": (whole(P), order) for order, P in [(1, 2), (1, 4), (1, 5), (2, 3), (2, 4), (3, 5), (4, 5)]}
    for P in (4, 5):
        offsets = rng.permutation(np.arange(-2, 4) + rng.uniform(-0.3, 0.3, 6))[:P].tolist()
        stencils[f"unsorted {P}"] = (offsets[::-1] if offsets == sorted(offsets) else offsets, 1)

    def right(name):
        """Only one set of weights is right: the derivatives at 0 of the polynomials that are 1 at one offset, 0 at the others."""
        o, k = np.array(stencils[name][0], dtype=float), stencils[name][1]
        others = [np.delete(o, j) for j in range(len(o))]
        w = np.array([math.factorial(k) * np.poly(rest)[::-1][k] / np.prod(o[j] - rest) for j, rest in enumerate(others)])
        return close(arrays, name, w, rtol=0, atol=1e-8 * np.max(np.abs(w)))

    return [
        Part("a first derivative, with points more on one side", 1, all(right(name) for name in ("1 of 2", "1 of 4", "1 of 5")),
             "try your weights on 1, t, t**2, … at t = 0: they must give 1 for t and 0 for every other power below P, whichever "
             "the offsets; a wrong sign shows at once"),
        Part("a second, third and fourth derivative", 1, all(right(name) for name in ("2 of 3", "2 of 4", "3 of 5", "4 of 5")),
             "the derivative of that order of t**order is not 1 but its factorial, and all other powers below P must give 0; the "
             "order may be as high as P - 1"),
        Part("offsets in any order, whole or not", 1, right("unsorted 4") and right("unsorted 5"),
             "offsets may be unsorted and fractions: weight j belongs to offset j as it was given, and is not a round number"),
    ]


def drive_optimal_step(answer, seed):
    import numpy as np
    from types import FunctionType

    def refuse(*args, **kwargs):
        raise RuntimeError("write it yourself: this exercise asks for NumPy alone")

    try:                                        # in place, so that a name bound before is refused as well
        from lecture_utils import finite_diff
        for name, function in vars(finite_diff).items():
            if isinstance(function, FunctionType) and not name.startswith("_") and function.__module__ == finite_diff.__name__:
                function.__code__ = refuse.__code__
    except ImportError:
        pass
    rng = np.random.default_rng(seed)
    u = rng.uniform(1, 3, 3).tolist()
    small, large = 10 ** rng.uniform(-6, -2), 10 ** rng.uniform(2, 6)

    def step(*given, **named):
        value = answer(*given, **named)
        return np.array([value, isinstance(value, float)], dtype=float)

    out = {}
    for method in ("forward", "central", "five_point", "second"):
        out[f"{method}, 64 bits"] = lambda method=method: step(method, np.float64, 1.0)
        out[f"{method}, 32 bits"] = lambda method=method: step(method, np.float32, 1.0)
        for at, x in {"large": 1e6 * u[0], "small": 1e-6 * u[1], "negative": -20 * u[2], "zero": 0.0}.items():
            out[f"{method}, {at} x"] = lambda method=method, x=x: step(method, np.float64, x)
        for size, f_scale in {"small": float(small), "large": float(large)}.items():
            out[f"{method}, {size} f_scale"] = lambda method=method, s=f_scale: step(method, np.float64, 1.0, f_scale=s)
    return out


def judge_optimal_step(arrays, seed):
    rng = np.random.default_rng(seed)
    u = rng.uniform(1, 3, 3).tolist()
    small, large = 10 ** rng.uniform(-6, -2), 10 ** rng.uniform(2, 6)
    # Bound: truncation T h**p |f^(p+q)|, rounding R eps |f| / h**q; q R eps f_scale = p T h**(p + q) at the least sum.
    bounds = {"forward": (1 / 2, 1, 2, 1), "central": (1 / 6, 2, 1, 1), "five_point": (1 / 30, 4, 1.5, 1), "second": (1 / 12, 2, 4, 2)}

    def right(method, name, bits=64, size=1.0, f_scale=1.0):
        T, p, R, q = bounds[method]
        step = (q * R / (p * T) * 2.0 ** (-52 if bits == 64 else -23) * f_scale) ** (1 / (p + q)) * size
        return close(arrays, f"{method}, {name}", [step, 1.0], rtol=1e-5, atol=0)

    known = [method for method in bounds if right(method, "64 bits")]       # a wrong method costs its own part only
    every = lambda *given, **named: len(known) >= 2 and all(right(method, *given, **named) for method in known)
    return [
        Part("four methods at x = 1", 1, len(known) == 4,
             "write the bound of each method as truncation plus rounding and differentiate it by h: the exponent is 1/m, with the "
             "m of the statement, and each method has its own factor"),
        Part("32 bits", 1, every("32 bits", bits=32),
             "the rounding is that of dtype: take the machine epsilon of that type, and return a Python float, not a float32"),
        Part("x large, small, negative, zero", 1,
             every("large x", size=1e6 * u[0]) and every("small x", size=1e-6 * u[1]) and every("negative x", size=20 * u[2])
             and every("zero x"),
             "the step is proportional to the absolute value of x, however small it is; 1 takes its place at x = 0 only"),
        Part("f_scale", 1, every("small f_scale", f_scale=small) and every("large f_scale", f_scale=large),
             "f_scale multiplies the machine epsilon in the bound, so it stands under the same root"),
    ]


def drive_complex_jacobian(answer, seed):
    import numpy as np
    from types import FunctionType

    def refuse(*args, **kwargs):
        raise RuntimeError("write it yourself: this exercise asks for NumPy alone")

    try:                                        # in place, so that a name bound before is refused as well
        from lecture_utils import finite_diff
        for name, function in vars(finite_diff).items():
            if isinstance(function, FunctionType) and not name.startswith("_") and function.__module__ == finite_diff.__name__:
                function.__code__ = refuse.__code__
    except ImportError:
        pass
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 6))
    tall, wide = rng.uniform(-1, 1, (n + 2, n)), rng.uniform(-1, 1, (n - 1, n))
    x, tiny = rng.uniform(-1.5, 1.5, n), 1e-6 * rng.uniform(0.5, 2, 3)
    with_zero = x.copy()
    with_zero[1] = 0.0

    def logs_and_roots(z):
        return np.array([np.log(z[0]) + z[1] / z[2], np.sqrt(z[0]) + np.sqrt(z[2])])

    def counted():
        calls, given = [0], x.copy()

        def f(z):
            calls[0] += 1
            return np.exp(wide @ z)

        J = np.asarray(answer(f, given))
        return np.concatenate([[calls[0], J.size, np.all(np.isfinite(J))], given])

    def refuses(f):
        try:
            answer(f, x.copy())
        except TypeError:
            return 1
        return 0

    return {
        "more values than variables": lambda: answer(lambda z: np.exp(tall @ z), x.copy()),
        "fewer values than variables": lambda: answer(lambda z: np.exp(wide @ z), x.copy()),
        "x near 1e-6": lambda: answer(logs_and_roots, tiny.copy()),
        "a zero in x": lambda: answer(lambda z: np.exp(wide @ z), with_zero.copy()),
        "calls, values, x afterwards": counted,
        "absolute values": lambda: refuses(lambda z: np.abs(wide @ z)),
        "real parts": lambda: refuses(lambda z: np.exp(wide @ z).real),
        "a variable without effect": lambda: answer(lambda z: np.array([z[0] ** 2, np.exp(z[0])]), x.copy()),
    }


def judge_complex_jacobian(arrays, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 6))
    tall, wide = rng.uniform(-1, 1, (n + 2, n)), rng.uniform(-1, 1, (n - 1, n))
    x, (a, b, c) = rng.uniform(-1.5, 1.5, n), 1e-6 * rng.uniform(0.5, 2, 3)
    with_zero = x.copy()
    with_zero[1] = 0.0
    exact = lambda A, x: np.exp(A @ x)[:, None] * A
    digits = lambda name, J: close(arrays, name, J, rtol=2e-14, atol=1e-18)
    calls = arrays.get("calls, values, x afterwards", np.zeros(0))
    right_calls = calls.shape == (3 + n,) and calls[1] == (n - 1) * n and calls[2] == 1 and calls[0] == n
    works = arrays.get("a variable without effect", np.zeros(0))
    works = works.size == 2 * n and works.dtype.kind in "iuf" and bool(np.all(np.isfinite(works)))
    lost = all(name in arrays and arrays[name].shape == () and arrays[name] == 1 for name in ("absolute values", "real parts"))
    return [
        Part("Jacobians that are not square", 1,
             digits("more values than variables", exact(tall, x)) and digits("fewer values than variables", exact(wide, x)),
             "column i is the imaginary part of f, divided by the step, with variable i alone moved: M rows, N columns, one "
             "variable at a time (put the last one back), never a difference"),
        Part("x near 1e-6, and a zero in x", 1,
             digits("x near 1e-6", np.array([[1 / a, 1 / c, -b / c**2], [0.5 / math.sqrt(a), 0, 0.5 / math.sqrt(c)]]))
             and digits("a zero in x", exact(wide, with_zero)),
             "the error is about (h/x)**2, and nothing cancels however small h is: make it far smaller than 1e-6, though not near "
             "the smallest of all floats, where digits get lost again; a step relative to x is zero where x is"),
        Part("N calls, and x as it was", 1, right_calls and bool(np.array_equal(calls[3:], x)),
             "one call of f for each variable and no other, such as one at x itself; work on a copy, so that the caller's x does "
             "not change"),
        Part("real values are refused", 1, lost and works,
             "f with abs or .real gives real numbers for complex ones: look at the type of what f returns and raise a TypeError; "
             "an imaginary part that is zero is no such case, since a derivative may be zero"),
    ]


def drive_noisy_step(answer, seed):
    import numpy as np
    rng = np.random.default_rng(seed)
    out = {}
    for group, sign, noises, curvatures in [
        ("curvature near 1", 1, [(-10, -9.5), (-7.5, -6.5), (-4.5, -4)], [(-0.3, 0.3)] * 3),
        ("weak noise", 1, [(-10, -9)] * 3, [(-1, -0.7), (0.5, 1.5), (2.7, 3)]),
        ("strong noise", 1, [(-5, -4)] * 3, [(-1, -0.7), (0.5, 1.5), (2.7, 3)]),
        ("bending down", -1, [(-8, -6)] * 3, [(-1, -0.7), (0.5, 1.5), (2.7, 3)]),
    ]:
        for i in range(3):
            noise, curvature = float(10 ** rng.uniform(*noises[i])), sign * 10 ** rng.uniform(*curvatures[i])
            x = float(rng.uniform(0.9, 1.1))
            slope, level = rng.choice([-1, 1], 2) * rng.uniform([30, 100], [60, 200])

            def f(z, draw=np.random.default_rng([seed, len(out)]), noise=noise, curvature=curvature, x=x, slope=slope, level=level):
                return curvature * np.exp(z - x) + slope * z + level + noise * draw.standard_normal(np.shape(z))

            out[f"{group}, {i}"] = lambda f=f, x=x, noise=noise: answer(lambda z: f(z), x, noise)
    return out


def judge_noisy_step(arrays, seed):
    rng = np.random.default_rng(seed)
    good = {}
    for group, sign, noises, curvatures in [
        ("curvature near 1", 1, [(-10, -9.5), (-7.5, -6.5), (-4.5, -4)], [(-0.3, 0.3)] * 3),
        ("weak noise", 1, [(-10, -9)] * 3, [(-1, -0.7), (0.5, 1.5), (2.7, 3)]),
        ("strong noise", 1, [(-5, -4)] * 3, [(-1, -0.7), (0.5, 1.5), (2.7, 3)]),
        ("bending down", -1, [(-8, -6)] * 3, [(-1, -0.7), (0.5, 1.5), (2.7, 3)]),
    ]:
        for i in range(3):
            noise, curvature = float(10 ** rng.uniform(*noises[i])), sign * 10 ** rng.uniform(*curvatures[i])
            rng.uniform(0.9, 1.1), rng.choice([-1, 1], 2), rng.uniform([30, 100], [60, 200])      # x and the line: no part in it
            # g = curvature exp(z - x) + a line: its forward difference is too large by curvature ((exp(h) - 1)/h - 1), exactly.
            error = lambda h: np.hypot(curvature * (np.expm1(h) / h - 1), math.sqrt(2) * noise / h)
            h = arrays.get(f"{group}, {i}", np.zeros(()))
            usable = h.shape == () and h.dtype.kind in "iuf" and 0 < h < 100
            good[group, i] = usable and bool(error(float(h)) <= 3 * np.min(error(np.geomspace(1e-8, 1, 4001))))
    all_of = lambda group: all(good[group, i] for i in range(3))
    return [
        Part("a curvature near 1, noise of any size", 1, all_of("curvature near 1"),
             "balance the bias, about h times half the curvature, against the noise of two values over h: the step grows with the "
             "square root of the noise, and machine epsilon has no part in it"),
        Part("weak noise, curvatures of 0.1 to 1000", 1, all_of("weak noise"),
             "the best step falls as the curvature grows, so the curvature must be estimated from values of f; values, slopes or a "
             "guess of 1 do not replace it"),
        Part("strong noise, curvatures of 0.1 to 1000", 1, all_of("strong noise"),
             "the noise in a second difference is divided by the square of its step: that step must be far wider than the one you "
             "look for, and grow with the noise; compare the noise left in your curvature with 0.1"),
        Part("functions that bend down", 1, all_of("bending down"),
             "the curvature enters by its absolute value: g'' may be negative, and is as unknown here as above"),
    ]
