"""The commands about radionuclides: internal dose, and what a decay emits."""

from __future__ import annotations

from typing import Annotated

import typer

from organdose.errors import InputError


def nuclides(name: Annotated[str | None, typer.Argument(
                 help="A radionuclide to show, such as Lu-177; without it those in common use.")] = None,
             every: Annotated[bool, typer.Option("--all", help="The names of all.")] = False) -> None:
    """Half-life, emissions and progeny of a radionuclide; energies per decay of those in common use."""
    from organdose.nuclear.nuclide_text import name_lines, nuclide_lines, nuclide_table

    if name is not None and every:
        raise InputError("a radionuclide and --all exclude each other", mend="Leave one of them out.")
    for line in name_lines() if every else nuclide_table() if name is None else nuclide_lines(name):
        typer.echo(line)
