"""Figures of the book: one style, legible in light, dark and grey, on a phone and in print.

The idea: a white ground (the dark site shows it as a card), color-blind safe colors in an order that
also differs in grey, labels at the curves instead of legends. Alt text is written in the chapter.
Source of the colors: Okabe and Ito (2008), Color Universal Design.
"""
import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.patheffects import withStroke

from lecture_utils import _inputs

COLORS = {"blue": "#0072B2", "vermilion": "#D55E00", "green": "#009E73", "black": "#000000",
          "purple": "#CC79A7", "sky": "#56B4E9", "orange": "#E69F00"}


def use_book_style() -> None:
    """Set matplotlib's defaults to those of the book; in a notebook, draw at twice the resolution.

    Example:
        >>> use_book_style()
        >>> mpl.rcParams["axes.spines.top"]
        False
    """
    mpl.rcParams.update({
        "figure.figsize": (5.8, 3.5), "figure.dpi": 100, "figure.facecolor": "white", "figure.constrained_layout.use": True,
        "font.size": 11, "axes.titlesize": 11, "axes.labelsize": 11, "legend.frameon": False,
        "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25,
        "axes.axisbelow": True, "lines.linewidth": 2, "axes.prop_cycle": cycler(color=list(COLORS.values())),
    })
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:                          # plain Python, as in `make gpu`
        return
    if get_ipython() is not None:
        set_matplotlib_formats("retina")


def step_plot(hs, errors, *, ax=None, floor=1e-17):
    """Draw errors against step sizes, both on logarithmic scales: the V-curves. Return the axes.

    hs: [H] positive steps. errors: a dict from a label to [H] relative errors; each curve carries its label and a dot at its
    best step (the largest, where several are equally good). ax: the axes to draw on; None makes a figure. floor: errors
    below it, and zeros, are drawn there; errors that are not finite are left out.
    Raises ValueError or TypeError if hs are not positive numbers [H], or if errors is no such dict.

    >>> ax = step_plot([1e-8, 1e-4, 1e-1], {"forward": [1e-8, 5e-5, 5e-2]})
    >>> ax.get_xscale(), ax.get_yscale()
    ('log', 'log')
    """
    hs = _inputs.steps("hs", hs)
    if not isinstance(errors, dict) or not errors:
        raise TypeError(f"errors is {errors!r}, expected a dict from labels to errors")
    floor = _inputs.positive("floor", floor)
    if ax is not None and not isinstance(ax, mpl.axes.Axes):
        raise TypeError(f"ax is {ax!r}, expected the axes of a figure, or None")
    curves = {}
    for label, values in errors.items():
        values = np.asarray(_inputs.numbers(f"errors[{label!r}]", values)).astype(float)
        if values.shape != hs.shape:
            raise ValueError(f"errors[{label!r}] has shape {list(values.shape)}, expected {list(hs.shape)}, one for each step")
        if np.any(values < 0):
            raise ValueError(f"errors[{label!r}] is negative in places, expected absolute values")
        curves[label] = np.where(np.isfinite(values), np.maximum(values, floor), np.nan)
        if not np.any(np.isfinite(values)):
            raise ValueError(f"errors[{label!r}] holds no finite error, expected at least one")
    ax = plt.subplots()[1] if ax is None else ax
    for (label, values), color in zip(curves.items(), itertools.cycle(COLORS.values())):
        best = np.flatnonzero(values == np.nanmin(values))[-1]
        ax.loglog(hs, values, color=color)
        ax.plot(hs[best], values[best], "o", color=color, zorder=4)
        at = np.log(hs[best] / hs.min()) / max(np.log(hs.max() / hs.min()), 1e-9)      # 0 at the left end, 1 at the right
        ax.annotate(label, (hs[best], values[best]), xytext=(0, -7), textcoords="offset points", va="top", color=color,
                    ha="left" if at < 0.15 else "right" if at > 0.85 else "center",
                    path_effects=[withStroke(linewidth=4, foreground="white")], zorder=5)
    return ax
