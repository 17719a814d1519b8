"""One trained network, or several that share the organs between them, used as one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from organdose.errors import InputError
from organdose.progress import Progress
from organdose.segmentation.network_input import NetworkCard, read_card
from organdose.segmentation.network_labels import members
from organdose.segmentation.networks.sliding_window import logits_of
from organdose.segmentation.networks.trained_network import CARD, WEIGHTS, TrainedNetwork, load_network

_MODEL = "model"  # where a training keeps its network
_MOST = 30.0  # of a logarithm of odds, which half precision must hold


@dataclass(frozen=True)
class NetworkSet:
    """Folders of networks with their cards. `logits` answers as one network of all `organs` would.

    `only`: the network itself where there is one; several are loaded one after another.
    """

    folders: tuple[Path, ...]
    cards: tuple[NetworkCard, ...]
    only: TrainedNetwork | None = None

    @property
    def organs(self) -> tuple[str, ...]:
        """Label 1 is the first. Of several networks the body is left out: it is what they have around their organs."""
        if self.only is not None:
            return self.cards[0].organs
        return tuple(dict.fromkeys(name for card in self.cards for name in card.organs if name != "body"))

    @property
    def spacing_mm(self) -> float:
        return self.cards[0].spacing_mm

    @property
    def title(self) -> str:
        return self.cards[0].title if self.only is not None else f"{len(self.cards)} networks"

    @property
    def of_generated_patients(self) -> bool:
        """Whether one of them has seen no patient but generated ones."""
        told = (card.training for card in self.cards)
        return any(str(facts.get("dataset", "")).startswith("generated:") and not facts.get("start_from")
                   for facts in told)

    def logits(self, hu: np.ndarray, device: torch.device, precision: torch.dtype,
               progress: Progress | None = None) -> torch.Tensor:
        """(labels, z, y, x), float16, of HU (z, y, x) in voxels of `spacing_mm`; raises what `logits_of` raises.

        Several networks run one after another. Each organ's logit is the logarithm of its odds in its network, the
        outside's is 0: an organ is drawn where it is likelier than not, the likeliest where several are, a part of an
        organ (femoral heads of bones) before the whole, whose network has learned it as its own too.
        """
        progress = progress or Progress()
        if self.only is not None:
            return logits_of(self.only, hu, device, precision, progress=progress)
        joined = torch.full((len(self.organs) + 1, *hu.shape), -_MOST, dtype=torch.float16)
        joined[0] = 0
        for done, folder in enumerate(self.folders):
            trained = load_network(folder)
            progress.report("networks", done / len(self.folders), trained.card.title)
            self._add(joined, trained, logits_of(trained, hu, device, precision, progress=progress))
        for whole, name in enumerate(self.organs, start=1):
            for part in members(name).intersection(self.organs):
                joined[whole][joined[1 + self.organs.index(part)] > 0] = -_MOST
        return joined

    def _add(self, joined: torch.Tensor, trained: TrainedNetwork, logits: torch.Tensor) -> None:
        for value, name in enumerate(trained.card.organs, start=1):
            if name == "body":
                continue
            own = joined[1 + self.organs.index(name)]
            others = torch.cat([logits[:value], logits[value + 1:]]).float().logsumexp(dim=0)
            odds = (logits[value].float() - others).clamp(-_MOST, _MOST).half()
            torch.maximum(own, odds, out=own)


def open_networks(folder: Path) -> NetworkSet:
    """The network of a folder, or those of its sub-folders (each with weights.pt and card.json, or with such a folder
    `model`). Raises `InputError` where there is none, one is not whole, or they have voxels of different size."""
    folder = Path(folder)
    folders = [folder] if _is_network(folder) else _below(folder)
    if len(folders) == 1:
        only = load_network(folders[0])
        return NetworkSet((folders[0],), (only.card,), only)
    if not folders:
        raise InputError(f"no trained network here ({WEIGHTS} and {CARD} are needed)", where=folder,
                         mend="Give the folder of a trained network, or train one: organdose train segmentation.")
    cards = tuple(read_card(each / CARD) for each in folders)
    sizes = {card.spacing_mm for card in cards}
    if len(sizes) > 1:
        raise InputError(f"networks with voxels of {', '.join(f'{mm:g}' for mm in sorted(sizes))} mm cannot be used "
                         "together", where=folder, mend="Train all organs with the same --spacing-mm.")
    return NetworkSet(tuple(folders), cards)


def _below(folder: Path) -> list[Path]:
    found = []
    for each in sorted(folder.iterdir()) if folder.is_dir() else ():
        found += [place for place in (each, each / _MODEL) if not each.name.startswith(".") and _is_network(place)][:1]
    return found


def _is_network(folder: Path) -> bool:
    """Raises `InputError` for one of the two files without the other."""
    there = [(folder / name).is_file() for name in (WEIGHTS, CARD)]
    if any(there) and not all(there):
        raise InputError(f"{WEIGHTS} or {CARD} is missing", where=folder, mend="Copy the folder of the network again.")
    return all(there)
