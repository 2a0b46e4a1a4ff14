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
# the solution, but
-                bar[parent] += partial * bar[i]
+                bar[parent] = partial * bar[i]

# %% vjp-tape | has the sign of the divisor wrong | minus sign
# the solution, but
-                          (other.index, -ratio / other.value))
+                          (other.index, ratio / other.value))

# %% vjp-tape | forgets u | u that is not 1
# the solution, but
-        bar[y.index] = u
+        bar[y.index] = 1.0

# %% vjp-tape | takes 3 - x for x - 3 | __rsub__
# the solution, but
-        __rsub__ = lambda self, other: -self + other
+        __rsub__ = lambda self, other: self + -lift(other)

# %% vjp-tape | starts at the last record | set out from the result
# the solution, but
-        bar[y.index] = u
-        for i in range(y.index, -1, -1):
+        bar[-1] = u
+        for i in range(len(records) - 1, -1, -1):

# %% vjp-tape | keeps the cotangents from one call to the next | new cotangents
# the solution, but
-    y = f(*[Number(x) for x in primals])
-
+    y = f(*[Number(x) for x in primals])
+
+    bar = [0.0] * len(records)
+
-        bar = [0.0] * len(records)

# %% vjp-tape | sorts the steps by recursion | recursion
# the solution, but
-        bar = [0.0] * len(records)
+        bar, order, seen = [0.0] * len(records), [], set()
+
+        def visit(i):
+            if i not in seen:
+                seen.add(i)
+                for parent, _ in records[i]:
+                    visit(parent)
+                order.append(i)
+
+        visit(y.index)
-        for i in range(y.index, -1, -1):
+        for i in reversed(order):

# %% vjp-tape | goes back breadth first, before a cotangent is complete | only once
# the solution, but
-        for i in range(y.index, -1, -1):
+        waiting, seen = [y.index], {y.index}
+        while waiting:
+            i = waiting.pop(0)
-                bar[parent] += partial * bar[i]
+                bar[parent] += partial * bar[i]
+                if parent not in seen:
+                    seen.add(parent)
+                    waiting.append(parent)
