"""The density of a CT's voxels, looked up where it is asked for: no second array as large as the CT."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from organdose.anatomy.tissues import TissueTable

_EVERY_INT16 = np.arange(1 << 16, dtype=np.uint16).view(np.int16)  # in the order of their bits


@dataclass(frozen=True)
class EnhancedVoxels:
    """Voxels with contrast medium (bool or 0 and 1, (z, y, x)) and their density, linear in HU."""

    voxels: np.ndarray = field(repr=False)
    at_zero_hu_g_cm3: float
    per_hu_g_cm3: float


class HUDensity:
    """Densities in g/cm3 (float32) of a CT in HU, indexed by boxes (z, y, x) like an array of them.

    `hu` may be any view of the CT's voxels. The values are those of `TissueTable.density_g_cm3`, but for the voxels of
    `enhanced`.
    """

    def __init__(self, hu: np.ndarray, tissues: TissueTable, enhanced: EnhancedVoxels | None = None):
        self.shape = hu.shape
        self._hu, self._tissues, self._enhanced = hu, tissues, enhanced
        self._by_bits = tissues.density_g_cm3(_EVERY_INT16) if hu.dtype == np.int16 else None

    def __getitem__(self, box) -> np.ndarray:
        hu = self._hu[box]
        if self._by_bits is None:
            density = self._tissues.density_g_cm3(hu)
        else:
            density = np.take(self._by_bits, hu.view(np.uint16), mode="clip")
        if self._enhanced is not None:
            here = self._enhanced.voxels[box].astype(bool)
            density[here] = self._enhanced.at_zero_hu_g_cm3 + self._enhanced.per_hu_g_cm3 * hu[here]
        return density
