"""Hidden tests of problem set 1: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…).

A driver hands over programs and returns what came out, raw. Expected values come from the same driver, run here
on a reference: the classes below, which differentiate by complex steps and note which primitives a program met.
So a wrong rule costs the part that tests rules one by one; the other parts are judged by programs that do without it.
"""
import math

import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"
ELEMENTWISE = "neg exp log sin cos tanh power step add mul maximum".split()
ARRAYS = "sum broadcast reshape transpose matmul getitem scatter stack".split()


# --- the reference: NumPy on complex numbers

class Ref:
    """A complex array; its operations note their names in `used`."""
    __array_ufunc__ = None
    used: set = set()

    def __init__(self, z):
        self.z = np.asarray(z, dtype=complex)

    shape = property(lambda self: self.z.shape)
    __add__ = __radd__ = lambda x, y: ops.add(x, y)
    __mul__ = __rmul__ = lambda x, y: ops.mul(x, y)
    __neg__ = lambda x: ops.neg(x)
    __sub__, __rsub__ = lambda x, y: x + ops.neg(y), lambda x, y: ops.neg(x) + y
    __truediv__, __rtruediv__ = lambda x, y: ops.div(x, y), lambda x, y: ops.div(y, x)
    __pow__, __rpow__ = lambda x, p: ops.power(x, p), lambda x, base: ops.exp(x * ops.log(base))
    __matmul__, __rmatmul__ = lambda A, B: ops.matmul(A, B), lambda B, A: ops.matmul(A, B)
    __getitem__ = lambda x, index: ops.getitem(x, index)
    __len__ = lambda x: len(x.z)


def _raw(x):
    return x.z if isinstance(x, Ref) else np.asarray(x, dtype=complex)


def _note(*names):
    Ref.used.update(names)


def _maximum(a, b):
    return np.where(a.real > b.real, a, np.where(a.real == b.real, (a + b) / 2, b))


def _written(x, index, shape):
    out = np.zeros(shape, dtype=complex)
    out[index] = x
    return out


def _one(name, f):
    return lambda x: (_note(name), Ref(f(_raw(x))))[1]


def _two(name, f):
    def run(x, y):
        x, y = _raw(x), _raw(y)
        _note(name, *["broadcast"] * (x.shape != y.shape))
        return Ref(f(x, y))
    return run


class ops:
    """The same names as in the problem set."""

    neg, exp, log, sin, cos, tanh = (_one(n, f) for n, f in [("neg", np.negative), ("exp", np.exp), ("log", np.log),
                                                              ("sin", np.sin), ("cos", np.cos), ("tanh", np.tanh)])
    step = _one("step", lambda z: np.heaviside(z.real, 0.5))
    transpose = _one("transpose", lambda z: np.swapaxes(z, -1, -2))
    add, mul, maximum = _two("add", np.add), _two("mul", np.multiply), _two("maximum", _maximum)
    sub, div = (lambda x, y: ops.add(x, ops.neg(y))), (lambda x, y: ops.mul(x, ops.power(y, -1.0)))

    def power(x, p):
        if isinstance(p, Ref):
            return ops.exp(p * ops.log(x))
        _note("power")
        return Ref(_raw(x) ** p)

    def sum(x, axis=None):
        _note("sum")
        return Ref(np.sum(_raw(x), axis=axis))

    def broadcast(x, to):
        _note("broadcast")
        return Ref(np.broadcast_to(_raw(x), to))

    def reshape(x, shape):
        _note("reshape")
        return Ref(np.reshape(_raw(x), shape))

    def matmul(A, B):
        A, B = _raw(A), _raw(B)
        _note("matmul", *["reshape"] * (A.ndim == 1 or B.ndim == 1))
        return Ref(A @ B)

    def getitem(x, index):
        _note("getitem")
        return Ref(_raw(x)[index])

    def scatter(x, index, shape):
        _note("scatter")
        return Ref(_written(_raw(x), index, shape))

    def stack(xs, axis=0):
        _note("stack")
        return Ref(np.stack([_raw(x) for x in xs], axis))


def reference_jvp(f, primals, tangents):
    h = 1e-30
    y = _raw(f(*[Ref(x + 1j * h * np.asarray(v)) for x, v in zip(primals, tangents)]))
    return y.real, y.imag / h


def reference_vjp(f, *primals):
    def pullback(u):
        out = []
        for i, x in enumerate(primals):
            x = np.asarray(x, dtype=float)
            bar = np.zeros(x.size)
            for j in range(x.size):
                e = np.zeros(x.size)
                e[j] = 1
                moved = [e.reshape(x.shape) if k == i else np.zeros(np.shape(z)) for k, z in enumerate(primals)]
                bar[j] = np.sum(u * reference_jvp(f, primals, moved)[1])
            out.append(bar.reshape(x.shape))
        return tuple(out)

    return _raw(f(*[Ref(x) for x in primals])).real, pullback


def reference_vmap(f):
    return lambda *args: np.stack([_raw(f(*[Ref(x[i]) for x in args])).real for i in range(len(args[0]))])


def _expected(drive, reference, seed):
    """What the reference gives for the names that begin with 'op ' or 'program ', and the primitives that it met."""
    values, used = {}, {}
    for name, run in drive(reference, seed).items():
        if name.split()[0] in ("op", "program", "mixed"):
            Ref.used.clear()
            values[name], used[name] = np.asarray(run()), frozenset(Ref.used)
    return values, used


class _Found:
    """The answers beside the expected ones."""

    def __init__(self, drive, reference, arrays, seed, rtol=1e-12, atol=1e-13):
        self.arrays, self.tol = arrays, (rtol, atol)
        self.values, self.used = _expected(drive, reference, seed)
        self.wrong = {name.split()[1] for name in self.values if name.startswith("op ") and not self.same(name)}

    def same(self, name, expected=None):
        return close(self.arrays, name, self.values[name] if expected is None else expected, *self.tol)

    def right(self, tests):
        """Whether all of these tests {name: (expected, primitives)} hold that need nothing found wrong, and some test is left."""
        left = {name: value for name, (value, used) in tests.items() if not used & self.wrong}
        some = any(tests[name][1] for name in left) or not any(used for _, used in tests.values())
        return some and all(self.same(name, value) for name, value in left.items())

    def group(self, kind):
        return {name: (self.values[name], self.used[name]) for name in self.values if name.startswith(kind)}

    def rules(self, names, points, what, hint):
        wrong = [n for n in names if n in self.wrong]
        return Part(what, points, not wrong, f"wrong, or an error: {', '.join(wrong)}. {hint}" if wrong else "")


def _count(arrays, name, n):
    """The counts that a driver returned under that name, or None."""
    found = arrays.get(name)
    return [float(v) for v in found] if found is not None and found.shape == (n,) else None


# --- part 1

