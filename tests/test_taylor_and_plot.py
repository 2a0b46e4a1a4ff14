"""lecture_utils.checks.taylor_test, plot.step_plot and data: right derivatives pass, wrong ones fail, curves show every error."""
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pytest
import scipy.sparse

from lecture_utils import data, plot
from lecture_utils.checks import assert_published, taylor_test
from lecture_utils.finite_diff import stencil

mpl.use("Agg")
import matplotlib.pyplot as plt

A = np.array([[1.0, -2.0, 0.5], [0.3, 0.7, -1.1]])
X, V = np.array([0.4, 0.9, -1.3]), np.array([1.0, -0.5, 0.8])

pytestmark = pytest.mark.usefixtures("x64")


@pytest.fixture(autouse=True)
def figures():
    yield
    plt.close("all")


# The Taylor test.

def wave(x):
    return np.sin(A.astype(x.dtype) @ x)


def wave_jvp(x, v):
    return np.cos(A.astype(x.dtype) @ x) * (A.astype(x.dtype) @ v)


def energy(x):
    return np.sum(np.exp(x))


def energy_jvp(x, v):
    return np.exp(x) @ v


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("f, jvp", [(wave, wave_jvp), (energy, energy_jvp),
                                    (lambda x: jnp.sin(jnp.asarray(A, x.dtype) @ x), None), (lambda x: jnp.sum(jnp.exp(x)), None)])
def test_a_right_derivative_passes_with_slopes_of_two(f, jvp, dtype):
    library = np if jvp else jnp
    result = taylor_test(f, library.array(X, dtype), library.array(V, dtype), jvp=jvp)
    seen = result.slopes[~np.isnan(result.slopes)]
    assert result.ok and len(seen) >= 2 and np.all(np.abs(seen - 2) < 0.1)


@pytest.mark.parametrize("scale", [1e3, 1e-3])
def test_the_scale_of_x_and_of_v_makes_no_difference(scale):
    for x, v in ((X * scale, V), (X * scale, V * scale), (X, V * scale)):
        size = np.abs(x / X)
        result = taylor_test(lambda x: wave(x / size), x, v, jvp=lambda x, v: wave_jvp(x / size, v / size))
        assert result.ok and np.all(np.abs(result.slopes[:3] - 2) < 0.1)
        assert not taylor_test(lambda x: wave(x / size), x, v, jvp=lambda x, v: 1.001 * wave_jvp(x / size, v / size)).ok


def square(x):
    return np.array([x[0] * x[1], np.sin(x[1]), x[2] ** 2 + x[0]])


def square_jacobian(x):
    return np.array([[x[1], x[0], 0], [0, np.cos(x[1]), 0], [1, 0, 2 * x[2]]])


def test_the_jacobian_in_the_next_test_is_right():
    assert taylor_test(square, X, V, jvp=lambda x, v: square_jacobian(x) @ v).ok


@pytest.mark.parametrize("jvp", [
    lambda x, v: -square_jacobian(x) @ v,
    lambda x, v: 1.001 * square_jacobian(x) @ v,
    lambda x, v: 0.999 * square_jacobian(x) @ v,
    lambda x, v: square_jacobian(x).T @ v,
    lambda x, v: square_jacobian(x) @ v - np.array([0, 0, v[0]]),
    lambda x, v: square_jacobian(x) @ v * [1, 1, 0],
    lambda x, v: 0 * v,
], ids=["sign", "factor 1.001", "factor 0.999", "transposed", "missing term", "missing row", "zero"])
def test_a_wrong_derivative_fails_with_slopes_of_one(jvp):
    result = taylor_test(square, X, V, jvp=jvp)
    assert not result.ok and result.slopes[-1] == pytest.approx(1, abs=0.05)


