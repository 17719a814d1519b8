"""TotalSegmentator, where it is installed, in a process of its own: 117 organs under the names of the vocabulary."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import SimpleITK as sitk
from pydantic import BaseModel, ConfigDict, Field

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError
from organdose.progress import Progress
from organdose.resources import resource_path
from organdose.segmentation.outside_process import OutsideEnd, is_installed, run_entry_point
from organdose.segmentation.outside_result import card_or_processor, named_masks, read_label_map
from organdose.study.ct_study import CTStudy

_COMMAND = "totalsegmentator.bin.TotalSegmentator:main"
# Numbers of nnU-Net data sets of the task "total", of release 2: full resolution in five parts, and 3 mm.
_FULL, _FAST = (291, 292, 293, 294, 295), (297,)
_PART = re.compile(r"Predicting part (\d+) of (\d+)")
_PERCENT = re.compile(r"(\d{1,3})%\|")
_STAGES = (("Downloading", "downloading weights"), ("Resampling", "resampling"), ("Saving", "saving masks"))
_NO_NETWORK = re.compile(r"ConnectionError|Max retries exceeded|Name or service not known|getaddrinfo|Network is "
                         r"unreachable|HTTPError|ProxyError|SSLError|ConnectTimeout", re.IGNORECASE)


class TotalSegmentatorParameters(BaseModel):
    """Settings of the TotalSegmentator engine."""

    model_config = ConfigDict(extra="forbid")

    model: Path | None = Field(None, title="Folder of weights", description="Holds Dataset291_... and so on; without "
                               "one that of TOTALSEG_WEIGHTS_PATH, of TOTALSEG_HOME_DIR, or ~/.totalsegmentator.")
    fast: bool = Field(False, title="Fast", description="The network of 3 mm instead of 1.5 mm: less time and memory.")
    download: bool = Field(False, title="Download missing weights", description="Without it nothing is fetched from "
                           "the network.")
    device: str = Field("auto", title="Device", description="auto, cpu or cuda.")
    python: Path | None = Field(None, title="Python", description="That of an environment that has TotalSegmentator; "
                                "without one, this one.")


class TotalSegmentatorEngine:
    """The command of the package on a copy of the CT; it sends no statistics of use and changes no settings of it."""

    name = "totalsegmentator"
    title = "TotalSegmentator (117 organs; installed on request)"
    licence = "Apache-2.0 (package, and weights of the task total)"
    cost = ("not measured here: memory and time grow with the CT, fast takes a fraction; minutes on a graphics card, "
            "far longer on processors")
    devices = ("cpu", "cuda")
    parameters = TotalSegmentatorParameters

    @property
    def organs(self) -> tuple[str, ...]:
        return tuple(label_names().values())

    def check_ready(self, parameters: TotalSegmentatorParameters, installed: Callable[[str], bool]) -> None:
        """Raises `InputError` where package or weights are missing; another Python is asked only when it runs."""
        if parameters.python is None and not installed("totalsegmentator"):
            raise _not_installed(None)
        if not parameters.download:
            check_weights(weights_folder(parameters.model), fast=parameters.fast)

    def segment(self, study: CTStudy, parameters: TotalSegmentatorParameters | None = None,
                progress: Progress | None = None) -> OrganMasks:
        """Masks on the grid of the CT. When memory runs out, the CT is split in three before it gives up.

        Raises `InputError` in one line for a missing package, missing weights, no network, too little memory, or a
        failure of the package; `Cancelled` after its whole process tree was ended.
        """
        parameters, progress = parameters or TotalSegmentatorParameters(), progress or Progress()
        if not is_installed("totalsegmentator", parameters.python):
            raise _not_installed(parameters.python)
        weights = weights_folder(parameters.model)
        if not parameters.download:
            check_weights(weights, fast=parameters.fast)
        device = card_or_processor(parameters.device)
        with tempfile.TemporaryDirectory(prefix="totalsegmentator-") as temporary:
            folder = Path(temporary)
            sitk.WriteImage(study.image, str(folder / "ct.nii"))
            _run(folder, weights, parameters, device, progress)
            labels, corner = read_label_map(folder / "masks.nii", study, "TotalSegmentator")
        resolution = "3 mm" if parameters.fast else "1.5 mm"
        return named_masks(labels, corner, study, label_names(), where=Path("TotalSegmentator"),
                           origin=f"TotalSegmentator ({resolution}, not reviewed)")


def _not_installed(python: Path | None) -> InputError:
    return InputError("TotalSegmentator is not installed in this Python", where=python,
                      mend="Install it with: pip install TotalSegmentator, or give the Python that has it.")


@cache
def label_names() -> dict[int, str]:
    """Label number -> organ, of the task total."""
    table = json.loads(resource_path("totalsegmentator_labels.json").read_text(encoding="utf-8"))
    return {int(value): name for value, name in table["labels"].items()}


def weights_folder(given: Path | None = None) -> Path:
    """The folder given, else where TotalSegmentator looks by its environment variables."""
    if given is not None:
        return Path(given).expanduser().absolute()
    if path := os.environ.get("TOTALSEG_WEIGHTS_PATH"):
        return Path(path).absolute()
    home = os.environ.get("TOTALSEG_HOME_DIR")
    return (Path(home).absolute() if home else Path.home() / ".totalsegmentator") / "nnunet" / "results"


def check_weights(folder: Path, *, fast: bool) -> None:
    """Raises `InputError` naming the weights that are not there or not whole."""
    missing = [f"Dataset{number}" for number in (_FAST if fast else _FULL)
               if not any(folder.glob(f"Dataset{number}_*/*/fold_0/checkpoint_final.pth"))]
    if missing:
        raise InputError(f"weights of TotalSegmentator are missing or not whole: {', '.join(missing)}", where=folder,
                         mend="Unpack them there, give the folder that has them with --model, or allow the download.")


def _run(folder: Path, weights: Path, parameters: TotalSegmentatorParameters, device: str,
         progress: Progress) -> None:
    # A home of its own: the settings of the user's stay as they are, and it sends no statistics.
    (folder / "home").mkdir()
    settings = {"totalseg_id": "organdose", "send_usage_stats": False, "prediction_counter": 0,
                "statistics_disclaimer_shown": True}
    (folder / "home" / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    variables = {"TOTALSEG_HOME_DIR": str(folder / "home"), "TOTALSEG_WEIGHTS_PATH": str(weights)}
    arguments = ["-i", str(folder / "ct.nii"), "-o", str(folder / "masks.nii"), "--ml", "--device",
                 "gpu" if device == "cuda" else "cpu", *(["--fast"] if parameters.fast else [])]
    for more in ([], ["--force_split"]):
        end = run_entry_point(_COMMAND, [*arguments, *more], folder=folder, progress=progress,
                              read_line=ProgressLines(), python=parameters.python, variables=variables)
        if end.status == 0:
            return
        if not end.ran_out_of_memory:
            break
    raise _failure(end, parameters)


class ProgressLines:
    """Reads TotalSegmentator's output: parts of the network's work, and the progress bar within each."""

    def __init__(self) -> None:
        self._part, self._parts = 1, 1
        self._stage = "TotalSegmentator"

    def __call__(self, line: str) -> tuple[str, float] | None:
        if found := _PART.search(line):
            self._part, self._parts = int(found[1]), max(int(found[2]), 1)
            self._stage = "network"
            return self._stage, (self._part - 1) / self._parts
        for words, stage in _STAGES:
            if line.strip().startswith(words) and "%|" not in line:
                self._stage = stage
                return stage, 0.0
        if line.strip().startswith("Predicting"):
            self._stage = "network"
            return self._stage, 0.0
        if found := _PERCENT.search(line):
            stage = "downloading weights" if line.strip().startswith("Downloading") else self._stage
            done = min(int(found[1]), 100) / 100
            return stage, (self._part - 1 + done) / self._parts if stage == "network" else done
        return None


def _failure(end: OutsideEnd, parameters: TotalSegmentatorParameters) -> InputError:
    if end.ran_out_of_memory:
        smaller = "Choose the device cpu, or" if parameters.fast else "Choose fast, or"
        return InputError("TotalSegmentator ran out of memory, also with the CT in three parts",
                          mend=f"{smaller} close other programs, or give a part of the CT.")
    if parameters.download and any(_NO_NETWORK.search(line) for line in end.lines):
        return InputError("the weights of TotalSegmentator could not be downloaded", mend="Check the network, or copy "
                          "a folder of weights here and give it with --model.")
    return InputError(f"TotalSegmentator failed (exit status {end.status}): {end.last_line or 'it did not say why'}",
                      mend="Run it by hand on this CT to see more.")


ENGINE = TotalSegmentatorEngine()