def drive_mini_jvp(answer, seed):
    import inspect

    import numpy as np

    space = inspect.unwrap(answer).__globals__
    ops = type("ops", (), {n: staticmethod(getattr(space["ops"], n)) for n in dir(space["ops"]) if n[0] != "_"})
    Meter = space.get("Meter")
    tally = [0, 0, 0]                                          # primitives, arithmetic among them, numbers that it made

    def noted(name, primitive):
        moves = name in ("broadcast", "reshape", "transpose", "getitem", "scatter", "stack")

        def run(*xs, **params):
            y = primitive(*xs, **params)
            tally[:] = tally[0] + 1, tally[1] + (not moves), tally[2] + (not moves) * np.size(y)
            return y
        return run

    run_of = space.get("RUN", {})                              # counted here, whatever an answer makes of measure and executed
    run_of.update({name: noted(name, primitive) for name, primitive in run_of.items()})

    def counted(f, *args, meters=False):
        tally[:] = 0, 0, 0
        f(*[Meter(np.asarray(x, dtype=float)) for x in args] if meters else args)
        return list(tally)

    rng = np.random.default_rng(seed)
    x, z, c, a = (rng.uniform(0.5, 2.0, 4) for _ in range(4))
    v, w = rng.normal(size=4), rng.normal(size=4)
    X, Z, V, W = rng.normal(size=(3, 4)), rng.normal(size=(4, 2)), rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
    T, dT, S = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 4, 2))
    p, rho, share = float(rng.uniform(1.5, 3.5)), float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.2, 0.4))
    tie = np.array([x[0], z[1], x[2], z[3]])
    picks = [(str(rng.choice(["add", "mul", "maximum", "sin", "tanh"])), *map(int, rng.integers(0, 10**6, 2))) for _ in range(40)]

    def both(f, primals, tangents):
        y, dot = answer(f, primals, tangents)
        return np.stack([np.asarray(y), np.asarray(dot)])

    one = lambda f, x=x, v=v: lambda: both(f, (x,), (v,))
    two = lambda f, x=x, z=z, v=v, w=w: lambda: both(f, (x, z), (v, w))

    def ces(x):
        return ops.power(ops.sum(a * ops.power(x, rho)), 1 / rho)

    def logsum(x):
        return ops.log(ops.sum(ops.exp(x)))

    def network(x):
        return Z.T @ ops.tanh(X.T @ ops.sin(X @ x))

    def shares(x):
        e = ops.exp(x)
        return e / ops.sum(e)

    def solow(s):
        k = 1.0
        for _ in range(30):
            k = s * ops.power(k, share) + 0.9 * k
        return k

    def blocks(x, z):
        y = ops.transpose(ops.reshape(x, (2, 2)))
        y = ops.stack([y[0], ops.maximum(z[1:3], 0.8), y[1]], axis=1)
        return ops.scatter(ops.sum(y, axis=1), slice(1, 3), (4,)) + ops.broadcast(z[3], (4,))

    def mixed(x, z):
        return (2.0 - x) / (1.0 + z) + x**z - 1.0 / x + 1.5**z - z**2

    def drawn(x, z):
        values = [x, z]
        for op, i, j in picks:
            one, other = values[i % len(values)], values[j % len(values)]
            y = getattr(ops, op)(one) if op in ("sin", "tanh") else getattr(ops, op)(one, other)
            values.append(ops.sin(y))
        return values[-1] + values[-2] + values[-3]

    D = lambda f: lambda x: answer(f, (x,), (1.0,))[1]
    t0 = float(x[0])

    def confused(x):
        return x * D(lambda y: x + y)(1.0)

    def deep(x):
        return x * D(lambda y: y * D(lambda z: x * y * z)(2.0))(3.0)

    def follower(q):
        """A leader's profit, with the slope of the follower's payoff inside."""
        slope = D(lambda r: r * q + r * r * q * q)(0.5 * q)
        return q * slope

    def counts():
        calls = [0]

        def f(x, z):
            calls[0] += 1
            for _ in range(5):
                x, z = ops.sin(x * z), x + ops.exp(z * 0.1)
            return x

        plain = counted(f, 0.5, 0.7, meters=True)[1]
        calls[0] = 0                                           # without meters, which not every answer lets pass
        return np.array([plain, counted(answer, f, (0.5, 0.7), (1.0, -1.0))[1], calls[0]], dtype=float)

    def angles(x):
        return ops.neg(ops.cos(ops.neg(ops.sin(x))))

    def scaled():
        """Tangents of very different sizes, and the same tangents without these."""
        return np.stack([np.asarray(answer(angles, (x,), (tangent,))[1]) for tangent in (v, v * np.array([1, 1e-300, 1e250, 1e-200]))])

    def metered(f, x, v):
        y, dot = answer(f, (Meter(x),), (Meter(v),))
        return np.stack([y.value, dot.value])

    out = {f"op {n}": one(getattr(ops, n)) for n in ("neg", "exp", "log", "sin", "cos", "tanh")}
    return out | {
        "op power": one(lambda x: ops.power(x, p)), "op power -1": one(lambda x: ops.power(x, -1.0)),
        "op step": one(lambda x: ops.step(x)), "op step negative": one(lambda x: ops.step(x), -x),
        "op add": two(ops.add), "op mul": two(ops.mul), "op mul left": one(lambda x: ops.mul(x, c)),
        "op mul right": one(lambda x: ops.mul(c, x)), "op maximum": two(ops.maximum), "op maximum other": two(ops.maximum, z, x),
        "op maximum tie": two(ops.maximum, x, tie), "op maximum constant": one(lambda x: ops.maximum(c, x)),
        "op sum": one(lambda x: ops.sum(x, axis=0)), "op sum 1": one(lambda x: ops.sum(x, axis=1), X, V),
        "op sum far": one(lambda x: ops.sum(x, axis=1), 1e6 * X, V),          # far from 0, where differences lose their digits
        "op sum two": one(lambda x: ops.sum(x, axis=(0, 2)), T, dT), "op sum all": one(lambda x: ops.sum(x), T, dT),
        "op broadcast": one(lambda x: ops.broadcast(x, (3, 4))),
        "op broadcast stretched": one(lambda x: ops.broadcast(x, (2, 3, 4)), X[:, :1], V[:, :1]),
        "op reshape": one(lambda x: ops.reshape(x, (2, 6)), X, V), "op transpose": one(lambda x: ops.transpose(x), X, V),
        "op transpose 3": one(lambda x: ops.transpose(x), T, dT), "op matmul": two(ops.matmul, X, Z, V, W),
        "op matmul left": one(lambda x: ops.matmul(x, Z), X, V), "op matmul right": one(lambda x: ops.matmul(X, x), Z, W),
        "op matmul 3": one(lambda x: ops.matmul(x, S), T, dT), "op getitem": one(lambda x: ops.getitem(x, 2)),
        "op getitem slice": one(lambda x: ops.getitem(x, slice(3, 0, -2))),
        "op getitem pair": one(lambda x: ops.getitem(x, (slice(1, 3), -1)), X, V),
        "op scatter": one(lambda x: ops.scatter(x, slice(1, 5), (6,))),
        "op scatter pair": one(lambda x: ops.scatter(x, (1, slice(0, 4)), (2, 5))),
        "op stack": two(lambda x, z: ops.stack([x, z, x])), "op stack 1": two(lambda x, z: ops.stack([x, c, z], axis=1)),
        "program ces": one(ces), "program logsum": one(logsum), "program network": one(network), "program shares": one(shares),
        "program solow": lambda: both(solow, (0.3,), (1.0,)), "program blocks": two(blocks), "program mixed": two(mixed),
        "program drawn": two(drawn), "program angles": one(angles), "scaled": scaled,
        "program offset": one(lambda x: ops.add(ops.exp(x), 1e6)), "program offset sin": one(lambda x: ops.add(ops.sin(x), 1e6)),
        "program powers": one(lambda x: ops.power(ops.power(x, p), 0.5)), "program two": lambda: both(
            lambda s, x: ops.sum(s * x), (t0, x), (0.7, v)),
        "program unused": two(lambda x, z: ops.exp(z)), "program constant": one(lambda x: np.array([[1.0, 2.0]])),
        "program constant of ops": one(lambda x: ops.stack([a, c])), "program given back": two(lambda x, z: z),
        "program part constant": one(lambda x: ops.stack([x, ops.sin(a)]), 1e6 * x),
        "second sin": lambda: D(D(lambda x: ops.sin(x)))(t0), "second exp": lambda: D(D(lambda x: ops.exp(x)))(t0),
        "third power": lambda: D(D(D(lambda x: ops.power(x, 3.5))))(t0), "second tanh": lambda: D(D(lambda x: ops.tanh(x)))(t0),
        "second log": lambda: D(D(lambda x: ops.log(x)))(t0),
        "confused": lambda: D(confused)(1.0), "deep": lambda: D(deep)(1.0), "follower": lambda: D(follower)(t0),
        "metered network": lambda: metered(network, x, v), "metered blocks": lambda: metered(lambda x: blocks(x, x), x, v),
        "metered ces": lambda: metered(ces, x, v), "metered logsum": lambda: metered(logsum, x, v), "counts": counts,
        "program blocks of one": one(lambda x: blocks(x, x)),
    }


