"""Generated patients for training: varied stylised adults in the field of view and pose of many kinds of CT.

Everything follows from one seed. Bodies come from the equations of the stylised adults; what differs between patients
(`Resources/models/generated_patients.json`) was chosen by this project.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from organdose.anatomy.phantoms.shapes import Adjusted, AnyOf, Solid, Tube
from organdose.anatomy.phantoms.stylised_phantom import ARMS_UP, Phantom, PhantomPart, load_phantom
from organdose.anatomy.phantoms.variation import vary
from organdose.anatomy.phantoms.voxelise import BACKGROUND, VoxelPhantom, body_bounds_mm, voxelise
from organdose.errors import InputError
from organdose.resources import resource_path
from organdose.segmentation.network_labels import NETWORK_ORGANS, members, organ_values

_MARGIN_MM = 24.0  # room for turning and warping, cut off again


@dataclass(frozen=True)
class PatientFacts:
    """What was drawn for one patient. `phase` is that of the contrast agent, `missing` the organs taken out."""

    seed: int
    sex: str
    region: str
    arms: str
    phase: str
    missing: tuple[str, ...]
    stature_cm: float
    girth: float


@dataclass(frozen=True)
class PatientVoxels:
    """A patient on the fine grid: part and medium of each voxel (uint8, (z, y, x)), their names, and the grid."""

    facts: PatientFacts
    part: np.ndarray
    medium: np.ndarray
    part_names: tuple[str, ...]
    part_labels: np.ndarray
    reference: sitk.Image


@cache
def variety() -> dict:
    """How generated patients differ; the file says where its numbers are from."""
    return json.loads(resource_path("models", "generated_patients.json").read_text(encoding="utf-8"))


def draw_facts(seed: int, phantom: Phantom, rng: np.random.Generator) -> PatientFacts:
    """Region, arms, phase and missing organs of one patient."""
    table = variety()
    regions = {name: row for name, row in table["regions"].items() if name not in ("columns", "unit")}
    there = {part.name for part in phantom.parts}
    missing = tuple(name for name, share in table["missing_organs"].items() if rng.random() < share and name in there)
    return PatientFacts(seed, phantom.sex, _drawn({name: row[0] for name, row in regions.items()}, rng),
                        _drawn(table["arms"], rng),
                        _drawn({name: phase["share"] for name, phase in table["phases"].items()}, rng), missing,
                        round(phantom.stature_cm, 1), round(phantom.girth, 3))


def patient_voxels(seed: int, fine_mm: float = 2.0) -> PatientVoxels:
    """The patient of `seed` (>= 1) on cubic voxels of `fine_mm`. Raises `InputError` for another seed."""
    if seed < 1:
        raise InputError(f"no patient has the seed {seed}", mend="Seeds begin with 1.")
    rng = np.random.default_rng([seed, 20])
    phantom = _varied(vary(load_phantom(("adult-male", "adult-female")[int(rng.random() < 0.5)]), seed), rng)
    facts = draw_facts(seed, phantom, rng)
    phantom = _with_arms(phantom, facts.arms)
    phantom = replace(phantom, parts=tuple(part for part in phantom.parts if part.name not in facts.missing))
    low_mm, high_mm = _region_mm(phantom, facts.region, rng)
    bounds = body_bounds_mm(phantom, ARMS_UP)
    width_mm = tuple(2 * (max(abs(a), abs(b)) + _MARGIN_MM) for a, b in bounds[:2])
    voxels = voxelise(phantom, (fine_mm,) * 3, (low_mm - _MARGIN_MM, high_mm + _MARGIN_MM), width_mm=width_mm)
    part, medium = _warped(voxels, fine_mm, rng)
    cut = round(_MARGIN_MM / fine_mm)
    reference = voxels.reference[:, :, cut:voxels.reference.GetDepth() - cut]
    return PatientVoxels(facts, part[cut:-cut], medium[cut:-cut], voxels.part_names, _labels_of_parts(voxels),
                         reference)


def _varied(phantom: Phantom, rng: np.random.Generator) -> Phantom:
    """More variety than `vary`: proportions, girth, and the size of every soft organ along each axis."""
    table = variety()
    stretch = table["stretch"]
    scale = tuple(s * (1 + _cut_normal(rng, stretch["sigma"], stretch["most"])) for s in phantom.scale)
    parts = tuple(_grown(part, rng) if part.moves or part.name in ("pancreas", "thymus") else part
                  for part in phantom.parts)
    return replace(phantom, scale=scale, girth=phantom.girth * rng.uniform(*table["extra_girth"]), parts=parts)


def _grown(part: PhantomPart, rng: np.random.Generator) -> PhantomPart:
    table = variety()
    growth = 1 + _cut_normal(rng, table["organ_growth"]["sigma"], table["organ_growth"]["most"])
    if part.name == "urinary_bladder":
        growth = rng.uniform(*table["bladder_growth"])
    centre = tuple((low + high) / 2 for low, high in part.solid.bounds)

    def grown(solid: Solid) -> Solid:
        return Adjusted(solid, centre, growth, (0.0, 0.0, 0.0))

    return replace(part, solid=grown(part.solid), contents=tuple((grown(s), m) for s, m in part.contents))


def _with_arms(phantom: Phantom, arms: str) -> Phantom:
    """The phantom with its arms up, beside the trunk, or outside the image."""
    if arms == "up":
        return phantom
    exterior = phantom.exteriors[ARMS_UP]
    bare, bare_inner = _without_arms(exterior.solid), _without_arms(exterior.under_skin_and_fat)
    parts = tuple(part for part in phantom.parts if not part.name.startswith("humerus"))
    if arms == "beside":
        shoulder_cm = phantom.height_cm * 0.36
        half_cm = 1.03 * max(edge for edge in bare.bounds[0])
        lines = {side: [[sign * half_cm * w, 1.0, shoulder_cm * h] for w, h in ((0.98, 1.0), (1.08, 0.45), (1.14, 0.0))]
                 for side, sign in (("left", 1), ("right", -1))}
        bare = AnyOf([bare, *(_tube(line, (5.0, 4.6, 3.2)) for line in lines.values())])
        bare_inner = AnyOf([bare_inner, *(_tube(line, (4.2, 4.0, 2.7)) for line in lines.values())])
        bones = [PhantomPart(f"arm_bone_{side}", "bone", _tube(_widened(line, phantom.girth), (1.2, 1.1, 0.9)),
                             (f"arm_bone_{side}",)) for side, line in lines.items()]
        parts = (*parts, *bones)
    changed = replace(exterior, solid=bare, under_skin_and_fat=bare_inner)
    return replace(phantom, parts=parts, exteriors={**phantom.exteriors, ARMS_UP: changed})


def _without_arms(solid: AnyOf) -> AnyOf:
    """Raised arms are what reaches highest."""
    top = max(piece.bounds[2][1] for piece in solid.parts)
    return AnyOf([piece for piece in solid.parts if piece.bounds[2][1] < top])


def _tube(line: list[list[float]], radii_cm: tuple[float, ...]) -> Tube:
    return Tube([[*point, radius] for point, radius in zip(line, radii_cm)])


def _widened(line: list[list[float]], girth: float) -> list[list[float]]:
    return [[x * girth, y * girth, z] for x, y, z in line]


def _region_mm(phantom: Phantom, region: str, rng: np.random.Generator) -> tuple[float, float]:
    """Lowest and highest slice; the origin lies at the base of the trunk."""
    low, high = variety()["regions"][region][1:]
    if region != "whole-body":
        low, high = (end + rng.normal(0, variety()["region_end_sigma"]) for end in (low, high))
    bottom_mm = 10 * phantom.exteriors[ARMS_UP].solid.bounds[2][0] * phantom.scale[2]
    stature_mm = 10 * phantom.stature_cm
    return bottom_mm + min(low, high - 0.08) * stature_mm, bottom_mm + high * stature_mm


def _warped(voxels: VoxelPhantom, fine_mm: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Part and medium turned by a few degrees and bent by a smooth random field; whole voxels are moved."""
    table, shape = variety(), voxels.part.shape
    turns = np.deg2rad([_cut_normal(rng, table["turn_deg"]["sigma"], table["turn_deg"]["most"]) for _ in range(3)])
    turn = _rotation(turns) - np.eye(3)
    knots = [max(2, round(n * fine_mm / table["warp"]["knots_mm"]) + 1) for n in shape]
    most_mm = table["warp"]["most_mm"]
    field = np.clip(rng.normal(0, table["warp"]["sigma_mm"], (3, *knots)), -most_mm, most_mm) / fine_mm
    centre = (np.array(shape, float) - 1) / 2
    part, medium = np.empty_like(voxels.part), np.empty_like(voxels.medium)
    rows, columns = np.arange(shape[1], dtype=np.float32), np.arange(shape[2], dtype=np.float32)
    for k in range(shape[0]):
        bend = [_plane_of(f, k / max(shape[0] - 1, 1), shape[1:]) for f in field]
        away = (np.float32(k - centre[0]), rows[:, None] - np.float32(centre[1]), columns[None] - np.float32(centre[2]))
        index = []
        for axis in range(3):
            moved = sum(np.float32(turn[axis, other]) * away[other] for other in range(3)) + bend[axis]
            moved = moved + (k, rows[:, None], columns[None])[axis]
            index.append(np.clip(np.rint(moved), 0, shape[axis] - 1).astype(np.intp))
        part[k], medium[k] = voxels.part[tuple(index)], voxels.medium[tuple(index)]
    return part, medium


