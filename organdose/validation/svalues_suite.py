"""S-values of our Monte Carlo in the ICRP 110 adult male beside those of OpenDose, for Lu-177 in four sources.

OpenDose (opendose.org) computed them in the same voxels with several Monte Carlo codes. The tables and the phantom do
not ship with us.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from organdose.anatomy.phantoms.voxel_phantom import LabelledPhantom
from organdose.anatomy.phantoms.voxel_phantom_files import read_voxel_phantom
from organdose.errors import InputError
from organdose.nuclear.progeny import with_progeny
from organdose.nuclear.s_values import SValues, s_values
from organdose.progress import Progress
from organdose.validation.comparison import Comparison, outside_file, reference_table

HISTORIES = 5_000_000
SELF_PERCENT, TARGET_PERCENT = 2.0, 5.0
# OpenDose's spongiosa is another medium than that of ICRP 110's tables: its masses differ by up to 8 %.
UNLIKE_PERCENT, SAME_MASS_PERCENT = 10.0, 1.0
SMALLEST_MGY_PER_MBQ_S = 1e-8
SOURCES = {"liver": "liver", "spleen": "spleen", "left kidney c+m+p": "kidney_left",
           "right kidney c+m+p": "kidney_right"}

# OpenDose's names of several labels together, after the masses it gives for them.
GROUPS = {
    "Adipose/residual tissue": ("Residual tissue, *", "Breast, *, adipose tissue"),
    "Alveolar-interstitium": ("Lung, *, tissue",),
    "Breast-a + Breast-g": ("Breast, *",),
    "Colon": ("* colon wall*", "Rectum wall"),
    "ET region": ("* (ET?)",),
    "LBreast-a + LBresat-g": ("Breast, left, *",),
    "Left colon wall (left transverse + descending)": ("Transverse colon wall, left", "Descending colon wall"),
    "Left kidney C+M+P": ("Kidney, left, *",),
    "Left lung lobe": ("Lung, left, *",),
    "Lenses of eye": ("Eye lens*",),
    "Lymph nodes": ("Lymphatic nodes, *",),
    "Lymph nodes, except LN-ET + LN-Th": ("Lymphatic nodes, head", "Lymphatic nodes, trunk", "Lymphatic nodes, arms",
                                          "Lymphatic nodes, legs"),
    "Muscle": ("Muscle, *",),
    "Oral mucosa": ("Oral mucosa, *",),
    "RAdrenal + LAdrenal": ("Adrenal, *",),
    "RBreast-a + LBreast-a": ("Breast, *, adipose tissue",),
    "RBreast-a + RBreast-g": ("Breast, right, *",),
    "RBreast-g + LBreast-g": ("Breast, *, glandular tissue",),
    "RKidney + LKidney": ("Kidney, *",),
    "RLung + LLung": ("Lung, *",),
    "Right colon wall (ascending + right transverse)": ("Ascending colon wall", "Transverse colon wall, right"),
    "Right kidney C+M+P": ("Kidney, right, *",),
    "Right lung lobe": ("Lung, right, *",),
    "Salivary glands": ("Salivary glands, *",),
    "Sigmoid colon wall + rectum wall": ("Sigmoid colon wall", "Rectum wall"),
    "Skin": ("Skin, *",),
    "Testes": ("Testis, *",),
    "Tongue": ("Tongue (inner part)", "Oral mucosa, tongue"),
    "Ureters": ("Ureter, *",),
}
# Not tissue, or defined by what surrounds the phantom.
LEFT_OUT = ("Air inside body", "Air outside body", "Skin at top and bottom")
WHOLE = "Total body except organ contents"


def svalues(histories: int | None = None, progress: Progress | None = None) -> list[Comparison]:
    """Every row of OpenDose's four tables above 1e-8 mGy/(MBq s); `histories` are photons a source."""
    folder = outside_file("data", "icrp110_AM")
    if folder is None:
        raise InputError("the ICRP 110 adult male is not here",
                         mend="Set ORGANDOSE_DATA to the folder that holds data/icrp110_AM; it does not ship with us.")
    tables = reference_table("opendose_lu177_am")["tables"]["AM"]
    phantom = with_groups(read_voxel_phantom(folder), tables["liver"])
    targets = [row[0] for row in tables["liver"] if row[0] not in LEFT_OUT]
    ours = s_values(phantom, with_progeny("Lu-177"), list(SOURCES.values()), targets=targets,
                    histories=histories or HISTORIES, progress=progress)
    return [row for theirs, source in SOURCES.items() for row in source_rows(ours, source, tables[theirs])]


def with_groups(phantom: LabelledPhantom, table: Sequence[Sequence]) -> LabelledPhantom:
    """The phantom with a region for every name of the table."""
    regions = dict(phantom.regions)
    for name, *_ in table:
        if name in GROUPS:
            regions[name] = {label: 1.0 for label, entry in phantom.entries.items() if label not in phantom.outside
                             and any(fnmatchcase(entry.name, pattern) for pattern in GROUPS[name])}
    regions[WHOLE] = {label: 1.0 for label in phantom.regions["body"] if label not in phantom.contents}
    return replace(phantom, regions=regions)


def source_rows(ours: SValues, source: str, table: Sequence[Sequence]) -> list[Comparison]:
    """Rows of one source: to itself within 2 %, to the others within 5 %, and within 10 % where the mass that OpenDose
    gives differs by more than 1 % from that of ICRP 110's voxels and densities."""
    itself = ours.source_parts[ours.column(source)]
    rows = []
    for name, expected, _, mass_g in table:
        if name in LEFT_OUT or expected < SMALLEST_MGY_PER_MBQ_S:
            continue
        row, column = ours.row(name), ours.column(source)
        percent = SELF_PERCENT if _shared(ours.target_parts[row], itself) else TARGET_PERCENT
        if abs(100 * (mass_g / ours.target_mass_g[row] - 1)) > SAME_MASS_PERCENT:
            percent = UNLIKE_PERCENT
        uncertainty = float(ours.relative_uncertainty[row, column])
        rows.append(Comparison(f"{name} <- {source}", float(ours.total[row, column]), uncertainty,
                               {"OpenDose": expected}, expected, percent))
    return rows


def _shared(one: Mapping[int, float], other: Mapping[int, float]) -> bool:
    return set(one) <= set(other) or set(other) <= set(one)
