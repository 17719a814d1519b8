"""Half-lives as people read them."""

from __future__ import annotations

_UNITS = (("y", 365.2422 * 86400.0), ("d", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3))


def duration(seconds: float) -> str:
    """'6.647 d', '109.8 min', '0.0037 ms': the largest unit that gives at least 2 of it."""
    unit, length_s = next((pair for pair in _UNITS if seconds >= 2.0 * pair[1]), _UNITS[-1])
    return f"{seconds / length_s:.4g} {unit}"
