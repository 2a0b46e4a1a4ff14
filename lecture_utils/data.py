"""Data that the chapters estimate on, and numbers that others published about them.

Idea: an estimate is checked against a value whose source can be looked up, kept as text so that its last digits stay.
Source: named with each data set. Data frames that other packages ship (statsmodels, pyblp) are read from there.
"""
from typing import NamedTuple

import numpy as np

PUBLISHED = {
    "misra1a": {
        "b": ("238.94212918", "5.5015643181e-04"),             # certified to 11 significant digits
        "sd": ("2.7070075241", "7.2668688436e-06"),            # their standard deviations
        "residual sum of squares": "1.2455138894e-01",
        "starts": ((500.0, 1e-4), (250.0, 5e-4)),              # the two starting points that NIST prescribes
        "source": "NIST Statistical Reference Datasets, Misra1a, www.itl.nist.gov/div898/strd/nls/data/misra1a.shtml",
    },
}


class Misra1a(NamedTuple):
    """14 measurements of monomolecular adsorption: `pressure` [14], the regressor, and `volume` [14], the response."""
    pressure: np.ndarray
    volume: np.ndarray


def misra1a():
    """Return NIST's data set Misra1a, in float64; the model is volume = b1 (1 - exp(-b2 pressure)) + error.

    The certified estimates stand in PUBLISHED["misra1a"]. NIST rates the problem as one of lower difficulty.

    Source: D. Misra, NIST, 1978, in the Statistical Reference Datasets; public domain.

    >>> pressure, volume = misra1a()
    >>> pressure.shape, float(volume.max())
    ((14,), 81.78)
    """
    pressure = [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0]
    volume = [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78]
    return Misra1a(np.array(pressure), np.array(volume))
