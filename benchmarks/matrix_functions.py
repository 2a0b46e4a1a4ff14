"""`logm` and `sqrtm` of 1000 matrices of order 8, by `jax.vmap` on one core, beside a loop over SciPy: `make bench`.

The matrices are general, with eigenvalues in the right half-plane. Times: one call of each in turn, the order alternating,
medians of the ratio of neighbors. JAX's time leaves compilation out. Accuracy is compared in tests/test_matrix_functions.py.
"""
import os
import platform
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")              # before NumPy and JAX are imported: one core for both
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import jax
import numpy as np
import scipy
import scipy.linalg

from lecture_utils import matrix_functions

PAIRS = [("expm", matrix_functions.expm, scipy.linalg.expm, 15), ("sqrtm, fast", None, scipy.linalg.sqrtm, 15),
         ("sqrtm", matrix_functions.sqrtm, scipy.linalg.sqrtm, 15), ("logm", matrix_functions.logm, scipy.linalg.logm, 5)]


def seconds(f):
    start = time.perf_counter()
    f()
    return time.perf_counter() - start


def main():
    jax.config.update("jax_enable_x64", True)
    A = 1.5 * np.eye(8) + 0.5 * np.random.default_rng(0).normal(size=(1000, 8, 8)) / 8**0.5
    print(f"Python {platform.python_version()}, JAX {jax.__version__}, SciPy {scipy.__version__}, one core, 1000 matrices of order 8")
    print(f"{'ours / SciPy':12} {'time':>6} {'middle half':>13} {'difference':>11}")
    for name, f, peer, repeat in PAIRS:
        f = f or (lambda A: matrix_functions.sqrtm(A, refine=False))
        batch = jax.jit(jax.vmap(f))
        ours, theirs = lambda batch=batch: np.asarray(batch(A)), lambda peer=peer: np.stack([peer(a) for a in A])
        difference = np.max(np.abs(ours() - theirs()))
        assert difference < 1e-11, name
        ratios = []
        for i in range(repeat):
            first, second = (seconds(f) for f in ((ours, theirs) if i % 2 else (theirs, ours)))
            ratios.append(first / second if i % 2 else second / first)
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        print(f"{name:12} {middle:6.2f} {low:7.2f}-{high:5.2f} {difference:11.0e}")


if __name__ == "__main__":
    main()
