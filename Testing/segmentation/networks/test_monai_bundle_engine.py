import json
import sys

import numpy as np
import pytest
import SimpleITK as sitk

torch = pytest.importorskip("torch", reason="torch is not installed (the extra 'segmentation')")

from organdose.errors import Cancelled, InputError  # noqa: E402
from organdose.progress import Progress  # noqa: E402
from organdose.segmentation.engines import engine  # noqa: E402
from organdose.segmentation.monai_bundle_engine import MonaiBundleParameters  # noqa: E402
from organdose.segmentation.networks import bundle_labels  # noqa: E402
from organdose.study.ct_study import CTStudy  # noqa: E402
from organdose.study.facts import CTAcquisition  # noqa: E402

NETWORK = {"_target_": "monai.networks.blocks.Convolution", "spatial_dims": 3, "in_channels": 1, "out_channels": 3,
           "kernel_size": 1, "conv_only": True, "bias": True}
NAMES = {"0": "background", "1": "Liver", "2": "strange thing"}


@pytest.fixture
def study() -> CTStudy:
    """Water with a block of 100 HU and one of 400 HU, off centre, on uneven voxels."""
    hu = np.full((24, 40, 36), -1000, np.int16)
    hu[4:12, 6:16, 20:30] = 100
    hu[14:20, 24:34, 4:12] = 400
    image = sitk.GetImageFromArray(hu)
    image.SetSpacing((1.5, 1.5, 3.0))
    image.SetOrigin((-30.0, -20.0, -500.0))
    return CTStudy(image, CTAcquisition())


def weights() -> dict:
    """Of HU / 1000: background below -500 HU, label 2 above 250 HU, label 1 between."""
    return {"conv.weight": torch.tensor([-8.0, 0.0, 40.0]).reshape(3, 1, 1, 1, 1),
            "conv.bias": torch.tensor([-4.0, 0.0, -10.0])}


