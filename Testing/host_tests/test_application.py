"""`slicer.app` and what hangs beside it: settings, packages, sample data, DICOM database."""

import hashlib
from pathlib import Path

import pytest


@pytest.fixture
def slicer(host):
    import slicer

    return slicer


def test_the_application_knows_its_name_version_and_folders(slicer):
    app = slicer.app
    assert app.applicationName == app.mainApplicationName == "Slicer"
    assert (app.majorVersion, app.minorVersion) >= (5, 11) and app.applicationVersion.startswith(f"{app.majorVersion}.")
    assert app.temporaryPath and app.moduleDocumentationUrl("Data").endswith("data.html")
    assert app.testingEnabled() is False and app.commandOptions().noMainWindow is False


def test_unknown_attributes_are_errors(slicer):
    for owner in (slicer.app, slicer.app.moduleManager(), slicer.util.mainWindow()):
        with pytest.raises(AttributeError):
            owner.noSuchThing  # noqa: B018
        with pytest.raises(AttributeError):
            owner.noSuchThing = 1


def test_what_headless_scenes_use_is_still_there(slicer):
    assert slicer.app.applicationLogic().GetMRMLScene() is slicer.mrmlScene
    assert slicer.modules.segmentations.logic().GetClassName() == "vtkSlicerSegmentationsModuleLogic"
    assert slicer.app.moduleManager().module("Segmentations").logic() is slicer.modules.segmentations.logic()


def test_rendering_is_paused_as_often_as_it_is_resumed(slicer):
    with slicer.util.RenderBlocker():
        pass
    assert slicer.app.layoutManager() is not None


def test_the_wait_cursor_comes_and_goes(slicer):
    import qt

    with slicer.util.WaitCursor():
        assert qt.QApplication.overrideCursor().shape() == qt.Qt.WaitCursor
    assert not qt.QApplication.overrideCursor()


def test_the_main_window_is_found_and_shows_status(slicer):
    window = slicer.util.mainWindow()
    assert window is slicer.util.lookupTopLevelWidget("qSlicerMainWindow")
    assert slicer.util.showStatusMessage("Ready") is True and window.statusBar().currentMessage() == "Ready"


def test_a_restart_is_only_recorded(slicer, host):
    slicer.util.restart()
    assert host.requests == ["restart"]


def test_the_environment_of_the_startup_is_a_dict_of_texts(slicer, monkeypatch):
    monkeypatch.setenv("ORGANDOSE_CACHE", "/cache")
    assert slicer.util.startupEnvironment()["ORGANDOSE_CACHE"] == "/cache"


def test_the_clipboard_works(slicer):
    slicer.app.clipboard().setText("12.5 mGy")
    assert slicer.app.clipboard().text() == "12.5 mGy"


def test_errors_in_scene_observers_are_recorded(slicer, host):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode")
    node.AddObserver("ModifiedEvent", lambda caller, event: 1 / 0)
    node.Modified()
    assert "ZeroDivisionError" in host.slot_errors[0]
    host.slot_errors.clear()


def test_texts_go_through_the_translation(slicer):
    from slicer.i18n import tr as _
    from slicer.i18n import translate

    assert _("Dose") == translate("DoseEstimator", "Dose") == "Dose"


def test_packages_are_asked_for_and_never_installed(slicer, host):
    assert slicer.packaging.pip_check("numpy>=1.20") and not slicer.packaging.pip_check(["numpy", "no-such-package"])
    slicer.packaging.pip_ensure("numpy", requester="Dose")
    assert host.dialogs.shown == []
    with pytest.raises(RuntimeError, match="declined"):
        slicer.packaging.pip_ensure(["no-such-package>=2"], requester="Dose")
    assert host.installations.wanted == []
    host.dialogs.answer(True)
    slicer.packaging.pip_ensure(["no-such-package>=2"], requester="Dose")
    assert host.installations.wanted == [["no-such-package>=2"]] and host.dialogs.shown[-1].title.startswith("Dose")


def test_a_package_can_be_pretended_missing_and_its_installation_fail(slicer, host):
    host.installations.pretend_missing.add("numpy")
    assert not slicer.packaging.pip_check("numpy")
    host.installations.failure = OSError("no network")
    with pytest.raises(OSError, match="no network"):
        slicer.util.pip_install("numpy>=1.26")
    host.installations.failure = None
    slicer.util.pip_install("numpy>=1.26")
    assert slicer.packaging.pip_check("numpy")


def test_sample_data_are_registered_once_and_checked(slicer, host, tmp_path):
    import SampleData

    file = tmp_path / "study.bin"
    file.write_bytes(b"study")
    checksum = "SHA256:" + hashlib.sha256(b"study").hexdigest()
    for _ in range(2):
        SampleData.SampleDataLogic.registerCustomSampleDataSource(
            category="OrganDose", sampleName="Study", uris=file.as_uri(), fileNames="study.bin", nodeNames=None,
            loadFileType=None, checksums=checksum)
    sources = SampleData.SampleDataLogic.sampleDataSourcesByCategory("OrganDose")
    assert [source.sampleName for source in sources].count("Study") == 1
    [path] = SampleData.downloadSamples("Study")
    assert Path(path).read_bytes() == b"study"
    file.write_bytes(b"other")
    with pytest.raises(ValueError, match="checksum"):
        SampleData.downloadSamples("Study")


def test_a_samples_own_loader_runs_when_its_button_is_pressed(slicer, host):
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="OrganDose", sampleName="Phantom", uris="file:///nowhere", fileNames="x", nodeNames="x",
        customDownloader=lambda source: [source.sampleName])
    assert host.press_sample_button("Phantom") == ["Phantom"]
    with pytest.raises(LookupError):
        host.press_sample_button("Unknown")
    with pytest.raises(TypeError, match="uris"):
        SampleData.SampleDataLogic.registerCustomSampleDataSource(sampleName="Bare", customDownloader=print)


def test_the_dicom_database_is_none_until_a_test_brings_one(slicer, host):
    from host.dicom_database import DicomDatabase

    assert slicer.dicomDatabase is None
    slicer.dicomDatabase = DicomDatabase({"1.2.3": "/data/slice.dcm"})
    assert slicer.dicomDatabase.fileForInstance("1.2.3") == "/data/slice.dcm"
    assert slicer.dicomDatabase.fileForInstance("9") == "" == slicer.dicomDatabase.instanceValue("9", "0010,0010")


def test_the_next_test_starts_afresh(slicer, host, module_folder):
    host.load_module(module_folder)
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode")
    slicer.app.settings().setValue("key", 1)
    slicer.util.infoDisplay("x")
    host.reset()
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLTextNode") == 0 and host.dialogs.shown == []
    assert not slicer.app.settings().contains("key") and not hasattr(slicer.modules, "greeter")
