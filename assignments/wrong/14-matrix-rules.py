"""Plausible wrong answers to the exercises of chapter 14. Each must lose points and earn its hint.

Cells: `# %% exercise-id | what is wrong | a word that the hints must contain`.
"""

# %% solve-vjp | takes the transpose of everything, which is for single matrices only | last two axes
def solve_vjp(A, B, X_bar):
    X = np.linalg.solve(A, B)
    B_bar = np.linalg.solve(A.T, X_bar)
    return -B_bar @ X.T, B_bar


# %% solve-vjp | solves with A instead of its transpose | A transposed
def solve_vjp(A, B, X_bar):
    X = np.linalg.solve(A, B)
    B_bar = np.linalg.solve(A, X_bar)
    return -B_bar @ np.swapaxes(X, -1, -2), B_bar


# %% solve-vjp | forms the inverse | inverse was formed
def solve_vjp(A, B, X_bar):
    C = np.linalg.inv(A)
    B_bar = np.swapaxes(C, -1, -2) @ X_bar
    return -B_bar @ np.swapaxes(C @ B, -1, -2), B_bar


# %% solve-vjp | solves for the identity | inverse was formed
def solve_vjp(A, B, X_bar):
    C = np.linalg.solve(A, np.eye(A.shape[-1]))
    B_bar = np.swapaxes(C, -1, -2) @ X_bar
    return -B_bar @ np.swapaxes(C @ B, -1, -2), B_bar


# %% solve-vjp | forgets the minus sign | minus the bar of B
def solve_vjp(A, B, X_bar):
    X = np.linalg.solve(A, B)
    B_bar = np.linalg.solve(np.swapaxes(A, -1, -2), X_bar)
    return B_bar @ np.swapaxes(X, -1, -2), B_bar


# %% solve-vjp | multiplies in the wrong order | in that order
def solve_vjp(A, B, X_bar):
    X = np.linalg.solve(A, B)
    B_bar = np.linalg.solve(np.swapaxes(A, -1, -2), X_bar)
    return -X @ np.swapaxes(B_bar, -1, -2), B_bar


# %% solve-vjp | takes the bar of B for X | minus the bar of B
def solve_vjp(A, B, X_bar):
    B_bar = np.linalg.solve(np.swapaxes(A, -1, -2), X_bar)
    return -B_bar @ np.swapaxes(B, -1, -2), B_bar


# %% solve-vjp | changes its argument | copies
def solve_vjp(A, B, X_bar):
    X = np.linalg.solve(A, B)
    X_bar[:] = np.linalg.solve(np.swapaxes(A, -1, -2), X_bar)
    return -X_bar @ np.swapaxes(X, -1, -2), X_bar.copy()


# %% solve-vjp | calls JAX | write the rule yourself
def solve_vjp(A, B, X_bar):
    _, pull = jax.vjp(jnp.linalg.solve, jnp.asarray(A), jnp.asarray(B))
    return tuple(np.asarray(bar) for bar in pull(jnp.asarray(X_bar)))


# %% cholesky-jvp | does not halve the diagonal | halve the diagonal
def cholesky_jvp(L, S_dot):
    S_dot = np.tril(S_dot) + np.tril(S_dot, -1).T
    left = scipy.linalg.solve_triangular(L, S_dot, lower=True)
    return L @ np.tril(scipy.linalg.solve_triangular(L, left.T, lower=True))


# %% cholesky-jvp | halves everything and keeps the upper triangle | keep the lower triangle
def cholesky_jvp(L, S_dot):
    S_dot = np.tril(S_dot) + np.tril(S_dot, -1).T
    left = scipy.linalg.solve_triangular(L, S_dot, lower=True)
    inner = scipy.linalg.solve_triangular(L, left.T, lower=True)
    L_dot = L @ (np.tril(inner) - np.diag(np.diag(inner)) / 2)
    return L_dot + np.triu(S_dot, 1)


# %% cholesky-jvp | takes S_dot as it stands | lower triangle of S_dot
def cholesky_jvp(L, S_dot):
    left = scipy.linalg.solve_triangular(L, S_dot, lower=True, check_finite=False)
    inner = scipy.linalg.solve_triangular(L, left.T, lower=True, check_finite=False)
    return L @ (np.tril(inner) - np.diag(np.diag(inner)) / 2)


# %% cholesky-jvp | symmetrizes by the mean of the two triangles | lower triangle of S_dot
def cholesky_jvp(L, S_dot):
    S_dot = (S_dot + S_dot.T) / 2
    left = scipy.linalg.solve_triangular(L, S_dot, lower=True, check_finite=False)
    inner = scipy.linalg.solve_triangular(L, left.T, lower=True, check_finite=False)
    return L @ (np.tril(inner) - np.diag(np.diag(inner)) / 2)


