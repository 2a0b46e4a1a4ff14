"""Wrong answers of problem set 1, each with a word of its hint and the points that it keeps."""

# %% mini-jvp | forgets the minus sign of the cosine's derivative | wrong, or an error: cos | 10
@functools.cache
def jvp_rules():
    """name -> function of (y, xs, dots, **params): the tangent of y."""
    linear = lambda op: lambda y, xs, dots, **p: op(*dots, **p)
    slope = lambda d: lambda y, xs, dots: d(xs[0], y) * dots[0]

    def matmul(y, xs, dots):
        return dots[0] @ xs[1] + xs[0] @ dots[1]

    def maximum(y, xs, dots):
        left = ops.step(xs[0] - xs[1])
        return left * dots[0] + (1.0 - left) * dots[1]

    return {
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda y, xs, dots, p: p * xs[0] ** (p - 1.0) * dots[0],
        "step": lambda y, xs, dots: 0.0 * dots[0], "matmul": matmul,
        "mul": lambda y, xs, dots: dots[0] * xs[1] + xs[0] * dots[1],
        "maximum": maximum,
        "stack": lambda y, xs, dots, axis: ops.stack(dots, axis),
        **{name: linear(getattr(ops, name)) for name in (
            "neg", "add", "sum", "reshape", "transpose", "getitem",
            "scatter")},
        "broadcast": lambda y, xs, dots, shape: ops.broadcast(*dots, shape)}


class Dual(Box):
    """A primal and its tangent, of one call of jvp."""

    def __init__(self, primal, tangent, level):
        self.primal, self.tangent, self.level = primal, tangent, level
        self.shape = shape_of(primal)

    def part(self, x):
        """Primal and tangent of x; what is not of this call is constant."""
        if isinstance(x, Box) and x.level == self.level:
            return x.primal, x.tangent
        return x, np.zeros(shape_of(x))

    def process(self, name, args, params):
        xs, dots = zip(*map(self.part, args))
        y = bind(name, *xs, **params)
        dot = jvp_rules()[name](y, xs, dots, **params)
        return Dual(y, dot, self.level)


def jvp(f, primals, tangents):
    """(y, y_dot): the value of f, and J v for the tangents v."""
    level = next(levels)
    y = f(*[Dual(x, v, level) for x, v in zip(primals, tangents)])
    return Dual(None, None, level).part(y)


# %% mini-jvp | gives the first argument of maximum everything at a tie | half | 10
@functools.cache
def jvp_rules():
    """name -> function of (y, xs, dots, **params): the tangent of y."""
    linear = lambda op: lambda y, xs, dots, **p: op(*dots, **p)
    slope = lambda d: lambda y, xs, dots: d(xs[0], y) * dots[0]

    def matmul(y, xs, dots):
        return dots[0] @ xs[1] + xs[0] @ dots[1]

    def maximum(y, xs, dots):
        left = 1.0 - ops.step(ops.step(xs[1] - xs[0]) - 0.75)
        return left * dots[0] + (1.0 - left) * dots[1]

    return {
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda y, xs, dots, p: p * xs[0] ** (p - 1.0) * dots[0],
        "step": lambda y, xs, dots: 0.0 * dots[0], "matmul": matmul,
        "mul": lambda y, xs, dots: dots[0] * xs[1] + xs[0] * dots[1],
        "maximum": maximum,
        "stack": lambda y, xs, dots, axis: ops.stack(dots, axis),
        **{name: linear(getattr(ops, name)) for name in (
            "neg", "add", "sum", "reshape", "transpose", "getitem",
            "scatter")},
        "broadcast": lambda y, xs, dots, shape: ops.broadcast(*dots, shape)}


class Dual(Box):
    """A primal and its tangent, of one call of jvp."""

    def __init__(self, primal, tangent, level):
        self.primal, self.tangent, self.level = primal, tangent, level
        self.shape = shape_of(primal)

    def part(self, x):
        """Primal and tangent of x; what is not of this call is constant."""
        if isinstance(x, Box) and x.level == self.level:
            return x.primal, x.tangent
        return x, np.zeros(shape_of(x))

    def process(self, name, args, params):
        xs, dots = zip(*map(self.part, args))
        y = bind(name, *xs, **params)
        dot = jvp_rules()[name](y, xs, dots, **params)
        return Dual(y, dot, self.level)


def jvp(f, primals, tangents):
    """(y, y_dot): the value of f, and J v for the tangents v."""
    level = next(levels)
    y = f(*[Dual(x, v, level) for x, v in zip(primals, tangents)])
    return Dual(None, None, level).part(y)


# %% mini-jvp | has one term of the matrix product | wrong, or an error: matmul | 10
@functools.cache
def jvp_rules():
    """name -> function of (y, xs, dots, **params): the tangent of y."""
    linear = lambda op: lambda y, xs, dots, **p: op(*dots, **p)
    slope = lambda d: lambda y, xs, dots: d(xs[0], y) * dots[0]

    def matmul(y, xs, dots):
        return xs[0] @ dots[1]

    def maximum(y, xs, dots):
        left = ops.step(xs[0] - xs[1])
        return left * dots[0] + (1.0 - left) * dots[1]

    return {
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda y, xs, dots, p: p * xs[0] ** (p - 1.0) * dots[0],
        "step": lambda y, xs, dots: 0.0 * dots[0], "matmul": matmul,
        "mul": lambda y, xs, dots: dots[0] * xs[1] + xs[0] * dots[1],
        "maximum": maximum,
        "stack": lambda y, xs, dots, axis: ops.stack(dots, axis),
        **{name: linear(getattr(ops, name)) for name in (
            "neg", "add", "sum", "reshape", "transpose", "getitem",
            "scatter")},
        "broadcast": lambda y, xs, dots, shape: ops.broadcast(*dots, shape)}


class Dual(Box):
    """A primal and its tangent, of one call of jvp."""

    def __init__(self, primal, tangent, level):
        self.primal, self.tangent, self.level = primal, tangent, level
        self.shape = shape_of(primal)

    def part(self, x):
        """Primal and tangent of x; what is not of this call is constant."""
        if isinstance(x, Box) and x.level == self.level:
            return x.primal, x.tangent
        return x, np.zeros(shape_of(x))

    def process(self, name, args, params):
        xs, dots = zip(*map(self.part, args))
        y = bind(name, *xs, **params)
        dot = jvp_rules()[name](y, xs, dots, **params)
        return Dual(y, dot, self.level)


def jvp(f, primals, tangents):
    """(y, y_dot): the value of f, and J v for the tangents v."""
    level = next(levels)
    y = f(*[Dual(x, v, level) for x, v in zip(primals, tangents)])
    return Dual(None, None, level).part(y)


# %% mini-jvp | stacks along the first axis always | stack | 10
@functools.cache
def jvp_rules():
    """name -> function of (y, xs, dots, **params): the tangent of y."""
    linear = lambda op: lambda y, xs, dots, **p: op(*dots, **p)
    slope = lambda d: lambda y, xs, dots: d(xs[0], y) * dots[0]

    def matmul(y, xs, dots):
        return dots[0] @ xs[1] + xs[0] @ dots[1]

    def maximum(y, xs, dots):
        left = ops.step(xs[0] - xs[1])
        return left * dots[0] + (1.0 - left) * dots[1]

    return {
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda y, xs, dots, p: p * xs[0] ** (p - 1.0) * dots[0],
        "step": lambda y, xs, dots: 0.0 * dots[0], "matmul": matmul,
        "mul": lambda y, xs, dots: dots[0] * xs[1] + xs[0] * dots[1],
        "maximum": maximum,
        "stack": lambda y, xs, dots, axis: ops.stack(dots),
        **{name: linear(getattr(ops, name)) for name in (
            "neg", "add", "sum", "reshape", "transpose", "getitem",
            "scatter")},
        "broadcast": lambda y, xs, dots, shape: ops.broadcast(*dots, shape)}


class Dual(Box):
    """A primal and its tangent, of one call of jvp."""

    def __init__(self, primal, tangent, level):
        self.primal, self.tangent, self.level = primal, tangent, level
        self.shape = shape_of(primal)

    def part(self, x):
        """Primal and tangent of x; what is not of this call is constant."""
        if isinstance(x, Box) and x.level == self.level:
            return x.primal, x.tangent
        return x, np.zeros(shape_of(x))

    def process(self, name, args, params):
        xs, dots = zip(*map(self.part, args))
        y = bind(name, *xs, **params)
        dot = jvp_rules()[name](y, xs, dots, **params)
        return Dual(y, dot, self.level)


def jvp(f, primals, tangents):
    """(y, y_dot): the value of f, and J v for the tangents v."""
    level = next(levels)
    y = f(*[Dual(x, v, level) for x, v in zip(primals, tangents)])
    return Dual(None, None, level).part(y)


# %% mini-jvp | takes any dual for one of its own | another level | 10
@functools.cache
def jvp_rules():
    """name -> function of (y, xs, dots, **params): the tangent of y."""
    linear = lambda op: lambda y, xs, dots, **p: op(*dots, **p)
    slope = lambda d: lambda y, xs, dots: d(xs[0], y) * dots[0]

    def matmul(y, xs, dots):
        return dots[0] @ xs[1] + xs[0] @ dots[1]

    def maximum(y, xs, dots):
        left = ops.step(xs[0] - xs[1])
        return left * dots[0] + (1.0 - left) * dots[1]

    return {
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda y, xs, dots, p: p * xs[0] ** (p - 1.0) * dots[0],
        "step": lambda y, xs, dots: 0.0 * dots[0], "matmul": matmul,
        "mul": lambda y, xs, dots: dots[0] * xs[1] + xs[0] * dots[1],
        "maximum": maximum,
        "stack": lambda y, xs, dots, axis: ops.stack(dots, axis),
        **{name: linear(getattr(ops, name)) for name in (
            "neg", "add", "sum", "reshape", "transpose", "getitem",
            "scatter")},
        "broadcast": lambda y, xs, dots, shape: ops.broadcast(*dots, shape)}


class Dual(Box):
    """A primal and its tangent, of one call of jvp."""

    def __init__(self, primal, tangent, level):
        self.primal, self.tangent, self.level = primal, tangent, level
        self.shape = shape_of(primal)

    def part(self, x):
        """Primal and tangent of x; what is not of this call is constant."""
        if isinstance(x, Dual):
            return x.primal, x.tangent
        return x, np.zeros(shape_of(x))

    def process(self, name, args, params):
        xs, dots = zip(*map(self.part, args))
        y = bind(name, *xs, **params)
        dot = jvp_rules()[name](y, xs, dots, **params)
        return Dual(y, dot, self.level)


def jvp(f, primals, tangents):
    """(y, y_dot): the value of f, and J v for the tangents v."""
    level = next(levels)
    y = f(*[Dual(x, v, level) for x, v in zip(primals, tangents)])
    return Dual(None, None, level).part(y)


# %% mini-jvp | gives a constant result the tangent 0.0, of no shape | zeros of its own shape | 11
@functools.cache
def jvp_rules():
    """name -> function of (y, xs, dots, **params): the tangent of y."""
    linear = lambda op: lambda y, xs, dots, **p: op(*dots, **p)
    slope = lambda d: lambda y, xs, dots: d(xs[0], y) * dots[0]

    def matmul(y, xs, dots):
        return dots[0] @ xs[1] + xs[0] @ dots[1]

    def maximum(y, xs, dots):
        left = ops.step(xs[0] - xs[1])
        return left * dots[0] + (1.0 - left) * dots[1]

    return {
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda y, xs, dots, p: p * xs[0] ** (p - 1.0) * dots[0],
        "step": lambda y, xs, dots: 0.0 * dots[0], "matmul": matmul,
        "mul": lambda y, xs, dots: dots[0] * xs[1] + xs[0] * dots[1],
        "maximum": maximum,
        "stack": lambda y, xs, dots, axis: ops.stack(dots, axis),
        **{name: linear(getattr(ops, name)) for name in (
            "neg", "add", "sum", "reshape", "transpose", "getitem",
            "scatter")},
        "broadcast": lambda y, xs, dots, shape: ops.broadcast(*dots, shape)}