@pytest.fixture
def bundle(tmp_path):
    """Writes a bundle folder; arguments replace parts of its configuration and metadata."""

    def write(state=None, *, names=NAMES, channels=1, yaml=False, folder="bundle", **config):
        root = tmp_path / folder
        (root / "configs").mkdir(parents=True)
        (root / "models").mkdir()
        content = {
            "imports": ["$import os"], "image_key": "image", "voxel": 3.0, "pixdim": "$[@voxel] * 3",
            "network_def": NETWORK,
            "preprocessing": {"_target_": "Compose", "transforms": [
                {"_target_": "LoadImaged", "keys": "@image_key"},
                {"_target_": "Orientationd", "keys": "@image_key", "axcodes": "RAS"},
                {"_target_": "Spacingd", "keys": "@image_key", "pixdim": "@pixdim"},
                {"_target_": "ScaleIntensityRanged", "keys": "@image_key", "a_min": -1000, "a_max": 1000,
                 "b_min": -1, "b_max": 1, "clip": True}]},
            "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [64, 32, 32], "overlap": 0.25}, **config}
        metadata = {"network_data_format": {"inputs": {"image": {"num_channels": channels}},
                                            "outputs": {"pred": {"channel_def": names}}}}
        if yaml:
            pyyaml = pytest.importorskip("yaml", reason="PyYAML is not installed (the extra 'segmentation')")
            (root / "configs" / "inference.yaml").write_text(pyyaml.safe_dump(content), encoding="utf-8")
        else:
            (root / "configs" / "inference.json").write_text(json.dumps(content), encoding="utf-8")
        (root / "configs" / "metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
        if state is not False:
            torch.save(weights() if state is None else state, root / "models" / "model.pt")
        return root

    return write


def segment(study, model, progress=None, **given):
    given = {"device": "cpu", "precision": "float32", **given}
    return engine("monai-bundle").segment(study, MonaiBundleParameters(model=model, **given), progress)


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def lies_in_the_middle_of(block, mask):
    """Of a small block against air the rims do not reach 250 HU between voxels; what is left lies in its middle."""
    where, expected = np.argwhere(mask).mean(axis=0), np.argwhere(block).mean(axis=0)
    return mask.sum() > 0.5 * block.sum() and not (mask & ~block).any() and np.abs(where - expected).max() < 0.1


@pytest.mark.parametrize("yaml", [False, True])
def test_masks_lie_where_the_bundles_network_sees_the_organ(study, bundle, yaml):
    masks = segment(study, bundle(yaml=yaml))
    hu = sitk.GetArrayViewFromImage(study.image)
    assert dice(masks.mask("liver"), hu == 100) > 0.8  # voxels of 3 mm, and the rims of 400 HU look like it
    assert lies_in_the_middle_of(hu == 400, masks.mask("strange_thing"))
    assert "bundle" in masks.origin


def test_a_label_outside_the_vocabulary_keeps_its_name_and_a_note(study, bundle):
    masks = segment(study, bundle())
    assert "not in the vocabulary" in masks.notes["strange_thing"]


def test_the_users_own_names_win(study, bundle, tmp_path):
    (tmp_path / "mine.json").write_text('{"2": "right kidney"}', encoding="utf-8")
    masks = segment(study, bundle(), labels=tmp_path / "mine.json")
    assert set(masks.names) == {"liver", "kidney_right"}


def test_transforms_that_stand_elsewhere_or_are_disabled_are_followed(study, bundle):
    steps = [{"_target_": "Orientationd", "keys": "@image_key", "axcodes": "$'R' + 'AS'"},
             {"_target_": "Spacingd", "keys": "@image_key", "pixdim": "@pixdim"},
             {"_target_": "HistogramNormalized", "keys": "@image_key", "_disabled_": "$True"},
             {"_target_": "ScaleIntensityRanged", "keys": "@image_key", "a_min": -1000, "a_max": 1000, "b_min": -1,
              "b_max": 1, "clip": True}]
    expected = segment(study, bundle())
    masks = segment(study, bundle(folder="elsewhere", steps=steps,
                                  preprocessing={"_target_": "Compose", "transforms": "$@steps "}))
    assert np.array_equal(masks.mask("liver"), expected.mask("liver"))


def test_a_named_label_without_voxels_is_noted(study, bundle):
    network = {**NETWORK, "out_channels": 4}
    state = {"conv.weight": torch.cat([weights()["conv.weight"], torch.zeros(1, 1, 1, 1, 1)]),
             "conv.bias": torch.cat([weights()["conv.bias"], torch.tensor([-100.0])])}
    masks = segment(study, bundle(state, names={**NAMES, "3": "spleen"}, network_def=network))
    assert "spleen" not in masks.names and "not found" in masks.notes["spleen"]


def test_torchscript_of_a_bundle_and_a_bare_one_give_the_same_masks(study, bundle, tmp_path):
    root = bundle()
    expected = segment(study, root)
    network = torch.nn.Sequential(torch.nn.Conv3d(1, 3, 1))
    network.load_state_dict({"0." + name.removeprefix("conv."): value for name, value in weights().items()})
    script = torch.jit.script(network)
    (root / "models" / "model.pt").unlink()
    torch.jit.save(script, str(root / "models" / "model.ts"))
    torch.jit.save(script, str(tmp_path / "bare.ts"))
    (tmp_path / "bare.json").write_text(json.dumps({
        "labels": {"1": "liver", "2": "strange thing"}, "spacing_mm": [3, 3, 3], "roi": [32, 32, 32]}),
        encoding="utf-8")
    for path in (root, tmp_path / "bare.ts"):
        masks = segment(study, path)
        assert np.array_equal(masks.mask("liver"), expected.mask("liver"))


def test_channels_that_are_each_yes_or_no_need_no_background(study, bundle):
    network = {**NETWORK, "out_channels": 2}
    state = {name: value[1:] for name, value in weights().items()}
    state["conv.bias"] = torch.tensor([-1.0, -10.0])
    post = {"_target_": "Compose", "transforms": [{"_target_": "Activationsd", "keys": "pred", "sigmoid": True}]}
    masks = segment(study, bundle(state, names={"0": "spleen", "1": "liver"}, network_def=network,
                                  postprocessing=post))
    assert masks.names == ("liver",)
    assert lies_in_the_middle_of(sitk.GetArrayViewFromImage(study.image) == 400, masks.mask("liver"))


def test_a_network_asked_by_class_is_asked_for_the_classes_of_its_bundle(study, bundle):
    network = {"_target_": "monai.networks.nets.VISTA3D",
               "image_encoder": {"_target_": "monai.networks.nets.SegResNetDS2", "in_channels": 1, "out_channels": 4,
                                 "init_filters": 4, "blocks_down": [1, 1], "norm": "instance", "dsdepth": 1},
               "class_head": {"_target_": "monai.networks.nets.vista3d.ClassMappingClassify", "n_classes": 9,
                              "feature_size": 4, "use_mlp": True},
               "point_head": {"_target_": "torch.nn.Identity"}}
    from monai.bundle import ConfigParser

    torch.manual_seed(2)
    state = ConfigParser({"network_def": network}).get_parsed_content("network_def").state_dict()
    names = {"0": "background", "1": "liver", "3": "spleen", "5": "pancreas", "7": "kidney"}
    masks = segment(study, bundle(state, names=names, network_def=network, everything_labels=[1, 3, 5]))
    assert set(masks.names) <= {"liver", "spleen", "pancreas"} and masks.names
    assert "does not ask for: kidney" in masks.notes["monai-bundle"]


def test_a_network_that_needs_prompts_is_refused(study, bundle):
    root = bundle({}, network_def={"_target_": "scripts.asking.Asking"})
    (root / "scripts").mkdir()
    (root / "scripts" / "__init__.py").touch()
    (root / "scripts" / "asking.py").write_text(
        "import torch\n\nclass Asking(torch.nn.Module):\n    def forward(self, x, clicks):\n        return x\n",
        encoding="utf-8")
    try:
        with pytest.raises(InputError, match=r"needs prompts \(clicks\)"):
            segment(study, root)
    finally:
        for name in ("scripts", "scripts.asking"):
            sys.modules.pop(name, None)


def test_out_of_memory_tries_smaller_tiles_then_says_so(study, bundle, monkeypatch):
    seen = []
    run = bundle_labels._Run.labels

    def labels(self, values, places):
        seen.append(tuple(self.roi))
        if max(self.roi) > 32:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20 GiB")
        return run(self, values, places)

    root = bundle()
    expected = segment(study, root)
    monkeypatch.setattr(bundle_labels._Run, "labels", labels)
    masks = segment(study, root)
    assert seen == [(32, 32, 64), (32, 32, 32)]  # (z, y, x)
    assert np.array_equal(masks.mask("liver"), expected.mask("liver"))
    monkeypatch.setattr(bundle_labels._Run, "labels", lambda *_: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(MemoryError, match="smallest tile"):
        segment(study, root)


def test_layers_of_tiles_give_the_same_masks_as_one_tile(study, bundle):
    whole = segment(study, bundle(folder="one"))
    for roi in ([16, 16, 8], [8, 16, 5]):
        tiles = {"_target_": "SlidingWindowInferer", "roi_size": roi, "overlap": 0.25}
        masks = segment(study, bundle(folder=f"tiles-{roi[0]}", inferer=tiles))
        for name in whole.names:
            assert (masks.mask(name) != whole.mask(name)).sum() <= 2, name  # logits are rounded to half precision


def test_what_a_tile_sees_at_its_rim_counts_less_as_in_monais_own_window(study, bundle):
    from monai.inferers import sliding_window_inference

    from organdose.segmentation.networks.monai_bundle import load_bundle

    torch.manual_seed(0)
    state = {"conv.weight": torch.randn(3, 1, 5, 5, 5), "conv.bias": torch.randn(3)}
    folder = bundle(state, network_def={**NETWORK, "kernel_size": 5},
                    inferer={"_target_": "SlidingWindowInferer", "roi_size": [16, 16, 16], "overlap": 0.5})
    found = load_bundle(folder)
    values = np.random.default_rng(0).normal(size=(32, 24, 40)).astype(np.float32)
    places = tuple(np.arange(n, dtype=float) for n in values.shape)
    own = bundle_labels.labels_of(found, values, places, torch.device("cpu"), torch.float32)
    x = torch.from_numpy(np.ascontiguousarray(found.recipe.to_network(values)))[None, None]
    with torch.inference_mode():
        out = sliding_window_inference(x, 16, 1, found.network, overlap=0.5, mode="gaussian")[0].numpy()
    expected = found.recipe.from_network(out).argmax(axis=0)
    assert (own == expected).mean() > 0.995  # the same tiles; ties and half precision


def test_a_layer_that_does_not_fit_into_memory_is_planned_thinner(bundle, monkeypatch):
    from organdose.segmentation.networks.monai_bundle import load_bundle

    found = load_bundle(bundle(inferer={"_target_": "SlidingWindowInferer", "roi_size": [64, 64, 128]}))
    monkeypatch.setattr(bundle_labels, "free_bytes", lambda device: 2 * 2 * 3 * 70 * 100 * 100)
    assert bundle_labels.planned_tile(found, (300, 100, 100)) == (64, 64, 64)
    assert bundle_labels.planned_tile(found, (300, 10, 100)) == (128, 64, 64)


def test_cancelling_ends_the_work(study, bundle):
    progress = Progress()
    progress._listener = lambda report: progress.cancel() if report.stage == "network" else None
    with pytest.raises(Cancelled):
        segment(study, bundle(), progress)


@pytest.mark.parametrize(("change", "words"), [
    ({"state": False}, "no weights"),
    ({"channels": 4}, "takes 4 channels"),
    ({"network_def": {**NETWORK, "in_channels": 2},
      "state": {"conv.weight": torch.zeros(3, 2, 1, 1, 1), "conv.bias": torch.zeros(3)}}, "takes 2 channels"),
    ({"network_def": {**NETWORK, "out_channels": 7}}, "weights are of another network: conv.weight"),
    ({"network_def": {"_target_": "no.such.Network"}}, "cannot be built"),
    ({"names": {"1": "liver", "9": "spleen"}}, "gives 2 labels, its description names 9"),
    ({"names": {}}, "which organ is which")])
def test_a_bundle_that_cannot_be_used_is_refused_in_one_line(study, bundle, change, words):
    state = change.pop("state", None) if "state" in change else None
    with pytest.raises(InputError, match=words) as caught:
        segment(study, bundle(state, **change))
    assert "\n" not in str(caught.value)


def test_what_is_no_bundle_is_refused(study, tmp_path):
    with pytest.raises(InputError, match=r"no MONAI bundle here"):
        segment(study, tmp_path)
    torch.jit.save(torch.jit.script(torch.nn.Conv3d(1, 2, 1)), str(tmp_path / "alone.ts"))
    with pytest.raises(InputError, match=r"alone\.json is missing"):
        segment(study, tmp_path / "alone.ts")
    (tmp_path / "alone.json").write_text('{"labels": {}}', encoding="utf-8")
    with pytest.raises(InputError, match="labels"):
        segment(study, tmp_path / "alone.ts")
    with pytest.raises(InputError, match="needs a bundle"):
        segment(study, None)
