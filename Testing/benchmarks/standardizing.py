"""CPU-seconds per 512 x 512 slice of every method, at default settings."""
from __future__ import annotations

from dataclasses import replace

from LTDiffStandardizeLib.model.bundle import Bundle, load_bundle
from LTDiffStandardizeLib.model.protocols import choose_protocol
from LTDiffStandardizeLib.model.standardizer import METHODS, Settings, Standardizer
from LTDiffStandardizeLib.volumes import CTVolume
from measuring import Row, interleaved, timed, torch_on_one_thread
from sample import one_slice

LIMIT = 1.0  # CPU-seconds per slice at default settings


def run(quick: bool) -> list[Row]:
    torch_on_one_thread()
    bundle, volume = load_bundle(), one_slice()
    calls = {method: standardization(method, volume, bundle) for method in METHODS}
    calls["uncropped"] = standardization("ltdiff", uncropped(volume), bundle)
    seconds = interleaved(calls, 2 if quick else 9)
    notes = {"ltdiff": f"default settings, {bundle.steps} steps; limit {LIMIT:g} CPU-s", "ls_noise": "filter and noise", "none": "a copy"}
    rows = [timed(f"{method}, one slice", seconds[method], note=notes.get(method, "filter")) for method in METHODS]
    return rows + [timed("ltdiff, one slice, not cropped to the body", seconds["uncropped"], note="512 x 512 through the network")]


def standardization(method: str, volume: CTVolume, bundle: Bundle):
    """A function that standardizes the volume; the model is loaded by its first call, which is not counted."""
    protocol, _ = choose_protocol(None, volume.facts.kernel, bundle.protocol)
    standardizer = Standardizer(protocol, Settings(method, device="cpu"), bundle)
    return lambda: standardizer.standardize(volume)


def uncropped(volume: CTVolume) -> CTVolume:
    """The volume with a little bright square in two opposite corners, so that the box around the body is the whole slice."""
    hu = volume.hu.copy()
    hu[:, :8, :8] = hu[:, -8:, -8:] = 0
    return replace(volume, hu=hu)
