"""Plausible wrong answers of chapter 08: each must lose points and be told its hint."""


# %% fixed-loss | takes the logarithm of the sigmoid, as the slides do | logaddexp
def fixed_logit_loss(params, X, y):
    p = 0.5 * (jnp.tanh((X @ params["W"] + params["b"]) / 2) + 1)
    return -jnp.sum(jnp.log(p * y + (1 - p) * (1 - y)))


# %% fixed-loss | clips the probability | clipped
def fixed_logit_loss(params, X, y):
    p = jnp.clip(jax.nn.sigmoid(X @ params["W"] + params["b"]), 1e-12, 1 - 1e-12)
    return -jnp.sum(jnp.log(jnp.where(y == 1, p, 1 - p)))


# %% fixed-loss | takes the logarithm of 1 + exp(z) as it stands | overflows
def fixed_logit_loss(params, X, y):
    z = X @ params["W"] + params["b"]
    return jnp.sum(jnp.log(1 + jnp.exp(z)) - y * z)


# %% fixed-loss | averages | not averaged
def fixed_logit_loss(params, X, y):
    z = X @ params["W"] + params["b"]
    return jnp.mean(jnp.logaddexp(0.0, z) - y * z)


# %% fixed-loss | returns the log-likelihood itself | minus the log-likelihood
def fixed_logit_loss(params, X, y):
    z = X @ params["W"] + params["b"]
    return jnp.sum(y * z - jnp.logaddexp(0.0, z))


# %% fixed-loss | leaves out the intercept | includes b
def fixed_logit_loss(params, X, y):
    z = X @ params["W"]
    return jnp.sum(jnp.logaddexp(0.0, z) - y * z)


# %% fixed-loss | computes in 64 bits always | float64
def fixed_logit_loss(params, X, y):
    z = (X @ params["W"] + params["b"]).astype(jnp.float64)
    return jnp.sum(jnp.logaddexp(0.0, z) - y * z)


# %% fixed-loss | negates the outcome, which booleans refuse | boolean
def fixed_logit_loss(params, X, y):
    z = X @ params["W"] + params["b"]
    return jnp.sum(jnp.logaddexp(0.0, z) + (-y) * z)


# %% split-plan | splits the key again for each name | no two
def split_plan(key, names):
    return {name: jax.random.split(key)[1] for name in names}


# %% split-plan | gives the key itself to the first name | key itself
def split_plan(key, names):
    plan = {}
    for name in names:
        plan[name] = key
        key, _ = jax.random.split(key)
    return plan


# %% split-plan | splits the key twice, as the slides do | used up
def split_plan(key, names):
    head = jax.random.split(key)[0]
    rest = jax.random.split(key, len(names) + 2)[2:]
    return dict(zip(names, rest))


# %% split-plan | gives every name the same key | no two
def split_plan(key, names):
    return {name: key for name in names}


# %% split-plan | makes keys from numbers and ignores the key | depend on key
def split_plan(key, names):
    return {name: jax.random.key(i) for i, name in enumerate(names)}


# %% split-plan | returns the array of keys | dict
def split_plan(key, names):
    return jax.random.split(key, len(names))


# %% split-plan | sorts the names | order
def split_plan(key, names):
    return dict(zip(sorted(names), jax.random.split(key, len(names))))


# %% split-plan | draws with each key before it gives it away | used up
def split_plan(key, names):
    plan = dict(zip(names, jax.random.split(key, len(names))))
    for child in plan.values():
        jax.random.normal(child)
    return plan


# %% scores | gives the gradient of the sum | no sum
def per_sample_scores(loglik_i, theta, data):
    total = lambda theta: jnp.sum(jax.vmap(loglik_i, (None, 0))(theta, data))
    return jax.grad(total)(theta)


# %% scores | loops over the observations | jax.vmap
def per_sample_scores(loglik_i, theta, data):
    n = len(jax.tree.leaves(data)[0])
    one = jax.grad(loglik_i)
    return jnp.stack([one(theta, jax.tree.map(lambda a: a[i], data)) for i in range(n)])


# %% scores | takes arrays only | nested dictionary
def per_sample_scores(loglik_i, theta, data):
    return jax.vmap(jax.grad(loglik_i), in_axes=(None, 0))(theta, jnp.asarray(data))


# %% scores | unpacks the data as if they were a tuple | nested dictionary
def per_sample_scores(loglik_i, theta, data):
    one = lambda theta, *leaves: loglik_i(theta, leaves)
    return jax.vmap(jax.grad(one), (None,) + (0,) * len(data))(theta, *data)


# %% scores | transposes | transpose
def per_sample_scores(loglik_i, theta, data):
    return jax.vmap(jax.grad(loglik_i), in_axes=(None, 0), out_axes=1)(theta, data)


# %% scores | returns to NumPy on the way | tracers
def per_sample_scores(loglik_i, theta, data):
    theta = jnp.asarray(np.asarray(theta))
    return jax.vmap(jax.grad(loglik_i), in_axes=(None, 0))(theta, data)


# %% scores | divides by the number of observations | mean
def per_sample_scores(loglik_i, theta, data):
    every = lambda theta: jax.vmap(loglik_i, (None, 0))(theta, data)
    return jax.jacrev(lambda theta: every(theta) / len(every(theta)))(theta)


# %% scores | loops over a compiled gradient | compiled or not
def per_sample_scores(loglik_i, theta, data):
    one = jax.jit(jax.grad(loglik_i))
    n = len(jax.tree.leaves(data)[0])
    return jnp.stack([one(theta, jax.tree.map(lambda a: a[i], data)) for i in range(n)])
