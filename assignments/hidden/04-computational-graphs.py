"""Hidden tests of chapter 04: what runs beside an answer (drive_…), and what judges it elsewhere (judge_…)."""
import json

import numpy as np

from tools.judging import Part, close


def drive_run_list(answer, seed):
    import numpy as np
    rng = np.random.default_rng(seed)
    ops = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "scaled": lambda a, b, c: a - 2 * b + 0.5 * c,
           "half": lambda a: a / 2, "two": lambda: 2.0}
    arity = {"add": 2, "sub": 2, "scaled": 3, "half": 1}
    names = [f"n{i}" for i in rng.permutation(30)]                       # names say nothing about the order
    steps = [(name, "", ()) for name in names[:4]]
    for i, name in enumerate(names[4:], 4):
        op = str(rng.choice(list(arity)))
        steps.append((name, op, tuple(str(p) for p in rng.choice(names[:i], arity[op]))))
    inputs = {name: float(value) for name, value in zip(names, rng.uniform(-1, 1, 4))}

    def values():
        found = answer(list(steps), dict(inputs), dict(ops))
        return np.array([found[name] for name in names], dtype=float)

    def long():
        chain = [("x", "", ())] + [(f"c{i}", "add", (f"c{i - 1}" if i else "x", "x")) for i in range(20_000)]
        return np.array(answer(chain, {"x": 0.5}, ops)["c19999"], dtype=float)

    def calls():
        """How often each op is called, in a list where the last step can be reached along very many paths."""
        seen = dict.fromkeys(ops, 0)

        def counting(op):
            def wrapped(*args):
                seen[op] += 1
                if sum(seen.values()) > 2000:
                    raise RuntimeError("a function was called again and again for the same step")
                return ops[op](*args)
            return wrapped

        twice = [("x", "", ())] + [(f"d{i}", "add", ((f"d{i - 1}" if i else "x"),) * 2) for i in range(40)]
        answer(twice + [("h", "half", ("d39",))], {"x": 1.0}, {op: counting(op) for op in ops})
        return np.array([seen["add"], seen["half"]])

    def untouched():
        given = {"x": 1.0, "y": 2.0}
        answer([("x", "", ()), ("y", "", ()), ("z", "sub", ("x", "y"))], given, ops)
        return np.frombuffer(str(given).encode(), dtype=np.uint8)

    def missing():
        """The message of the ValueError."""
        try:
            answer([("price", "", ()), ("quantity", "", ()), ("z", "sub", ("price", "quantity"))], {"price": 1.0}, ops)
        except ValueError as error:
            return np.frombuffer(str(error).encode(), dtype=np.uint8)
        except Exception:
            pass
        return np.zeros(0, dtype=np.uint8)

    return {"values": values, "long": long, "calls": calls, "untouched": untouched, "missing": missing}


def judge_run_list(arrays, seed):
    rng = np.random.default_rng(seed)
    arity = {"add": 2, "sub": 2, "scaled": 3, "half": 1}
    weights = {"add": [1, 1], "sub": [1, -1], "scaled": [1, -2, 0.5], "half": [0.5]}
    names = [f"n{i}" for i in rng.permutation(30)]
    A, rows = np.zeros((30, 30)), []                                     # the values solve v = A v + inputs
    for i in range(4, 30):
        op = str(rng.choice(list(arity)))
        rows.append((i, op, [names.index(str(p)) for p in rng.choice(names[:i], arity[op])]))
    inputs = np.zeros(30)
    inputs[:4] = rng.uniform(-1, 1, 4)
    for i, op, parents in rows:
        for parent, weight in zip(parents, weights[op]):
            A[i, parent] += weight
    right = close(arrays, "values", np.linalg.solve(np.eye(30) - A, inputs), rtol=1e-9, atol=1e-9)
    text = lambda name: arrays.get(name, np.zeros(0)).astype(np.uint8).tobytes()
    return [
        Part("the value of every step", 1, right,
             "give each function the values of the step's parents, in their order, as they are listed (one can stand twice); "
             "the dict has every step in it, inputs too"),
        Part("each function once a step, in long lists too", 1,
             close(arrays, "long", 10_000.5) and close(arrays, "calls", [40, 1]),
             "keep the value of each step and look it up: computing a parent again for each use takes a time that doubles with "
             "each step, and a recursion stops after about a thousand"),
        Part("inputs untouched, and asked for", 1, text("untouched") == b"{'x': 1.0, 'y': 2.0}" and b"quantity" in text("missing"),
             "copy the dict of inputs instead of writing into it; an input without a value raises a ValueError whose message "
             "has its name"),
    ]


