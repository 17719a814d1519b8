"""The form an engine gets from what it declares: every kind of parameter has an editor that fits it."""

from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Literal, Optional

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator


class Phase(Enum):
    native = "native"
    venous = "venous"


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid")

    histories: int = Field(1000, ge=10, le=2_000_000_000_000, title="Photons", description="photons to follow")
    low_hu: float = Field(-50.0, ge=-1024, le=3000)
    fine: float = Field(0.0005, gt=0, lt=1)
    wanted: float | None = Field(None, gt=0, le=100, title="Organ uncertainty (%)")
    batches: Optional[int] = Field(None, ge=2, le=64)  # noqa: UP045 (both ways of writing it)
    device: Literal["auto", "cpu", "cuda"] = Field("auto", title="Device")
    level: Literal[1, 2, 3] = 2
    kernel: Literal["soft", "sharp"] | None = None
    smooth: bool = Field(True, title="Smooth the map")
    label: str = "phantom"
    remark: str | None = None
    weights: Path = Path("models/organs")
    phase: Phase = Phase.native
    sizes: tuple[int, ...] = (1, 2)
    spacing: Annotated[float, Field(ge=0.5, le=4)] = 2.0
    seeds: int = Field(default_factory=lambda: 7)


class Plain(BaseModel):
    pass


class Ordered(BaseModel):
    low: float = Field(1.0, gt=0, title="Lower limit")
    high: float = 2.0

    @model_validator(mode="after")
    def _in_order(self):
        if self.high <= self.low:
            raise ValueError("high must be above low")
        return self


ENGINES = {"all": SimpleNamespace(title="Everything there is", parameters=Everything),
           "plain": SimpleNamespace(title="Nothing to choose", parameters=Plain),
           "ordered": SimpleNamespace(title="Two limits", parameters=Ordered)}


@pytest.fixture
def changes():
    return []


@pytest.fixture
def form(host, show, changes):
    from organdose.panels.engine_form import EngineForm

    made = EngineForm(ENGINES, lambda: changes.append(1))
    show(made.widget)
    return made


def row_texts(form, qt):
    """What stands before the editors of a form, or on them."""
    labels = [child.text for child in form.widget.findChildren("QLabel")]
    return labels + [child.text for child in form.widget.findChildren("QCheckBox")]


@pytest.mark.parametrize(("name", "kind"), [
    ("histories", "QDoubleSpinBox"), ("low_hu", "QDoubleSpinBox"), ("spacing", "QDoubleSpinBox"),
    ("seeds", "QDoubleSpinBox"), ("device", "QComboBox"), ("level", "QComboBox"),
    ("kernel", "QComboBox"), ("phase", "QComboBox"),
    ("smooth", "QCheckBox"), ("label", "QLineEdit"), ("remark", "QLineEdit"), ("weights", "QLineEdit"),
    ("sizes", "QLineEdit")])
def test_every_kind_of_parameter_becomes_a_fitting_editor(form, name, kind):
    editor = form.editor(name)
    assert editor.inherits(kind) and editor.objectName == f"parameter_{name}"


@pytest.mark.parametrize("name", ["wanted", "batches"])
def test_a_number_that_may_be_left_out_has_a_check_box_before_it(form, name):
    [check] = form.editor(name).findChildren("QCheckBox")
    [number] = form.editor(name).findChildren("QDoubleSpinBox")
    assert not check.checked and not number.enabled


def test_titles_stand_before_the_editors_and_descriptions_are_their_tooltips(form, qt):
    texts = row_texts(form, qt)
    assert {"Engine:", "Photons:", "Organ uncertainty (%):", "Low hu:", "Smooth the map"} <= set(texts)
    assert "Smooth the map:" not in texts, "a check box carries its own text"
    assert form.editor("histories").toolTip == "photons to follow"


def test_editors_begin_with_the_defaults_and_keep_none_of_them(form):
    assert form.editor("histories").value == 1000 and form.editor("device").currentText == "auto"
    assert form.editor("smooth").checked and form.editor("label").text == "phantom"
    assert form.editor("seeds").value == 7 and form.editor("fine").value == 0.0005
    assert form.values() == {} and form.complaint() == ""


