"""The study: the risks of all series of all patients, as far as they could be had."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from LTDiffStandardizeLib.cohort.progress import Listener
from LTDiffStandardizeLib.errors import InputError

from .cases import ROLES, Case
from .predicting import RisksOf

Key = tuple[str, str]  # patient and role


@dataclass(frozen=True)
class Study:
    """risks: {(patient, role): (6,) risks, 0 to 1}. refused: {(patient, role): the sentence that says why there are none}."""

    patients: Sequence[str]
    risks: Mapping[Key, Sequence[float]]
    refused: Mapping[Key, str]

    def complete(self) -> list[str]:
        """The patients that have risks in all roles: only they are compared, so that every difference is of the same patients."""
        return [patient for patient in self.patients if all((patient, role) in self.risks for role in ROLES)]

    def table(self) -> dict[str, np.ndarray]:
        """{role: (patients, 6)} of those that are complete."""
        return {role: np.array([self.risks[patient, role] for patient in self.complete()], float) for role in ROLES}


def carry_out(cases: Sequence[Case], risks_of: RisksOf, listener: Listener) -> Study:
    """Asks for the risks of every series; one that is refused is told and ends nothing."""
    risks, refused = {}, {}
    series = [(case, role) for case in cases for role in ROLES]
    for number, (case, role) in enumerate(series, 1):
        key = case.patient, role
        try:
            risks[key] = risks_of(case, role)
            told = ", ".join(f"{risk:.4f}" for risk in risks[key])
        except InputError as error:
            refused[key] = told = str(error)
        listener.say(f"[{number}/{len(series)}] {case.patient} {role}: {told}")
    return Study([case.patient for case in cases], risks, refused)
