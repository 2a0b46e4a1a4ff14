"""Patterns of known problems, for the tests of lecture_utils.sparse: no test stands here."""
import gzip
from pathlib import Path

import numpy as np
from scipy import io, sparse

DATA = Path(__file__).resolve().parent / "data"


def band(n, below, above):
    """[n, n] with `below` diagonals under the main one and `above` over it."""
    return sparse.diags_array(np.ones(below + above + 1), offsets=range(-below, above + 1), shape=(n, n)).tocsr()


def laplacian(n):
    """Five points on an n x n grid with a fixed boundary: [n², n²]. Also the Hessian of the Poisson energy."""
    return (sparse.kron(band(n, 1, 1), sparse.eye_array(n)) + sparse.kron(sparse.eye_array(n), band(n, 1, 1))).tocsr()


def brusselator(n):
    """Two species on an n x n torus, one after the other: [2n², 2n²]. Each meets its five points and the other species."""
    ring = (band(n, 1, 1) + sparse.eye_array(n, k=n - 1) + sparse.eye_array(n, k=1 - n)).tocsr()
    torus = sparse.kron(ring, sparse.eye_array(n)) + sparse.kron(sparse.eye_array(n), ring)
    return (sparse.kron(sparse.eye_array(2), torus) + sparse.kron(np.ones((2, 2)), sparse.eye_array(n * n))).tocsr()


def brusselator_colors(n):
    """Six colors for a side that six divides."""
    i, j = np.divmod(np.arange(n * n), n)
    return np.concatenate([(i + 2 * j) % 6, (i + 2 * j + 3) % 6])


def growth(T):
    """Perfect-foresight growth: the Euler equation of t meets the capital of t - 1, t and t + 1."""
    return band(T, 1, 1)


def growth_ck(T):
    """The same in (c, k), interleaved: resources meet c_t, k_t, k_{t-1}; the Euler equation meets c_t, c_{t+1}, k_t."""
    c, k = 2 * np.arange(T), 2 * np.arange(T) + 1
    rows = np.concatenate([c, c, c[1:], k, k[:-1], k])
    cols = np.concatenate([c, k, k[:-1], c, c[1:], k])
    return sparse.csr_array((np.ones(len(rows)), (rows, cols)), shape=(2 * T, 2 * T))


def growth_countries(T, countries=8):
    """The Euler equations of countries that share the world's consumption: block tridiagonal, with full blocks."""
    return sparse.kron(band(T, 1, 1), np.ones((countries, countries))).tocsr()


def planner_ck(T):
    """Hessian of a planner's welfare in (c, k), interleaved: c_t meets k_t and k_{t+1}, and k_t meets k_{t+1}."""
    c, k = 2 * np.arange(T), 2 * np.arange(T) + 1
    rows, cols = np.concatenate([c, c[:-1], k[:-1]]), np.concatenate([k, k[1:], k[1:]])
    above = sparse.csr_array((np.ones(len(rows)), (rows, cols)), shape=(2 * T, 2 * T))
    return (above + above.T + sparse.eye_array(2 * T)).tocsr()


def arrowhead(n):
    """A full first row, a full first column, and the diagonal."""
    first = np.zeros(2 * n - 1, int), np.arange(n), np.arange(1, n)
    rows, cols = np.concatenate([first[0][:n], first[2], first[2]]), np.concatenate([first[1], first[0][n:], first[2]])
    return sparse.csr_array((np.ones(len(rows)), (rows, cols)), shape=(n, n))


def iter_diff(n, k):
    """The differences of neighbors, taken k times: entry i of the result meets x_i to x_{i+k}."""
    return sparse.diags_array(np.ones(k + 1), offsets=range(k + 1), shape=(n - k, n)).tocsr()


def graph(n, edges):
    """The symmetric pattern [n, n] with a full diagonal of a graph whose vertices are numbered from 1 on."""
    A = np.eye(n)
    for i, j in edges:
        A[i - 1, j - 1] = A[j - 1, i - 1] = 1
    return A


# The two small examples of Gebremedhin, Manne, Pothen, SIAM Review 47 (2005), figures 4.1 and 6.1; the second is also that of
# Gebremedhin, Pothen, Tarafdar, Walther, INFORMS J. Computing 21 (2009), figures 1 and 4. The colors are those that they print.
FIGURE_4_1 = graph(6, [(1, 2), (2, 3), (2, 5), (2, 6), (3, 4), (4, 6)])
FIGURE_6_1 = graph(10, [(1, 2), (1, 7), (2, 3), (2, 5), (3, 4), (3, 6), (4, 10), (5, 6), (5, 8), (6, 9), (7, 8), (8, 9),
                        (9, 10)])
STAR_4_1, STAR_1, ACYCLIC_6_1 = [1, 2, 1, 3, 1, 1], [1, 2, 1, 3, 1, 4, 3, 5, 1, 2], [1, 2, 1, 2, 1, 3, 2, 3, 2, 3]


def dfl001():
    """The pattern of a linear program of Netlib: see data/README.md."""
    with gzip.open(DATA / "netlib_dfl001.mtx.gz") as file:
        return io.mmread(file)


def brusselator_6():
    """The 72 x 72 pattern of the Brusselator on a 6 x 6 torus, found by another tool: see data/README.md."""
    text = (DATA / "brusselator_6x6x2_pattern.txt").read_text(encoding="ascii")
    return np.array([row.split() for row in text.removeprefix("Bool[").removesuffix("]").split(";")], int)
