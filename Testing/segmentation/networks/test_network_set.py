"""Several networks, each with an organ of its own, answer as one."""

import shutil

import numpy as np
import pytest
import SimpleITK as sitk

torch = pytest.importorskip("torch", reason="torch is not installed (the extra 'segmentation')")

from organdose.errors import InputError  # noqa: E402
from organdose.segmentation.engines import engine  # noqa: E402
from organdose.segmentation.network_input import NetworkCard  # noqa: E402
from organdose.segmentation.network_shape import NetworkShape  # noqa: E402
from organdose.segmentation.networks import network_set  # noqa: E402
from organdose.segmentation.networks.network_set import open_networks  # noqa: E402
from organdose.segmentation.networks.res_u2net import ResU2Net  # noqa: E402
from organdose.segmentation.networks.trained_network import save_network  # noqa: E402
from organdose.segmentation.res_u2net_engine import ResU2NetParameters  # noqa: E402
from organdose.study.ct_study import CTStudy  # noqa: E402
from organdose.study.facts import CTAcquisition  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path):
    """A folder with a network of the liver and one of the left kidney, as a training leaves them."""
    for organ, place in (("liver", "liver"), ("kidney_left", "kidney_left/model")):
        card = NetworkCard(title=organ, organs=("body", organ), spacing_mm=8.0, patch=(16, 16, 16),
                           shape=NetworkShape(labels=3, widths=(4, 6), inner_depths=(1, 1)))
        torch.manual_seed(len(organ))
        save_network(tmp_path / "set" / place, ResU2Net(card.shape).state_dict(), card)
    return tmp_path / "set"


def test_a_part_is_drawn_before_the_whole_whose_network_has_learned_it_too(tmp_path, probabilities):
    for organ in ("bones", "femoral_head_left"):
        card = NetworkCard(title=organ, organs=("body", organ), spacing_mm=8.0, patch=(16, 16, 16),
                           shape=NetworkShape(labels=3, widths=(4, 6), inner_depths=(1, 1)))
        save_network(tmp_path / "set" / organ, ResU2Net(card.shape).state_dict(), card)
    bones, head = np.array([0.95, 0.95, 0.1]), np.array([0.8, 0.3, 0.6])
    probabilities({"bones": (0.05, bones), "femoral_head_left": (0.05, head)})
    networks = open_networks(tmp_path / "set")
    logits = networks.logits(np.zeros((1, 1, 3), np.float32), CPU, torch.float32)
    drawn = [("outside", *networks.organs)[n] for n in logits.argmax(dim=0).ravel().tolist()]
    assert drawn == ["femoral_head_left", "bones", "femoral_head_left"]


@pytest.fixture
def study_with_gas():
    """A trunk of water with two lungs and gas in the bowel, in voxels of 4 mm."""
    z, y, x = np.meshgrid(*(4.0 * (np.arange(n) - n / 2) for n in (40, 50, 70)), indexing="ij")
    hu = np.full(z.shape, -1000, np.int16)
    hu[(x / 120) ** 2 + (y / 85) ** 2 < 1] = 40
    for side in (-55, 55):
        hu[((x - side) / 35) ** 2 + (y / 45) ** 2 + ((z - 40) / 38) ** 2 < 1] = -750
    hu[(x / 16) ** 2 + ((y + 30) / 16) ** 2 + ((z + 45) / 16) ** 2 < 1] = -1000
    image = sitk.GetImageFromArray(hu)
    image.SetSpacing((4.0, 4.0, 4.0))
    return CTStudy(image, CTAcquisition())


@pytest.fixture
def probabilities(monkeypatch):
    """The networks answer with these probabilities of body and organ."""
    def answer(by_title):
        def logits(trained, hu, device, precision, progress=None):
            body, organ = (torch.as_tensor(np.broadcast_to(p, hu.shape).copy()) for p in by_title[trained.card.title])
            return torch.stack([1 - body - organ, body, organ]).clamp_min(1e-9).log().half()

        monkeypatch.setattr(network_set, "logits_of", logits)

    return answer


