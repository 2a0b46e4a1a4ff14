"""Hidden tests of chapter 11: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def drive_hvp(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 8))
    A, x, v = rng.standard_normal((n, n)), rng.standard_normal(n), rng.standard_normal(n)
    v /= np.linalg.norm(v)                              # a wrong length costs the second part only

    def f(z):                                        # gradient B z + exp(z), with B = (A + A')/2: no symmetry is assumed of A
        return 0.5 * z @ jnp.asarray(A, z.dtype) @ z + jnp.sum(jnp.exp(z))

    def single():
        product = jnp.asarray(answer(f, jnp.asarray(x, jnp.float32), jnp.asarray(v, jnp.float32)))
        return np.append(np.asarray(product, dtype=float), product.dtype.itemsize)

    def cost():
        """Scratch bytes over N², operations over N, and whether it stood compilation."""
        N = 3000
        smooth = lambda z: jnp.sum(z[1:] * z[:-1] ** 2) + jnp.sum(z**3)
        program = jax.jit(lambda x, v: answer(smooth, x, v)).lower(jnp.ones(N), jnp.ones(N)).compile()
        return np.array([program.memory_analysis().temp_size_in_bytes / N**2, program.cost_analysis()["flops"] / N,
                         "while" in program.as_text()], dtype=float)

    return {
        "a direction": lambda: np.asarray(answer(f, jnp.asarray(x), jnp.asarray(v))),
        "twice the direction": lambda: np.asarray(answer(f, jnp.asarray(x), jnp.asarray(2 * v))),
        "another direction": lambda: np.asarray(answer(f, jnp.asarray(x), jnp.asarray(v[::-1].copy()))),
        "no curvature": lambda: np.asarray(answer(lambda z: jnp.sum(z), jnp.asarray(x), jnp.asarray(v))),
        "32 bits": single,
        "cost": cost,
    }


def judge_hvp(arrays, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 8))
    A, x, v = rng.standard_normal((n, n)), rng.standard_normal(n), rng.standard_normal(n)
    v /= np.linalg.norm(v)
    H = (A + A.T) / 2 + np.diag(np.exp(x))
    right = lambda name, v: close(arrays, name, H @ v, rtol=1e-11, atol=1e-11)
    roughly = lambda name, v: close(arrays, name, H @ v, rtol=1e-4, atol=1e-4)
    directions = {"a direction": v, "another direction": v[::-1]}
    product = all(roughly(name, v) for name, v in directions.items())
    exact = all(right(name, v) for name, v in directions.items())
    single, cost = arrays.get("32 bits", np.zeros(0)), arrays.get("cost", np.full(3, np.inf))
    lean = cost.shape == (3,) and cost[0] < 1 and cost[1] < 200 and cost[2] == 0
    return [
        Part("the product of the Hessian with v", 1, product,
             "the answer is a derivative of the gradient along v, a vector of shape (N,); not the gradient, not v'Hv and not "
             "(∇f·v) ∇f" if arrays else ABOVE),
        Part("to all digits, in proportion to the length of v, 0 where f is linear", 1,
             exact and right("twice the direction", 2 * v) and close(arrays, "no curvature", np.zeros(n), atol=1e-12),
             "a difference of gradients has an error of its own, and a direction that is scaled to length 1 gives another "
             "product: take an automatic derivative, along v as it is given" if product else ABOVE),
        Part("32 bits stay 32 bits", 1, single.shape == (n + 1,) and single[-1] == 4
             and bool(np.allclose(single[:-1], H @ v, rtol=1e-3, atol=1e-3)),
             "for x and v in float32 the answer must be float32: look for what turns them into float64" if product else ABOVE),
        Part("no N x N array and no N passes", 1, product and lean,
             "at N = 3000 the compiled product needs too much: do not form the Hessian and do not loop over its columns or "
             "rows; one derivative of the gradient along v is all, and it must stand jax.jit" if product else ABOVE),
    ]


def drive_taylor(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    x0 = float(rng.uniform(0.2, 0.8))
    a, v = rng.uniform(0.3, 1.0, 3), rng.uniform(-1, 1, 3)
    wave = lambda z: jnp.tanh(jnp.sin(z[0]))

    def traced():
        """Operations in the traced program of order 7, calls of other programs opened."""
        def count(jaxpr):
            total = 0
            for eqn in jaxpr.eqns:
                inner = [p for p in eqn.params.values() if hasattr(p, "eqns") or hasattr(p, "jaxpr")]
                total += 1 + sum(count(getattr(p, "jaxpr", p)) for p in inner)
            return total

        program = jax.make_jaxpr(lambda x, v: jnp.asarray(answer(wave, x, v, 7)))(jnp.ones(1), jnp.ones(1))
        return np.array([count(program.jaxpr)], dtype=float)

    def take(f, x, v, K):
        x, v = jnp.asarray(x), jnp.asarray(v)
        try:                                         # compiled where it can be, which is faster
            return np.asarray(jax.jit(lambda x, v: answer(f, x, v, K))(x, v))
        except Exception:
            return np.asarray(answer(f, x, v, K))

    return {
        "exp": lambda: take(lambda z: jnp.exp(jnp.asarray(a) @ z), np.zeros(3), v, 4),
        "wave": lambda: take(wave, np.array([x0]), np.ones(1), 8),
        "stretched": lambda: take(wave, np.array([x0]), np.array([0.5]), 5),
        "a line in three dimensions": lambda: take(lambda z: z[0] * z[1] * z[2] + jnp.sum(z * z), a, v, 3),
        "order 0": lambda: take(wave, np.array([x0]), np.ones(1), 0),
        "order 1": lambda: take(wave, np.array([x0]), np.ones(1), 1),
        "operations": traced,
    }


def judge_taylor(arrays, seed):
    import math

    import mpmath

    rng = np.random.default_rng(seed)
    x0 = float(rng.uniform(0.2, 0.8))
    a, v = rng.uniform(0.3, 1.0, 3), rng.uniform(-1, 1, 3)
    with mpmath.workdps(30):
        wave = np.array(mpmath.taylor(lambda t: mpmath.tanh(mpmath.sin(t)), mpmath.mpf(x0), 8), dtype=float)
    exp = np.array([(a @ v) ** k / math.factorial(k) for k in range(5)])
    line = np.zeros(4)
    product = np.array([1.0])
    for ai, vi in zip(a, v):
        product = np.polynomial.polynomial.polymul(product, [ai, vi])
    line += product
    line[:3] += [a @ a, 2 * a @ v, v @ v]
    factorials = np.array([math.factorial(k) for k in range(9)], dtype=float)
    derivatives = close(arrays, "exp", exp * factorials[:5])                # k! forgotten costs the first part only
    scaled = lambda expected: expected * factorials[: len(expected)] if derivatives else expected
    right = lambda name, expected: close(arrays, name, scaled(expected), rtol=1e-8, atol=1e-10)
    ten = lambda name, expected: close(arrays, name, scaled(expected), rtol=1e-10, atol=1e-11)
    operations = arrays.get("operations", np.array([np.inf]))
    first = close(arrays, "exp", exp)
    return [
        Part("coefficients, not derivatives", 1, first,
             "the coefficient of t**k is the k-th derivative divided by k!, and jet returns derivatives; entry 0 is f(x), so "
             "there are order + 1 entries" if arrays else ABOVE),
        Part("along x + t v, for any v, orders 0 and 1 too", 1,
             right("stretched", wave[:6] * 0.5 ** np.arange(6)) and right("a line in three dimensions", line)
             and right("order 0", wave[:1]) and right("order 1", wave[:2]),
             "the line x + t v has the first derivative v and then zeros: ones in their place describe a curve; v counts with "
             "its length; and order 0 is f(x) alone, for which jet has no series" if arrays else ABOVE),
        Part("tanh(sin x) to ten digits at order 8", 1, ten("wave", wave),
             "compare with nested derivatives at order 2: in the input's series everything after v is zero; differences lose "
             "all digits at order 8" if arrays else ABOVE),
        Part("operations that do not triple with the order", 1,
             operations.shape == (1,) and operations[0] < 2000 and ten("wave", wave),
             "at order 7 the traced program has too many operations: derivatives nested in one another triple it with each "
             "order; one call of jet.jet gives them all" if ten("wave", wave) else ABOVE),
    ]


def drive_hutchinson(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    N, S = int(rng.integers(15, 25)), int(rng.integers(30, 50))
    root = rng.standard_normal((N, N))
    A = root + root.T
    diagonal = rng.standard_normal(N)

    def seen():
        """The vectors that were multiplied, flat, then the two results."""
        vectors = []

        def matvec(r):
            vectors.append(np.array(r, dtype=float).reshape(-1))
            return A @ r

        result = np.asarray(answer(matvec, N, S, 3), dtype=float)
        return np.concatenate([[len(vectors)], np.concatenate(vectors), result])

    return {
        "seen": seen,
        "diagonal": lambda: np.asarray(answer(lambda r: diagonal * r, N, S, 1)),
        "again": lambda: np.array([answer(lambda r: A @ r, N, S, k) for k in (4, 4, 5)]),
        "two draws": lambda: np.asarray(answer(lambda r: A @ r, N, 2, 7)),
        "many": lambda: np.array([answer(lambda r: A @ r, N, 20, k) for k in range(400)]),
    }


def judge_hutchinson(arrays, seed):
    rng = np.random.default_rng(seed)
    N, S = int(rng.integers(15, 25)), int(rng.integers(30, 50))
    root = rng.standard_normal((N, N))
    A = root + root.T
    diagonal = rng.standard_normal(N)
    seen = arrays.get("seen", np.zeros(1))
    called = bool(seen[0] == S and seen.size == 3 + S * N)
    probes = seen[1:-2].reshape(S, N) if called else np.zeros((1, N))
    forms = np.einsum("si,ij,sj->s", probes, A, probes)
    signs = called and bool(np.all(np.abs(probes) == 1)) and abs(probes.mean()) < 6 / np.sqrt(S * N) and bool(
        np.linalg.matrix_rank(probes) > min(S, N) - 3)
    mean_right = called and abs(seen[-2] - forms.mean()) < 1e-8 * np.abs(forms).max()
    se_right = called and abs(seen[-1] - forms.std(ddof=1) / S**0.5) < 1e-8 * np.abs(forms).max()
    again, many = arrays.get("again", np.zeros((3, 2))), arrays.get("many", np.full((400, 2), np.nan))
    sd = np.sqrt(2 * (np.sum(A**2) - np.sum(np.diag(A) ** 2)) / 20)
    unbiased = many.shape == (400, 2) and bool(abs(many[:, 0].mean() - np.trace(A)) < 5 * sd / 20) and bool(
        0.8 < many[:, 0].std() / sd < 1.2)
    reproducible = again.shape == (3, 2) and bool(np.all(again[0] == again[1]) and np.any(again[0] != again[2]))
    return [
        Part("S products, with entries +1 and -1", 1, signs,
             "call matvec S times, each time with a fresh vector of signs, such as draw.choice([-1.0, 1.0], size=N): not 0 and "
             "1, not normal, and not the same vector again" if arrays else ABOVE),
        Part("the mean of the quadratic forms, exact for a diagonal matrix", 1,
             mean_right and arrays.get("diagonal", np.zeros(0)).shape == (2,)
             and abs(arrays["diagonal"][0] - diagonal.sum()) < 1e-9,
             "the first number is the mean over the S draws of r @ matvec(r): nothing is multiplied by N, or divided by it"
             if called else ABOVE),
        Part("its standard error", 1, se_right and arrays.get("two draws", np.zeros(0)).shape == (2,)
             and bool(np.isfinite(arrays["two draws"]).all()),
             "the second number is the standard deviation of the S forms with S - 1 in the denominator (ddof=1), divided by the "
             "root of S" if called else ABOVE),
        Part("the seed decides, and the estimate is unbiased", 1, reproducible and unbiased,
             "with one seed the answer is the same twice, with another seed another one; over many seeds the mean is the trace: "
             "make the generator inside, from seed, and draw the entries independently" if called else ABOVE),
    ]
