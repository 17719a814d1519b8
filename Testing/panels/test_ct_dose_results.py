"""A CT dose result: whole into the scene or not at all, shown with what it came from, and stale when that changed."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import SimpleITK as sitk

from organdose.errors import InputError
from organdose.export.tables import write_dvh_csv, write_organs_csv

INPUTS = {"engine": "mc", "dose_voxel_mm": 5.0, "facts": {"pitch": 1}}


@pytest.fixture
def folder(tmp_path, dose_map, rows, histograms):
    """What a job leaves: its inputs, and the result in a folder of its own."""
    result = tmp_path / "job" / "result"
    result.mkdir(parents=True)
    density = sitk.GetImageFromArray(dose_map.density_g_cm3)
    density.CopyInformation(dose_map.dose_mgy)
    for name, image in (("dose", dose_map.dose_mgy), ("density", density),
                        ("uncertainty", dose_map.relative_uncertainty)):
        image = sitk.Image(image)
        image.SetMetaData("engine", dose_map.engine)
        image.SetMetaData("quantity", dose_map.quantity)
        sitk.WriteImage(image, str(result / f"{name}.nrrd"))
    write_organs_csv(result / "organs.csv", rows)
    write_dvh_csv(result / "dvh.csv", histograms)
    (result / "run.json").write_text(json.dumps({"task": "ct-dose", "facts": {"histories": 1e6}}))
    (result / "report.html").write_text("<p>µ-Report</p>", encoding="utf-8")
    (result.parent / "ct.nrrd").write_bytes(bytes(100))
    return result.parent


@pytest.fixture
def window(host, show):
    """The lower half of the window on its own: `ui`, `results`, and `parameters` in the place of the module's node."""
    import slicer

    from organdose.panels.ct_dose_results import CTDoseResults

    widget = slicer.util.loadUI(str(Path(__file__).parents[2] / "DoseEstimator" / "Resources" / "UI" /
                                    "DoseEstimator.ui"))
    ui = slicer.util.childWidgetVariables(show(widget))
    widget.setMRMLScene(slicer.mrmlScene)
    parameters = SimpleNamespace(ct=None, segmentation=None, result=None, opacity=0.45, isodoseLevels="",
                                 isodoseLines=False, isodoseSurfaces=False)
    results = CTDoseResults(ui)
    results.show(parameters, INPUTS)
    host.process()
    yield SimpleNamespace(ui=ui, results=results, parameters=parameters,
                          show=lambda inputs=INPUTS: results.show(parameters, inputs))
    results.stop()


@pytest.fixture
def shown(window, new_result):
    """The window with a result in it."""
    from organdose.panels.ct_dose_results import INPUTS_ATTRIBUTE

    result = new_result()
    result.organ_table.SetAttribute(INPUTS_ATTRIBUTE, json.dumps(INPUTS))
    window.parameters.result = result.organ_table
    window.show()
    window.result = result
    return window


def bring(folder, cylinder, **more):
    from organdose.panels.ct_dose_results import bring_into_scene

    return bring_into_scene(folder, cylinder.ct, cylinder.masks, INPUTS, **more)


def taken(steps):
    """(what a generator returns, how many steps it took)."""
    count = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value, count
        count += 1


def scene_state(masks):
    """What a cancelled result must leave alone: the nodes of the scene, and the segments."""
    import slicer

    nodes = slicer.mrmlScene.GetNodes()
    names = {nodes.GetItemAsObject(index).GetID() for index in range(nodes.GetNumberOfItems())}
    return names, tuple(masks.GetSegmentation().GetSegmentIDs())


def add_body(folder, ct):
    """The outline that a job draws for masks without a body."""
    import numpy as np

    from organdose.anatomy.organ_masks import OrganMasks
    from organdose.jobs.ct_dose_folder import BODY_NAME
    from organdose.scene.job_files import masks_file_steps
    from organdose.scene.volume_nodes import grid_of_volume_node

    masks = OrganMasks(grid_of_volume_node(ct))
    masks.add("body", np.ones(masks.shape, dtype=bool))
    for _ in masks_file_steps(masks, folder / "result" / BODY_NAME):
        pass