class Dual(Box):
    """A primal and its tangent, of one call of jvp."""

    def __init__(self, primal, tangent, level):
        self.primal, self.tangent, self.level = primal, tangent, level
        self.shape = shape_of(primal)

    def part(self, x):
        """Primal and tangent of x; what is not of this call is constant."""
        if isinstance(x, Box) and x.level == self.level:
            return x.primal, x.tangent
        return x, np.zeros(shape_of(x))

    def process(self, name, args, params):
        xs, dots = zip(*map(self.part, args))
        y = bind(name, *xs, **params)
        dot = jvp_rules()[name](y, xs, dots, **params)
        return Dual(y, dot, self.level)


def jvp(f, primals, tangents):
    """(y, y_dot): the value of f, and J v for the tangents v."""
    level = next(levels)
    y = f(*[Dual(x, v, level) for x, v in zip(primals, tangents)])
    return (y.primal, y.tangent) if isinstance(y, Dual) and y.level == level else (
        y, 0.0)


# %% mini-jvp | writes rules with NumPy | never NumPy | 11
@functools.cache
def jvp_rules():
    """name -> function of (y, xs, dots, **params): the tangent of y."""
    linear = lambda op: lambda y, xs, dots, **p: op(*dots, **p)
    slope = lambda d: lambda y, xs, dots: d(xs[0], y) * dots[0]

    def matmul(y, xs, dots):
        return dots[0] @ xs[1] + xs[0] @ dots[1]

    def maximum(y, xs, dots):
        left = ops.step(xs[0] - xs[1])
        return left * dots[0] + (1.0 - left) * dots[1]

    return {
        "exp": lambda y, xs, dots: np.exp(xs[0]) * dots[0], "log": slope(lambda x, y: 1 / np.asarray(x, dtype=float)),
        "sin": slope(lambda x, y: np.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - np.tanh(x)**2),
        "power": lambda y, xs, dots, p: p * np.power(xs[0], p - 1.0) * dots[0],
        "step": lambda y, xs, dots: 0.0 * dots[0], "matmul": matmul,
        "mul": lambda y, xs, dots: dots[0] * xs[1] + xs[0] * dots[1],
        "maximum": maximum,
        "stack": lambda y, xs, dots, axis: ops.stack(dots, axis),
        **{name: linear(getattr(ops, name)) for name in (
            "neg", "add", "sum", "reshape", "transpose", "getitem",
            "scatter")},
        "broadcast": lambda y, xs, dots, shape: ops.broadcast(*dots, shape)}


class Dual(Box):
    """A primal and its tangent, of one call of jvp."""

    def __init__(self, primal, tangent, level):
        self.primal, self.tangent, self.level = primal, tangent, level
        self.shape = shape_of(primal)

    def part(self, x):
        """Primal and tangent of x; what is not of this call is constant."""
        if isinstance(x, Box) and x.level == self.level:
            return x.primal, x.tangent
        return x, np.zeros(shape_of(x))

    def process(self, name, args, params):
        xs, dots = zip(*map(self.part, args))
        y = bind(name, *xs, **params)
        dot = jvp_rules()[name](y, xs, dots, **params)
        return Dual(y, dot, self.level)


def jvp(f, primals, tangents):
    """(y, y_dot): the value of f, and J v for the tangents v."""
    level = next(levels)
    y = f(*[Dual(x, v, level) for x, v in zip(primals, tangents)])
    return Dual(None, None, level).part(y)


# %% mini-jvp | runs f once for each primal | f runs once | 11
@functools.cache
def jvp_rules():
    """name -> function of (y, xs, dots, **params): the tangent of y."""
    linear = lambda op: lambda y, xs, dots, **p: op(*dots, **p)
    slope = lambda d: lambda y, xs, dots: d(xs[0], y) * dots[0]

    def matmul(y, xs, dots):
        return dots[0] @ xs[1] + xs[0] @ dots[1]

    def maximum(y, xs, dots):
        left = ops.step(xs[0] - xs[1])
        return left * dots[0] + (1.0 - left) * dots[1]

    return {
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda y, xs, dots, p: p * xs[0] ** (p - 1.0) * dots[0],
        "step": lambda y, xs, dots: 0.0 * dots[0], "matmul": matmul,
        "mul": lambda y, xs, dots: dots[0] * xs[1] + xs[0] * dots[1],
        "maximum": maximum,
        "stack": lambda y, xs, dots, axis: ops.stack(dots, axis),
        **{name: linear(getattr(ops, name)) for name in (
            "neg", "add", "sum", "reshape", "transpose", "getitem",
            "scatter")},
        "broadcast": lambda y, xs, dots, shape: ops.broadcast(*dots, shape)}


class Dual(Box):
    """A primal and its tangent, of one call of jvp."""

    def __init__(self, primal, tangent, level):
        self.primal, self.tangent, self.level = primal, tangent, level
        self.shape = shape_of(primal)

    def part(self, x):
        """Primal and tangent of x; what is not of this call is constant."""
        if isinstance(x, Box) and x.level == self.level:
            return x.primal, x.tangent
        return x, np.zeros(shape_of(x))

    def process(self, name, args, params):
        xs, dots = zip(*map(self.part, args))
        y = bind(name, *xs, **params)
        dot = jvp_rules()[name](y, xs, dots, **params)
        return Dual(y, dot, self.level)


def jvp(f, primals, tangents):
    """(y, y_dot): the value of f, and J v for the tangents v."""
    total = 0.0
    for i, v in enumerate(tangents):
        level = next(levels)
        inputs = [Dual(x, v if j == i else np.zeros(shape_of(x)), level)
                  for j, x in enumerate(primals)]
        y, dot = Dual(None, None, level).part(f(*inputs))
        total = total + dot
    return y, total


# %% mini-jvp | takes central differences | differences | 0
def jvp(f, primals, tangents):
    h = 6e-6
    ahead = f(*[x + h * v for x, v in zip(primals, tangents)])
    behind = f(*[x - h * v for x, v in zip(primals, tangents)])
    return f(*primals), (ahead - behind) / (2 * h)


# %% mini-jvp | calls JAX | wrong, or an error | 0
def jvp(f, primals, tangents):
    return jax.jvp(f, primals, tangents)


# %% mini-jvp | takes complex steps | complex steps | 0
class Complex(Box):
    def __init__(self, z, level):
        self.z, self.level, self.shape = z, level, np.shape(z)

    def process(self, name, args, params):
        xs = [x.z if isinstance(x, Complex) else x for x in args]
        if name == "step":
            return np.heaviside(np.real(xs[0]), 0.5)
        if name == "maximum":
            a, b = map(np.asarray, xs)
            y = np.where(a.real > b.real, a, np.where(a.real == b.real, (a + b) / 2, b))
        elif name == "scatter":
            y = np.zeros(params["shape"], complex)
            y[params["index"]] = xs[0]
        else:
            y = RUN[name](*xs, **params)
        return Complex(y, self.level)


def jvp(f, primals, tangents):
    level = next(levels)
    y = f(*[Complex(np.asarray(x) + 1e-30j * np.asarray(v), level) for x, v in zip(primals, tangents)])
    if isinstance(y, Complex):
        return np.real(y.z), np.imag(y.z) * 1e30
    return y, np.zeros(np.shape(y))


# %% mini-vjp | takes the sine for its own derivative's sign | wrong, or an error: cos | 12
@functools.cache
def vjp_rules():
    """name -> function of (g, y, xs, **params): a tuple, one for each x."""
    slope = lambda d: lambda g, y, xs: (g * d(xs[0], y),)

    def maximum(g, y, xs):
        left = ops.step(xs[0] - xs[1])
        return g * left, g * (1.0 - left)

    def sum_back(g, y, xs, axis):
        s = shape_of(xs[0])
        kept = [1 if i in axis else n for i, n in enumerate(s)]
        return (ops.broadcast(ops.reshape(g, kept), s),)

    def broadcast_back(g, y, xs, shape):
        before = shape_of(xs[0])
        added = len(shape) - len(before)
        stretched = [added + i for i, n in enumerate(before) if n == 1]
        g = ops.sum(g, (*range(added), *stretched))
        return (ops.reshape(g, before),)

    def matmul(g, y, xs):
        return g @ ops.transpose(xs[1]), ops.transpose(xs[0]) @ g

    def stack_back(g, y, xs, axis):
        before = (slice(None),) * axis
        return tuple(g[(*before, i)] for i in range(len(xs)))

    return {
        "neg": lambda g, y, xs: (-g,), "add": lambda g, y, xs: (g, g),
        "mul": lambda g, y, xs: (g * xs[1], xs[0] * g),
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda g, y, xs, p: (g * (p * xs[0] ** (p - 1.0)),),
        "step": slope(lambda x, y: np.zeros(shape_of(x))), "maximum": maximum,
        "sum": sum_back, "broadcast": broadcast_back, "matmul": matmul,
        "reshape": lambda g, y, xs, shape: (ops.reshape(g, shape_of(xs[0])),),
        "transpose": lambda g, y, xs: (ops.transpose(g),),
        "getitem": lambda g, y, xs, index: (
            ops.scatter(g, index, shape_of(xs[0])),),
        "scatter": lambda g, y, xs, index, shape: (g[index],),
        "stack": stack_back}


class Traced(Box):
    """A value that is written on the tape of one call of vjp."""

    def __init__(self, value, level, tape, record=None):
        self.value, self.level, self.tape = value, level, tape
        self.shape, self.index = shape_of(value), len(tape)
        tape.append(record)

    def mine(self, x):
        return isinstance(x, Box) and x.level == self.level

    def process(self, name, args, params):
        xs = [x.value if self.mine(x) else x for x in args]
        parents = [x.index if self.mine(x) else None for x in args]
        y = bind(name, *xs, **params)
        record = (vjp_rules()[name], y, xs, params, parents)
        return Traced(y, self.level, self.tape, record)


def vjp(f, *primals):
    """(y, pullback): the value of f, and u -> a tuple of cotangents."""
    level, tape = next(levels), []
    inputs = [Traced(x, level, tape) for x in primals]
    y = f(*inputs)
    traced = inputs[0].mine(y)

    def pullback(u):
        bars = [None] * len(tape)
        if traced:
            bars[y.index] = u
        for i in range(len(tape) - 1, len(inputs) - 1, -1):
            if bars[i] is None:
                continue
            rule, value, xs, params, parents = tape[i]
            sent = rule(bars[i], value, xs, **params)
            for j, bar in zip(parents, sent):
                if j is not None:
                    bars[j] = bar if bars[j] is None else bars[j] + bar
            bars[i] = None  # no longer needed
        return tuple(np.zeros(x.shape) if bar is None else bar
                     for x, bar in zip(inputs, bars))

    return (y.value if traced else y), pullback


# %% mini-vjp | does not transpose in the matrix product | matmul | 12
@functools.cache
def vjp_rules():
    """name -> function of (g, y, xs, **params): a tuple, one for each x."""
    slope = lambda d: lambda g, y, xs: (g * d(xs[0], y),)

    def maximum(g, y, xs):
        left = ops.step(xs[0] - xs[1])
        return g * left, g * (1.0 - left)

    def sum_back(g, y, xs, axis):
        s = shape_of(xs[0])
        kept = [1 if i in axis else n for i, n in enumerate(s)]
        return (ops.broadcast(ops.reshape(g, kept), s),)

    def broadcast_back(g, y, xs, shape):
        before = shape_of(xs[0])
        added = len(shape) - len(before)
        stretched = [added + i for i, n in enumerate(before) if n == 1]
        g = ops.sum(g, (*range(added), *stretched))
        return (ops.reshape(g, before),)

    def matmul(g, y, xs):
        return g @ ops.transpose(xs[1]), xs[0] @ g

    def stack_back(g, y, xs, axis):
        before = (slice(None),) * axis
        return tuple(g[(*before, i)] for i in range(len(xs)))

    return {
        "neg": lambda g, y, xs: (-g,), "add": lambda g, y, xs: (g, g),
        "mul": lambda g, y, xs: (g * xs[1], xs[0] * g),
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda g, y, xs, p: (g * (p * xs[0] ** (p - 1.0)),),
        "step": slope(lambda x, y: np.zeros(shape_of(x))), "maximum": maximum,
        "sum": sum_back, "broadcast": broadcast_back, "matmul": matmul,
        "reshape": lambda g, y, xs, shape: (ops.reshape(g, shape_of(xs[0])),),
        "transpose": lambda g, y, xs: (ops.transpose(g),),
        "getitem": lambda g, y, xs, index: (
            ops.scatter(g, index, shape_of(xs[0])),),
        "scatter": lambda g, y, xs, index, shape: (g[index],),
        "stack": stack_back}


