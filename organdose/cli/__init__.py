"""The command line: one function a command, each building the same job that the windows build."""

from __future__ import annotations

import os
import sys

import typer

from organdose.cli.check_commands import benchmark, validate
from organdose.cli.ct_commands import ct_dose, protocol, scanners
from organdose.cli.mask_commands import compare_masks, extend, segment
from organdose.cli.nuclear_commands import internal_dose, nuclides
from organdose.cli.result_commands import compare, total
from organdose.cli.study_commands import demo, phantom, run
from organdose.cli.train_commands import app as train_app
from organdose.errors import Cancelled, InputError

app = typer.Typer(
    name="organdose", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Organ doses from CT, PET/CT and SPECT/CT studies. Research software, not a medical device.")
# In the order of the help.
for _command in (demo, phantom, segment, extend, ct_dose, internal_dose, protocol, total, compare, compare_masks,
                 validate, scanners, nuclides, run, benchmark):
    app.command(_command.__name__.replace("_", "-"))(_command)
app.add_typer(train_app, name="train")

# Newer typer brings its own copy of click, older ones use the package: this base of BadParameter is UsageError in both.
_UsageError = typer.BadParameter.__mro__[1]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. Exit status: 0 done, 2 bad input or usage, 130 cancelled, 1 anything else."""
    try:
        status = app(args=arguments, prog_name="organdose", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except InputError as error:
        _stop(f"organdose: {error}", 2)
    except _UsageError as error:
        told = error.format_message().rstrip(". ") or "no command given"
        _stop(f"organdose: {told}. See organdose --help.", 2)
    except (Cancelled, KeyboardInterrupt, typer.Abort):
        _stop("organdose: cancelled, nothing was written", 130)
    except MemoryError:
        # The operating system usually kills the process first; numpy's refusal of one large array ends here.
        _stop("organdose: not enough memory. Use larger dose voxels (--voxel-mm) or close other programs.", 1)
    except Exception as error:
        if os.environ.get("ORGANDOSE_DEBUG"):
            raise
        _stop(f"organdose: unexpected {type(error).__name__}: {error}. Set ORGANDOSE_DEBUG=1 to see where.",
              1)


def _stop(message: str, status: int) -> None:
    print(" ".join(message.split()), file=sys.stderr)
    sys.exit(status)
