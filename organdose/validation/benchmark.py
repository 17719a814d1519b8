"""How fast this machine is at what users wait for."""

from __future__ import annotations

import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from organdose.anatomy.tissues import schneider2000
from organdose.ct.ctdi import ctdi_phantom, simulate_ctdi
from organdose.ct.dose_grid import dose_grid
from organdose.ct.scanner import load_scanner
from organdose.ct.xray_source import FocalSpot, TubePath, XRaySource
from organdose.progress import Progress
from organdose.transport.cross_sections import photon_tables
from organdose.transport.monte_carlo import StopRule, run_photons
from organdose.transport.particles import Photons
from organdose.transport.voxel_grid import VoxelGrid


def run_benchmark(progress: Progress) -> list[str]:
    """Lines of measured figures: histories per second, loading and gridding of a large CT, peak memory."""
    lines = _loading(progress)
    scanner = load_scanner("generic")
    source = XRaySource(scanner.tube_spectrum(120.0), TubePath.axial(0.0), scanner.focus_isocentre_mm,
                        scanner.fan_half_angle_rad, 40.0, bowtie=scanner.bowtie("body"))
    lines += _emission(source)
    for threads in (1, None):
        grid, _ = ctdi_phantom(32.0)
        lines.append(_speed("CTDI phantom, 2 x 2 x 5 mm", source, grid, threads, progress))
    body = dose_grid(_body_ct((256, 256, 100), 1.5625), 5.0, schneider2000()).voxels
    along = replace(source, path=TubePath(np.array([-150.0, 150.0]), np.array([1.0, 1.0])))
    lines.append(_speed("water body with spine, 5 mm", along, body, 1, progress))
    lines.append(_speed("water body with spine, 5 mm", along, body, None, progress))
    for kind, phantom_cm in (("body", 32.0), ("head", 16.0)):
        k = simulate_ctdi(replace(source, bowtie=scanner.bowtie(kind)), phantom_cm, histories=4_000_000,
                          wanted_percent=None, progress=progress)
        lines.append(f"generic scanner, {phantom_cm:g} cm phantom, 120 kV: CTDI100 centre/surface "
                     f"{k.centre_mgy_mm / k.periphery_mgy_mm:.3f}")
    lines.append(f"peak memory of this benchmark: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
    return lines


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


def _body_ct(size: tuple[int, int, int], pixel_mm: float) -> sitk.Image:
    """An elliptical water body with a spine, HU, int16, centred at the origin."""
    x = (np.arange(size[0]) - 0.5 * (size[0] - 1)) * pixel_mm
    y = (np.arange(size[1]) - 0.5 * (size[1] - 1)) * pixel_mm
    plane = np.full((size[1], size[0]), -1000, np.int16)
    plane[(y[:, None] / 110) ** 2 + (x[None, :] / 170) ** 2 < 1] = 20
    plane[(y[:, None] - 60) ** 2 + x[None, :] ** 2 < 20**2] = 500
    image = sitk.GetImageFromArray(np.broadcast_to(plane, (size[2], size[1], size[0])).copy())
    image.SetSpacing((pixel_mm, pixel_mm, 3.0))
    image.SetOrigin((float(x[0]), float(y[0]), -1.5 * (size[2] - 1)))
    return image


def _speed(title: str, source: XRaySource, grid: VoxelGrid, threads: int | None, progress: Progress) -> str:
    tables = photon_tables(grid.materials)
    run_photons(source, grid, tables, StopRule(2000), threads=threads)  # compile and warm the caches
    start_s = time.perf_counter()
    tally = run_photons(source, grid, tables, StopRule(2_000_000), threads=threads, progress=progress, stage=title)
    per_s = tally.histories / (time.perf_counter() - start_s)
    return f"{title}, {'all cores' if threads is None else '1 thread'}: {per_s:.3g} histories/s"
