"""Figures of the book: one style, legible in light, dark and grey, on a phone and in print.

The idea: a white ground (the dark site shows it as a card), color-blind safe colors in an order that
also differs in grey, labels at the curves instead of legends. Alt text is written in the chapter.
Source of the colors: Okabe and Ito (2008), Color Universal Design.
"""
import matplotlib as mpl
from cycler import cycler

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
