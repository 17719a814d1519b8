"""Photon Monte Carlo in voxels. Knows materials and sources of particles, nothing of CT or nuclides."""