class Traced(Box):
    """A value that is written on the tape of one call of vjp."""

    def __init__(self, value, level, tape, record=None):
        self.value, self.level, self.tape = value, level, tape
        self.shape, self.index = shape_of(value), len(tape)
        tape.append(record)

    def mine(self, x):
        return isinstance(x, Box) and x.level == self.level

    def process(self, name, args, params):
        xs = [x.value if self.mine(x) else x for x in args]
        parents = [x.index if self.mine(x) else None for x in args]
        y = bind(name, *xs, **params)
        record = (vjp_rules()[name], y, xs, params, parents)
        return Traced(y, self.level, self.tape, record)


def vjp(f, *primals):
    """(y, pullback): the value of f, and u -> a tuple of cotangents."""
    level, tape = next(levels), []
    inputs = [Traced(x, level, tape) for x in primals]
    y = f(*inputs)
    traced = inputs[0].mine(y)

    def pullback(u):
        bars = [None] * len(tape)
        if traced:
            bars[y.index] = u
        for i in range(len(tape) - 1, len(inputs) - 1, -1):
            if bars[i] is None:
                continue
            rule, value, xs, params, parents = tape[i]
            sent = rule(bars[i], value, xs, **params)
            for j, bar in zip(parents, sent):
                if j is not None:
                    bars[j] = bar if bars[j] is None else bars[j] + bar
            bars[i] = None  # no longer needed
        return tuple(np.zeros(x.shape) if bar is None else bar
                     for x, bar in zip(inputs, bars))

    return (y.value if traced else y), pullback


# %% mini-vjp | sums a broadcast over the added axes only | broadcast | 12
@functools.cache
def vjp_rules():
    """name -> function of (g, y, xs, **params): a tuple, one for each x."""
    slope = lambda d: lambda g, y, xs: (g * d(xs[0], y),)

    def maximum(g, y, xs):
        left = ops.step(xs[0] - xs[1])
        return g * left, g * (1.0 - left)

    def sum_back(g, y, xs, axis):
        s = shape_of(xs[0])
        kept = [1 if i in axis else n for i, n in enumerate(s)]
        return (ops.broadcast(ops.reshape(g, kept), s),)

    def broadcast_back(g, y, xs, shape):
        before = shape_of(xs[0])
        added = len(shape) - len(before)
        stretched = [added + i for i, n in enumerate(before) if n == 1]
        g = ops.sum(g, tuple(range(added)))
        return (ops.reshape(g, before),)

    def matmul(g, y, xs):
        return g @ ops.transpose(xs[1]), ops.transpose(xs[0]) @ g

    def stack_back(g, y, xs, axis):
        before = (slice(None),) * axis
        return tuple(g[(*before, i)] for i in range(len(xs)))

    return {
        "neg": lambda g, y, xs: (-g,), "add": lambda g, y, xs: (g, g),
        "mul": lambda g, y, xs: (g * xs[1], xs[0] * g),
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda g, y, xs, p: (g * (p * xs[0] ** (p - 1.0)),),
        "step": slope(lambda x, y: np.zeros(shape_of(x))), "maximum": maximum,
        "sum": sum_back, "broadcast": broadcast_back, "matmul": matmul,
        "reshape": lambda g, y, xs, shape: (ops.reshape(g, shape_of(xs[0])),),
        "transpose": lambda g, y, xs: (ops.transpose(g),),
        "getitem": lambda g, y, xs, index: (
            ops.scatter(g, index, shape_of(xs[0])),),
        "scatter": lambda g, y, xs, index, shape: (g[index],),
        "stack": stack_back}


class Traced(Box):
    """A value that is written on the tape of one call of vjp."""

    def __init__(self, value, level, tape, record=None):
        self.value, self.level, self.tape = value, level, tape
        self.shape, self.index = shape_of(value), len(tape)
        tape.append(record)

    def mine(self, x):
        return isinstance(x, Box) and x.level == self.level

    def process(self, name, args, params):
        xs = [x.value if self.mine(x) else x for x in args]
        parents = [x.index if self.mine(x) else None for x in args]
        y = bind(name, *xs, **params)
        record = (vjp_rules()[name], y, xs, params, parents)
        return Traced(y, self.level, self.tape, record)


def vjp(f, *primals):
    """(y, pullback): the value of f, and u -> a tuple of cotangents."""
    level, tape = next(levels), []
    inputs = [Traced(x, level, tape) for x in primals]
    y = f(*inputs)
    traced = inputs[0].mine(y)

    def pullback(u):
        bars = [None] * len(tape)
        if traced:
            bars[y.index] = u
        for i in range(len(tape) - 1, len(inputs) - 1, -1):
            if bars[i] is None:
                continue
            rule, value, xs, params, parents = tape[i]
            sent = rule(bars[i], value, xs, **params)
            for j, bar in zip(parents, sent):
                if j is not None:
                    bars[j] = bar if bars[j] is None else bars[j] + bar
            bars[i] = None  # no longer needed
        return tuple(np.zeros(x.shape) if bar is None else bar
                     for x, bar in zip(inputs, bars))

    return (y.value if traced else y), pullback


# %% mini-vjp | sends the cotangent of a sum back as it is | wrong, or an error: sum | 12
@functools.cache
def vjp_rules():
    """name -> function of (g, y, xs, **params): a tuple, one for each x."""
    slope = lambda d: lambda g, y, xs: (g * d(xs[0], y),)

    def maximum(g, y, xs):
        left = ops.step(xs[0] - xs[1])
        return g * left, g * (1.0 - left)

    def sum_back(g, y, xs, axis):
        s = shape_of(xs[0])
        kept = [1 if i in axis else n for i, n in enumerate(s)]
        return (ops.broadcast(g, s),)

    def broadcast_back(g, y, xs, shape):
        before = shape_of(xs[0])
        added = len(shape) - len(before)
        stretched = [added + i for i, n in enumerate(before) if n == 1]
        g = ops.sum(g, (*range(added), *stretched))
        return (ops.reshape(g, before),)

    def matmul(g, y, xs):
        return g @ ops.transpose(xs[1]), ops.transpose(xs[0]) @ g

    def stack_back(g, y, xs, axis):
        before = (slice(None),) * axis
        return tuple(g[(*before, i)] for i in range(len(xs)))

    return {
        "neg": lambda g, y, xs: (-g,), "add": lambda g, y, xs: (g, g),
        "mul": lambda g, y, xs: (g * xs[1], xs[0] * g),
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda g, y, xs, p: (g * (p * xs[0] ** (p - 1.0)),),
        "step": slope(lambda x, y: np.zeros(shape_of(x))), "maximum": maximum,
        "sum": sum_back, "broadcast": broadcast_back, "matmul": matmul,
        "reshape": lambda g, y, xs, shape: (ops.reshape(g, shape_of(xs[0])),),
        "transpose": lambda g, y, xs: (ops.transpose(g),),
        "getitem": lambda g, y, xs, index: (
            ops.scatter(g, index, shape_of(xs[0])),),
        "scatter": lambda g, y, xs, index, shape: (g[index],),
        "stack": stack_back}


class Traced(Box):
    """A value that is written on the tape of one call of vjp."""

    def __init__(self, value, level, tape, record=None):
        self.value, self.level, self.tape = value, level, tape
        self.shape, self.index = shape_of(value), len(tape)
        tape.append(record)

    def mine(self, x):
        return isinstance(x, Box) and x.level == self.level

    def process(self, name, args, params):
        xs = [x.value if self.mine(x) else x for x in args]
        parents = [x.index if self.mine(x) else None for x in args]
        y = bind(name, *xs, **params)
        record = (vjp_rules()[name], y, xs, params, parents)
        return Traced(y, self.level, self.tape, record)


def vjp(f, *primals):
    """(y, pullback): the value of f, and u -> a tuple of cotangents."""
    level, tape = next(levels), []
    inputs = [Traced(x, level, tape) for x in primals]
    y = f(*inputs)
    traced = inputs[0].mine(y)

    def pullback(u):
        bars = [None] * len(tape)
        if traced:
            bars[y.index] = u
        for i in range(len(tape) - 1, len(inputs) - 1, -1):
            if bars[i] is None:
                continue
            rule, value, xs, params, parents = tape[i]
            sent = rule(bars[i], value, xs, **params)
            for j, bar in zip(parents, sent):
                if j is not None:
                    bars[j] = bar if bars[j] is None else bars[j] + bar
            bars[i] = None  # no longer needed
        return tuple(np.zeros(x.shape) if bar is None else bar
                     for x, bar in zip(inputs, bars))

    return (y.value if traced else y), pullback


# %% mini-vjp | overwrites instead of adding | add up | 11
@functools.cache
def vjp_rules():
    """name -> function of (g, y, xs, **params): a tuple, one for each x."""
    slope = lambda d: lambda g, y, xs: (g * d(xs[0], y),)

    def maximum(g, y, xs):
        left = ops.step(xs[0] - xs[1])
        return g * left, g * (1.0 - left)

    def sum_back(g, y, xs, axis):
        s = shape_of(xs[0])
        kept = [1 if i in axis else n for i, n in enumerate(s)]
        return (ops.broadcast(ops.reshape(g, kept), s),)

    def broadcast_back(g, y, xs, shape):
        before = shape_of(xs[0])
        added = len(shape) - len(before)
        stretched = [added + i for i, n in enumerate(before) if n == 1]
        g = ops.sum(g, (*range(added), *stretched))
        return (ops.reshape(g, before),)

    def matmul(g, y, xs):
        return g @ ops.transpose(xs[1]), ops.transpose(xs[0]) @ g

    def stack_back(g, y, xs, axis):
        before = (slice(None),) * axis
        return tuple(g[(*before, i)] for i in range(len(xs)))

    return {
        "neg": lambda g, y, xs: (-g,), "add": lambda g, y, xs: (g, g),
        "mul": lambda g, y, xs: (g * xs[1], xs[0] * g),
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda g, y, xs, p: (g * (p * xs[0] ** (p - 1.0)),),
        "step": slope(lambda x, y: np.zeros(shape_of(x))), "maximum": maximum,
        "sum": sum_back, "broadcast": broadcast_back, "matmul": matmul,
        "reshape": lambda g, y, xs, shape: (ops.reshape(g, shape_of(xs[0])),),
        "transpose": lambda g, y, xs: (ops.transpose(g),),
        "getitem": lambda g, y, xs, index: (
            ops.scatter(g, index, shape_of(xs[0])),),
        "scatter": lambda g, y, xs, index, shape: (g[index],),
        "stack": stack_back}


class Traced(Box):
    """A value that is written on the tape of one call of vjp."""

    def __init__(self, value, level, tape, record=None):
        self.value, self.level, self.tape = value, level, tape
        self.shape, self.index = shape_of(value), len(tape)
        tape.append(record)

    def mine(self, x):
        return isinstance(x, Box) and x.level == self.level

    def process(self, name, args, params):
        xs = [x.value if self.mine(x) else x for x in args]
        parents = [x.index if self.mine(x) else None for x in args]
        y = bind(name, *xs, **params)
        record = (vjp_rules()[name], y, xs, params, parents)
        return Traced(y, self.level, self.tape, record)


def vjp(f, *primals):
    """(y, pullback): the value of f, and u -> a tuple of cotangents."""
    level, tape = next(levels), []
    inputs = [Traced(x, level, tape) for x in primals]
    y = f(*inputs)
    traced = inputs[0].mine(y)

    def pullback(u):
        bars = [None] * len(tape)
        if traced:
            bars[y.index] = u
        for i in range(len(tape) - 1, len(inputs) - 1, -1):
            if bars[i] is None:
                continue
            rule, value, xs, params, parents = tape[i]
            sent = rule(bars[i], value, xs, **params)
            for j, bar in zip(parents, sent):
                if j is not None:
                    bars[j] = bar
            bars[i] = None  # no longer needed
        return tuple(np.zeros(x.shape) if bar is None else bar
                     for x, bar in zip(inputs, bars))

    return (y.value if traced else y), pullback


