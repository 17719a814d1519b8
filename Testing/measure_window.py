"""How long the window is deaf while a job is prepared, runs and comes back, measured by a timer in the stand-in Slicer.

    python Testing/measure_window.py [--slices 400] [--photons 2000000]

A 512 x 512 CT of that many slices with a body, twelve organs and a spine; prints lines for `organdose benchmark`.
The stand-in draws its views in software on the main thread, so they are left out (rendering is paused).
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPOSITORY / "Testing"), str(REPOSITORY)]

_TICK_MS = 5
_PATIENCE_S = 900


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slices", type=int, default=400)
    parser.add_argument("--photons", type=int, default=2_000_000)
    arguments = parser.parse_args()
    from host.slicer_host import SlicerHost

    host = SlicerHost.start()
    host.load_module(REPOSITORY / "DoseEstimator")
    host.select("DoseEstimator")
    import slicer

    slicer.app.pauseRender()
    window = host.widget("DoseEstimator")
    _fill_in(host, window, arguments.slices, arguments.photons)
    ticker = _Ticker()
    started_s = time.monotonic()
    host.click(window.job.run_button)
    host.wait_until(lambda: ticker.stage(window.job.bar.format) or not window.job.is_busy, _PATIENCE_S, "the job")
    ticker.stage("Following the masks")
    from organdose.panels.result_following import result_following

    host.wait_until(lambda: not result_following().is_busy, _PATIENCE_S, "the organ table")
    ticker.stop()
    print(f"512 x 512 x {arguments.slices} CT, {window.job.status.text} in {time.monotonic() - started_s:.0f} s")
    for stage, gap_ms in ticker.longest_ms.items():
        print(f"window deaf for at most {gap_ms:.0f} ms: {stage}")
    print(f"window deaf for at most {max(ticker.longest_ms.values()):.0f} ms in all")
    for error in host.slot_errors:
        print(error, file=sys.stderr)


class _Ticker:
    """A timer of the window; a tick that comes late means the window did not answer in between."""

    def __init__(self):
        from PySide6.QtCore import QTimer

        self.longest_ms: dict[str, float] = {}
        self._stage, self._last_s = "Starting", time.monotonic()
        self._timer = QTimer()
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def stage(self, text: str) -> bool:
        """Book the coming gaps under the part of `text` before the colon. False, for use in a condition."""
        self._stage = text.split(":")[0]
        return False

    def stop(self) -> None:
        self._timer.stop()

    def _tick(self) -> None:
        now_s = time.monotonic()
        gap_ms = 1000 * (now_s - self._last_s) - _TICK_MS
        self.longest_ms[self._stage] = max(self.longest_ms.get(self._stage, 0.0), gap_ms)
        self._last_s = now_s


def _fill_in(host, window, slices: int, photons: int) -> None:
    from organdose.scene.segmentation_nodes import segmentation_node_from_masks
    from organdose.scene.volume_nodes import ct_volume_node

    ct, masks = _patient(slices)
    ct_node = ct_volume_node(ct)
    segmentation = segmentation_node_from_masks(masks, ct_node)
    host.choose(window.ui.ctSelector, ct_node)
    host.choose(window.ui.segmentationSelector, segmentation)
    facts = {"tube_voltage_kv": "120", "total_collimation_mm": "40", "pitch": "1", "scan_kind": "helical",
             "ctdivol_mgy": "10", "ctdi_phantom_cm": "32"}
    for name, text in facts.items():
        window._sheet.write(name, text)
    window._factsEdited()
    host.type_text(window.form.editor("histories"), str(photons))


def _patient(slices: int):
    """(CT image, masks): an elliptical water body with a spine, and organs as ellipsoids of realistic size."""
    import SimpleITK as sitk

    from organdose.anatomy.organ_masks import OrganMasks

    spacing = np.array((2.0, 0.78125, 0.78125))  # z, y, x
    centre = np.array(((slices - 1) / 2, 255.5, 255.5))
    y, x = ((np.arange(512) - 255.5) * spacing[1] for _ in range(2))
    plane = np.full((512, 512), -1000, np.int16)
    plane[(y[:, None] / 110) ** 2 + (x[None, :] / 170) ** 2 < 1] = 20
    body = plane > -500
    plane[(y[:, None] - 60) ** 2 + x[None, :] ** 2 < 20**2] = 500
    image = sitk.GetImageFromArray(np.broadcast_to(plane, (slices, 512, 512)).copy())
    image.SetSpacing(spacing[::-1].tolist())
    image.SetOrigin((-centre * spacing)[::-1].tolist())
    masks = OrganMasks(image, origin="synthetic")
    masks.add("body", np.broadcast_to(body, (slices, 512, 512)))
    masks.add("vertebrae", np.broadcast_to(plane == 500, (slices, 512, 512)))
    organs = {"liver": ((0, -10, -80), (75, 70, 75)), "spleen": ((10, 30, 100), (50, 30, 30)),
              "kidney_left": ((-40, 40, 60), (55, 25, 25)), "kidney_right": ((-50, 40, -60), (55, 25, 25)),
              "stomach": ((20, -50, 70), (40, 35, 40)), "pancreas": ((-20, -20, 20), (15, 15, 60)),
              "heart": ((120, -30, 20), (50, 45, 50)), "lung_left": ((150, 0, 90), (110, 70, 50)),
              "lung_right": ((150, 0, -90), (110, 70, 50)), "urinary_bladder": ((-200, -40, 0), (30, 30, 35)),
              "gallbladder": ((-30, -60, -50), (20, 15, 15)), "adrenal_gland_left": ((10, 30, 35), (10, 8, 8))}
    for name, (place_mm, radii_mm) in organs.items():
        box, mask = _ellipsoid(centre + np.array(place_mm) / spacing, np.array(radii_mm) / spacing, masks.shape)
        masks.add(name, mask, corner=tuple(side.start for side in box))
    return image, masks


def _ellipsoid(centre, radii, shape):
    box = tuple(slice(max(0, int(c - r)), min(n, int(c + r) + 2)) for c, r, n in zip(centre, radii, shape))
    axes = np.ogrid[box]
    return box, sum(((axis - c) / r) ** 2 for axis, c, r in zip(axes, centre, radii)) <= 1


if __name__ == "__main__":
    main()
