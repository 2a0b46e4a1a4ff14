"""Plausible wrong answers to the exercises of chapter 07. Each must lose points and earn its hint.

Cells: `# %% exercise-id | what is wrong | a word that the hints must contain`.
"""

# %% operator-matrix | puts the columns in as rows | column i
def matrix_from_operator(product, size, adjoint=False):
    return np.stack([np.array(product(e)) for e in np.eye(size)], axis=1 if adjoint else 0)


# %% operator-matrix | ignores that the product is the adjoint | row j
def matrix_from_operator(product, size, adjoint=False):
    return np.stack([np.array(product(e)) for e in np.eye(size)], axis=1)


# %% operator-matrix | keeps the product's own array instead of a copy | copy what it returns
def matrix_from_operator(product, size, adjoint=False):
    return np.stack([product(e) for e in np.eye(size)], axis=0 if adjoint else 1)


# %% operator-matrix | uses one basis vector again, which the product may overwrite | new vector
def matrix_from_operator(product, size, adjoint=False):
    e, answers = np.zeros(size), []
    for i in range(size):
        e[i] = 1.0
        answers.append(np.array(product(e)))
        e[i] = 0.0
    return np.stack(answers, axis=0 if adjoint else 1)


# %% operator-matrix | calls the product once more, to learn the shape | size times
def matrix_from_operator(product, size, adjoint=False):
    answers = np.zeros((size, len(product(np.zeros(size)))))
    for i, e in enumerate(np.eye(size)):
        answers[i] = product(e)
    return answers if adjoint else answers.T


# %% operator-matrix | calls the library | write it yourself
def matrix_from_operator(product, size, adjoint=False):
    return linop.materialize_adjoint(product, size) if adjoint else linop.materialize(product, size)


# %% adjoint-test | draws v and u from the same key | split
def adjoint_test(matvec, rmatvec, n, m, key):
    v, u = np.asarray(jax.random.normal(key, (n,))), np.asarray(jax.random.normal(key, (m,)))
    Jv, Ju = matvec(v), rmatvec(u)
    size = max(np.linalg.norm(Jv), np.linalg.norm(Ju))
    return float(abs(u @ Jv - Ju @ v) / size) if size > 0 else 0.0


# %% adjoint-test | returns the difference itself, in the units of J | any units
def adjoint_test(matvec, rmatvec, n, m, key):
    key_v, key_u = jax.random.split(key)
    v, u = np.asarray(jax.random.normal(key_v, (n,))), np.asarray(jax.random.normal(key_u, (m,)))
    return float(abs(u @ matvec(v) - rmatvec(u) @ v))


# %% adjoint-test | ignores the key | key
def adjoint_test(matvec, rmatvec, n, m, key):
    v, u = np.random.standard_normal(n), np.random.standard_normal(m)
    Jv, Ju = matvec(v), rmatvec(u)
    size = max(np.linalg.norm(Jv), np.linalg.norm(Ju))
    return float(abs(u @ Jv - Ju @ v) / size) if size > 0 else 0.0


# %% adjoint-test | takes vectors of ones instead of random ones | normal
def adjoint_test(matvec, rmatvec, n, m, key):
    v, u = np.ones(n), np.ones(m)
    Jv, Ju = matvec(v), rmatvec(u)
    size = max(np.linalg.norm(Jv), np.linalg.norm(Ju))
    return float(abs(u @ Jv - Ju @ v) / size) if size > 0 else 0.0


# %% adjoint-test | compares the norms instead of the inner products | two sides
def adjoint_test(matvec, rmatvec, n, m, key):
    key_v, key_u = jax.random.split(key)
    v, u = np.asarray(jax.random.normal(key_v, (n,))), np.asarray(jax.random.normal(key_u, (m,)))
    Jv, Ju = np.linalg.norm(matvec(v)), np.linalg.norm(rmatvec(u))
    return float(abs(Jv - Ju) / max(Jv, Ju, 1e-300))


# %% adjoint-test | calls each function again for the norms | calling it twice
def adjoint_test(matvec, rmatvec, n, m, key):
    key_v, key_u = jax.random.split(key)
    v, u = np.asarray(jax.random.normal(key_v, (n,))), np.asarray(jax.random.normal(key_u, (m,)))
    size = max(np.linalg.norm(matvec(v)), np.linalg.norm(rmatvec(u)))
    return float(abs(u @ matvec(v) - rmatvec(u) @ v) / size) if size > 0 else 0.0


# %% adjoint-test | divides zero by zero | 0.0
def adjoint_test(matvec, rmatvec, n, m, key):
    key_v, key_u = jax.random.split(key)
    v, u = np.asarray(jax.random.normal(key_v, (n,))), np.asarray(jax.random.normal(key_u, (m,)))
    Jv, Ju = matvec(v), rmatvec(u)
    with np.errstate(invalid="ignore"):
        return float(abs(u @ Jv - Ju @ v) / max(np.linalg.norm(Jv), np.linalg.norm(Ju)))


# %% weighted-adjoint | takes the plain transpose | weights on the outputs
def weighted_adjoint(J, W_x, W_y):
    return J.T


# %% weighted-adjoint | multiplies by W_x instead of solving with it | solve with W_x
def weighted_adjoint(J, W_x, W_y):
    return W_x @ J.T @ W_y


# %% weighted-adjoint | exchanges the two weights' roles | collect
def weighted_adjoint(J, W_x, W_y):
    return W_x @ np.linalg.solve(W_y, J).T


# %% weighted-adjoint | uses the diagonal of W_x alone | its diagonal
def weighted_adjoint(J, W_x, W_y):
    return (J.T @ W_y) / np.diag(W_x)[:, None]


# %% weighted-adjoint | returns the transpose of the answer | transpose it
def weighted_adjoint(J, W_x, W_y):
    return W_y @ J @ np.linalg.inv(W_x)


# %% chain-vjp | takes every pullback at x, the input of the whole chain | own step
def chain_vjp(steps, x, u):
    for f, pull in reversed(steps):
        u = pull(x, u)
    return u


# %% chain-vjp | takes each pullback at its step's value instead of its argument | own step
def chain_vjp(steps, x, u):
    points = []
    for f, _ in steps:
        x = f(x)
        points.append(x)
    for (_, pull), point in zip(reversed(steps), reversed(points)):
        u = pull(point, u)
    return u


# %% chain-vjp | goes forward through the pullbacks | last to the first
def chain_vjp(steps, x, u):
    for f, pull in steps:
        u = pull(x, u)
        x = f(x)
    return u


# %% chain-vjp | computes each point from the start again | keep the points
def chain_vjp(steps, x, u):
    for i in reversed(range(len(steps))):
        point = x
        for f, _ in steps[:i]:
            point = f(point)
        u = steps[i][1](point, u)
    return u


# %% chain-vjp | runs the last step, too | last f
def chain_vjp(steps, x, u):
    points = [x]
    for f, _ in steps:
        points.append(f(points[-1]))
    for (_, pull), point in zip(reversed(steps), reversed(points[:-1])):
        u = pull(point, u)
    return u


# %% chain-vjp | is a recursion, which stops in long chains | recursion
def chain_vjp(steps, x, u):
    f, pull = steps[0]
    return pull(x, u if len(steps) == 1 else chain_vjp(steps[1:], f(x), u))


# %% chain-vjp | empties the list of steps | in place
def chain_vjp(steps, x, u):
    points = [x]
    for f, _ in steps[:-1]:
        points.append(f(points[-1]))
    while steps:
        u = steps.pop()[1](points.pop(), u)
    return u
