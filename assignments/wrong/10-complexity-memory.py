"""Plausible wrong answers to the exercises of chapter 10. Each must lose points and earn its hint.

Cells: `# %% exercise-id | what is wrong | a word that the hints must contain`.
"""

# %% flop-ratio | counts the gradient without the value | drops the value
def flop_ratio(f, x):
    def count(program):
        cost = jax.jit(program).lower(x).compile().cost_analysis()
        return cost.get("flops", 0) + cost.get("transcendentals", 0)

    return float(count(jax.grad(f)) / count(f))


# %% flop-ratio | leaves transcendental functions out | transcendental
def flop_ratio(f, x):
    def count(program):
        return jax.jit(program).lower(x).compile().cost_analysis().get("flops", 0)

    return float(count(jax.value_and_grad(f)) / count(f))


# %% flop-ratio | the ratio upside down | divide the first count
def flop_ratio(f, x):
    def count(program):
        cost = jax.jit(program).lower(x).compile().cost_analysis()
        return cost.get("flops", 0) + cost.get("transcendentals", 0)

    return float(count(f) / count(jax.value_and_grad(f)))


# %% flop-ratio | counts equations of the jaxpr, whatever their size | compile two programs
def flop_ratio(f, x):
    count = lambda program: len(jax.make_jaxpr(program)(x).eqns)
    return float(count(jax.value_and_grad(f)) / count(f))


# %% flop-ratio | runs f first, to warm up | do not call it
def flop_ratio(f, x):
    f(x)

    def count(program):
        cost = jax.jit(program).lower(x).compile().cost_analysis()
        return cost.get("flops", 0) + cost.get("transcendentals", 0)

    return float(count(jax.value_and_grad(f)) / count(f))


# %% flop-ratio | uses the library | compile two programs
def flop_ratio(f, x):
    both = jax.value_and_grad(f)
    return bench.flops(both, x, transcendentals=True) / bench.flops(f, x, transcendentals=True)


# %% sqrt-checkpoint | no checkpoint | the whole segment
def sqrt_checkpoint_scan(step, x, T):
    return jax.lax.scan(lambda x, _: (step(x), None), x, length=T)[0]


# %% sqrt-checkpoint | a checkpoint around each step | around each single step
def sqrt_checkpoint_scan(step, x, T):
    kept = jax.checkpoint(step)
    return jax.lax.scan(lambda x, _: (kept(x), None), x, length=T)[0]


# %% sqrt-checkpoint | one checkpoint around everything | the whole segment
def sqrt_checkpoint_scan(step, x, T):
    run = jax.checkpoint(lambda x: jax.lax.scan(lambda x, _: (step(x), None), x, length=T)[0])
    return run(x)


# %% sqrt-checkpoint | forgets the steps that are left over | left over
def sqrt_checkpoint_scan(step, x, T):
    c = math.isqrt(T)
    run = lambda f, x: jax.lax.scan(lambda x, _: (f(x), None), x, length=c)[0]
    return run(jax.checkpoint(lambda x: run(step, x)), x)


# %% sqrt-checkpoint | ten segments, whatever T | both be sqrt
def sqrt_checkpoint_scan(step, x, T):
    run = lambda f, x, length: jax.lax.scan(lambda x, _: (f(x), None), x, length=length)[0]
    segments, rest = divmod(T, 10)
    x = run(jax.checkpoint(lambda x: run(step, x, 10)), x, segments)
    return run(step, x, rest)


# %% sqrt-checkpoint | unrolls the segments | lax.scan for both
def sqrt_checkpoint_scan(step, x, T):
    c = math.isqrt(T)
    segments, rest = divmod(T, c)
    run = lambda x, length: jax.lax.scan(lambda x, _: (step(x), None), x, length=length)[0]
    segment = jax.checkpoint(lambda x: run(x, c))
    for _ in range(segments):
        x = segment(x)
    return run(x, rest)


# %% hourglass | the slide's order: forward to the waist, reverse from it | other way round
def hourglass_jacobian(g, h, x, K):
    f = lambda x: h(g(x))
    N, M = len(x), jax.eval_shape(f, x).shape[0]
    if K < min(N, M):
        return jax.jacrev(h)(g(x)) @ jax.jacfwd(g)(x)
    return (jax.jacfwd if N <= M else jax.jacrev)(f)(x)


# %% hourglass | mixes always | costs more than a pure mode
def hourglass_jacobian(g, h, x, K):
    return jax.jacfwd(h)(g(x)) @ jax.jacrev(g)(x)


# %% hourglass | always forward mode | K pullbacks
def hourglass_jacobian(g, h, x, K):
    return jax.jacfwd(lambda x: h(g(x)))(x)


# %% hourglass | forward where reverse is cheaper | forward if N <= M
def hourglass_jacobian(g, h, x, K):
    f = lambda x: h(g(x))
    N, M = len(x), jax.eval_shape(f, x).shape[0]
    if K < min(N, M):
        return jax.jacfwd(h)(g(x)) @ jax.jacrev(g)(x)
    return (jax.jacrev if N <= M else jax.jacfwd)(f)(x)


# %% hourglass | linearizes h at the first K entries of x | not at x
def hourglass_jacobian(g, h, x, K):
    return jax.jacfwd(h)(jnp.resize(x, K)) @ jax.jacrev(g)(x)


# %% hourglass | transposed | in this order
def hourglass_jacobian(g, h, x, K):
    return (jax.jacfwd(h)(g(x)) @ jax.jacrev(g)(x)).T


# %% sqrt-checkpoint | takes the largest divisor up to the root | 401 is prime
def sqrt_checkpoint_scan(step, x, T):
    def run(f, x, length):
        return jax.lax.scan(lambda x, _: (f(x), None), x, length=length)[0]

    c = max(d for d in range(1, math.isqrt(T) + 1) if T % d == 0)
    return run(jax.checkpoint(lambda x: run(step, x, c)), x, T // c)
