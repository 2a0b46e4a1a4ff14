"""Hidden tests of problem set 4: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


# --- the model in NumPy, for the judges ------------------------------------------------------------

def _named(theta):
    """sigma, epsilon, alpha, omega, eta [J], log s [J]; complex theta too."""
    J = (len(theta) - 3) // 2
    odds = np.append(0.0, theta[4 + J:])
    return np.exp(theta[0]), np.exp(theta[1]), theta[2], np.exp(theta[3]), np.exp(theta[4:4 + J]), odds - np.log(np.sum(np.exp(odds)))


def _demand_supply(log_p, theta, y, c):
    """log d, log q: [..., J], from log_p: [..., J] and y: [...]; shares of the index: [..., J]."""
    sigma, epsilon, alpha, _, eta, log_s = _named(theta)
    terms = log_s + (1 - sigma) * log_p
    top = np.max(np.real(terms), axis=-1, keepdims=True)
    total = top + np.log(np.sum(np.exp(terms - top), axis=-1, keepdims=True))
    index = total / (1 - sigma)
    demand = alpha + np.asarray(y)[..., None] + log_s - sigma * (log_p - index) - epsilon * index
    return demand, eta * (log_p - c), np.exp(terms - total)


def _minus_slope(log_p, theta, y, c):
    """-dZ/dlog_p: [..., J, J]."""
    sigma, epsilon, _, _, eta, _ = _named(theta)
    shares = _demand_supply(log_p, theta, y, c)[2]
    return np.diag(sigma + eta) - (sigma - epsilon) * shares[..., None, :] * np.ones((len(eta), 1))


def _prices(theta, y, c):
    """Market-clearing log prices of towns y: [...], c: [..., J]."""
    log_p = np.zeros(np.shape(c))
    for _ in range(60):
        d, q, _ = _demand_supply(log_p, theta, y, c)
        step = np.linalg.solve(_minus_slope(log_p, theta, y, c), (d - q)[..., None])[..., 0]
        log_p = log_p + step
        if np.max(abs(step)) < 1e-14:
            break
    return log_p


def _slopes(theta, y, c):
    """Log prices [M, J] and their derivatives by theta [M, J, N]: the model's by complex steps, then one solve."""
    log_p = _prices(theta, y, c)
    columns = []
    for e in np.eye(len(theta)):
        d, q, _ = _demand_supply(log_p, theta + 1e-30j * e, y, c)
        columns.append((d - q).imag / 1e-30)
    return log_p, np.linalg.solve(_minus_slope(log_p, theta, y, c), np.stack(columns, axis=-1))


def _scores(theta, y, c, data):
    """Log-likelihood, the towns' scores [M, N], and the expected information [N, N]."""
    log_p, G = _slopes(theta, y, c)
    omega, seen = np.exp(theta[3]), ~np.isnan(data)
    error = np.where(seen, data - log_p, 0.0) / omega
    value = -0.5 * np.sum(error**2) - seen.sum() * (theta[3] + 0.5 * np.log(2 * np.pi))
    G = np.where(seen[..., None], G, 0.0) / omega
    scores = np.einsum("mi,min->mn", error, G)
    scores[:, 3] += np.sum(error**2 - seen, axis=1)
    information = np.einsum("mik,min->kn", G, G)
    information[3, 3] += 2 * seen.sum()
    return value, scores, information


def _theta(rng, J, sigma=(1.5, 4.0), epsilon=(0.4, 1.3), eta=(0.4, 2.0)):
    return np.concatenate([np.log([rng.uniform(*sigma), rng.uniform(*epsilon)]), [rng.uniform(-0.5, 0.5), np.log(0.05)],
                           np.log(rng.uniform(*eta, J)), rng.uniform(-0.8, 0.8, J - 1)])


# --- part 1 -----------------------------------------------------------------------------------------

