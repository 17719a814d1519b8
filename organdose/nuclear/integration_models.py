"""The ways to integrate activity over time there are, and what each lets its user choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from organdose.errors import InputError

_ADVANCED = {"group": "Advanced"}


class IntegrationParameters(BaseModel):
    """What every model lets its user choose. Forms read titles, descriptions and hints as in `ct.engines`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    negative: Literal["keep", "zero", "leave_out"] = Field(
        "keep", title="Negative activities", json_schema_extra=_ADVANCED | {
            "words": {"keep": "keep", "zero": "set to zero", "leave_out": "leave out"}},
        description="activities below zero, which reconstruction noise makes: keep them, so that noise averages out; "
                    "set them to zero; or leave these time points out. An integral below zero becomes zero either way")


class PhysicalParameters(IntegrationParameters):
    pass


class FitParameters(IntegrationParameters):
    shortest_half_life_h: float | None = Field(
        None, gt=0, title="Shortest half-life (h)", json_schema_extra=_ADVANCED,
        description="phases that decay faster are not fitted; empty: half the time of the first measurement (or of the "
                    "second where the first is at zero), at most a tenth of the physical half-life")
    worst_uncertainty_percent: float = Field(
        100.0, gt=0, le=1000, title="Simpler above (%)", json_schema_extra=_ADVANCED,
        description="where the integral would be more uncertain than this a simpler model is fitted: one phase instead "
                    "of two, physical decay instead of one")


class MonoParameters(FitParameters):
    pass


class BiParameters(FitParameters):
    uptake: bool = Field(
        False, title="Uptake phase",
        description="the faster phase may be an uptake: its amplitude may be negative, down to nothing at time zero")


class TrapezoidParameters(IntegrationParameters):
    start: Literal["physical", "constant", "zero"] = Field(
        "physical", title="Before the first point", json_schema_extra={
            "words": {"physical": "physical decay calculated back", "constant": "constant", "zero": "rises from zero"}},
        description="activity between administration and the first time point: the physical decay calculated back, as "
                    "high as at the first point, or a straight rise from zero")
    tail: Literal["physical", "fitted"] = Field(
        "physical", title="Behind the last point",
        json_schema_extra={"words": {"physical": "physical decay", "fitted": "fitted"}},
        description="the tail decays as the nuclide does (an upper bound), or as fitted to the last points")
    tail_points: int = Field(
        2, ge=2, le=20, title="Points of the tail", json_schema_extra={"counts_when": {"tail": "fitted"}},
        description="how many of the last time points a fitted tail goes through")


class SingleParameters(IntegrationParameters):
    method: Literal["haenscheid", "population"] = Field(
        "haenscheid", title="Method", json_schema_extra={
            "words": {"haenscheid": "Hänscheid 2018", "population": "half-life of a population (Madsen 2018)"}},
        description="Hänscheid: 2 t / ln 2 times the activity, without knowing the half-life; population: the "
                    "effective half-life given below")
    half_life_h: float | None = Field(
        None, gt=0, title="Effective half-life (h)", json_schema_extra={"counts_when": {"method": "population"}},
        description="effective half-life of the population in this tissue; never longer than the physical one")
    half_life_sd_h: float = Field(
        0.0, ge=0, title="Its spread (h)", json_schema_extra={"counts_when": {"method": "population"}},
        description="standard deviation of the half-life between patients; it enters the uncertainty")
    time_point: int | None = Field(
        None, ge=1, title="Time point", json_schema_extra=_ADVANCED,
        description="number of the time point to use, from 1, where there are several")


@dataclass(frozen=True)
class IntegrationModel:
    """One way to integrate: `least_points` time points are needed."""

    name: str
    title: str
    parameters: type[IntegrationParameters]
    least_points: int


_MODELS = (
    IntegrationModel("physical", "Physical decay only", PhysicalParameters, 1),
    IntegrationModel("mono", "One exponential", MonoParameters, 2),
    IntegrationModel("bi", "Two exponentials", BiParameters, 4),
    IntegrationModel("trapezoid", "Trapezoids and tail", TrapezoidParameters, 1),
    IntegrationModel("single", "Single time point", SingleParameters, 1),
)


def integration_models() -> dict[str, IntegrationModel]:
    """Every model by name."""
    return {model.name: model for model in _MODELS}


def integration_model(name: str) -> IntegrationModel:
    """One model. Raises `InputError` listing those there are."""
    known = integration_models()
    if name not in known:
        raise InputError(f"unknown model of activity over time {name!r}", mend=f"Models: {', '.join(known)}.")
    return known[name]
