"""The CT dose engines there are, and what each has to say about itself."""

from __future__ import annotations

from typing import Literal, Protocol

import scipy.sparse as sp
from pydantic import BaseModel, ConfigDict, Field

from organdose.ct.exposure import Exposure
from organdose.dose_map import DoseMap
from organdose.errors import InputError
from organdose.patient.dose_grid import DoseGrid
from organdose.progress import Progress
from organdose.study.ct_study import CTStudy

PATIENT = {"group": "Patient"}  # the part of a form that a field belongs to


class EngineParameters(BaseModel):
    """What every CT dose engine lets its user choose.

    Forms show a field by its title and description, in the place that `json_schema_extra` names: keys `group` (a folded
    section; the top without), `counts_when` (values of other fields, without which it has no effect) and `words` (texts
    for the values of a choice).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scanner: str = Field("auto", title="Scanner", description="auto: the definition for the header's manufacturer and "
                                                              "model; or a scanner's name, or a definition in a JSON "
                                                              "file")
    couch: Literal["auto", "keep", "remove"] = Field(
        "auto", title="Couch", json_schema_extra=PATIENT,
        description="keep: everything around the patient stays; remove: it becomes air; auto: the couch stays, loose "
                    "things become air")
    hu_curve: str | None = Field(
        None, title="HU curve", json_schema_extra=PATIENT,
        description="JSON file with the clinic's HU to density curve; empty: Schneider 2000")
    contrast: Literal["auto", "yes", "no"] = Field(
        "auto", title="Contrast medium", json_schema_extra=PATIENT,
        description="whether bright vessels and organs hold iodine; auto: where the header names a contrast agent")


class CTDoseEngine(Protocol):
    """A way to compute dose from a CT study. Engines are registered by name in this module."""

    name: str
    title: str
    needs: str
    yields: str
    parameters: type[EngineParameters]

    def check(self, study: CTStudy, parameters: EngineParameters) -> None:
        """Raises `MissingFacts` or `InputError` when the engine could not run, before any work is done."""

    def exposure(self, study: CTStudy, parameters: EngineParameters) -> Exposure:
        """The scan that `run` computes the dose of. Raises as `check` does."""

    def run(self, study: CTStudy, grid: DoseGrid, parameters: EngineParameters, *, organs: tuple[str, ...] = (),
            organ_mass_g: sp.csr_matrix | None = None, progress: Progress | None = None) -> DoseMap:
        """Dose on `grid`. `organ_mass_g` (organs, voxels) lets a statistical engine state each organ's uncertainty."""


def engines() -> dict[str, CTDoseEngine]:
    """Every engine by name."""
    from organdose.ct.monte_carlo_engine import MonteCarloEngine

    return {engine.name: engine for engine in (MonteCarloEngine(),)}


def engine(name: str) -> CTDoseEngine:
    """One engine. Raises `InputError` listing those there are."""
    known = engines()
    if name not in known:
        raise InputError(f"unknown CT dose engine {name!r}", mend=f"Engines: {', '.join(known)}.")
    return known[name]
