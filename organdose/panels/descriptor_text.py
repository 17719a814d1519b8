"""The dose descriptors of a result as the window shows them: short lines, and the remarks as a tooltip."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from organdose.assess.dose_descriptors import Descriptor, rows_from_facts


def descriptors_of(record: Mapping[str, object]) -> tuple[Descriptor, ...]:
    """The descriptors that a run's record holds; none in records of older versions."""
    return rows_from_facts(record.get("facts", {}).get("descriptors") or ())


def descriptor_lines(record: Mapping[str, object]) -> str:
    """What is quoted of a CT examination beside the organ doses: exposure, size and SSDE, effective dose."""
    facts, rows = record.get("facts", {}), {row.name: row for row in descriptors_of(record)}
    lines = [", ".join(_exposure(facts)), ", ".join(_numbers(rows, "water_equivalent_mean_cm", "effective_mean_cm",
                                                             "ssde_mean_mgy")), _effective_dose(rows)]
    return "\n".join(line for line in lines if line)


def descriptor_remarks(record: Mapping[str, object]) -> str:
    """Each descriptor with its remark, one a line."""
    return "\n".join(f"{row.title}: {row.remark}" for row in descriptors_of(record) if row.remark)


def _exposure(facts: Mapping[str, object]) -> Sequence[str]:
    parts = []
    if "ctdivol_mean_mgy" in facts:
        parts.append(f"CTDIvol {facts['ctdivol_mean_mgy']:.3g} mGy ({facts.get('ctdi_phantom_cm', 0):g} cm phantom)")
    if "dlp_mgy_cm" in facts:
        parts.append(f"DLP {facts['dlp_mgy_cm']:.4g} mGy cm")
    if "tube_voltage_kv" in facts:
        parts.append(f"{facts['tube_voltage_kv']:g} kV")
    if "histories" in facts:
        parts.append(f"{facts['histories']:,.0f} photons")
    if "engine" in facts:
        parts.append(f"engine {facts['engine']}")
    return parts


def _numbers(rows: Mapping[str, Descriptor], *names: str) -> Sequence[str]:
    return [f"{rows[name].title} {rows[name].value:.3g} {rows[name].unit}" for name in names
            if name in rows and math.isfinite(rows[name].value)]


def _effective_dose(rows: Mapping[str, Descriptor]) -> str:
    """Both effective doses; an incomplete sum says so beside its number."""
    parts = _numbers(rows, "effective_dose_dlp_msv")
    known = rows.get("tissue_weight_known")
    if known is not None and known.value > 0:
        (organs,) = _numbers(rows, "effective_dose_organs_msv")
        whole = known.value > 1 - 1e-4
        parts = [*parts, organs if whole else f"{organs} (incomplete: {known.value:.2f} of the tissue weights)"]
    return ", ".join(parts)
