"""Every public function refuses bad input with an error that names the argument and says what was expected: no exceptions."""
import importlib
import inspect
import pkgutil
import re
import types

import jax
import matplotlib as mpl
import numpy as np
import pytest
from scipy.sparse import csr_array

import lecture_utils
from lecture_utils import sparse, tape
from lecture_utils.stepper import Step

mpl.use("Agg")
import matplotlib.pyplot as plt

NAN, INF = float("nan"), float("inf")
X, RAGGED = np.array([0.5, 2.0]), [[1.0], [2.0, 3.0]]
BAND = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]])
SPARSE = csr_array(BAND)
SQUARE = [("x", "", (), 3.0), ("y", "square", ("x",), 9.0)]
MATRIX = np.array([[2.0, 1.0], [0.0, 3.0]], np.float32)
def tensor(*_):
    import torch
    return torch.ones(2)


# A call of each public function that works. *args stand as a tuple.
GOOD = {
    "bench.compare": {"fs": {"add": np.add}, "args": (1, 2), "repeat": 3},
    "bench.flops": {"f": abs, "args": (X,), "transcendentals": True},
    "bench.operations": {"f": abs, "args": (X,)},
    "bench.temp_bytes": {"f": abs, "args": (X,)},
    "checks.assert_published": {"name": "pi", "value": np.pi, "published": "3.14", "digits": 2, "source": "any table"},
    "checks.dot_product_test": {"matvec": lambda v: 3 * v, "rmatvec": lambda u: 3 * u, "n": 2, "m": 2, "key": jax.random.key(0)},
    "checks.taylor_test": {"f": np.sin, "x": X, "v": X + 1, "jvp": lambda x, v: np.cos(x) * v, "hs": [1e-2, 1e-3]},
    "data.misra1a": {},
    "device.device_info": {},
    "device.has_gpu": {},
    "device.record": {"name": "never-measured", "rows": [{"N": 1}]},
    "device.recorded": {"name": "never-measured"},
    "device.scaled": {"cpu": 1, "gpu": 2},
    "dual.derivative": {"f": np.sin},
    "dual.jvp": {"f": np.multiply, "primals": (X, X), "tangents": (X, X)},
    "finite_diff.default_step": {"method": "central", "dtype": np.float64, "x": X, "typical": 0.1},
    "finite_diff.jacobian_fd": {"f": np.sin, "x": X, "method": "central", "h": [1e-3, 1e-4]},
    "finite_diff.jvp_fd": {"f": np.sin, "x": X, "v": X + 1, "method": "central", "h": 1e-3},
    "finite_diff.step_sweep": {"f": np.sin, "df": np.cos, "x": X, "hs": [1e-2, 1e-3], "method": "central"},
    "finite_diff.stencil": {"offsets": [-1, 0, 1], "order": 2},
    "linop.jacobian_operator": {"f": abs, "x": X.astype(np.float32)},
    "linop.materialize": {"matvec": lambda v: 3 * v, "n": 2},
    "linop.materialize_adjoint": {"rmatvec": lambda u: 3 * u, "m": 2},
    "matrix_functions.block_frechet": {"f": np.square, "A": MATRIX, "E": MATRIX},
    "matrix_functions.check_domain": {"A": MATRIX},
    "matrix_functions.expm": {"A": MATRIX},
    "matrix_functions.logm": {"A": MATRIX},
    "matrix_functions.matrix_function": {"f": np.cos, "center": 1.0, "radius": 2.0},
    "matrix_functions.sqrtm": {"A": MATRIX, "refine": True},
    "plot.graph_plot": {"nodes": [("x",), ("y", "sin", ["x"])], "outputs": ["y"]},
    "plot.jaxpr_graph": {"jaxpr": jax.make_jaxpr(abs)(1.0)},
    "plot.step_plot": {"hs": [1e-2, 1e-3], "errors": {"central": [1e-4, 1e-6]}, "ax": None, "floor": 1e-17},
    "plot.spy_colored": {"pattern": np.eye(2), "colors": [0, 0], "row_colors": [0, -1], "ax": None},
    "plot.use_book_style": {},
    "sparse.check_coloring": {"pattern": BAND, "coloring": [0, 1, 2], "method": "column"},
    "sparse.color_bidirectional": {"pattern": BAND},
    "sparse.color_columns": {"pattern": BAND, "order": "best"},
    "sparse.color_rows": {"pattern": BAND},
    "sparse.color_symmetric": {"pattern": BAND, "method": "star"},
    "sparse.compress": {"A": BAND, "coloring": sparse.color_columns(BAND)},
    "sparse.decompress": {"B": np.ones((3, 3)), "coloring": sparse.color_columns(BAND)},
    "sparse.seed_matrix": {"coloring": sparse.color_columns(BAND), "dtype": np.float32},
    "stepper.forward_sweep": {"nodes": SQUARE, "partials": {"y": [6.0]}, "tangents": {"x": 1.0}},
    "stepper.reverse_sweep": {"nodes": SQUARE, "partials": {"y": [6.0]}},
    "stepper.stepper": {"nodes": SQUARE, "steps": [Step("x", "x", {"x": 3.0})], "name": "square", "title": "The square"},
    "tape.grad": {"f": np.sum},
    "tape.inputs": {"primals": (X, 2.0)},
    "tape.to_graph": {"y": tape.np.sin(tape.inputs(2.0)[0])},
    "tape.vjp": {"f": lambda *primals: primals[0] * primals[-1], "primals": (X, 2.0)},
}

