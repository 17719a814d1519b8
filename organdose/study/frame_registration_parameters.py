"""What can be chosen about bringing the time points of one patient together."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

_ADVANCED = {"group": "Advanced"}


class RegistrationParameters(BaseModel):
    """How frames come onto one another. Forms read titles, descriptions and hints as in `ct.engines`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["none", "rigid", "deformable"] = Field(
        "rigid", title="Registration", json_schema_extra={
            "words": {"none": "none", "rigid": "rigid", "deformable": "rigid, then deformable"}},
        description="none: each frame stays where its scanner says it is; rigid: shifted and turned onto the "
                    "reference; deformable: and then bent smoothly (B-splines)")
    reference: int = Field(
        1, ge=1, title="Reference frame",
        description="number of the frame, from 1 in the order of time, that the others are brought onto")
    on: Literal["auto", "ct", "activity"] = Field(
        "auto", title="Compare", json_schema_extra={
            "words": {"auto": "CT where there is one", "ct": "CT", "activity": "PET or SPECT"}},
        description="the images that are compared: the CT of each time point shows where the patient lies, while "
                    "PET or SPECT change with time")
    metric: Literal["auto", "mutual_information", "correlation"] = Field(
        "auto", title="Measure", json_schema_extra=_ADVANCED | {
            "words": {"auto": "by image", "mutual_information": "mutual information", "correlation": "correlation"}},
        description="how likeness is measured; by image: mutual information (Mattes) of CT, correlation of PET and "
                    "SPECT")
    control_mm: float = Field(
        60.0, ge=20, le=200, title="Control points (mm)",
        json_schema_extra=_ADVANCED | {"counts_when": {"method": "deformable"}},
        description="distance of the B-spline's control points: what is smaller than that is not bent")
    farthest_mm: float = Field(
        50.0, gt=0, le=2000, title="Farthest (mm)", json_schema_extra=_ADVANCED,
        description="a registration that moves the patient farther than this, at the mean, is reported and not used")
    keep_total: bool = Field(
        False, title="Keep the activity", json_schema_extra=_ADVANCED | {"counts_when": {"method": "rigid"}},
        description="scale a rigidly moved frame so that interpolation changes nothing of its total activity")
