"""SEG and RTSTRUCT as other programs read them: highdicom, plain pydicom, SimpleITK, dcmqi, plastimatch, dciodvfy."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.multival import MultiValue
from skimage.draw import polygon2mask

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.review import Drawn, approve, mark_drawn
from organdose.errors import InputError
from organdose.export.dicom_seg import write_dicom_seg
from organdose.export.rtstruct import write_rtstruct
from organdose.segmentation.reading import read_masks
from organdose.study import read_ct
from organdose.study.ct_study import CTStudy

# Row and column directions of a patient head first supine, head first prone, feet first supine.
SUPINE, PRONE, FEET_FIRST = (1, 0, 0, 0, 1, 0), (-1, 0, 0, 0, -1, 0), (-1, 0, 0, 0, 1, 0)
POSITIONS = {"supine": (SUPINE, 1), "slices from the head down": (SUPINE, -1), "prone": (PRONE, 1),
             "feet first": (FEET_FIRST, 1)}


def program(name):
    """A program of the development packages or of the machine; skips without it."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, errors="replace",
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def lying(dicom_ct, ct_image):
    """A CT of pixels that are not square, of a patient lying like that, read from its files."""
    def make(orientation=SUPINE, order=1) -> CTStudy:
        written = dicom_ct(20 * ct_image - 1000)  # HU, air among them
        row, column = np.reshape(np.array(orientation, float), (2, 3))
        step_mm = order * 3.0 * np.cross(row, column)
        for k, path in enumerate(written.files):
            header = pydicom.dcmread(path)
            header.ImageOrientationPatient = [float(cosine) for cosine in orientation]
            header.ImagePositionPatient = [float(mm) for mm in (-40.0, -50.0, -600.25) + k * step_mm]
            header.StudyID = "1"
            header.SpecificCharacterSet, header.PatientName = "ISO_IR 100", "Größe^Test"
            header.save_as(path)
        return read_ct(written.files[0].parent)

    return make


@pytest.fixture(params=list(POSITIONS))
def study(request, lying):
    return lying(*POSITIONS[request.param])


def _ellipsoid(shape, centre, radii):
    z, y, x = np.ogrid[:shape[0], :shape[1], :shape[2]]
    return sum(((axis - c) / r) ** 2 for axis, c, r in zip((z, y, x), centre, radii)) < 1


@pytest.fixture
def masks_on():
    """Organs with a hole, an island in the hole, an overlap and the edge of the image; 30 little ones besides."""
    def draw(study: CTStudy) -> OrganMasks:
        masks = OrganMasks(study.image, origin="drawn by the test")
        liver = _ellipsoid(masks.shape, (9, 14, 14), (7, 10, 11)) & ~_ellipsoid(masks.shape, (9, 14, 12), (4, 5, 6))
        masks.add("liver", liver | _ellipsoid(masks.shape, (9, 14, 12), (2, 2, 3)))
        masks.add("kidney_left", _ellipsoid(masks.shape, (12, 20, 30), (4, 5, 6)))
        masks.add("tumour_1", _ellipsoid(masks.shape, (9, 12, 20), (3, 3, 3)))  # overlaps the liver
        masks.add("body", _ellipsoid(masks.shape, (9.5, 14.5, 20), (99, 15, 99)))
        random = np.random.default_rng(4)
        for number in range(30):
            place = tuple(random.integers(0, size - 3) for size in masks.shape)
            masks.add(f"insert_{number}", random.random((3, 3, 3)) < 0.7, place)
        mark_drawn(masks, names=["liver", "body"])
        mark_drawn(masks, Drawn.MANUAL, ["tumour_1"])
        approve(masks, "body", "Dr. Ž. Müller")
        return masks

    return draw