# What each parameter is: by its name, or by module.function.name where the same name means something else.
ROLE = {
    "f": "function", "jvp": "function or None", "bench.flops.f": "program", "bench.temp_bytes.f": "program", "fs": "programs",
    "bench.operations.f": "program", "transcendentals": "switch",
    "finite_diff.step_sweep.f": "elementwise function", "df": "elementwise derivative",
    "x": "vector", "v": "vector", "finite_diff.default_step.x": "numbers", "typical": "size", "dtype": "dtype",
    "method": "choice", "finite_diff.step_sweep.method": "choice or stencil",
    "h": "step", "finite_diff.jacobian_fd.h": "steps of columns", "hs": "steps", "checks.taylor_test.hs": "steps for slopes",
    "matrix_functions.block_frechet.f": "matrix function", "matrix_functions.matrix_function.f": "function of a later call",
    "A": "matrices", "matrix_functions.check_domain.A": "matrices of the domain", "E": "direction of matrices", "refine": "switch",
    "center": "center or None", "radius": "radius or None",
    "offsets": "offsets", "order": "order", "digits": "digits", "repeat": "repeat",
    "value": "result", "published": "published", "errors": "curves", "ax": "axes", "floor": "floor",
    "dual.derivative.f": "program", "dual.jvp.f": "program of duals", "dual.jvp.primals": "tuple of primals", "dual.jvp.tangents": "tuple of tangents",
    "tape.grad.f": "any function", "tape.vjp.f": "function of traced arrays", "primals": "primals", "tape.to_graph.y": "traced",
    "matvec": "function", "rmatvec": "function", "n": "dimension", "m": "dimension", "checks.dot_product_test.key": "random key",
    "linop.jacobian_operator.f": "traced function", "linop.jacobian_operator.x": "point",
    "nodes": "nodes", "outputs": "outputs", "jaxpr": "jaxpr", "stepper.forward_sweep.nodes": "evaluated nodes",
    "stepper.reverse_sweep.nodes": "evaluated nodes", "partials": "partials", "stepper.forward_sweep.tangents": "tangents of inputs", "steps": "sweep",
    "stepper.stepper.name": "key", "title": "title", "stepper.stepper.nodes": "evaluated or bare nodes",
    "device.record.name": "key", "device.recorded.name": "key", "rows": "rows",
    "plot.spy_colored.pattern": "cells", "plot.spy_colored.colors": "groups of two", "row_colors": "groups of two",
    "pattern": "pattern", "sparse.color_symmetric.pattern": "symmetric pattern", "coloring": "coloring",
    "sparse.check_coloring.coloring": "colors", "sparse.compress.A": "matrix", "B": "products", "sparse.color_columns.order": "choice",
    "args": "anything", "cpu": "anything", "gpu": "anything", "name": "anything", "source": "anything",
}

KINDS = ("wrong shape", "integers", "NaN", "unknown method", "no function", "empty array")   # each role answers for all of them
NO_CHOICE, STEP_OF_1, INFINITE = "it is not one of a list of names", "a step of 1 is a step", "such an error counts as infinite"
DATA = {"unknown method": NO_CHOICE, "no function": "no function is meant"}
COUNT = {**DATA, "integers": "a count is an integer", "text": ["3"], "other": [True, None]}
DIFFERS = "a result that differs from the source, in its shape or as NaN, is an AssertionError"

