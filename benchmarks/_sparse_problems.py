"""The problems of the benchmarks of sparse derivatives: functions of JAX with their patterns, built from the formulas.

Nothing runs here. Each problem is `(f, x, pattern)`: f from [N] to [M], or to a number where a Hessian is wanted; x: [N];
pattern: the SciPy matrix of the places where the Jacobian, or the Hessian, can be nonzero.
"""
import jax.numpy as jnp
import numpy as np
import scipy.sparse as sp


def _matrix(rows, cols, n, m=None):
    rows, cols = np.concatenate([np.ravel(r) for r in rows]), np.concatenate([np.ravel(c) for c in cols])
    pattern = sp.csr_array((np.ones(rows.size), (rows, cols)), shape=(m or n, n))
    pattern.sum_duplicates()
    pattern.data[:] = 1
    return pattern


def band(n, width):
    """The matrix [n, n] with `width` diagonals on either side of the main one."""
    return sp.csr_array(sp.diags_array([np.ones(n - abs(d)) for d in range(-width, width + 1)],
                                       offsets=list(range(-width, width + 1)), shape=(n, n)))


def point(n, low=0.5, high=1.5, seed=0):
    return np.random.default_rng(seed).uniform(low, high, n)


# Jacobians: cheap functions.

def tridiagonal(n):
    """Reaction and diffusion on a line, zero at both ends."""
    def f(x):
        z = jnp.pad(x, 1)
        return z[:-2] - 2 * x + z[2:] + x**2 * jnp.exp(-x)

    return f, point(n), band(n, 1)


def _five_point(side):
    i = np.arange(side * side).reshape(side, side)
    pairs = [(i, i), (i[1:], i[:-1]), (i[:-1], i[1:]), (i[:, 1:], i[:, :-1]), (i[:, :-1], i[:, 1:])]
    return _matrix([a for a, _ in pairs], [b for _, b in pairs], side * side)


def _neighbors(z):
    z = jnp.pad(z, 1)
    return z[:-2, 1:-1] + z[2:, 1:-1] + z[1:-1, :-2] + z[1:-1, 2:]


def laplace(side, source=lambda u: u**3):
    """The five-point Laplacian on a square, zero around it, with a source of its own at each point."""
    def f(x):
        u = x.reshape(side, side)
        return (_neighbors(u) - 4 * u - source(u)).ravel()

    return f, point(side * side), _five_point(side)


def brusselator(side):
    """Two species on a torus: five points of a species, and one of the other."""
    def f(x):
        u, v = x.reshape(2, side, side)
        ring = lambda z: (jnp.roll(z, 1, 0) + jnp.roll(z, -1, 0) + jnp.roll(z, 1, 1) + jnp.roll(z, -1, 1) - 4 * z)
        return jnp.stack([1 + u * u * v - 4.4 * u + 10 * ring(u), 3.4 * u - u * u * v + 10 * ring(v)]).ravel()

    i = np.arange(side * side).reshape(side, side)
    rows, cols = [], []
    for own, other in ((0, side * side), (side * side, 0)):
        for shift, axis in ((0, 0), (1, 0), (-1, 0), (1, 1), (-1, 1)):
            rows, cols = rows + [own + i], cols + [own + np.roll(i, shift, axis)]
        rows, cols = rows + [own + i], cols + [other + i]
    return f, point(2 * side * side), _matrix(rows, cols, 2 * side * side)


def brusselator_colors(side):
    """Six colors for the Brusselator on a torus whose side is divisible by 6."""
    i, j = np.indices((side, side))
    return np.stack([(i + 2 * j) % 6, (i + 2 * j + 3) % 6]).ravel()


A, BETA, DELTA, GAMMA = 0.33, 0.96, 0.1, 2.0


def _steady(alpha=A):
    k = (alpha / (1 / BETA - 1 + DELTA)) ** (1 / (1 - alpha))
    return k, k**alpha - DELTA * k


def growth_k(periods):
    """Perfect foresight: the Euler equations of a growth model in its capital stocks k_1, ..., k_T."""
    steady, _ = _steady()

    def f(k):
        k = jnp.concatenate([jnp.array([0.8 * steady], k.dtype), k, jnp.array([steady], k.dtype)])
        c = k[:-1] ** A + (1 - DELTA) * k[:-1] - k[1:]
        return c[:-1] ** -GAMMA - BETA * c[1:] ** -GAMMA * (A * k[1:-1] ** (A - 1) + 1 - DELTA)

    return f, steady * point(periods, 0.99, 1.01), band(periods, 1)


def growth_ck(periods):
    """The same model in consumption and capital, interleaved: c_0, k_1, c_1, k_2, ...: Euler equations and constraints."""
    steady, consumption = _steady()

    def f(z):
        c, k = z.reshape(-1, 2).T
        before = jnp.concatenate([jnp.array([0.8 * steady], z.dtype), k[:-1]])
        after = jnp.concatenate([c[1:], jnp.array([consumption], z.dtype)])
        constraint = before**A + (1 - DELTA) * before - k - c
        euler = c**-GAMMA - BETA * after**-GAMMA * (A * k ** (A - 1) + 1 - DELTA)
        return jnp.stack([constraint, euler], 1).ravel()

    t = 2 * np.arange(periods)
    pattern = _matrix([t, t, t[1:], t + 1, t + 1, t[:-1] + 1], [t, t + 1, t[1:] - 1, t, t + 1, t[:-1] + 2], 2 * periods)
    return f, np.tile([consumption, steady], periods) * point(2 * periods, 0.99, 1.01), pattern


