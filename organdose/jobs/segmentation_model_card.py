"""The model card for people: what a network is, what it was trained on, what it reached."""

from __future__ import annotations

from pathlib import Path

from organdose.anatomy.organs import describe
from organdose.export.whole_file import whole_file
from organdose.segmentation.network_input import NetworkCard

CARD_TEXT = "card.md"
VALIDATION_TEXT = "validation.md"  # segmentation.md of `organdose validate segmentation`, beside the weights
_COLUMNS = (("cases", "cases"), ("dice", "Dice"), ("dice_deviation", "SD"), ("jaccard", "Jaccard"),
            ("precision", "precision"), ("recall", "recall"), ("hd95_mm", "HD95 (mm)"),
            ("surface_dice", "surface Dice (3 mm)"), ("reference_volume_ml", "volume (ml)"))

_DECIMALS = {"cases": 0, "hd95_mm": 1, "reference_volume_ml": 1}


def write_model_card(folder: Path, card: NetworkCard) -> Path:
    """Write card.md beside the weights, every figure of it on card.json; it points to validation.md where that is."""
    path = folder / CARD_TEXT
    with whole_file(path) as temporary:
        temporary.write_text("\n".join([*_lines(card), *_pointer(folder)]) + "\n", encoding="utf-8")
    return path


def _pointer(folder: Path) -> list[str]:
    if not (folder / VALIDATION_TEXT).is_file():
        return []
    return ["", f"Through the engine, on the voxels of other generated patients, a voxel phantom and real CTs, good "
            f"and bad: [{VALIDATION_TEXT}]({VALIDATION_TEXT}) (`organdose validate segmentation`)."]


def _lines(card: NetworkCard) -> list[str]:
    facts, shape = card.training, card.shape
    lines = [f"# {card.title}", "", "A nested U of residual blocks in three dimensions. Its masks are drafts: look at "
             "every one and correct it before it is used. Research software, not a medical device.", "",
             f"- Organs: {', '.join(describe(name).title for name in card.organs)}",
             f"- Voxels: {card.spacing_mm:g} mm, patches of {' x '.join(map(str, card.patch))}; HU windows "
             + ", ".join(f"{low:g} to {high:g}" for low, high in card.windows_hu),
             f"- Widths {', '.join(map(str, shape.widths))}; inner depths {', '.join(map(str, shape.inner_depths))}; "
             f"{facts.get('parameters', 0) / 1e6:.2f} million parameters"]
    if str(facts.get("dataset", "")).startswith("generated:"):
        lines += ["- Trained on generated patients only (stylised adults, varied; no person's image). Real CTs look "
                  "different: expect worse masks there than the table says."]
    lines += ["", "## Training", ""]
    lines += [f"- {name.replace('_', ' ')}: {value}" for name, value in facts.items() if value is not None]
    return [*lines, "", *_table(card)]


def _table(card: NetworkCard) -> list[str]:
    organs = card.evaluation.get("organs", {})
    if not organs:
        return ["## Evaluation", "", "None: there was no case to test it on."]
    kind = "patients kept untouched" if card.evaluation.get("untouched") else "validation patients (no test set)"
    lines = ["## Evaluation", "", f"On {card.evaluation['cases']} {kind}, in voxels of {card.spacing_mm:g} mm.", "",
             "| organ | " + " | ".join(title for _, title in _COLUMNS) + " |", "|---" * (len(_COLUMNS) + 1) + "|"]
    for name, row in organs.items():
        values = ("" if row[key] is None else f"{row[key]:.{_DECIMALS.get(key, 3)}f}" for key, _ in _COLUMNS)
        lines.append(f"| {describe(name).title} | " + " | ".join(values) + " |")
    return lines
