"""Writes the folder of a small real nnU-Net v2, in a Python that has it.

`python make_nnunet.py FOLDER TRAINER '{"liver": 1, "kidney_left": 2}'`. Its parameters are set by hand: the liver from
-500 HU, the left kidney from 250 HU, nothing else.
"""

import json
import sys
from pathlib import Path

import torch
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

ARCHITECTURE = {
    "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
    "arch_kwargs": {
        "n_stages": 2, "features_per_stage": [4, 4], "conv_op": "torch.nn.modules.conv.Conv3d",
        "kernel_sizes": [[3, 3, 3], [3, 3, 3]], "strides": [[1, 1, 1], [2, 2, 2]], "n_conv_per_stage": [1, 1],
        "n_conv_per_stage_decoder": [1], "conv_bias": True, "norm_op": None, "norm_op_kwargs": {}, "dropout_op": None,
        "dropout_op_kwargs": None, "nonlin": "torch.nn.LeakyReLU", "nonlin_kwargs": {"inplace": True}},
    "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"]}


def plans() -> dict:
    kinds = ("data", "seg", "probabilities")
    resampling = {f"resampling_fn_{what}": "resample_data_or_seg_to_shape" for what in kinds}
    kwargs = {f"resampling_fn_{what}_kwargs": {"is_seg": what == "seg", "order": 1, "order_z": 0,
                                                 "force_separate_z": None} for what in kinds}
    configuration = {
        "data_identifier": "plans_3d_fullres", "preprocessor_name": "DefaultPreprocessor", "batch_size": 2,
        "patch_size": [16, 16, 16], "median_image_size_in_voxels": [16, 16, 16], "spacing": [2.0, 1.5, 3.0],
        "normalization_schemes": ["CTNormalization"], "use_mask_for_norm": [False], "batch_dice": False,
        "architecture": ARCHITECTURE, **resampling, **kwargs}
    intensities = {"mean": 0.0, "std": 1000.0, "percentile_00_5": -1000.0, "percentile_99_5": 1000.0, "median": 0.0,
                   "min": -1000.0, "max": 1000.0}
    return {"dataset_name": "Dataset001_Small", "plans_name": "nnUNetPlans", "image_reader_writer": "SimpleITKIO",
            "original_median_spacing_after_transp": [2.0, 1.5, 3.0],
            "original_median_shape_after_transp": [20, 16, 12],
            # (z, y, x) of the file as (y, x, z): the axes have to be brought back
            "transpose_forward": [1, 2, 0], "transpose_backward": [2, 0, 1], "label_manager": "LabelManager",
            "experiment_planner_used": "ExperimentPlanner",
            "foreground_intensity_properties_per_channel": {"0": intensities},
            "configurations": {"3d_fullres": configuration}}


def parameters(labels: dict[str, int]) -> dict:
    count = 1 + max(labels.values())
    network = get_network_from_plans(ARCHITECTURE["network_class_name"], ARCHITECTURE["arch_kwargs"],
                                     ARCHITECTURE["_kw_requires_import"], 1, count, True, deep_supervision=False)
    with torch.no_grad():
        for value in network.parameters():
            value.zero_()
        first = network.encoder.stages[0][0].convs[0].conv.weight
        first[0, 0, 1, 1, 1], first[1, 0, 1, 1, 1] = 1, -1
        joined = network.decoder.stages[0].convs[0].conv.weight
        joined[0, 4, 1, 1, 1] = joined[1, 5, 1, 1, 1] = 1
        last = network.decoder.seg_layers[0]
        last.bias[:] = -1000
        for label, slope, offset in ((0, -8.0, -4.0), (labels["liver"], 0.0, 0.0),
                                     (labels["kidney_left"], 40.0, -10.0)):
            last.weight[label, 0], last.weight[label, 1], last.bias[label] = slope, -slope, offset
    return network.state_dict()


def main(root: Path, trainer: str, labels: dict[str, int]) -> None:
    dataset = {"channel_names": {"0": "CT"}, "labels": {"background": 0, **labels}, "numTraining": 1,
               "file_ending": ".nii.gz"}
    (root / "fold_0").mkdir(parents=True)
    (root / "dataset.json").write_text(json.dumps(dataset), encoding="utf-8")
    (root / "plans.json").write_text(json.dumps(plans()), encoding="utf-8")
    torch.save({"network_weights": parameters(labels), "trainer_name": trainer,
                "init_args": {"configuration": "3d_fullres"}, "inference_allowed_mirroring_axes": (0, 1, 2)},
               root / "fold_0" / "checkpoint_final.pth")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
