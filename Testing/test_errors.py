"""Messages a person can act on."""

import pickle

import pytest

from organdose.errors import Cancelled, InputError, MissingFacts


@pytest.mark.parametrize(("error", "message"), [
    (InputError("it is empty"), "it is empty"),
    (InputError("it is empty", where="ct"), "ct: it is empty"),
    (InputError("it is empty", mend="Fill it."), "it is empty. Fill it."),
    (InputError("it is empty.", where="ct", mend="Fill it."), "ct: it is empty. Fill it."),
    (InputError("over\n  two lines", where="a\nb"), "a b: over two lines")])
def test_a_message_is_one_line_of_where_what_and_how_to_mend(error, message):
    assert str(error) == message


def test_its_parts_can_be_asked_for():
    error = InputError("it is empty", where="ct", mend="Fill it.")
    assert (error.what, error.where, error.mend) == ("it is empty", "ct", "Fill it.")
    assert isinstance(error, ValueError)


def test_missing_facts_name_each_key_with_its_explanation():
    error = MissingFacts({"pitch": "table feed", "ctdivol_mgy": "dose index"}, where="ct")
    assert error.facts == {"pitch": "table feed", "ctdivol_mgy": "dose index"}
    assert "pitch (table feed); ctdivol_mgy (dose index)" in str(error) and "--protocol" in str(error)
    assert isinstance(error, InputError)


def test_cancelling_is_not_bad_input():
    assert not issubclass(Cancelled, ValueError)


@pytest.mark.parametrize("error", [InputError("it is empty", where="ct", mend="Fill it."),
                                   MissingFacts({"pitch": "table feed"}, where="ct")])
def test_a_message_survives_the_way_out_of_a_child_process(error):
    arrived = pickle.loads(pickle.dumps(error))
    assert str(arrived) == str(error) and vars(arrived) == vars(error)
