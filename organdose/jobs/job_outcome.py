"""How far a job has come, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from organdose.errors import Cancelled, InputError, MissingFacts

# Libraries report exhausted memory as plain RuntimeError; these words are SimpleITK's, torch's, CUDA's and C++'s.
_OUT_OF_MEMORY = ("out of memory", "out_of_memory", "failed to allocate memory", "can't allocate memory", "bad_alloc",
                  "bad allocation")


class JobState(Enum):
    WAITING = "waiting"
    PREPARING = "preparing"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True)
class JobOutcome:
    """The end of a job: one clear line, and of what kind a failure was.

    `kind`: '' (done), 'input' (the user can mend it), 'missing-facts' (`missing_facts`: protocol key to explanation),
    'cancelled', 'memory' or 'crash'. `log` is a file for those who want to know more, only for the last two.
    """

    state: JobState
    message: str = ""
    kind: str = ""
    missing_facts: dict[str, str] = field(default_factory=dict)
    log: Path | None = None

    @property
    def is_surprise(self) -> bool:
        """A failure that its message does not explain in full: worth a log."""
        return self.kind in ("memory", "crash")


DONE = JobOutcome(JobState.DONE)
CANCELLED = JobOutcome(JobState.CANCELLED, "cancelled, nothing was written", "cancelled")


def outcome_of(error: BaseException) -> JobOutcome:
    """What an exception that ended a job means to its user."""
    if isinstance(error, (Cancelled, KeyboardInterrupt)):
        return CANCELLED
    if isinstance(error, MissingFacts):
        return JobOutcome(JobState.FAILED, str(error), "missing-facts", error.facts)
    if isinstance(error, InputError):
        return JobOutcome(JobState.FAILED, str(error), "input")
    if _is_out_of_memory(error):
        return JobOutcome(JobState.FAILED, "Not enough memory. Use larger voxels, close other programs, or leave the "
                                           "graphics card for the CPU.", "memory")
    if isinstance(error, ImportError) and not (error.name or "").startswith("organdose"):
        package = (error.name or "").partition(".")[0] or "a package"
        return JobOutcome(JobState.FAILED, f"{package} cannot be loaded by the Python that runs jobs ({_line(error)}). "
                                           "Open the self-check, it says what to install.", "input")
    return JobOutcome(JobState.FAILED, f"Unexpected {type(error).__name__}: {_line(error)}.", "crash")


def _is_out_of_memory(error: BaseException) -> bool:
    # torch's class is known by its name, so that nothing imports torch to ask.
    if isinstance(error, MemoryError) or any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _OUT_OF_MEMORY)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()).rstrip(".")[:300] or "without a message"
