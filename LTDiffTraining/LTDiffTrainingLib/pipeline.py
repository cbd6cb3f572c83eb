"""From settings to a bundle: data, three phases, validation, model card."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from LTDiffStandardizeLib.model.bundle import load_bundle, write_bundle
from LTDiffStandardizeLib.model.network import LatentDiffusionModel
from LTDiffStandardizeLib.radiomics.profiles.pyradiomics import available

from .card import model_card
from .datasets import PatchSampler, PreparedGroup, prepare_group
from .evaluation import calibrated_temperature, gates, measure, sd_rows
from .model_checks import ceiling_warnings, codec_ceiling, codec_checks, lowest_ceiling
from .settings import TrainingSettings
from .simulation.pairs import PairedSeries
from .simulation.plan import held_out_plan, training_plan
from .simulation.running import simulate_plan
from .trainer import Trainer, phase_minutes

Report = Callable[[str], None]


def train(settings: TrainingSettings, folder: Path, command: str, processes: int = 1, device: str = "cpu",
          real_pairs: Sequence[PairedSeries] = (), report: Report = print) -> Path:
    """Run everything that is not done yet under `folder` and return the bundle's folder, `folder`/bundle/<name>."""
    groups = prepare_data(settings, folder / "data", processes, real_pairs, report)
    torch.manual_seed(settings.seed)
    model = LatentDiffusionModel(settings.network).to(device=device, memory_format=torch.channels_last)
    sampler = PatchSampler([group for group, _ in groups], settings.training.patch, settings.training.batch, settings.seed)
    trainer = Trainer(model, sampler, folder, device, report=report)
    trainer.run({"autoencoder": settings.phases["autoencoder"]})
    ceiling = report_ceiling(model, *groups[0], report)
    trainer.run(settings.phases)
    return integrate(settings, model, [group for group, _ in groups], ceiling, folder, command, processes, report)


def report_ceiling(model: LatentDiffusionModel, group: PreparedGroup, series: PairedSeries, report: Report) -> list[dict]:
    """What D(E(B)) reaches against B, before phase 2 starts; warns where the filter is better. Empty without PyRadiomics."""
    there, why_not = available()
    if not there:
        report(f"No ceiling: {why_not}")
        return []
    rows = codec_ceiling(model, series, group.protocol)
    report(f"Ceiling: decoding the target's own latents reaches a CCC of at least {lowest_ceiling(rows):.4f} in every class and range.")
    for sentence in ceiling_warnings(rows):
        report(sentence)
    return rows


def prepare_data(settings: TrainingSettings, folder: Path, processes: int, real_pairs: Sequence[PairedSeries],
                 report: Report) -> list[tuple[PreparedGroup, PairedSeries]]:
    """Simulate, group by kernels and pixel size, bring into frames; each group with its first series, the nominal one first."""
    data = settings.data
    plan = training_plan(data.nominal, data.groups, data.per_group, data.slices, settings.seed)
    groups: dict[str, list[PairedSeries]] = {}
    for planned, series in zip(plan, simulate_plan(plan, folder / "series", processes, report=report)):
        groups.setdefault(planned.group, []).append(series)
    for series in real_pairs:
        groups[f"real-{series.folder.name}"] = [series]
    return [(prepare_group(name, series, folder / "maps", report), series[0]) for name, series in groups.items()]


def integrate(settings: TrainingSettings, model: LatentDiffusionModel, groups: Sequence[PreparedGroup], ceiling: list[dict],
              folder: Path, command: str, processes: int, report: Report) -> Path:
    """Phase 3: one bundle with its card; the figures in the card are measured on the bundle as it was written."""
    configuration = {"steps": settings.steps, "training": settings.as_json()}
    protocol = groups[0].protocol
    target = folder / "bundle" / settings.name
    write_bundle(target, model, protocol, configuration, "Validation is under way.\n")
    checks = codec_checks(model, groups[0])
    rows, deviations, held = [], [], []
    series = validation_series(settings, folder / "data" / "validation", processes, report)
    if series:
        share = -(-settings.validation.per_range // len(series))
        configuration["temperature"] = calibrated_temperature(series[:2], protocol, load_bundle(target), share * len(series[:2]), settings.seed)
        report(f"Temperature {configuration['temperature']:.3f}.")
        write_bundle(target, model, protocol, configuration, "Validation is under way.\n")
        made = measure(series, protocol, load_bundle(target), settings.validation.per_range, settings.seed, report=report)
        rows, deviations = made.agreement, sd_rows(made)
        held = gates(rows, deviations)
    card = model_card(settings, command, model, groups, checks, ceiling, rows, deviations, held, configuration.get("temperature", 1.0), phase_minutes(folder / "log.csv"))
    write_bundle(target, model, protocol, {**configuration, "gates": held, "checks": checks}, card)
    report(f"Bundle written to {target}.")
    return target


def validation_series(settings: TrainingSettings, folder: Path, processes: int, report: Report) -> list[PairedSeries]:
    """Phantoms that training does not see; none without PyRadiomics, which measures them."""
    there, why_not = available()
    if not there:
        report(f"No validation: {why_not}")
        return []
    wanted = settings.validation
    plan = held_out_plan("validation", wanted.phantoms, wanted.slices, settings.seed)
    return simulate_plan(plan, folder, processes, clean=False, report=report)
