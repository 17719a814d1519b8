"""The stylised adults of MIRD and Cristy-Eckerman as equations, read from `Resources/phantoms`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from organdose.anatomy.phantoms.media import media
from organdose.anatomy.phantoms.shapes import Solid, solid_from_json
from organdose.errors import InputError
from organdose.resources import resource_path

PHANTOM_FILES = {"adult-male": "adult_male.json", "adult-female": "adult_female.json"}
ARMS_UP, ARMS_DOWN = "arms-up", "arms-down"


@dataclass(frozen=True)
class PhantomPart:
    """One solid of one medium. `masks` are the organs of the vocabulary it belongs to (none for canal and discs).

    `contents` lie inside it (blood in the heart, gas in the bowel), later ones inside earlier ones. `pose` limits the
    part to one pose ('' for both). `texture` names the fine structure drawn into it. `moves`: a soft organ whose place
    and size differ between patients.
    """

    name: str
    medium: str
    solid: Solid
    masks: tuple[str, ...]
    contents: tuple[tuple[Solid, str], ...] = ()
    pose: str = ""
    texture: str = ""
    moves: bool = False
    published_mass_g: float | None = None
    source: str = ""


@dataclass(frozen=True)
class Exterior:
    """Body surface of one pose. The inner solids are None for the published, uniform body."""

    solid: Solid
    under_skin_and_fat: Solid | None = None
    cavity: Solid | None = None
    skin_cm: float = 0.0


@dataclass(frozen=True)
class Phantom:
    """A stylised patient. Solids are in the reference's centimetres; the patient's are those times `scale` (x, y, z).

    `girth` stretches the body surface in x and y around the skeleton (1: reference); the muscle wall takes a third of
    that stretch and the cavity half, the rest is subcutaneous fat. `seed` is 0 for the reference patient.
    `skeleton_helpers` are whole bones that the parts divide (spine, pelvis, rib pairs), for comparison with the report.
    """

    name: str
    title: str
    sex: str
    height_cm: float
    parts: tuple[PhantomPart, ...]
    exteriors: dict[str, Exterior]
    published_body_mass_g: float
    forearms_mass_g: float
    trunk_scan_z_cm: tuple[float, float]
    source: str
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    girth: float = 1.0
    seed: int = 0
    skeleton_helpers: dict[str, Solid] = field(default_factory=dict, repr=False)

    def parts_in(self, pose: str) -> tuple[PhantomPart, ...]:
        """The parts present in a pose, in the order in which they claim voxels."""
        return tuple(part for part in self.parts if part.pose in ("", pose))

    @property
    def stature_cm(self) -> float:
        return self.height_cm * self.scale[2]


@cache
def load_phantom(name: str) -> Phantom:
    """The reference phantom 'adult-male' or 'adult-female'. Raises `InputError` for another name."""
    if name not in PHANTOM_FILES:
        raise InputError(f"there is no phantom {name!r}", mend=f"Choose one of: {', '.join(PHANTOM_FILES)}.")
    return read_phantom(resource_path("phantoms", PHANTOM_FILES[name]))


def read_phantom(path: Path) -> Phantom:
    """A phantom from its JSON file (layout: Resources/phantoms/README.md). Raises `InputError` saying what is wrong."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        known: dict[str, Solid] = {}
        helpers: dict[str, Solid] = {}
        parts = []
        for item in data["parts"]:
            solid = solid_from_json(item["solid"], known, path)
            known[item["name"]] = solid
            if item.get("helper"):
                helpers[item["name"]] = solid
            else:
                parts.append(_part(item, solid, known, path))
        exteriors = {pose: _exterior(item, known, path) for pose, item in data["exterior"].items()}
        return Phantom(data["name"], data["title"], data["sex"], data["height_cm"], tuple(parts), exteriors,
                       data["published_body_mass_g"], data["forearms_mass_g"], tuple(data["trunk_scan_z_cm"]),
                       data["source"], skeleton_helpers=helpers)
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"not a readable phantom ({type(error).__name__}: {error})", where=path,
                         mend="Follow the layout of Resources/phantoms/README.md.") from error


def _part(item: dict, solid: Solid, known: dict[str, Solid], path: Path) -> PhantomPart:
    contents = tuple((solid_from_json(c["solid"], known, path), c["medium"]) for c in item.get("contents", ()))
    for medium in (item["medium"], *(m for _, m in contents)):
        if medium not in media().number:
            raise InputError(f"{item['name']}: unknown medium {medium!r}", where=path,
                             mend="Use a medium of Resources/phantoms/media.json.")
    return PhantomPart(item["name"], item["medium"], solid, tuple(item.get("masks", (item["name"],))), contents,
                       item.get("pose", ""), item.get("texture", ""), item.get("moves", False),
                       item.get("published_mass_g"), item["source"])


def _exterior(item: dict, known: dict[str, Solid], path: Path) -> Exterior:
    inner, cavity = (solid_from_json(item[key], known, path) if key in item else None
                     for key in ("under_skin_and_fat", "cavity"))
    return Exterior(solid_from_json(item["solid"], known, path), inner, cavity, item.get("skin_cm", 0.0))


def equation_volume_cm3(solid: Solid, step_cm: float = 0.05) -> float:
    """Volume of one solid by counting points `step_cm` apart in its bounding box (which must be finite)."""
    axes = [np.arange(low + step_cm / 2, high, step_cm) for low, high in solid.bounds]
    x, y = axes[0][None, None, :], axes[1][None, :, None]
    slab = 64
    count = sum(int(np.broadcast_to(solid.inside(x, y, axes[2][k:k + slab][:, None, None]),
                                    (len(axes[2][k:k + slab]), len(axes[1]), len(axes[0]))).sum())
                for k in range(0, len(axes[2]), slab))
    return count * step_cm**3
