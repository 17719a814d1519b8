"""Runs a package's command in a process that ends with the one that started it.

`python entry_point_child.py module:function ARGUMENTS...`, in any Python: nothing of this project is imported.
"""

import os
import signal
import sys
import threading
from importlib import import_module


def end_with_parent() -> None:
    """Standard input is a pipe from the parent; it closes when the parent is gone, however it went."""
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def watch() -> None:
        try:
            while os.read(pipe, 1024):
                pass
        except OSError:
            pass
        if os.name == "posix" and os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    # The folder of this file must not hide packages behind its own modules.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != here]
    end_with_parent()
    module, _, function = sys.argv[1].partition(":")
    sys.argv = [module, *sys.argv[2:]]
    sys.exit(getattr(import_module(module), function)())


if __name__ == "__main__":
    main()