def judge_mini_jvp(arrays, seed):
    found = _Found(drive_mini_jvp, reference_jvp, arrays, seed)
    constants = ["program unused", "program constant", "program constant of ops", "program given back", "program part constant"]
    programs = found.group("program ")
    t = float(np.random.default_rng(seed).uniform(0.5, 2.0, 4)[0])
    nested = {"second sin": (-math.sin(t), {"sin", "cos", "mul"}), "second exp": (math.exp(t), {"exp", "mul"}),
              "third power": (3.5 * 2.5 * 1.5 * t**0.5, {"power", "mul"}),
              "second tanh": (-2 * math.tanh(t) / math.cosh(t)**2, {"tanh", "mul", "add", "neg"}),
              "second log": (-1 / t**2, {"log", "power", "mul"})}
    nested |= {f"metered {name}": programs[f"program {name}" + " of one" * (name == "blocks")]
               for name in ("network", "blocks", "ces", "logsum")}
    # d/dq of q (q + 2 r q²) at r = q/2: q² + q⁴, whose slope is 2q + 4q³.
    scaled = arrays.get("scaled")
    if scaled is not None and scaled.shape == (2, 4) and np.all(np.isfinite(scaled[0])):
        if not close(arrays, "scaled", scaled[0] * np.array([[1, 1, 1, 1], [1, 1e-300, 1e250, 1e-200]]), 1e-11, 0):
            return [Part("rules", 12, False, "y_dot does not grow and shrink with the tangents, as J v does for v of any size: differences "
                         "and complex steps are not what is asked for; write the rule of each primitive")]
    tags = {"confused": (1.0, {"mul", "add"}), "deep": (12.0, {"mul"}), "follower": (2 * t + 4 * t**3, {"mul", "add"})}
    counts = _count(arrays, "counts", 3)
    return [
        found.rules(ELEMENTWISE, 2, "functions of each element",
                    "Try each on its own, each argument in turn a constant; at a tie, maximum gives each argument half"),
        found.rules(ARRAYS, 2, "operations on arrays",
                    "They are linear in each argument: apply the operation, with its parameters, to the tangents; a product "
                    "has two terms, and a constant in a stack has a tangent of zeros"),
        Part("programs", 3, found.right({n: v for n, v in programs.items() if n not in constants}),
             "each operation may be right, and the way from one to the next wrong: run your own programs, with operators, numbers on "
             "either side, two primals of different shapes, and compare with differences" if arrays else ABOVE),
        Part("constants", 1, found.right({n: programs[n] for n in constants}),
             "what does not depend on the primals has a tangent of zeros of its own shape, also as the result of f" if arrays else ABOVE),
        Part("one run", 1, bool(counts) and counts[0] > 0 and counts[1] <= 12 * counts[0] and counts[2] == 1,
             "f runs once, on duals: differences, or one run for each primal, are not what is asked for" if counts else ABOVE),
        Part("a derivative of a derivative, and meters", 1, found.right(nested),
             "second derivatives and meters pass through your rules only if these use ops and operators, never NumPy, on primals and "
             "tangents" if arrays else ABOVE),
        Part("perturbations of two calls", 2, found.right(tags),
             "d/dx of x d/dy (x + y) at 1 is 1: a box of another level is a constant, whatever its class; compare levels" if arrays else ABOVE),
    ]


# --- part 2

