"""Plausible wrong answers of problem set 2, a word of the hint that each must bring up, and the points that it keeps."""

# %% curv-contributions | takes exponentials of utilities as they are | infinite | 6
def contributions(b, traits, chosen):
    def one(b, x, c):
        utility = x @ b
        return utility[c] - jnp.log(jnp.sum(jnp.exp(utility)))

    every = jax.vmap(jax.value_and_grad(one), in_axes=(None, 0, 0))
    return every(jnp.asarray(b), jnp.asarray(traits), jnp.asarray(chosen))


# %% curv-contributions | clips the utilities | do not clip | 6
def contributions(b, traits, chosen):
    def one(b, x, c):
        utility = jnp.clip(x @ b, -500, 500)
        return utility[c] - jax.nn.logsumexp(utility)

    every = jax.vmap(jax.value_and_grad(one), in_axes=(None, 0, 0))
    return every(jnp.asarray(b), jnp.asarray(traits), jnp.asarray(chosen))


# %% curv-contributions | takes the log of a stable probability | of a probability | 6
def contributions(b, traits, chosen):
    def one(b, x, c):
        return jnp.log(jax.nn.softmax(x @ b)[c] + 1e-300)

    every = jax.vmap(jax.value_and_grad(one), in_axes=(None, 0, 0))
    return every(jnp.asarray(b), jnp.asarray(traits), jnp.asarray(chosen))


# %% curv-contributions | returns the gradient of the sum | one row for each traveler | 6
def contributions(b, traits, chosen):
    def every(b):
        u = jnp.asarray(traits) @ b
        c = jnp.asarray(chosen)
        return jnp.take_along_axis(u, c[:, None], 1)[:, 0] - jax.nn.logsumexp(u, axis=1)

    b = jnp.asarray(b)
    return every(b), jax.grad(lambda b: jnp.sum(every(b)))(b)


# %% curv-contributions | returns the scores of the loss | not of the loss | 6
def contributions(b, traits, chosen):
    def one(b, x, c):
        utility = x @ b
        return utility[c] - jax.nn.logsumexp(utility)

    every = jax.vmap(jax.value_and_grad(one), in_axes=(None, 0, 0))
    loglik, scores = every(jnp.asarray(b), jnp.asarray(traits), jnp.asarray(chosen))
    return loglik, -scores


# %% curv-contributions | returns negative log likelihoods | negative log likelihoods | 6
def contributions(b, traits, chosen):
    def one(b, x, c):
        utility = x @ b
        return utility[c] - jax.nn.logsumexp(utility)

    every = jax.vmap(jax.value_and_grad(one), in_axes=(None, 0, 0))
    loglik, scores = every(jnp.asarray(b), jnp.asarray(traits), jnp.asarray(chosen))
    return -loglik, scores


# %% curv-contributions | computes in NumPy | no NumPy function | 6
def contributions(b, traits, chosen):
    x, c = np.asarray(traits), np.asarray(chosen)
    u = x @ np.asarray(b)
    u = u - u.max(axis=1, keepdims=True)
    e = np.exp(u)
    P = e / e.sum(axis=1, keepdims=True)
    i = np.arange(len(c))
    loglik = u[i, c] - np.log(e.sum(axis=1))
    return jnp.asarray(loglik), jnp.asarray(x[i, c] - np.einsum("ij,ijk->ik", P, x))


# %% curv-contributions | holds the probabilities fixed in the scores | stop_gradient | 6
def contributions(b, traits, chosen):
    x, c = jnp.asarray(traits), jnp.asarray(chosen)
    u = x @ jnp.asarray(b)
    P = jax.lax.stop_gradient(jax.nn.softmax(u, axis=1))
    i = jnp.arange(len(c))
    return u[i, c] - jax.nn.logsumexp(u, axis=1), x[i, c] - jnp.einsum("ij,ijk->ik", P, x)


# %% curv-hvp | is of the log likelihood, not of the loss | not negative | 5
def hvp(b, v, traits, chosen):
    total = lambda b: jnp.sum(contributions(b, traits, chosen)[0])
    return jax.jvp(jax.grad(total), (b,), (v,))[1]


# %% curv-hvp | is of the mean loss | nothing is divided | 5
def hvp(b, v, traits, chosen):
    loss = lambda b: -jnp.mean(contributions(b, traits, chosen)[0])
    return jax.jvp(jax.grad(loss), (b,), (v,))[1]


