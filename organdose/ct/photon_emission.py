"""One photon of an X-ray tube, as scalars: the same function serves processors and graphics cards.

`one_photon(seed, history, *tables)` takes the tables of `emission_tables.emission_tables`. It draws from alias tables
and closed formulas only, so every photon costs the same few random numbers.
"""

from __future__ import annotations

import math

from numba import njit

from organdose.transport.alias_table import drawn
from organdose.transport.emission import EMISSION_STREAM, put
from organdose.transport.random_numbers import first_state, next_state, uniform


@njit(error_model="numpy", forceinline=True)
def one_photon(seed, history, focus_isocentre_mm, isocentre_x_mm, isocentre_y_mm, collimator_mm, half_aperture_mm,
               spot_across_mm, spot_along_mm, tube_ends, path_chance, path_alias, z_first_mm, z_step_mm,
               angle_first, angle_per_z, angle_step, angle_chance, angle_alias, cell_chance, cell_alias, sine_limit,
               fan_cells, cone_cells, energy_chance, energy_alias, energies_kev, bin_kev):
    """x, y, z (mm), u, v, w (unit direction), energy (keV) and weight of the photon that belongs to (seed, history)."""
    state = next_state(first_state(seed, EMISSION_STREAM, history))
    tube = 0
    if tube_ends.shape[0] > 1:
        r = uniform(state)
        state = next_state(state)
        while tube < tube_ends.shape[0] - 1 and r >= tube_ends[tube]:
            tube += 1
    cell, part = drawn(path_chance, path_alias, tube, uniform(state))
    travel_mm = z_step_mm * (cell + part)
    state = next_state(state)
    cell, part = drawn(angle_chance, angle_alias, tube, uniform(state))
    angle = angle_first[tube] + angle_per_z * travel_mm + angle_step * (cell + part)

    # Isotropic emission is even in the fan angle and in the sine of the elevation; cells are even in the fan's sine.
    state = next_state(state)
    cell, part = drawn(cell_chance, cell_alias, tube, uniform(state))
    fan_cell, cone_cell = cell // cone_cells, cell % cone_cells
    limit = sine_limit[tube]
    fan_sine = limit * (2.0 * (fan_cell + part) / fan_cells - 1.0)
    fan_cosine = math.sqrt(1.0 - fan_sine * fan_sine)
    state = next_state(state)
    spot_mm = spot_along_mm * (uniform(state) - 0.5)
    # The collimator's edges are fixed: a spot that is higher sees its aperture lower, which makes the penumbra.
    flat_mm = collimator_mm / fan_cosine
    low_mm = half_aperture_mm * (2.0 * cone_cell / cone_cells - 1.0) - spot_mm
    high_mm = half_aperture_mm * (2.0 * (cone_cell + 1) / cone_cells - 1.0) - spot_mm
    low = low_mm / math.sqrt(flat_mm * flat_mm + low_mm * low_mm)
    high = high_mm / math.sqrt(flat_mm * flat_mm + high_mm * high_mm)
    state = next_state(state)
    elevation_sine = low + (high - low) * uniform(state)
    in_plane = math.sqrt(1.0 - elevation_sine * elevation_sine)

    state = next_state(state)
    half_fan_cell = abs(2 * fan_cell + 1 - fan_cells) // 2
    row = (tube * (fan_cells // 2) + half_fan_cell) * cone_cells + cone_cell
    cell, part = drawn(energy_chance, energy_alias, row, uniform(state))
    energy_kev = energies_kev[tube, cell] + bin_kev[tube] * (part - 0.5)

    sine, cosine = math.sin(angle), math.cos(angle)
    across_mm = 0.0
    if spot_across_mm > 0.0:
        state = next_state(state)
        across_mm = spot_across_mm * (uniform(state) - 0.5)
    x = isocentre_x_mm + focus_isocentre_mm * sine + across_mm * cosine
    y = isocentre_y_mm - focus_isocentre_mm * cosine + across_mm * sine
    u = (fan_sine * cosine - fan_cosine * sine) * in_plane
    v = (fan_sine * sine + fan_cosine * cosine) * in_plane
    return x, y, z_first_mm + travel_mm + spot_mm, u, v, elevation_sine, energy_kev, 1.0


@njit(nogil=True, cache=True)
def emit_photons(position_mm, direction, energy_kev, weight, seed, first_history, tables):
    """Fill the arrays of `Photons` with the histories from `first_history` on."""
    for photon in range(position_mm.shape[0]):
        put(one_photon(seed, first_history + photon, *tables), position_mm, direction, energy_kev, weight, photon)