def drive_mini_vjp(answer, seed):
    import inspect

    import numpy as np

    space = inspect.unwrap(answer).__globals__
    ops = type("ops", (), {n: staticmethod(getattr(space["ops"], n)) for n in dir(space["ops"]) if n[0] != "_"})
    Meter = space.get("Meter")
    tally = [0, 0, 0]                                          # primitives, arithmetic among them, numbers that it made

    def noted(name, primitive):
        moves = name in ("broadcast", "reshape", "transpose", "getitem", "scatter", "stack")

        def run(*xs, **params):
            y = primitive(*xs, **params)
            tally[:] = tally[0] + 1, tally[1] + (not moves), tally[2] + (not moves) * np.size(y)
            return y
        return run

    run_of = space.get("RUN", {})                              # counted here, whatever an answer makes of measure and executed
    run_of.update({name: noted(name, primitive) for name, primitive in run_of.items()})

    def counted(f, *args, meters=False):
        tally[:] = 0, 0, 0
        f(*[Meter(np.asarray(x, dtype=float)) for x in args] if meters else args)
        return list(tally)

    rng = np.random.default_rng(seed)
    x, z, c, a, tie = (rng.uniform(0.5, 2.0, 4) for _ in range(5))
    tie[:2] = x[:2]
    X, Z, T = rng.normal(size=(3, 4)), rng.normal(size=(4, 2)), rng.normal(size=(2, 3, 4))
    S = rng.normal(size=(2, 4, 2))
    p, rho, share = float(rng.uniform(1.5, 3.5)), float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.2, 0.4))
    picks = [(str(rng.choice(["add", "mul", "maximum", "sin", "tanh"])), *map(int, rng.integers(0, 10**6, 2))) for _ in range(40)]
    U = rng.normal(size=1000)
    big = rng.normal(size=(60, 80)) / 8
    factors = rng.uniform(0.9, 1.1, 20_000)

    def flat(*parts):
        """Shapes and values of arrays, in one row."""
        parts = [np.asarray(part) for part in parts]
        return np.concatenate([np.concatenate([[q.ndim], q.shape, np.ravel(q)]) for q in parts]).astype(float)

    def u_of(y):
        y = np.asarray(y)
        return U[:y.size].reshape(y.shape).copy()

    def pulled(f, *primals):
        y, pullback = answer(f, *primals)
        return flat(y, *pullback(u_of(y)))

    one = lambda f, x=x: lambda: pulled(f, x)
    two = lambda f, x=x, z=z: lambda: pulled(f, x, z)

    def ces(x):
        return ops.power(ops.sum(a * ops.power(x, rho)), 1 / rho)

    def logsum(x):
        return ops.log(ops.sum(ops.exp(x)))

    def layers(x, W):
        return ops.tanh(W @ ops.sin(ops.transpose(ops.reshape(x, (2, 2)))))

    def blocks(x, z):
        y = ops.stack([ops.maximum(x, a), ops.cos(z), ops.neg(c)], axis=1)
        return ops.scatter(ops.sum(y, axis=1), (1, slice(0, 4)), (2, 5))

    def market(p, q):
        return (2.0 - ops.log(p)) / (1.0 + q)

    def shares(x):
        e = ops.exp(x)
        return e / ops.sum(e)

    def solow(s):
        k = 1.0
        for _ in range(30):
            k = s * ops.power(k, share) + 0.9 * k
        return k

    def late(x, z):
        s = x * z
        t = ops.sin(s)
        r = t + s
        return s * r * t + x

    def elements(x):
        return x[0] * x[1] + x[1] * x[2] * x[3]

    def shared(x, z):
        """One cotangent goes to several places: writing into it spoils the others."""
        s = x + z
        return s + x + s

    def drawn(x, z):
        values = [x, z]
        for op, i, j in picks:
            one, other = values[i % len(values)], values[j % len(values)]
            y = getattr(ops, op)(one) if op in ("sin", "tanh") else getattr(ops, op)(one, other)
            values.append(ops.sin(y))
        return values[-1] + values[-2] + values[-3]

    def chain_sin(x):
        for _ in range(100_000):
            x = ops.sin(x)
        return x

    def chain_mul(x):
        for factor in factors:
            x = ops.mul(x, factor)
        return x

    def chain(f):
        y, pullback = answer(f, 0.5)
        return np.array([y, pullback(2.0)[0]], dtype=float)

    def again():
        y, pullback = answer(lambda x, z: ops.exp(x + z), x, z)
        return np.stack([*pullback(np.ones(4)), *pullback(2 * np.ones(4)), *pullback(np.ones(4))])

    def kept():
        """What comes in stays as it is: primals, u, y and an array that f used, after a pullback."""
        given, u, outside = x.copy(), np.ones(4), c.copy()
        y, pullback = answer(lambda x: ops.exp(x) + x + outside, given)
        before = np.array(y)
        pullback(u)
        return np.stack([given - x, u - 1, outside - c, np.asarray(y) - before])

    def apart():
        first = answer(lambda x: ops.exp(x), x)[1]
        answer(lambda x, z: ops.exp(x + z), x, z)
        return np.asarray(first(np.ones(4))[0])

    def counts():
        calls = [0]
        n = 40

        def f(*xs):
            calls[0] += 1
            total = 0.5
            for x in xs:
                total = total + ops.sin(x * total)
            return total

        def count(f, *primals):                                # without meters, which not every answer lets pass
            return counted(lambda *primals: answer(f, *primals)[1](1.0), *primals)[1]

        plain = counted(f, *np.ones(n), meters=True)[1]
        calls[0] = 0
        both, once = count(f, *np.ones(n)), calls[0]

        def doublings(x):
            for _ in range(12):
                x = ops.sin(x + x)
            return x

        return np.array([plain, both, once, count(doublings, 1.0)], dtype=float)

    def numbers():
        """Runs of f, and the numbers made for one primal of many elements."""
        calls = [0]

        def f(x):
            calls[0] += 1
            return ops.sum(ops.mul(ops.exp(x), ops.sin(x)))

        plain = counted(f, np.ones(200))[2]
        calls[0] = 0
        both = counted(lambda x: answer(f, x)[1](1.0), np.ones(200))[2]
        return np.array([plain, both, calls[0]], dtype=float)

    def metered(f, *primals):
        y, pullback = answer(f, *[Meter(x) for x in primals])
        return flat(y.value, *[bar.value for bar in pullback(Meter(u_of(y.value)))])

    def newer(f, *primals):
        """The pullback is called with a box that is newer than the tape."""
        class Later(Meter):
            level = float("inf")

            def process(self, name, args, params):
                return Later(space["bind"](name, *[x.value if isinstance(x, Later) else x for x in args], **params))

        y, pullback = answer(f, *primals)
        return flat(y, *[bar.value for bar in pullback(Later(u_of(y)))])

    G = lambda f: lambda x: answer(f, x)[1](1.0)[0]

    out = {f"op {n}": one(getattr(ops, n)) for n in ("neg", "exp", "log", "sin", "cos", "tanh")}
    return out | {
        "op power": one(lambda x: ops.power(x, p)), "op power -1": one(lambda x: ops.power(x, -1.0)),
        "op step": one(lambda x: ops.step(x)), "op add": two(ops.add), "op mul": two(ops.mul),
        "op mul left": one(lambda x: ops.mul(x, c)), "op mul right": one(lambda x: ops.mul(c, x)),
        "op maximum": two(ops.maximum), "op maximum other": two(ops.maximum, z, x), "op maximum tie": two(ops.maximum, x, tie),
        "op maximum constant": one(lambda x: ops.maximum(c, x)),
        "op sum": one(lambda x: ops.sum(x, axis=0)), "op sum 0": one(lambda x: ops.sum(x, axis=0), X),
        "op sum 1": one(lambda x: ops.sum(x, axis=1), X), "op sum two": one(lambda x: ops.sum(x, axis=(0, 2)), T),
        "op sum all": one(lambda x: ops.sum(x), T), "op broadcast": one(lambda x: ops.broadcast(x, (3, 4))),
        "op broadcast stretched": one(lambda x: ops.broadcast(x, (2, 3, 4)), X[:, :1]),
        "op broadcast ones": one(lambda x: ops.broadcast(x, (1, 4, 1)), X[:, :1][:1]),
        "op reshape": one(lambda x: ops.reshape(x, (2, 6)), X), "op transpose": one(lambda x: ops.transpose(x), X),
        "op transpose 3": one(lambda x: ops.transpose(x), T), "op matmul": two(ops.matmul, X, Z),
        "op matmul left": one(lambda x: ops.matmul(x, Z), X), "op matmul right": one(lambda x: ops.matmul(X, x), Z),
        "op matmul 3": two(ops.matmul, T, S), "op getitem": one(lambda x: ops.getitem(x, 2)),
        "op getitem slice": one(lambda x: ops.getitem(x, slice(3, 0, -2))),
        "op getitem pair": one(lambda x: ops.getitem(x, (slice(1, 3), -1)), X),
        "op scatter": one(lambda x: ops.scatter(x, slice(1, 5), (6,))),
        "op scatter pair": one(lambda x: ops.scatter(x, (1, slice(0, 4)), (2, 5))),
        "op stack": two(lambda x, z: ops.stack([x, z])), "op stack 1": two(lambda x, z: ops.stack([x, c, z], axis=1)),
        "op stack 2": two(lambda x, z: ops.stack([x, z], axis=2), X, X + 1),
        "program tree ces": one(ces), "program tree logsum": one(logsum), "program tree layers": two(layers, x, X[:, :2]),
        "program tree blocks": two(blocks), "program tree market": two(market),
        "program tree angles": one(lambda x: ops.neg(ops.cos(ops.neg(ops.sin(x))))),
        "program tree offset": one(lambda x: ops.add(ops.exp(x), 1e6)),
        "program tree offset sin": one(lambda x: ops.add(ops.sin(x), 1e6)), "program tree powers": one(lambda x: ops.power(ops.power(x, p), 0.5)),
        "program tree matrix": one(lambda x: ops.tanh(big @ ops.sin(x)), U[:80]),
        "program many shares": one(shares), "program many solow": lambda: pulled(solow, 0.3), "program many late": two(late),
        "program many elements": one(elements), "program many shared": two(shared), "program many drawn": two(drawn),
        "program many exp": one(lambda x: ops.stack([ops.exp(x), x])), "program many square": lambda: pulled(lambda x: x * x, 3.0),
        "program none unused": two(lambda x, z: ops.exp(z), X, z), "program none dead end": two(lambda x, z: (ops.sin(x), x + z)[0]),
        "program none given back": two(lambda x, z: z, X, z), "program none constant": two(lambda x, z: np.ones((2, 3)), X, z),
        "chain sin": lambda: chain(chain_sin), "chain mul": lambda: chain(chain_mul), "again": again, "apart": apart, "kept": kept,
        "counts": counts, "numbers": numbers, "metered layers": lambda: metered(layers, x, X[:, :2]), "metered ces": lambda: metered(ces, x),
        "metered blocks": lambda: metered(blocks, x, z), "metered logsum": lambda: metered(logsum, x),
        "newer layers": lambda: newer(layers, x, X[:, :2]), "newer ces": lambda: newer(ces, x),
        "newer logsum": lambda: newer(logsum, x),
        "inside": lambda: G(lambda x: x * G(lambda y: x + y)(1.0))(1.0),
    }


