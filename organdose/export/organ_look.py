"""How an organ is called and coloured in pictures and report; a mask outside the vocabulary keeps its own name."""

from __future__ import annotations

from organdose.anatomy.organs import is_known, organ

_UNKNOWN_RGB = (170, 170, 170)


def title(name: str) -> str:
    """The organ's title in the vocabulary, or the name itself."""
    return organ(name).title if is_known(name) else name


def short_title(name: str) -> str:
    """The title without what stands in brackets: 'Small intestine (with duodenum)' is 'Small intestine'."""
    return organ(name).title.split(" (")[0] if is_known(name) else name


def colour(name: str) -> tuple[float, float, float]:
    """The vocabulary's colour as red, green, blue from 0 to 1; grey for a name it does not know."""
    red, green, blue = organ(name).colour_rgb if is_known(name) else _UNKNOWN_RGB
    return red / 255, green / 255, blue / 255
