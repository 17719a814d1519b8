"""What may stand beside the type of a parameter: `Annotated[float, WithinRange(0, 1), Default(0.5), Decimals(2)]`."""

import typing
from dataclasses import dataclass


class Validator:
    """Refuses a value by raising ValueError (TypeError for a wrong type)."""

    def validate(self, value) -> None:
        raise NotImplementedError


class NotNone(Validator):
    def validate(self, value) -> None:
        if value is None:
            raise ValueError("Value must not be None")


@dataclass
class IsInstance(Validator):
    classtype: object

    def validate(self, value) -> None:
        if value is not None and not isinstance(value, self.classtype):
            raise TypeError(f"Value must be of type {self.classtype}, is {value!r}")


@dataclass
class WithinRange(Validator):
    minimum: float
    maximum: float

    def validate(self, value) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within [{self.minimum}, {self.maximum}], is {value}")


@dataclass
class Minimum(Validator):
    minimum: float

    def validate(self, value) -> None:
        if value < self.minimum:
            raise ValueError(f"Value must be at least {self.minimum}, is {value}")


@dataclass
class Maximum(Validator):
    maximum: float

    def validate(self, value) -> None:
        if value > self.maximum:
            raise ValueError(f"Value must be at most {self.maximum}, is {value}")


@dataclass
class Choice(Validator):
    choices: typing.Sequence

    def validate(self, value) -> None:
        if value not in self.choices:
            raise ValueError(f"Value must be one of {self.choices}, is {value!r}")


@dataclass
class Exclude(Validator):
    excludedValues: typing.Sequence

    def validate(self, value) -> None:
        if value in self.excludedValues:
            raise ValueError(f"Value must not be one of {self.excludedValues}, is {value!r}")


@dataclass
class Decimals:
    """Decimals that the connected spin box shows."""

    value: int


@dataclass
class SingleStep:
    """Step of the connected spin box or slider."""

    value: float


class Default:
    """The value of a parameter that nobody has set; a generator is called for each."""

    def __init__(self, value=None, *, generator=None):
        self._value, self._generator = value, generator

    @property
    def value(self):
        return self._generator() if self._generator else self._value


def splitAnnotations(datatype) -> tuple[object, tuple]:
    """The bare type, and what stands beside it."""
    bare, *annotations = typing.get_args(typing.Annotated[datatype, None])
    return bare, tuple(annotations[:-1])


def unannotatedType(datatype):
    return splitAnnotations(datatype)[0]


def findFirstAnnotation(annotations, kind):
    return next((annotation for annotation in annotations if isinstance(annotation, kind)), None)
