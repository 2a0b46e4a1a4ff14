"""lecture_utils.checks: agreement with a published number, to the digits it was printed with."""
import jax.numpy as jnp
import numpy as np
import pytest

from lecture_utils.checks import assert_published

SOURCE = "a printed table"


def check(value, published, digits):
    return assert_published("duration", value, published, digits=digits, source=SOURCE)


def test_it_prints_the_comparison_and_the_source_and_returns_none(capsys):
    assert check(5.7356698, "5.73567", 5) is None
    assert capsys.readouterr().out == "duration: 5.735670, published 5.73567\n  source: a printed table\n"


@pytest.mark.parametrize("value, published, digits, line", [
    (42, "42", 0, "duration: 42.0, published 42\n  source: a printed table\n"),
    (-0.04, 0.0, 1, "duration: -0.04, published 0.0\n  source: a printed table\n"),
    (-1e-9, "0.000", 3, "duration: 0.0000, published 0.000\n  source: a printed table\n"),
    (1.2345e-3, "1.234e-3", 6, "duration: 0.0012345, published\n  0.001234\n  source: a printed table\n"),
    ([1.04, 2.0], [1.0, 2.0], 1, "duration: all 2 as published, to 1\n  decimal\n  source: a printed table\n"),
    (np.array([1.04, 2.0]), ["1.0", "2.0"], 1, "duration: all 2 as published, to 1\n  decimal\n  source: a printed table\n"),
])
def test_it_accepts_numbers_text_and_arrays(capsys, value, published, digits, line):
    check(value, published, digits)
    assert capsys.readouterr().out == line


def test_arrays_of_jax_and_torch_agree_like_those_of_numpy():
    torch = pytest.importorskip("torch")
    for value in (jnp.array([1.5, 2.25]), jnp.array([1.5, 2.25], jnp.bfloat16), torch.tensor([1.5, 2.25], requires_grad=True)):
        check(value, [1.5, 2.25], 2)


def test_half_a_unit_of_the_last_digit_agrees_and_more_does_not():
    check(0.125, "0.12", 2)
    check(0.1150000001, "0.12", 2)
    for value in (0.12500001, 0.11499999):
        with pytest.raises(AssertionError):
            check(value, "0.12", 2)


@pytest.mark.parametrize("value", [-5.73567, 5.73566, 5.73568, 5.735664, 0.0573567, float("nan"), float("inf")])
def test_a_wrong_value_fails_with_both_numbers_and_the_source(value):
    with pytest.raises(AssertionError) as error:
        check(value, "5.73567", 5)
    assert str(error.value) == (f"duration: ours is {value:.7f}, published is 5.73567; they differ within 5 decimals\n  source: a printed table")


def test_one_wrong_value_in_an_array_fails_and_is_named():
    value = np.arange(6.0).reshape(2, 3)
    wrong = value.copy()
    wrong[1, 2] += 0.1
    with pytest.raises(AssertionError, match=r"ours is 5.100, published is 5.0 at index \[1, 2\] \(1 of 6 values differ\)"):
        check(wrong, value, 1)


@pytest.mark.parametrize("value, published", [([1.0], 1.0), (1.0, [1.0]), ([1.0, 1.0], [1.0]), ([[1.0], [2.0]], [1.0, 2.0]), ([], [1.0])])
def test_shapes_that_differ_fail(value, published):
    with pytest.raises(AssertionError, match="shape"):
        check(value, published, 1)


@pytest.mark.parametrize("published, digits, says", [
    ("5.73567", 4, "with 5 decimals, expected digits=4"),
    ("5.7", 2, "with 1 decimals, expected digits=2"),
    (5.73567, 4, "more than 4 decimals"),
    ([1.0, 1.25], 1, "more than 1 decimals"),
    ("five", 1, "finite decimal number"),
    ("nan", 1, "finite decimal number"),
    (float("nan"), 1, "finite numbers"),
    ([], 1, "finite numbers"),
    (5.7, -1, "digits is -1"),
    (5.7, 1.0, "digits is 1.0"),
    (5.7, True, "digits is True"),
])
def test_a_claim_that_is_not_what_was_printed_is_refused(published, digits, says):
    with pytest.raises(ValueError, match=says):
        check(5.73567, published, digits)


@pytest.mark.parametrize("value", [1 + 0j, "5.7", None, True, np.array([1j])])
def test_a_value_that_is_not_real_is_refused(value):
    with pytest.raises(TypeError, match="value has dtype"):
        check(value, 5.7, 1)