# %% mini-vjp | adds in place | never += | 11
@functools.cache
def vjp_rules():
    """name -> function of (g, y, xs, **params): a tuple, one for each x."""
    slope = lambda d: lambda g, y, xs: (g * d(xs[0], y),)

    def maximum(g, y, xs):
        left = ops.step(xs[0] - xs[1])
        return g * left, g * (1.0 - left)

    def sum_back(g, y, xs, axis):
        s = shape_of(xs[0])
        kept = [1 if i in axis else n for i, n in enumerate(s)]
        return (ops.broadcast(ops.reshape(g, kept), s),)

    def broadcast_back(g, y, xs, shape):
        before = shape_of(xs[0])
        added = len(shape) - len(before)
        stretched = [added + i for i, n in enumerate(before) if n == 1]
        g = ops.sum(g, (*range(added), *stretched))
        return (ops.reshape(g, before),)

    def matmul(g, y, xs):
        return g @ ops.transpose(xs[1]), ops.transpose(xs[0]) @ g

    def stack_back(g, y, xs, axis):
        before = (slice(None),) * axis
        return tuple(g[(*before, i)] for i in range(len(xs)))

    return {
        "neg": lambda g, y, xs: (-g,), "add": lambda g, y, xs: (g, g),
        "mul": lambda g, y, xs: (g * xs[1], xs[0] * g),
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda g, y, xs, p: (g * (p * xs[0] ** (p - 1.0)),),
        "step": slope(lambda x, y: np.zeros(shape_of(x))), "maximum": maximum,
        "sum": sum_back, "broadcast": broadcast_back, "matmul": matmul,
        "reshape": lambda g, y, xs, shape: (ops.reshape(g, shape_of(xs[0])),),
        "transpose": lambda g, y, xs: (ops.transpose(g),),
        "getitem": lambda g, y, xs, index: (
            ops.scatter(g, index, shape_of(xs[0])),),
        "scatter": lambda g, y, xs, index, shape: (g[index],),
        "stack": stack_back}


class Traced(Box):
    """A value that is written on the tape of one call of vjp."""

    def __init__(self, value, level, tape, record=None):
        self.value, self.level, self.tape = value, level, tape
        self.shape, self.index = shape_of(value), len(tape)
        tape.append(record)

    def mine(self, x):
        return isinstance(x, Box) and x.level == self.level

    def process(self, name, args, params):
        xs = [x.value if self.mine(x) else x for x in args]
        parents = [x.index if self.mine(x) else None for x in args]
        y = bind(name, *xs, **params)
        record = (vjp_rules()[name], y, xs, params, parents)
        return Traced(y, self.level, self.tape, record)


def vjp(f, *primals):
    """(y, pullback): the value of f, and u -> a tuple of cotangents."""
    level, tape = next(levels), []
    inputs = [Traced(x, level, tape) for x in primals]
    y = f(*inputs)
    traced = inputs[0].mine(y)

    def pullback(u):
        bars = [None] * len(tape)
        if traced:
            bars[y.index] = u
        for i in range(len(tape) - 1, len(inputs) - 1, -1):
            if bars[i] is None:
                continue
            rule, value, xs, params, parents = tape[i]
            sent = rule(bars[i], value, xs, **params)
            for j, bar in zip(parents, sent):
                if j is not None:
                    if bars[j] is None:
                        bars[j] = bar
                    elif type(bars[j]) is type(bar) is np.ndarray and bar.ndim:
                        bars[j] = np.require(bars[j], requirements="W")
                        bars[j] += bar
                    else:
                        bars[j] = bars[j] + bar
            bars[i] = None  # no longer needed
        return tuple(np.zeros(x.shape) if bar is None else bar
                     for x, bar in zip(inputs, bars))

    return (y.value if traced else y), pullback


# %% mini-vjp | gives None for a primal without influence | zeros of their shape | 11
@functools.cache
def vjp_rules():
    """name -> function of (g, y, xs, **params): a tuple, one for each x."""
    slope = lambda d: lambda g, y, xs: (g * d(xs[0], y),)

    def maximum(g, y, xs):
        left = ops.step(xs[0] - xs[1])
        return g * left, g * (1.0 - left)

    def sum_back(g, y, xs, axis):
        s = shape_of(xs[0])
        kept = [1 if i in axis else n for i, n in enumerate(s)]
        return (ops.broadcast(ops.reshape(g, kept), s),)

    def broadcast_back(g, y, xs, shape):
        before = shape_of(xs[0])
        added = len(shape) - len(before)
        stretched = [added + i for i, n in enumerate(before) if n == 1]
        g = ops.sum(g, (*range(added), *stretched))
        return (ops.reshape(g, before),)

    def matmul(g, y, xs):
        return g @ ops.transpose(xs[1]), ops.transpose(xs[0]) @ g

    def stack_back(g, y, xs, axis):
        before = (slice(None),) * axis
        return tuple(g[(*before, i)] for i in range(len(xs)))

    return {
        "neg": lambda g, y, xs: (-g,), "add": lambda g, y, xs: (g, g),
        "mul": lambda g, y, xs: (g * xs[1], xs[0] * g),
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda g, y, xs, p: (g * (p * xs[0] ** (p - 1.0)),),
        "step": slope(lambda x, y: np.zeros(shape_of(x))), "maximum": maximum,
        "sum": sum_back, "broadcast": broadcast_back, "matmul": matmul,
        "reshape": lambda g, y, xs, shape: (ops.reshape(g, shape_of(xs[0])),),
        "transpose": lambda g, y, xs: (ops.transpose(g),),
        "getitem": lambda g, y, xs, index: (
            ops.scatter(g, index, shape_of(xs[0])),),
        "scatter": lambda g, y, xs, index, shape: (g[index],),
        "stack": stack_back}


class Traced(Box):
    """A value that is written on the tape of one call of vjp."""

    def __init__(self, value, level, tape, record=None):
        self.value, self.level, self.tape = value, level, tape
        self.shape, self.index = shape_of(value), len(tape)
        tape.append(record)

    def mine(self, x):
        return isinstance(x, Box) and x.level == self.level

    def process(self, name, args, params):
        xs = [x.value if self.mine(x) else x for x in args]
        parents = [x.index if self.mine(x) else None for x in args]
        y = bind(name, *xs, **params)
        record = (vjp_rules()[name], y, xs, params, parents)
        return Traced(y, self.level, self.tape, record)


def vjp(f, *primals):
    """(y, pullback): the value of f, and u -> a tuple of cotangents."""
    level, tape = next(levels), []
    inputs = [Traced(x, level, tape) for x in primals]
    y = f(*inputs)
    traced = inputs[0].mine(y)

    def pullback(u):
        bars = [None] * len(tape)
        if traced:
            bars[y.index] = u
        for i in range(len(tape) - 1, len(inputs) - 1, -1):
            if bars[i] is None:
                continue
            rule, value, xs, params, parents = tape[i]
            sent = rule(bars[i], value, xs, **params)
            for j, bar in zip(parents, sent):
                if j is not None:
                    bars[j] = bar if bars[j] is None else bars[j] + bar
            bars[i] = None  # no longer needed
        return tuple(bar
                     for x, bar in zip(inputs, bars))

    return (y.value if traced else y), pullback


# %% mini-vjp | keeps the cotangents of the last call | begins with none | 11
@functools.cache
def vjp_rules():
    """name -> function of (g, y, xs, **params): a tuple, one for each x."""
    slope = lambda d: lambda g, y, xs: (g * d(xs[0], y),)

    def maximum(g, y, xs):
        left = ops.step(xs[0] - xs[1])
        return g * left, g * (1.0 - left)

    def sum_back(g, y, xs, axis):
        s = shape_of(xs[0])
        kept = [1 if i in axis else n for i, n in enumerate(s)]
        return (ops.broadcast(ops.reshape(g, kept), s),)

    def broadcast_back(g, y, xs, shape):
        before = shape_of(xs[0])
        added = len(shape) - len(before)
        stretched = [added + i for i, n in enumerate(before) if n == 1]
        g = ops.sum(g, (*range(added), *stretched))
        return (ops.reshape(g, before),)

    def matmul(g, y, xs):
        return g @ ops.transpose(xs[1]), ops.transpose(xs[0]) @ g

    def stack_back(g, y, xs, axis):
        before = (slice(None),) * axis
        return tuple(g[(*before, i)] for i in range(len(xs)))

    return {
        "neg": lambda g, y, xs: (-g,), "add": lambda g, y, xs: (g, g),
        "mul": lambda g, y, xs: (g * xs[1], xs[0] * g),
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda g, y, xs, p: (g * (p * xs[0] ** (p - 1.0)),),
        "step": slope(lambda x, y: np.zeros(shape_of(x))), "maximum": maximum,
        "sum": sum_back, "broadcast": broadcast_back, "matmul": matmul,
        "reshape": lambda g, y, xs, shape: (ops.reshape(g, shape_of(xs[0])),),
        "transpose": lambda g, y, xs: (ops.transpose(g),),
        "getitem": lambda g, y, xs, index: (
            ops.scatter(g, index, shape_of(xs[0])),),
        "scatter": lambda g, y, xs, index, shape: (g[index],),
        "stack": stack_back}


class Traced(Box):
    """A value that is written on the tape of one call of vjp."""

    def __init__(self, value, level, tape, record=None):
        self.value, self.level, self.tape = value, level, tape
        self.shape, self.index = shape_of(value), len(tape)
        tape.append(record)

    def mine(self, x):
        return isinstance(x, Box) and x.level == self.level

    def process(self, name, args, params):
        xs = [x.value if self.mine(x) else x for x in args]
        parents = [x.index if self.mine(x) else None for x in args]
        y = bind(name, *xs, **params)
        record = (vjp_rules()[name], y, xs, params, parents)
        return Traced(y, self.level, self.tape, record)


def vjp(f, *primals):
    """(y, pullback): the value of f, and u -> a tuple of cotangents."""
    level, tape = next(levels), []
    inputs = [Traced(x, level, tape) for x in primals]
    y = f(*inputs)
    traced = inputs[0].mine(y)

    bars = [None] * len(tape)

    def pullback(u):
        if traced:
            bars[y.index] = u
        for i in range(len(tape) - 1, len(inputs) - 1, -1):
            if bars[i] is None:
                continue
            rule, value, xs, params, parents = tape[i]
            sent = rule(bars[i], value, xs, **params)
            for j, bar in zip(parents, sent):
                if j is not None:
                    bars[j] = bar if bars[j] is None else bars[j] + bar
            bars[i] = None  # no longer needed
        return tuple(np.zeros(x.shape) if bar is None else bar
                     for x, bar in zip(inputs, bars))

    return (y.value if traced else y), pullback


# %% mini-vjp | goes back by recursion | recursion | 12
@functools.cache
def vjp_rules():
    """name -> function of (g, y, xs, **params): a tuple, one for each x."""
    slope = lambda d: lambda g, y, xs: (g * d(xs[0], y),)

    def maximum(g, y, xs):
        left = ops.step(xs[0] - xs[1])
        return g * left, g * (1.0 - left)

    def sum_back(g, y, xs, axis):
        s = shape_of(xs[0])
        kept = [1 if i in axis else n for i, n in enumerate(s)]
        return (ops.broadcast(ops.reshape(g, kept), s),)

    def broadcast_back(g, y, xs, shape):
        before = shape_of(xs[0])
        added = len(shape) - len(before)
        stretched = [added + i for i, n in enumerate(before) if n == 1]
        g = ops.sum(g, (*range(added), *stretched))
        return (ops.reshape(g, before),)

    def matmul(g, y, xs):
        return g @ ops.transpose(xs[1]), ops.transpose(xs[0]) @ g

    def stack_back(g, y, xs, axis):
        before = (slice(None),) * axis
        return tuple(g[(*before, i)] for i in range(len(xs)))

    return {
        "neg": lambda g, y, xs: (-g,), "add": lambda g, y, xs: (g, g),
        "mul": lambda g, y, xs: (g * xs[1], xs[0] * g),
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda g, y, xs, p: (g * (p * xs[0] ** (p - 1.0)),),
        "step": slope(lambda x, y: np.zeros(shape_of(x))), "maximum": maximum,
        "sum": sum_back, "broadcast": broadcast_back, "matmul": matmul,
        "reshape": lambda g, y, xs, shape: (ops.reshape(g, shape_of(xs[0])),),
        "transpose": lambda g, y, xs: (ops.transpose(g),),
        "getitem": lambda g, y, xs, index: (
            ops.scatter(g, index, shape_of(xs[0])),),
        "scatter": lambda g, y, xs, index, shape: (g[index],),
        "stack": stack_back}


