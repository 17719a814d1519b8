"""The widgets of a module's .ui bound to its parameter node."""

from __future__ import annotations

_PROPERTY = "SlicerParameterName"


def bind(parameters, ui) -> int:
    """Bind the children `ui` that name a parameter in their .ui; gives the tag for `disconnectGui`.

    Not `parameters.connectGui(ui)`: that gives no tag in Slicer 5.13, so that a window could never let go of a node.
    """
    named = {widget.property(_PROPERTY): widget for widget in vars(ui).values() if widget.property(_PROPERTY)}
    return parameters.connectParametersToGui(named)