def test_only_what_differs_from_the_defaults_is_kept(form, host):
    host.type_text(form.editor("histories"), "2000")
    host.choose(form.editor("device"), "cpu")
    host.choose(form.editor("level"), "3")
    host.choose(form.editor("kernel"), "sharp")
    host.choose(form.editor("phase"), "venous")
    host.click(form.editor("smooth"))
    host.type_text(form.editor("label"), "child")
    assert form.values() == {"histories": 2000, "device": "cpu", "level": 3, "kernel": "sharp", "phase": "venous",
                             "smooth": False, "label": "child"}
    assert form.complaint() == ""
    host.type_text(form.editor("histories"), "1000")
    host.choose(form.editor("device"), "auto")
    host.choose(form.editor("kernel"), "none")
    assert set(form.values()) == {"level", "phase", "smooth", "label"}


def test_values_are_what_json_and_the_model_take(form, host):
    import json

    host.choose(form.editor("phase"), "venous")
    host.type_text(form.editor("weights"), "elsewhere")
    host.type_text(form.editor("fine"), "0.0007")
    told = json.loads(json.dumps(form.values()))
    made = Everything(**told)
    assert (made.phase, made.weights, made.fine) == (Phase.venous, Path("elsewhere"), 0.0007)


def test_integers_are_integers_and_numbers_keep_their_decimals(form, host):
    host.type_text(form.editor("histories"), "1234567890123")
    host.type_text(form.editor("low_hu"), "12.5")
    values = form.values()
    assert values == {"histories": 1234567890123, "low_hu": 12.5} and isinstance(values["histories"], int)


def test_limits_of_the_model_are_limits_of_the_editor(form, host):
    spin = form.editor("histories")
    assert (spin.minimum, spin.maximum) == (10, 2_000_000_000_000)
    assert (form.editor("spacing").minimum, form.editor("spacing").maximum) == (0.5, 4)
    host.type_text(spin, "3")
    assert form.editor("histories").value >= 10


def test_an_optional_number_is_kept_while_its_box_is_ticked(form, host):
    [check] = form.editor("wanted").findChildren("QCheckBox")
    [number] = form.editor("wanted").findChildren("QDoubleSpinBox")
    host.click(check)
    assert number.enabled
    host.type_text(number, "2.5")
    assert form.values() == {"wanted": 2.5}
    host.click(check)
    assert form.values() == {} and not number.enabled


def test_an_optional_integer_takes_no_decimals(form, host):
    [check] = form.editor("batches").findChildren("QCheckBox")
    [number] = form.editor("batches").findChildren("QDoubleSpinBox")
    assert number.decimals == 0 and (number.minimum, number.maximum) == (2, 64)
    host.click(check)
    host.type_text(number, "12")
    assert form.values() == {"batches": 12} and isinstance(form.values()["batches"], int)


def test_an_empty_text_is_none_where_the_model_allows_it(form, host):
    host.type_text(form.editor("remark"), "after surgery")
    assert form.values() == {"remark": "after surgery"}
    host.type_text(form.editor("remark"), " ")
    assert form.values() == {}
    host.type_text(form.editor("label"), " ")
    assert form.values() == {"label": ""}


def test_every_change_is_told_once_it_is_complete(form, host, changes):
    for edit in (lambda: host.type_text(form.editor("low_hu"), "40"), lambda: host.click(form.editor("smooth")),
                 lambda: host.choose(form.editor("device"), "cuda"),
                 lambda: host.type_text(form.editor("remark"), "x")):
        changes.clear()
        edit()
        assert changes


def test_what_does_not_fit_is_said_in_words(form, host):
    form.show("ordered", {})
    host.process()
    assert form.complaint() == ""
    host.type_text(form.editor("low"), "0")
    assert form.complaint() == "Lower limit: Input should be greater than 0"
    host.type_text(form.editor("low"), "5")
    assert form.complaint().startswith("Parameters:") and "high must be above low" in form.complaint()


def test_show_brings_back_what_values_gave_without_a_signal(form, changes):
    kept = {"histories": 5000, "wanted": 1.5, "batches": 4, "device": "cuda", "level": 1, "phase": "venous",
            "smooth": False, "label": "", "remark": "r", "weights": "other", "low_hu": 0.0, "fine": 0.25}
    form.show("all", kept)
    assert form.values() == kept and form.engine == "all"
    form.show("ordered", {"high": 3.5})
    assert form.engine == "ordered" and form.values() == {"high": 3.5}
    form.show("all", {})
    assert form.values() == {} and form.complaint() == ""
    assert changes == []