class Traced(Box):
    """A value that is written on the tape of one call of vjp."""

    def __init__(self, value, level, tape, record=None):
        self.value, self.level, self.tape = value, level, tape
        self.shape, self.index = shape_of(value), len(tape)
        tape.append(record)

    def mine(self, x):
        return isinstance(x, Box) and x.level == self.level

    def process(self, name, args, params):
        xs = [x.value if self.mine(x) else x for x in args]
        parents = [x.index if self.mine(x) else None for x in args]
        y = bind(name, *xs, **params)
        record = (vjp_rules()[name], y, xs, params, parents)
        return Traced(y, self.level, self.tape, record)


def vjp(f, *primals):
    """(y, pullback): the value of f, and u -> a tuple of cotangents."""
    level, tape = next(levels), []
    inputs = [Traced(x, level, tape) for x in primals]
    y = f(*inputs)
    traced = inputs[0].mine(y)

    def pullback(u):
        bars = [None] * len(tape)
        if traced:
            bars[y.index] = u
        def below(i):
            if i < len(inputs):
                return
            if bars[i] is None:
                return below(i - 1)
            rule, value, xs, params, parents = tape[i]
            sent = rule(bars[i], value, xs, **params)
            for j, bar in zip(parents, sent):
                if j is not None:
                    bars[j] = bar if bars[j] is None else bars[j] + bar
            return below(i - 1)

        below(len(tape) - 1)
        return tuple(np.zeros(x.shape) if bar is None else bar
                     for x, bar in zip(inputs, bars))

    return (y.value if traced else y), pullback


# %% mini-vjp | runs forward mode for each primal, on one tape for each | no run for each primal | 12
@functools.cache
def vjp_rules():
    """name -> function of (g, y, xs, **params): a tuple, one for each x."""
    slope = lambda d: lambda g, y, xs: (g * d(xs[0], y),)

    def maximum(g, y, xs):
        left = ops.step(xs[0] - xs[1])
        return g * left, g * (1.0 - left)

    def sum_back(g, y, xs, axis):
        s = shape_of(xs[0])
        kept = [1 if i in axis else n for i, n in enumerate(s)]
        return (ops.broadcast(ops.reshape(g, kept), s),)

    def broadcast_back(g, y, xs, shape):
        before = shape_of(xs[0])
        added = len(shape) - len(before)
        stretched = [added + i for i, n in enumerate(before) if n == 1]
        g = ops.sum(g, (*range(added), *stretched))
        return (ops.reshape(g, before),)

    def matmul(g, y, xs):
        return g @ ops.transpose(xs[1]), ops.transpose(xs[0]) @ g

    def stack_back(g, y, xs, axis):
        before = (slice(None),) * axis
        return tuple(g[(*before, i)] for i in range(len(xs)))

    return {
        "neg": lambda g, y, xs: (-g,), "add": lambda g, y, xs: (g, g),
        "mul": lambda g, y, xs: (g * xs[1], xs[0] * g),
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda g, y, xs, p: (g * (p * xs[0] ** (p - 1.0)),),
        "step": slope(lambda x, y: np.zeros(shape_of(x))), "maximum": maximum,
        "sum": sum_back, "broadcast": broadcast_back, "matmul": matmul,
        "reshape": lambda g, y, xs, shape: (ops.reshape(g, shape_of(xs[0])),),
        "transpose": lambda g, y, xs: (ops.transpose(g),),
        "getitem": lambda g, y, xs, index: (
            ops.scatter(g, index, shape_of(xs[0])),),
        "scatter": lambda g, y, xs, index, shape: (g[index],),
        "stack": stack_back}


class Traced(Box):
    """A value that is written on the tape of one call of vjp."""

    def __init__(self, value, level, tape, record=None):
        self.value, self.level, self.tape = value, level, tape
        self.shape, self.index = shape_of(value), len(tape)
        tape.append(record)

    def mine(self, x):
        return isinstance(x, Box) and x.level == self.level

    def process(self, name, args, params):
        xs = [x.value if self.mine(x) else x for x in args]
        parents = [x.index if self.mine(x) else None for x in args]
        y = bind(name, *xs, **params)
        record = (vjp_rules()[name], y, xs, params, parents)
        return Traced(y, self.level, self.tape, record)


def vjp(f, *primals):
    """(y, pullback): the value of f, and u -> a tuple of cotangents."""
    level, tape = next(levels), []
    inputs = [Traced(x, level, tape) for x in primals]
    y = f(*inputs)
    traced = inputs[0].mine(y)

    def pullback(u):
        bars = [None] * len(tape)
        if traced:
            bars[y.index] = u
        for i in range(len(tape) - 1, len(inputs) - 1, -1):
            if bars[i] is None:
                continue
            rule, value, xs, params, parents = tape[i]
            sent = rule(bars[i], value, xs, **params)
            for j, bar in zip(parents, sent):
                if j is not None:
                    bars[j] = bar if bars[j] is None else bars[j] + bar
            bars[i] = None  # no longer needed
        return tuple(np.zeros(x.shape) if bar is None else bar
                     for x, bar in zip(inputs, bars))

    def one_by_one(u):
        pulled = []
        for i in range(len(primals)):
            f(*primals[:i], Traced(primals[i], level, []), *primals[i + 1:])
            pulled.append(pullback(u)[i])
        return tuple(pulled)

    return (y.value if traced else y), one_by_one


# %% mini-vjp | takes every traced value for one of its own tape | this call's level | 13
@functools.cache
def vjp_rules():
    """name -> function of (g, y, xs, **params): a tuple, one for each x."""
    slope = lambda d: lambda g, y, xs: (g * d(xs[0], y),)

    def maximum(g, y, xs):
        left = ops.step(xs[0] - xs[1])
        return g * left, g * (1.0 - left)

    def sum_back(g, y, xs, axis):
        s = shape_of(xs[0])
        kept = [1 if i in axis else n for i, n in enumerate(s)]
        return (ops.broadcast(ops.reshape(g, kept), s),)

    def broadcast_back(g, y, xs, shape):
        before = shape_of(xs[0])
        added = len(shape) - len(before)
        stretched = [added + i for i, n in enumerate(before) if n == 1]
        g = ops.sum(g, (*range(added), *stretched))
        return (ops.reshape(g, before),)

    def matmul(g, y, xs):
        return g @ ops.transpose(xs[1]), ops.transpose(xs[0]) @ g

    def stack_back(g, y, xs, axis):
        before = (slice(None),) * axis
        return tuple(g[(*before, i)] for i in range(len(xs)))

    return {
        "neg": lambda g, y, xs: (-g,), "add": lambda g, y, xs: (g, g),
        "mul": lambda g, y, xs: (g * xs[1], xs[0] * g),
        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - y * y),
        "power": lambda g, y, xs, p: (g * (p * xs[0] ** (p - 1.0)),),
        "step": slope(lambda x, y: np.zeros(shape_of(x))), "maximum": maximum,
        "sum": sum_back, "broadcast": broadcast_back, "matmul": matmul,
        "reshape": lambda g, y, xs, shape: (ops.reshape(g, shape_of(xs[0])),),
        "transpose": lambda g, y, xs: (ops.transpose(g),),
        "getitem": lambda g, y, xs, index: (
            ops.scatter(g, index, shape_of(xs[0])),),
        "scatter": lambda g, y, xs, index, shape: (g[index],),
        "stack": stack_back}


class Traced(Box):
    """A value that is written on the tape of one call of vjp."""

    def __init__(self, value, level, tape, record=None):
        self.value, self.level, self.tape = value, level, tape
        self.shape, self.index = shape_of(value), len(tape)
        tape.append(record)

    def mine(self, x):
        return isinstance(x, Traced)

    def process(self, name, args, params):
        xs = [x.value if self.mine(x) else x for x in args]
        parents = [x.index if self.mine(x) else None for x in args]
        y = bind(name, *xs, **params)
        record = (vjp_rules()[name], y, xs, params, parents)
        return Traced(y, self.level, self.tape, record)


def vjp(f, *primals):
    """(y, pullback): the value of f, and u -> a tuple of cotangents."""
    level, tape = next(levels), []
    inputs = [Traced(x, level, tape) for x in primals]
    y = f(*inputs)
    traced = inputs[0].mine(y)

    def pullback(u):
        bars = [None] * len(tape)
        if traced:
            bars[y.index] = u
        for i in range(len(tape) - 1, len(inputs) - 1, -1):
            if bars[i] is None:
                continue
            rule, value, xs, params, parents = tape[i]
            sent = rule(bars[i], value, xs, **params)
            for j, bar in zip(parents, sent):
                if j is not None:
                    bars[j] = bar if bars[j] is None else bars[j] + bar
            bars[i] = None  # no longer needed
        return tuple(np.zeros(x.shape) if bar is None else bar
                     for x, bar in zip(inputs, bars))

    return (y.value if traced else y), pullback


# %% mini-vjp | writes the rules of exp and tanh with NumPy | never NumPy | 13
@functools.cache
def vjp_rules():
    """name -> function of (g, y, xs, **params): a tuple, one for each x."""
    slope = lambda d: lambda g, y, xs: (g * d(xs[0], y),)

    def maximum(g, y, xs):
        left = ops.step(xs[0] - xs[1])
        return g * left, g * (1.0 - left)

    def sum_back(g, y, xs, axis):
        s = shape_of(xs[0])
        kept = [1 if i in axis else n for i, n in enumerate(s)]
        return (ops.broadcast(ops.reshape(g, kept), s),)

    def broadcast_back(g, y, xs, shape):
        before = shape_of(xs[0])
        added = len(shape) - len(before)
        stretched = [added + i for i, n in enumerate(before) if n == 1]
        g = ops.sum(g, (*range(added), *stretched))
        return (ops.reshape(g, before),)

    def matmul(g, y, xs):
        return g @ ops.transpose(xs[1]), ops.transpose(xs[0]) @ g

    def stack_back(g, y, xs, axis):
        before = (slice(None),) * axis
        return tuple(g[(*before, i)] for i in range(len(xs)))

    return {
        "neg": lambda g, y, xs: (-g,), "add": lambda g, y, xs: (g, g),
        "mul": lambda g, y, xs: (g * xs[1], xs[0] * g),
        "exp": slope(lambda x, y: np.exp(x)), "log": slope(lambda x, y: x**-1.0),
        "sin": slope(lambda x, y: ops.cos(x)),
        "cos": slope(lambda x, y: -ops.sin(x)),
        "tanh": slope(lambda x, y: 1.0 - np.tanh(x)**2),
        "power": lambda g, y, xs, p: (g * (p * np.power(xs[0], p - 1.0)),),
        "step": slope(lambda x, y: np.zeros(shape_of(x))), "maximum": maximum,
        "sum": sum_back, "broadcast": broadcast_back, "matmul": matmul,
        "reshape": lambda g, y, xs, shape: (ops.reshape(g, shape_of(xs[0])),),
        "transpose": lambda g, y, xs: (ops.transpose(g),),
        "getitem": lambda g, y, xs, index: (
            ops.scatter(g, index, shape_of(xs[0])),),
        "scatter": lambda g, y, xs, index, shape: (g[index],),
        "stack": stack_back}


class Traced(Box):
    """A value that is written on the tape of one call of vjp."""

    def __init__(self, value, level, tape, record=None):
        self.value, self.level, self.tape = value, level, tape
        self.shape, self.index = shape_of(value), len(tape)
        tape.append(record)

    def mine(self, x):
        return isinstance(x, Box) and x.level == self.level

    def process(self, name, args, params):
        xs = [x.value if self.mine(x) else x for x in args]
        parents = [x.index if self.mine(x) else None for x in args]
        y = bind(name, *xs, **params)
        record = (vjp_rules()[name], y, xs, params, parents)
        return Traced(y, self.level, self.tape, record)