def drive_count_paths(answer, seed):
    import numpy as np
    rng = np.random.default_rng(seed)

    def program(n):
        """n steps, each with up to three parents; names say nothing about the order."""
        names = [f"n{i}" for i in rng.permutation(n)]
        parents = [[int(p) for p in rng.integers(max(0, i - 5), i, int(rng.integers(1, 4)))] if i else [] for i in range(n)]
        return [(names[i], "op" if parents[i] else "", tuple(names[p] for p in parents[i])) for i in range(n)], parents

    small = [program(int(rng.integers(8, 14))) for _ in range(4)]
    digits = lambda count: np.array([int(d) for d in str(int(count))]) if not isinstance(count, float) else np.array(-1)
    doubling = [("x", "", ())] + [(f"d{i}", "mul", ((f"d{i - 1}" if i else "x"),) * 2) for i in range(200)]
    chain = [("x", "", ())] + [(f"c{i}", "sin", (f"c{i - 1}" if i else "x",)) for i in range(20_000)]
    # inner is no input and depends on x; unused has children that do not lead to the result
    ends = [("x", "", ()), ("unused", "", ()), ("inner", "sin", ("x",)), ("dead", "mul", ("unused", "x")),
            ("deader", "exp", ("dead",)), ("y", "mul", ("inner", "inner")), ("z", "add", ("y", "x"))]
    return {
        **{f"random {i}": lambda i=i: np.array([answer(list(small[i][0]), name) for name, _, _ in small[i][0]], dtype=float)
           for i in range(4)},
        "doubling": lambda: digits(answer(list(doubling), "x")),
        "halfway": lambda: digits(answer(list(doubling), "d99")),
        "long": lambda: np.array(answer(list(chain), "x"), dtype=float),
        "unused": lambda: np.array([answer(list(ends), "unused"), answer(list(ends), "dead")], dtype=float),
        "itself": lambda: np.array([answer(list(ends), "z"), answer([("x", "", ())], "x")], dtype=float),
        "inner": lambda: np.array([answer(list(ends), "inner"), answer(list(ends), "x")], dtype=float),
    }


def judge_count_paths(arrays, seed):
    rng = np.random.default_rng(seed)

    def program(n):
        rng.permutation(n)
        return [[int(p) for p in rng.integers(max(0, i - 5), i, int(rng.integers(1, 4)))] if i else [] for i in range(n)]

    def counts(parents):
        """All paths at once: the last row of the inverse of I - A, with A[i, p] the number of arrows from p to i."""
        A = np.zeros((len(parents), len(parents)))
        for i, ps in enumerate(parents):
            for p in ps:
                A[i, p] += 1
        return np.round(np.linalg.inv(np.eye(len(parents)) - A)[-1])

    small = [program(int(rng.integers(8, 14))) for _ in range(4)]
    return [
        Part("small programs, counted from each step", 2, all(close(arrays, f"random {i}", counts(p)) for i, p in enumerate(small)),
             "add up the paths to all parents of a step, once for each time a parent stands there; start with 1 at source, "
             "which may be any step, and with 0 at everything before it"),
        Part("numbers of paths beyond walking, exact, and long lists", 1,
             close(arrays, "doubling", [int(d) for d in str(2**200)]) and close(arrays, "halfway", [int(d) for d in str(2**100)])
             and close(arrays, "long", 1.0),
             "200 steps that use the one before twice make 2**200 paths: count in one loop over the list, in Python integers, "
             "neither floats nor NumPy integers, and without recursion"),
        Part("no path, and the path of no arrows", 1,
             close(arrays, "unused", [0, 0]) and close(arrays, "itself", [1, 1]) and close(arrays, "inner", [2, 3]),
             "the result is the last step of the list, not every step without children: what does not lead to it has 0 paths, "
             "and the result itself has 1"),
    ]


