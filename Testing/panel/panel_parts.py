"""A panel over the stand-in, small chests as volumes of its scene, and what tests ask of both."""
import os
import sys
from pathlib import Path

import numpy as np

PICTURES = os.environ.get("LTDIFF_PICTURES")  # a folder: the tests leave a picture of the panel in each state there


def chest(name, seed=0, kernel="B40f", slices=6, side=64):
    """A volume node: a body with two lungs and smooth noise."""
    from scipy.ndimage import gaussian_filter

    from LTDiffStandardizeLib.scene.volumes import add_volume
    from LTDiffStandardizeLib.volumes import CTFacts, CTVolume

    y, x = np.mgrid[:side, :side] / side - 0.5
    hu = np.where((x / 0.45) ** 2 + (y / 0.4) ** 2 < 1, 40.0, -990.0)
    hu[((np.abs(x) - 0.2) / 0.1) ** 2 + (y / 0.2) ** 2 < 1] = -860
    hu = hu + gaussian_filter(np.random.default_rng(seed).normal(0, 60, (slices, side, side)), (0, 1.1, 1.1))
    volume = CTVolume(np.clip(np.rint(hu), -1024, 3071).astype(np.int16), (0.7, 0.7, 2.0), (-20, -30, 100), facts=CTFacts(kernel=kernel))
    return add_volume(volume, name)


def make_widget():
    """The module's widget, opened."""
    import LTDiffStandardize
    import qt

    widget = LTDiffStandardize.LTDiffStandardizeWidget(qt.QWidget())
    widget.setup()
    widget.enter()
    return widget


def pressed(button):
    """Clicks a button that must be enabled."""
    assert button.isEnabled(), button.toolTip
    button.click()


def unfold(panel, *names):
    for section in (panel.standardize, panel.regions, panel.features, panel.messages):
        for name in names:
            if hasattr(section.ui, name):
                getattr(section.ui, name).setCollapsed(False)


def picture(panel, name):
    """Draws the panel as it stands, and checks that something is drawn; kept where LTDIFF_PICTURES names a folder."""
    from qt import QCoreApplication

    parent = panel.widgets[0].parentWidget()
    parent.resize(460, parent.sizeHint().height())
    parent.show()
    QCoreApplication.processEvents()
    parent.resize(460, parent.minimumSizeHint().height())
    QCoreApplication.processEvents()
    image = parent.grab().toImage()
    assert image.width() == 460 and len({image.pixel(x, y) for x in range(0, 460, 7) for y in range(0, image.height(), 7)}) > 3
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        assert image.save(str(Path(PICTURES, f"{name}.png")))


def replace_worker(monkeypatch, tmp_path, code):
    """Lets the panel start another program in the worker's place; `code` has its request and result files as `request` and `result`."""
    from LTDiffStandardizeLib import child

    script = tmp_path / "worker.py"
    script.write_text(f"import sys\nrequest, result = sys.argv[1:]\n{code}\n", encoding="utf-8")
    monkeypatch.setattr(child, "SCRIPT", script)
    return sys.executable
