"""lecture_utils.matrix_functions: values against 60 digits, derivatives in both modes, and no number outside the domain."""
import functools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_utils import matrix_functions
from lecture_utils.matrix_functions import block_frechet, check_domain, matrix_function, sqrtm

N = 6                                                       # one size for most: each new one is compiled anew
few = settings(derandomize=True, deadline=None, max_examples=3)
seeds = st.integers(0, 2**20)
THREE = ["expm", "logm", "sqrtm"]

pytestmark = pytest.mark.usefixtures("x64")


def random(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def orthogonal(seed):
    return np.linalg.qr(random(seed, N, N))[0]


def positive(condition, seed):
    Q = orthogonal(seed)
    return (Q * np.geomspace(1, 1 / condition, N)) @ Q.T


def triangular(seed):
    return np.diag(np.random.default_rng(seed).uniform(0.5, 2, N)) + np.triu(5 * random(seed + 1, N, N), 1)


def general(seed):
    return 1.2 * np.eye(N) + 0.6 * random(seed, N, N) / N**0.5


def rotations(*angles):
    Q = orthogonal(3)
    blocks = [np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) for t in angles]
    return Q @ scipy.linalg.block_diag(*blocks) @ Q.T


def norm_of(size, A):
    return size * A / np.linalg.norm(A, 1)


MATRICES = {
    "positive definite": positive(10, 0), "condition 1e4": positive(1e4, 1), "condition 1e8": positive(1e8, 2),
    "rotations by up to 0.9π": rotations(0.9 * np.pi, 0.7 * np.pi, -0.3),
    "near the identity": np.eye(N) + 1e-8 * random(4, N, N),
    "norm 300, positive definite": norm_of(300, positive(1e3, 5)), "norm 300": norm_of(300, general(6)),
    "norm 9": norm_of(9, general(7)),
    "badly scaled": general(8) * 10.0 ** np.subtract.outer(np.arange(N), np.arange(N)),
    "triangular": triangular(9), "another triangular": triangular(10), "lower triangular": triangular(11).T,
    "triangular, turned": orthogonal(12) @ triangular(13) @ orthogonal(12).T,
    "a Jordan block": 1.5 * np.eye(N) + np.eye(N, k=1),
    "Hilbert": scipy.linalg.hilbert(N),
    "transition matrix": 0.7 * np.eye(N) + 0.3 * scipy.linalg.circulant(np.arange(N) / 15).T,
    "companion": scipy.linalg.companion(np.poly([1, 2, 3, 0.5, 1.5, 2.5])), "general": general(14),
    "diagonal": np.diag(np.arange(1.0, N + 1)), "identity": np.eye(N), "small": 1e-3 * general(15),
}
ONLY_EXP = {"nilpotent": np.triu(3 * random(16, N, N), 1), "zero": np.zeros((N, N)),
            "generator": MATRICES["transition matrix"] - np.eye(N),
            "skew, norm 300": norm_of(300, random(17, N, N) - random(17, N, N).T)}
OUTSIDE = {
    "an eigenvalue -1": orthogonal(50) @ np.diag([-1.0, 1, 2, 3, 4, 5]) @ orthogonal(50).T,
    "minus the identity": -np.eye(N),
    "a double eigenvalue -2": orthogonal(51) @ np.diag([-2.0, -2, 2, 3, 4, 5]) @ orthogonal(51).T, "zeros": np.zeros((N, N)),
    "singular": np.ones((N, N)), "singular and triangular": np.triu(np.ones((N, N)), 1) + np.diag([1.0, 1, 1, 1, 1, 0]),
    "small and negative": np.diag([1.0, 1, 1, 1, 1, -1e-8]), "a triangular one": triangular(52) - 1.2 * np.eye(N),
    "NaN": np.where(np.eye(N) == 1, np.nan, 0.0), "infinity": np.where(np.eye(N) == 1, np.inf, 0.0),
}
LARGE = {"rates of 1e9": 1e9 * (MATRICES["transition matrix"] - np.eye(N)), "-1e10 I": -1e10 * np.eye(N)}
EVERY = {**MATRICES, **ONLY_EXP, **OUTSIDE, **LARGE}
E = random(99, N, N)


# The reference: mpmath's numbers in NumPy's arrays, by way of the eigenvalues, which the module never computes.