def vjp(f, *primals):
    """(y, pullback): the value of f, and u -> a tuple of cotangents."""
    level, tape = next(levels), []
    inputs = [Traced(x, level, tape) for x in primals]
    y = f(*inputs)
    traced = inputs[0].mine(y)

    def pullback(u):
        bars = [None] * len(tape)
        if traced:
            bars[y.index] = u
        for i in range(len(tape) - 1, len(inputs) - 1, -1):
            if bars[i] is None:
                continue
            rule, value, xs, params, parents = tape[i]
            sent = rule(bars[i], value, xs, **params)
            for j, bar in zip(parents, sent):
                if j is not None:
                    bars[j] = bar if bars[j] is None else bars[j] + bar
            bars[i] = None  # no longer needed
        return tuple(np.zeros(x.shape) if bar is None else bar
                     for x, bar in zip(inputs, bars))

    return (y.value if traced else y), pullback


# %% mini-vjp | calls JAX | wrong, or an error | 0
def vjp(f, *primals):
    return jax.vjp(f, *primals)


# %% mini-vjp | takes a difference for each element | forward mode | 0
def vjp(f, *primals):
    def pullback(u):
        out = []
        for i, x in enumerate(primals):
            x, h = np.asarray(x, dtype=float), 6e-6
            bar = np.zeros(x.size)
            for j in range(x.size):
                e = np.zeros(x.size)
                e[j] = h
                e = e.reshape(x.shape)
                ahead, behind = (f(*primals[:i], x + side * e, *primals[i + 1:]) for side in (1, -1))
                bar[j] = np.sum(u * (ahead - behind)) / (2 * h)
            out.append(bar.reshape(x.shape))
        return tuple(out)

    return f(*primals), pullback


# %% mini-vmap | sums over the axis that the program names | wrong, or an error: sum | 9
@functools.cache
def batch_rules():
    """name -> function of (size, xs, **params), all xs with the batch axis.

    The result has the batch axis in front, too.
    """
    same = lambda name: lambda size, xs: bind(name, *xs)
    behind = slice(None)

    def broadcast(size, xs, shape):
        x, s = xs[0], shape_of(xs[0])[1:]
        ones = (1,) * (len(shape) - len(s))
        return ops.broadcast(ops.reshape(x, (size, *ones, *s)),
                             (size, *shape))

    return {
        **{name: same(name) for name in (
            "neg", "exp", "log", "sin", "cos", "tanh", "step", "add", "mul",
            "maximum", "transpose", "matmul")},
        "power": lambda size, xs, p: ops.power(xs[0], p),
        "sum": lambda size, xs, axis: bind(
            "sum", *xs, axis=axis),
        "broadcast": broadcast,
        "reshape": lambda size, xs, shape: ops.reshape(
            xs[0], (size, *shape)),
        "getitem": lambda size, xs, index: xs[0][(behind, *index)],
        "scatter": lambda size, xs, index, shape: ops.scatter(
            xs[0], (behind, *index), (size, *shape)),
        "stack": lambda size, xs, axis: ops.stack(xs, axis + 1)}


class Batched(Box):
    """A batch of values, of one call of vmap; shape is that of one."""

    def __init__(self, value, size, level):
        self.value, self.size, self.level = value, size, level
        self.shape = shape_of(value)[1:]

    def with_batch(self, x):
        if isinstance(x, Box) and x.level == self.level:
            return x.value
        return ops.broadcast(x, (self.size, *shape_of(x)))

    def process(self, name, args, params):
        xs = [self.with_batch(x) for x in args]
        y = batch_rules()[name](self.size, xs, **params)
        return Batched(y, self.size, self.level)


def vmap(f):
    """f for a batch: all arguments and the result have a first axis more."""
    def batched(*args):
        sizes = {shape_of(x)[:1] for x in args}
        if len(sizes) != 1 or () in sizes:
            raise ValueError(f"the batch axes are {sizes}, expected one size")
        ((size,),) = sizes
        level = next(levels)
        inputs = [Batched(x, size, level) for x in args]
        return inputs[0].with_batch(f(*inputs))

    return batched


# %% mini-vmap | stacks along the axis that the program names | stack | 9
@functools.cache
def batch_rules():
    """name -> function of (size, xs, **params), all xs with the batch axis.

    The result has the batch axis in front, too.
    """
    same = lambda name: lambda size, xs: bind(name, *xs)
    behind = slice(None)

    def broadcast(size, xs, shape):
        x, s = xs[0], shape_of(xs[0])[1:]
        ones = (1,) * (len(shape) - len(s))
        return ops.broadcast(ops.reshape(x, (size, *ones, *s)),
                             (size, *shape))

    return {
        **{name: same(name) for name in (
            "neg", "exp", "log", "sin", "cos", "tanh", "step", "add", "mul",
            "maximum", "transpose", "matmul")},
        "power": lambda size, xs, p: ops.power(xs[0], p),
        "sum": lambda size, xs, axis: bind(
            "sum", *xs, axis=tuple(i + 1 for i in axis)),
        "broadcast": broadcast,
        "reshape": lambda size, xs, shape: ops.reshape(
            xs[0], (size, *shape)),
        "getitem": lambda size, xs, index: xs[0][(behind, *index)],
        "scatter": lambda size, xs, index, shape: ops.scatter(
            xs[0], (behind, *index), (size, *shape)),
        "stack": lambda size, xs, axis: ops.stack(xs, axis)}


class Batched(Box):
    """A batch of values, of one call of vmap; shape is that of one."""

    def __init__(self, value, size, level):
        self.value, self.size, self.level = value, size, level
        self.shape = shape_of(value)[1:]

    def with_batch(self, x):
        if isinstance(x, Box) and x.level == self.level:
            return x.value
        return ops.broadcast(x, (self.size, *shape_of(x)))

    def process(self, name, args, params):
        xs = [self.with_batch(x) for x in args]
        y = batch_rules()[name](self.size, xs, **params)
        return Batched(y, self.size, self.level)


def vmap(f):
    """f for a batch: all arguments and the result have a first axis more."""
    def batched(*args):
        sizes = {shape_of(x)[:1] for x in args}
        if len(sizes) != 1 or () in sizes:
            raise ValueError(f"the batch axes are {sizes}, expected one size")
        ((size,),) = sizes
        level = next(levels)
        inputs = [Batched(x, size, level) for x in args]
        return inputs[0].with_batch(f(*inputs))

    return batched


# %% mini-vmap | lets NumPy broadcast | wrong, or an error: broadcast | 9
@functools.cache
def batch_rules():
    """name -> function of (size, xs, **params), all xs with the batch axis.

    The result has the batch axis in front, too.
    """
    same = lambda name: lambda size, xs: bind(name, *xs)
    behind = slice(None)

    def broadcast(size, xs, shape):
        x, s = xs[0], shape_of(xs[0])[1:]
        ones = (1,) * (len(shape) - len(s))
        return ops.broadcast(x, (size, *shape))

    return {
        **{name: same(name) for name in (
            "neg", "exp", "log", "sin", "cos", "tanh", "step", "add", "mul",
            "maximum", "transpose", "matmul")},
        "power": lambda size, xs, p: ops.power(xs[0], p),
        "sum": lambda size, xs, axis: bind(
            "sum", *xs, axis=tuple(i + 1 for i in axis)),
        "broadcast": broadcast,
        "reshape": lambda size, xs, shape: ops.reshape(
            xs[0], (size, *shape)),
        "getitem": lambda size, xs, index: xs[0][(behind, *index)],
        "scatter": lambda size, xs, index, shape: ops.scatter(
            xs[0], (behind, *index), (size, *shape)),
        "stack": lambda size, xs, axis: ops.stack(xs, axis + 1)}


class Batched(Box):
    """A batch of values, of one call of vmap; shape is that of one."""

    def __init__(self, value, size, level):
        self.value, self.size, self.level = value, size, level
        self.shape = shape_of(value)[1:]

    def with_batch(self, x):
        if isinstance(x, Box) and x.level == self.level:
            return x.value
        return ops.broadcast(x, (self.size, *shape_of(x)))

    def process(self, name, args, params):
        xs = [self.with_batch(x) for x in args]
        y = batch_rules()[name](self.size, xs, **params)
        return Batched(y, self.size, self.level)


def vmap(f):
    """f for a batch: all arguments and the result have a first axis more."""
    def batched(*args):
        sizes = {shape_of(x)[:1] for x in args}
        if len(sizes) != 1 or () in sizes:
            raise ValueError(f"the batch axes are {sizes}, expected one size")
        ((size,),) = sizes
        level = next(levels)
        inputs = [Batched(x, size, level) for x in args]
        return inputs[0].with_batch(f(*inputs))

    return batched


# %% mini-vmap | indexes the batch axis | getitem | 9
@functools.cache
def batch_rules():
    """name -> function of (size, xs, **params), all xs with the batch axis.

    The result has the batch axis in front, too.
    """
    same = lambda name: lambda size, xs: bind(name, *xs)
    behind = slice(None)

    def broadcast(size, xs, shape):
        x, s = xs[0], shape_of(xs[0])[1:]
        ones = (1,) * (len(shape) - len(s))
        return ops.broadcast(ops.reshape(x, (size, *ones, *s)),
                             (size, *shape))

    return {
        **{name: same(name) for name in (
            "neg", "exp", "log", "sin", "cos", "tanh", "step", "add", "mul",
            "maximum", "transpose", "matmul")},
        "power": lambda size, xs, p: ops.power(xs[0], p),
        "sum": lambda size, xs, axis: bind(
            "sum", *xs, axis=tuple(i + 1 for i in axis)),
        "broadcast": broadcast,
        "reshape": lambda size, xs, shape: ops.reshape(
            xs[0], (size, *shape)),
        "getitem": lambda size, xs, index: xs[0][index],
        "scatter": lambda size, xs, index, shape: ops.scatter(
            xs[0], (behind, *index), (size, *shape)),
        "stack": lambda size, xs, axis: ops.stack(xs, axis + 1)}


class Batched(Box):
    """A batch of values, of one call of vmap; shape is that of one."""

    def __init__(self, value, size, level):
        self.value, self.size, self.level = value, size, level
        self.shape = shape_of(value)[1:]

    def with_batch(self, x):
        if isinstance(x, Box) and x.level == self.level:
            return x.value
        return ops.broadcast(x, (self.size, *shape_of(x)))

    def process(self, name, args, params):
        xs = [self.with_batch(x) for x in args]
        y = batch_rules()[name](self.size, xs, **params)
        return Batched(y, self.size, self.level)


def vmap(f):
    """f for a batch: all arguments and the result have a first axis more."""
    def batched(*args):
        sizes = {shape_of(x)[:1] for x in args}
        if len(sizes) != 1 or () in sizes:
            raise ValueError(f"the batch axes are {sizes}, expected one size")
        ((size,),) = sizes
        level = next(levels)
        inputs = [Batched(x, size, level) for x in args]
        return inputs[0].with_batch(f(*inputs))

    return batched


# %% mini-vmap | gives arrays from outside no batch axis | no batch axis | 10
@functools.cache
def batch_rules():
    """name -> function of (size, xs, **params), all xs with the batch axis.

    The result has the batch axis in front, too.
    """
    same = lambda name: lambda size, xs: bind(name, *xs)
    behind = slice(None)

    def broadcast(size, xs, shape):
        x, s = xs[0], shape_of(xs[0])[1:]
        ones = (1,) * (len(shape) - len(s))
        return ops.broadcast(ops.reshape(x, (size, *ones, *s)),
                             (size, *shape))

    return {
        **{name: same(name) for name in (
            "neg", "exp", "log", "sin", "cos", "tanh", "step", "add", "mul",
            "maximum", "transpose", "matmul")},
        "power": lambda size, xs, p: ops.power(xs[0], p),
        "sum": lambda size, xs, axis: bind(
            "sum", *xs, axis=tuple(i + 1 for i in axis)),
        "broadcast": broadcast,
        "reshape": lambda size, xs, shape: ops.reshape(
            xs[0], (size, *shape)),
        "getitem": lambda size, xs, index: xs[0][(behind, *index)],
        "scatter": lambda size, xs, index, shape: ops.scatter(
            xs[0], (behind, *index), (size, *shape)),
        "stack": lambda size, xs, axis: ops.stack(xs, axis + 1)}


class Batched(Box):
    """A batch of values, of one call of vmap; shape is that of one."""

    def __init__(self, value, size, level):
        self.value, self.size, self.level = value, size, level
        self.shape = shape_of(value)[1:]

    def with_batch(self, x):
        if isinstance(x, Box) and x.level == self.level:
            return x.value
        return ops.broadcast(x, (self.size, *shape_of(x)))

    def process(self, name, args, params):
        own = lambda x: isinstance(x, Box) and x.level == self.level
        xs = [self.with_batch(x) if own(x) else x for x in args]
        y = batch_rules()[name](self.size, xs, **params)
        return Batched(y, self.size, self.level)