# What each role must refuse: a list of bad values for each kind, or a str: why no value of that kind is bad here.
REQUIRED = {
    "function": {
        "no function": [3, "sin", None, X], "wrong shape": [lambda x, *v: np.outer(x, x)],
        "integers": [lambda x, *v: np.array([1, 2])], "NaN": [lambda x, *v: x * NAN, lambda x, *v: x * INF],
        "unknown method": NO_CHOICE, "empty array": "a function without results has a derivative without entries",
        "complex": [lambda x, *v: 1j * x], "other": [lambda x, *v: "one", lambda x, *v: None, tensor]},
    "elementwise function": {
        "no function": [3, "sin", None, X], "wrong shape": [lambda x: x[:1], lambda x: np.sum(x), lambda x: np.outer(x, x)],
        "integers": [lambda x: x.astype(int)], "NaN": INFINITE, "unknown method": NO_CHOICE, "empty array": [lambda x: x[:0]],
        "complex": [lambda x: 1j * x], "nothing": [lambda x: None]},
    "elementwise derivative": {
        "no function": [3, "cos", None, X], "wrong shape": [lambda x: x[:1], lambda x: 1.0, lambda x: np.outer(x, x)],
        "integers": "the derivative of x is the integer 1", "NaN": INFINITE, "unknown method": NO_CHOICE,
        "empty array": [lambda x: x[:0]], "complex": [lambda x: 1j * x], "text": [lambda x: ["a", "b"]]},
    "switch": {
        "wrong shape": [[True], (True, False)], "integers": [0, 1], "NaN": [NAN], "unknown method": ["yes", ""],
        "no function": "no function is meant", "empty array": [np.array([])], "other": [None, np.array(True)]},
    "program": {
        "no function": [3, "sin", None], "wrong shape": "any shape can be compiled", "integers": "integers can be compiled",
        "NaN": "it is not run", "unknown method": NO_CHOICE, "empty array": "it can be compiled"},
    "programs": {
        **dict.fromkeys(("wrong shape", "integers", "NaN"), "results are not looked at"), "unknown method": NO_CHOICE,
        "no function": [{"add": 3}, {"add": np.add, "no": None}, np.add, [np.add], None], "empty array": [{}, []]},
    "any function": {
        "no function": [3, "sin", None, X], "unknown method": NO_CHOICE,
        **dict.fromkeys(("wrong shape", "integers", "NaN", "empty array"), "it is called later")},
    "function of traced arrays": {
        "no function": [3, "sin", None, X], "wrong shape": [lambda *primals: RAGGED, lambda *primals: primals],
        "integers": "a constant result has a derivative, zero", "NaN": "a pullback shows it", "unknown method": NO_CHOICE,
        "empty array": "it has a pullback", "complex": [lambda *primals: 1j], "other": [lambda *primals: None, lambda *primals: "y"]},
    "primals": {
        **DATA, "wrong shape": [(RAGGED,)], "integers": [(3,), (X, np.array([1, 2])), (True,)], "NaN": "a pullback shows it",
        "empty array": "a sum over nothing has a gradient", "complex": [(1j,), (1j * X,)], "other": [("x",), (None,), (X, object())]},
    "traced": {
        **DATA, "wrong shape": [tape.inputs(X)], "integers": [3], "NaN": [NAN], "empty array": [np.array([])], "other": [X, None, "y"]},
    "program of duals": {
        "no function": [3, "sin", None, X], "wrong shape": [lambda x, y: (x, y), lambda x, y: [x]],
        "integers": "a constant can be an integer", "NaN": "infinity is the slope of the root at 0", "unknown method": NO_CHOICE,
        "empty array": "a function without results has a derivative without entries",
        "complex": [lambda x, y: 1j], "other": [lambda x, y: "one", lambda x, y: None, lambda x, y: x > y, tensor]},
    "tuple of primals": {
        **DATA, "wrong shape": [X, 1.0, (RAGGED, X)], "integers": [(np.array([1, 2]), X), (X, [1, 2])],
        "NaN": "a NaN goes through, to the result", "empty array": [(), []], "complex": [(X * 1j, X)],
        "other": [("ab", X), (None, X), None]},
    "tuple of tangents": {
        **DATA, "wrong shape": [X, (X,), (X, X, X), (X, X[:1]), (X, 1.0)], "integers": [(np.array([1, 2]), X)],
        "NaN": "a NaN goes through, to the tangent", "empty array": [(), (X, X[:0])],
        "type": [(X.astype(np.float32), X)], "complex": [(X * 1j, X)], "other": [("ab", X), (None, X), None]},
    "vector": {
        **DATA, "wrong shape": [np.ones((2, 1)), np.float64(1), np.ones((1, 2, 1)), RAGGED],
        "integers": [np.array([1, 2]), [1, 2], [True, False]], "NaN": [np.array([1, NAN]), np.array([INF, 1])],
        "empty array": [np.array([]), np.ones((0, 2))], "complex": [np.array([1j, 1])], "other": ["ab", ["1", "2"], None]},
    "numbers": {
        **DATA, "wrong shape": [RAGGED], "integers": "3 is as good a place as 3.0", "NaN": [NAN, np.array([1, -INF])],
        "empty array": [np.array([]), []], "complex": [1j], "other": ["1", None]},
    "size": {
        **DATA, "wrong shape": [RAGGED, [0.1, 0.1, 0.1]], "integers": "1 is a size", "NaN": [NAN, INF], "empty array": [[]],
        "sign": [-0.1], "complex": [1j], "other": ["1", None]},
    "dtype": {
        "wrong shape": [[np.float64]], "integers": [int, np.int32, bool], "NaN": "a type is no number",
        "unknown method": ["float65"], "no function": "types are functions", "empty array": "a type is no array",
        "complex": [np.complex128, complex], "nothing": [None]},
    "choice": {
        **DATA, "wrong shape": [["central"], ("central",)], "integers": [0], "NaN": [NAN],
        "unknown method": ["newton", "Central", "central "], "empty array": ["", np.array([])], "nothing": [None]},
    "choice or stencil": {
        **DATA, "wrong shape": [["central"], ([-1, 1], 1, 2), ([-1, 1],), ([[-1, 1]], 1)], "integers": [0, (1, 1)],
        "NaN": [NAN, ([-1, NAN], 1)], "unknown method": ["newton", ("central", 1)], "empty array": ["", (), ([], 1)],
        "order": [([-1, 1], 2), ([-1, 1], 0), ([-1, 1], 1.0)], "nothing": [None]},
    "step": {
        **DATA, "wrong shape": [[1e-3, 1e-3], np.array([1e-3])], "integers": STEP_OF_1, "NaN": [NAN, INF],
        "empty array": [np.array([])], "sign": [0, 0.0, -1e-3], "complex": [1e-3 + 0j, 1j], "other": ["1e-3", object()]},
    "steps of columns": {
        **DATA, "wrong shape": [[1e-3] * 3, [[1e-3, 1e-3]], RAGGED], "integers": STEP_OF_1,
        "NaN": [NAN, [1e-3, NAN], [INF, 1e-3]], "empty array": [[]], "sign": [0, [1e-3, 0.0], -1e-3],
        "complex": [1e-3 + 0j, [1j, 1e-3]], "other": ["1e-3", object()]},
    "steps": {
        **DATA, "wrong shape": [1e-3, [[1e-3, 1e-4]], RAGGED], "integers": STEP_OF_1, "NaN": [[1e-2, NAN], [INF, 1e-3]],
        "empty array": [[]], "sign": [[1e-2, 0.0], [1e-2, -1e-3]], "complex": [[1e-2, 1j]], "text": [["1e-2", "1e-3"]]},
    "offsets": {
        **DATA, "wrong shape": [1, [[-1, 0, 1]], [0, 1], RAGGED], "integers": "offsets mostly are integers",
        "NaN": [[-1, 0, NAN], [-1, 0, INF]], "empty array": [[]], "equal": [[0, 1, 1], [0, 1, 1.0]],
        "complex": [[-1, 0, 1j]], "other": ["abc", ["-1", "0", "1"], None]},
    "order": {**COUNT, "wrong shape": [[1]], "NaN": [NAN, 1.0], "empty array": [np.array([])], "range": [0, -1, 3]},
    "digits": {**COUNT, "wrong shape": [[2]], "NaN": [NAN, 2.0], "empty array": [[]], "range": [-1, 1, 3]},
    "repeat": {**COUNT, "wrong shape": [[3]], "NaN": [NAN, 3.0], "empty array": [[]], "range": [-3, 0, 2]},
    "result": {
        **DATA, "wrong shape": [RAGGED], "integers": "a count can be published", "NaN": DIFFERS, "empty array": DIFFERS,
        "complex": [3.14 + 0j], "other": ["3.14", None]},
    "published": {
        **DATA, "wrong shape": [RAGGED], "integers": "a count can be published", "NaN": ["nan", NAN, [3.14, INF]],
        "empty array": [[], ""], "digits": ["3.1", "3.142", 3.142], "complex": [3.14 + 0j],
        "other": ["pi", ["pi"], None, object()]},
    "curves": {
        **DATA, "wrong shape": [{"a": [1e-4]}, {"a": [[1e-4, 1e-6]]}, {"a": 1e-4}, {"a": RAGGED}, [1e-4, 1e-6]],
        "integers": "an error can be 1", "NaN": [{"a": [NAN, INF]}], "empty array": [{}, {"a": []}],
        "complex": [{"a": [1j, 1]}], "other": [{"a": ["1", "2"]}, {"a": None}, None]},
    "axes": {
        **DATA, "wrong shape": [[1, 2]], "integers": [3], "NaN": [NAN], "empty array": [np.array([])], "text": ["axes"]},
    "nodes": {
        **DATA, "wrong shape": [("x",), "x", {"x": ()}, [()], [("x", "", (), 1, 2)], ["x"], [("x", "", "y")], [("x", "", [["x"]])]],
        "integers": [3, [3], [(1,)], [("x", 2)], [("x", "", [1])]], "NaN": "a value can be NaN, which the box shows",
        "empty array": [[], np.array([]), [("",)]], "unknown parent": [[("x", "sin", ["y"])]], "equal": [[("x",), ("x",)]],
        "cycle": [[("x", "sin", ["x"])], [("x",), ("y", "add", ["x", "z"]), ("z", "sin", ["y"])]],
        "value": [[("x", "", (), 1j)], [("x", "", (), True)], [("x", "", (), X)], [("x", "", (), "$\\frac$")]], "nothing": [None]},
    "outputs": {
        **DATA, "wrong shape": ["y", [["y"]]], "integers": [1, [1]], "NaN": [NAN, [NAN]], "empty array": [[]],
        "unknown name": [["z"], ["y", "z"]], "other": [{"y": 1}]},
    "partials": {
        **DATA, "wrong shape": [{"y": 6.0}, {"y": [[6.0]]}, {"y": [6.0, 1.0]}, [[6.0]]], "integers": "2 is a partial derivative",
        "NaN": [{"y": [NAN]}, {"y": [INF]}], "empty array": [{}, {"y": []}], "unknown name": [{"z": [6.0]}, {"x": [], "y": [6.0]}],
        "other": [None, {"y": ["6"]}, {"y": [True]}, {"y": [6j]}]},
    "tangents of inputs": {
        **DATA, "wrong shape": [1.0, [1.0], {"x": [1.0]}], "integers": "1 is a tangent", "NaN": [{"x": NAN}, {"x": INF}],
        "empty array": [{}], "unknown name": [{"y": 1.0}, {"z": 1.0}], "other": [None, {"x": "1"}, {"x": True}, {"x": 1j}]},
    "sweep": {
        **DATA, "wrong shape": [Step("x"), [("x", "x", {})], "x"], "integers": [[Step(3)], [Step("x", 3)]],
        "NaN": [[Step("x", "x", {"x": NAN})], [Step("x", "x", {}, {}, {"x": INF})]], "empty array": [[], [Step("")], [Step(" ")]],
        "unknown name": [[Step("x", "z")], [Step("x", "x", {"z": 1.0})]],
        "other": [None, [Step("x", "x", [1.0])], [Step("x", ["x"])], [Step("x", "x", {"x": 1j})], [Step("x", "x", {"x": True})]]},
    "title": {
        **DATA, "wrong shape": [["title"]], "integers": [3], "NaN": [NAN], "empty array": ["", " "], "nothing": [None]},
    "jaxpr": {
        **DATA, "wrong shape": [[jax.make_jaxpr(abs)(1.0)], jax.make_jaxpr(abs)(1.0).jaxpr], "integers": [3], "NaN": [NAN],
        "empty array": [[], jax.make_jaxpr(lambda x: ())(1.0)], "a function": [abs], "other": [None, "{ lambda ; a. let in (a,) }"]},
    "floor": {
        **DATA, "wrong shape": [[1e-17, 1e-17]], "integers": "1 is a floor, if a high one", "NaN": [NAN, INF],
        "empty array": [np.array([])], "sign": [0.0, -1e-17], "complex": [1e-17j], "other": ["1e-17", None]},
    "key": {
        **DATA, "wrong shape": [["a-name"]], "integers": [3], "NaN": [NAN], "empty array": ["", np.array([])], "nothing": [None],
        "letters": ["A name", "a_name", "-name", "a--b", "../name"]},
    "rows": {
        **DATA, "wrong shape": [{"N": 1}, [{"N": 1}, {"M": 1}], [1], [{}]], "integers": "a count is an integer",
        "NaN": [[{"N": NAN}], [{"N": INF}]], "empty array": [[]],
        "other": [None, "rows", [{"N": [1]}], [{1: 1}], [{"Measured on": 1}], [{"N": None}]]},
    "cells": {
        **DATA, "wrong shape": [np.ones(2), 1.0, np.ones((2, 2, 2)), RAGGED], "integers": "counts are a pattern",
        "NaN": "what is not 0 is in the pattern", "empty array": [np.ones((0, 2)), np.ones((2, 0)), []],
        "complex": [np.eye(2) * 1j], "other": [None, "ab", [["a", "b"]]]},
    "groups of two": {
        **DATA, "wrong shape": [[0], [0, 0, 0], [[0, 0]], 0, RAGGED], "integers": "a group is an integer",
        "NaN": [[0.0, 1.0], [NAN, 0]], "empty array": [[], np.array([], int)], "range": [[0, -2]],
        "other": ["ab", [None, 0], [True, False]]},
    "anything": dict.fromkeys(KINDS, "passed on, or shown, as it is"),
}
REQUIRED["evaluated or bare nodes"] = {
    **REQUIRED["nodes"], "value": [[*SQUARE, ("z", "", (), 1j)], [*SQUARE, ("z", "", (), True)], [*SQUARE, ("z", "", (), X)]]}
