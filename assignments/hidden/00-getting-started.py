"""Hidden tests of chapter 00: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np

from tools.judging import Part, close


def drive_modified_duration(answer, seed):
    import numpy as np
    rng = np.random.default_rng(seed)
    coupon, years, y = rng.uniform(2, 9), int(rng.integers(3, 30)), rng.uniform(0.01, 0.12)

    def bond(y):
        return sum(coupon / (1 + y) ** k for k in range(1, years + 1)) + 100 / (1 + y) ** years

    return {
        "bond": lambda: answer(bond, y),
        "tiny yield": lambda: answer(lambda y: 100 / (1 + 1e9 * y) ** 2, 1e-9),
        "rising price": lambda: answer(lambda y: 50 + 3 * y, 0.05),
        "negative yield": lambda: answer(lambda y: 100 / (1 + y) ** 10, -0.004),
    }


def judge_modified_duration(arrays, seed):
    rng = np.random.default_rng(seed)
    coupon, years, y = rng.uniform(2, 9), int(rng.integers(3, 30)), rng.uniform(0.01, 0.12)
    k = np.arange(1, years + 1)
    pay = np.full(years, coupon) + 100 * (k == years)
    bond = np.sum(k * pay / (1 + y) ** (k + 1)) / np.sum(pay / (1 + y) ** k)
    return [
        Part("a bond drawn at random", 1, close(arrays, "bond", bond, rtol=1e-9),
             "the modified duration divides the slope by the price at the same yield, nothing else: no factor 1 + y, "
             "and no rounding by a step"),
        Part("a yield of 1e-9", 1, close(arrays, "tiny yield", 1e9, rtol=1e-9),
             "a fixed step is larger than this yield; let JAX differentiate"),
        Part("prices that rise with the yield, and negative yields", 1,
             close(arrays, "rising price", -3 / 50.15, rtol=1e-9) and close(arrays, "negative yield", 10 / 0.996, rtol=1e-9),
             "the sign comes from the formula: do not take an absolute value"),
    ]


def drive_independent_draws(answer, seed):
    import jax
    import numpy as np
    key, other = jax.random.split(jax.random.key(seed + 101))
    n = 4000 + seed % 100
    draws = lambda k, n: np.stack([np.asarray(a, dtype=float) for a in answer(k, n)])
    return {
        "draws": lambda: draws(key, n),
        "again": lambda: draws(key, n),
        "other key": lambda: draws(other, n),
    }


def judge_independent_draws(arrays, seed):
    n = 4000 + seed % 100
    draws = arrays.get("draws", np.zeros((0, 0)))
    right_shape = draws.shape == (2, n) and bool(np.all(np.isfinite(draws)))
    u, v = draws if right_shape else (np.zeros(n), np.zeros(n))
    standard = right_shape and all(abs(x.mean()) < 5 / np.sqrt(n) and abs(x.var() - 1) < 5 * np.sqrt(2 / n) for x in (u, v))
    corr = abs(np.corrcoef(u, v)[0, 1]) if standard else 1.0
    lagged = max((abs(np.corrcoef(u[s:], v[: n - s])[0, 1]) for s in range(1, 4)), default=1.0) if standard else 1.0
    repeatable = "again" in arrays and arrays["again"].shape == draws.shape and bool(np.array_equal(draws, arrays["again"]))
    moves = right_shape and arrays.get("other key", draws).shape == draws.shape and not np.any(draws == arrays["other key"])
    return [
        Part("two arrays of standard normal numbers", 1, standard and moves,
             "each array has n numbers with mean 0 and variance 1, and another key must give other numbers"),
        Part("independent of each other", 1, standard and corr < 5 / np.sqrt(n) and lagged < 5 / np.sqrt(n),
             "the two arrays move together: split the key and use each new key once"),
        Part("a function of the key alone", 1, right_shape and repeatable and moves,
             "the same key must give the same numbers: draw from the key, not from a generator with a state"),
    ]
