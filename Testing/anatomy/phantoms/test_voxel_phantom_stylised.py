"""The stylised adults as label maps: masses of the report, walls apart from contents, marrow where it is."""

import json

import pytest

from organdose.anatomy.organs import organs
from organdose.anatomy.phantoms.stylised_phantom import load_phantom
from organdose.anatomy.phantoms.voxel_phantom_files import read_voxel_phantom
from organdose.anatomy.phantoms.voxel_phantom_stylised import stylised_voxel_phantom
from organdose.resources import resource_path


@pytest.fixture(scope="module", params=["adult-male", "adult-female"])
def both(request):
    phantom = load_phantom(request.param)
    return phantom, stylised_voxel_phantom(phantom, 3.0)


def test_organs_have_the_masses_of_the_report(both):
    phantom, voxels = both
    names = {"clavicula_left", "clavicula_right", "brain", "kidney_left", "spleen", "pancreas", "liver", "lung_left",
             "lung_right", "thymus", "uterus"}
    published = {part.name: part.published_mass_g for part in phantom.parts if part.name in names}
    for name, mass_g in published.items():
        if mass_g:
            assert voxels.mass_g(name) == pytest.approx(mass_g, rel=0.04), name
    assert voxels.mass_g("body") == pytest.approx(phantom.published_body_mass_g, rel=0.02)


def test_hollow_organs_are_split_into_wall_and_contents(both):
    _, voxels = both
    # ORNL/TM-8381, adult male: bladder wall 45.7 and contents 203 g, female: 34.6 and 160 g
    # (Cristy and Eckerman 1987, from memory).
    wall_g, contents_g = {"M": (45.7, 203), "F": (34.6, 160)}[voxels.sex]
    assert voxels.mass_g("urinary_bladder") == pytest.approx(wall_g, rel=0.08)
    assert voxels.mass_g("urinary_bladder_contents") == pytest.approx(contents_g, rel=0.08)
    left = voxels.remainder([])
    assert not left.keys() & voxels.region("urinary_bladder_contents").keys()


def test_all_red_marrow_of_the_reference_adult_is_shared_out(both):
    _, voxels = both
    assert voxels.mass_g("red_bone_marrow") == pytest.approx(organs()["red_bone_marrow"].reference_mass_g[voxels.sex])


def test_the_shares_of_red_marrow_are_those_of_the_icrp_110_male(shared_data):
    shares = json.loads(resource_path("phantoms", "red_marrow.json").read_text(encoding="utf-8"))["percent"]
    assert sum(shares.values()) == pytest.approx(100, abs=0.2)
    voxels = read_voxel_phantom(shared_data / "icrp110_AM")
    marrow = voxels.region("red_bone_marrow")
    for bones, percent in shares.items():
        labels = {label for bone in bones.split() for label in voxels.region(bone)}
        there = {label: part for label, part in marrow.items() if label in labels}
        assert 100 * voxels.mass_g(there) / voxels.mass_g("red_bone_marrow") == pytest.approx(percent, abs=0.2), bones
