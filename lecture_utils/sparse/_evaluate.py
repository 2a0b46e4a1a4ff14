"""The compiled half: all products in one program, and every entry read off them.

Idea: colors and places are known before anything runs, so they are constants of the compiled program; one vmap makes all
products, one gather reads the entries. One more product, along a random direction, tells whether the pattern was right.
Source: Griewank, Walther, Evaluating Derivatives, SIAM 2008, chapters 7 and 8. Private.
"""
import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.sparse import BCOO
from scipy import sparse

from lecture_utils.sparse._pattern import coordinates
from lecture_utils.sparse._recovery import recovery

OUTPUTS = ("bcoo", "csr", "data")
_LARGE = 2**24                     # bytes: larger seeds are made in the program, or compiling them takes seconds


def jacobian_function(f, x, y, coloring, output, linearize_once, check):
    """Return the function x -> Jacobian of f, whose products are those of the coloring; y: shape and type of f(x)."""
    run, wrap = _data(f, x, y, coloring, linearize_once, check), _wrapper(coloring.pattern, y, output)

    def jacobian(x):
        data = run(x)
        if check:
            data, *evidence = data
            if not isinstance(data, jax.core.Tracer):
                _raise_if_wrong(coloring.method, *map(np.asarray, evidence))
        return wrap(data)

    vars(jacobian).update(pattern=coloring.pattern, coloring=coloring)
    if check:
        jacobian(x)
    return jacobian


def _data(f, x, y, coloring, linearize_once, check):
    """Return the function x -> the entries of the Jacobian in the order of the pattern, [nnz], compiled."""
    columns = None if coloring.method == "row" else coloring.colors
    rows = coloring.colors if coloring.method == "row" else coloring.row_colors     # None but for rows and bidirectional
    columns, rows = (None if c is None or c.max() < 0 else c for c in (columns, rows))
    if columns is None and rows is None:
        columns = np.zeros(x.shape, int)                # an empty pattern needs no product, but a program needs an output
    read = recovery(coloring)
    if read.index.dtype != np.int32 and jax.dtypes.canonicalize_dtype(np.int64) != np.int64:
        raise ValueError(f"coloring has {coloring.num_colors} products of more than 2**31 numbers together, expected fewer, or "
                         'longer indices: jax.config.update("jax_enable_x64", True)')

    def recover(push, pull):
        products = [] if columns is None else [jax.vmap(push)(_seeds(columns, x.dtype)).ravel()]
        if rows is not None:
            products.append(jax.vmap(lambda u: pull(u)[0])(_seeds(rows, y.dtype)).ravel().astype(y.dtype))
        flat = products[0] if len(products) == 1 else jnp.concatenate(products)
        if read.trees is not None:
            data = read.apply(flat, jnp)
        else:
            # Measured on ten problems: seeds and places as constants closed over rather than as arguments, 0.3 to 0.95 of the
            # time; a gather of one dimension rather than two, 0.75 to 1.1; the color as first axis of the products rather
            # than last, 0.75 to 1.05; vmap rather than one product after the other, 0.3 to 1. BCOO: see _wrapper.
            data = flat.at[read.index].get(mode="promise_in_bounds")
        return _with_evidence(data, push, pull, coloring.pattern, x, y) if check else data

    def maps(x):
        if not hasattr(x, "dtype") or (x.shape, x.dtype) != (like.shape, like.dtype):
            came = f"shape {list(x.shape)} and dtype {x.dtype}" if hasattr(x, "dtype") else f"a {type(x).__name__}"
            raise ValueError(f"x has {came}, expected what the Jacobian was prepared for: {list(like.shape)}, {like.dtype}")
        push = jax.linearize(f, x)[1] if linearize_once else lambda v: jax.jvp(f, (x,), (v,))[1]
        return None if columns is None else push, None if rows is None else jax.vjp(f, x)[1]

    like = x
    if linearize_once:             # two programs: what the first one returns, XLA cannot compute again for each product
        linearize, apply = jax.jit(maps), jax.jit(lambda linear: recover(*linear))
        return lambda x: apply(linearize(x))
    return jax.jit(lambda x: recover(*maps(x)))


def _seeds(colors, dtype):
    """Return the seeds, [p, N]: seed c is 1 where the color is c."""
    p = int(colors.max()) + 1
    if p * len(colors) * np.dtype(dtype).itemsize > _LARGE:
        return (jnp.arange(p, dtype=np.int32)[:, None] == colors.astype(np.int32)).astype(dtype)
    return (np.arange(p)[:, None] == colors).astype(dtype)


def _with_evidence(data, push, pull, pattern, x, y):
    """Return data, all NaN if a row is wrong; which rows are wrong, [M] bool; J v; the product of the recovered J with v.

    v is random, between 1 and 2. Where the entries e of a row outside of the pattern are not all zero, e v is zero with
    probability zero, and below a small bound t with a probability of at most 2 t / max |e|: one v is enough.
    """
    i, j = coordinates(pattern)
    v = np.random.default_rng(1974).uniform(1, 2, x.shape).astype(x.dtype)         # of NumPy, or XLA takes seconds over v[j]
    if push is None:               # the transpose of the pullback: it exists even where f has a reverse rule only
        true = jax.vjp(lambda u: pull(u)[0], jnp.zeros(y.shape, y.dtype))[1](v)[0]
    else:
        true = push(v)
    terms = data * v[j].astype(data.dtype)
    found = jnp.zeros(y.shape, y.dtype).at[i].add(terms)
    size = jnp.zeros(y.shape, y.dtype).at[i].add(abs(terms)) + abs(true)
    eps = max(float(jnp.finfo(dtype).eps) for dtype in (x.dtype, y.dtype))         # products uᵀJ have the type of x
    fits = abs(true - found) <= eps ** (2 / 3) * size
    wrong = jnp.isfinite(found) & ~(jnp.isfinite(true) & fits)         # a row that is NaN itself says so itself
    return jnp.where(wrong.any(), jnp.nan, data), wrong & jnp.isfinite(true), true, found


def _raise_if_wrong(method, wrong, true, found):
    if wrong.any():
        rows = np.flatnonzero(wrong)
        lost = "; or substitution lost small entries beside large ones: method 'star' keeps them"
        names = ", ".join(map(str, rows[:5])) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
        raise ValueError(f"pattern lacks entries in row {names}, expected every place where the Jacobian may differ from zero: "
                         f"a random direction gives {true[rows[0]]:.6g} in row {rows[0]}, the recovered entries "
                         f"{found[rows[0]]:.6g}{lost if method == 'acyclic' else ''}")


def _wrapper(pattern, y, output):
    """Return the function from data, [nnz], to what the caller asked for."""
    if output == "data":
        return lambda data: data
    if output == "csr":
        return lambda data: _csr(data, pattern)
    # The constructor of BCOO costs more than a small Jacobian, and indices that leave the program are copied: so the
    # program returns the data alone, and here it joins the indices, always the same array.
    indices = jnp.asarray(np.stack(coordinates(pattern), 1).astype(np.int32))
    empty = BCOO((jnp.zeros(pattern.nnz, y.dtype), indices), shape=pattern.shape, indices_sorted=True, unique_indices=True)
    structure = jax.tree.structure(empty)
    return lambda data: jax.tree.unflatten(structure, (data, indices))


def _csr(data, pattern):
    if isinstance(data, jax.core.Tracer):
        raise TypeError("output is 'csr', expected 'data' or 'bcoo' inside of jax.jit, vmap and grad: SciPy cannot be traced")
    return sparse.csr_array((np.array(data), pattern.indices.copy(), pattern.indptr.copy()), shape=pattern.shape)
