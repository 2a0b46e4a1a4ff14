"""lecture_utils.bench: counts of work and memory, and times that can be compared. No test reads a real clock."""
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from lecture_utils import bench
from lecture_utils.bench import compare, flops, temp_bytes


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


@pytest.mark.parametrize("count", [flops, temp_bytes])
def test_what_cannot_be_called_is_refused(count):
    with pytest.raises(TypeError, match="f is 3"):
        count(3)