def test_a_parameter_left_out_goes_back_to_its_default(form):
    form.show("all", {"histories": 5000, "wanted": 1.5})
    form.show("all", {"wanted": 2.0})
    assert form.values() == {"wanted": 2.0}


def test_an_engine_there_is_not_changes_nothing(form, changes):
    form.show("all", {"histories": 5000})
    form.show("from a newer version", {"histories": 1})
    assert form.engine == "all" and form.values() == {"histories": 5000} and not changes


def test_a_word_the_engine_no_longer_has_becomes_the_default(form):
    form.show("all", {"device": "steam engine", "histories": 5000})
    assert form.editor("device").currentText == "auto" and form.values() == {"histories": 5000}


def test_the_user_chooses_another_engine_and_gets_its_form(form, host, qt, changes):
    host.choose(form.chooser, "Two limits")
    assert (form.engine, form.chosen.parameters) == ("ordered", Ordered) and changes
    assert "Lower limit:" in row_texts(form, qt) and "Photons:" not in row_texts(form, qt)
    host.type_text(form.editor("high"), "9")
    assert form.values() == {"high": 9}


def test_an_engine_without_parameters_has_no_rows_and_nothing_to_complain_of(form, host, qt):
    host.choose(form.chooser, "Nothing to choose")
    assert row_texts(form, qt) == ["Engine:"] and form.values() == {} and form.complaint() == ""


def test_without_any_engine_there_is_nothing_to_run(host, show):
    from organdose.panels.engine_form import EngineForm

    form = EngineForm({}, lambda: None)
    show(form.widget)
    form.show("mc", {"histories": 3})
    assert (form.engine, form.chosen, form.values()) == ("", None, {})
    assert form.complaint() == "There is no engine for this yet."


def test_a_parameter_the_model_demands_is_always_kept(host, show):
    from organdose.panels.engine_form import EngineForm

    class Demanding(BaseModel):
        activity_mbq: float = Field(gt=0, title="Activity (MBq)")

    form = EngineForm({"x": SimpleNamespace(title="X", parameters=Demanding)}, lambda: None)
    show(form.widget)
    assert form.values() == {"activity_mbq": 0.0} and form.complaint().startswith("Activity (MBq):")
    host.type_text(form.editor("activity_mbq"), "3")
    assert form.values() == {"activity_mbq": 3.0} and form.complaint() == ""


def test_a_parameter_may_have_an_editor_of_its_own(host, show, changes, qt):
    from organdose.panels.engine_form import EngineForm

    class Shouting:
        def __init__(self, field):
            self.widget = qt.QLineEdit()

        def value(self):
            return self.widget.text.lower()

        def show(self, value):
            self.widget.text = value.upper()

        def on_changed(self, callback):
            self.widget.editingFinished.connect(lambda *_: callback())

    class Named(BaseModel):
        name: str = "quiet"

    form = EngineForm({"x": SimpleNamespace(title="X", parameters=Named)}, lambda: changes.append(1),
                      editors={"name": Shouting})
    show(form.widget)
    assert form.editor("name").text == "QUIET" and form.values() == {}
    host.type_text(form.editor("name"), "Loud")
    assert form.values() == {"name": "loud"} and changes


def test_the_forms_of_the_engines_there_are_can_be_filled_in(host, show):
    from organdose.ct.engines import engines
    from organdose.panels.engine_form import EngineForm
    from organdose.segmentation.engines import engine, engine_names

    for known in (engines(), {name: engine(name) for name in engine_names()}):
        form = EngineForm(known, lambda: None)
        show(form.widget)
        for name in known:
            form.show(name, {})
            assert form.engine == name and form.values() == {} and form.complaint() == ""


def test_an_engine_that_a_scene_asks_for_and_is_not_here_is_said_until_another_is_chosen(host, show):
    from types import SimpleNamespace

    from pydantic import BaseModel

    from organdose.panels.engine_form import EngineForm

    engines = {name: SimpleNamespace(title=name, parameters=type("P", (BaseModel,), {})) for name in ("one", "two")}
    form = EngineForm(engines, lambda: None)
    show(form.widget)
    form.show("network-7", {})
    assert "'network-7'" in form.complaint()
    host.choose(form.chooser, "two")
    assert form.complaint() == ""


