#!/usr/bin/env python3
"""The demo: the shipped real pair, standardized from B40f towards B70f by every method and judged against the scanner's own B70f.

    python Testing/demo.py --output demo-output

It writes report.html, features.csv, regions.csv, agreement.json, feature_agreement.csv, summary.json (all of PyRadiomics' features),
agreement-ibex.json (the 1,401 IBEX-compatible ones) and standardized/ (DICOM), replacing those of an earlier run.
`Testing/run.py demo` runs it in an environment of its own. It needs no network, no GPU and no 3D Slicer.
"""
import argparse
import os
import platform
import sys
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "LTDiffStandardize"))

from LTDiffStandardizeLib.cohort.provenance import VERSION
from LTDiffStandardizeLib.comparison import STANDARD, compare, slice_by_slice, with_combat, write_agreement, write_figures, write_tables
from LTDiffStandardizeLib.model.bundle import load_bundle
from LTDiffStandardizeLib.model.protocols import choose_protocol
from LTDiffStandardizeLib.model.standardizer import Settings, Standardizer
from LTDiffStandardizeLib.radiomics.profiles import IbexProfile
from LTDiffStandardizeLib.radiomics.regions import draw_regions
from LTDiffStandardizeLib.radiomics.regions.annotations import regions_from_voc
from LTDiffStandardizeLib.report import ReportChoices, ReportTexts, write_report
from LTDiffStandardizeLib.report.tables import Time
from LTDiffStandardizeLib.report.words import best_of, best_overall, means
from LTDiffStandardizeLib.script import run_script
from LTDiffStandardizeLib.volumes import Derivation, read_volume, write_dicom_series

SAMPLE = ROOT / "LTDiffStandardize" / "Resources" / "SampleData" / "lungdx-a0002"
PROTOCOL, OURS, FILTERS = "B40f to B70f", "ltdiff", ("power", "ls", "ls_noise")
METHODS = ("none", *FILTERS, OURS)
SEED, REGIONS_PER_RANGE = 0, 100
FOCUS_SLICE = 1  # of the annotated slices from below: here lung lies all round the tumour
LABELS = {method: method for method in METHODS} | {OURS: "LTDiff++"}
CAPTIONS = {"none": "B40f (input)", STANDARD: "B70f (standard)"}
RANGE_NOTES = {"tumour": "one region per slice"}

METHOD_NOTES = (
    ("none", "The B40f series as it is."),
    ("power", "Linear filter that gives the image the standard's power spectrum, |H| = sqrt(PSD of B70f / PSD of B40f)."),
    ("ls", "Linear filter with the least squared error."),
    ("ls_noise", "ls, plus noise of the local strength and spectrum that the filter cannot bring back, at the protocol's temperature."),
    ("none + ComBat", "The features of B40f adjusted towards those of B70f by ComBat (Johnson 2007), fitted on these very regions: what can be had "
                      "without touching the image, and favoured. It has no volume and is left out of the verdict."),
    ("LTDiff++", "Latent diffusion: a UNet++ encoder and decoder with a conditional diffusion model of the residual to ls_noise's frame."),
)
LIMITS = (
    "One patient, one scanner, one pair of kernels: no claim about other patients follows, and the intervals tell of the regions alone.",
    "Slices are 8 mm thick, so texture is compared within slices. Thin slices are noisier and harder.",
    "The regions of one patient are not independent; neighbouring ones share anatomy and noise, which makes the intervals too narrow.",
    "The best other method of a row is chosen on the row itself, which favours it a little in the paired differences.",
    "A repeated scan with the sharp kernel does not exist for this patient, so how much agreement noise alone allows is not known here.",
    "The tumour regions are sections of one tumour, one a slice, from boxes drawn by hand; what the box holds below -400 HU is left out.",
)
ATTRIBUTION = (
    "CT images and tumour boxes: patient Lung_Dx-A0002 of Lung-PET-CT-Dx, The Cancer Imaging Archive, under the Creative Commons Attribution "
    "4.0 International License (https://creativecommons.org/licenses/by/4.0/).",
    "Li, P., Wang, S., Li, T., Lu, J., HuangFu, Y., & Wang, D. (2020). A Large-Scale CT and PET/CT Dataset for Lung Cancer Diagnosis "
    "(Lung-PET-CT-Dx) [Data set]. The Cancer Imaging Archive. https://doi.org/10.7937/TCIA.2020.NNC2-0461",
    "Clark, K., et al. (2013). The Cancer Imaging Archive (TCIA): Maintaining and Operating a Public Information Repository. Journal of "
    "Digital Imaging, 26(6), 1045-1057. https://doi.org/10.1007/s10278-013-9622-7",
    "Changes: 9 of 30 slices of each series, losslessly compressed; on this page windowed, enlarged and outlined, and standardized as stated.",
)


