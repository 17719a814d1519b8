"""Scanner definitions: geometry, filtration and bowtie as data with their source."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from organdose.ct.bowtie import Bowtie
from organdose.ct.spectrum import Spectrum, tungsten_spectrum
from organdose.errors import InputError
from organdose.resources import resource_path


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scanner(_Strict):
    """One CT scanner. `filtration_mm` maps elements to thicknesses of flat filters.

    `ctdivol_mgy_per_mas` maps '<kV>/<phantom cm>' to CTDIvol per effective mAs (mA x s / pitch), for studies whose
    headers give no CTDIvol. `overrange_rotations` is the number of extra rotations of a helical scan in total.
    """

    name: str
    title: str
    manufacturer: str
    models: list[str]
    focus_isocentre_mm: float = Field(gt=300, lt=1000)
    fan_angle_deg: float = Field(gt=10, lt=80)
    anode_angle_deg: float = Field(gt=0, lt=30)
    filtration_mm: dict[str, float]
    bowties: dict[Literal["body", "head", "none"], Bowtie]
    overrange_rotations: float = Field(ge=0, le=5)
    ctdivol_mgy_per_mas: dict[str, float]
    source: str = Field(min_length=10)

    @property
    def fan_half_angle_rad(self) -> float:
        return math.radians(0.5 * self.fan_angle_deg)

    def tube_spectrum(self, tube_voltage_kv: float) -> Spectrum:
        """Spectrum behind the flat filters, before the bowtie. Raises `InputError` for an unknown voltage."""
        spectrum = tungsten_spectrum(tube_voltage_kv)
        for element, thickness_mm in self.filtration_mm.items():
            spectrum = spectrum.filtered(element, thickness_mm)
        return spectrum

    def bowtie(self, kind: str) -> Bowtie | None:
        """The bowtie of that kind; None for 'none'. Raises `InputError` when the scanner has no such bowtie."""
        if kind == "none":
            return None
        if kind not in self.bowties:
            raise InputError(f"scanner {self.name!r} has no {kind!r} bowtie",
                             mend=f"It has: {', '.join(self.bowties) or 'none'}.")
        return self.bowties[kind]


def scanner_names() -> list[str]:
    """Names of the scanners that ship with the project."""
    return sorted(path.stem for path in resource_path("scanners").glob("*.json"))


def load_scanner(name_or_file: str | Path) -> Scanner:
    """A shipped scanner by name, or a user's JSON file. Raises `InputError` saying which field is wrong."""
    path = Path(name_or_file)
    if path.suffix != ".json":
        if str(name_or_file) not in scanner_names():
            raise InputError(f"unknown scanner {str(name_or_file)!r}",
                             mend=f"Known: {', '.join(scanner_names())}; or give a JSON file.")
        path = resource_path("scanners", f"{name_or_file}.json")
    try:
        return Scanner.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"cannot read the scanner file ({error.strerror})", where=path,
                         mend="Check the path.") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(f"scanner field {field!r}: {first['msg']}", where=path, mend="Correct that field.") from error
    except ValueError as error:
        raise InputError(f"not readable as JSON ({error})", where=path, mend="Correct the file.") from error