def judge_mini_vjp(arrays, seed):
    found = _Found(drive_mini_vjp, reference_vjp, arrays, seed)
    rng = np.random.default_rng(seed)
    x, z, *_ = (rng.uniform(0.5, 2.0, 4) for _ in range(5))
    for shape in ((3, 4), (4, 2), (2, 3, 4), (2, 4, 2)):
        rng.normal(size=shape)
    rng.uniform(1.5, 3.5), rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.4)
    [(rng.choice(["add", "mul", "maximum", "sin", "tanh"]), rng.integers(0, 10**6, 2)) for _ in range(40)]
    rng.normal(size=1000), rng.normal(size=(60, 80))
    factors = rng.uniform(0.9, 1.1, 20_000)
    value, slope = 0.5, 2.0
    for _ in range(100_000):
        slope, value = slope * math.cos(value), math.sin(value)
    product = math.exp(math.fsum(np.log(factors)))
    g = np.exp(x + z)
    fan = found.group("program many ") | found.group("program none ")
    fan |= {"again": (np.stack([g, g, 2 * g, 2 * g, g, g]), {"exp", "add"}), "apart": (np.exp(x), {"exp"}),
            "kept": (np.zeros((4, 4)), {"exp", "add"})}
    tree, counts, numbers = found.group("program tree "), _count(arrays, "counts", 4), _count(arrays, "numbers", 3)
    if numbers and (numbers[2] > 3 or numbers[1] > 60 * numbers[0]):
        return [Part("a tape", 14, False, "one pullback runs f, or makes numbers, once for each element of the primal: this is forward mode, "
                     "or differences; write down what f does, once, and go back with transposed rules")]
    chains = {"sin": [value, slope], "mul": [0.5 * product, 2 * product]}
    chains = {name: both for name, both in chains.items() if name not in found.wrong}
    chains = bool(chains) and all(close(arrays, f"chain {name}", both, 1e-9) for name, both in chains.items())
    inside = {f"{kind} {name}": tree[f"program tree {name}"] for kind in ("metered", "newer")
              for name in ("layers", "ces", "blocks", "logsum") if kind == "metered" or name != "blocks"}
    return [
        found.rules(ELEMENTWISE, 2, "functions of each element",
                    "Try each on its own with a u that is not 1; at a tie, maximum gives each argument half"),
        found.rules(ARRAYS, 2, "operations on arrays",
                    "The way back of a sum is a broadcast, of a broadcast a sum, of getitem a scatter, of a product A B with "
                    "cotangent G: G B' and A' G; each cotangent has the shape of its argument"),
        Part("programs in which every value is used once", 2, found.right(tree),
             "each rule may be right, and the way from one to the next wrong: do the dot-product test with your own programs, "
             "with constants in different places and primals of different shapes" if arrays else ABOVE),
        Part("values used more than once, or never", 3, found.right(fan),
             "cotangents add up, in a new array each time (bar + sent, never +=, which writes into an array that others hold); "
             "primals without influence get zeros of their shape; each call of the pullback begins with none" if arrays else ABOVE),
        Part("a chain of 100,000 operations", 2, chains,
             "Python gives up on a recursion of that depth: a list in the order of the run, and a loop from its end" if arrays else ABOVE),
        Part("the cost of a gradient", 2, bool(counts) and bool(numbers) and 0 < counts[0] <= counts[1] <= 12 * counts[0]
             and counts[2] == 1 and counts[3] <= 12 * 24 and 0 < numbers[0] <= numbers[1] <= 12 * numbers[0],
             "f runs once, and the pullback goes through the tape once: no run for each primal, no path followed twice" if counts else ABOVE),
        Part("inside other transformations", 1, found.right(inside) and found.right({"inside": (1.0, {"add", "mul"})}),
             "rules use ops and operators, never NumPy, on values and cotangents, which can be boxes of other levels; "
             "only a box of this call's level is on this tape" if arrays else ABOVE),
    ]


# --- part 3