def test_the_files_of_a_job_become_a_result_beside_its_ct_and_masks(folder, cylinder, rows):
    import slicer

    from organdose.scene.ct_dose_scene import find_results
    from organdose.scene.organ_table_node import rows_from_table_node

    result, steps = taken(bring(folder, cylinder, patient_sex="F"))
    assert find_results() == [result] and steps > 3
    assert (result.ct, result.segmentation) == (cylinder.ct, cylinder.masks)
    assert [row.mean_mgy for row in rows_from_table_node(result.organ_table)] == [row.mean_mgy for row in rows]
    assert slicer.util.arrayFromVolume(result.dose).max() == pytest.approx(20, abs=0.5)
    assert result.uncertainty is not None and len(result.dvh.series) == 2
    assert result.report.GetText() == "<p>µ-Report</p>" and result.record["facts"] == {"histories": 1e6}
    assert slicer.util.getNode("vtkMRMLSliceCompositeNodeRed").GetForegroundVolumeID() == result.dose.GetID()


def test_what_the_job_was_given_is_removed_and_its_result_stays(folder, cylinder):
    taken(bring(folder, cylinder))
    assert not (folder / "ct.nrrd").exists() and (folder / "result" / "dose.nrrd").exists()


@pytest.mark.parametrize("name", ["dose.nrrd", "density.nrrd", "organs.csv", "dvh.csv", "run.json", "report.html"])
def test_a_folder_that_is_not_whole_is_refused_and_the_scene_is_as_it_was(folder, cylinder, name):
    (folder / "result" / name).unlink()
    before = scene_state(cylinder.masks)
    with pytest.raises(InputError):
        taken(bring(folder, cylinder))
    assert scene_state(cylinder.masks) == before


@pytest.mark.parametrize(("which", "words"), [("ct", "the CT was deleted"), ("masks", "the segmentation was deleted")])
def test_a_ct_or_masks_deleted_meanwhile_are_missed(folder, cylinder, which, words):
    import slicer

    slicer.mrmlScene.RemoveNode(getattr(cylinder, which))
    before = scene_state(cylinder.masks)
    with pytest.raises(InputError, match=words):
        taken(bring(folder, cylinder))
    assert scene_state(cylinder.masks) == before


def test_wherever_it_is_stopped_the_scene_is_as_it_was(folder, cylinder):
    from organdose.scene.ct_dose_scene import find_results

    cylinder.masks.GetSegmentation().RemoveSegment("body")
    add_body(folder, cylinder.ct)
    result, steps = taken(bring(folder, cylinder))
    assert "body" in cylinder.masks.GetSegmentation().GetSegmentIDs()
    result.remove(inputs=False)
    cylinder.masks.GetSegmentation().RemoveSegment("body")
    before = scene_state(cylinder.masks)
    for count in range(steps + 1):
        work = bring(folder, cylinder)
        for _ in range(count):
            next(work)
        work.close()
        assert scene_state(cylinder.masks) == before and find_results() == [], f"after {count} of {steps} steps"


def test_a_body_that_was_there_already_stays_as_it_is(folder, cylinder):
    add_body(folder, cylinder.ct)
    before = scene_state(cylinder.masks)[1]
    taken(bring(folder, cylinder))
    assert scene_state(cylinder.masks)[1] == before


def test_without_a_result_there_is_nothing_to_press(window):
    ui = window.ui
    assert ui.staleLabel.text == "No dose computed yet." and ui.staleLabel.visible
    assert not ui.organTable.visible and not ui.descriptorsLabel.visible
    for button in (ui.copyButton, ui.csvButton, ui.reportButton, ui.saveButton, ui.showButton, ui.removeButton):
        assert not button.enabled


def test_a_result_is_shown_with_what_it_came_from(shown):
    ui = shown.ui
    assert ui.organTable.rowCount == 2 and ui.organTable.visible and not ui.staleLabel.visible
    assert ui.descriptorsLabel.text == ("CTDIvol 10 mGy (32 cm phantom), DLP 200 mGy cm, 120 kV, 1,000,000 photons, "
                                        "engine synthetic 1.0")
    assert ui.copyButton.enabled and ui.reportButton.enabled and ui.removeButton.enabled


def test_the_headline_names_the_highest_organ(shown):
    assert shown.results.headline(shown.result) == "Done: 2 organs, highest mean dose 15 mGy (Body (without couch))."


