"""Photons between two collisions, in two ways. Scalar functions, compiled by numba for CPU and CUDA alike.

By stops (Woodcock et al., ANL-7050 (1965)): flight lengths are drawn with the largest attenuation of the whole grid; at
each stop the photon interacts with the probability local / largest attenuation, so that voxel borders need no search.
The expected energy transfer is scored at every stop, interaction or not. Few steps a history: for fine voxels.

By tracks: the photon walks from voxel border to voxel border (Amanatides and Woo, Eurographics (1987) 3) until its
drawn number of mean free paths is used up, and leaves its mean energy transfer per length in every voxel it crosses
(track-length estimator; Williamson, Phys Med Biol 32 (1987) 1595). More steps a history, each cheap, and many voxels
touched: for voxels of some millimetres.
"""


from numba import njit

from organdose.transport.compiled import scalar_function
from organdose.transport.cross_sections import ATTENUATION, TRANSFERRED
from organdose.transport.interactions import energy_place, looked_up

_PARALLEL = 1e-12
_FAR = 1e30


@scalar_function
def distance_to_grid(x, y, z, u, v, w, grid):
    """Distance (mm) along the direction to the grid, in its own coordinates; 0 from inside, -1 if it is missed."""
    near, far = 0.0, _FAR
    for place, direction, size in ((x, u, grid.size_x), (y, v, grid.size_y), (z, w, grid.size_z)):
        if abs(direction) < _PARALLEL:
            if place < 0.0 or place > size:
                return -1.0
        else:
            t_1, t_2 = -place / direction, (size - place) / direction
            near = max(near, min(t_1, t_2))
            far = min(far, max(t_1, t_2))
    return near if near < far else -1.0


@scalar_function
def entered(x, y, z, u, v, w, grid):
    """Whether the photon meets the grid, and where, in the grid's own coordinates (mm from its lower corner)."""
    x, y, z = x - grid.corner_x, y - grid.corner_y, z - grid.corner_z
    distance = distance_to_grid(x, y, z, u, v, w, grid)
    return distance >= 0.0, x + u * distance, y + v * distance, z + w * distance


@scalar_function
def voxel_at(x, y, z, grid):
    """Flat index of the voxel around a place, -1 outside the grid."""
    if x < 0.0 or y < 0.0 or z < 0.0 or x >= grid.size_x or y >= grid.size_y or z >= grid.size_z:
        return -1
    i, j, m = int(x / grid.voxel_x), int(y / grid.voxel_y), int(z / grid.voxel_z)
    # A place a rounding error below the upper border belongs to the last voxel.
    i, j, m = min(i, grid.count_x - 1), min(j, grid.count_y - 1), min(m, grid.count_z - 1)
    return (m * grid.count_y + j) * grid.count_x + i


@scalar_function
def material_and_density(index, grid):
    """Material of a voxel and its density in the grid's steps."""
    word = grid.voxels[index]
    return word & 255, float(word >> 8)


@scalar_function
def mean_free_path(energy_kev, majorant_per_mm, tables):
    """Of the Woodcock flight at this energy (mm), with the place in the energy grid."""
    k, part = energy_place(energy_kev, tables)
    return 1.0 / (majorant_per_mm[k] * (1.0 - part) + majorant_per_mm[k + 1] * part), k, part


@scalar_function
def at_stop(material, density, k, part, mean_free_path_mm, grid, tables):
    """Probability that the photon interacts at a Woodcock stop, and the part of its energy it gives there on average
    (interaction or not)."""
    steps = density * grid.density_step * mean_free_path_mm
    return (steps * looked_up(tables, material, k, part, ATTENUATION),
            steps * looked_up(tables, material, k, part, TRANSFERRED))


@njit(inline="always", _nrt=False)
def fly_by_track(x, y, z, u, v, w, energy_kev, k, part, mean_free_paths, grid, tables, score, deposited):
    """One flight from border to border, `score`d into `deposited` voxel by voxel. `energy_kev` is that of the photon
    times its weight; `k` and `part` are its place in the energy grid.

    Returns the distance to the collision (mm; -1 when the photon leaves the grid) and the flat index of its voxel.
    """
    i = min(max(int(x / grid.voxel_x), 0), grid.count_x - 1)
    j = min(max(int(y / grid.voxel_y), 0), grid.count_y - 1)
    m = min(max(int(z / grid.voxel_z), 0), grid.count_z - 1)
    index = (m * grid.count_y + j) * grid.count_x + i
    next_x, step_x, stride_x, left_x = _borders(x, u, i, grid.voxel_x, grid.count_x, 1)
    next_y, step_y, stride_y, left_y = _borders(y, v, j, grid.voxel_y, grid.count_y, grid.count_x)
    next_z, step_z, stride_z, left_z = _borders(z, w, m, grid.voxel_z, grid.count_z, grid.count_x * grid.count_y)
    gone, last_material, attenuation, transferred = 0.0, -1, 0.0, 0.0
    while True:
        material, density = material_and_density(index, grid)
        if material != last_material:
            attenuation = grid.density_step * looked_up(tables, material, k, part, ATTENUATION)
            transferred = energy_kev * grid.density_step * looked_up(tables, material, k, part, TRANSFERRED)
            last_material = material
        here, last = index, False
        if next_x < next_y and next_x < next_z:
            border = next_x
            next_x += step_x
            index += stride_x
            left_x -= 1
            last = left_x == 0
        elif next_y < next_z:
            border = next_y
            next_y += step_y
            index += stride_y
            left_y -= 1
            last = left_y == 0
        else:
            border = next_z
            next_z += step_z
            index += stride_z
            left_z -= 1
            last = left_z == 0
        length = border - gone
        paths = length * density * attenuation
        if paths > mean_free_paths:
            length = mean_free_paths / (density * attenuation)
            score(deposited, here, length * density * transferred)
            return gone + length, here
        score(deposited, here, length * density * transferred)
        if last:
            return -1.0, here
        mean_free_paths -= paths
        gone = border


@scalar_function
def _borders(place, direction, voxel, voxel_mm, count, stride):
    """Along one axis: distance to the next border, between borders, index stride and voxels left up to the end."""
    per_mm = 1.0 / max(abs(direction), _PARALLEL)
    if direction > 0.0:
        return ((voxel + 1) * voxel_mm - place) * per_mm, voxel_mm * per_mm, stride, count - voxel
    return (place - voxel * voxel_mm) * per_mm, voxel_mm * per_mm, -stride, voxel + 1