def exact(A):
    return np.array([[mpmath.mpf(float(a)) for a in row] for row in A], object)


@functools.cache
def eigen(kind):
    """The eigenvalues of a matrix, V and V^-1, to at least 60 digits; equal ones are split far below rounding."""
    A = exact(EVERY[kind])
    equal = kind in ("a Jordan block", "nilpotent", "identity", "zero")
    mpmath.mp.dps = 500 if equal else 80
    if equal:
        A = A + np.diag([mpmath.mpf(10) ** -25 * i for i in range(N)])
    w, V = mpmath.eig(mpmath.matrix(A.tolist()))
    inverse = V**-1
    return list(w), np.array(V.tolist(), object).reshape(N, N), np.array(inverse.tolist(), object).reshape(N, N)


def reference(f, kind):
    """f(A) and its derivative along E (Daleckii and Krein)."""
    before = mpmath.mp.dps
    try:
        w, V, W = eigen(kind)
        mpmath.mp.dps = 500 if abs(w[0] - w[1]) < 1e-15 else 80
        values = [ORACLES[f](z) for z in w]
        slopes = [{"expm": v, "logm": 1 / z if z else 0, "sqrtm": 1 / (2 * v) if v else 0}[f] for z, v in zip(w, values)]
        divided = np.array([[slopes[i] if w[i] == w[j] else (values[i] - values[j]) / (w[i] - w[j])
                             for j in range(N)] for i in range(N)], object)
        both = (V * np.array(values, object)) @ W, V @ (divided * (W @ exact(E) @ V)) @ W
        return [np.array([[float(mpmath.re(z)) for z in row] for row in M]) for M in both]
    finally:
        mpmath.mp.dps = before


ORACLES = {"expm": mpmath.exp, "logm": mpmath.log, "sqrtm": mpmath.sqrt}
KINDS = {f: [*MATRICES, *(ONLY_EXP if f == "expm" else [])] for f in THREE}
PAIRS = [pytest.param(f, kind, id=f"{f}-{kind}") for f in KINDS for kind in KINDS[f]]


def both_modes(f):
    """A, E -> f(A), its derivative along E by forward mode, and by reverse mode: the adjoint of Eᵀ, transposed."""
    def three(A, E):
        value, pushforward = jax.linearize(f, A)
        return value, pushforward(E), jax.linear_transpose(pushforward, A)(E.T)[0].T
    return three


@functools.cache
def batch(f):
    """Values and derivatives of len(EVERY) matrices: a program takes seconds to compile, so one serves many tests."""
    return jax.jit(jax.vmap(both_modes(getattr(matrix_functions, f)), (0, None)))


@functools.cache
def ours(f):
    stack = batch(f)(np.stack([*EVERY.values()]), E)
    return {kind: [np.asarray(part[i]) for part in stack] for i, kind in enumerate(EVERY)}


def values(f, stack):
    return np.asarray(batch(f)(stack, E)[0])


def error(approximate, true):
    return np.linalg.norm(approximate - true) / (np.linalg.norm(true) or 1)


# Values and derivatives.

def test_there_are_at_least_20_matrices_for_each_function():
    assert all(len(kinds) >= 20 for kinds in KINDS.values())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("f, kind", PAIRS)
def test_value_and_derivatives_in_both_modes_agree_with_60_digits(f, kind):
    value, derivative = reference(f, kind)
    ours_value, ours_jvp, ours_vjp = ours(f)[kind]
    scipys = error(getattr(scipy.linalg, f)(EVERY[kind]), value)
    assert error(ours_value, value) <= max(10 * scipys, 1e-13)
    assert error(ours_jvp, derivative) <= 1e-12 and error(ours_vjp, derivative) <= 1e-12


def many(kind, seed):
    return np.stack([kind(seed + 100 * i) for i in range(len(EVERY))])


@few
@given(seeds)
def test_the_logarithm_undoes_the_exponential_and_the_square_root_squares_to_its_argument(seed):
    A = 0.3 * many(general, seed)
    squares = many(lambda seed: positive(10, seed), seed) @ A @ A.mT
    X = values("sqrtm", squares)
    again = values("logm", values("expm", A))
    assert max(map(error, again, A)) < 1e-13 and max(map(error, X @ X, squares)) < 1e-13