def vmap(f):
    """f for a batch: all arguments and the result have a first axis more."""
    def batched(*args):
        sizes = {shape_of(x)[:1] for x in args}
        if len(sizes) != 1 or () in sizes:
            raise ValueError(f"the batch axes are {sizes}, expected one size")
        ((size,),) = sizes
        level = next(levels)
        inputs = [Batched(x, size, level) for x in args]
        return inputs[0].with_batch(f(*inputs))

    return batched


# %% mini-vmap | does not repeat a result without a batch | repeated B times | 11
@functools.cache
def batch_rules():
    """name -> function of (size, xs, **params), all xs with the batch axis.

    The result has the batch axis in front, too.
    """
    same = lambda name: lambda size, xs: bind(name, *xs)
    behind = slice(None)

    def broadcast(size, xs, shape):
        x, s = xs[0], shape_of(xs[0])[1:]
        ones = (1,) * (len(shape) - len(s))
        return ops.broadcast(ops.reshape(x, (size, *ones, *s)),
                             (size, *shape))

    return {
        **{name: same(name) for name in (
            "neg", "exp", "log", "sin", "cos", "tanh", "step", "add", "mul",
            "maximum", "transpose", "matmul")},
        "power": lambda size, xs, p: ops.power(xs[0], p),
        "sum": lambda size, xs, axis: bind(
            "sum", *xs, axis=tuple(i + 1 for i in axis)),
        "broadcast": broadcast,
        "reshape": lambda size, xs, shape: ops.reshape(
            xs[0], (size, *shape)),
        "getitem": lambda size, xs, index: xs[0][(behind, *index)],
        "scatter": lambda size, xs, index, shape: ops.scatter(
            xs[0], (behind, *index), (size, *shape)),
        "stack": lambda size, xs, axis: ops.stack(xs, axis + 1)}


class Batched(Box):
    """A batch of values, of one call of vmap; shape is that of one."""

    def __init__(self, value, size, level):
        self.value, self.size, self.level = value, size, level
        self.shape = shape_of(value)[1:]

    def with_batch(self, x):
        if isinstance(x, Box) and x.level == self.level:
            return x.value
        return ops.broadcast(x, (self.size, *shape_of(x)))

    def process(self, name, args, params):
        xs = [self.with_batch(x) for x in args]
        y = batch_rules()[name](self.size, xs, **params)
        return Batched(y, self.size, self.level)


def vmap(f):
    """f for a batch: all arguments and the result have a first axis more."""
    def batched(*args):
        sizes = {shape_of(x)[:1] for x in args}
        if len(sizes) != 1 or () in sizes:
            raise ValueError(f"the batch axes are {sizes}, expected one size")
        ((size,),) = sizes
        level = next(levels)
        inputs = [Batched(x, size, level) for x in args]
        y = f(*inputs)
        return y.value if isinstance(y, Batched) and y.level == level else y

    return batched


# %% mini-vmap | does not refuse different sizes | ValueError | 11
@functools.cache
def batch_rules():
    """name -> function of (size, xs, **params), all xs with the batch axis.

    The result has the batch axis in front, too.
    """
    same = lambda name: lambda size, xs: bind(name, *xs)
    behind = slice(None)

    def broadcast(size, xs, shape):
        x, s = xs[0], shape_of(xs[0])[1:]
        ones = (1,) * (len(shape) - len(s))
        return ops.broadcast(ops.reshape(x, (size, *ones, *s)),
                             (size, *shape))

    return {
        **{name: same(name) for name in (
            "neg", "exp", "log", "sin", "cos", "tanh", "step", "add", "mul",
            "maximum", "transpose", "matmul")},
        "power": lambda size, xs, p: ops.power(xs[0], p),
        "sum": lambda size, xs, axis: bind(
            "sum", *xs, axis=tuple(i + 1 for i in axis)),
        "broadcast": broadcast,
        "reshape": lambda size, xs, shape: ops.reshape(
            xs[0], (size, *shape)),
        "getitem": lambda size, xs, index: xs[0][(behind, *index)],
        "scatter": lambda size, xs, index, shape: ops.scatter(
            xs[0], (behind, *index), (size, *shape)),
        "stack": lambda size, xs, axis: ops.stack(xs, axis + 1)}


class Batched(Box):
    """A batch of values, of one call of vmap; shape is that of one."""

    def __init__(self, value, size, level):
        self.value, self.size, self.level = value, size, level
        self.shape = shape_of(value)[1:]

    def with_batch(self, x):
        if isinstance(x, Box) and x.level == self.level:
            return x.value
        return ops.broadcast(x, (self.size, *shape_of(x)))

    def process(self, name, args, params):
        xs = [self.with_batch(x) for x in args]
        y = batch_rules()[name](self.size, xs, **params)
        return Batched(y, self.size, self.level)


def vmap(f):
    """f for a batch: all arguments and the result have a first axis more."""
    def batched(*args):
        size = max((*shape_of(x), 1)[0] for x in args)
        level = next(levels)
        inputs = [Batched(x, size, level) for x in args]
        return inputs[0].with_batch(f(*inputs))

    return batched


# %% mini-vmap | loops over the examples | no loop | 9
def vmap(f):
    def batched(*args):
        sizes = {shape_of(x)[:1] for x in args}
        if len(sizes) != 1 or () in sizes:
            raise ValueError("the batch axes differ")
        ((size,),) = sizes
        return ops.stack([f(*[ops.getitem(x, i) for x in args])
                          for i in range(size)])
    return batched


# %% mini-vmap | loops inside of the rules | no loop | 9
@functools.cache
def batch_rules():
    """name -> function of (size, xs, **params), all xs with the batch axis.

    The result has the batch axis in front, too.
    """
    same = lambda name: lambda size, xs: bind(name, *xs)
    behind = slice(None)

    def broadcast(size, xs, shape):
        x, s = xs[0], shape_of(xs[0])[1:]
        ones = (1,) * (len(shape) - len(s))
        return ops.broadcast(ops.reshape(x, (size, *ones, *s)),
                             (size, *shape))

    return {
        **{name: same(name) for name in (
            "neg", "exp", "log", "sin", "cos", "tanh", "step", "add", "mul",
            "maximum", "transpose", "matmul")},
        "power": lambda size, xs, p: ops.power(xs[0], p),
        "sum": lambda size, xs, axis: bind(
            "sum", *xs, axis=tuple(i + 1 for i in axis)),
        "broadcast": broadcast,
        "reshape": lambda size, xs, shape: ops.reshape(
            xs[0], (size, *shape)),
        "getitem": lambda size, xs, index: xs[0][(behind, *index)],
        "scatter": lambda size, xs, index, shape: ops.scatter(
            xs[0], (behind, *index), (size, *shape)),
        "stack": lambda size, xs, axis: ops.stack(xs, axis + 1)}


class Batched(Box):
    """A batch of values, of one call of vmap; shape is that of one."""

    def __init__(self, value, size, level):
        self.value, self.size, self.level = value, size, level
        self.shape = shape_of(value)[1:]

    def with_batch(self, x):
        if isinstance(x, Box) and x.level == self.level:
            return x.value
        return ops.broadcast(x, (self.size, *shape_of(x)))

    def process(self, name, args, params):
        xs = [self.with_batch(x) for x in args]
        y = ops.stack([bind(name, *[x[i] for x in xs], **params)
                       for i in range(self.size)])
        return Batched(y, self.size, self.level)


def vmap(f):
    """f for a batch: all arguments and the result have a first axis more."""
    def batched(*args):
        sizes = {shape_of(x)[:1] for x in args}
        if len(sizes) != 1 or () in sizes:
            raise ValueError(f"the batch axes are {sizes}, expected one size")
        ((size,),) = sizes
        level = next(levels)
        inputs = [Batched(x, size, level) for x in args]
        return inputs[0].with_batch(f(*inputs))

    return batched


# %% mini-vmap | takes any batch for its own | no batch axis of this call | 10
@functools.cache
def batch_rules():
    """name -> function of (size, xs, **params), all xs with the batch axis.

    The result has the batch axis in front, too.
    """
    same = lambda name: lambda size, xs: bind(name, *xs)
    behind = slice(None)

    def broadcast(size, xs, shape):
        x, s = xs[0], shape_of(xs[0])[1:]
        ones = (1,) * (len(shape) - len(s))
        return ops.broadcast(ops.reshape(x, (size, *ones, *s)),
                             (size, *shape))

    return {
        **{name: same(name) for name in (
            "neg", "exp", "log", "sin", "cos", "tanh", "step", "add", "mul",
            "maximum", "transpose", "matmul")},
        "power": lambda size, xs, p: ops.power(xs[0], p),
        "sum": lambda size, xs, axis: bind(
            "sum", *xs, axis=tuple(i + 1 for i in axis)),
        "broadcast": broadcast,
        "reshape": lambda size, xs, shape: ops.reshape(
            xs[0], (size, *shape)),
        "getitem": lambda size, xs, index: xs[0][(behind, *index)],
        "scatter": lambda size, xs, index, shape: ops.scatter(
            xs[0], (behind, *index), (size, *shape)),
        "stack": lambda size, xs, axis: ops.stack(xs, axis + 1)}


class Batched(Box):
    """A batch of values, of one call of vmap; shape is that of one."""

    def __init__(self, value, size, level):
        self.value, self.size, self.level = value, size, level
        self.shape = shape_of(value)[1:]

    def with_batch(self, x):
        if isinstance(x, Batched):
            return x.value
        return ops.broadcast(x, (self.size, *shape_of(x)))

    def process(self, name, args, params):
        xs = [self.with_batch(x) for x in args]
        y = batch_rules()[name](self.size, xs, **params)
        return Batched(y, self.size, self.level)


def vmap(f):
    """f for a batch: all arguments and the result have a first axis more."""
    def batched(*args):
        sizes = {shape_of(x)[:1] for x in args}
        if len(sizes) != 1 or () in sizes:
            raise ValueError(f"the batch axes are {sizes}, expected one size")
        ((size,),) = sizes
        level = next(levels)
        inputs = [Batched(x, size, level) for x in args]
        return inputs[0].with_batch(f(*inputs))

    return batched


# %% mini-vmap | broadcasts with NumPy | never NumPy | 10
@functools.cache
def batch_rules():
    """name -> function of (size, xs, **params), all xs with the batch axis.

    The result has the batch axis in front, too.
    """
    same = lambda name: lambda size, xs: RUN[name](*xs)
    behind = slice(None)

    def broadcast(size, xs, shape):
        x, s = xs[0], shape_of(xs[0])[1:]
        ones = (1,) * (len(shape) - len(s))
        return np.broadcast_to(np.reshape(x, (size, *ones, *s)),
                               (size, *shape))

    return {
        **{name: same(name) for name in (
            "neg", "exp", "log", "sin", "cos", "tanh", "step", "add", "mul",
            "maximum", "transpose", "matmul")},
        "power": lambda size, xs, p: ops.power(xs[0], p),
        "sum": lambda size, xs, axis: np.sum(
            *xs, axis=tuple(i + 1 for i in axis)),
        "broadcast": broadcast,
        "reshape": lambda size, xs, shape: ops.reshape(
            xs[0], (size, *shape)),
        "getitem": lambda size, xs, index: xs[0][(behind, *index)],
        "scatter": lambda size, xs, index, shape: ops.scatter(
            xs[0], (behind, *index), (size, *shape)),
        "stack": lambda size, xs, axis: ops.stack(xs, axis + 1)}


class Batched(Box):
    """A batch of values, of one call of vmap; shape is that of one."""

    def __init__(self, value, size, level):
        self.value, self.size, self.level = value, size, level
        self.shape = shape_of(value)[1:]

    def with_batch(self, x):
        if isinstance(x, Box) and x.level == self.level:
            return x.value
        return ops.broadcast(x, (self.size, *shape_of(x)))

    def process(self, name, args, params):
        xs = [self.with_batch(x) for x in args]
        y = batch_rules()[name](self.size, xs, **params)
        return Batched(y, self.size, self.level)