def _plane_of(knots: np.ndarray, height: float, shape: tuple[int, int]) -> np.ndarray:
    """One plane of a field between its knots, smooth in the plane (cubic) and along z (cosine)."""
    at = height * (knots.shape[0] - 1)
    low = min(int(at), knots.shape[0] - 2)
    share = 0.5 - 0.5 * np.cos(np.pi * (at - low))
    plane = (1 - share) * knots[low] + share * knots[low + 1]
    zoom = [n / m for n, m in zip(shape, plane.shape)]
    return ndimage.zoom(plane, zoom, order=3, mode="nearest", grid_mode=True).astype(np.float32)


def _rotation(angles_rad: np.ndarray) -> np.ndarray:
    matrix = np.eye(3)
    for axis, angle in enumerate(angles_rad):
        one, other = (i for i in range(3) if i != axis)
        turn = np.eye(3)
        turn[one, one] = turn[other, other] = np.cos(angle)
        turn[one, other], turn[other, one] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    return matrix


def _labels_of_parts(voxels: VoxelPhantom) -> np.ndarray:
    """Label value of each part number: its own organ, 'bones' for the rest of the skeleton, else 'body'."""
    values, skeleton = organ_values(), members("bones")
    labels = np.zeros(256, np.uint8)
    labels[1:len(voxels.part_names)] = values["body"]
    for number, part in enumerate(voxels.phantom.parts_in(voxels.pose), start=len(BACKGROUND)):
        own = [name for name in part.masks if name in NETWORK_ORGANS]
        if own:
            labels[number] = values[own[0]]
        elif skeleton.intersection(part.masks):
            labels[number] = values["bones"]
    return labels


def _drawn(shares: dict[str, float], rng: np.random.Generator) -> str:
    weights = np.array(list(shares.values()))
    return list(shares)[int(rng.choice(len(weights), p=weights / weights.sum()))]


def _cut_normal(rng: np.random.Generator, sigma: float, most: float) -> float:
    return float(np.clip(rng.normal(0, sigma), -most, most))
