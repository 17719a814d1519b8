"""How table and tube moved, out of headers: kind of scan, pitch, table feed, rotation time, angle of a still tube.

Attributes: PS3.3 C.8.15.3.2 to C.8.15.3.4 (CT Acquisition Type, Acquisition Details, Table Dynamics).
"""

from __future__ import annotations

from pydicom.dataset import Dataset

from organdose.study.facts import Fact, Origin
from organdose.study.header_slices import HeaderSlices
from organdose.study.header_values import number, text, texts

# Headers round; beyond this, two values do not belong together.
AGREEMENT = 0.05
# IEC 60601-2-44 treats nominal beam widths above this as wide beams.
_WIDE_BEAM_MM = 40.0
# Patient-based angle of the highest point of the gantry, and whether clockwise as seen from the table's end of the
# gantry turns the way our angles do (PS3.3 C.7.3.1.1.2 Patient Position, C.8.15.3.2 Tube Angle).
_GANTRY_TOP_DEG = {"S": 0.0, "P": 180.0, "DR": 90.0, "DL": 270.0}


def scan_kind(slices: HeaderSlices, pitch: Fact | None, collimation_mm: Fact | None) -> Fact[str] | None:
    """'helical', 'axial', 'cone_beam' or 'localiser': as declared, else helical where there is a pitch.

    A scan without table motion is a cone-beam rotation where the beam is wider than 40 mm.
    """
    declared = declared_kind(slices)
    moving = pitch is not None and pitch.value > 0
    if declared is None:
        return Fact("helical", Origin.derived, "it has a pitch") if moving else None
    if declared in ("axial", "stationary") and moving:
        slices.warn(f"the header calls the scan axial and gives a pitch of {pitch.value:g}: axial is kept")
    if declared == "stationary":
        wide = collimation_mm is not None and collimation_mm.value > _WIDE_BEAM_MM
        return Fact("cone_beam" if wide else "axial", Origin.derived, "the table did not move")
    return Fact(declared, Origin.header)


def declared_kind(slices: HeaderSlices) -> str | None:
    """The kind where all headers that say something say the same; 'stationary' for a table that stood still."""
    kinds = {_kind_of(header) for header in slices.headers} - {None}
    return kinds.pop() if len(kinds) == 1 else None


def is_localiser(header: Dataset) -> bool:
    """A scout view (PS3.3 C.8.2.1.1.1): a projection, no slice."""
    return "LOCALIZER" in texts(header, "ImageType") or text(header, "AcquisitionType").upper() == "CONSTANT_ANGLE"


def _kind_of(header: Dataset) -> str | None:
    """AcquisitionType where it is given, else what scanners write in ScanOptions (GE) or ImageType (Siemens).

    The value AXIAL of ImageType means the plane of the image, not the motion of the table.
    """
    if is_localiser(header):
        return "localiser"
    kind = text(header, "AcquisitionType").upper()
    if kind:
        return {"SPIRAL": "helical", "SEQUENCED": "axial", "STATIONARY": "stationary"}.get(kind)
    words = {word for value in texts(header, "ImageType")[2:] + texts(header, "ScanOptions")
             for word in value.replace("_", " ").split()}
    if words & {"HELICAL", "HELIX", "SPIRAL", "SPI"}:
        return "helical"
    scan_options = {word for value in texts(header, "ScanOptions") for word in value.replace("_", " ").split()}
    return "axial" if "SEQ" in words or scan_options & {"AXIAL", "SEQUENTIAL", "SEQUENCE"} else None


def rotation_time(slices: HeaderSlices, kind: str | None) -> Fact[float] | None:
    """RevolutionTime, or from the table's motion; a localiser has none."""
    if kind == "localiser":
        return None
    told = slices.one("RevolutionTime", "s")
    feed_mm, speed_mm_s = slices.one("TableFeedPerRotation", "mm"), slices.one("TableSpeed", "mm/s")
    if told is not None or feed_mm is None or speed_mm_s is None:
        return told
    return Fact(feed_mm.value / speed_mm_s.value, Origin.derived, "table feed per rotation / table speed")


