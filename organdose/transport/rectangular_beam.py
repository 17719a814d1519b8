"""A point source whose photons pass through an opening: the beam of a bench, of a gantry at one angle, of a test.

Photons leave the focus evenly over the solid angle of the opening, each with an energy of the spectrum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numba import njit

from organdose.errors import InputError
from organdose.transport.alias_table import alias_rows, drawn
from organdose.transport.compiled import scalar_function
from organdose.transport.emission import EMISSION_STREAM, put
from organdose.transport.particles import Photons
from organdose.transport.random_numbers import first_state, next_state, uniform, uniform_pair


@dataclass(frozen=True)
class RectangularBeam:
    """A `PhotonSource` at `focus_mm` (x, y, z).

    The opening is a parallelogram around `opening_mm`, spanned by the half edges `half_width_mm` and `half_height_mm`
    (vectors; zero for a line or a single ray), or with `round_opening` the ellipse inside it. `photons` are relative
    numbers at `energies_kev`; with `bin_kev` above 0 each energy is drawn evenly from a bin of that width. Raises
    `InputError` for an opening that the focus lies in or a spectrum that is none.
    """

    focus_mm: Sequence[float]
    opening_mm: Sequence[float]
    half_width_mm: Sequence[float]
    half_height_mm: Sequence[float]
    energies_kev: Sequence[float]
    photons: Sequence[float] = (1.0,)
    bin_kev: float = 0.0
    round_opening: bool = False
    emission: tuple = field(init=False, repr=False)

    def __post_init__(self):
        energies, photons = np.asarray(self.energies_kev, float), np.asarray(self.photons, float)
        if energies.ndim != 1 or energies.shape != photons.shape or not energies.min() > 0 or photons.min() < 0 \
                or not photons.sum() > 0:
            raise InputError("the spectrum needs as many photon numbers as energies, and energies above 0",
                             mend="Give energies_kev and photons of the same length.")
        axis, width, height = (np.asarray(v, float) for v in (
            np.subtract(self.opening_mm, self.focus_mm), self.half_width_mm, self.half_height_mm))
        nearest_mm = _nearest_mm(axis, width, height)
        if not nearest_mm > 0:
            raise InputError("the focus lies in the beam's opening", mend="Move the opening away from the focus.")
        chance, alias = alias_rows(photons[None])
        tables = (*(float(v) for v in self.focus_mm), *axis, *width, *height, nearest_mm,
                  self.round_opening, chance, alias, energies, float(self.bin_kev))
        object.__setattr__(self, "emission", (one_photon, tables))

    @classmethod
    def fan(cls, isocentre_mm: Sequence[float], focus_isocentre_mm: float, gantry_deg: float, fan_deg: float,
            cone_deg: float, energies_kev: Sequence[float], photons: Sequence[float] = (1.0,),
            bin_kev: float = 0.0) -> RectangularBeam:
        """A CT beam at one gantry angle: `fan_deg` wide in the (x, y) plane and `cone_deg` along z, both full angles.

        Gantry angle 0 puts the focus towards -y (above a supine patient), 90 degrees towards +x.
        """
        angle = math.radians(gantry_deg)
        outward = np.array([math.sin(angle), -math.cos(angle), 0.0])
        half_width = focus_isocentre_mm * math.tan(math.radians(0.5 * fan_deg))
        half_height = focus_isocentre_mm * math.tan(math.radians(0.5 * cone_deg))
        return cls(np.asarray(isocentre_mm, float) + focus_isocentre_mm * outward, isocentre_mm,
                   (half_width * math.cos(angle), half_width * math.sin(angle), 0.0), (0.0, 0.0, half_height),
                   energies_kev, photons, bin_kev)

    @property
    def highest_kev(self) -> float:
        return float(np.max(self.energies_kev)) + 0.5 * self.bin_kev

    def emit(self, photons: Photons, seed: int, first_history: int) -> None:
        """See `PhotonSource.emit`."""
        _emit(photons.position_mm, photons.direction, photons.energy_kev, photons.weight, seed, first_history,
              self.emission[1])


def _nearest_mm(axis: np.ndarray, width: np.ndarray, height: np.ndarray) -> float:
    """Distance from the focus to the nearest place of the opening: that of a box-constrained least-squares problem."""
    from scipy.optimize import lsq_linear

    edges = np.stack([width, height], axis=1)
    if not np.any(edges):
        return float(np.linalg.norm(axis))
    return math.sqrt(2 * lsq_linear(edges, -axis, bounds=(-1.0, 1.0)).cost)


@scalar_function
def one_photon(seed, history, focus_x, focus_y, focus_z, axis_x, axis_y, axis_z, width_x, width_y, width_z, height_x,
               height_y, height_z, nearest_mm, round_opening, chance, alias, energies_kev, bin_kev):
    """x, y, z (mm), u, v, w (unit direction), energy (keV) and weight of the photon that belongs to (seed, history)."""
    state = next_state(first_state(seed, EMISSION_STREAM, history))
    while True:
        a, b = uniform_pair(state)
        a, b = 2.0 * a - 1.0, 2.0 * b - 1.0
        u = axis_x + a * width_x + b * height_x
        v = axis_y + a * width_y + b * height_y
        w = axis_z + a * width_z + b * height_z
        length = math.sqrt(u * u + v * v + w * w)
        # An area seen from further away, and the more slanting for it, spans a smaller solid angle.
        state = next_state(state)
        kept = uniform(state) < (nearest_mm / length) ** 3 and (a * a + b * b <= 1.0 or not round_opening)
        state = next_state(state)
        if kept:
            break
    cell, part = drawn(chance, alias, 0, uniform(state))
    energy_kev = energies_kev[cell] + bin_kev * (part - 0.5)
    return focus_x, focus_y, focus_z, u / length, v / length, w / length, energy_kev, 1.0


@njit(nogil=True, cache=True)
def _emit(position_mm, direction, energy_kev, weight, seed, first_history, tables):
    for photon in range(position_mm.shape[0]):
        put(one_photon(seed, first_history + photon, *tables), position_mm, direction, energy_kev, weight, photon)
