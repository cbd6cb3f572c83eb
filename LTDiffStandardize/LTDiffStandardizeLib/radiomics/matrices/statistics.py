"""Statistics of the values in a region: intensities, grey levels or angles. Each function takes a `Sample` and gives one float.

An empty sample has no statistics: all of them are NaN. "Constant" is a sample whose n values all are v. Unit "value" is that of the values: HU, level or degree.

Sources: the IBSI reference manual, sections 3.3 (statistics) and 3.4 (histogram), whose four-character codes are given, the first for
intensities, the second for levels; and IBEX, whose statistics are those of MATLAB.
"""
from __future__ import annotations

from functools import cached_property

import numpy as np


class Sample:
    """Values and what several statistics share; each is computed when first asked for."""

    def __init__(self, values: np.ndarray, from_the_ends: bool = False) -> None:
        """values: (n,), any real type, finite. from_the_ends: see `percentiles`."""
        self.raw, self.n, self._from_the_ends = values, len(values), from_the_ends
        self._known: dict = {}

    def features(self, functions) -> list[float]:
        """What the functions of this module give; NaN for an empty sample."""
        for function in functions:
            if function not in self._known:
                self._known[function] = float(function(self)) if self.n else float("nan")
        return [self._known[function] for function in functions]

    @cached_property
    def values(self) -> np.ndarray:
        return self.raw.astype(np.float64)

    @cached_property
    def ascending(self) -> np.ndarray:
        # "stable" counts integers of 16 bits instead of comparing them.
        return np.sort(self.raw, kind="stable" if self.raw.dtype.itemsize <= 2 else None).astype(np.float64)

    @cached_property
    def mean(self) -> float:
        return float(self.values.mean())

    @cached_property
    def squares(self) -> np.ndarray:
        """(value - mean)^2"""
        return (self.values - self.mean) ** 2

    @cached_property
    def moment_2(self) -> float:
        """Mean of the squares (ddof 0); exactly 0 for a constant sample, whose mean may be rounded."""
        return float(self.squares.mean()) if self.ascending[0] < self.ascending[-1] else 0.0

    def percentiles(self, percents) -> np.ndarray:
        """The k-th of n values is at 100 (k - 1/2) / n percent, as in MATLAB; between them linear, beyond the ends the end itself.

        `from_the_ends`: at 100 (k - 1) / (n - 1) percent, which gives the reference values of IBSI.
        Unit: value. IBEX Percentile. Constant: v.
        """
        at = np.asarray(percents) / 100 * (self.n - 1) if self._from_the_ends else np.asarray(percents) * (self.n / 100) - 0.5
        return np.interp(at, np.arange(self.n), self.ascending)

    def percentile(self, percent: float) -> float:
        return float(self.percentiles([percent])[0])


def mean(x: Sample) -> float:
    """Mean. Unit: value. IBSI Q4LE, X6K6. Constant: v."""
    return x.mean


def variance(x: Sample) -> float:
    """Mean squared distance from the mean (ddof 0). Unit: value squared. IBSI ECT3, CH89. Constant: 0."""
    return x.moment_2


def sample_variance(x: Sample) -> float:
    """Sum of squared distances from the mean, over n - 1. Unit: value squared. IBEX Variance. Constant: 0; one value: 0."""
    return x.moment_2 * x.n / (x.n - 1) if x.n > 1 else 0.0


def sample_sd(x: Sample) -> float:
    """Square root of `sample_variance`. Unit: value. IBEX GlobalStd. Constant: 0; one value: 0."""
    return sample_variance(x) ** 0.5


def skewness(x: Sample) -> float:
    """Third central moment over variance^1.5. Unit: none. IBSI KE2A, 88K1. Constant: NaN."""
    return float((x.squares @ (x.values - x.mean)) / x.n) / x.moment_2 ** 1.5 if x.moment_2 else np.nan