# %% curv-hvp | forms the Hessian | do not form | 5
def hvp(b, v, traits, chosen):
    loss = lambda b: -jnp.sum(contributions(b, traits, chosen)[0])
    return jax.hessian(loss)(b) @ v


# %% curv-hvp | loops over the rows | do not loop | 5
def hvp(b, v, traits, chosen):
    gradient = jax.grad(lambda b: -jnp.sum(contributions(b, traits, chosen)[0]))
    row = lambda i: jax.grad(lambda b: gradient(b)[i])(b) @ v
    return jax.lax.map(row, jnp.arange(len(b)))


# %% curv-hvp | loops over travelers | over travelers | 5
def hvp(b, v, traits, chosen):
    def one(given):
        x, c = given
        loss = lambda b: -contributions(b, x[None], c[None])[0][0]
        return jax.jvp(jax.grad(loss), (b,), (v,))[1]

    return jnp.sum(jax.lax.map(one, (jnp.asarray(traits), jnp.asarray(chosen))), axis=0)


# %% curv-hvp | takes a difference of gradients | difference of gradients | 6
def hvp(b, v, traits, chosen):
    gradient = jax.grad(lambda b: -jnp.sum(contributions(b, traits, chosen)[0]))
    length = jnp.linalg.norm(v) + 1e-30
    step = 1e-5 * v / length
    return (gradient(b + step) - gradient(b - step)) / 2e-5 * length


# %% curv-hvp | cannot be compiled | could not be compiled | 5
def hvp(b, v, traits, chosen):
    loss = lambda b: -jnp.sum(contributions(b, traits, chosen)[0])
    product = jax.jvp(jax.grad(loss), (b,), (v,))[1]
    return jnp.array([float(p) for p in product])


# %% curv-hvp | returns the gradient | along v | 0
def hvp(b, v, traits, chosen):
    loss = lambda b: -jnp.sum(contributions(b, traits, chosen)[0])
    return jax.jvp(jax.grad(loss), (b,), (v,))[0]


# %% curv-trace | leaves out the exact part | is added exactly | 5
def trace_estimate(matvec, probes, sketch):
    left = np.array(probes, dtype=float)
    if len(sketch):
        Q = np.linalg.qr(np.stack([matvec(z) for z in sketch], axis=1))[0]
        left = left - (left @ Q) @ Q.T
    terms = np.array([r @ matvec(r) for r in left])
    return np.array([np.mean(terms), np.std(terms, ddof=1) / len(terms) ** 0.5])


# %% curv-trace | takes the sketch itself for the basis | not of the z | 5
def trace_estimate(matvec, probes, sketch):
    exact, left = 0.0, np.array(probes, dtype=float)
    if len(sketch):
        Q = np.linalg.qr(sketch.T)[0]
        exact = sum(q @ matvec(q) for q in Q.T)
        left = left - (left @ Q) @ Q.T
    terms = np.array([r @ matvec(r) for r in left])
    return np.array([exact + np.mean(terms), np.std(terms, ddof=1) / len(terms) ** 0.5])


# %% curv-trace | does not make the images orthonormal | orthonormal basis | 5
def trace_estimate(matvec, probes, sketch):
    exact, left = 0.0, np.array(probes, dtype=float)
    if len(sketch):
        Q = np.stack([matvec(z) for z in sketch], axis=1)
        Q = Q / np.linalg.norm(Q, axis=0)
        exact = sum(q @ matvec(q) for q in Q.T)
        left = left - (left @ Q) @ Q.T
    terms = np.array([r @ matvec(r) for r in left])
    return np.array([exact + np.mean(terms), np.std(terms, ddof=1) / len(terms) ** 0.5])


# %% curv-trace | divides by S in the standard deviation | ddof=1 | 6
def trace_estimate(matvec, probes, sketch):
    exact, left = 0.0, np.array(probes, dtype=float)
    if len(sketch):
        Q = np.linalg.qr(np.stack([matvec(z) for z in sketch], axis=1))[0]
        exact = sum(q @ matvec(q) for q in Q.T)
        left = left - (left @ Q) @ Q.T
    terms = np.array([r @ matvec(r) for r in left])
    return np.array([exact + np.mean(terms), np.std(terms) / len(terms) ** 0.5])


