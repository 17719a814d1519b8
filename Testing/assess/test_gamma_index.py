"""Gamma against formulas, against another program, and where it has no meaning."""

import importlib.util
import pickle
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.assess.gamma_index import GammaCriteria, gamma_index
from organdose.assess.gamma_kernel import GAMMA_TOLERANCE
from organdose.errors import Cancelled, InputError
from organdose.progress import Progress

SPACING_MM = (2.0, 2.5, 3.0)
SHAPE = (14, 16, 18)  # z, y, x


def _image(dose_mgy, spacing_mm=SPACING_MM, origin_mm=(0.0, 0.0, 0.0)) -> sitk.Image:
    image = sitk.GetImageFromArray(np.asarray(dose_mgy, np.float32))
    image.SetSpacing(spacing_mm)
    image.SetOrigin(origin_mm)
    return image


def _places_mm(shape=SHAPE, spacing_mm=SPACING_MM, origin_mm=(0.0, 0.0, 0.0)):
    return [o + s * np.arange(n) for n, s, o in zip(shape, spacing_mm[::-1], origin_mm[::-1])]


def _ramp(per_mm, *, along=2, base=10.0, **grid):
    """Dose that rises by `per_mm` mGy a mm along one axis."""
    shape = grid.get("shape", SHAPE)
    places = _places_mm(**grid)[along]
    return base + per_mm * np.broadcast_to(places.reshape([-1 if a == along else 1 for a in range(3)]), shape)


# --- formulas


@pytest.mark.parametrize(("percent", "shift", "expected"), [(1, 1.01, 1.0), (2, 1.01, 0.5), (1, 0.985, 1.5), (3, 1, 0)])
def test_a_flat_dose_shifted_by_a_percent_has_the_gamma_of_that_percent(percent, shift, expected):
    flat = np.full(SHAPE, 20.0)
    for local in (False, True):
        found = gamma_index(_image(flat), _image(shift * flat), GammaCriteria(3, percent, local))
        np.testing.assert_allclose(found.gamma, expected, atol=1e-4)
        assert found.evaluated == flat.size
        assert found.pass_percent == (100 if expected <= 1 else 0)


@pytest.mark.parametrize("along", [0, 1, 2])
@pytest.mark.parametrize(("slope", "shift_mgy"), [(0.5, 0.4), (0.1, -0.3), (2.0, 1.0)])
def test_a_linear_dose_shifted_by_a_constant_has_the_gamma_of_a_plane(along, slope, shift_mgy):
    # Distance of a point to a plane in dose and space: |shift| / sqrt(criterion^2 + (distance * slope)^2).
    ramp = _ramp(slope, along=along)
    criteria = GammaCriteria(2.0, 3.0, normalisation_mgy=10.0, cutoff_percent=0)
    found = gamma_index(_image(ramp), _image(ramp + shift_mgy), criteria).gamma
    expected = abs(shift_mgy) / np.hypot(0.3, 2.0 * slope)
    inside = tuple(slice(2, -2) for _ in range(3))
    np.testing.assert_allclose(found[inside], expected, atol=GAMMA_TOLERANCE)


def test_a_steep_dose_moved_by_a_distance_has_the_gamma_of_that_distance():
    steep = _ramp(50.0, along=0, base=1000.0)
    moved = steep + 50.0 * 1.5  # as if 1.5 mm along z
    found = gamma_index(_image(steep), _image(moved), GammaCriteria(2.0, 0.1, normalisation_mgy=1000, cutoff_percent=0))
    np.testing.assert_allclose(found.gamma[3:-3], 0.75, atol=GAMMA_TOLERANCE)


def test_a_single_hot_voxel_is_found_from_its_neighbour():
    reference, test = np.full(SHAPE, 10.0), np.full(SHAPE, 10.0)
    reference[7, 8, 9], test[7, 8, 10] = 20.0, 20.0  # 2 mm along x
    criteria = GammaCriteria(4.0, 1.0, normalisation_mgy=10)
    assert gamma_index(_image(reference), _image(test), criteria).gamma[7, 8, 9] == pytest.approx(0.5, abs=0.011)


def test_a_local_criterion_is_stricter_where_the_dose_is_low():
    reference = _ramp(0.0, base=100.0).copy()
    reference[:7] = 20.0
    test = reference + 0.4
    glob, local = (gamma_index(_image(reference), _image(test), GammaCriteria(0.5, 1.0, each))
                   for each in (False, True))
    np.testing.assert_allclose(glob.gamma[2], 0.4, atol=1e-4)
    np.testing.assert_allclose(local.gamma[2], 2.0, atol=1e-4)
    np.testing.assert_allclose(local.gamma[-2], 0.4, atol=1e-4)


# --- another program


def _noisy_hill(noise_mgy, seed=1, shape=SHAPE, spacing_mm=SPACING_MM):
    z, y, x = np.meshgrid(*_places_mm(shape, spacing_mm), indexing="ij")
    hill = 10 * np.exp(-((z - 20) ** 2 + (y - 18) ** 2 + (x - 17) ** 2) / 300)
    # As the file has it: pymedphys must see the same single precision.
    return (hill + np.random.default_rng(seed).normal(0, noise_mgy, shape)).astype(np.float32)