REQUIRED["evaluated nodes"] = {
    **REQUIRED["nodes"], "NaN": [[("x", "", (), NAN), SQUARE[1]], [("x", "", (), INF), SQUARE[1]]],
    "value": [[("x",), SQUARE[1]], [("x", "", (), "3"), SQUARE[1]], [("x", "", (), 1j), SQUARE[1]]], "order": [SQUARE[::-1]]}
REQUIRED["dimension"] = {
    **COUNT, "wrong shape": [[2]], "NaN": [NAN, 2.0], "empty array": [[], np.array([])], "range": [0, -1], "other": [True, None, 2j]}
REQUIRED["matrices"] = {
    **DATA, "wrong shape": [np.ones(3), np.ones((2, 3)), np.float32(1), RAGGED], "integers": [[[1, 2], [3, 4]], np.eye(2, dtype=int)],
    "NaN": "NaN comes out as NaN", "empty array": [np.ones((0, 0)), np.ones((3, 0), np.float32), []],
    "16 bits": [MATRIX.astype(np.float16)], "other": ["A", None, [["1"]], np.eye(2, dtype=bool)]}
REQUIRED["matrices of the domain"] = {
    **REQUIRED["matrices"], "NaN": [MATRIX * NAN, MATRIX + INF], "domain": [-MATRIX, MATRIX * 0]}
