"""Makes the shipped protocols from transfer curves that were measured on real pairs of series."""
from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from LTDiffStandardizeLib.model.protocols import KernelFacts, Protocol, save_protocol
from LTDiffStandardizeLib.model.transfer import TransferCurve

HELD_OUT = ("Siemens Sensation10 B40f->B70f",)
"""Measured on the pair that the demo judges, so it is not among what is fitted."""
KNOWN = {facts.label: facts for facts in (
    KernelFacts("FC13", 3.2, 6.5, noise_frequency=3.67), KernelFacts("FC51", 6.9, 12.4, noise_frequency=4.54),
    KernelFacts("B40f", noise_frequency=3.49), KernelFacts("B70f", noise_frequency=4.48),
    KernelFacts("UB", noise_frequency=3.07), KernelFacts("YA", noise_frequency=4.40))}
"""Noise frequencies, measured by `guard.texture.measure_texture` on real scans: FC13 and FC51 at two positions of a chest
phantom (3.68, 3.65; 4.56, 4.51), B40f on patients of two scanners (3.51, 3.47), the others on one scan each."""


def library_from_csv(path: Path) -> Iterator[Protocol]:
    """Protocols in both directions for every pair of the CSV (columns pair, f_per_mm, coherence, sqrt_power_ratio), and
    for B40f, which lies between two measured kernels."""
    measured = {}
    for title, transfer in measured_transfers(path).items():
        if title.startswith(HELD_OUT):
            continue
        source, target = _labels(title)
        measured[source, target] = transfer
        yield from _both_ways(source, target, transfer, f"Measured on one pair of series: {title}.")
    yield from _both_ways("B40f", "B70f", b40f_to_b70f(measured), (
        "Derived from B30f to B70f and B30f to B50f, measured on one other patient: B40f is taken to lie half way "
        "between B30f and B50f in log amplitude, as its number does."))


def measured_transfers(path: Path) -> dict[str, TransferCurve]:
    """{title of the pair: its transfer curves} of the CSV of `library_from_csv`."""
    rows: dict[str, list[dict]] = {}
    with open(path, newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            rows.setdefault(row["pair"], []).append(row)
    return {title: _transfer(part) for title, part in rows.items()}


def b40f_to_b70f(measured: dict[tuple[str, str], TransferCurve]) -> TransferCurve:
    half = measured["B30f", "B50f"].power.map(np.sqrt)
    return measured["B30f", "B70f"].from_sharper_source(half)


def write_library(csv_path: Path, folder: Path) -> list[Path]:
    written = []
    for protocol in library_from_csv(csv_path):
        path = folder / f"{protocol.source.label}_to_{protocol.target.label}.json"
        save_protocol(protocol, path)
        written.append(path)
    return written


def _transfer(rows: list[dict]) -> TransferCurve:
    column = lambda name: np.array([float(row[name]) for row in rows])
    frequency, power, coherence = 10 * column("f_per_mm"), column("sqrt_power_ratio"), column("coherence")
    # Kernels agree on the mean; a lowest bin off by 2 % is the object at the border of the field of view.
    power = power / power[0]
    return TransferCurve.of(np.append(0.0, frequency), np.append(1.0, power), np.append(1.0, coherence))


def _ended(transfer: TransferCurve) -> TransferCurve:
    """Nothing is known beyond the pair's own pixels: what smaller pixels hold there is left out, not amplified."""
    f, power, c = (np.asarray(v) for v in (transfer.power.frequency, transfer.power.value, transfer.coherence.value))
    return TransferCurve.of(np.append(f, [1.2 * f[-1], 1.5 * f[-1]]), np.append(power, [power[-1], 0]), np.append(c, [c[-1], 0.02]))


def _labels(title: str) -> tuple[str, str]:
    source, target = next(word for word in title.split() if "->" in word).split("->")
    return source.split("(")[0], target.split("(")[0]


def _both_ways(source: str, target: str, transfer: TransferCurve, about: str) -> Iterator[Protocol]:
    a, b = (KNOWN.get(label, KernelFacts(label)) for label in (source, target))
    if measured := " and ".join(facts.label for facts in (a, b) if facts.noise_frequency):
        about += f" The noise frequency of {measured} was measured on real scans."
    yield Protocol.from_transfer(a, b, _ended(transfer), about)
    yield Protocol.from_transfer(b, a, _ended(transfer.reversed()), about)