def _gamma_of_pymedphys(tmp_path, axes, reference, test_axes, test, percent, mm, **options):
    """pymedphys.gamma, in a process of its own: what it leaves among the imported modules upsets Qt in this one."""
    if importlib.util.find_spec("pymedphys") is None:
        pytest.skip("pymedphys is not installed (pip install 'organdose[dev]')")
    given, found = tmp_path / "given.pickle", tmp_path / "gamma.npy"
    given.write_bytes(pickle.dumps(((axes, reference, test_axes, test, percent, mm), options)))
    script = ("import pickle, sys, numpy, pymedphys; from pathlib import Path; "
              "given, options = pickle.loads(Path(sys.argv[1]).read_bytes()); "
              "numpy.save(sys.argv[2], pymedphys.gamma(*given, **options))")
    subprocess.run([sys.executable, "-W", "ignore", "-c", script, str(given), str(found)], check=True,
                   capture_output=True, timeout=300)
    return np.load(found)


@pytest.mark.parametrize(("percent", "mm", "local", "noise_mgy"), [
    (1, 1, False, 0.05), (1, 1, True, 0.05), (2, 3, False, 0.3), (3, 2, True, 0.2), (3, 3, False, 0.0)])
def test_gamma_is_that_of_pymedphys(tmp_path, percent, mm, local, noise_mgy):
    reference, test = _noisy_hill(0.0), 1.02 * _noisy_hill(noise_mgy)
    axes = tuple(_places_mm())
    theirs = _gamma_of_pymedphys(tmp_path, axes, reference, axes, test, percent, mm, lower_percent_dose_cutoff=10,
                                 interp_fraction=40, max_gamma=2, local_gamma=local)
    ours = gamma_index(_image(reference), _image(test), GammaCriteria(mm, percent, local, cutoff_percent=10))
    assert np.array_equal(np.isnan(theirs), np.isnan(ours.gamma))
    more = (ours.gamma - theirs)[~np.isnan(theirs)]
    # Theirs is the smallest over points that lie mm / 40 apart, an upper bound of the smallest over all places.
    assert more.max() <= GAMMA_TOLERANCE + 1e-5
    assert more.min() > -0.15 and abs(more.mean()) < 0.015
    their_pass = 100 * np.mean(theirs[~np.isnan(theirs)] <= 1)
    assert their_pass - 0.2 <= ours.pass_percent <= their_pass + 1.0


def test_gamma_of_maps_on_other_grids_is_that_of_pymedphys(tmp_path):
    reference, shape, spacing_mm = _noisy_hill(0.0), (11, 13, 12), (3.0, 3.1, 3.9)
    test = 1.03 * _noisy_hill(0.0, shape=shape, spacing_mm=spacing_mm)
    axes, test_axes = tuple(_places_mm()), tuple(_places_mm(shape, spacing_mm))
    theirs = _gamma_of_pymedphys(tmp_path, axes, reference, test_axes, test, 2, 2, lower_percent_dose_cutoff=10,
                                 interp_fraction=40, max_gamma=2)
    ours = gamma_index(_image(reference), _image(test, spacing_mm), GammaCriteria(2, 2, cutoff_percent=10)).gamma
    both = ~np.isnan(theirs) & ~np.isnan(ours)
    assert both.sum() > 1000
    assert np.abs(ours - theirs)[both].max() < 0.06


def test_a_finer_search_by_brute_force_finds_nothing_smaller():
    reference, test = _noisy_hill(0.0, shape=(5, 5, 5)), _noisy_hill(0.4, shape=(5, 5, 5))
    found = gamma_index(_image(reference), _image(test), GammaCriteria(2, 3, normalisation_mgy=5, max_gamma=9,
                                                                      cutoff_percent=0)).gamma
    fine = 41  # points between two voxels
    axes = [np.linspace(0, 4, 4 * fine + 1)] * 3
    from scipy.ndimage import map_coordinates
    dose = map_coordinates(test.astype(float), np.meshgrid(*axes, indexing="ij"), order=1)
    away2 = [((axis - 2) * step) ** 2 for axis, step in zip(axes, SPACING_MM[::-1])]
    square = (dose - reference[2, 2, 2]) ** 2 / 0.15 ** 2 + sum(np.meshgrid(*away2, indexing="ij")) / 2.0 ** 2
    smallest = np.sqrt(square.min())
    assert found[2, 2, 2] <= smallest + GAMMA_TOLERANCE
    assert found[2, 2, 2] >= smallest - 0.05


# --- grids, gaps, limits


