"""Plausible wrong answers to the parts of problem set 3. Each must lose exactly the points of what is wrong, and earn its hint.

Cells: `# %% exercise-id | what is wrong | a word that the hints must contain | points that it keeps`.
"""

# %% path-residuals | dates the tax one date too early | tau_{t+1} | 7
def residuals(x, tau, k0, c_end, economy):
    alpha, beta, gamma, delta, A = (economy[n] for n in ("alpha", "beta", "gamma", "delta", "A"))
    c, k = jnp.append(x[0::2], c_end), jnp.append(k0, x[1::2])
    left = A * k[:-1] ** alpha + (1 - delta) * k[:-1] - c[:-1] - k[1:]
    R = (1 - tau[:-1]) * alpha * A * k[1:] ** (alpha - 1) + 1 - delta
    return jnp.stack((left, jnp.log(beta * R) - gamma * jnp.log(c[1:] / c[:-1])), axis=1).ravel()


# %% path-residuals | lets the revenue be wasted | paid back | 7
def residuals(x, tau, k0, c_end, economy):
    alpha, beta, gamma, delta, A = (economy[n] for n in ("alpha", "beta", "gamma", "delta", "A"))
    c, k = jnp.append(x[0::2], c_end), jnp.append(k0, x[1::2])
    y = A * k**alpha
    left = (1 - alpha * tau[:-1]) * y[:-1] + (1 - delta) * k[:-1] - c[:-1] - k[1:]
    R = (1 - tau[1:]) * alpha * y[1:] / k[1:] + 1 - delta
    return jnp.stack((left, jnp.log(beta * R) - gamma * jnp.log(c[1:] / c[:-1])), axis=1).ravel()


# %% path-residuals | taxes the return net of wear | not on 1 - delta | 7
def residuals(x, tau, k0, c_end, economy):
    alpha, beta, gamma, delta, A = (economy[n] for n in ("alpha", "beta", "gamma", "delta", "A"))
    c, k = jnp.append(x[0::2], c_end), jnp.append(k0, x[1::2])
    left = A * k[:-1] ** alpha + (1 - delta) * k[:-1] - c[:-1] - k[1:]
    R = 1 + (1 - tau[1:]) * (alpha * A * k[1:] ** (alpha - 1) - delta)
    return jnp.stack((left, jnp.log(beta * R) - gamma * jnp.log(c[1:] / c[:-1])), axis=1).ravel()


# %% path-residuals | forgets that capital wears out | what is left of that capital | 7
def residuals(x, tau, k0, c_end, economy):
    alpha, beta, gamma, delta, A = (economy[n] for n in ("alpha", "beta", "gamma", "delta", "A"))
    c, k = jnp.append(x[0::2], c_end), jnp.append(k0, x[1::2])
    left = A * k[:-1] ** alpha + k[:-1] - c[:-1] - k[1:]
    R = (1 - tau[1:]) * alpha * A * k[1:] ** (alpha - 1) + 1 - delta
    return jnp.stack((left, jnp.log(beta * R) - gamma * jnp.log(c[1:] / c[:-1])), axis=1).ravel()


# %% path-residuals | turns the growth of consumption around | gamma (log c_t - log c_{t+1}) | 7
def residuals(x, tau, k0, c_end, economy):
    alpha, beta, gamma, delta, A = (economy[n] for n in ("alpha", "beta", "gamma", "delta", "A"))
    c, k = jnp.append(x[0::2], c_end), jnp.append(k0, x[1::2])
    left = A * k[:-1] ** alpha + (1 - delta) * k[:-1] - c[:-1] - k[1:]
    R = (1 - tau[1:]) * alpha * A * k[1:] ** (alpha - 1) + 1 - delta
    return jnp.stack((left, jnp.log(beta * R) + gamma * jnp.log(c[1:] / c[:-1])), axis=1).ravel()


# %% path-residuals | ends with constant consumption instead of c_end | c_end for | 8
def residuals(x, tau, k0, c_end, economy):
    alpha, beta, gamma, delta, A = (economy[n] for n in ("alpha", "beta", "gamma", "delta", "A"))
    c, k = jnp.append(x[0::2], x[-2]), jnp.append(k0, x[1::2])
    left = A * k[:-1] ** alpha + (1 - delta) * k[:-1] - c[:-1] - k[1:]
    R = (1 - tau[1:]) * alpha * A * k[1:] ** (alpha - 1) + 1 - delta
    return jnp.stack((left, jnp.log(beta * R) - gamma * jnp.log(c[1:] / c[:-1])), axis=1).ravel()