# %% curv-trace | returns the standard deviation of one term | not of one term | 6
def trace_estimate(matvec, probes, sketch):
    exact, left = 0.0, np.array(probes, dtype=float)
    if len(sketch):
        Q = np.linalg.qr(np.stack([matvec(z) for z in sketch], axis=1))[0]
        exact = sum(q @ matvec(q) for q in Q.T)
        left = left - (left @ Q) @ Q.T
    terms = np.array([r @ matvec(r) for r in left])
    return np.array([exact + np.mean(terms), np.std(terms, ddof=1)])


# %% curv-trace | builds the matrix from its columns | too often | 7
def trace_estimate(matvec, probes, sketch):
    H = np.stack([matvec(e) for e in np.eye(probes.shape[1])], axis=1)
    exact, left = 0.0, np.array(probes, dtype=float)
    if len(sketch):
        Q = np.linalg.qr(H @ sketch.T)[0]
        exact = np.trace(Q.T @ H @ Q)
        left = left - (left @ Q) @ Q.T
    terms = np.einsum("si,ij,sj->s", left, H, left)
    return np.array([exact + np.mean(terms), np.std(terms, ddof=1) / len(terms) ** 0.5])


# %% curv-trace | deflates from one side only | both sides | 5
def trace_estimate(matvec, probes, sketch):
    exact, left = 0.0, np.array(probes, dtype=float)
    if len(sketch):
        Q = np.linalg.qr(np.stack([matvec(z) for z in sketch], axis=1))[0]
        exact = sum(q @ matvec(q) for q in Q.T)
        left = left - (left @ Q) @ Q.T
    terms = np.array([r @ matvec(z) for r, z in zip(probes, left)])
    return np.array([exact + np.mean(terms), np.std(terms, ddof=1) / len(terms) ** 0.5])


# %% curv-trace | multiplies the mean by K, as for random unit vectors | multiplied by K | 6
def trace_estimate(matvec, probes, sketch):
    exact, left = 0.0, np.array(probes, dtype=float)
    if len(sketch):
        Q = np.linalg.qr(np.stack([matvec(z) for z in sketch], axis=1))[0]
        exact = sum(q @ matvec(q) for q in Q.T)
        left = left - (left @ Q) @ Q.T
    terms = np.array([r @ matvec(r) for r in left])
    return np.array([exact + probes.shape[1] * np.mean(terms), np.std(terms, ddof=1) / len(terms) ** 0.5])


# %% curv-lanczos | does not orthogonalize again | wrong copies | 9
def lanczos_spectrum(matvec, start, m):
    basis, alpha, beta, largest = [np.array(start) / np.linalg.norm(start)], [], [], 0.0
    for j in range(m):
        q = np.array(matvec(basis[j]))
        alpha.append(basis[j] @ q)
        q -= alpha[j] * basis[j]
        if j:
            q -= beta[j - 1] * basis[j - 1]
        beta.append(np.linalg.norm(q))
        largest = max(largest, abs(alpha[j]), *beta[:-1])
        if beta[j] <= 1e-10 * largest:
            break
        basis.append(q / beta[j])
    Q = np.stack(basis[:len(alpha)], axis=1)
    T = np.diag(alpha) + np.diag(beta[:-1], 1) + np.diag(beta[:-1], -1)
    values, S = np.linalg.eigh(T)
    return values, Q @ S, beta[-1] * np.abs(S[-1])


# %% curv-lanczos | returns the basis for the vectors | neither the q | 10
def lanczos_spectrum(matvec, start, m):
    basis, alpha, beta, largest = [np.array(start) / np.linalg.norm(start)], [], [], 0.0
    for j in range(m):
        q = np.array(matvec(basis[j]))
        alpha.append(basis[j] @ q)
        Q = np.stack(basis, axis=1)
        for again in range(2):
            q -= Q @ (Q.T @ q)
        beta.append(np.linalg.norm(q))
        largest = max(largest, abs(alpha[j]), *beta[:-1])
        if beta[j] <= 1e-10 * largest:
            break
        basis.append(q / beta[j])
    T = np.diag(alpha) + np.diag(beta[:-1], 1) + np.diag(beta[:-1], -1)
    values, S = np.linalg.eigh(T)
    return values, Q, beta[-1] * np.abs(S[-1])


