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
from lecture_utils.matrix_functions import block_frechet, check_domain, expm, logm, matrix_function, sqrtm

N = 6                                                       # one size for most: each new one is compiled anew
few = settings(derandomize=True, deadline=None, max_examples=10)
seeds = st.integers(0, 2**20)
THREE = [expm, logm, sqrtm]
name = "{.__name__}".format


@pytest.fixture(scope="module", autouse=True)
def x64():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


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
EVERY = {**MATRICES, **ONLY_EXP, **OUTSIDE}
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
KINDS = {f.__name__: [*MATRICES, *(ONLY_EXP if f is expm else [])] for f in THREE}
PAIRS = [pytest.param(f, kind, id=f"{f}-{kind}") for f in KINDS for kind in KINDS[f]]


def both_modes(f):
    """A, E -> f(A), its derivative along E by forward mode, and by reverse mode: the adjoint of Eᵀ, transposed."""
    def three(A, E):
        value, pushforward = jax.linearize(f, A)
        return value, pushforward(E), jax.linear_transpose(pushforward, A)(E.T)[0].T
    return three


@functools.cache
def ours(f):
    """Values and derivatives of all matrices in one batch."""
    stack = jax.jit(jax.vmap(both_modes(getattr(matrix_functions, f)), (0, None)))(np.stack([*EVERY.values()]), jnp.asarray(E))
    return {kind: [np.asarray(part[i]) for part in stack] for i, kind in enumerate(EVERY)}


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


@few
@given(seeds)
def test_the_logarithm_undoes_the_exponential_and_the_square_root_squares_to_its_argument(seed):
    A = general(seed)
    X = sqrtm(positive(10, seed) @ A @ A.T)
    assert error(logm(expm(0.3 * A)), 0.3 * A) < 1e-13 and error(X @ X, positive(10, seed) @ A @ A.T) < 1e-13


@few
@given(seeds)
def test_a_power_of_4_changes_the_root_by_a_power_of_2_and_the_last_bit_of_nothing(seed):
    A = positive(10, seed)
    assert np.array_equal(sqrtm(A * 4.0**240), sqrtm(A) * 2.0**240) and np.array_equal(sqrtm(A / 4.0**240), sqrtm(A) / 2.0**240)
    assert error(logm(A * 2.0**480), logm(A) + 480 * np.log(2) * np.eye(N)) < 1e-15


@pytest.mark.parametrize("f, order", [("expm", "forward"), ("logm", "reverse"), ("sqrtm", "reverse")])
def test_second_derivatives_agree_with_the_block_of_blocks(f, order):
    library, A, F, W = getattr(matrix_functions, f), 0.4 * general(20) + 0.5 * np.eye(N), random(21, N, N), random(22, N, N)
    block = np.block([[A, E], [np.zeros((N, N)), A]])
    true = block_frechet(getattr(scipy.linalg, f), block, np.kron(np.eye(2), F))[:N, N:]
    A, along, other, W = (jnp.asarray(M) for M in (A, E, F, W))
    if order == "reverse":
        gradient = jax.jit(jax.grad(lambda A: jnp.sum(W * jax.jvp(library, (A,), (along,))[1])))(A)
        assert error(np.sum(gradient * other), np.sum(W * true)) < 1e-11
    else:
        assert error(jax.jit(lambda A: jax.jvp(lambda A: jax.jvp(library, (A,), (along,))[1], (A,), (other,))[1])(A), true) < 1e-11


@pytest.mark.parametrize("f", THREE, ids=name)
def test_complex_matrices_obey_the_block_identity_and_keep_their_type(f):
    A = general(30) + 0.5j * random(31, N, N)
    A, direction = jnp.asarray(A if f is expm else A @ A.conj().T + 1j * np.eye(N)), jnp.asarray(E + 1j * E.T)
    value, derivative, adjoint = jax.jit(both_modes(f))(A, direction)     # JAX transposes without conjugation
    assert value.dtype == np.complex128 and error(value, getattr(scipy.linalg, f.__name__)(np.asarray(A))) < 1e-13
    assert error(derivative, block_frechet(getattr(scipy.linalg, f.__name__), A, direction)) < 1e-12
    assert error(adjoint, derivative) < 1e-12


