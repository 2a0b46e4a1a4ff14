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
        "no yield": lambda: answer(lambda y: 100 / (1 + y) ** 7, 0.0),
        "negative price": lambda: answer(lambda y: -100 / (1 + y) ** 3, 0.25),
    }


def judge_modified_duration(arrays, seed):
    rng = np.random.default_rng(seed)
    coupon, years, y = rng.uniform(2, 9), int(rng.integers(3, 30)), rng.uniform(0.01, 0.12)
    k = np.arange(1, years + 1)
    pay = np.full(years, coupon) + 100 * (k == years)
    bond = np.sum(k * pay / (1 + y) ** (k + 1)) / np.sum(pay / (1 + y) ** k)
    return [
        Part("a bond drawn at random", 1, close(arrays, "bond", bond, rtol=1e-12),
             "one number in 64 bits: the slope divided by the price at the same yield, nothing else (no factor 1 + y, no "
             "rounding, no error of a step)"),
        Part("yields of 1e-9 and 0", 1, close(arrays, "tiny yield", 1e9, rtol=1e-12) and close(arrays, "no yield", 7.0, rtol=1e-12),
             "a fixed step is larger than such a yield, and a step relative to it is zero; let JAX differentiate"),
        Part("rising prices, negative yields, negative prices", 1,
             close(arrays, "rising price", -3 / 50.15, rtol=1e-12) and close(arrays, "negative yield", 10 / 0.996, rtol=1e-12)
             and close(arrays, "negative price", 2.4, rtol=1e-12),
             "the sign comes from the formula: do not take an absolute value"),
    ]


def drive_independent_draws(answer, seed):
    import jax
    import numpy as np
    key, other = jax.random.split(jax.random.key(seed + 101))
    n = 20_000 + seed % 100
    draws = lambda k, n: np.stack([np.asarray(a, dtype=float) for a in answer(k, n)])
    return {
        "draws": lambda: draws(key, n),
        "again": lambda: draws(key, n),
        "other key": lambda: draws(other, n),
    }


def judge_independent_draws(arrays, seed):
    import jax
    n = 20_000 + seed % 100
    draws = arrays.get("draws", np.zeros((0, 0)))
    right_shape = draws.shape == (2, n) and bool(np.all(np.isfinite(draws)))
    u, v = draws if right_shape else (np.zeros(n), np.zeros(n))
    shared = lambda a, b: np.isin(np.abs(a), np.abs(b)).mean() > 0.02      # chance alone: some in a thousand, in 32 bits
    standard = right_shape and all(abs(x.mean()) < 5 / np.sqrt(n) and abs((x**2).mean() - 1) < 5 * np.sqrt(2 / n)
                                   and abs((x**4).mean() - 3) < 5 * np.sqrt(96 / n) for x in (u, v))
    moves = right_shape and arrays.get("other key", draws).shape == draws.shape and not shared(draws, arrays["other key"])
    repeatable = "again" in arrays and arrays["again"].shape == draws.shape and bool(np.array_equal(draws, arrays["again"]))
    unrelated = standard and not shared(u, v) and abs(np.corrcoef(u, v)[0, 1]) < 5 / np.sqrt(n)
    key, _ = jax.random.split(jax.random.key(seed + 101))
    with jax.enable_x64(True):
        itself = [np.asarray(jax.random.normal(key, (n,), dtype), float) for dtype in ("float32", "float64")]
    parent = right_shape and any(shared(x, y) for x in (u, v) for y in itself)
    return [
        Part("two arrays of standard normal numbers", 1, standard and moves,
             "each array has n normal numbers with mean 0 and variance 1, and another key must give other numbers"),
        Part("independent of each other", 1, unrelated and not parent,
             "the two arrays move together, or a key was used twice (to draw and to be split): split the key, draw from the "
             "new keys, each once"),
        Part("a function of the key alone", 1, right_shape and repeatable and moves,
             "the same key must give the same numbers, another key others: draw from the key, not from a generator with a state"),
    ]
