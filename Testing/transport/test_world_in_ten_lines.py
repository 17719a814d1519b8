"""The listing of docs/transport.md, as it stands, in a small world like a voxel torso."""

import re
from pathlib import Path

import numpy as np
import pytest

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "transport.md"


def test_the_documented_listing_runs_and_prints_the_energy_of_each_material(capsys):
    listing = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL).group(1)
    work = [line for line in listing.splitlines() if line and not line.startswith(("import", "from", " "))]
    assert len(work) <= 10
    index = np.zeros((26, 32, 50), np.uint8)
    index[3:23, 8:24, 10:40] = 1
    index[3:23, 14:18, 22:28] = 2
    world = {"compositions": {"air": {"N": 75.5, "O": 23.2, "Ar": 1.3}, "tissue": {"H": 10.5, "C": 25.6, "O": 63.9},
                              "bone": {"H": 3.4, "C": 15.5, "O": 48.3, "P": 10.3, "Ca": 22.5}},
             "densities_g_cm3": [0.001205, 1.03, 1.92], "material_index": index,
             "energies_kev": [40.0, 60.0, 80.0], "photons": [1.0, 2.0, 1.0]}
    exec(listing.replace("10_000_000", "20_000"), world)
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in printed] == ["air", "tissue", "bone"]
    total_ev = sum(float(line.split()[1]) for line in printed)
    assert total_ev == pytest.approx(1000 * world["tally"].energy_kev.sum(), rel=1e-3)
    assert 0 < total_ev < 60_000
