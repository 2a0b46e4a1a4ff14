"""Plausible wrong answers to the exercises of chapter 17. Each must lose points and earn its hint.

Cells: `# %% exercise-id | what is wrong | a word that the hints must contain`.
"""

# %% envelope-check | leaves the constraint out of the slope | both terms
def envelope_check(problem):
    phi, g, a, z = problem
    phi_a, phi_z = jax.grad(phi, argnums=(0, 1))(a, z)
    g_z = jax.grad(g, argnums=1)(a, z)
    nu = -(phi_z @ g_z) / (g_z @ g_z)
    miss = jnp.linalg.norm(phi_z + nu * g_z) / jnp.linalg.norm(phi_z)
    return phi_a, nu, miss


# %% envelope-check | subtracts the multiplier times the constraint in the slope | sign of nu
def envelope_check(problem):
    phi, g, a, z = problem
    phi_a, phi_z = jax.grad(phi, argnums=(0, 1))(a, z)
    g_a, g_z = jax.grad(g, argnums=(0, 1))(a, z)
    nu = -(phi_z @ g_z) / (g_z @ g_z)
    miss = jnp.linalg.norm(phi_z + nu * g_z) / jnp.linalg.norm(phi_z)
    return phi_a - nu * g_a, nu, miss


# %% envelope-check | reports the multiplier of phi - nu g | plus sign
def envelope_check(problem):
    phi, g, a, z = problem
    phi_a, phi_z = jax.grad(phi, argnums=(0, 1))(a, z)
    g_a, g_z = jax.grad(g, argnums=(0, 1))(a, z)
    nu = (phi_z @ g_z) / (g_z @ g_z)
    miss = jnp.linalg.norm(phi_z - nu * g_z) / jnp.linalg.norm(phi_z)
    return phi_a - nu * g_a, nu, miss


# %% envelope-check | takes the multiplier from the first condition alone | least squares
def envelope_check(problem):
    phi, g, a, z = problem
    phi_a, phi_z = jax.grad(phi, argnums=(0, 1))(a, z)
    g_a, g_z = jax.grad(g, argnums=(0, 1))(a, z)
    nu = -phi_z[0] / g_z[0]
    miss = jnp.linalg.norm(phi_z + nu * g_z) / jnp.linalg.norm(phi_z)
    return phi_a + nu * g_a, nu, miss


# %% envelope-check | does not divide by the gradient's norm | divide
def envelope_check(problem):
    phi, g, a, z = problem
    phi_a, phi_z = jax.grad(phi, argnums=(0, 1))(a, z)
    g_a, g_z = jax.grad(g, argnums=(0, 1))(a, z)
    nu = -(phi_z @ g_z) / (g_z @ g_z)
    return phi_a + nu * g_a, nu, jnp.linalg.norm(phi_z + nu * g_z)


# %% envelope-check | measures whether the constraint holds instead | no nu solves
def envelope_check(problem):
    phi, g, a, z = problem
    phi_a, phi_z = jax.grad(phi, argnums=(0, 1))(a, z)
    g_a, g_z = jax.grad(g, argnums=(0, 1))(a, z)
    nu = -(phi_z @ g_z) / (g_z @ g_z)
    return phi_a + nu * g_a, nu, abs(g(a, z))


# %% loo-slope | treats the leverage as a constant | leverage
def loo_slope(X, y, a):
    M, K = X.shape
    G = np.linalg.solve(X.T @ X + np.exp(a) * np.eye(K), X.T)
    P, P_dot = X @ G, -np.exp(a) * G.T @ G
    h = np.diag(P)
    return 2 * np.mean((y - P @ y) / (1 - h) * (-P_dot @ y) / (1 - h))


