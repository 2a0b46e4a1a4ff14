"""Plausible wrong answers of chapter 13, and a word of the hint that each must bring up."""

# %% log1mexp | takes the formula as it stands | cancels near 0
def log1mexp(x):
    return jnp.log(1 - jnp.exp(x))


# %% log1mexp | leaves the two formulas without a rule | finds NaN
def log1mexp(x):
    near, far = jnp.log(-jnp.expm1(x)), jnp.log1p(-jnp.exp(x))
    return jnp.where(x > -0.7, near, far)


# %% log1mexp | has a rule whose derivative overflows | a rule of its own
def log1mexp(x):
    @jax.custom_jvp
    def value(x):
        near, far = jnp.log(-jnp.expm1(x)), jnp.log1p(-jnp.exp(x))
        return jnp.where(x > -0.7, near, far)
    value.defjvps(lambda x_dot, L, x: -x_dot / jnp.expm1(-x))
    return value(x)


# %% log1mexp | freezes the slope | hidden from differentiation
def log1mexp(x):
    @jax.custom_jvp
    def value(x):
        near, far = jnp.log(-jnp.expm1(x)), jnp.log1p(-jnp.exp(x))
        return jnp.where(x > -0.7, near, far)
    value.defjvps(lambda x_dot, L, x: -x_dot / jax.lax.stop_gradient(jnp.expm1(-x)))
    return value(x)


# %% log1mexp | has a rule for reverse mode only | no forward mode
def log1mexp(x):
    @jax.custom_vjp
    def value(x):
        near, far = jnp.log(-jnp.expm1(x)), jnp.log1p(-jnp.exp(x))
        return jnp.where(x > -0.7, near, far)
    value.defvjp(lambda x: (value(x), x), lambda x, u: (-u / jnp.expm1(-x),))
    return value(x)


# %% log1mexp | uses a rule that cancels near 0 | -1/expm1(-x)
def log1mexp(x):
    @jax.custom_jvp
    def value(x):
        near, far = jnp.log(-jnp.expm1(x)), jnp.log1p(-jnp.exp(x))
        return jnp.where(x > -0.7, near, far)
    value.defjvps(lambda x_dot, L, x: -jnp.exp(x) / (1 - jnp.exp(x)) * x_dot)
    return value(x)


# %% inverse-cdf-sample | differentiates through the bisection | is 0
def inverse_cdf_sample(p, theta):
    Phi = jax.scipy.special.ndtr
    def halve(i, ends):
        low, high = ends
        x = (low + high) / 2
        below = theta["w"] * Phi(x) + (1 - theta["w"]) * Phi((x - theta["m"]) / theta["s"]) < p
        return jnp.where(below, x, low), jnp.where(below, high, x)
    return jax.lax.fori_loop(0, 60, halve, (jnp.full_like(p, -13.0), jnp.full_like(p, 13.0)))[0]


# %% inverse-cdf-sample | stops after ten halvings | 60 times
def inverse_cdf_sample(p, theta):
    Phi = jax.scipy.special.ndtr
    def halve(i, ends):
        low, high = ends
        x = (low + high) / 2
        below = theta["w"] * Phi(x) + (1 - theta["w"]) * Phi((x - theta["m"]) / theta["s"]) < p
        return jnp.where(below, x, low), jnp.where(below, high, x)
    return jax.lax.fori_loop(0, 10, halve, (jnp.full_like(p, -13.0), jnp.full_like(p, 13.0)))[0]


# %% inverse-cdf-sample | has the wrong sign for theta | mind the sign
def inverse_cdf_sample(p, theta):
    def F(x, theta):
        Phi = jax.scipy.special.ndtr
        return theta["w"] * Phi(x) + (1 - theta["w"]) * Phi((x - theta["m"]) / theta["s"])

    @jax.custom_jvp
    def solve(p, theta):
        def halve(i, ends):
            low, high = ends
            x = (low + high) / 2
            below = F(x, theta) < p
            return jnp.where(below, x, low), jnp.where(below, high, x)
        return jax.lax.fori_loop(0, 60, halve, (jnp.full_like(p, -13.0), jnp.full_like(p, 13.0)))[0]

    @solve.defjvp
    def rule(primals, tangents):
        (p, theta), (p_dot, theta_dot) = primals, tangents
        x = solve(p, theta)
        F_dot = jax.jvp(partial(F, x), (theta,), (theta_dot,))[1]
        density = jax.jvp(lambda x: F(x, theta), (x,), (jnp.ones_like(x),))[1]
        return x, (p_dot + F_dot) / density

    return solve(p, theta)


# %% inverse-cdf-sample | forgets that p moves too | 1/density
def inverse_cdf_sample(p, theta):
    def F(x, theta):
        Phi = jax.scipy.special.ndtr
        return theta["w"] * Phi(x) + (1 - theta["w"]) * Phi((x - theta["m"]) / theta["s"])

    @jax.custom_jvp
    def solve(p, theta):
        def halve(i, ends):
            low, high = ends
            x = (low + high) / 2
            below = F(x, theta) < p
            return jnp.where(below, x, low), jnp.where(below, high, x)
        return jax.lax.fori_loop(0, 60, halve, (jnp.full_like(p, -13.0), jnp.full_like(p, 13.0)))[0]

    @solve.defjvp
    def rule(primals, tangents):
        (p, theta), (_, theta_dot) = primals, tangents
        x = solve(p, theta)
        F_dot = jax.jvp(partial(F, x), (theta,), (theta_dot,))[1]
        density = jax.jvp(lambda x: F(x, theta), (x,), (jnp.ones_like(x),))[1]
        return x, -F_dot / density

    return solve(p, theta)


