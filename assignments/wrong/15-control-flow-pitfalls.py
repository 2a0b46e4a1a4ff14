"""Plausible wrong answers to the exercises of chapter 15. Each must lose points and earn its hint.

Cells: `# %% exercise-id | what is wrong | a word that the hints must contain`.
"""

# %% safe-norm | takes the library's norm | harmless first
def safe_norm(x):
    return jnp.linalg.norm(x)


# %% safe-norm | chooses the result alone | harmless first
def safe_norm(x):
    square = jnp.sum(x * x)
    return jnp.where(square > 0, jnp.sqrt(square), 0.0)


# %% safe-norm | adds a small number under the root | added under the root
def safe_norm(x):
    return jnp.sqrt(jnp.sum(x * x) + 1e-12)


# %% safe-norm | cuts off at a threshold | threshold
def safe_norm(x):
    square = jnp.sum(x * x)
    small = square < 1e-12
    return jnp.where(small, 0.0, jnp.sqrt(jnp.where(small, 1.0, square)))


# %% safe-norm | replaces each entry that is 0, not the vector | not on the entries
def safe_norm(x):
    zero = jnp.all(x == 0)
    return jnp.where(zero, 0.0, jnp.linalg.norm(jnp.where(x == 0, 1.0, x)))


# %% safe-norm | branches in Python | Python if
def safe_norm(x):
    if jnp.all(x == 0):
        return 0.0 * jnp.sum(x)
    return jnp.linalg.norm(x)


# %% safe-sqrt-where | chooses the result alone | not its result alone
def safe_sqrt_where(x, floor):
    return jnp.where(x > floor, jnp.sqrt(x), floor**0.5)


# %% safe-sqrt-where | takes the maximum, which splits a tie and hands nan on | hand a nan
def safe_sqrt_where(x, floor):
    return jnp.sqrt(jnp.maximum(x, floor))


# %% safe-sqrt-where | counts the floor itself as above | at the floor itself
def safe_sqrt_where(x, floor):
    above = x >= floor
    return jnp.where(above, jnp.sqrt(jnp.where(above, x, 1.0)), floor**0.5)


# %% safe-sqrt-where | returns the floor instead of its root | root of the floor
def safe_sqrt_where(x, floor):
    above = x > floor
    return jnp.where(above, jnp.sqrt(jnp.where(above, x, 1.0)), floor)


# %% spot-the-wrong-gradient | tests along one random direction, to one side | both sides
def spot_the_wrong_gradient(cases):
    def right(f, gradient, x):
        if not np.all(np.isfinite(gradient(x))):
            return False
        v = np.random.default_rng(0).standard_normal(len(x)) * np.where(x == 0, 1, abs(x))
        return checks.taylor_test(f, x, v, jvp=lambda x, v: gradient(x) @ v).ok
    return [not right(*case) for case in cases]


# %% spot-the-wrong-gradient | takes central differences, which average the two sides of a kink | central difference
def spot_the_wrong_gradient(cases):
    def right(f, gradient, x):
        for i in range(len(x)):
            step = 1e-5 * (abs(x[i]) or 1.0) * np.eye(len(x))[i]
            slope = (f(x + step) - f(x - step)) / (2 * step[i])
            if not abs(gradient(x)[i] - slope) <= 1e-3 * abs(slope) + 1e-7:
                return False
        return True
    return [not right(*case) for case in cases]


# %% spot-the-wrong-gradient | takes one step for all inputs | scale it
def spot_the_wrong_gradient(cases):
    def right(f, gradient, x):
        for i in range(len(x)):
            for step in (1e-4, -1e-4):
                slope = (f(x + step * np.eye(len(x))[i]) - f(x)) / step
                if not abs(gradient(x)[i] - slope) <= 1e-3 * (1 + abs(slope)):
                    return False
        return True
    return [not right(*case) for case in cases]


# %% spot-the-wrong-gradient | lets nan pass, since it compares as False | not finite
def spot_the_wrong_gradient(cases):
    def wrong(f, gradient, x):
        for i in range(len(x)):
            for side in (1, -1):
                step = side * 1e-7 * (abs(x[i]) or 1.0)
                slope = (f(x + step * np.eye(len(x))[i]) - f(x)) / step
                if abs(gradient(x)[i] - slope) > 1e-3 * abs(slope) + 1e-6:
                    return True
        return False
    return [wrong(*case) for case in cases]


# %% spot-the-wrong-gradient | says which are right | accused
def spot_the_wrong_gradient(cases):
    def right(f, gradient, x):
        if not np.all(np.isfinite(gradient(x))):
            return False
        v = np.where(x == 0, 1, abs(x))
        return checks.taylor_test(f, x, v, jvp=lambda x, v: gradient(x) @ v).ok
    return [right(*case) for case in cases]


# %% bounded-while | calls while_loop | no reverse mode
def bounded_while(going, step, x, length):
    return jax.lax.while_loop(going, step, x)


# %% bounded-while | does not stop | after
def bounded_while(going, step, x, length):
    return jax.lax.fori_loop(0, length, lambda i, z: step(z), x)


# %% bounded-while | differentiates the step where the loop has ended | harmless state
def bounded_while(going, step, x, length):
    def masked(state, _):
        return jnp.where(going(state), step(state), state), None
    return jax.lax.scan(masked, x, length=length)[0]


# %% bounded-while | takes a fixed number for a harmless state | such as the start
def bounded_while(going, step, x, length):
    def masked(state, _):
        on = going(state)
        return jnp.where(on, step(jnp.where(on, state, 1.0)), state), None
    return jax.lax.scan(masked, x, length=length)[0]


# %% bounded-while | loops in Python, which cannot be compiled | Python while
def bounded_while(going, step, x, length):
    for _ in range(length):
        if not going(x):
            break
        x = step(x)
    return x


# %% bounded-while | makes one step fewer | `length` itself
def bounded_while(going, step, x, length):
    def masked(state, _):
        on = going(state)
        return jnp.where(on, step(jnp.where(on, state, x)), state), None
    return jax.lax.scan(masked, x, length=length - 1)[0]
