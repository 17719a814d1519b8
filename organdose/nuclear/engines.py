"""The internal dose engines there are, and what each has to say about itself."""

from __future__ import annotations

from typing import Protocol

import scipy.sparse as sp
from pydantic import BaseModel, ConfigDict

from organdose.dose_map import DoseMap
from organdose.errors import InputError
from organdose.nuclear.activity_integral import ActivityIntegral
from organdose.patient.dose_grid import DoseGrid
from organdose.progress import Progress


class EngineParameters(BaseModel):
    """What an internal dose engine lets its user choose. Forms read titles and hints as in `ct.engines`."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class InternalDoseEngine(Protocol):
    """A way from decays in voxels to absorbed dose. Engines are registered by name in this module.

    `computes_organs`: its doses are those of organs, from the decays in all of them.
    """

    name: str
    title: str
    needs: str
    yields: str
    parameters: type[EngineParameters]
    computes_organs: bool

    def check(self, source: ActivityIntegral, parameters: EngineParameters) -> None:
        """Raises `InputError` when the engine could not run, before any work is done."""

    def run(self, source: ActivityIntegral, grid: DoseGrid, parameters: EngineParameters, *,
            organs: tuple[str, ...] = (), organ_mass_g: sp.csr_matrix | None = None,
            progress: Progress | None = None) -> DoseMap:
        """Dose (mGy) of all decays on `grid`. `organ_mass_g` (organs, voxels): the patient's organs, for engines that
        compute organs, and for statistical ones to state their uncertainty. Raises `InputError`, `Cancelled`."""


def engines() -> dict[str, InternalDoseEngine]:
    """Every engine by name, the most faithful first."""
    from organdose.nuclear.local_engine import LocalEngine
    from organdose.nuclear.mird_engine import MirdEngine
    from organdose.nuclear.monte_carlo_engine import MonteCarloEngine
    from organdose.nuclear.msv_engine import MultipleVSVEngine
    from organdose.nuclear.vsv_engine import SingleVSVEngine

    known = (MonteCarloEngine(), MultipleVSVEngine(), SingleVSVEngine(), LocalEngine(), MirdEngine())
    return {engine.name: engine for engine in known}


def engine_names() -> tuple[str, ...]:
    return tuple(engines())


def engine(name: str) -> InternalDoseEngine:
    """One engine. Raises `InputError` listing those there are."""
    known = engines()
    if name not in known:
        raise InputError(f"unknown internal dose engine {name!r}", mend=f"Engines: {', '.join(known)}.")
    return known[name]