def drive_mini_vmap(answer, seed):
    import inspect

    import numpy as np

    space = inspect.unwrap(answer).__globals__
    ops = type("ops", (), {n: staticmethod(getattr(space["ops"], n)) for n in dir(space["ops"]) if n[0] != "_"})
    Meter = space.get("Meter")
    tally = [0, 0, 0]                                          # primitives, arithmetic among them, numbers that it made

    def noted(name, primitive):
        moves = name in ("broadcast", "reshape", "transpose", "getitem", "scatter", "stack")

        def run(*xs, **params):
            y = primitive(*xs, **params)
            tally[:] = tally[0] + 1, tally[1] + (not moves), tally[2] + (not moves) * np.size(y)
            return y
        return run

    run_of = space.get("RUN", {})                              # counted here, whatever an answer makes of measure and executed
    run_of.update({name: noted(name, primitive) for name, primitive in run_of.items()})

    def counted(f, *args, meters=False):
        tally[:] = 0, 0, 0
        f(*[Meter(np.asarray(x, dtype=float)) for x in args] if meters else args)
        return list(tally)

    rng = np.random.default_rng(seed)
    B = n = 4                                                  # of one size: an axis is easily taken for another
    x, z, tie = (rng.uniform(0.5, 2.0, (B, n)) for _ in range(3))
    tie[:, :2] = x[:, :2]
    X, Z, S = rng.normal(size=(B, n, 3)), rng.normal(size=(B, 3, n)), rng.normal(size=(B, 2, n, 3))
    W, c, t = rng.normal(size=(n, n)), rng.uniform(0.5, 2.0, n), rng.uniform(0.5, 2.0, B)
    p, rho, share = float(rng.uniform(1.5, 3.5)), float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.2, 0.4))
    run = lambda f, *args: lambda: np.asarray(answer(f)(*args))

    def ces(x):
        return ops.power(ops.sum(c * ops.power(x, rho)), 1 / rho)

    def logsum(x):
        return ops.log(ops.sum(ops.exp(x)))

    def shares(x, t):
        e = ops.exp(t * (W @ x))
        return e / ops.sum(e)

    def solow(s):
        k = 1.0
        for _ in range(30):
            k = s * ops.power(k, share) + 0.9 * k
        return k

    def blocks(x, z):
        y = ops.transpose(ops.reshape(x, (2, 2)))
        y = ops.stack([y[0], ops.maximum(z[1:3], 0.8), y[1]], axis=1)
        return ops.scatter(ops.sum(y, axis=1), slice(1, 3), (4,)) + ops.broadcast(z[3], (4,))

    def angles(x):
        return ops.neg(ops.cos(ops.tanh(ops.sin(x))))

    def counts(f):
        calls = [0]

        def called(x, z):
            calls[0] += 1
            return f(x, z)

        draw = lambda size: rng.uniform(0.5, 1.0, (2, size, n))
        single = counted(f, *draw(1)[:, 0], meters=True)[1]
        few, many = (counted(answer(called), *draw(size))[:2] for size in (2, 100))
        return np.array([single, *few, *many, calls[0]], dtype=float)

    def refused(*args):
        try:
            answer(lambda x, z: ops.sum(x) * ops.sum(z))(*args)
        except ValueError:
            return np.array(1.0)
        return np.array(0.0)

    def metered(f, *args):
        return answer(f)(*[Meter(x) for x in args]).value

    out = {f"op {name}": run(getattr(ops, name), x) for name in ("neg", "exp", "log", "sin", "cos", "tanh")}
    return out | {
        "op power": run(lambda x: ops.power(x, p), x), "op step": run(lambda x: ops.step(x), x - 1), "op add": run(ops.add, x, z),
        "op mul": run(ops.mul, x, z), "op maximum": run(ops.maximum, x, tie), "op sum": run(lambda x: ops.sum(x, axis=0), x),
        "op sum 0": run(lambda x: ops.sum(x, axis=0), X), "op sum 1": run(lambda x: ops.sum(x, axis=1), X),
        "op sum two": run(lambda x: ops.sum(x, axis=(0, 2)), S), "op sum all": run(lambda x: ops.sum(x), X),
        "op sum none": run(lambda x: ops.sum(x), t), "op broadcast": run(lambda x: ops.broadcast(x, (3, n)), x),
        "op broadcast number": run(lambda x: ops.broadcast(x, (n,)), t),
        "op broadcast stretched": run(lambda x: ops.broadcast(x, (2, n, 3)), X[:, :, :1]),
        "op reshape": run(lambda x: ops.reshape(x, (2, 6)), X), "op reshape one": run(lambda x: ops.reshape(x, (1, n)), x),
        "op transpose": run(lambda x: ops.transpose(x), X), "op transpose 3": run(lambda x: ops.transpose(x), S),
        "op matmul": run(ops.matmul, X, Z), "op matmul 3": run(lambda x: ops.matmul(x, np.swapaxes(S[0], 1, 2)), S),
        "op getitem": run(lambda x: ops.getitem(x, 2), x), "op getitem slice": run(lambda x: ops.getitem(x, slice(3, 0, -2)), x),
        "op getitem pair": run(lambda x: ops.getitem(x, (slice(1, 3), -1)), X),
        "op scatter": run(lambda x: ops.scatter(x, slice(1, 5), (6,)), x),
        "op scatter pair": run(lambda x: ops.scatter(x, (1, slice(0, 4)), (2, 5)), x),
        "op stack": run(lambda x, z: ops.stack([x, z]), x, z), "op stack 1": run(lambda x, z: ops.stack([x, z], axis=1), x, z),
        "op stack 2": run(lambda x, z: ops.stack([x, z], axis=2), X, X + 1),
        "program tree ces": run(ces, x), "program tree logsum": run(logsum, x), "program tree shares": run(shares, x, t),
        "program tree solow": run(solow, t / 8), "program tree blocks": run(blocks, x, z), "program tree angles": run(angles, x),
        "mixed mul": run(lambda x: ops.mul(x, c), x), "mixed mul left": run(lambda x: ops.mul(c, x), x),
        "mixed number": run(lambda t, x: t * x, t, x), "mixed maximum": run(lambda x: ops.maximum(0.9, x), x),
        "mixed matrix": run(lambda x: W @ x, x), "mixed matrix left": run(lambda x: x @ W, x),
        "mixed matrix both": run(lambda x, z: x @ z @ W, X, Z), "mixed stack": run(lambda x: ops.stack([c, x, c], axis=1), x),
        "mixed larger": run(lambda x: x + W, x), "mixed one": run(lambda x, z: x / (1.0 + z), x[:1], z[:1]),
        "mixed add": run(lambda x: ops.add(x, c), x),
        "program none number": run(lambda x: 2.0, x), "program none array": run(lambda x: ops.exp(c), x),
        "program none matrix": run(lambda x: W, x), "program none given back": run(lambda x, z: z, x, z),
        "refused sizes": lambda: refused(np.ones((2, 3)), np.ones((4, 3))), "refused number": lambda: refused(2.0, np.ones((4, 3))),
        "refused number alone": lambda: refused(2.0, 3.0),
        "counts plain": lambda: counts(lambda x, z: ops.mul(ops.tanh(ops.sin(x)), ops.exp(z))),
        "counts matrix": lambda: counts(lambda x, z: ops.tanh(W @ ops.sin(x)) * z + c),
        "counts sum": lambda: counts(lambda x, z: ops.maximum(ops.sum(x), z)),
        "metered ces": lambda: metered(ces, x), "metered logsum": lambda: metered(logsum, x),
        "metered blocks": lambda: metered(blocks, x, z), "metered angles": lambda: metered(angles, x),
        "twice outer": lambda: np.asarray(answer(lambda a: answer(lambda b: ops.mul(a, b))(c))(t)),
        "twice exp": lambda: np.asarray(answer(answer(lambda x: ops.sum(ops.exp(x))))(X)),
        "twice matrix": lambda: np.asarray(answer(lambda A: answer(lambda b: ops.matmul(A, b))(Z))(X)),
    }


def judge_mini_vmap(arrays, seed):
    found = _Found(drive_mini_vmap, reference_vmap, arrays, seed)
    rng = np.random.default_rng(seed)
    [rng.uniform(0.5, 2.0, (4, 4)) for _ in range(3)]
    X, Z, _ = rng.normal(size=(4, 4, 3)), rng.normal(size=(4, 3, 4)), rng.normal(size=(4, 2, 4, 3))
    _, c, t = rng.normal(size=(4, 4)), rng.uniform(0.5, 2.0, 4), rng.uniform(0.5, 2.0, 4)
    group = found.group("mixed ")
    mixed = found.right(group)
    if not mixed:
        found.wrong |= {"outside"}                             # the parts below are judged without arrays from outside, then
    tree = {name: (value, used | ({"outside"} if name.split()[2] in ("ces", "shares", "blocks", "solow") else set()))
            for name, (value, used) in found.group("program tree ").items()}
    nested = {"twice outer": (np.outer(t, c), {"mul", "broadcast", "outside"}), "twice exp": (np.sum(np.exp(X), axis=2), {"exp", "sum"}),
              "twice matrix": (np.einsum("aij,bjk->abik", X, Z), {"matmul", "broadcast", "outside"})}
    needed = {"plain": {"mul", "tanh", "sin", "exp"}, "matrix": {"matmul", "reshape", "broadcast", "tanh", "sin", "mul", "add", "outside"},
              "sum": {"sum", "broadcast", "maximum"}}
    counts = [_count(arrays, f"counts {name}", 6) for name, used in needed.items() if not used & found.wrong]
    batched = bool(counts) and all(k and k[0] > 0 and k[1] == k[3] and k[4] <= k[0] and k[5] == 2 for k in counts)
    nested |= {f"metered {name}": tree[f"program tree {name}"] for name in ("ces", "logsum", "blocks", "angles")}
    refused = {f"refused {name}": (1.0, set()) for name in ("sizes", "number", "number alone")}
    return [
        found.rules(ELEMENTWISE + ARRAYS, 3, "each primitive for a batch",
                    "The batch is axis 0 of each array: axes, shapes and indices that the program names come after it; "
                    "broadcasting (4,) to (3, 4) needs its new axis between the two"),
        Part("a batch and arrays without one", 2, mixed,
             "what comes from outside has no batch axis: give it one, (B, *shape), before the primitive runs; left to NumPy, a "
             "vector may meet the batch axis, and a number for each example (B,) the elements" if arrays else ABOVE),
        Part("programs", 1, found.right(tree),
             "each primitive may be right, and the way from one to the next wrong: shape is that of one example" if arrays else ABOVE),
        Part("results without a batch, and refusals", 1, found.right(found.group("program none ")) and found.right(refused),
             "a result that does not depend on the arguments is repeated B times; first axes that differ, or are missing, raise a "
             "ValueError" if arrays else ABOVE),
        Part("no loop", 3, batched,
             "f runs once, on boxes, and each primitive once for the whole batch: the number of primitives that run must not grow "
             "with B; no loop over the examples, in f or in a rule" if any(counts) else ABOVE),
        Part("inside other transformations", 2, found.right(nested),
             "rules use ops and bind, never NumPy, on what may be a box; a box of another level has no batch axis of this call" if arrays else ABOVE),
    ]


# --- parts 4 and 5

