"""Derivatives of a fixed point: ours beside optimistix, jaxopt and the unrolled iteration, in error, time and memory: `make bench`.

z = tanh(W z + a) with 200 unknowns, where W has the spectral radius 0.8; the gradient of u z in a. Ours and optimistix (its
default, ImplicitAdjoint, after FixedPointIteration) have the same tolerances, 1e-12; jaxopt has its own, as context. Errors:
against a dense solve in NumPy at a z that no iteration moves. Times: in turns, medians of ratios to optimistix. Memory: the bytes
of scratch that XLA plans for the compiled gradient.
"""
import importlib.metadata
import platform
import sys
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx

from lecture_utils import bench
from lecture_utils.implicit import fixed_point

N = 200


def problem(seed=0):
    """W: [N, N], a: [N], u: [N], and the gradient by a dense solve."""
    random = np.random.default_rng(seed)
    W, a, u = random.standard_normal((N, N)), random.standard_normal(N), random.standard_normal(N)
    W *= 0.8 / np.max(np.abs(np.linalg.eigvals(W)))
    z = np.zeros(N)
    for _ in range(1000):
        z = np.tanh(W @ z + a)
    slope = 1 - z**2
    M = np.eye(N) - slope[:, None] * W
    w = np.linalg.solve(M.T, u)
    w += np.linalg.solve(M.T, u - M.T @ w)
    return W, a, u, slope * w


def gradients(W, u):
    """Compiled gradients in a, by name; optimistix first, which the others are compared to."""
    f, z0 = lambda a, z: jnp.tanh(W @ z + a), jnp.zeros(N)
    solver = optx.FixedPointIteration(rtol=1e-12, atol=1e-12)
    losses = {
        "optimistix": lambda a: u @ optx.fixed_point(lambda z, a: f(a, z), solver, z0, args=a, max_steps=1000).value,
        "lecture_utils": lambda a: u @ fixed_point(f, a, z0, tol=1e-12)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")                         # it says that it is no longer maintained
            import jaxopt
        losses["jaxopt"] = lambda a: u @ jaxopt.FixedPointIteration(lambda z, a: f(a, z)).run(z0, a).params
    except ImportError:
        pass
    for steps in (20, 40, 80, 160):
        losses[f"unrolled {steps}"] = lambda a, steps=steps: u @ jax.lax.scan(lambda z, _: (f(a, z), None), z0, length=steps)[0]
    return {name: jax.jit(jax.grad(loss)) for name, loss in losses.items()}


def measure(repeat=41):
    """One row for each gradient: its error, its time and bytes over those of optimistix, and the bytes."""
    W, a, u, exact = problem()
    compiled = gradients(jnp.asarray(W), jnp.asarray(u))
    rows = bench.compare(compiled, jnp.asarray(a), repeat=repeat)
    for row in rows:
        gradient = compiled[row["function"]]
        row |= {"error": np.max(np.abs(gradient(a) - exact)), "bytes": bench.temp_bytes(gradient, a)}
    for row in rows:
        row["memory"] = row["bytes"] / rows[0]["bytes"]
    return rows


def main():
    jax.config.update("jax_enable_x64", True)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("jax", "optimistix"))
    print(f"Python {platform.python_version()}, {versions}, {sys.platform}")
    print(f"{'/ optimistix':14} {'error':>8} {'time':>6} {'spread':>6} {'memory':>6} {'kB':>6}")
    for row in measure():
        print(f"{row['function']:14} {row['error']:8.1e} {row['ratio']:6.2f} {row['ratio_spread']:6.2f} "
              f"{row['memory']:6.2f} {row['bytes'] / 1e3:6.0f}")
    ours = jax.jit(jax.grad(lambda a, W, u: u @ fixed_point(lambda a, z: jnp.tanh(W @ z + a), a, jnp.zeros(N), tol=1e-12)))
    errors = []
    for seed in range(10):
        W, a, u, exact = problem(seed)
        errors.append(np.max(np.abs(ours(a, W, u) - exact)))
    print(f"lecture_utils, largest error over ten seeds: {max(errors):.1e}")


if __name__ == "__main__":
    main()
