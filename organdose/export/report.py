"""The report: one self-contained HTML file with pictures, tables, method and limits, for screen and paper."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import numpy as np

from organdose.assess.dose_descriptors import Descriptor
from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.errors import InputError
from organdose.export.main_organs import is_main_organ
from organdose.export.organ_look import short_title
from organdose.export.public_record import named_values, public_text
from organdose.export.report_facts import fact_rows
from organdose.export.report_table import ReportTable
from organdose.export.report_values import count, duration, number, organ_columns, organ_rows, plain
from organdose.export.whole_file import whole_file
from organdose.study.facts import CTAcquisition
from organdose.study.nuclear_facts import NuclearAcquisition

_TEMPLATE = "report.html.j2"
_HIGHEST_SHOWN = 5
COUNTING_STATISTICS = ("the relative standard uncertainty of the mean from the counting statistics of the simulation, "
                       "and says nothing of the model's own error")


@dataclass(frozen=True)
class ReportContent:
    """Everything the report says.

    `acquisition`: None for what has none of its own, such as a sum of several.
    `pictures`: caption -> PNG file, in the order of the page. `method` and `limits`: sentences, sources included;
    `engine_methods`: further ones under a heading each. `engine` names the engine with its version; `engine_facts` are
    those of the `DoseMap` ('histories', 'dlp_mgy_cm' and 'assumptions' are also shown by themselves). `record` is the
    run's record, shown without paths and file names; its 'seconds' (stage -> time) are added up for the headline.
    `histories_title`: what a history is. `descriptors`: the dose descriptors of the scan, shown in a table of their own
    with `descriptors_legend` below it; `tables`: further ones, between the organ doses and the pictures.
    `headline`: further headline numbers, label -> text or (text, remark), for example {'Computing time': '95 s'}.
    `warnings`, `assumptions`: lines beside those of acquisition and engine. `uncertainty_meaning`: what ± in the organ
    table holds. Give no patient identifiers: the title, method, limits, tables and headline are shown as they are.
    """

    title: str
    acquisition: CTAcquisition | NuclearAcquisition | None
    masks_origin: str
    rows: Sequence[OrganDose]
    dvhs: Sequence[DoseVolumeHistogram] = ()
    pictures: Mapping[str, Path] = field(default_factory=dict)
    method: Sequence[str] = ()
    engine_methods: Mapping[str, Sequence[str]] = field(default_factory=dict)
    limits: Sequence[str] = ()
    record: Mapping[str, object] = field(default_factory=dict)
    engine: str = ""
    engine_facts: Mapping[str, object] = field(default_factory=dict)
    headline: Mapping[str, str | tuple[str, str]] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    assumptions: Sequence[str] = ()
    descriptors: Sequence[Descriptor] = ()
    descriptors_legend: str = ""
    tables: Sequence[ReportTable] = ()
    histories_title: str = "Photon histories"
    uncertainty_meaning: str = COUNTING_STATISTICS


def write_report(content: ReportContent, path: Path) -> None:
    """Write the report to `path`, whole or not at all. Raises `InputError` for a picture that is not there."""
    environment = jinja2.Environment(loader=jinja2.PackageLoader("organdose.export"), autoescape=True,
                                     trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"digits": number, "short_title": short_title}
    facts = {key: value for key, value in content.engine_facts.items()
             if key not in ("assumptions", "contradictions")}
    acquired = () if content.acquisition is None else content.acquisition.warnings
    html = environment.get_template(_TEMPLATE).render(
        content=content,
        headline=_headline(content),
        highest=_highest(content.rows),
        warnings=[public_text(line) for line in (*acquired, *content.warnings)],
        assumptions=[public_text(str(line))
                     for line in (*content.assumptions, *content.engine_facts.get("assumptions", ()))],
        columns=organ_columns(content.rows),
        organs=organ_rows(content.rows, content.dvhs),
        facts=[] if content.acquisition is None else fact_rows(content.acquisition),
        engine_facts=named_values(facts),
        record=named_values(_beside_the_engine(content)),
        pictures=[(caption, _embedded(Path(file))) for caption, file in content.pictures.items()])
    with whole_file(path) as temporary:
        temporary.write_text(html, encoding="utf-8")


def _headline(content: ReportContent) -> list[tuple[str, str, str]]:
    """(label, number, remark) of each headline number that is known."""
    facts, shown = content.engine_facts, []
    if isinstance(content.acquisition, CTAcquisition):
        shown += _scanner_output(content.acquisition, facts)
    for label, text in content.headline.items():
        shown.append((label, text, "") if isinstance(text, str) else (label, *text))
    if "histories" in facts:
        shown.append((content.histories_title, count(facts["histories"]), "simulated"))
    if isinstance(content.record.get("seconds"), Mapping):
        total_s = sum(content.record["seconds"].values())
        shown.append(("Computing time", duration(total_s), "until this page was written"))
    return shown


def _scanner_output(acquisition: CTAcquisition, facts: Mapping[str, object]) -> list[tuple[str, str, str]]:
    shown: list[tuple[str, str, str]] = []
    if acquisition.ctdivol_mgy is not None or "ctdivol_mean_mgy" in facts:
        mean_mgy = (facts["ctdivol_mean_mgy"] if "ctdivol_mean_mgy" in facts
                    else float(np.mean(acquisition.ctdivol_mgy.value)))
        phantom = acquisition.ctdi_phantom_cm
        remark = "mean over the slices" if phantom is None else f"mean, {phantom.value:g} cm phantom"
        shown.append(("CTDIvol", f"{plain(mean_mgy)} mGy", remark))
    if "dlp_mgy_cm" in facts:
        shown.append(("DLP", f"{plain(facts['dlp_mgy_cm'])} mGy·cm", "CTDIvol along the path of the beam"))
    return shown


def _beside_the_engine(content: ReportContent) -> dict[str, object]:
    """The record without the facts that the table of the engine and the warnings show already."""
    record = dict(content.record)
    if isinstance(record.get("facts"), Mapping):
        shown = {*content.engine_facts, "warnings", "mask_notes", "descriptors"}
        record["facts"] = {key: value for key, value in record["facts"].items() if key not in shown}
    return record


def _highest(rows: Sequence[OrganDose]) -> list[OrganDose]:
    """The organs with the highest mean dose, among the main ones where there are any."""
    chosen = [row for row in rows if is_main_organ(row.organ)] or list(rows)
    return sorted(chosen, key=lambda row: -row.mean_mgy)[:_HIGHEST_SHOWN]


def _embedded(file: Path) -> str:
    try:
        return "data:image/png;base64," + base64.b64encode(file.read_bytes()).decode("ascii")
    except OSError as error:
        raise InputError("a picture of the report cannot be read", where=file) from error
