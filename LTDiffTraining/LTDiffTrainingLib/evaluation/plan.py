"""Which tables are filled, from which data and methods: one after another, each kept when it is done."""
from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from LTDiffStandardizeLib.model.bundle import Bundle
from LTDiffStandardizeLib.model.standardizer import Settings
from LTDiffStandardizeLib.volumes.atomic import file_aside

from ..simulation.pairs import PairedSeries
from ..simulation.plan import PlannedSeries, held_out_plan, varied_plan
from ..simulation.running import simulate_plan
from ..systems.store import TrainedSystem
from .ablation import ablations
from .any_target import any_target_methods, varied_cases
from .cases import Case, as_volume, simulated_case
from .measuring import Method, by_standardizer, filters, measure
from .real_pairs import real_pairs
from .tables import RETEST, Table, table_of

NAMES = ("patients", "phantoms", "varied", "real-phantoms", "ablation", "targets")


@dataclass(frozen=True)
class Size:
    """Phantoms and slices of each, random regions per HU range over all cases of a table, and the seed of phantoms and noise."""

    phantoms: int = 6
    slices: int = 24
    per_range: int = 100
    seed: int = 0


@dataclass(frozen=True)
class Evaluation:
    """`systems`: {row of the tables: trained system}; `pairs`: folder of real pairs, None for the shipped one."""

    folder: Path
    bundle: Bundle
    systems: dict[str, TrainedSystem]
    pairs: Path | None
    size: Size
    device: str = "cpu"
    workers: int = 1
    report: Callable[[str], None] = print

    def tables(self, wanted: tuple[str, ...] = NAMES) -> Iterator[Table]:
        """The wanted tables in order; one that was filled with the same settings is read again."""
        makers = {"patients": self._patients, "phantoms": self._phantoms, "varied": self._varied,
                  "real-phantoms": self._real_phantoms, "ablation": self._ablation, "targets": self._targets}
        for name in wanted:
            for part in makers[name]():
                yield part

    def _methods(self) -> dict[str, Method]:
        """The filters, every system of the paper, and the model that is shipped."""
        seed, device = self.size.seed, self.device
        made = filters(seed)
        for name, trained in self.systems.items():
            made[name] = lambda volume, protocol, t=trained: t.system.standardize(t.model, volume, protocol, seed)
        made["ltdiff"] = by_standardizer("ltdiff", self.bundle, Settings(seed=seed, device=device))
        return made

    def _filled(self, title: str, about: str, cases: Callable[[], list[Case]], methods: Callable[[], dict[str, Method]], ours: str | None = "ltdiff",
                combat: bool = False) -> Table:
        path = self.folder / "parts" / f"{title.replace(' ', '-').replace(':', '')}-{self._key()}.json"
        if path.exists():
            self.report(f"{title}: filled before, read.")
            return Table(**json.loads(path.read_text(encoding="utf-8")))
        self.report(f"{title} ...")
        made = measure(cases(), methods(), self.size.per_range, self.size.seed, self.report)
        table = table_of(title, about, made, ours, combat)
        path.parent.mkdir(parents=True, exist_ok=True)
        with file_aside(path) as aside:
            aside.write_text(json.dumps(table.as_dict(), indent=1), encoding="utf-8")
        return table

    def _key(self) -> str:
        """Changes with whatever a figure depends on."""
        parts = [asdict(self.size), self.bundle.sha256, {name: t.facts["sha256"] for name, t in self.systems.items()}, str(self.pairs)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:10]

    def _simulated(self, plan: list[PlannedSeries], noise_seed: int = 0) -> list[PairedSeries]:
        place = self.folder / ("phantoms" if noise_seed == 0 else "second-scans")
        return simulate_plan(plan, place, self.workers, clean=False, report=self.report, noise_seed=noise_seed)

    def _patients(self) -> Iterator[Table]:
        found = [pair for pair in real_pairs(self.pairs, self.bundle, self.report) if not pair.phantom]
        if found:
            yield self._filled("I patients", "Real scans with two reconstructions; protocols fitted on every other slice of the pair, which are not measured.",
                               lambda: [case for pair in found for case in pair.cases], self._methods, combat=True)

    def _real_phantoms(self) -> Iterator[Table]:
        for pair in real_pairs(self.pairs, self.bundle, self.report):
            if pair.phantom:
                yield self._filled(f"II phantoms: {pair.name}", "A real phantom with two reconstructions; the protocol is fitted on slices that are not measured.",
                                   lambda pair=pair: list(pair.cases), self._methods, combat=True)

    def _phantoms(self) -> Iterator[Table]:
        plan = held_out_plan("test", self.size.phantoms, self.size.slices, self.size.seed)
        second: dict[str, PairedSeries] = {}

        def methods() -> dict[str, Method]:
            second.update((one.folder.name, one) for one in self._simulated(plan, noise_seed=1))
            return {**self._methods(), RETEST: lambda volume, protocol: as_volume(second[volume.name.rsplit(" ", 1)[0]])[1]}
        yield self._filled("II phantoms: simulated", "Phantoms that training did not see, Br40-like to Bl64-like, 0.7 mm pixels, slices of 1 mm; filters with the "
                           "protocol of the model. The ceiling is a second scan (other noise) with the target kernel.",
                           lambda: [simulated_case(one, self.bundle.protocol) for one in self._simulated(plan)], methods, combat=True)

    def _varied_pairs(self) -> list[tuple[PairedSeries, PairedSeries]]:
        plan = varied_plan("test", self.size.phantoms, max(self.size.slices // 2, 6), self.size.seed)
        made = {one.folder.name: one for one in self._simulated([series for pair in plan for series in pair])}
        return [(made[series.name], made[calibration.name]) for series, calibration in plan]

    def _varied(self) -> Iterator[Table]:
        yield self._filled("II phantoms: simulated, varied", "Phantoms that training did not see, each with kernels, pixel size (0.45 to 0.9 mm), thickness (0.625 to 8 mm) "
                           "and dose of its own; the protocol is fitted on 12 slices of another phantom with the same acquisition.",
                           lambda: varied_cases(self._varied_pairs(), self.bundle), self._methods, combat=True)

    def _ablation(self) -> Iterator[Table]:
        plan = held_out_plan("test", max(self.size.phantoms // 2, 1), self.size.slices, self.size.seed)
        yield self._filled("V ablation", "The shipped weights with one component taken away; nothing trained anew. Half of the phantoms of table II.",
                           lambda: [simulated_case(one, self.bundle.protocol) for one in self._simulated(plan)],
                           lambda: {**ablations(self.bundle, self.size.seed, self.device), "ls_noise": filters(self.size.seed)["ls_noise"]}, ours=None)

    def _targets(self) -> Iterator[Table]:
        for title, sharpen in (("any target: soft to sharp", True), ("any target: sharp to soft", False)):
            def methods(sharpen=sharpen):
                calibrations = {series.folder.name: calibration for series, calibration in self._varied_pairs()}
                return any_target_methods(calibrations, self.bundle, self.size.seed, sharpen)
            yield self._filled(title, "The varied phantoms of table II. 'reference': the protocol is measured on the source and on images of another phantom with the target "
                               "kernel, no pair; 'single target': the model's own protocol for every scan; 'paired': fitted on a pair of another phantom.",
                               lambda sharpen=sharpen: varied_cases(self._varied_pairs(), self.bundle, sharpen), methods, ours=None)
