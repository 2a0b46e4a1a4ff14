"""Sparse Jacobians: lecture_utils.sparse beside asdex, sparsejac, SciPy's differences, casadi's colors and dense ones: `make bench`.

The problems are those of benchmarks/_sparse_problems.py, in 64-bit floats, on one core. Every result is checked against asdex's
before it is timed. Calls are interleaved in one process, and a ratio is a time by that of the first one in the same round.
Each ratio is the median of the medians of several runs (five, or the number given on the command line), which alternate
between the problems; beside it stand the smallest and the largest of these runs. "data" returns less than asdex does: the
entries, in a fixed order, without the indices. Times are those of the processor, so that other programs of a shared machine
do not count; `--wall` takes the clock on the wall.
"""
import importlib.metadata
import os
import sys
import time

if hasattr(os, "sched_setaffinity"):                 # before JAX starts its threads: one core is steadier
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import _sparse_problems as problems
import asdex
import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse as sp
import sparsejac
import torch
from jax.experimental.sparse import BCOO
from scipy.optimize._numdiff import approx_derivative, group_columns

from lecture_utils import bench, device, sparse

try:
    import casadi
except ImportError:
    casadi = None

CLOCK = time.perf_counter if "--wall" in sys.argv else time.process_time

jax.config.update("jax_enable_x64", True)
torch.set_num_threads(1)

CHEAP = {"tridiagonal 1e3": problems.tridiagonal(1_000), "tridiagonal 1e4": problems.tridiagonal(10_000),
         "tridiagonal 1e5": problems.tridiagonal(100_000), "Laplace 64": problems.laplace(64),
         "Laplace 128": problems.laplace(128), "Brusselator 64": problems.brusselator(64),
         "Brusselator 128": problems.brusselator(128), "growth k": problems.growth_k(1_000),
         "growth c, k": problems.growth_ck(1_000), "growth 8 countries": problems.growth_countries(1_000)}
HEAVY = {"40 sines, a sum": problems.heavy_sum(64), "40 exps, then a flux": problems.heavy_flux(64),
         "40 sines, a chain": problems.heavy_chain(48), "40 products": problems.heavy_product(4096)}


def places(pattern):
    return np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr)), pattern.indices


def by_asdex(f, pattern):
    found = asdex.SparsityPattern.from_coo(*places(pattern), pattern.shape)
    coloring = asdex.jacobian_coloring_from_sparsity(found, mode="fwd")
    return jax.jit(asdex.jacobian_from_coloring(f, coloring)), coloring.num_colors


def by_sparsejac(f, pattern):
    ones = BCOO((jnp.ones(pattern.nnz), jnp.stack(places(pattern), 1)), shape=pattern.shape)
    return jax.jit(sparsejac.jacfwd(f, sparsity=ones))


def by_casadi(pattern):
    if casadi is None:
        return "-"
    columns = pattern.tocsc()
    columns.sort_indices()
    return casadi.Sparsity(*pattern.shape, columns.indptr.tolist(), columns.indices.tolist()).T.uni_coloring().size2()


def compare(fs, x, repeat, sample=5e-3):
    """As bench.compare, but by CLOCK: rows with the median time and ratio, and the middle half of the ratios."""
    def seconds(f, calls):
        jax.block_until_ready(f(x))                  # also lets go of what the one before has left
        start = CLOCK()
        for _ in range(calls):
            jax.block_until_ready(f(x))
        return (CLOCK() - start) / calls

    calls = {name: max(1, round(sample / max(seconds(f, 1), 1e-6))) for name, f in fs.items()}
    names, times = list(fs), {name: [] for name in fs}
    for i in range(repeat):
        for name in names[i % len(names):] + names[:i % len(names)]:
            times[name].append(seconds(fs[name], calls[name]))
    first = np.array(times[names[0]])
    rows = []
    for name in names:
        low, ratio, high = np.quantile(times[name] / first, [0.25, 0.5, 0.75])
        rows.append({"function": name, "median_ms": 1e3 * np.median(times[name]), "ratio": ratio, "ratio_spread": high - low})
    return rows