def drawn_at(places_mm, study):
    """The mask (z, y, x) of voxels with these centres, each of which must be the centre of a voxel of the CT."""
    image = study.image
    indices = (np.reshape(places_mm, (-1, 3)) - image.GetOrigin()) / image.GetSpacing()
    assert np.abs(indices - np.rint(indices)).max(initial=0) < 1e-3
    found = np.zeros(image.GetSize()[::-1], bool)
    found[tuple(np.rint(indices).astype(int)[:, ::-1].T)] = True
    return found


def places_of(image):
    """Centres in mm (LPS) of the voxels of an image that are not 0."""
    indices = np.argwhere(sitk.GetArrayFromImage(image))[:, ::-1]
    axes = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    return indices @ axes.T + image.GetOrigin()


def check_same(found, masks):
    assert list(found) == list(masks.names)
    for name in masks.names:
        assert np.array_equal(found[name], masks.mask(name)), name


# DICOM Segmentation


def by_highdicom(path, study):
    seg = highdicom.seg.segread(path)
    volume = seg.get_volume(combine_segments=False)
    found = {}
    for index, number in enumerate(seg.segment_numbers):
        voxels = np.argwhere(volume.array[..., index])
        found[seg.get_segment_description(number).SegmentLabel] = drawn_at(
            voxels @ volume.affine[:3, :3].T + volume.affine[:3, 3], study)
    return found


def frames_by_pydicom(path):
    """Bits of the frames unpacked by hand (PS3.5 8.1.1: the first pixel in the lowest bit, no gap between frames)."""
    seg = pydicom.dcmread(path)
    count = seg.NumberOfFrames * seg.Rows * seg.Columns
    bits = np.unpackbits(np.frombuffer(seg.PixelData, np.uint8), bitorder="little", count=count)
    return seg, bits.reshape(seg.NumberOfFrames, seg.Rows, seg.Columns)


def frames_by_simpleitk(path):
    return pydicom.dcmread(path, stop_before_pixels=True), sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def by_frames(read):
    """A reader that places each frame by its own functional groups, PS3.3 C.7.6.16.2."""
    def segments(path, study):
        seg, frames = read(path)
        shared = seg.SharedFunctionalGroupsSequence[0]
        down_mm, along_mm = shared.PixelMeasuresSequence[0].PixelSpacing
        row, column = np.reshape(shared.PlaneOrientationSequence[0].ImageOrientationPatient, (2, 3)).astype(float)
        labels = {item.SegmentNumber: item.SegmentLabel for item in seg.SegmentSequence}
        places = {label: [] for label in labels.values()}
        for frame, groups in zip(frames, seg.PerFrameFunctionalGroupsSequence, strict=True):
            label = labels[groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber]
            corner_mm = np.array(groups.PlanePositionSequence[0].ImagePositionPatient, float)
            j, i = np.nonzero(frame)
            places[label].append(corner_mm + i[:, None] * along_mm * row + j[:, None] * down_mm * column)
        return {label: drawn_at(np.vstack(found), study) for label, found in places.items()}

    return segments


def by_dcmqi(path, study):
    folder = path.parent / "dcmqi"
    folder.mkdir()
    run(program("segimage2itkimage"), "--inputDICOM", path, "--outputDirectory", folder, "--outputType", "nrrd")
    told = json.loads((folder / "meta.json").read_text())["segmentAttributes"]
    labels = {item["labelID"]: item["SegmentLabel"] for group in told for item in group}
    return {labels[number]: drawn_at(places_of(sitk.ReadImage(str(folder / f"{number}.nrrd"))), study)
            for number in sorted(labels)}


SEG_READERS = {"highdicom": by_highdicom, "pydicom": by_frames(frames_by_pydicom),
               "SimpleITK": by_frames(frames_by_simpleitk), "dcmqi": by_dcmqi}


@pytest.mark.parametrize("reader", SEG_READERS)
def test_other_readers_find_the_very_voxels_of_a_segmentation(study, masks_on, tmp_path, reader):
    masks = masks_on(study)
    write_dicom_seg(masks, study, tmp_path / "seg.dcm")
    check_same(SEG_READERS[reader](tmp_path / "seg.dcm", study), masks)


