"""Hidden tests of chapter 01: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np

from tools.judging import Part, close


def drive_metropolis_step(answer, seed):
    import warnings

    import numpy as np
    rng = np.random.default_rng(seed)
    d = int(rng.integers(2, 5))
    x, proposal, far = rng.standard_normal(d), rng.standard_normal(d), 100 + rng.standard_normal(d)

    def normal(z):
        return float(-0.5 * np.sum(z * z))

    def positive(z):
        return float(-np.sum(z)) if np.all(z > 0) else -np.inf

    def step(log_density, x, proposal, u):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return answer(log_density, x.copy(), proposal.copy(), u)

    if normal(proposal) > normal(x):
        x, proposal = proposal, x                       # downhill: a ratio below 1
    ratio = float(np.exp(normal(proposal) - normal(x)))
    return {
        "just below the ratio": lambda: step(normal, x, proposal, ratio * (1 - 1e-6)),
        "just above the ratio": lambda: step(normal, x, proposal, ratio + (1 - ratio) * 1e-6),
        "far below the ratio": lambda: step(normal, x, proposal, ratio / 3),
        "uphill": lambda: step(normal, proposal, x, 0.999),
        "far uphill": lambda: step(normal, far, x, 0.999),
        "far downhill": lambda: step(normal, x, far, 1e-300),
        "outside": lambda: step(positive, np.abs(x), -np.abs(proposal), 1e-300),
    }


def judge_metropolis_step(arrays, seed):
    rng = np.random.default_rng(seed)
    d = int(rng.integers(2, 5))
    x, proposal, _ = rng.standard_normal(d), rng.standard_normal(d), 100 + rng.standard_normal(d)
    if np.sum(proposal**2) < np.sum(x**2):
        x, proposal = proposal, x
    at = lambda name, point: close(arrays, name, point, rtol=0, atol=0)
    below = at("just below the ratio", proposal) and at("far below the ratio", proposal)
    return [
        Part("accepted in proportion to the ratio", 1,
             below and at("just above the ratio", x),
             "downhill, accept exactly when u is below the ratio of the densities: log_density gives logarithms, so the ratio is "
             "the exponential of their difference, proposal minus x"),
        Part("uphill always, and by thousands", 1, at("uphill", x) and at("far uphill", x),
             "a better proposal is always accepted; for a rise of thousands the ratio overflows: compare logarithms instead"),
        Part("far downhill, or where the density is 0", 1,
             at("far downhill", x) and at("outside", np.abs(x)) and below,
             "a proposal of density 0 or nearly 0 is rejected, and the state returned is the old x"),
    ]


def drive_effective_draws(answer, seed):
    import numpy as np
    rng = np.random.default_rng(seed)

    def autoregression(phi, n):
        noise = np.sqrt(1 - phi**2) * rng.standard_normal(n)
        x = np.empty(n)
        x[0] = rng.standard_normal()
        for t in range(1, n):
            x[t] = phi * x[t - 1] + noise[t]
        return x

    n = 20_000 + 2 * int(rng.integers(0, 100))
    slow, slower = autoregression(0.7, n), autoregression(0.9, 2 * n)
    independent, alternating = rng.standard_normal(n), autoregression(-0.5, n)
    return {
        "slow": lambda: answer(slow.copy()),
        "slower": lambda: answer(slower.copy()),
        "shifted": lambda: answer(1000 + 0.01 * slow),
        "independent": lambda: answer(independent.copy()),
        "alternating": lambda: answer(alternating.copy()),
    }


def judge_effective_draws(arrays, seed):
    rng = np.random.default_rng(seed)
    n = 20_000 + 2 * int(rng.integers(0, 100))
    near = lambda name, phi, n, share: close(arrays, name, n * (1 - phi) / (1 + phi), rtol=share, atol=0)
    right = near("slow", 0.7, n, 0.25)
    return [
        Part("chains with known autocorrelations", 1, right and near("slower", 0.9, 2 * n, 0.4),
             "n over tau, and tau counts each lag from 1 on twice, lag 0 once; where the pairs are cut off decides: at the first "
             "pair that is not positive"),
        Part("a mean and a scale of its own", 1,
             near("shifted", 0.7, n, 0.25) and "slow" in arrays and close(arrays, "shifted", arrays["slow"], rtol=1e-3),
             "take the chain's average off first, and divide by the autocovariance at lag 0: units must not matter"),
        Part("independent draws", 1, near("independent", 0.0, n, 0.1),
             "for independent draws tau is about 1 and the answer, one float, about n: lag 0 counts once, and mind the cut-off"),
        Part("draws that alternate", 1, near("alternating", -0.5, n, 0.15),
             "where neighbors are negatively correlated an average is better than that of independent draws: sum in pairs, do "
             "not stop at the first negative autocorrelation, and do not cap at n"),
    ]


def drive_newton_logit(answer, seed):
    import numpy as np
    rng = np.random.default_rng(seed)
    n, N = int(rng.integers(150, 250)), int(rng.integers(3, 6))
    X = rng.standard_normal((n, N))
    X[:, 0] = 1
    b = rng.uniform(-1, 1, N)
    y = (rng.random(n) < 1 / (1 + np.exp(-X @ b))).astype(float)
    scale = 10.0 ** rng.permutation(np.linspace(-4, 4, N))
    apart = (X @ (b + 1) > 0).astype(float)
    again = np.argsort(np.abs(X @ (b + 1)))[:8]          # observed twice, with both outcomes: never separated
    X_nearly, nearly = np.concatenate([X, X[again]]), np.concatenate([apart, 1 - apart[again]])

    def both(X, y):
        found = answer(X.copy(), y.copy())
        return np.stack([np.asarray(found[0], dtype=float), np.asarray(found[1], dtype=float)])

    def refused(X, y):
        try:
            answer(X.copy(), y.copy())
        except ValueError as error:                     # NumPy's LinAlgError is one too, and says nothing of the data
            return 0 if isinstance(error, np.linalg.LinAlgError) else 1
        return 0

    def untouched():
        given_X, given_y = X.copy(), y.copy()
        answer(given_X, given_y)
        return np.column_stack([given_X, given_y])

    return {
        "plain": lambda: both(X, y),
        "untouched": untouched,
        "scaled": lambda: both(X * scale, y),
        "small units": lambda: both(X * 1e5, y),
        "large units": lambda: both(X * 1e-5, y),
        "separated": lambda: refused(X, apart),
        "separated, other units": lambda: refused(X * scale, apart),
        "nearly separated": lambda: both(X_nearly, nearly),
    }


def judge_newton_logit(arrays, seed):
    rng = np.random.default_rng(seed)
    n, N = int(rng.integers(150, 250)), int(rng.integers(3, 6))
    X = rng.standard_normal((n, N))
    X[:, 0] = 1
    b = rng.uniform(-1, 1, N)
    y = (rng.random(n) < 1 / (1 + np.exp(-X @ b))).astype(float)
    scale = 10.0 ** rng.permutation(np.linspace(-4, 4, N))
    apart = (X @ (b + 1) > 0).astype(float)
    again = np.argsort(np.abs(X @ (b + 1)))[:8]          # observed twice, with both outcomes: never separated
    X_nearly, nearly = np.concatenate([X, X[again]]), np.concatenate([apart, 1 - apart[again]])

    def fitted(X, y):
        c = np.zeros(N)
        for _ in range(60):
            q = 0.5 * (1 + np.tanh(X @ c / 2))
            V = np.linalg.inv((X * (q * (1 - q))[:, None]).T @ X)
            c = c + V @ (X.T @ (y - q))
        return c, np.sqrt(np.diag(V))

    (c, se), (c_nearly, se_nearly) = fitted(X, y), fitted(X_nearly, nearly)
    got = lambda name: arrays[name] if name in arrays and arrays[name].shape == (2, N) else np.full((2, N), np.nan)
    same = lambda value, expected: bool(np.all(np.abs(value - expected) <= 1e-6 * np.abs(expected) + 1e-9))
    kept = close(arrays, "untouched", np.column_stack([X, y]), rtol=0, atol=0)
    refused = lambda name: name in arrays and bool(np.all(arrays[name] == 1))
    return [
        Part("coefficients", 1, same(got("plain")[0], c) and same(got("nearly separated")[0], c_nearly) and kept,
             "Newton's move is the Hessian's inverse times the gradient; go on until nothing moves, also where the coefficients "
             "are large, and leave X and y as they were"),
        Part("standard errors", 1, same(got("plain")[1], se) and same(got("nearly separated")[1], se_nearly),
             "the square roots of the diagonal of the inverse of minus the Hessian, at the estimate, nothing else"),
        Part("columns of any scale", 1, all(same(got(name) * factor, np.stack([c, se])) for name, factor in
                                             [("scaled", scale), ("small units", 1e5), ("large units", 1e-5)]),
             "multiply a column by 1000 and its coefficient must fall by 1000, to the same digits: a fixed tolerance in b or in "
             "the gradient stops too early or never"),
        Part("separated data", 1, refused("separated") and refused("separated, other units") and bool(np.all(np.isfinite(got("nearly separated")))),
             "once an iterate puts every y = 1 above zero and every other below, the data are separated: raise a ValueError, and "
             "not where it is merely close"),
    ]
