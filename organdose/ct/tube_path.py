"""The way of an X-ray tube: where along the patient it shines, and from which gantry angles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from organdose.errors import InputError

FULL_TURN_RAD = 2.0 * math.pi


@dataclass(frozen=True)
class TubePath:
    """Where the beam's centre is along z, and how the gantry angle goes with it.

    `z_mm` (n, rising) and `weight` (n, not negative, any unit): photons per mm of table travel, linear between nodes; a
    single node stands for one rotation, or one projection, at that place.
    `start_angle_rad`: gantry angle of the first photon; None: not known, the angle is averaged over a whole turn.
    With a start angle the scan is
    - helical where `feed_mm` (table feed for each rotation, negative for gantry angles that fall with z) is given:
      angle = start + 2 pi (z - z_mm[0]) / feed_mm;
    - axial or cone-beam otherwise: angles uniform in [start, start + arc_rad];
    - a localiser with `arc_rad` = 0: the angle is fixed while z moves.
    `angular_weight` (n,): relative tube output at n equally spaced gantry angles from 0, linear between them and
    periodic; None: constant. Gantry angle 0 is the tube above a supine patient (towards -y), a quarter turn towards +x.
    Raises `InputError` for impossible values.
    """

    z_mm: np.ndarray
    weight: np.ndarray
    start_angle_rad: float | None = None
    feed_mm: float | None = None
    arc_rad: float = FULL_TURN_RAD
    angular_weight: np.ndarray | None = None

    def __post_init__(self):
        z_mm, weight = np.atleast_1d(self.z_mm).astype(float), np.atleast_1d(self.weight).astype(float)
        object.__setattr__(self, "z_mm", z_mm)
        object.__setattr__(self, "weight", weight)
        if z_mm.ndim != 1 or z_mm.shape != weight.shape or not len(z_mm):
            raise InputError("places and weights of the tube's path differ in number", mend="Give one weight a place.")
        if not np.all(np.isfinite(z_mm)) or np.any(np.diff(z_mm) <= 0):
            raise InputError("the places of the tube's path must rise along z", mend="Sort them.")
        _check_weights("weights of the tube's path", weight)
        if self.start_angle_rad is not None and not math.isfinite(self.start_angle_rad):
            raise InputError("the start angle must be a number", mend="Give it in radians.")
        if not 0 <= self.arc_rad <= 100 * FULL_TURN_RAD:
            raise InputError(f"an arc of {self.arc_rad:g} rad is impossible", mend="Give 0 (localiser) or more.")
        if self.feed_mm is not None and not (math.isfinite(self.feed_mm) and self.feed_mm != 0):
            raise InputError("the table feed of a helical scan must not be 0", mend="Give mm per rotation.")
        if self.angular_weight is not None:
            angular = np.atleast_1d(self.angular_weight).astype(float)
            _check_weights("angular weights", angular)
            object.__setattr__(self, "angular_weight", angular)

    @classmethod
    def axial(cls, z_mm: float, *, start_angle_rad: float | None = None, arc_rad: float = FULL_TURN_RAD,
              angular_weight: np.ndarray | None = None) -> TubePath:
        """One rotation at one place."""
        return cls(np.array([z_mm]), np.array([1.0]), start_angle_rad, None, arc_rad, angular_weight)

    @classmethod
    def helical(cls, z_mm: np.ndarray, weight: np.ndarray, feed_mm: float, *, start_angle_rad: float | None = None,
                angular_weight: np.ndarray | None = None) -> TubePath:
        """A continuous table movement with `feed_mm` for each rotation."""
        return cls(z_mm, weight, start_angle_rad, feed_mm, FULL_TURN_RAD, angular_weight)

    @classmethod
    def cone_beam(cls, z_mm: float, start_angle_rad: float, arc_rad: float = FULL_TURN_RAD, *,
                  angular_weight: np.ndarray | None = None) -> TubePath:
        """One wide rotation, often less than a whole turn, at one place."""
        if not arc_rad > 0:
            raise InputError("a cone-beam rotation needs an arc", mend="Give arc_rad above 0.")
        return cls(np.array([z_mm]), np.array([1.0]), start_angle_rad, None, arc_rad, angular_weight)

    @classmethod
    def localiser(cls, z_mm: np.ndarray, angle_rad: float, weight: np.ndarray | None = None) -> TubePath:
        """A projection radiograph: a tube at rest, z moves. `weight` None: even along z."""
        return cls(z_mm, np.ones(np.shape(z_mm)) if weight is None else weight, angle_rad, None, 0.0, None)

    @property
    def angle_goes_with_z(self) -> bool:
        return self.start_angle_rad is not None and self.feed_mm is not None

    def output_at(self, angle_rad: np.ndarray) -> np.ndarray:
        """Relative tube output at gantry angles (any shape)."""
        if self.angular_weight is None:
            return np.ones(np.shape(angle_rad))
        closed = np.append(self.angular_weight, self.angular_weight[0])
        place = np.mod(np.asarray(angle_rad) / FULL_TURN_RAD, 1.0) * len(self.angular_weight)
        return np.interp(place, np.arange(len(closed)), closed)


def _check_weights(what: str, weight: np.ndarray) -> None:
    if not np.all(np.isfinite(weight)) or np.any(weight < 0) or not weight.sum() > 0:
        raise InputError(f"{what} must be finite, not negative and not all 0", mend="Correct them.")
