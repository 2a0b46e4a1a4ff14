"""A Jacobian by differences, ours beside SciPy's and numdifftools', in accuracy, evaluations and time: `make bench`.

f(x)_i = sin(x_i) exp(-x_{i-1}) + x_{i+1}^2, for N = 10, at x between 0.5 and 1.5, in 64-bit floats; its Jacobian is known.
Times are ratios to our central differences, medians in turns; f is cheap, so they show the cost of the machinery.
"""
import numdifftools
import numpy as np
from scipy import differentiate, optimize

from lecture_utils import bench, finite_diff

N = 10


def f(x):
    """[N] -> [N]; also [N, K] -> [N, K], one column at a time, as scipy.differentiate asks."""
    return np.sin(x) * np.exp(-np.roll(x, 1, axis=0)) + np.roll(x, -1, axis=0) ** 2


def exact(x):
    """The Jacobian of f at x: [N, N]."""
    before, J, i = np.roll(x, 1), np.zeros((N, N)), np.arange(N)
    J[i, i] = np.cos(x) * np.exp(-before)
    J[i, i - 1] += -np.sin(x) * np.exp(-before)
    J[i, (i + 1) % N] += 2 * np.roll(x, -1)
    return J


def ways(f):
    """The ways to the Jacobian, as functions of x."""
    ours = {f"finite_diff, {method}": lambda x, method=method: finite_diff.jacobian_fd(f, x, method=method)
            for method in ("central", "forward", "five_point", "complex_step")}
    return ours | {"scipy.optimize.approx_fprime": lambda x: optimize.approx_fprime(x, f),
                   "scipy.differentiate.jacobian": lambda x: differentiate.jacobian(f, x).df,
                   "numdifftools.Jacobian": lambda x: numdifftools.Jacobian(f)(x)}


def evaluations(name, x):
    """How many points f was evaluated at."""
    points = []
    counted = lambda x: (points.append(np.asarray(x).size // N), f(x))[1]
    ways(counted)[name](x)
    return sum(points)


def main():
    x = np.linspace(0.5, 1.5, N)
    J = exact(x)
    rows = bench.compare(ways(f), x, repeat=11)
    print(f"{'way':30} {'error':>9} {'points':>7} {'time, ratio':>12} {'spread':>7}")
    for row in rows:
        name = row["function"]
        error = np.max(np.abs(ways(f)[name](x) - J))
        assert error < 1e-6, (name, error)
        print(f"{name:30} {error:9.1e} {evaluations(name, x):7} {row['ratio']:12.2f} {row['ratio_spread']:7.2f}")


if __name__ == "__main__":
    main()