# %% loo-slope | differentiates by the penalty, not by its log | log of the penalty
def loo_slope(X, y, a):
    M, K = X.shape
    G = np.linalg.solve(X.T @ X + np.exp(a) * np.eye(K), X.T)
    P, P_dot = X @ G, -G.T @ G
    h, h_dot = np.diag(P), np.diag(P_dot)
    e = (y - P @ y) / (1 - h)
    return 2 * np.mean(e * (-P_dot @ y + e * h_dot) / (1 - h))


# %% loo-slope | sums instead of taking the mean | mean
def loo_slope(X, y, a):
    M, K = X.shape
    G = np.linalg.solve(X.T @ X + np.exp(a) * np.eye(K), X.T)
    P, P_dot = X @ G, -np.exp(a) * G.T @ G
    h, h_dot = np.diag(P), np.diag(P_dot)
    e = (y - P @ y) / (1 - h)
    return 2 * np.sum(e * (-P_dot @ y + e * h_dot) / (1 - h))


# %% loo-slope | takes a forward difference with too coarse a step | 8 digits
def loo_slope(X, y, a):
    def error(a):
        P = X @ np.linalg.solve(X.T @ X + np.exp(a) * np.eye(X.shape[1]), X.T)
        return np.mean(((y - P @ y) / (1 - np.diag(P))) ** 2)
    return (error(a + 1e-4) - error(a)) / 1e-4


# %% loo-slope | inverts the Gram matrix without the penalty on the way | singular
def loo_slope(X, y, a):
    M, K = X.shape
    G = np.linalg.solve(X.T @ X + np.exp(a) * np.eye(K), X.T)
    P = X @ G
    values, vectors = np.linalg.eigh(np.linalg.inv(X.T @ X))
    back = X @ vectors  # P again, by the spectrum of the inverse
    P_dot = -back @ np.diag(np.exp(a) * values**2 / (1 + np.exp(a) * values) ** 2) @ back.T
    h, h_dot = np.diag(P), np.diag(P_dot)
    e = (y - P @ y) / (1 - h)
    return 2 * np.mean(e * (-P_dot @ y + e * h_dot) / (1 - h))


# %% domar-slopes | lets households keep their shares | households
def domar_slopes(c, Omega, omega, theta):
    Psi = np.linalg.inv(np.eye(len(c)) - Omega)
    slopes = 0
    for size, w in zip(Psi.T @ c, Omega):
        slopes = slopes + (theta - 1) * size * (Psi.T @ (w[:, None] * Psi) - np.outer(w @ Psi, w @ Psi))
    return slopes


# %% domar-slopes | has the opposite sign | 1 - theta
def domar_slopes(c, Omega, omega, theta):
    Psi = np.linalg.inv(np.eye(len(c)) - Omega)
    slopes = 0
    for size, w in [(1.0, c), *zip(Psi.T @ c, Omega)]:
        slopes = slopes + (1 - theta) * size * (Psi.T @ (w[:, None] * Psi) - np.outer(w @ Psi, w @ Psi))
    return slopes


# %% domar-slopes | uses the network the wrong way round | transposed
def domar_slopes(c, Omega, omega, theta):
    Psi = np.linalg.inv(np.eye(len(c)) - Omega).T
    slopes = 0
    for size, w in [(1.0, c), *zip(Psi.T @ c, Omega)]:
        slopes = slopes + (theta - 1) * size * (Psi.T @ (w[:, None] * Psi) - np.outer(w @ Psi, w @ Psi))
    return slopes


# %% domar-slopes | divides by 1 - theta, which is zero for Cobb-Douglas | zeros
def domar_slopes(c, Omega, omega, theta):
    N = len(c)
    power_slope = -(1 - theta) * np.linalg.inv(np.eye(N) - Omega)  # by a
    z_slope = power_slope / (1 - theta)
    Psi = -z_slope
    slopes = 0
    for size, w in [(1.0, c), *zip(Psi.T @ c, Omega)]:
        slopes = slopes + (theta - 1) * size * (Psi.T @ (w[:, None] * Psi) - np.outer(w @ Psi, w @ Psi))
    return slopes
