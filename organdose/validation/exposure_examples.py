"""The same generated patient under two exposures each: what modulation, centring and the end of a scan do to doses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.phantoms.ct_appearance import SimulatedCT, simulate_ct
from organdose.anatomy.phantoms.stylised_phantom import ARMS_UP, load_phantom
from organdose.anatomy.phantoms.variation import vary
from organdose.anatomy.phantoms.voxelise import VoxelPhantom
from organdose.anatomy.tissues import schneider2000
from organdose.assess.organ_dose import OrganDose
from organdose.assess.organ_table import organ_table
from organdose.assess.organ_weights import organ_weights
from organdose.ct.engines import engine
from organdose.dose_map import DoseMap, within
from organdose.export.main_organs import is_main_organ
from organdose.export.organ_look import short_title
from organdose.export.planes import AXIAL, CORONAL, PlaneViews
from organdose.patient.dose_grid import dose_grid
from organdose.progress import Progress
from organdose.study.ct_study import CTStudy
from organdose.study.facts import CTAcquisition, Fact, Origin

_VOXEL_MM = 5.0
_CTDIVOL_MGY = 10.0
_LOW_MM = 60.0  # how far the patient of the second pair lies below the isocentre
_LEAST_MGY = 0.05  # organs farther from the beam in both cases have no place in a table


@dataclass(frozen=True)
class ExposedPhantom:
    """A generated patient: CT, true masks, the middle (x, y) of the trunk and the z between which the liver is, mm."""

    ct: SimulatedCT
    masks: OrganMasks
    centre_mm: tuple[float, float]
    liver_mm: tuple[float, float]

    @property
    def z_mm(self) -> np.ndarray:
        return self.ct.image.GetOrigin()[2] + self.ct.image.GetSpacing()[2] * np.arange(self.ct.image.GetDepth())


@dataclass(frozen=True)
class ExposurePair:
    """Two exposures of one patient. `cases`: label -> facts that differ; `plane` and `profile_axis`: what to look at;
    `ends_mm`: z where the second scan ends; `outlined`: organs to draw."""

    name: str
    title: str
    cases: dict[str, dict[str, object]]
    plane: int
    profile_axis: int
    ends_mm: tuple[float, ...] = ()
    outlined: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExposedCase:
    """The dose of one case, its views on the CT, and its organ table."""

    label: str
    dose: DoseMap
    views: PlaneViews
    rows: tuple[OrganDose, ...]


def exposed_phantom(name: str = "adult-female", *, seed: int = 0, slice_mm: float = 5.0, pixels: int = 160,
                    progress: Progress | None = None) -> ExposedPhantom:
    """The trunk of a stylised phantom, arms up."""
    phantom = vary(load_phantom(name), seed)
    low, high = (10 * z * phantom.scale[2] for z in phantom.trunk_scan_z_cm)
    ct = simulate_ct(phantom, (low, high), slice_mm=slice_mm, pixels=pixels, progress=progress)
    masks = VoxelPhantom(phantom, ARMS_UP, ct.image, ct.part, ct.medium).masks()
    body, liver = masks.mask("body"), np.flatnonzero(masks.mask("liver").any(axis=(1, 2)))
    spacing_mm, origin_mm = ct.image.GetSpacing(), ct.image.GetOrigin()
    middle = body[(liver[0] + liver[-1]) // 2]
    centre = [origin_mm[axis] + spacing_mm[axis] * 0.5 * (held[0] + held[-1])
              for axis, held in ((0, np.flatnonzero(middle.any(axis=0))), (1, np.flatnonzero(middle.any(axis=1))))]
    ends = tuple(float(origin_mm[2] + spacing_mm[2] * k) for k in (liver[0], liver[-1]))
    return ExposedPhantom(ct, masks, (round(float(centre[0]), 1), round(float(centre[1]), 1)), ends)


def exposure_pairs(phantom: ExposedPhantom) -> list[ExposurePair]:
    """Modulated against fixed current, a patient who lies too low, and a scan that ends inside the liver."""
    modulated = phantom.ct.ctdivol_mgy * _CTDIVOL_MGY / phantom.ct.ctdivol_mgy.mean()
    x_mm, y_mm = phantom.centre_mm
    z_mm = phantom.z_mm
    feet_mm, middle_mm = float(z_mm[0]), round(sum(phantom.liver_mm) / 2)
    return [
        ExposurePair("modulation", "Tube current: the same throughout, or following the attenuation",
                     {"fixed current": {"ctdivol_mgy": (_CTDIVOL_MGY,)},
                      "modulated current": {"ctdivol_mgy": tuple(modulated.tolist())}}, CORONAL, AXIAL),
        ExposurePair("centring", f"Patient in the isocentre, or {_LOW_MM:g} mm below it",
                     {"centred": {"isocentre_mm": (x_mm, y_mm)},
                      f"{_LOW_MM:g} mm too low": {"isocentre_mm": (x_mm, y_mm - _LOW_MM)}}, AXIAL, CORONAL),
        ExposurePair("scan-end", "Scan of the whole trunk, or one that ends inside the liver",
                     {"whole trunk": {}, "ends in the liver": {"scan_range_mm": (feet_mm, float(middle_mm))}},
                     CORONAL, AXIAL, (float(middle_mm),), ("liver",)),
    ]


def exposed(phantom: ExposedPhantom, pair: ExposurePair, *, histories: int, seed: int = 1,
            progress: Progress | None = None) -> list[ExposedCase]:
    """The dose of both cases of a pair, CTDIvol 10 mGy on average in both."""
    monte_carlo, parameters = engine("mc"), {"scanner": "generic", "histories": histories, "seed": seed}
    grid = dose_grid(phantom.ct.image, _VOXEL_MM, schneider2000(), progress=progress)
    weights = organ_weights(phantom.masks, grid.ct_density_g_cm3, grid.geometry, progress=progress)
    cases = []
    for label, facts in pair.cases.items():
        study = CTStudy(phantom.ct.image, _acquisition(phantom, facts))
        dose = monte_carlo.run(study, grid, monte_carlo.parameters(**parameters), progress=progress,
                               organs=weights.names, organ_mass_g=weights.mass_g)
        dose = within(dose, weights.drawn())
        cases.append(ExposedCase(label, dose, PlaneViews(phantom.ct.image, dose, phantom.masks),
                                 tuple(organ_table(dose, weights))))
    return cases


def _acquisition(phantom: ExposedPhantom, facts: dict[str, object]) -> CTAcquisition:
    protocol = phantom.ct.protocol
    known = {"tube_voltage_kv": protocol.tube_voltage_kv, "total_collimation_mm": protocol.total_collimation_mm,
             "ctdi_phantom_cm": 32.0, "pitch": protocol.pitch, "scan_kind": "helical", "ctdivol_mgy": (_CTDIVOL_MGY,),
             "isocentre_mm": phantom.centre_mm}
    return CTAcquisition(**{name: Fact(value, Origin.protocol) for name, value in (known | facts).items()})


def plane_of(pair: ExposurePair, phantom: ExposedPhantom) -> int:
    """Index of the slice of a pair's pictures: through the middle of the liver."""
    liver = phantom.masks.mask("liver")
    return int(np.argmax(liver.sum(axis=tuple(axis for axis in range(3) if axis != pair.plane))))


def markdown_table(cases: list[ExposedCase]) -> Iterator[str]:
    """Lines of a table: mean dose of the main organs in both cases with k = 1, and the change."""
    first, second = cases
    yield f"| organ | {first.label}, mGy | {second.label}, mGy | change |"
    yield "| --- | --- | --- | --- |"
    others = {row.organ: row for row in second.rows}
    for row in sorted(first.rows, key=lambda row: -row.mean_mgy):
        other = others[row.organ]
        if (row.organ != "body" and not is_main_organ(row.organ)) or max(row.mean_mgy, other.mean_mgy) < _LEAST_MGY:
            continue
        yield (f"| {short_title(row.organ)} | {_with_uncertainty(row)} | {_with_uncertainty(other)} | "
               f"{100 * (other.mean_mgy / row.mean_mgy - 1):+.0f} % |")


def _with_uncertainty(row: OrganDose) -> str:
    return f"{row.mean_mgy:.2f} ± {row.mean_mgy * row.uncertainty_percent / 100:.2f}"
