"""Make a virtual environment on a machine that has Python and nothing else.

    python3 tools/make_venv.py .venv

Debian splits ensurepip and pip off its python3 package; where they are missing pip's own wheel is taken from PyPI and
run from inside the new environment.
"""

import json
import subprocess
import sys
import tempfile
import urllib.request
import venv
from pathlib import Path
from urllib.parse import urljoin

PIP_JSON = "https://pypi.org/pypi/pip/json"


def main(folder: Path) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 (this script runs before anything is installed)
        sys.exit(f"organdose needs Python 3.11 or newer, this is {sys.version.split()[0]}. Set PYTHON=... for make.")
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        venv.create(folder, with_pip=False, clear=True)
        install_pip(folder)
    else:
        venv.create(folder, with_pip=True, clear=True)


def install_pip(folder: Path) -> None:
    with urllib.request.urlopen(PIP_JSON, timeout=60) as answer:
        files = json.load(answer)["urls"]
    wheel = next(file for file in files if file["packagetype"] == "bdist_wheel")
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / wheel["filename"]
        # A mirror may give the address relative to the page.
        with urllib.request.urlopen(urljoin(PIP_JSON, wheel["url"]), timeout=60) as answer:
            path.write_bytes(answer.read())
        subprocess.run([folder / "bin" / "python", path / "pip", "install", "--quiet", path], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
