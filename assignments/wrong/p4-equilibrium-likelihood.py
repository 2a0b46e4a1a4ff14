"""Plausible wrong answers of problem set 4: each must lose exactly what is wrong, and its hint must say so."""

# %% eq-demand-supply | takes the power sigma for the index | power 1/(1 - sigma) | 3
def log_demand_supply(log_p, theta, y, c):
    t = unpack(theta)
    gap = 1 - t["sigma"]
    index = jax.nn.logsumexp(t["log_s"] + gap * log_p) / t["sigma"]
    demand = t["alpha"] + y + t["log_s"] - t["sigma"] * (log_p - index) - t["epsilon"] * index
    return demand, t["eta"] * (log_p - c)


# %% eq-demand-supply | forgets the households | y and alpha | 3
def log_demand_supply(log_p, theta, y, c):
    t = unpack(theta)
    gap = 1 - t["sigma"]
    index = jax.nn.logsumexp(t["log_s"] + gap * log_p) / gap
    demand = t["alpha"] + t["log_s"] - t["sigma"] * (log_p - index) - t["epsilon"] * index
    return demand, t["eta"] * (log_p - c)


# %% eq-demand-supply | sums exponentials | logsumexp | 3
def log_demand_supply(log_p, theta, y, c):
    t = unpack(theta)
    gap = 1 - t["sigma"]
    index = jnp.log(jnp.sum(jnp.exp(t["log_s"] + gap * log_p))) / gap
    demand = t["alpha"] + y + t["log_s"] - t["sigma"] * (log_p - index) - t["epsilon"] * index
    return demand, t["eta"] * (log_p - c)


# %% eq-demand-supply | lets the cost add to the price | its own elasticity | 4
def log_demand_supply(log_p, theta, y, c):
    t = unpack(theta)
    gap = 1 - t["sigma"]
    index = jax.nn.logsumexp(t["log_s"] + gap * log_p) / gap
    demand = t["alpha"] + y + t["log_s"] - t["sigma"] * (log_p - index) - t["epsilon"] * index
    return demand, t["eta"] * (log_p + c)


# %% eq-demand-supply | gives one supply elasticity to all fuels | its own elasticity | 4
def log_demand_supply(log_p, theta, y, c):
    t = unpack(theta)
    gap = 1 - t["sigma"]
    index = jax.nn.logsumexp(t["log_s"] + gap * log_p) / gap
    demand = t["alpha"] + y + t["log_s"] - t["sigma"] * (log_p - index) - t["epsilon"] * index
    return demand, t["eta"][0] * (log_p - c)


# %% eq-prices | iterates without slopes | runs away | 6
def find_prices(theta, y, c):
    t = unpack(theta)

    def excess(log_p):
        demand, supply = log_demand_supply(log_p, theta, y, c)
        return demand - supply

    def step(state):
        log_p, k = state
        return log_p + excess(log_p) / (t["sigma"] + t["eta"]), k + 1

    unfinished = lambda state: (jnp.max(jnp.abs(excess(state[0]))) > 1e-12) & (state[1] < 2000)
    log_p, k = jax.lax.while_loop(unfinished, step, (jnp.zeros_like(c), 0))
    return jnp.where(jnp.max(jnp.abs(excess(log_p))) <= 1e-12, log_p, jnp.nan)


# %% eq-prices | loops in Python until the prices clear | while_loop | 6
def find_prices(theta, y, c):
    def excess(log_p):
        demand, supply = log_demand_supply(log_p, theta, y, c)
        return demand - supply

    log_p = jnp.zeros_like(c)
    z = excess(log_p)
    while jnp.max(jnp.abs(z)) > 1e-12:
        log_p = log_p - jnp.linalg.solve(jax.jacfwd(excess)(log_p), z)
        z = excess(log_p)
    return jnp.where(jnp.isnan(jnp.max(z)), jnp.nan, log_p)


# %% eq-prices | returns the start where something is missing | leaves its start | 6
def find_prices(theta, y, c):
    def excess(log_p):
        demand, supply = log_demand_supply(log_p, theta, y, c)
        return demand - supply

    unfinished = lambda state: (jnp.max(jnp.abs(excess(state[0]))) > 1e-12) & (state[1] < 50)
    step = lambda state: (state[0] - jnp.linalg.solve(jax.jacfwd(excess)(state[0]), excess(state[0])), state[1] + 1)
    return jax.lax.while_loop(unfinished, step, (jnp.zeros_like(c), 0))[0]


