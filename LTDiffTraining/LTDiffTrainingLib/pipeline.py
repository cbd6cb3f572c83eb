"""From settings to a trained system: data, phases, and for LTDiff++ validation and a bundle with its model card."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from LTDiffStandardizeLib.model.bundle import load_bundle, write_bundle
from LTDiffStandardizeLib.model.protocols import Protocol
from LTDiffStandardizeLib.radiomics.profiles.pyradiomics import available

from .card import Findings, model_card
from .datasets import PreparedGroup, prepare_group
from .evaluation.cases import Case, simulated_case
from .evaluation.gates import gates
from .evaluation.measuring import by_standardizer, calibrated_temperature, filters, measure, sd_rows
from .loop.logs import phase_minutes
from .model_checks import ceiling_warnings, codec_ceiling, codec_checks, lowest_ceiling
from .patches import PatchSampler
from .loop.plots import write_training_figure
from .loop.precision import chosen_precision
from .loop.processes import ALONE, Processes
from .settings import TrainingSettings
from .simulation.pairs import PairedSeries
from .simulation.plan import held_out_plan, training_plan
from .simulation.running import simulate_plan
from .systems import System, system_of
from .systems.store import save_system
from .loop.trainer import Trainer
from .fitting.unpaired import fit_unpaired
from .validation import Validation

Report = Callable[[str], None]
Group = tuple[PreparedGroup, list[PairedSeries]]


@dataclass(frozen=True)
class Place:
    """Where and how a training runs. `folder`: results; `data`: simulated pairs and maps, which trainings may share;
    `command`: for the card; `workers`: processes for the simulation."""

    folder: Path
    data: Path
    command: str
    device: str = "cpu"
    workers: int = 1
    processes: Processes = ALONE
    report: Report = print


def train(settings: TrainingSettings, place: Place, real_pairs: Sequence[PairedSeries] = ()) -> Path:
    """Run everything that is not done yet under `place.folder` and return the folder of the trained system."""
    system, processes = system_of(settings.system), place.processes
    groups = prepare_data(settings, place, real_pairs)
    torch.manual_seed(settings.seed)
    model = system.build(settings.network).to(device=place.device, memory_format=torch.channels_last)
    sampler = PatchSampler([group for group, _ in groups], settings.training.patch, settings.training.batch, settings.seed,
                           processes.rank, processes.world)
    trainer = Trainer(model, sampler, place.folder, place.device, chosen_precision(settings.training.precision, place.device),
                      processes=processes, report=place.report)
    ceiling = []
    if system.name == "ltdiff":
        trainer.run({"autoencoder": system.phases["autoencoder"]}, settings.phases)
        ceiling = report_ceiling(model, groups[0][0], groups[0][1][0], place) if processes.first else []
        processes.wait()
    trainer.validate_every = settings.validation.every
    if settings.validation.every and processes.first:
        trainer.validate = _validation(settings, system, model, groups[0][0].protocol, place)
    trainer.run(system.phases, system.settings(settings))
    if not processes.first:
        return place.folder
    write_training_figure(place.folder, place.report)
    stored = _stored(settings, system, model, place)
    return integrate(settings, model, groups, ceiling, place) if system.name == "ltdiff" else stored


def _validation(settings: TrainingSettings, system: System, model: nn.Module, protocol: Protocol, place: Place) -> Validation | None:
    cases = validation_cases(settings, place, 1, protocol)
    return Validation(system, model, cases[0], settings, place.folder, place.report) if cases else None


def _stored(settings: TrainingSettings, system: System, model: nn.Module, place: Place) -> Path:
    facts = {"name": settings.name, "seed": settings.seed, "minutes": phase_minutes(place.folder / "log.csv"), "training": settings.as_json()}
    made = save_system(place.folder / "system" / system.name, system, model, settings.network, facts)
    place.report(f"System written to {made}.")
    return made


def report_ceiling(model: nn.Module, group: PreparedGroup, series: PairedSeries, place: Place) -> list[dict]:
    """What D(E(B)) reaches against B, before phase 2 starts; warns where the filter is better. Empty without PyRadiomics."""
    there, why_not = available()
    if not there:
        place.report(f"No ceiling: {why_not}")
        return []
    rows = codec_ceiling(model, series, group.protocol)
    place.report(f"Ceiling: decoding the target's own latents reaches a CCC of at least {lowest_ceiling(rows):.4f} in every class and range.")
    for sentence in ceiling_warnings(rows):
        place.report(sentence)
    return rows


def prepare_data(settings: TrainingSettings, place: Place, real_pairs: Sequence[PairedSeries]) -> list[Group]:
    """Simulate, group by kernels and pixel size, bring into frames; the nominal group first.

    The processes share the series, then the groups.
    """
    data, processes = settings.data, place.processes
    plan = training_plan(data.nominal, data.groups, data.per_group, data.slices, settings.phantom_seed)
    simulate_plan(processes.share(plan), place.data / "series", place.workers, report=place.report)
    processes.wait()
    groups: dict[str, list[PairedSeries]] = {}
    for planned in plan:
        groups.setdefault(planned.group, []).append(PairedSeries(place.data / "series" / planned.name))
    for series in real_pairs:
        groups[f"real-{series.folder.name}"] = [series]
    prepare = lambda name: prepare_group(name, groups[name], place.data / "maps", place.report)
    for name in processes.share(list(groups)):
        prepare(name)
    processes.wait()
    return [(prepare(name), groups[name]) for name in groups]


def integrate(settings: TrainingSettings, model: nn.Module, groups: Sequence[Group], ceiling: list[dict],
              place: Place) -> Path:
    """Phase 3: one bundle with its card; the figures in the card are measured on the bundle as it was written."""
    unpaired = fit_unpaired([(series, group.protocol) for group, series in groups], report=place.report)
    configuration = {"steps": settings.steps, "training": settings.as_json(), "unpaired": unpaired and unpaired.as_dict()}
    prepared = [group for group, _ in groups]
    protocol, checks = prepared[0].protocol, codec_checks(model, prepared[0])
    target = place.folder / "bundle" / settings.name
    write_bundle(target, model, protocol, configuration, "Validation is under way.\n")
    found = Findings(checks, ceiling)
    cases = validation_cases(settings, place, settings.validation.phantoms, protocol)
    if cases:
        share = -(-settings.validation.per_range // len(cases))
        configuration["temperature"] = calibrated_temperature(cases[:2], load_bundle(target), share * len(cases[:2]), settings.seed)
        place.report(f"Temperature {configuration['temperature']:.3f}.")
        write_bundle(target, model, protocol, configuration, "Validation is under way.\n")
        methods = {"ltdiff": by_standardizer("ltdiff", load_bundle(target)), **filters(settings.seed)}
        made = measure(cases, methods, settings.validation.per_range, settings.seed, place.report)
        deviations = sd_rows(made)
        found = Findings(checks, ceiling, made.agreement, deviations, gates(made.agreement, deviations), configuration["temperature"])
    card = model_card(settings, place.command, model, prepared, found, phase_minutes(place.folder / "log.csv"))
    write_bundle(target, model, protocol, {**configuration, "gates": found.gates, "checks": checks}, card)
    place.report(f"Bundle written to {target}.")
    return target


def validation_cases(settings: TrainingSettings, place: Place, phantoms: int, protocol: Protocol) -> list[Case]:
    """Phantoms that training does not see; none without PyRadiomics, which measures them."""
    there, why_not = available()
    if not there:
        place.report(f"No validation: {why_not}")
        return []
    plan = held_out_plan("validation", phantoms, settings.validation.slices, settings.phantom_seed)
    series = simulate_plan(plan, place.data / "validation", place.workers, clean=False, report=place.report)
    return [simulated_case(one, protocol) for one in series]
