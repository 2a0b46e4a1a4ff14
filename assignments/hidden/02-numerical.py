"""Hidden tests of chapter 02: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import math

import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def drive_fd_forward(answer, seed):
    from types import FunctionType

    import numpy as np

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
    A, b, x, v, unit = (rng.standard_normal(shape) for shape in [(m, n), m, n, n, n])
    v *= 2.5 / np.linalg.norm(v)
    unit /= np.linalg.norm(unit)
    h = float(rng.uniform(0.2, 0.6))
    x32, unit32 = x.astype(np.float32), unit.astype(np.float32)

    def line(z):
        return A.astype(z.dtype) @ z + b.astype(z.dtype)

    def seen(x, v, what):
        calls, given = [], x.copy()

        def f(z):
            calls.append(what(z))
            return line(z)

        answer(f, given, v.copy(), h)
        return np.array(calls), given

    return {
        "a direction": lambda: answer(line, x.copy(), v.copy(), h),
        "twice the direction": lambda: answer(line, x.copy(), 2 * v, h),
        "a direction of zeros": lambda: answer(line, x.copy(), np.zeros(n), h),
        "the points": lambda: seen(x, unit, lambda z: np.array(z, dtype=float))[0],
        "x afterwards": lambda: seen(x, unit, lambda z: 0)[1],
        "32 bits": lambda: answer(line, x32.copy(), unit32.copy(), h),
        "the points' types": lambda: seen(x32, unit32, lambda z: np.asarray(z).dtype.itemsize)[0],
    }


def judge_fd_forward(arrays, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 6))
    m = n + int(rng.integers(1, 4))
    A, b, x, v, unit = (rng.standard_normal(shape) for shape in [(m, n), m, n, n, n])
    v *= 2.5 / np.linalg.norm(v)
    unit /= np.linalg.norm(unit)
    h = float(rng.uniform(0.2, 0.6))
    points = arrays.get("the points", np.zeros((0, n)))
    near = lambda point: np.all(np.abs(points - point) < 1e-9, axis=1)
    two_points = points.ndim == 2 and points.shape[1] == n and bool(
        near(x).any() and near(x + h * unit).any() and np.all(near(x) | near(x + h * unit)))
    x_kept = close(arrays, "x afterwards", x, rtol=0, atol=1e-9)
    single, types = arrays.get("32 bits", np.zeros(0)), arrays.get("the points' types", np.zeros(0))
    # The function is linear: any difference of any points gives its derivative, so that the points lose the second part alone.
    return [
        Part("the derivative along a direction of any length", 1,
             close(arrays, "a direction", A @ v, rtol=1e-6, atol=1e-6)
             and close(arrays, "twice the direction", A @ (2 * v), rtol=1e-6, atol=1e-6)
             and close(arrays, "a direction of zeros", np.zeros(m), atol=1e-9),
             "the value ahead minus the value at x, over the step h: the sign follows that order; v enters as it is given, "
             "never scaled to length 1, and its length is not divided out (v may be zero, too)" if arrays else ABOVE),
        Part("the two points of the formula, and x as it was", 1, two_points and x_kept,
             ABOVE if not arrays else
             "a forward difference takes f at x and at x + h v, with the h that is given, and nowhere else; a central or backward "
             "one also looks behind x, where f may not be defined, and has another error" if not two_points else
             "x += … writes into the caller's array, and the next call starts from another point: x + h * v makes a new one"),
        Part("32 bits stay 32 bits", 1,
             single.dtype == np.float32 and single.shape == (m,) and bool(np.all(np.isfinite(single)))
             and types.size > 0 and bool(np.all(types == 4)),
             "for x in float32 the points and the answer must be float32: look for what turns them into float64, such as "
             "float(…), a dtype, or an array made without one" if arrays else ABOVE),
    ]


def drive_fd_weights(answer, seed):
    from types import FunctionType

    import numpy as np

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

    def right(name, sign=1):
        """Only one set of weights is right: the derivatives at 0 of the polynomials that are 1 at one offset, 0 at the others."""
        o, k = np.array(stencils[name][0], dtype=float), stencils[name][1]
        others = [np.delete(o, j) for j in range(len(o))]
        w = np.array([math.factorial(k) * np.poly(rest)[::-1][k] / np.prod(o[j] - rest) for j, rest in enumerate(others)])
        return close(arrays, name, sign * w, rtol=0, atol=1e-8 * np.max(np.abs(w)))

    first = all(right(name) for name in ("1 of 2", "1 of 4", "1 of 5"))
    signs = (1,) if first else (1, -1)                                      # a wrong sign costs the first part only
    by_sign = lambda *names: all(any(right(name, sign) for sign in signs) for name in names)
    return [
        Part("a first derivative, with points more on one side", 1, first,
             "try your weights on 1, t, t**2, … at t = 0: they must give 1 for t and 0 for every other power below P, whichever "
             "the offsets; a wrong sign shows at once" if arrays else ABOVE),
        Part("a second, third and fourth derivative", 1, by_sign("2 of 3", "2 of 4", "3 of 5", "4 of 5"),
             "the derivative of that order of t**order is not 1 but its factorial, and all other powers below P must give 0; the "
             "order may be as high as P - 1" if first else ABOVE),
        Part("offsets in any order, whole or not", 1, by_sign("unsorted 4", "unsorted 5"),
             "offsets need not be whole numbers: do not convert them to int, do not sort them" if first else ABOVE),
    ]


def drive_optimal_step(answer, seed):
    from types import FunctionType

    import numpy as np

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

    def base(method):
        T, p, R, q = bounds[method]
        return (q * R / (p * T) * 2.0**-52) ** (1 / (p + q))

    def right(method, name, under_the_root=1.0, outside=1.0):
        """Right in proportion to the method's own step at x = 1: a wrong factor there is not counted again."""
        own = arrays.get(f"{method}, 64 bits", np.zeros(0))
        m = bounds[method][1] + bounds[method][3]
        return own.shape == (2,) and own[0] > 0 and close(
            arrays, f"{method}, {name}", [own[0] * under_the_root ** (1 / m) * outside, 1.0], rtol=1e-5, atol=0)

    known = [method for method in bounds if close(arrays, f"{method}, 64 bits", [base(method), 1.0], rtol=1e-5, atol=0)]
    judged = known if len(known) >= 2 else list(bounds)                     # a wrong power costs its own part only
    every = lambda *given, **named: all(right(method, *given, **named) for method in judged)
    x_right = every("large x", outside=1e6 * u[0]) and every("small x", outside=1e-6 * u[1]) and every(
        "negative x", outside=20 * u[2]) and every("zero x")
    after = lambda hint: hint if len(known) >= 2 else ABOVE
    return [
        Part("four methods at x = 1", 1, len(known) == 4,
             "copy the factor and the power from the table of best steps, where each method has its own; there "
             "|f/f^(m)| = f_scale*|x|**m" if arrays else ABOVE),
        Part("32 bits", 1, every("32 bits", under_the_root=2.0**29),
             after("the rounding is that of dtype: take the machine epsilon of that type, and return a Python float, not a float32")),
        Part("x large, small, negative, zero", 1, x_right,
             after("the step is proportional to the absolute value of x, however small it is; 1 takes its place at x = 0 only")),
        Part("f_scale", 1, every("small f_scale", under_the_root=small) and every("large f_scale", under_the_root=large),
             after("f_scale multiplies the machine epsilon in the bound, so it stands under the same root")),
    ]


