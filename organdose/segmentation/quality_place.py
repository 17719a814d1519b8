"""Place: organs that should be there and are not, and organs on the wrong side of the body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from organdose.anatomy.mask_finding import Finding, FindingKind, Severity
from organdose.anatomy.organs import expand, is_known, organ
from organdose.segmentation.drawn_organs import DrawnImage
from organdose.segmentation.quality_limits import is_among, limits, partner


def missing_findings(image: DrawnImage, sex: str, expected: Iterable[str]) -> Iterator[Finding]:
    """Organs without a voxel that the image should show, judged by the organs that it does show.

    Looked for are the `expected` ones, masks that are empty, what lies between two found of a row (vertebrae, ribs),
    and the other one of a pair.
    """
    shown = _shown_range_mm(image)
    wanted = dict.fromkeys((*image.empty, *expected, *_gaps(image), *_partners(image)))
    for name in wanted:
        if name in image.organs or (is_known(name) and expand(name, image.organs)) or _other_sex(name, sex):
            continue
        is_empty = name in image.empty
        certain = name in _gaps(image)
        is_shown = True if certain else _is_shown(name, shown)
        if is_shown is False and not is_empty:
            continue
        kind = FindingKind.EMPTY if is_empty else FindingKind.MISSING
        what = "its mask is empty" if is_empty else "not drawn"
        bad = is_shown and not is_among(name, limits()["may_be_absent"]["organs"]) and \
            (is_empty or certain or name in expected)
        # An engine's organ that is not there and that nothing speaks for: worth a line, no reason to doubt the others.
        mild = Severity.NOTE if is_shown is None and not is_empty else Severity.CHECK
        yield Finding(name, kind, f"{what}; {_why(name, certain, is_shown, image)}", _neighbour_mm(name, image),
                      Severity.BAD if bad else mild)


def _why(name: str, certain: bool, is_shown: bool | None, image: DrawnImage) -> str:
    if certain:
        return "those on both sides of it in its row are there"
    if is_shown:
        other = partner(name)
        return f"{other} is there" if other in image.organs else "organs above and below its middle are in the image"
    return "nothing in the image tells whether it should be there" if is_shown is None else \
        "the other organs say that it lies outside the image"


def _gaps(image: DrawnImage) -> list[str]:
    gaps = []
    for row in limits()["sequences"]["organs"]:
        there = [place for place, name in enumerate(row) if name in image.organs]
        gaps += [name for name in row[there[0]:there[-1]] if name not in image.organs] if there else []
    return gaps


def _partners(image: DrawnImage) -> list[str]:
    others = {name: partner(name) for name, drawn in image.organs.items()
              if not any(drawn.ends) and not is_among(name, limits()["partner_may_be_absent"]["organs"])}
    return [other for other in others.values() if other and not is_among(other, ("rib_*",))]


def _other_sex(name: str, sex: str) -> bool:
    table = limits()["only_of_sex"]
    return any(is_among(name, table[of]) for of in ("M", "F") if sex in ("M", "F") and of != sex)


def _extent_mm(name: str) -> tuple[float, float] | None:
    """Lowest and highest z of an organ, or of the members of a group, in the reference adult."""
    table = limits()["extent_along_body_mm"]["organs"]
    members = organ(name).members if is_known(name) else ()
    ranges = [table[name]] if name in table else [found for found in map(_extent_mm, members) if found]
    return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else None


def _shown_range_mm(image: DrawnImage) -> tuple[float, float] | None:
    """The part of the reference adult that the organs found whole take up."""
    table = limits()["extent_along_body_mm"]["organs"]
    found = [table[name] for name, drawn in image.organs.items() if name in table and not any(drawn.ends)]
    return (min(low for low, _ in found), max(high for _, high in found)) if found else None


def _is_shown(name: str, shown: tuple[float, float] | None) -> bool | None:
    """Whether the middle of an organ lies in the part of the body shown; None where nobody can tell."""
    extent = _extent_mm(name)
    if extent is None or shown is None:
        return None
    return shown[0] <= sum(extent) / 2 <= shown[1]


def _neighbour_mm(name: str, image: DrawnImage) -> tuple[float, float, float]:
    """Where to look for it: at the organ found that lies nearest along the body, else the middle of the image."""
    extent, table = _extent_mm(name), limits()["extent_along_body_mm"]["organs"]
    near = [other for other in image.organs if other in table]
    if extent is None or not near:
        return image.middle_mm
    nearest = min(near, key=lambda other: abs(sum(table[other]) - sum(extent)))
    return image.organs[nearest].inside_mm


def side_findings(image: DrawnImage) -> Iterator[Finding]:
    """Pairs that are swapped, and organs across the midline of the body."""
    table = limits()["sides"]
    midline_mm = _midline_mm(image)
    swapped = {name for name, drawn in image.organs.items()
               if organ_side(name) == "left" and (other := image.organs.get(partner(name)))
               and drawn.centroid_mm[0] < other.centroid_mm[0]}
    swapped |= {partner(name) for name in swapped}
    for name, drawn in image.organs.items():
        side = organ_side(name) or next((s for s in ("left", "right") if name in table[s]), "")
        if not side:
            continue
        if name in swapped:
            yield Finding(name, FindingKind.SIDE, f"left and right are swapped: its centre is at "
                          f"x = {drawn.centroid_mm[0]:.0f} mm, the other's at "
                          f"{image.organs[partner(name)].centroid_mm[0]:.0f} mm (the patient's left is +x)",
                          drawn.inside_mm, Severity.BAD)
        elif midline_mm is not None:
            beyond_mm = (midline_mm - drawn.centroid_mm[0]) * (1 if side == "left" else -1)
            if beyond_mm > table["tolerance_mm"]:
                yield Finding(name, FindingKind.SIDE, f"its centre lies {beyond_mm:.0f} mm beyond the body's midline, "
                              f"on the side that is not {side} (mirrored image, swapped mask, or turned organs)",
                              drawn.inside_mm, Severity.BAD if organ_side(name) else Severity.CHECK)


def organ_side(name: str) -> str:
    """'left', 'right' or '' of an organ that has a partner."""
    return organ(name).laterality if is_known(name) and partner(name) else ""


def _midline_mm(image: DrawnImage) -> float | None:
    """x of the body's midline in LPS mm: the mean of organs that lie on it, else the middle of the body mask."""
    middle = [drawn.centroid_mm[0] for name, drawn in image.organs.items()
              if is_among(name, limits()["sides"]["midline"])]
    if not middle and "body" in image.organs:
        middle = [image.organs["body"].centroid_mm[0]]
    return sum(middle) / len(middle) if middle else None