def test_the_exposure_of_the_monte_carlo_engine_is_chosen_in_words_and_numbers(host, show):
    from organdose.ct.engines import engines
    from organdose.panels.engine_form import EngineForm

    form = EngineForm(engines(), lambda: None)
    show(form.widget)
    host.click(form.section("Tube and scan"))
    host.choose(form.editor("scenario"), "fixed mA")
    host.type_text(form.editor("fixed_ma"), "80")
    host.choose(form.editor("start_angle"), "sampled")
    host.type_text(form.editor("start_angles"), "12")
    host.choose(form.editor("start_angle"), "fixed")
    host.type_text(form.editor("start_angle_deg"), "-90")
    assert form.values() == {"scenario": "fixed_ma", "fixed_ma": 80.0, "start_angle": "fixed", "start_angle_deg": -90.0,
                             "start_angles": 12}
    assert form.complaint() == ""
    host.choose(form.editor("start_angle"), "sampled")
    host.type_text(form.editor("start_angles"), "1")
    assert form.values()["start_angles"] >= 2


def test_what_most_users_need_stands_at_the_top_of_the_monte_carlo_form_and_the_rest_is_folded_away(host, show):
    from organdose.ct.engines import engines
    from organdose.panels.engine_form import EngineForm

    form = EngineForm(engines(), lambda: None)
    show(form.widget)
    names = engines()["mc"].parameters.model_fields
    assert [name for name in names if form.editor(name).visible] == [
        "scanner", "histories", "uncertainty_percent", "device"]
    for group in ("Patient", "Tube and scan", "Advanced"):
        assert form.section(group).collapsed
        host.click(form.section(group))
    assert all(form.editor(name).visible and form.editor(name).toolTip for name in names)


class Grouped(BaseModel):
    seed: int = Field(1, title="Seed", json_schema_extra={"group": "Advanced"})
    device: Literal["cpu", "cuda"] = Field("cpu", json_schema_extra={"words": {"cuda": "graphics card"}})
    card: int = Field(0, title="Card", json_schema_extra={"group": "Advanced", "counts_when": {"device": "cuda"}})
    power: int | None = Field(None, title="Power", json_schema_extra={"group": "Else", "counts_when": {"seed": 2}})


@pytest.fixture
def grouped(host, show, changes):
    from organdose.panels.engine_form import EngineForm

    form = EngineForm({"g": SimpleNamespace(title="Grouped", parameters=Grouped), **ENGINES}, lambda: changes.append(1))
    show(form.widget)
    return form


def test_fields_with_a_group_lie_in_a_folded_section_and_the_others_above_them(grouped, host):
    assert grouped.editor("device").visible and not grouped.editor("seed").visible
    host.click(grouped.section("Advanced"))
    assert grouped.editor("seed").visible and grouped.editor("card").visible and not grouped.editor("power").visible
    assert grouped.section("Advanced").pos.y() > grouped.editor("device").pos.y()


def test_a_field_that_would_have_no_effect_cannot_be_edited(grouped, host):
    host.click(grouped.section("Advanced"))
    host.click(grouped.section("Else"))
    assert not grouped.editor("card").enabled and not grouped.editor("power").enabled
    host.choose(grouped.editor("device"), "graphics card")
    host.type_text(grouped.editor("seed"), "2")
    assert grouped.editor("card").enabled and grouped.editor("power").enabled
    assert grouped.values() == {"device": "cuda", "seed": 2}
    grouped.show("g", {"seed": 2})
    assert not grouped.editor("card").enabled and grouped.editor("power").enabled


def test_a_folded_section_says_how_much_in_it_differs_from_the_defaults(grouped, host):
    grouped.show("g", {"seed": 3, "card": 1})
    assert grouped.section("Advanced").text == "Advanced (1 changed)", "the card has no effect"
    assert "Seed" in grouped.section("Advanced").toolTip and grouped.section("Else").text == "Else"
    host.choose(grouped.editor("device"), "graphics card")
    assert grouped.section("Advanced").text == "Advanced (2 changed)"
    grouped.show("g", {})
    assert grouped.section("Advanced").text == "Advanced"


def test_another_engine_takes_its_sections_with_it(grouped, host):
    host.choose(grouped.chooser, "Two limits")
    assert grouped.editor("low").visible
    with pytest.raises(KeyError):
        grouped.section("Advanced")
    host.choose(grouped.chooser, "Grouped")
    assert grouped.section("Advanced").collapsed and grouped.values() == {}
