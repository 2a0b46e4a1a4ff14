"""lecture_utils.bench: counts of work and memory, and times that can be compared. No test reads a real clock."""
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture_utils import bench
from lecture_utils.bench import compare, flops, operations, temp_bytes


class Clock:
    """A clock that only the timed functions move; `slowness` gives the machine's state at each call (counted from 0)."""

    def __init__(self, monkeypatch, slowness=lambda call: 1.0):
        self.now, self.slowness, self.calls = 0.0, slowness, []
        monkeypatch.setattr(bench.time, "perf_counter", lambda: self.now)

    def function(self, name, seconds):
        def f(*args):
            self.now += seconds * self.slowness(len(self.calls))
            self.calls.append(name)
        return f


def test_times_are_medians_and_ratios_are_to_the_first(monkeypatch):
    clock = Clock(monkeypatch)
    rows = compare({"f": clock.function("f", 2.0), "g": clock.function("g", 3.0)}, repeat=4)
    assert rows == [{"function": "f", "median_ms": 2000.0, "spread_ms": 0.0, "ratio": 1.0, "ratio_spread": 0.0},
                    {"function": "g", "median_ms": 3000.0, "spread_ms": 0.0, "ratio": 1.5, "ratio_spread": 0.0}]


def test_a_machine_whose_speed_changes_moves_times_but_not_ratios(monkeypatch):
    clock = Clock(monkeypatch, slowness=lambda call: 4.0 if call % 4 > 1 else 1.0)      # two calls are one round
    rows = compare({"f": clock.function("f", 2.0), "g": clock.function("g", 3.0)}, repeat=9)
    assert [row["spread_ms"] for row in rows] == [6000, 9000]
    assert (rows[1]["ratio"], rows[1]["ratio_spread"]) == (1.5, 0.0)


def test_every_round_runs_every_function_in_turns_after_two_warm_up_calls(monkeypatch):
    clock = Clock(monkeypatch)
    compare({name: clock.function(name, 1.0) for name in "abc"}, repeat=4)
    assert "".join(clock.calls) == "aabbcc" + "abc" + "bca" + "cab" + "abc"


def test_the_first_call_which_compiles_is_not_timed(monkeypatch):
    clock = Clock(monkeypatch)
    fast, compiled = clock.function("f", 1.0), []

    def f():
        clock.now += 0 if compiled else 100
        compiled.append(True)
        fast()
    assert compare({"f": f}, repeat=3)[0]["median_ms"] == 1000


def test_short_functions_are_repeated_until_the_clock_can_see_them(monkeypatch):
    clock = Clock(monkeypatch)
    rows = compare({"f": clock.function("f", 2.0**-12)}, repeat=3)      # 0.244 ms: 9 calls make 2 ms
    assert len(clock.calls) == 2 + 3 * 9 and rows[0]["median_ms"] == 1000 * 2.0**-12


def test_arguments_reach_every_function():
    got = []
    compare({"f": lambda *a: got.append(a), "g": lambda *a: got.append(a)}, 1, "two", repeat=3)
    assert set(got) == {(1, "two")}


def test_each_call_waits_for_its_result_before_the_clock_is_read(monkeypatch):
    clock = Clock(monkeypatch)

    class Pending:
        def block_until_ready(self):
            clock.now += 5.0
            return self
    assert compare({"f": lambda: {"y": Pending()}}, repeat=3)[0]["median_ms"] == 5000


def test_a_cuda_tensor_is_waited_for_on_its_own_device(monkeypatch):
    waited = []
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=types.SimpleNamespace(synchronize=waited.append)))
    compare({"f": lambda: (types.SimpleNamespace(is_cuda=True, device="cuda:1"), 0)}, repeat=3)
    assert len(waited) >= 5 and set(waited) == {"cuda:1"}


@pytest.mark.parametrize("fs, repeat, error, says", [
    ([abs], 5, TypeError, "fs is"), ({"f": 3}, 5, TypeError, "fs is"), ({}, 5, ValueError, "empty"),
    ({"f": abs}, 2, ValueError, "repeat is 2"), ({"f": abs}, True, ValueError, "repeat is True"), ({"f": abs}, 5.0, ValueError, "repeat is 5.0"),
])
def test_bad_arguments_of_compare_are_refused(fs, repeat, error, says):
    with pytest.raises(error, match=says):
        compare(fs, 1, repeat=repeat)


@pytest.mark.parametrize("n, k, m", [(1, 1, 1), (3, 5, 7), (64, 32, 16)])
def test_a_matrix_product_costs_two_flops_for_each_of_its_products(n, k, m):
    a, b = np.ones((n, k), np.float32), np.ones((k, m), np.float32)
    assert flops(lambda a, b: a @ b, a, b) == (2 * n * k * m if n > 1 else 1)     # 1 by 1: a product, nothing to add