def drive_mini_jacobian(answer, seed):
    import inspect

    import numpy as np

    space = inspect.unwrap(answer).__globals__
    ops, Meter, jvp, vmap, jacobian = space["ops"], space.get("Meter"), space.get("jvp"), space.get("vmap"), answer
    tally = [0, 0, 0]                                          # primitives, arithmetic among them, numbers that it made

    def noted(name, primitive):
        moves = name in ("broadcast", "reshape", "transpose", "getitem", "scatter", "stack")

        def run(*xs, **params):
            y = primitive(*xs, **params)
            tally[:] = tally[0] + 1, tally[1] + (not moves), tally[2] + (not moves) * np.size(y)
            return y
        return run

    run_of = space.get("RUN", {})                              # counted here, whatever an answer makes of measure and executed
    run_of.update({name: noted(name, primitive) for name, primitive in run_of.items()})

    def counted(f, *args, meters=False):
        tally[:] = 0, 0, 0
        f(*[Meter(np.asarray(x, dtype=float)) for x in args] if meters else args)
        return list(tally)

    rng = np.random.default_rng(seed)
    x, y, v = rng.uniform(0.5, 2.0, 5), rng.uniform(0.5, 2.0, 2), rng.normal(size=5)
    W, A = rng.normal(size=(3, 5)), rng.normal(size=(6, 2))
    wide = lambda x: ops.tanh(W @ ops.log(x)) * ops.sum(x)
    tall = lambda y: ops.exp(A @ y) / y[1]
    square = lambda x: ops.sin(x) * x[0]

    def by(n, m):
        M = np.ones((m, n)) / n
        f = lambda x: M @ ops.sin(x)
        return [k for program in (f, lambda x: answer(f, x)) for k in counted(program, np.ones(n), meters=True)[1:]]

    return {"program wide": lambda: np.asarray(answer(wide, x)), "program tall": lambda: np.asarray(answer(tall, y)),
            "program square": lambda: np.asarray(answer(square, x)), "program one": lambda: np.asarray(answer(
                lambda x: ops.reshape(ops.sum(ops.exp(x)), (1,)), x)),
            "program constant": lambda: np.asarray(answer(lambda x: np.ones(2), x)),
            "counts wide": lambda: np.array(by(200, 2), dtype=float), "counts tall": lambda: np.array(by(2, 200), dtype=float),
            "counts 3": lambda: np.array(by(4, 3) + by(3, 4), dtype=float),
            "counts 12": lambda: np.array(by(16, 12) + by(12, 16), dtype=float),
            "inside jvp": lambda: np.asarray(jvp(lambda x: answer(lambda x: ops.reshape(ops.sum(ops.exp(x)), (1,)), x), (x,), (v,))[1]),
            "inside vmap": lambda: np.asarray(vmap(lambda x: jacobian(lambda x: ops.exp(x), x))(np.stack([x, 2 * x])))}


def judge_mini_jacobian(arrays, seed):
    rng = np.random.default_rng(seed)
    x, _, v = rng.uniform(0.5, 2.0, 5), rng.uniform(0.5, 2.0, 2), rng.normal(size=5)
    columns = lambda f, x: np.stack([reference_jvp(f, (x,), (e,))[1] for e in np.eye(len(x))], axis=1)
    values, _ = _expected(drive_mini_jacobian, _as_reference(columns), seed)
    same = lambda name, expected: close(arrays, name, expected, 1e-12, 1e-13)
    wide, tall = _count(arrays, "counts wide", 4), _count(arrays, "counts tall", 4)
    small, large = _count(arrays, "counts 3", 8), _count(arrays, "counts 12", 8)
    cheap = lambda found: bool(found) and found[1] > 0 and found[3] <= 60 * found[1]     # 2 directions; 200 need more than 200 times
    batched = bool(small and large) and small[2] == large[2] > 0 and small[6] == large[6] > 0
    inside = (same("inside jvp", (np.exp(x) * v)[None, :])
              and same("inside vmap", np.stack([np.diag(np.exp(x)), np.diag(np.exp(2 * x))])))
    return [
        Part("the matrix", 2, all(same(name, values[name]) for name in values),
             "rows are results, columns are inputs: pushing e_j gives column j, pulling e_i gives row i" if arrays else ABOVE),
        Part("the side with fewer directions", 2, cheap(wide) and cheap(tall),
             "for 2 results of 200 inputs pull back twice, for 200 results of 2 inputs push forward twice; no Jacobian by the longer "
             "side" if arrays else ABOVE),
        Part("in one batch", 1, batched,
             "all directions at once, by vmap: the number of operations must not grow with M or N" if arrays else ABOVE),
        Part("inside other transformations", 1, inside,
             "x may be a box: shape_of(x) has its shape, and NumPy's functions refuse it; ops.transpose and vmap do not" if arrays else ABOVE),
    ]


def _as_reference(f):
    """A function whose globals are those of this module, as a driver wants it."""
    def reference(*args):
        return f(*args)
    return reference


def drive_mini_hvp(answer, seed):
    import inspect

    import numpy as np

    space = inspect.unwrap(answer).__globals__
    ops, Meter, vmap = space["ops"], space.get("Meter"), space.get("vmap")
    tally = [0, 0, 0]                                          # primitives, arithmetic among them, numbers that it made

    def noted(name, primitive):
        moves = name in ("broadcast", "reshape", "transpose", "getitem", "scatter", "stack")

        def run(*xs, **params):
            y = primitive(*xs, **params)
            tally[:] = tally[0] + 1, tally[1] + (not moves), tally[2] + (not moves) * np.size(y)
            return y
        return run

    run_of = space.get("RUN", {})                              # counted here, whatever an answer makes of measure and executed
    run_of.update({name: noted(name, primitive) for name, primitive in run_of.items()})

    def counted(f, *args, meters=False):
        tally[:] = 0, 0, 0
        f(*[Meter(np.asarray(x, dtype=float)) for x in args] if meters else args)
        return list(tally)

    rng = np.random.default_rng(seed)
    x, v, a = rng.uniform(0.5, 2.0, 6), rng.normal(size=6), rng.uniform(0.5, 2.0, 6)
    rho, W = float(rng.uniform(0.2, 0.8)), rng.normal(size=(4, 6))
    ces = lambda x: ops.power(ops.sum(a * ops.power(x, rho)), 1 / rho)
    logsum = lambda x: ops.log(ops.sum(ops.exp(x)))
    network = lambda x: ops.sum(ops.tanh(W @ x))
    matrix = lambda X: ops.sum(X[0] * X[1] * X[1])

    def counts():
        f = lambda x: ops.log(ops.sum(ops.exp(x)))
        plain = counted(f, np.ones(500), meters=True)[1:]
        return np.array(plain + counted(lambda x, v: answer(f, x, v), np.ones(500), np.ones(500), meters=True)[1:], dtype=float)

    return {"ces": lambda: np.asarray(answer(ces, x, v)), "logsum": lambda: np.asarray(answer(logsum, x, v)),
            "network": lambda: np.asarray(answer(network, x, v)),
            "steep": lambda: np.asarray(answer(lambda x: logsum(x) + 1e6 * ops.sum(x), x, v)),
            "matrix": lambda: np.asarray(answer(matrix, x.reshape(2, 3), v.reshape(2, 3))),
            "linear": lambda: np.asarray(answer(lambda x: ops.sum(a * x), x, v)),
            "number": lambda: np.asarray(answer(lambda x: ops.exp(2.0 * x), float(x[0]), float(v[0]))),
            "counts": counts,
            "in a batch": lambda: np.asarray(vmap(lambda e: answer(logsum, x, e))(np.eye(6)))}