@pytest.mark.parametrize("f", THREE, ids=name)
def test_32_bits_give_the_digits_of_32_bits(f):
    A = general(40).astype(np.float32)
    value = f(A)
    assert value.dtype == np.float32 and error(value, getattr(scipy.linalg, f.__name__)(A.astype(float))) < 1e-6


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


def test_a_complex_eigenvalue_on_the_negative_axis_or_too_near_to_it_gives_nan():
    inside, on, near = (np.diag([1.0, 2, 3, 4, 5, z]).astype(complex) for z in (np.exp(3.14j), -1, -1 + 1e-16j))
    assert np.isfinite(sqrtm(inside)).all() and np.isnan(sqrtm(on)).any() and np.isnan(sqrtm(near)).any()


@pytest.mark.parametrize("kind, said", [("an eigenvalue -1", r"A has the eigenvalue -1\b.*negative axis"), ("singular", "singular"),
                                        ("NaN", "NaN or infinity")])
def test_the_check_names_the_eigenvalue(kind, said):
    with pytest.raises(ValueError, match=said):
        check_domain(OUTSIDE[kind])
    assert check_domain(MATRICES["triangular"]) is None


def test_the_exponential_of_nan_or_of_what_is_too_large_is_nan_with_its_derivative():
    large = jnp.asarray(1e9 * MATRICES["general"])
    value, derivative = jax.jvp(expm, (large,), (jnp.asarray(E),))
    assert np.isnan(value).any() and np.isnan(derivative).any() and np.isnan(expm(OUTSIDE["NaN"])).any()


# Any analytic function, and the block matrix.

@pytest.mark.parametrize("kind", ["general", "a Jordan block", "identity", "positive definite"])
def test_cosine_and_its_derivative_are_true_for_equal_eigenvalues_too(kind):
    A, cos = MATRICES[kind], matrix_function(jnp.cos)
    value, derivative, adjoint = jax.jit(both_modes(cos))(jnp.asarray(A), jnp.asarray(E))
    assert error(value, scipy.linalg.cosm(A)) < 1e-13
    assert error(derivative, block_frechet(scipy.linalg.cosm, A, E)) < 1e-12
    assert error(adjoint, derivative) < 1e-12


def test_a_power_is_differentiated_in_its_exponent_and_a_circle_that_does_not_fit_gives_nan():
    A = 0.5 * MATRICES["positive definite"] + np.eye(N)

    def power(a, **circle):
        return matrix_function(lambda z: z**a, points=96, **circle)(A)

    value, slope = jax.jvp(lambda a: power(a, center=1.25, radius=0.6), (0.5,), (1.0,))
    assert error(value, sqrtm(A)) < 1e-13 and error(slope, sqrtm(A) @ logm(A)) < 1e-12
    assert np.isnan(power(0.5, center=1.25, radius=2.0)).all()                    # 0 inside
    assert np.isnan(power(0.5, center=1.25, radius=0.1)).all()                    # eigenvalues outside
    assert np.isnan(matrix_function(jnp.conj)(A)).all() and np.isnan(matrix_function(lambda z: 1j * z)(A)).all()


@pytest.mark.parametrize("f", [lambda z: z[:3], lambda z: z.sum()], ids=["fewer", "one"])
def test_a_function_that_is_not_elementwise_is_refused_at_the_first_call(f):
    with pytest.raises(ValueError, match="f returned"):
        matrix_function(f)(np.eye(N))


def test_the_block_is_wrong_for_functions_that_are_not_primary():
    A, direction = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    assert np.array_equal(block_frechet(lambda A: A.T, A, direction), np.zeros((2, 2)))
    assert error(block_frechet(np.linalg.inv, A, direction), -np.linalg.inv(A) @ direction @ np.linalg.inv(A)) < 1e-14
