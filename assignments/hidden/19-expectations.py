"""Hidden tests of chapter 19: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def drive_score_gradient(answer, seed):
    import jax
    import numpy as np

    rng = np.random.default_rng(seed)
    low, high = float(rng.uniform(0.4, 0.44)), float(rng.uniform(0.55, 0.6))
    key = lambda i: jax.random.key(1000 * seed + i)
    take = lambda i, theta, n: np.asarray(answer(key(i), theta, n), dtype=float)
    return {
        "low": lambda: take(1, low, 20_000),
        "high": lambda: take(2, high, 20_000),
        "once": lambda: take(3, low, 1000),
        "again": lambda: take(3, low, 1000),
        "another": lambda: take(4, low, 1000),
    }


def judge_score_gradient(arrays, seed):
    rng = np.random.default_rng(seed)
    thetas = {"low": float(rng.uniform(0.4, 0.44)), "high": float(rng.uniform(0.55, 0.6))}

    def chance(theta):
        r = (1 - theta) / theta
        return (1 - r**3) / (1 - r**6)

    def plain(theta, n=40_000):
        """Standard deviation of the score function without baseline."""
        cash, score = np.full(n, 3), np.zeros(n)
        draw = np.random.default_rng(1)
        for _ in range(300):
            alive, gain = (cash > 0) & (cash < 6), draw.random(n) < theta
            score += np.where(gain, 1 / theta, -1 / (1 - theta)) * alive
            cash += (2 * gain - 1) * alive
        return float(np.std((cash == 6) * score))

    def given(name, n):
        values = arrays.get(name, np.zeros(0))
        return values if values.shape == (n,) and bool(np.all(np.isfinite(values))) else None

    def walked(values):
        """Whether values can come from paths: those that end after three quarters, a sixth or more, share a value or two.

        Whatever the baseline, few values are different, or a twelfth of them lie together; noise around the closed form has neither.
        """
        values = np.sort(values)
        together = (np.searchsorted(values, values + 0.05 * values.std(), side="right") - np.arange(len(values))).max() / len(values)
        different = len(np.unique(np.round(values, 6)))
        return different >= 20 and together < 0.45 and (together > 0.08 or different < len(values) / 10)

    right, calm, paths = [], [], []
    for name, theta in thetas.items():
        each, h = given(name, 20_000), 1e-6
        slope, sd = (chance(theta + h) - chance(theta - h)) / (2 * h), plain(theta)
        # The band is that of the answer's own spread, and never wider than that of the score without baseline, all coins counted.
        spread = None if each is None else float(each.std())
        right.append(each is not None and spread > 0.02 and abs(each.mean() - slope) < 4 * max(min(spread, 8 * sd), 0.05) / 20_000**0.5)
        paths.append(each is None or walked(each))
        calm.append(each is not None and 0.02 < spread < 0.8 * sd)
    once, again, another = (given(name, 1000) for name in ("once", "again", "another"))
    keyed = once is not None and again is not None and another is not None and np.array_equal(once, again) and not np.array_equal(
        once, another)
    return [
        Part("the mean, at two values of theta", 2, all(right) and all(paths),
             ABOVE if not arrays else
             "simulate: paths of a few quarters are frequent, and those that are alike give the same value, which noise added to the "
             "closed form does not" if all(right) else
             "each path gives f times the sum of its scores, 1/theta for a gain and -1/(1 - theta) for a loss, over the quarters "
             "until it ends, with all n paths followed to their end; a baseline is subtracted from f, not from the product, whose "
             "mean is the derivative"),
        Part("the standard deviation, below 0.8 times that without baseline", 1, all(right) and all(paths) and all(calm),
             "subtract a baseline from f before you multiply by the score: the best one, since for theta above 0.55 the mean of f "
             "is too poor; and coins after the end of a path do not belong to its score" if all(right) else ABOVE),
        Part("the same key, the same draws; another key, others", 1, keyed,
             "draw with jax.random and the key that is given: not with NumPy's generator, and not with a key made inside"
             if arrays else ABOVE),
    ]


def drive_digital_delta(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    Z = rng.standard_normal(500)
    S, K, h = float(rng.uniform(80, 95)), float(rng.uniform(98, 110)), float(rng.uniform(0.02, 0.1))
    out = {}
    for method in ("pathwise", "score", "smoothed", "conditioned"):
        out[method] = lambda method=method: np.asarray(answer(method, Z.copy(), S, K, h), dtype=float)
        out[f"{method}, other h"] = lambda method=method: np.asarray(answer(method, Z.copy(), S, K, 2 * h), dtype=float)
    return out


def judge_digital_delta(arrays, seed):
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal(500)
    S, K, h = float(rng.uniform(80, 95)), float(rng.uniform(98, 110)), float(rng.uniform(0.02, 0.1))
    B, density = np.exp(-0.05), lambda x: np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    q = np.log(S / K) + 0.03 + 0.2 * Z
    nine_months = np.log(S / K) + 0.03 + 0.2 * 0.75**0.5 * Z
    expected = {
        "pathwise": (np.zeros(500),) * 2,
        "score": (B * (q > 0) * Z / (0.2 * S),) * 2,
        "smoothed": tuple(B * density(q / width) / (width * S) for width in (h, 2 * h)),
        "conditioned": (B * density(nine_months / 0.1) / (0.1 * S),) * 2,
    }
    # One mistake costs one part: a factor that is forgotten (the discount, 1/S) counts where it is met first, and not again.
    right, known = {}, {1.0}
    for method, pair in expected.items():
        names = (method, f"{method}, other h")
        off = [factor for factor in (1.0, 1 / B, S, S / B)
               if all(close(arrays, name, factor * value, rtol=1e-6, atol=1e-12) for name, value in zip(names, pair))]
        right[method] = bool(known & set(off))
        if not right[method]:
            known |= set(off)
    hints = {
        "pathwise": "along one draw the payoff is flat wherever it has a derivative: the answer is an array of zeros, of the shape of Z",
        "score": "the payoff itself, discounted, times the derivative by S of the log density of log S_T, with S_T held fixed: that "
                 "is Z/(0.2 S)",
        "smoothed": "the derivative of exp(-0.05) * Phi(q/h) by S, with q = log(S_T/K) and dq/dS = 1/S: the normal density at q/h, "
                    "over h and over S; h is the one that is given",
        "conditioned": "after nine months the log price has changed by 0.03*0.75 + 0.2*sqrt(0.75)*Z; the last three add the mean "
                       "0.03*0.25 and the standard deviation 0.2*sqrt(0.25), which takes the place of h",
    }
    return [Part(f'"{method}"', 1, right[method], hints[method] if arrays else ABOVE) for method in expected]


def drive_with_score(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    theta, draws = float(rng.uniform(0.5, 2)), [float(x) for x in rng.uniform(0.5, 3, 3)]
    f = lambda t, x: jnp.sin(t * x) + x
    log_p = lambda t, x: jnp.log(t) - t * x
    far = lambda t, x: log_p(t, x) - 2000.0

    def orders(g, count):
        return np.array([[float(h(theta, x)) for h in (g, jax.grad(g), jax.grad(jax.grad(g)))[:count]] for x in draws])

    moved = lambda g: lambda t, x: g(t, x * t / theta)
    return {
        "value": lambda: orders(answer(f, log_p), 1),
        "first": lambda: orders(answer(f, log_p), 2)[:, 1],
        "second": lambda: orders(answer(f, log_p), 3)[:, 2],
        "payoff without theta": lambda: orders(answer(lambda t, x: x**2, log_p), 2)[:, 1],
        "moved": lambda: orders(moved(answer(f, log_p)), 2)[:, 1],
        "far": lambda: orders(answer(lambda t, x: x**2, far), 2)[:, 1],
    }


def judge_with_score(arrays, seed):
    rng = np.random.default_rng(seed)
    theta, x = float(rng.uniform(0.5, 2)), rng.uniform(0.5, 3, 3)
    f, f1, f2 = np.sin(theta * x) + x, x * np.cos(theta * x), -(x**2) * np.sin(theta * x)
    psi, psi1 = 1 / theta - x, -1 / theta**2
    first, second = f1 + f * psi, f2 + 2 * f1 * psi + f * (psi**2 + psi1)
    same = lambda name, expected: close(arrays, name, expected, rtol=1e-8, atol=1e-9)
    log_p = np.log(theta) - theta * x
    if same("value", (f * np.exp(log_p))[:, None]):  # the probability of the draw itself, not divided: the same factor everywhere
        f, f1, f2, first, second, no_theta = (part * np.exp(log_p) for part in (f, f1, f2, first, second, x**2 * psi))
        value_right = False
    else:
        no_theta, value_right = x**2 * psi, same("value", f[:, None])
    begun = same("payoff without theta", no_theta) or same("first", first)
    # One mistake costs one part. Beyond the first, an answer is measured against its own first derivative, and its second is that of
    # its mistake: the theta in f is forgotten, or f * log_p stands alone. Far away the payoff has no theta, so neither matters there.
    own = arrays["first"] if begun and not same("first", first) and "first" in arrays else first
    held = begun and not same("first", first) and (
        same("second", f * (psi**2 + psi1))
        or same("value", (f * log_p)[:, None]) and same("second", f2 * log_p + 2 * f1 * psi + f * psi1))
    return [
        Part("the value and the first derivative, theta in f included", 1, value_right and same("first", first),
             "the value is f; its derivative is that of f with x fixed, plus f times the derivative of log_p: a product of f with "
             "a factor that is 1" if arrays else ABOVE),
        Part("the second derivative", 1, same("second", second) or held,
             "f * log_p, and every sum that is linear in log_p, lose the square of the score in the second derivative: the factor "
             "is an exponential" if begun else ABOVE),
        Part("a draw that moves with theta", 1, begun and same("moved", own),
             "stop_gradient on x as well: its way through f and through log_p must not count" if begun else ABOVE),
        Part("log_p near -2000", 1, begun and same("far", x**2 * psi),
             "exp(-2000) is 0, and 0/0 is NaN: subtract the logarithms before you take the exponential" if begun else ABOVE),
    ]
