"""Jacobians and Hessians of functions of JAX by a few products: prepared once, then evaluated in one compiled program.

Idea: find the pattern, color it, and keep both; each evaluation is as many products as there are colors, and one gather.
Source: Gebremedhin, Manne, Pothen, SIAM Review 47 (2005); A. Hill, G. Dalle, Sparser, Better, Faster, Stronger (2025), for
the detection of patterns, which is asdex's work.
"""
import jax
import jax.numpy as jnp
import numpy as np
from scipy import sparse

from lecture_utils import _inputs
from lecture_utils.sparse._bidirectional import color_bidirectional
from lecture_utils.sparse._check import check_coloring
from lecture_utils.sparse._coloring import color_columns, color_rows
from lecture_utils.sparse._evaluate import OUTPUTS, jacobian_function
from lecture_utils.sparse._pattern import Coloring, as_pattern
from lecture_utils.sparse._symmetric import color_symmetric

_METHODS = {"forward": "column", "reverse": "row", "bidirectional": "bidirectional"}
_PULLBACK = 1.25                   # what a product uᵀJ costs in products J v: measured 0.9 to 2.0 on seven problems, mean 1.2


def sparse_jacobian(f, x, *, pattern=None, coloring=None, mode="auto", output="bcoo", linearize_once=False, check=False):
    """Return a function x -> J, the Jacobian of f at x, [M, N], by as many products as its coloring has colors.

    f: a function of JAX, [N] -> [M]. x: [N], floating-point: its shape and type are what the function is prepared for, its
    values matter to `check` alone. The function has the attributes `pattern` and `coloring`. It is compiled at its first
    call, and goes under `jax.jit`, `vmap` and `grad`.

    pattern: where J may differ from zero, [M, N], as for `color_columns`; if None, that of the coloring, or else the package
    asdex finds it, for all x at once. coloring: a Coloring, or the colors themselves, [N] int (of rows, [M], if mode is
    "reverse"); it is verified. Otherwise mode says what is colored: "forward" the columns (products J v), "reverse" the rows
    (products uᵀJ), "bidirectional" both, "auto" what costs least, a product uᵀJ counting as 1.25 products J v; both sides
    together are tried only where a dense row and a dense column make each side alone dear.
    output: "bcoo" for a sparse matrix of JAX, "csr" for one of SciPy, on the host (not under jit, vmap, grad), "data" for
    the entries alone, [nnz], row by row, as `pattern` has them.

    linearize_once: whether f is linearized in a program of its own, whose result a second program applies to all seeds. In
    one program XLA may compute parts of f again for each product. With two, what the products need is written once and read:
    measured on functions of forty sines or the like, 0.3 to 0.5 of the time for two of them, 3 to 9 times the time for two
    others, where XLA repeats more in the first program than it saves in the second. `bench.flops` tells: two programs lose
    where `jax.linearize(f, x)[1]` counts a multiple of the operations of f, and where f is cheap anyway. It is a matter of
    speed only. Under the caller's own `jax.jit` both become one program again, and there it changes nothing.

    check: whether each J is put to the test along a random direction v: one product more. If J v differs from the recovered
    J times v, a nonzero lies outside of the pattern, and a ValueError names the row (with products uᵀJ also rows that share
    its color), now at x, and at each later call. Under jit, vmap and grad nothing can be raised: there every entry is NaN.
    What is missed are entries below about eps^(2/3) of their row, 4e-11 in 64 bits; larger ones with probability of about
    eps^(2/3) times the row's size by theirs. A row that is NaN or infinite is not judged. Without check, a pattern that lacks
    an entry gives a wrong J silently.

    Cost: as many products as `coloring.num_colors`, computed together, and no more memory than they and the entries.
    Raises ValueError or TypeError, at once, if f cannot be traced or gives no real [M], if x is no finite floating-point [N],
    if pattern or coloring do not fit f or one another; ImportError if asdex is needed and not there; NotImplementedError if
    asdex cannot see through f (linear solves, FFT): then give the pattern.

    >>> J = sparse_jacobian(lambda x: x[1:] * x[:-1], np.ones(4, np.float32), pattern=np.eye(3, 4) + np.eye(3, 4, k=1))
    >>> J.coloring.num_colors, J(np.array([1, 2, 3, 4], np.float32)).todense().tolist()
    (2, [[2.0, 1.0, 0.0, 0.0], [0.0, 3.0, 2.0, 0.0], [0.0, 0.0, 4.0, 3.0]])
    """
    x, y = _prepare(f, x, output, linearize_once, check)
    _inputs.choice("mode", mode, ("auto", *_METHODS))
    if len(y.shape) != 1 or y.shape[0] == 0:
        raise ValueError(f"f returned shape {list(y.shape)}, expected [M] with M > 0 (jax.grad is for one number)")
    pattern = _pattern(f, x, y.shape + x.shape, pattern, coloring, "jacobian_sparsity")
    if coloring is None:
        coloring = {"forward": color_columns, "reverse": color_rows, "bidirectional": color_bidirectional,
                    "auto": _cheapest}[mode](pattern)
    else:
        coloring = _verified(pattern, coloring, _METHODS.get(mode, "column"),
                             tuple(_METHODS.values()) if mode == "auto" else (_METHODS[mode],), f"for mode {mode!r}")
    return jacobian_function(f, x, y, coloring, output, linearize_once, check)


