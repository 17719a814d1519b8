"""Fingerprints of masks kept with a node: they tell later which masks have changed since the node was made."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, unquote

_ATTRIBUTE = "OrganDose.MaskFingerprints"


def keep_fingerprints(node, fingerprints: Mapping[str, str]) -> None:
    """Keep the fingerprint of each organ in an attribute of a node, saved with the scene."""
    node.SetAttribute(_ATTRIBUTE, " ".join(f"{quote(organ, safe='')}={text}" for organ, text in fingerprints.items()))


def kept_fingerprints(node) -> dict[str, str]:
    """By organ; none where none were kept."""
    pairs = (pair.partition("=") for pair in (node.GetAttribute(_ATTRIBUTE) or "").split())
    return {unquote(organ): text for organ, _, text in pairs}


def changed_organs(then: Mapping[str, str], now: Mapping[str, str]) -> set[str]:
    """The organs whose masks have come, gone or changed between two sets of fingerprints."""
    return {organ for organ in {*then, *now} if then.get(organ) != now.get(organ)}
