import math

import pytest

from organdose.assess.mask_comparison import MaskAgreement
from organdose.errors import InputError
from organdose.export.mask_comparison_table import read_mask_comparison_csv, write_mask_comparison_csv


def test_the_table_has_the_columns_of_the_contract_and_empty_cells_for_what_has_no_meaning(tmp_path):
    rows = [MaskAgreement("liver", 0.912345, 0.84, 0.9, 0.925, 4.5, 0.97, 1500.0, 1512.25),
            MaskAgreement("spleen", 0.0, 0.0, math.nan, 0.0, math.nan, 0.0, 0.0, 200.0)]
    write_mask_comparison_csv(tmp_path / "comparison.csv", rows)
    assert (tmp_path / "comparison.csv").read_text().splitlines() == [
        "organ,dice,jaccard,precision,recall,hd95_mm,surface_dice,volume_ml,reference_volume_ml",
        "liver,0.91234,0.84,0.9,0.925,4.5,0.97,1500,1512.2",
        "spleen,0,0,,0,,0,0,200"]


def test_what_is_written_is_read_back(tmp_path):
    rows = [MaskAgreement("liver", 0.95, 0.9, 0.96, 0.94, 3.5, 0.99, 1500.0, 1520.0),
            MaskAgreement("spleen", 0.0, 0.0, math.nan, 0.0, math.nan, 0.0, 0.0, 210.0)]
    write_mask_comparison_csv(tmp_path / "c.csv", rows)
    assert [repr(row) for row in read_mask_comparison_csv(tmp_path / "c.csv")] == [repr(row) for row in rows]


def test_another_file_is_no_comparison(tmp_path):
    (tmp_path / "other.csv").write_text("organ,severity\nliver,bad\n")
    with pytest.raises(InputError, match="not a readable comparison"):
        read_mask_comparison_csv(tmp_path / "other.csv")
