"""How large a Res-U2Net is: what its weights cannot say by themselves."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator


class NetworkShape(BaseModel):
    """Channels in, labels out, channels of each scale (`widths`, finest first) and halvings inside each block."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels_in: int = Field(2, ge=1)
    labels: int = Field(ge=2)
    widths: tuple[int, ...] = Field((16, 32, 64, 96, 96), min_length=2)
    inner_depths: tuple[int, ...] = Field((3, 3, 2, 2, 1), min_length=2)

    @model_validator(mode="after")
    def _one_depth_a_width(self) -> NetworkShape:
        if len(self.widths) != len(self.inner_depths) or min(self.widths) < 1 or min(self.inner_depths) < 1:
            raise ValueError("widths and inner_depths must be as many positive numbers")
        return self
