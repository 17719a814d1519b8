"""Kernels that were computed once: what Monte Carlo scored, in the user's cache folder, each with a record in JSON.

The key holds emissions, medium, voxel, histories, seed and the code of the physics; a file whose content is not what
its record says is computed again.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from organdose.computed_cache import cache_folder, code_digest, fingerprint, keep
from organdose.nuclear.emissions import Emissions, Lines
from organdose.nuclear.kernel_monte_carlo import BATCHES, KernelScores, kernel_scores
from organdose.nuclear.media import Medium
from organdose.nuclear.progeny import DecayMixture
from organdose.nuclear.radial_photons import SHELL_EDGES_MM, SHELLS
from organdose.progress import Progress

_CODE = ("transport/*.py", "nuclear/kernel_monte_carlo.py", "nuclear/radial_photons.py", "nuclear/emission_sampling.py")
_DIGITS_MM = 4


def cached_scores(mixture: DecayMixture, medium: Medium, voxel_mm: tuple[float, float, float], *, histories: int,
                  seed: int = 1, threads: int | None = None, progress: Progress | None = None) -> KernelScores:
    """`kernel_scores` of the mixture, from the cache where it is there; voxel sizes are rounded to 0.1 micrometre."""
    voxel_mm = tuple(round(float(size), _DIGITS_MM) for size in voxel_mm)
    path = cache_folder("kernels") / f"{_key(mixture.emissions, medium, voxel_mm, histories, seed)}.npz"
    if (known := _read(path)) is not None:
        return known
    scores = kernel_scores(mixture.emissions, medium, voxel_mm, histories=histories, seed=seed, threads=threads,
                           progress=progress)
    record = _record(mixture, medium, voxel_mm, histories, seed) | {
        "balance_kev": scores.balance_kev, "emitted_kev": scores.emitted_kev, "sha256": _content_digest(scores)}
    keep(path, lambda part: np.savez(part, near_kev=scores.near_kev, near_uncertainty_kev=scores.near_uncertainty_kev,
                                     shell_kev=scores.shell_kev))
    keep(path.with_suffix(".json"), lambda part: part.write_text(json.dumps(record, indent=1), encoding="utf-8"))
    return scores


def _read(path: Path) -> KernelScores | None:
    """What the file holds; None where it or its record is missing or damaged."""
    try:
        record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        with np.load(path, allow_pickle=False) as arrays:
            scores = KernelScores(arrays["near_kev"], arrays["near_uncertainty_kev"], arrays["shell_kev"],
                                  {name: float(value) for name, value in record["balance_kev"].items()},
                                  float(record["emitted_kev"]))
        whole = scores.near_kev.ndim == 3 and scores.shell_kev.shape == (BATCHES, SHELLS)
        return scores if whole and record["sha256"] == _content_digest(scores) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):
        return None


def _content_digest(scores: KernelScores) -> str:
    arrays = (scores.near_kev, scores.near_uncertainty_kev, scores.shell_kev)
    digest = hashlib.sha256(repr((scores.balance_kev, scores.emitted_kev)).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array, np.float64).tobytes())
    return digest.hexdigest()


def _key(emissions: Emissions, medium: Medium, voxel_mm, histories: int, seed: int) -> str:
    radiation = hashlib.sha256()
    for part in emissions.parts:
        arrays = (part.energies_kev, part.yields) if isinstance(part, Lines) else (
            part.edges_kev, part.probability, np.array([part.yield_per_decay]))
        radiation.update(part.kind.encode())
        for array in arrays:
            radiation.update(np.ascontiguousarray(array, np.float64).tobytes())
    return fingerprint(radiation.hexdigest(), asdict(medium), voxel_mm, histories, seed, code_digest(*_CODE))


def _record(mixture: DecayMixture, medium: Medium, voxel_mm, histories: int, seed: int) -> dict[str, object]:
    return {
        "radionuclide": mixture.parent.name,
        "decays_per_parent_decay": {member.nuclide.name: member.decays_per_parent_decay for member in mixture.members},
        "medium": medium.material.name, "weight_fractions": medium.material.weight_fractions,
        "density_g_cm3": medium.density_g_cm3, "voxel_mm": voxel_mm, "reach_mm": float(SHELL_EDGES_MM[-1]),
        "histories_of_each_kind_of_particle": histories, "seed": seed, "physics_digest": code_digest(*_CODE)}
