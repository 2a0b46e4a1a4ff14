"""Wrong answers of problem set 1, each with a word of its hint and the points that it keeps."""

# %% mini-jvp | forgets the minus sign of the cosine's derivative | wrong, or an error: cos | 10
# the solution, but
-        "cos": slope(lambda x, y: -ops.sin(x)),
+        "cos": slope(lambda x, y: ops.sin(x)),

# %% mini-jvp | gives the first argument of maximum everything at a tie | half | 10
# the solution, but
-        left = ops.step(xs[0] - xs[1])
+        left = 1.0 - ops.step(ops.step(xs[1] - xs[0]) - 0.75)

# %% mini-jvp | has one term of the matrix product | wrong, or an error: matmul | 10
# the solution, but
-        return dots[0] @ xs[1] + xs[0] @ dots[1]
+        return xs[0] @ dots[1]

# %% mini-jvp | stacks along the first axis always | stack | 10
# the solution, but
-        "stack": lambda y, xs, dots, axis: ops.stack(dots, axis),
+        "stack": lambda y, xs, dots, axis: ops.stack(dots),

# %% mini-jvp | takes any dual for one of its own | another level | 10
# the solution, but
-        if isinstance(x, Box) and x.level == self.level:
+        if isinstance(x, Dual):

# %% mini-jvp | gives a constant result the tangent 0.0, of no shape | zeros of its own shape | 11
# the solution, but
-    return Dual(None, None, level).part(y)
+    return (y.primal, y.tangent) if isinstance(y, Dual) and y.level == level else (
+        y, 0.0)

# %% mini-jvp | writes rules with NumPy | never NumPy | 11
# the solution, but
-        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
-        "sin": slope(lambda x, y: ops.cos(x)),
+        "exp": lambda y, xs, dots: np.exp(xs[0]) * dots[0], "log": slope(lambda x, y: 1 / np.asarray(x, dtype=float)),
+        "sin": slope(lambda x, y: np.cos(x)),
-        "tanh": slope(lambda x, y: 1.0 - y * y),
-        "power": lambda y, xs, dots, p: p * xs[0] ** (p - 1.0) * dots[0],
+        "tanh": slope(lambda x, y: 1.0 - np.tanh(x)**2),
+        "power": lambda y, xs, dots, p: p * np.power(xs[0], p - 1.0) * dots[0],

# %% mini-jvp | runs f once for each primal | f runs once | 11
# the solution, but
-    level = next(levels)
-    y = f(*[Dual(x, v, level) for x, v in zip(primals, tangents)])
-    return Dual(None, None, level).part(y)
+    total = 0.0
+    for i, v in enumerate(tangents):
+        level = next(levels)
+        inputs = [Dual(x, v if j == i else np.zeros(shape_of(x)), level)
+                  for j, x in enumerate(primals)]
+        y, dot = Dual(None, None, level).part(f(*inputs))
+        total = total + dot
+    return y, total

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
# the solution, but
-        "cos": slope(lambda x, y: -ops.sin(x)),
+        "cos": slope(lambda x, y: ops.sin(x)),

# %% mini-vjp | does not transpose in the matrix product | matmul | 12
# the solution, but
-        return g @ ops.transpose(xs[1]), ops.transpose(xs[0]) @ g
+        return g @ ops.transpose(xs[1]), xs[0] @ g

# %% mini-vjp | sums a broadcast over the added axes only | broadcast | 12
# the solution, but
-        g = ops.sum(g, (*range(added), *stretched))
+        g = ops.sum(g, tuple(range(added)))

# %% mini-vjp | sends the cotangent of a sum back as it is | wrong, or an error: sum | 12
# the solution, but
-        return (ops.broadcast(ops.reshape(g, kept), s),)
+        return (ops.broadcast(g, s),)

# %% mini-vjp | overwrites instead of adding | add up | 11
# the solution, but
-                    bars[j] = bar if bars[j] is None else bars[j] + bar
+                    bars[j] = bar

# %% mini-vjp | adds in place | never += | 11
# the solution, but
-                    bars[j] = bar if bars[j] is None else bars[j] + bar
+                    if bars[j] is None:
+                        bars[j] = bar
+                    elif type(bars[j]) is type(bar) is np.ndarray and bar.ndim:
+                        bars[j] = np.require(bars[j], requirements="W")
+                        bars[j] += bar
+                    else:
+                        bars[j] = bars[j] + bar

# %% mini-vjp | gives None for a primal without influence | zeros of their shape | 11
# the solution, but
-        return tuple(np.zeros(x.shape) if bar is None else bar
+        return tuple(bar

# %% mini-vjp | keeps the cotangents of the last call | begins with none | 11
# the solution, but
-    traced = inputs[0].mine(y)
-
+    traced = inputs[0].mine(y)
+
+    bars = [None] * len(tape)
+
-        bars = [None] * len(tape)

# %% mini-vjp | goes back by recursion | recursion | 12
# the solution, but
-        for i in range(len(tape) - 1, len(inputs) - 1, -1):
+        def below(i):
+            if i < len(inputs):
+                return
-                continue
+                return below(i - 1)
-            bars[i] = None  # no longer needed
+            return below(i - 1)
+
+        below(len(tape) - 1)

# %% mini-vjp | runs forward mode for each primal, on one tape for each | no run for each primal | 12
# the solution, but
-    return (y.value if traced else y), pullback
+    def one_by_one(u):
+        pulled = []
+        for i in range(len(primals)):
+            f(*primals[:i], Traced(primals[i], level, []), *primals[i + 1:])
+            pulled.append(pullback(u)[i])
+        return tuple(pulled)
+
+    return (y.value if traced else y), one_by_one

# %% mini-vjp | takes every traced value for one of its own tape | this call's level | 13
# the solution, but
-        return isinstance(x, Box) and x.level == self.level
+        return isinstance(x, Traced)

# %% mini-vjp | writes the rules of exp and tanh with NumPy | never NumPy | 13
# the solution, but
-        "exp": slope(lambda x, y: y), "log": slope(lambda x, y: x**-1.0),
+        "exp": slope(lambda x, y: np.exp(x)), "log": slope(lambda x, y: x**-1.0),
-        "tanh": slope(lambda x, y: 1.0 - y * y),
-        "power": lambda g, y, xs, p: (g * (p * xs[0] ** (p - 1.0)),),
+        "tanh": slope(lambda x, y: 1.0 - np.tanh(x)**2),
+        "power": lambda g, y, xs, p: (g * (p * np.power(xs[0], p - 1.0)),),

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
# the solution, but
-            "sum", *xs, axis=tuple(i + 1 for i in axis)),
+            "sum", *xs, axis=axis),