def test_where_organs_overlap_the_likelier_wins_and_what_is_unlikely_is_not_drawn(folder, probabilities):
    liver, kidney = np.array([0.9, 0.6, 0.45, 0.1]), np.array([0.2, 0.8, 0.40, 0.05])
    probabilities({"liver": (0.05, liver), "kidney_left": (0.05, kidney)})
    networks = open_networks(folder)
    assert networks.organs == ("kidney_left", "liver") and networks.title == "2 networks"
    logits = networks.logits(np.zeros((1, 1, 4), np.float32), CPU, torch.float32)
    drawn = [("outside", *networks.organs)[n] for n in logits.argmax(dim=0).ravel().tolist()]
    assert drawn == ["liver", "kidney_left", "outside", "outside"]
    odds = np.log(liver / (1 - liver))
    assert logits[2].ravel().numpy() == pytest.approx(odds, abs=0.03), "half precision"


def test_the_engine_takes_a_folder_of_networks(folder, probabilities, generated_patient):
    image = sitk.Cast(generated_patient("ct"), sitk.sitkInt16)

    def logits(trained, hu, device, precision, progress=None):
        wanted = torch.from_numpy((hu > 50) if trained.card.title == "liver" else (hu > -200) & (hu < -20))
        return torch.stack([torch.zeros(hu.shape), torch.ones(hu.shape), torch.where(wanted, 9.0, -9.0)]).half()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_set, "logits_of", logits)
        masks = engine("res-u2net").segment(CTStudy(image, CTAcquisition()), ResU2NetParameters(
            model=folder, device="cpu", precision="float32", islands=True))
    hu = sitk.GetArrayViewFromImage(image)
    assert {"body", "liver", "kidney_left"} <= set(masks.names) and "2 networks" in masks.origin
    assert np.median(hu[masks.mask("liver")]) > 50 and not (masks.mask("liver") & masks.mask("kidney_left")).any()


def test_what_hu_draw_better_takes_no_voxel_of_a_network_without_body(study_with_gas, tmp_path):
    """The label of the network's lung is not used, and must not pass to the air that comes after it."""
    card = NetworkCard(organs=("liver", "lung_left"), spacing_mm=8.0, patch=(16, 16, 16),
                       shape=NetworkShape(labels=3, widths=(4, 6), inner_depths=(1, 1)))
    save_network(tmp_path / "net", ResU2Net(card.shape).state_dict(), card)

    def logits(trained, hu, device, precision, progress=None):
        soft = torch.from_numpy(hu > 20)
        lung = torch.from_numpy((hu < -600) & (hu > -900))
        return torch.stack([torch.zeros(hu.shape), torch.where(soft, 9.0, -9.0), torch.where(lung, 9.0, -9.0)]).half()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_set, "logits_of", logits)
        masks = engine("res-u2net").segment(study_with_gas, ResU2NetParameters(
            model=tmp_path / "net", device="cpu", precision="float32", islands=True))
    expected = engine("analytic").segment(study_with_gas)
    assert {"air_internal", "lung_left"} <= set(expected.names), "there is something to mix up"
    for name in ("air_internal", "lung_left", "lung_right"):
        assert np.array_equal(masks.mask(name), expected.mask(name)), name


def test_one_network_is_used_as_it_is(folder):
    networks = open_networks(folder / "liver")
    assert networks.organs == ("body", "liver") and networks.only is not None
    logits = networks.logits(np.zeros((16, 16, 16), np.float32), CPU, torch.float32)
    assert logits.shape == (3, 16, 16, 16)


def test_networks_that_do_not_belong_together_are_refused_before_any_work(folder):
    card = NetworkCard(title="spleen", organs=("body", "spleen"), spacing_mm=4.0,
                       shape=NetworkShape(labels=3, widths=(4, 6), inner_depths=(1, 1)))
    save_network(folder / "spleen", ResU2Net(card.shape).state_dict(), card)
    with pytest.raises(InputError, match="voxels of 4, 8 mm cannot be used together"):
        open_networks(folder)
    shutil.rmtree(folder / "spleen")
    (folder / "liver" / "weights.pt").unlink()
    with pytest.raises(InputError, match=r"weights\.pt or card\.json is missing"):
        open_networks(folder)
    with pytest.raises(InputError, match="no trained network here"):
        open_networks(folder / "nothing")