REQUIRED["direction of matrices"] = {
    **REQUIRED["matrices"], "another shape": [MATRIX[:1, :1], np.stack([MATRIX])], "another type": [MATRIX.astype(complex)]}
REQUIRED["matrix function"] = {
    **DATA, "no function": [3, "expm", None, MATRIX], "wrong shape": [np.trace, lambda A: A[0], lambda A: A[:2, :2]],
    "integers": "counting may be a function", "NaN": "NaN comes out as NaN", "empty array": [lambda A: A[:0]]}
REQUIRED["function of a later call"] = {
    **DATA, "no function": [3, "cos", None, MATRIX], "wrong shape": "a test of its own: it shows at the first call",
    "integers": "as for the shape", "NaN": "NaN comes out as NaN", "empty array": "as for the shape"}
REQUIRED["center or None"] = {
    **DATA, "wrong shape": [[1.0], np.ones(1)], "integers": "1 is a center", "NaN": [NAN, INF], "empty array": [[], np.array([])],
    "other": ["1", True, object()]}
REQUIRED["radius or None"] = {**REQUIRED["center or None"], "integers": "1 is a radius", "sign": [0.0, -1.0], "complex": [1j]}
REQUIRED["random key"] = {
    **DATA, "wrong shape": [jax.random.split(jax.random.key(0)), np.zeros(2, np.uint32)], "integers": [0, 3], "NaN": [NAN],
    "empty array": [np.array([])], "other": [None, "key", X]}
REQUIRED["traced function"] = {
    **REQUIRED["function"], "untraceable": [lambda x: np.sin(np.asarray(x)), lambda x: x * float(x[0])],
    "several results": [lambda x: (x, x), lambda x: {"y": x}]}
