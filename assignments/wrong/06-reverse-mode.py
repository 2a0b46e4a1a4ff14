"""Plausible wrong answers to the exercises of chapter 06. Each must lose points and earn its hint.

Cells: `# %% exercise-id | what is wrong | a word that the hints must contain`.
"""

# %% sum-to | takes the mean | sum over
def sum_to(g, shape):
    added = g.ndim - len(shape)
    axes = (*range(added), *[added + i for i, n in enumerate(shape) if n == 1])
    return np.mean(g, axis=axes).reshape(shape)


# %% sum-to | sums the added axes only | stretched
def sum_to(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    return g


# %% sum-to | drops the axes that it sums | keep it
def sum_to(g, shape):
    added = g.ndim - len(shape)
    return np.sum(g, axis=(*range(added), *[added + i for i, n in enumerate(shape) if n == 1]))


# %% sum-to | looks for the added axes behind | in front
def sum_to(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=-1)
    for i, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=i, keepdims=True)
    return g


# %% sum-to | forgets that nothing may be left to sum over, and a number | ()
def sum_to(g, shape):
    shape = shape or (1,)
    added = g.ndim - len(shape)
    axes = (*range(added), *[added + i for i, n in enumerate(shape) if n == 1])
    return np.sum(g, axis=axes).reshape(shape)


# %% to-store | keeps the results of all nonlinear steps | other factor
def to_store(steps):
    return {name for name, op, parents in steps if op in ("mul", "sin", "log", "exp", "tanh")}


# %% to-store | keeps the argument of exp and tanh | their result
def to_store(steps):
    varies, matters, kept = set(), {steps[-1][0]}, set()
    for name, op, parents in steps:
        if op == "" or varies & set(parents):
            varies.add(name)
    for name, op, parents in reversed(steps):
        if name in matters:
            matters |= set(parents)
            if op == "mul":
                kept |= {parents[1 - i] for i in (0, 1) if parents[i] in varies}
            elif op in ("sin", "log", "exp", "tanh") and parents[0] in varies:
                kept |= set(parents)
    return kept


# %% to-store | forgets that the result may not depend on a step | start from the result
def to_store(steps):
    varies, kept = set(), set()
    for name, op, parents in steps:
        if op == "" or varies & set(parents):
            varies.add(name)
        if op == "mul":
            kept |= {parents[1 - i] for i in (0, 1) if parents[i] in varies}
        elif op in ("sin", "log") and parents[0] in varies:
            kept.add(parents[0])
        elif op in ("exp", "tanh") and parents[0] in varies:
            kept.add(name)
    return kept


# %% to-store | keeps both factors whatever they are | constant
def to_store(steps):
    matters, kept = {steps[-1][0]}, set()
    for name, op, parents in reversed(steps):
        if name in matters:
            matters |= set(parents)
            if op in ("mul", "sin", "log"):
                kept |= set(parents)
            elif op in ("exp", "tanh"):
                kept.add(name)
    return kept


# %% vjp-tape | overwrites | add up
def vjp_tape(f, *primals):
    """The value of f, and the function u -> u times its gradient."""
    records = []  # of each step: pairs (index of parent, partial)

    class Number:
        def __init__(self, value, *links):
            self.value, self.index = value, len(records)
            records.append(links)

        def __add__(self, other):
            other = lift(other)
            return Number(self.value + other.value,
                          (self.index, 1.0), (other.index, 1.0))

        def __mul__(self, other):
            other = lift(other)
            return Number(self.value * other.value,
                          (self.index, other.value),
                          (other.index, self.value))

        def __truediv__(self, other):
            other = lift(other)
            ratio = self.value / other.value
            return Number(ratio, (self.index, 1 / other.value),
                          (other.index, -ratio / other.value))

        __radd__, __rmul__ = __add__, __mul__
        __neg__ = lambda self: self * -1.0
        __sub__ = lambda self, other: self + -lift(other)
        __rsub__ = lambda self, other: -self + other
        __rtruediv__ = lambda self, other: lift(other) / self

        def sin(self):
            return Number(math.sin(self.value),
                          (self.index, math.cos(self.value)))

        def exp(self):
            result = math.exp(self.value)
            return Number(result, (self.index, result))

        def log(self):
            return Number(math.log(self.value),
                          (self.index, 1 / self.value))

    lift = lambda x: x if isinstance(x, Number) else Number(float(x))
    y = f(*[Number(x) for x in primals])

    def pullback(u):
        bar = [0.0] * len(records)
        bar[y.index] = u
        for i in range(y.index, -1, -1):
            for parent, partial in records[i]:
                bar[parent] = partial * bar[i]
        return tuple(bar[:len(primals)])

    return y.value, pullback


