"""Standardised uptake values: what each kind is normalised by, to and from activity concentration.

SUV = C / (A / N), with C in Bq/ml and the administered activity A in Bq of the same moment; N is a mass in g, or for
the body surface an area in cm2. Kinds have the terms of SUV Type (0054,1006), PS3.3 C.8.9.1.
"""

from __future__ import annotations

from organdose.errors import InputError

KINDS = ("BW", "LBMJANMA", "LBMJAMES128", "LBM", "IBW", "BSA")
# Facts of the patient that each kind needs, by the names in `nuclear_facts.EXPLANATIONS`.
NEEDED = {kind: ("patient_mass_kg", "patient_height_m", "patient_sex") for kind in ("LBMJANMA", "LBMJAMES128", "LBM")}
NEEDED |= {"BW": ("patient_mass_kg",), "IBW": ("patient_height_m", "patient_sex"),
           "BSA": ("patient_mass_kg", "patient_height_m")}


def suv_normalisation(kind: str, *, mass_kg: float | None = None, height_m: float | None = None,
                      sex: str | None = None) -> float:
    """N in g (BSA: cm2). Raises `InputError` for an unknown kind, a lacking fact, or a formula beyond its range.

    LBMJANMA: Janmahasatian et al., Clin Pharmacokinet 44 (2005) 1051. LBMJAMES128: James, Research on Obesity (HMSO
    1976). LBM: the same with 120 for men, Morgan and Bray, Am J Clin Nutr 60 (1994), as older scanners have it.
    IBW: Sugawara et al., Radiology 213 (1999) 521. BSA: Du Bois and Du Bois, Arch Intern Med 17 (1916) 863.
    """
    if kind not in KINDS:
        raise InputError(f"the SUV type {kind!r} is not known", mend=f"It is one of {', '.join(KINDS)}.")
    facts = {"patient_mass_kg": mass_kg, "patient_height_m": height_m, "patient_sex": sex}
    lacking = [name for name in NEEDED[kind] if facts[name] is None]
    if lacking or ("patient_sex" in NEEDED[kind] and sex not in ("M", "F")):
        raise InputError(f"an SUV of type {kind} needs {', '.join(NEEDED[kind])}", mend="Give what is missing.")
    size = {"BW": _body, "LBMJANMA": _janmahasatian, "LBMJAMES128": _james, "LBM": _morgan, "IBW": _ideal,
            "BSA": _surface}[kind](mass_kg, height_m, sex)
    if size <= 0:
        raise InputError(f"the formula of {kind} gives no positive value for {facts}",
                         mend="Check mass and height of the patient.")
    return size


def bq_per_ml_of_suv(activity_bq: float, normalisation: float) -> float:
    """Bq/ml for an SUV of 1; `activity_bq` is the administered activity at the moment of the concentration."""
    if activity_bq <= 0 or normalisation <= 0:
        raise InputError("an SUV needs a positive activity and a positive normalisation",
                         mend="Check injected activity, mass and height.")
    return activity_bq / normalisation


def suv_of_bq_per_ml(activity_bq: float, normalisation: float) -> float:
    """SUV for a concentration of 1 Bq/ml: the inverse of `bq_per_ml_of_suv`."""
    return 1 / bq_per_ml_of_suv(activity_bq, normalisation)


def _body(mass_kg: float, _height_m, _sex) -> float:
    return 1000 * mass_kg


def _janmahasatian(mass_kg: float, height_m: float, sex: str) -> float:
    bmi = mass_kg / height_m**2
    return 1000 * 9270 * mass_kg / (6680 + 216 * bmi if sex == "M" else 8780 + 244 * bmi)


def _james(mass_kg: float, height_m: float, sex: str, men: float = 128.0) -> float:
    ratio = (mass_kg / (100 * height_m)) ** 2
    return 1000 * (1.10 * mass_kg - men * ratio if sex == "M" else 1.07 * mass_kg - 148 * ratio)


def _morgan(mass_kg: float, height_m: float, sex: str) -> float:
    return _james(mass_kg, height_m, sex, men=120.0)


def _ideal(_mass_kg, height_m: float, sex: str) -> float:
    over_cm = 100 * height_m - 152
    return 1000 * (48.0 + 1.06 * over_cm if sex == "M" else 45.5 + 0.91 * over_cm)


def _surface(mass_kg: float, height_m: float, _sex) -> float:
    return 1e4 * 0.007184 * mass_kg**0.425 * (100 * height_m) ** 0.725
