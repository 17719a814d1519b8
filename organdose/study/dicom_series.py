"""Which of the CT series in a folder to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from organdose.errors import InputError
from organdose.study.ct_slices import CTSlice, is_ct_image, slices_of
from organdose.study.dicom_files import DicomFile
from organdose.study.header_values import number, text

# A series of so few images beside a longer one is a bolus-tracking monitor or a dose sheet, not the examination.
_FEW_SLICES = 5
_MOST_NAMED = 12


@dataclass(frozen=True)
class CTSeries:
    """The slices of one series, localisers set aside, in no particular order."""

    uid: str
    number: str
    slices: tuple[CTSlice, ...]

    def described(self) -> str:
        """Series number, slice count and slice thickness: enough to choose by, and nothing of the patient."""
        thickness_mm = {number(each.header, "SliceThickness") for each in self.slices} - {None}
        thickness = f", {'/'.join(f'{t:g}' for t in sorted(thickness_mm))} mm thick" if thickness_mm else ""
        count = len(self.slices)
        return f"{self.number or 'without number'} ({count} slice{'s' if count != 1 else ''}{thickness})"


def choose_series(files: Sequence[DicomFile], wanted: str | None, where: Path) -> tuple[CTSeries, tuple[str, ...]]:
    """The CT series to read, and a remark for each shorter one that was set aside.

    `wanted` is a SeriesNumber or SeriesInstanceUID. Without it the folder must hold one CT series of more than a few
    slices; images of other modalities and localisers do not count. Raises `InputError` naming the choices.
    """
    all_series = _ct_series(files, where)
    if wanted is not None:
        return _wanted_series(all_series, wanted.strip(), where), ()
    if len(all_series) == 1:
        return all_series[0], ()
    long_series = [each for each in all_series if len(each.slices) > _FEW_SLICES]
    if len(long_series) != 1:
        raise InputError(f"the folder holds {len(all_series)} CT series: {_listed(all_series)}", where=where,
                         mend="Choose one with --series NUMBER (or its SeriesInstanceUID).")
    chosen = long_series[0]
    return chosen, tuple(f"set aside CT series {each.described()} beside series {chosen.described()}"
                         for each in all_series if each is not chosen)


def _ct_series(files: Sequence[DicomFile], where: Path) -> list[CTSeries]:
    ct_files = [each for each in files if is_ct_image(each)]
    if not ct_files:
        raise InputError(f"no CT images here, only {_other_kinds(files)}", where=where,
                         mend="Give the folder of the CT series.")
    # Anonymisers empty the SeriesInstanceUID; the series number then still tells series apart.
    members: dict[tuple[str, str], list[CTSlice]] = {}
    for file in ct_files:
        key = (text(file.header, "SeriesInstanceUID"), _series_number(file))
        members.setdefault(key, []).extend(each for each in slices_of(file) if not each.is_localiser)
    series = [CTSeries(uid, series_number, tuple(slices)) for (uid, series_number), slices in members.items() if slices]
    if not series:
        raise InputError("only localisers (scout views), no CT slices", where=where,
                         mend="Give the folder of the CT series.")
    return sorted(series, key=lambda each: (len(each.number), each.number, each.uid))


def _series_number(file: DicomFile) -> str:
    value = number(file.header, "SeriesNumber")
    return "" if value is None else str(int(value))


def _other_kinds(files: Sequence[DicomFile]) -> str:
    """'PT (40 files), SEG (1 file)'; a class of images with CT as modality shows as its own name."""
    kinds = Counter()
    for file in files:
        modality = text(file.header, "Modality").upper()[:16]
        named = getattr(file.header.get("SOPClassUID"), "name", "") if modality in ("", "CT") else modality
        kinds[named or "files without a modality"] += 1
    return ", ".join(f"{kind} ({count} file{'s' if count > 1 else ''})" for kind, count in kinds.most_common(6))


def _wanted_series(all_series: list[CTSeries], wanted: str, where: Path) -> CTSeries:
    matching = [each for each in all_series if wanted and wanted in (each.uid, each.number)]
    if not matching:
        raise InputError(f"no CT series has the number or UID {wanted!r}; there are {_listed(all_series)}",
                         where=where, mend="Choose one of these with --series.")
    if len(matching) > 1:
        raise InputError(f"{len(matching)} CT series have the number {wanted}: {_listed(matching)}", where=where,
                         mend="Choose with --series SeriesInstanceUID, or give a folder that holds one of them.")
    return matching[0]


def _listed(all_series: list[CTSeries]) -> str:
    named = "; ".join(each.described() for each in all_series[:_MOST_NAMED])
    more = len(all_series) - _MOST_NAMED
    return f"{named}; and {more} more" if more > 0 else named