def test_a_segmentation_names_its_ct_and_each_frame_its_slice(study, masks_on, tmp_path):
    write_dicom_seg(masks_on(study), study, tmp_path / "seg.dcm")
    seg = pydicom.dcmread(tmp_path / "seg.dcm")
    headers = {header.SOPInstanceUID: header for header in map(pydicom.dcmread, study.files)}
    first = next(iter(headers.values()))
    assert (seg.StudyInstanceUID, seg.FrameOfReferenceUID) == (first.StudyInstanceUID, first.FrameOfReferenceUID)
    assert seg.SeriesInstanceUID != first.SeriesInstanceUID and seg.Modality == "SEG"
    series, = seg.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == first.SeriesInstanceUID
    assert {item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence} == set(headers)
    for groups in seg.PerFrameFunctionalGroupsSequence:
        source, = groups.DerivationImageSequence[0].SourceImageSequence
        of_slice = headers[source.ReferencedSOPInstanceUID]
        assert source.ReferencedSOPClassUID == of_slice.SOPClassUID
        assert float(groups.PlanePositionSequence[0].ImagePositionPatient[2]) == pytest.approx(
            float(of_slice.ImagePositionPatient[2]), abs=1e-3)


# RT Structure Set


def rasterised(path, study):
    """From the standard alone: contours of a slice lie in its plane; the pixels whose centres they hold are joined."""
    structure_set, image = pydicom.dcmread(path), study.image
    shape, found = image.GetSize()[::-1], {}
    names = {roi.ROINumber: roi.ROIName for roi in structure_set.StructureSetROISequence}
    for roi in structure_set.ROIContourSequence:
        mask = found[names[roi.ReferencedROINumber]] = np.zeros(shape, bool)
        for contour in roi.ContourSequence:
            assert contour.ContourGeometricType == "CLOSED_PLANAR"
            points_mm = np.reshape(np.array(contour.ContourData, float), (contour.NumberOfContourPoints, 3))
            x, y, z = ((points_mm - image.GetOrigin()) / image.GetSpacing()).T
            assert np.ptp(z) == 0 and abs(z[0] - round(z[0])) < 1e-3
            mask[round(z[0])] |= polygon2mask(shape[1:], np.column_stack([y, x]))
    return found


def by_plastimatch(path, study):
    folder = path.parent / "plastimatch"
    run(program("plastimatch"), "convert", "--input", path, "--referenced-ct", study.files[0].parent,
        "--output-prefix", folder, "--prefix-format", "nrrd")
    names = [roi.ROIName for roi in pydicom.dcmread(path).StructureSetROISequence]
    return {name: drawn_at(places_of(sitk.ReadImage(str(folder / f"{name}.nrrd"))), study) for name in names}


@pytest.mark.parametrize("reader", [rasterised, by_plastimatch])
def test_other_readers_find_the_same_volumes_in_a_structure_set_holes_included(study, masks_on, tmp_path, reader):
    masks = masks_on(study)
    write_rtstruct(masks, study, tmp_path / "rs.dcm")
    found = reader(tmp_path / "rs.dcm", study)
    assert list(found) == list(masks.names)
    voxel_ml = np.prod(study.image.GetSpacing()) / 1000
    for name in ("liver", "kidney_left", "tumour_1", "body"):
        assert found[name].sum() * voxel_ml == pytest.approx(masks.mask(name).sum() * voxel_ml, rel=0.01), name
    assert not found["liver"][9, 14, 17] and found["liver"][9, 14, 12]  # the hole and the island in it


