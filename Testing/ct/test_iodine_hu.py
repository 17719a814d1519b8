"""What iodine adds to the HU of a scanner, against what scanners were measured to show."""

import pytest

from organdose.ct.iodine_hu import iodine_hu_per_mg_per_ml
from organdose.ct.scanner import load_scanner


def test_a_milligram_of_iodine_adds_what_scanners_measure():
    # Bae, Radiology 256 (2010) 32-61: 25 HU at 120 kV; iodine is about 1.6 times as bright at 80 kV.
    scale = {kv: iodine_hu_per_mg_per_ml(load_scanner("generic").tube_spectrum(kv)) for kv in (80.0, 120.0)}
    assert scale[120.0] == pytest.approx(25, rel=0.1)
    assert scale[80.0] / scale[120.0] == pytest.approx(1.6, rel=0.1)