REQUIRED["point"] = {**REQUIRED["vector"], "16 bits": [X.astype(np.float16)], "64 bits": "a test of its own: it hangs on a flag of JAX"}
REQUIRED["pattern"] = {
    **DATA, "wrong shape": [3.0, X, np.ones((2, 2, 2)), RAGGED, SPARSE.reshape(9)], "integers": "a pattern can be of integers",
    "NaN": "a NaN is an entry", "empty array": [[], np.ones((0, 3)), np.ones((3, 0)), SPARSE[:0]],
    "other": [None, "ab", [["a", "b"]], {"a": 1}, sparse.color_columns(BAND)]}
REQUIRED["symmetric pattern"] = {
    **REQUIRED["pattern"], "not square": [np.ones((2, 3))], "not symmetric": [np.array([[1, 1], [0, 1]]), SPARSE - np.eye(3, k=1)]}
REQUIRED["coloring"] = {
    **DATA, "wrong shape": [[0, 1, 2]], "integers": [3], "NaN": [NAN], "empty array": [np.array([])], "other": [None, "best", BAND]}
REQUIRED["colors"] = {
    **DATA, "wrong shape": [3, [0, 1], [[0, 1, 2]], RAGGED, [0, 1, 2, 0]], "integers": "colors are integers",
    "NaN": [[NAN, 1, 2], [0.0, 1.0, 2.0]], "empty array": [[]], "sign": [[0, 1, -1]], "clash": [[0, 1, 1], [0, 0, 0]],
    "other": [None, "best", [True, False, True], ["a", "b", "c"], sparse.color_columns(np.eye(2)), sparse.color_columns(np.eye(3))]}
REQUIRED["matrix"] = {
    **DATA, "wrong shape": [3.0, X, np.ones((2, 3)), RAGGED, SPARSE[:2]], "integers": "a matrix can be of integers",
    "NaN": "a NaN is passed on", "empty array": [[], np.ones((0, 3))], "other": [None, "ab", BAND * 1j, SPARSE * 1j, BAND > 0]}
REQUIRED["products"] = {
    **DATA, "wrong shape": [3.0, X, np.ones((2, 3)), RAGGED, (np.ones((3, 3)),) * 2], "integers": "products can be integers",
    "NaN": "a NaN is passed on", "empty array": [[], np.ones((0, 3))], "other": [None, "ab", np.ones((3, 3)) * 1j]}
REQUIRED["function or None"] = {**REQUIRED["function"], "no function": [3, "sin", X]}
REQUIRED["steps for slopes"] = {**REQUIRED["steps"], "one step": [[1e-2]]}

# lecture_utils.implicit
GOOD["implicit.fixed_point"] = {
    "f": lambda a, z: z / 2 + a, "a": X.astype(np.float32), "z0": jax.numpy.zeros(2), "tol": 1e-5, "maxiter": 50,
    "solver": lambda g, z0: g(g(z0 * 0 + 2 * X.astype(np.float32)))}
GOOD["implicit.root"] = {
    "F": lambda a, z: z - a, "a": X.astype(np.float32), "z0": jax.numpy.zeros(2), "tol": 1e-5, "maxiter": 50,
    "solver": lambda g, z0: z0 + X.astype(np.float32)}
ROLE |= {"implicit.fixed_point.f": "function like z0", "F": "function like z0", "a": "parameters", "z0": "start", "tol": "tolerance",
         "maxiter": "maxiter", "solver": "solver or None"}
NOT_FOUND = "no solution is found then, which is a ConvergenceError: tests of its own"
REQUIRED["function like z0"] = {
    "no function": [3, "sin", None, X], "wrong shape": [lambda a, z: z[:1], lambda a, z: jax.numpy.sum(z), lambda a, z: (z, z)],
    "integers": [lambda a, z: z.astype(int)], "NaN": NOT_FOUND, "unknown method": NO_CHOICE,
    "empty array": [lambda a, z: z[:0]], "complex": [lambda a, z: z * 1j], "untraceable": [lambda a, z: np.sin(np.asarray(z))],
    "other": [lambda a, z: None, lambda a, z: "z", lambda a, z: {"z": z}, tensor]}
REQUIRED["parameters"] = {
    **DATA, "wrong shape": [np.ones((3, 2)), {"a": X}], "integers": "integers pass: they have no derivative", "NaN": NOT_FOUND,
    "empty array": "some functions have no parameters", "other": ["a", object(), tensor()]}
REQUIRED["start"] = {
    **DATA, "wrong shape": [np.ones((3, 1), np.float32)], "integers": [3, np.array([1, 2])], "NaN": "a solver may do without it",
    "empty array": [np.array([]), (), None, {}], "complex": [1j * X], "16 bits": [X.astype(np.float16)], "other": ["z", object(), tensor()]}
REQUIRED["tolerance"] = {
    **DATA, "wrong shape": [[1e-5], np.ones(2)], "integers": "1 is a tolerance", "NaN": [NAN, INF], "empty array": [[]],
    "sign": [0.0, -1e-5], "complex": [1j], "other": ["1e-5"]}
REQUIRED["maxiter"] = {**COUNT, "wrong shape": [[3]], "NaN": [NAN, 3.0], "empty array": [[]], "range": [0, -3]}
REQUIRED["solver or None"] = {
    "no function": [3, "newton", X], "wrong shape": [lambda g, z0: z0[:1], lambda g, z0: (z0, 3)], "integers": [lambda g, z0: z0.astype(int)],
    "NaN": NOT_FOUND, "unknown method": NO_CHOICE, "empty array": [lambda g, z0: z0[:0]], "other": [lambda g, z0: None, lambda g, z0: "z", tensor]}