def test_polygons_have_the_volume_of_the_mask_without_any_rasterising(lying, masks_on, tmp_path):
    study = lying()
    masks = masks_on(study)
    write_rtstruct(masks, study, tmp_path / "rs.dcm")
    structure_set = pydicom.dcmread(tmp_path / "rs.dcm")
    for index, name in ((0, "liver"), (1, "kidney_left"), (3, "body")):
        volume_ml = 0.0
        for contour in structure_set.ROIContourSequence[index].ContourSequence:
            x, y, _ = np.reshape(np.array(contour.ContourData, float), (-1, 3)).T
            volume_ml += 3.0 * 0.5 * abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 1000  # shoelace formula
        assert volume_ml == pytest.approx(masks.mask(name).sum() * 0.015, rel=0.01), name


def test_a_structure_set_names_its_ct_and_each_contour_its_slice(study, masks_on, tmp_path):
    write_rtstruct(masks_on(study), study, tmp_path / "rs.dcm")
    structure_set = pydicom.dcmread(tmp_path / "rs.dcm")
    headers = {header.SOPInstanceUID: header for header in map(pydicom.dcmread, study.files)}
    first = next(iter(headers.values()))
    assert structure_set.StudyInstanceUID == first.StudyInstanceUID
    frame, = structure_set.ReferencedFrameOfReferenceSequence
    referenced, = frame.RTReferencedStudySequence
    series, = referenced.RTReferencedSeriesSequence
    assert frame.FrameOfReferenceUID == structure_set.FrameOfReferenceUID == first.FrameOfReferenceUID
    assert referenced.ReferencedSOPInstanceUID == first.StudyInstanceUID
    assert series.SeriesInstanceUID == first.SeriesInstanceUID
    assert {item.ReferencedSOPInstanceUID for item in series.ContourImageSequence} == set(headers)
    assert {roi.ReferencedFrameOfReferenceUID for roi in structure_set.StructureSetROISequence} == {
        first.FrameOfReferenceUID}
    for contour in (contour for roi in structure_set.ROIContourSequence for contour in roi.ContourSequence):
        image, = contour.ContourImageSequence
        assert isinstance(contour.ContourData, MultiValue)
        assert float(contour.ContourData[2]) == pytest.approx(
            float(headers[image.ReferencedSOPInstanceUID].ImagePositionPatient[2]), abs=1e-3)


# Both


@pytest.mark.parametrize("write", [write_dicom_seg, write_rtstruct])
@pytest.mark.parametrize("whole", [False, True])
def test_a_validator_finds_no_error(lying, masks_on, tmp_path, write, whole):
    study = lying()
    masks = masks_on(study)
    for name in masks.names if whole else ():
        approve(masks, name, "A. Smith")
    write(masks, study, tmp_path / "o.dcm")
    done = subprocess.run([program("dciodvfy"), str(tmp_path / "o.dcm")], capture_output=True, text=True,
                          errors="replace", check=False)
    assert [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")] == []


@pytest.mark.parametrize("write", [write_dicom_seg, write_rtstruct])
def test_names_keep_their_letters_whatever_the_ct_can_write(lying, masks_on, tmp_path, write):
    study = lying()
    masks = masks_on(study)
    write(masks, study, tmp_path / "o.dcm")
    written = pydicom.dcmread(tmp_path / "o.dcm")
    assert written.PatientName == "Größe^Test"
    assert read_masks(tmp_path / "o.dcm", study).reviews["body"].approved_by == "Dr. Ž. Müller"


@pytest.mark.parametrize("write", [write_dicom_seg, write_rtstruct])
def test_an_oblique_ct_is_refused_and_never_written_somewhere_else(dicom_ct, ct_image, tmp_path, write):
    turned = sitk.Image(ct_image)
    turned.SetDirection((0.9998477, -0.0174524, 0, 0.0174524, 0.9998477, 0, 0, 0, 1))
    study = dicom_ct(turned)
    masks = OrganMasks(turned)
    masks.add("liver", np.ones(masks.shape, bool))
    with pytest.raises(InputError, match="not aligned with the patient's axes"):
        write(masks, study, tmp_path / "o.dcm")
    assert not (tmp_path / "o.dcm").exists()
