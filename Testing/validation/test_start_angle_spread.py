"""The start angle of a helix against what others found."""

import pytest

from organdose.validation.start_angle_spread import start_angle_spreads


@pytest.fixture(autouse=True)
def cheap(cheap_calibration):
    pass


def test_the_start_angle_matters_least_where_beams_abut_at_the_surface():
    """Pitch (595 - 160) / 595 = 0.73; Zhang et al., Med Phys 36 (2009) 1025 calculate 0.74 for a 32 cm phantom."""
    spread = start_angle_spreads([0.6, 0.74, 0.9, 1.5], histories=1_000_000)
    assert spread[0.74] < 0.7 * min(spread[0.6], spread[0.9])
    assert spread[1.5] > 2 * spread[0.9]
