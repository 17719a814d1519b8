"""How fast this machine is at what users wait for."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.tissues import schneider2000
from organdose.ct.ctdi import simulate_ctdi
from organdose.ct.scanner import load_scanner
from organdose.ct.tube_path import TubePath
from organdose.ct.xray_source import FocalSpot, XRaySource
from organdose.patient.dose_grid import dose_grid
from organdose.progress import Progress
from organdose.transport.particles import Photons
from organdose.validation.transport_benchmark import run_transport_benchmark

_PROTOCOL = {"tube_voltage_kv": 120, "total_collimation_mm": 40, "ctdi_phantom_cm": 32, "scan_kind": "helical",
             "pitch": 1.0, "ctdivol_mgy": 10}


def run_benchmark(progress: Progress) -> list[str]:
    """Lines of measured figures: memory and time of a large CT, emission, transport, the generic scanner's CTDI."""
    lines = [*_large_ct(progress), *_loading(progress)]
    scanner = load_scanner("generic")
    source = XRaySource(scanner.tube_spectrum(120.0), TubePath.axial(0.0), scanner.focus_isocentre_mm,
                        scanner.fan_half_angle_rad, 40.0, bowtie=scanner.bowtie("body"))
    lines += [*_emission(source), *run_transport_benchmark(progress)]
    for kind, phantom_cm in (("body", 32.0), ("head", 16.0)):
        k = simulate_ctdi(replace(source, bowtie=scanner.bowtie(kind)), phantom_cm, histories=4_000_000,
                          wanted_percent=None, progress=progress)
        lines.append(f"generic scanner, {phantom_cm:g} cm phantom, 120 kV: CTDI100 centre/surface "
                     f"{k.centre_mgy_mm / k.periphery_mgy_mm:.3f}")
    return lines


def _large_ct(progress: Progress) -> list[str]:
    """Peak memory and time of a whole `ct-dose` job on a 512 x 512 x 800 CT at 2 mm, in a process of its own."""
    stage = "512 x 512 x 800 CT at 2 mm"
    with tempfile.TemporaryDirectory() as folder:
        progress.report(stage, 0.0)
        ct, protocol = Path(folder, "ct"), Path(folder, "protocol.json")
        ct.mkdir()
        _write_dicom(_body_ct((512, 512, 800), 0.78125, 1.5), ct)
        protocol.write_text(json.dumps(_PROTOCOL), encoding="utf-8")
        progress.report(stage, 0.2)
        start_s = time.perf_counter()
        command = [sys.executable, "-c", "from organdose.cli import main; main()", "ct-dose", str(ct), "-o",
                   str(Path(folder, "out")), "--protocol", str(protocol), "--voxel-mm", "2", "--histories", "4000000"]
        subprocess.run(command, check=True, capture_output=True)
        seconds = time.perf_counter() - start_s
        progress.report(stage, 1.0)
    peak_gib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    return [f"ct-dose on a 512 x 512 x 800 CT (1.5 mm slices), 2 mm dose grid, 4 million photons: {seconds:.0f} s, "
            f"{peak_gib:.1f} GiB at most"]


def _emission(source: XRaySource, count: int = 1_000_000) -> list[str]:
    """Nanoseconds of processor time for each emitted photon: a plain source, and one with everything on."""
    helical = TubePath.helical(np.array([-150.0, 150.0]), np.ones(2), 40.0, start_angle_rad=0.0,
                               angular_weight=np.array([1.0, 2.0, 1.0, 2.0]))
    full = replace(source, path=helical, anode_angle_deg=7.0, focal_spot=FocalSpot(1.0, 1.0))
    lines, photons = [], Photons.empty(count)
    for title, beam in (("plain", source), ("helical, modulated, heel effect, focal spot", full)):
        beam.emit(photons, 1, 0)  # compile
        start_s = time.thread_time()
        beam.emit(photons, 1, count)
        lines.append(f"emission, {title}: {1e9 * (time.thread_time() - start_s) / count:.0f} ns a photon")
    return lines


def _loading(progress: Progress) -> list[str]:
    """Reading a 512 x 512 x 300 CT and averaging it onto a 5 mm dose grid."""
    from organdose.study import read_ct

    with tempfile.TemporaryDirectory() as folder:
        progress.report("Writing a large CT", 0.0)
        _write_dicom(_body_ct((512, 512, 300), 0.78125), Path(folder))
        start_s = time.perf_counter()
        study = read_ct(Path(folder), progress=progress)
        read_s = time.perf_counter() - start_s
        start_s = time.perf_counter()
        dose_grid(study.image, 5.0, schneider2000(), progress=progress)
        grid_s = time.perf_counter() - start_s
    return [f"512 x 512 x 300 CT: read in {read_s:.1f} s, 5 mm dose grid in {grid_s:.1f} s"]


def _write_dicom(image: sitk.Image, folder: Path) -> None:
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for k in range(image.GetDepth()):
        piece = image[:, :, k]
        position = "\\".join(f"{v:.4f}" for v in image.TransformIndexToPhysicalPoint((0, 0, k)))
        tags = {"0008|0016": "1.2.840.10008.5.1.4.1.1.2", "0008|0018": f"2.25.{1000 + k}", "0008|0060": "CT",
                "0020|000d": "2.25.1", "0020|000e": "2.25.2", "0020|0052": "2.25.3", "0020|0013": str(k + 1),
                "0020|0032": position, "0020|0037": "1\\0\\0\\0\\1\\0", "0028|1052": "0", "0028|1053": "1"}
        for tag, value in tags.items():
            piece.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{k:04d}.dcm"))
        writer.Execute(piece)


def _body_ct(size: tuple[int, int, int], pixel_mm: float, slice_mm: float = 3.0) -> sitk.Image:
    """An elliptical water body with a spine, HU, int16, centred at the origin."""
    x = (np.arange(size[0]) - 0.5 * (size[0] - 1)) * pixel_mm
    y = (np.arange(size[1]) - 0.5 * (size[1] - 1)) * pixel_mm
    plane = np.full((size[1], size[0]), -1000, np.int16)
    plane[(y[:, None] / 110) ** 2 + (x[None, :] / 170) ** 2 < 1] = 20
    plane[(y[:, None] - 60) ** 2 + x[None, :] ** 2 < 20**2] = 500
    image = sitk.GetImageFromArray(np.broadcast_to(plane, (size[2], size[1], size[0])).copy())
    image.SetSpacing((pixel_mm, pixel_mm, slice_mm))
    image.SetOrigin((float(x[0]), float(y[0]), -0.5 * slice_mm * (size[2] - 1)))
    return image
