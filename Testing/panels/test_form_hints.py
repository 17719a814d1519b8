"""What a field says of its place in a form beside its kind: several words, whole width, command line only."""

from types import SimpleNamespace

import pytest
from pydantic import BaseModel, Field


class Settings(BaseModel):
    folds: tuple[str, ...] | None = Field(None, title="Folds")
    sizes: tuple[int, ...] = (1, 2)
    path: str | None = Field(None, json_schema_extra={"in_form": False})
    wide: str = Field("", title="A table", json_schema_extra={"wide": True})


@pytest.fixture
def changes():
    return []


@pytest.fixture
def form(show, changes):
    from organdose.panels.engine_form import EngineForm

    made = EngineForm({"one": SimpleNamespace(title="One", parameters=Settings)}, lambda: changes.append(made.values()))
    show(made.widget)
    return made


def test_several_words_stand_with_commas_between_them(form, host, changes):
    assert form.values() == {} and form.editor("sizes").text == "1, 2"
    host.type_text(form.editor("folds"), " 0,all , ")
    assert changes == [{"folds": ["0", "all"]}] and form.complaint() == ""
    assert Settings(**form.values()).folds == ("0", "all")
    host.type_text(form.editor("sizes"), "3, x")
    assert "sizes" in form.complaint().lower()
    form.show("one", {"folds": ("2",), "sizes": (4, 5)})
    assert form.editor("folds").text == "2" and Settings(**form.values()).sizes == (4, 5)


def test_what_is_for_the_command_line_has_no_row_and_stays_out(form):
    form.show("one", {"path": "/some/where"})
    assert form.values() == {}
    with pytest.raises(KeyError):
        form.editor("path")


def test_a_wide_editor_has_no_label(form, qt):
    labels = [child.text for child in form.widget.findChildren("QLabel")]
    assert "Folds:" in labels and "A table:" not in labels
    assert form.editor("wide").width > form.editor("folds").width
