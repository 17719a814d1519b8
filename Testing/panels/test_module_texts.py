"""What the modules say about themselves."""

from pathlib import Path

import pytest

from organdose.panels.module_texts import ACKNOWLEDGEMENT, CONTRIBUTORS, HOMEPAGE, help_text

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_help_of_a_module_says_what_it_is_for_warns_and_leads_to_its_page():
    text = help_text("dose-estimator", "Organ doses of a CT.")
    assert "Organ doses of a CT." in text and f'href="{HOMEPAGE}/blob/main/docs/dose-estimator.md"' in text
    assert "Not a medical device" in text and "Not for clinical decisions" in text


@pytest.mark.parametrize("name", ["OrganSegmenter", "DoseEstimator", "InternalDosimetry"])
def test_every_module_carries_them(host, name):
    module = host.load_module(REPOSITORY / name)
    assert list(module.categories) == ["Nuclear Medicine"] and list(module.contributors) == list(CONTRIBUTORS)
    assert "Not a medical device" in module.helpText and module.acknowledgementText == ACKNOWLEDGEMENT
