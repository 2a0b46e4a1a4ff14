"""Hidden tests of chapter 16: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def drive_fixed_point_maps(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    def mixing(a, z):
        """A state depends on itself, on the one before it and a little on its own square: not symmetric."""
        mean = 0.7 * z + 0.3 * jnp.roll(z, 1)
        return a["rate"] * mean + 0.003 * jnp.sin(z) * a["bend"] + a["shift"]

    def case(n, rate, shift):
        rounds = 400 if rate == 0.9 else 4000        # the slope of mixing is at most rate + 0.003
        a = {"rate": jnp.asarray(rate), "bend": jnp.asarray(1.0), "shift": jnp.asarray(shift)}
        z = jax.jit(lambda a: jax.lax.fori_loop(0, rounds, lambda i, z: mixing(a, z), jnp.zeros(n)))(a)
        return a, z

    def products(n, rate, shift, v_shift, u):
        a, z = case(n, rate, shift)
        jvp, vjp = answer(mixing, a, z)
        v = {"rate": jnp.asarray(0.3), "bend": jnp.asarray(-2.0), "shift": jnp.asarray(v_shift)}
        out = {"z": lambda: np.asarray(z), "jvp": lambda: np.asarray(jvp(v))}
        pulled = []

        def pull(name):
            if not pulled:
                pulled.append(vjp(jnp.asarray(u)))
            return np.asarray(pulled[0][name])
        out.update({name: (lambda name=name: pull(name)) for name in ("rate", "bend", "shift")})
        return out

    found = {}
    for label, n, rate in (("easy", 12, 0.4), ("near one", 12, 0.985), ("large", 20_000, 0.9)):
        rng = np.random.default_rng([seed, n])
        shift, v_shift, u = rng.standard_normal((3, n))
        try:
            parts = products(n, rate, shift, v_shift, u)
        except Exception:
            continue
        if label != "easy":                              # one solve each: an answer that is not compiled takes long
            kept = ("z", "jvp") if label == "near one" else ("z", "rate", "bend", "shift")
            parts = {name: parts[name] for name in kept}
        found.update({f"{label}: {name}": part for name, part in parts.items()})
    return found


def judge_fixed_point_maps(arrays, seed):
    from scipy import sparse
    from scipy.sparse.linalg import spsolve

    def exact(n, rate):
        rng = np.random.default_rng([seed, n])
        shift, v_shift, u = rng.standard_normal((3, n))
        roll = sparse.csc_matrix((np.ones(n), (np.arange(n), np.arange(-1, n - 1) % n)), shape=(n, n))
        linear = rate * (0.7 * sparse.identity(n, format="csc") + 0.3 * roll)
        z = np.zeros(n)
        for _ in range(50):                          # Newton's method
            gap = linear @ z + 0.003 * np.sin(z) + shift - z
            slope = sparse.identity(n, format="csc") - linear - sparse.diags(0.003 * np.cos(z), format="csc")
            step = spsolve(slope.tocsc(), gap)
            z = z + step
            if np.max(abs(step)) < 1e-13 * (1 + np.max(abs(z))):
                break
        slope = sparse.identity(n, format="csc") - linear - sparse.diags(0.003 * np.cos(z), format="csc")
        mean = 0.7 * z + 0.3 * np.roll(z, 1)
        jvp = spsolve(slope.tocsc(), 0.3 * mean - 2 * 0.003 * np.sin(z) + v_shift)
        adjoint = spsolve(slope.T.tocsc(), u)
        return {"z": z, "jvp": jvp, "rate": np.array(adjoint @ mean), "bend": np.array(adjoint @ (0.003 * np.sin(z))),
                "shift": adjoint}

    cases = {label: exact(n, rate) for label, n, rate in (("easy", 12, 0.4), ("near one", 12, 0.985), ("large", 20_000, 0.9))}

    def right(label, *names):
        return all(close(arrays, f"{label}: {name}", cases[label][name], rtol=1e-7,
                         atol=1e-7 * np.max(abs(cases[label][name]))) for name in names)

    reverse = ("rate", "bend", "shift")
    forward, backward = right("easy", "jvp"), right("easy", *reverse)
    return [
        Part("the JVP", 1, forward,
             "solve (I - A) z_dot = B v, where B v is the JVP of a -> f(a, z) along the whole dict v: one step, B v alone, is not "
             "the derivative of the solution" if arrays else ABOVE),
        Part("the VJP, a dict like a", 1, backward,
             "solve with the transpose, (I - A)' lam = u, by products with a VJP of z -> f(a, z); then pull lam back through "
             "a -> f(a, z): that is a dict" if arrays else ABOVE),
        Part("a spectral radius near one", 1, right("near one", "jvp"),
             "with a spectral radius of 0.985 a series of a few hundred terms, or a solver at its default tolerance, has not "
             "converged: tighten it and allow more steps" if forward else ABOVE),
        Part("20,000 states", 1, right("large", *reverse),
             "an N x N matrix does not fit: give the solver a function for the product, by jax.linearize and jax.vjp"
             if backward else ABOVE),
    ]


def drive_reservation_wage(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    q = rng.uniform(0.5, 1.5, 7)
    q, w = q / q.sum(), np.sort(rng.uniform(10, 60, 7))
    beta, c = float(rng.uniform(0.8, 0.97)), float(rng.uniform(5, 9))
    at = jnp.asarray(beta), jnp.asarray(c), jnp.asarray(q), jnp.asarray(w)
    k = np.arange(50)
    p = np.cumprod(np.append(1.0, (50 - k) / (k + 1) * (200 + k) / (149 - k)))
    rare = jnp.asarray(0.99), jnp.asarray(25.0), jnp.array([0.99, 0.01]), jnp.array([10.0, 60.0])
    published = jnp.asarray(0.99), jnp.asarray(25.0), jnp.asarray(p / p.sum()), jnp.linspace(10, 60, 51)
    flat = lambda tree: np.concatenate([np.ravel(leaf) for leaf in tree])

    def take(f, at):
        try:                                         # compiled where it can be, which is faster
            return jax.jit(f)(*at)
        except Exception:
            return f(*at)

    def second():
        """Rows of the Hessian: of beta and of c, against all."""
        of_slopes = lambda *at: jnp.stack(jax.grad(answer, (0, 1))(*at))
        rows = take(jax.jacrev(of_slopes, (0, 1, 2, 3)), at)
        return np.concatenate([np.reshape(row, (2, -1)) for row in rows], axis=1)

    return {
        "published": lambda: np.asarray(take(answer, published)),
        "rare": lambda: np.asarray(take(answer, rare)),
        "value": lambda: np.asarray(take(answer, at)),
        "reverse": lambda: flat(take(jax.grad(answer, (0, 1, 2, 3)), at)),
        "forward": lambda: flat(take(jax.jacfwd(answer, (0, 1, 2, 3)), at)),
        "second": second,
        "batch": lambda: np.stack(jax.jit(jax.vmap(jax.value_and_grad(answer), (0, None, None, None)))(
            jnp.array([0.6, beta, 0.99]), *at[1:])),
    }


def judge_reservation_wage(arrays, seed):
    rng = np.random.default_rng(seed)
    q = rng.uniform(0.5, 1.5, 7)
    q, w = q / q.sum(), np.sort(rng.uniform(10, 60, 7))
    beta, c = float(rng.uniform(0.8, 0.97)), float(rng.uniform(5, 9))

    def exact(beta):
        """R, its gradient [16], and two rows of its Hessian [2, 16]."""
        R = c
        for _ in range(200_000):
            new = (1 - beta) * c + beta * q @ np.maximum(w, R)
            if new == R:
                break
            R = new
        above = w > R
        m, rest = q @ np.maximum(w, R), 1 - beta * q[~above].sum()
        R = ((1 - beta) * c + beta * q[above] @ w[above]) / rest
        d_beta, d_c = (m - c) / rest, (1 - beta) / rest
        d_q, d_w = beta * np.maximum(w, R) / rest, beta * q * above / rest
        # Each entry is a numerator over rest; differentiate both by beta and by c.
        pi = q[~above].sum()
        by_beta = [2 * pi * d_beta / rest, -(1 - pi) / rest**2,
                   np.maximum(w, R) / rest + beta * ~above * d_beta / rest + d_q * pi / rest,
                   q * above / rest + d_w * pi / rest]
        by_c = [by_beta[1], 0.0, beta * ~above * d_c / rest, 0 * w]
        return R, np.concatenate([np.ravel(x) for x in (d_beta, d_c, d_q, d_w)]), np.stack(
            [np.concatenate([np.ravel(x) for x in row]) for row in (by_beta, by_c)])

    R, slopes, rows = exact(beta)
    batch = [exact(b) for b in (0.6, beta, 0.99)]
    right = lambda name, expected, tol=1e-7: close(arrays, name, expected, rtol=tol, atol=tol)
    rare = (0.01 * 25 + 0.99 * 0.01 * 60) / (1 - 0.99 * 0.99)      # good offers are rare: a round keeps 0.98 of the error
    value = right("value", R, 1e-9) and right("published", 47.316499766526277, 1e-10) and right("rare", rare, 1e-10)
    reverse = right("reverse", slopes)
    zero = "reverse" in arrays and not np.any(arrays["reverse"])
    return [
        Part("the value", 1, value,
             "with beta = 0.99 the iteration gains little each round: let it run until nothing changes, thousands of rounds"
             if arrays else ABOVE),
        Part("the gradient, reverse mode", 1, reverse,
             "the gradient is 0: stop_gradient hides the solution from its parameters; give it a rule, or a Newton step after "
             "the loop" if zero else
             "differentiate the equation at the solution and divide by 1 - beta pi, where pi is the chance of an offer of at "
             "most R; one step of the equation is not enough, and a while_loop has no reverse mode" if arrays else ABOVE),
        Part("the gradient, forward mode", 1, right("forward", slopes),
             "jax.jacfwd must work and give the same: a custom_vjp has no forward mode" if reverse else ABOVE),
        Part("second derivatives", 1, reverse and right("second", rows),
             "in the rule the solution must itself depend on the parameters: nothing in it may be stopped, and one Newton step "
             "with a fixed slope carries the first derivative only" if reverse else ABOVE),
        Part("jit, and vmap over beta", 1, right("batch", np.stack([[b[0] for b in batch], [b[1][0] for b in batch]])),
             "under vmap beta is a tracer, and each model needs its own number of rounds: no Python if or while on values, no "
             "float()" if reverse else ABOVE),
    ]


def drive_incidence(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    S = np.diag(rng.uniform(1, 2, 3)) + 0.2 * rng.standard_normal((3, 3))
    D = -np.diag(rng.uniform(1, 2, 3)) + 0.2 * rng.standard_normal((3, 3))
    p = rng.uniform(1, 2, 3)
    supply = lambda p: jnp.asarray(S) @ p
    curved = lambda x: jnp.asarray(D) @ jnp.log(x)
    tau = jnp.asarray(rng.uniform(0.5, 1.5, 3))

    def change():
        """How the matrix changes with the tax at given prices, along (1, 2, 3)."""
        f = lambda tau: answer(supply, curved, jnp.asarray(p), tau)
        return np.asarray(jax.jit(lambda t: jax.jvp(f, (t,), (jnp.array([1.0, 2.0, 3.0]),))[1])(tau))

    return {
        "linear": lambda: np.asarray(answer(supply, lambda x: jnp.asarray(D) @ x, jnp.asarray(p), jnp.zeros(3))),
        "curved": lambda: np.asarray(answer(supply, curved, jnp.asarray(p), tau)),
        "change": change,
    }


def judge_incidence(arrays, seed):
    rng = np.random.default_rng(seed)
    S = np.diag(rng.uniform(1, 2, 3)) + 0.2 * rng.standard_normal((3, 3))
    D = -np.diag(rng.uniform(1, 2, 3)) + 0.2 * rng.standard_normal((3, 3))
    p = rng.uniform(1, 2, 3)
    tau = rng.uniform(0.5, 1.5, 3)
    E = D / (p + tau)
    linear, curved = np.linalg.solve(S - D, D), np.linalg.solve(S - E, E)
    E_dot = -D / (p + tau) ** 2 * np.array([1.0, 2.0, 3.0])
    change = np.linalg.solve(S - E, E_dot @ (curved + np.eye(3)))
    first = close(arrays, "linear", linear, rtol=1e-9)
    transposed = "linear" in arrays and close({"linear": np.transpose(arrays["linear"])}, "linear", linear, rtol=1e-9)
    buyers = "linear" in arrays and close({"linear": arrays["linear"] - np.eye(3)}, "linear", linear, rtol=1e-9)
    return [
        Part("three goods, linear", 1, first,
             "entry (i, j) is the price of good i by the tax on good j: this is the transpose" if transposed else
             "these are the buyers' prices: sellers receive the tax less" if buyers else
             "S' dp = D' (dp + dtau): collect dp, and solve with S' - D' as matrices, not entry by entry; mind the sign"
             if arrays else ABOVE),
        Part("at taxes that are not zero", 1, first and close(arrays, "curved", curved, rtol=1e-9),
             "demand is a function of what buyers pay: take its Jacobian at p + tau, that of supply at p" if first else ABOVE),
        Part("jit, and its own derivative", 1, (first or transposed or buyers) and "change" in arrays and (
             close(arrays, "change", change, rtol=1e-8) if first else bool(np.all(np.isfinite(arrays["change"])))),
             "use jnp and jax.jacfwd all the way: NumPy cannot be traced, and differences lose the second derivative"
             if first or transposed or buyers else ABOVE),
    ]
