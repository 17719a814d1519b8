"""Masks of a CT on disk, drawn and written."""

from datetime import UTC, datetime

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.review import ReviewStatus, approve
from organdose.assess.organ_table import organ_table
from organdose.assess.organ_weights import organ_weights
from organdose.dose_map import DoseMap
from organdose.errors import Cancelled, InputError
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.jobs.segment_job import SegmentJob, run_segment
from organdose.progress import Progress
from organdose.segmentation.masks_for_study import masks_for_study
from organdose.segmentation.reading import read_masks
from organdose.study import read_ct


@pytest.fixture
def segment(job_of, tmp_path):
    ct = job_of().ct

    def run(progress=None, **values):
        return run_segment(SegmentJob(**({"ct": ct, "out": tmp_path / "m.seg.nrrd"} | values)), progress)
    return run


def test_the_body_is_written_on_the_grid_of_the_ct(segment, tmp_path):
    masks = segment()
    image = sitk.ReadImage(str(tmp_path / "m.seg.nrrd"))
    assert masks.names == ("body",)
    assert image.GetSize() == (32, 32, 8) and image.GetSpacing() == (10, 10, 10)
    assert np.array_equal(sitk.GetArrayFromImage(image) > 0, masks.mask("body"))


def test_what_is_not_in_the_image_is_noted(segment):
    assert segment().notes["lung_left"] == "no left lung in the image"


def test_wanted_organs_that_the_image_does_not_show_do_not_cost_the_others(segment):
    masks = segment(organs=("body", "lung_left"))
    assert masks.names == ("body",)
    assert masks.notes["lung_left"] == "no left lung in the image"


@pytest.mark.parametrize(("values", "told"), [
    ({"organs": ("lung_left",)}, r"not found in this CT: lung_left. Leave them out"),
    ({"organs": ("body", "livr")}, "unknown organ 'livr'. Did you mean liver"),
    ({"organs": ("liver",)}, "does not draw 'liver'. It draws: body"),
    ({"engine": "x"}, "unknown segmentation engine 'x'. Known: analytic"),
    ({"model": "net.pt"}, "no use for --model net.pt"), ({"device": "cuda"}, "no use for --device cuda"),
    ({"series": "3"}, "no DICOM series to choose from")])
def test_what_cannot_be_done_is_refused_and_nothing_is_written(segment, tmp_path, values, told):
    with pytest.raises(InputError, match=told):
        segment(**values)
    assert not list(tmp_path.glob("*.seg.nrrd"))


def test_another_ending_is_refused(segment, tmp_path):
    with pytest.raises(InputError, match=r"written as \.seg\.nrrd"):
        segment(out=tmp_path / "m.nii.gz")


def test_the_cpu_is_fine_for_an_engine_that_knows_no_other(segment):
    assert segment(device="cpu").names == ("body",)


def test_cancelling_leaves_nothing_and_keeps_an_earlier_file(segment, tmp_path):
    (tmp_path / "m.seg.nrrd").write_text("earlier")
    progress = Progress(lambda report: progress.cancel() if report.stage == "lungs" else None)
    with pytest.raises(Cancelled):
        segment(progress)
    assert (tmp_path / "m.seg.nrrd").read_text() == "earlier"
    assert not list(tmp_path.glob(".*"))


def test_findings_lie_beside_the_masks(segment, tmp_path):
    segment(out=tmp_path / "one.seg.nrrd")
    lines = (tmp_path / "one.findings.csv").read_text().splitlines()
    assert lines[0] == "organ,severity,kind,reason,x_mm,y_mm,z_mm"
    missing = {line.split(",")[0] for line in lines if ",note,missing," in line}
    assert missing == {"lung_left", "lung_right", "bones", "air_internal"}  # a water cylinder has none


def test_organs_nobody_asked_for_are_not_missed(segment, tmp_path):
    segment(organs=("body",), out=tmp_path / "one.seg.nrrd")
    assert "missing" not in (tmp_path / "one.findings.csv").read_text()


def test_what_an_engine_drew_is_marked_as_automatic(segment, job_of, tmp_path):
    segment()
    found = read_masks(tmp_path / "m.seg.nrrd", read_ct(tmp_path / "ct.nrrd"))
    assert found.reviews["body"].status is ReviewStatus.AUTOMATIC


def table_of(masks):
    """The rows of an even dose of 1 mGy on the CT's own grid."""
    dose_mgy = sitk.GetImageFromArray(np.ones(masks.shape, np.float32))
    dose_mgy.CopyInformation(masks.reference)
    density = np.ones(masks.shape, np.float32)
    rows = organ_table(DoseMap(dose_mgy, density, "test"), organ_weights(masks, density, dose_mgy))
    return {row.organ: row for row in rows}


def test_dose_tables_say_who_approved_a_mask(segment, tmp_path):
    masks, study = segment(), read_ct(tmp_path / "ct.nrrd")
    assert table_of(masks_for_study(study, tmp_path / "m.seg.nrrd"))["body"].mask == "automatic"
    approve(masks, "body", "A. Smith", datetime(2026, 3, 1, 12, tzinfo=UTC))
    write_seg_nrrd(masks, tmp_path / "m.seg.nrrd")
    read = masks_for_study(study, tmp_path / "m.seg.nrrd")
    assert table_of(read)["body"].mask == "approved by A. Smith on 2026-03-01 (automatic)"