def entries(J):
    return np.asarray(J.data if isinstance(J, BCOO) else J)


def check(fs, x):
    wanted = entries(next(iter(fs.values()))(x))
    for name, f in fs.items():
        np.testing.assert_allclose(entries(f(x)), wanted, rtol=1e-10, atol=1e-12 * np.max(abs(wanted)), err_msg=name)


def colors():
    """The number of products, ours (the best order) beside those of others."""
    print(f"\n{'products':20}{'entries':>9}{'at least':>9}{'ours':>6}{'asdex':>7}{'SciPy':>7}{'default':>8}{'casadi':>8}")
    for label, (f, x, pattern) in CHEAP.items():
        coloring = sparse.color_columns(pattern)
        ordered, random = (1 + max(group_columns(pattern, order=order)) for order in (np.arange(len(x)), 0))
        print(f"{label:20}{pattern.nnz:9}{coloring.lower_bound:9}{coloring.num_colors:6}{by_asdex(f, pattern)[1]:7}{ordered:7}"
              f"{random:8}{by_casadi(pattern):>8}")
    side = 66
    f, x, pattern = problems.brusselator(side)
    given = sparse.check_coloring(pattern, problems.brusselator_colors(side))
    print(f"Brusselator {side}: the coloring by formula, verified: {given.num_colors} products; found: "
          f"{sparse.color_columns(pattern).num_colors}; asdex: {by_asdex(f, pattern)[1]}")
    f, x, pattern = problems.arrowhead(10_000)
    both = sparse.sparse_jacobian(f, x, pattern=pattern)
    print(f"arrowhead 1e4: {both.coloring.num_colors} products by mode 'auto' ({both.coloring.method}); columns alone: "
          f"{np.diff(pattern.indptr).max()} at least, rows alone: {np.bincount(pattern.indices).max()} at least")


def ways(f, x, pattern):
    """asdex first: the one that the others are compared to."""
    ours = {output: sparse.sparse_jacobian(f, x, pattern=pattern, output=output, mode="forward") for output in ("data", "bcoo")}
    fs = {"asdex": by_asdex(f, pattern)[0], "data": ours["data"], "BCOO": ours["bcoo"], "BCOO in jit": jax.jit(ours["bcoo"]),
          "sparsejac": by_sparsejac(f, pattern)}
    check(fs, x)
    return fs


def heavy_ways(f, x, pattern):
    once = sparse.sparse_jacobian(f, x, pattern=pattern, mode="forward", linearize_once=True)
    plain = sparse.sparse_jacobian(f, x, pattern=pattern, mode="forward")
    same = sparse.sparse_jacobian(f, x, pattern=pattern, coloring=sparse.color_columns(pattern, order="natural"), linearize_once=True)
    fs = {"asdex": by_asdex(f, pattern)[0], "once": once, "once, natural": same, "BCOO": plain, "sparsejac": by_sparsejac(f, pattern)}
    check(fs, x)
    return fs


def measure(cases, make, runs, repeat):
    """Print, for each problem, asdex's time and the ratios to it; then the geometric means of the ratios."""
    fs = {label: (make(f, jnp.asarray(x), pattern), jnp.asarray(x)) for label, (f, x, pattern) in cases.items()}
    ratios = {label: [] for label in cases}
    for _ in range(runs):
        for label, (ways, x) in fs.items():
            ratios[label].append(compare(ways, x, repeat=repeat))
    names = list(next(iter(fs.values()))[0])
    print(f"\n{'time by asdex’s':22}{'asdex, ms':>10}" + "".join(f"{name:>22}" for name in names[1:]))
    middle = {}
    for label, rows in ratios.items():
        line = f"{label:22}{np.median([run[0]['median_ms'] for run in rows]):10.3f}"
        for k, name in enumerate(names[1:], 1):
            values = [run[k]["ratio"] for run in rows]
            middle.setdefault(name, []).append(np.median(values))
            line += f"{np.median(values):9.2f} ({min(values):4.2f}-{max(values):4.2f})"
        print(line, flush=True)
    print(f"{'geometric mean':32}" + "".join(f"{np.exp(np.mean(np.log(values))):9.2f}{'':13}" for values in middle.values()))