# %% vjp-tape | has the sign of the divisor wrong | minus sign
def vjp_tape(f, *primals):
    """The value of f, and the function u -> u times its gradient."""
    records = []  # of each step: pairs (index of parent, partial)

    class Number:
        def __init__(self, value, *links):
            self.value, self.index = value, len(records)
            records.append(links)

        def __add__(self, other):
            other = lift(other)
            return Number(self.value + other.value,
                          (self.index, 1.0), (other.index, 1.0))

        def __mul__(self, other):
            other = lift(other)
            return Number(self.value * other.value,
                          (self.index, other.value),
                          (other.index, self.value))

        def __truediv__(self, other):
            other = lift(other)
            ratio = self.value / other.value
            return Number(ratio, (self.index, 1 / other.value),
                          (other.index, ratio / other.value))

        __radd__, __rmul__ = __add__, __mul__
        __neg__ = lambda self: self * -1.0
        __sub__ = lambda self, other: self + -lift(other)
        __rsub__ = lambda self, other: -self + other
        __rtruediv__ = lambda self, other: lift(other) / self

        def sin(self):
            return Number(math.sin(self.value),
                          (self.index, math.cos(self.value)))

        def exp(self):
            result = math.exp(self.value)
            return Number(result, (self.index, result))

        def log(self):
            return Number(math.log(self.value),
                          (self.index, 1 / self.value))

    lift = lambda x: x if isinstance(x, Number) else Number(float(x))
    y = f(*[Number(x) for x in primals])

    def pullback(u):
        bar = [0.0] * len(records)
        bar[y.index] = u
        for i in range(y.index, -1, -1):
            for parent, partial in records[i]:
                bar[parent] += partial * bar[i]
        return tuple(bar[:len(primals)])

    return y.value, pullback


# %% vjp-tape | forgets u | u that is not 1
def vjp_tape(f, *primals):
    """The value of f, and the function u -> u times its gradient."""
    records = []  # of each step: pairs (index of parent, partial)

    class Number:
        def __init__(self, value, *links):
            self.value, self.index = value, len(records)
            records.append(links)

        def __add__(self, other):
            other = lift(other)
            return Number(self.value + other.value,
                          (self.index, 1.0), (other.index, 1.0))

        def __mul__(self, other):
            other = lift(other)
            return Number(self.value * other.value,
                          (self.index, other.value),
                          (other.index, self.value))

        def __truediv__(self, other):
            other = lift(other)
            ratio = self.value / other.value
            return Number(ratio, (self.index, 1 / other.value),
                          (other.index, -ratio / other.value))

        __radd__, __rmul__ = __add__, __mul__
        __neg__ = lambda self: self * -1.0
        __sub__ = lambda self, other: self + -lift(other)
        __rsub__ = lambda self, other: -self + other
        __rtruediv__ = lambda self, other: lift(other) / self

        def sin(self):
            return Number(math.sin(self.value),
                          (self.index, math.cos(self.value)))

        def exp(self):
            result = math.exp(self.value)
            return Number(result, (self.index, result))

        def log(self):
            return Number(math.log(self.value),
                          (self.index, 1 / self.value))

    lift = lambda x: x if isinstance(x, Number) else Number(float(x))
    y = f(*[Number(x) for x in primals])

    def pullback(u):
        bar = [0.0] * len(records)
        bar[y.index] = 1.0
        for i in range(y.index, -1, -1):
            for parent, partial in records[i]:
                bar[parent] += partial * bar[i]
        return tuple(bar[:len(primals)])

    return y.value, pullback


