"""Hidden tests of chapter 06: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import math

import numpy as np

from tools.judging import Part, close

ABOVE = "what is named above comes first; if something is left here after that, its hint will stand here"


def drive_sum_to(answer, seed):
    from types import FunctionType

    import numpy as np

    def refuse(*args, **kwargs):
        raise RuntimeError("write it yourself: this exercise asks for NumPy alone")

    try:                                        # in place, so that a name bound before is refused as well
        from lecture_utils import _rules, tape
        for module in (_rules, tape):
            for name, function in vars(module).items():
                if isinstance(function, FunctionType) and name in ("sum_to", "vjp", "grad"):
                    function.__code__ = refuse.__code__
    except ImportError:
        pass
    rng = np.random.default_rng(seed)
    n, m, k = (int(i) for i in rng.permutation([2, 3, 4]))
    cases = {"added": [((m,), (n, m)), ((m, k), (n, m, k)), ((k,), (n, m, k))],
             "stretched": [((n, 1), (n, m)), ((n, 1, k), (n, m, k)), ((1, 1), (n, m))],
             "both": [((1, k), (n, m, k)), ((m, 1), (n, m, k)), ((1,), (n, m)), ((n,), (n, n)), ((n, 1), (n, n, n))],
             "nothing": [((n, m), (n, m)), ((n, 1, k), (n, 1, k)), ((), ())],
             "a number": [((), (n,)), ((), (n, m, k))],
             "length one": [((1, m), (1, m)), ((m,), (1, m)), ((1, k), (n, 1, k))]}
    out = {}
    for name, pairs in cases.items():
        for i, (to, full) in enumerate(pairs):
            g = rng.standard_normal(full)
            out[f"{name} {i}"] = lambda g=g, to=to: np.asarray(answer(g.copy(), to), dtype=float)

    def kept():
        g = np.ones((n, m))
        answer(g, (m,))
        answer(g, (n, m))
        return g

    return {**out, "g afterwards": kept}


def judge_sum_to(arrays, seed):
    rng = np.random.default_rng(seed)
    n, m, k = (int(i) for i in rng.permutation([2, 3, 4]))
    cases = {"added": [((m,), (n, m)), ((m, k), (n, m, k)), ((k,), (n, m, k))],
             "stretched": [((n, 1), (n, m)), ((n, 1, k), (n, m, k)), ((1, 1), (n, m))],
             "both": [((1, k), (n, m, k)), ((m, 1), (n, m, k)), ((1,), (n, m)), ((n,), (n, n)), ((n, 1), (n, n, n))],
             "nothing": [((n, m), (n, m)), ((n, 1, k), (n, 1, k)), ((), ())],
             "a number": [((), (n,)), ((), (n, m, k))],
             "length one": [((1, m), (1, m)), ((m,), (1, m)), ((1, k), (n, 1, k))]}
    right = {}
    for name, pairs in cases.items():
        right[name] = True
        for i, (to, full) in enumerate(pairs):
            g, expected = rng.standard_normal(full), np.zeros(math.prod(to))
            place = np.broadcast_to(np.arange(math.prod(to)).reshape(to), full)     # which element of x each element of g is
            np.add.at(expected, place.ravel(), g.ravel())
            right[name] &= close(arrays, f"{name} {i}", expected.reshape(to), rtol=1e-10, atol=1e-10)
    return [
        Part("axes that were added in front", 1, right["added"],
             "broadcasting adds axes in front, never behind: sum over the first g.ndim - len(shape) axes" if arrays else ABOVE),
        Part("axes that were stretched", 1, right["stretched"],
             "where shape has a 1 and g has more, sum over that axis and keep it, with length 1: the result has exactly shape"
             if arrays else ABOVE),
        Part("both at once, none, and a number", 1,
             right["both"] and right["nothing"] and right["a number"] and right["length one"]
             and close(arrays, "g afterwards", np.ones((n, m))),
             "count the axes of shape from the end of g's; shape may be (), an axis may have length 1 in both, and then nothing "
             "is lost by summing it; g must stay as it is" if right["added"] or right["stretched"] else ABOVE),
    ]


def drive_to_store(answer, seed):
    import numpy as np
    rng = np.random.default_rng(seed)
    arity = {"add": 2, "sub": 2, "mul": 2, "sin": 1, "log": 1, "exp": 1, "tanh": 1}

    def chained(n, ops, leaves):
        """A program in which the result depends on every step but perhaps some leaves: each step uses the one before it."""
        names = [f"n{i}" for i in rng.permutation(n)]
        steps = [(names[i], op, ()) for i, op in enumerate(leaves)]
        for i in range(len(leaves), n):
            op = str(rng.choice(ops))
            parents = [names[i - 1], names[int(rng.integers(i))]][:arity[op]]
            steps.append((names[i], op, tuple(parents[::-1] if rng.random() < 0.5 else parents)))
        return steps

    def loose(n, ops, leaves):
        """A program in which steps use any earlier ones, so that the result does not depend on many."""
        names = [f"n{i}" for i in rng.permutation(n)]
        steps = [(names[i], op, ()) for i, op in enumerate(leaves)]
        for i in range(len(leaves), n):
            op = str(rng.choice(ops))
            steps.append((names[i], op, tuple(names[int(j)] for j in rng.integers(i, size=arity[op]))))
        return steps

    every, two = list(arity), ["mul", "add", "sin"]
    programs = {**{f"rules {i}": chained(int(rng.integers(8, 14)), every, ["", ""]) for i in range(6)},
                **{f"unused {i}": loose(int(rng.integers(8, 14)), two, ["", ""]) for i in range(6)},
                **{f"constants {i}": chained(int(rng.integers(10, 16)), two, [["const", ""], ["", "const"]][i % 2] * 2) for i in range(8)}}
    programs["unused dead"] = [("x", "", ()), ("y", "", ()), ("p", "mul", ("x", "y")), ("q", "sin", ("p",)), ("r", "add", ("x", "x"))]
    programs["constants inside"] = [("k", "const", ()), ("l", "sin", ("k",)), ("x", "", ()), ("q", "mul", ("l", "k")),
                                    ("r", "mul", ("x", "q"))]
    programs["constants smooth"] = [("k", "const", ()), ("e", "exp", ("k",)), ("t", "tanh", ("e",)), ("l", "log", ("e",)), ("x", "", ()),
                                    ("p", "add", ("l", "t")), ("r", "sub", ("x", "p"))]
    programs["rules square"] = [("x", "", ()), ("r", "mul", ("x", "x"))]

    def mask(steps):
        found = set(answer([tuple(step) for step in steps]))
        return np.array([name in found for name, _, _ in steps] + [len(found)], dtype=int)

    long = [("x", "", ())] + [(f"c{i}", "sin", (f"c{i - 1}" if i else "x",)) for i in range(10_000)]
    return {**{name: lambda steps=steps: mask(steps) for name, steps in programs.items()}, "rules long": lambda: mask(long)}


def judge_to_store(arrays, seed):
    rng = np.random.default_rng(seed)
    arity = {"add": 2, "sub": 2, "mul": 2, "sin": 1, "log": 1, "exp": 1, "tanh": 1}

    def chained(n, ops, leaves):
        rng.permutation(n)
        steps = [(op, ()) for op in leaves]
        for i in range(len(leaves), n):
            op = str(rng.choice(ops))
            parents = [i - 1, int(rng.integers(i))][:arity[op]]
            steps.append((op, tuple(parents[::-1] if rng.random() < 0.5 else parents)))
        return steps

    def loose(n, ops, leaves):
        rng.permutation(n)
        steps = [(op, ()) for op in leaves]
        for i in range(len(leaves), n):
            op = str(rng.choice(ops))
            steps.append((op, tuple(int(j) for j in rng.integers(i, size=arity[op]))))
        return steps

    every, two = list(arity), ["mul", "add", "sin"]
    programs = {**{f"rules {i}": chained(int(rng.integers(8, 14)), every, ["", ""]) for i in range(6)},
                **{f"unused {i}": loose(int(rng.integers(8, 14)), two, ["", ""]) for i in range(6)},
                **{f"constants {i}": chained(int(rng.integers(10, 16)), two, [["const", ""], ["", "const"]][i % 2] * 2) for i in range(8)}}
    programs["unused dead"] = [("", ()), ("", ()), ("mul", (0, 1)), ("sin", (2,)), ("add", (0, 0))]
    programs["constants inside"] = [("const", ()), ("sin", (0,)), ("", ()), ("mul", (1, 0)), ("mul", (2, 3))]
    programs["constants smooth"] = [("const", ()), ("exp", (0,)), ("tanh", (1,)), ("log", (1,)), ("", ()), ("add", (3, 2)), ("sub", (4, 5))]
    programs["rules square"] = [("", ()), ("mul", (0, 0))]

    def expected(steps):
        """From the numbers of paths: I - A inverted has a positive entry [j, i] where step j depends on step i."""
        A = np.zeros((len(steps), len(steps)))
        for j, (_, parents) in enumerate(steps):
            for i in parents:
                A[j, i] = 0.1
        depends = np.linalg.inv(np.eye(len(steps)) - A) > 1e-13
        varies = depends[:, [i for i, (op, _) in enumerate(steps) if op == ""]].any(axis=1)
        keep = np.zeros(len(steps), dtype=bool)
        for j, (op, parents) in enumerate(steps):
            for place, i in enumerate(parents):
                if depends[-1, j] and varies[i]:
                    keep[{"mul": [parents[1 - place]] if op == "mul" else [], "sin": [i], "log": [i], "exp": [j], "tanh": [j]}
                         .get(op, [])] = True
        return np.append(keep, keep.sum())

    right = lambda kind: all(close(arrays, name, expected(steps)) for name, steps in programs.items() if name.startswith(kind))
    rules = right("rules") and close(arrays, "rules long", [1] * 10_000 + [0, 10_000])
    return [
        Part("the rules, where all steps matter", 2, rules,
             "go through the list of rules once more: a product keeps the other factor, for the sake of each; sin and log keep "
             "their argument, exp and tanh their result; inputs are stored like other values; no recursion over the steps"),
        Part("steps that the result does not depend on", 1, right("unused"),
             "start from the result and go back: a step that nothing on the way uses gets no cotangent, and its pullbacks are not called"
             if arrays else ABOVE),
        Part("constants", 1, right("constants"),
             "a pullback to a parent that does not depend on an input is not called: x times a constant keeps the constant, not x, "
             "and what is computed from constants alone is a constant" if arrays else ABOVE),
    ]


def drive_vjp_tape(answer, seed):
    from types import FunctionType

    import numpy as np

    def refuse(*args, **kwargs):
        raise RuntimeError("write it yourself: this exercise asks for plain Python and math")

    try:                                        # in place, so that a name bound before is refused as well
        from lecture_utils import tape
        for name in ("vjp", "grad", "inputs"):
            if isinstance(vars(tape)[name], FunctionType):
                vars(tape)[name].__code__ = refuse.__code__
    except ImportError:
        pass
    rng = np.random.default_rng(seed)
    x, z, u = (float(i) for i in rng.uniform(0.5, 2.0, 3))
    twos = {"+": lambda x, z: x + z, "-": lambda x, z: x - z, "*": lambda x, z: x * z, "/": lambda x, z: x / z}
    ones = {"minus": lambda x: -x, "sin": lambda x: x.sin(), "exp": lambda x: x.exp(), "log": lambda x: x.log()}
    plain = {"3 + x": lambda x: 3 + x, "x + 3.0": lambda x: x + 3.0, "3.0 - x": lambda x: 3.0 - x, "x - 3": lambda x: x - 3,
             "3 * x": lambda x: 3 * x, "x * 3.0": lambda x: x * 3.0, "3 / x": lambda x: 3 / x, "x / 3.0": lambda x: x / 3.0}

    def both(f, *primals):
        y, pullback = answer(f, *primals)
        found = pullback(u)
        return np.array([y, *found], dtype=float)

    ops = [str(rng.choice(["+", "-", "*", "sin"])) for _ in range(40)]
    chosen = rng.integers(0, 10**6, (40, 2))

    def network(*inputs):
        """40 steps, each of any two earlier values; the result adds up the last five."""
        values = list(inputs)
        for op, (i, j) in zip(ops, chosen):
            one, two = values[int(i) % len(values)], values[int(j) % len(values)]
            values.append((one if op == "sin" else twos[op](one, two)).sin())
        return values[-1] + values[-2] + values[-3] + values[-4] + values[-5]

    def late(x, z):
        """Values that are used at once and again much later: any order but the list's, or an overwriting, is wrong."""
        s = x * z
        t = s.sin()
        r = t + s
        return s * r * t + x

    def chain(x):
        for _ in range(100_000):
            x = x.sin()
        return x

    def again():
        y, pullback = answer(lambda x, z: (x * z).sin(), x, z)
        return np.array([pullback(1.0), pullback(u), pullback(1.0)], dtype=float)

    def apart():
        """Two tapes at a time: the first pullback is called after the second run."""
        first = answer(lambda x, z: x * z, x, z)[1]
        answer(lambda x: x.exp().sin(), x)
        return np.array(first(u), dtype=float)

    def runs():
        seen = [0]

        def f(x, z):
            seen[0] += 1
            return x * z

        y, pullback = answer(f, x, z)
        pullback(1.0)
        pullback(2.0)
        return np.array(seen[0])

    return {
        **{name: lambda f=f: both(f, x, z) for name, f in twos.items()},
        **{name: lambda f=f: both(f, x) for name, f in {**ones, **plain}.items()},
        "square": lambda: both(lambda x: x * x, x), "twice": lambda: both(lambda x: x + x, x),
        "late": lambda: both(late, x, z), "network": lambda: both(network, x, z, u),
        "chain": lambda: both(chain, x),
        "unused": lambda: both(lambda x, z: x.exp(), x, z), "dead end": lambda: both(lambda x, z: (x.sin(), x * z)[0], x, z),
        "given back": lambda: both(lambda x, z: z, x, z), "again": again, "apart": apart, "runs": runs,
    }


