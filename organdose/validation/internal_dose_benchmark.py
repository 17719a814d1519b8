"""How long each engine takes for the F-18 FDG of a whole body, and how much memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import numpy as np
import scipy.sparse as sp
import SimpleITK as sitk

from organdose.anatomy.phantoms.stylised_phantom import load_phantom
from organdose.anatomy.phantoms.voxel_phantom import LabelledPhantom
from organdose.anatomy.phantoms.voxel_phantom_stylised import stylised_voxel_phantom
from organdose.nuclear.activity_integral import ActivityIntegral
from organdose.nuclear.biokinetics import biokinetics
from organdose.nuclear.engines import engine
from organdose.nuclear.progeny import with_progeny
from organdose.nuclear.s_values import voxel_grid
from organdose.patient.dose_grid import DoseGrid
from organdose.progress import Progress
from organdose.transport.voxel_grid import VoxelGrid
from organdose.validation.nuclear_benchmark import peak_gib

_VOXEL_MM = 4.0
_PET_SHAPE = (350, 200, 200)  # (z, y, x) of a whole-body PET
_LEAST_G, _WANTED_PERCENT = 50.0, 2.0
_TITLES = {"mc": f"Monte Carlo to {_WANTED_PERCENT:g} % in every organ above {_LEAST_G:g} g",
           "vsv": "voxel S-values, one medium", "msv": "voxel S-values, four media", "local": "local deposition"}


def run_internal_dose_benchmark(progress: Progress) -> list[str]:
    """Lines: seconds and peak memory of each engine, each in a process of its own; kernels are in the cache."""
    lines = []
    for name, title in _TITLES.items():
        progress.report(f"Internal dose, {title}", 0.0)
        command = [sys.executable, "-c", f"from organdose.validation.internal_dose_benchmark import measure; "
                                         f"measure({name!r})"]
        figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        memory = "" if figures["peak_gib"] is None else f", {figures['peak_gib']:.1f} GiB at most"
        lines.append(f"F-18 whole body, {title}, {figures['voxels']}: {figures['seconds']:.1f} s{memory}"
                     f"{figures['remark']}")
    return lines


def measure(name: str) -> None:
    """Print the figures of one engine as JSON: seconds without compilation and kernels, peak memory."""
    phantom = stylised_voxel_phantom(load_phantom("adult-male"), _VOXEL_MM)
    grid, source = _whole_body(phantom, None if name == "mc" else _PET_SHAPE)
    chosen = engine(name)
    options = {"histories": 100_000_000, "uncertainty_percent": _WANTED_PERCENT} if name == "mc" else {}
    organs, mass_g = _organs(phantom, grid) if name == "mc" else ((), None)
    if name == "mc":
        chosen.run(source, grid, chosen.parameters(histories=1000))  # compile
    elif name != "local":
        chosen.run(source, grid, chosen.parameters())  # kernels into the cache
    start_s = time.perf_counter()
    dose = chosen.run(source, grid, chosen.parameters(**options), organs=organs, organ_mass_g=mass_g)
    seconds = time.perf_counter() - start_s
    remark = f"; {dose.facts['histories']:,} decays, {len(organs)} organs" if name == "mc" else ""
    print(json.dumps({"seconds": seconds, "peak_gib": peak_gib(), "remark": remark,
                      "voxels": " x ".join(str(n) for n in dose.dose_mgy.GetSize()) + f" voxels of {_VOXEL_MM:g} mm"}))


def _whole_body(phantom: LabelledPhantom, shape: tuple[int, int, int] | None) -> tuple[DoseGrid, ActivityIntegral]:
    """The phantom with 100 MBq of FDG by ICRP 128; in a box of `shape`, its feet cut off and air around."""
    voxels, model = voxel_grid(phantom), biokinetics("fdg_icrp128")
    decays = np.zeros(voxels.shape, np.float32)
    regions = {name: phantom.region(name) for name in model.tiac_h if name != "remainder"}
    regions["remainder"] = phantom.remainder(regions.values())
    for name, number in model.decays(100e6).items():
        inside = np.isin(phantom.labels, list(regions[name]))
        decays[inside] += number / np.count_nonzero(inside)
    if shape is not None:
        voxels, decays = _boxed(voxels, decays, shape)
    geometry = sitk.GetImageFromArray(voxels.density_g_cm3)
    geometry.SetSpacing(voxels.spacing_mm)
    geometry.SetOrigin(voxels.origin_mm)
    unknown = np.full(decays.shape, np.nan, np.float32)
    return (DoseGrid(geometry, voxels, voxels.density_g_cm3),
            ActivityIntegral(decays, unknown, with_progeny("F-18"), 100e6, "physical"))


def _boxed(voxels: VoxelGrid, decays: np.ndarray, shape: tuple[int, int, int]) -> tuple[VoxelGrid, np.ndarray]:
    arrays = [np.zeros(shape, values.dtype) for values in (voxels.material_index, voxels.density_g_cm3, decays)]
    arrays[1][:] = 0.001205
    for new, old in zip(arrays, (voxels.material_index, voxels.density_g_cm3, decays)):
        size = [min(a, b) for a, b in zip(new.shape, old.shape)]
        kept = old[old.shape[0] - size[0]:, :size[1], :size[2]]  # the head and what follows
        new[tuple(slice((n - k) // 2, (n - k) // 2 + k) for n, k in zip(new.shape, kept.shape))] = kept
    return VoxelGrid(voxels.materials, arrays[0], arrays[1], voxels.spacing_mm, voxels.origin_mm), arrays[2]


def _organs(phantom: LabelledPhantom, grid: DoseGrid) -> tuple[tuple[str, ...], sp.csr_matrix]:
    """Organs above 50 g: names, and masses in each voxel."""
    names = [name for name in phantom.regions if phantom.mass_g(name) > _LEAST_G]
    voxel_g = 1000 * grid.voxels.voxel_mass_kg.ravel()
    rows = [sp.csr_matrix(np.where(np.isin(phantom.labels, list(phantom.region(name))).ravel(), voxel_g, 0.0))
            for name in names]
    return tuple(names), sp.vstack(rows, format="csr")
