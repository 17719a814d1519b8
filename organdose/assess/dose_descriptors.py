"""The dose descriptors of a CT beside its dose map: CTDIvol, DLP, sizes, SSDE, effective dose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from organdose.assess.effective_dose import (
    DLPEffectiveDose,
    EffectiveDose,
    effective_dose_from_dlp,
    effective_dose_from_organs,
)
from organdose.assess.organ_dose import OrganDose
from organdose.assess.patient_size import SliceSizes
from organdose.assess.size_specific_dose import SizeConversion, size_conversion

SLICE_COLUMNS = ("z_mm", "tube_current_ma", "ctdivol_mgy", "water_equivalent_cm", "effective_cm", "lateral_cm", "ap_cm",
                 "ssde_factor", "ssde_mgy", "is_cut")


@dataclass(frozen=True)
class ScanOutput:
    """What the scanner gave: CTDIvol per slice (mGy) at `z_mm`, DLP over the whole path, overranging included.

    CTDIvol is NaN for slices that were not scanned. `tube_current_ma`: one a slice, one for all, or None. `region` and
    `age_group` as in `effective_dose_from_dlp`. `is_localiser`: a still tube, for which there is neither SSDE nor a
    factor from DLP to effective dose.
    """

    z_mm: np.ndarray
    ctdivol_mgy: np.ndarray
    dlp_mgy_cm: float
    phantom_cm: float
    tube_current_ma: Sequence[float] | None = None
    region: str | None = None
    age_group: str | None = None
    is_localiser: bool = False


@dataclass(frozen=True)
class Descriptor:
    """One number of the table: `value` is NaN where it cannot be said, and `remark` then says why."""

    name: str
    title: str
    value: float
    unit: str
    remark: str = ""


@dataclass(frozen=True)
class DoseDescriptors:
    """All of them: `rows` for the whole scan, `slices` by column (`SLICE_COLUMNS`), `warnings` for the reader."""

    rows: tuple[Descriptor, ...]
    slices: dict[str, np.ndarray] = field(repr=False)
    effective_dose: EffectiveDose
    warnings: tuple[str, ...] = ()

    def facts(self) -> list[dict[str, object]]:
        """The rows as a record keeps them: None for what cannot be said, five digits."""
        return [asdict(row) | {"value": None if math.isnan(row.value) else float(f"{row.value:.5g}")}
                for row in self.rows]


def rows_from_facts(facts: Sequence[dict[str, object]]) -> tuple[Descriptor, ...]:
    """The rows of `DoseDescriptors.facts`, read back."""
    return tuple(Descriptor(**{**row, "value": math.nan if row["value"] is None else row["value"]}) for row in facts)


def dose_descriptors(output: ScanOutput, sizes: SliceSizes, rows: Sequence[OrganDose],
                     sex: str = "") -> DoseDescriptors:
    """The descriptors of a scan of a patient of `sizes` with the organ doses `rows`.

    SSDE of each slice is f(Dw) CTDIvol of that slice; that of the scan is their mean (AAPM 220: arithmetic average over
    the slices), over the slices that have a factor. Raises `InputError` for an unknown CTDI phantom.
    """
    conversion = size_conversion(output.phantom_cm, output.region)
    factor = conversion.factor(np.full_like(sizes.water_equivalent_cm, np.nan) if output.is_localiser
                               else sizes.water_equivalent_cm)
    slices = {"z_mm": np.asarray(output.z_mm, dtype=float), "tube_current_ma": _per_slice(output),
              "ctdivol_mgy": np.asarray(output.ctdivol_mgy, dtype=float),
              **{name: getattr(sizes, name) for name in ("water_equivalent_cm", "effective_cm", "lateral_cm", "ap_cm")},
              "ssde_factor": factor, "ssde_mgy": factor * output.ctdivol_mgy, "is_cut": sizes.is_cut}
    organ_dose, dlp_dose = effective_dose_from_organs(rows, sex), _from_dlp(output)
    phantom = f"{output.phantom_cm:g} cm phantom"
    table = (
        Descriptor("ctdivol_mean_mgy", "CTDIvol", _mean(slices["ctdivol_mgy"]), "mGy",
                   f"mean over the scanned slices, {phantom}"),
        Descriptor("dlp_mgy_cm", "DLP", output.dlp_mgy_cm, "mGy cm", f"along the path of the beam, {phantom}"),
        Descriptor("water_equivalent_mean_cm", "Water-equivalent diameter", _mean(slices["water_equivalent_cm"]), "cm",
                   "mean over the slices, body without couch (AAPM 220)"),
        Descriptor("effective_mean_cm", "Effective diameter", _mean(slices["effective_cm"]), "cm",
                   "mean over the slices, sqrt(AP x lateral) of the body (AAPM 204)"),
        Descriptor("ssde_mean_mgy", "SSDE", _mean(slices["ssde_mgy"]), "mGy",
                   "there is none for a localiser" if output.is_localiser else _ssde_remark(conversion, slices)),
        Descriptor("effective_dose_dlp_msv", "Effective dose from DLP", dlp_dose.effective_msv, "mSv", dlp_dose.remark),
        Descriptor("effective_dose_organs_msv", "Effective dose from organ doses", organ_dose.effective_msv, "mSv",
                   "; ".join(("ICRP 103", *organ_dose.remarks))),
        Descriptor("tissue_weight_known", "Tissue weights covered", organ_dose.known_weight, "",
                   "sum of the tissue weights of the organs with a dose; 1 is all"))
    return DoseDescriptors(table, slices, organ_dose, _warnings(output, sizes, conversion))


def _from_dlp(output: ScanOutput) -> DLPEffectiveDose:
    if output.is_localiser:
        return DLPEffectiveDose(math.nan, math.nan,
                                "the factors are those of a tube that turns around the patient, not of a localiser")
    return effective_dose_from_dlp(output.dlp_mgy_cm, output.phantom_cm, output.region, output.age_group)


def _per_slice(output: ScanOutput) -> np.ndarray:
    if output.tube_current_ma is None:
        return np.full(len(output.z_mm), np.nan)
    return np.broadcast_to(np.asarray(output.tube_current_ma, dtype=float), len(output.z_mm))


def _mean(values: np.ndarray) -> float:
    there = values[np.isfinite(values)]
    return float(there.mean()) if there.size else math.nan


def _ssde_remark(conversion: SizeConversion, slices: dict[str, np.ndarray]) -> str:
    counted = int(np.isfinite(slices["ssde_mgy"]).sum())
    said = [f"mean of {counted} of {len(slices['z_mm'])} slices, by water-equivalent diameter; {conversion.source}"]
    if not conversion.is_verified:
        said.append("coefficients unverified")
    return "; ".join(said)


def _warnings(output: ScanOutput, sizes: SliceSizes, conversion: SizeConversion) -> tuple[str, ...]:
    said = []
    cut = int(sizes.is_cut.sum())
    if cut:
        said.append(f"the body is cut by the edge of the image in {cut} of {len(sizes.is_cut)} slices: diameters are "
                    "too small and SSDE is too high there (AAPM 220)")
    diameters_cm = sizes.water_equivalent_cm
    beyond = int((np.isfinite(diameters_cm) & np.isnan(conversion.factor(diameters_cm))).sum())
    if beyond and not output.is_localiser:
        said.append(f"{beyond} slices have a water-equivalent diameter outside {conversion.from_cm:g}-"
                    f"{conversion.to_cm:g} cm, for which there is no SSDE factor: they are not in the mean")
    return tuple(said)
