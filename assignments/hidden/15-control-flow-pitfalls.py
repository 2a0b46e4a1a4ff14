"""Hidden tests of chapter 15: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def drive_safe_norm(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    x = jnp.asarray(rng.standard_normal(5)).at[1].set(0.0)  # an entry is 0, the vector is not
    rows = jnp.asarray(np.where(np.arange(4)[:, None] % 2, rng.standard_normal((4, 3)), 0.0))
    zero = jnp.zeros(3)
    total = lambda rows: jnp.sum(jax.vmap(answer)(rows))
    return {
        "value": lambda: answer(x),
        "value at 0": lambda: answer(zero),
        "small": lambda: answer(jnp.array([3e-8, 4e-8])) / 5e-8,
        "smallest": lambda: answer(jnp.array([3e-100, 4e-100])) / 5e-100,
        "largest": lambda: answer(jnp.array([3e99, 4e99])) / 5e99,
        "gradient": lambda: jax.grad(answer)(x),
        "gradient of small": lambda: jax.grad(answer)(jnp.array([3e-8, 4e-8])),
        "at 0": lambda: jax.grad(answer)(zero),
        "at 0, jit": lambda: jax.jit(jax.grad(answer))(zero),
        "at 0, forward": lambda: jax.jacfwd(answer)(zero),
        "rows": lambda: jax.vmap(jax.grad(answer))(rows),
        "rows, reverse of vmap": lambda: jax.jit(jax.grad(total))(rows),
    }


def judge_safe_norm(arrays, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(5)
    x[1] = 0.0
    rows = np.where(np.arange(4)[:, None] % 2, rng.standard_normal((4, 3)), 0.0)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    slopes = rows / np.where(lengths == 0, 1, lengths)
    values = (close(arrays, "value", np.linalg.norm(x), rtol=1e-12) and close(arrays, "value at 0", 0.0, atol=0)
              and all(close(arrays, name, 1.0, rtol=1e-12, atol=0) for name in ("small", "smallest", "largest")))
    exact = lambda name: close(arrays, name, np.zeros(3), rtol=0, atol=0)
    return [
        Part("the value, small and large", 1, values,
             "the value is the norm itself: what is added under the root to keep it from 0 shows when x is small, and x*x must "
             "neither be cut off at a threshold nor overflow; a vector is 0 if all its entries are: choose on the sum, not on the entries" if arrays else ABOVE),
        Part("the gradient away from 0", 1,
             close(arrays, "gradient", x / np.linalg.norm(x), rtol=1e-12)
             and close(arrays, "gradient of small", np.array([0.6, 0.8]), rtol=1e-10),
             "away from 0 the gradient is x / ‖x‖, of length 1, however small x is" if arrays else ABOVE),
        Part("the gradient at 0, in both modes and compiled", 1, exact("at 0") and exact("at 0, jit") and exact("at 0, forward"),
             "at 0 the gradient must be exactly 0: a where around the root still differentiates the root, so the input of the "
             "root must be made harmless first, by another where; a Python if cannot be compiled" if arrays else ABOVE),
        Part("many vectors, some of them 0", 1,
             close(arrays, "rows", slopes, rtol=1e-12) and close(arrays, "rows, reverse of vmap", slopes, rtol=1e-12),
             "under vmap each vector needs a choice of its own: choose with where on the array, not with if, and compare the "
             "sum of squares of this vector with 0" if arrays else ABOVE),
    ]


def drive_safe_sqrt_where(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    floor = float(rng.uniform(0.1, 0.9))
    x = jnp.asarray(np.r_[rng.uniform(1, 9, 3), rng.uniform(0, 0.1, 2), -rng.uniform(1, 9, 2)].reshape(7, 1))
    odd = jnp.array([0.0, floor, -np.inf, np.nan, 4.0])
    total = lambda x: jnp.sum(answer(x, floor))
    return {
        "values": lambda: answer(x, floor),
        "odd values": lambda: answer(odd, floor),
        "gradient": lambda: jax.grad(total)(x),
        "odd gradient": lambda: jax.grad(total)(odd),
        "one by one": lambda: jax.jit(jax.vmap(jax.grad(lambda x: answer(x, floor))))(odd),
    }


def judge_safe_sqrt_where(arrays, seed):
    rng = np.random.default_rng(seed)
    floor = float(rng.uniform(0.1, 0.9))
    x = np.r_[rng.uniform(1, 9, 3), rng.uniform(0, 0.1, 2), -rng.uniform(1, 9, 2)].reshape(7, 1)
    safe = np.where(x > floor, x, 1.0)
    odd = np.array([floor**0.5] * 4 + [2.0])
    slopes = np.array([0.0] * 4 + [0.25])
    return [
        Part("the values", 1, close(arrays, "values", np.where(x > floor, np.sqrt(safe), floor**0.5), rtol=1e-12)
             and close(arrays, "odd values", odd, rtol=1e-12),
             "the root of x above the floor, the root of the floor elsewhere, in the shape of x; `maximum` and `clip` hand a nan "
             "on, a comparison does not" if arrays else ABOVE),
        Part("the gradient above and below the floor", 1,
             close(arrays, "gradient", np.where(x > floor, 0.5 / np.sqrt(safe), 0.0), rtol=1e-12, atol=0),
             "below the floor the gradient is exactly 0, and at negative numbers too: choose the input of the root with a "
             "where as well, not its result alone" if arrays else ABOVE),
        Part("the gradient at 0, at the floor, at -inf and at nan", 1,
             close(arrays, "odd gradient", slopes, rtol=1e-12, atol=0) and close(arrays, "one by one", slopes, rtol=1e-12, atol=0),
             "at the floor itself the gradient is 0, not a half (`maximum` splits a tie), and nothing of -inf or nan may reach "
             "the root; under jit and vmap there is no Python if" if arrays else ABOVE),
    ]


def drive_spot_the_wrong_gradient(answer, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    at = lambda *shape: rng.uniform(0.6, 1.4, shape)
    x = at(4)
    smooth = lambda x: float(np.sum(np.sin(x)) + x[0] * x[1] ** 2)

    def slope(x):
        g = np.cos(x)
        g[0] += x[1] ** 2
        g[1] += 2 * x[0] * x[1]
        return g

    def off(i, factor):
        return lambda x: np.where(np.arange(len(x)) == i, factor, 1.0) * slope(x)

    plain = [(smooth, slope, x), (smooth, lambda x: -slope(x), x), (smooth, np.cos, x), (smooth, off(2, 1.01), x),
             (smooth, off(3, 0.0), x), (smooth, lambda x: slope(x) + 0.0, at(4)), (smooth, lambda x: slope(x)[::-1].copy(), x)]
    lost = [(smooth, lambda x: np.where(np.arange(4) == 1, np.nan, slope(x)), x), (smooth, slope, x),
            (smooth, lambda x: np.where(np.arange(4) == 3, np.inf, slope(x)), x),
            (lambda x: float(np.sum(x * np.abs(x))), lambda x: np.full(2, np.nan), np.zeros(2))]
    relu = lambda x: np.maximum(x, 0)
    two = np.array([0.0, float(at())])
    absolute = lambda x: float(np.sum(np.abs(x)))
    kinks = [(absolute, lambda x: np.where(x >= 0, 1.0, -1.0), two), (absolute, lambda x: np.where(x > 0, 1.0, -1.0), two),
             (absolute, np.sign, two), (absolute, np.sign, at(2)),
             (lambda x: float(np.sum(relu(x) - relu(-x))), lambda x: np.where(x == 0, 0.0, 1.0), two),
             (lambda x: float(np.sum(relu(x) - relu(-x))), lambda x: np.ones(2), two),
             (lambda x: float(np.max(x)), lambda x: np.array([0.5, 0.5]), np.array([2.0, 2.0])),
             (lambda x: float(np.sort(x)[0]), lambda x: np.array([1.0, 0.0]), np.array([1.0, 2.0])),
             (lambda x: float(np.round(x[0]) + x[1] ** 2), lambda x: np.array([0.0, 2 * x[1]]), np.array([2.3, 1.0])),
             (lambda x: float(np.sum(x * np.abs(x))), lambda x: 2 * np.abs(x), two)]
    sizes = np.array([1e-3, 1.0, 1e2])
    wide = at(3) * sizes
    waves = lambda x: float(np.sum(np.sin(x / sizes)))
    of_waves = lambda x: np.cos(x / sizes) / sizes
    part = lambda i: lambda x: np.where(np.arange(3) == i, 1.02, 1.0) * of_waves(x)
    scales = [(waves, of_waves, wide), (waves, part(0), wide), (waves, part(1), wide), (waves, part(2), wide),
              (lambda x: float(np.sum(np.cos(x))), lambda x: -np.sin(x), np.zeros(3)),
              (lambda x: float(np.sum(np.cos(x))), lambda x: np.array([0.0, 0.0, 0.01]), np.zeros(3))]
    groups = {"plain": plain, "lost": lost, "kinks": kinks, "scales": scales}
    return {name: lambda cases=cases: np.array([bool(word) for word in answer(list(cases))]) for name, cases in groups.items()}


def judge_spot_the_wrong_gradient(arrays, seed):
    expected = {"plain": [0, 1, 1, 1, 1, 0, 1], "lost": [1, 0, 1, 1], "kinks": [1, 1, 1, 0, 1, 0, 1, 0, 0, 0],
                "scales": [0, 1, 1, 1, 0, 1]}

    def says(name):
        found = np.asarray(arrays.get(name, []))
        return found.shape == (len(expected[name]),) and bool(np.all(found.astype(bool) == np.array(expected[name], dtype=bool)))

    return [
        Part("smooth programs", 2, says("plain"),
             "a wrong sign, a term that is missing, one element that is off by a percent, two elements exchanged: test one input "
             "at a time, at the given x, and answer in the order of the cases; a right gradient is not to be accused"
             if arrays else ABOVE),
        Part("gradients that are not finite", 1, says("lost"),
             "look at the claim first: a nan or an infinity in one element makes it wrong, and nan compares as False with everything"
             if arrays else ABOVE),
        Part("kinks and ties", 1, says("kinks"),
             "at a kink a claim can agree with one side, or with the average of both, which is what a central difference returns: "
             "look to both sides of each input. A step function between its steps has the slope 0, and x|x| has the slope 0 at 0"
             if arrays else ABOVE),
        Part("inputs of different sizes, and zeros", 1, says("scales"),
             "a step that suits an input of size 100 is far too large for one of size 1e-3: scale it with each |x[i]|, and take 1 "
             "where x[i] is 0; compare in proportion to the slope" if arrays else ABOVE),
    ]


def drive_bounded_while(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    rate = float(rng.uniform(0.3, 0.7))
    starts = jnp.asarray(rng.uniform(2, 60, 3)).at[0].set(0.5)

    def shrink(x, rate=rate, length=30):
        return answer(lambda z: z > 1.0, lambda z: rate * z, x, length)

    def pair(x):
        return answer(lambda z: jnp.sum(z) > 1.0, lambda z: z * jnp.array([0.5, 0.25]), x, 30)

    def edge(x):  # 5 -> 2 -> 1, and there the slope of the root is infinite; other starts end below 1, where it is nan
        return answer(lambda z: z > 1.0, lambda z: jnp.sqrt(z - 1.0), x, 20)

    def offset(c, x):  # what step takes from outside must survive as well
        return answer(lambda z: z > 1.0, lambda z: jnp.sqrt(z - c), x, 20)

    ends = jnp.array([5.0, 1.5, 26.0])
    total = lambda f: lambda x: jnp.sum(jax.vmap(f)(x))
    return {
        "values": lambda: np.array([shrink(x) for x in starts]),
        "pair": lambda: pair(jnp.array([8.0, 4.0])),
        "just long enough": lambda: answer(lambda z: z > 0.5, lambda z: z - 1.0, jnp.array(7.0), 7),
        "reverse": lambda: np.array([jax.grad(shrink)(x) for x in starts]),
        "reverse, pair": lambda: jax.jacrev(pair)(jnp.array([8.0, 4.0])),
        "forward": lambda: np.array([jax.jacfwd(shrink)(x) for x in starts]),
        "parameter": lambda: np.array([mode(lambda r: shrink(jnp.array(40.0), r))(rate) for mode in (jax.grad, jax.jacfwd)]),
        "vmap": lambda: jax.jit(jax.vmap(shrink))(starts),
        "vmap, reverse": lambda: jax.jit(jax.grad(total(shrink)))(starts),
        "edge": lambda: np.array([jax.grad(edge)(x) for x in ends]),
        "edge, vmap": lambda: jax.grad(total(edge))(ends),
        "edge, parameter": lambda: jax.grad(offset)(1.0, jnp.array(5.0)),
    }


def judge_bounded_while(arrays, seed):
    rng = np.random.default_rng(seed)
    rate = float(rng.uniform(0.3, 0.7))
    starts = rng.uniform(2, 60, 3)
    starts[0] = 0.5
    steps = lambda x: 0 if x <= 1 else 1 + steps(rate * x)
    counts = np.array([steps(x) for x in starts])
    values, slopes = rate**counts * starts, rate ** counts.astype(float)
    n = steps(40.0)

    def edge_slope(x):
        slope = 1.0
        while x > 1.0:
            slope, x = slope * 0.5 / np.sqrt(x - 1.0), np.sqrt(x - 1.0)
        return slope

    edges = np.array([edge_slope(x) for x in (5.0, 1.5, 26.0)])
    z, count = np.array([8.0, 4.0]), 0
    while z.sum() > 1:
        z, count = z * np.array([0.5, 0.25]), count + 1
    jacobian = np.diag(np.array([0.5, 0.25]) ** count)
    right = (close(arrays, "values", values, rtol=1e-10) and close(arrays, "pair", z, rtol=1e-10)
             and close(arrays, "just long enough", 0.0, atol=1e-12))
    return [
        Part("the values", 1, right,
             "at most `length` steps, `length` itself among them, and not one after `going` has become False; a loop that does not "
             "begin returns x; the state may be an array, while `going` is one boolean" if arrays else ABOVE),
        Part("reverse mode", 1, close(arrays, "reverse", slopes, rtol=1e-10) and close(arrays, "reverse, pair", jacobian, rtol=1e-10),
             "while_loop, and fori_loop to a traced bound, have no reverse mode: run a scan over all `length` steps, and keep the "
             "state where the loop has ended" if arrays else ABOVE),
        Part("forward mode, and what step takes from outside", 1,
             close(arrays, "forward", slopes, rtol=1e-10)
             and close(arrays, "parameter", np.full(2, n * rate ** (n - 1) * 40.0), rtol=1e-10),
             "both modes must go through `step`, to x and to its parameters: no stop_gradient, no custom_vjp" if arrays else ABOVE),
        Part("many loops at once, compiled", 1, close(arrays, "vmap", values, rtol=1e-10) and close(arrays, "vmap, reverse", slopes, rtol=1e-10),
             "under vmap `going` is an array and a Python while or if cannot follow it: choose with where (or lax.cond)" if arrays else ABOVE),
        Part("a step that is nan where the loop has ended", 1,
             close(arrays, "edge", edges, rtol=1e-10) and close(arrays, "edge, vmap", edges, rtol=1e-10)
             and close(arrays, "edge, parameter", -0.625, rtol=1e-10),
             "where the loop has ended, `step` is still differentiated: give it a harmless state there, such as the start, by a "
             "where around its input as well" if arrays else ABOVE),
    ]