@few
@given(seeds)
def test_a_power_of_4_changes_the_root_by_a_power_of_2_and_the_last_bit_of_nothing(seed):
    A = many(lambda seed: positive(10, seed), seed)
    A[1::3], A[2::3] = A[::3][:len(A[1::3])] * 4.0**240, A[::3][:len(A[2::3])] / 4.0**240
    X, L = values("sqrtm", A), values("logm", A)
    for i in range(2, len(A), 3):
        assert np.array_equal(X[i - 1], X[i - 2] * 2.0**240) and np.array_equal(X[i], X[i - 2] / 2.0**240)
        assert error(L[i - 1], L[i - 2] + 480 * np.log(2) * np.eye(N)) < 1e-15


@functools.cache
def second_derivative(f):
    """A, E, (U, W) -> f(A), its derivative along E, and the adjoint of A -> (f(A), that derivative) at U and W: one program."""
    def value_and_adjoint(A, E, weights):
        value, pushforward = jax.linearize(lambda A: jax.jvp(getattr(matrix_functions, f), (A,), (E,)), A)
        return *value, jax.linear_transpose(pushforward, A)(weights)[0]
    return jax.jit(value_and_adjoint)


@pytest.mark.parametrize("f", THREE)
def test_complex_matrices_keep_their_type_and_first_and_second_derivatives_obey_the_block_identity(f):
    A, peer = general(30) + 0.5j * random(31, N, N), getattr(scipy.linalg, f)
    A, F, W = A if f == "expm" else A @ A.conj().T + 1j * np.eye(N), random(21, N, N) - 1j * E, random(22, N, N) + 0j
    direction, nothing = E + 1j * E.T, np.zeros((N, N), complex)
    block = np.block([[A, direction], [nothing, A]])
    second = block_frechet(peer, block, np.kron(np.eye(2), F))[:N, N:]
    value, derivative, adjoint = second_derivative(f)(A, direction, (W, nothing))         # JAX transposes without conjugation
    assert value.dtype == np.complex128 and error(value, peer(A)) < 1e-13
    assert error(derivative, block_frechet(peer, A, direction)) < 1e-12
    assert error(np.sum(adjoint * F), np.sum(W * block_frechet(peer, A, F))) < 1e-12
    assert error(np.sum(second_derivative(f)(A, direction, (nothing, W))[2] * F), np.sum(W * second)) < 1e-11


def test_complex_eigenvalues_on_the_negative_axis_or_too_near_to_it_give_nan():
    inside, on, near = (np.diag([1.0, 2, 3, 4, 5, z]).astype(complex) for z in (np.exp(3.14j), -1, -1 + 1e-16j))
    nothing = np.zeros((N, N), complex)
    for A, finite in [(inside, True), (on, False), (near, False)]:
        value, derivative, adjoint = second_derivative("sqrtm")(A, E + 0j, (nothing, E + 0j))
        assert all(np.isfinite(part).all() == finite for part in (value, derivative, adjoint))


@pytest.mark.parametrize("f", THREE)
def test_32_bits_give_the_digits_of_32_bits(f):
    A = general(40).astype(np.float32)
    value = getattr(matrix_functions, f)(A)
    assert value.dtype == np.float32 and error(value, getattr(scipy.linalg, f)(A.astype(float))) < 1e-6


fast = jax.jit(both_modes(functools.partial(sqrtm, refine=False)))


def test_the_fast_root_is_a_root_with_derivatives_in_both_modes():
    true = reference("sqrtm", "general")
    for part, by_digits in zip(fast(jnp.asarray(MATRICES["general"]), jnp.asarray(E)), [*true, true[1]]):
        assert error(part, by_digits) < 1e-13


# Outside of the domain.

@pytest.mark.parametrize("f", ["logm", "sqrtm"])
@pytest.mark.parametrize("kind", OUTSIDE)
def test_outside_of_the_domain_values_and_derivatives_in_both_modes_are_nan(f, kind):
    assert all(np.isnan(part).any() for part in ours(f)[kind])


@pytest.mark.parametrize("kind", OUTSIDE)
def test_the_fast_root_is_nan_there_too(kind):
    assert np.isnan(fast(jnp.asarray(OUTSIDE[kind]), jnp.asarray(E))[0]).any()


