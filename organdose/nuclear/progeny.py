"""A parent and its progeny in radioactive equilibrium, as one source of radiation.

Integrated over all time, Bateman's equations (Proc Cambridge Philos Soc 15 (1910) 423) give every decay of the parent
the decays of its progeny in the proportions of the branching fractions (ICRP Publication 107), whatever their
half-lives. So yields per decay of the parent are products of branching fractions; activities in equilibrium differ a
little from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from organdose.errors import InputError
from organdose.nuclear.decay_data import nuclide_names
from organdose.nuclear.emissions import Emissions, together
from organdose.nuclear.radionuclide import Radionuclide, radionuclide
from organdose.nuclear.time_text import duration

_FEWEST_LISTED = 0.9995  # ICRP 107 rounds branching fractions to a few digits


@dataclass(frozen=True)
class ChainMember:
    """A nuclide of the mixture: its decays per decay of the parent, and its activity over that of the parent once they
    are in equilibrium (larger than the former for transient equilibrium; Bateman 1910)."""

    nuclide: Radionuclide
    decays_per_parent_decay: float
    equilibrium_activity_ratio: float


@dataclass(frozen=True)
class DecayMixture:
    """Parent and progeny; `members` starts with the parent.

    `left_out` says, a line each, what decays but is not in the mixture; `assumption` is the sentence for a report.
    """

    members: tuple[ChainMember, ...]
    left_out: tuple[str, ...]
    assumption: str

    @property
    def parent(self) -> Radionuclide:
        return self.members[0].nuclide

    @cached_property
    def emissions(self) -> Emissions:
        """Per decay of the parent, all members together."""
        return together(member.nuclide.emissions.scaled(member.decays_per_parent_decay) for member in self.members)


def with_progeny(name: str, *, half_life_limit_s: float | None = None, progeny: Sequence[str] | None = None
                 ) -> DecayMixture:
    """The nuclide with those of its progeny that live shorter than it does.

    `half_life_limit_s` keeps only progeny that live no longer; `progeny` names them one by one ([]: none). A nuclide
    that is left out ends its branch. Raises `InputError` for both limits at once, a limit that is not positive, and a
    name that is not in the chain, outlives the parent or whose mother is not in the list.
    """
    if half_life_limit_s is not None and progeny is not None:
        raise InputError("progeny is chosen by a half-life or by names, not by both")
    if half_life_limit_s is not None and not half_life_limit_s > 0:
        raise InputError(f"a half-life limit of {half_life_limit_s:g} s is not possible", mend="Give more than 0.")
    parent = radionuclide(name)
    named = None if progeny is None else {radionuclide(each).name for each in progeny}
    walk = _Walk(parent, half_life_limit_s, named)
    walk.follow(parent, 1.0, 1.0)
    for each in sorted((named or set()) - set(walk.decays)):
        raise InputError(f"{each} cannot be taken with {parent.name}", mend=walk.why_not(each))
    members = tuple(ChainMember(radionuclide(each), decays, walk.ratios[each]) for each, decays in walk.decays.items())
    left_out = walk.left_out_lines()
    return DecayMixture(members, left_out, _assumption(members, left_out))


class _Walk:
    """Follows every path down from the parent and adds up what arrives."""

    def __init__(self, parent: Radionuclide, limit_s: float | None, named: set[str] | None):
        self.parent, self.limit_s, self.named = parent, limit_s, named
        self.decays: dict[str, float] = {}
        self.ratios: dict[str, float] = {}
        self.left_out: dict[str, float] = {}
        self.unlisted: dict[str, float] = {}

    def follow(self, nuclide: Radionuclide, decays: float, ratio: float) -> None:
        self.decays[nuclide.name] = self.decays.get(nuclide.name, 0.0) + decays
        self.ratios[nuclide.name] = self.ratios.get(nuclide.name, 0.0) + ratio
        listed = sum(mode.fraction for mode in nuclide.decay_modes)
        if listed < _FEWEST_LISTED:
            self.unlisted[nuclide.name] = self.unlisted.get(nuclide.name, 0.0) + decays * (1.0 - listed)
        for mode in nuclide.decay_modes:
            if mode.daughter not in nuclide_names():
                continue
            daughter, arriving = radionuclide(mode.daughter), decays * mode.fraction
            if self.reason(daughter):
                self.left_out[daughter.name] = self.left_out.get(daughter.name, 0.0) + arriving
            else:
                constant = daughter.decay_constant_per_s
                rise = constant / (constant - self.parent.decay_constant_per_s)
                self.follow(daughter, arriving, ratio * mode.fraction * rise)

    def reason(self, daughter: Radionuclide) -> str:
        """Why a daughter is left out, '' where it is not."""
        if daughter.half_life_s >= self.parent.half_life_s:
            return f"it outlives {self.parent.name}"
        if self.limit_s is not None and daughter.half_life_s > self.limit_s:
            return f"the limit is {duration(self.limit_s)}"
        return "" if self.named is None or daughter.name in self.named else "it was not asked for"

    def why_not(self, name: str) -> str:
        if name in self.left_out:
            return f"There is no equilibrium: {self.reason(radionuclide(name))}."
        whole = _Walk(self.parent, None, None)
        whole.follow(self.parent, 1.0, 1.0)
        if name in whole.decays:
            return f"Name its mothers too; the chain is {', '.join(whole.decays)}."
        return f"The progeny that can be taken is: {', '.join(list(whole.decays)[1:]) or 'none'}."

    def left_out_lines(self) -> tuple[str, ...]:
        lines = [f"{name} ({number:.3g} a decay of {self.parent.name}, half-life "
                 f"{duration(radionuclide(name).half_life_s)}): {self.reason(radionuclide(name))}"
                 for name, number in self.left_out.items()]
        return (*lines, *(f"branches of {name} that ICRP 107 does not list ({number:.2g} a decay of {self.parent.name})"
                          for name, number in self.unlisted.items()))


def _assumption(members: tuple[ChainMember, ...], left_out: tuple[str, ...]) -> str:
    parent = members[0].nuclide
    end = f" Left out: {'; '.join(left_out)}." if left_out else ""
    if len(members) == 1:
        return f"{parent.name} is taken without progeny.{end}"
    shares = ", ".join(f"{member.nuclide.name} ({member.decays_per_parent_decay:.4g})" for member in members[1:])
    slowest = max(members[1:], key=lambda member: member.nuclide.half_life_s).nuclide
    return (f"{parent.name} is taken in equilibrium with its progeny, in decays per decay of {parent.name}: {shares}. "
            f"All of it is assumed to decay where {parent.name} decayed, none to be given, carried away or excreted by "
            f"itself; the slowest to come into equilibrium is {slowest.name} with a half-life of "
            f"{duration(slowest.half_life_s)}.{end}")
