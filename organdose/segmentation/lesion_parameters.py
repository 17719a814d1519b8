"""What can be chosen about outlining a lesion in PET or SPECT."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LesionParameters(BaseModel):
    """How the edge of a lesion is found. Forms read titles, descriptions and hints as in `ct.engines`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["percent", "absolute", "gradient"] = Field(
        "percent", title="Edge", json_schema_extra={
            "words": {"percent": "percent of the maximum", "absolute": "fixed value", "gradient": "steepest gradient"}},
        description="a percentage of the highest value in the seed region; a value, the same for all lesions; or where "
                    "the uptake falls most steeply")
    percent: float = Field(
        42.0, ge=5, le=95, title="Percent of the maximum", json_schema_extra={"counts_when": {"method": "percent"}},
        description="42 % gave the volumes of spheres above 4 ml in phantoms (Erdi et al., Cancer 80 (1997) 2505); "
                    "smaller lesions and low contrast need more")
    value: float = Field(
        4.0, gt=0, title="Value (SUV)", json_schema_extra={"counts_when": {"method": "absolute"}},
        description="SUV that belongs to the lesion; in the unit of the image where no SUV is known")
    smoothing_mm: float = Field(
        3.0, ge=0, le=20, title="Smoothing (mm)", json_schema_extra={"counts_when": {"method": "gradient"}},
        description="FWHM of the Gaussian that the gradient is taken with; small spheres shrink with more of it, noise "
                    "moves the edge with less")