def test_elementwise_operations_count_one_each_and_transcendentals_none():
    x = jnp.ones(100, jnp.float32)
    assert flops(lambda x: x * x + x, x) == 200
    assert flops(lambda x: jnp.exp(x) * x, x) == 100
    assert flops(lambda x: x, x) == 0


def test_a_common_subexpression_is_counted_once():
    x = jnp.ones(100, jnp.float32)
    assert flops(lambda x: (x + 3) * (x + 3), x) == 200


def test_a_gradient_costs_a_small_multiple_of_its_function():
    w, x = jnp.ones((50, 50), jnp.float32), jnp.ones(50, jnp.float32)

    def f(w, x):
        return jnp.sum(jnp.tanh(w @ jnp.tanh(w @ x)))
    assert 1.5 < flops(jax.grad(f), w, x) / flops(f, w, x) < 4


@pytest.mark.parametrize("f", [
    lambda a: jax.lax.fori_loop(0, 10, lambda _, s: s @ s, a),
    lambda a: jax.lax.scan(lambda s, _: (s @ a, None), a, length=10)[0],
    lambda a: jax.lax.while_loop(lambda s: s.sum() < 1e6, lambda s: s @ a, a),
])
def test_a_loop_is_refused_since_its_body_would_count_once(f):
    with pytest.raises(ValueError, match="loop"):
        flops(f, jnp.eye(4, dtype=jnp.float32))


@pytest.mark.parametrize("f", [jnp.linalg.cholesky, lambda a: jnp.linalg.eigh(a)[0]])
def test_a_factorization_by_a_library_is_refused_since_its_work_is_not_seen(f):
    with pytest.raises(ValueError, match="lapack"):
        flops(f, jnp.eye(4, dtype=jnp.float32))


def test_scratch_memory_holds_the_stored_intermediates():
    a = jnp.ones((64, 64), jnp.float32)
    assert temp_bytes(lambda a: a + 1, a) == 0
    assert temp_bytes(lambda a: a @ (a @ a), a) >= 64 * 64 * 4
    def f(a): return jnp.sum(jnp.sin(a @ jnp.sin(a @ jnp.sin(a @ a))))
    assert temp_bytes(jax.grad(f), a) > temp_bytes(f, a)


def test_xla_counts_one_for_each_transcendental_on_request():
    x = jnp.ones(100, jnp.float32)
    assert flops(lambda x: jnp.exp(x) * x, x, transcendentals=True) == 200


@pytest.mark.parametrize("n, k, m", [(1, 1, 1), (3, 5, 7), (64, 32, 16)])
def test_a_matrix_product_takes_two_operations_for_each_of_its_products(n, k, m):
    assert operations(jnp.matmul, np.ones((n, k)), np.ones((k, m))) == 2 * n * k * m


def test_moving_numbers_takes_no_operation():
    def f(x): return jnp.concatenate([x[::-1], jnp.pad(x.reshape(2, -1).T, 1).ravel(), x[2:5]]).astype(jnp.float16)
    assert operations(f, np.ones(10)) == 0


def test_what_no_result_needs_is_not_counted_in_a_loop_either():
    assert operations(lambda x: (jnp.exp(x), x + 1)[1], np.ones(10)) == 10
    def body(carry, _): return (carry[0] + 1, jnp.exp(carry[1])), None
    assert operations(lambda x: jax.lax.scan(body, (x, x), length=7)[0][0], np.ones(10)) == 70


@pytest.mark.parametrize("n, products", [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (7, 4), (8, 3), (-2, 2)])
def test_a_power_counts_the_products_of_repeated_squaring_and_one_division_if_negative(n, products):
    assert operations(lambda x: jax.lax.integer_pow(x, n), np.ones(10)) == 10 * products


def test_a_sum_takes_one_operation_less_than_its_terms_and_a_running_sum_one_each():
    x = np.ones((4, 5))
    assert (operations(jnp.sum, x), operations(lambda x: x.sum(0), x), operations(jnp.cumsum, x)) == (19, 15, 20)


def test_the_dearest_branch_of_a_cond_counts():
    def f(x): return jax.lax.cond(x[0] > 0, lambda x: x, lambda x: jnp.sin(x) * x, x)
    assert operations(f, np.ones(10)) == 21


@settings(max_examples=20, deadline=None)
@given(length=st.integers(1, 50), outer=st.integers(1, 20), size=st.integers(1, 30))
def test_the_body_of_a_scan_counts_as_often_as_it_runs_in_nested_scans_too(length, outer, size):
    def inner(x): return jax.lax.scan(lambda x, _: (jnp.sin(x) * 2, None), x, length=length)[0]
    def f(x): return jax.lax.scan(lambda x, _: (jax.checkpoint(inner)(x), None), x, length=outer)[0]
    assert operations(f, np.ones(size)) == 2 * size * length * outer


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 40), batch=st.integers(1, 10))
def test_a_batch_of_directions_costs_as_many_times_one_direction_beside_the_common_part(n, batch):
    x = np.ones(n)
    def tangents(vs): return jax.vmap(lambda v: jax.jvp(lambda x: jnp.sin(x) * 3, (x,), (v,))[1])(vs)
    assert operations(tangents, np.ones((batch, n))) == n + 2 * n * batch       # the cosines once


