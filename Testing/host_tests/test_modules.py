"""A scripted module is loaded, chosen, used, reloaded and unloaded as in Slicer."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def slicer(host):
    import slicer

    return slicer


def test_a_loaded_module_tells_the_application_about_itself(host, slicer, module_folder):
    module = host.load_module(module_folder)
    assert module is slicer.modules.greeter
    assert (module.name, module.title, module.categories) == ("Greeter", "Friendly greeter", ("Nuclear Medicine",))
    assert module.contributors == ("A", "B") and module.path == str(module_folder / "Greeter.py")
    assert "Greeter" in slicer.util.moduleNames() and slicer.util.getModule("Greeter") is module
    assert not hasattr(slicer.modules, "GreeterWidget")
    with pytest.raises(AttributeError):
        module.colour = "red"


def test_the_panel_is_built_when_it_is_first_asked_for(host, slicer, module_folder):
    module = host.load_module(module_folder)
    widget = host.widget("Greeter")
    assert slicer.modules.GreeterWidget is widget and widget.log == []
    assert slicer.util.getModuleWidget("Greeter") is widget and module.widgetRepresentation().self() is widget
    assert slicer.util.getModuleLogic("Greeter") is widget.logic
    assert slicer.util.getNewModuleWidget("Greeter") is not widget
    assert widget.parent.className() == "qSlicerScriptedLoadableModuleWidget"
    assert widget.resourcePath("UI/Greeter.ui") == str(module_folder / "Resources" / "UI" / "Greeter.ui")


def test_errors_of_setup_reach_the_test(host, module_folder):
    script = module_folder / "Greeter.py"
    script.write_text(script.read_text().replace("self.logic = GreeterLogic()", "raise LookupError('setup')"))
    host.load_module(module_folder)
    with pytest.raises(LookupError, match="setup"):
        host.widget("Greeter")


def test_choosing_modules_calls_enter_and_exit(host, slicer, greeter):
    assert greeter.log == ["enter"] and greeter.parent.isEntered and greeter.ui.applyButton.visible
    assert slicer.util.selectedModule() == "Greeter"
    slicer.util.selectModule("Data")
    assert greeter.log == ["enter", "exit"] and not greeter.parent.isEntered and not greeter.ui.applyButton.visible
    slicer.util.selectModule(slicer.modules.greeter)
    assert greeter.log == ["enter", "exit", "enter"] and greeter.ui.applyButton.visible


def test_an_error_in_enter_is_recorded_and_the_panel_is_shown(host, greeter):
    greeter.enter = lambda: 1 / 0
    host.select("Data")
    host.select("Greeter")
    assert greeter.ui.applyButton.visible and "ZeroDivisionError" in host.slot_errors[0]
    host.slot_errors.clear()


def test_a_person_uses_the_panel(host, slicer, greeter):
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    host.choose(greeter.ui.volumeSelector, volume)
    host.type_text(greeter.ui.level, "-3.25")
    host.click(greeter.ui.applyButton)
    assert greeter.parameters.volume is volume and greeter.parameters.level == -3.25
    assert greeter.log == ["enter", "apply"]


def test_what_cannot_be_used_by_a_person_cannot_be_clicked(host, greeter):
    greeter.ui.applyButton.enabled = False
    greeter.ui.applyButton.toolTip = "choose a CT first"
    with pytest.raises(AssertionError, match="choose a CT first"):
        host.click(greeter.ui.applyButton)
    greeter.ui.inputs.collapsed = True
    with pytest.raises(AssertionError, match="not visible"):
        host.type_text(greeter.ui.level, "1")


def test_closing_the_scene_is_seen_and_resets_the_parameters(host, slicer, greeter):
    greeter.parameters.level = 7.0
    host.close_scene()
    assert greeter.log == ["enter", "close"]
    assert slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") == [] and greeter.parameters.level == 2.5


def test_reloading_makes_a_new_panel_from_the_changed_file(host, slicer, greeter, module_folder):
    script = module_folder / "Greeter.py"
    script.write_text(script.read_text().replace('append("apply")', 'append("new apply")'))
    slicer.util.reloadScriptedModule("Greeter")
    renewed = slicer.modules.GreeterWidget
    assert renewed is not greeter and greeter.log == ["enter", "cleanup"] and host.widget("Greeter") is renewed
    host.process()
    host.click(renewed.ui.applyButton)
    assert renewed.log == ["new apply"]


def test_unloading_cleans_up_once_and_leaves_nothing(host, slicer, greeter, module_folder):
    host.unload_module("Greeter")
    assert greeter.log == ["enter", "exit", "cleanup"]
    assert not hasattr(slicer.modules, "greeter") and "Greeter" not in sys.modules
    assert "Greeter" not in slicer.selfTests and str(module_folder) not in sys.path


def test_leaving_slicer_tells_the_modules(host, slicer, greeter):
    calls = []
    slicer.app.connect("aboutToQuit()", lambda: calls.append("quit"))
    host.quit()
    assert calls == ["quit"] and greeter.log[-1] == "cleanup" and host.requests == ["exit 0"]


def test_a_module_hears_once_that_the_startup_is_complete(host, slicer, module_folder):
    script = module_folder / "Greeter.py"
    script.write_text(script.read_text().replace(
        'self.parent.contributors = ["A", "B"]',
        'slicer.app.connect("startupCompleted()", lambda: setattr(slicer, "greetings", slicer.greetings + 1))'))
    slicer.greetings = 0
    for _ in range(2):
        host.load_module(module_folder)
    assert slicer.greetings == 1
    del slicer.greetings


def test_the_modules_own_test_can_be_run(host, slicer, module_folder):
    host.load_module(module_folder)
    slicer.selfTests["Greeter"](msec=1)
    assert sys.modules["Greeter"].GreeterTest.ran == [1]


def test_developers_get_a_reload_section(host, slicer, module_folder):
    slicer.app.settings().setValue("Developer/DeveloperMode", True)
    host.load_module(module_folder)
    host.select("Greeter")
    widget = host.widget("Greeter")
    button = slicer.util.findChild(widget.parent, "ScriptedLoadableModuleTemplate Reload")
    host.click(button)
    assert slicer.modules.GreeterWidget is not widget and widget.log == ["enter", "cleanup"]


def test_parameter_nodes_are_found_again(host, slicer, greeter):
    node = greeter.logic.getParameterNode()
    assert node is greeter.logic.getParameterNode() and greeter.logic.getAllParameterNodes() == [node]
    greeter.logic.isSingletonParameterNode = False
    other = slicer.mrmlScene.AddNode(greeter.logic.createParameterNode())
    assert other is not node and len(greeter.logic.getAllParameterNodes()) == 2


def test_the_host_can_live_in_a_process_of_its_own(module_folder):
    testing = Path(__file__).resolve().parent.parent
    script = (f"import sys; sys.path[:0] = [{str(testing)!r}, {str(testing.parent)!r}]\n"
              "from host.slicer_host import SlicerHost\n"
              f"host = SlicerHost.start(); host.load_module({str(module_folder)!r}); host.select('Greeter')\n"
              "print(host.widget('Greeter').log); host.quit()\n")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "['enter']" in done.stdout, done.stderr