# %% vjp-tape | takes 3 - x for x - 3 | __rsub__
def vjp_tape(f, *primals):
    """The value of f, and the function u -> u times its gradient."""
    records = []  # of each step: pairs (index of parent, partial)

    class Number:
        def __init__(self, value, *links):
            self.value, self.index = value, len(records)
            records.append(links)

        def __add__(self, other):
            other = lift(other)
            return Number(self.value + other.value,
                          (self.index, 1.0), (other.index, 1.0))

        def __mul__(self, other):
            other = lift(other)
            return Number(self.value * other.value,
                          (self.index, other.value),
                          (other.index, self.value))

        def __truediv__(self, other):
            other = lift(other)
            ratio = self.value / other.value
            return Number(ratio, (self.index, 1 / other.value),
                          (other.index, -ratio / other.value))

        __radd__, __rmul__ = __add__, __mul__
        __neg__ = lambda self: self * -1.0
        __sub__ = lambda self, other: self + -lift(other)
        __rsub__ = lambda self, other: self + -lift(other)
        __rtruediv__ = lambda self, other: lift(other) / self

        def sin(self):
            return Number(math.sin(self.value),
                          (self.index, math.cos(self.value)))

        def exp(self):
            result = math.exp(self.value)
            return Number(result, (self.index, result))

        def log(self):
            return Number(math.log(self.value),
                          (self.index, 1 / self.value))

    lift = lambda x: x if isinstance(x, Number) else Number(float(x))
    y = f(*[Number(x) for x in primals])

    def pullback(u):
        bar = [0.0] * len(records)
        bar[y.index] = u
        for i in range(y.index, -1, -1):
            for parent, partial in records[i]:
                bar[parent] += partial * bar[i]
        return tuple(bar[:len(primals)])

    return y.value, pullback


# %% vjp-tape | starts at the last record | set out from the result
def vjp_tape(f, *primals):
    """The value of f, and the function u -> u times its gradient."""
    records = []  # of each step: pairs (index of parent, partial)

    class Number:
        def __init__(self, value, *links):
            self.value, self.index = value, len(records)
            records.append(links)

        def __add__(self, other):
            other = lift(other)
            return Number(self.value + other.value,
                          (self.index, 1.0), (other.index, 1.0))

        def __mul__(self, other):
            other = lift(other)
            return Number(self.value * other.value,
                          (self.index, other.value),
                          (other.index, self.value))

        def __truediv__(self, other):
            other = lift(other)
            ratio = self.value / other.value
            return Number(ratio, (self.index, 1 / other.value),
                          (other.index, -ratio / other.value))

        __radd__, __rmul__ = __add__, __mul__
        __neg__ = lambda self: self * -1.0
        __sub__ = lambda self, other: self + -lift(other)
        __rsub__ = lambda self, other: -self + other
        __rtruediv__ = lambda self, other: lift(other) / self

        def sin(self):
            return Number(math.sin(self.value),
                          (self.index, math.cos(self.value)))

        def exp(self):
            result = math.exp(self.value)
            return Number(result, (self.index, result))

        def log(self):
            return Number(math.log(self.value),
                          (self.index, 1 / self.value))

    lift = lambda x: x if isinstance(x, Number) else Number(float(x))
    y = f(*[Number(x) for x in primals])

    def pullback(u):
        bar = [0.0] * len(records)
        bar[-1] = u
        for i in range(len(records) - 1, -1, -1):
            for parent, partial in records[i]:
                bar[parent] += partial * bar[i]
        return tuple(bar[:len(primals)])

    return y.value, pullback


# %% vjp-tape | keeps the cotangents from one call to the next | new cotangents
def vjp_tape(f, *primals):
    """The value of f, and the function u -> u times its gradient."""
    records = []  # of each step: pairs (index of parent, partial)

    class Number:
        def __init__(self, value, *links):
            self.value, self.index = value, len(records)
            records.append(links)

        def __add__(self, other):
            other = lift(other)
            return Number(self.value + other.value,
                          (self.index, 1.0), (other.index, 1.0))

        def __mul__(self, other):
            other = lift(other)
            return Number(self.value * other.value,
                          (self.index, other.value),
                          (other.index, self.value))

        def __truediv__(self, other):
            other = lift(other)
            ratio = self.value / other.value
            return Number(ratio, (self.index, 1 / other.value),
                          (other.index, -ratio / other.value))

        __radd__, __rmul__ = __add__, __mul__
        __neg__ = lambda self: self * -1.0
        __sub__ = lambda self, other: self + -lift(other)
        __rsub__ = lambda self, other: -self + other
        __rtruediv__ = lambda self, other: lift(other) / self

        def sin(self):
            return Number(math.sin(self.value),
                          (self.index, math.cos(self.value)))

        def exp(self):
            result = math.exp(self.value)
            return Number(result, (self.index, result))

        def log(self):
            return Number(math.log(self.value),
                          (self.index, 1 / self.value))

    lift = lambda x: x if isinstance(x, Number) else Number(float(x))
    y = f(*[Number(x) for x in primals])

    bar = [0.0] * len(records)

    def pullback(u):
        bar[y.index] = u
        for i in range(y.index, -1, -1):
            for parent, partial in records[i]:
                bar[parent] += partial * bar[i]
        return tuple(bar[:len(primals)])

    return y.value, pullback


