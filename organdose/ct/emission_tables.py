"""The tables from which `photon_emission.one_photon` draws."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from organdose.ct.tube import Tube
from organdose.ct.tube_path import FULL_TURN_RAD, TubePath
from organdose.errors import InputError
from organdose.transport.alias_table import alias_rows

_FAN_CELLS = 256
_CONE_CELL_MM = 8.0
PATH_CELLS = 4096  # at least, along z
_MOST_PATH_CELLS, _CELLS_PER_TURN, _ANGLE_CELLS = 32000, 72, 360


def emission_tables(tubes: Sequence[Tube], path: TubePath, focus_isocentre_mm: float, collimation_mm: float,
                    isocentre_mm: tuple[float, float], collimator_mm: float, spot_across_mm: float,
                    spot_along_mm: float) -> tuple:
    """The arguments of `one_photon` behind seed and history, in its order. Lengths in mm.

    Raises `InputError` when a beam reaches behind its anode, or no tube has a share.
    """
    shares = np.array([tube.share for tube in tubes])
    if not shares.sum() > 0:
        raise InputError("no tube has a share of the photons", mend="Correct the shares.")
    half_aperture_mm = 0.5 * collimation_mm * collimator_mm / focus_isocentre_mm
    heel = any(tube.anode_angle_deg is not None for tube in tubes)
    cone_cells = max(1, math.ceil(collimation_mm / _CONE_CELL_MM)) if heel else 1
    cells, energies = zip(*(_directions(tube, cone_cells, half_aperture_mm / collimator_mm, focus_isocentre_mm)
                            for tube in tubes))
    most = max(len(tube.spectrum.energies_kev) for tube in tubes)
    energy_weights = np.concatenate([np.pad(rows, ((0, 0), (0, most - rows.shape[1]))) for rows in energies])
    energies_kev = np.stack([np.pad(tube.spectrum.energies_kev, (0, most - len(tube.spectrum.energies_kev)))
                             for tube in tubes])
    return (float(focus_isocentre_mm), float(isocentre_mm[0]), float(isocentre_mm[1]), float(collimator_mm),
            float(half_aperture_mm), float(spot_across_mm), float(spot_along_mm), np.cumsum(shares) / shares.sum(),
            *_path_tables(tubes, path), *alias_rows(np.stack(cells)),
            np.array([math.sin(tube.fan_half_angle_rad) for tube in tubes]), _FAN_CELLS, cone_cells,
            *alias_rows(energy_weights), energies_kev.astype(float),
            np.array([float(tube.spectrum.bin_kev) for tube in tubes]))


def _directions(tube: Tube, cone_cells: int, aperture_slope: float, focus_isocentre_mm: float
                ) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the direction cells (fans x cones,) and, for each cell of half the fan, of the energies."""
    edges = np.linspace(-1, 1, cone_cells + 1) * aperture_slope
    fan_sine = math.sin(tube.fan_half_angle_rad) * ((np.arange(_FAN_CELLS) + 0.5) * 2 / _FAN_CELLS - 1)
    fan_cosine = np.sqrt(1 - fan_sine**2)
    slopes = edges * fan_cosine[:, None]
    elevation_sine = slopes / np.sqrt(1 + slopes**2)
    middle = 0.5 * (elevation_sine[:, 1:] + elevation_sine[:, :-1])
    photons = tube.photons(fan_sine, middle, focus_isocentre_mm)
    # An even step of the fan's sine spans the more fan angle, the further out it is.
    solid_angle = np.diff(elevation_sine, axis=1) / fan_cosine[:, None]
    cells = (photons.sum(axis=2) * solid_angle).ravel()
    half = photons[_FAN_CELLS // 2:]  # both sides of the fan are alike
    return cells, half.reshape(-1, photons.shape[2])


def _path_tables(tubes: Sequence[Tube], path: TubePath) -> tuple:
    """From path_chance to angle_alias of `one_photon`."""
    offsets = np.array([tube.offset_rad for tube in tubes])
    start = 0.0 if path.start_angle_rad is None else path.start_angle_rad
    z_first_mm, length_mm = float(path.z_mm[0]), float(path.z_mm[-1] - path.z_mm[0])
    cells = 1
    if length_mm > 0:
        turns = length_mm / abs(path.feed_mm) if path.angle_goes_with_z else 0.0
        cells = min(max(PATH_CELLS, math.ceil(turns * _CELLS_PER_TURN)), _MOST_PATH_CELLS)
    z_mm = z_first_mm + length_mm * (np.arange(cells) + 0.5) / cells
    density = np.interp(z_mm, path.z_mm, path.weight)
    if path.angle_goes_with_z:
        per_z = FULL_TURN_RAD / path.feed_mm
        density = density * path.output_at(start + offsets[:, None] + per_z * (z_mm - z_first_mm))
        angle_weights, arc = np.ones((len(tubes), 1)), 0.0
    else:
        per_z = 0.0
        density = np.broadcast_to(density, (len(tubes), cells))
        # A start angle that is not known averages every arc over the whole turn.
        arc = FULL_TURN_RAD if path.start_angle_rad is None else path.arc_rad
        count = 1 if path.angular_weight is None or arc == 0 else _ANGLE_CELLS
        middle = start + offsets[:, None] + arc * (np.arange(count) + 0.5) / count
        angle_weights = path.output_at(middle)
    if np.any(density.sum(axis=1) == 0) or np.any(angle_weights.sum(axis=1) == 0):
        raise InputError("the tube emits nothing on its path", mend="Correct the angular weights.")
    step = arc / angle_weights.shape[1]
    return (*alias_rows(density), z_first_mm, length_mm / cells, start + offsets, float(per_z), float(step),
            *alias_rows(angle_weights))
