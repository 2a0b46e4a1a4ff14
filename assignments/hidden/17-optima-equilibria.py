"""Hidden tests of chapter 17: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def drive_envelope_check(answer, seed):
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    K = int(rng.integers(3, 6))
    taste, prices, budget = rng.uniform(0.2, 1, K), rng.uniform(0.5, 2, K), float(rng.uniform(2, 5))
    index = np.sum(taste / prices)
    goods = taste / prices**2 * budget / index
    reached = float(np.sqrt(budget * index))                        # the utility of these goods

    def utility(z):
        return jnp.sum(jnp.sqrt(jnp.asarray(taste) * z))

    buy = (lambda a, z: utility(z), lambda a, z: a[K] - a[:K] @ z)
    save = (lambda a, z: a[:K] @ z, lambda a, z: a[K] - utility(z))
    by_prices = jnp.asarray([*prices, budget])
    by_utility = jnp.asarray([*prices, reached])
    moved = goods * (1 + 0.3 * np.cos(np.arange(K)))
    moved *= budget / (prices @ moved)                              # on the budget line, and not the best there
    part = lambda problem, i: lambda: np.asarray(answer(problem)[i])
    best, cheapest = (*buy, by_prices, jnp.asarray(goods)), (*save, by_utility, jnp.asarray(goods))
    poor = (*buy, by_prices, jnp.asarray(moved))
    return {"roy": part(best, 0), "shephard": part(cheapest, 0), "nu of money": part(best, 1), "nu of utility": part(cheapest, 1),
            "miss at the best": part(best, 2), "miss at the cheapest": part(cheapest, 2),
            "miss of a poor choice": part(poor, 2), "nu of a poor choice": part(poor, 1)}


def judge_envelope_check(arrays, seed):
    rng = np.random.default_rng(seed)
    K = int(rng.integers(3, 6))
    taste, prices, budget = rng.uniform(0.2, 1, K), rng.uniform(0.5, 2, K), float(rng.uniform(2, 5))
    index = np.sum(taste / prices)
    goods = taste / prices**2 * budget / index
    money = np.sqrt(index / budget) / 2                             # marginal utility of the budget
    moved = goods * (1 + 0.3 * np.cos(np.arange(K)))
    moved *= budget / (prices @ moved)
    slope = 0.5 * np.sqrt(taste / moved)
    nu = slope @ prices / (prices @ prices)                         # g = b - p z: its slope is -p
    miss = np.linalg.norm(slope - nu * prices) / np.linalg.norm(slope)
    multipliers = (close(arrays, "nu of money", np.array(money), rtol=1e-8)
                   and close(arrays, "nu of utility", np.array(1 / money), rtol=1e-8))
    return [
        Part("the slope: Roy's identity and Shephard's lemma", 2,
             close(arrays, "roy", [*(-money * goods), money], rtol=1e-8)
             and close(arrays, "shephard", [*goods, 1 / money], rtol=1e-8),
             "the slope is the gradient by a of phi + nu g with z held fixed: both terms, with the sign of nu that makes the "
             "gradient of phi + nu g by z vanish" if arrays else ABOVE),
        Part("the multiplier at an optimum", 1, multipliers,
             "nu belongs to L = phi + nu g, with a plus sign: for the most utility it is the marginal utility of the budget, for "
             "the least expenditure the price of utility, both positive here" if arrays else ABOVE),
        Part("how far from an optimum", 1,
             close(arrays, "miss at the best", np.array(0.0), atol=1e-10)
             and close(arrays, "miss at the cheapest", np.array(0.0), atol=1e-10)
             and close(arrays, "miss of a poor choice", np.array(miss), rtol=1e-6),
             "away from an optimum no nu solves all K conditions: take the one of least squares over all of them, and divide the "
             "norm that is left by the norm of the gradient of phi by z" if arrays else ABOVE),
    ]


def drive_loo_slope(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    K, a = int(rng.integers(3, 6)), float(rng.uniform(-1, 1))
    tall = rng.standard_normal((12, K))
    y_tall = tall @ rng.standard_normal(K) + rng.standard_normal(12)
    wide = np.column_stack([tall, np.zeros((12, 10))])              # regressors of zeros: nothing changes but the shape
    return {"tall": lambda: np.asarray(answer(tall.copy(), y_tall.copy(), a)),
            "tall, small penalty": lambda: np.asarray(answer(tall.copy(), y_tall.copy(), a - 3)),
            "wide": lambda: np.asarray(answer(wide.copy(), y_tall.copy(), a))}


def judge_loo_slope(arrays, seed):
    rng = np.random.default_rng(seed)
    K, a = int(rng.integers(3, 6)), float(rng.uniform(-1, 1))
    tall = rng.standard_normal((12, K))
    y_tall = tall @ rng.standard_normal(K) + rng.standard_normal(12)

    def slope(X, y, a):
        """By refits with each observation left out and a complex step: no formula of the exercise."""
        penalty, total = np.exp(a + 1e-30j), 0
        for i in range(len(y)):
            rest = np.arange(len(y)) != i
            z = np.linalg.solve(X[rest].T @ X[rest] + penalty * np.eye(X.shape[1]), X[rest].T @ y[rest])
            total = total + (y[i] - X[i] @ z) ** 2
        return np.array((total / len(y)).imag / 1e-30)

    # Regressors of zeros change nothing, so that an error in the formula loses the first part alone.
    same, other = (arrays.get(name, np.zeros(0)) for name in ("tall", "tall, small penalty"))
    moves = same.shape == () and other.shape == () and abs(same - other) > 1e-6
    return [
        Part("the slope for more observations than regressors", 2,
             close(arrays, "tall", slope(tall, y_tall, a), rtol=1e-7, atol=1e-10)
             and close(arrays, "tall, small penalty", slope(tall, y_tall, a - 3), rtol=1e-7, atol=1e-10),
             "E is a mean over observations of squared left-out errors; as the penalty moves, the fit and the leverage in the "
             "denominator both move, and the derivative is by a, the log of the penalty, to 8 digits" if arrays else ABOVE),
        Part("more regressors than observations", 1, moves and close(arrays, "wide", same, rtol=1e-6),
             "with more columns than rows, the Gram matrix is singular on its own: the penalty must be in every matrix that you "
             "solve with, and M counts the rows of X" if arrays else ABOVE),
    ]


def drive_domar_slopes(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    N = int(rng.integers(3, 6))
    shares = rng.dirichlet(np.ones(N + 1), N)
    c = rng.dirichlet(np.ones(N))
    theta = float(rng.uniform(0.2, 0.6))
    run = lambda theta: lambda: np.asarray(answer(c.copy(), shares[:, :N].copy(), shares[:, N].copy(), theta))
    return {"hard to replace": run(theta), "easy to replace": run(theta + 2), "Cobb-Douglas": run(1.0)}


def judge_domar_slopes(arrays, seed):
    rng = np.random.default_rng(seed)
    N = int(rng.integers(3, 6))
    shares = rng.dirichlet(np.ones(N + 1), N)
    c = rng.dirichlet(np.ones(N))
    theta = float(rng.uniform(0.2, 0.6))
    Omega, omega = shares[:, :N], shares[:, N]

    def weights(a, theta):
        """Sales over GDP at log productivities a, by iterating on prices: no formula of the solution, complex steps allowed."""
        power = np.ones(N, dtype=complex)                           # of the price, to 1 - theta
        for _ in range(3000):
            power = np.exp(-(1 - theta) * a) * (omega + Omega @ power)
        used = Omega * power / (np.exp((1 - theta) * a) * power)[:, None]
        budget = c * power / (c @ power)
        return np.linalg.solve(np.eye(N) - used.T, budget)

    slopes = lambda theta: np.stack([weights(1e-30j * e, theta).imag / 1e-30 for e in np.eye(N)], axis=1)
    return [
        Part("inputs that are hard, and easy, to replace", 2,
             close(arrays, "hard to replace", slopes(theta), rtol=1e-7, atol=1e-9)
             and close(arrays, "easy to replace", slopes(theta + 2), rtol=1e-7, atol=1e-9),
             "at a = 0 compare with differences of sales over GDP: prices fall by the Leontief inverse times a, every buyer, "
             "households included, shifts its shares by 1 - theta times relative prices, and sales follow through the "
             "transposed network" if arrays else ABOVE),
        Part("an elasticity of 1", 1, close(arrays, "Cobb-Douglas", np.zeros((N, N)), atol=1e-9),
             "at theta = 1 shares are constant and the weights do not move: the answer is a matrix of zeros, where a formula with "
             "1/(1 - theta) gives nan" if arrays else ABOVE),
    ]
