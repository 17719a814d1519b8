"""The equations against the masses, heights and vocabulary that others published."""

import json

import numpy as np
import pytest

from organdose.anatomy.organs import organs
from organdose.anatomy.phantoms.media import media
from organdose.anatomy.phantoms.stylised_phantom import (
    ARMS_DOWN,
    PHANTOM_FILES,
    equation_volume_cm3,
    load_phantom,
    read_phantom,
)
from organdose.anatomy.phantoms.voxelise import mask_owners, voxelise
from organdose.errors import InputError
from organdose.resources import resource_path

# ORNL/TM-8381, adult: total mass in g; height in cm with the neck of the 1996 revision.
_BODY = {"adult-male": (73700, 179), "adult-female": (56800, 168)}


def _published():
    return [(name, part.name, part.pose) for name in PHANTOM_FILES
            for part in load_phantom(name).parts if part.published_mass_g]


@pytest.mark.parametrize(("phantom", "part", "pose"), _published())
def test_each_equation_has_the_published_mass(phantom, part, pose):
    this = next(p for p in load_phantom(phantom).parts if p.name == part and p.pose == pose)
    step_cm = min(0.15, max(0.03, min(high - low for low, high in this.solid.bounds) / 30))
    density = media().report_density_g_cm3[media().number[this.medium]]
    mass_g = equation_volume_cm3(this.solid, step_cm) * density
    # Prostate: not in the report, ICRP 89. All others reproduce the report's figure; 5 % is the most that is allowed.
    assert mass_g == pytest.approx(this.published_mass_g, rel=0.05)


def test_the_published_masses_cover_the_main_organs():
    for phantom in PHANTOM_FILES:
        named = {part for name, part, _ in _published() if name == phantom}
        assert {"brain", "heart", "liver", "lung_left", "lung_right", "kidney_left", "kidney_right", "spleen",
                "pancreas", "stomach", "small_bowel", "urinary_bladder", "gallbladder", "thymus", "thyroid_gland",
                "adrenal_gland_left"} <= named


def test_rib_cage_and_pelvis_have_the_volumes_of_the_report():
    helpers = load_phantom("adult-male").skeleton_helpers
    ribs = sum(equation_volume_cm3(solid, 0.1) for name, solid in helpers.items() if name.startswith("rib_pair"))
    assert ribs == pytest.approx(694, rel=0.02)  # MIRD Pamphlet 5 revised
    assert equation_volume_cm3(helpers["pelvis"], 0.1) == pytest.approx(606, rel=0.02)


@pytest.mark.parametrize("name", PHANTOM_FILES)
def test_the_published_body_has_its_mass_and_height(name):
    phantom = load_phantom(name)
    body = voxelise(phantom, (4, 4, 4), pose=ARMS_DOWN)
    density = media().report_density_g_cm3[body.medium] * (body.part > 0)
    mass_g, height_cm = _BODY[name]
    assert density.sum(dtype=float) * body.voxel_ml == pytest.approx(mass_g, rel=0.02)
    assert phantom.published_body_mass_g == mass_g
    assert phantom.height_cm == pytest.approx(height_cm, abs=1.0)
    assert body.part.any(axis=(1, 2)).sum() * 0.4 == pytest.approx(phantom.height_cm, abs=0.8)


@pytest.mark.parametrize(("name", "sex"), [("adult-male", "male"), ("adult-female", "female")])
def test_the_main_organs_are_near_the_icrp_89_reference_persons(name, sex, shared_reference):
    table = json.loads((shared_reference / "organ_risk_data.json").read_text())["icrp89_organ_masses_g"]["masses"]
    icrp = {organ: row[sex] for organ, row in table.items()}
    whole = voxelise(load_phantom(name), (4, 4, 4)).volumes_and_masses()
    assert whole["brain"][1] == pytest.approx(icrp["Brain"], rel=0.1)
    assert whole["liver"][1] == pytest.approx(icrp["Liver"], rel=0.1)
    assert whole["kidney_left"][1] + whole["kidney_right"][1] == pytest.approx(icrp["Kidneys"], rel=0.12)
    assert whole["heart"][1] == pytest.approx(icrp["Heart"] + icrp["Heart Contents"], rel=0.12)
    assert whole["spleen"][1] == pytest.approx(icrp["Spleen"], rel=0.25)
    # The female's lungs are those of the report's 15-year-old, a third lighter than ICRP 89's woman.
    assert whole["lung_left"][1] + whole["lung_right"][1] == pytest.approx(icrp["Lungs"], rel=0.35)


@pytest.mark.parametrize("name", PHANTOM_FILES)
def test_every_mask_is_an_organ_of_the_vocabulary(name):
    phantom = load_phantom(name)
    for pose in phantom.exteriors:
        assert set(mask_owners(phantom, pose)) <= set(organs())


@pytest.mark.parametrize("name", PHANTOM_FILES)
def test_every_part_says_where_its_figures_come_from(name):
    for part in load_phantom(name).parts:
        assert "ORNL/TM-8381" in part.source or "added by this project" in part.source


def test_left_and_right_are_mirror_images():
    phantom = load_phantom("adult-male")
    solids = {part.name: part.solid for part in phantom.parts_in("arms-up")}
    points = np.random.default_rng(3).uniform((-22, -13, -60), (22, 13, 98), (200_000, 3)).T
    compared = 0
    for name, solid in solids.items():
        twin = solids.get(name.replace("_left", "_right"))
        if "_left" in name and twin is not None and not name.startswith(("lung", "iliac")):
            there = solid.inside(*points)
            assert np.array_equal(there, twin.inside(-points[0], points[1], points[2])), name
            compared += int(there.any())
    assert compared > 15


def test_an_unknown_phantom_is_refused_and_the_known_ones_named():
    with pytest.raises(InputError, match=r"adult-child.*adult-male"):
        load_phantom("adult-child")


@pytest.mark.parametrize(("spoil", "told"), [
    (lambda data: data["parts"][0].update(medium="jelly"), "jelly"),
    (lambda data: data["parts"][0].update(solid={"blob": {}}), "blob"),
    (lambda data: data.pop("parts"), "parts"),
])
def test_a_spoilt_phantom_file_is_refused_and_says_what_is_wrong(tmp_path, spoil, told):
    data = json.loads(resource_path("phantoms", "adult_male.json").read_text(encoding="utf-8"))
    spoil(data)
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match=told):
        read_phantom(path)
