"""ComBat: features of several batches brought to one location and scale, each batch's own shrunk towards what all features say.

Johnson, Li and Rabinovic 2007 (Biostatistics 8:118), sections 3.1 and 3.2, parametric priors; with a reference batch, that batch stays
as it is (Stein 2015, BMC Bioinformatics 16:63). It works on tables alone, knows no image, and needs batches of comparable regions.

One thing is added. The priors are means and variances over the features, which one value without measure (the 1e10 of a
constant region's coarseness) would decide alone, and all other features would collapse. So features whose mean or variance in
a batch lies beyond the quartiles of all features by more than `FAR` times the distance between these are left out of that
batch's priors, and are adjusted by their own least-squares estimates alone. Of a Gaussian that is 14 SDs, so that ordinary
tables come out as published; among fewer than five features none can be told from the others.
"""
from __future__ import annotations

from typing import Hashable, Sequence

import numpy as np

from ..features import FeatureTable

CONVERGED = 1e-6
MOST_ROUNDS = 1000
FAR = 10.0
SMALLEST = 1e-12  # variance of a feature that is constant in its batch, in units of the variance around the fit


def combat(values: np.ndarray, batches: Sequence[Hashable], reference_batch: Hashable | None = None,
           covariates: np.ndarray | None = None) -> np.ndarray:
    """The values without what is particular to their batch.

    Args
        values: (regions, features). Features that are not finite throughout, or do not vary beyond the batches and covariates, come back
            as they are.
        batches: (regions,) label of each region's batch; a batch of one region is moved, not scaled.
        reference_batch: the batch that stays and that the others are brought to; None: all are brought to their common mean.
        covariates: (regions, covariates), what shall be kept though it may differ between batches; None: nothing.

    Returns (regions, features) float64.
    """
    values = np.asarray(values, dtype=float)
    labels, members = np.unique(np.asarray(batches), return_inverse=True)
    in_batch = members[:, None] == np.arange(len(labels))
    reference = list(labels).index(reference_batch) if reference_batch is not None else None
    adjusted = values.copy()
    usable = np.isfinite(values).all(axis=0)
    expected, scale = _standard_of(values[:, usable], in_batch, covariates, reference)
    varying = scale > 1e-12 * np.abs(values[:, usable]).max(axis=0, initial=0)
    columns = np.flatnonzero(usable)[varying]
    expected, scale = expected[:, varying], scale[varying]
    standardized = (values[:, columns] - expected) / scale
    for index in range(len(labels)):
        if index != reference and columns.size:
            rows = in_batch[:, index]
            location, spread = _shrunk(standardized[rows])
            standardized[rows] = (standardized[rows] - location) / np.sqrt(spread)
    moved = standardized * scale + expected
    if reference is not None:
        moved[in_batch[:, reference]] = values[in_batch[:, reference]][:, columns]
    adjusted[:, columns] = moved
    return adjusted


def combat_table(method: FeatureTable, reference: FeatureTable) -> FeatureTable:
    """The method's features adjusted towards the reference's, each volume being a batch and the reference the one that stays.

    It is fitted on the very regions that it is applied to, as is usual: no new region can be adjusted, and a comparison on these
    regions favours it.
    """
    both = np.concatenate([method.values, reference.values])
    batches = ["method"] * len(method) + ["reference"] * len(reference)
    return FeatureTable(method.names, combat(both, batches, "reference")[:len(method)])


def _standard_of(values, in_batch, covariates, reference):
    """What each value is expected to be without its batch (regions, features), and the SD around the fit (features,)."""
    design = in_batch.astype(float) if covariates is None else np.column_stack([in_batch, covariates])
    coefficients = np.linalg.lstsq(design, values, rcond=None)[0]
    of_batches, of_covariates = coefficients[:in_batch.shape[1]], coefficients[in_batch.shape[1]:]
    kept = 0.0 if covariates is None else np.asarray(covariates, float) @ of_covariates
    residual = values - design @ coefficients
    if reference is None:
        grand = in_batch.mean(axis=0) @ of_batches
        return grand + np.broadcast_to(kept, values.shape), np.sqrt((residual ** 2).mean(axis=0))
    of_reference = residual[in_batch[:, reference]]
    return of_batches[reference] + np.broadcast_to(kept, values.shape), np.sqrt((of_reference ** 2).mean(axis=0))


def _shrunk(batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Location and variance of each feature in a batch (features,): its own, drawn towards the priors of the usual features."""
    location, spread = batch.mean(axis=0), np.ones(batch.shape[1])
    if len(batch) > 1:
        spread = np.maximum(batch.var(axis=0, ddof=1), SMALLEST)
        usual = _usual(location) & _usual(spread)
        if usual.sum() > 1:
            location[usual], spread[usual] = _towards_priors(batch[:, usual], location[usual], spread[usual])
    return location, spread


def _usual(estimates: np.ndarray) -> np.ndarray:
    """(features,) bool: not beyond the quartiles of all features by more than `FAR` times the distance between these."""
    low, high = np.percentile(estimates, (25, 75))
    return (estimates >= low - FAR * (high - low)) & (estimates <= high + FAR * (high - low))


def _towards_priors(batch: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The conditional means of Johnson's section 3.2, taken in turns until neither changes; mean, variance: the features' own."""
    n = len(batch)
    prior_mean, prior_variance = mean.mean(), mean.var(ddof=1)
    average, scatter = variance.mean(), variance.var(ddof=1)
    if scatter <= 1e-12 * average ** 2:  # all features say the same: nothing is left to shrink
        return mean, np.full_like(variance, average)
    shape, rate = (average ** 2 + 2 * scatter) / scatter, (average ** 3 + average * scatter) / scatter
    location, spread = mean, variance
    for _ in range(MOST_ROUNDS):
        new_location = (n * prior_variance * mean + spread * prior_mean) / (n * prior_variance + spread)
        squares = ((batch - new_location) ** 2).sum(axis=0)
        new_spread = (rate + squares / 2) / (n / 2 + shape - 1)
        change = max(np.abs(new_location - location).max(), np.abs(new_spread / spread - 1).max())
        location, spread = new_location, new_spread
        if change < CONVERGED:
            break
    return location, spread