def drive_complex_jacobian(answer, seed):
    from types import FunctionType

    import numpy as np

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
        return np.concatenate([[calls[0]], given, J.real.ravel()])

    def refuses(f):
        try:
            answer(f, x.copy())
        except TypeError:
            return 1
        return 0

    def complex_calls():
        calls = [0]

        def f(z):
            calls[0] += np.iscomplexobj(z)
            return np.exp(wide @ z)

        refuses(f)
        return calls[0]

    return {
        "more values than variables": lambda: answer(lambda z: np.exp(tall @ z), x.copy()),
        "fewer values than variables": lambda: answer(lambda z: np.exp(wide @ z), x.copy()),
        "x near 1e-6": lambda: answer(logs_and_roots, tiny.copy()),
        "a zero in x": lambda: answer(lambda z: np.exp(wide @ z), with_zero.copy()),
        "calls, x afterwards, values": counted,
        "complex calls": complex_calls,
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
    turned = lambda name, J: digits(name, J) or digits(name, J.T)           # a transpose costs the first part only
    tall_J, wide_J = exact(tall, x), exact(wide, x)
    elements = turned("more values than variables", tall_J) and turned("fewer values than variables", wide_J)
    calls = arrays.get("calls, x afterwards, values", np.zeros(0))
    right_calls = calls.shape == (1 + n + (n - 1) * n,) and bool(np.all(np.isfinite(calls))) and calls[0] == n
    works = arrays.get("a variable without effect", np.zeros(0))
    works = works.size == 2 * n and works.dtype.kind in "iuf" and bool(np.all(np.isfinite(works)))
    lost = all(name in arrays and arrays[name].shape == () and arrays[name] == 1 for name in ("absolute values", "real parts"))
    dropped = "complex calls" in arrays and not any(
        np.any(arrays.get(name, 0)) for name in ("complex calls", "fewer values than variables"))
    return [
        Part("Jacobians that are not square", 1,
             digits("more values than variables", tall_J) and digits("fewer values than variables", wide_J),
             ABOVE if not arrays else
             "an array of float64 cannot hold i h (NumPy drops the imaginary part, with a mere ComplexWarning, or refuses): make a "
             "complex copy first, x.astype(complex)" if dropped else
             "the elements are right, but in the wrong place: M rows, one for each value, and N columns" if elements else
             "column i is the imaginary part of f, divided by the step, with variable i alone moved: one variable at a time (put "
             "the last one back), never a difference"),
        Part("x near 1e-6, and a zero in x", 1,
             turned("x near 1e-6", np.array([[1 / a, 1 / c, -b / c**2], [0.5 / math.sqrt(a), 0, 0.5 / math.sqrt(c)]]))
             and turned("a zero in x", exact(wide, with_zero)),
             "the error is about (h/x)**2, and nothing cancels however small h is: make it far smaller than 1e-6, though not near "
             "the smallest of all floats, where digits get lost again; a step relative to x is zero where x is" if elements else ABOVE),
        Part("N calls, and x as it was", 1, right_calls and bool(np.array_equal(calls[1:n + 1], x)),
             ABOVE if calls.size <= n else
             "one call of f for each variable and no other, such as one at x itself" if not right_calls else
             "work on a copy, so that the caller's x does not change"),
        Part("real values are refused", 1, lost and works,
             "f with abs or .real gives real numbers for complex ones: look at the type of what f returns and raise a TypeError; "
             "an imaginary part that is zero is no such case, since a derivative may be zero" if elements or arrays and not lost else ABOVE),
    ]


def drive_noisy_step(answer, seed):
    import time

    import numpy as np
    rng = np.random.default_rng(seed)
    power = lambda low, high: float(10 ** rng.uniform(low, high))
    # Each case: curvature at x, length over which it changes, size of the value at x, noise. The list stands below once more.
    strong, scale = power(2.7, 3), lambda: float(rng.uniform(0.4, 1))
    cases = {
        "least noise": (strong, 1.0, 1.0, power(-10, -9.8)),
        "most noise": (strong, 1.0, 1.0, power(-5.2, -5)),
        "small values": (strong, 1.0, 1.0, 1e-7),
        "large values": (strong, 1.0, power(3, 3.5), 1e-7),
        "curvature 0": (power(1.3, 1.6), scale(), 1.0, power(-10, -8.5)),
        "curvature 1": (power(2, 2.3), scale(), 1.0, power(-10, -8.5)),
        "curvature 2": (power(2.8, 3), scale(), 1.0, power(-10, -8.5)),
        "curvature that changes fast": (power(2, 2.3), 0.1, 1.0, power(-10, -8.5)),
        "bending down 0": (-power(1.3, 1.6), scale(), 1.0, power(-10, -8.5)),
        "bending down 1": (-power(2.8, 3), scale(), 1.0, power(-10, -8.5)),
        "draws 0": (power(0, 0.02), 1.0, 1.0, 1e-4),
        "draws 1": (power(0, 0.02), 1.0, 1.0, 1e-6),
    }

    def simulation(x, curvature, length, value, noise):
        value, slope = rng.uniform(0.7, 1.5, 2) * [rng.choice([-1, 1]) * value, np.sign(curvature)]
        draw = np.random.default_rng(int(rng.integers(2**60)))

        def f(z):
            t = (z - x) / length
            return (value + slope * (z - x) + curvature * length**2 * (np.expm1(t) - t)
                    + noise * draw.standard_normal(getattr(z, "shape", None) or None))

        return f

    def many_draws(f, x, noise):
        steps, start = [], time.monotonic()
        while len(steps) < 100 and time.monotonic() - start < 5:            # fewer for answers that average for long
            try:
                steps.append(float(answer(f, x, noise)))
            except (ArithmeticError, ValueError):                           # such as the root of a negative number
                steps.append(float("nan"))
        return np.array(steps)

    out = {}
    for name, (curvature, length, value, noise) in cases.items():
        x = float(rng.uniform(0.9, 1.1))
        f = simulation(x, curvature, length, value, noise)
        call = many_draws if name.startswith("draws") else answer
        out[name] = lambda call=call, f=f, x=x, noise=noise: call(f, x, noise)
    # No points for these two, they choose the hint: what the answer does with a curvature that hardly any noise disturbs.
    exact = simulation(1.0, 300.0, 1.0, 1.0, 1e-15)
    out["exact, less"] = lambda: answer(exact, 1.0, 1e-10)
    out["exact, more"] = lambda: answer(exact, 1.0, 1e-6)
    return out


def judge_noisy_step(arrays, seed):
    rng = np.random.default_rng(seed)
    power = lambda low, high: float(10 ** rng.uniform(low, high))
    strong, scale = power(2.7, 3), lambda: float(rng.uniform(0.4, 1))
    cases = {
        "least noise": (strong, 1.0, 1.0, power(-10, -9.8)),
        "most noise": (strong, 1.0, 1.0, power(-5.2, -5)),
        "small values": (strong, 1.0, 1.0, 1e-7),
        "large values": (strong, 1.0, power(3, 3.5), 1e-7),
        "curvature 0": (power(1.3, 1.6), scale(), 1.0, power(-10, -8.5)),
        "curvature 1": (power(2, 2.3), scale(), 1.0, power(-10, -8.5)),
        "curvature 2": (power(2.8, 3), scale(), 1.0, power(-10, -8.5)),
        "curvature that changes fast": (power(2, 2.3), 0.1, 1.0, power(-10, -8.5)),
        "bending down 0": (-power(1.3, 1.6), scale(), 1.0, power(-10, -8.5)),
        "bending down 1": (-power(2.8, 3), scale(), 1.0, power(-10, -8.5)),
        "draws 0": (power(0, 0.02), 1.0, 1.0, 1e-4),
        "draws 1": (power(0, 0.02), 1.0, 1.0, 1e-6),
    }
    cases |= {"exact, less": (300.0, 1.0, 1.0, 1e-10), "exact, more": (300.0, 1.0, 1.0, 1e-6)}

    def steps(name):
        h = arrays.get(name, np.zeros(0))
        return np.atleast_1d(np.where((h > 0) & (h <= 1), h, np.nan) if h.ndim <= 1 and h.dtype.kind in "iuf" else np.nan)

    def misses(name):
        """How many steps have an error over 1.5 times the least one; the bias of a forward difference of this g is exact."""
        curvature, length, _, noise = cases[name]
        error = lambda h: np.hypot(curvature * length * (np.expm1(h / length) / (h / length) - 1), math.sqrt(2) * noise / h)
        return int(np.sum(~(error(steps(name)) <= 1.5 * np.min(error(np.geomspace(1e-8, 1, 8001))))))

    def grows(one, other):
        """Steps within the factor 1.5 of the least error lie within 2.1 of the best one, so their ratio within 4.4 of its."""
        ratio = steps(other) / steps(one) / math.sqrt(cases[other][3] / cases[one][3])
        return ratio.size == 1 and bool(1 / 4.5 < ratio[0] < 4.5)

    right = lambda *names: all(name in arrays and arrays[name].shape == () and misses(name) == 0 for name in names)
    noise, values = grows("least noise", "most noise"), grows("small values", "large values")
    smooth = right("curvature 0", "curvature 1", "curvature 2")
    curvature = smooth and right("curvature that changes fast")
    draws = all(steps(name).size > 0 and misses(name) <= (steps(name).size >= 20) for name in ("draws 0", "draws 1"))
    formula = right("exact, less", "exact, more")
    return [
        Part("noise of any size, values of any size", 1, noise and values,
             ABOVE if not arrays else
             "noise is an absolute size, not relative to f: f plus 1000 has the same best step" if noise else
             "your curvature is one of noise: the hint on strong noise, below, comes first" if formula else
             "balance the bias, about h times half the curvature, against the noise of two values over h: for one curvature the "
             "step grows with the square root of the noise (divide a second difference by the square of its step); machine epsilon "
             "has no part in it"),
        Part("curvatures up to 1000", 1, curvature,
             ABOVE if not noise else
             "the best step falls as the curvature grows, with its square root; estimate the curvature from values of f by a second "
             "difference, divided by the square of its step (values, slopes or a guess of 1 do not replace it), and balance the "
             "bias, about h times half the curvature, against the noise of two values over h" if not smooth else
             "g'' changes over a distance of 0.1: over a step above that, a second difference gives the curvature of another place"),
        Part("strong noise: a step wide enough for it", 1, draws,
             "a second difference with step s carries about 2.4*noise/s**2 of noise: choose s so that this is far below 1, the least "
             "curvature, but not above 0.1; a narrower s fails in some draws of the noise, if not in all" if formula else ABOVE),
        Part("functions that bend down", 1, right("bending down 0", "bending down 1"),
             "the curvature enters by its absolute value: g'' may be negative" if curvature else ABOVE),
    ]