def test_a_result_without_record_and_report_is_shown_all_the_same(window, new_result):
    result = new_result(report_html="", record={})
    window.parameters.result = result.organ_table
    window.show()
    assert window.ui.descriptorsLabel.text == "" and not window.ui.reportButton.enabled
    assert window.ui.organTable.rowCount == 2


@pytest.mark.parametrize(("inputs", "words"), [
    (INPUTS, ""),
    (INPUTS | {"engine": "other"}, "Stale: engine changed since this was computed."),
    (INPUTS | {"dose_voxel_mm": 3.0, "facts": {"pitch": 2}},
     "Stale: dose voxel, acquisition facts changed since this was computed."),
    (INPUTS | {"something new": 1}, "")])
def test_what_changed_since_is_named(shown, inputs, words):
    shown.show(inputs)
    assert shown.ui.staleLabel.text == words and shown.ui.staleLabel.visible == bool(words)


def test_a_result_stands_again_when_the_change_is_taken_back(shown):
    shown.show(INPUTS | {"engine": "other"})
    shown.show(INPUTS)
    assert not shown.ui.staleLabel.visible


def test_what_could_not_be_followed_is_said_with_the_result(shown):
    from organdose.panels.result_following import STALE_ATTRIBUTE

    shown.result.organ_table.SetAttribute(STALE_ATTRIBUTE, "the table could not follow the last edit")
    shown.show(INPUTS | {"engine": "other"})
    text = shown.ui.staleLabel.text
    assert "engine changed" in text and "could not follow the last edit" in text


def test_another_ct_above_is_no_ct_of_this_result(shown, cylinder):
    from organdose.panels.self_test import water_cylinder

    shown.parameters.ct, shown.parameters.segmentation = cylinder.ct, cylinder.masks
    shown.show()
    assert not shown.ui.staleLabel.visible
    shown.parameters.ct = water_cylinder()[0]
    shown.show()
    assert "The CT of this result: Water cylinder" in shown.ui.staleLabel.text


def test_a_result_computed_here_is_saved_under_a_free_name(shown, folder, host, tmp_path):
    target = tmp_path / "saved"
    target.mkdir()
    assert not shown.ui.saveButton.enabled and "since Slicer was started" in shown.ui.saveButton.toolTip
    shown.results.remember_folder(shown.result, folder)
    shown.show()
    for _ in range(3):
        host.dialogs.answer_file(target)
        host.click(shown.ui.saveButton)
    assert sorted(path.name for path in target.iterdir()) == ["ct-dose", "ct-dose-2", "ct-dose-3"]
    assert (target / "ct-dose-2" / "dose.nrrd").is_file()
    host.click(shown.ui.saveButton)  # left with Cancel
    assert len(list(target.iterdir())) == 3


def test_a_folder_that_cannot_take_it_is_one_line_and_nothing_half_written_stays(shown, folder, host, tmp_path):
    shown.results.remember_folder(shown.result, folder)
    shown.show()
    (tmp_path / "file").write_text("no folder")
    host.dialogs.answer_file(tmp_path / "file")
    host.click(shown.ui.saveButton)
    message = host.dialogs.shown[-1]
    assert message.kind == "message" and "could not be saved" in message.text and "\n" not in message.text


def test_each_result_has_its_own_files(shown, folder, new_result):
    shown.results.remember_folder(shown.result, folder)
    shown.parameters.result = new_result().organ_table
    shown.show()
    assert not shown.ui.saveButton.enabled
    shown.parameters.result = shown.result.organ_table
    shown.show()
    assert shown.ui.saveButton.enabled


def test_a_result_of_another_scene_is_another_result_although_its_nodes_have_the_same_ids(
        shown, folder, host, dose_map, rows):
    from dataclasses import replace

    from organdose.panels.self_test import water_cylinder
    from organdose.scene.ct_dose_scene import add_ct_dose_result

    shown.results.remember_folder(shown.result, folder)
    shown.show()
    before = shown.result.organ_table.GetID()
    host.close_scene()
    other = add_ct_dose_result(*water_cylinder()[:2], dose_map, [replace(rows[0], mean_mgy=3.0)], [])
    assert other.organ_table.GetID() == before
    shown.parameters.result = other.organ_table
    shown.show()
    assert shown.ui.organTable.rowCount == 1 and shown.ui.organTable.item(0, 1).text() == "3"
    assert not shown.ui.saveButton.enabled and not folder.exists()