def sparse_hessian(f, x, *, pattern=None, coloring=None, method="star", output="bcoo", linearize_once=False, check=False):
    """Return a function x -> H, the Hessian of f at x, [N, N], by as many products H v as its coloring has colors.

    f: a function of JAX, from [N] to a number. method: "star", where each entry is read off one product, or "acyclic",
    with fewer colors, where it may take a chain of subtractions, whose rounding errors add up, and are those of its largest
    entries (see `decompress`): for entries of one size.
    coloring: of the same two methods or of columns; one that is a Coloring decides for itself, colors [N] are of `method`.
    All other arguments, what it returns and what it raises: as for `sparse_jacobian`. A product H v is the derivative of the
    gradient along v (forward over reverse), and costs a few evaluations of f.

    >>> H = sparse_hessian(lambda x: jnp.sum(x[1:] * x[0] ** 2), np.ones(4, np.float32),
    ...                    pattern=[[1, 1, 1, 1], [1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]])
    >>> H.coloring.num_colors, H(np.array([1, 2, 3, 4], np.float32)).todense()[0].tolist()
    (2, [18.0, 2.0, 2.0, 2.0])
    """
    x, y = _prepare(f, x, output, linearize_once, check)
    _inputs.choice("method", method, ("star", "acyclic"))
    if y.shape != ():
        raise ValueError(f"f returned shape {list(y.shape)}, expected one number, of shape []")
    pattern = _pattern(f, x, x.shape + x.shape, pattern, coloring, "hessian_sparsity")
    if coloring is None:
        coloring = color_symmetric(pattern, method=method)
    else:
        coloring = _verified(pattern, coloring, method, ("star", "acyclic", "column"), "for a Hessian")
    return jacobian_function(jax.grad(f), x, jax.ShapeDtypeStruct(x.shape, x.dtype), coloring, output, linearize_once, check)


def _prepare(f, x, output, linearize_once, check):
    """Return x as an array of JAX, and the shape and type of f(x)."""
    _inputs.function("f", f)
    x = _inputs.vector("x", x)
    if jnp.asarray(x).dtype != x.dtype:
        raise TypeError(f"x has dtype {x.dtype}, expected {jnp.asarray(x).dtype}: JAX has no 64 bits before "
                        'jax.config.update("jax_enable_x64", True)')
    _inputs.choice("output", output, OUTPUTS)
    for name, value in (("linearize_once", linearize_once), ("check", check)):
        if not isinstance(value, bool):
            raise TypeError(f"{name} is {value!r}, expected True or False")
    x = jnp.asarray(x)
    try:
        y = jax.eval_shape(f, x)
    except (TypeError, jax.errors.TracerArrayConversionError) as error:
        raise TypeError(f"f cannot be traced, expected a function of JAX from [N] to [M] (or a number): {error}") from error
    if not isinstance(y, jax.ShapeDtypeStruct):
        raise TypeError(f"f returned a {type(y).__name__}, expected one array: jnp.stack makes one of several")
    if not jnp.issubdtype(y.dtype, jnp.floating):
        raise TypeError(f"f returned dtype {y.dtype}, expected real floating-point numbers")
    return x, y


def _pattern(f, x, shape, pattern, coloring, detect):
    """Return the pattern that was given, or that of the coloring, or the one that asdex finds."""
    if pattern is not None:
        name, pattern = "pattern", as_pattern(pattern)
    elif isinstance(coloring, Coloring):
        name, pattern = "coloring.pattern", coloring.pattern
    else:
        name, pattern = "pattern", _detected(f, x, detect)
    if pattern.shape != shape:
        raise ValueError(f"{name} has shape {list(pattern.shape)}, expected {list(shape)}, as f and x have it")
    return pattern


def _detected(f, x, detect):
    try:
        import asdex
    except ImportError:
        raise ImportError("pattern is None, expected one, or the package that finds it: pip install asdex==0.5.1") from None
    try:
        found = getattr(asdex, detect)(f, x)
    except NotImplementedError as error:
        raise NotImplementedError(f"pattern is None, expected one, since asdex cannot see through f: {error}. Give pattern=, "
                                  "from what you know of f or from dense Jacobians at random x, and check=True") from error
    return as_pattern(sparse.coo_array((np.ones(found.nnz), (found.rows, found.cols)), shape=found.shape))


def _cheapest(pattern):
    """Return the coloring of columns, of rows or of both whose products cost least, as far as the bounds leave a doubt."""
    best = color_columns(pattern)
    in_row, in_column = int(np.diff(pattern.indptr).max()), int(np.bincount(pattern.indices).max(initial=1))
    if best.num_colors > _PULLBACK * in_column and (pattern.shape[0] != pattern.shape[1] or (pattern != pattern.T).nnz):
        best = min(best, color_rows(pattern), key=_price)
    # A product has M or N numbers, so they cannot be fewer than this; both sides together help where each alone needs more.
    if min(in_row, _PULLBACK * in_column) > np.ceil(pattern.nnz / max(pattern.shape)):
        best = min(best, color_bidirectional(pattern), key=_price)
    return best


def _price(coloring):
    """Return what the products of a coloring cost, in products J v."""
    if coloring.method == "bidirectional":
        rows = int(coloring.row_colors.max()) + 1
    else:
        rows = coloring.num_colors if coloring.method == "row" else 0
    return coloring.num_colors + (_PULLBACK - 1) * rows


def _verified(pattern, coloring, method, allowed, purpose):
    """Return the caller's coloring as a Coloring of this pattern, after checking it."""
    if isinstance(coloring, Coloring) and coloring.method not in allowed:
        raise ValueError(f"coloring is of method {coloring.method!r}, expected {' or '.join(map(repr, allowed))} {purpose}")
    return check_coloring(pattern, coloring, method=method)
