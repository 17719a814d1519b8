"""AAPM TG-195 (Sechopoulos et al., Med Phys 42 (2015) 5679): half-value layers, radiography, mammography, CT."""

from __future__ import annotations

from organdose.progress import Progress
from organdose.validation.comparison import Comparison
from organdose.validation.tg195_ct import discs, rods
from organdose.validation.tg195_half_value_layers import half_value_layers
from organdose.validation.tg195_mammography import mammography
from organdose.validation.tg195_radiography import radiography
from organdose.validation.tg195_table import Published

# Photons a run: the statistical uncertainty is then small beside the limits. Case 1 needs none; 4.2 has the smallest
# volumes.
CASES = {half_value_layers: 0, radiography: 20_000_000, mammography: 20_000_000, discs: 10_000_000,
         rods: 60_000_000}


def tg195(histories: int | None = None, progress: Progress | None = None) -> list[Comparison]:
    """Every row of cases 1, 2, 3, 4.1 and 4.2, with `histories` photons a run instead of each case's own number.

    Raises `InputError` where the published tables are not at hand.
    """
    published = Published.read()
    return [row for case, own in CASES.items() for row in case(published, histories or own, progress)]