def test_the_csv_button_writes_the_table(shown, host, tmp_path):
    host.dialogs.answer_file(tmp_path / "organs.csv")
    host.click(shown.ui.csvButton)
    assert (tmp_path / "organs.csv").read_text().count("\n") == 3
    host.click(shown.ui.csvButton)  # left with Cancel
    assert [dialog.kind for dialog in host.dialogs.shown] == ["file", "file"]


def test_the_report_opens_in_the_browser(shown, host):
    host.click(shown.ui.reportButton)
    [shown_url] = host.dialogs.shown
    path = Path(shown_url.text.removeprefix("file://"))
    assert shown_url.kind == "url" and path.read_text(encoding="utf-8") == "<p>Report</p>"


def test_removing_takes_the_result_and_its_files_and_leaves_the_inputs(shown, folder, cylinder, host):
    from organdose.scene.ct_dose_scene import find_results

    shown.results.remember_folder(shown.result, folder)
    shown.show()
    host.click(shown.ui.removeButton)
    shown.parameters.result = None  # the module's parameter node forgets a node that has left the scene
    shown.show()
    assert find_results() == [] and shown.result.dose.GetScene() is None
    assert cylinder.ct.GetScene() is not None and cylinder.masks.GetScene() is not None
    assert not folder.exists() and shown.ui.organTable.rowCount == 0
    assert shown.ui.staleLabel.text == "No dose computed yet." and shown.ui.descriptorsLabel.text == ""


def test_only_one_of_two_results_is_removed(shown, new_result, host):
    from organdose.scene.ct_dose_scene import find_results

    other = new_result()
    host.click(shown.ui.removeButton)
    assert [result.organ_table for result in find_results()] == [other.organ_table]


def test_isodoses_and_opacity_follow_the_parameters(shown):
    import slicer

    from organdose.scene.isodose import isodose_models

    dose = shown.result.dose
    assert isodose_models(dose) == []
    shown.parameters.isodoseLines, shown.parameters.isodoseLevels = True, "8, 12"
    shown.show()
    assert [model.GetName() for model in isodose_models(dose)] == ["Isodose 8 mGy", "Isodose 12 mGy"]
    assert not isodose_models(dose)[0].GetDisplayNode().GetVisibility3D()
    shown.parameters.isodoseSurfaces = True
    shown.show()
    assert isodose_models(dose)[0].GetDisplayNode().GetVisibility3D()
    shown.parameters.isodoseLines = shown.parameters.isodoseSurfaces = False
    shown.show()
    assert isodose_models(dose) == []
    composite = slicer.util.getNode("vtkMRMLSliceCompositeNodeRed")
    composite.SetForegroundVolumeID(dose.GetID())
    shown.parameters.opacity = 0.8
    shown.show()
    assert composite.GetForegroundOpacity() == pytest.approx(0.8)


def test_levels_that_are_no_doses_are_said_until_they_are_mended(shown):
    status = shown.ui.displayStatus
    shown.parameters.isodoseLines, shown.parameters.isodoseLevels = True, "five"
    shown.show()
    assert "'five'" in status.text and status.visible
    shown.parameters.opacity = 0.9
    shown.show()
    assert status.visible, "another change mends nothing"
    shown.parameters.isodoseLevels = "5"
    shown.show()
    assert not status.visible


def test_what_following_the_masks_changes_in_the_table_is_shown(shown, host):
    from organdose.panels.result_following import result_following
    from organdose.scene.organ_table_node import rows_from_table_node

    def mean_mgy():
        return rows_from_table_node(shown.result.organ_table)[0].mean_mgy

    assert shown.ui.organTable.item(0, 1).text() == "15"
    host.wait_until(lambda: mean_mgy() != 15 and not result_following().is_busy, 30, "the table")
    assert shown.ui.organTable.item(0, 1).text() == f"{mean_mgy():.4g}"


def test_the_table_selector_offers_results_only(shown, host):
    import slicer

    shown.results.filter_selector()
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "shopping list")
    host.process()
    selector = shown.ui.resultSelector
    offered = {selector.nodeFromIndex(index).GetName() for index in range(selector.nodeCount())}
    assert offered == {shown.result.organ_table.GetName()}
