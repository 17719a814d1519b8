"""A network from a MONAI bundle, or from a TorchScript file with a JSON beside it."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from monai.bundle import ConfigParser
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from organdose.errors import InputError
from organdose.segmentation.bundle_recipe import (
    DEFAULT_AXES,
    DEFAULT_ROI,
    DEFAULT_SPACING_MM,
    BundleRecipe,
    recipe_of,
)
from organdose.segmentation.networks.trained_network import read_torch_file

_MEND = "Give the folder of a MONAI bundle (configs and models in it), or a TorchScript file with a JSON beside it."
_INSIDE = ("model", "state_dict", "network", "net")
# Arguments of transforms that are read; the others may start half of the bundle when resolved.
_READ = ("_disabled_", "axcodes", "pixdim", "a_min", "a_max", "b_min", "b_max", "clip", "subtrahend", "divisor",
         "nonzero", "minv", "maxv", "factor", "sigmoid")


@dataclass(frozen=True)
class BundleNetwork:
    """`network` takes (1, 1, voxels) and gives (1, channels, voxels), `exclusive` logits or one yes-or-no a channel.

    `numbers` is the label number of each channel but the background of exclusive ones; None: 1, 2, 3 ...; `names` of
    numbers, as the bundle says them.
    """

    network: Callable[[torch.Tensor], torch.Tensor]
    recipe: BundleRecipe
    names: dict[int, str]
    exclusive: bool = True
    numbers: tuple[int, ...] | None = None

    def to(self, device: torch.device) -> BundleNetwork:
        network = self.network.to(device) if hasattr(self.network, "to") else self.network
        return replace(self, network=network)


class TorchScriptCard(BaseModel):
    """The JSON beside a bare TorchScript file."""

    model_config = ConfigDict(extra="forbid")

    labels: dict[int, str] = Field(min_length=1)
    spacing_mm: tuple[float, float, float] = DEFAULT_SPACING_MM
    orientation: str = DEFAULT_AXES
    window_hu: tuple[float, float] = (-1000.0, 1000.0)
    window_to: tuple[float, float] = (-1.0, 1.0)
    roi: tuple[int, int, int] = DEFAULT_ROI
    overlap: float = 0.25
    channels: int = 1
    exclusive: bool = True


class ClassPrompted(torch.nn.Module):
    """A network of VISTA3D's kind, asked for the classes it was trained on: no clicks, one yes-or-no a class."""

    def __init__(self, network: torch.nn.Module, classes: tuple[int, ...]):
        super().__init__()
        self.network = network
        self.register_buffer("classes", torch.tensor(classes, dtype=torch.long)[:, None])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x, class_vector=self.classes, transpose=True)


def load_bundle(path: Path) -> BundleNetwork:
    """The network of a bundle folder or TorchScript file, on the CPU.

    A bundle's configuration is run, as MONAI does: use only those you trust. Raises `InputError` in one line for
    missing or foreign weights, a wrong number of channels, prompts that nobody gives.
    """
    path = Path(path)
    if path.is_file() and path.suffix in (".ts", ".pt", ".pth"):
        return _bare_torchscript(path)
    config = next((file for name in ("inference.json", "inference.yaml", "inference.yml")
                   if (file := path / "configs" / name).is_file()), None)
    if config is None:
        raise InputError("no MONAI bundle here (configs/inference.json is missing)", where=path, mend=_MEND)
    metadata = _metadata(path / "configs" / "metadata.json")
    with _importable(path):
        parser = _parser(config, path)
        names = _names(metadata)
        recipe = recipe_of(_transforms(parser, config), **_tiles(parser))
        exclusive = not any(each.get("sigmoid") is True for each in _listed(parser, "postprocessing"))
        if 0 in names and exclusive:
            recipe = replace(recipe, assumptions=(*recipe.assumptions, f"label 0 ({names.pop(0)!r}) is the background"))
        elif 0 in names:  # channels without a background; 0 is ours
            names = {number + 1: name for number, name in names.items()}
        weights, script = path / "models" / "model.pt", path / "models" / "model.ts"
        if weights.is_file() and "network_def" in parser:
            network = _instantiated(parser, config)
            _load_state(network, read_torch_file(weights), weights)
        elif script.is_file():
            network = _torchscript(script)
        else:
            raise InputError("this bundle has no weights (models/model.pt or models/model.ts)", where=path,
                             mend="Download its weights too.")
        return _prompted(BundleNetwork(network.eval(), recipe, names, exclusive), parser, path)


