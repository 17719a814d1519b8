"""Stylised adult patients: equations, seeded variation, voxels."""
