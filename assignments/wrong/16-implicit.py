"""Plausible wrong answers of chapter 16, and a word of the hint that each must bring up."""

# %% fixed-point-maps | takes one step instead of a solve | one step
def fixed_point_maps(f, a, z):
    jvp = lambda v: jax.jvp(lambda a: f(a, z), (a,), (v,))[1]
    vjp = lambda u: jax.vjp(lambda a: f(a, z), a)[1](u)[0]
    return jvp, vjp


# %% fixed-point-maps | forgets the transpose | transpose
def fixed_point_maps(f, a, z):
    push = jax.linearize(lambda z: f(a, z), z)[1]
    solve = lambda b: jax.scipy.sparse.linalg.bicgstab(lambda x: x - push(x), b, tol=1e-12, maxiter=5000)[0]
    jvp = lambda v: solve(jax.jvp(lambda a: f(a, z), (a,), (v,))[1])
    vjp = lambda u: jax.vjp(lambda a: f(a, z), a)[1](solve(u))[0]
    return jvp, vjp


# %% fixed-point-maps | sums 100 terms of the series | not converged
def fixed_point_maps(f, a, z):
    push = jax.linearize(lambda z: f(a, z), z)[1]
    pull = jax.vjp(lambda z: f(a, z), z)[1]
    jvp = lambda v: jax.lax.fori_loop(0, 300, lambda i, x: jax.jvp(lambda a: f(a, z), (a,), (v,))[1] + push(x), 0 * z)
    vjp = lambda u: jax.vjp(lambda a: f(a, z), a)[1](jax.lax.fori_loop(0, 300, lambda i, x: u + pull(x)[0], 0 * z))[0]
    return jvp, vjp


# %% fixed-point-maps | writes the matrix | does not fit
def fixed_point_maps(f, a, z):
    if z.size > 5000:
        raise MemoryError("what a matrix of 20,000 x 20,000 does here")
    M = jnp.eye(z.size) - jax.jacfwd(lambda z: f(a, z))(z)
    jvp = lambda v: jnp.linalg.solve(M, jax.jvp(lambda a: f(a, z), (a,), (v,))[1])
    vjp = lambda u: jax.vjp(lambda a: f(a, z), a)[1](jnp.linalg.solve(M.T, u))[0]
    return jvp, vjp


# %% reservation-wage | stops after 50 rounds | thousands
def reservation_wage(beta, c, q, w):
    step = lambda i, R: (1 - beta) * c + beta * jnp.sum(q * jnp.maximum(w, R))
    return jax.lax.fori_loop(0, 50, step, c + 0.0)


# %% reservation-wage | unrolls 500 rounds, too few where good offers are rare | thousands
def reservation_wage(beta, c, q, w):
    step = lambda R, _: ((1 - beta) * c + beta * jnp.sum(q * jnp.maximum(w, R)), None)
    return jax.lax.scan(step, c + 0.0, length=500)[0]


# %% reservation-wage | differentiates one step | one step
def reservation_wage(beta, c, q, w):
    F = lambda R, beta, c, q, w: (1 - beta) * c + beta * jnp.sum(q * jnp.maximum(w, R))
    at = jax.lax.stop_gradient((beta, c, q, w))
    R = jax.lax.fori_loop(0, 4000, lambda i, R: F(R, *at), at[1] + 0.0)
    return F(jax.lax.stop_gradient(R), beta, c, q, w)


# %% reservation-wage | hides the solution | stop_gradient
def reservation_wage(beta, c, q, w):
    F = lambda R: (1 - beta) * c + beta * jnp.sum(q * jnp.maximum(w, R))
    return jax.lax.stop_gradient(jax.lax.fori_loop(0, 4000, lambda i, R: F(R), c + 0.0))


# %% reservation-wage | takes one Newton step with a fixed slope | fixed slope
def reservation_wage(beta, c, q, w):
    F = lambda R, beta, c, q, w: (1 - beta) * c + beta * jnp.sum(q * jnp.maximum(w, R)) - R
    at = jax.lax.stop_gradient((beta, c, q, w))
    R = jax.lax.stop_gradient(jax.lax.fori_loop(0, 4000, lambda i, R: R + F(R, *at), at[1] + 0.0))
    return R - F(R, beta, c, q, w) / jax.grad(F)(R, *at)


# %% reservation-wage | has a rule for reverse mode only | no forward mode
def reservation_wage(beta, c, q, w):
    F = lambda R, beta, c, q, w: (1 - beta) * c + beta * jnp.sum(q * jnp.maximum(w, R)) - R
    find = lambda *at: jax.lax.fori_loop(0, 4000, lambda i, R: R + F(R, *at), at[1] + 0.0)
    solve = jax.custom_vjp(find)

    def backward(kept, u):
        R, at = kept
        return jax.vjp(lambda *at: F(R, *at), *at)[1](-u / jax.grad(F)(R, *at))

    solve.defvjp(lambda *at: (solve(*at), (solve(*at), at)), backward)
    return solve(beta, c, q, w)


# %% reservation-wage | loops in Python until it converges | tracer
def reservation_wage(beta, c, q, w):
    F = lambda R, beta, c, q, w: (1 - beta) * c + beta * jnp.sum(q * jnp.maximum(w, R)) - R
    at = jax.lax.stop_gradient((beta, c, q, w))
    numbers = [np.asarray(x, dtype=float) for x in at]
    R = float(numbers[1])
    for i in range(5000):
        R = (1 - numbers[0]) * numbers[1] + numbers[0] * np.sum(numbers[2] * np.maximum(numbers[3], R))
    for i in range(2):
        R = R - F(R, beta, c, q, w) / jax.grad(F)(R, beta, c, q, w)
    return R


# %% incidence | returns the transpose | transpose
def incidence(supply, demand, p, tau):
    S, D = jax.jacfwd(supply)(p), jax.jacfwd(demand)(p + tau)
    return jnp.linalg.solve(S - D, D).T


# %% incidence | returns the buyers' prices | buyers
def incidence(supply, demand, p, tau):
    S, D = jax.jacfwd(supply)(p), jax.jacfwd(demand)(p + tau)
    return jnp.linalg.solve(S - D, D) + jnp.eye(len(p))


# %% incidence | takes demand at the sellers' prices | p + tau
def incidence(supply, demand, p, tau):
    S, D = jax.jacfwd(supply)(p), jax.jacfwd(demand)(p)
    return jnp.linalg.solve(S - D, D)


# %% incidence | divides entry by entry | matrices
def incidence(supply, demand, p, tau):
    S, D = jax.jacfwd(supply)(p), jax.jacfwd(demand)(p + tau)
    return D / (S - D)


# %% incidence | solves in NumPy | cannot be traced
def incidence(supply, demand, p, tau):
    S, D = jax.jacfwd(supply)(p), jax.jacfwd(demand)(p + tau)
    return np.linalg.solve(np.asarray(S - D), np.asarray(D))
