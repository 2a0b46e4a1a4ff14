"""Hidden tests of chapter 13: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def drive_log1mexp(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    spread = -(10.0 ** rng.uniform(-120, 0, 6))
    x = np.concatenate([[-1e-150, -1e-20, -1e-9, -0.3, -0.69, -0.71, -1.0, -5.0, -50.0, -300.0, -600.0], spread])
    tiny = np.array([-5000.0, -1e6])
    x32 = np.array([-1e-15, -1e-6, -0.3, -0.72, -4.0, -60.0, -95.0], np.float32)
    first = lambda x: jax.grad(lambda x: jnp.sum(answer(x)))(x)
    second = lambda x: jax.grad(lambda x: jnp.sum(first(x)))(x)

    def single(f):
        y = f(jnp.asarray(x32))
        return np.append(np.asarray(y, dtype=float), y.dtype.itemsize)

    return {
        "value": lambda: np.asarray(answer(jnp.asarray(x))),
        "a matrix": lambda: np.asarray(answer(jnp.asarray(x[:16].reshape(4, 4)))),
        "slope": lambda: np.asarray(first(jnp.asarray(x))),
        "slope, forward": lambda: np.asarray(jax.jvp(answer, (jnp.asarray(x),), (jnp.ones(x.size),))[1]),
        "a jacobian": lambda: np.asarray(jax.jit(jax.jacfwd(answer))(jnp.asarray(x[3:6]))),
        "a batch": lambda: np.asarray(jax.jit(jax.vmap(jax.grad(answer)))(jnp.asarray(x))),
        "second": lambda: np.asarray(second(jnp.asarray(x))),
        "hessian": lambda: np.asarray(jax.vmap(jax.hessian(answer))(jnp.asarray(x))),
        "tiny": lambda: np.stack([np.asarray(f(jnp.asarray(tiny))) for f in (answer, first, second)]),
        "32 bits": lambda: np.stack([single(f) for f in (answer, first, second)]),
    }


def judge_log1mexp(arrays, seed):
    import mpmath

    rng = np.random.default_rng(seed)
    spread = -(10.0 ** rng.uniform(-120, 0, 6))
    x = np.concatenate([[-1e-150, -1e-20, -1e-9, -0.3, -0.69, -0.71, -1.0, -5.0, -50.0, -300.0, -600.0], spread])
    x32 = np.array([-1e-15, -1e-6, -0.3, -0.72, -4.0, -60.0, -95.0], np.float32).astype(float)

    def exact(x):
        with mpmath.workdps(400):                          # log(1 - 1e-261) needs them
            slope = -1 / mpmath.expm1(-mpmath.mpf(x))
            return [float(y) for y in (mpmath.log(-mpmath.expm1(mpmath.mpf(x))), slope, slope * (1 - slope))]

    value, slope, second = np.array([exact(z) for z in x]).T
    right32 = np.array([exact(z) for z in x32]).T
    right = lambda name, expected, rtol: close(arrays, name, expected, rtol=rtol, atol=1e-300)
    values = right("value", value, 1e-14) and right("a matrix", value[:16].reshape(4, 4), 1e-14)
    reverse, forward = right("slope", slope, 1e-12), right("slope, forward", slope, 1e-12)
    twice = right("second", second, 1e-12) and right("hessian", second, 1e-12)
    tiny, single = arrays.get("tiny", np.full((3, 2), np.nan)), arrays.get("32 bits", np.full((3, 8), np.nan))
    zero = tiny.shape == (3, 2) and bool(np.all(np.abs(tiny) < 1e-300))
    kept = single.shape == (3, 8) and bool(np.all(single[:, -1] == 4))
    in32 = kept and bool(np.allclose(single[:, :-1], right32, rtol=1e-5, atol=1e-37))
    return [
        Part("the value, from -1e-150 to -600", 1, values,
             "1 - exp(x) cancels near 0 and rounds to 1 far from it: log(-expm1(x)) for x above -0.7, log1p(-exp(x)) below, and "
             "an answer of the shape of x" if arrays else ABOVE),
        Part("the slope, in reverse and in forward mode, jit and vmap", 1,
             reverse and forward and right("a jacobian", np.diag(slope[3:6]), 1e-12) and right("a batch", slope, 1e-12),
             "the slope is -1/expm1(-x): where differentiation steps into the two formulas it finds NaN near 0; a custom_vjp has "
             "no forward mode" if arrays else ABOVE),
        Part("the second derivative", 1, (reverse or forward) and twice,
             "at x = -600 the quotient -1/expm1(-x) has a derivative that overflows: give the slope g a rule of its own, with "
             "g' = g (1 - g); and nothing in a rule may be hidden from differentiation" if reverse or forward else ABOVE),
        Part("0 and not NaN where it underflows, and 32 bits", 1, zero and in32,
             "at x = -5000 value and derivatives are 0, and at x = -95 in 32 bits as well: look for infinity divided by infinity; "
             "and for float32 in, the answer is float32" if twice else ABOVE),
    ]


def drive_inverse_cdf_sample(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    p = np.concatenate([[0.001, 0.5, 0.999], rng.uniform(0.01, 0.99, 3)])
    theta = {"w": float(rng.uniform(0.2, 0.8)), "m": float(rng.uniform(-3, 3)), "s": float(rng.uniform(0.5, 2))}
    theta = {name: jnp.asarray(value) for name, value in theta.items()}
    others = {name: jnp.stack([value, *jnp.asarray(extra)]) for (name, value), extra in zip(
        theta.items(), ([0.3, 0.8], [-2.0, 2.5], [0.6, 1.9]))}
    p = jnp.asarray(p)
    numbers = lambda tree: np.stack([np.asarray(tree[name]) for name in ("w", "m", "s")])
    mean = lambda theta: jnp.mean(answer(p, theta) ** 2)

    def take(f, at):
        try:                                         # compiled where it can be, which is faster
            return jax.jit(f)(at)
        except Exception:
            return f(at)

    def batch():
        """Means [3] and their gradients [3, 3], compiled."""
        means, gradients = jax.jit(jax.vmap(jax.value_and_grad(mean)))(others)
        return np.append(means, numbers(gradients))

    return {
        "value": lambda: np.asarray(take(lambda p: answer(p, theta), p.reshape(2, 3))),
        "reverse": lambda: numbers(take(jax.grad(mean), theta)),
        "forward": lambda: numbers(take(jax.jacfwd(lambda theta: answer(p, theta)), theta)),
        "by p, reverse": lambda: np.asarray(take(jax.grad(lambda p: jnp.sum(answer(p, theta))), p)),
        "by p, forward": lambda: np.asarray(take(lambda p: jax.jvp(
            lambda p: answer(p, theta), (p,), (jnp.ones_like(p),))[1], p)),
        "a batch": batch,
    }


def judge_inverse_cdf_sample(arrays, seed):
    from scipy import optimize, stats

    rng = np.random.default_rng(seed)
    p = np.concatenate([[0.001, 0.5, 0.999], rng.uniform(0.01, 0.99, 3)])
    theta = [float(rng.uniform(0.2, 0.8)), float(rng.uniform(-3, 3)), float(rng.uniform(0.5, 2))]
    thetas = np.stack([theta, [0.3, -2.0, 0.6], [0.8, 2.5, 1.9]])

    def exact(theta):
        """x [P], dx/dp [P] and dx/dθ [3, P], by the implicit function theorem."""
        w, m, s = theta
        F = lambda x: w * stats.norm.cdf(x) + (1 - w) * stats.norm.cdf((x - m) / s)
        x = np.array([optimize.brentq(lambda x, one=one: F(x) - one, -13, 13, xtol=1e-13, rtol=1e-14) for one in p])
        z = (x - m) / s
        density = w * stats.norm.pdf(x) + (1 - w) * stats.norm.pdf(z) / s
        partials = np.stack([stats.norm.cdf(x) - stats.norm.cdf(z), -(1 - w) * stats.norm.pdf(z) / s,
                             -(1 - w) * stats.norm.pdf(z) * z / s])
        return x, 1 / density, -partials / density

    x, by_p, by_theta = exact(theta)
    mean_slopes = lambda x, by_theta: (2 * x * by_theta).mean(axis=1)
    right = lambda name, expected, tolerance=1e-7: close(arrays, name, expected, rtol=tolerance, atol=tolerance)
    batch = [exact(theta) for theta in thetas]
    means = np.array([np.mean(found[0] ** 2) for found in batch])
    gradients = np.stack([mean_slopes(found[0], found[2]) for found in batch], axis=1)
    value = right("value", x.reshape(2, 3), 1e-9)
    reverse = right("reverse", mean_slopes(x, by_theta))
    zero = "reverse" in arrays and bool(np.all(arrays["reverse"] == 0))
    return [
        Part("F(x, theta) = p", 1, value,
             "bisect between -13 and 13 until the ends meet, 60 times, for each element of p, and return the shape of p"
             if arrays else ABOVE),
        Part("gradient by theta, reverse mode", 1, reverse,
             "the derivative through the steps of a bisection is 0: give the finished root a rule" if zero else
             "differentiate the equation: density * x_dot + dF/dtheta . theta_dot = p_dot, so x moves against the partial of F "
             "(mind the sign, and divide by the density); every entry of theta has one" if arrays else ABOVE),
        Part("Jacobian by theta, forward mode", 1, right("forward", by_theta),
             "jax.jacfwd must work too: a custom_vjp has no forward mode, a custom_jvp has both" if reverse else ABOVE),
        Part("derivative by p, both modes", 1, right("by p, reverse", by_p) and right("by p, forward", by_p),
             "with respect to p it is 1/density, with the density of the mixture at x (the second group's is divided by s)"
             if value else ABOVE),
        Part("jit, and vmap over theta", 1, right("a batch", np.append(means, gradients)),
             "under jit and vmap theta holds tracers: no float(), no Python if, no NumPy or SciPy on them outside a callback"
             if reverse else ABOVE),
    ]


def drive_gamma_quantile(answer, seed):
    import numpy as np
    import torch

    rng = np.random.default_rng(seed)
    p = rng.uniform(0.02, 0.98, 5)
    a, weights = float(rng.uniform(0.6, 6)), rng.uniform(-2, 2, 5)
    make = lambda dtype=torch.float64: torch.tensor(p, dtype=dtype, requires_grad=True)

    def gradient(f):
        x = make()
        return torch.autograd.grad(f(x), x)[0].detach().numpy()

    def twice(f):
        x = make()
        (slope,) = torch.autograd.grad(f(x), x, create_graph=True)
        return torch.autograd.grad(slope.sum(), x)[0].detach().numpy()

    def single():
        x = make(torch.float32)
        q = answer(x, a)
        (slope,) = torch.autograd.grad(q.sum(), x)
        return np.concatenate([q.detach().double().numpy(), slope.double().numpy(), [q.element_size(), slope.element_size()]])

    w = torch.tensor(weights)
    return {
        "value": lambda: answer(make(), a).detach().numpy(),
        "a matrix": lambda: answer(torch.tensor(p[:4].reshape(2, 2)), a).detach().numpy(),
        "large shape": lambda: answer(make(), 20.0).detach().numpy(),
        "32 bits": single,
        "gradient": lambda: gradient(lambda x: answer(x, a).sum()),
        "weighted": lambda: gradient(lambda x: (w * answer(x, a)).sum()),
        "second": lambda: twice(lambda x: (x * answer(x, a)).sum()),
        "square": lambda: twice(lambda x: (answer(x, a) ** 2).sum()),
    }


def judge_gamma_quantile(arrays, seed):
    from scipy import special

    rng = np.random.default_rng(seed)
    p = rng.uniform(0.02, 0.98, 5)
    a, weights = float(rng.uniform(0.6, 6)), rng.uniform(-2, 2, 5)
    q = special.gammaincinv(a, p)
    slope = np.exp(q - (a - 1) * np.log(q) + special.gammaln(a))
    second = -((a - 1) / q - 1) * slope**2
    right = lambda name, expected, rtol=1e-9: close(arrays, name, expected, rtol=rtol, atol=1e-9)
    single = arrays.get("32 bits", np.zeros(12))
    kept = single.shape == (12,) and bool(np.all(single[-2:] == 4))
    near = lambda found, expected: kept and bool(np.allclose(found, expected, rtol=1e-3, atol=0))
    first = right("gradient", slope) and near(single[5:10], slope)
    scaled = "gradient" in arrays and right("weighted", arrays["gradient"] * weights)
    return [
        Part("the quantile, of the shape and type of p", 1,
             right("value", q) and right("a matrix", q[:4].reshape(2, 2)) and right("large shape", special.gammaincinv(20.0, p))
             and near(single[:5], q),
             "forward computes special.gammaincinv(a, p) on p.detach().numpy() and returns a tensor of p's dtype: float32 in, "
             "float32 out" if arrays else ABOVE),
        Part("its derivative", 1, first,
             "the derivative by p is 1 over the density at q, not at p, with the 1/Gamma(a) of the density; backward returns one "
             "entry for each argument of forward, None for a" if "value" in arrays else ABOVE),
        Part("any cotangent", 1, scaled,
             "backward multiplies its slope by the cotangent that it is given, elementwise" if "gradient" in arrays else ABOVE),
        Part("the second derivative", 1, first and right("second", 2 * slope + p * second) and right(
             "square", 2 * slope**2 + 2 * q * second),
             "what forward computed on the way has no past: save q with ctx.save_for_backward and compute the density from "
             "ctx.saved_tensors in backward, in torch operations" if first else ABOVE),
    ]
