"""Hounsfield units to density and elemental composition (Schneider et al., Phys Med Biol 45 (2000) 459-478)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from organdose.errors import InputError
from organdose.resources import resource_path

_LOWEST_HU, _HIGHEST_HU = -1024, 8191


@dataclass(frozen=True)
class TissueTable:
    """A CT calibration: density as a piecewise linear function of HU, composition in HU bins.

    `weight_fractions[i]` maps element symbols to weight fractions (sum 1) of the material `names[i]`, which holds from
    `from_hu[i]` up to the next bin. HU below the first node or above the last keep that node's density.
    """

    source: str
    node_hu: np.ndarray
    node_density_g_cm3: np.ndarray
    from_hu: np.ndarray
    names: tuple[str, ...]
    weight_fractions: tuple[dict[str, float], ...]

    def density_g_cm3(self, hu: np.ndarray) -> np.ndarray:
        """Density (float32, shape of `hu`) of each voxel, HU rounded to whole numbers."""
        steps = np.arange(_LOWEST_HU, _HIGHEST_HU + 1)
        table = np.interp(steps, self.node_hu, self.node_density_g_cm3).astype(np.float32)
        return table[_table_index(hu)]

    def material_index(self, hu: np.ndarray) -> np.ndarray:
        """Index (uint8, shape of `hu`) into `names` of each voxel's material."""
        steps = np.arange(_LOWEST_HU, _HIGHEST_HU + 1)
        table = np.clip(np.searchsorted(self.from_hu, steps, side="right") - 1, 0, None).astype(np.uint8)
        return table[_table_index(hu)]


def _table_index(hu: np.ndarray) -> np.ndarray:
    if not np.issubdtype(hu.dtype, np.integer):
        hu = np.rint(hu)
    return np.clip(hu, _LOWEST_HU, _HIGHEST_HU).astype(np.int16) - np.int16(_LOWEST_HU)


def read_tissue_table(path: Path) -> TissueTable:
    """A calibration from JSON, so that a clinic can supply its own. Raises `InputError` naming what is wrong."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        nodes = np.asarray(data["density_nodes_hu_g_cm3"], dtype=float)
        elements, materials = data["elements"], data["materials"]
        fractions = np.asarray([m["weight_percent"] for m in materials], dtype=float)
        from_hu = np.asarray([m["from_hu"] for m in materials], dtype=float)
        names, source = tuple(m["name"] for m in materials), data["source"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"not a readable tissue table ({type(error).__name__}: {error})", where=path,
                         mend="Follow the layout of Resources/tissues/schneider2000.json.") from error
    rising = nodes.ndim == 2 and np.all(np.diff(nodes[:, 0]) > 0) and np.all(np.diff(from_hu) > 0)
    if not (rising and np.isfinite(nodes).all() and np.all(nodes[:, 1] > 0)):
        raise InputError("HU nodes must rise and densities be positive", where=path, mend="Correct the table.")
    if fractions.shape != (len(names), len(elements)) or not np.all(fractions >= 0):
        raise InputError(f"each material needs {len(elements)} weights, one for each of the elements, none negative",
                         where=path, mend="Correct the composition.")
    sums = fractions.sum(axis=1)
    if np.any(np.abs(sums - 100) > 2):
        worst = names[int(np.argmax(np.abs(sums - 100)))]
        raise InputError(f"weights of {worst!r} do not add up to 100 %", where=path, mend="Correct the composition.")
    compositions = tuple(
        {element: value / total for element, value in zip(elements, row) if value > 0}
        for row, total in zip(fractions, sums))
    return TissueTable(source, nodes[:, 0], nodes[:, 1], from_hu, names, compositions)


@cache
def schneider2000() -> TissueTable:
    """The calibration that ships with the project."""
    return read_tissue_table(resource_path("tissues", "schneider2000.json"))
