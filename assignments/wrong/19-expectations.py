"""Plausible wrong answers of chapter 19, and a word of the hint that each must bring up."""

# %% score-gradient | has no baseline | subtract a baseline
def score_gradient(key, theta, n):
    gain = np.asarray(jax.random.uniform(key, (n, 150))) < theta
    cash = 3 + np.cumsum(2 * gain - 1, axis=1)
    last = np.argmax((cash == 0) | (cash == 6), axis=1)
    alive = np.arange(150) <= last[:, None]
    score = (np.where(gain, 1 / theta, -1 / (1 - theta)) * alive).sum(axis=1)
    return (cash[np.arange(n), last] == 6) * score


# %% score-gradient | has the wrong sign for a loss | -1/(1 - theta) for a loss
def score_gradient(key, theta, n):
    gain = np.asarray(jax.random.uniform(key, (n, 150))) < theta
    cash = 3 + np.cumsum(2 * gain - 1, axis=1)
    last = np.argmax((cash == 0) | (cash == 6), axis=1)
    alive = np.arange(150) <= last[:, None]
    score = (np.where(gain, 1 / theta, 1 / (1 - theta)) * alive).sum(axis=1)
    f = cash[np.arange(n), last] == 6
    return (f - f.mean()) * score


# %% score-gradient | centers the product | from f, not from the product
def score_gradient(key, theta, n):
    gain = np.asarray(jax.random.uniform(key, (n, 150))) < theta
    cash = 3 + np.cumsum(2 * gain - 1, axis=1)
    last = np.argmax((cash == 0) | (cash == 6), axis=1)
    alive = np.arange(150) <= last[:, None]
    score = (np.where(gain, 1 / theta, -1 / (1 - theta)) * alive).sum(axis=1)
    product = (cash[np.arange(n), last] == 6) * score
    return product - product.mean()


# %% score-gradient | counts the coins after the end | coins after the end
def score_gradient(key, theta, n):
    gain = np.asarray(jax.random.uniform(key, (n, 150))) < theta
    cash = 3 + np.cumsum(2 * gain - 1, axis=1)
    last = np.argmax((cash == 0) | (cash == 6), axis=1)
    score = np.where(gain, 1 / theta, -1 / (1 - theta)).sum(axis=1)
    f = cash[np.arange(n), last] == 6
    return (f - f.mean()) * score


# %% score-gradient | stops after ten quarters | followed to their end
def score_gradient(key, theta, n):
    gain = np.asarray(jax.random.uniform(key, (n, 10))) < theta
    cash = 3 + np.cumsum(2 * gain - 1, axis=1)
    over = (cash == 0) | (cash == 6)
    last = np.where(over.any(axis=1), np.argmax(over, axis=1), 9)
    alive = np.arange(10) <= last[:, None]
    score = (np.where(gain, 1 / theta, -1 / (1 - theta)) * alive).sum(axis=1)
    f = cash[np.arange(n), last] == 6
    return (f - f.mean()) * score


# %% score-gradient | takes the mean of f as the baseline | too poor
def score_gradient(key, theta, n):
    gain = np.asarray(jax.random.uniform(key, (n, 150))) < theta
    cash = 3 + np.cumsum(2 * gain - 1, axis=1)
    last = np.argmax((cash == 0) | (cash == 6), axis=1)
    alive = np.arange(150) <= last[:, None]
    score = (np.where(gain, 1 / theta, -1 / (1 - theta)) * alive).sum(axis=1)
    f = cash[np.arange(n), last] == 6
    return (f - f.mean()) * score


# %% score-gradient | ignores the key | the key that is given
def score_gradient(key, theta, n):
    gain = np.random.default_rng(0).random((n, 150)) < theta
    cash = 3 + np.cumsum(2 * gain - 1, axis=1)
    last = np.argmax((cash == 0) | (cash == 6), axis=1)
    alive = np.arange(150) <= last[:, None]
    score = (np.where(gain, 1 / theta, -1 / (1 - theta)) * alive).sum(axis=1)
    f = cash[np.arange(n), last] == 6
    return (f - np.mean(f * score**2) / np.mean(score**2)) * score


# %% score-gradient | returns the closed form for each path | times the sum of its scores
def score_gradient(key, theta, n):
    chance = lambda t: 1 / (1 + ((1 - t) / t) ** 3)
    return np.full(n, (chance(theta + 1e-6) - chance(theta - 1e-6)) / 2e-6)