def growth_countries(periods, countries=8):
    """Countries that share the world's consumption: the Euler equation of each one's capital, in each period."""
    steady, _ = _steady()
    skill = np.linspace(0.9, 1.1, countries)

    def f(x):
        k = x.reshape(periods, countries)
        k = jnp.concatenate([jnp.full((1, countries), 0.8 * steady, x.dtype), k, jnp.full((1, countries), steady, x.dtype)])
        c = (skill * k[:-1] ** A + (1 - DELTA) * k[:-1] - k[1:]).mean(1)
        return (c[:-1, None] ** -GAMMA - BETA * c[1:, None] ** -GAMMA * (A * skill * k[1:-1] ** (A - 1) + 1 - DELTA)).ravel()

    block = sp.kron(band(periods, 1), np.ones((countries, countries)), format="csr")
    return f, steady * point(periods * countries, 0.99, 1.01), sp.csr_array(block)


def arrowhead(n):
    """A dense first row and a dense first column: no coloring of one side alone needs fewer than n products."""
    def f(x):
        return jnp.concatenate([jnp.sum(x**2)[None], x[1:] ** 2 * x[0]])

    i = np.arange(n)
    return f, point(n), _matrix([i, 0 * i, i], [i, i, 0 * i], n)


# Jacobians: functions in which computing costs more than moving numbers.

def heavy_chain(side):
    """Laplacian with a source of 40 sines, each of the one before."""
    def source(u):
        for _ in range(40):
            u = jnp.sin(1.1 * u)
        return u

    return laplace(side, source)


def heavy_sum(side):
    """Laplacian with a source of 40 sines side by side."""
    return laplace(side, lambda u: sum(jnp.sin(k * u) / k for k in range(1, 41)))


def heavy_flux(side):
    """Every point's neighbors go through 40 exponentials before they are added: one number of each is kept for the products."""
    def f(x):
        u = x.reshape(side, side)
        for _ in range(40):
            u = jnp.exp(-u)
        return (_neighbors(u) - 4 * u + x.reshape(side, side) ** 2).ravel()

    return f, point(side * side), _five_point(side)


def heavy_product(n):
    """Forty products in a row of what stands next to one another: little to compute, much to keep for the products."""
    def f(x):
        z = jnp.pad(x, 1, constant_values=1)
        y = x
        for k in range(40):
            y = y * (1 + z[:-2] * z[2:] / (k + 2))
        return y

    return f, point(n, 0.1, 0.3), band(n, 1)


# Hessians.

def planner(periods):
    """Welfare of a path of capital: log consumption, discounted."""
    steady, _ = _steady()

    def f(k):
        k = jnp.concatenate([jnp.array([0.8 * steady], k.dtype), k, jnp.array([steady], k.dtype)])
        c = k[:-1] ** A + (1 - DELTA) * k[:-1] - k[1:]
        return jnp.sum(BETA ** np.arange(periods + 1) * jnp.log(c))

    return f, steady * point(periods, 0.99, 1.01), band(periods, 1)


def planner_ck(periods):
    """The same in consumption and capital, interleaved, with a penalty on what the constraints miss."""
    steady, consumption = _steady()

    def f(z):
        c, k = z.reshape(-1, 2).T
        before = jnp.concatenate([jnp.array([0.8 * steady], z.dtype), k[:-1]])
        miss = before**A + (1 - DELTA) * before - k - c
        return jnp.sum(BETA ** np.arange(periods) * jnp.log(c)) - 5 * jnp.sum(miss**2)

    t = 2 * np.arange(periods)
    pairs = [(t, t), (t + 1, t + 1), (t, t + 1), (t[1:], t[1:] - 1), (t[1:] + 1, t[1:] - 1)]
    pattern = _matrix([a for a, _ in pairs] + [b for _, b in pairs], [b for _, b in pairs] + [a for a, _ in pairs], 2 * periods)
    return f, np.tile([consumption, steady], periods) * point(2 * periods, 0.99, 1.01), pattern


def rosenbrock(n):
    """The valley, chained."""
    return lambda x: jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), point(n), band(n, 1)


def shared_parameter(n):
    """n - 1 terms that share one parameter: an arrowhead."""
    i = np.arange(n)
    return lambda x: jnp.sum(x[1:] ** 2 * jnp.exp(x[0]) + x[1:] ** 4), point(n), _matrix([i, 0 * i, i], [i, i, 0 * i], n)


def separable(n):
    """n functions of one number each."""
    return lambda x: jnp.sum(jnp.exp(x) + x**4), point(n), band(n, 0)


def poisson_energy(side):
    """Differences of neighbors, squared, and a potential at each point."""
    def f(x):
        u = jnp.pad(x.reshape(side, side), 1)
        return 0.5 * jnp.sum(jnp.diff(u, axis=0) ** 2) + 0.5 * jnp.sum(jnp.diff(u, axis=1) ** 2) + jnp.sum(jnp.cosh(x))

    return f, point(side * side), _five_point(side)
