"""A trained network on disk: a folder with weights.pt (half precision) and card.json."""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass
from pathlib import Path

import torch

from organdose.errors import InputError
from organdose.segmentation.network_input import NetworkCard, read_card
from organdose.segmentation.networks.res_u2net import ResU2Net

WEIGHTS, CARD = "weights.pt", "card.json"


@dataclass(frozen=True)
class TrainedNetwork:
    network: ResU2Net
    card: NetworkCard


def load_network(folder: Path) -> TrainedNetwork:
    """The network of a folder, on the CPU, ready for use. Raises `InputError` for missing or foreign weights."""
    folder = Path(folder)
    weights = folder / WEIGHTS
    if not weights.is_file() or not (folder / CARD).is_file():
        raise InputError(f"no trained network here ({WEIGHTS} and {CARD} are needed)", where=folder,
                         mend="Give the folder of a trained network, or train one: organdose train segmentation.")
    card = read_card(folder / CARD)
    network = ResU2Net(card.shape)
    load_weights(network, read_torch_file(weights), weights)
    return TrainedNetwork(network.eval(), card)


def read_torch_file(path: Path) -> dict:
    """A file of tensors and plain values; nothing in it is run. Raises `InputError` when it is none."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise InputError(f"not readable as weights ({type(error).__name__})", where=path,
                         mend="Copy the folder again.") from error
    if not isinstance(content, dict):
        raise InputError("this holds no weights", where=path, mend="Copy the folder again.")
    return content


def load_weights(network: ResU2Net, state: dict, where: Path) -> None:
    """Put weights into a network. Raises `InputError` naming the first that does not fit."""
    own = network.state_dict()
    for name, tensor in own.items():
        given = state.get(name)
        if given is None or given.shape != tensor.shape:
            what = "is missing" if given is None else f"has {tuple(given.shape)} for {tuple(tensor.shape)} values"
            raise InputError(f"these weights are of another network: {name} {what} (channels in: "
                             f"{network.shape.channels_in}, labels: {network.shape.labels})", where=where,
                             mend="Keep weights.pt and card.json of one training together.")
    network.load_state_dict({name: state[name].to(tensor.dtype) for name, tensor in own.items()})


def save_network(folder: Path, state: dict[str, torch.Tensor], card: NetworkCard) -> None:
    """Write weights in half precision, then the card; each appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    half = {name: tensor.detach().cpu().half() if tensor.is_floating_point() else tensor.cpu()
            for name, tensor in state.items()}
    save_whole(half, folder / WEIGHTS)
    write_card(folder, card)


def write_card(folder: Path, card: NetworkCard) -> None:
    temporary = folder / f".writing-{CARD}"
    temporary.write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, folder / CARD)


def save_whole(content: object, path: Path) -> None:
    """`torch.save` so that a kill at any moment leaves the old file or the new one."""
    temporary = path.with_name(f".writing-{path.name}")
    with open(temporary, "wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
