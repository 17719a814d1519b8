"""The X-ray tube on its way around and along the patient, as a source of photons.

The focal spot circles the isocentre axis (parallel to z). Photons leave it isotropically through the collimator; the
bowtie shapes how many go into each direction and with which spectrum, the anode (heel effect) likewise along z. Every
emitted photon counts as one history behind all filters.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from organdose.ct.bowtie import Bowtie, TabulatedBowtie
from organdose.ct.emission_tables import emission_tables
from organdose.ct.photon_emission import emit_photons, one_photon
from organdose.ct.spectrum import Spectrum
from organdose.ct.tube import Tube
from organdose.ct.tube_path import TubePath
from organdose.errors import InputError
from organdose.transport.particles import Photons


@dataclass(frozen=True)
class FocalSpot:
    """Size of the focal spot (mm, as seen from the isocentre, evenly bright) across the fan and along z, and the
    distance (mm) from it to the collimator that limits the beam along z.

    The penumbra at the isocentre, over which the beam's edge falls from all to nothing, is along_mm x (focus-isocentre
    distance / collimator_mm - 1) wide.
    """

    across_mm: float = 0.0
    along_mm: float = 0.0
    collimator_mm: float = 200.0

    def __post_init__(self):
        if min(self.across_mm, self.along_mm) < 0 or not self.collimator_mm > 0:
            raise InputError("focal spot sizes must not be negative, the collimator's distance must be positive",
                             mend="Give mm.")


@dataclass(frozen=True)
class XRaySource:
    """One or more rotating X-ray tubes (a `PhotonSource`).

    `spectrum` is that behind the flat filters and in front of the bowtie; `total_collimation_mm` the beam's full width
    at half maximum along z on the axis through the isocentre (IEC 60601-2-44: N x T); where the penumbra is wider than
    that, the beam is as wide as the penumbra. `bowtie` None: none. `anode_angle_deg` None: no heel effect; positive:
    the anode lies towards -z, so that photons towards +z leave at larger angles to its face; negative: towards +z.
    `further_tubes`: those of a dual-source scanner, beside the first tube, which has the share 1. All share path,
    collimation and focal spot.
    Raises `InputError` for impossible geometry.
    """

    spectrum: Spectrum
    path: TubePath
    focus_isocentre_mm: float
    fan_half_angle_rad: float
    total_collimation_mm: float
    isocentre_mm: tuple[float, float] = (0.0, 0.0)
    bowtie: Bowtie | TabulatedBowtie | None = None
    anode_angle_deg: float | None = None
    focal_spot: FocalSpot = FocalSpot()
    further_tubes: tuple[Tube, ...] = ()
    _tables: tuple = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        if not 0 < self.total_collimation_mm < self.focus_isocentre_mm:
            raise InputError(f"a collimation of {self.total_collimation_mm:g} mm is impossible at a focus-isocentre "
                             f"distance of {self.focus_isocentre_mm:g} mm", mend="Correct them.")
        if not self.focal_spot.collimator_mm < self.focus_isocentre_mm:
            raise InputError("the collimator must lie between focal spot and isocentre", mend="Correct its distance.")
        object.__setattr__(self, "_tables", emission_tables(
            self.tubes, self.path, self.focus_isocentre_mm, self.total_collimation_mm, self.isocentre_mm,
            self.focal_spot.collimator_mm, self.focal_spot.across_mm, self.focal_spot.along_mm))

    @property
    def tubes(self) -> tuple[Tube, ...]:
        """All tubes, the first one being that of the source's own fields."""
        return Tube(self.spectrum, self.fan_half_angle_rad, self.bowtie, self.anode_angle_deg), *self.further_tubes

    @property
    def highest_kev(self) -> float:
        return max(tube.spectrum.highest_kev for tube in self.tubes)

    @property
    def emission(self) -> tuple:
        """`(one_photon, tables)`: the scalar function and the arrays and numbers for
        `one_photon(seed, history, *tables) -> x, y, z, u, v, w, energy_kev, weight`."""
        return one_photon, self._tables

    def emit(self, photons: Photons, seed: int, first_history: int) -> None:
        """See `PhotonSource.emit`."""
        emit_photons(photons.position_mm, photons.direction, photons.energy_kev, photons.weight, seed, first_history,
                     self._tables)
