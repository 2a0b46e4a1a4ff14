"""Plausible wrong answers to the exercises of chapter 00. Each must lose points and earn its hint.

Cells: `# %% exercise-id | what is wrong | a word that the hints must contain`.
"""

# %% modified-duration | forgets the minus sign | sign
def modified_duration(price, y):
    return jax.grad(price)(y) / price(y)


# %% modified-duration | makes the sign positive by force | absolute
def modified_duration(price, y):
    return abs(jax.grad(price)(y) / price(y))


# %% modified-duration | gives the Macaulay duration | 1 + y
def modified_duration(price, y):
    return -(1 + y) * jax.grad(price)(y) / price(y)


# %% modified-duration | uses a finite difference with a fixed step | step
def modified_duration(price, y):
    h = 1e-5
    return -(price(y + h) - price(y - h)) / (2 * h) / price(y)


# %% modified-duration | uses a finite difference with a step relative to the yield | relative
def modified_duration(price, y):
    h = 1e-5 * y
    return -(price(y + h) - price(y - h)) / (2 * h) / price(y)


# %% modified-duration | divides by the price's absolute value | sign
def modified_duration(price, y):
    return -jax.grad(price)(y) / abs(price(y))


# %% modified-duration | returns the slope in money | price
def modified_duration(price, y):
    return -jax.grad(price)(y)


# %% modified-duration | forgets to return | return
def modified_duration(price, y):
    value, slope = jax.value_and_grad(price)(y)
    -slope / value


# %% independent-draws | uses the key twice | split
def independent_draws(key, n):
    return jax.random.normal(key, (n,)), jax.random.normal(key, (n,))


# %% independent-draws | draws with a key that does not depend on the argument | other
def independent_draws(key, n):
    first, second = jax.random.split(jax.random.key(0))
    return jax.random.normal(first, (n,)), jax.random.normal(second, (n,))


# %% independent-draws | draws from NumPy's global generator | same key
def independent_draws(key, n):
    return np.random.standard_normal(n), np.random.standard_normal(n)


# %% independent-draws | draws uniform numbers | variance
def independent_draws(key, n):
    first, second = jax.random.split(key)
    return jax.random.uniform(first, (n,)), jax.random.uniform(second, (n,))


# %% independent-draws | shifts one draw to make the other | together
def independent_draws(key, n):
    z = jax.random.normal(key, (n + 1,))
    return z[:-1], z[1:]


# %% independent-draws | reverses one draw to make the other | together
def independent_draws(key, n):
    z = jax.random.normal(key, (n,))
    return z, z[::-1]


# %% independent-draws | shuffles one draw to make the other | together
def independent_draws(key, n):
    first, second = jax.random.split(key)
    z = jax.random.normal(first, (n,))
    return z, jax.random.permutation(second, z)


# %% independent-draws | draws from the key that it has split | twice
def independent_draws(key, n):
    first, _ = jax.random.split(key)
    return jax.random.normal(key, (n,)), jax.random.normal(first, (n,))


# %% independent-draws | scales uniform numbers to variance 1 | normal
def independent_draws(key, n):
    first, second = jax.random.split(key)
    draw = lambda k: (jax.random.uniform(k, (n,)) - 0.5) * jnp.sqrt(12)
    return draw(first), draw(second)