# lecture_utils.sparse, the compiled half
GOOD["sparse.sparse_jacobian"] = {
    "f": jax.numpy.sin, "x": X.astype(np.float32), "pattern": np.eye(2), "coloring": [0, 0], "mode": "forward", "output": "csr",
    "linearize_once": True, "check": True}
GOOD["sparse.sparse_hessian"] = {
    "f": lambda x: jax.numpy.sum(x**3), "x": X.astype(np.float32), "pattern": np.eye(2), "coloring": [0, 0], "method": "acyclic",
    "output": "data", "linearize_once": True, "check": True}
GOOD["sparse.torch_sparse_jacobian"] = {
    "f": lambda x: x**2, "x": tensor(), "coloring": sparse.color_columns(np.eye(2)), "output": "coo"}
ROLE |= {
    "sparse.sparse_jacobian.f": "program to a vector", "sparse.sparse_hessian.f": "program to a number",
    "sparse.sparse_jacobian.pattern": "pattern [2, 2] or None", "sparse.sparse_hessian.pattern": "symmetric pattern [2, 2] or None",
    "sparse.sparse_jacobian.coloring": "colors [2] or None", "sparse.sparse_hessian.coloring": "colors [2] or None",
    "mode": "choice", "output": "choice", "linearize_once": "switch", "check": "switch",
    "sparse.torch_sparse_jacobian.f": "program of PyTorch", "sparse.torch_sparse_jacobian.x": "tensor",
    "sparse.torch_sparse_jacobian.coloring": "coloring of [2, 2]"}
NOT_RUN = "it is traced only: NaN shows in the derivative"
REQUIRED["program to a vector"] = {
    "no function": [3, "sin", None, X], "wrong shape": [lambda x: x[0], lambda x: x[:, None] * x, lambda x: x[:1], lambda x: x @ x[:1]],
    "integers": [lambda x: x.astype(int)], "NaN": NOT_RUN, "unknown method": NO_CHOICE, "empty array": [lambda x: x[:0]],
    "complex": [lambda x: 1j * x], "untraceable": [lambda x: np.sin(np.asarray(x)), lambda x: x * float(x[0])],
    "other": [lambda x: (x, x), lambda x: {"y": x}, lambda x: None, lambda x: "y", tensor]}
REQUIRED["program to a number"] = {
    **REQUIRED["program to a vector"], "wrong shape": [lambda x: x, lambda x: x[:1], lambda x: x[:, None] * x],
    "integers": [lambda x: x[0].astype(int)], "complex": [lambda x: 1j * x[0]]}
REQUIRED["program of PyTorch"] = {
    **REQUIRED["program to a vector"], "wrong shape": [lambda x: x[0], lambda x: x[:, None] * x, lambda x: x[:1]],
    "integers": [lambda x: x.int()], "untraceable": [lambda x: np.sin(x.numpy())],
    "other": [lambda x: (x, x), lambda x: None, lambda x: "y"]}
REQUIRED["pattern [2, 2] or None"] = {
    **REQUIRED["pattern"], "other": REQUIRED["pattern"]["other"][1:], "too small": [np.diag([1, 0])], "another shape": [np.ones((2, 3)), BAND]}
REQUIRED["symmetric pattern [2, 2] or None"] = {**REQUIRED["pattern [2, 2] or None"], "not symmetric": [np.array([[1, 1], [0, 1]])]}
REQUIRED["colors [2] or None"] = {
    **REQUIRED["colors"], "wrong shape": [3, [0], [[0, 1]], RAGGED], "NaN": [[NAN, 1], [0.0, 1.0]], "sign": [[0, -1]], "clash": "a test of its own",
    "other": ["best", [True, False], ["a", "b"], sparse.color_rows(np.eye(3)), sparse.color_columns(BAND)]}
REQUIRED["coloring of [2, 2]"] = {
    **REQUIRED["coloring"], "another shape": [sparse.color_columns(BAND)], "another kind": [sparse.color_symmetric(np.eye(2))]}
REQUIRED["tensor"] = {
    **DATA, "wrong shape": [tensor()[0], tensor()[:, None]], "integers": [tensor().int()], "NaN": NOT_RUN, "empty array": [tensor()[:0]],
    "complex": [tensor() * 1j], "other": [None, X, "ab"]}


def public_modules():
    names = [module.name for module in pkgutil.walk_packages(lecture_utils.__path__, "lecture_utils.")]
    return [importlib.import_module(name) for name in names if not any(part.startswith("_") for part in name.split("."))]


def public_functions(modules):
    """Every public function by module.name, without the package: what can be called, is no class, and is defined there, or
    in a private module of the folder that it is."""
    return {f"{module.__name__.removeprefix('lecture_utils.')}.{name}": value
            for module in modules for name, value in vars(module).items()
            if not name.startswith("_") and callable(value) and not inspect.isclass(value)
            and re.fullmatch(rf"{re.escape(module.__name__)}(\._\w+)?", getattr(value, "__module__", None) or "")}


def parameters(functions):
    return [(name, parameter) for name, function in functions.items() for parameter in inspect.signature(function).parameters]


def role_of(function, parameter, role):
    return role.get(f"{function}.{parameter}", role.get(parameter))