def _bare_torchscript(path: Path) -> BundleNetwork:
    beside = path.with_suffix(".json")
    if not beside.is_file():
        raise InputError(f"nothing says what this network wants and gives: {beside.name} is missing", where=path,
                         mend='Write {"labels": {"1": "liver"}, "spacing_mm": [1.5, 1.5, 1.5], "window_hu": '
                              "[-1000, 1000]} beside it.")
    try:
        card = TorchScriptCard(**json.loads(beside.read_text(encoding="utf-8")))
    except (ValidationError, ValueError, TypeError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        raise InputError(f"not a description of a network: {'.'.join(map(str, first['loc']))} {first['msg']}",
                         where=beside, mend="See the documentation of the engines.") from error
    _check_channels(card.channels, path)
    recipe = BundleRecipe(card.spacing_mm, card.orientation.upper(), (("window", *card.window_hu, *card.window_to),),
                          card.roi, card.overlap)
    numbers = None if card.exclusive else tuple(sorted(card.labels))
    return BundleNetwork(_torchscript(path), recipe, card.labels, card.exclusive, numbers)


def _torchscript(path: Path) -> torch.nn.Module:
    try:
        return torch.jit.load(str(path), map_location="cpu").eval()
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(f"not readable as TorchScript ({type(error).__name__})", where=path,
                         mend="Copy the file again.") from error


def _metadata(path: Path) -> dict:
    if not path.is_file():
        return {}
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
        image = metadata.get("network_data_format", {}).get("inputs", {}).get("image", {})
    except (ValueError, AttributeError) as error:
        raise InputError(f"not readable as the metadata of a bundle ({error})", where=path,
                         mend="Copy the bundle again.") from error
    _check_channels(int(image.get("num_channels", 1)), path.parent.parent)
    return metadata


def _check_channels(channels: int, where: Path) -> None:
    if channels != 1:
        raise InputError(f"this network takes {channels} channels, a CT is one", where=where,
                         mend="Give a network for CT alone.")


def _names(metadata: dict) -> dict[int, str]:
    """Label number -> name of `channel_def`, without the background."""
    outputs = metadata.get("network_data_format", {}).get("outputs", {})
    found = next((each["channel_def"] for each in outputs.values() if isinstance(each, dict) and "channel_def" in each),
                 {})
    return {int(number): str(name) for number, name in found.items()
            if int(number) != 0 or str(name).lower() not in ("background", "")}


def _parser(config: Path, root: Path) -> ConfigParser:
    parser = ConfigParser()
    try:
        parser.read_config(str(config))
    except Exception as error:  # json, yaml and MONAI have their own; without PyYAML MONAI raises another
        raise InputError(f"not readable as the configuration of a bundle ({_line(error)})", where=config,
                         mend="Copy the bundle again; for .yaml files install PyYAML.") from error
    parser["bundle_root"] = str(root)
    return parser


def _transforms(parser: ConfigParser, config: Path) -> list[dict]:
    try:
        return _listed(parser, "preprocessing")
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"its preprocessing cannot be read ({_line(error)})", where=config, mend=_MEND) from error