def counted():
    """How to tell beforehand whether linearize_once pays: what XLA counts in f, and in the program that linearizes it."""
    print("\nfor each number of x, as XLA counts: operations of f, and of its linearization in a program of its own")
    for label, (f, x, _) in HEAVY.items():
        counts = [bench.flops(g, x, transcendentals=True) / len(x) for g in (f, lambda x, f=f: jax.linearize(f, x)[1])]
        print(f"{label:22}{counts[0]:8.0f}{counts[1]:8.0f}")


def against_dense():
    print("\nagainst dense: time by ours (data), median and middle half")
    for label, repeat in (("tridiagonal 1e3", 11), ("tridiagonal 1e4", 2)):
        f, x, pattern = CHEAP[label]
        ours = sparse.sparse_jacobian(f, x, pattern=pattern, output="data")
        fs = {"ours": ours, "jax.jacfwd": jax.jit(jax.jacfwd(f)), "jax.jacrev": jax.jit(jax.jacrev(f))}
        J = fs["jax.jacfwd"](x)[places(pattern)]
        print(f"{label}: largest relative difference from jax.jacfwd {np.max(abs(ours(x) - J) / abs(J)):.1e}")
        show(compare(fs, jnp.asarray(x), repeat=repeat))


def against_differences():
    f, x, pattern = CHEAP["Brusselator 64"]
    compiled, groups = jax.jit(f), group_columns(pattern, order=np.arange(len(x)))
    ours = sparse.sparse_jacobian(f, x, pattern=pattern, output="csr")
    fs = {"ours, CSR": ours} | {f"SciPy, {method}": lambda x, method=method: approx_derivative(
        lambda x: np.asarray(compiled(x)), x, method=method, sparsity=(pattern, groups)) for method in ("2-point", "3-point")}
    print("\nBrusselator 64, by SciPy's differences with groups of columns: time by ours")
    show(compare(fs, x, repeat=5))
    for name, g in fs.items():
        print(f"{name:22} largest error {abs(sp.csr_array(g(x)) - ours(x)).max() / abs(ours(x)).max():.1e} of the largest entry")


def by_torch():
    """The same coloring in PyTorch, tridiagonal."""
    def f(x):
        z = torch.nn.functional.pad(x, (1, 1))
        return z[:-2] - 2 * x + z[2:] + x**2 * torch.exp(-x)

    _, x, pattern = CHEAP["tridiagonal 1e3"]
    ours = {output: sparse.torch_sparse_jacobian(f, torch.tensor(x), coloring=sparse.color_columns(pattern), output=output)
            for output in ("coo", "data")}
    fs = {"ours, COO": ours["coo"], "ours, data": ours["data"], "torch.func.jacfwd": torch.func.jacfwd(f),
          "torch.func.jacrev": torch.func.jacrev(f)}
    assert torch.equal(fs["ours, COO"](torch.tensor(x)).to_dense(), fs["torch.func.jacfwd"](torch.tensor(x)))
    print("\nPyTorch, tridiagonal 1e3, not compiled: time by ours")
    show(compare(fs, torch.tensor(x), repeat=15, sample=3e-2))


def show(rows):
    for row in rows:
        print(f"  {row['function']:22}{row['median_ms']:10.3f} ms{row['ratio']:10.2f} ({row['ratio_spread']:.2f})", flush=True)


def main():
    runs = next((int(argument) for argument in sys.argv[1:] if argument.isdigit()), 5)
    info, start = device.device_info(), time.time()
    print(f"{info['name']}, one core, load {os.getloadavg()[0]:.1f}: " + ", ".join(
        [f"{package} {version}" for package, version in info["versions"].items()] + [f"asdex {importlib.metadata.version('asdex')}"]))
    colors()
    print(f"\nmedians of {runs} runs (smallest and largest), by {CLOCK.__name__}", end="")
    measure(CHEAP, ways, runs, repeat=7)
    measure(HEAVY, heavy_ways, runs, repeat=5)
    counted()
    against_dense()
    against_differences()
    by_torch()
    print(f"\nin all {time.time() - start:.0f} s, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