def judge_mini_hvp(arrays, seed):
    rng = np.random.default_rng(seed)
    x, v, a = rng.uniform(0.5, 2.0, 6), rng.normal(size=6), rng.uniform(0.5, 2.0, 6)
    rho, W = float(rng.uniform(0.2, 0.8)), rng.normal(size=(4, 6))
    along = lambda gradient: gradient(x + 1e-30j * v).imag / 1e-30               # gradients by hand, their slope by a complex step
    by_hand = {
        "ces": along(lambda x: np.sum(a * x**rho) ** (1 / rho - 1) * a * x ** (rho - 1)),
        "logsum": along(lambda x: np.exp(x) / np.sum(np.exp(x))), "network": along(lambda x: W.T @ (1 - np.tanh(W @ x)**2)),
        "matrix": along(lambda x: np.concatenate([x[3:]**2, 2 * x[:3] * x[3:]])).reshape(2, 3), "linear": np.zeros(6),
        "number": 4 * math.exp(2 * x[0]) * v[0]}
    by_hand["steep"] = by_hand["logsum"]                       # where a difference of gradients loses six digits more
    q = np.exp(x) / np.sum(np.exp(x))
    counts = _count(arrays, "counts", 4)
    same = lambda name, expected: close(arrays, name, expected, 1e-12, 1e-12)
    return [
        Part("the product", 2, all(same(name, expected) for name, expected in by_hand.items()),
             "the tangent of the gradient along v, with the shape of x: jvp of the function that takes x to the pullback of 1; "
             "a difference of gradients is not exact enough"),
        Part("its cost", 1, bool(counts) and 0 < counts[1] and 0 < counts[3] <= 60 * counts[1],
             "the Hessian of N inputs costs N products: differentiate along v only" if counts else ABOVE),
        Part("in a batch", 1, close(arrays, "in a batch", np.diag(q) - np.outer(q, q), 1e-6, 1e-6),
             "v may be a box of vmap: no NumPy function may meet it" if arrays else ABOVE),
    ]


# --- part 6

def drive_mini_ml(answer, seed):
    import inspect

    import numpy as np

    space = inspect.unwrap(answer).__globals__
    ops, Meter = space["ops"], space.get("Meter")
    tally = [0, 0, 0]                                          # primitives, arithmetic among them, numbers that it made

    def noted(name, primitive):
        moves = name in ("broadcast", "reshape", "transpose", "getitem", "scatter", "stack")

        def run(*xs, **params):
            y = primitive(*xs, **params)
            tally[:] = tally[0] + 1, tally[1] + (not moves), tally[2] + (not moves) * np.size(y)
            return y
        return run

    run_of = space.get("RUN", {})                              # counted here, whatever an answer makes of measure and executed
    run_of.update({name: noted(name, primitive) for name, primitive in run_of.items()})

    def counted(f, *args, meters=False):
        tally[:] = 0, 0, 0
        f(*[Meter(np.asarray(x, dtype=float)) for x in args] if meters else args)
        return list(tally)

    rng = np.random.default_rng(seed)
    n = 40
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    d = (rng.uniform(size=n) < 1 / (1 + np.exp(-X @ np.array([0.3, 0.8, -0.5])))).astype(float)
    k = rng.poisson(np.exp(X @ np.array([0.5, 0.4, -0.3]))).astype(float)
    y = 2.0 + rng.normal(size=n) * 1.5

    def logit(beta, x, d):
        z = x @ beta
        return d * z - ops.log(1.0 + ops.exp(z))

    def poisson(beta, x, k):
        z = x @ beta
        return k * z - ops.exp(z)

    def normal(theta, y):
        z = (y - theta[0]) * ops.exp(-theta[1])
        return -0.5 * z * z - theta[1]

    def exponential(theta, y):
        return theta[0] - y * ops.exp(theta[0])

    def count(copies):
        return counted(answer, logit, np.zeros(3), np.tile(X, (copies, 1)), np.tile(d, copies))[0]

    every = lambda *args: lambda: np.stack([np.asarray(part) for part in answer(*args)])
    return {"logit": every(logit, np.zeros(3), X, d), "poisson": every(poisson, np.array([0.5, 0.0, 0.0]), X, k),
            "normal": every(normal, np.array([1.8, 0.5]), y), "exponential": every(exponential, np.array([-0.5]), np.exp(y / 4)),
            "counts": lambda: np.array([count(1), count(3)], dtype=float)}


def judge_mini_ml(arrays, seed):
    rng = np.random.default_rng(seed)
    n = 40
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    d = (rng.uniform(size=n) < 1 / (1 + np.exp(-X @ np.array([0.3, 0.8, -0.5])))).astype(float)
    k = rng.poisson(np.exp(X @ np.array([0.5, 0.4, -0.3]))).astype(float)
    y = 2.0 + rng.normal(size=n) * 1.5

    def glm(mean, weight, target):
        def at(beta):
            z = X @ beta
            return X * (target - mean(z))[:, None], (X.T * weight(z)) @ X
        return at

    def normal(theta):
        z, scale = (y - theta[0]) * np.exp(-theta[1]), np.exp(-theta[1])
        H = np.array([[n * scale**2, 2 * scale * np.sum(z)], [2 * scale * np.sum(z), 2 * np.sum(z**2)]])
        return np.column_stack([z * scale, z**2 - 1]), H

    p, q = (lambda z: 1 / (1 + np.exp(-z))), np.exp(y / 4)
    # Of each likelihood: scores and minus the Hessian at any theta, and where it is largest.
    models = {"logit": glm(p, lambda z: p(z) * (1 - p(z)), d), "poisson": glm(np.exp, np.exp, k), "normal": normal,
              "exponential": lambda theta: ((1 - q * np.exp(theta))[:, None], np.array([[np.sum(q * np.exp(theta))]]))}
    best = {"normal": np.array([np.mean(y), np.log(np.std(y))]), "exponential": np.array([-np.log(np.mean(q))])}
    for name in ("logit", "poisson"):
        best[name] = np.array([0.5, 0, 0]) if name == "poisson" else np.zeros(3)
        for _ in range(60):
            scores, H = models[name](best[name])
            best[name] = best[name] + np.linalg.solve(H, np.sum(scores, axis=0))

    def row(i, expected, rtol, atol=1e-10):
        """Row i of all answers; the errors are judged at the estimate that the answer gave."""
        found = {name: arrays[name][i] for name in models if name in arrays and arrays[name].shape == (3, len(best[name]))
                 and np.max(np.abs(arrays[name][0] - best[name])) < 1}
        return all(name in found and close(found, name, expected(name), rtol, atol) for name in models)

    def errors(name, robust):
        scores, H = models[name](arrays[name][0])
        bread = np.linalg.inv(H)
        return np.sqrt(np.diag(bread @ scores.T @ scores @ bread if robust else bread))

    counts = _count(arrays, "counts", 2)
    return [
        Part("the estimate", 3, row(0, lambda name: best[name], 1e-10),
             "Newton: theta minus H^-1 times the gradient of the sum, until the step is below 1e-12; nine digits agree with "
             "closed forms then"),
        Part("standard errors", 2, row(1, lambda name: errors(name, False), 1e-12, 0),
             "the square roots of the diagonal of the inverse of minus H, at the estimate that you return, H being the Hessian of the sum; a "
             "Hessian by differences is not exact enough" if arrays else ABOVE),
        Part("robust standard errors", 2, row(2, lambda name: errors(name, True), 1e-12, 0),
             "the scores are one gradient for each observation, [n, K]: H^-1 (S'S) H^-1, neither S'S of the sum of scores nor its inverse, "
             "and no factor n/(n - K); H not by differences" if arrays else ABOVE),
        Part("no loop over observations", 1, bool(counts) and 0 < counts[0] and counts[1] <= 1.5 * counts[0],
             "three times the data must not take more operations: vmap over the rows" if counts else ABOVE),
    ]
