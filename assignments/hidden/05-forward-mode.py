"""Hidden tests of chapter 05: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np
import sympy

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def drive_dual_number(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    x, p, s = (float(value) for value in rng.uniform(0.6, 1.8, 3))

    def numbers(f, order=1, at=x):
        """The tangent of f, nested `order` deep."""
        for _ in range(order):
            f = (lambda g: lambda z: g(answer(z, 1.0)).tangent)(f)
        return np.array(f(at))

    def both(f):
        y = f(answer(x, s))
        return np.array([y.primal, y.tangent])

    functions = lambda z: (z.sin() * z.exp() + z.cos()) / z.log()
    nested = lambda z: (z * z.sin()).exp() / (z + 2.0) - p**z * z.cos() + (z + 1.0).log() ** 3

    def compared():
        low, high = answer(1.0, 5.0), answer(2.0, -5.0)
        results = [low < high, high < low, low > high, high > low, low < 1.5, low > 1.5, high > 1.5, 1.5 < high, 1.5 > high]
        return np.array([result is True or isinstance(result, np.bool_) and bool(result) for result in results])

    return {
        "sums and products": lambda: both(lambda z: z * z * p - (z + 3.0) * 2.0 + 0.5 * z),
        "differences": lambda: np.stack([both(lambda z: p - z), both(lambda z: z - p), both(lambda z: -z), both(lambda z: z - z * z)]),
        "quotients": lambda: np.stack([both(lambda z: z / p), both(lambda z: p / z), both(lambda z: (z + 1.0) / (z * z))]),
        "two inputs": lambda: np.array([(lambda y: (y.primal, y.tangent))(f(answer(x, 1.0), answer(p, s)))
                                        for f in (lambda a, b: a * b - b, lambda a, b: a / b + a)]),
        "powers": lambda: np.stack([both(lambda z: z**3), both(lambda z: z**-2), both(lambda z: z**0.5), both(lambda z: z**1)]),
        "bases": lambda: both(lambda z: p**z),
        "functions": lambda: both(functions),
        "second": lambda: numbers(nested, 2),
        "third": lambda: numbers(nested, 3),
        "squares at zero": lambda: np.array([numbers(lambda z: z**2, order, 0.0) for order in (1, 2, 3)]),
        "compared": compared,
        "compared, nested": lambda: np.array([answer(answer(1.0, 9.0), 9.0) < answer(answer(2.0, 1.0), 1.0)]),
    }


def judge_dual_number(arrays, seed):
    rng = np.random.default_rng(seed)
    x, p, s = (float(value) for value in rng.uniform(0.6, 1.8, 3))
    z = sympy.Symbol("z")

    def at(formula, order=1):
        return float(sympy.diff(formula, z, order).subs(z, x)) if order else float(sympy.sympify(formula).subs(z, x))

    def both(*formulas):
        rows = np.array([[at(f, 0), s * at(f)] for f in formulas])
        return rows if len(rows) > 1 else rows[0]

    nested = sympy.exp(z * sympy.sin(z)) / (z + 2) - p**z * sympy.cos(z) + sympy.log(z + 1) ** 3
    good = lambda name, expected: close(arrays, name, expected, rtol=1e-9, atol=1e-11)
    products = good("sums and products", both(z * z * p - (z + 3) * 2 + z / 2))
    differences = good("differences", both(p - z, z - p, -z, z - z * z))
    quotients = good("quotients", both(z / p, p / z, (z + 1) / z**2))
    two = good("two inputs", np.array([[x * p - p, p + x * s - s], [x / p + x, 1 / p - x / p**2 * s + 1]]))
    powers = good("powers", both(z**3, z**-2, z**0.5, z))
    bases, functions = good("bases", both(p**z)), good("functions", both((sympy.sin(z) * sympy.exp(z) + sympy.cos(z)) / sympy.log(z)))
    deep = good("second", at(nested, 2)) and good("third", at(nested, 3))
    zero = good("squares at zero", np.array([0.0, 2.0, 0.0]))
    compared = good("compared", np.array([1, 0, 0, 1, 1, 0, 1, 1, 0])) and good("compared, nested", np.array([1]))
    return [
        Part("sums, differences and products, with floats on either side", 1, products and differences,
             ABOVE if not arrays else
             "for a sum the tangents add; for a product the tangent is ẋ y + x ẏ; a float counts as a Number with tangent 0, also "
             "on the left (__radd__, __rmul__)" if not products else
             "3.0 - x calls x.__rsub__(3.0): the float comes first, and the tangent changes its sign; -x needs __neg__"),
        Part("quotients", 1, quotients and two,
             ABOVE if not arrays else
             "for q = x / y the tangent is (ẋ - q ẏ) / y; 2.0 / x calls x.__rtruediv__(2.0), with the float above the line"),
        Part("powers, and the four functions", 1, powers and bases and functions,
             ABOVE if not arrays else
             "for x**n the tangent is n x**(n-1) ẋ, for negative and broken n as well" if not powers else
             "2.0**x calls x.__rpow__(2.0); its tangent is 2.0**x times the logarithm of the base times ẋ" if not bases else
             "the tangent of sin is cos ẋ, that of cos is -sin ẋ, that of exp is exp ẋ, that of log is ẋ / x"),
        Part("nested three deep", 1, deep and zero,
             ABOVE if not arrays or not (quotients and powers and bases and functions) else
             "a primal may be a Number: the functions of math take floats only, so call the primal's own method where it has one"
             if not deep else
             "at x = 0 the rule n x**(n-1) meets n = 0 when it is nested: x**0 has the derivative 0, without 0**-1"),
        Part("comparisons", 1, compared,
             ABOVE if not arrays else "< and > look at primals, never at tangents, and take a float on either side; the result is a bool"),
    ]


def drive_tagged_derivative(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    x, y, z, p = (float(value) for value in rng.uniform(0.5, 2.0, 4))
    D = answer
    number = lambda value: np.array(value)

    def three(t):
        inner = lambda t, u: D(lambda w: t * u * w * w + p * t)(z)
        middle = lambda t: D(lambda u: u * inner(t, u) - t)(y)
        return t * middle(t)

    outer = []
    inner_first = D(lambda u: outer[-1] * u)              # made before the outer derivative, called inside it

    def made_before(t):
        outer.append(t)
        return t * inner_first(1.0)

    return {
        "one": lambda: number([D(lambda t: t * t * p - 3.0 * t + 1.0)(x), D(lambda t: (2.0 - t) / (t + p))(x), D(lambda t: 1.0 / t)(x)]),
        "sum": lambda: number(D(lambda t: t * D(lambda u: t + u)(y))(x)),
        "product": lambda: number(D(lambda t: t * D(lambda u: t * u * u)(y))(x)),
        "quotient": lambda: number(D(lambda t: t * D(lambda u: (u - t) / t)(y))(x)),
        "at the outer": lambda: number(D(lambda t: D(lambda u: t * u * u)(t * t))(x)),
        "three": lambda: number(D(three)(x)),
        "constants": lambda: number([D(lambda t: 3.0)(x), D(lambda t: t * D(lambda u: t * t)(y))(x), D(lambda t: D(lambda u: 7.0)(t))(x)]),
        "made before": lambda: number(D(made_before)(x)),
        "second": lambda: number([D(D(lambda t: t * t * t / (1.0 + t)))(x), D(D(D(lambda t: t * t * t * t)))(x)]),
    }


def judge_tagged_derivative(arrays, seed):
    rng = np.random.default_rng(seed)
    x, y, z, p = (float(value) for value in rng.uniform(0.5, 2.0, 4))
    good = lambda name, expected: close(arrays, name, np.array(expected), rtol=1e-12, atol=1e-12)
    one = good("one", [2 * x * p - 3, -(p + 2) / (x + p) ** 2, -1 / x**2])
    # d/du (u - t)/t = 1/t, times t: the constant 1. d/du t u² at t²: 2 t³.
    pairs = [good("sum", 1.0), good("product", 4 * x * y), good("quotient", 0.0), good("at the outer", 6 * x**2)]
    # inner 2 t u z, times u: 2 t u² z; its derivative 4 t u z, minus 0 for t; times t: 4 t² y z.
    three = good("three", 8 * x * y * z) and good("made before", 2 * x)
    t = sympy.Symbol("t")
    second = good("second", [float(sympy.diff(t**3 / (1 + t), t, 2).subs(t, x)), 24 * x])
    constants = good("constants", [0.0, 0.0, 0.0])
    return [
        Part("one derivative", 1, one,
             "no nesting yet: a rule, or a float on the left (3.0 * x, 2.0 - x, 1.0 / x), gives another number; or all digits are not right, as with a "
             "difference quotient" if arrays else ABOVE),
        Part("two deep, with variables from outside", 2, all(pairs),
             ABOVE if not arrays or not one else
             "inside, the outer variable does not move: only the part with the inner call's own tag is its derivative, and the "
             "outer part must come through unharmed; the call that started last has the largest tag, and an operation "
             "works on the largest tag it meets, with all else as a constant"),
        Part("three deep, and higher derivatives", 1, three and second,
             "primals and tangents are themselves numbers with smaller tags: compute on them with + - * / alone, and give each "
             "call, not each function, a fresh tag" if arrays else ABOVE),
        Part("what does not depend on the argument", 1, constants,
             "where the result is a float, or has another call's tag, this call's derivative is 0" if arrays else ABOVE),
    ]


def drive_forward_jacobian(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    m = n + int(rng.integers(1, 3))
    A, x = rng.standard_normal((m, n)), 1e3 * rng.standard_normal(n)
    runs = []

    def f(z):
        runs.append(1)
        return np.abs(A @ z) * 1e-2 + np.sin(A @ (z * z) * 1e-4)

    def counted():
        runs.clear()
        answer(f, x.copy())
        return np.array(len(runs))

    def kept():
        given = x.copy()
        answer(f, given)
        return given

    return {"tall": lambda: answer(f, x.copy()), "runs": counted, "x": kept,
            "one result": lambda: answer(lambda z: np.stack([np.sum(z * z)]), x.copy())}


def judge_forward_jacobian(arrays, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    m = n + int(rng.integers(1, 3))
    A, x = rng.standard_normal((m, n)), 1e3 * rng.standard_normal(n)
    J = 1e-2 * np.sign(A @ x)[:, None] * A + np.cos(A @ (x * x) * 1e-4)[:, None] * A * 2e-4 * x
    J1 = 2 * x[None, :]
    shape = arrays.get("tall", np.zeros(0)).shape
    right = close(arrays, "tall", J, rtol=1e-10, atol=1e-12) and close(arrays, "one result", J1, rtol=1e-12)
    return [
        Part("the derivatives", 2, right,
             ABOVE if not arrays else
             "M rows, one for each result, and N columns, one for each input: the run along e_i gives column i" if shape != (m, n) else
             "the tangents of run i are 1 at input i and 0 elsewhere; all digits are right by dual.jvp, few by differences or at a "
             "kink by complex steps"),
        Part("N runs, and x as it was", 1, close(arrays, "runs", n) and close(arrays, "x", x),
             "dual.jvp runs f once for each direction: N directions, N runs; M is the length of what comes back, no run more"
             if arrays else ABOVE),
    ]
