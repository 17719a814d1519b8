"""From a CT to organ masks: engines, and reading of masks that others drew."""