# %% score-gradient | adds noise to the closed form | noise added to the closed form
def score_gradient(key, theta, n):
    chance = lambda t: 1 / (1 + ((1 - t) / t) ** 3)
    slope = (chance(theta + 1e-6) - chance(theta - 1e-6)) / 2e-6
    return slope + np.asarray(jax.random.normal(key, (n,)))


# %% digital-delta | returns the true delta as pathwise | array of zeros
def digital_delta(method, Z, S, K, h):
    B, q = np.exp(-0.05), np.log(S / K) + 0.03 + 0.2 * Z
    if method == "pathwise":
        m = (np.log(S / K) + 0.03) / 0.2
        return np.full(Z.shape, B * stats.norm.pdf(m) / (0.2 * S))
    if method == "score":
        return B * (q > 0) * Z / (S * 0.2)
    if method == "conditioned":
        q, h = np.log(S / K) + 0.03 + 0.2 * 0.75**0.5 * Z, 0.1
    return B * stats.norm.pdf(q / h) / (h * S)


# %% digital-delta | takes the score of Z, not of the price | log density of log S_T
def digital_delta(method, Z, S, K, h):
    B, q = np.exp(-0.05), np.log(S / K) + 0.03 + 0.2 * Z
    if method == "pathwise":
        return 0 * Z
    if method == "score":
        return B * (q > 0) * Z / S
    if method == "conditioned":
        q, h = np.log(S / K) + 0.03 + 0.2 * 0.75**0.5 * Z, 0.1
    return B * stats.norm.pdf(q / h) / (h * S)


# %% digital-delta | forgets that dq/dS is 1/S | over h and over S
def digital_delta(method, Z, S, K, h):
    B, q = np.exp(-0.05), np.log(S / K) + 0.03 + 0.2 * Z
    if method == "pathwise":
        return 0 * Z
    if method == "score":
        return B * (q > 0) * Z / (S * 0.2)
    if method == "conditioned":
        q, h = np.log(S / K) + 0.03 + 0.2 * 0.75**0.5 * Z, 0.1
        return B * stats.norm.pdf(q / h) / (h * S)
    return B * stats.norm.pdf(q / h) / h


# %% digital-delta | draws the whole year and blurs it by three months | after nine months
def digital_delta(method, Z, S, K, h):
    B, q = np.exp(-0.05), np.log(S / K) + 0.03 + 0.2 * Z
    if method == "pathwise":
        return 0 * Z
    if method == "score":
        return B * (q > 0) * Z / (S * 0.2)
    if method == "conditioned":
        h = 0.1
    return B * stats.norm.pdf(q / h) / (h * S)


# %% digital-delta | forgets the discount | discounted
def digital_delta(method, Z, S, K, h):
    q = np.log(S / K) + 0.03 + 0.2 * Z
    if method == "pathwise":
        return 0 * Z
    if method == "score":
        return (q > 0) * Z / (S * 0.2)
    if method == "conditioned":
        q, h = np.log(S / K) + 0.03 + 0.2 * 0.75**0.5 * Z, 0.1
    return stats.norm.pdf(q / h) / (h * S)


# %% with-score | differentiates f times log_p | a factor that is 1
def with_score(f, log_p):
    return lambda theta, x: f(theta, jax.lax.stop_gradient(x)) * log_p(theta, jax.lax.stop_gradient(x))


# %% with-score | is linear in log_p | lose the square of the score
def with_score(f, log_p):
    def g(theta, x):
        x = jax.lax.stop_gradient(x)
        log_chance = log_p(theta, x)
        return f(theta, x) * (1 + log_chance - jax.lax.stop_gradient(log_chance))
    return g


# %% with-score | forgets that f depends on theta | theta in f included
def with_score(f, log_p):
    def g(theta, x):
        x = jax.lax.stop_gradient(x)
        log_chance = log_p(theta, x)
        return jax.lax.stop_gradient(f(theta, x)) * jnp.exp(log_chance - jax.lax.stop_gradient(log_chance))
    return g


# %% with-score | lets the draw move | stop_gradient on x
def with_score(f, log_p):
    def g(theta, x):
        log_chance = log_p(theta, x)
        return f(theta, x) * jnp.exp(log_chance - jax.lax.stop_gradient(log_chance))
    return g


# %% with-score | divides probabilities | 0/0 is NaN
def with_score(f, log_p):
    def g(theta, x):
        x = jax.lax.stop_gradient(x)
        chance = jnp.exp(log_p(theta, x))
        return f(theta, x) * chance / jax.lax.stop_gradient(chance)
    return g
