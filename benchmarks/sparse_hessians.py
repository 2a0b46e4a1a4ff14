"""Sparse Hessians: lecture_utils.sparse beside asdex, sparsejac and jax.hessian: `make bench`.

As benchmarks/sparse_jacobians.py, whose clock and rounds these are. asdex colors by stars too; sparsejac has the columns of the
gradient's Jacobian only, so it is left out where these are as many as the numbers of x.
"""
import _sparse_problems as problems
import asdex
import jax
import jax.numpy as jnp
import numpy as np
import sparse_jacobians as jacobians  # first: it chooses the core

from lecture_utils import sparse

CASES = {"planner": problems.planner(1_000), "planner c, k": problems.planner_ck(1_000), "Rosenbrock": problems.rosenbrock(10_000),
         "shared parameter": problems.shared_parameter(2_000), "separable": problems.separable(10_000),
         "Poisson energy": problems.poisson_energy(64)}


def by_asdex(f, pattern):
    found = asdex.SparsityPattern.from_coo(*jacobians.places(pattern), pattern.shape)
    coloring = asdex.hessian_coloring_from_sparsity(found)
    return jax.jit(asdex.hessian_from_coloring(f, coloring)), coloring.num_colors


def ways(f, x, pattern):
    fs = {"asdex": by_asdex(f, pattern)[0], "data": sparse.sparse_hessian(f, x, pattern=pattern, output="data"),
          "BCOO": sparse.sparse_hessian(f, x, pattern=pattern),
          "acyclic": sparse.sparse_hessian(f, x, pattern=pattern, method="acyclic")}
    jacobians.check(fs, x)
    return fs


def main():
    print(f"{'products':20}{'entries':>9}{'star':>6}{'acyclic':>9}{'asdex':>7}{'columns':>9}")
    for label, (f, _, pattern) in CASES.items():
        counts = [sparse.color_symmetric(pattern, method=method).num_colors for method in ("star", "acyclic")]
        columns = sparse.color_columns(pattern).num_colors
        print(f"{label:20}{pattern.nnz:9}{counts[0]:6}{counts[1]:9}{by_asdex(f, pattern)[1]:7}{columns:9}")
    jacobians.measure(CASES, ways, runs=3, repeat=7)
    f, x, pattern = CASES["shared parameter"]
    ours = sparse.sparse_hessian(f, x, pattern=pattern, output="data")
    dense = jax.jit(jax.hessian(f))
    H = np.asarray(dense(x))[jacobians.places(pattern)]
    print(f"\nshared parameter, against dense: largest relative difference {np.max(abs(ours(x) - H) / abs(H)):.1e}; time by ours")
    jacobians.show(jacobians.compare({"ours": ours, "jax.hessian": dense}, jnp.asarray(x), repeat=5))


if __name__ == "__main__":
    main()