# %% eq-prices | stops at 1e-6 | above 1e-12 | 6
def find_prices(theta, y, c):
    def excess(log_p):
        demand, supply = log_demand_supply(log_p, theta, y, c)
        return demand - supply

    size = lambda log_p: jnp.max(jnp.abs(excess(log_p)))
    unfinished = lambda state: (size(state[0]) > 1e-3) & (state[1] < 50)
    step = lambda state: (state[0] - jnp.linalg.solve(jax.jacfwd(excess)(state[0]), excess(state[0])), state[1] + 1)
    log_p, k = jax.lax.while_loop(unfinished, step, (jnp.zeros_like(c), 0))
    log_p = log_p + 1e-6
    return jnp.where(size(log_p) <= 1e-2, log_p, jnp.nan)


# %% eq-prices | takes two steps, whatever the town | demand and supply differ | 0
def find_prices(theta, y, c):
    def excess(log_p):
        demand, supply = log_demand_supply(log_p, theta, y, c)
        return demand - supply

    log_p = jnp.zeros_like(c) + 3.0
    for i in range(1):
        log_p = log_p - excess(log_p) / jnp.diag(jax.jacfwd(excess)(log_p))
    return log_p


# %% eq-root | lets JAX differentiate the solver | do not differentiate the solver | 1
def implicit_root(F, solver):
    return lambda a: solver(a)


# %% eq-root | searches from a start of its own, and differentiates its steps | root(a) is what solver(a) | 0
def implicit_root(F, solver):
    def root(a):
        z = jnp.ones(3)
        for i in range(20):
            z = z - jnp.linalg.solve(jax.jacfwd(F)(z, a), F(z, a))
        return z
    return root


# %% eq-root | has the wrong sign | the sign is wrong | 8
def implicit_root(F, solver):
    @jax.custom_jvp
    def root(a):
        return solver(a)

    @root.defjvp
    def rule(primals, tangents):
        (a,), (a_dot,) = primals, tangents
        z = root(a)
        F_dot = jax.jvp(lambda a: F(z, a), (a,), (a_dot,))[1]
        return z, jnp.linalg.solve(jax.jacfwd(F)(z, a), F_dot)

    return root


# %% eq-root | solves with the transpose | with dF/dz as a matrix | 8
def implicit_root(F, solver):
    @jax.custom_jvp
    def root(a):
        return solver(a)

    @root.defjvp
    def rule(primals, tangents):
        (a,), (a_dot,) = primals, tangents
        z = root(a)
        F_dot = jax.jvp(lambda a: F(z, a), (a,), (a_dot,))[1]
        return z, -jnp.linalg.solve(jax.jacfwd(F)(z, a).T, F_dot)

    return root


# %% eq-root | has no forward mode | custom_vjp | 8
def implicit_root(F, solver):
    @jax.custom_vjp
    def root(a):
        return solver(a)

    def forward(a):
        z = root(a)
        return z, (z, a)

    def backward(kept, u):
        z, a = kept
        lam = jnp.linalg.solve(jax.jacfwd(F)(z, a).T, u)
        return jax.vjp(lambda a: F(z, a), a)[1](-lam)

    root.defvjp(forward, backward)
    return root


# %% eq-root | forgets the transpose in reverse mode | transpose of dF/dz | 7
def implicit_root(F, solver):
    @jax.custom_jvp
    def root(a):
        return solver(a)

    @root.defjvp
    def rule(primals, tangents):
        (a,), (a_dot,) = primals, tangents
        z = root(a)
        F_dot = jax.jvp(lambda a: F(z, a), (a,), (a_dot,))[1]
        slope = jax.jacfwd(F)(z, a)
        solve = lambda product, b: jnp.linalg.solve(slope, b)
        return z, jax.lax.custom_linear_solve(lambda x: slope @ x, -F_dot, solve, transpose_solve=solve)

    return root


# %% eq-root | stops the root in the rule | z must still depend on a | 8
def implicit_root(F, solver):
    @jax.custom_jvp
    def root(a):
        return solver(a)

    @root.defjvp
    def rule(primals, tangents):
        (a,), (a_dot,) = primals, tangents
        z = jax.lax.stop_gradient(root(a))
        F_dot = jax.jvp(lambda a: F(z, a), (a,), (a_dot,))[1]
        return z, -jnp.linalg.solve(jax.jacfwd(F)(z, a), F_dot)

    return root


