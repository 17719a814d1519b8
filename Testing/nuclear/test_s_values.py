"""S-values against what energy conservation and reciprocity demand, and against a published table."""

import numpy as np
import pytest

from organdose.anatomy.phantoms.voxel_phantom import PhantomLabel, PhantomMedium
from organdose.anatomy.phantoms.voxel_phantom_files import labelled_phantom, read_voxel_phantom
from organdose.dose_map import MGY_KG_PER_KEV
from organdose.errors import InputError
from organdose.nuclear.progeny import with_progeny
from organdose.nuclear.s_values import s_values, source_regions
from organdose.nuclear.s_values_cache import cached_s_values

WATER = PhantomMedium({"H": 11.19, "O": 88.81})


@pytest.fixture(scope="module")
def box():
    """A tub of water, 24 cm wide, with two organs in it and one that is full of something."""
    labels = np.ones((24, 24, 24), np.uint16)
    labels[8:12, 8:12, 8:12] = 2
    labels[13:18, 13:18, 13:18] = 3
    labels[2:6, 2:6, 2:6] = 4
    labels[3:5, 3:5, 3:5] = 5
    entries = {1: PhantomLabel("soft_tissue", "water", 1.0), 2: PhantomLabel("liver", "water", 1.0),
               3: PhantomLabel("spleen", "water", 1.2), 4: PhantomLabel("urinary_bladder", "water", 1.0),
               5: PhantomLabel("urinary_bladder_contents", "water", 1.0)}
    return labelled_phantom("Tub", "", labels, (10.0, 10.0, 10.0), entries, {"water": WATER}, frozenset({0}))


@pytest.fixture(scope="module")
def technetium(box):
    return s_values(box, with_progeny("Tc-99m", progeny=[]), ["liver", "spleen"], histories=100_000, threads=1)


def test_alphas_leave_all_their_energy_in_the_source(box):
    values = s_values(box, with_progeny("Po-210", progeny=[]), ["liver"], histories=1000, threads=1)
    energy_kev = 5304.3 + 103.1  # alpha and recoil of Po-210 (ICRP 107)
    expected = energy_kev * 1e6 * MGY_KG_PER_KEV / 0.064  # a liver of 64 ml of water
    assert values.s("liver", "liver") == pytest.approx(expected, rel=0.001)
    assert values.s("spleen", "liver") < 1e-6 * expected


def test_the_whole_tub_gets_what_electrons_have(box):
    emissions = with_progeny("Y-90", progeny=[]).emissions
    values = s_values(box, with_progeny("Y-90", progeny=[]), ["liver"], histories=20_000, threads=1)
    deposited_kev = values.s("body", "liver") * values.target_mass_g[values.row("body")] / 1000 / 1e6 / MGY_KG_PER_KEV
    # Less than 1 % of Y-90's energy becomes bremsstrahlung that leaves 12 cm of water.
    assert 0.99 * emissions.electron_energy_kev < deposited_kev < 1.001 * emissions.electron_energy_kev


def test_photon_doses_are_reciprocal(technetium):
    there, back = technetium.row("spleen"), technetium.row("liver")
    forth = technetium.photon[there, technetium.column("liver")]
    reverse = technetium.photon[back, technetium.column("spleen")]
    sigma = np.hypot(technetium.photon_uncertainty[there, 0], technetium.photon_uncertainty[back, 1])
    assert abs(forth - reverse) < 4 * sigma + 0.01 * forth


def test_a_source_gives_the_same_whatever_stands_beside_it(box, technetium):
    alone = s_values(box, with_progeny("Tc-99m", progeny=[]), ["spleen"], histories=100_000, threads=1)
    assert alone.s("liver", "spleen") == technetium.s("liver", "spleen")


def test_the_cache_gives_back_what_was_computed(box, tmp_path, monkeypatch):
    monkeypatch.setenv("ORGANDOSE_CACHE", str(tmp_path))
    ask = {"histories": 2000, "threads": 1}
    first = cached_s_values(box, with_progeny("Tc-99m", progeny=[]), ["liver"], **ask)
    files = sorted(tmp_path.rglob("*.json"))
    again = cached_s_values(box, with_progeny("Tc-99m", progeny=[]), ["liver", "spleen"], **ask)
    assert len(files) == 1 and len(sorted(tmp_path.rglob("*.json"))) == 2
    assert again.total[:, 0].tolist() == first.total[:, 0].tolist()
    assert again.target_parts == first.target_parts and again.notes == first.notes
    other = cached_s_values(box, with_progeny("Tc-99m", progeny=[]), ["liver"], seed=2, **ask)
    assert other.s("liver", "liver") != first.s("liver", "liver")


def test_the_remainder_is_neither_source_nor_contents(box):
    assert source_regions(box, ["liver", "remainder"])["remainder"].keys() == {1, 3, 4}


@pytest.mark.parametrize(("sources", "said"), [
    (["stomach"], "has no 'stomach'"), (["liver", "body"], "'body' overlaps another source")])
def test_sources_that_are_none_are_refused(box, sources, said):
    with pytest.raises(InputError, match=said):
        source_regions(box, sources)


def test_a_target_that_was_not_computed_is_named(box):
    with pytest.raises(InputError, match="there are no S-values for the target 'brain'"):
        s_values(box, with_progeny("Po-210", progeny=[]), ["liver"], histories=1000, threads=1).s("brain", "liver")


def test_lu_177_in_the_adult_male_agrees_with_opendose(shared_data, shared_reference):
    """Three anchors at few histories; `organdose validate svalues` compares 382."""
    phantom = read_voxel_phantom(shared_data / "icrp110_AM")
    values = s_values(phantom, with_progeny("Lu-177"), ["liver"], histories=200_000,
                      targets=["Liver", "Kidney, right, cortex", "Muscle, trunk"], threads=1)
    assert values.s("Liver", "liver") == pytest.approx(1.3713e-5, rel=0.02)
    assert values.s("Muscle, trunk", "liver") == pytest.approx(2.7395e-8, rel=0.05)
    cortex = values.row("Kidney, right, cortex")
    assert values.total[cortex, 0] == pytest.approx(2.3495e-7, rel=0.05 + 3 * values.relative_uncertainty[cortex, 0])