def rosenbrock(x): return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
def exp_sin(x): return jnp.sum(jnp.exp(jnp.sin(x)))
def logit(b, X, y): return jnp.sum(jnp.logaddexp(0.0, X @ b) - y * (X @ b))
def network(W, X, y): return jnp.mean((jnp.tanh(jnp.tanh(X @ W[0]) @ W[1]) @ W[2] - y) ** 2)
def simulate(x): return jnp.sum(jax.lax.scan(lambda s, _: (jnp.tanh(1.1 * s + x), None), x, length=500)[0])


def shape(*sizes): return jax.ShapeDtypeStruct(sizes, jnp.float32)


def arguments(f, n):
    if f is logit:
        return shape(n), shape(100, n), shape(100)
    if f is network:
        h = round((n / 2) ** 0.5)
        return [shape(h, h), shape(h, h), shape(h, 1)], shape(256, h), shape(256, 1)
    return (shape(n),)


@pytest.mark.parametrize("f", [rosenbrock, exp_sin, logit, network])
@pytest.mark.parametrize("n", [1000, 1_000_000])
def test_operations_agree_with_what_xla_counts_in_the_compiled_program(f, n):
    if f is logit:                                                           # XLA merges the two products X b
        def f(b, X, y): return jnp.sum(jnp.logaddexp(0.0, X @ b))
        args = arguments(logit, n)
    else:
        args = arguments(f, n)
    assert abs(operations(f, *args) / flops(f, *args, transcendentals=True) - 1) < 0.05


@pytest.mark.parametrize("f", [rosenbrock, exp_sin, logit, network, simulate])
@pytest.mark.parametrize("n", [10, 1000, 1_000_000])
def test_a_cheap_gradient_value_and_gradient_cost_at_most_four_values(f, n):
    args = arguments(f, n)
    assert 1 < operations(jax.value_and_grad(f), *args) / operations(f, *args) <= 4
    if f is not simulate:
        def count(f): return flops(f, *args, transcendentals=True)
        assert 1 < count(jax.value_and_grad(f)) / count(f) <= 4


def test_the_gradient_of_a_product_costs_three_products_and_two_more_additions_of_zeros_in_jnp_prod():
    n, x = 1024, shape(1024)
    def scan(x): return jax.lax.scan(lambda p, xi: (p * xi, None), 1.0, x)[0]
    assert operations(jax.value_and_grad(scan), x) == 3 * n
    assert operations(jax.value_and_grad(jnp.prod), x) == 5 * (n - 1)


def test_a_while_loop_and_an_unknown_primitive_are_refused():
    with pytest.raises(ValueError, match="while"):
        operations(lambda x: jax.lax.while_loop(lambda s: s.sum() < 1e6, lambda s: 2 * s, x), np.ones(3))
    with pytest.raises(ValueError, match="'cholesky'"):
        operations(jnp.linalg.cholesky, np.eye(3))
    with pytest.raises(TypeError, match="transcendentals is 1"):
        flops(jnp.sin, np.ones(3), transcendentals=1)


@pytest.mark.parametrize("count", [flops, operations, temp_bytes])
def test_what_cannot_be_called_is_refused(count):
    with pytest.raises(TypeError, match="f is 3"):
        count(3)


@pytest.mark.parametrize("f, name", [
    (lambda x: jax.lax.reduce(x, 0.0, lambda a, b: jnp.sin(a) + b, (0,)), "reduce"),
    (lambda x: x.at[:].apply(jnp.sin), "scatter"), (jnp.sort, "sort")])
def test_operations_refuses_a_program_inside_a_primitive_that_it_cannot_weigh(f, name):
    with pytest.raises(ValueError, match=f"f uses '{name}'"):
        bench.operations(f, np.ones(10))


def test_operations_counts_the_gradient_of_a_cond():
    f = lambda x: jax.lax.cond(x[0] > 0, lambda x: jnp.sum(jnp.sin(x)), jnp.sum, x)
    assert bench.operations(jax.grad(f), np.ones(10)) >= 20             # ten cosines and ten products


def test_flops_refuses_a_program_that_calls_python():
    with pytest.raises(ValueError, match="f calls Python"):
        bench.flops(lambda A, x: (jax.debug.print("a"), A @ x)[1], np.ones((10, 10)), np.ones(10))
