"""Wrong answers of chapter 03, each with a word that its hint must contain."""

# %% ops-with-cse | counts a simplified gradient | not simplified
def ops_with_cse(expr, variables):
    gradient = [sympy.diff(expr, v) for v in variables]
    lines, rest = sympy.cse([expr, *gradient])
    return (int(sum(sympy.count_ops(sympy.simplify(g)) for g in gradient)),
            int(sum(sympy.count_ops(e) for _, e in lines) + sum(sympy.count_ops(e) for e in rest)))


# %% ops-with-cse | shares the gradient alone | value and the gradient together
def ops_with_cse(expr, variables):
    gradient = [sympy.diff(expr, v) for v in variables]
    lines, rest = sympy.cse(gradient)
    return (int(sum(sympy.count_ops(g) for g in gradient)),
            int(sum(sympy.count_ops(e) for _, e in lines) + sum(sympy.count_ops(e) for e in rest)))


# %% ops-with-cse | counts the value among the naive operations | without the value
def ops_with_cse(expr, variables):
    gradient = [expr] + [sympy.diff(expr, v) for v in variables]
    lines, rest = sympy.cse(gradient)
    return (int(sum(sympy.count_ops(g) for g in gradient)),
            int(sum(sympy.count_ops(e) for _, e in lines) + sum(sympy.count_ops(e) for e in rest)))


# %% ops-with-cse | forgets the named parts | lines compute
def ops_with_cse(expr, variables):
    gradient = [sympy.diff(expr, v) for v in variables]
    lines, rest = sympy.cse([expr, *gradient])
    return int(sum(sympy.count_ops(g) for g in gradient)), int(sum(sympy.count_ops(e) for e in rest))


# %% ops-with-cse | counts each name as an operation | naming
def ops_with_cse(expr, variables):
    gradient = [sympy.diff(expr, v) for v in variables]
    lines, rest = sympy.cse([expr, *gradient])
    return (int(sum(sympy.count_ops(g) for g in gradient)),
            int(sum(1 + sympy.count_ops(e) for _, e in lines) + sum(sympy.count_ops(e) for e in rest)))


# %% ops-with-cse | shares each entry on its own | one call of cse
def ops_with_cse(expr, variables):
    gradient = [sympy.diff(expr, v) for v in variables]
    shared = 0
    for e in [expr, *gradient]:
        lines, rest = sympy.cse(e)
        shared += sum(sympy.count_ops(line) for _, line in lines) + sum(sympy.count_ops(r) for r in rest)
    return int(sum(sympy.count_ops(g) for g in gradient)), int(shared)


# %% ops-with-cse | takes the first variable only | all of them
def ops_with_cse(expr, variables):
    gradient = [sympy.diff(expr, variables[0])]
    lines, rest = sympy.cse([expr, *gradient])
    return (int(sum(sympy.count_ops(g) for g in gradient)),
            int(sum(sympy.count_ops(e) for _, e in lines) + sum(sympy.count_ops(e) for e in rest)))


# %% ops-with-cse | takes all symbols of the formula | no others
def ops_with_cse(expr, variables):
    gradient = [sympy.diff(expr, v) for v in sorted(expr.free_symbols, key=str)]
    lines, rest = sympy.cse([expr, *gradient])
    return (int(sum(sympy.count_ops(g) for g in gradient)),
            int(sum(sympy.count_ops(e) for _, e in lines) + sum(sympy.count_ops(e) for e in rest)))


# %% ops-with-cse | swaps the two numbers | first number
def ops_with_cse(expr, variables):
    gradient = [sympy.diff(expr, v) for v in variables]
    lines, rest = sympy.cse([expr, *gradient])
    return (int(sum(sympy.count_ops(e) for _, e in lines) + sum(sympy.count_ops(e) for e in rest)),
            int(sum(sympy.count_ops(g) for g in gradient)))


# %% slutsky | leaves out the income effect | income effect
def slutsky(demand, prices, income):
    return sympy.Matrix(demand).jacobian(list(prices))


# %% slutsky | subtracts the income effect | plus
def slutsky(demand, prices, income):
    q = sympy.Matrix(demand)
    return q.jacobian(list(prices)) - q.diff(income) * q.T


# %% slutsky | gives the transposed matrix | rows are goods
def slutsky(demand, prices, income):
    q = sympy.Matrix(demand)
    return (q.jacobian(list(prices)) + q.diff(income) * q.T).T


# %% slutsky | makes the matrix symmetric | need not be symmetric
def slutsky(demand, prices, income):
    q = sympy.Matrix(demand)
    S = q.jacobian(list(prices)) + q.diff(income) * q.T
    return (S + S.T) / 2