def _listed(parser: ConfigParser, key: str) -> list[dict]:
    """The transforms under a key with their arguments resolved, where that can be done without starting them."""
    base = f"{key}#transforms"
    try:
        raw = parser[base]
    except (KeyError, TypeError):
        return []
    if isinstance(raw, str):  # a reference to a list that stands elsewhere
        found = re.search(r"@(\w+)", raw)
        if found is None:
            raise InputError(f"its {key} is no list of transforms", mend=_MEND)
        base = found[1]
        raw = parser[base]
    resolved = []
    for index, transform in enumerate(raw):
        values = dict(transform)
        for name in transform.keys() & set(_READ):
            with suppress(Exception):  # whoever reads it refuses what is not resolved
                values[name] = parser.get_parsed_content(f"{base}#{index}#{name}")
        if str(values.get("_disabled_", False)).lower() != "true":
            resolved.append(values)
    return resolved


def _tiles(parser: ConfigParser) -> dict[str, object]:
    """Tile and overlap of the bundle's sliding window; nothing where it has none."""
    found: dict[str, object] = {}
    with suppress(Exception):
        roi = parser.get_parsed_content("inferer#roi_size")
        found["roi"] = tuple(int(n) for n in (roi if isinstance(roi, list | tuple) else [roi] * 3))
    with suppress(Exception):
        found["overlap"] = float(parser.get_parsed_content("inferer#overlap"))
    return found


def _instantiated(parser: ConfigParser, config: Path) -> torch.nn.Module:
    try:
        network = parser.get_parsed_content("network_def")
    except Exception as error:  # whatever the bundle's own code raises
        raise InputError(f"its network cannot be built ({_line(error)})", where=config,
                         mend="Install what the bundle's metadata asks for, or give it as TorchScript.") from error
    if not isinstance(network, torch.nn.Module):
        raise InputError("its network_def is no network", where=config, mend=_MEND)
    return network


def _load_state(network: torch.nn.Module, state: dict, where: Path) -> None:
    """Weights, also under a key as trainers save them. Raises `InputError` naming the first that does not fit."""
    state = next((state[key] for key in _INSIDE if isinstance(state.get(key), dict)), state)
    for name, tensor in network.state_dict().items():
        given = state.get(name)
        if given is None or given.shape != tensor.shape:
            what = "is missing" if given is None else f"has {tuple(given.shape)} for {tuple(tensor.shape)} values"
            raise InputError(f"these weights are of another network: {name} {what}", where=where,
                             mend="Keep weights and configuration of one bundle together.")
    network.load_state_dict(state, strict=False)


def _prompted(bundle: BundleNetwork, parser: ConfigParser, where: Path) -> BundleNetwork:
    """Class prompts for a network that wants them; refused where it wants more than that."""
    if isinstance(bundle.network, torch.jit.ScriptModule):
        return bundle
    parameters = list(inspect.signature(bundle.network.forward).parameters.values())
    if "class_vector" in (each.name for each in parameters) and hasattr(bundle.network, "class_head"):
        classes = tuple(sorted(bundle.names))
        with suppress(Exception):
            classes = tuple(sorted(int(n) for n in parser.get_parsed_content("everything_labels")))
        if not classes:
            raise InputError("this network is asked by class, and nothing names its classes", where=where,
                             mend="Give the bundle with its metadata.json.")
        left_out = [name for number, name in bundle.names.items() if number not in classes]
        said = (f"the bundle does not ask for: {', '.join(left_out)}",) if left_out else ()
        return BundleNetwork(ClassPrompted(bundle.network, classes).eval(),
                             replace(bundle.recipe, assumptions=(*bundle.recipe.assumptions, *said)),
                             {number: bundle.names.get(number, f"label_{number}") for number in classes},
                             exclusive=False, numbers=classes)
    needed = [each for each in parameters if each.default is each.empty and each.kind in (
        each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    if len(needed) > 1:
        raise InputError(f"this network needs prompts ({', '.join(each.name for each in needed[1:])}), it cannot "
                         "work by itself", where=where, mend="Give one that segments automatically.")
    return bundle


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """A bundle's own modules (`scripts`) can be imported while its configuration is read."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(str(folder))


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
