"""Plausible wrong answers of chapter 18, and a word of the hint that each must bring up."""

# %% ode-adjoint | solves the adjoint equation backward, with the path recomputed from its end | backward equation
def ode_adjoint(f, pullback, y0, theta, T, n, y_bar):
    h = T / n

    def steps(F, state, h):
        for _ in range(n):
            a1 = F(state)
            a2 = F(state + h / 2 * a1)
            a3 = F(state + h / 2 * a2)
            a4 = F(state + h * a3)
            state = state + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        return state

    N = len(y0)
    yT = steps(lambda y: f(y, theta), y0, h)

    def back(state):
        by_y, by_theta = pullback(state[:N], theta, state[N:2 * N])
        return np.concatenate([f(state[:N], theta), -by_y, -by_theta])

    end = steps(back, np.concatenate([yT, y_bar, np.zeros(len(theta))]), -h)
    return yT, end[N:2 * N], end[2 * N:]


# %% ode-adjoint | pulls back with Euler's method | within a step
def ode_adjoint(f, pullback, y0, theta, T, n, y_bar):
    h = T / n
    path = [y0]
    for _ in range(n):
        y = path[-1]
        a1 = f(y, theta)
        a2 = f(y + h / 2 * a1, theta)
        a3 = f(y + h / 2 * a2, theta)
        a4 = f(y + h * a3, theta)
        path.append(y + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4))
    theta_bar = np.zeros(len(theta))
    for y in path[-2::-1]:
        by_y, by_theta = pullback(y, theta, y_bar)
        y_bar, theta_bar = y_bar + h * by_y, theta_bar + h * by_theta
    return path[-1], y_bar, theta_bar


# %% ode-adjoint | central differences of the steps | finite differences
def ode_adjoint(f, pullback, y0, theta, T, n, y_bar):
    h = T / n

    def end(y, theta):
        for _ in range(n):
            a1 = f(y, theta)
            a2 = f(y + h / 2 * a1, theta)
            a3 = f(y + h / 2 * a2, theta)
            a4 = f(y + h * a3, theta)
            y = y + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        return y

    d = 1e-5
    by_y = [y_bar @ (end(y0 + d * e, theta) - end(y0 - d * e, theta)) / (2 * d) for e in np.eye(len(y0))]
    by_theta = [y_bar @ (end(y0, theta + d * e) - end(y0, theta - d * e)) / (2 * d) for e in np.eye(len(theta))]
    return end(y0, theta), np.array(by_y), np.array(by_theta)


# %% ode-adjoint | takes theta's cotangent at the start of each step only | stages' own
def ode_adjoint(f, pullback, y0, theta, T, n, y_bar):
    h = T / n

    def stages(y):
        points, slopes = [y], [f(y, theta)]
        for part in (h / 2, h / 2, h):
            points.append(y + part * slopes[-1])
            slopes.append(f(points[-1], theta))
        a1, a2, a3, a4 = slopes
        return points, y + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)

    path = [y0]
    for _ in range(n):
        path.append(stages(path[-1])[1])
    theta_bar = np.zeros(len(theta))
    for y in path[-2::-1]:
        points, _ = stages(y)
        theta_bar = theta_bar + h * pullback(y, theta, y_bar)[1]
        a_bars = [h / 6 * w * y_bar for w in (1, 2, 2, 1)]
        for i in (3, 2, 1, 0):
            back = pullback(points[i], theta, a_bars[i])[0]
            y_bar = y_bar + back
            if i:
                a_bars[i - 1] = a_bars[i - 1] + (h if i == 3 else h / 2) * back
    return path[-1], y_bar, theta_bar


# %% ode-adjoint | forgets that a stage acts on the next one | fourth slope to the first
def ode_adjoint(f, pullback, y0, theta, T, n, y_bar):
    h = T / n

    def stages(y):
        points, slopes = [y], [f(y, theta)]
        for part in (h / 2, h / 2, h):
            points.append(y + part * slopes[-1])
            slopes.append(f(points[-1], theta))
        a1, a2, a3, a4 = slopes
        return points, y + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)

    path = [y0]
    for _ in range(n):
        path.append(stages(path[-1])[1])
    theta_bar = np.zeros(len(theta))
    for y in path[-2::-1]:
        points, _ = stages(y)
        backs = [pullback(point, theta, h / 6 * w * y_bar) for point, w in zip(points, (1, 2, 2, 1))]
        y_bar = y_bar + sum(back[0] for back in backs)
        theta_bar = theta_bar + sum(back[1] for back in backs)
    return path[-1], y_bar, theta_bar


