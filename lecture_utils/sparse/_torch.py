"""Sparse Jacobians of functions of PyTorch: the same colorings, with the products of `torch.func`.

Idea: nothing in a coloring belongs to JAX; `torch.func.vmap` of `jvp` over the seeds makes all products at once.
Source: as `sparse_jacobian`; PyTorch documentation, torch.func. PyTorch is imported only when a function here is called.
"""
import numpy as np

from lecture_utils import _inputs
from lecture_utils.sparse._check import check_coloring
from lecture_utils.sparse._pattern import Coloring, coordinates
from lecture_utils.sparse._products import seed_matrix
from lecture_utils.sparse._recovery import recovery


def torch_sparse_jacobian(f, x, *, coloring, output="coo"):
    """Return a function x -> J, the Jacobian of f at x, [M, N], for a function of PyTorch.

    f: [N] -> [M], of operations that `torch.func` can differentiate. x: a tensor [N], floating-point: its shape, type and
    device are what the function is prepared for. coloring: of columns, rows or both, of the pattern of f: `color_columns(p)`
    and its like; it is verified, but not whether its pattern is that of f: an entry that it lacks makes J wrong silently.
    output: "coo" for a sparse tensor, coalesced, or "data" for the entries alone, [nnz], row by row. The function has the
    attributes `pattern` and `coloring`; with "data" it goes under `torch.func.vmap`.

    Cost: as many products as `coloring.num_colors`, computed together.
    Raises TypeError or ValueError if x is no floating-point tensor [N], f gives no floating-point tensor [M], or the
    coloring is of another kind or size; ImportError without PyTorch.

    >>> import torch
    >>> from lecture_utils.sparse import color_columns
    >>> coloring = color_columns(np.eye(3, 4) + np.eye(3, 4, k=1))
    >>> J = torch_sparse_jacobian(lambda x: x[1:] * x[:-1], torch.ones(4), coloring=coloring)
    >>> J(torch.tensor([1.0, 2.0, 3.0, 4.0])).to_dense().tolist()
    [[2.0, 1.0, 0.0, 0.0], [0.0, 3.0, 2.0, 0.0], [0.0, 0.0, 4.0, 3.0]]
    """
    try:
        import torch
    except ImportError:
        raise ImportError("torch_sparse_jacobian needs PyTorch, expected it installed: pip install torch") from None
    _inputs.function("f", f)
    if not isinstance(x, torch.Tensor) or not x.is_floating_point():
        raise TypeError(f"x is {x!r}, expected a floating-point tensor [N] of PyTorch")
    if x.ndim != 1 or x.numel() == 0:
        raise ValueError(f"x has shape {list(x.shape)}, expected [N] with N > 0")
    _inputs.choice("output", output, ("coo", "data"))
    if not isinstance(coloring, Coloring):
        raise TypeError(f"coloring is a {type(coloring).__name__}, expected a Coloring, from color_columns or its like")
    if coloring.method not in ("column", "row", "bidirectional"):
        raise ValueError(f"coloring is of method {coloring.method!r}, expected 'column', 'row' or 'bidirectional'")
    check_coloring(coloring.pattern, coloring)
    y = f(x.detach())
    if not isinstance(y, torch.Tensor) or not y.is_floating_point():
        raise TypeError(f"f returned {y!r}, expected a floating-point tensor [M] of PyTorch")
    if tuple(y.shape) + tuple(x.shape) != coloring.pattern.shape:
        raise ValueError(f"coloring has a pattern of shape {list(coloring.pattern.shape)}, expected {list(y.shape + x.shape)}, "
                         "as f and x have it")
    return _jacobian(torch, f, x, y, coloring, output)


def _jacobian(torch, f, like, y, coloring, output):
    tensor = lambda array, dtype: torch.as_tensor(np.ascontiguousarray(array), dtype=dtype, device=like.device)
    seeds = seed_matrix(coloring)
    columns, rows = {"column": (seeds, None), "row": (None, seeds), "bidirectional": seeds}[coloring.method]
    columns = None if columns is None or not len(columns) else tensor(columns, like.dtype)
    rows = None if rows is None or not len(rows) else tensor(rows, y.dtype)
    pattern, index = coloring.pattern, tensor(recovery(coloring).index, torch.int64)
    indices = tensor(np.stack(coordinates(pattern)), torch.int64)

    def data(x):
        products = [like.new_empty(0, dtype=y.dtype)]                # for a pattern that needs no product
        if columns is not None:
            products.append(torch.func.vmap(lambda v: torch.func.jvp(f, (x,), (v,))[1])(columns).ravel())
        if rows is not None:
            products.append(torch.func.vmap(lambda u: torch.func.vjp(f, x)[1](u)[0])(rows).ravel().to(y.dtype))
        return torch.cat(products)[index]

    def jacobian(x):
        if (x.shape, x.dtype, x.device) != (like.shape, like.dtype, like.device):
            raise ValueError(f"x has shape {list(x.shape)}, {x.dtype}, on {x.device}, expected what the Jacobian was prepared "
                             f"for: {list(like.shape)}, {like.dtype}, on {like.device}")
        entries = data(x)
        if output == "coo":
            return torch.sparse_coo_tensor(indices.clone(), entries, pattern.shape, is_coalesced=True, check_invariants=False)
        return entries

    vars(jacobian).update(pattern=pattern, coloring=coloring)
    return jacobian