# %% cholesky-jvp | forgets the last product with L | check the transposes
def cholesky_jvp(L, S_dot):
    S_dot = np.tril(S_dot) + np.tril(S_dot, -1).T
    left = scipy.linalg.solve_triangular(L, S_dot, lower=True)
    inner = scipy.linalg.solve_triangular(L, left.T, lower=True)
    inner = np.tril(inner) - np.diag(np.diag(inner)) / 2
    return inner * np.diag(L)[:, None]


# %% cholesky-jvp | solves once only | L^-T
def cholesky_jvp(L, S_dot):
    S_dot = np.tril(S_dot) + np.tril(S_dot, -1).T
    inner = scipy.linalg.solve_triangular(L, S_dot, lower=True)
    return np.tril(inner) - np.diag(np.diag(inner)) / 2


# %% cholesky-jvp | forms the inverse | inverse was formed
def cholesky_jvp(L, S_dot):
    S_dot = np.tril(S_dot) + np.tril(S_dot, -1).T
    C = np.linalg.inv(L)
    inner = C @ S_dot @ C.T
    return L @ (np.tril(inner) - np.diag(np.diag(inner)) / 2)


# %% cholesky-jvp | differentiates with JAX | write the rule yourself
def cholesky_jvp(L, S_dot):
    S_dot = np.tril(S_dot) + np.tril(S_dot, -1).T
    S = jnp.asarray(L @ L.T)
    return np.asarray(jax.jvp(jnp.linalg.cholesky, (S,), (jnp.asarray(S_dot),))[1])


# %% cholesky-vjp | returns the lower triangle of the symmetric bar | stands for two
def cholesky_vjp(L, L_bar):
    inner = np.tril(L.T @ np.tril(L_bar))
    inner = inner - np.diag(np.diag(inner)) / 2
    solve = lambda M: scipy.linalg.solve_triangular(L, M, lower=True, trans=1)
    full = solve(solve(inner).T)
    return np.tril(full + full.T) / 2


# %% cholesky-vjp | counts the diagonal twice as well | count it once
def cholesky_vjp(L, L_bar):
    inner = np.tril(L.T @ np.tril(L_bar))
    inner = inner - np.diag(np.diag(inner)) / 2
    solve = lambda M: scipy.linalg.solve_triangular(L, M, lower=True, trans=1)
    full = solve(solve(inner).T)
    return np.tril(full + full.T)


# %% cholesky-vjp | returns the full matrix | zeros above the diagonal
def cholesky_vjp(L, L_bar):
    inner = np.tril(L.T @ np.tril(L_bar))
    inner = inner - np.diag(np.diag(inner)) / 2
    solve = lambda M: scipy.linalg.solve_triangular(L, M, lower=True, trans=1)
    full = solve(solve(inner).T)
    full = full + full.T
    return full - np.diag(np.diag(full)) / 2


# %% cholesky-vjp | does not symmetrize | symmetrize
def cholesky_vjp(L, L_bar):
    inner = np.tril(L.T @ np.tril(L_bar))
    inner = inner - np.diag(np.diag(inner)) / 2
    solve = lambda M: scipy.linalg.solve_triangular(L, M, lower=True, trans=1)
    full = solve(solve(inner).T)
    return np.tril(full)


# %% cholesky-vjp | uses what stands above the diagonal of L_bar | lower triangle first
def cholesky_vjp(L, L_bar):
    inner = np.tril(L.T @ L_bar)
    inner = inner - np.diag(np.diag(inner)) / 2
    solve = lambda M: scipy.linalg.solve_triangular(L, M, lower=True, trans=1, check_finite=False)
    full = solve(solve(inner).T)
    return np.tril(full) + np.tril(full.T, -1) + 0 * np.tril(full)


# %% cholesky-vjp | does not halve the diagonal | halves the diagonal
def cholesky_vjp(L, L_bar):
    inner = np.tril(L.T @ np.tril(L_bar))
    solve = lambda M: scipy.linalg.solve_triangular(L, M, lower=True, trans=1)
    full = solve(solve(inner).T)
    full = (full + full.T) / 2
    return np.tril(full) + np.tril(full, -1)


# %% cholesky-vjp | forms the inverse | inverse was formed
def cholesky_vjp(L, L_bar):
    inner = np.tril(L.T @ np.tril(L_bar))
    inner = inner - np.diag(np.diag(inner)) / 2
    C = np.linalg.inv(L)
    full = C.T @ inner @ C
    full = (full + full.T) / 2
    return np.tril(full) + np.tril(full, -1)