def test_the_same_dose_on_another_grid_has_gamma_zero():
    reference = _ramp(0.2, along=1)
    grid = {"shape": (20, 25, 30), "spacing_mm": (1.3, 1.7, 2.2), "origin_mm": (-1.0, -0.7, -0.3)}
    test = _image(_ramp(0.2, along=1, **grid), grid["spacing_mm"], grid["origin_mm"])
    found = gamma_index(_image(reference), test, GammaCriteria(1, 1)).gamma
    inside = tuple(slice(0, 12) for _ in range(3))
    np.testing.assert_allclose(found[inside], 0, atol=GAMMA_TOLERANCE)


def test_voxels_that_the_test_map_does_not_reach_have_no_gamma():
    reference = _image(np.full(SHAPE, 5.0))
    test = _image(np.full((5, 16, 18), 5.0))  # the lower 12 mm only
    found = gamma_index(reference, test, GammaCriteria(1, 1))
    assert np.isfinite(found.gamma[:5]).all() and np.isnan(found.gamma[6:]).all()
    assert found.evaluated == 5 * 16 * 18 and found.pass_percent == 100


def test_a_hole_in_the_test_map_is_never_taken_for_dose():
    reference, test = np.full(SHAPE, 5.0), np.full(SHAPE, 5.0)
    test[7, 8, 9] = np.nan
    found = gamma_index(_image(reference), _image(test), GammaCriteria(1, 1))
    assert np.isnan(found.gamma[7, 8, 9]), "every cell around it has the hole as a corner"
    assert found.evaluated == reference.size - 1
    reference[0, 0, 0] = np.inf
    assert gamma_index(_image(reference), _image(test), GammaCriteria(1, 1)).evaluated == reference.size - 2


def test_the_cutoff_and_the_region_say_which_voxels_count():
    reference = _ramp(1.0, along=0, base=0.0)  # 0 to 39 mGy
    region = np.zeros(SHAPE, bool)
    region[:10] = True  # up to 27 mGy
    found = gamma_index(_image(reference), _image(reference), GammaCriteria(cutoff_percent=50), region=region)
    assert found.criteria.normalisation_mgy == pytest.approx(27)
    assert found.evaluated == 5 * 16 * 18  # 15, 18, 21, 24 and 27 mGy
    assert np.isnan(found.gamma[:5]).all() and np.isnan(found.gamma[10:]).all()


def test_nothing_beyond_the_largest_gamma_is_sought():
    found = gamma_index(_image(np.full(SHAPE, 10.0)), _image(np.full(SHAPE, 20.0)), GammaCriteria(1, 1, max_gamma=3))
    np.testing.assert_array_equal(found.gamma, 3)
    assert found.capped == found.evaluated and found.pass_percent == 0


def test_zero_dose_passes_nowhere_by_a_local_criterion_of_nothing():
    reference = _ramp(1.0, along=0, base=0.0)
    found = gamma_index(_image(reference), _image(reference), GammaCriteria(local=True, cutoff_percent=0))
    assert np.isnan(found.gamma[0]).all() and np.isfinite(found.gamma[1:]).all()


@pytest.mark.parametrize("values", [{"distance_mm": 0}, {"dose_percent": -1}, {"max_gamma": float("nan")},
                                    {"cutoff_percent": 100}, {"normalisation_mgy": 0}])
def test_criteria_without_meaning_are_refused(values):
    with pytest.raises(InputError):
        GammaCriteria(**values)


def test_grids_that_cannot_be_searched_are_refused():
    good = _image(np.full(SHAPE, 5.0))
    oblique = _image(np.full(SHAPE, 5.0))
    oblique.SetDirection((0.8, 0.6, 0, -0.6, 0.8, 0, 0, 0, 1))
    with pytest.raises(InputError, match="axes"):
        gamma_index(good, oblique)
    with pytest.raises(InputError, match="single voxel"):
        gamma_index(good, _image(np.full((1, 16, 18), 5.0)))
    with pytest.raises(InputError, match="search of"):
        gamma_index(good, good, GammaCriteria(200, 1))
    with pytest.raises(InputError, match="no voxel"):
        gamma_index(good, good, region=np.zeros(SHAPE, bool))
    with pytest.raises(InputError, match="no dose within reach"):
        gamma_index(good, _image(np.full(SHAPE, 5.0), origin_mm=(1000.0, 0, 0)))
    with pytest.raises(InputError, match="below the cutoff"):
        gamma_index(_image(np.zeros(SHAPE)), good, GammaCriteria(normalisation_mgy=10))


def test_a_cancelled_search_stops():
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        gamma_index(_image(np.full(SHAPE, 5.0)), _image(np.full(SHAPE, 5.0)), progress=progress)


def test_any_number_of_threads_gives_the_same(monkeypatch):
    reference, test = _image(_noisy_hill(0.0)), _image(_noisy_hill(0.2))
    monkeypatch.setattr("organdose.assess.gamma_index._CHUNK_VOXELS", 100)
    several = gamma_index(reference, test).gamma
    monkeypatch.setattr("organdose.assess.gamma_index.os.cpu_count", lambda: 1)
    np.testing.assert_array_equal(several, gamma_index(reference, test).gamma)