# %% mini-vmap | stacks along the axis that the program names | stack | 9
# the solution, but
-        "stack": lambda size, xs, axis: ops.stack(xs, axis + 1)}
+        "stack": lambda size, xs, axis: ops.stack(xs, axis)}

# %% mini-vmap | lets NumPy broadcast | wrong, or an error: broadcast | 9
# the solution, but
-        return ops.broadcast(ops.reshape(x, (size, *ones, *s)),
-                             (size, *shape))
+        return ops.broadcast(x, (size, *shape))

# %% mini-vmap | indexes the batch axis | getitem | 9
# the solution, but
-        "getitem": lambda size, xs, index: xs[0][(behind, *index)],
+        "getitem": lambda size, xs, index: xs[0][index],

# %% mini-vmap | gives arrays from outside no batch axis | no batch axis | 10
# the solution, but
-        xs = [self.with_batch(x) for x in args]
+        own = lambda x: isinstance(x, Box) and x.level == self.level
+        xs = [self.with_batch(x) if own(x) else x for x in args]

# %% mini-vmap | does not repeat a result without a batch | repeated B times | 11
# the solution, but
-        return inputs[0].with_batch(f(*inputs))
+        y = f(*inputs)
+        return y.value if isinstance(y, Batched) and y.level == level else y

# %% mini-vmap | does not refuse different sizes | ValueError | 11
# the solution, but
-        sizes = {shape_of(x)[:1] for x in args}
-        if len(sizes) != 1 or () in sizes:
-            raise ValueError(f"the batch axes are {sizes}, expected one size")
-        ((size,),) = sizes
+        size = max((*shape_of(x), 1)[0] for x in args)

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
# the solution, but
-        y = batch_rules()[name](self.size, xs, **params)
+        y = ops.stack([bind(name, *[x[i] for x in xs], **params)
+                       for i in range(self.size)])

# %% mini-vmap | takes any batch for its own | no batch axis of this call | 10
# the solution, but
-        if isinstance(x, Box) and x.level == self.level:
+        if isinstance(x, Batched):

# %% mini-vmap | broadcasts with NumPy | never NumPy | 10
# the solution, but
-    same = lambda name: lambda size, xs: bind(name, *xs)
+    same = lambda name: lambda size, xs: RUN[name](*xs)
-        return ops.broadcast(ops.reshape(x, (size, *ones, *s)),
-                             (size, *shape))
+        return np.broadcast_to(np.reshape(x, (size, *ones, *s)),
+                               (size, *shape))
-        "sum": lambda size, xs, axis: bind(
-            "sum", *xs, axis=tuple(i + 1 for i in axis)),
+        "sum": lambda size, xs, axis: np.sum(
+            *xs, axis=tuple(i + 1 for i in axis)),

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
# the solution, but
-    if M < N:
+    if True:

# %% mini-jacobian | always pushes forward | fewer directions | 4
# the solution, but
-    if M < N:
+    if M < 0:

# %% mini-jacobian | takes the longer side | fewer directions | 4
# the solution, but
-    if M < N:
+    if M > N:

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
# the solution, but
-    for _ in range(100):
+    for _ in range(3):

# %% mini-ml | returns variances | square roots | 6
# the solution, but
-    return theta, np.sqrt(np.diag(bread)), np.sqrt(np.diag(sandwich))
+    return theta, np.diag(bread), np.sqrt(np.diag(sandwich))

# %% mini-ml | takes the score of the sum | S'S | 6
# the solution, but
-    sandwich = bread @ (scores.T @ scores) @ bread
+    total = np.sum(scores, axis=0)
+    sandwich = bread @ np.outer(total, total) @ bread

# %% mini-ml | corrects for small samples | n/(n - K) | 6
# the solution, but
-    sandwich = bread @ (scores.T @ scores) @ bread
+    n, K = scores.shape
+    sandwich = bread @ (scores.T @ scores) @ bread * n / (n - K)

# %% mini-ml | takes the inverse of the scores' products | S'S | 6
# the solution, but
-    sandwich = bread @ (scores.T @ scores) @ bread
+    sandwich = np.linalg.inv(scores.T @ scores)

# %% mini-ml | loops over the observations | vmap over the rows | 7
# the solution, but
-    each = lambda theta: vmap(lambda *row: loglik(theta, *row))(*data)
+    each = lambda theta: ops.stack([
+        loglik(theta, *row) for row in zip(*data)])

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
