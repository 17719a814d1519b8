"""Media that kernels are made for."""

from __future__ import annotations

from dataclasses import dataclass

from organdose.transport.materials import Material


@dataclass(frozen=True)
class Medium:
    """A material with the density (g/cm3) it has in the body."""

    material: Material
    density_g_cm3: float


def _medium(name: str, density_g_cm3: float, percent: dict[str, float]) -> Medium:
    return Medium(Material.from_symbols(name, percent), density_g_cm3)


# Compositions by weight after NIST's ESTAR list (ICRP soft tissue, ICRP lung, ICRP cortical bone).
SOFT_TISSUE = _medium("soft tissue (ICRP)", 1.04, {
    "H": 10.4472, "C": 23.219, "N": 2.488, "O": 63.0238, "Na": 0.113, "Mg": 0.013, "P": 0.133, "S": 0.199, "Cl": 0.134,
    "K": 0.199, "Ca": 0.023, "Fe": 0.005, "Zn": 0.003})
LUNG = _medium("lung (ICRP)", 0.26, {
    "H": 10.1278, "C": 10.231, "N": 2.865, "O": 75.7072, "Na": 0.184, "Mg": 0.073, "P": 0.08, "S": 0.225, "Cl": 0.266,
    "K": 0.194, "Ca": 0.009, "Fe": 0.037, "Zn": 0.001})
# Spongiosa with its marrow: ICRU report 46 (1992), skeleton, spongiosa, adult.
SPONGY_BONE = _medium("spongy bone (ICRU)", 1.18, {
    "H": 8.5, "C": 40.4, "N": 2.8, "O": 36.7, "Na": 0.1, "Mg": 0.1, "P": 3.4, "S": 0.2, "Cl": 0.2, "K": 0.1, "Ca": 7.4,
    "Fe": 0.1})
CORTICAL_BONE = _medium("cortical bone (ICRP)", 1.85, {
    "H": 4.7234, "C": 14.433, "N": 4.199, "O": 44.6096, "Mg": 0.22, "P": 10.497, "S": 0.315, "Ca": 20.993, "Zn": 0.01})

# Voxels of less density are air: there is no kernel for it, and dose to next to no mass says nothing.
AIR_BELOW_G_CM3 = 0.05