# %% vjp-tape | sorts the steps by recursion | recursion
def vjp_tape(f, *primals):
    """The value of f, and the function u -> u times its gradient."""
    records = []  # of each step: pairs (index of parent, partial)

    class Number:
        def __init__(self, value, *links):
            self.value, self.index = value, len(records)
            records.append(links)

        def __add__(self, other):
            other = lift(other)
            return Number(self.value + other.value,
                          (self.index, 1.0), (other.index, 1.0))

        def __mul__(self, other):
            other = lift(other)
            return Number(self.value * other.value,
                          (self.index, other.value),
                          (other.index, self.value))

        def __truediv__(self, other):
            other = lift(other)
            ratio = self.value / other.value
            return Number(ratio, (self.index, 1 / other.value),
                          (other.index, -ratio / other.value))

        __radd__, __rmul__ = __add__, __mul__
        __neg__ = lambda self: self * -1.0
        __sub__ = lambda self, other: self + -lift(other)
        __rsub__ = lambda self, other: -self + other
        __rtruediv__ = lambda self, other: lift(other) / self

        def sin(self):
            return Number(math.sin(self.value),
                          (self.index, math.cos(self.value)))

        def exp(self):
            result = math.exp(self.value)
            return Number(result, (self.index, result))

        def log(self):
            return Number(math.log(self.value),
                          (self.index, 1 / self.value))

    lift = lambda x: x if isinstance(x, Number) else Number(float(x))
    y = f(*[Number(x) for x in primals])

    def pullback(u):
        bar, order, seen = [0.0] * len(records), [], set()

        def visit(i):
            if i not in seen:
                seen.add(i)
                for parent, _ in records[i]:
                    visit(parent)
                order.append(i)

        visit(y.index)
        bar[y.index] = u
        for i in reversed(order):
            for parent, partial in records[i]:
                bar[parent] += partial * bar[i]
        return tuple(bar[:len(primals)])

    return y.value, pullback


# %% vjp-tape | goes back breadth first, before a cotangent is complete | only once
def vjp_tape(f, *primals):
    """The value of f, and the function u -> u times its gradient."""
    records = []  # of each step: pairs (index of parent, partial)

    class Number:
        def __init__(self, value, *links):
            self.value, self.index = value, len(records)
            records.append(links)

        def __add__(self, other):
            other = lift(other)
            return Number(self.value + other.value,
                          (self.index, 1.0), (other.index, 1.0))

        def __mul__(self, other):
            other = lift(other)
            return Number(self.value * other.value,
                          (self.index, other.value),
                          (other.index, self.value))

        def __truediv__(self, other):
            other = lift(other)
            ratio = self.value / other.value
            return Number(ratio, (self.index, 1 / other.value),
                          (other.index, -ratio / other.value))

        __radd__, __rmul__ = __add__, __mul__
        __neg__ = lambda self: self * -1.0
        __sub__ = lambda self, other: self + -lift(other)
        __rsub__ = lambda self, other: -self + other
        __rtruediv__ = lambda self, other: lift(other) / self

        def sin(self):
            return Number(math.sin(self.value),
                          (self.index, math.cos(self.value)))

        def exp(self):
            result = math.exp(self.value)
            return Number(result, (self.index, result))

        def log(self):
            return Number(math.log(self.value),
                          (self.index, 1 / self.value))

    lift = lambda x: x if isinstance(x, Number) else Number(float(x))
    y = f(*[Number(x) for x in primals])

    def pullback(u):
        bar = [0.0] * len(records)
        bar[y.index] = u
        waiting, seen = [y.index], {y.index}
        while waiting:
            i = waiting.pop(0)
            for parent, partial in records[i]:
                bar[parent] += partial * bar[i]
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
        return tuple(bar[:len(primals)])

    return y.value, pullback