def judge_vjp_tape(arrays, seed):
    rng = np.random.default_rng(seed)
    x, z, u = (float(i) for i in rng.uniform(0.5, 2.0, 3))
    singles = {
        "+": [x + z, u, u], "-": [x - z, u, -u], "*": [x * z, u * z, u * x], "/": [x / z, u / z, -u * x / z**2],
        "minus": [-x, -u], "sin": [math.sin(x), u * math.cos(x)], "exp": [math.exp(x), u * math.exp(x)], "log": [math.log(x), u / x]}
    plain = {"3 + x": [3 + x, u], "x + 3.0": [x + 3, u], "3.0 - x": [3 - x, -u], "x - 3": [x - 3, u], "3 * x": [3 * x, 3 * u],
             "x * 3.0": [3 * x, 3 * u], "3 / x": [3 / x, -3 * u / x**2], "x / 3.0": [x / 3, u / 3]}

    # Forward mode on arrays [value, derivatives with respect to the primals].
    add, sub = (lambda a, b: a + b), (lambda a, b: a - b)
    mul = lambda a, b: np.concatenate([[a[0] * b[0]], a[0] * b[1:] + b[0] * a[1:]])
    sin = lambda a: np.concatenate([[math.sin(a[0])], math.cos(a[0]) * a[1:]])
    twos = {"+": add, "-": sub, "*": mul}
    start = lambda *primals: [np.concatenate([[p], row]) for p, row in zip(primals, np.eye(len(primals)))]
    times_u = lambda y, u: np.concatenate([[y[0]], u * y[1:]])

    ops = [str(rng.choice(["+", "-", "*", "sin"])) for _ in range(40)]
    chosen = rng.integers(0, 10**6, (40, 2))
    values = start(x, z, u)
    for op, (i, j) in zip(ops, chosen):
        one, two = values[int(i) % len(values)], values[int(j) % len(values)]
        values.append(sin(one if op == "sin" else twos[op](one, two)))
    network = sum(values[-5:])
    dx, dz = start(x, z)
    s = mul(dx, dz)
    t = sin(s)
    late = mul(mul(s, t + s), t) + dx
    chain, = start(x)
    for _ in range(100_000):
        chain = sin(chain)
    same = lambda name, expected: close(arrays, name, expected, rtol=1e-9, atol=1e-12)
    singly = all(same(name, expected) for name, expected in singles.items())
    fan_out = (same("square", [x * x, 2 * u * x]) and same("twice", [2 * x, 2 * u]) and same("late", times_u(late, u))
               and same("network", times_u(network, u)))
    gradient = math.cos(x * z) * np.array([z, x])
    return [
        Part("each operation on its own", 1, singly,
             "check value and pullback of each operation with two different primals and a u that is not 1: of x - z and x / z "
             "the second parent gets a minus sign, and every result is multiplied by u"),
        Part("plain numbers on either side", 1, all(same(name, expected) for name, expected in plain.items()),
             "3 - x calls __rsub__ and 3 / x calls __rtruediv__, where self is the right-hand side; make a plain number a constant "
             "first, and an int counts as one" if arrays else ABOVE),
        Part("values that are used more than once", 2, fan_out,
             "cotangents add up: += where a value is used twice, and a step passes its cotangent on only once, when all "
             "that uses it has sent its part, as it has if you go through the list from the end" if singly else ABOVE),
        Part("a chain of 100,000 operations", 1, same("chain", times_u(chain, u)),
             "Python gives up on a recursion of that depth: keep all steps in a list and go through it in a loop" if singly else ABOVE),
        Part("primals without influence, and a second call", 1,
             same("unused", [math.exp(x), u * math.exp(x), 0.0]) and same("dead end", [math.sin(x), u * math.cos(x), 0.0])
             and same("given back", [z, 0.0, u]) and same("again", [gradient, u * gradient, gradient])
             and same("apart", [u * z, u * x]) and same("runs", 1),
             "a primal that nothing sends to gets 0.0; start each call of the pullback with new cotangents, all zero, instead of "
             "those that the last call left, and each call of vjp_tape with a list of its own; set out from the result, not from the last record; f runs once" if singly else ABOVE),
    ]