def test_a_wrong_sign_fails_in_single_precision_too():
    x, v = X.astype(np.float32), V.astype(np.float32)
    assert not taylor_test(wave, x, v, jvp=lambda x, v: -wave_jvp(x, v)).ok
    assert not taylor_test(lambda x: jnp.sin(x), jnp.array(x), jnp.array(v), jvp=lambda x, v: -jnp.cos(x) * v).ok


def test_the_five_point_formula_passes_and_fails_with_all_its_signs_flipped():
    h, weights = 1e-3, stencil([-2, -1, 1, 2], 1)

    def five_point(sign):
        return lambda x, v: sign * sum(w * square(x + o * h * v) for w, o in zip(weights, (-2, -1, 1, 2))) / h
    assert taylor_test(square, X, V, jvp=five_point(1)).ok
    assert not taylor_test(square, X, V, jvp=five_point(-1)).ok


def test_a_linear_f_passes_by_remainders_that_are_rounding_and_fails_with_a_wrong_jacobian():
    right, wrong = (taylor_test(lambda x: A @ x, X, V, jvp=lambda x, v, B=B: B @ v) for B in (A, A + [[0, 0, 1e-4], [0, 0, 0]]))
    assert right.ok and np.all(np.isnan(right.slopes)) and np.all(right.remainders < 1e-13)
    assert not wrong.ok and wrong.slopes[0] == pytest.approx(1, abs=0.01)


def test_a_point_without_curvature_along_v_passes_with_slopes_of_three():
    result = taylor_test(np.sin, np.zeros(2), np.ones(2), jvp=lambda x, v: np.cos(x) * v)
    assert result.ok and result.slopes[0] == pytest.approx(3, abs=0.01)
    assert not taylor_test(np.sin, np.zeros(2), np.ones(2), jvp=lambda x, v: -np.cos(x) * v).ok


def test_a_kink_within_the_steps_fails():
    assert not taylor_test(np.abs, np.full(2, 1e-9), -np.ones(2), jvp=lambda x, v: np.sign(x) * v, hs=[1e-2, 1e-3]).ok


def test_the_result_holds_the_steps_from_large_to_small_and_what_was_found_at_each():
    result = taylor_test(wave, X, V, jvp=wave_jvp, hs=[1e-3, 1e-1, 1e-2])
    assert result._fields == ("slopes", "ok", "hs", "remainders")
    assert result.hs.tolist() == [1e-1, 1e-2, 1e-3] and type(result.ok) is bool
    expected = [np.linalg.norm(wave(X + h * V) - wave(X) - h * wave_jvp(X, V)) for h in result.hs]
    np.testing.assert_allclose(result.remainders, expected, rtol=1e-9)
    np.testing.assert_allclose(result.slopes, -np.diff(np.log10(expected)), rtol=1e-9)
    default = taylor_test(wave, X, V, jvp=wave_jvp)
    assert len(default.hs) == len(default.remainders) == 12 and len(default.slopes) == 11 and np.all(np.diff(default.hs) < 0)


def test_f_is_evaluated_once_more_than_there_are_steps_and_jvp_once():
    points, directions = [], []
    taylor_test(lambda x: points.append(x) or wave(x), X, V, hs=[0.1, 0.05, 0.02],
                jvp=lambda x, v: directions.append(v) or wave_jvp(x, v))
    assert (len(points), len(directions)) == (4, 1)


@pytest.mark.parametrize("f, v, arguments, error, says", [
    (wave, 0 * V, {"jvp": wave_jvp}, ValueError, "v is zero, expected a direction"),
    (wave, V, {"jvp": lambda x, v: np.ones(3)}, ValueError, r"jvp returned shape \[3\], expected that of f\(x\): \[2\]"),
    (energy, V, {"jvp": lambda x, v: np.ones(1)}, ValueError, r"jvp returned shape \[1\], expected that of f\(x\): \[\]"),
    (wave, V, {"jvp": lambda x, v: np.full(2, np.nan)}, ValueError, "jvp returned .*nan.* expected finite"),
    (lambda x: x * np.nan, V, {"jvp": lambda x, v: v}, ValueError, "f returned .*nan.* expected finite"),
    (wave, V, {"jvp": wave_jvp, "hs": [1e-3]}, ValueError, "hs is .*expected at least two different steps"),
    (lambda x: wave(x).astype(np.float32), V, {"jvp": wave_jvp}, TypeError, "f returned float32 for x in float64, expected"),
])
def test_what_could_not_tell_right_from_wrong_is_refused(f, v, arguments, error, says):
    with pytest.raises(error, match=says):
        taylor_test(f, X, v, **arguments)