# %% curv-lanczos | bounds with the first element of s | last element | 10
def lanczos_spectrum(matvec, start, m):
    basis, alpha, beta, largest = [np.array(start) / np.linalg.norm(start)], [], [], 0.0
    for j in range(m):
        q = np.array(matvec(basis[j]))
        alpha.append(basis[j] @ q)
        Q = np.stack(basis, axis=1)
        for again in range(2):
            q -= Q @ (Q.T @ q)
        beta.append(np.linalg.norm(q))
        largest = max(largest, abs(alpha[j]), *beta[:-1])
        if beta[j] <= 1e-10 * largest:
            break
        basis.append(q / beta[j])
    T = np.diag(alpha) + np.diag(beta[:-1], 1) + np.diag(beta[:-1], -1)
    values, S = np.linalg.eigh(T)
    return values, Q @ S, beta[-1] * np.abs(S[0])


# %% curv-lanczos | never stops early | three values | 11
def lanczos_spectrum(matvec, start, m):
    basis, alpha, beta = [np.array(start) / np.linalg.norm(start)], [], []
    for j in range(m):
        q = np.array(matvec(basis[j]))
        alpha.append(basis[j] @ q)
        Q = np.stack(basis, axis=1)
        for again in range(2):
            q -= Q @ (Q.T @ q)
        beta.append(np.linalg.norm(q))
        basis.append(q / beta[j])
    T = np.diag(alpha) + np.diag(beta[:-1], 1) + np.diag(beta[:-1], -1)
    values, S = np.linalg.eigh(T)
    return values, Q @ S, beta[-1] * np.abs(S[-1])


# %% curv-lanczos | stops at a limit that does not grow with the matrix | grow with the matrix | 11
def lanczos_spectrum(matvec, start, m):
    basis, alpha, beta = [np.array(start) / np.linalg.norm(start)], [], []
    for j in range(m):
        q = np.array(matvec(basis[j]))
        alpha.append(basis[j] @ q)
        Q = np.stack(basis, axis=1)
        for again in range(2):
            q -= Q @ (Q.T @ q)
        beta.append(np.linalg.norm(q))
        if beta[j] <= 1e-12:
            break
        basis.append(q / beta[j])
    T = np.diag(alpha) + np.diag(beta[:-1], 1) + np.diag(beta[:-1], -1)
    values, S = np.linalg.eigh(T)
    return values, Q @ S, beta[-1] * np.abs(S[-1])


# %% curv-lanczos | multiplies again for the bounds | more than m | 11
def lanczos_spectrum(matvec, start, m):
    basis, alpha, beta, largest = [np.array(start) / np.linalg.norm(start)], [], [], 0.0
    for j in range(m):
        q = np.array(matvec(basis[j]))
        alpha.append(basis[j] @ q)
        Q = np.stack(basis, axis=1)
        for again in range(2):
            q -= Q @ (Q.T @ q)
        beta.append(np.linalg.norm(q))
        largest = max(largest, abs(alpha[j]), *beta[:-1])
        if beta[j] <= 1e-10 * largest:
            break
        basis.append(q / beta[j])
    T = np.diag(alpha) + np.diag(beta[:-1], 1) + np.diag(beta[:-1], -1)
    values, S = np.linalg.eigh(T)
    Y = Q @ S
    HY = np.stack([matvec(y) for y in Y.T], axis=1)
    return values, Y, np.linalg.norm(HY - Y * values, axis=0)


# %% curv-lanczos | gives eigenvalues of the whole matrix | T has alpha | 3
def lanczos_spectrum(matvec, start, m):
    H = np.stack([matvec(e) for e in np.eye(len(start))], axis=1)
    values, vectors = np.linalg.eigh((H + H.T) / 2)
    return values[-m:], vectors[:, -m:], np.zeros(m)


# %% curv-newton | takes full steps | overshoots | 10
def newton_cg(value, gradient, product, start, tol):
    b = np.array(start, dtype=float)
    g = gradient(b)
    first = np.linalg.norm(g)
    for iteration in range(100):
        size = np.linalg.norm(g)
        if not size > tol:
            break
        target = min(0.5, (size / first) ** 0.5) * size
        d, r = np.zeros_like(g), -g
        v = r
        for k in range(10 * len(g)):
            if not np.linalg.norm(r) > target:
                break
            Hv = product(b, v)
            a = r @ r / (v @ Hv)
            d, r, old = d + a * v, r - a * Hv, r @ r
            v = r + r @ r / old * v
        b = b + d
        g = gradient(b)
    return b


