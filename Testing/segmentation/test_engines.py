import pytest
from pydantic import BaseModel

from organdose.anatomy.organs import organs
from organdose.errors import InputError
from organdose.segmentation.engines import engine, engine_names


@pytest.mark.parametrize("name", engine_names())
def test_every_engine_states_what_front_doors_need(name):
    found = engine(name)
    assert found.name == name and found.title and found.licence and "memory" in found.cost
    assert set(found.devices) <= {"cpu", "cuda"} and found.devices
    assert found.organs and set(found.organs) <= set(organs())
    assert issubclass(found.parameters, BaseModel)
    assert all(field.title for field in found.parameters.model_fields.values())


def test_an_unknown_engine_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"unknown segmentation engine 'magic'.*analytic"):
        engine("magic")
