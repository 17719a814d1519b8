"""A stand-in for the desktop Slicer: slicer-core holds the scene, PySide6 draws, this package joins and judges them.

It is a test tool. Python code of a module meets Qt only through proxies that behave as PythonQt does (`host.pythonqt`),
so that what PythonQt would refuse fails here too. Only what modules of this repository touch is covered.
"""

slot_errors: list[str] = []
"""Tracebacks of errors that Slicer would only print: in slots, in observers, in `enter` and `exit`."""