# The figure of V-curves.

HS = [1e-8, 1e-6, 1e-4, 1e-2]
ERRORS = {"forward": [1e-8, 1e-7, 1e-5, 1e-3], "central": [1e-7, 1e-10, 1e-9, 1e-5]}


def curves(ax):
    """The drawn lines, by color: (curve, dot)."""
    lines = [line for line in ax.lines if line.get_linestyle() != "None"]
    dots = [line for line in ax.lines if line.get_linestyle() == "None"]
    assert [line.get_color() for line in lines] == [dot.get_color() for dot in dots]
    return list(zip(lines, dots))


def test_both_axes_are_logarithmic_and_each_curve_has_its_label_and_one_dot_at_its_smallest_error():
    ax = plot.step_plot(HS, ERRORS)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in ax.texts] == list(ERRORS)
    for (line, dot), text, errors in zip(curves(ax), ax.texts, ERRORS.values(), strict=True):
        best = int(np.argmin(errors))
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([HS, errors]))
        assert dot.get_xydata().tolist() == [[HS[best], errors[best]]] and dot.get_marker() == "o"
        assert text.xy == (HS[best], errors[best]) and text.get_color() == line.get_color()
    assert len({line.get_color() for line, _ in curves(ax)}) == 2


def test_zeros_and_errors_below_the_floor_are_drawn_at_the_floor():
    for arguments, floor in (({}, 1e-17), ({"floor": 1e-12}, 1e-12)):
        line, dot = curves(plot.step_plot(HS, {"exact": [0.0, 1e-18, 1e-9, 1e-3]}, **arguments))[0]
        assert line.get_ydata().tolist() == [floor, floor, 1e-9, 1e-3] and dot.get_ydata().tolist() == [floor]


def test_errors_that_are_not_finite_are_left_out():
    line, dot = curves(plot.step_plot(HS, {"log": [np.nan, 1e-7, 1e-5, np.inf]}))[0]
    np.testing.assert_array_equal(line.get_ydata(), [np.nan, 1e-7, 1e-5, np.nan])
    assert dot.get_xydata().tolist() == [[1e-6, 1e-7]]


def test_the_axes_that_are_given_are_drawn_on_and_new_ones_are_made_otherwise():
    figure, (left, right) = plt.subplots(1, 2)
    assert plot.step_plot(HS, ERRORS, ax=right) is right
    assert len(right.lines) == 4 and not left.lines and plt.get_fignums() == [figure.number]
    assert plot.step_plot(HS, ERRORS).figure is not figure


@pytest.mark.parametrize("hs, errors, error, says", [
    ([0.0, 1e-2], {"a": [1, 1]}, ValueError, "hs is .* expected finite positive"),
    (HS, [[1, 1, 1, 1]], TypeError, "errors is .* expected a dict"),
    (HS, {}, TypeError, "errors is .* expected a dict"),
    (HS, {"a": [1, 1, 1]}, ValueError, r"errors\['a'\] has shape \[3\], expected \[4\]"),
    (HS, {"a": [1, 1, 1, 1j]}, TypeError, r"errors\['a'\] has dtype complex128, expected real numbers"),
    (HS, {"a": [np.nan] * 4}, ValueError, r"errors\['a'\] holds no finite error, expected at least one"),
])
def test_what_cannot_be_drawn_is_refused_before_a_figure_is_made(hs, errors, error, says):
    with pytest.raises(error, match=says):
        plot.step_plot(hs, errors)
    assert not plt.get_fignums()