def kurtosis(x: Sample) -> float:
    """Fourth central moment over variance squared, 3 for a Gaussian. Unit: none. IBEX Kurtosis. Constant: NaN."""
    return float((x.squares @ x.squares) / x.n) / x.moment_2 ** 2 if x.moment_2 else np.nan


def excess_kurtosis(x: Sample) -> float:
    """`kurtosis` less 3. Unit: none. IBSI IPH6, C3I7. Constant: NaN."""
    return kurtosis(x) - 3


def median(x: Sample) -> float:
    """Median. Unit: value. IBSI Y12H, WIFQ. Constant: v."""
    return x.percentile(50)


def minimum(x: Sample) -> float:
    """Smallest value. Unit: value. IBSI 1GSF, 1PR8. Constant: v."""
    return x.ascending[0]


def percentile_10(x: Sample) -> float:
    """10th percentile. Unit: value. IBSI QG58, GPMT. Constant: v."""
    return x.percentile(10)


def percentile_90(x: Sample) -> float:
    """90th percentile. Unit: value. IBSI 8DWT, OZ0C. Constant: v."""
    return x.percentile(90)


def maximum(x: Sample) -> float:
    """Largest value. Unit: value. IBSI 84IY, 3NCY. Constant: v."""
    return x.ascending[-1]


def interquartile_range(x: Sample) -> float:
    """75th less 25th percentile. Unit: value. IBSI SALO, WR0O. Constant: 0."""
    low, high = x.percentiles([25, 75])
    return high - low


def value_range(x: Sample) -> float:
    """Largest less smallest value. Unit: value. IBSI 2OJQ, 5Z3W. Constant: 0."""
    return x.ascending[-1] - x.ascending[0]


def mean_absolute_deviation(x: Sample) -> float:
    """Mean distance from the mean. Unit: value. IBSI 4FUA, D2ZX. Constant: 0."""
    return np.abs(x.values - x.mean).mean() if x.moment_2 else 0.0


def robust_mean_absolute_deviation(x: Sample) -> float:
    """`mean_absolute_deviation` of the values from the 10th to the 90th percentile, both included. Unit: value. IBSI 1128, WRZB. Constant: 0."""
    low, high = x.percentiles([10, 90])
    kept = x.values[(x.values >= low) & (x.values <= high)]
    return mean_absolute_deviation(Sample(kept)) if kept.size else np.nan


def median_absolute_deviation(x: Sample) -> float:
    """Median distance from the median. Unit: value. IBEX MedianAbsoluteDeviation (MATLAB's mad of the second kind). Constant: 0."""
    return median(Sample(np.abs(x.values - median(x))))


def mean_deviation_from_median(x: Sample) -> float:
    """Mean distance from the median. Unit: value. IBSI N72L, 4RNL (median absolute deviation). Constant: 0."""
    return np.abs(x.values - median(x)).mean()


def coefficient_of_variation(x: Sample) -> float:
    """SD (ddof 0) over mean. Unit: none. IBSI 7TET, CWYJ. Constant: 0; NaN where the mean is 0."""
    return x.moment_2 ** 0.5 / x.mean if x.mean else np.nan


def quartile_coefficient(x: Sample) -> float:
    """(75th - 25th) / (75th + 25th percentile). Unit: none. IBSI 9S40, SLWD. Constant: 0; NaN where the sum is 0."""
    low, high = x.percentiles([25, 75])
    return (high - low) / (high + low) if high + low else np.nan


def energy(x: Sample) -> float:
    """Sum of the squared values; grows with the region. Unit: value squared. IBSI N8CA. Constant: n v^2."""
    return float(x.values @ x.values)


def energy_per_value(x: Sample) -> float:
    """`energy` over n. Unit: value squared. IBEX EnergyNorm. Constant: v^2."""
    return energy(x) / x.n


def root_mean_square(x: Sample) -> float:
    """Square root of the mean squared value. Unit: value. IBSI 5ZWQ. Constant: |v|."""
    return energy_per_value(x) ** 0.5
