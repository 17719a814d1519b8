"""S-values remembered in the user's cache folder: a JSON file for each phantom, nuclide, source and precision."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np

from organdose.anatomy.phantoms.voxel_phantom import LabelledPhantom, Region
from organdose.computed_cache import cache_folder, code_digest, fingerprint, keep
from organdose.nuclear.emissions import Emissions
from organdose.nuclear.progeny import DecayMixture
from organdose.nuclear.s_values import SValues, joined, source_by_source, source_regions, target_names
from organdose.progress import Progress

_ARRAYS = ("charged", "photon", "charged_uncertainty", "photon_uncertainty", "target_mass_g", "source_mass_g")
_CODE = ("transport/*.py", "nuclear/s_values.py", "nuclear/emission_sampling.py")


def cached_s_values(phantom: LabelledPhantom, mixture: DecayMixture, sources: Sequence[str], *,
                    histories: int = 2_000_000, targets: Sequence[str] | None = None, seed: int = 1,
                    threads: int | None = None, progress: Progress | None = None) -> SValues:
    """`s_values`, each source computed once for the same phantom, emissions, regions, histories, seed and code."""
    names, regions = target_names(phantom, targets), source_regions(phantom, sources)
    common = (code_digest(*_CODE), _phantom_digest(phantom), _emission_digest(mixture.emissions), histories, seed,
              _spelt({name: phantom.region(name) for name in names}))
    paths = {name: cache_folder("s-values") / f"{fingerprint(common, _spelt({name: region}))}.json"
             for name, region in regions.items()}
    columns = {name: values for name, path in paths.items() if (values := _kept(path)) is not None}
    missing = {name: region for name, region in regions.items() if name not in columns}
    if missing:
        for values in source_by_source(phantom, mixture, missing, histories=histories, targets=names, seed=seed,
                                       threads=threads, progress=progress):
            name = values.sources[0]
            columns[name] = values
            keep(paths[name], partial(write_s_values, values=values))
    return joined([columns[name] for name in regions])


def _kept(path: Path) -> SValues | None:
    try:
        return read_s_values(path)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_s_values(path: Path, values: SValues) -> None:
    """All of them as JSON: the record of what was computed."""
    record = {name: value.tolist() if isinstance(value, np.ndarray) else value
              for name, value in asdict(values).items()}
    for name in ("target_parts", "source_parts"):
        record[name] = [sorted(region.items()) for region in record[name]]
    path.write_text(json.dumps(record), encoding="utf-8")


def read_s_values(path: Path) -> SValues:
    """What `write_s_values` wrote. Raises `OSError`, `ValueError`, `TypeError` or `KeyError` for anything else."""
    record = json.loads(path.read_text(encoding="utf-8"))
    for name in _ARRAYS:
        record[name] = np.array(record[name], float)
    for name in ("target_parts", "source_parts"):
        record[name] = tuple({int(label): float(part) for label, part in region} for region in record[name])
    for name in ("targets", "sources", "notes"):
        record[name] = tuple(record[name])
    return SValues(**record)


def _spelt(regions: dict[str, Region]) -> list:
    return [(name, sorted(region.items())) for name, region in regions.items()]


def _phantom_digest(phantom: LabelledPhantom) -> str:
    entries = sorted((label, entry.name, entry.medium, entry.density_g_cm3) for label, entry in phantom.entries.items())
    media = sorted((name, sorted(medium.weight_fractions.items())) for name, medium in phantom.media.items())
    return fingerprint(hashlib.sha256(np.ascontiguousarray(phantom.labels).tobytes()).hexdigest(), phantom.labels.shape,
                       phantom.spacing_mm, phantom.title, phantom.notes, entries, media, sorted(phantom.outside))


def _emission_digest(emissions: Emissions) -> str:
    parts = [(part.kind, part.origin, part.yield_per_decay, part.energy_kev) for part in emissions.parts]
    return fingerprint(parts)
