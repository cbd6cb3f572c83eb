"""How far the predicted risks of two series of the same patients lie apart."""
from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from LTDiffStandardizeLib.radiomics.agreement.bootstrap import DRAWS, bootstrap_weights, interval
from LTDiffStandardizeLib.radiomics.agreement.classes import FEWEST_UNITS

from .cases import NON_STANDARD, STANDARD, SYNTHESIZED
from .sybil import YEARS

PAIRS = ((STANDARD, NON_STANDARD), (STANDARD, SYNTHESIZED), (NON_STANDARD, SYNTHESIZED))
CLOSE, OTHERS = PAIRS[1], (PAIRS[0], PAIRS[2])
"""The pair that standardization is to bring together, and those it is compared with: no standardization, and the paper's own."""
ALL_YEARS = "1-6"
SPANS = (*map(str, YEARS), ALL_YEARS)


def difference_rows(risks: Mapping[str, np.ndarray]) -> list[dict]:
    """One row a pair of `PAIRS` and span of `SPANS`; of all years the mean over the years of each patient.

    risks: {role: (patients, 6)}, the same patients in all, at least one. Returns list of dicts with keys
        years, first, second: the span and the pair;
        mean_absolute_difference of the risks, low, high: its 90 % interval from a bootstrap of patients, NaN for fewer than 3;
        mean_difference: second minus first, with its sign; n_patients.
    """
    rows, weights = [], _weights(risks)
    for first, second in PAIRS:
        signed = _spans(risks[second] - risks[first])
        for span, mean, low, high, bias in zip(SPANS, *_means(_distances(risks, (first, second)), weights), signed.mean(axis=0)):
            rows.append({"years": span, "first": first, "second": second, "mean_absolute_difference": float(mean), "low": low, "high": high,
                         "mean_difference": float(bias), "n_patients": len(signed)})  # fmt: skip
    return rows


def gain_rows(risks: Mapping[str, np.ndarray]) -> list[dict]:
    """By how much the standard and the synthesized series lie closer together than each of `OTHERS`, from the same patients and draws.

    Returns list of dicts with keys years, first, second (the other pair), closer_by (of the mean |difference|, above 0 where
    they do), low, high (90 % interval), n_patients.
    """
    rows, weights, close = [], _weights(risks), _distances(risks, CLOSE)
    for first, second in OTHERS:
        closer = _distances(risks, (first, second)) - close
        for span, mean, low, high in zip(SPANS, *_means(closer, weights)):
            rows.append({"years": span, "first": first, "second": second, "closer_by": float(mean), "low": low, "high": high,
                         "n_patients": len(closer)})  # fmt: skip
    return rows


def _distances(risks: Mapping[str, np.ndarray], pair: Sequence[str]) -> np.ndarray:
    """(patients, spans): |difference| of the risks."""
    return _spans(np.abs(risks[pair[1]] - risks[pair[0]]))


def _spans(by_year: np.ndarray) -> np.ndarray:
    """(patients, years) with the mean over the years as last column."""
    return np.column_stack((by_year, by_year.mean(axis=1)))


def _weights(risks: Mapping[str, np.ndarray]) -> np.ndarray:
    """(draws, patients); no draws where there are too few patients for an interval."""
    patients = len(risks[STANDARD])
    return bootstrap_weights([str(number) for number in range(patients)], DRAWS if patients >= FEWEST_UNITS else 0)


def _means(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, list[float], list[float]]:
    """Of every column of (patients, spans): mean, and both ends of its interval."""
    drawn = weights @ values / len(values)
    lows, highs = zip(*(interval(column) for column in drawn.T))
    return values.mean(axis=0), list(lows), list(highs)
