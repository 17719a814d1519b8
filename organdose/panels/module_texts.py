"""What the three modules say about themselves in Slicer's help."""

from __future__ import annotations

CONTRIBUTORS = ("The OrganDose developers",)
HOMEPAGE = "https://github.com/OrganDose/SlicerOrganDose"
RESEARCH = "Research software. Not a medical device. Not for clinical decisions."
ACKNOWLEDGEMENT = (
    "The method follows the SINFONIA project (Euratom research and training programme, grant 945196). "
    "OrganDose is published under the Apache 2.0 licence.")


def help_text(page: str, about: str) -> str:
    """The help of a module: what it is for, the warning, and a link to its page of the tutorial."""
    return (f"<p>{about}</p><p><b>{RESEARCH}</b></p>"
            f'<p>For more information see the <a href="{HOMEPAGE}/blob/main/docs/{page}.md">documentation</a>.</p>')