# Data.

def test_the_data_misra1a_give_the_certified_sum_of_squares_at_the_certified_estimates():
    pressure, volume = data.misra1a()
    assert pressure.dtype == volume.dtype == np.float64 and pressure.shape == volume.shape == (14,)
    certified = data.PUBLISHED["misra1a"]
    b1, b2 = map(float, certified["b"])
    residuals = volume - b1 * (1 - np.exp(-b2 * pressure))
    digits = 11                                                                   # 1.2455138894e-01
    assert_published("residual sum of squares", residuals @ residuals, certified["residual sum of squares"], digits=digits,
                     source=certified["source"])


def test_the_certified_estimates_and_their_standard_deviations_follow_from_the_data():
    pressure, volume = data.misra1a()
    certified = data.PUBLISHED["misra1a"]
    b = np.array(certified["b"], float)
    for _ in range(2):                                                            # Gauss-Newton, from the certified estimates
        e = np.exp(-b[1] * pressure)
        J, residuals = np.column_stack([1 - e, b[0] * pressure * e]), volume - b[0] * (1 - e)
        b = b + np.linalg.lstsq(J, residuals)[0]
    sd = np.sqrt(np.diag(np.linalg.inv(J.T @ J)) * (residuals @ residuals) / (14 - 2))
    for name, ours, digits in (("b", b, (8, 14)), ("sd", sd, (10, 16))):
        for i in range(2):
            assert_published(f"{name}{i + 1}", ours[i], certified[name][i], digits=digits[i], source=certified["source"])


def test_each_call_returns_arrays_of_its_own():
    data.misra1a().volume[:] = 0
    assert data.misra1a().volume[0] == 10.07


# What once gave a wrong verdict, found by trying.

def test_wild_functions_and_large_constants_do_not_hide_the_verdict():
    rng = np.random.default_rng(0)
    for _ in range(30):
        x, v = rng.uniform(0.5, 2, 3), rng.standard_normal(3)
        for f, df in ((lambda x: np.sin(1000 * x), lambda x: 1000 * np.cos(1000 * x)),
                      (lambda x: 1e8 + np.sin(x), np.cos), (lambda x: np.exp(5 * x), lambda x: 5 * np.exp(5 * x))):
            assert taylor_test(f, x, v, jvp=lambda x, v: df(x) * v).ok
            assert not taylor_test(f, x, v, jvp=lambda x, v: -df(x) * v).ok


def test_values_near_the_ends_of_the_range_of_floats_do_not_hide_a_wrong_sign():
    for scale in (1e160, 1e-170):
        assert taylor_test(lambda x: scale * np.sin(x), X, V, jvp=lambda x, v: scale * np.cos(x) * v).ok
        assert not taylor_test(lambda x: scale * np.sin(x), X, V, jvp=lambda x, v: -scale * np.cos(x) * v).ok


def test_a_change_below_rounding_is_refused_and_passes_no_verdict():
    x = np.array([0.3, 0.7], np.float32)
    with pytest.raises(ValueError, match="f changes by less than its rounding"):
        taylor_test(lambda x: np.float32(1e7) + np.sin(x), x, x, jvp=lambda x, v: -np.cos(x) * v)


def test_without_jvp_f_must_be_a_function_of_jax():
    with pytest.raises(TypeError, match="f is no function of JAX, expected one, or jvp"):
        taylor_test(np.sin, X, V)


def test_a_nan_from_jax_is_refused():
    with pytest.raises(ValueError, match="jvp returned .*nan"):
        taylor_test(lambda x: jnp.sqrt(x**4), jnp.array([0.0, 1.0]), jnp.ones(2))


# Sparsity patterns, colored.

BAND = sum(np.eye(6, k=k) for k in (-1, 0, 1))
ARROW = np.eye(5)
ARROW[0], ARROW[:, 0] = 1, 1


