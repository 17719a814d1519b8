"""The way of the beam in each kind of scan: where it goes, and CTDIvol integrated along it."""

import math

import numpy as np
import pytest

from organdose.ct.exposure import exposure_of
from organdose.ct.scanner import load_scanner
from organdose.ct.xray_source import XRaySource
from organdose.errors import InputError, MissingFacts
from organdose.transport.particles import Photons

GENERIC = load_scanner("generic")


@pytest.fixture
def exposure(make_study):
    """Images from -60 to 60 mm in 12 slices, 10 mGy, collimation 20 mm."""
    return lambda **changed: exposure_of(make_study(**changed), GENERIC)


def centres(path) -> np.ndarray:
    """z of the rotations of a path that stands still in places."""
    return path.z_mm if len(path.z_mm) == 1 else path.z_mm[1::3]


def emitted_from(exposure, histories=200_000) -> tuple[np.ndarray, np.ndarray]:
    """z (mm) and gantry angle (rad, 0 to 2 pi) of the focal spot of each photon of a narrow-beamed tube."""
    source = XRaySource(GENERIC.tube_spectrum(120.0), exposure.path, 595.0, math.radians(26), 20.0)
    photons = Photons.empty(histories)
    source.emit(photons, 1, 0)
    x_mm, y_mm, z_mm = photons.position_mm.T.astype(float)
    return z_mm, np.mod(np.arctan2(x_mm, -y_mm), 2 * math.pi)


@pytest.mark.parametrize(("collimation_mm", "places_mm"), [
    (20.0, [-50, -30, -10, 10, 30, 50]), (80.0, [-20, 20]), (50.0, [-35, 0, 35]), (120.0, [0]), (160.0, [0])])
def test_an_axial_scan_stands_in_as_many_places_as_cover_the_images(exposure, collimation_mm, places_mm):
    found = exposure(scan_kind="axial", pitch=None, total_collimation_mm=collimation_mm)
    assert centres(found.path) == pytest.approx(np.array(places_mm, dtype=float), abs=1e-9)
    # One rotation has the DLP CTDIvol x collimation (IEC 60601-2-44), even where the images are shorter.
    assert found.dlp_mgy_mm == pytest.approx(10.0 * max(120.0, collimation_mm))


def test_an_axial_scan_with_gaps_shines_only_where_it_stood(exposure):
    # 1.2 mm slices every 10 mm: CTDIvol is CTDIw x 1.2 / 10, so the DLP is that of all 120 mm.
    found = exposure(scan_kind="axial", pitch=None, total_collimation_mm=1.2, table_feed_mm=10.0)
    assert centres(found.path) == pytest.approx(np.arange(-55.0, 56.0, 10.0))
    assert found.dlp_mgy_mm == pytest.approx(1200.0)
    z_mm, _ = emitted_from(found)
    assert np.abs(z_mm - np.round((z_mm + 55) / 10) * 10 + 55).max() < 0.2
    counts = np.histogram(z_mm, np.arange(-60, 61, 10))[0]
    assert counts == pytest.approx(np.full(12, len(z_mm) / 12), rel=0.05)


def test_each_rotation_of_an_axial_scan_has_the_current_of_its_slices(exposure):
    found = exposure(scan_kind="axial", pitch=None, ctdivol_mgy=(4.0,) * 6 + (8.0,) * 6, total_collimation_mm=40.0)
    z_mm, _ = emitted_from(found)
    counts = np.histogram(z_mm, [-60, -20, 20, 60])[0] / len(z_mm)
    assert counts == pytest.approx(np.array([4, 6, 8]) / 18, abs=0.005)
    assert found.dlp_mgy_mm == pytest.approx(40 * (4 + 6 + 8))


def test_a_cone_beam_rotation_has_the_dose_length_of_its_collimation(exposure):
    found = exposure(scan_kind="cone_beam", pitch=None, total_collimation_mm=160.0)
    assert found.path.z_mm == pytest.approx([0.0])
    assert found.dlp_mgy_mm == pytest.approx(1600.0)
    assert any("a whole turn is assumed" in line for line in found.assumptions)


@pytest.mark.parametrize(("collimation_mm", "is_told"), [(80.0, True), (120.0, False), (160.0, False)])
def test_images_longer_than_one_cone_beam_rotation_are_told(exposure, collimation_mm, is_told):
    found = exposure(scan_kind="cone_beam", pitch=None, total_collimation_mm=collimation_mm)
    assert any("120 mm long" in line for line in found.assumptions) == is_told
    assert found.dlp_mgy_mm == pytest.approx(10.0 * collimation_mm)


