import numpy as np
import pytest
import SimpleITK as sitk

torch = pytest.importorskip("torch", reason="torch is not installed (the extra 'segmentation')")

from organdose.errors import Cancelled, InputError  # noqa: E402
from organdose.progress import Progress  # noqa: E402
from organdose.segmentation import res_u2net_engine  # noqa: E402
from organdose.segmentation.engines import engine  # noqa: E402
from organdose.segmentation.networks import sliding_window  # noqa: E402
from organdose.segmentation.networks.res_u2net import ResU2Net  # noqa: E402
from organdose.segmentation.res_u2net_engine import ResU2NetParameters  # noqa: E402
from organdose.study.ct_study import CTStudy  # noqa: E402
from organdose.study.facts import CTAcquisition  # noqa: E402


@pytest.fixture
def study(generated_patient) -> CTStudy:
    image = generated_patient("ct")
    dense = image + sitk.Cast(image > 250, sitk.sitkFloat32) * 400  # its spine as bone
    return CTStudy(sitk.Cast(dense, sitk.sitkInt16), CTAcquisition())


@pytest.fixture
def knowing(monkeypatch):
    """The network answers by HU: above 50 HU liver, below -20 HU left kidney, else body; so masks are known."""
    def forward(self, x):
        soft = 200 * x[:, 1:] + 40
        outside = 10 * (x[:, :1] < -0.5).float()
        return torch.cat([outside, torch.ones_like(soft), (soft - 50) / 20, (-20 - soft) / 20], dim=1)

    monkeypatch.setattr(ResU2Net, "forward", forward)


def segment(study, folder, **given):
    progress = given.pop("progress", None)
    return engine("res-u2net").segment(study, ResU2NetParameters(model=folder, device="cpu", precision="float32",
                                                                 **given), progress)


def test_masks_lie_where_the_network_saw_the_organ(study, trained_folder, knowing):
    masks = segment(study, trained_folder, islands=True)
    hu = sitk.GetArrayViewFromImage(study.image)
    assert masks.shape == hu.shape and "draft" in masks.origin
    liver = masks.mask("liver")
    inside = liver & (hu > 90)
    assert inside.sum() > 0.9 * (masks.mask("body") & (hu > 90)).sum()
    assert not (liver & (hu < 0)).any() and not (liver & ~masks.mask("body")).any()


def test_bones_come_from_hu_and_say_so(study, trained_folder, knowing):
    masks = segment(study, trained_folder)
    assert "analytic" in masks.notes["bones"]
    assert "bones" not in segment(study, trained_folder, from_hu=False).names


def test_an_organ_the_network_does_not_find_is_noted(study, trained_folder, monkeypatch):
    def nothing_but_body(self, x):
        return torch.cat([torch.zeros_like(x[:, :1]), torch.ones_like(x[:, :1]), -torch.ones_like(x)], dim=1)

    monkeypatch.setattr(ResU2Net, "forward", nothing_but_body)
    masks = segment(study, trained_folder)
    assert "liver" not in masks.names and "did not find" in masks.notes["liver"]


def test_missing_weights_are_one_clear_line(study, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no trained network here"):
        segment(study, tmp_path)

    def absent(*parts):
        raise InputError("the installation lacks the data file")

    monkeypatch.setattr(res_u2net_engine, "resource_path", absent)
    with pytest.raises(InputError, match=r"no trained Res-U2Net.*--model"):
        segment(study, None)


def test_missing_torch_is_one_clear_line(study, trained_folder, monkeypatch):
    monkeypatch.setattr(res_u2net_engine, "find_spec", lambda name: None if name == "torch" else object())
    with pytest.raises(InputError, match=r"needs torch.*pip install"):
        segment(study, trained_folder)


def test_too_little_memory_is_met_with_smaller_tiles(study, trained_folder, knowing, monkeypatch):
    wanted = segment(study, trained_folder)
    plain, tried = ResU2Net.forward, []

    def limited(self, x):
        tried.append(tuple(x.shape[2:]))
        if max(x.shape[2:]) > 32:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")
        return plain(self, x)

    monkeypatch.setattr(ResU2Net, "forward", limited)
    masks = segment(study, trained_folder)
    assert len(set(tried)) > 1
    assert (masks.mask("liver") != wanted.mask("liver")).sum() < 0.01 * wanted.mask("liver").sum()


def test_a_cancelled_segmentation_stops_in_the_network(study, trained_folder, monkeypatch):
    monkeypatch.setattr(sliding_window, "free_bytes", lambda device: 1)
    stages = []

    def listen(report):
        stages.append(report.stage)
        if report.stage == "network" and report.fraction > 0:
            progress.cancel()

    progress = Progress(listen)
    with pytest.raises(Cancelled):
        segment(study, trained_folder, progress=progress)
    assert stages[-1] == "network" and np.array(stages).tolist().count("network") == 2