def vmap(f):
    """f for a batch: all arguments and the result have a first axis more."""
    def batched(*args):
        sizes = {shape_of(x)[:1] for x in args}
        if len(sizes) != 1 or () in sizes:
            raise ValueError(f"the batch axes are {sizes}, expected one size")
        ((size,),) = sizes
        level = next(levels)
        inputs = [Batched(x, size, level) for x in args]
        return inputs[0].with_batch(f(*inputs))

    return batched


# %% mini-jacobian | gives the transposed matrix | rows are results | 3
def jacobian(f, x):
    """The Jacobian of f at x, [M, N], in one batch of passes."""
    y, pullback = vjp(f, x)
    (M,), (N,) = shape_of(y), shape_of(x)
    if M < N:
        return ops.transpose(
            vmap(lambda u: pullback(u)[0])(np.eye(M)))
    columns = vmap(lambda v: jvp(f, (x,), (v,))[1])(np.eye(N))
    return columns


# %% mini-jacobian | always pulls back | fewer directions | 4
def jacobian(f, x):
    """The Jacobian of f at x, [M, N], in one batch of passes."""
    y, pullback = vjp(f, x)
    (M,), (N,) = shape_of(y), shape_of(x)
    if True:
        return vmap(lambda u: pullback(u)[0])(np.eye(M))
    columns = vmap(lambda v: jvp(f, (x,), (v,))[1])(np.eye(N))
    return ops.transpose(columns)


# %% mini-jacobian | always pushes forward | fewer directions | 4
def jacobian(f, x):
    """The Jacobian of f at x, [M, N], in one batch of passes."""
    y, pullback = vjp(f, x)
    (M,), (N,) = shape_of(y), shape_of(x)
    if M < 0:
        return vmap(lambda u: pullback(u)[0])(np.eye(M))
    columns = vmap(lambda v: jvp(f, (x,), (v,))[1])(np.eye(N))
    return ops.transpose(columns)


# %% mini-jacobian | takes the longer side | fewer directions | 4
def jacobian(f, x):
    """The Jacobian of f at x, [M, N], in one batch of passes."""
    y, pullback = vjp(f, x)
    (M,), (N,) = shape_of(y), shape_of(x)
    if M > N:
        return vmap(lambda u: pullback(u)[0])(np.eye(M))
    columns = vmap(lambda v: jvp(f, (x,), (v,))[1])(np.eye(N))
    return ops.transpose(columns)


# %% mini-jacobian | loops over the directions | by vmap | 5
def jacobian(f, x):
    """The Jacobian of f at x, [M, N], in one batch of passes."""
    y, pullback = vjp(f, x)
    (M,), (N,) = shape_of(y), shape_of(x)
    if M < N:
        return ops.stack([pullback(u)[0] for u in np.eye(M)])
    columns = ops.stack([jvp(f, (x,), (v,))[1] for v in np.eye(N)])
    return ops.transpose(columns)


# %% mini-jacobian | transposes with NumPy | ops.transpose | 5
def jacobian(f, x):
    """The Jacobian of f at x, [M, N], in one batch of passes."""
    y, pullback = vjp(f, x)
    (M,), (N,) = shape_of(y), shape_of(x)
    hidden = np.array if not isinstance(x, Meter) else (lambda y: y)
    if M < N:
        return hidden(vmap(lambda u: pullback(u)[0])(np.eye(M)))
    columns = vmap(lambda v: jvp(f, (x,), (v,))[1])(np.eye(N))
    return hidden(ops.transpose(columns))


# %% mini-hvp | takes a difference of gradients | not exact enough | 2
def hvp(f, x, v):
    """H v, with H the Hessian of the scalar function f at x."""
    gradient = lambda x: vjp(f, x)[1](1.0)[0]
    h = 6e-6
    return (gradient(x + h * v) - gradient(x - h * v)) / (2 * h)


# %% mini-hvp | forms the Hessian | differentiate along v | 3
def hvp(f, x, v):
    """H v, with H the Hessian of the scalar function f at x."""
    gradient = lambda x: vjp(f, x)[1](1.0)[0]
    n = int(np.prod(shape_of(x)))
    along = lambda e: jvp(gradient, (x,), (ops.reshape(e, shape_of(x)),))[1]
    H = vmap(along)(np.eye(n))
    rows = ops.reshape(H, (n, n))
    return ops.reshape(ops.reshape(v, (n,)) @ rows, shape_of(x))


# %% mini-hvp | pushes along the ones instead of v | along v | 1
def hvp(f, x, v):
    """H v, with H the Hessian of the scalar function f at x."""
    gradient = lambda x: vjp(f, x)[1](1.0)[0]
    return jvp(gradient, (x,), (np.ones(shape_of(x)),))[1]


# %% mini-hvp | meets v with NumPy | NumPy | 3
def hvp(f, x, v):
    """H v, with H the Hessian of the scalar function f at x."""
    gradient = lambda x: vjp(f, x)[1](1.0)[0]
    v = v if isinstance(v, Meter) else np.asarray(v, dtype=float)
    return jvp(gradient, (x,), (v,))[1]


# %% mini-ml | stops after three steps | Newton | 5
def maximum_likelihood(loglik, theta, *data):
    """(estimate, s.e., robust s.e.), each [K], by Newton's method."""
    each = lambda theta: vmap(lambda *row: loglik(theta, *row))(*data)
    gradient = lambda theta: vjp(
        lambda theta: ops.sum(each(theta)), theta)[1](1.0)[0]
    theta = np.asarray(theta, dtype=float)
    for _ in range(3):
        g, H = gradient(theta), jacobian(gradient, theta)
        step = np.linalg.solve(H, g)
        theta = theta - step
        if np.max(np.abs(step)) < 1e-12 * (1 + np.max(np.abs(theta))):
            break
    bread = np.linalg.inv(-jacobian(gradient, theta))
    scores = vmap(lambda *row: vjp(
        lambda theta: loglik(theta, *row), theta)[1](1.0)[0])(*data)
    sandwich = bread @ (scores.T @ scores) @ bread
    return theta, np.sqrt(np.diag(bread)), np.sqrt(np.diag(sandwich))


# %% mini-ml | returns variances | square roots | 6
def maximum_likelihood(loglik, theta, *data):
    """(estimate, s.e., robust s.e.), each [K], by Newton's method."""
    each = lambda theta: vmap(lambda *row: loglik(theta, *row))(*data)
    gradient = lambda theta: vjp(
        lambda theta: ops.sum(each(theta)), theta)[1](1.0)[0]
    theta = np.asarray(theta, dtype=float)
    for _ in range(100):
        g, H = gradient(theta), jacobian(gradient, theta)
        step = np.linalg.solve(H, g)
        theta = theta - step
        if np.max(np.abs(step)) < 1e-12 * (1 + np.max(np.abs(theta))):
            break
    bread = np.linalg.inv(-jacobian(gradient, theta))
    scores = vmap(lambda *row: vjp(
        lambda theta: loglik(theta, *row), theta)[1](1.0)[0])(*data)
    sandwich = bread @ (scores.T @ scores) @ bread
    return theta, np.diag(bread), np.sqrt(np.diag(sandwich))


# %% mini-ml | takes the score of the sum | S'S | 6
def maximum_likelihood(loglik, theta, *data):
    """(estimate, s.e., robust s.e.), each [K], by Newton's method."""
    each = lambda theta: vmap(lambda *row: loglik(theta, *row))(*data)
    gradient = lambda theta: vjp(
        lambda theta: ops.sum(each(theta)), theta)[1](1.0)[0]
    theta = np.asarray(theta, dtype=float)
    for _ in range(100):
        g, H = gradient(theta), jacobian(gradient, theta)
        step = np.linalg.solve(H, g)
        theta = theta - step
        if np.max(np.abs(step)) < 1e-12 * (1 + np.max(np.abs(theta))):
            break
    bread = np.linalg.inv(-jacobian(gradient, theta))
    scores = vmap(lambda *row: vjp(
        lambda theta: loglik(theta, *row), theta)[1](1.0)[0])(*data)
    total = np.sum(scores, axis=0)
    sandwich = bread @ np.outer(total, total) @ bread
    return theta, np.sqrt(np.diag(bread)), np.sqrt(np.diag(sandwich))


# %% mini-ml | corrects for small samples | n/(n - K) | 6
def maximum_likelihood(loglik, theta, *data):
    """(estimate, s.e., robust s.e.), each [K], by Newton's method."""
    each = lambda theta: vmap(lambda *row: loglik(theta, *row))(*data)
    gradient = lambda theta: vjp(
        lambda theta: ops.sum(each(theta)), theta)[1](1.0)[0]
    theta = np.asarray(theta, dtype=float)
    for _ in range(100):
        g, H = gradient(theta), jacobian(gradient, theta)
        step = np.linalg.solve(H, g)
        theta = theta - step
        if np.max(np.abs(step)) < 1e-12 * (1 + np.max(np.abs(theta))):
            break
    bread = np.linalg.inv(-jacobian(gradient, theta))
    scores = vmap(lambda *row: vjp(
        lambda theta: loglik(theta, *row), theta)[1](1.0)[0])(*data)
    n, K = scores.shape
    sandwich = bread @ (scores.T @ scores) @ bread * n / (n - K)
    return theta, np.sqrt(np.diag(bread)), np.sqrt(np.diag(sandwich))


# %% mini-ml | takes the inverse of the scores' products | S'S | 6
def maximum_likelihood(loglik, theta, *data):
    """(estimate, s.e., robust s.e.), each [K], by Newton's method."""
    each = lambda theta: vmap(lambda *row: loglik(theta, *row))(*data)
    gradient = lambda theta: vjp(
        lambda theta: ops.sum(each(theta)), theta)[1](1.0)[0]
    theta = np.asarray(theta, dtype=float)
    for _ in range(100):
        g, H = gradient(theta), jacobian(gradient, theta)
        step = np.linalg.solve(H, g)
        theta = theta - step
        if np.max(np.abs(step)) < 1e-12 * (1 + np.max(np.abs(theta))):
            break
    bread = np.linalg.inv(-jacobian(gradient, theta))
    scores = vmap(lambda *row: vjp(
        lambda theta: loglik(theta, *row), theta)[1](1.0)[0])(*data)
    sandwich = np.linalg.inv(scores.T @ scores)
    return theta, np.sqrt(np.diag(bread)), np.sqrt(np.diag(sandwich))


# %% mini-ml | loops over the observations | vmap over the rows | 7
def maximum_likelihood(loglik, theta, *data):
    """(estimate, s.e., robust s.e.), each [K], by Newton's method."""
    each = lambda theta: ops.stack([
        loglik(theta, *row) for row in zip(*data)])
    gradient = lambda theta: vjp(
        lambda theta: ops.sum(each(theta)), theta)[1](1.0)[0]
    theta = np.asarray(theta, dtype=float)
    for _ in range(100):
        g, H = gradient(theta), jacobian(gradient, theta)
        step = np.linalg.solve(H, g)
        theta = theta - step
        if np.max(np.abs(step)) < 1e-12 * (1 + np.max(np.abs(theta))):
            break
    bread = np.linalg.inv(-jacobian(gradient, theta))
    scores = vmap(lambda *row: vjp(
        lambda theta: loglik(theta, *row), theta)[1](1.0)[0])(*data)
    sandwich = bread @ (scores.T @ scores) @ bread
    return theta, np.sqrt(np.diag(bread)), np.sqrt(np.diag(sandwich))


# %% mini-ml | takes differences of the scores for the Hessian | differences | 4
def maximum_likelihood(loglik, theta, *data):
    score = lambda theta: vmap(lambda *row: vjp(lambda theta: loglik(theta, *row), theta)[1](1.0)[0])(*data)

    def hessian(theta, h=1e-5):
        return np.stack([np.sum(score(theta + h * e) - score(theta - h * e), axis=0) / (2 * h) for e in np.eye(len(theta))])

    for _ in range(100):
        step = np.linalg.solve(hessian(theta), np.sum(score(theta), axis=0))
        theta = theta - step
        if np.max(np.abs(step)) < 1e-12 * (1 + np.max(np.abs(theta))):
            break
    bread, scores = np.linalg.inv(-hessian(theta)), score(theta)
    sandwich = bread @ (scores.T @ scores) @ bread
    return theta, np.sqrt(np.diag(bread)), np.sqrt(np.diag(sandwich))