# %% slutsky | takes the quantity of the row | quantity that of the column
def slutsky(demand, prices, income):
    n = len(demand)
    return sympy.Matrix(n, n, lambda i, j: demand[i].diff(prices[j]) + demand[i] * demand[j].diff(income))


# %% slutsky | sorts the prices by name | order in which they are given
def slutsky(demand, prices, income):
    q = sympy.Matrix(demand)
    return q.jacobian(sorted(prices, key=str)) + q.diff(income) * q.T


# %% slutsky | returns numbers | still contain the symbols
def slutsky(demand, prices, income):
    q = sympy.Matrix(demand)
    S = q.jacobian(list(prices)) + q.diff(income) * q.T
    return S.subs({v: 1 for v in [*prices, income]})


# %% slutsky | returns a list of lists | sympy.Matrix
def slutsky(demand, prices, income):
    return [[d.diff(p) + e * d.diff(income) for p, e in zip(prices, demand)] for d in demand]


# %% slutsky | assumes three goods | three goods
def slutsky(demand, prices, income):
    S = sympy.zeros(3, 3)
    for i in range(3):
        for j in range(3):
            S[i, j] = demand[i].diff(prices[j]) + demand[j] * demand[i].diff(income)
    return S


# %% elasticities | forgets that constants do not broadcast | broadcast
def elasticities(expr, variables):
    formulas = [sympy.simplify(v * sympy.diff(expr, v) / expr) for v in variables]
    program = sympy.lambdify(variables, formulas, modules="jax", cse=True)
    return lambda *values: jnp.stack([jnp.asarray(e) for e in program(*values)])


# %% elasticities | returns the gradient | x_i / f
def elasticities(expr, variables):
    program = sympy.lambdify(variables, [sympy.diff(expr, v) for v in variables], modules="jax", cse=True)
    return lambda *values: jnp.stack([jnp.broadcast_to(jnp.asarray(e, jnp.asarray(values[0]).dtype), jnp.shape(values[0])) for e in program(*values)])


# %% elasticities | does not simplify | simplify
def elasticities(expr, variables):
    value_and_gradient = [expr] + [sympy.diff(expr, v) for v in variables]
    program = sympy.lambdify(variables, value_and_gradient, modules="jax", cse=True)

    def function(*values):
        values = [jnp.asarray(v) for v in values]
        f, *slopes = program(*values)
        return jnp.stack([jnp.broadcast_to(v * d / f, values[0].shape) for v, d in zip(values, slopes)])
    return function


# %% elasticities | divides automatic derivatives, which is 0/0 at zero | divided out
def elasticities(expr, variables):
    f = sympy.lambdify(variables, expr, modules="jax")

    def function(*values):
        values = [jnp.asarray(v) for v in values]
        total = lambda *v: jnp.sum(f(*v))
        slopes = jax.grad(total, argnums=tuple(range(len(values))))(*values)
        return jnp.stack([v * d / f(*values) for v, d in zip(values, slopes)])
    return function


# %% elasticities | makes everything float64 | dtype
def elasticities(expr, variables):
    formulas = [sympy.simplify(v * sympy.diff(expr, v) / expr) for v in variables]
    program = sympy.lambdify(variables, formulas, modules="jax", cse=True)

    def function(*values):
        values = [jnp.asarray(v, jnp.float64) for v in values]
        return jnp.stack([jnp.broadcast_to(jnp.asarray(e), values[0].shape) for e in program(*values)])
    return function


# %% elasticities | computes with NumPy | modules
def elasticities(expr, variables):
    formulas = [sympy.simplify(v * sympy.diff(expr, v) / expr) for v in variables]
    program = sympy.lambdify(variables, formulas, modules="numpy")

    def function(*values):
        values = [np.asarray(v) for v in values]
        return np.stack([np.broadcast_to(np.asarray(e, values[0].dtype), values[0].shape) for e in program(*values)])
    return function


# %% elasticities | sorts the variables by name | order of variables
def elasticities(expr, variables):
    formulas = [sympy.simplify(v * sympy.diff(expr, v) / expr) for v in sorted(variables, key=str)]
    program = sympy.lambdify(variables, formulas, modules="jax", cse=True)

    def function(*values):
        first = jnp.asarray(values[0])
        return jnp.stack([jnp.broadcast_to(jnp.asarray(e, first.dtype), first.shape) for e in program(*values)])
    return function


# %% elasticities | stacks along the last axis | (N, K)
def elasticities(expr, variables):
    formulas = [sympy.simplify(v * sympy.diff(expr, v) / expr) for v in variables]
    program = sympy.lambdify(variables, formulas, modules="jax", cse=True)

    def function(*values):
        first = jnp.asarray(values[0])
        return jnp.stack([jnp.broadcast_to(jnp.asarray(e, first.dtype), first.shape) for e in program(*values)], axis=-1)
    return function
