"""The engines that turn a CT into masks: what each states about itself, and the registry front doors choose from."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol

from pydantic import BaseModel

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.progress import Progress
from organdose.study.ct_study import CTStudy

# One module an engine; it defines ENGINE. Imported when asked for, so that an engine's packages may be missing.
_MODULES = {"analytic": "organdose.segmentation.analytic",
            "res-u2net": "organdose.segmentation.res_u2net_engine",
            "totalsegmentator": "organdose.segmentation.totalsegmentator_engine",
            "monai-bundle": "organdose.segmentation.monai_bundle_engine",
            "nnunet": "organdose.segmentation.nnunet_engine",
            "atlas": "organdose.segmentation.atlas_engine",
            "combined": "organdose.segmentation.combined"}


class SegmentationEngine(Protocol):
    """What an engine states, and its work.

    `devices` are those it can run on ('cpu', 'cuda'); `organs` the names of the vocabulary it can yield, which are not
    what it will yield where that is up to the model it is given (`organs_by_model`, False where not stated);
    `parameters` the pydantic model of its settings, from whose fields front doors build their forms. `cost` says for
    people what memory and time a large CT takes.
    """

    name: str
    title: str
    licence: str
    cost: str
    devices: tuple[str, ...]
    organs: tuple[str, ...]
    parameters: type[BaseModel]

    # Engines that need more than what every job has define `check_ready(parameters, installed)`, which raises
    # `InputError` for missing packages and weights (see engine_needs.py); those whose organs are up to their parameters
    # `organs_with(parameters)`. `context` says what an engine must see around the voxels it draws (see `context_of`).

    def segment(self, study: CTStudy, parameters: BaseModel, progress: Progress) -> OrganMasks:
        """Masks on the grid of the CT; `notes` says what it did not find and why. Raises `InputError`, `Cancelled`."""


def engine_names() -> tuple[str, ...]:
    return tuple(_MODULES)


def engine(name: str) -> SegmentationEngine:
    """The engine of that name. Raises `InputError` with the known names."""
    if name not in _MODULES:
        raise InputError(f"unknown segmentation engine {name!r}", mend=f"Known: {', '.join(_MODULES)}.")
    return import_module(_MODULES[name]).ENGINE
