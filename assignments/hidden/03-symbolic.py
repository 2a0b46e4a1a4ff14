"""Hidden tests of chapter 03: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np
import sympy

from tools.judging import Part, close


def drive_ops_with_cse(answer, seed):
    import numpy as np
    import sympy
    rng = np.random.default_rng(seed)
    x, y, z, unused = sympy.symbols("x y z unused")
    rate, shift = sympy.Rational(int(rng.integers(7, 19)), 5), sympy.Integer(int(rng.integers(2, 6)))

    def repeat(step, n):
        e = x
        for _ in range(n):
            e = step(e)
        return e

    def numbers(expr, variables):
        naive, shared = answer(expr, list(variables))
        return np.array([int(naive), int(shared)])

    wave, tent = repeat(lambda e: rate * e * sympy.sin(e), 3), repeat(lambda e: e**2 - shift * e, 4)
    pair = sympy.exp(x * y) * sympy.log(shift + x * y + z) / (rate + sympy.sin(x * y))
    return {
        "a map with a sine": lambda: numbers(wave, [x]),
        "a quadratic map": lambda: numbers(tent, [x]),
        "three variables": lambda: numbers(pair, [x, y, z]),
        "two of three variables": lambda: numbers(pair, [z, x]),
        "a variable that is not there": lambda: numbers(pair, [x, unused]),
    }


def judge_ops_with_cse(arrays, seed):
    rng = np.random.default_rng(seed)
    x, y, z, unused = sympy.symbols("x y z unused")
    rate, shift = sympy.Rational(int(rng.integers(7, 19)), 5), sympy.Integer(int(rng.integers(2, 6)))

    def repeat(step, n):
        e = x
        for _ in range(n):
            e = step(e)
        return e

    wave, tent = repeat(lambda e: rate * e * sympy.sin(e), 3), repeat(lambda e: e**2 - shift * e, 4)
    pair = sympy.exp(x * y) * sympy.log(shift + x * y + z) / (rate + sympy.sin(x * y))

    def right(name, which, expr, variables):
        gradient = [sympy.diff(expr, v) for v in variables]
        lines, rest = sympy.cse([expr, *gradient])
        count = lambda es: int(sum(sympy.count_ops(e) for e in es))
        expected = [count(gradient), count([e for _, e in lines]) + count(rest)]
        found = arrays.get(name, np.zeros(0))
        return found.shape == (2,) and int(found[which]) == expected[which]

    one = [all(right(name, which, e, [x]) for name, e in (("a map with a sine", wave), ("a quadratic map", tent))) for which in (0, 1)]
    several = lambda which: (right("three variables", which, pair, [x, y, z]) and right("two of three variables", which, pair, [z, x])
                             and right("a variable that is not there", which, pair, [x, unused]))
    known = [which for which in (0, 1) if one[which]]           # what is wrong for one variable costs its own part only
    return [
        Part("the gradient as it is written", 1, one[0],
             "the first number counts the derivative as diff returns it: not simplified, not shared, and without the value"),
        Part("value and gradient after CSE", 1, one[1],
             "the second number needs one call of cse on the value and the gradient together, and both what the lines compute and "
             "what is left at the end; naming a part costs nothing"),
        Part("several variables", 1, bool(known) and all(several(which) for which in known),
             "add up over the symbols in variables, all of them and no others, also one that the formula does not contain; parts "
             "that two entries of the gradient share count once"),
    ]


def drive_slutsky(answer, seed):
    import numpy as np
    import sympy
    rng = np.random.default_rng(seed)
    u = rng.uniform(0.2, 1.0, (3, 3))
    levels = rng.uniform(0.1, 0.5, 3)
    b, d, f = sympy.symbols("beef dill fish", positive=True)
    w = sympy.symbols("wage", positive=True)
    at = {b: 0.75, d: 1.25, f: 2.0, w: 9.0}
    prices = [b, d, f]
    shares = (u[0] / u[0].sum()).tolist()
    left = w - sum(float(g) * p for g, p in zip(levels, prices))
    geary = [float(g) + s * left / p for g, s, p in zip(levels, shares, prices)]
    odd = [w ** float(u[1, i]) * b ** float(-u[2, 0] - i) * d ** float(u[2, 1] * (i - 0.4)) * f ** float(u[0, 2] * (1 - i)) for i in range(3)]
    quasi = [(float(u[1, 1]) * b / f) ** 2, (w - f * (float(u[1, 1]) * b / f) ** 2) / b]      # of fish and beef, in this order

    def numbers(demand, prices, change=lambda S: S):
        S = change(sympy.Matrix(answer(list(demand), list(prices), w)))
        return np.array(S.subs(at).evalf(25).tolist(), dtype=float)

    def is_matrix():
        S = answer(list(geary), list(prices), w)
        return np.array([isinstance(S, sympy.MatrixBase), f in S.free_symbols and w in S.free_symbols], dtype=float)

    return {
        "Stone-Geary": lambda: numbers(geary, prices),
        "no utility behind it": lambda: numbers(odd, prices),
        "two goods": lambda: numbers(quasi, [f, b]),
        "a matrix of formulas": is_matrix,
        "its derivative by income": lambda: numbers(geary, prices, lambda S: S.diff(w)),
    }


def judge_slutsky(arrays, seed):
    rng = np.random.default_rng(seed)
    u = rng.uniform(0.2, 1.0, (3, 3))
    levels = rng.uniform(0.1, 0.5, 3)
    p, m = np.array([0.75, 1.25, 2.0]), 9.0                     # beef, dill, fish
    shares = u[0] / u[0].sum()

    left = m - levels @ p
    q = levels + shares * left / p
    by_price = -np.outer(shares / p, levels) - np.diag(shares * left / p**2)
    geary = by_price + np.outer(shares / p, q)

    i = np.arange(3)
    powers = np.stack([-u[2, 0] - i, u[2, 1] * (i - 0.4), u[0, 2] * (1 - i)], axis=1)
    demand = m ** u[1] * np.prod(p**powers, axis=1)
    odd = lambda q, slope: q[:, None] * powers / p + np.outer(slope, q)
    slope = u[1] * demand / m
    geary_by_income = np.outer(shares / p, shares / p) - np.diag(shares / p**2)

    k, f, b = u[1, 1], p[2], p[0]
    q1 = (k * b / f) ** 2
    q2 = (m - f * q1) / b
    d1 = np.array([-2 * q1 / f, 2 * q1 / b])
    d2 = np.array([-(q1 + f * d1[0]) / b, -f * d1[1] / b - q2 / b])
    quasi = np.stack([d1, d2]) + np.outer([0, 1 / b], [q1, q2])

    kind = arrays.get("a matrix of formulas", np.zeros(0))
    return [
        Part("a demand system with a utility behind it", 1, close(arrays, "Stone-Geary", geary, rtol=1e-9, atol=1e-10),
             "the price effect of every good by every price, plus the quantity of good j times the income effect on good i"),
        Part("a demand system without one", 1, close(arrays, "no utility behind it", odd(demand, slope), rtol=1e-9, atol=1e-10),
             "rows are goods, columns are prices, and the matrix need not be symmetric: the income effect is that of the good of "
             "the row, the quantity that of the column"),
        Part("two goods, prices in any order", 1, close(arrays, "two goods", quasi, rtol=1e-9, atol=1e-10),
             "the columns follow prices in the order in which they are given, whatever their names; nothing may depend on there "
             "being three goods, and a good may have no income effect"),
        Part("a matrix of formulas", 1,
             kind.shape == (2,) and bool(np.all(kind == 1)) and close(arrays, "its derivative by income", geary_by_income, rtol=1e-9, atol=1e-10),
             "return a sympy.Matrix whose entries still contain the symbols: it is to be differentiated and lambdified later"),
    ]


def drive_elasticities(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np
    import sympy
    rng = np.random.default_rng(seed)
    k, n, t = sympy.symbols("k n t", positive=True)
    a, b = (float(v) for v in rng.uniform(0.2, 0.6, 2))
    c = int(rng.integers(2, 5))
    ks, ns = rng.uniform(0.5, 2, (2, 4))
    ces = (a * k ** sympy.Rational(1, 2) + b * n ** sympy.Rational(1, 2)) ** 2 * t
    ends = k**c * (1 + k * n)
    function = lambda expr, *variables: answer(expr, list(variables))

    def transformed():
        g = function(ces.subs(t, 1), k, n)
        by_jit = jax.jit(g)(ks[0], ns[0])
        by_vmap = jax.vmap(g)(jnp.asarray(ks), jnp.asarray(ns))         # [4, 2]
        by_grad = jax.grad(lambda v: g(v, jnp.asarray(ns[0]))[0])(jnp.asarray(ks[0]))
        return np.concatenate([np.ravel(by_jit), np.ravel(by_vmap), np.ravel(by_grad)])

    def single():
        given = [jnp.asarray(v, jnp.float32) for v in (ks[0], ns[0])]
        return np.asarray(function(ends, k, n)(*given))

    return {
        "numbers": lambda: np.asarray(function(ces.subs(t, 1), k, n)(ks[0], ns[0])),
        "another order": lambda: np.asarray(function(ces.subs(t, 1), n, k)(ns[0], ks[0])),
        "arrays": lambda: np.asarray(function(ends, n, k)(jnp.asarray(ns), jnp.asarray(ks))),
        "arrays, one constant": lambda: np.asarray(function(ces, t, k, n)(*[jnp.asarray(v) for v in (ns, ks, ns)])),
        "arrays, all constant": lambda: np.asarray(function(k**a * n**b, k, n)(jnp.asarray(ks), jnp.asarray(ns))),
        "at zero": lambda: np.asarray(function(ends, k, n)(0.0, ns[0])),
        "32 bits": single,
        "transformed": transformed,
    }


def judge_elasticities(arrays, seed):
    rng = np.random.default_rng(seed)
    a, b = (float(v) for v in rng.uniform(0.2, 0.6, 2))
    c = int(rng.integers(2, 5))
    ks, ns = rng.uniform(0.5, 2, (2, 4))
    share = lambda k, n: a * np.sqrt(k) / (a * np.sqrt(k) + b * np.sqrt(n))
    ces = lambda k, n: np.array([share(k, n), 1 - share(k, n)])
    ends = lambda k, n: np.array([c + k * n / (1 + k * n), k * n / (1 + k * n)])
    numbers, stacked = ces(ks[0], ns[0]), ces(ks, ns)
    slope = numbers[0] * (1 - numbers[0]) / (2 * ks[0])
    single = arrays.get("32 bits", np.zeros(0))
    return [
        Part("numbers", 1, close(arrays, "numbers", numbers, rtol=1e-10) and close(arrays, "another order", numbers[::-1], rtol=1e-10),
             "x_i / f times the derivative by x_i, one for each symbol and in the order of variables: for numbers the shape is (N,)"),
        Part("arrays, and elasticities that are constant", 1,
             close(arrays, "arrays", ends(ks, ns)[::-1], rtol=1e-10)
             and close(arrays, "arrays, one constant", np.stack([np.ones(4), *stacked]), rtol=1e-10)
             and close(arrays, "arrays, all constant", np.stack([np.full(4, a), np.full(4, b)]), rtol=1e-10),
             "for arrays of shape (K,) the shape is (N, K); a constant elasticity comes out of generated code as one number, so "
             "broadcast it to the shape of the inputs before you stack"),
        Part("where the formula itself is zero", 1,
             close(arrays, "at zero", ends(0.0, ns[0]), rtol=1e-10),
             "0/0 is nan: simplify the elasticity as a formula, so that what can be divided out is gone, and generate code then"),
        Part("32 bits stay 32 bits", 1, single.dtype == np.float32 and close(arrays, "32 bits", ends(ks[0], ns[0]), rtol=1e-5, atol=1e-6),
             "float32 arrays came in and something else came out: look for an array made without a dtype, for float(…) and for NumPy"),
        Part("jit, vmap, grad", 1, close(arrays, "transformed", np.concatenate([numbers, stacked.T.ravel(), [slope]]), rtol=1e-9),
             "the function is to be transformed by JAX: generate it with modules=\"jax\", stack with jax.numpy, and call neither "
             "NumPy nor float(…) inside"),
    ]