# %% eq-root | takes the whole Jacobian by the parameters | N x N | 9
def implicit_root(F, solver):
    @jax.custom_jvp
    def root(a):
        return solver(a)

    @root.defjvp
    def rule(primals, tangents):
        (a,), (a_dot,) = primals, tangents
        z = root(a)
        columns = jax.jacfwd(F, argnums=1)(z, a)
        F_dot = sum(jnp.tensordot(B, b, jnp.ndim(b)) for B, b in zip(jax.tree.leaves(columns), jax.tree.leaves(a_dot)))
        return z, -jnp.linalg.solve(jax.jacfwd(F)(z, a), F_dot)

    return root


# %% eq-root | calls the book's library | the book's implicit | 0
def implicit_root(F, solver):
    return lambda a: implicit.root(lambda a, z: F(z, a), a, jnp.zeros(3), solver=lambda g, z0: solver(jax.lax.stop_gradient(a)))


# %% eq-loglik | leaves the constant out | half of log 2 pi | 7
def loglik(theta, y, c, data, solver=None):
    def excess(log_p, a):
        demand, supply = log_demand_supply(log_p, *a)
        return demand - supply

    solver = solver or find_prices
    root = implicit_root(excess, lambda a: solver(*a))
    prices = jax.vmap(lambda y, c: root((theta, y, c)))(y, c)
    seen = ~jnp.isnan(data)
    error = jnp.where(seen, data - prices, 0.0) / jnp.exp(theta[3])
    return -0.5 * jnp.sum(error**2) - jnp.sum(seen) * theta[3]


# %% eq-loglik | forgets log omega | log omega | 7
def loglik(theta, y, c, data, solver=None):
    def excess(log_p, a):
        demand, supply = log_demand_supply(log_p, *a)
        return demand - supply

    solver = solver or find_prices
    root = implicit_root(excess, lambda a: solver(*a))
    prices = jax.vmap(lambda y, c: root((theta, y, c)))(y, c)
    seen = ~jnp.isnan(data)
    error = jnp.where(seen, data - prices, 0.0) / jnp.exp(theta[3])
    return -0.5 * jnp.sum(error**2) - jnp.sum(seen) * 0.5 * jnp.log(2 * jnp.pi)


# %% eq-loglik | squares before it leaves the missing ones out | before the square | 8
def loglik(theta, y, c, data, solver=None):
    def excess(log_p, a):
        demand, supply = log_demand_supply(log_p, *a)
        return demand - supply

    solver = solver or find_prices
    root = implicit_root(excess, lambda a: solver(*a))
    prices = jax.vmap(lambda y, c: root((theta, y, c)))(y, c)
    error = (data - prices) / jnp.exp(theta[3])
    each = -0.5 * error**2 - theta[3] - 0.5 * jnp.log(2 * jnp.pi)
    return jnp.sum(jnp.where(jnp.isnan(data), 0.0, each))


# %% eq-loglik | drops each town with a missing price | the rest of a town | 8
def loglik(theta, y, c, data, solver=None):
    def excess(log_p, a):
        demand, supply = log_demand_supply(log_p, *a)
        return demand - supply

    solver = solver or find_prices
    root = implicit_root(excess, lambda a: solver(*a))
    prices = jax.vmap(lambda y, c: root((theta, y, c)))(y, c)
    seen = jnp.all(~jnp.isnan(data), axis=1, keepdims=True) & jnp.ones(data.shape, bool)
    error = jnp.where(seen, data - prices, 0.0) / jnp.exp(theta[3])
    return -0.5 * jnp.sum(error**2) - jnp.sum(seen) * (theta[3] + 0.5 * jnp.log(2 * jnp.pi))


# %% eq-loglik | takes the prices from the solver, without their derivatives | implicit_root | 7
def loglik(theta, y, c, data, solver=None):
    solver = solver or find_prices
    fixed = jax.lax.stop_gradient(theta)
    prices = jax.vmap(lambda y, c: solver(fixed, y, c))(y, c)
    seen = ~jnp.isnan(data)
    error = jnp.where(seen, data - prices, 0.0) / jnp.exp(theta[3])
    return -0.5 * jnp.sum(error**2) - jnp.sum(seen) * (theta[3] + 0.5 * jnp.log(2 * jnp.pi))