def drive_eq_demand_supply(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    def theta(rng, J, sigma=(1.5, 4.0)):
        return np.concatenate([np.log([rng.uniform(*sigma), rng.uniform(0.4, 1.3)]), [rng.uniform(-0.5, 0.5), np.log(0.05)],
                               np.log(rng.uniform(0.4, 2.0, J)), rng.uniform(-0.8, 0.8, J - 1)])

    rng = np.random.default_rng([seed, 1])
    out = {}
    for name, J, sigma in (("four", 4, (1.5, 4.0)), ("one", 1, (1.5, 4.0)), ("complements", 3, (0.3, 0.7))):
        at = rng.normal(0, 0.7, J), theta(rng, J, sigma), rng.normal(), rng.normal(0, 0.7, J)
        at = tuple(map(jnp.asarray, at))
        for k, side in enumerate(("demand", "supply")):
            out[f"{name}: {side}"] = lambda at=at, k=k: np.asarray(jax.jit(answer)(*at)[k])
    wide = jnp.array([-480.0, 30.0, 495.0]) + rng.normal(0, 1, 3)
    at, y, c = jnp.asarray(theta(rng, 3)), jnp.asarray(rng.normal()), jnp.asarray(rng.normal(0, 1, 3))
    demand = jax.jit(lambda p: answer(p, at, y, c)[0])
    slope = jax.jit(jax.jacrev(demand))
    for name, log_p in (("far apart", wide), ("far up", wide[2] + jnp.array([0.0, 0.5, -0.3]))):
        out[f"{name}: demand"] = lambda p=log_p: np.asarray(demand(p))
        out[f"{name}: slope"] = lambda p=log_p: np.asarray(slope(p))
    return out


def judge_eq_demand_supply(arrays, seed):
    rng = np.random.default_rng([seed, 1])
    towns = {}
    for name, J, sigma in (("four", 4, (1.5, 4.0)), ("one", 1, (1.5, 4.0)), ("complements", 3, (0.3, 0.7))):
        towns[name] = rng.normal(0, 0.7, J), _theta(rng, J, sigma), rng.normal(), rng.normal(0, 0.7, J)
    wide = np.array([-480.0, 30.0, 495.0]) + rng.normal(0, 1, 3)
    theta, y, c = _theta(rng, 3), rng.normal(), rng.normal(0, 1, 3)
    exact = {name: _demand_supply(*at) for name, at in towns.items()}
    right = lambda name, k: close(arrays, f"{name}: {('demand', 'supply')[k]}", exact[name][k], rtol=1e-11, atol=1e-11)
    demand = all(right(name, 0) for name in towns)
    supply = all(right(name, 1) for name in towns)
    up, apart = wide[2] + np.array([0.0, 0.5, -0.3]), True
    for name, log_p in (("far apart", wide), ("far up", up)):
        d, _, shares = _demand_supply(log_p, theta, y, c)
        slope = (np.exp(theta[0]) - np.exp(theta[1])) * shares * np.ones((3, 1)) - np.exp(theta[0]) * np.eye(3)
        for what, value in (("demand", d), ("slope", slope)):
            found = arrays.get(f"{name}: {what}", np.array(np.nan))
            apart &= (close(arrays, f"{name}: {what}", value, rtol=1e-11, atol=1e-9) if demand
                      else found.shape == value.shape and bool(np.all(np.isfinite(found))))
    return [
        Part("demand, for one to four fuels", 2, demand,
             "compare with the formula term by term: the weights sum to one, the index has the power 1/(1 - sigma), sigma belongs to "
             "the price relative to the index and epsilon to the index; y and alpha add to the log" if arrays else ABOVE),
        Part("supply", 1, supply, "log q_i = eta_i (log p_i - c_i): each fuel has its own elasticity, and y and alpha shift demand alone"
             if arrays else ABOVE),
        Part("log prices up to 500", 2, apart,
             "e**(1000) is infinite: take the log of the sum with jax.nn.logsumexp, or subtract the largest exponent first, in the "
             "function itself and so in its derivatives" if arrays else ABOVE),
    ]


# --- part 2 -----------------------------------------------------------------------------------------

def drive_eq_prices(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    def theta(rng, J, sigma=(1.5, 4.0), epsilon=(0.4, 1.3), eta=(0.4, 2.0)):
        return np.concatenate([np.log([rng.uniform(*sigma), rng.uniform(*epsilon)]), [rng.uniform(-0.5, 0.5), np.log(0.05)],
                               np.log(rng.uniform(*eta, J)), rng.uniform(-0.8, 0.8, J - 1)])

    rng = np.random.default_rng([seed, 2])
    cases = {"four": (theta(rng, 4), rng.normal(), rng.normal(0, 1, 4)), "one": (theta(rng, 1), rng.normal(), rng.normal(0, 1, 1))}
    elastic = theta(rng, 3, (0.5, 0.8), (4.0, 5.0), (0.1, 0.3)), rng.uniform(-3, 3, 100), rng.uniform(-3, 3, (100, 3))
    far = theta(rng, 3, (6.0, 8.0), (0.1, 0.3), (0.1, 5.0)), rng.uniform(-3, 3, 100), rng.uniform(-3, 3, (100, 3))
    holes = theta(rng, 3), rng.normal(0, 1, 100), rng.normal(0, 1, (100, 3))
    holes[1][4], holes[2][1, 2] = np.nan, np.nan
    compiled, batched = jax.jit(answer), jax.jit(jax.vmap(answer, (None, 0, 0)))
    solve = lambda case: np.asarray(batched(*map(jnp.asarray, case)))

    def alone(case):
        try:                                     # without jit where that fails: another part asks for it
            return np.asarray(compiled(*map(jnp.asarray, case)))
        except Exception:
            return np.asarray(answer(*map(jnp.asarray, case)))

    def with_holes():
        try:
            return solve(holes)
        except Exception:
            return np.stack([alone((holes[0], holes[1][k], holes[2][k])) for k in range(6)])     # enough of them

    pick = [(case[0], case[1][k], case[2][k]) for case in (elastic, far) for k in (0, 7)]
    out = {name: (lambda case=case: alone(case)) for name, case in cases.items()}
    out.update({"elastic": lambda: solve(elastic), "far": lambda: solve(far), "holes": with_holes,
                "one by one": lambda: np.concatenate([alone(town) for town in pick])})
    return out


def judge_eq_prices(arrays, seed):
    rng = np.random.default_rng([seed, 2])
    cases = {"four": (_theta(rng, 4), rng.normal(), rng.normal(0, 1, 4)), "one": (_theta(rng, 1), rng.normal(), rng.normal(0, 1, 1))}
    elastic = _theta(rng, 3, (0.5, 0.8), (4.0, 5.0), (0.1, 0.3)), rng.uniform(-3, 3, 100), rng.uniform(-3, 3, (100, 3))
    far = _theta(rng, 3, (6.0, 8.0), (0.1, 0.3), (0.1, 5.0)), rng.uniform(-3, 3, 100), rng.uniform(-3, 3, (100, 3))
    holes = _theta(rng, 3), rng.normal(0, 1, 100), rng.normal(0, 1, (100, 3))
    missing = np.isin(np.arange(100), (1, 4))

    def cleared(log_p, theta, y, c, tol=1e-12):
        """Whether the prices clear these markets: |Z| <= 1e-12, and what two orders of summation differ by."""
        log_p = np.asarray(log_p)
        if log_p.shape != np.shape(c) or log_p.dtype != np.float64 or not np.all(np.isfinite(log_p)):
            return False
        d, q, _ = _demand_supply(log_p, theta, y, c)
        return bool(np.max(abs(d - q)) <= tol + 3e-13)

    get = lambda name: arrays.get(name, np.zeros(0))
    plain = all(cleared(get(name), *case) for name, case in cases.items())
    roughly = all(cleared(get(name), *case, tol=1e-2) for name, case in cases.items())
    tol = 1e-12 if plain or not roughly else 1e-2                         # a wrong tolerance costs its own part only
    singles, k, alone = get("one by one"), 0, True
    for case in (elastic, far):
        for town in (0, 7):
            J = case[2].shape[1]
            alone &= cleared(singles[k:k + J], case[0], case[1][town], case[2][town], tol)
            k += J
    batch = cleared(get("elastic"), *elastic, tol) and cleared(get("far"), *far, tol)
    hard = batch or alone
    survives = batch or (get("far").shape == far[2].shape and not alone)
    found, others = get("holes"), False
    n = len(found)
    missing, holes = missing[:n], (holes[0], holes[1][:n], holes[2][:n])
    known = found.shape in ((6, 3), (100, 3)) and cleared(found[~missing], holes[0], holes[1][~missing], holes[2][~missing], 1e-2)
    others = known and bool(np.all(np.isnan(found[missing])))
    return [
        Part("four fuels, and one", 2, plain,
             "the log excess demand at your prices is above 1e-12, though they are near: stop by the largest |Z_i|, not by the size of a "
             "step or of another number; in float64 a step or two more reaches rounding" if roughly else
             "at your prices demand and supply differ: a Newton step is -(dZ/dlog p)^-1 Z, with all J x J slopes, taken in the log "
             "prices" if arrays else ABOVE),
        Part("elastic demand, towns far apart", 2, (plain or roughly) and hard,
             "where epsilon is large an iteration without slopes runs away, and one with a guess of them may: take Newton's "
             "method, and allow 50 steps" if plain or roughly else ABOVE),
        Part("jit and vmap, 100 towns at once", 2, (plain or roughly) and survives,
             "under vmap each town needs its own number of steps: jax.lax.while_loop gives it, a Python loop or branch on values "
             "does not" if plain or roughly else ABOVE),
        Part("NaN where there are no prices", 2, others,
             "towns with a missing y or c must return NaN for all fuels, and the others what they return alone: a comparison with NaN is "
             "False, so that a loop ends at once and leaves its start, which is no solution" if plain or roughly else ABOVE),
    ]


# --- part 3 -----------------------------------------------------------------------------------------

def drive_eq_root(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    def refuse(*args, **kwargs):
        raise RuntimeError("write it yourself: the book's implicit is a check here")

    try:                                        # in place, so that a name bound before is refused as well
        from lecture_utils import implicit
        for function in list(vars(implicit).values()):     # its helpers too
            if getattr(function, "__module__", "") == implicit.__name__ and hasattr(function, "__code__"):
                function.__code__ = refuse.__code__
    except ImportError:
        pass
    rng = np.random.default_rng([seed, 3])
    G = rng.standard_normal((3, 3))
    b, v, u = rng.uniform(2, 4, 3), rng.standard_normal(3), rng.standard_normal(3)
    g, v_g = rng.uniform(0.1, 0.2), rng.standard_normal()
    signs = np.array([-1.0, 1.0, -1.0])
    W = rng.uniform(0.5, 1.5, (3, 1000)) / 1000
    batch = rng.uniform(2, 4, (4, 3))
    a = {"b": jnp.asarray(b), "g": jnp.asarray(g)}
    along = {"b": jnp.asarray(v), "g": jnp.asarray(v_g)}

    def F(z, a):
        """One of eight roots has these signs."""
        return z * z + a["g"] * (jnp.asarray(G) @ z) - a["b"]

    def outside(b, g):
        z, b, g = signs * np.sqrt(np.asarray(b)), np.asarray(b), np.asarray(g)
        for _ in range(30):
            z = z - np.linalg.solve(2 * np.diag(z) + g * G, z * z + g * (G @ z) - b)
        return z

    def solver(a):
        return jax.pure_callback(outside, jax.ShapeDtypeStruct((3,), jnp.float64), a["b"], a["g"], vmap_method="sequential")

    def stopped(a):
        """The same root by a loop that JAX could differentiate, and is not let to."""
        a = jax.lax.stop_gradient(a)
        slope = lambda z: 2 * jnp.diag(z) + a["g"] * jnp.asarray(G)
        step = lambda i, z: z - jnp.linalg.solve(slope(z), F(z, a))
        return jax.lax.fori_loop(0, 30, step, jnp.asarray(signs) * jnp.sqrt(a["b"]))

    def push(solver):
        return np.asarray(jax.jvp(answer(F, solver), (a,), (along,))[1])

    def pull():
        back = jax.grad(lambda a: jnp.asarray(u) @ answer(F, solver)(a))(a)
        return np.append(np.asarray(back["b"]), np.asarray(back["g"]))

    def second():
        root = answer(F, solver)
        try:
            once = lambda a: jax.jvp(root, (a,), (along,))[1]
            return np.asarray(u @ jax.jvp(once, (a,), (along,))[1])
        except Exception:
            slope = jax.grad(lambda a: jnp.asarray(u) @ root(a))
            once = lambda a: slope(a)["b"] @ along["b"] + slope(a)["g"] * along["g"]
            twice = jax.grad(once)(a)
            return np.asarray(twice["b"] @ along["b"] + twice["g"] * along["g"])

    def many():
        root = answer(F, solver)
        slope = jax.grad(lambda b, g: jnp.asarray(u) @ root({"b": b, "g": g}))
        return np.asarray(jax.jit(jax.vmap(slope, (0, None)))(jnp.asarray(batch), a["g"]))

    def largest():
        """The largest array in the program of a gradient with 1,000 parameters; the gradient."""
        mixed = lambda z, x: z * z + g * (jnp.asarray(G) @ z) - jnp.asarray(W) @ x
        find = lambda x: jax.pure_callback(lambda x: outside(W @ np.asarray(x), g), jax.ShapeDtypeStruct((3,), jnp.float64), x,
                                           vmap_method="sequential")
        slope = jax.grad(lambda x: jnp.asarray(u) @ answer(mixed, find)(x))
        x = jnp.full(1000, 3.0)

        def sizes(jaxpr):
            for eqn in jaxpr.eqns:
                yield from (int(np.prod(out.aval.shape)) for out in eqn.outvars if hasattr(out.aval, "shape"))
                for inner in jax.tree.leaves(list(eqn.params.values()), is_leaf=lambda p: hasattr(p, "eqns") or hasattr(p, "jaxpr")):
                    inner = getattr(inner, "jaxpr", inner)
                    if hasattr(inner, "eqns"):
                        yield from sizes(inner)

        return np.append(max(sizes(jax.make_jaxpr(slope)(x).jaxpr)), np.asarray(slope(x)))

    return {"z": lambda: np.asarray(answer(F, solver)(a)), "jvp": lambda: push(solver), "jvp, stopped": lambda: push(stopped),
            "vjp": pull, "second": second, "batch": many, "largest": largest}


def judge_eq_root(arrays, seed):
    rng = np.random.default_rng([seed, 3])
    G = rng.standard_normal((3, 3))
    b, v, u = rng.uniform(2, 4, 3), rng.standard_normal(3), rng.standard_normal(3)
    g, v_g = rng.uniform(0.1, 0.2), rng.standard_normal()
    signs = np.array([-1.0, 1.0, -1.0])
    W = rng.uniform(0.5, 1.5, (3, 1000)) / 1000
    batch = rng.uniform(2, 4, (4, 3))

    def solve(b):
        z = signs * np.sqrt(b)
        for _ in range(40):
            z = z - np.linalg.solve(2 * np.diag(z) + g * G, z * z + g * (G @ z) - b)
        return z, 2 * np.diag(z) + g * G

    z, A = solve(b)
    z_dot = np.linalg.solve(A, v - v_g * (G @ z))
    back = np.linalg.solve(A.T, u)
    pulled = np.append(back, -back @ (G @ z))
    second = u @ np.linalg.solve(A, -2 * z_dot**2 - 2 * v_g * (G @ z_dot))
    rows = np.stack([np.linalg.solve(solve(row)[1].T, u) for row in batch])
    wide = np.linalg.solve(solve(W @ np.full(1000, 3.0))[1].T, u) @ W
    get = lambda name: arrays.get(name, np.zeros(0))
    right = lambda name, value, sign=1: close(arrays, name, sign * value, rtol=1e-9, atol=1e-9)
    value = right("z", z)
    jvp = right("jvp", z_dot) and right("jvp, stopped", z_dot)
    flipped = right("jvp", z_dot, -1)
    own, adjoint = get("jvp"), get("vjp")
    dot = (own.shape == (3,) and adjoint.shape == (4,) and np.any(own) and np.all(np.isfinite(own)) and np.all(np.isfinite(adjoint))
           and abs(u @ own - adjoint @ np.append(v, v_g)) <= 1e-9 * abs(u @ own))
    vjp = right("vjp", pulled) or (value and not jvp and bool(dot))      # a wrong rule costs once, another root everything
    zero = any(name in arrays and not np.any(arrays[name]) for name in ("jvp", "jvp, stopped", "vjp"))
    first = jvp or vjp
    found = get("second")
    bent = right("second", np.array(second)) or (not right("jvp", z_dot) and first and found.shape == () and np.isfinite(found) and found != 0)
    big = get("largest")
    narrow = first and big.shape == (1001,) and big[0] < 100_000 and bool(np.all(np.isfinite(big))) and (
        close({"x": big[1:]}, "x", wide, rtol=1e-9, atol=1e-12) or not right("vjp", pulled) and bool(np.any(big[1:])))
    many = get("batch")
    mapped = first and (right("batch", rows) or not right("vjp", pulled) and many.shape == (4, 3)
                        and bool(np.all(np.isfinite(many)) and np.any(many)))
    return [
        Part("the solver's root", 1, value,
             "root(a) is what solver(a) returns for that a: the equation has other roots, and a search of your own may end at one of "
             "them" if arrays else ABOVE),
        Part("the JVP", 2, jvp,
             "the derivative is 0, or missing, where the solver's is: do not differentiate the solver; differentiate F at the root"
             if zero else "the sign is wrong: F stays at zero, so that dF/dz z_dot = - dF/da a_dot" if flipped else
             "solve dF/dz z_dot = - dF/da a_dot at the root, along the whole tree a_dot, with dF/dz as a matrix; jax.jvp must work, "
             "which a custom_vjp does not allow; the solver's own derivative must not enter" if arrays else ABOVE),
        Part("the VJP", 3, vjp,
             "the derivative is 0, or missing, where the solver's is: do not differentiate the solver; differentiate F at the root"
             if zero or not jvp else "with the transpose of dF/dz: solve (dF/dz)' lam = u, and pull -lam back through a -> F(z, a)"
             if arrays else ABOVE),
        Part("second derivatives", 2, bool(bent),
             "in the rule, z must still depend on a: call root(a) there, not solver(a), and stop nothing" if first else ABOVE),
        Part("a gradient under jit and vmap", 1, mapped,
             "batches of gradients must work: no NumPy, no float(), no branch on values" if first else ABOVE),
        Part("1,000 parameters", 1, narrow,
             "the gradient forms an array of N x N numbers: do not take the Jacobian by a; push one tangent, or pull one cotangent"
             if first else ABOVE),
    ]


# --- part 4 -----------------------------------------------------------------------------------------

def drive_eq_loglik(answer, seed):
    import inspect

    import jax
    import jax.numpy as jnp
    import numpy as np

    def named(theta):
        J = (len(theta) - 3) // 2
        odds = np.append(0.0, theta[4 + J:])
        return np.exp(theta[0]), np.exp(theta[1]), theta[2], np.exp(theta[4:4 + J]), odds - np.log(np.sum(np.exp(odds)))

    calls = []

    def outside(theta, y, c):
        """Prices of one town, by NumPy."""
        calls.append(1)
        theta, y, c = np.asarray(theta), np.asarray(y), np.asarray(c)
        sigma, epsilon, alpha, eta, log_s = named(theta)
        log_p = np.zeros(len(c))
        for _ in range(30):
            terms = log_s + (1 - sigma) * log_p
            total = np.max(terms) + np.log(np.sum(np.exp(terms - np.max(terms))))
            z = alpha + y + log_s - sigma * log_p + (sigma - epsilon) * total / (1 - sigma) - eta * (log_p - c)
            slope = np.diag(sigma + eta) - (sigma - epsilon) * np.exp(terms - total) * np.ones((len(c), 1))
            log_p = log_p + np.linalg.solve(slope, z)
        return log_p

    def solver(theta, y, c):
        return jax.pure_callback(outside, jax.ShapeDtypeStruct(c.shape, jnp.float64), theta, y, c, vmap_method="sequential")

    rng = np.random.default_rng([seed, 4])
    J, M = 3, 6
    theta = np.concatenate([np.log([rng.uniform(1.5, 4.0), rng.uniform(0.4, 1.3)]), [rng.uniform(-0.5, 0.5), np.log(0.05)],
                            np.log(rng.uniform(0.4, 2.0, J)), rng.uniform(-0.8, 0.8, J - 1)])
    theta[3] = np.log(rng.uniform(0.2, 0.4))
    y, c, data = rng.normal(0, 0.5, M), rng.normal(0, 0.5, (M, J)), rng.normal(0, 0.3, (M, J))
    v = rng.standard_normal(len(theta)) * 1e-4
    holes = np.where(rng.uniform(size=(M, J)) < 0.3, np.nan, data)
    holes[2], holes[5, 0], holes[5, 1] = np.nan, np.nan, data[5, 1]
    at, y, c, data, holes = map(jnp.asarray, (theta, y, c, data, holes))
    value = jax.jit(lambda theta: answer(theta, y, c, data, solver))
    compiled = jax.jit(jax.value_and_grad(lambda theta, data: answer(theta, y, c, data, solver)))     # once for both data
    scope, own = getattr(inspect.unwrap(answer), "__globals__", {}), []

    def other(theta, y, c):
        """What find_prices stands for while another solver is given: solves by it count as well."""
        back = lambda *args: own.append(1) or outside(*args)
        return jax.pure_callback(back, jax.ShapeDtypeStruct(c.shape, jnp.float64), theta, y, c, vmap_method="sequential")

    def slopes(data):
        kept = scope.get("find_prices")
        try:
            if kept is not None:
                scope["find_prices"] = other
            return jax.block_until_ready(compiled(at, data))
        finally:
            if kept is not None:
                scope["find_prices"] = kept

    both, thin = lambda theta: slopes(data), lambda theta: slopes(holes)

    def counted():
        both(at)                                # traced before, or now
        calls.clear()
        own.clear()
        both(at)
        given = len(calls) - len(own)           # outside counts all
        return np.array(given and len(calls))

    def thin_value():
        try:
            return np.asarray(thin(at)[0])
        except Exception:                       # no gradient: its value alone
            return np.asarray(answer(at, y, c, holes, solver))

    def size(M):
        """Equations of the traced program, loops and rules included once."""
        def count(jaxpr):
            total = len(jaxpr.eqns)
            for eqn in jaxpr.eqns:
                for inner in jax.tree.leaves(list(eqn.params.values()), is_leaf=lambda p: hasattr(p, "eqns") or hasattr(p, "jaxpr")):
                    inner = getattr(inner, "jaxpr", inner)
                    total += count(inner) if hasattr(inner, "eqns") else 0
            return total
        return count(jax.make_jaxpr(lambda theta: answer(theta, y[:M], c[:M], data[:M], solver))(at).jaxpr)

    return {"value": lambda: np.asarray(value(at)), "default": lambda: np.asarray(jax.jit(lambda t: answer(t, y, c, data))(at)),
            "gradient": lambda: np.asarray(both(at)[1]), "solves": counted, "sizes": lambda: np.array([size(3), size(5)]),
            "forward": lambda: np.asarray(jax.jit(lambda t: jax.jvp(value, (t,), (jnp.asarray(v),))[1])(at)),
            "along": lambda: np.array([float(value(at + k * v)) for k in (1, -1, 2, -2)]),
            "value with holes": thin_value, "gradient with holes": lambda: np.asarray(thin(at)[1])}


def judge_eq_loglik(arrays, seed):
    rng = np.random.default_rng([seed, 4])
    J, M = 3, 6
    theta = _theta(rng, J)
    theta[3] = np.log(rng.uniform(0.2, 0.4))
    y, c, data = rng.normal(0, 0.5, M), rng.normal(0, 0.5, (M, J)), rng.normal(0, 0.3, (M, J))
    v = rng.standard_normal(len(theta)) * 1e-4
    holes = np.where(rng.uniform(size=(M, J)) < 0.3, np.nan, data)
    holes[2], holes[5, 0], holes[5, 1] = np.nan, np.nan, data[5, 1]
    exact, scores, _ = _scores(theta, y, c, data)
    thin, thin_scores, _ = _scores(theta, y, c, holes)
    gradient, thin_gradient = scores.sum(axis=0), thin_scores.sum(axis=0)
    scale = np.max(abs(gradient))
    get = lambda name: arrays.get(name, np.zeros(0))
    value = close(arrays, "value", exact, rtol=1e-10) and close(arrays, "default", exact, rtol=1e-9)
    score, along = get("gradient"), get("along")
    both = score.shape == gradient.shape and bool(np.all(np.isfinite(score))) and bool(np.any(score))
    forward = both and close(arrays, "forward", score @ v, rtol=1e-8, atol=1e-9 * scale * np.linalg.norm(v))
    exact_score = both and close(arrays, "gradient", gradient, rtol=1e-9, atol=1e-9 * scale)
    consistent = both and along.shape == (4,) and bool(np.all(np.isfinite(along))) and abs(
        8 * (along[0] - along[1]) - (along[2] - along[3]) - 12 * score @ v) <= 12 * (1e-6 * np.linalg.norm(score) * np.linalg.norm(v) + 1e-9)
    slopes = forward and (exact_score or not value and consistent)          # a wrong value costs the value only
    thin_value, thin_score = get("value with holes"), get("gradient with holes")
    finite = thin_value.shape == () and thin_score.shape == gradient.shape and bool(
        np.isfinite(thin_value) and np.all(np.isfinite(thin_score)))
    thin_right = close(arrays, "value with holes", thin, rtol=1e-10) and (close(
        arrays, "gradient with holes", thin_gradient, rtol=1e-9, atol=1e-9 * scale) or both and not slopes and finite)
    offset = get("value") - exact if get("value").shape == () else np.nan
    missing = finite and bool(thin_right or (not value and abs(thin_value - thin) <= abs(offset) * 1.5))
    solves, sizes = get("solves"), get("sizes")
    few = both and solves.shape == () and 0 < solves <= 3 * M
    flat = sizes.shape == (2,) and bool(sizes[0] == sizes[1])
    ran = get("value").shape == () and bool(np.isfinite(get("value")))
    return [
        Part("the value", 3, value,
             "compare with the formula: half the squared errors over omega squared, log omega and half of log 2 pi for each "
             "recorded price, summed over fuels and towns" if arrays else ABOVE),
        Part("its gradient, in both modes", 3, slopes,
             "the gradient misses what moves the prices: take them through implicit_root, with theta in its argument a; and theta "
             "enters omega as well" if ran else ABOVE),
        Part("missing prices", 2, missing,
             "a NaN in data must not reach the value, nor the gradient: where(seen, error, 0) before the square, since 0 times NaN "
             "is NaN in reverse mode; count the recorded prices only, and do not drop the rest of a town" if ran else ABOVE),
        Part("few solves, a program that does not grow", 2, bool(few and flat),
             "the solver that is given was never called: the prices are solver(theta, y, c), and None stands for find_prices"
             if both and solves.shape == () and solves == 0 else
             "value and gradient may solve each town's markets three times at most: the rule needs the prices and one linear "
             "equation, no differences and no iterations" if both and not few else
             "the program grows with the number of towns: use jax.vmap, not a Python loop" if both else ABOVE),
    ]


# --- part 5 -----------------------------------------------------------------------------------------

def drive_eq_pass_through(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    def theta(rng, J, sigma=(1.5, 4.0), epsilon=(0.4, 1.3)):
        return np.concatenate([np.log([rng.uniform(*sigma), rng.uniform(*epsilon)]), [rng.uniform(-0.5, 0.5), np.log(0.05)],
                               np.log(rng.uniform(0.4, 2.0, J)), rng.uniform(-0.8, 0.8, J - 1)])

    rng = np.random.default_rng([seed, 5])
    one = theta(rng, 1), rng.normal(), rng.normal(0, 1, 1)
    alike = theta(rng, 3), rng.normal(), rng.normal(0, 1, 3)
    alike[0][4:7] = alike[0][4]
    three = theta(rng, 3), rng.normal(), rng.normal(0, 1, 3)
    towns = theta(rng, 3, (0.4, 0.7), (1.5, 3.0)), rng.normal(0, 1, 5), rng.normal(0, 1, (5, 3))
    compiled = jax.jit(answer)

    def take(case):
        try:                                     # compiled where it can be, which is faster
            return np.asarray(compiled(*map(jnp.asarray, case)))
        except Exception:
            return np.asarray(answer(*map(jnp.asarray, case)))

    out = {name: (lambda case=case: take(case)) for name, case in (("one", one), ("alike", alike), ("three", three))}
    out["towns"] = lambda: np.asarray(jax.jit(jax.vmap(answer, (None, 0, 0)))(*map(jnp.asarray, towns)))
    return out


def judge_eq_pass_through(arrays, seed):
    rng = np.random.default_rng([seed, 5])
    one = _theta(rng, 1), rng.normal(), rng.normal(0, 1, 1)
    alike = _theta(rng, 3), rng.normal(), rng.normal(0, 1, 3)
    alike[0][4:7] = alike[0][4]
    three = _theta(rng, 3), rng.normal(), rng.normal(0, 1, 3)
    towns = _theta(rng, 3, (0.4, 0.7), (1.5, 3.0)), rng.normal(0, 1, 5), rng.normal(0, 1, (5, 3))
    eta, epsilon = np.exp(one[0][4]), np.exp(one[0][1])
    matrix = lambda theta, y, c: np.linalg.solve(_minus_slope(_prices(theta, y, c), theta, y, c), np.diag(_named(theta)[4]))
    right = lambda name, value: close(arrays, name, value, rtol=1e-9, atol=1e-10)
    single = right("one", np.array([[eta / (eta + epsilon)]]))
    exact, many = {"alike": matrix(*alike), "three": matrix(*three)}, matrix(*towns)
    full = all(right(name, value) for name, value in exact.items())
    turned = all(right(name, value.T) for name, value in exact.items())
    found = arrays.get("towns", np.zeros(0))
    batch = right("towns", many) or turned and right("towns", np.swapaxes(many, 1, 2)) or (
        not full and found.shape == many.shape and bool(np.all(np.isfinite(found)) and np.any(found)))
    return [
        Part("one fuel: eta / (eta + epsilon)", 1, single,
             "a cost shifts supply by eta, and the price clears demand and supply again: is the derivative by c, the log of the "
             "cost, and not by the cost or by y?" if arrays else ABOVE),
        Part("three fuels", 3, full,
             "entry (i, j) is the price of fuel i by the cost of fuel j: this is the transpose" if turned else
             "all prices of a town move together: the derivative of the whole vector of log prices by the whole vector c, by "
             "implicit_root with c in its argument a" if arrays else ABOVE),
        Part("jit, and vmap over towns", 1, bool(batch),
             "no NumPy and no float(): y and c are tracers there" if arrays else ABOVE),
    ]


# --- part 6 -----------------------------------------------------------------------------------------

def drive_eq_estimate(answer, seed):
    import jax.numpy as jnp
    import numpy as np

    def theta(rng, J):
        return np.concatenate([np.log([rng.uniform(1.8, 4.0), rng.uniform(0.4, 1.3)]), [rng.uniform(-0.5, 0.5), np.log(0.05)],
                               np.log(rng.uniform(0.4, 2.0, J)), rng.uniform(-0.8, 0.8, J - 1)])

    def prices(theta, y, c):
        """Log prices of all towns, by NumPy: [M, J]."""
        J = c.shape[1]
        sigma, epsilon, alpha, eta = np.exp(theta[0]), np.exp(theta[1]), theta[2], np.exp(theta[4:4 + J])
        odds = np.append(0.0, theta[4 + J:])
        log_s, log_p = odds - np.log(np.sum(np.exp(odds))), np.zeros(c.shape)
        for _ in range(40):
            terms = log_s + (1 - sigma) * log_p
            total = np.log(np.sum(np.exp(terms), axis=1, keepdims=True))
            z = alpha + y[:, None] + log_s - sigma * log_p + (sigma - epsilon) * total / (1 - sigma) - eta * (log_p - c)
            slope = np.diag(sigma + eta) - (sigma - epsilon) * np.exp(terms - total)[:, None, :] * np.ones((J, 1))
            log_p = log_p + np.linalg.solve(slope, z[..., None])[..., 0]
        return log_p

    out = {}
    for name, J, reach in (("near", 3, 0.3), ("far", 2, 1.4)):
        rng = np.random.default_rng([seed, 6, J])
        truth = theta(rng, J)
        y, c = rng.normal(0, 0.5, 150), rng.normal(0, 0.5, (150, J))
        data = prices(truth, y, c) + 0.05 * rng.standard_normal((150, J))
        start = truth + reach * np.where(rng.uniform(size=len(truth)) < 0.5, -1, 1)
        start[0] = max(start[0], 0.25)                                     # on the side of sigma = 1 where the truth is
        out[name] = lambda start=start, y=y, c=c, data=data: np.stack(
            [np.asarray(x, dtype=float) for x in answer(jnp.asarray(start), jnp.asarray(y), jnp.asarray(c), jnp.asarray(data))])
    return out


def judge_eq_estimate(arrays, seed):
    def data_of(J, reach):
        rng = np.random.default_rng([seed, 6, J])
        truth = _theta(rng, J, (1.8, 4.0))
        y, c = rng.normal(0, 0.5, 150), rng.normal(0, 0.5, (150, J))
        return truth, y, c, _prices(truth, y, c) + 0.05 * rng.standard_normal((150, J))

    found = {}
    for name, J, reach in (("near", 3, 0.3), ("far", 2, 1.4)):
        truth, y, c, data = data_of(J, reach)
        value = arrays.get(name, np.zeros(0))
        found[name] = at_top, errors_right = [False, None]
        if value.shape != (2, 2 * J + 3) or not np.all(np.isfinite(value[0])) or np.max(abs(value[0] - truth)) > 3:
            continue
        theta, errors = value
        with np.errstate(all="ignore"):
            loglik, scores, information = _scores(theta, y, c, data)
        at_top = np.max(abs(scores.sum(axis=0))) <= 1.01e-3 and loglik >= _scores(truth, y, c, data)[0]
        found[name] = [bool(at_top), None]
        if np.max(abs(theta - truth)) > 1.5:                               # no estimate: standard errors there mean nothing
            continue
        hessian = np.zeros((len(theta), len(theta)))
        for k, e in enumerate(np.eye(len(theta))):
            ahead, behind = (_scores(theta + h * e, y, c, data)[1].sum(axis=0) for h in (1e-5, -1e-5))
            hessian[k] = (ahead - behind) / 2e-5
        observed, outer = -(hessian + hessian.T) / 2, scores.T @ scores
        try:
            inverse = np.linalg.inv(observed)
            kinds = [inverse, np.linalg.inv(information), np.linalg.inv(outer), inverse @ outer @ inverse]
        except np.linalg.LinAlgError:
            continue
        variances = np.stack([np.diag(kind) for kind in kinds])
        roots = np.sqrt(np.maximum(variances, 0))
        found[name][1] = bool(np.any(np.all(abs(errors / roots - 1) < 0.01, axis=1)))
        squares = bool(np.any(np.all(abs(errors / variances - 1) < 0.02, axis=1)))
        found[name].append(squares)
    near, far = found["near"], found["far"]
    errors = near[1] if near[1] is not None else far[1]
    squares = any(len(x) == 3 and x[2] for x in (near, far))
    return [
        Part("the maximum, from a start nearby", 4, near[0],
             "an entry of the score is above 1e-3 at your estimate, or the log-likelihood is below that of the truth: tighten the "
             "optimizer's tolerance, or end with Newton steps; is the sign right, since SciPy minimizes?" if arrays else ABOVE),
        Part("the maximum, from a start far away", 3, far[0],
             "the first steps lead out of the model's domain, where prices are NaN, and the search does not come back: give bounds, "
             "scale the log-likelihood, or shorten a step that ends at NaN" if near[0] else ABOVE),
        Part("standard errors", 3, bool(errors),
             "these are variances: take their square roots" if squares else
             "the roots of the diagonal of the inverse of the whole information matrix: invert first, then take the diagonal; the matrix "
             "is that of the sum over towns, not of the mean, at the estimate; an optimizer's hess_inv is not accurate"
             if arrays and (near[1] is not None or far[1] is not None) else ABOVE),
    ]
