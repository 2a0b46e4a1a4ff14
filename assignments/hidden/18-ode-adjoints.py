"""Hidden tests of chapter 18: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def drive_ode_adjoint(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    solow_theta = np.array([rng.uniform(0.15, 0.35), rng.uniform(0.25, 0.45), rng.uniform(0.04, 0.08)])
    k0 = rng.uniform(0.5, 3, 1)
    y0, theta, y_bar = rng.uniform(0.5, 1.5, 2), rng.uniform(0.3, 1.0, 4), rng.uniform(0.5, 1.5, 2)

    def real(*arrays):
        if any(np.iscomplexobj(a) for a in arrays):
            raise TypeError("f and pullback take real arrays, and here came a complex one")

    def solow(k, theta):
        real(k, theta)
        s, alpha, delta = theta
        return s * k**alpha - delta * k

    def solow_pullback(k, theta, u):
        s, alpha, delta = theta
        by_theta = np.array([np.sum(u * k**alpha), np.sum(u * s * k**alpha * np.log(k)), np.sum(-u * k)])
        return u * (s * alpha * k ** (alpha - 1) - delta), by_theta

    def cycle(y, theta):
        real(y, theta)
        a, b, c, d = theta
        return np.array([a * y[0] - b * y[0] * y[1], c * y[0] * y[1] - d * y[1] ** 2])

    def cycle_pullback(y, theta, u):
        a, b, c, d = theta
        J = np.array([[a - b * y[1], -b * y[0]], [c * y[1], c * y[0] - 2 * d * y[1]]])
        by_theta = np.array([[y[0], -y[0] * y[1], 0, 0], [0, 0, y[0] * y[1], -(y[1] ** 2)]])
        return J.T @ u, by_theta.T @ u

    def run(which, T, n):
        if which == "solow":
            found = answer(solow, solow_pullback, k0.copy(), solow_theta.copy(), T, n, np.array([1.0]))
        else:
            found = answer(cycle, cycle_pullback, y0.copy(), theta.copy(), T, n, y_bar.copy())
        return [np.asarray(one, dtype=float) for one in found]

    out = {}
    for which, T, fine, coarse in [("solow", 40.0, 320, 4), ("cycle", 3.0, 400, 6)]:
        for n, name in [(fine, "fine"), (coarse, "coarse")]:
            for i, part in enumerate(["yT", "y0_bar", "theta_bar"]):
                out[f"{which} {name} {part}"] = lambda w=which, T=T, n=n, i=i: run(w, T, n)[i]
    return out


def judge_ode_adjoint(arrays, seed):
    rng = np.random.default_rng(seed)
    solow_theta = np.array([rng.uniform(0.15, 0.35), rng.uniform(0.25, 0.45), rng.uniform(0.04, 0.08)])
    k0 = rng.uniform(0.5, 3, 1)
    y0, theta, y_bar = rng.uniform(0.5, 1.5, 2), rng.uniform(0.3, 1.0, 4), rng.uniform(0.5, 1.5, 2)
    solow = lambda k, p: p[0] * k ** p[1] - p[2] * k
    cycle = lambda y, p: np.array([p[0] * y[0] - p[1] * y[0] * y[1], p[2] * y[0] * y[1] - p[3] * y[1] ** 2])

    def steps(f, y, p, T, n):
        h = T / n
        for _ in range(n):
            a1 = f(y, p)
            a2 = f(y + h / 2 * a1, p)
            a3 = f(y + h / 2 * a2, p)
            a4 = f(y + h * a3, p)
            y = y + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        return y

    def exact(f, y, p, T, n, u):
        """y(T) and the gradients of u·y(T) for these n steps, by the complex step."""
        tiny = 1e-30
        by_y = [np.sum(u * steps(f, y + 1j * tiny * e, p, T, n).imag) / tiny for e in np.eye(len(y))]
        by_p = [np.sum(u * steps(f, y + 0j, p + 1j * tiny * e, T, n).imag) / tiny for e in np.eye(len(p))]
        return steps(f, y, p, T, n), np.array(by_y), np.array(by_p)

    cases = {"solow fine": exact(solow, k0, solow_theta, 40.0, 320, np.ones(1)),
             "solow coarse": exact(solow, k0, solow_theta, 40.0, 4, np.ones(1)),
             "cycle fine": exact(cycle, y0, theta, 3.0, 400, y_bar), "cycle coarse": exact(cycle, y0, theta, 3.0, 6, y_bar)}

    def right(name, part, tolerance):
        value = cases[name][["yT", "y0_bar", "theta_bar"].index(part)]
        return close(arrays, f"{name} {part}", value, rtol=0, atol=tolerance * float(np.max(np.abs(value))))

    value = all(right(name, "yT", 1e-11) for name in cases)
    # With many steps the continuous adjoint agrees as well: these two parts do not ask for exactness.
    bars = {part: right("solow fine", part, 1e-6) and right("cycle fine", part, 1e-6) for part in ("y0_bar", "theta_bar")}
    known = [part for part in bars if bars[part]]
    coarse = bool(known) and all(right(f"{which} coarse", part, 1e-10) for which in ("solow", "cycle") for part in known)
    return [
        Part("y(T) after n steps", 1, value,
             "n steps of length T/n, each from four slopes: at y, twice at half a step, at a whole one, with weights 1, 2, 2, 1 "
             "over 6; y0 and theta may have several elements" if arrays else ABOVE),
        Part("the gradient by y0, with many steps", 1, bars["y0_bar"],
             "go from the last step to the first, and within a step from the fourth slope to the first; y has an effect directly "
             "and through each of the four points" if arrays else ABOVE),
        Part("the gradient by theta, with many steps", 1, bars["theta_bar"],
             "theta acts in each of the four slopes of every step: add up what the pullback returns for it, at the stages' own "
             "points" if arrays else ABOVE),
        Part("exact with four or six steps", 1, coarse,
             "with few steps the gradient is not that of the steps taken: the backward equation and finite differences are only "
             "close to it; keep the states, recompute each step's four points, and pull back through them" if known else ABOVE),
    ]


def drive_time_to_reach(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    solow_theta = jnp.asarray([rng.uniform(0.2, 0.3), rng.uniform(0.3, 0.4), rng.uniform(0.05, 0.07)])
    k0, k_level = jnp.asarray(rng.uniform(0.5, 1.0, 1)), float(rng.uniform(1.5, 2.5))
    car, push, far = jnp.asarray(rng.uniform(0.5, 1.5, 2)), jnp.asarray(rng.uniform(0.3, 1.0, 1)), float(rng.uniform(4, 6))

    def solow(y, theta):
        s, alpha, delta = theta
        return s * y**alpha - delta * y

    def accelerated(y, theta):                               # position and speed
        return jnp.stack([y[1], theta[0]])

    cases = {"solow": (solow, k0, solow_theta, k_level, 80.0), "car": (accelerated, car, push, far, 11.0)}
    out = {}
    for name, (f, y0, theta, level, T) in cases.items():
        call = lambda y0, theta, level, f=f, T=T: answer(f, y0, theta, level, T)
        at = (y0, theta, level)
        out[f"{name} value"] = lambda call=call, at=at: np.asarray(call(*at), dtype=float)
        for mode, transform in (("reverse", jax.grad), ("forward", jax.jacfwd)):
            def slopes(call=call, at=at, transform=transform):
                found = transform(call, argnums=(0, 1, 2))(*at)
                return np.concatenate([np.ravel(np.asarray(one, dtype=float)) for one in found])
            out[f"{name} {mode}"] = slopes
    f, y0, theta, level, T = cases["car"]
    out["compiled"] = lambda: np.asarray(jax.jit(lambda y0, theta, level, T: answer(f, y0, theta, level, T))(y0, theta, level, T))
    return out


def judge_time_to_reach(arrays, seed):
    rng = np.random.default_rng(seed)
    theta = np.array([rng.uniform(0.2, 0.3), rng.uniform(0.3, 0.4), rng.uniform(0.05, 0.07)])
    k0, k_level = rng.uniform(0.5, 1.0, 1), float(rng.uniform(1.5, 2.5))
    car, push, far = rng.uniform(0.5, 1.5, 2), rng.uniform(0.3, 1.0, 1), float(rng.uniform(4, 6))

    def solow_time(k0, s, alpha, delta, level):
        gap = lambda k: k ** (1 - alpha) - s / delta
        return np.log(gap(k0) / gap(level)) / ((1 - alpha) * delta)

    def car_time(x0, speed, push, level):
        return (-speed + np.sqrt(speed**2 + 2 * push * (level - x0))) / push

    def both(time, *at):
        at = np.array(at)
        return time(*at), np.array([time(*(at + 1e-30j * e)).imag / 1e-30 for e in np.eye(len(at))])

    exact = {"solow": both(solow_time, k0[0], *theta, k_level), "car": both(car_time, *car, push[0], far)}
    sizes = {"solow": 1, "car": 2}                            # of y0
    value = all(close(arrays, f"{name} value", t, rtol=1e-7, atol=0) for name, (t, _) in exact.items())
    compiled = close(arrays, "compiled", exact["car"][0], rtol=1e-7, atol=0)

    def right(mode, pick):
        """Whether the slopes that pick(found, n) selects are right, in both cases."""
        results = []
        for name, (_, slopes) in exact.items():
            found = np.asarray(arrays.get(f"{name} {mode}", np.full(slopes.shape, np.nan)))
            if found.shape != slopes.shape or found.dtype.kind not in "biuf":
                return False
            results.append(bool(np.allclose(pick(found, sizes[name]), pick(slopes, sizes[name]), rtol=1e-6, atol=1e-7)))
        return all(results)

    start_and_level = lambda s, n: np.append(s[:n], s[-1])
    parameters = lambda s, n: s[n:-1]
    first = {mode: right(mode, start_and_level) for mode in ("reverse", "forward")}
    second = {mode: right(mode, parameters) for mode in ("reverse", "forward")}
    modes = [mode for mode in ("reverse", "forward") if any(f"{name} {mode}" in arrays for name in exact)]
    zero = any(f"{name} {mode}" in arrays and not np.any(arrays[f"{name} {mode}"]) for name in exact for mode in first)
    after = lambda hint: hint if arrays else ABOVE
    return [
        Part("the time", 1, value,
             after("bisect between 0 and T: integrate to the middle, and look whether y[0] is below the level; theta and y may have "
                   "several elements")),
        Part("derivatives by the start and by the level", 1, any(first.values()),
             after("bisection and interpolation hide the derivative: it is lost, or 0" if zero else
                   "one Newton step t - (y[0] - level)/f[0], of which t alone is held constant, brings 1/f[0] for the level, and "
                   "minus the tangent of y[0] over f[0] for the start")),
        Part("derivatives by the parameters", 1, any(second.values()),
             after("theta moves the path up to t*: differentiate y(t) through the integrator at the time found; stop_gradient "
                   "belongs to the time alone")),
        Part("forward and reverse mode, and jit", 1,
             compiled and len(modes) == 2 and all(first[m] == first["reverse"] and second[m] == second["reverse"] for m in modes)
             and (any(first.values()) or any(second.values())),
             after("a while_loop has no reverse mode and a custom_vjp no forward mode; float(…), if on values, and NumPy stop jit"
                   if modes else "grad or jacfwd raised an error: write all in jax.numpy, with scan or fori_loop of fixed length")),
    ]


def drive_fit_solow(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    s, alpha, delta = rng.uniform(0.2, 0.3), rng.uniform(0.35, 0.55), rng.uniform(0.05, 0.07)
    k0, t = float(rng.uniform(0.8, 1.5)), np.sort(rng.uniform(1, 90, 60))
    z = s / delta + (k0 ** (1 - alpha) - s / delta) * np.exp(-(1 - alpha) * delta * t)
    clean = z ** (1 / (1 - alpha))
    noisy = clean + 0.01 * rng.standard_normal(60)
    start = np.array([s, alpha, delta]) * rng.uniform(0.92, 1.08, 3)
    run = lambda k, i: np.asarray(answer(t.copy(), k.copy(), k0, start.copy())[i], dtype=float)
    return {"clean": lambda: run(clean, 0), "noisy": lambda: run(noisy, 0), "errors": lambda: run(noisy, 1)}


def judge_fit_solow(arrays, seed):
    from scipy import optimize

    rng = np.random.default_rng(seed)
    s, alpha, delta = rng.uniform(0.2, 0.3), rng.uniform(0.35, 0.55), rng.uniform(0.05, 0.07)
    k0, t = float(rng.uniform(0.8, 1.5)), np.sort(rng.uniform(1, 90, 60))
    true = np.array([s, alpha, delta])

    def path(theta):
        s, alpha, delta = theta
        z = s / delta + (k0 ** (1 - alpha) - s / delta) * np.exp(-(1 - alpha) * delta * t)
        return z ** (1 / (1 - alpha))

    jacobian = lambda theta: np.stack([path(theta + 1e-30j * e).imag / 1e-30 for e in np.eye(3)], axis=1)
    noisy = path(true) + 0.01 * rng.standard_normal(60)
    start = true * rng.uniform(0.92, 1.08, 3)
    fit = optimize.least_squares(lambda theta: path(theta) - noisy, start, jac=jacobian, x_scale="jac",
                                 xtol=1e-15, ftol=1e-15, gtol=1e-15)

    def standard_errors(theta):
        J, residuals = jacobian(theta), noisy - path(theta)
        return np.sqrt(np.diag(residuals @ residuals / 57 * np.linalg.inv(J.T @ J)))

    clean = close(arrays, "clean", true, rtol=1e-4, atol=0)
    noisy_right = close(arrays, "noisy", fit.x, rtol=1e-4, atol=0)
    at = np.asarray(arrays["noisy"]) if close(arrays, "noisy", fit.x, rtol=0.5, atol=0) else fit.x   # judged where they stand
    return [
        Part("estimates without errors in the data", 1, clean,
             "with exact data the estimates are the true parameters, in the order s, alpha, delta: let the optimizer run until "
             "nothing changes" if arrays else ABOVE),
        Part("estimates with errors", 1, noisy_right,
             "minimize the sum of squared differences between k and the path, unweighted and not in logs, and let the optimizer "
             "converge" if clean else ABOVE),
        Part("standard errors", 1, close(arrays, "errors", standard_errors(at), rtol=1e-3, atol=0),
             "the root of the diagonal of v (J'J)^-1, with v the sum of squared residuals over M - 3, and J the derivative of "
             "the path, not of its logarithm" if arrays else ABOVE),
    ]
