import math

from organdose.assess.mask_comparison import MaskAgreement
from organdose.export.mask_comparison_table import write_mask_comparison_csv


def test_the_table_has_the_columns_of_the_contract_and_empty_cells_for_what_has_no_meaning(tmp_path):
    rows = [MaskAgreement("liver", 0.912345, 0.84, 0.9, 0.925, 4.5, 0.97, 1500.0, 1512.25),
            MaskAgreement("spleen", 0.0, 0.0, math.nan, 0.0, math.nan, 0.0, 0.0, 200.0)]
    write_mask_comparison_csv(tmp_path / "comparison.csv", rows)
    assert (tmp_path / "comparison.csv").read_text().splitlines() == [
        "organ,dice,jaccard,precision,recall,hd95_mm,surface_dice,volume_ml,reference_volume_ml",
        "liver,0.91234,0.84,0.9,0.925,4.5,0.97,1500,1512.2",
        "spleen,0,0,,0,,0,0,200"]