# %% eq-loglik | loops over the towns in Python | jax.vmap | 8
def loglik(theta, y, c, data, solver=None):
    def excess(log_p, a):
        demand, supply = log_demand_supply(log_p, *a)
        return demand - supply

    solver = solver or find_prices
    root = implicit_root(excess, lambda a: solver(*a))
    total = 0.0
    for m in range(len(y)):
        seen = ~jnp.isnan(data[m])
        error = jnp.where(seen, data[m] - root((theta, y[m], c[m])), 0.0) / jnp.exp(theta[3])
        total += -0.5 * jnp.sum(error**2) - jnp.sum(seen) * (theta[3] + 0.5 * jnp.log(2 * jnp.pi))
    return total


# %% eq-loglik | takes differences of the prices | three times at most | 8
def loglik(theta, y, c, data, solver=None):
    solver = solver or find_prices

    @jax.custom_jvp
    def prices(theta):
        return jax.vmap(lambda y, c: solver(theta, y, c))(y, c)

    @prices.defjvp
    def rule(primals, tangents):
        theta, = primals
        columns = [(prices(theta + 1e-5 * e) - prices(theta - 1e-5 * e)) / 2e-5 for e in np.eye(9)]
        return prices(theta), jnp.stack(columns, axis=-1) @ tangents[0]

    seen = ~jnp.isnan(data)
    error = jnp.where(seen, data - prices(theta), 0.0) / jnp.exp(theta[3])
    return -0.5 * jnp.sum(error**2) - jnp.sum(seen) * (theta[3] + 0.5 * jnp.log(2 * jnp.pi))


# %% eq-loglik | never calls the solver that it is given | was never called | 8
def loglik(theta, y, c, data, solver=None):
    def excess(log_p, a):
        demand, supply = log_demand_supply(log_p, *a)
        return demand - supply

    root = implicit_root(excess, lambda a: find_prices(*a))
    prices = jax.vmap(lambda y, c: root((theta, y, c)))(y, c)
    seen = ~jnp.isnan(data)
    error = jnp.where(seen, data - prices, 0.0) / jnp.exp(theta[3])
    return -0.5 * jnp.sum(error**2) - jnp.sum(seen) * (theta[3] + 0.5 * jnp.log(2 * jnp.pi))


# %% eq-pass-through | gives the transpose | this is the transpose | 2
def pass_through(theta, y, c):
    def excess(log_p, a):
        demand, supply = log_demand_supply(log_p, *a)
        return demand - supply

    root = implicit_root(excess, lambda a: find_prices(*a))
    return jax.jacfwd(lambda c: root((theta, y, c)))(c).T


# %% eq-pass-through | moves each price alone | move together | 2
def pass_through(theta, y, c):
    t, log_p = unpack(theta), find_prices(theta, y, c)
    own = lambda p: log_demand_supply(p, theta, y, c)[0]
    slopes = jnp.diag(jax.jacfwd(own)(log_p))
    return jnp.diag(t["eta"] / (t["eta"] - slopes))


# %% eq-pass-through | uses the formula for one fuel everywhere | move together | 2
def pass_through(theta, y, c):
    t = unpack(theta)
    return jnp.diag(t["eta"] / (t["eta"] + t["epsilon"])) + 0 * y


# %% eq-pass-through | returns NumPy numbers | no NumPy | 4
def pass_through(theta, y, c):
    def excess(log_p, a):
        demand, supply = log_demand_supply(log_p, *a)
        return demand - supply

    root = implicit_root(excess, lambda a: find_prices(*a))
    return np.asarray(jax.jacfwd(lambda c: root((theta, y, c)))(c))


# %% eq-pass-through | differentiates by the cost itself | the log of the cost | 1
def pass_through(theta, y, c):
    def excess(log_p, a):
        demand, supply = log_demand_supply(log_p, *a)
        return demand - supply

    root = implicit_root(excess, lambda a: find_prices(*a))
    return jax.jacfwd(lambda c: root((theta, y, c)))(c) / jnp.exp(c)


