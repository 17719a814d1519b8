"""Pictures of each module's window before, during and after a run on the generated phantom, in the stand-in Slicer.

    python Testing/draw_windows.py OUT [--photons 20000000] [--screenshots Resources/screenshots]

Look at them: nothing may be cut off, no box empty, every number has its unit. With `--screenshots` those that the
documentation shows are written to that folder as well, in 256 colours.
"""

import argparse
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPOSITORY / "Testing"), str(REPOSITORY)]

_PATIENCE_S = 600
_TALL = (1400, 1900)  # pixels
_SCREENSHOTS = {"DoseEstimator-after": "dose-estimator", "DoseEstimator-compared": "dose-comparison",
                "OrganSegmenter-reviewed": "organ-segmenter", "InternalDosimetry-after": "internal-dosimetry"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--slice-mm", type=float, default=5.0)
    parser.add_argument("--photons", type=int, default=3_000_000)
    parser.add_argument("--screenshots", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)

    from host.slicer_host import SlicerHost

    host = SlicerHost.start()
    for name in ("OrganSegmenter", "DoseEstimator", "InternalDosimetry"):
        host.load_module(REPOSITORY / name)
    painter = _Painter(host, arguments.out, arguments.screenshots)
    for name in ("OrganSegmenter", "DoseEstimator", "InternalDosimetry"):
        painter.draw(name, "before")
    ct, masks = _phantom(host, arguments.slice_mm)
    _segment(host, painter, ct)
    _review(host, painter, masks)
    _internal(host, painter, ct, masks, arguments.photons)
    _compute_dose(host, painter, ct, masks, arguments.photons)
    if host.slot_errors:
        sys.exit("\n".join(host.slot_errors))


class _Painter:
    def __init__(self, host, out: Path, screenshots: Path | None):
        self._host, self._out, self._screenshots = host, out, screenshots

    def draw(self, module: str, when: str) -> None:
        self._host.select(module)
        self._host.process(0.3)
        path = self._out / f"{module}-{when}.png"
        self._host.main_window.save_picture(path, full_panel=True)
        print(path)
        if self._screenshots is not None and path.stem in _SCREENSHOTS:
            _save_small(path, self._screenshots / f"{_SCREENSHOTS[path.stem]}.png")


def _save_small(picture: Path, path: Path) -> None:
    """A copy in the 256 colours that differ least; dithering would only make it larger."""
    from PIL import Image

    colours = Image.open(picture).convert("RGB").quantize(method=Image.Quantize.MAXCOVERAGE, kmeans=4)
    colours.save(path, optimize=True)


def _phantom(host, slice_mm: float):
    from organdose.panels.sample_data import load_phantom_study

    ct, masks, _pet = load_phantom_study(slice_mm=slice_mm, pixels=256)
    host.process(0.2)
    return ct, masks


def _segment(host, painter: _Painter, ct) -> None:
    host.select("OrganSegmenter")
    window = host.widget("OrganSegmenter")
    host.choose(window.ui.ctSelector, ct)
    host.click(window.job.run_button)
    host.wait_until(lambda: window.job.bar.value > 300, _PATIENCE_S, "the segmentation to be under way")
    painter.draw("OrganSegmenter", "during")
    host.wait_until(lambda: not window.job.is_busy, _PATIENCE_S, "the segmentation")
    painter.draw("OrganSegmenter", "after")


def _review(host, painter: _Painter, masks) -> None:
    """Masks with mistakes in them, checked; one organ signed. The upper sections closed: they are in the other ones."""
    from organdose.scene import mask_actions

    window = host.widget("OrganSegmenter")
    mask_actions.swap_sides(masks, "kidney_left", lambda: None)
    host.choose(window.ui.segmentationSelector, masks)
    _settle(host, window.work.following)
    host.click(window.work.check_job.run_button)
    host.wait_until(lambda: not window.work.check_job.is_busy, _PATIENCE_S, "the check")
    _settle(host, window.work.following)
    review = window.work.review
    host.type_text(review.reviewer, "A. Smith")
    names = [review.table.item(row, 0).text() for row in range(review.table.rowCount)]
    review.table.selectRow(names.index("Spleen"))
    host.click(review.approve_button)
    _settle(host, window.work.following)
    found = window.work.findings.widget
    rows = [found.item(row, 0).text() for row in range(found.rowCount)]
    found.setCurrentCell(rows.index("Left kidney"), 0)
    host.click(window.work.actions.mirror_button)
    _settle(host, window.work.following)
    painter.draw("OrganSegmenter", "reviewed")
    mask_actions.swap_sides(masks, "kidney_left", lambda: None)


def _settle(host, following) -> None:
    host.process(0.3)
    host.wait_until(lambda: not following.is_busy, _PATIENCE_S, "the masks to be looked at")
    host.process(0.2)


def _compute_dose(host, painter: _Painter, ct, masks, photons: int) -> None:
    host.select("DoseEstimator")
    window = host.widget("DoseEstimator")
    host.choose(window.ui.ctSelector, ct)
    host.choose(window.ui.segmentationSelector, masks)
    host.type_text(window.form.editor("histories"), str(photons))
    host.click(window.job.run_button)
    host.wait_until(lambda: "Monte Carlo" in window.job.bar.format and window.job.bar.value > 300, _PATIENCE_S,
                    "the photons to be followed")
    painter.draw("DoseEstimator", "during")
    host.wait_until(lambda: not window.job.is_busy, _PATIENCE_S, "the dose")
    host.click(window.ui.linesCheck)
    painter.draw("DoseEstimator", "after")
    _total(host, painter)
    host.select("DoseEstimator")
    _compare_doses(host, painter)


def _compare_doses(host, painter: _Painter) -> None:
    """The same dose with another seed against the first one; of the panel, what has to do with it."""
    import slicer

    window = host.widget("DoseEstimator")
    host.main_window.resize(*_TALL)  # as tall as its picture, so that what is fitted into the views stays so
    reference = slicer.util.getNode("Dose")
    host.click(window.ui.linesCheck)
    host.click(window.form.section("Advanced"))
    host.type_text(window.form.editor("seed"), "2")
    host.click(window.job.run_button)
    host.wait_until(lambda: not window.job.is_busy, _PATIENCE_S, "the second dose")
    for section in (window.ui.studyButton, window.ui.factsButton, window.ui.displayButton, window.ui.compareButton):
        host.click(section)
    host.choose(window.ui.referenceSelector, reference)
    host.click(window.comparison.job.run_button)
    host.wait_until(lambda: not window.comparison.job.is_busy, _PATIENCE_S, "the comparison")
    painter.draw("DoseEstimator", "compared")


def _internal(host, painter: _Painter, ct, masks, decays: int) -> None:
    """Curves before any dose, a run of three engines under way, and its result."""
    import slicer

    host.select("InternalDosimetry")
    window = host.widget("InternalDosimetry")
    pet = slicer.util.getNode("Phantom PET")
    names = [window.ui.framesList.item(row).text() for row in range(window.ui.framesList.count)]
    window.ui.framesList.item(names.index(pet.GetName())).setCheckState(2)
    host.choose(window.ui.ctSelector, ct)
    host.choose(window.ui.segmentationSelector, masks)
    host.process(0.3)
    host.wait_until(lambda: not window.curves.is_busy, _PATIENCE_S, "the curves")
    slicer.util.setSliceViewerLayers(background=ct, foreground=pet, foregroundOpacity=0.6)
    host.click(window.ui.curvesButton)
    painter.draw("InternalDosimetry", "curves")
    host.type_text(window.forms.engines.form.editor("histories"), str(decays))
    for name in ("vsv", "local"):
        host.click(window.forms.engines.ticks[name])
    host.click(window.job.run_button)
    host.wait_until(lambda: "Monte Carlo" in window.job.bar.format and window.job.bar.value > 100, _PATIENCE_S,
                    "the decays to be followed")
    painter.draw("InternalDosimetry", "during")
    host.wait_until(lambda: not window.job.is_busy, _PATIENCE_S, "the internal dose")
    host.process(1.0)
    painter.draw("InternalDosimetry", "after")
    print(window.job.status.text)


def _total(host, painter: _Painter) -> None:
    """The internal dose with the dose of the CT."""
    host.select("InternalDosimetry")
    ui = host.widget("InternalDosimetry").ui
    for section in (ui.studyButton, ui.factsButton, ui.timeButton, ui.computationButton, ui.displayButton,
                    ui.totalButton):
        host.click(section)
    host.click(ui.totalViewButton)
    painter.draw("InternalDosimetry", "total")


if __name__ == "__main__":
    main()