def main():
    parser = argparse.ArgumentParser(description="Standardizes the shipped pair and compares the methods.")
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="folder for the results (default: demo-output)")
    output = parser.parse_args().output
    start = time.monotonic()

    with step("read the pair B40f and B70f"):
        source, standard = read_volume(SAMPLE / "B40f"), read_volume(SAMPLE / "B70f")
    with step("load PyTorch and the model"):
        import torch

        bundle = load_bundle()
        protocol, warning = choose_protocol(PROTOCOL, source.facts.kernel, bundle.protocol)
    with step("draw the regions"):
        tumour = [part for lesion in regions_from_voc(SAMPLE / "tumour", source) for part in slice_by_slice(lesion)]
        drawn, candidates = draw_regions(standard, REGIONS_PER_RANGE, SEED)
        regions = drawn + tumour
    volumes, times = {}, {}
    for method in METHODS:
        with step(f"standardize by {LABELS[method]}"):
            standardizer = Standardizer(protocol, Settings(method, seed=SEED, device="cpu"), bundle)
            volumes[method], times[method] = timed(standardizer, source)
    with step("write the DICOM series"):
        derivation = Derivation(OURS, protocol.target.label, VERSION, bundle.name, bundle.sha256, SEED, bundle.steps)
        write_dicom_series(volumes[OURS], output / "standardized", derivation, overwrite=True)
    with step(f"measure {len(regions)} regions in {len(volumes) + 1} volumes"):
        comparison = with_combat(compare(standard, volumes, regions, usable_processors(), candidates=candidates), "none")
        tables = write_tables(comparison, output, SAMPLE.name, overwrite=True)
        tables += write_figures(comparison, output, "none", OURS, overwrite=True)
    with step("measure 1,401 IBEX-compatible features"):
        ibex = compare(standard, volumes, regions, usable_processors(), IbexProfile())
        tables.append(write_agreement(ibex, output / "agreement-ibex.json", overwrite=True))
    with step("write the report"):
        shown = ["none", best_overall(comparison, FILTERS), OURS]
        facts = what_was_done(source, standard, protocol, bundle, comparison, shown[1], torch.__version__)
        texts = ReportTexts("CT standardization demo: chest, B40f towards B70f", LABELS, CAPTIONS, RANGE_NOTES, METHOD_NOTES, facts, LIMITS, ATTRIBUTION)
        choices = ReportChoices(OURS, "none", shown, tumour[FOCUS_SLICE], times=times, also=[ibex])
        report = write_report(output / "report.html", comparison, texts, choices, overwrite=True)
    print(f"{'all':<44}{time.monotonic() - start:6.1f} s\n")

    for sentence in filter(None, (warning, comparison.missing)):
        print(sentence)
    print_agreement(comparison)
    print("\nSeconds of processor time per slice: " + ", ".join(f"{LABELS[method]} {spent.cpu:.3f}" for method, spent in times.items()))
    for path in (report, *tables, output / "standardized"):
        print(path)


@contextmanager
def step(title):
    """Prints the title when the block begins and its seconds when it ends."""
    print(f"{title:<44}", end="", flush=True)
    start = time.monotonic()
    yield
    print(f"{time.monotonic() - start:6.1f} s", flush=True)


def timed(standardizer, source):
    """The standardized volume and the `Time` per slice."""
    cpu, wall = time.process_time(), time.monotonic()
    volume, _ = standardizer.standardize(source)
    slices = len(source.hu)
    return volume, Time((time.process_time() - cpu) / slices, (time.monotonic() - wall) / slices)


def what_was_done(source, standard, protocol, bundle, comparison, best_filter, torch_version):
    """(term, text) pairs for the report."""
    rows, columns = source.hu.shape[1:]
    drawn = ", ".join(f"{hu_range} {len(comparison.regions_of(hu_range))}" for hu_range in comparison.ranges())
    depth, height, width = comparison.regions[0].mask.shape
    neighbours = "within slices" if comparison.within_slices else "in three dimensions"
    return (
        ("Input", f"{facts_of(source)}; {len(source.hu)} slices of {rows} x {columns} pixels of {source.spacing[0]:.3f} mm, "
                  f"{source.spacing[2]:g} mm apart."),
        ("Standard", f"{facts_of(standard)}; the same scan, reconstructed by the scanner with the target kernel."),
        ("Protocol", f"{protocol.name}. {protocol.about} Noise is drawn at a temperature of {protocol.temperature:g}, and none where the filter lacks less than 6 % of the variance: the strength that follows from measured coherence is uncertain. No pair was there to tell how far the network may be trusted, so {protocol.trust:.0%} of what it adds to the filter is used. Not fitted on the pair that is judged here, nor was the model trained on it."),
        ("Model", f"{bundle.name}, SHA-256 of the weights {bundle.sha256}."),
        ("Settings", f"Seed {SEED}, {bundle.steps} steps, one sample, processor only."),
        ("Regions", f"{drawn}. Drawn once (seed {SEED}, at most {REGIONS_PER_RANGE} a range, boxes of {width} x {height} pixels and {depth} "
                    "slices, masked to the HU range of the smoothed standard image; the tumour's to what exceeds -400 HU on the smoothed B40f, where its boxes were drawn) and the same for all methods; listed in regions.csv."),
        ("Features", f"{comparison.profile.about()} PyRadiomics looked for neighbours {neighbours}."),
        ("Pictures", f"The filter shown is {best_filter}, the one with the highest mean CCC over all rows of the table."),
        ("Software", f"LTDiff {VERSION}, Python {platform.python_version()}, PyTorch {torch_version}, {platform.system()} {platform.machine()}, "
                     f"{usable_processors()} processors."),
    )  # fmt: skip


def facts_of(volume):
    facts = volume.facts
    return f"{facts.manufacturer} {facts.model}, kernel {facts.kernel}, {facts.kvp:g} kVp, {facts.mas:g} mAs (median)"


def usable_processors():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def print_agreement(comparison):
    """The mean CCC as aligned text; a star marks the highest of a row, equal ones in two decimals all together."""
    print("Mean CCC with the standard (* highest of the row)")
    print(f"{'regions':<14}{'n':>4}  {'class':<6}" + "".join(f"{LABELS[method]:>9} " for method in METHODS))
    for (hu_range, feature_class), values in means(comparison).items():
        best = best_of(values)
        numbers = "".join(f"{value:9.2f}{'*' if method in best else ' '}" for method, value in values.items())
        print(f"{hu_range:<14}{len(comparison.regions_of(hu_range)):>4}  {feature_class:<6}{numbers}")


if __name__ == "__main__":
    run_script(main)