# %% inverse-cdf-sample | has a rule for reverse mode only | both
def inverse_cdf_sample(p, theta):
    def F(x, theta):
        Phi = jax.scipy.special.ndtr
        return theta["w"] * Phi(x) + (1 - theta["w"]) * Phi((x - theta["m"]) / theta["s"])

    def bisect(p, theta):
        def halve(i, ends):
            low, high = ends
            x = (low + high) / 2
            below = F(x, theta) < p
            return jnp.where(below, x, low), jnp.where(below, high, x)
        return jax.lax.fori_loop(0, 60, halve, (jnp.full_like(p, -13.0), jnp.full_like(p, 13.0)))[0]

    solve = jax.custom_vjp(bisect)

    def backward(residuals, x_bar):
        x, theta = residuals
        density = jax.jvp(lambda x: F(x, theta), (x,), (jnp.ones_like(x),))[1]
        p_bar = x_bar / density
        (theta_bar,) = jax.vjp(partial(F, x), theta)[1](-p_bar)
        return p_bar, theta_bar

    def forward(p, theta):
        x = bisect(p, theta)
        return x, (x, theta)

    solve.defvjp(forward, backward)
    return solve(p, theta)


# %% inverse-cdf-sample | asks SciPy without a callback | tracers
def inverse_cdf_sample(p, theta):
    def F(x, theta):
        Phi = jax.scipy.special.ndtr
        return theta["w"] * Phi(x) + (1 - theta["w"]) * Phi((x - theta["m"]) / theta["s"])

    @jax.custom_jvp
    def solve(p, theta):
        w, m, s = (float(theta[name]) for name in ("w", "m", "s"))
        mixture = lambda x: w * special.ndtr(x) + (1 - w) * special.ndtr((x - m) / s)
        roots = [optimize.brentq(lambda x: mixture(x) - one, -13, 13, xtol=1e-12) for one in np.ravel(p)]
        return jnp.reshape(jnp.array(roots), p.shape)

    @solve.defjvp
    def rule(primals, tangents):
        (p, theta), (p_dot, theta_dot) = primals, tangents
        x = solve(p, theta)
        F_dot = jax.jvp(partial(F, x), (theta,), (theta_dot,))[1]
        density = jax.jvp(lambda x: F(x, theta), (x,), (jnp.ones_like(x),))[1]
        return x, (p_dot - F_dot) / density

    return solve(p, theta)


# %% gamma-quantile | keeps the slope from forward | has no past
class GammaQuantile(torch.autograd.Function):
    @staticmethod
    def forward(ctx, p, a):
        q = torch.as_tensor(special.gammaincinv(a, p.detach().numpy()), dtype=p.dtype)
        ctx.slope = torch.exp(q - (a - 1) * torch.log(q) + special.gammaln(a))
        return q

    @staticmethod
    def backward(ctx, q_bar):
        return q_bar * ctx.slope, None


def gamma_quantile(p, a):
    return GammaQuantile.apply(p, a)


# %% gamma-quantile | ignores the cotangent | cotangent
class GammaQuantile(torch.autograd.Function):
    @staticmethod
    def forward(ctx, p, a):
        q = torch.as_tensor(special.gammaincinv(a, p.detach().numpy()), dtype=p.dtype)
        ctx.a = a
        ctx.save_for_backward(q)
        return q

    @staticmethod
    def backward(ctx, q_bar):
        (q,), a = ctx.saved_tensors, ctx.a
        return torch.exp(q - (a - 1) * torch.log(q) + special.gammaln(a)), None


def gamma_quantile(p, a):
    return GammaQuantile.apply(p, a)


# %% gamma-quantile | takes the density at p | not at p
class GammaQuantile(torch.autograd.Function):
    @staticmethod
    def forward(ctx, p, a):
        q = torch.as_tensor(special.gammaincinv(a, p.detach().numpy()), dtype=p.dtype)
        ctx.a = a
        ctx.save_for_backward(p)
        return q

    @staticmethod
    def backward(ctx, q_bar):
        (p,), a = ctx.saved_tensors, ctx.a
        return q_bar * torch.exp(p - (a - 1) * torch.log(p) + special.gammaln(a)), None


def gamma_quantile(p, a):
    return GammaQuantile.apply(p, a)


# %% gamma-quantile | multiplies by the density | 1 over the density
class GammaQuantile(torch.autograd.Function):
    @staticmethod
    def forward(ctx, p, a):
        q = torch.as_tensor(special.gammaincinv(a, p.detach().numpy()), dtype=p.dtype)
        ctx.a = a
        ctx.save_for_backward(q)
        return q

    @staticmethod
    def backward(ctx, q_bar):
        (q,), a = ctx.saved_tensors, ctx.a
        return q_bar * torch.exp((a - 1) * torch.log(q) - q - special.gammaln(a)), None


def gamma_quantile(p, a):
    return GammaQuantile.apply(p, a)


# %% gamma-quantile | returns 64 bits whatever came | float32 out
class GammaQuantile(torch.autograd.Function):
    @staticmethod
    def forward(ctx, p, a):
        q = torch.as_tensor(special.gammaincinv(a, p.detach().double().numpy()))
        ctx.a = a
        ctx.save_for_backward(q)
        return q

    @staticmethod
    def backward(ctx, q_bar):
        (q,), a = ctx.saved_tensors, ctx.a
        return q_bar * torch.exp(q - (a - 1) * torch.log(q) + special.gammaln(a)), None


def gamma_quantile(p, a):
    return GammaQuantile.apply(p, a)


# %% gamma-quantile | leaves the tape without a rule | None for a
def gamma_quantile(p, a):
    return torch.as_tensor(special.gammaincinv(a, p.detach().numpy()), dtype=p.dtype)