# %% cholesky-vjp | applies the forward rule to the bar | symmetrize
def cholesky_vjp(L, L_bar):
    S_dot = np.tril(L_bar) + np.tril(L_bar, -1).T
    left = scipy.linalg.solve_triangular(L, S_dot, lower=True)
    inner = scipy.linalg.solve_triangular(L, left.T, lower=True)
    return L @ (np.tril(inner) - np.diag(np.diag(inner)) / 2)


# %% sqrtm-sylvester | differentiates through eigh | gaps
def sqrtm_sylvester(A):
    w, V = jnp.linalg.eigh(A)
    return (V * jnp.sqrt(w)) @ V.T


# %% sqrtm-sylvester | registers the block-matrix formula | transpose it
def sqrtm_sylvester(A):
    def plain(A):
        halfway = lambda X, Y: ((X + jnp.linalg.inv(Y)) / 2, (Y + jnp.linalg.inv(X)) / 2)
        return jax.lax.fori_loop(0, 20, lambda i, XY: halfway(*XY), (A, jnp.eye(len(A))))[0]

    root = jax.custom_jvp(plain)

    @root.defjvp
    def root_jvp(primals, tangents):
        (A,), (E,) = primals, tangents
        double = jnp.block([[A, E], [jnp.zeros_like(A), A]])
        return root(A), plain(double)[:len(A), len(A):]

    return root(A)


# %% sqrtm-sylvester | takes half the inverse root times the tangent, as for numbers | X X_dot
def sqrtm_sylvester(A):
    @jax.custom_jvp
    def root(A):
        w, V = jnp.linalg.eigh(A)
        return (V * jnp.sqrt(w)) @ V.T

    @root.defjvp
    def root_jvp(primals, tangents):
        X = root(*primals)
        return X, jnp.linalg.solve(X, tangents[0]) / 2

    return root(A)


# %% sqrtm-sylvester | divides by sums of the eigenvalues of A | roots of the eigenvalues
def sqrtm_sylvester(A):
    @jax.custom_jvp
    def root(A):
        w, V = jnp.linalg.eigh(A)
        return (V * jnp.sqrt(w)) @ V.T

    @root.defjvp
    def root_jvp(primals, tangents):
        w, V = jnp.linalg.eigh(primals[0])
        return root(*primals), V @ (V.T @ tangents[0] @ V / (w[:, None] + w)) @ V.T

    return root(A)


# %% sqrtm-sylvester | writes the equation out with Kronecker products | N*N rows
def sqrtm_sylvester(A):
    @jax.custom_jvp
    def root(A):
        w, V = jnp.linalg.eigh(A)
        return (V * jnp.sqrt(w)) @ V.T

    @root.defjvp
    def root_jvp(primals, tangents):
        X = root(*primals)
        eye = jnp.eye(len(X))
        system = jnp.kron(X, eye) + jnp.kron(eye, X.T)
        return X, jnp.linalg.solve(system, tangents[0].ravel()).reshape(X.shape)

    return root(A)


# %% sqrtm-sylvester | registers a reverse rule only | as well as jax.grad
def sqrtm_sylvester(A):
    plain = lambda A: (lambda w, V: (V * jnp.sqrt(w)) @ V.T)(*jnp.linalg.eigh(A))
    root = jax.custom_vjp(plain)

    def back(X, X_bar):
        s, V = jnp.linalg.eigh(X)
        return (V @ (V.T @ X_bar @ V / (s[:, None] + s)) @ V.T,)

    root.defvjp(lambda A: (plain(A), plain(A)), back)
    return root(A)


# %% sqrtm-sylvester | holds the root constant within the rule | differentiated, too
def sqrtm_sylvester(A):
    @jax.custom_jvp
    def root(A):
        w, V = jnp.linalg.eigh(A)
        return (V * jnp.sqrt(w)) @ V.T

    @root.defjvp
    def root_jvp(primals, tangents):
        X = root(*primals)
        s, V = jnp.linalg.eigh(jax.lax.stop_gradient(X))
        return X, V @ (V.T @ tangents[0] @ V / (s[:, None] + s)) @ V.T

    return root(A)


# %% sqrtm-sylvester | regularizes the gaps of eigh | nothing added to A
def sqrtm_sylvester(A):
    w, V = jnp.linalg.eigh(A + 1e-9 * jnp.diag(jnp.arange(len(A))))
    return (V * jnp.sqrt(w)) @ V.T


# %% sqrtm-sylvester | takes the elementwise root | eigenvalues to the power
def sqrtm_sylvester(A):
    return jnp.sqrt(jnp.abs(A))


# %% sqrtm-sylvester | calls the library | eigenvalues to the power
def sqrtm_sylvester(A):
    from lecture_utils import matrix_functions
    return matrix_functions.sqrtm(A)
