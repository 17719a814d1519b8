"""PET or SPECT volumes of the scene as frames in Bq/ml, and what organs hold of them over time.

The sums over organs are made once for each volume and drawing of the masks, in the volume's own unit; facts and models
only scale and fit them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import SimpleITK as sitk
from pydantic import ValidationError

from organdose.assess.live_organ_activity import LiveOrganActivity
from organdose.assess.organ_selection import table_place
from organdose.errors import InputError, MissingFacts
from organdose.nuclear.activity_integral import middle_of_frame
from organdose.nuclear.radionuclide import radionuclide
from organdose.nuclear.time_activity import TimeActivityCurve, time_activity_curves
from organdose.scene.segment_edits import SegmentEdits, patient_grid
from organdose.scene.volume_nodes import image_from_volume_node
from organdose.study.activity_reading import with_half_life
from organdose.study.activity_scale import bq_per_ml_factor
from organdose.study.activity_study import ActivityFrame, ActivityStudy, net_injected_bq
from organdose.study.activity_summary import FrameActivity, frame_activities
from organdose.study.frame_timing import frame_timing
from organdose.study.nuclear_fact_sheet import NuclearFactSheet
from organdose.study.nuclear_facts import EXPLANATIONS, NuclearAcquisition
from organdose.study.nuclear_protocol import NuclearProtocol, with_protocol
from organdose.study.protocol import refusal


def acquisition_of(sheet: NuclearFactSheet) -> NuclearAcquisition:
    """The facts of a form as `read_activity` understands them. Raises `InputError` for values that cannot be."""
    try:
        protocol = NuclearProtocol.model_validate(sheet.protocol())
    except ValidationError as error:
        raise refusal(error, None, EXPLANATIONS) from error
    return with_half_life(with_protocol(NuclearAcquisition(), protocol), _half_life_s)


def _half_life_s(name: str) -> float | None:
    try:
        return radionuclide(name).half_life_s
    except InputError:
        return None


class FrameVolume:
    """The voxels of one volume node, and what they are in Bq/ml by the facts of a form."""

    def __init__(self, node):
        self.node = node
        self._state = _state(node)
        self._image = image_from_volume_node(node)
        self._scaled: tuple[float, sitk.Image] = 1.0, sitk.Cast(self._image, sitk.sitkFloat32)
        self.sums: LiveOrganActivity | None = None

    @property
    def is_current(self) -> bool:
        """Whether the node still has the voxels that were taken."""
        return self.node.GetScene() is not None and _state(self.node) == self._state

    def frame(self, sheet: NuclearFactSheet) -> tuple[ActivityFrame, float]:
        """The frame, and Bq/ml for a value of 1. Raises `MissingFacts` without a unit, `InputError`."""
        known = acquisition_of(sheet)
        timing = frame_timing(known)
        factor, _lines = bq_per_ml_factor(known, NuclearAcquisition(), elapsed_s=timing.reference_s,
                                          voxel_ml=float(np.prod(self._image.GetSpacing())) / 1000, where=None)
        if factor != self._scaled[0]:
            self._scaled = factor, sitk.Cast(self._image, sitk.sitkFloat32) * factor
        return ActivityFrame(self._scaled[1], known, timing.start_at, timing.start_s, timing.duration_s,
                             timing.reference_at, timing.reference_s, known.value("decay_correction") or ""), factor


class ActivityOfFrames:
    """The frames of one study with their organ sums, kept as long as volumes, CT and masks are the same."""

    def __init__(self):
        self._volumes: list[FrameVolume] = []
        self._edits: SegmentEdits | None = None

    def row(self, node, sheet: NuclearFactSheet) -> FrameActivity | None:
        """One frame in numbers; None while facts lack that all of them need. Raises `InputError`."""
        try:
            frame, _factor = self._volume(node).frame(sheet)
        except MissingFacts:
            return None
        return frame_activities(ActivityStudy((frame,), frame.acquisition))[0]

    def missing(self, node, sheet: NuclearFactSheet) -> dict[str, str]:
        """The facts without which there are no Bq/ml, with their explanations, by the names of a protocol."""
        try:
            self._volume(node).frame(sheet)
        except MissingFacts as error:
            return dict(error.facts)
        return {}

    def follow(self, nodes: Sequence, ct_node, segmentation_node) -> Iterator[float]:
        """Bring the sums over organs up to date with the masks, in steps; yields the part done (0 to 1).

        Raises `InputError` for nodes that cannot be used (empty, oblique, under a transform, no label maps).
        """
        import slicer

        edits = SegmentEdits.of(segmentation_node, ct_node)
        for index, node in enumerate(nodes):
            volume = self._volume(node)
            if volume.sums is None or edits is not self._edits:
                grid = patient_grid(node, "PET or SPECT")
                volume.sums = LiveOrganActivity(grid, slicer.util.arrayFromVolume(node), edits.grid, edits.kept)
            for fraction in volume.sums.take(edits.drawing()):
                yield (index + fraction) / len(nodes)
        self._edits = edits
        self._volumes = [volume for volume in self._volumes if volume.node in nodes]

    def curves(self, nodes: Sequence, sheets: Sequence[NuclearFactSheet], model: str,
               parameters: Mapping[str, object]) -> list[TimeActivityCurve]:
        """Time-activity curves of the organs, in the order of the organ table; none before the sums are there.

        Raises `MissingFacts`, and `InputError` where model and time points do not go together.
        """
        volumes = [self._volume(node) for node in nodes]
        if not volumes or any(volume.sums is None for volume in volumes):
            return []
        points = []
        for volume, sheet in zip(volumes, sheets, strict=True):
            frame, factor = volume.frame(sheet)
            frame.acquisition.require("radionuclide", "half_life_s")
            time_s, decayed = middle_of_frame(frame, frame.acquisition.half_life_s.value)
            points.append((time_s, factor * decayed, volume.sums.amounts))
        points.sort(key=lambda point: point[0])
        organs = sorted(set.intersection(*(set(amounts) for *_, amounts in points)), key=table_place)
        activity_bq = np.array([[scale * amounts[organ] for organ in organs] for _, scale, amounts in points])
        acquisition = acquisition_of(sheets[0])
        known = acquisition.injected_activity_bq is not None
        return time_activity_curves(organs, np.array([point[0] for point in points]), activity_bq,
                                    math.log(2) / acquisition.half_life_s.value,
                                    net_injected_bq(acquisition) if known else math.nan, model, **parameters)

    def _volume(self, node) -> FrameVolume:
        for index, volume in enumerate(self._volumes):
            if volume.node is node:
                if not volume.is_current:
                    self._volumes[index] = FrameVolume(node)
                return self._volumes[index]
        self._volumes.append(FrameVolume(node))
        return self._volumes[-1]


def _state(node) -> tuple:
    image = node.GetImageData()
    scalars = image.GetPointData().GetScalars() if image is not None else None
    return scalars and scalars.GetMTime(), node.GetOrigin(), node.GetSpacing(), node.GetTransformNodeID()
