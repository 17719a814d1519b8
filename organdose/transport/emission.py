"""How a source's scalar function fills the arrays that particles are handed over in, on CPU and GPU alike."""

from organdose.transport.compiled import scalar_function

EMISSION_STREAM = 0


@scalar_function
def put(particle, position_mm, direction, energy_kev, weight, n):
    """Write `particle` (x, y, z in mm, u, v, w, energy in keV, weight) into row n."""
    x, y, z, u, v, w, energy, statistical = particle
    position_mm[n, 0], position_mm[n, 1], position_mm[n, 2] = x, y, z
    direction[n, 0], direction[n, 1], direction[n, 2] = u, v, w
    energy_kev[n], weight[n] = energy, statistical
