"""What the window of internal dose lets its user choose beside engines, time model and registration."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

_GROUP = {"group": "Activity and patient"}


class InternalDoseOptions(BaseModel):
    """Values of `jobs.internal_dose_job.InternalDoseJob`, as a form shows them (see `EngineForm`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outside_body: Literal["leave_out", "keep"] = Field(
        "leave_out", title="Activity outside the body", json_schema_extra=_GROUP | {
            "words": {"leave_out": "leave out", "keep": "keep"}},
        description="activity outside body and masks is noise, spill-out, or arms beyond the CT: leave it out, and say "
                    "how much it was, or let it irradiate the body")
    couch: Literal["auto", "keep", "remove"] = Field(
        "auto", title="Couch", json_schema_extra=_GROUP | {
            "words": {"auto": "keep where it is one", "keep": "keep all outside", "remove": "make it air"}},
        description="what the CT shows outside the body: the couch scatters photons back, sheets and wires are air")
    recovery: str | None = Field(
        None, title="Recovery table", json_schema_extra=_GROUP,
        description="recovery coefficients of spheres (JSON), for small organs and lesions whose activity the image "
                    "shows too low")
    recovery_organs: str = Field(
        "", title="Organs to correct", json_schema_extra=_GROUP,
        description="names of organs or lesions whose activity is divided by their recovery coefficient, with commas")

    def of_job(self) -> dict[str, object]:
        """As the job takes them."""
        organs = [name.strip() for name in self.recovery_organs.split(",") if name.strip()]
        return {**self.model_dump(exclude={"recovery_organs"}), "recovery_organs": organs}
