"""The CTDI phantom and the calibration by it."""

import math

import numpy as np
import pytest

from organdose.ct import ctdi
from organdose.ct.scanner import load_scanner
from organdose.ct.xray_source import TubePath, XRaySource


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