def gaps(functions, good=GOOD, role=ROLE, required=REQUIRED):
    """Say what the tables lack, and what they hold for nothing."""
    found = parameters(functions)
    used = {f"{function}.{parameter}" if f"{function}.{parameter}" in role else parameter for function, parameter in found}
    roles = {role_of(*pair, role) for pair in found}
    return ([f"GOOD[{name!r}]: add the arguments of a call that works" for name in functions if name not in good]
            + [f"GOOD[{name!r}]: no such public function, remove it" for name in good if name not in functions]
            + [f"GOOD[{function!r}]: add {parameter!r}"
               for function, parameter in found if function in good and parameter not in good[function]]
            + [f"ROLE[{f'{function}.{parameter}'!r}]: add what this parameter is, with a row of REQUIRED for what it must refuse"
               for function, parameter in found if role_of(function, parameter, role) is None]
            + [f"ROLE[{name!r}]: no such parameter, remove it" for name in role if name not in used]
            + [f"REQUIRED[{name!r}]: add what such a parameter must refuse"
               for name in sorted(roles - {None}) if name not in required]
            + [f"REQUIRED[{name!r}]: no parameter has this role, remove it" for name in required if name not in roles]
            + [f"REQUIRED[{name!r}][{kind!r}]: add bad values, or say in a str why there are none"
               for name, kinds in required.items() for kind in KINDS if not kinds.get(kind)])


def call(function, arguments):
    bound = inspect.BoundArguments(inspect.signature(function), dict(arguments))
    with mpl.rc_context(), np.errstate(all="ignore"):
        try:
            return function(*bound.args, **bound.kwargs)
        finally:
            plt.close("all")


FUNCTIONS = public_functions(public_modules())
CASES = [pytest.param(function, parameter, value, id=f"{function}-{parameter}-{kind}-{i}")
         for function, parameter in parameters(FUNCTIONS)
         for kind, values in REQUIRED.get(role_of(function, parameter, ROLE), {}).items() if not isinstance(values, str)
         for i, value in enumerate(values)]


def test_every_public_function_and_parameter_stands_in_the_tables_and_nothing_else():
    assert len(FUNCTIONS) >= 18 and "finite_diff.jvp_fd" in FUNCTIONS
    assert not gaps(FUNCTIONS), "\n".join(gaps(FUNCTIONS))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_call_that_each_bad_call_starts_from_works(name):
    call(FUNCTIONS[name], GOOD[name])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name, parameter, value", CASES)
def test_bad_input_is_refused_by_an_error_that_names_the_argument_and_what_was_expected(name, parameter, value):
    with pytest.raises((ValueError, TypeError)) as error:
        call(FUNCTIONS[name], {**GOOD[name], parameter: value})
    assert re.search(rf"\b{parameter}\b", str(error.value)) and "expected" in str(error.value), str(error.value)


# The guard itself: a function, a parameter or a kind that is not in the tables is reported.

def fake(source):
    module = types.ModuleType("lecture_utils.fake")
    exec(source, vars(module))
    return public_functions([module])


def test_functions_are_found_however_they_are_made_and_classes_imports_and_private_names_are_not():
    found = fake("import math\nfrom os.path import join\nfrom functools import wraps\nclass Result: pass\ndef _private(x): pass\n"
                 "def one(): pass\ntwo = lambda x: x\ndef wrap(f): return wraps(f)(lambda *a: f(*a))\n@wrap\ndef three(x): pass")
    assert sorted(found) == ["fake.one", "fake.three", "fake.two", "fake.wrap"]
    modules = {module.__name__ for module in public_modules()}
    assert "lecture_utils.checks" in modules and "lecture_utils._inputs" not in modules


def test_a_new_function_and_a_new_parameter_are_reported_until_they_are_entered():
    functions = fake("def new(x, mystery=None): pass")
    tables = {"good": {}, "role": {"x": "vector"}, "required": {"vector": REQUIRED["vector"]}}
    in_role = "ROLE['fake.new.mystery']: add what this parameter is, with a row of REQUIRED for what it must refuse"
    assert gaps(functions, **tables) == ["GOOD['fake.new']: add the arguments of a call that works", in_role]
    tables["good"] = {"fake.new": {"x": X}}
    assert gaps(functions, **tables) == ["GOOD['fake.new']: add 'mystery'", in_role]
    tables["good"] = {"fake.new": {"x": X, "mystery": 1}}
    tables["role"] = {"x": "vector", "fake.new.mystery": "riddle"}
    assert gaps(functions, **tables) == ["REQUIRED['riddle']: add what such a parameter must refuse"]
    tables["required"] = {**tables["required"], "riddle": {**REQUIRED["anything"], "NaN": []}}
    assert gaps(functions, **tables) == ["REQUIRED['riddle']['NaN']: add bad values, or say in a str why there are none"]
    tables["required"]["riddle"]["NaN"] = [NAN]
    assert gaps(functions, **tables) == []


def test_what_stands_in_the_tables_for_nothing_is_reported():
    tables = {"good": {"fake.old": {}}, "role": {"x": "vector"}, "required": {"vector": REQUIRED["vector"]}}
    assert gaps({}, **tables) == ["GOOD['fake.old']: no such public function, remove it",
                                  "ROLE['x']: no such parameter, remove it",
                                  "REQUIRED['vector']: no parameter has this role, remove it"]


def test_each_public_function_of_the_library_is_missed_when_it_is_taken_out_of_the_tables():
    for name in FUNCTIONS:
        good = {other: arguments for other, arguments in GOOD.items() if other != name}
        assert f"GOOD[{name!r}]: add the arguments of a call that works" in gaps(FUNCTIONS, good=good)
