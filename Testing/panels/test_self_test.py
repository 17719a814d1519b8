"""What the modules' self-tests in Slicer lean on."""

import pytest


def test_the_water_cylinder_has_masks_and_all_a_dose_engine_asks_for(host):
    import slicer

    from organdose.ct.engines import engine
    from organdose.panels.self_test import water_cylinder
    from organdose.scene.ct_facts import what_is_missing
    from organdose.scene.segmentation_nodes import masks_from_segmentation_node

    ct, masks, sheet = water_cylinder()
    hu = slicer.util.arrayFromVolume(ct)
    inside = masks_from_segmentation_node(masks, ct)
    assert (hu[inside.mask("body")] == 0).all() and (hu[~inside.mask("body")] == -1000).all()
    assert inside.mask("spinal_cord").sum() * 0.25 == pytest.approx(251, rel=0.05)
    engine_used = engine("mc")
    assert what_is_missing(ct, sheet, engine_used, engine_used.parameters()) == ""


def test_a_job_is_waited_for_and_its_folder_stays(jobs):
    from organdose.panels.self_test import wait_for_job

    folder = wait_for_job("sample", lambda folder: {"what": "write"})
    assert (folder / "out" / "result.txt").is_file()


def test_a_job_that_fails_fails_the_self_test(jobs):
    from organdose.panels.self_test import wait_for_job

    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        wait_for_job("sample", lambda folder: {"what": "divide"})


def test_a_job_that_does_not_end_is_given_up(jobs, monkeypatch):
    from organdose.panels.self_test import wait_for_job

    monkeypatch.setattr("organdose.panels.self_test._PATIENCE_S", 0.5)
    with pytest.raises(RuntimeError, match="did not end"):
        wait_for_job("sample", lambda folder: {"what": "wait"})


@pytest.mark.parametrize(("cord_mgy", "body_mgy"), [(12.0, 11.0), (2.0, 11.0), (20.0, 40.0)])
def test_a_dose_that_cannot_be_is_noticed(new_result, rows, cord_mgy, body_mgy):
    from dataclasses import replace

    from organdose.panels.self_test import assert_centre_below_surface
    from organdose.scene.organ_table_node import write_rows

    result = new_result()
    write_rows(result.organ_table, [replace(rows[0], mean_mgy=11.0), replace(rows[1], mean_mgy=8.0)])
    assert_centre_below_surface(result)
    write_rows(result.organ_table, [replace(rows[0], mean_mgy=body_mgy), replace(rows[1], mean_mgy=cord_mgy)])
    with pytest.raises(AssertionError):
        assert_centre_below_surface(result)