# %% curv-newton | forms the Hessian | do not form | 10
def newton_cg(value, gradient, product, start, tol):
    b = np.array(start, dtype=float)
    for iteration in range(100):
        g = gradient(b)
        if np.linalg.norm(g) <= tol:
            break
        H = np.stack([product(b, e) for e in np.eye(len(b))])
        d = np.linalg.solve(H, -g)
        t = 1.0
        while t > 1e-9 and value(b + t * d) > value(b) + 1e-4 * t * (g @ d) + 1e-12 * abs(value(b)):
            t /= 2
        b = b + t * d
    return b


# %% curv-newton | solves each step to all digits | solve loosely | 10
def newton_cg(value, gradient, product, start, tol):
    b = np.array(start, dtype=float)
    for iteration in range(100):
        g = gradient(b)
        size = np.linalg.norm(g)
        if size <= tol:
            break
        d, r = np.zeros_like(g), -g
        v = r
        for k in range(10 * len(g)):
            if np.linalg.norm(r) <= 1e-10 * size:
                break
            Hv = product(b, v)
            a = r @ r / (v @ Hv)
            d, r, old = d + a * v, r - a * Hv, r @ r
            v = r + r @ r / old * v
        t, f = 1.0, value(b)
        while t > 1e-9 and value(b + t * d) > f + 1e-4 * t * (g @ d) + 1e-12 * abs(f):
            t /= 2
        b = b + t * d
    return b


# %% curv-newton | replaces products by differences of gradients | differences of gradients | 10
def newton_cg(value, gradient, product, start, tol):
    b = np.array(start, dtype=float)
    for iteration in range(100):
        g = gradient(b)
        size = np.linalg.norm(g)
        if size <= tol:
            break
        d, r = np.zeros_like(g), -g
        v = r
        for k in range(10 * len(g)):
            if np.linalg.norm(r) <= 0.01 * size:
                break
            h = 1e-6 / np.linalg.norm(v)
            Hv = (gradient(b + h * v) - gradient(b - h * v)) / (2 * h)
            a = r @ r / (v @ Hv)
            d, r, old = d + a * v, r - a * Hv, r @ r
            v = r + r @ r / old * v
        t, f = 1.0, value(b)
        while t > 1e-9 and value(b + t * d) > f + 1e-4 * t * (g @ d) + 1e-12 * abs(f):
            t /= 2
        b = b + t * d
    return b


# %% curv-newton | asks for a decrease below rounding and gives up | rounding of the value | 10
def newton_cg(value, gradient, product, start, tol):
    b = np.array(start, dtype=float)
    g = gradient(b)
    first = np.linalg.norm(g)
    for iteration in range(100):
        size = np.linalg.norm(g)
        if size <= tol:
            break
        target = min(0.5, (size / first) ** 0.5) * size
        d, r = np.zeros_like(g), -g
        v = r
        for k in range(10 * len(g)):
            if np.linalg.norm(r) <= target:
                break
            Hv = product(b, v)
            a = r @ r / (v @ Hv)
            d, r, old = d + a * v, r - a * Hv, r @ r
            v = r + r @ r / old * v
        t, f = 1.0, value(b)
        while value(b + t * d) >= f + 0.1 * t * (g @ d):
            t /= 2
            if t < 1e-9:
                return b
        b = b + t * d
        g = gradient(b)
    return b


# %% curv-newton | cuts CG off after K products | up to 5K | 11
def newton_cg(value, gradient, product, start, tol):
    b = np.array(start, dtype=float)
    g = gradient(b)
    first = np.linalg.norm(g)
    for iteration in range(100):
        size = np.linalg.norm(g)
        if size <= tol:
            break
        target = min(0.5, (size / first) ** 0.5) * size
        d, r = np.zeros_like(g), -g
        v = r
        for k in range(len(g)):
            if np.linalg.norm(r) <= target:
                break
            Hv = product(b, v)
            a = r @ r / (v @ Hv)
            d, r, old = d + a * v, r - a * Hv, r @ r
            v = r + r @ r / old * v
        t, f = 1.0, value(b)
        while t > 1e-9 and value(b + t * d) > f + 1e-4 * t * (g @ d) + 1e-12 * abs(f):
            t /= 2
        b = b + t * d
        g = gradient(b)
    return b