def pitch_factor(slices: HeaderSlices, kind: str | None, rotation_time_s: Fact | None,
                 collimation_mm: Fact | None) -> Fact[float] | None:
    """SpiralPitchFactor; where it is absent, from the table feed; 0 for scans that declare themselves sequential."""
    told = slices.one("SpiralPitchFactor")
    if told is None and kind in ("axial", "stationary", "localiser"):
        return Fact(0.0, Origin.derived, "the table does not move while the tube turns")
    if told is None and kind == "helical" and any(number(header, "SpiralPitchFactor") == 0
                                                  for header in slices.headers):
        slices.warn("the header calls the scan helical and gives a SpiralPitchFactor of 0: that pitch is not used")
    if collimation_mm is None:
        return told
    from_table = {words: feed_mm / collimation_mm.value
                  for words, feed_mm in _table_feeds_mm(slices, rotation_time_s).items()}
    reference = told.value if told is not None else next(iter(from_table.values()), None)
    odd = [f"{words} / total collimation = {pitch:.3f}" for words, pitch in from_table.items()
           if abs(pitch - reference) > AGREEMENT * reference]
    if told is None and odd:
        slices.warn(f"the table feeds in the header give different pitches ({reference:.3f}; {'; '.join(odd)}): none "
                    "is used")
        return None
    if told is None:
        return None if reference is None else Fact(reference, Origin.derived, f"{next(iter(from_table))} / collimation")
    if odd:
        slices.warn(f"SpiralPitchFactor {told.value:g} disagrees with {'; '.join(odd)}: SpiralPitchFactor is kept")
    return Fact(told.value, told.origin, f"disagrees with {'; '.join(odd)}" if odd else "")


def table_feed(slices: HeaderSlices, pitch: Fact | None, collimation_mm: Fact | None) -> Fact[float] | None:
    """Feed per rotation in mm: of a helical scan pitch x collimation, so that it agrees with the pitch that is used."""
    if pitch is not None and pitch.value > 0 and collimation_mm is not None:
        return Fact(pitch.value * collimation_mm.value, Origin.derived, "pitch x total collimation")
    return slices.one("TableFeedPerRotation", "mm")


def _table_feeds_mm(slices: HeaderSlices, rotation_time_s: Fact | None) -> dict[str, float]:
    """The table feed per rotation in mm in each way the header gives it."""
    feeds_mm = {}
    feed_mm, speed_mm_s = slices.one("TableFeedPerRotation", "mm"), slices.one("TableSpeed", "mm/s")
    if feed_mm is not None:
        feeds_mm["table feed per rotation"] = feed_mm.value
    if speed_mm_s is not None and rotation_time_s is not None:
        feeds_mm["table speed x rotation time"] = speed_mm_s.value * rotation_time_s.value
    return feeds_mm


def total_collimation(slices: HeaderSlices) -> Fact[float] | None:
    """TotalCollimationWidth in mm; a warning where it is narrower than one of its rows."""
    total_mm, single_mm = slices.one("TotalCollimationWidth", "mm"), slices.one("SingleCollimationWidth", "mm")
    if total_mm is not None and single_mm is not None and single_mm.value > (1 + AGREEMENT) * total_mm.value:
        slices.warn(f"SingleCollimationWidth {single_mm.value:g} mm is wider than TotalCollimationWidth "
                    f"{total_mm.value:g} mm: TotalCollimationWidth is kept")
    return total_mm


def tube_angle_deg(header: Dataset) -> float | None:
    """TubeAngle of a localiser turned from the gantry to the patient: 0 towards the chest, 90 towards the left side.

    None where the header does not say how the patient lay.
    """
    angle_deg, position = number(header, "TubeAngle"), text(header, "PatientPosition").upper()
    top_deg = _GANTRY_TOP_DEG.get(position[2:])
    if angle_deg is None or top_deg is None or position[:2] not in ("HF", "FF"):
        return None
    return (top_deg + (angle_deg if position[:2] == "HF" else -angle_deg)) % 360.0
