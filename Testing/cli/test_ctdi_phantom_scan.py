"""The absolute scale from end to end: DICOM in, `organdose ct-dose`, mGy in the chambers of a CTDI phantom out."""

import json

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from organdose import cli
from organdose.resources import resource_path

PIXEL_MM, SLICES, CTDIVOL_MGY = 2.5, 60, 12.3
AIR_HU, PMMA_HU, CHAMBER_HU = -1000, 120, 400
AIR = {"C": 0.000124, "N": 0.755267, "O": 0.231781, "Ar": 0.012827}
# Chambers are air as dense as PMMA, so that enough energy is left in them: CTDI is the dose to air.
CURVE = {"nodes": [[AIR_HU, 0.0012], [PMMA_HU, 1.19], [CHAMBER_HU, 1.19]],
         "materials": [{"from_hu": -1000, "name": "air", "weight_fractions": AIR},
                       {"from_hu": -950, "name": "PMMA",
                        "weight_fractions": {"H": 0.080541, "C": 0.599846, "O": 0.319613}},
                       {"from_hu": 300, "name": "chamber", "weight_fractions": AIR}]}
CODES = {32: "113691", 16: "113690"}


@pytest.fixture(autouse=True)
def one_percent_calibration(tmp_path, monkeypatch):
    monkeypatch.setenv("ORGANDOSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("organdose.ct.ctdi._WANTED_PERCENT", 1.0)


def chambers(phantom_cm: int) -> list[tuple[slice, slice]]:
    """Rows and columns of the five holes: 12.5 mm squares at the centre and 10 mm under the surface."""
    ring, middle = round((5 * phantom_cm - 10) / PIXEL_MM), pixels(phantom_cm) // 2
    return [(slice(middle + y - 2, middle + y + 3), slice(middle + x - 2, middle + x + 3))
            for y, x in ((0, 0), (ring, 0), (-ring, 0), (0, ring), (0, -ring))]


def pixels(phantom_cm: int) -> int:
    return 2 * int((5 * phantom_cm + 10) / PIXEL_MM) + 1


def phantom_image(phantom_cm: int) -> sitk.Image:
    """15 cm of the phantom around the origin; pixels at its surface hold the part of it that lies in them."""
    count = pixels(phantom_cm)
    place_mm = (np.arange(count) - count // 2) * PIXEL_MM
    fine_mm = (place_mm[:, None] + PIXEL_MM / 10 * (np.arange(10) - 4.5)).ravel()
    inside = fine_mm[:, None] ** 2 + fine_mm**2 <= (5 * phantom_cm) ** 2
    part = inside.reshape(count, 10, count, 10).mean(axis=(1, 3))
    plane = np.rint(AIR_HU + (PMMA_HU - AIR_HU) * part).astype(np.int16)
    for chamber in chambers(phantom_cm):
        plane[chamber] = CHAMBER_HU
    image = sitk.GetImageFromArray(np.broadcast_to(plane, (SLICES, count, count)).copy())
    image.SetSpacing([PIXEL_MM] * 3)
    image.SetOrigin([place_mm[0], place_mm[0], PIXEL_MM * (0.5 - SLICES / 2)])
    return image


def write_tags(files, phantom_cm: int, kv: int, pitch: float) -> None:
    """What a scanner writes of a helical scan into every slice."""
    code = Dataset()
    code.CodeValue = CODES[phantom_cm]
    for path in files:
        header = pydicom.dcmread(path)
        header.KVP, header.XRayTubeCurrent, header.AcquisitionType = kv, 200, "SPIRAL"
        header.SpiralPitchFactor, header.TotalCollimationWidth, header.CTDIvol = pitch, 40.0, CTDIVOL_MGY
        header.CTDIPhantomTypeCodeSequence = Sequence([code])
        header.DataCollectionCenterPatient = [0.0, 0.0, header.ImagePositionPatient[2]]
        header.save_as(path)


@pytest.mark.parametrize(("phantom_cm", "kv", "pitch"), [(32, 120, 1.375), (16, 100, 0.8)])
def test_a_ctdi_phantom_scanned_over_100_mm_gets_the_ctdivol_of_its_headers(dicom_ct, tmp_path, phantom_cm, kv, pitch):
    """CTDI100 is by definition the dose in the middle of a 100 mm scan (AAPM report 96), 1/3 of it from the centre and
    2/3 from 10 mm under the surface."""
    write_tags(dicom_ct(phantom_image(phantom_cm)).files, phantom_cm, kv, pitch)
    scanner = json.loads(resource_path("scanners", "generic.json").read_text())
    files = {"protocol": {"scan_range_mm": [-50.0, 50.0]}, "hu-curve": CURVE,
             "scanner": scanner | {"overrange_rotations": 0.0}}
    options = []
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
        options += [f"--{name}", str(tmp_path / f"{name}.json")]
    with pytest.raises(SystemExit) as stop:
        cli.main(["ct-dose", str(tmp_path / "ct"), "-o", str(tmp_path / "result"), "--extend", "none", "--voxel-mm",
                  str(PIXEL_MM), "--histories", "4000000", *options])
    assert stop.value.code in (0, None)
    middle = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "result" / "dose.nrrd")))[SLICES // 2 - 4:
                                                                                            SLICES // 2 + 4]
    centre, *periphery = (middle[:, rows, columns].mean() for rows, columns in chambers(phantom_cm))
    assert centre / 3 + 2 / 3 * np.mean(periphery) == pytest.approx(CTDIVOL_MGY, rel=0.03)