def test_where_rounding_decides_the_fast_root_is_nan_and_not_another_root():
    S = orthogonal(53) + 0.3 * random(54, 60, N, N)
    negative = S @ np.diag([-2.0, -2, 1, 2, 3, 4]) @ np.linalg.inv(S)
    stack = np.concatenate([negative, random(55, 60, N, 3) @ random(56, 60, 3, N)])                # singular
    assert all(np.isnan(fast(A, E)[0]).all() for A in stack)
    assert np.isnan(sqrtm(stack.astype(np.float32), refine=False)).all()


@pytest.mark.parametrize("kind, said", [("an eigenvalue -1", r"A has the eigenvalue -(1|0\.99999|1\.0000).*negative axis"),
                                        ("singular", "singular"), ("NaN", "NaN or infinity")])
def test_the_check_names_the_eigenvalue(kind, said):
    with pytest.raises(ValueError, match=said):
        check_domain(OUTSIDE[kind].astype(np.float32))
    assert check_domain(MATRICES["general"].astype(np.float32)) is None


@pytest.mark.parametrize("kind", ["NaN", "infinity", *LARGE])
def test_the_exponential_of_nan_or_of_what_is_too_large_is_nan_with_its_derivatives(kind):
    assert all(np.isnan(part).any() for part in ours("expm")[kind])


@pytest.mark.parametrize("f", THREE)
def test_a_bad_matrix_spoils_no_other_of_its_batch(f):
    assert all(np.isfinite(part).all() for kind in MATRICES for part in ours(f)[kind])


# Any analytic function, and the block matrix.

cosine = jax.jit(both_modes(matrix_function(jnp.cos)))


@pytest.mark.parametrize("kind", ["general", "a Jordan block", "identity", "positive definite"])
def test_cosine_and_its_derivative_are_true_for_equal_eigenvalues_too(kind):
    A = MATRICES[kind]
    value, derivative, adjoint = cosine(A, E)
    assert error(value, scipy.linalg.cosm(A)) < 1e-13
    assert error(derivative, block_frechet(scipy.linalg.cosm, A, E)) < 1e-12
    assert error(adjoint, derivative) < 1e-12


def test_the_circle_does_not_shrink_with_the_matrix_and_cost_the_derivative_its_digits():
    assert error(cosine(1e-8 * np.eye(N), np.eye(N))[1], -np.sin(1e-8) * np.eye(N)) < 1e-6


def test_a_power_is_differentiated_in_its_exponent_and_a_circle_that_does_not_fit_gives_nan():
    A = 0.5 * MATRICES["positive definite"] + np.eye(N)

    def power(radius):
        return jax.jit(lambda a: matrix_function(lambda z: z**a, center=1.25, radius=radius)(A))

    value, slope = jax.jit(lambda a: jax.jvp(power(0.6), (a,), (1.0,)))(0.5)
    root = scipy.linalg.sqrtm(A)
    assert error(value, root) < 1e-13 and error(slope, root @ scipy.linalg.logm(A)) < 1e-12
    assert np.isnan(power(2.0)(0.5)).all() and np.isnan(power(0.1)(0.5)).all()           # 0 inside; eigenvalues outside


def test_of_a_function_that_is_not_analytic_or_not_real_there_is_no_number():
    functions = [jnp.cos, jnp.conj, lambda z: 1j * z, jnp.sign, lambda z: jnp.abs(z) + 0j, lambda z: (z / 4) ** -64]
    A = np.diag([1.0, -1, 2, -2, 3, -3])                    # on a circle around 0, sign(z) is z / r, and |z| is r

    @jax.jit
    def value(i):
        return matrix_function(lambda z: jax.lax.switch(i, functions, z), center=0.0, radius=5.0)(A)

    assert np.isfinite(value(0)).all()
    assert all(np.isnan(value(i)).all() for i in range(1, len(functions)))


@pytest.mark.parametrize("f", [lambda z: z[:3], lambda z: z.sum()], ids=["fewer", "one"])
def test_a_function_that_is_not_elementwise_is_refused_at_the_first_call(f):
    with pytest.raises(ValueError, match="f returned"):
        jax.eval_shape(matrix_function(f), np.eye(N))


def test_the_block_is_wrong_for_functions_that_are_not_primary():
    A, direction = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    assert np.array_equal(block_frechet(lambda A: A.T, A, direction), np.zeros((2, 2)))
    assert error(block_frechet(np.linalg.inv, A, direction), -np.linalg.inv(A) @ direction @ np.linalg.inv(A)) < 1e-14