# %% eq-estimate | lets BFGS wander off | out of the model's domain | 7
def estimate(start, y, c, data):
    both = jax.jit(jax.value_and_grad(lambda theta: -loglik(theta, y, c, data)))
    numbers = lambda theta: tuple(map(np.asarray, both(theta)))
    start = np.asarray(start)
    box = list(zip(start - 2, start + 2))
    hessian = lambda theta: np.stack([numbers(theta + e)[1] - numbers(theta - e)[1] for e in 1e-5 * np.eye(len(theta))]) / 2e-5
    theta = optimize.minimize(numbers, start, jac=True, method="BFGS", options={"gtol": 1e-4}).x
    if not np.all(np.isfinite(numbers(theta)[1])):
        return theta, theta
    return theta, np.sqrt(np.diag(np.linalg.inv(hessian(theta))))


# %% eq-estimate | returns variances | square roots | 7
def estimate(start, y, c, data):
    both = jax.jit(jax.value_and_grad(lambda theta: -loglik(theta, y, c, data)))
    numbers = lambda theta: tuple(map(np.asarray, both(theta)))
    start = np.asarray(start)
    box = list(zip(start - 2, start + 2))
    hessian = lambda theta: np.stack([numbers(theta + e)[1] - numbers(theta - e)[1] for e in 1e-5 * np.eye(len(theta))]) / 2e-5
    theta = optimize.minimize(numbers, start, jac=True, method="L-BFGS-B", bounds=box,
                              options={"ftol": 1e-15, "gtol": 1e-6, "maxiter": 1000}).x
    for i in range(2):
        H = hessian(theta)
        theta = theta - np.linalg.solve(H, numbers(theta)[1])
    return theta, np.diag(np.linalg.inv(H))


# %% eq-estimate | inverts the diagonal only | invert first | 7
def estimate(start, y, c, data):
    both = jax.jit(jax.value_and_grad(lambda theta: -loglik(theta, y, c, data)))
    numbers = lambda theta: tuple(map(np.asarray, both(theta)))
    start = np.asarray(start)
    box = list(zip(start - 2, start + 2))
    hessian = lambda theta: np.stack([numbers(theta + e)[1] - numbers(theta - e)[1] for e in 1e-5 * np.eye(len(theta))]) / 2e-5
    theta = optimize.minimize(numbers, start, jac=True, method="L-BFGS-B", bounds=box,
                              options={"ftol": 1e-15, "gtol": 1e-6, "maxiter": 1000}).x
    for i in range(2):
        H = hessian(theta)
        theta = theta - np.linalg.solve(H, numbers(theta)[1])
    return theta, 1 / np.sqrt(np.diag(H))


# %% eq-estimate | stops early | tighten | 3
def estimate(start, y, c, data):
    both = jax.jit(jax.value_and_grad(lambda theta: -loglik(theta, y, c, data)))
    numbers = lambda theta: tuple(map(np.asarray, both(theta)))
    start = np.asarray(start)
    box = list(zip(start - 2, start + 2))
    hessian = lambda theta: np.stack([numbers(theta + e)[1] - numbers(theta - e)[1] for e in 1e-5 * np.eye(len(theta))]) / 2e-5
    theta = optimize.minimize(numbers, start, jac=True, method="L-BFGS-B", bounds=box, options={"ftol": 1e-6, "gtol": 1e-1}).x
    return theta, np.sqrt(np.diag(np.linalg.inv(hessian(theta))))


# %% eq-estimate | takes the optimizer's inverse Hessian | hess_inv | 7
def estimate(start, y, c, data):
    both = jax.jit(jax.value_and_grad(lambda theta: -loglik(theta, y, c, data)))
    numbers = lambda theta: tuple(map(np.asarray, both(theta)))
    start = np.asarray(start)
    box = list(zip(start - 2, start + 2))
    hessian = lambda theta: np.stack([numbers(theta + e)[1] - numbers(theta - e)[1] for e in 1e-5 * np.eye(len(theta))]) / 2e-5
    fit = optimize.minimize(numbers, start, jac=True, method="L-BFGS-B", bounds=box,
                              options={"ftol": 1e-15, "gtol": 1e-6, "maxiter": 1000})
    theta = fit.x
    for i in range(2):
        H = hessian(theta)
        theta = theta - np.linalg.solve(H, numbers(theta)[1])
    return theta, np.sqrt(np.diag(fit.hess_inv.todense()))