# %% ode-adjoint | solves by Euler's method | four slopes
def ode_adjoint(f, pullback, y0, theta, T, n, y_bar):
    h, path = T / n, [y0]
    for _ in range(n):
        path.append(path[-1] + h * f(path[-1], theta))
    theta_bar = np.zeros(len(theta))
    for y in path[-2::-1]:
        by_y, by_theta = pullback(y, theta, y_bar)
        y_bar, theta_bar = y_bar + h * by_y, theta_bar + h * by_theta
    return path[-1], y_bar, theta_bar


# %% ode-adjoint | takes the complex step, though f is a function of real arrays | real arrays
def ode_adjoint(f, pullback, y0, theta, T, n, y_bar):
    h = T / n

    def end(y, theta):
        for _ in range(n):
            a1 = f(y, theta)
            a2 = f(y + h / 2 * a1, theta)
            a3 = f(y + h / 2 * a2, theta)
            a4 = f(y + h * a3, theta)
            y = y + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        return y

    tiny = 1e-30
    by_y = [y_bar @ end(y0 + 1j * tiny * e, theta).imag / tiny for e in np.eye(len(y0))]
    by_theta = [y_bar @ end(y0, theta + 1j * tiny * e).imag / tiny for e in np.eye(len(theta))]
    return end(y0, theta), np.array(by_y), np.array(by_theta)


# %% time-to-reach | bisects and returns the middle | hide the derivative
def time_to_reach(f, y0, theta, level, T):
    def at(t):
        def step(y, _):
            h = t / 200
            a1 = f(y, theta)
            a2 = f(y + h / 2 * a1, theta)
            a3 = f(y + h / 2 * a2, theta)
            a4 = f(y + h * a3, theta)
            return y + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4), None
        return jax.lax.scan(step, y0, length=200)[0]

    def halve(i, ends):
        middle = (ends[0] + ends[1]) / 2
        early = at(middle)[0] < level
        return jnp.where(early, middle, ends[0]), jnp.where(early, ends[1], middle)

    low, high = jax.lax.fori_loop(0, 50, halve, (jnp.zeros(()), jnp.asarray(T, float)))
    return jax.lax.stop_gradient((low + high) / 2)


# %% time-to-reach | stops the gradient of the state as well | stop_gradient
def time_to_reach(f, y0, theta, level, T):
    def at(t, theta):
        def step(y, _):
            h = t / 200
            a1 = f(y, theta)
            a2 = f(y + h / 2 * a1, theta)
            a3 = f(y + h / 2 * a2, theta)
            a4 = f(y + h * a3, theta)
            return y + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4), None
        return jax.lax.scan(step, y0, length=200)[0]

    def halve(i, ends):
        middle = (ends[0] + ends[1]) / 2
        early = at(middle, theta)[0] < level
        return jnp.where(early, middle, ends[0]), jnp.where(early, ends[1], middle)

    t = jax.lax.stop_gradient(jax.lax.fori_loop(0, 50, halve, (jnp.zeros(()), jnp.asarray(T, float)))[0])
    y = at(t, jax.lax.stop_gradient(theta))
    return t - (y[0] - level) / f(y, jax.lax.stop_gradient(theta))[0]


# %% time-to-reach | the Newton step with the wrong sign | Newton step
def time_to_reach(f, y0, theta, level, T):
    def at(t):
        def step(y, _):
            h = t / 200
            a1 = f(y, theta)
            a2 = f(y + h / 2 * a1, theta)
            a3 = f(y + h / 2 * a2, theta)
            a4 = f(y + h * a3, theta)
            return y + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4), None
        return jax.lax.scan(step, y0, length=200)[0]

    def halve(i, ends):
        middle = (ends[0] + ends[1]) / 2
        early = at(middle)[0] < level
        return jnp.where(early, middle, ends[0]), jnp.where(early, ends[1], middle)

    t = jax.lax.stop_gradient(jax.lax.fori_loop(0, 60, halve, (jnp.zeros(()), jnp.asarray(T, float)))[0])
    y = at(t)
    return t + (y[0] - level) / f(y, theta)[0]


