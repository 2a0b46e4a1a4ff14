"""Plausible wrong answers to the exercises of chapter 05. Each must lose points and earn its hint.

Cells: `# %% exercise-id | what is wrong | a word that the hints must contain`.
"""


# %% dual-number | multiplies the tangents, as if they were values | ẋ y + x ẏ
# the solution, but
-                      self.tangent * y.primal + self.primal * y.tangent)
+                      self.tangent * y.tangent)

# %% dual-number | has no operations with a float on the left | on the left
class Number:
    """primal + tangent ε, where ε² = 0."""

    def __init__(self, primal, tangent):
        self.primal, self.tangent = primal, tangent

    @staticmethod
    def of(x):
        return x if isinstance(x, Number) else Number(x, 0.0)

    def __add__(self, other):
        y = Number.of(other)
        return Number(self.primal + y.primal, self.tangent + y.tangent)

    def __mul__(self, other):
        y = Number.of(other)
        return Number(self.primal * y.primal,
                      self.tangent * y.primal + self.primal * y.tangent)


    def __pow__(self, n):
        if n == 0:
            return Number(self.primal**0, 0.0 * self.tangent)
        return Number(self.primal**n,
                      n * self.primal ** (n - 1) * self.tangent)

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + Number.of(other) * -1.0

    def __rsub__(self, other):
        return -self + other

    def __truediv__(self, other):
        return self * Number.of(other) ** -1

    def __rtruediv__(self, other):
        return other * self**-1

    def __rpow__(self, base):
        return (math.log(base) * self).exp()

    # A function of the primal: its method, or that of math for a float.
    def apply(self, name):
        method = getattr(self.primal, name, None)
        return method() if method else getattr(math, name)(self.primal)

    def sin(self):
        return Number(self.apply("sin"), self.apply("cos") * self.tangent)

    def cos(self):
        return Number(self.apply("cos"), -self.apply("sin") * self.tangent)

    def exp(self):
        y = self.apply("exp")
        return Number(y, y * self.tangent)

    def log(self):
        return Number(self.apply("log"), self.tangent / self.primal)

    def __lt__(self, other):
        return self.primal < Number.of(other).primal

    def __gt__(self, other):
        return self.primal > Number.of(other).primal

# %% dual-number | takes 3.0 - x for x - 3.0 | the float comes first
# the solution, but
-        return -self + other
+        return self - other

# %% dual-number | takes 2.0 / x for x / 2.0 | above the line
# the solution, but
-        return other * self**-1
+        return self / other

# %% dual-number | forgets the second term of a quotient | q ẏ
# the solution, but
-        return self * Number.of(other) ** -1
+        y = Number.of(other)
+        return Number(self.primal / y.primal, self.tangent / y.primal)

# %% dual-number | forgets to lower the exponent | n x**(n-1)
# the solution, but
-                      n * self.primal ** (n - 1) * self.tangent)
+                      n * self.primal ** n * self.tangent)

# %% dual-number | forgets the logarithm of the base | logarithm
# the solution, but
-        return (math.log(base) * self).exp()
+        return Number(base**self.primal, base**self.primal * self.tangent)

# %% dual-number | has the cosine with the wrong sign | -sin
# the solution, but
-        return Number(self.apply("cos"), -self.apply("sin") * self.tangent)
+        return Number(self.apply("cos"), self.apply("sin") * self.tangent)

# %% dual-number | calls the functions of math, which take no Numbers | own method
# the solution, but
-        method = getattr(self.primal, name, None)
-        return method() if method else getattr(math, name)(self.primal)
+        return getattr(math, name)(self.primal)

# %% dual-number | takes primals to floats, and loses the inner tangents | own method
# the solution, but
-        method = getattr(self.primal, name, None)
-        return method() if method else getattr(math, name)(self.primal)
+        x = self.primal
+        while isinstance(x, Number):
+            x = x.primal
+        return getattr(math, name)(x)

# %% dual-number | divides by zero in the nested square | 0**-1
# the solution, but
-        if n == 0:
-            return Number(self.primal**0, 0.0 * self.tangent)

# %% dual-number | compares tangents | never at tangents
# the solution, but
-        return self.primal < Number.of(other).primal
+        return self.tangent < Number.of(other).tangent
-        return self.primal > Number.of(other).primal
+        return self.tangent > Number.of(other).tangent

