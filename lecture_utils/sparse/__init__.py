"""Sparse Jacobians and Hessians from a few products: colorings, seeds, compression, recovery.

Idea: columns that never meet in a row share one product; where the matrix is sparse, a handful of products give all of it.
Source: Curtis, Powell, Reid, J. Inst. Maths Applics 13 (1974) 117-119; Gebremedhin, Manne, Pothen, SIAM Review 47 (2005).
"""
from lecture_utils.sparse._bidirectional import color_bidirectional
from lecture_utils.sparse._check import check_coloring
from lecture_utils.sparse._coloring import color_columns, color_rows
from lecture_utils.sparse._derivatives import sparse_hessian, sparse_jacobian
from lecture_utils.sparse._pattern import Coloring
from lecture_utils.sparse._products import compress, decompress, seed_matrix
from lecture_utils.sparse._symmetric import color_symmetric
from lecture_utils.sparse._torch import torch_sparse_jacobian

__all__ = ["Coloring", "check_coloring", "color_bidirectional", "color_columns", "color_rows", "color_symmetric", "compress",
           "decompress", "seed_matrix", "sparse_hessian", "sparse_jacobian", "torch_sparse_jacobian"]
