"""What was measured on a scanner: the figures its equivalent filters are fitted to and compared with."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

BowtieKind = Literal["body", "head", "none"]
Voltage = Annotated[float, Field(ge=70, le=150)]


class Provenance(BaseModel):
    """Where a number comes from. 'published': read in the source named; 'fitted': computed here from published figures;
    'unverified': from memory, by analogy or fitted to such a figure, to be checked before it is relied on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Literal["published", "fitted", "unverified"]
    text: str = Field(min_length=10)


class _Measurement(Provenance):
    bowtie: BowtieKind


class HalfValueLayer(_Measurement):
    """Half-value layer (mm Al) on the central ray behind the bowtie."""

    kind: Literal["hvl"]
    tube_voltage_kv: Voltage
    mm_al: float = Field(gt=0, lt=20)


class CTDIMeasurement(_Measurement):
    """CTDI100 in the 16 or 32 cm phantom: centre over periphery, or CTDIw in mGy per 100 mAs of one rotation (pitch 1)
    at that collimation, or both."""

    kind: Literal["ctdi"]
    tube_voltage_kv: Voltage
    phantom_cm: Literal[16, 32]
    collimation_mm: float = Field(gt=0, lt=400)
    centre_to_periphery: float | None = Field(None, gt=0.1, lt=2)
    ctdiw_mgy_per_100mas: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _says_something(self) -> CTDIMeasurement:
        if self.centre_to_periphery is None and self.ctdiw_mgy_per_100mas is None:
            raise ValueError("give centre_to_periphery or ctdiw_mgy_per_100mas")
        return self


class FanKerma(_Measurement):
    """Air kerma against fan angle at equal distance from the focus, relative to the central ray of the scanner's body
    bowtie at the same tube voltage and current."""

    kind: Literal["fan_kerma"]
    tube_voltage_kv: Voltage
    fan_angle_deg: tuple[float, ...]
    relative_air_kerma: tuple[float, ...]

    @model_validator(mode="after")
    def _fits(self) -> FanKerma:
        if len(self.fan_angle_deg) != len(self.relative_air_kerma) or len(self.fan_angle_deg) < 2:
            raise ValueError("give one relative_air_kerma for each fan_angle_deg, at least two")
        if self.fan_angle_deg[0] != 0 or np.any(np.diff(self.fan_angle_deg) <= 0) or min(self.relative_air_kerma) <= 0:
            raise ValueError("fan_angle_deg must rise from 0, relative_air_kerma be positive")
        return self


class Output(_Measurement):
    """Air kerma per mAs on the central ray against tube voltage, in any unit."""

    kind: Literal["output"]
    tube_voltage_kv: tuple[Voltage, ...]
    relative_air_kerma: tuple[float, ...]

    @model_validator(mode="after")
    def _fits(self) -> Output:
        if len(self.tube_voltage_kv) != len(self.relative_air_kerma) or len(self.tube_voltage_kv) < 2:
            raise ValueError("give one relative_air_kerma for each tube_voltage_kv, at least two")
        if min(self.relative_air_kerma) <= 0:
            raise ValueError("relative_air_kerma must be positive")
        return self


AnyMeasurement = Annotated[HalfValueLayer | CTDIMeasurement | FanKerma | Output, Field(discriminator="kind")]
