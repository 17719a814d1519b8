"""How long the engines of this project take to draw the masks of a whole body, and how much memory."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import SimpleITK as sitk

from organdose.anatomy.phantoms.ct_appearance import FIELD_OF_VIEW_MM, simulate_ct
from organdose.anatomy.phantoms.stylised_phantom import ARMS_UP, load_phantom
from organdose.anatomy.phantoms.voxelise import body_bounds_mm
from organdose.progress import Progress
from organdose.segmentation.engine_needs import why_not_ready
from organdose.segmentation.engines import engine
from organdose.study import read_ct
from organdose.validation.nuclear_benchmark import peak_gib

_PIXELS, _SLICE_MM = 512, 3.0
_COARSE_PIXELS = 170  # of 3 mm: what is between them costs the engines as much, the generator less
_ENGINES = ("res-u2net", "analytic")


def run_segmentation_benchmark(progress: Progress, *, slice_mm: float = _SLICE_MM, pixels: int = _PIXELS) -> list[str]:
    """Lines: seconds and peak memory of each engine on a generated whole body, each in a process of its own.

    An engine that cannot run here has a line that says why.
    """
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        ct = Path(folder, "ct.nrrd")
        progress.report("A whole body", 0.0)
        sitk.WriteImage(_whole_body(slice_mm, pixels, progress), str(ct))
        for name in _ENGINES:
            chosen = engine(name)
            if reason := why_not_ready(chosen, chosen.parameters()):
                lines.append(f"masks of a whole body, {name}: not measured ({reason})")
                continue
            progress.report(f"Masks of a whole body, {name}", 0.0)
            command = [sys.executable, "-c", "from organdose.validation.segmentation_benchmark import measure; "
                                             f"measure({name!r}, {str(ct)!r})"]
            lines.append(_line(name, json.loads(subprocess.run(command, check=True, capture_output=True,
                                                               text=True).stdout)))
    return lines


def _line(name: str, figures: dict) -> str:
    memory = "" if figures["peak_gib"] is None else f", {figures['peak_gib']:.1f} GiB at most"
    return (f"masks of a whole body, {name}, {figures['voxels']}: {figures['seconds']:.0f} s{memory} "
            f"({figures['organs']} organs, {figures['device']})")


def measure(name: str, ct: str) -> None:
    """Print the figures of one engine as JSON: seconds with compilation and reading of the weights, peak memory."""
    study, chosen = read_ct(Path(ct)), engine(name)
    start_s = time.perf_counter()
    masks = chosen.segment(study, chosen.parameters(), Progress())
    seconds = time.perf_counter() - start_s
    size = " x ".join(str(n) for n in study.image.GetSize())
    print(json.dumps({"seconds": seconds, "peak_gib": peak_gib(), "organs": len(masks.names), "device": _device(chosen),
                      "voxels": f"{size} voxels, slices of {study.image.GetSpacing()[2]:g} mm"}))


def _device(chosen) -> str:
    if "cuda" not in chosen.devices:
        return "cpu"
    from organdose.segmentation.networks.hardware import chosen_device

    return str(chosen_device())


def _whole_body(slice_mm: float, pixels: int, progress: Progress) -> sitk.Image:
    """The stylised male from head to foot, simulated with pixels of 3 mm and brought to `pixels` x `pixels`."""
    phantom = load_phantom("adult-male")
    low_mm, high_mm = body_bounds_mm(phantom, ARMS_UP)[2]
    coarse = simulate_ct(phantom, (low_mm, high_mm), slice_mm=slice_mm, pixels=min(pixels, _COARSE_PIXELS),
                         progress=progress).image
    pixel_mm, coarse_mm = FIELD_OF_VIEW_MM / pixels, coarse.GetSpacing()[0]
    grid = sitk.Image([pixels, pixels, coarse.GetDepth()], sitk.sitkUInt8)
    grid.SetSpacing((pixel_mm, pixel_mm, slice_mm))
    shift_mm = (pixel_mm - coarse_mm) / 2
    grid.SetOrigin([origin + shift for origin, shift in zip(coarse.GetOrigin(), (shift_mm, shift_mm, 0.0))])
    return sitk.Resample(coarse, grid, sitk.Transform(), sitk.sitkLinear, -1000, sitk.sitkInt16)
