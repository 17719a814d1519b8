import pytest

from organdose.export.panel_layout import panel_layout

# (width, height) in mm of the axial, coronal and sagittal windows
SCANS = {"abdomen": ((400, 280), (400, 420), (280, 420)), "whole body": ((520, 300), (520, 1780), (300, 1780)),
         "slab": ((420, 300), (420, 40), (300, 40)), "head": ((180, 220), (180, 200), (220, 200))}


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("foot_in", [0.0, 1.2])
def test_every_panel_keeps_its_aspect_and_coronal_and_sagittal_share_a_scale(scan, foot_in):
    layout = panel_layout(*SCANS[scan], foot_in=foot_in)
    for box, (width, height) in zip(layout.panels, SCANS[scan], strict=True):
        assert box.width / box.height == pytest.approx(width / height)
    _, coronal, sagittal = layout.panels
    assert coronal.height == pytest.approx(sagittal.height)


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("foot_in", [0.0, 1.2])
def test_nothing_overlaps_or_leaves_the_figure(scan, foot_in):
    layout = panel_layout(*SCANS[scan], foot_in=foot_in)
    boxes = [*layout.panels, layout.side]
    for index, a in enumerate(boxes):
        assert a.left >= 0 and a.bottom >= 0
        assert a.left + a.width <= layout.width_in + 1e-9
        assert a.bottom + a.height <= layout.height_in + 1e-9
        for b in boxes[index + 1:]:
            assert (a.left + a.width <= b.left + 1e-9 or b.left + b.width <= a.left + 1e-9
                    or a.bottom + a.height <= b.bottom + 1e-9 or b.bottom + b.height <= a.bottom + 1e-9)


@pytest.mark.parametrize("scan", SCANS)
def test_a_figure_fits_a_page(scan):
    layout = panel_layout(*SCANS[scan])
    assert layout.width_in <= 13 and layout.height_in <= 10
