"""The tube: where photons start, where they go, and how the bowtie shapes them."""

import math

import numpy as np
import pytest
from scipy import stats

from organdose.ct.scanner import load_scanner
from organdose.ct.xray_source import TubePath, XRaySource
from organdose.transport.particles import Photons

COUNT = 200_000


def emitted(seed=1, **changed) -> tuple[XRaySource, Photons]:
    scanner = load_scanner("generic")
    settings = {"spectrum": scanner.tube_spectrum(120.0), "path": TubePath.axial(30.0), "focus_isocentre_mm": 595.0,
                "fan_half_angle_rad": scanner.fan_half_angle_rad, "total_collimation_mm": 40.0,
                "isocentre_mm": (5.0, -7.0)}
    source = XRaySource(**(settings | changed))
    photons = Photons.empty(COUNT)
    source.emit(photons, seed, 0)
    return source, photons


def fan_angles(source: XRaySource, photons: Photons) -> np.ndarray:
    towards = np.array(source.isocentre_mm) - photons.position_mm[:, :2]
    direction = photons.direction[:, :2]
    return np.arctan2(towards[:, 0] * direction[:, 1] - towards[:, 1] * direction[:, 0],
                      np.sum(towards * direction, axis=1))


def test_the_focus_circles_the_isocentre_evenly():
    source, photons = emitted()
    offset = photons.position_mm[:, :2] - np.array(source.isocentre_mm, np.float32)
    assert np.hypot(*offset.T) == pytest.approx(595.0, abs=1e-3)
    angle = np.arctan2(*offset.T) / (2 * math.pi) + 0.5
    assert stats.kstest(angle, "uniform").pvalue > 1e-3


def test_photons_stay_within_fan_and_collimation():
    source, photons = emitted()
    assert np.linalg.norm(photons.direction, axis=1) == pytest.approx(1.0, abs=1e-6)
    fan = fan_angles(source, photons)
    assert np.abs(fan).max() <= source.fan_half_angle_rad + 1e-6
    in_plane = np.hypot(photons.direction[:, 0], photons.direction[:, 1])
    height_mm = photons.direction[:, 2] / (in_plane * np.cos(fan)) * source.focus_isocentre_mm
    assert np.abs(height_mm).max() <= 20.0 + 1e-2
    assert stats.kstest(height_mm / 40.0 + 0.5, "uniform").pvalue > 1e-3


def test_without_bowtie_the_fluence_is_isotropic():
    source, photons = emitted()
    half = source.fan_half_angle_rad
    # Solid angle of a strip at fan angle g under a flat aperture goes with cos(g).
    cumulated = (np.sin(fan_angles(source, photons)) / math.sin(half) + 1) / 2
    assert stats.kstest(cumulated, "uniform").pvalue > 1e-3


def test_energies_follow_the_spectrum():
    source, photons = emitted()
    assert photons.energy_kev.mean() == pytest.approx(source.spectrum.mean_kev, rel=2e-3)
    assert photons.energy_kev.max() <= source.highest_kev


def test_the_bowtie_thins_out_and_hardens_the_edges():
    scanner = load_scanner("generic")
    source, photons = emitted(bowtie=scanner.bowtie("body"))
    fan = np.abs(fan_angles(source, photons))
    middle, edge = fan < 0.05, (fan > 0.20) & (fan < 0.25)
    assert middle.mean() / 0.05 > 3 * edge.mean() / 0.05
    assert photons.energy_kev[edge].mean() > photons.energy_kev[middle].mean() + 3


def test_tube_positions_follow_the_weight_along_the_path():
    path = TubePath(np.array([0.0, 100.0]), np.array([1.0, 3.0]))
    _, photons = emitted(path=path)
    # Density (1 + 2 t) / 2 on t = z/100: mean 7/12.
    assert photons.position_mm[:, 2].mean() == pytest.approx(700 / 12, rel=5e-3)


def test_a_history_is_the_same_whichever_batch_it_falls_into():
    source, whole = emitted()
    part = Photons.empty(100)
    source.emit(part, 1, 5000)
    assert np.array_equal(part.position_mm, whole.position_mm[5000:5100])
    assert np.array_equal(part.energy_kev, whole.energy_kev[5000:5100])
