import numpy as np
import pytest
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.segmentation import training_patients
from organdose.segmentation.network_labels import NETWORK_ORGANS, organ_values, voxels_of
from organdose.segmentation.training_ct_look import generate_patient, organs_present
from organdose.segmentation.training_patients import PatientFacts

COARSE_MM = 8.0


@pytest.fixture(scope="module")
def patient_of():
    """Patients with the facts wanted: the rest is drawn from the seed."""
    def draw(seed=5, **wanted):
        def facts(number, phantom, rng, drawn=training_patients.draw_facts):
            found = drawn(number, phantom, rng)
            return PatientFacts(**{**found.__dict__, **wanted})

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(training_patients, "draw_facts", facts)
            return generate_patient(seed, COARSE_MM)

    return draw


@pytest.fixture(scope="module")
def whole_body(patient_of):
    return patient_of(region="whole-body", arms="beside", phase="portal venous", missing=())


def mean_hu(patient, organ):
    return float(sitk.GetArrayViewFromImage(patient.ct)[voxels_of(organ, patient.labels)].mean())


def test_the_same_seed_gives_the_same_patient_and_another_seed_another():
    first, again, other = (generate_patient(seed, COARSE_MM) for seed in (3, 3, 4))
    assert (first.labels == again.labels).all() and first.facts == again.facts
    assert (sitk.GetArrayViewFromImage(first.ct) == sitk.GetArrayViewFromImage(again.ct)).all()
    assert first.facts != other.facts


def test_a_whole_body_shows_every_organ_the_network_knows(whole_body):
    """The portal vein and the spinal cord are thinner than the voxels of this test."""
    thin = {"portal_vein_and_splenic_vein", "spinal_cord", "esophagus", "thymus"}
    assert set(NETWORK_ORGANS) - thin <= set(organs_present(whole_body.labels))
    assert whole_body.labels.shape == sitk.GetArrayViewFromImage(whole_body.ct).shape


def test_organs_have_the_size_of_an_adults(whole_body):
    """Within a factor of two of ICRP 89 adult masses (liver 1400 to 1800 g, brain 1300 to 1450, lungs 950 to 1200)."""
    voxel_ml = (COARSE_MM / 10) ** 3
    ml = {name: np.count_nonzero(voxels_of(name, whole_body.labels)) * voxel_ml for name in ("liver", "brain", "body")}
    assert 700 < ml["liver"] < 3600 and 700 < ml["brain"] < 2800 and 35_000 < ml["body"] < 150_000


def test_left_organs_lie_at_larger_x(whole_body):
    for organ in ("kidney", "lung", "femoral_head"):
        left, right = (np.argwhere(voxels_of(f"{organ}_{side}", whole_body.labels))[:, 2].mean()
                       for side in ("left", "right"))
        assert left > right


def test_an_organ_taken_out_is_not_there(patient_of):
    patient = patient_of(region="abdomen", missing=("spleen", "gallbladder"))
    assert not {"spleen", "gallbladder"} & set(organs_present(patient.labels))
    assert patient.facts["missing"] == ("spleen", "gallbladder")


@pytest.mark.parametrize(("region", "there", "away"), [
    ("head", "brain", "liver"), ("pelvis", "urinary_bladder", "brain"), ("thorax", "heart", "urinary_bladder")])
def test_the_field_of_view_holds_its_organs_only(patient_of, region, there, away):
    labels = patient_of(region=region, arms="up", missing=()).labels
    assert voxels_of(there, labels).any() and not voxels_of(away, labels).any()


def test_contrast_agent_brightens_vessels_and_kidneys(patient_of):
    facts = dict(region="abdomen", missing=(), arms="up")
    native, arterial = (patient_of(phase=phase, **facts) for phase in ("native", "arterial"))
    assert mean_hu(arterial, "aorta") > mean_hu(native, "aorta") + 100
    assert mean_hu(arterial, "kidney_left") > mean_hu(native, "kidney_left") + 30


def test_tissues_have_the_hu_of_a_ct(patient_of):
    patient = patient_of(region="trunk", phase="native", missing=(), arms="up")
    assert -950 < mean_hu(patient, "lung_left") < -500
    assert -10 < mean_hu(patient, "liver") < 110
    assert mean_hu(patient, "bones") > 150
    outside = sitk.GetArrayViewFromImage(patient.ct)[patient.labels == 0]
    assert np.median(outside) < -900


@pytest.mark.parametrize(("arms", "wider"), [("missing", False), ("beside", True)])
def test_arms_beside_the_trunk_are_seen_in_the_abdomen(patient_of, arms, wider):
    labels = patient_of(region="abdomen", arms=arms, missing=()).labels
    across = (labels[labels.shape[0] // 2] == organ_values()["bones"]).any(axis=0)
    extent_mm = COARSE_MM * np.ptp(np.flatnonzero(across))
    assert (extent_mm > 420) == wider


def test_seed_0_is_refused():
    with pytest.raises(InputError, match="seed 0"):
        generate_patient(0)