# %% curv-newton | looks at the gradient after the step only | return start | 11
def newton_cg(value, gradient, product, start, tol):
    b = np.array(start, dtype=float)
    g = gradient(b)
    first = np.linalg.norm(g)
    for iteration in range(100):
        size = np.linalg.norm(g)
        target = min(0.5, (size / first) ** 0.5) * size
        d, r = np.zeros_like(g), -g
        v = r
        for k in range(10 * len(g)):
            Hv = product(b, v)
            a = r @ r / (v @ Hv)
            d, r, old = d + a * v, r - a * Hv, r @ r
            v = r + r @ r / old * v
            if np.linalg.norm(r) <= target:
                break
        t, f = 1.0, value(b)
        while t > 1e-9 and value(b + t * d) > f + 1e-4 * t * (g @ d) + 1e-12 * abs(f):
            t /= 2
        b = b + t * d
        g = gradient(b)
        if np.linalg.norm(g) <= tol:
            break
    return b


# %% curv-errors | returns variances | roots, not variances | 5
def standard_errors(b, traits, chosen):
    H = np.stack([jax.jit(hvp)(b, e, traits, chosen) for e in np.eye(len(b))])
    S = np.asarray(jax.jit(contributions)(b, traits, chosen)[1])
    V, outer = np.linalg.inv(H), S.T @ S
    return np.stack([np.diag(V), np.diag(np.linalg.inv(outer)), np.diag(V @ outer @ V)])


# %% curv-errors | puts the Hessian in the middle of the sandwich | in the middle | 5
def standard_errors(b, traits, chosen):
    H = np.stack([jax.jit(hvp)(b, e, traits, chosen) for e in np.eye(len(b))])
    S = np.asarray(jax.jit(contributions)(b, traits, chosen)[1])
    V, W = np.linalg.inv(H), np.linalg.inv(S.T @ S)
    return np.sqrt(np.stack([np.diag(V), np.diag(W), np.diag(W @ H @ W)]))


# %% curv-errors | centers the scores of BHHH | not centered | 5
def standard_errors(b, traits, chosen):
    H = np.stack([jax.jit(hvp)(b, e, traits, chosen) for e in np.eye(len(b))])
    S = np.asarray(jax.jit(contributions)(b, traits, chosen)[1])
    V, outer, D = np.linalg.inv(H), S.T @ S, S - S.mean(axis=0)
    return np.sqrt(np.stack([np.diag(V), np.diag(np.linalg.inv(D.T @ D)), np.diag(V @ outer @ V)]))


# %% curv-errors | corrects the sandwich for n and K | no factor | 5
def standard_errors(b, traits, chosen):
    H = np.stack([jax.jit(hvp)(b, e, traits, chosen) for e in np.eye(len(b))])
    S = np.asarray(jax.jit(contributions)(b, traits, chosen)[1])
    n, K = S.shape
    V, outer = np.linalg.inv(H), S.T @ S
    return np.sqrt(np.stack([np.diag(V), np.diag(np.linalg.inv(outer)), np.diag(V @ outer @ V) * n / (n - K)]))


# %% curv-errors | inverts with a pseudo-inverse | pseudo-inverse | 6
def standard_errors(b, traits, chosen):
    H = np.stack([jax.jit(hvp)(b, e, traits, chosen) for e in np.eye(len(b))])
    S = np.asarray(jax.jit(contributions)(b, traits, chosen)[1])
    V, outer = np.linalg.pinv(H), S.T @ S
    return np.sqrt(np.stack([np.diag(V), np.diag(np.linalg.pinv(outer)), np.diag(V @ outer @ V)]))


# %% curv-errors | takes one over the roots of the Hessian's diagonal | inverse of H | 5
def standard_errors(b, traits, chosen):
    H = np.stack([jax.jit(hvp)(b, e, traits, chosen) for e in np.eye(len(b))])
    S = np.asarray(jax.jit(contributions)(b, traits, chosen)[1])
    V, outer = np.linalg.inv(H), S.T @ S
    return np.stack([1 / np.sqrt(np.diag(H)), np.sqrt(np.diag(np.linalg.inv(outer))), np.sqrt(np.diag(V @ outer @ V))])