def grid_of(ax):
    """The picture as [M, N] hex colors, the number in each cell (-1 for none), and the cells with a frame but no number."""
    picture = np.asarray(ax.images[0].get_array())
    numbers = np.full(picture.shape[:2], -1)
    for text in ax.texts:
        j, i = map(int, text.get_position())
        numbers[i, j] = int(text.get_text())
    framed = {(int(p.get_y() + 0.5), int(p.get_x() + 0.5)) for p in ax.patches}
    return (np.array([[mpl.colors.to_hex(cell).upper() for cell in row] for row in picture]), numbers,
            framed - {(i, j) for i, j in np.argwhere(numbers >= 0)})


@pytest.mark.parametrize("kind", [np.asarray, scipy.sparse.csr_array, scipy.sparse.coo_matrix, lambda S: S.astype(bool)],
                         ids=["dense", "csr", "coo", "bool"])
def test_each_nonzero_has_the_color_and_the_number_of_its_column_and_zeros_stay_white(kind):
    colors, numbers, empty = grid_of(plot.spy_colored(kind(BAND), np.arange(6) % 3))
    assert not empty
    for i, j in np.ndindex(6, 6):
        assert numbers[i, j] == (j % 3 if BAND[i, j] else -1)
        assert colors[i, j] == (plot.GROUPS[j % 3].upper() if BAND[i, j] else "#FFFFFF")


def test_rows_are_colored_when_only_they_have_groups():
    _, numbers, empty = grid_of(plot.spy_colored(BAND, None, row_colors=np.arange(6) % 3))
    assert not empty and all(numbers[i, j] == i % 3 for i, j in np.argwhere(BAND))


def test_what_no_product_gives_by_itself_is_an_empty_cell():
    _, numbers, empty = grid_of(plot.spy_colored(ARROW, [0, 1, 1, 1, 1]))
    assert empty == {(0, 1), (0, 2), (0, 3), (0, 4)} and np.all(numbers[1:, 1:][np.eye(4) == 1] == 1)
    assert grid_of(plot.spy_colored(BAND, [-1] * 6))[2] == {(i, j) for i, j in np.argwhere(BAND)}


def test_rows_and_columns_together_give_an_arrow_whose_row_groups_count_on():
    _, numbers, empty = grid_of(plot.spy_colored(ARROW, [0, 1, 1, 1, 1], row_colors=[0, -1, -1, -1, -1]))
    assert not empty and numbers[0].tolist() == [0, 2, 2, 2, 2] and numbers[:, 0].tolist() == [0] * 5


def test_eight_groups_are_numbered_in_the_cells_and_refused_where_no_number_can_be_read():
    wide = lambda n: np.kron(np.eye(n // 8), np.ones((8, 8)))
    colors, numbers, _ = grid_of(plot.spy_colored(wide(40), np.arange(40) % 8))
    assert colors[0, 7] == colors[0, 0] and (numbers[0, 0], numbers[0, 7]) == (0, 7)
    with pytest.raises(ValueError, match="hold 8 groups for a pattern of 48 x 48, expected at most 7 groups"):
        plot.spy_colored(wide(48), np.arange(48) % 8)
    large = plot.spy_colored(np.kron(np.eye(10), np.ones((5, 5))), np.arange(50) % 5)
    assert not large.texts and not large.patches


def test_the_seven_colors_differ_in_grey_or_in_hue_from_the_ground_and_carry_black_text():
    luminance = lambda color: np.dot(np.where((rgb := np.array(mpl.colors.to_rgb(color))) <= 0.04045, rgb / 12.92,
                                              ((rgb + 0.055) / 1.055) ** 2.4), [0.2126, 0.7152, 0.0722])
    assert len(set(plot.GROUPS)) == 7
    assert all((luminance(color) + 0.05) / 0.05 > 4.5 for color in plot.GROUPS)     # black on it, by WCAG