# %% dual-number | compares with Numbers only | a float on either side
# the solution, but
-        return self.primal < Number.of(other).primal
+        return self.primal < other.primal
-        return self.primal > Number.of(other).primal
+        return self.primal > other.primal

# %% tagged-derivative | has one tag for all calls | own tag
# the solution, but
-        tag = next(tags)
+        tag = 1

# %% tagged-derivative | has one tag for each function | fresh tag
# the solution, but
-            lambda x, dx, y, dy: (x / y, (dx - x / y * dy) / y))
-
+            lambda x, dx, y, dy: (x / y, (dx - x / y * dy) / y))
+
+    tag = next(tags)
+
-        tag = next(tags)

# %% tagged-derivative | works on the smallest tag | largest tag
# the solution, but
-            tag = max(tag_of(x), tag_of(y))
+            tag = min(tag_of(x) or 1e9, tag_of(y) or 1e9)

# %% tagged-derivative | takes the tangent, whatever its tag | another call's tag
# the solution, but
-        return part(f(Variable(x, 1.0, tag)), tag)[1]
+        return getattr(f(Variable(x, 1.0, tag)), "tangent", 0.0)

# %% tagged-derivative | fails for a constant function | is 0
# the solution, but
-        return part(f(Variable(x, 1.0, tag)), tag)[1]
+        y = f(Variable(x, 1.0, tag))
+        return y.tangent if y.tag == tag else 0.0

# %% tagged-derivative | drops the outer part at the inner call | come through
# the solution, but
-        tag = next(tags)
+        tag = next(tags)
+        x = getattr(x, "primal", x)

# %% tagged-derivative | takes the outer variable as a plain number inside | come through
# the solution, but
-        return (x.primal, x.tangent) if tag_of(x) == tag else (x, 0.0)
+        return (x.primal, x.tangent) if tag_of(x) == tag else (
+            getattr(x, "primal", x), 0.0)

# %% tagged-derivative | reverses differences with a float on the left | on the left
# the solution, but
-        __sub__, __rsub__ = operation(
-            lambda x, dx, y, dy: (x - y, dx - dy))
+        __sub__, _ = operation(
+            lambda x, dx, y, dy: (x - y, dx - dy))
+        __rsub__ = __sub__

# %% tagged-derivative | takes a difference quotient | difference quotient
def tagged_derivative(f, tags=None):
    return lambda x: (f(x + 1e-6) - f(x - 1e-6)) / 2e-6

# %% tagged-derivative | makes the tags floats of the point | fresh tag
# the solution, but
-        tag = next(tags)
+        tag = 1 + len(str(x))

# %% forward-jacobian | gives the transposed Jacobian | M rows
def forward_jacobian(f, x):
    """The Jacobian of f at x by N forward runs: [M, N]."""
    columns = [dual.jvp(f, (x,), (e,))[1] for e in np.eye(len(x))]
    return np.stack(columns, axis=0)

# %% forward-jacobian | pushes the direction of ones through | column i
def forward_jacobian(f, x):
    return dual.jvp(f, (x,), (np.ones_like(x),))[1]

# %% forward-jacobian | scales the directions by x | 1 at input i
def forward_jacobian(f, x):
    """The Jacobian of f at x by N forward runs: [M, N]."""
    columns = [dual.jvp(f, (x,), (e,))[1] for e in np.diag(x)]
    return np.stack(columns, axis=1)

# %% forward-jacobian | runs f once more to learn M | no run more
def forward_jacobian(f, x):
    J = np.zeros((len(f(x)), len(x)))
    for i, e in enumerate(np.eye(len(x))):
        J[:, i] = dual.jvp(f, (x,), (e,))[1]
    return J

# %% forward-jacobian | takes central differences | by differences
def forward_jacobian(f, x):
    columns = [(f(x + 1e-5 * e) - f(x - 1e-5 * e)) / 2e-5 for e in np.eye(len(x))]
    return np.stack(columns, axis=1)

# %% forward-jacobian | takes complex steps | complex steps
def forward_jacobian(f, x):
    columns = [np.imag(f(x + 1e-30j * e)) / 1e-30 for e in np.eye(len(x))]
    return np.stack(columns, axis=1)

# %% forward-jacobian | takes the value for the derivative | column i
def forward_jacobian(f, x):
    return dual.jvp(f, (x,), (np.eye(len(x))[0],))[0]
