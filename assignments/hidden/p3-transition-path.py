"""Hidden tests of problem set 3, A transition path: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np
from scipy.linalg import solve_banded

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def finite(arrays, name, shape=None):
    """The array of that name, in floating point, or None if it is missing, not finite or of another shape."""
    value = arrays.get(name)
    if value is None or value.dtype.kind not in "iuf" or not np.all(np.isfinite(value)):
        return None
    return value.astype(float) if shape is None or value.shape == shape else None


# --- the economy, in NumPy ---------------------------------------------------------------------------

def equations(c, k, tau, e):
    """Residuals by kind: resources [T] and Euler equations [T]; c, k, tau: [T + 1]. Works on complex numbers."""
    y = e["A"] * k ** e["alpha"]
    left = y[:-1] + (1 - e["delta"]) * k[:-1] - c[:-1] - k[1:]
    R = (1 - tau[1:]) * e["alpha"] * y[1:] / k[1:] + 1 - e["delta"]
    return left, np.log(e["beta"] * R) + e["gamma"] * (np.log(c[:-1]) - np.log(c[1:]))


def largest(x, tau, k0, c_end, e):
    """The largest residual of a path, infinite where it is not one of positive numbers."""
    if x is None or np.any(x <= 0):
        return np.inf
    return float(np.max(np.abs(equations(np.append(x[0::2], c_end), np.append(k0, x[1::2]), tau, e))))


def steady(tax, e):
    k = (e["alpha"] * e["A"] * (1 - tax) / (1 / e["beta"] - 1 + e["delta"])) ** (1 / (1 - e["alpha"]))
    return e["A"] * k ** e["alpha"] - e["delta"] * k, k


def saved_shares(tau, e):
    """With log utility and full wear, the shares of output saved at 0, …, T-1, for taxes [..., T + 1], constant at the end.

    c = (1 - s) y and k' = s y turn the Euler equation into z_t = alpha beta (1 - tau_{t+1}) (1 + z_{t+1}) with z = s / (1 - s).
    """
    ab = e["alpha"] * e["beta"]
    last = tau[..., -1].real
    z = ab * (1 - last) / (1 - ab * (1 - last)) + 0 * tau[..., -1]
    shares = np.zeros(tau.shape[:-1] + (tau.shape[-1] - 1,), dtype=tau.dtype)
    for t in range(shares.shape[-1] - 1, -1, -1):
        z = ab * (1 - tau[..., t + 1]) * (1 + z)
        shares[..., t] = z / (1 + z)
    return shares


def closed_path(tau, k0, e):
    """(c, k) of that economy: [..., T] and [..., T + 1]."""
    s = saved_shares(tau, e)
    k = [k0 + 0 * s[..., 0]]
    for t in range(s.shape[-1]):
        k.append(s[..., t] * e["A"] * k[-1] ** e["alpha"])
    k = np.stack(k, axis=-1)
    return (1 - s) * e["A"] * k[..., :-1] ** e["alpha"], k


def closed_gradient(tau, k0, e):
    """Its welfare and the gradient of welfare in the taxes, by complex steps through the closed form: float, [T + 1]."""
    n, h = len(tau), 1e-30
    W, g = 0.0, np.zeros(n)
    discount = e["beta"] ** np.arange(n - 1)
    for some in np.array_split(np.arange(n), 5):
        c, _ = closed_path(tau + 1j * h * np.eye(n)[some], k0, e)
        total = np.log(c) @ discount
        W, g[some] = float(total[0].real), total.imag / h
    return W, g


def forward_gradient(x, tau, k0, c_end, e):
    """Welfare and its gradient by forward sensitivities, one for each tax, with derivatives by hand: float, [T + 1]."""
    T = len(x) // 2
    c, k = np.append(x[0::2], c_end), np.append(k0, x[1::2])
    rent = e["alpha"] * e["A"] * k ** (e["alpha"] - 1)
    R = (1 - tau) * rent + 1 - e["delta"]
    bands = np.zeros((3, 2 * T))
    bands[1, 0::2], bands[0, 1::2] = -1, -1                              # resources: in c_t and in k_{t+1}
    bands[2, 1:-1:2] = (rent + 1 - e["delta"])[1:-1]                     # resources of t + 1 in k_{t+1}
    bands[2, 0::2] = e["gamma"] / c[:-1]                                 # Euler: in c_t, k_{t+1}, c_{t+1}
    bands[1, 1::2] = ((1 - tau) * rent * (e["alpha"] - 1) / k / R)[1:]
    bands[0, 2::2] = -e["gamma"] / c[1:-1]
    right = np.zeros((2 * T, T + 1))
    right[np.arange(T) * 2 + 1, np.arange(T) + 1] = (rent / R)[1:]       # minus the Euler equations' slopes in the taxes
    slopes = solve_banded((1, 1), bands, right)                          # dx / dtau
    weights = e["beta"] ** np.arange(T)
    u = np.log(c[:-1]) if e["gamma"] == 1 else c[:-1] ** (1 - e["gamma"]) / (1 - e["gamma"])
    return float(weights @ u), (weights * c[:-1] ** -e["gamma"]) @ slopes[0::2]


# --- part 1 ------------------------------------------------------------------------------------------

def drive_path_residuals(answer, seed):
    import jax
    import numpy as np
    rng = np.random.default_rng(seed)
    T = int(rng.integers(4, 8))
    economies = [dict(zip(("alpha", "beta", "gamma", "delta", "A"), rng.uniform((0.25, 0.9, low, 0.03, 0.8), (0.45, 0.98, high, 0.3, 1.5)).tolist()))
                 for low, high in ((1.5, 4), (0.3, 0.8))]
    c, k, tau = rng.uniform(0.5, 2, T), rng.uniform(1, 4, T + 1), rng.uniform(0.1, 0.6, T + 1)
    c_end, others, v, v_tau = rng.uniform(0.5, 2), rng.uniform(1, 2, 4), rng.standard_normal(2 * T), rng.standard_normal(T + 1)
    orders = {"dates": lambda c, k: np.stack((c, k), axis=1).ravel(), "blocks": lambda c, k: np.concatenate((c, k))}
    out = {}
    for order, x_of in orders.items():
        x = x_of(c, k[1:])

        def at(*given):
            return np.asarray(answer(*given))

        out[f"{order}, no tax"] = lambda x=x: at(x.copy(), np.zeros(T + 1), float(k[0]), float(c_end), economies[0])
        out[f"{order}, no tax, second"] = lambda x=x: at(x.copy(), np.zeros(T + 1), float(k[0]), float(c_end), economies[1])
        out[f"{order}, tax"] = lambda x=x: at(x.copy(), tau.copy(), float(k[0]), float(c_end), economies[0])
        out[f"{order}, tax, second"] = lambda x=x: at(x.copy(), tau.copy(), float(k[0]), float(c_end), economies[1])
        out[f"{order}, other ends"] = lambda x=x: at(x.copy(), tau.copy(), float(k[0] + 1), float(c_end + 1), economies[0])
        out[f"{order}, a date before"] = lambda x_of=x_of: at(
            x_of(np.append(others[0], c), k), np.append(0.3, tau), float(others[1]), float(c_end), economies[0])
        out[f"{order}, a date after"] = lambda x_of=x_of: at(
            x_of(np.append(c, c_end), np.append(k[1:], others[2])), np.append(tau, 0.3), float(k[0]), float(others[3]), economies[0])
    x = orders["dates"](c, k[1:])
    call = lambda x, tau: answer(x, tau, float(k[0]), float(c_end), economies[0])
    out["jvp"] = lambda: jax.jit(lambda x, tau: jax.jvp(call, (x, tau), (v, v_tau))[1])(x, tau)
    out["ahead"] = lambda: np.asarray(call(x + 1e-6 * v, tau + 1e-6 * v_tau))
    out["behind"] = lambda: np.asarray(call(x - 1e-6 * v, tau - 1e-6 * v_tau))

    def recorded(T):
        x, tau = np.ones(2 * T), np.full(T + 1, 0.2)
        return len(jax.make_jaxpr(lambda x, tau: answer(x, tau, 1.0, 1.0, economies[0]))(x, tau).jaxpr.eqns)

    out["operations"] = lambda: np.array([recorded(4), recorded(24)])
    return out


def judge_path_residuals(arrays, seed):
    rng = np.random.default_rng(seed)
    T = int(rng.integers(4, 8))
    economies = [dict(zip(("alpha", "beta", "gamma", "delta", "A"), rng.uniform((0.25, 0.9, low, 0.03, 0.8), (0.45, 0.98, high, 0.3, 1.5)).tolist()))
                 for low, high in ((1.5, 4), (0.3, 0.8))]
    c, k, tau = rng.uniform(0.5, 2, T), rng.uniform(1, 4, T + 1), rng.uniform(0.1, 0.6, T + 1)
    c = np.append(c, rng.uniform(0.5, 2))
    rows_of = {"dates": lambda r: (r[0::2], r[1::2]), "blocks": lambda r: (r[: len(r) // 2], r[len(r) // 2:]),
               "Euler first": lambda r: (r[1::2], r[0::2])}

    def kinds(order, rows, name, T=T):
        """Resources and Euler equations of one call, [2, T], or None."""
        r = finite(arrays, f"{order}, {name}", (2 * T,))
        return None if r is None else np.array(rows_of[rows](r))

    same = lambda a, b, atol=1e-9: np.isclose(a, b, rtol=1e-9, atol=atol)
    free = [np.array(equations(c, k, np.zeros(T + 1), e)) for e in economies]
    taxed = [np.array(equations(c, k, tau, e)) for e in economies]
    # The order that fits best: a wrong order costs its own part only.
    def fit(way):
        found = kinds(*way, "no tax")
        return 0 if found is None else int(np.sum(same(found, free[0])))
    ways = [(order, rows) for order in ("dates", "blocks") for rows in rows_of]
    way = max(ways, key=fit)
    get = lambda name, T=T: kinds(*way, name, T)
    no_tax, tax = [get("no tax"), get("no tax, second")], [get("tax"), get("tax, second")]
    there = all(r is not None for r in no_tax)
    resources = there and all(np.all(same(r[0, 1:], f[0, 1:])) for r, f in zip(no_tax, free))
    euler = there and all(np.all(same(r[1, :-1], f[1, :-1])) for r, f in zip(no_tax, free))
    taxes = there and all(r is not None for r in tax) and all(
        np.all(same(r - n, t - f)) for r, n, t, f in zip(tax, no_tax, taxed, free))
    other, before, after = get("other ends"), get("a date before", T + 1), get("a date after", T + 1)
    ends = all(r is not None for r in (tax[0], other, before, after))
    if ends:                                                                # an end is a date like any other, with a number for an unknown
        moved = ~same(other, tax[0])
        first, last = moved[0].copy(), moved[1].copy()
        first[0], last[-1] = False, False
        ends = bool(moved[0, 0] and moved[1, -1] and not first.any() and not last.any()
                    and np.all(same(before[:, 1:], tax[0])) and np.all(same(after[:, :-1], tax[0])))
    jvp, ahead, behind = (finite(arrays, name, (2 * T,)) for name in ("jvp", "ahead", "behind"))
    operations = finite(arrays, "operations", (2,))
    traced = all(r is not None for r in (jvp, ahead, behind, operations)) and bool(
        np.allclose(jvp, (ahead - behind) / 2e-6, rtol=1e-5, atol=1e-6) and np.any(jvp != 0)
        and operations[1] <= operations[0] + 2)
    after_all = lambda hint: hint if there else ABOVE
    return [
        Part("resources at dates 1, 2, …, without a tax", 2, resources,
             after_all("entry 2t is A k_t**alpha + (1 - delta) k_t - c_t - k_{t+1}: production from the capital of the same date, what is "
                       "left of that capital, less consumption, less the capital of the next date") if there else
             "residuals must return 2T finite numbers for positive x: x[0::2] is consumption, x[1::2] the capital of dates 1 to T"),
        Part("Euler equations at dates 0, 1, …, without a tax", 2, euler,
             after_all("entry 2t+1 is log(beta R_{t+1}) + gamma (log c_t - log c_{t+1}), with R_{t+1} from k_{t+1}, delta not "
                       "deducted from the rent but from what is left, and gamma in front of both logarithms")),
        Part("the tax", 2, taxes,
             after_all("a tax changes Euler equations alone, that of date t through tau_{t+1}, which falls on the rent alpha A k**(alpha-1) and "
                       "not on 1 - delta; resources stay as they are, since the revenue is paid back")),
        Part("both ends", 1, ends,
             after_all("k0 stands for k_t in the resources of date 0, and c_end for c_{t+1} in the last Euler equation; there must be an "
                       "equation of each kind for each of the T dates, and k0 and c_end enter no other")),
        Part("the order of unknowns and equations", 1, fit(way) > 0 and way == ("dates", "dates"),
             after_all("x and the residuals go date by date: c_0, k_1, c_1, k_2, … and resources of 0, Euler of 0, resources of 1, …")),
        Part("in JAX, without a loop over dates", 1, traced,
             after_all("under jax.jit and jax.jvp, in x and tau, with as many recorded operations for 24 dates as for 4: use jax.numpy on "
                       "whole paths, x[0::2], c[1:], and no Python loop over dates, no NumPy, no float(…)")),
    ]


# --- part 2 ------------------------------------------------------------------------------------------

def drive_path_bands(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np
    rng = np.random.default_rng(seed)

    def counted(f, count):
        """f, with a JVP that counts its directions; its reverse mode counts as many as it has inputs."""
        def add(number):
            count[0] += int(np.sum(number))
            return np.zeros(np.shape(number))

        def tick(number, v):                                                # v, counted when it is computed
            zero = jax.pure_callback(add, jax.ShapeDtypeStruct((), np.float64), number + 0 * jnp.sum(v != 0), vmap_method="broadcast_all")
            return v + zero

        @jax.custom_jvp
        def g(x):
            return f(x)

        @g.defjvp
        def rule(primals, tangents):
            (x,), (v,) = primals, tangents
            # The identity, as a solve: this way it can be mapped, linearized and transposed.
            v = jax.lax.custom_linear_solve(lambda v: v, v, lambda _, v: tick(1.0, v), lambda _, v: tick(float(x.size), v))
            return jax.jvp(f, (x,), (v,))

        return g

    out = {}
    for N in (3, 10, 11, 300):
        P, Q, R, x = rng.uniform(0.5, 2, (4, N))

        def f(x, P=P, Q=Q, R=R):
            before, after = jnp.append(0.4, x[:-1]), jnp.append(x[1:], 0.6)
            return P * jnp.sin(before) + Q * jnp.exp(0.3 * x) + R * after * x

        count = [0]
        out[f"bands, {N}"] = lambda f=f, x=x, count=count: np.asarray(answer(counted(f, count), x.copy()))
        out[f"JVPs, {N}"] = lambda count=count: np.array(count)
    return out


def judge_path_bands(arrays, seed):
    rng = np.random.default_rng(seed)
    layouts = {}                                                            # name -> the bands of each N in that layout
    for N in (3, 10, 11, 300):
        P, Q, R, x = rng.uniform(0.5, 2, (4, N))
        upper, lower = (R * x)[:-1], (P[1:] * np.cos(x[:-1]))
        diagonal = 0.3 * Q * np.exp(0.3 * x) + R * np.append(x[1:], 0.6)
        right = lambda d: np.append(0, d)
        left = lambda d: np.append(d, 0)
        for name, bands in {"asked": (right(upper), diagonal, left(lower)), "lower first": (left(lower), diagonal, right(upper)),
                            "by rows": (left(upper), diagonal, right(lower)), "transposed": (right(lower), diagonal, left(upper)),
                            "to the left": (left(upper), diagonal, left(lower)), "to the right": (right(upper), diagonal, right(lower))}.items():
            layouts.setdefault(name, {})[N] = np.array(bands)
    fits = lambda name, rtol: all(close(arrays, f"bands, {N}", bands, rtol=rtol, atol=rtol) for N, bands in layouts[name].items())
    found = next((name for name in layouts if fits(name, 1e-5)), None)
    counts = [arrays.get(f"JVPs, {N}", np.zeros(1)).ravel()[:1].tolist() for N in (3, 10, 11, 300)]
    after = lambda hint: hint if found else ABOVE
    return [
        Part("three diagonals", 4, found is not None,
             "the product along the sum of columns 0, 3, 6, … holds each of their entries by itself: row i of it belongs to the one of "
             "the columns i-1, i, i+1 that has this color; try N = 3, and N that 3 does not divide; the array is (3, N), finite" if arrays
             else ABOVE),
        Part("the layout of solve_banded", 2, found == "asked",
             after("the upper diagonal comes first, and column j of J stands in column j: the upper diagonal begins with a 0, "
                   "the lower one ends with it")),
        Part("exact entries", 2, found is not None and fits(found, 1e-12),
             after("the entries are right to a few digits only: take JVPs, not differences, in float64")),
        Part("three JVPs", 2, found is not None and counts == [[3]] * 4,
             after(f"for N = 3, 10, 11, 300 your answer took {', '.join(str(int(c[0])) if c else '?' for c in counts)} JVPs; it should be three, one "
                   "for each color, however large N is; each direction under vmap counts")),
    ]


# --- part 3 ------------------------------------------------------------------------------------------

def drive_path_newton(answer, seed):
    import numpy as np
    import scipy.linalg
    rng = np.random.default_rng(seed)
    names = ("alpha", "beta", "gamma", "delta", "A")
    special = dict(zip(names, [*rng.uniform((0.25, 0.92), (0.4, 0.97)).tolist(), 1.0, 1.0, float(rng.uniform(0.8, 1.5))]))
    general = [dict(zip(names, rng.uniform((0.28, 0.94, low, 0.05, 0.8), (0.38, 0.97, high, 0.12, 1.5)).tolist()))
               for low, high in ((1.5, 4), (0.6, 0.9))]

    def steady(tax, e):
        k = (e["alpha"] * e["A"] * (1 - tax) / (1 / e["beta"] - 1 + e["delta"])) ** (1 / (1 - e["alpha"]))
        return e["A"] * k ** e["alpha"] - e["delta"] * k, k

    def taxes(T, until):
        return np.where(np.arange(T + 1) < until, rng.uniform(0.0, 0.45, T + 1), rng.uniform(0.1, 0.3))

    cases = {"closed form": (special, taxes(300, 60), 0.4), "high gamma": (general[0], taxes(1000, 40), 0.4),
             "low gamma": (general[1], taxes(1000, 40), 1.5),
             "hardly any capital": (dict(zip(names, (0.33, 0.96, float(rng.uniform(2, 3)), 0.08, 1.0))),
                                    np.where(np.arange(1001) < 10, rng.uniform(0.3, 0.4), rng.uniform(0.15, 0.25)), 0.03)}
    out = {}
    for name, (e, tau, share) in cases.items():
        T = len(tau) - 1
        c_end, k_end = steady(tau[-1], e)
        x0, log, kept = np.tile([c_end, k_end], T), [], {}

        def run(e=e, tau=tau, k0=float(share * k_end), c_end=float(c_end), x0=x0, log=log, kept=kept):
            def solve(l_and_u, ab, b, *args, **kwargs):
                log.append([tuple(l_and_u) == (1, 1), *np.shape(ab), np.ndim(b), np.size(b)])
                return scipy.linalg.solve_banded(l_and_u, np.asarray(ab), np.asarray(b), *args, **kwargs)

            given = x0.copy()
            x, history = answer(given, tau.copy(), k0, c_end, dict(e), solve=solve)
            kept["history"], kept["x0"] = np.asarray(history, dtype=float), given
            return np.asarray(x)

        out[f"{name}, path"] = run
        out[f"{name}, history"] = lambda kept=kept: kept["history"]
        out[f"{name}, x0 afterwards"] = lambda kept=kept: kept["x0"]
        out[f"{name}, solves"] = lambda log=log: np.array(log, dtype=float).reshape(-1, 5)
    return out


def judge_path_newton(arrays, seed):
    rng = np.random.default_rng(seed)
    names = ("alpha", "beta", "gamma", "delta", "A")
    special = dict(zip(names, [*rng.uniform((0.25, 0.92), (0.4, 0.97)).tolist(), 1.0, 1.0, float(rng.uniform(0.8, 1.5))]))
    general = [dict(zip(names, rng.uniform((0.28, 0.94, low, 0.05, 0.8), (0.38, 0.97, high, 0.12, 1.5)).tolist()))
               for low, high in ((1.5, 4), (0.6, 0.9))]

    def taxes(T, until):
        return np.where(np.arange(T + 1) < until, rng.uniform(0.0, 0.45, T + 1), rng.uniform(0.1, 0.3))

    cases = {"closed form": (special, taxes(300, 60), 0.4), "high gamma": (general[0], taxes(1000, 40), 0.4),
             "low gamma": (general[1], taxes(1000, 40), 1.5),
             "hardly any capital": (dict(zip(names, (0.33, 0.96, float(rng.uniform(2, 3)), 0.08, 1.0))),
                                    np.where(np.arange(1001) < 10, rng.uniform(0.3, 0.4), rng.uniform(0.15, 0.25)), 0.03)}
    size, paths = {}, {}
    for name, (e, tau, share) in cases.items():
        c_end, k_end = steady(tau[-1], e)
        paths[name] = finite(arrays, f"{name}, path", (2 * (len(tau) - 1),))
        size[name] = largest(paths[name], tau, share * k_end, c_end, e)
    e, tau, share = cases["closed form"]
    c, k = closed_path(tau, share * steady(tau[-1], e)[1], e)
    closed = paths["closed form"] is not None and bool(
        np.allclose(paths["closed form"][0::2], c, rtol=1e-5, atol=0) and np.allclose(paths["closed form"][1::2], k[1:], rtol=1e-5, atol=0))
    near = [name for name in cases if size[name] < 1e-4]                    # the tolerance has a part of its own
    stopped, solved = bool(near), bool(near)
    for name in near:
        e, tau, share = cases[name]
        c_end, k_end = steady(tau[-1], e)
        x0 = np.tile([c_end, k_end], len(tau) - 1)
        history = finite(arrays, f"{name}, history")
        good = history is not None and history.ndim == 1 and 2 <= len(history) <= 11 and size[name] < 1.01e-10
        good = good and bool(np.isclose(history[0], largest(x0, tau, share * k_end, c_end, e), rtol=1e-6)
                             and history[-1] < 1e-10 and np.all(history[:-1] >= 1e-10))
        stopped = stopped and good and close(arrays, f"{name}, x0 afterwards", x0, rtol=0, atol=0)
        solves = finite(arrays, f"{name}, solves")
        N = 2 * (len(tau) - 1)
        solved = solved and solves is not None and solves.shape[1:] == (5,) and len(solves) > 0 and bool(
            np.all(solves == [1, 3, N, 1, N])) and (history is None or history.ndim != 1 or len(solves) == len(history) - 1)
    after = lambda hint: hint if arrays else ABOVE
    return [
        Part("log utility, full wear, taxes that change: the closed form", 3, closed,
             after("at the path that comes back the closed form does not hold: with gamma = delta = 1 the share s_t saved at t solves "
                   "s_t / (1 - s_t) = alpha beta (1 - tau_{t+1}) / (1 - s_{t+1}); print the largest residual after each step, which "
                   "should be squared from one to the next")),
        Part("two other economies", 3, size["high gamma"] < 1e-4 and size["low gamma"] < 1e-4,
             after("the equations do not hold at the path that comes back: it solves J d = r and goes to x - d, with the Jacobian at "
                   "the present x, and uses the economy, tau, k0 and c_end that it is given")),
        Part("to 1e-10, in at most 10 steps, and the history", 2, stopped,
             ABOVE if not near else
             "history is a list: the largest absolute residual at x0, then after each step, at most 10 of them, each above 1e-10 but the last; "
             "a Jacobian that is not computed anew takes many more steps; x0 stays as it was"),
        Part("hardly any capital: steps that keep x positive", 2, size["hardly any capital"] < 1e-4,
             after("from 3 percent of the capital the first full step makes some capital negative: halve the step until all of x is "
                   "positive, then go on from there")),
        Part("one banded solve a step", 2, solved,
             ABOVE if not near else "each step calls the solve that is passed in, once, as solve((1, 1), bands, r) with bands (3, 2T) and r (2T,); "
             "a dense solver, another banded one or a second call with a shorter step does not count"),
    ]


# --- part 4 ------------------------------------------------------------------------------------------

def drive_path_krylov(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np
    rng = np.random.default_rng(seed)
    names = ("alpha", "beta", "gamma", "delta", "A")
    T, out = 1000, {}
    for name, (low, high), share in (("first", (3, 4), 1.0), ("second", (2, 2.5), 1.04)):
        e = dict(zip(names, rng.uniform((0.32, 0.955, low, 0.07, 0.9), (0.34, 0.965, high, 0.09, 1.1)).tolist()))
        tau = np.where(np.arange(T + 1) < 10, rng.uniform(0.3, 0.4), rng.uniform(0.15, 0.25))
        k_end = (e["alpha"] * e["A"] * (1 - tau[-1]) / (1 / e["beta"] - 1 + e["delta"])) ** (1 / (1 - e["alpha"]))
        c_end = e["A"] * k_end ** e["alpha"] - e["delta"] * k_end
        x_ref, products, values = np.tile([c_end, k_end], T), [], [0]

        def plain(x, e=e, tau=tau, k0=0.3 * k_end, c_end=c_end):
            c, k = jnp.append(x[0::2], c_end), jnp.append(k0, x[1::2])
            y = e["A"] * k ** e["alpha"]
            R = (1 - tau[1:]) * e["alpha"] * y[1:] / k[1:] + 1 - e["delta"]
            growth = jnp.log(c[1:] / c[:-1])
            kinds = (y[:-1] + (1 - e["delta"]) * k[:-1] - c[:-1] - k[1:], jnp.log(e["beta"] * R) - e["gamma"] * growth)
            return jnp.stack(kinds, axis=1).ravel()

        def counted(f, x_ref=x_ref, products=products, values=values):
            """f, which counts its values, with a JVP that notes where it is taken and along what."""
            scalar = jax.ShapeDtypeStruct((), np.float64)

            def value(x):
                values[0] += x.size
                return np.zeros(x.shape)

            def note(*notes):                                   # away from x_ref or not; nonzeros; of these with a nonzero neighbor
                products.extend(np.stack([a.ravel() for a in np.broadcast_arrays(*notes)], axis=1).tolist())
                return np.zeros(np.broadcast_shapes(*(a.shape for a in notes)))

            def tick(away, v):
                notes = away, jnp.sum(v != 0).astype(float), jnp.sum((v[1:] != 0) & (v[:-1] != 0)).astype(float)
                return v + jax.pure_callback(note, scalar, *notes, vmap_method="broadcast_all")

            @jax.custom_jvp
            def g(x):
                return f(x) + jax.pure_callback(value, scalar, jnp.sum(x), vmap_method="broadcast_all")

            @g.defjvp
            def rule(primals, tangents):
                (x,), (v,) = primals, tangents
                away = jnp.any(x != x_ref).astype(float)
                # The identity, as a solve: this way it can be mapped, linearized and transposed.
                v = jax.lax.custom_linear_solve(lambda v: v, v, lambda _, v: tick(away, v), lambda _, v: tick(away, v))
                return jax.jvp(f, (x,), (v,))

            return g

        x0 = x_ref * np.where(np.arange(2 * T) < 200, share, 1.0)
        out[f"{name}, path"] = lambda plain=plain, counted=counted, x0=x0, x_ref=x_ref: np.asarray(
            answer(counted(plain), x0.copy(), x_ref.copy()))
        out[f"{name}, products"] = lambda products=products: np.array(products, dtype=float).reshape(-1, 3)
        out[f"{name}, values"] = lambda values=values: np.array(values)
    return out


def judge_path_krylov(arrays, seed):
    rng = np.random.default_rng(seed)
    names = ("alpha", "beta", "gamma", "delta", "A")
    T, size, counts, matrices, values = 1000, [], [], [], []
    for name, (low, high) in (("first", (3, 4)), ("second", (2, 2.5))):
        e = dict(zip(names, rng.uniform((0.32, 0.955, low, 0.07, 0.9), (0.34, 0.965, high, 0.09, 1.1)).tolist()))
        tau = np.where(np.arange(T + 1) < 10, rng.uniform(0.3, 0.4), rng.uniform(0.15, 0.25))
        c_end, k_end = steady(tau[-1], e)
        size.append(largest(finite(arrays, f"{name}, path", (2 * T,)), tau, 0.3 * k_end, c_end, e))
        products = finite(arrays, f"{name}, products")
        products = np.zeros((0, 3)) if products is None or products.ndim != 2 else products
        counts.append(len(products))
        # Along a color or a basis vector, no two neighbors are nonzero.
        matrices.append(int(np.sum((products[:, 0] == 1) & (products[:, 1] > 0) & (products[:, 2] == 0))))
        values.append(int(arrays.get(f"{name}, values", np.zeros(1)).ravel()[0]))
    found = all(s < 1e-4 for s in size)
    after = lambda hint: hint if found else ABOVE
    return [
        Part("the path", 3, found,
             "the equations do not hold at what comes back: each step goes to x - d with J d close to r, and the steps are repeated until the "
             "largest residual is below tol; check that GMRES has not stopped early (its second result), and that the preconditioner is the "
             "inverse of J at x_ref, not J" if arrays else ABOVE),
        Part("to the tolerance", 2, found and all(s < 1e-10 for s in size),
             after("the largest absolute residual must be below tol, which is 1e-10 unless given; the forcing term is for the linear solves, not for the path")),
        Part("products alone, but at x_ref", 3, found and not any(matrices) and min(counts) > 0,
             after("at points other than x_ref there were products along vectors without two nonzero neighbors: a Jacobian was computed there, column by "
                   "column or color by color; use JVPs along the vectors of GMRES" if any(matrices) else
                   "the answer took no JVP at all: differences, or another f")),
        Part("at most 45 JVPs and 20 values", 3, found and max(counts) <= 45 and max(values) <= 20,
             after(f"your answer took {counts[0]} and {counts[1]} JVPs, the three at x_ref included: use the preconditioner, ask each solve for two or "
                   "three digits only, and do not compute products more than once (a start of zeros costs one in some solvers)" if max(counts) > 45 else
                   f"your answer took {values[0]} and {values[1]} values of f: a step with the frozen Jacobian alone takes dozens of them; solve with J at the "
                   "present x, by GMRES, the frozen one being its preconditioner")),
    ]


# --- part 5 ------------------------------------------------------------------------------------------

def drive_path_welfare(answer, seed):
    import numpy as np
    import scipy.linalg
    rng = np.random.default_rng(seed)
    names = ("alpha", "beta", "gamma", "delta", "A")
    out = {}

    def run(x, tau, k0, c_end, e, log, kept):
        def solve(l_and_u, ab, b, *args, **kwargs):
            log.append([tuple(l_and_u) == (1, 1), *np.shape(ab), np.ndim(b), np.size(b)])
            return scipy.linalg.solve_banded(l_and_u, np.asarray(ab), np.asarray(b), *args, **kwargs)

        W, g = answer(x.copy(), tau.copy(), float(k0), float(c_end), dict(e), solve=solve)
        kept["gradient"] = np.asarray(g)
        return np.asarray(W)

    special = dict(zip(names, [*rng.uniform((0.25, 0.92), (0.4, 0.96)).tolist(), 1.0, 1.0, float(rng.uniform(0.8, 1.5))]))
    T = 1000
    tau = np.where(np.arange(T + 1) < 60, rng.uniform(0.0, 0.45, T + 1), rng.uniform(0.1, 0.3))
    ab, k = special["alpha"] * special["beta"], [float(rng.uniform(0.05, 0.1))]
    z = ab * (1 - tau[-1]) / (1 - ab * (1 - tau[-1]))
    shares = np.zeros(T)
    for t in range(T - 1, -1, -1):
        z = ab * (1 - tau[t + 1]) * (1 + z)
        shares[t] = z / (1 + z)
    for t in range(T):
        k.append(shares[t] * special["A"] * k[-1] ** special["alpha"])
    y = special["A"] * np.array(k) ** special["alpha"]
    cases = {"closed form": (np.stack(((1 - shares) * y[:-1], k[1:]), axis=1).ravel(), tau, k[0], (1 - shares[-1]) * y[-1], special)}

    # Any path of capital is that of some taxes: those for which the Euler equations hold.
    for name, (low, high), T in (("high gamma", (1.5, 4), 300), ("low gamma", (0.5, 0.8), 300)):
        e = dict(zip(names, rng.uniform((0.28, 0.94, low, 0.05, 0.8), (0.38, 0.97, high, 0.12, 1.5)).tolist()))
        rent = 1 / e["beta"] - 1 + e["delta"]
        t, phase = np.arange(T + 2), rng.uniform(0, 6, 2)
        wave = 1 + 0.1 * np.exp(-t / 40) * np.sin(t / 9 + phase[0]) + 0.02 * np.sin(t / 30 + phase[1])
        k = (0.8 * e["alpha"] * e["A"] / rent) ** (1 / (1 - e["alpha"])) * wave
        c = e["A"] * k[:-1] ** e["alpha"] + (1 - e["delta"]) * k[:-1] - k[1:]
        R = (c[1:] / c[:-1]) ** e["gamma"] / e["beta"]
        tau = np.append(0.2, 1 - (R - 1 + e["delta"]) / (e["alpha"] * e["A"] * k[1:-1] ** (e["alpha"] - 1)))
        cases[name] = (np.stack((c[:-1], k[1:-1]), axis=1).ravel(), tau, k[0], c[-1], e)
    for name, case in cases.items():
        log, kept = [], {}
        out[f"{name}, welfare"] = lambda case=case, log=log, kept=kept: run(*case, log, kept)
        out[f"{name}, gradient"] = lambda kept=kept: kept["gradient"]
        out[f"{name}, solves"] = lambda log=log: np.array(log, dtype=float).reshape(-1, 5)
    return out


def judge_path_welfare(arrays, seed):
    rng = np.random.default_rng(seed)
    names = ("alpha", "beta", "gamma", "delta", "A")
    special = dict(zip(names, [*rng.uniform((0.25, 0.92), (0.4, 0.96)).tolist(), 1.0, 1.0, float(rng.uniform(0.8, 1.5))]))
    T = 1000
    tau = np.where(np.arange(T + 1) < 60, rng.uniform(0.0, 0.45, T + 1), rng.uniform(0.1, 0.3))
    expected = {"closed form": closed_gradient(tau, float(rng.uniform(0.05, 0.1)), special)}
    for name, (low, high), T in (("high gamma", (1.5, 4), 300), ("low gamma", (0.5, 0.8), 300)):
        e = dict(zip(names, rng.uniform((0.28, 0.94, low, 0.05, 0.8), (0.38, 0.97, high, 0.12, 1.5)).tolist()))
        rent = 1 / e["beta"] - 1 + e["delta"]
        t, phase = np.arange(T + 2), rng.uniform(0, 6, 2)
        wave = 1 + 0.1 * np.exp(-t / 40) * np.sin(t / 9 + phase[0]) + 0.02 * np.sin(t / 30 + phase[1])
        k = (0.8 * e["alpha"] * e["A"] / rent) ** (1 / (1 - e["alpha"])) * wave
        c = e["A"] * k[:-1] ** e["alpha"] + (1 - e["delta"]) * k[:-1] - k[1:]
        R = (c[1:] / c[:-1]) ** e["gamma"] / e["beta"]
        tau = np.append(0.2, 1 - (R - 1 + e["delta"]) / (e["alpha"] * e["A"] * k[1:-1] ** (e["alpha"] - 1)))
        expected[name] = forward_gradient(np.stack((c[:-1], k[1:-1]), axis=1).ravel(), tau, k[0], c[-1], e)

    welfare = all(close(arrays, f"{name}, welfare", W, rtol=1e-9, atol=0) for name, (W, _) in expected.items())
    shapes = {"asked": lambda g: g, "without date 0": lambda g: g[1:], "one too early": lambda g: np.append(g[1:], 0.0)}

    def right(shape, sign, own):
        """Whether all gradients are right in that shape and sign, in units of the answer's own welfare if `own`."""
        for name, (W, g) in expected.items():
            g = sign * shapes[shape](g)
            mine = finite(arrays, f"{name}, welfare", ())
            if own and (mine is None or not 0.2 < abs(mine / W) < 5):
                return False
            g = g * (mine / W) if own else g
            if not close(arrays, f"{name}, gradient", g, rtol=0, atol=1e-9 * np.max(np.abs(g))):
                return False
        return True

    ways = [(shape, sign, own) for shape in shapes for sign in (1, -1) for own in (False, True) if not (own and welfare)]
    way = next((w for w in ways if right(*w)), None)                        # a wrong sign, shape or welfare costs its own part only
    solves = {name: finite(arrays, f"{name}, solves") for name in expected}
    sizes = {"closed form": 2000, "high gamma": 600, "low gamma": 600}
    once = all(s is not None and s.shape == (1, 5) and bool(np.all(s[0] == [1, 3, sizes[name], 1, sizes[name]])) for name, s in solves.items())
    after = lambda hint: hint if way else ABOVE
    return [
        Part("welfare", 2, welfare,
             "W is the sum of beta**t u(c_t) over t = 0, …, T-1, with weight 1 at date 0, and u = log for gamma = 1, c**(1-gamma)/(1-gamma) "
             "otherwise; it comes first of the two results, a float" if arrays else ABOVE),
        Part("the gradient", 5, way is not None,
             "the adjoint solves J' lambda = W_x, with the transpose: in the banded layout the upper diagonal of J' is the lower one of J, "
             "moved by one place; W_x holds beta**t c_t**-gamma at c_t and zeros at the capitals; then g = -(dF/dtau)' lambda, to all digits; the dot-product "
             "test finds which of the three is wrong" if arrays else ABOVE),
        Part("its sign", 2, way is not None and way[1] == 1,
             after("F(x, tau) = 0 gives J dx = -(dF/dtau) dtau: the gradient has a minus sign; where a tax is positive, more of it lowers welfare")),
        Part("one entry for each date, from 0 to T", 1, way is not None and way[0] == "asked",
             after("entry t belongs to tau_t: shape (T + 1,), and entry 0 is 0, since tau_0 enters no equation")),
        Part("one solve", 3, once and way is not None,
             after("call the solve that is passed in exactly once, as solve((1, 1), bands, b) with b of shape (2T,): one adjoint, not a solve for each tax, "
                   "and no dense matrix")),
    ]