def test_a_cone_beam_arc_shines_from_its_angles_only(exposure):
    found = exposure(scan_kind="cone_beam", pitch=None, total_collimation_mm=160.0, arc_deg=200.0,
                     tube_angle_deg=80.0)
    _, angle = emitted_from(found)
    assert np.degrees([angle.min(), angle.max()]) == pytest.approx([80.0, 280.0], abs=0.1)
    assert not found.depends_on_start_angle


def test_an_arc_that_starts_nobody_knows_where_depends_on_it(exposure):
    found = exposure(scan_kind="cone_beam", pitch=None, total_collimation_mm=160.0, arc_deg=200.0)
    assert found.depends_on_start_angle
    assert any("tube_angle_deg" in line for line in found.assumptions)


def test_a_localiser_shines_from_one_angle_along_its_range(exposure):
    found = exposure(scan_kind="localiser", pitch=None, ctdivol_mgy=(0.1,), tube_angle_deg=90.0,
                     scan_range_mm=(-50.0, 30.0))
    z_mm, angle = emitted_from(found)
    assert np.degrees(angle) == pytest.approx(90.0, abs=0.01)
    assert [z_mm.min(), z_mm.max()] == pytest.approx([-50.0, 30.0], abs=0.1)
    assert found.dlp_mgy_mm == pytest.approx(0.1 * 80.0)


def test_a_localiser_needs_the_place_of_its_tube(exposure):
    with pytest.raises(MissingFacts) as caught:
        exposure(scan_kind="localiser", pitch=None)
    assert list(caught.value.facts) == ["tube_angle_deg"]


def test_a_scan_range_takes_the_place_of_the_images_ends(exposure):
    found = exposure(scan_range_mm=(-90.0, 10.0))
    # Half a rotation of 20 mm beyond each end; below the images the first slice's CTDIvol goes on.
    assert found.path.z_mm[[0, -1]] == pytest.approx([-100.0, 20.0])
    assert found.dlp_mgy_mm == pytest.approx(1200.0)
    assert any("Scan range -90 to 10 mm" in line for line in found.assumptions)


def test_slices_outside_the_scan_range_have_no_ctdivol(exposure):
    # Slices of 10 mm from -60 to 60 mm: the range takes in the sixth (-10 to 0 mm) to the eighth (10 to 20 mm).
    found = exposure(scan_range_mm=(-8.0, 12.0), ctdivol_mgy=tuple(range(1, 13)))
    assert found.ctdivol_mgy == pytest.approx([np.nan] * 5 + [6, 7, 8] + [np.nan] * 4, nan_ok=True)


def test_a_scan_range_beside_the_images_is_refused(exposure):
    with pytest.raises(InputError, match="lies outside the images"):
        exposure(scan_range_mm=(100.0, 200.0))


def test_overranging_keeps_the_tube_current_of_the_end_slices(exposure):
    currents = tuple(np.linspace(100.0, 300.0, 12))
    found = exposure(tube_current_ma=currents, pitch=1.5)
    ends = found.ctdivol_mgy[[0, -1]]
    assert found.path.weight[[0, -1]] == pytest.approx(ends)
    # Slices of 10 mm and 15 mm at each end; linear between the slices' centres the sum over slices is exact.
    assert found.dlp_mgy_mm == pytest.approx(10 * found.ctdivol_mgy.sum() + 15 * ends.sum())


def test_a_helix_is_averaged_over_its_start_until_an_angle_is_chosen(exposure):
    found = exposure()
    assert found.depends_on_start_angle and found.path.feed_mm == pytest.approx(20.0)
    _, angle = emitted_from(found)
    assert np.histogram(angle, 8, (0, 2 * math.pi))[0] == pytest.approx(np.full(8, 25_000), rel=0.04)
    assert not exposure(scan_kind="axial", pitch=None).depends_on_start_angle


def test_angular_modulation_shines_by_angle_and_leaves_the_dose_length_as_it_is(exposure):
    found = exposure(angular_current=(0.5, 1.0, 0.5, 1.0))
    assert found.dlp_mgy_mm == pytest.approx(exposure().dlp_mgy_mm)
    _, angle = emitted_from(found)
    # Linear between the nodes at 0, 90, 180, 270 degrees: a quarter around 90 degrees gets 0.875 of a mean of 0.75.
    around_left = np.abs(angle - math.pi / 2) < math.pi / 4
    assert around_left.mean() == pytest.approx(0.25 * 0.875 / 0.75, rel=0.01)
    assert any("CTDIvol stays that of the scan" in line for line in found.assumptions)
