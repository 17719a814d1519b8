"""The CTDI phantom and the calibration by it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from organdose.ct import ctdi
from organdose.ct.scanner import load_scanner
from organdose.ct.spectrum import Spectrum
from organdose.ct.tube import Tube
from organdose.ct.tube_path import TubePath
from organdose.ct.xray_source import XRaySource


@pytest.fixture
def source():
    scanner = load_scanner("generic")
    return XRaySource(scanner.tube_spectrum(120.0), TubePath.axial(0.0), 595.0, scanner.fan_half_angle_rad, 40.0,
                      bowtie=scanner.bowtie("body"))


@pytest.mark.parametrize("phantom_cm", [16.0, 32.0])
def test_the_phantom_weighs_what_its_pmma_weighs(phantom_cm):
    grid, _ = ctdi.ctdi_phantom(phantom_cm)
    expected_kg = math.pi * (phantom_cm / 2) ** 2 * 15.0 * 1.19e-3
    assert grid.voxel_mass_kg.sum() == pytest.approx(expected_kg, rel=2e-3)


@pytest.mark.parametrize("phantom_cm", [16.0, 32.0])
def test_the_chambers_are_100_mm_long_and_nothing_beyond_them_scores(phantom_cm):
    grid, scores = ctdi.ctdi_phantom(phantom_cm)
    z_mm = grid.origin_mm[2] + grid.spacing_mm[2] * np.arange(grid.shape[0])
    scored = scores.toarray().reshape(2, *grid.shape).any(axis=(2, 3))
    for chamber in scored:
        assert chamber.sum() * grid.spacing_mm[2] == pytest.approx(100.0)
        assert np.abs(z_mm[chamber]).max() + 0.5 * grid.spacing_mm[2] == pytest.approx(50.0)
    one_mgy_within = np.where(np.abs(z_mm) < 50.0, 1.0, 0.0)[:, None, None] * grid.voxel_mass_kg / ctdi.MGY_KG_PER_KEV
    assert scores @ one_mgy_within.ravel() == pytest.approx([100.0, 100.0])


def test_the_surface_gets_about_twice_the_centre_in_the_body_phantom(source):
    # AAPM report 96 (2008): body CTDI is typically up to a factor of two higher at the surface than at the centre.
    found = ctdi.simulate_ctdi(source, 32.0, histories=600_000, wanted_percent=None)
    assert 0.45 < found.centre_mgy_mm / found.periphery_mgy_mm < 0.65


def test_a_beam_wider_than_the_chamber_is_calibrated_by_the_reference_beam_of_the_standard(source):
    # IEC 60601-2-44, amendment 1: CTDI of a wide beam = that of a narrow reference beam x free-air ratio. Per photon
    # the free-air ratio is nearly 1, while the 160 mm beam itself would miss most of its dose in the 100 mm chamber.
    narrow, wide = (ctdi.simulate_ctdi(replace(source, total_collimation_mm=width_mm), 32.0, histories=300_000,
                                       wanted_percent=None) for width_mm in (20.0, 160.0))
    in_air = (ctdi.free_air_kerma_length(replace(source, total_collimation_mm=160.0))
              / ctdi.free_air_kerma_length(replace(source, total_collimation_mm=20.0)))
    assert wide.weighted_mgy_mm / narrow.weighted_mgy_mm == pytest.approx(in_air, rel=1e-6)
    assert in_air == pytest.approx(1.0, abs=0.01)


def test_free_air_kerma_of_a_pencil_fan_follows_the_inverse_square_law():
    # A point source with an even fan of half angle g: photons per fan angle are N / 2g; the axis at distance F sees
    # N / (2g F) of them for each mm across, whatever the height of the beam.
    line = Spectrum(np.array([60.0]), np.array([1.0]), 0.0)
    half = math.radians(20)
    near, far = (ctdi.free_air_kerma_length(XRaySource(line, TubePath.axial(0.0), mm, half, 1.0)) for mm in (500, 1000))
    assert near / far == pytest.approx(2.0, rel=1e-3)
    # An aperture as high as the fan's cosine (flat): N is the integral of cos over the fan, 2 sin(g).
    assert near == pytest.approx(line.air_kerma / (500 * 2 * math.sin(half)), rel=2e-3)


def test_two_tubes_are_calibrated_with_both(source):
    # Each photon counts alike, so that the dose-length of a mixture is the mean of its tubes' by share.
    low = replace(source, spectrum=load_scanner("generic").tube_spectrum(80.0))
    second = Tube(low.spectrum, low.fan_half_angle_rad, low.bowtie, share=3.0)
    beams = (source, low, replace(source, further_tubes=(second,)))
    first, other, both = (ctdi.simulate_ctdi(beam, 32.0, histories=600_000, wanted_percent=None) for beam in beams)
    expected = 0.25 * first.weighted_mgy_mm + 0.75 * other.weighted_mgy_mm
    assert both.weighted_mgy_mm == pytest.approx(expected, rel=4 * both.relative_uncertainty)
    assert other.centre_mgy_mm < 0.93 * first.centre_mgy_mm  # 80 kV reach the centre less


def test_a_calibration_is_remembered_and_a_damaged_memory_is_made_anew(source, tmp_path, monkeypatch):
    monkeypatch.setenv("ORGANDOSE_CACHE", str(tmp_path))
    simulated = []

    def simulate(*arguments, **_):
        simulated.append(arguments)
        return ctdi.CTDICalibration(32.0, 1.0, 2.0, 0.001, 1000)

    monkeypatch.setattr(ctdi, "simulate_ctdi", simulate)
    first = ctdi.calibrated(source, 32.0)
    assert ctdi.calibrated(source, 32.0) == first and len(simulated) == 1
    next(tmp_path.rglob("*.json")).write_text("{")
    assert ctdi.calibrated(source, 32.0) == first and len(simulated) == 2
    assert ctdi.calibrated(source, 16.0) and len(simulated) == 3


def test_weighted_ctdi_is_one_third_centre_two_thirds_periphery():
    assert ctdi.CTDICalibration(32.0, 3.0, 6.0, 0.0, 1).weighted_mgy_mm == pytest.approx(np.average([3, 6, 6]))
