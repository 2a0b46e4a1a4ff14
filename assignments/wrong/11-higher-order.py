"""Plausible wrong answers of chapter 11, and a word of the hint that each must bring up."""

# %% hvp | forms the Hessian and multiplies | do not form
def hvp(f, x, v):
    return jax.hessian(f)(x) @ v


# %% hvp | loops over the rows of the Hessian | do not loop
def hvp(f, x, v):
    row = lambda i: jax.grad(lambda z: jax.grad(f)(z)[i])(x) @ v
    return jax.lax.map(row, jnp.arange(len(x)))


# %% hvp | takes a difference of gradients | difference
def hvp(f, x, v):
    h = 1e-5
    return (jax.grad(f)(x + h * v) - jax.grad(f)(x - h * v)) / (2 * h)


# %% hvp | returns v'Hv | vector of shape
def hvp(f, x, v):
    return v @ jax.jvp(jax.grad(f), (x,), (v,))[1]


# %% hvp | returns the gradient, the first result of jvp | not the gradient
def hvp(f, x, v):
    return jax.jvp(jax.grad(f), (x,), (v,))[0]


# %% hvp | multiplies the gradient by the slope | a derivative of the gradient
def hvp(f, x, v):
    g = jax.grad(f)(x)
    return g * (g @ v)


# %% hvp | scales v to length 1 | as it is given
def hvp(f, x, v):
    return jax.jvp(jax.grad(f), (x,), (v / jnp.linalg.norm(v),))[1]


# %% hvp | turns everything into float64 | float32
def hvp(f, x, v):
    x, v = x.astype(jnp.float64), v.astype(jnp.float64)
    return jax.jvp(jax.grad(f), (x,), (v,))[1]


# %% taylor | returns derivatives | divided by k!
def taylor(f, x, v, order):
    if order == 0:
        return jnp.stack([f(x)])
    line = [v] + [jnp.zeros_like(v)] * (order - 1)
    value, derivatives = jet.jet(f, (x,), (line,))
    return jnp.stack([value, *derivatives])


# %% taylor | gives v for every derivative of the line | then zeros
def taylor(f, x, v, order):
    if order == 0:
        return jnp.stack([f(x)])
    value, derivatives = jet.jet(f, (x,), ([v] * order,))
    scaled = [d / math.factorial(k) for k, d in enumerate(derivatives, 1)]
    return jnp.stack([value, *scaled])


# %% taylor | leaves out the value | order + 1
def taylor(f, x, v, order):
    line = [v] + [jnp.zeros_like(v)] * (order - 1)
    value, derivatives = jet.jet(f, (x,), (line,))
    return jnp.stack([d / math.factorial(k) for k, d in enumerate(derivatives, 1)])


# %% taylor | divides by (k - 1)! | divided by k!
def taylor(f, x, v, order):
    if order == 0:
        return jnp.stack([f(x)])
    line = [v] + [jnp.zeros_like(v)] * (order - 1)
    value, derivatives = jet.jet(f, (x,), (line,))
    return jnp.stack([value] + [d / math.factorial(k) for k, d in enumerate(derivatives)])


# %% taylor | nests derivatives | nested
def taylor(f, x, v, order):
    g, coefficients = lambda t: f(x + t * v), []
    for k in range(order + 1):
        coefficients.append(g(0.0) / math.factorial(k))
        g = (lambda g: lambda t: jax.jvp(g, (t,), (1.0,))[1])(g)
    return jnp.stack(coefficients)


# %% taylor | scales v to length 1 | with its length
def taylor(f, x, v, order):
    if order == 0:
        return jnp.stack([f(x)])
    v = v / jnp.linalg.norm(v)
    line = [v] + [jnp.zeros_like(v)] * (order - 1)
    value, derivatives = jet.jet(f, (x,), (line,))
    return jnp.stack([value] + [d / math.factorial(k) for k, d in enumerate(derivatives, 1)])


# %% taylor | forgets order 0 | order 0
def taylor(f, x, v, order):
    line = [v] + [jnp.zeros_like(v)] * (order - 1)
    value, derivatives = jet.jet(f, (x,), (line,))
    return jnp.stack([value] + [d / math.factorial(k) for k, d in enumerate(derivatives, 1)])


# %% hutchinson | takes normal draws | not normal
def hutchinson(matvec, N, S, seed):
    draw = np.random.default_rng(seed)
    forms = [r @ matvec(r) for r in draw.standard_normal((S, N))]
    return np.array([np.mean(forms), np.std(forms, ddof=1) / S**0.5])


# %% hutchinson | takes zeros and ones | not 0 and
def hutchinson(matvec, N, S, seed):
    draw = np.random.default_rng(seed)
    forms = [r @ matvec(r) for r in draw.choice([0.0, 1.0], size=(S, N))]
    return np.array([np.mean(forms), np.std(forms, ddof=1) / S**0.5])


# %% hutchinson | uses one vector for all draws | not the same vector
def hutchinson(matvec, N, S, seed):
    r = np.random.default_rng(seed).choice([-1.0, 1.0], size=N)
    forms = [r @ matvec(r) for i in range(S)]
    return np.array([np.mean(forms), np.std(forms, ddof=1) / S**0.5])


# %% hutchinson | divides by N | multiplied by N
def hutchinson(matvec, N, S, seed):
    draw = np.random.default_rng(seed)
    forms = [r @ matvec(r) / N for r in draw.choice([-1.0, 1.0], size=(S, N))]
    return np.array([np.mean(forms), np.std(forms, ddof=1) / S**0.5])


# %% hutchinson | takes ddof = 0 | ddof=1
def hutchinson(matvec, N, S, seed):
    draw = np.random.default_rng(seed)
    forms = [r @ matvec(r) for r in draw.choice([-1.0, 1.0], size=(S, N))]
    return np.array([np.mean(forms), np.std(forms) / S**0.5])


# %% hutchinson | forgets the root of S | root of S
def hutchinson(matvec, N, S, seed):
    draw = np.random.default_rng(seed)
    forms = [r @ matvec(r) for r in draw.choice([-1.0, 1.0], size=(S, N))]
    return np.array([np.mean(forms), np.std(forms, ddof=1)])


# %% hutchinson | ignores the seed | from seed
def hutchinson(matvec, N, S, seed):
    draw = np.random.default_rng(0)
    forms = [r @ matvec(r) for r in draw.choice([-1.0, 1.0], size=(S, N))]
    return np.array([np.mean(forms), np.std(forms, ddof=1) / S**0.5])


# %% hutchinson | takes the basis vectors | fresh vector of signs
def hutchinson(matvec, N, S, seed):
    forms = [N * matvec(e)[i] for i, e in enumerate(np.eye(N))][:S]
    return np.array([np.mean(forms), np.std(forms, ddof=1) / S**0.5])