# %% path-residuals | puts all consumption first, then all capital, and the equations likewise | date by date | 8
def residuals(x, tau, k0, c_end, economy):
    alpha, beta, gamma, delta, A = (economy[n] for n in ("alpha", "beta", "gamma", "delta", "A"))
    T = len(x) // 2
    c, k = jnp.append(x[:T], c_end), jnp.append(k0, x[T:])
    left = A * k[:-1] ** alpha + (1 - delta) * k[:-1] - c[:-1] - k[1:]
    R = (1 - tau[1:]) * alpha * A * k[1:] ** (alpha - 1) + 1 - delta
    return jnp.concatenate((left, jnp.log(beta * R) - gamma * jnp.log(c[1:] / c[:-1])))


# %% path-residuals | loops over dates | Python loop | 8
def residuals(x, tau, k0, c_end, economy):
    alpha, beta, gamma, delta, A = (economy[n] for n in ("alpha", "beta", "gamma", "delta", "A"))
    c, k = jnp.append(x[0::2], c_end), jnp.append(k0, x[1::2])
    out = []
    for t in range(len(x) // 2):
        R = (1 - tau[t + 1]) * alpha * A * k[t + 1] ** (alpha - 1) + 1 - delta
        out.append(A * k[t] ** alpha + (1 - delta) * k[t] - c[t] - k[t + 1])
        out.append(jnp.log(beta * R) + gamma * (jnp.log(c[t]) - jnp.log(c[t + 1])))
    return jnp.stack(out)


# %% path-residuals | is written in NumPy | jax.numpy | 8
def residuals(x, tau, k0, c_end, economy):
    alpha, beta, gamma, delta, A = (economy[n] for n in ("alpha", "beta", "gamma", "delta", "A"))
    c, k = np.append(x[0::2], c_end), np.append(k0, x[1::2])
    left = A * k[:-1] ** alpha + (1 - delta) * k[:-1] - c[:-1] - k[1:]
    R = (1 - tau[1:]) * alpha * A * k[1:] ** (alpha - 1) + 1 - delta
    return np.stack((left, np.log(beta * R) - gamma * np.log(c[1:] / c[:-1])), axis=1).ravel()


# %% path-bands | computes the dense Jacobian | it should be three | 8
def banded_jacobian(f, x):
    J = np.asarray(jax.jacfwd(f)(jnp.asarray(x)))
    bands = np.zeros((3, len(x)))
    bands[0, 1:], bands[1], bands[2, :-1] = np.diag(J, 1), np.diag(J), np.diag(J, -1)
    return bands


# %% path-bands | takes differences along the three seeds | not differences | 6
def banded_jacobian(f, x):
    N = len(x)
    colors, bands, base = np.arange(N) % 3, np.zeros((3, N)), np.asarray(f(x))
    B = [(np.asarray(f(x + 1e-7 * (colors == g))) - base) / 1e-7 for g in range(3)]
    for j in range(N):
        for i in range(max(j - 1, 0), min(j + 2, N)):
            bands[1 + i - j, j] = B[colors[j]][i]
    return bands


# %% path-bands | leaves the diagonals where they stand in their rows | column j of J stands in column j | 8
def banded_jacobian(f, x):
    N = len(x)
    colors, bands = np.arange(N) % 3, np.zeros((3, N))
    B = [np.asarray(jax.jvp(f, (jnp.asarray(x),), (jnp.asarray(colors == g, float),))[1]) for g in range(3)]
    for i in range(N):
        for j in range(max(i - 1, 0), min(i + 2, N)):
            bands[1 + i - j, i] = B[colors[j]][i]
    return bands


# %% path-bands | puts the lower diagonal first | upper diagonal comes first | 8
def banded_jacobian(f, x):
    N = len(x)
    colors, bands = np.arange(N) % 3, np.zeros((3, N))
    B = [np.asarray(jax.jvp(f, (jnp.asarray(x),), (jnp.asarray(colors == g, float),))[1]) for g in range(3)]
    for j in range(N):
        for i in range(max(j - 1, 0), min(j + 2, N)):
            bands[1 - i + j, j] = B[colors[j]][i]
    return bands


# %% path-bands | takes two colors, so that columns collide | by itself | 0
def banded_jacobian(f, x):
    N = len(x)
    colors, bands = np.arange(N) % 2, np.zeros((3, N))
    B = [np.asarray(jax.jvp(f, (jnp.asarray(x),), (jnp.asarray(colors == g, float),))[1]) for g in range(2)]
    for j in range(N):
        for i in range(max(j - 1, 0), min(j + 2, N)):
            bands[1 + i - j, j] = B[colors[j]][i]
    return bands


# %% path-newton | takes full steps, whatever the sign | until all of x is positive | 10
def solve_path(x0, tau, k0, c_end, economy, solve=solve_banded):
    f = jax.jit(lambda x: residuals(x, tau, k0, c_end, economy))
    x, history = np.array(x0), []
    for step in range(31):
        r = np.asarray(f(x))
        history.append(float(np.max(abs(r))))
        if history[-1] < 1e-10:
            break
        x = x - solve((1, 1), banded_jacobian(f, x), r)
    return x, history


# %% path-newton | computes the Jacobian anew only when it has ceased to help | not computed anew | 10
def solve_path(x0, tau, k0, c_end, economy, solve=solve_banded):
    f = jax.jit(lambda x: residuals(x, tau, k0, c_end, economy))
    x, history, bands = np.array(x0), [], banded_jacobian(f, x0)
    for step in range(200):
        r = np.asarray(f(x))
        history.append(float(np.max(abs(r))))
        if history[-1] < 1e-10:
            break
        if step and history[-1] > 0.7 * history[-2]:
            bands = banded_jacobian(f, x)
        d = solve((1, 1), bands, r)
        while np.any(x - d <= 0):
            d = d / 2
        x = x - d
    return x, history


# %% path-newton | stops at 1e-6 | above 1e-10 but the last | 10
def solve_path(x0, tau, k0, c_end, economy, solve=solve_banded):
    f = jax.jit(lambda x: residuals(x, tau, k0, c_end, economy))
    x, history = np.array(x0), []
    for step in range(31):
        r = np.asarray(f(x))
        history.append(float(np.max(abs(r))))
        if history[-1] < 1e-6:
            break
        d = solve((1, 1), banded_jacobian(f, x), r)
        while np.any(x - d <= 0):
            d = d / 2
        x = x - d
    return x, history


# %% path-newton | solves a dense system | a dense solver | 10
def solve_path(x0, tau, k0, c_end, economy, solve=solve_banded):
    f = jax.jit(lambda x: residuals(x, tau, k0, c_end, economy))
    x, history = np.array(x0), []
    for step in range(31):
        r = np.asarray(f(x))
        history.append(float(np.max(abs(r))))
        if history[-1] < 1e-10:
            break
        upper, middle, lower = banded_jacobian(f, x)
        J = np.diag(upper[1:], 1) + np.diag(middle) + np.diag(lower[:-1], -1)
        d = np.linalg.solve(J, r)
        while np.any(x - d <= 0):
            d = d / 2
        x = x - d
    return x, history


# %% path-newton | moves the x0 that it was given | x0 stays as it was | 10
def solve_path(x0, tau, k0, c_end, economy, solve=solve_banded):
    f = jax.jit(lambda x: residuals(x, tau, k0, c_end, economy))
    x, history = x0, []
    for step in range(31):
        r = np.asarray(f(x))
        history.append(float(np.max(abs(r))))
        if history[-1] < 1e-10:
            break
        d = solve((1, 1), banded_jacobian(f, x), r)
        while np.any(x - d <= 0):
            d = d / 2
        x -= d
    return x, history


# %% path-krylov | asks each linear solve for all digits | two or three digits | 8
def krylov_path(f, x0, x_ref, tol=1e-10):
    N, bands, x = len(x0), banded_jacobian(f, x_ref), np.array(x0)
    M = LinearOperator((N, N), dtype=float, matvec=lambda r: solve_banded((1, 1), bands, r.ravel()))
    push = jax.jit(lambda x, v: jax.jvp(f, (x,), (v,))[1])
    for step in range(30):
        r = np.array(f(x))
        if np.max(abs(r)) < tol:
            break
        J = LinearOperator((N, N), dtype=float, matvec=lambda v: np.array(push(x, v.ravel())))
        x = x - gmres(J, r, rtol=1e-12, atol=0.0, M=M, restart=60)[0]
    return x


# %% path-krylov | computes the Jacobian at each point, for the preconditioner | color by color | 8
def krylov_path(f, x0, x_ref, tol=1e-10):
    N, x = len(x0), np.array(x0)
    push = jax.jit(lambda x, v: jax.jvp(f, (x,), (v,))[1])
    for step in range(30):
        r = np.array(f(x))
        if np.max(abs(r)) < tol:
            break
        bands = banded_jacobian(f, x)
        M = LinearOperator((N, N), dtype=float, matvec=lambda r: solve_banded((1, 1), bands, r.ravel()))
        J = LinearOperator((N, N), dtype=float, matvec=lambda v: np.array(push(x, v.ravel())))
        x = x - gmres(J, r, rtol=1e-2, atol=0.0, M=M, restart=60)[0]
    return x


# %% path-krylov | stops at a residual of 1e-6 | below tol | 9
def krylov_path(f, x0, x_ref, tol=1e-10):
    N, bands, x = len(x0), banded_jacobian(f, x_ref), np.array(x0)
    M = LinearOperator((N, N), dtype=float, matvec=lambda r: solve_banded((1, 1), bands, r.ravel()))
    push = jax.jit(lambda x, v: jax.jvp(f, (x,), (v,))[1])
    for step in range(30):
        r = np.array(f(x))
        if np.max(abs(r)) < 1e-6:
            break
        J = LinearOperator((N, N), dtype=float, matvec=lambda v: np.array(push(x, v.ravel())))
        x = x - gmres(J, r, rtol=1e-2, atol=0.0, M=M, restart=60)[0]
    return x


# %% path-krylov | goes without the preconditioner | use the preconditioner | 8
def krylov_path(f, x0, x_ref, tol=1e-10):
    N, x = len(x0), np.array(x0)
    push = jax.jit(lambda x, v: jax.jvp(f, (x,), (v,))[1])
    for step in range(30):
        r = np.array(f(x))
        if np.max(abs(r)) < tol:
            break
        J = LinearOperator((N, N), dtype=float, matvec=lambda v: np.array(push(x, v.ravel())))
        x = x - gmres(J, r, rtol=1e-2, atol=0.0, restart=500, maxiter=2)[0]
    return x


# %% path-krylov | takes the frozen Jacobian for the step itself | frozen Jacobian alone | 8
def krylov_path(f, x0, x_ref, tol=1e-10):
    bands, x = banded_jacobian(f, x_ref), np.array(x0)
    for step in range(300):
        r = np.array(f(x))
        if np.max(abs(r)) < tol:
            break
        x = x - solve_banded((1, 1), bands, r)
    return x


# %% path-welfare | forgets the minus sign | minus sign | 11
def welfare_and_gradient(x, tau, k0, c_end, economy, solve=solve_banded):
    beta, gamma, c = economy["beta"], economy["gamma"], x[0::2]
    weights = beta ** np.arange(len(c))
    u = np.log(c) if gamma == 1 else c ** (1 - gamma) / (1 - gamma)
    W_x = np.stack((weights * c**-gamma, 0 * c), axis=1).ravel()
    up, middle, low = banded_jacobian(lambda x: residuals(x, tau, k0, c_end, economy), x)
    adjoint = solve((1, 1), np.array([np.roll(low, 1), middle, np.roll(up, -1)]), W_x)
    pull = jax.vjp(lambda tau: residuals(x, tau, k0, c_end, economy), jnp.asarray(tau))[1]
    return float(weights @ u), np.asarray(pull(jnp.asarray(adjoint))[0])


# %% path-welfare | solves with J instead of its transpose | with the transpose | 2
def welfare_and_gradient(x, tau, k0, c_end, economy, solve=solve_banded):
    beta, gamma, c = economy["beta"], economy["gamma"], x[0::2]
    weights = beta ** np.arange(len(c))
    u = np.log(c) if gamma == 1 else c ** (1 - gamma) / (1 - gamma)
    W_x = np.stack((weights * c**-gamma, 0 * c), axis=1).ravel()
    bands = banded_jacobian(lambda x: residuals(x, tau, k0, c_end, economy), x)
    adjoint = solve((1, 1), bands, W_x)
    pull = jax.vjp(lambda tau: residuals(x, tau, k0, c_end, economy), jnp.asarray(tau))[1]
    return float(weights @ u), -np.asarray(pull(jnp.asarray(adjoint))[0])


# %% path-welfare | solves for the path's response to each tax | one adjoint | 10
def welfare_and_gradient(x, tau, k0, c_end, economy, solve=solve_banded):
    beta, gamma, c = economy["beta"], economy["gamma"], x[0::2]
    weights = beta ** np.arange(len(c))
    u = np.log(c) if gamma == 1 else c ** (1 - gamma) / (1 - gamma)
    bands = banded_jacobian(lambda x: residuals(x, tau, k0, c_end, economy), x)
    F_tau = np.asarray(jax.jacfwd(lambda tau: residuals(x, tau, k0, c_end, economy))(jnp.asarray(tau)))
    slopes = -solve((1, 1), bands, F_tau)  # [2T, T + 1]
    return float(weights @ u), (weights * c**-gamma) @ slopes[0::2]


# %% path-welfare | discounts the first date as well | weight 1 at date 0 | 11
def welfare_and_gradient(x, tau, k0, c_end, economy, solve=solve_banded):
    beta, gamma, c = economy["beta"], economy["gamma"], x[0::2]
    weights = beta ** np.arange(1, len(c) + 1)
    u = np.log(c) if gamma == 1 else c ** (1 - gamma) / (1 - gamma)
    W_x = np.stack((weights * c**-gamma, 0 * c), axis=1).ravel()
    up, middle, low = banded_jacobian(lambda x: residuals(x, tau, k0, c_end, economy), x)
    adjoint = solve((1, 1), np.array([np.roll(low, 1), middle, np.roll(up, -1)]), W_x)
    pull = jax.vjp(lambda tau: residuals(x, tau, k0, c_end, economy), jnp.asarray(tau))[1]
    return float(weights @ u), -np.asarray(pull(jnp.asarray(adjoint))[0])


# %% path-welfare | leaves out date 0 | (T + 1,) | 12
def welfare_and_gradient(x, tau, k0, c_end, economy, solve=solve_banded):
    beta, gamma, c = economy["beta"], economy["gamma"], x[0::2]
    weights = beta ** np.arange(len(c))
    u = np.log(c) if gamma == 1 else c ** (1 - gamma) / (1 - gamma)
    W_x = np.stack((weights * c**-gamma, 0 * c), axis=1).ravel()
    up, middle, low = banded_jacobian(lambda x: residuals(x, tau, k0, c_end, economy), x)
    adjoint = solve((1, 1), np.array([np.roll(low, 1), middle, np.roll(up, -1)]), W_x)
    pull = jax.vjp(lambda tau: residuals(x, tau, k0, c_end, economy), jnp.asarray(tau))[1]
    return float(weights @ u), -np.asarray(pull(jnp.asarray(adjoint))[0])[1:]


# %% path-welfare | takes log utility for all gamma in W alone | u = log for gamma = 1 | 11
def welfare_and_gradient(x, tau, k0, c_end, economy, solve=solve_banded):
    beta, gamma, c = economy["beta"], economy["gamma"], x[0::2]
    weights = beta ** np.arange(len(c))
    W_x = np.stack((weights * c**-gamma, 0 * c), axis=1).ravel()
    up, middle, low = banded_jacobian(lambda x: residuals(x, tau, k0, c_end, economy), x)
    adjoint = solve((1, 1), np.array([np.roll(low, 1), middle, np.roll(up, -1)]), W_x)
    pull = jax.vjp(lambda tau: residuals(x, tau, k0, c_end, economy), jnp.asarray(tau))[1]
    return float(weights @ np.log(c)), -np.asarray(pull(jnp.asarray(adjoint))[0])
