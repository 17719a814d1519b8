"""Amount: volume against the reference person, and mean HU against what the organ is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from organdose.anatomy.mask_finding import Finding, FindingKind, Severity
from organdose.anatomy.organs import is_known, organ
from organdose.segmentation.drawn_organs import DrawnImage, DrawnOrgan
from organdose.segmentation.quality_limits import limits, of_organ, partner

_BODY = "body"


def volume_findings(drawn: DrawnOrgan, sex: str, size: float | None) -> Iterator[Finding]:
    """An organ shown whole whose volume lies outside the reference span for a patient of `size` (see `body_size`)."""
    span = reference_span_ml(drawn.name, sex, size)
    if span is None or any(drawn.ends) or _at_the_side(drawn):
        return
    low_ml, high_ml = span
    if low_ml <= drawn.volume_ml <= high_ml:
        return
    factor = limits()["volume"]["beyond_is_bad"]
    bad = drawn.volume_ml < low_ml / factor or drawn.volume_ml > high_ml * factor
    scaled = "adults" if size is None else f"a body of {size:.2f} of the reference mass"
    yield Finding(drawn.name, FindingKind.VOLUME, f"{drawn.volume_ml:.4g} ml, usual are {low_ml:.3g} to "
                  f"{high_ml:.3g} ml for {scaled}", drawn.inside_mm, Severity.BAD if bad else Severity.CHECK)


def body_size(image: DrawnImage, sex: str) -> float | None:
    """Mass of the body over the reference mass (of the sex, or the mean of both); None where the image cuts the body.

    The mass is the volume of the mask with 1 g/ml.
    """
    body = image.organs.get(_BODY)
    if body is None or any(body.ends) or _at_the_side(body):
        return None
    return body.volume_ml / _reference_g(_BODY, sex)


def reference_span_ml(name: str, sex: str, size: float | None = None) -> tuple[float, float] | None:
    """Lowest and highest usual volume in ml, or None where there is no reference.

    From the ICRP 89 mass (half that of the pair for one of a pair) with the span of `mask_quality.json`, or the
    volumes stated there for organs whose mask holds contents or air.
    """
    table = limits()["volume"]
    stated = of_organ(name, table["ml"])
    if stated is not None:
        low_ml, high_ml = stated
    else:
        found = _pair_and_share(name, table["span"])
        mass_g = _reference_g(found[0], sex) if found else 0.0
        if not mass_g:
            return None
        whole_ml = found[1] * mass_g / table["density_g_cm3"]["value"]
        low_ml, high_ml = (factor * whole_ml for factor in table["span"][found[0]])
    factor = _size_factor(name, size)
    return low_ml * factor, high_ml * factor


def _pair_and_share(name: str, spans: Mapping[str, list[float]]) -> tuple[str, float] | None:
    """Whose reference mass holds for an organ, and which share of it: a kidney is half of the kidneys."""
    if name in spans:
        return name, 1.0
    other = partner(name)
    return next(((group, 0.5) for group in spans if other and is_known(group)
                 and set(organ(group).members) == {name, other}), None)


def _reference_g(name: str, sex: str) -> float:
    masses_g = organ(name).reference_mass_g
    return masses_g[sex] if sex in masses_g else sum(masses_g.values()) / len(masses_g) if masses_g else 0.0


def _size_factor(name: str, size: float | None) -> float:
    if size is None:
        return 1.0
    scaling = limits()["volume"]["body_size"]
    size = min(max(size, scaling["lowest"]), scaling["highest"])
    return size ** scaling["exponents"].get(name, scaling["exponent"])


def _at_the_side(drawn: DrawnOrgan) -> bool:
    return any(side.start == 0 or side.stop == size for side, size in zip(drawn.box[1:], drawn.image.shape[1:]))


def shows_contrast(image: DrawnImage) -> bool | None:
    """Whether the blood is bright with contrast medium; None where no mask of blood tells."""
    table = limits()["hounsfield"]
    blood = [image.organs[name].mean_hu for name in table["blood"] if name in image.organs]
    return max(blood) >= table["contrast_from_hu"] if blood else None


def hounsfield_findings(drawn: DrawnOrgan, contrast: bool | None) -> Iterator[Finding]:
    """A mean HU outside the organ's range, which is wider upwards unless the blood shows that there is no contrast."""
    table = limits()["hounsfield"]
    row = of_organ(drawn.name, table["organs"])
    if row is None:
        return
    low_hu, high_hu = row[0], row[1] if contrast is False else max(row[1], row[2])
    beyond_hu = max(low_hu - drawn.mean_hu, drawn.mean_hu - high_hu)
    if beyond_hu <= 0:
        return
    told = {None: "with or without contrast medium", True: "with contrast medium", False: "without contrast medium"}
    yield Finding(drawn.name, FindingKind.HOUNSFIELD, f"{drawn.mean_hu:.0f} HU on average, usual are {low_hu} to "
                  f"{high_hu} HU {told[contrast]}", drawn.inside_mm,
                  Severity.BAD if beyond_hu > table["beyond_is_bad"] else Severity.CHECK)
