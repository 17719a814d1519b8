"""The acquisition facts of a CT, or of a localiser, as a protocol file that a person completes and corrects."""

from __future__ import annotations

import json
from pathlib import Path

from organdose.errors import InputError
from organdose.export.whole_file import whole_file
from organdose.progress import Progress
from organdose.study.ct_fact_sheet import CTFactSheet
from organdose.study.dicom_ct import read_dicom_ct_facts
from organdose.study.facts import CTAcquisition
from organdose.study.localiser import read_localisers


def write_protocol(ct: Path, out: Path, *, series: str | None = None, localiser: int | None = None,
                   progress: Progress | None = None) -> CTAcquisition:
    """Write `out` (JSON) with what the headers under `ct` say; with `localiser` those of the localiser of that number,
    from 1 in the order of the files' names. Returns the facts. Raises `InputError`.
    """
    if localiser is None:
        acquisition, sex = read_dicom_ct_facts(ct, series=series, progress=progress)
    else:
        found, sex = read_localisers(ct, progress), ""
        if not 1 <= localiser <= len(found):
            raise InputError(f"there is no localiser {localiser}: {len(found)} lie here", where=ct,
                             mend=f"Choose one from 1 to {len(found)}.")
        acquisition = found[localiser - 1]
    content = CTFactSheet.of(acquisition, sex).protocol()
    with whole_file(out) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return acquisition
