"""What a voxel is made of."""

from __future__ import annotations

from dataclasses import dataclass

from organdose.errors import InputError

_SYMBOLS = """H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr
Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu
Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U"""
ATOMIC_NUMBER = {symbol: z for z, symbol in enumerate(_SYMBOLS.split(), start=1)}


@dataclass(frozen=True)
class Material:
    """A mixture by weight. `weight_fractions` maps atomic number to weight fraction; they add up to 1."""

    name: str
    weight_fractions: dict[int, float]

    @classmethod
    def from_symbols(cls, name: str, fractions: dict[str, float]) -> Material:
        """From element symbols and weights in any unit (they are normalised). Raises `InputError` naming a bad one."""
        unknown = [symbol for symbol in fractions if symbol not in ATOMIC_NUMBER]
        if unknown:
            raise InputError(f"unknown element {unknown[0]!r} in material {name!r}", mend="Use symbols such as H, Ca.")
        total = sum(fractions.values())
        if not total > 0 or min(fractions.values()) < 0:
            raise InputError(f"weights of material {name!r} must be positive", mend="Correct the composition.")
        return cls(name, {ATOMIC_NUMBER[symbol]: value / total for symbol, value in fractions.items() if value > 0})


# TG-195 (Sechopoulos et al., Med Phys 42 (2015) 5679), compositions after NIST; weights in percent.
PMMA = Material.from_symbols("PMMA", {"H": 8.0541, "C": 59.9846, "O": 31.9613})
DRY_AIR = Material.from_symbols("dry air", {"C": 0.0124, "N": 75.5268, "O": 23.1781, "Ar": 1.2827})
WATER = Material.from_symbols("water", {"H": 11.1898, "O": 88.8102})
PMMA_DENSITY_G_CM3 = 1.19
DRY_AIR_DENSITY_G_CM3 = 0.001205