# %% time-to-reach | marches with a while loop | while_loop
def time_to_reach(f, y0, theta, level, T):
    h = T / 20000

    def step(state):
        t, y, _ = state
        return t + h, y + h * f(y + h / 2 * f(y, theta), theta), y

    t, y, old = jax.lax.while_loop(lambda state: state[1][0] < level, step, (0.0 * level, y0, y0))
    return t - (y[0] - level) / f(y, theta)[0]


# %% time-to-reach | divides the distance by the speed at the start | bisect
def time_to_reach(f, y0, theta, level, T):
    return (level - y0[0]) / f(y0, theta)[0]


# %% fit-solow | fits the logarithm of capital | not in logs
def fit_solow(t, k, k0, start):
    def path(theta):
        s, alpha, delta = theta
        z = s / delta + (k0 ** (1 - alpha) - s / delta) * jnp.exp(-(1 - alpha) * delta * t)
        return z ** (1 / (1 - alpha))

    slopes = jax.jacfwd(path)
    found = optimize.least_squares(lambda theta: np.log(path(theta)) - np.log(k), start, x_scale="jac",
                                   jac=lambda theta: np.asarray(slopes(theta)) / np.asarray(path(theta))[:, None],
                                   xtol=1e-14, ftol=1e-14, gtol=1e-14)
    J, residuals = np.asarray(slopes(found.x)), np.asarray(path(found.x)) - k
    return found.x, np.sqrt(np.diag(residuals @ residuals / (len(t) - 3) * np.linalg.inv(J.T @ J)))


# %% fit-solow | divides by M instead of M - 3 | over M - 3
def fit_solow(t, k, k0, start):
    def path(theta):
        s, alpha, delta = theta
        z = s / delta + (k0 ** (1 - alpha) - s / delta) * jnp.exp(-(1 - alpha) * delta * t)
        return z ** (1 / (1 - alpha))

    found = optimize.least_squares(lambda theta: np.asarray(path(theta)) - k, start, x_scale="jac",
                                   jac=lambda theta: np.asarray(jax.jacfwd(path)(theta)), xtol=1e-14, ftol=1e-14, gtol=1e-14)
    J = found.jac
    return found.x, np.sqrt(np.diag(found.fun @ found.fun / len(t) * np.linalg.inv(J.T @ J)))


# %% fit-solow | gives variances instead of standard errors | root
def fit_solow(t, k, k0, start):
    def path(theta):
        s, alpha, delta = theta
        z = s / delta + (k0 ** (1 - alpha) - s / delta) * jnp.exp(-(1 - alpha) * delta * t)
        return z ** (1 / (1 - alpha))

    found = optimize.least_squares(lambda theta: np.asarray(path(theta)) - k, start, x_scale="jac",
                                   jac=lambda theta: np.asarray(jax.jacfwd(path)(theta)), xtol=1e-14, ftol=1e-14, gtol=1e-14)
    J = found.jac
    return found.x, np.diag(found.fun @ found.fun / (len(t) - 3) * np.linalg.inv(J.T @ J))


# %% fit-solow | takes one Gauss-Newton step and stops | until nothing changes
def fit_solow(t, k, k0, start):
    def path(theta):
        s, alpha, delta = theta
        z = s / delta + (k0 ** (1 - alpha) - s / delta) * jnp.exp(-(1 - alpha) * delta * t)
        return z ** (1 / (1 - alpha))

    slopes = jax.jacfwd(path)
    J = np.asarray(slopes(start))
    theta = start + np.linalg.lstsq(J, k - np.asarray(path(start)), rcond=None)[0]
    J, residuals = np.asarray(slopes(theta)), k - np.asarray(path(theta))
    return theta, np.sqrt(np.diag(residuals @ residuals / (len(t) - 3) * np.linalg.inv(J.T @ J)))
