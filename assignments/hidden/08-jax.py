"""Hidden tests of chapter 08: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def drive_fixed_loss(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(6, 10)), int(rng.integers(2, 5))
    X, W, b = rng.standard_normal((n, k)), rng.standard_normal(k), rng.standard_normal()
    y = rng.permutation(np.arange(n) % 2)
    far = np.where(np.arange(n) % 3 == 0, -1.0, 1.0)[:, None] * np.ones((1, k)) / k * rng.uniform(0.9, 1.1, (n, 1))

    def tree(W, b, dtype=jnp.float64):
        return {"W": jnp.asarray(W, dtype), "b": jnp.asarray(b, dtype)}

    def value(params, X, y):
        return np.asarray(answer(params, X, y))

    def gradient(params, X, y):
        g = jax.grad(lambda p: jnp.reshape(answer(p, X, y), ()))(params)
        return np.concatenate([np.asarray(g["W"]), [np.asarray(g["b"])]])

    moderate = tree(W, b)
    large = tree(1e4 * np.ones(k), 0.0)
    single = tree(W, b, jnp.float32)
    X, far, y = jnp.asarray(X), jnp.asarray(far), jnp.asarray(y, float)
    return {
        "value": lambda: value(moderate, X, y),
        "gradient": lambda: gradient(moderate, X, y),
        "value, booleans": lambda: value(moderate, X, y == 1),
        "gradient, booleans": lambda: gradient(moderate, X, y == 1),
        "value, large": lambda: value(large, far, y),
        "gradient, large": lambda: gradient(large, far, y),
        "value, small": lambda: value(tree(-1e4 * np.ones(k), 0.0), far, y),
        "gradient, small": lambda: gradient(tree(-1e4 * np.ones(k), 0.0), far, y),
        "32 bits": lambda: value(single, X.astype(jnp.float32), y.astype(jnp.float32)),
        "32 bits, gradient": lambda: gradient(single, X.astype(jnp.float32), y.astype(jnp.float32)),
    }


def judge_fixed_loss(arrays, seed):
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(6, 10)), int(rng.integers(2, 5))
    X, W, b = rng.standard_normal((n, k)), rng.standard_normal(k), rng.standard_normal()
    y = rng.permutation(np.arange(n) % 2)
    far = np.where(np.arange(n) % 3 == 0, -1.0, 1.0)[:, None] * np.ones((1, k)) / k * rng.uniform(0.9, 1.1, (n, 1))

    def exact(W, b, X):
        z = X @ W + b
        p = np.exp(-np.logaddexp(0, -z))
        return np.sum(np.logaddexp(0, z) - y * z), np.append((p - y) @ X, np.sum(p - y))

    def right(name, at, **tolerance):
        loss, slope = exact(*at)
        value_name, slope_name = name
        return close(arrays, value_name, scale * loss, **tolerance) and close(arrays, slope_name, scale * slope, **tolerance)

    loss = exact(W, b, X)[0]
    own = arrays.get("value", np.zeros(0))
    # A mean in place of a sum, or a wrong sign, costs the first part only.
    scale, factors = 1.0, (1.0, -1.0, 1 / n, -1 / n)
    moderate = right(("value", "gradient"), (W, b, X), rtol=1e-9) and right(
        ("value, booleans", "gradient, booleans"), (W, b, X), rtol=1e-9)
    if not moderate and own.shape == () and own.dtype.kind == "f":
        scale = next((s for s in factors if np.isclose(own, s * loss, rtol=1e-6)), 1.0)
    up = right(("value, large", "gradient, large"), (1e4 * np.ones(k), 0.0, far), rtol=1e-9, atol=1e-9)
    down = right(("value, small", "gradient, small"), (-1e4 * np.ones(k), 0.0, far), rtol=1e-9, atol=1e-9)
    finite = all(name in arrays and bool(np.all(np.isfinite(arrays[name])))
                 for name in ("value, large", "gradient, large", "value, small", "gradient, small"))
    single, slope32 = arrays.get("32 bits", np.zeros(0)), arrays.get("32 bits, gradient", np.zeros(0))
    narrow = single.dtype == np.float32 and slope32.dtype == np.float32 and single.shape == () and bool(
        np.isclose(single, own, rtol=1e-4)) if own.shape == () else False
    return [
        Part("value and gradient at moderate weights", 1, moderate,
             "it is minus the log-likelihood, summed over observations and not averaged; z = X @ W + b includes b; y may be boolean, "
             "which y * z takes and -y or 1 - y does not" if arrays else ABOVE),
        Part("value and gradient at |z| = 1e4", 1, up and down,
             ABOVE if not arrays else
             "at z = 1e4 exp(z) overflows, and at z = -1e4 the probability is 0 and its logarithm minus infinity: compute "
             "log(1 + exp(z)) by jnp.logaddexp(0, z), and never the logarithm of a probability" if not finite else
             "finite, but not right: a clipped probability has a wrong loss and a gradient of zero; the loss grows like |z| where "
             "the outcome is on the wrong side"),
        Part("32 bits stay 32 bits", 1, narrow,
             "for parameters and X in float32 the value must be float32: look for what turns it into float64, such as astype, "
             "a dtype, or a NumPy array" if arrays else ABOVE),
    ]


def drive_split_plan(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    names = [f"{letter}{i}" for i, letter in enumerate(rng.permutation(list("zkqabw")).tolist())]
    new = lambda i=0: jax.random.key(seed + i)
    bits = lambda keys: np.array([jax.random.key_data(k) for k in keys])

    def plain(names, i=0):
        """The plan with a key that may be used twice: reuse is another part."""
        plan = answer(new(i), list(names))
        if not isinstance(plan, dict):
            raise TypeError(f"split_plan returned a {type(plan).__name__}, expected a dict")
        return plan

    def scalar_keys():
        plan = plain(names)
        places = [names.index(name) if name in names else -1 for name in plan]
        return np.array(places + [k.shape == () and jnp.issubdtype(k.dtype, jax.dtypes.prng_key) for k in plan.values()])

    def watched():
        """1 where neither the answer nor a draw with each of its keys uses a key twice."""
        with jax.debug_key_reuse(True):
            try:
                plan = answer(new(), list(names))
                for k in plan.values():
                    jax.random.normal(k)
            except jax.errors.KeyReuseError:
                return np.array(0)
        return np.array(1)

    return {
        "kinds": scalar_keys,
        "one name": lambda: bits(plain(names[:1]).values()),
        "keys": lambda: bits(plain(names).values()),
        "keys again": lambda: bits(plain(names).values()),
        "other keys": lambda: bits(plain(names, 1).values()),
        "watched": watched,
    }


def judge_split_plan(arrays, seed):
    import jax

    keys, other, one = (arrays.get(name, np.zeros(0)) for name in ("keys", "other keys", "one name"))
    parents = np.array([jax.random.key_data(jax.random.key(seed + i)) for i in (0, 1)])
    kinds = arrays.get("kinds", np.zeros(0))
    shaped = keys.ndim == 2 and keys.shape[0] == 6 and keys.shape == other.shape and one.shape == keys[:1].shape
    kind = bool(np.array_equal(kinds, [0, 1, 2, 3, 4, 5] + [1] * 6))
    again = shaped and np.array_equal(keys, arrays.get("keys again", None))
    together = np.concatenate([keys, other, parents]) if shaped and keys.shape[1:] == parents.shape[1:] else np.zeros((2, 1))
    different = len(np.unique(together, axis=0)) == len(together)
    fresh = shaped and not any(np.array_equal(one[0], parent) for parent in parents)
    return [
        Part("a dictionary, in the order of the names, of one key each", 1, kind,
             "return a dict whose keys are the names, in their order, and whose values are single keys of jax.random, "
             "not numbers and not arrays of keys" if arrays else ABOVE),
        Part("no two keys equal, none equal to key, the same for the same arguments", 1, again and different and fresh,
             ABOVE if not shaped else
             "the keys must depend on key, not on a fixed seed; no two names share one, and none gets key itself, "
             "also when there is only one name"),
        Part("no key used twice", 1, shaped and close(arrays, "watched", 1),
             ABOVE if not shaped else
             "use key in one split alone, into as many keys as there are names, or hand on the remaining one of each split; "
             "a key that was split or drawn from is used up, and cannot be given away"),
    ]


def drive_scores(answer, seed):
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(7, 12)), int(rng.integers(3, 6))
    X, theta = rng.standard_normal((n, k)), rng.standard_normal(k)
    y, w, square = rng.integers(0, 2, n).astype(float), rng.uniform(1, 2, n), rng.standard_normal((k, k))
    X, theta, y, w, square = (jnp.asarray(a) for a in (X, theta, y, w, square))

    def linear(theta, x):
        return jnp.sin(x @ theta)

    def logit(theta, data):
        x, y = data
        z = x @ theta
        return y * z - jnp.logaddexp(0.0, z)

    def weighted(theta, data):
        return data["w"] * logit(theta, (data["obs"]["x"], data["obs"]["y"]))

    def counted():
        calls = [0]

        def f(theta, x):
            calls[0] += 1
            if calls[0] > 3:
                raise StopIteration
            return jnp.sin(x @ theta)

        try:
            answer(f, theta, jnp.ones((300, k)))
        except StopIteration:                   # enough seen; a loop over 2000 would take as long as an answer may on a busy machine
            pass
        return np.array(calls[0])

    return {
        "an array": lambda: np.asarray(answer(linear, theta, X)),
        "a square array": lambda: np.asarray(answer(linear, theta, square)),
        "a tuple": lambda: np.asarray(answer(logit, theta, (X, y))),
        "a dictionary": lambda: np.asarray(answer(weighted, theta, {"w": w, "obs": {"x": X, "y": y}})),
        "jit": lambda: np.asarray(jax.jit(lambda theta, data: answer(logit, theta, data))(theta, (X, y))),
        "calls": counted,
        "operations": lambda: np.array(len(jax.make_jaxpr(lambda theta, x: answer(linear, theta, x))(theta, jnp.ones((300, k))).eqns)),
    }


def judge_scores(arrays, seed):
    rng = np.random.default_rng(seed)
    n, k = int(rng.integers(7, 12)), int(rng.integers(3, 6))
    X, theta = rng.standard_normal((n, k)), rng.standard_normal(k)
    y, w, square = rng.integers(0, 2, n).astype(float), rng.uniform(1, 2, n), rng.standard_normal((k, k))
    cosines = lambda X: np.cos(X @ theta)[:, None] * X
    logits = (y - 1 / (1 + np.exp(-X @ theta)))[:, None] * X
    right = lambda name, S: close(arrays, name, S, rtol=1e-9, atol=1e-11)
    turned = lambda name, S: right(name, S) or right(name, S.T)             # a transpose costs the first part only
    array = right("an array", cosines(X)) and right("a square array", cosines(square))
    trees = turned("a tuple", logits) and turned("a dictionary", w[:, None] * logits)
    calls = arrays.get("calls", np.zeros(0))
    few = calls.shape == () and 1 <= calls <= 3 and arrays.get("operations", np.array(0)) < 300        # an unrolled loop over 300 has more
    return [
        Part("one row for each observation", 1, array,
             "row i is the gradient of observation i alone, of shape (n, K): no sum or mean over the observations, "
             "and not the transpose" if arrays else ABOVE),
        Part("tuples and dictionaries", 1, trees,
             "data may be a tuple or a nested dictionary: in_axes=(None, 0) maps over the first axis of each leaf; "
             "theta is shared, so its entry is None" if arrays else ABOVE),
        Part("inside jit", 1, turned("jit", logits),
             "inside jit the arrays are tracers: stay with jax.numpy, without np.asarray, float(...) or conversion to lists"
             if arrays else ABOVE),
        Part("at most three calls for many observations", 1, few,
             "a loop handles one observation after the other, compiled or not: let jax.vmap run loglik_i for all of them"
             if arrays else ABOVE),
    ]
