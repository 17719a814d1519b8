"""The tube: where photons start, where they go, and how the bowtie shapes them."""

import math

import numpy as np
import pytest
from scipy import stats

from organdose.ct.scanner import load_scanner
from organdose.ct.tube import Tube
from organdose.ct.tube_path import TubePath
from organdose.ct.xray_source import FocalSpot, XRaySource
from organdose.errors import InputError
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


# --- gantry angle


def gantry_angles(source: XRaySource, photons: Photons) -> np.ndarray:
    """0 above a supine patient, a quarter turn towards +x; in [0, 2 pi)."""
    offset = photons.position_mm[:, :2] - np.array(source.isocentre_mm, np.float32)
    return np.mod(np.arctan2(offset[:, 0], -offset[:, 1]), 2 * math.pi)


@pytest.mark.parametrize("feed_mm", [40.0, -25.0])
def test_the_angle_of_a_helical_scan_goes_with_the_table(feed_mm):
    path = TubePath.helical(np.array([-50.0, 90.0]), np.ones(2), feed_mm, start_angle_rad=0.7)
    source, photons = emitted(path=path)
    expected = 0.7 + 2 * math.pi * (photons.position_mm[:, 2].astype(float) + 50.0) / feed_mm
    apart = np.angle(np.exp(1j * (gantry_angles(source, photons) - expected)))
    assert np.abs(apart).max() < 1e-4


def test_without_a_start_angle_a_helical_scan_shines_from_everywhere():
    path = TubePath.helical(np.array([0.0, 40.0]), np.ones(2), 40.0)
    source, photons = emitted(path=path)
    low = photons.position_mm[:, 2] < 5.0
    assert stats.kstest(gantry_angles(source, photons)[low] / (2 * math.pi), "uniform").pvalue > 1e-3


def test_an_arc_is_shone_on_from_its_start_to_its_end():
    source, photons = emitted(path=TubePath.cone_beam(0.0, math.radians(90), math.radians(200)))
    degrees = np.degrees(gantry_angles(source, photons))
    assert stats.kstest((degrees - 90) / 200, "uniform").pvalue > 1e-3


