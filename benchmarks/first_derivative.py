"""The first derivative of a bond price, five ways, timed in turns: `make bench`.

P(y) = sum of 4 / (1 + y/2)^k over k = 1..16, plus 100 / (1 + y/2)^16, at many yields y at once, in 64-bit floats.
Every way is checked against the hand-made formula before it is timed. Ratios are to that formula.
"""
import jax
import jax.numpy as jnp
import numpy as np
import sympy
import torch

from lecture_utils import bench, device

jax.config.update("jax_enable_x64", True)

YIELDS = {"one yield": 1, "1,000 yields": 1_000, "100,000 yields": 100_000}
COUPON, FACE, PERIODS = 4, 100, 16


def price(y):
    """Price at the yield y: any type with arithmetic."""
    d = 1 / (1 + y / 2)
    return sum(COUPON * d**k for k in range(1, PERIODS + 1)) + FACE * d**PERIODS


def slope_by_hand(y):
    """P'(y)."""
    d = 1 / (1 + y / 2)
    return -sum(k / 2 * COUPON * d ** (k + 1) for k in range(1, PERIODS + 1)) - PERIODS / 2 * FACE * d ** (PERIODS + 1)


def slope_by_horner(y):
    """P'(y) with products in place of powers, as one would write it for speed in NumPy, whose powers cost much more."""
    d = 1 / (1 + y / 2)
    total = PERIODS * (COUPON + FACE)
    for k in range(PERIODS - 1, 0, -1):
        total = total * d + k * COUPON
    return -total * d * d / 2


def slope_by_difference(y, h=1e-5):
    """P'(y) by a central difference."""
    return (price(y + h) - price(y - h)) / (2 * h)


def ways(n):
    """Every way at n yields, as functions of nothing whose arguments already have the right type and place."""
    y = np.linspace(0.01, 0.15, n)
    y_jax = jnp.asarray(y)
    y_torch = torch.tensor(y, device="cuda" if torch.cuda.is_available() else "cpu")
    symbol = sympy.symbols("y")
    by_sympy = sympy.lambdify(symbol, sympy.diff(price(symbol), symbol), "numpy", cse=True)
    price_jax = jax.jit(price)
    hand_jax = jax.jit(slope_by_hand)
    grad_jax = jax.jit(jax.vmap(jax.grad(price)))
    grad_torch = torch.func.vmap(torch.func.grad(price))
    return {"by hand, NumPy": lambda: slope_by_hand(y),
            "by hand, NumPy, Horner": lambda: slope_by_horner(y),
            "P itself, NumPy": lambda: price(y),
            "central difference, NumPy": lambda: slope_by_difference(y),
            "SymPy, lambdify to NumPy": lambda: by_sympy(y),
            "P itself, JAX jit": lambda: price_jax(y_jax),
            "by hand, JAX jit": lambda: hand_jax(y_jax),
            "JAX jit(vmap(grad))": lambda: grad_jax(y_jax),
            "torch.func vmap(grad)": lambda: grad_torch(y_torch)}


def check(fs):
    """Assert that every derivative agrees with the hand-made one to what its method promises."""
    wanted = fs["by hand, NumPy"]()
    for name, f in fs.items():
        if not name.startswith("P itself"):
            got = f()
            got = got.cpu().numpy() if isinstance(got, torch.Tensor) else np.asarray(got)
            np.testing.assert_allclose(got, wanted, rtol=1e-7 if "difference" in name else 1e-13, err_msg=name)


def main():
    info = device.device_info()
    print(f"{info['name']}: " + ", ".join(f"{package} {version}" for package, version in info["versions"].items()))
    print("ratio: time by the time of the first row, the median of rounds; spread: its middle half")
    for label, n in YIELDS.items():
        fs = ways(n)
        check(fs)
        print(f"\n{label:28}{'ms':>10}{'spread':>10}{'ratio':>10}{'spread':>10}")
        for row in bench.compare(fs):
            print(f"{row['function']:28}{row['median_ms']:10.3g}{row['spread_ms']:10.2g}{row['ratio']:10.3g}{row['ratio_spread']:10.2g}")


if __name__ == "__main__":
    main()
