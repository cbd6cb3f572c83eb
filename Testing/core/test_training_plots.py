"""The drawing of a training: it shows what log.csv and validation.csv say."""
import csv
import re
from xml.etree import ElementTree

import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed, without which there is no drawing")

from LTDiffTrainingLib.loop.plots import POINTS, read_agreement, read_losses, training_figure, write_training_figure  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"


def table(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])


@pytest.fixture
def folder(tmp_path):
    """Two phases of which the second has a loss below zero, and figures of agreement beside two filters."""
    losses = [("autoencoder", step, 1.0, "loss", 1 / step) for step in range(50, 50 * 3 * POINTS + 1, 50)]
    losses += [("moments", step, 1.0, name, value) for step in (50, 100) for name, value in (("loss", 0.5), ("nll", -0.1), ("mse", "nan"))]
    table(tmp_path / "log.csv", ("phase", "step", "seconds", "name", "value"), losses)
    figures = [("", 0, "none", "[10,250]", "GLCM", 0.3), ("", 0, "ls_noise", "[10,250]", "GLCM", 0.8), ("", 0, "none", "[10,250]", "GOH", "nan")]
    figures += [("moments", 100, "ltdiff", "[10,250]", name, 0.7) for name in ("GLCM", "GOH")]
    figures += [("diffusion", step, "ltdiff", "[10,250]", "GLCM", value) for step, value in ((50, 0.85), (100, 0.9))]
    table(tmp_path / "validation.csv", ("phase", "step", "method", "regions", "feature_class", "ccc"), figures)
    return tmp_path


def drawn(path):
    """{name: hover text} of the marks, and the texts of the drawing."""
    root = ElementTree.parse(path).getroot()
    marks = {group.get("data-mark"): (group.findtext(f"{SVG}title") or "") for group in root.iter(f"{SVG}g") if group.get("data-mark")}
    return marks, [text.text for text in root.iter(f"{SVG}text")]


def test_the_drawing_has_a_line_for_every_loss_and_every_class_beside_its_best_filter(folder):
    marks, texts = drawn(write_training_figure(folder))
    assert marks["moments nll"] == "moments, nll: -0.1 at step 100"
    assert marks["filter [10,250] GLCM"] == "best filter, GLCM in [10,250]: 0.80"
    assert marks["[10,250] GLCM"] == "GLCM in [10,250]: 0.9 at step 200"  # of both phases
    assert marks["[10,250] GOH"].endswith("0.7 at step 100")
    assert not {"moments mse", "filter [10,250] GOH"} & set(marks)  # undefined
    for text in ("autoencoder", "moments", "CCC in [10,250]", "Step of moments, then diffusion", "loss", "GLCM"):
        assert text in texts


def test_losses_above_zero_are_drawn_on_a_logarithmic_scale(folder):
    _, texts = drawn(write_training_figure(folder))
    numbers = {text for text in texts if re.fullmatch(r"[\d.e-]+", text)}
    assert {"0.0001", "0.001", "0.01"} & numbers or {"1e-04", "1e-05"} & numbers


def test_what_was_told_often_is_averaged(folder):
    curve = read_losses(folder / "log.csv")["autoencoder"]["loss"]
    assert len(curve) == 3 * POINTS
    paths = ElementTree.fromstring(training_figure({"one": {"loss": curve}}, {}, {})).iter(f"{SVG}path")
    assert max(path.get("d").count("L") for path in paths) == POINTS - 1


def test_the_best_filter_is_the_highest_and_a_row_that_is_being_written_is_passed_over(folder):
    with (folder / "validation.csv").open("a") as stream:
        stream.write("diffusion,150,lt")
    agreement, filters = read_agreement(folder / "validation.csv")
    assert filters == {("[10,250]", "GLCM"): 0.8}
    assert agreement["[10,250]"]["GLCM"] == {"moments": [(100, 0.7)], "diffusion": [(50, 0.85), (100, 0.9)]}


def test_without_validation_there_are_losses_and_without_a_log_or_matplotlib_a_sentence(folder, tmp_path, monkeypatch):
    said = []
    (folder / "validation.csv").unlink()
    assert "moments" in drawn(write_training_figure(folder, said.append))[1] and not said
    (folder / "log.csv").unlink()
    assert write_training_figure(folder, said.append) is None and "holds no losses yet" in said[-1]
    monkeypatch.setattr("LTDiffTrainingLib.loop.plots.available", lambda: (False, "It needs matplotlib."))
    assert write_training_figure(folder, said.append) is None and said[-1] == "It needs matplotlib."
