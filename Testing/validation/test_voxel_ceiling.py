from organdose.validation.voxel_ceiling import ceiling


def test_thin_bones_lose_more_by_coarse_voxels_than_the_body_and_the_same_voxels_lose_nothing():
    coarse = ceiling(7, fine_mm=6.0, coarse_mm=10.0, organs=("body", "bones"))
    assert coarse["bones"] < coarse["body"] - 0.05 and coarse["body"] > 0.95
    assert set(ceiling(7, fine_mm=10.0, coarse_mm=10.0, organs=("body", "bones")).values()) == {1.0}