def drive_share(answer, seed):
    import json

    import numpy as np
    rng = np.random.default_rng(seed)

    def given_back(steps):
        """What share returns, as numbers: the bytes of its JSON."""
        kept, result = answer(list(steps))
        kept = [[str(name), str(op), [str(p) for p in parents]] for name, op, parents in kept]
        return np.frombuffer(json.dumps([kept, str(result)]).encode(), dtype=np.uint8)

    def flat(n):
        """A program of n steps, in which many are equal; names say nothing about the order."""
        names = [f"n{i}" for i in rng.permutation(n)]
        steps = [(name, "", ()) for name in names[:2]]
        for i, name in enumerate(names[2:], 2):
            op = str(rng.choice(["sin", "mul"]))
            steps.append((name, op, tuple(str(p) for p in rng.choice(names[max(0, i - 6):i], 1 if op == "sin" else 2))))
        return steps

    programs = {f"random {i}": flat(25) for i in range(6)}
    programs["at once"] = [("x", "", ()), ("a", "sin", ("x",)), ("b", "cos", ("x",)), ("c", "sin", ("x",)), ("k", "sin", ("b",)),
                           ("d", "mul", ("a", "c")), ("e", "add", ("d", "k"))]
    programs["in a chain"] = [("x", "", ()), *[(f"{s}{i}", f"op{i}", (f"{s}{i - 1}" if i else "x",)) for i in range(4) for s in "ab"],
                              ("y", "mul", ("a3", "b3"))]
    programs["inputs"] = [("x", "", ()), ("y", "", ()), ("a", "sin", ("x",)), ("b", "sin", ("y",)), ("c", "add", ("a", "b"))]
    programs["order"] = [("x", "", ()), ("y", "", ()), ("a", "sub", ("x", "y")), ("b", "sub", ("y", "x")), ("c", "add", ("a", "b"))]
    programs["result"] = [("x", "", ()), ("a", "sin", ("x",)), ("b", "exp", ("a",)), ("c", "sin", ("x",))]
    programs["long"] = [("x", "", ())] + [(f"c{i}", "sin", (f"c{i - 2}" if i > 1 else "x",)) for i in range(6000)]

    def untouched():
        steps = [["x", "", []], ["a", "sin", ["x"]], ["b", "sin", ["x"]], ["c", "mul", ["a", "b"]]]
        answer(steps)
        return np.frombuffer(json.dumps(steps).encode(), dtype=np.uint8)

    return {**{name: lambda steps=steps: given_back(steps) for name, steps in programs.items()}, "untouched": untouched}


def judge_share(arrays, seed):
    rng = np.random.default_rng(seed)

    def flat(n):
        names = [f"n{i}" for i in rng.permutation(n)]
        steps = [(name, "", ()) for name in names[:2]]
        for i, name in enumerate(names[2:], 2):
            op = str(rng.choice(["sin", "mul"]))
            steps.append((name, op, tuple(str(p) for p in rng.choice(names[max(0, i - 6):i], 1 if op == "sin" else 2))))
        return steps

    def shared(steps):
        """By a number for each different expression, and the first name that each has."""
        number, first, expression = {}, [], {}
        for name, op, parents in steps:
            key = (op, *[number[p] for p in parents]) if op else (name,)
            number[name] = expression.setdefault(key, len(expression))
            first += [(name, op, parents)] * (number[name] == len(first))
        rename = lambda p: first[number[p]][0]
        return [[[name, op, [rename(p) for p in parents]] for name, op, parents in first], rename(steps[-1][0])]

    def same(name, expected):
        try:
            return json.loads(arrays[name].astype(np.uint8).tobytes().decode()) == expected
        except (KeyError, ValueError):
            return False

    right = lambda name, steps: same(name, shared(steps))
    untouched = same("untouched", [["x", "", []], ["a", "sin", ["x"]], ["b", "sin", ["x"]], ["c", "mul", ["a", "b"]]])

    randoms = [flat(25) for _ in range(6)]
    x, y = ("x", "", ()), ("y", "", ())
    once = [x, ("a", "sin", ("x",)), ("b", "cos", ("x",)), ("c", "sin", ("x",)), ("k", "sin", ("b",)), ("d", "mul", ("a", "c")),
            ("e", "add", ("d", "k"))]
    chain = [x, *[(f"{s}{i}", f"op{i}", (f"{s}{i - 1}" if i else "x",)) for i in range(4) for s in "ab"], ("y", "mul", ("a3", "b3"))]
    long = [x] + [(f"c{i}", "sin", (f"c{i - 2}" if i > 1 else "x",)) for i in range(6000)]
    return [
        Part("steps that are equal as they stand", 1, right("at once", once) and untouched,
             "a step with the op and the parents of an earlier one goes, those that used it use the earlier one, and all others "
             "stay, in their order; build a new list, with new parents, and leave the one you were given as it is"),
        Part("steps that become equal", 1,
             right("in a chain", chain) and right("long", long) and all(right(f"random {i}", s) for i, s in enumerate(randoms)),
             "compare parents after they have been replaced: once b0 is known to be a0, op1 of b0 is op1 of a0; one pass over the "
             "list is enough, with a dict of what was seen"),
        Part("what is different stays", 1,
             right("inputs", [x, y, ("a", "sin", ("x",)), ("b", "sin", ("y",)), ("c", "add", ("a", "b"))])
             and right("order", [x, y, ("a", "sub", ("x", "y")), ("b", "sub", ("y", "x")), ("c", "add", ("a", "b"))]),
             "two inputs are two numbers, although both have no op and no parents; and x - y is not y - x, so the order of the "
             "parents counts"),
        Part("the name of the result", 1, right("result", [x, ("a", "sin", ("x",)), ("b", "exp", ("a",)), ("c", "sin", ("x",))]),
             "if the last step is left out, the result is held by the earlier step that stands for it, not by the last one that "
             "stayed"),
    ]