def test_a_localiser_shines_from_one_side_along_its_whole_way():
    source, photons = emitted(path=TubePath.localiser(np.array([-100.0, 300.0]), math.radians(90)))
    assert np.degrees(gantry_angles(source, photons)) == pytest.approx(90.0, abs=1e-3)
    assert photons.position_mm[:, 0] == pytest.approx(5.0 + 595.0, abs=1e-3)  # the patient's left is +x
    assert stats.kstest((photons.position_mm[:, 2] + 100) / 400, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("start_rad", [None, 1.3])
def test_more_photons_come_from_where_the_tube_gives_more(start_rad):
    weight = np.array([1.0, 3.0, 1.0, 3.0])  # lateral three times anterior and posterior, linear between
    path = TubePath.helical(np.array([0.0, 100.0]), np.ones(2), 5.0, start_angle_rad=start_rad, angular_weight=weight)
    source, photons = emitted(path=path)
    found, _ = np.histogram(gantry_angles(source, photons), bins=36, range=(0, 2 * math.pi))
    middles = (np.arange(36) + 0.5) * 10
    expected = np.interp(middles % 180, [0, 90, 180], [1.0, 3.0, 1.0]) / 2.0 * COUNT / 36
    assert np.abs(found / expected - 1).max() < 0.08
    assert stats.chisquare(found, expected * found.sum() / expected.sum()).pvalue > 1e-3


# --- collimation


def heights_on_the_axis(source: XRaySource, photons: Photons) -> np.ndarray:
    """Where photons near the fan's centre cross the axis, relative to the beam's centre at z = 30 mm."""
    near = np.abs(fan_angles(source, photons)) < 0.05
    flat = np.hypot(*photons.direction[near, :2].T.astype(float))
    return photons.position_mm[near, 2] - 30.0 + 595.0 * photons.direction[near, 2] / flat


def test_the_beam_is_as_wide_at_half_maximum_as_told_and_has_the_penumbra_of_its_spot():
    spot = FocalSpot(along_mm=1.5, collimator_mm=250.0)
    source, photons = emitted(focal_spot=spot, total_collimation_mm=20.0)
    found, edges = np.histogram(heights_on_the_axis(source, photons), bins=np.arange(-15, 15.01, 0.25))
    middles = 0.5 * (edges[1:] + edges[:-1])
    plateau = found[np.abs(middles) < 8.0].mean()
    above = middles[found > 0.5 * plateau]
    assert above[-1] - above[0] + 0.25 == pytest.approx(20.0, abs=0.5)
    # 1.5 mm spot, magnified 595/250 - 1: 2.07 mm from nothing to all, half of it outside of the nominal edge.
    penumbra_mm = 1.5 * (595.0 / 250.0 - 1)
    assert np.abs(heights_on_the_axis(source, photons)).max() == pytest.approx(10.0 + 0.5 * penumbra_mm, abs=0.05)
    inside = np.abs(middles) < 10.0 - 0.5 * penumbra_mm - 0.25
    assert found[inside].min() > 0.85 * plateau


def test_a_point_spot_has_no_penumbra():
    source, photons = emitted(total_collimation_mm=20.0)
    assert np.abs(heights_on_the_axis(source, photons)).max() <= 10.0 + 1e-3


def test_a_spot_across_widens_the_place_photons_start_from():
    _, photons = emitted(path=TubePath.localiser(np.array([0.0, 1.0]), 0.0), focal_spot=FocalSpot(across_mm=2.0))
    across_mm = photons.position_mm[:, 0] - 5.0
    assert stats.kstest((across_mm + 1.0) / 2.0, "uniform").pvalue > 1e-3


@pytest.mark.parametrize(("changed", "named"), [
    ({"total_collimation_mm": 0.0}, "collimation"), ({"total_collimation_mm": 700.0}, "collimation"),
    ({"focal_spot": FocalSpot(collimator_mm=600.0)}, "collimator"), ({"fan_half_angle_rad": 1.6}, "fan angle"),
    ({"anode_angle_deg": 3.0, "total_collimation_mm": 160.0}, "behind the anode")])
def test_impossible_geometry_is_refused(changed, named):
    with pytest.raises(InputError, match=named):
        emitted(**changed)


# --- heel effect


def test_the_anode_dims_and_hardens_its_side_of_the_beam_as_spekpy_says():
    # SpekPy 2.5.4 (casim), 120 kV, anode 7 degrees, 7 mm Al, air kerma times distance squared, off the axis by x at
    # tan(angle): 72.83 at +2 degrees (away from the anode), 58.20 at -3, where 68.92 is on the axis.
    source, photons = emitted(anode_angle_deg=7.0, total_collimation_mm=80.0, fan_half_angle_rad=0.02)
    elevation = np.degrees(np.arcsin(photons.direction[:, 2]))
    kerma = np.zeros(3)
    for k, middle in enumerate((-3.0, 0.0, 2.0)):
        energies = photons.energy_kev[np.abs(elevation - middle) < 0.4].astype(float)
        found, _ = np.histogram(energies, bins=np.arange(5, 121))
        kerma[k] = source.spectrum.with_photons(found.astype(float)).air_kerma
    assert kerma[[0, 2]] / kerma[1] == pytest.approx([58.20 / 68.92, 72.83 / 68.92], rel=0.025)
    dim, bright = elevation < -3.0, elevation > 3.0
    assert photons.energy_kev[dim].mean() > photons.energy_kev[bright].mean() + 0.5


def test_an_anode_on_the_other_side_mirrors_the_beam():
    _, one = emitted(anode_angle_deg=8.0, total_collimation_mm=80.0)
    _, other = emitted(anode_angle_deg=-8.0, total_collimation_mm=80.0, seed=2)
    assert one.direction[:, 2].mean() > 1e-3
    assert stats.ks_2samp(one.direction[::10, 2], -other.direction[::10, 2]).pvalue > 1e-3


# --- two tubes


def test_two_tubes_share_the_photons_and_stand_apart():
    scanner = load_scanner("generic")
    second = Tube(scanner.tube_spectrum(80.0), math.radians(15), share=0.5, offset_rad=math.radians(95))
    path = TubePath.helical(np.array([0.0, 100.0]), np.ones(2), 40.0, start_angle_rad=0.2)
    source, photons = emitted(path=path, further_tubes=(second,))
    turned = gantry_angles(source, photons) - 0.2 - 2 * math.pi * photons.position_mm[:, 2] / 40.0
    of_second = np.abs(np.angle(np.exp(1j * turned)) - math.radians(95)) < 0.01
    assert of_second.mean() == pytest.approx(1 / 3, abs=0.005)
    assert np.abs(np.angle(np.exp(1j * turned))[~of_second]).max() < 0.01
    assert photons.energy_kev[of_second].max() <= 80.0 and photons.energy_kev[~of_second].max() > 110.0
    assert np.abs(fan_angles(source, photons)[of_second]).max() <= math.radians(15) + 1e-6
    assert source.highest_kev == pytest.approx(120.0)


def test_shares_that_are_nothing_or_negative_are_refused():
    with pytest.raises(InputError, match="share"):
        Tube(load_scanner("generic").tube_spectrum(120.0), 0.4, share=-1.0)


def test_output_per_mas_of_two_tubes_grows_with_voltage_and_falls_with_the_bowtie():
    scanner = load_scanner("generic")
    plain, low = (Tube(scanner.tube_spectrum(kv), 0.4).photons_per_mas(595.0) for kv in (120.0, 80.0))
    shaped = Tube(scanner.tube_spectrum(120.0), 0.4, scanner.bowtie("body")).photons_per_mas(595.0)
    assert 2.0 < plain / low < 4.0 and 0.1 < shaped / plain < 0.6


# --- one function for every processor


def test_the_scalar_function_gives_the_photons_of_the_arrays():
    source, photons = emitted(path=TubePath.helical(np.array([0.0, 90.0]), np.ones(2), 30.0, start_angle_rad=0.0),
                              anode_angle_deg=8.0, focal_spot=FocalSpot(1.0, 1.0), bowtie=load_scanner(
                                  "generic").bowtie("body"))
    one_photon, tables = source.emission
    for history in (0, 17, 199_999):
        x, y, z, u, v, w, energy_kev, weight = one_photon(1, history, *tables)
        assert photons.position_mm[history] == pytest.approx([x, y, z], rel=1e-6, abs=1e-4)
        assert photons.direction[history] == pytest.approx([u, v, w], rel=1e-6, abs=1e-6)
        assert photons.energy_kev[history] == pytest.approx(energy_kev, rel=1e-6) and weight == 1.0
