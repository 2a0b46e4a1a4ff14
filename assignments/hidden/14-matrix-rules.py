"""Hidden tests of chapter 14: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def complex_step(f, inputs, shape, bar):
    """Gradient of sum(bar * f(inputs)) by the first input of that shape: one complex step for each element."""
    gradient = np.zeros(shape)
    for at in np.ndindex(*shape):
        moved = np.array(inputs, dtype=complex)
        moved[at] += 1e-30j
        gradient[at] = np.sum(bar * f(moved)).imag / 1e-30
    return gradient


def factor_of(lower):
    """Cholesky factor of the symmetric matrix with that lower triangle, real or complex: no conjugates, for complex steps."""
    N = len(lower)
    L = np.zeros((N, N), dtype=complex)
    for j in range(N):
        L[j, j] = np.sqrt(lower[j, j] - np.sum(L[j, :j] ** 2))
        for i in range(j + 1, N):
            L[i, j] = (lower[i, j] - np.sum(L[i, :j] * L[j, :j])) / L[j, j]
    return L


def careful(arrays, *given):
    """(whether the arguments are as they were, how many inverses were formed) of an array "careful": the count, then the arguments."""
    found, before = arrays.get("careful", np.zeros(0)), np.concatenate([x.ravel() for x in given])
    return bool(np.array_equal(found[1:], before)), int(found[0]) if found.size else 1


def systems(seed):
    rng = np.random.default_rng(seed)
    N = int(rng.integers(3, 6))
    one = [rng.standard_normal((N, N)) + 2 * N**0.5 * np.eye(N), rng.standard_normal((N, 2)), rng.standard_normal((N, 2))]
    many = [rng.standard_normal((2, 3, N, N)) + 2 * N**0.5 * np.eye(N), rng.standard_normal((2, 3, N, 1)), rng.standard_normal((2, 3, N, 1))]
    return one, many


def drive_solve_vjp(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np
    import scipy.linalg

    inverses = []

    def refuse(*args, **kwargs):
        raise RuntimeError("write the rule yourself: no automatic differentiation in this exercise")

    def counted(f):
        return lambda *args, **kwargs: (inverses.append(1), f(*args, **kwargs))[1]

    for name in ("grad", "value_and_grad", "vjp", "jvp", "linearize", "jacfwd", "jacrev", "linear_transpose"):
        setattr(jax, name, refuse)
    for module, names in ((np.linalg, ("inv", "pinv")), (scipy.linalg, ("inv", "pinv")), (jnp.linalg, ("inv", "pinv"))):
        for name in names:
            setattr(module, name, counted(getattr(module, name)))
    rng = np.random.default_rng(seed)
    N = int(rng.integers(3, 6))
    one = [rng.standard_normal((N, N)) + 2 * N**0.5 * np.eye(N), rng.standard_normal((N, 2)), rng.standard_normal((N, 2))]
    many = [rng.standard_normal((2, 3, N, N)) + 2 * N**0.5 * np.eye(N), rng.standard_normal((2, 3, N, 1)), rng.standard_normal((2, 3, N, 1))]

    def careful():
        given = [x.copy() for x in one]
        answer(*given)
        inverses.clear()
        identity = np.eye(N)                    # solving for the identity is forming the inverse as well
        seen = []
        solve = np.linalg.solve

        def watched(a, b, *args, **kwargs):
            seen.append(np.shape(b) == (N, N) and bool((np.asarray(b) == identity).all()))
            return solve(a, b, *args, **kwargs)

        np.linalg.solve = watched
        answer(*[x.copy() for x in one])
        np.linalg.solve = solve
        return np.concatenate([[len(inverses) + sum(seen)], *(x.ravel() for x in given)])

    return {
        "A": lambda: answer(*[x.copy() for x in one])[0],
        "B": lambda: answer(*[x.copy() for x in one])[1],
        "A many": lambda: answer(*[x.copy() for x in many])[0],
        "B many": lambda: answer(*[x.copy() for x in many])[1],
        "careful": careful,
    }


def judge_solve_vjp(arrays, seed):
    one, many = systems(seed)
    A, B, X_bar = one
    A_bar = complex_step(lambda A: np.linalg.solve(A, B), A, A.shape, X_bar)
    B_bar = complex_step(lambda B: np.linalg.solve(A, B), B, B.shape, X_bar)
    right = close(arrays, "A", A_bar, rtol=1e-10) and close(arrays, "B", B_bar, rtol=1e-10)
    A_many, B_many = np.zeros(many[0].shape), np.zeros(many[1].shape)
    for at in np.ndindex(2, 3):
        A, B, X_bar = (x[at] for x in many)
        A_many[at] = complex_step(lambda A, B=B: np.linalg.solve(A, B), A, A.shape, X_bar)
        B_many[at] = complex_step(lambda B, A=A: np.linalg.solve(A, B), B, B.shape, X_bar)
    stacks = close(arrays, "A many", A_many, rtol=1e-10) and close(arrays, "B many", B_many, rtol=1e-10)
    kept, inverses = careful(arrays, *one)
    b_right = close(arrays, "B", B_bar, rtol=1e-10)
    return [
        Part("one system", 1, right,
             "one solve with A transposed gives the bar of B" if not b_right else
             "the bar of A is minus the bar of B times X transposed, in that order; it has the shape of A"),
        Part("stacks of systems", 1, stacks,
             ABOVE if not right else "for stacks transpose the last two axes only: .T reverses all of them"),
        Part("no inverse, arguments left alone", 1, right and kept and inverses == 0,
             ABOVE if not right else
             "the arguments were changed: work on copies" if not kept else
             "an inverse was formed: solve with the matrix and with its transpose instead"),
    ]


def factors(seed):
    rng = np.random.default_rng(seed)
    N = int(rng.integers(3, 6))
    L = np.tril(rng.standard_normal((N, N)), -1) + np.diag(rng.uniform(1, 2, N))
    other = rng.standard_normal((N, N))
    diagonal = np.diag(rng.standard_normal(N))
    return N, L, other, diagonal


def drive_cholesky_jvp(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np
    import scipy.linalg

    inverses = []

    def refuse(*args, **kwargs):
        raise RuntimeError("write the rule yourself: no automatic differentiation in this exercise")

    def counted(f):
        return lambda *args, **kwargs: (inverses.append(1), f(*args, **kwargs))[1]

    for name in ("grad", "value_and_grad", "vjp", "jvp", "linearize", "jacfwd", "jacrev", "linear_transpose"):
        setattr(jax, name, refuse)
    for module, names in ((np.linalg, ("inv", "pinv")), (scipy.linalg, ("inv", "pinv")), (jnp.linalg, ("inv", "pinv"))):
        for name in names:
            setattr(module, name, counted(getattr(module, name)))
    rng = np.random.default_rng(seed)
    N = int(rng.integers(3, 6))
    L = np.tril(rng.standard_normal((N, N)), -1) + np.diag(rng.uniform(1, 2, N))
    other = rng.standard_normal((N, N))
    diagonal = np.diag(rng.standard_normal(N))
    both = np.tril(other) + np.tril(other, -1).T
    lower, garbage = np.tril(other), np.triu(np.full((N, N), np.nan), 1)

    def careful():
        given = [L.copy(), both.copy()]
        inverses.clear()
        answer(*given)
        return np.concatenate([[len(inverses)], *(x.ravel() for x in given)])

    return {
        "diagonal": lambda: answer(np.diag(np.diag(L)), diagonal.copy()),
        "symmetric": lambda: answer(L.copy(), both.copy()),
        "lower": lambda: answer(L.copy(), lower.copy()),
        "garbage": lambda: answer(L.copy(), lower + garbage),
        "careful": careful,
    }


def judge_cholesky_jvp(arrays, seed):
    N, L, other, diagonal = factors(seed)
    lower = np.tril(other)
    S = np.tril(L @ L.T)
    expected = factor_of(S + 1e-30j * lower).imag / 1e-30
    simple = close(arrays, "diagonal", np.diag(np.diag(diagonal) / (2 * np.diag(L))), rtol=1e-10)
    symmetric = close(arrays, "symmetric", expected, rtol=1e-10)
    below = "symmetric" in arrays and arrays["symmetric"].shape == (N, N) and np.allclose(np.tril(arrays["symmetric"]), expected, rtol=1e-10)
    stored = close(arrays, "lower", expected, rtol=1e-10) and close(arrays, "garbage", expected, rtol=1e-10)
    kept, inverses = careful(arrays, L, lower + np.tril(other, -1).T)
    return [
        Part("the rule", 1, symmetric,
             "the result has zeros above the diagonal: keep the lower triangle of the inner matrix" if below else
             "for a diagonal S the factor is the root, and L_dot is S_dot / (2 L): halve the diagonal" if not simple else
             "L_dot = L times the lower triangle, with its diagonal halved, of L^-1 S_dot L^-T: check the transposes"),
        Part("triangular storage", 1, stored,
             ABOVE if not symmetric else "only the lower triangle of S_dot is stored: build the symmetric direction from it first"),
        Part("no inverse, arguments left alone", 1, symmetric and kept and inverses == 0,
             ABOVE if not symmetric else
             "the arguments were changed: work on copies" if not kept else
             "an inverse was formed: use solve_triangular"),
    ]


def drive_cholesky_vjp(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np
    import scipy.linalg

    inverses = []

    def refuse(*args, **kwargs):
        raise RuntimeError("write the rule yourself: no automatic differentiation in this exercise")

    def counted(f):
        return lambda *args, **kwargs: (inverses.append(1), f(*args, **kwargs))[1]

    for name in ("grad", "value_and_grad", "vjp", "jvp", "linearize", "jacfwd", "jacrev", "linear_transpose"):
        setattr(jax, name, refuse)
    for module, names in ((np.linalg, ("inv", "pinv")), (scipy.linalg, ("inv", "pinv")), (jnp.linalg, ("inv", "pinv"))):
        for name in names:
            setattr(module, name, counted(getattr(module, name)))
    rng = np.random.default_rng(seed)
    N = int(rng.integers(3, 6))
    L = np.tril(rng.standard_normal((N, N)), -1) + np.diag(rng.uniform(1, 2, N))
    other = rng.standard_normal((N, N))
    diagonal = np.diag(rng.standard_normal(N))
    lower, garbage = np.tril(other), np.triu(np.full((N, N), np.nan), 1)

    def careful():
        given = [L.copy(), lower.copy()]
        inverses.clear()
        answer(*given)
        return np.concatenate([[len(inverses)], *(x.ravel() for x in given)])

    return {
        "lower": lambda: answer(L.copy(), lower.copy()),
        "full": lambda: answer(L.copy(), other.copy()),
        "garbage": lambda: answer(L.copy(), lower + garbage),
        "diagonal": lambda: answer(np.diag(np.diag(L)), diagonal.copy()),
        "careful": careful,
    }


def judge_cholesky_vjp(arrays, seed):
    N, L, other, diagonal = factors(seed)
    lower, S = np.tril(other), np.tril(L @ L.T)
    expected = np.tril(complex_step(factor_of, S, S.shape, lower))
    right = close(arrays, "lower", expected, rtol=1e-10)
    ignored = close(arrays, "full", expected, rtol=1e-10) and close(arrays, "garbage", expected, rtol=1e-10)
    given = arrays.get("lower", np.zeros(0))
    shaped = given.shape == (N, N)
    full = shaped and np.allclose(np.tril(given), (np.tril(expected, -1) / 2 + np.diag(np.diag(expected))), rtol=1e-8)
    above = shaped and not full and np.allclose(np.tril(given), expected, rtol=1e-8)
    on_diagonal = shaped and np.allclose(np.diag(given), np.diag(expected), rtol=1e-8)
    kept, inverses = careful(arrays, L, lower)
    return [
        Part("the bar of the stored elements", 2, right,
             "a stored element below the diagonal stands for two elements of S: it gets both bars" if full else
             "the stored triangle is the lower one: return zeros above the diagonal" if above else
             "an element on the diagonal is one element of S: count it once" if shaped and not on_diagonal and np.allclose(
                 np.tril(given, -1), np.tril(expected, -1), rtol=1e-8) else
             "symmetrize L^-T Phi(L' L_bar) L^-1, where Phi keeps the lower triangle and halves the diagonal"),
        Part("what stands above the diagonal of L_bar", 1, ignored,
             ABOVE if not right else "above the diagonal of L_bar may stand anything: take its lower triangle first"),
        Part("no inverse, arguments left alone", 1, right and kept and inverses == 0,
             ABOVE if not right else
             "the arguments were changed: work on copies" if not kept else
             "an inverse was formed: use solve_triangular with trans=1"),
    ]


def spectra(seed):
    """Symmetric matrices (distinct eigenvalues, repeated ones) and directions: [4, 4] each."""
    rng = np.random.default_rng(seed)
    V = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    distinct = (V * np.array([0.5, 1.5, 3.0, 6.0])) @ V.T
    repeated = (V * np.array([2.0, 2.0, 2.0, 5.0])) @ V.T
    E, U = rng.standard_normal((2, 4, 4))
    return (distinct + distinct.T) / 2, (repeated + repeated.T) / 2, (E + E.T) / 2, (U + U.T) / 2


def drive_sqrtm_sylvester(answer, seed):
    from types import FunctionType

    import jax
    import jax.numpy as jnp
    import numpy as np

    from lecture_utils import bench

    def refuse(*args, **kwargs):
        raise RuntimeError("write it yourself: this exercise asks for a function of your own")

    try:                                        # in place, so that a name bound before is refused as well
        from lecture_utils import matrix_functions
        for function in list(vars(matrix_functions).values()):
            function = getattr(function, "__wrapped__", function)
            if isinstance(function, FunctionType) and function.__module__.startswith("lecture_utils.") and "_inputs" not in function.__module__:
                function.__code__ = refuse.__code__
    except (ImportError, ValueError):
        pass
    rng = np.random.default_rng(seed)
    V = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    distinct = (V * np.array([0.5, 1.5, 3.0, 6.0])) @ V.T
    repeated = (V * np.array([2.0, 2.0, 2.0, 5.0])) @ V.T
    E, U = rng.standard_normal((2, 4, 4))
    distinct, repeated, E, U = (jnp.asarray((M + M.T) / 2) for M in (distinct, repeated, E, U))
    loss = lambda A: jnp.sum(U * answer(A))
    both = jnp.stack([distinct, repeated])
    forward = lambda A: jax.jvp(answer, (A,), (E,))[1]
    return {
        "value": lambda: answer(distinct),
        "value repeated": lambda: answer(repeated),
        "jvp": lambda: forward(distinct),
        "grad": lambda: jax.grad(loss)(distinct),
        "jvp repeated": lambda: forward(repeated),
        "grad repeated": lambda: jax.grad(loss)(repeated),
        "jit vmap jvp": lambda: jax.jit(jax.vmap(forward))(both),
        "jit vmap grad": lambda: jax.jit(jax.vmap(jax.grad(loss)))(both),
        "second forward": lambda: jax.jvp(forward, (distinct,), (E,))[1],
        "second mixed": lambda: jax.jvp(jax.grad(loss), (distinct,), (E,))[1],
        "bytes 40": lambda: np.array(float(bench.temp_bytes(
            lambda A: jax.jvp(answer, (A,), (jnp.ones((40, 40)),))[1], 2 * jnp.eye(40)))),
    }


def judge_sqrtm_sylvester(arrays, seed):
    distinct, repeated, E, U = spectra(seed)

    def root(A):
        w, V = np.linalg.eigh(A)
        return (V * np.sqrt(w)) @ V.T

    def slope(A, E):
        w, V = np.linalg.eigh(A)
        s = np.sqrt(w)
        return V @ ((V.T @ E @ V) / (s[:, None] + s)) @ V.T

    half = lambda name: (arrays[name] + np.swapaxes(arrays[name], -1, -2)) / 2 if name in arrays and arrays[name].ndim >= 2 else None
    symmetric = {name: half(name) for name in arrays if half(name) is not None}
    value = close(arrays, "value", root(distinct), rtol=1e-10) and close(arrays, "value repeated", root(repeated), rtol=1e-10)
    forward = close(arrays, "jvp", slope(distinct, E), rtol=1e-10)
    backward = close(symmetric, "grad", slope(distinct, U), rtol=1e-10)
    again = close(arrays, "jvp repeated", slope(repeated, E), rtol=1e-10) and close(symmetric, "grad repeated", slope(repeated, U), rtol=1e-10)
    compiled = (close(arrays, "jit vmap jvp", np.stack([slope(distinct, E), slope(repeated, E)]), rtol=1e-10)
                and close(symmetric, "jit vmap grad", np.stack([slope(distinct, U), slope(repeated, U)]), rtol=1e-10))
    h = 1e-4
    second = lambda F: (8 * (slope(distinct + h * E, F) - slope(distinct - h * E, F))
                        - (slope(distinct + 2 * h * E, F) - slope(distinct - 2 * h * E, F))) / (12 * h)
    twice = close(arrays, "second forward", second(E), rtol=1e-6, atol=1e-8) and close(symmetric, "second mixed", second(U), rtol=1e-6, atol=1e-8)
    small = float(arrays.get("bytes 40", np.array(np.inf))) < 4e6
    return [
        Part("both modes", 1, value and forward and backward,
             "the square root itself is not right to ten digits: eigenvalues to the power one half, in the basis of eigenvectors, and "
             "nothing added to A" if not value else
             "X X_dot + X_dot X = A_dot: in the basis of eigenvectors of X, divide element (i, j) by s_i + s_j, the roots of the "
             "eigenvalues; jax.jvp must work as well as jax.grad" if not forward else
             "the gradient fails or is wrong: the rule must be linear in the tangent step by step, so that JAX can transpose it"),
        Part("repeated eigenvalues, jit and vmap", 2, again and compiled,
             ABOVE if not (forward and backward) else
             "where eigenvalues are equal the derivative is lost: a rule of your own must not divide by their gaps" if not again else
             "under jit and vmap the derivatives are lost: no Python branches on values, no NumPy inside"),
        Part("second derivatives", 1, value and forward and twice,
             ABOVE if not (value and forward) else
             "second derivatives are wrong: inside the rule take X from the function with the rule, so that it is differentiated, too"),
        Part("memory", 1, forward and backward and small,
             ABOVE if not (forward and backward) else
             "the Sylvester equation was written out as a matrix of N*N rows: solve it in the basis of eigenvectors instead"),
    ]
