"""A job that does what a test asks for: wait, die, leave processes behind."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from pydantic import BaseModel

from organdose.errors import MissingFacts
from organdose.progress import Progress


class SampleJob(BaseModel):
    what: str
    out: Path = Path("out")


def run_sample(job: SampleJob, progress: Progress) -> None:
    print("the sample job says hello")
    job.out.mkdir()
    (job.out / "half.nrrd").write_bytes(bytes(1000))
    Path(tempfile.mkdtemp(), "large").write_bytes(bytes(1000))
    progress.report("ready", 0.0)
    globals()[f"_{job.what}"](job, progress)
    progress.report("ready", 1.0)


def _write(job, progress):
    (job.out / "result.txt").write_text("whole")


def _wait(job, progress):
    for step in range(60_000):
        progress.report("waiting", step / 60_000, f"step {step}")
        time.sleep(0.002)


def _deaf(job, progress):
    """Does not look whether it should stop."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)


def _processes(job, progress):
    """One in the group of this process, one that left it."""
    sleep = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
    started = [subprocess.Popen(sleep), subprocess.Popen(sleep, start_new_session=True)]
    progress.report("started", 0.0, " ".join(str(each.pid) for each in started))


def _processes_and_wait(job, progress):
    _processes(job, progress)
    _wait(job, progress)


def _linger(job, progress):
    """A thread of some library does not let Python end."""
    threading.Thread(target=time.sleep, args=(600,)).start()


def _missing(job, progress):
    raise MissingFacts({"pitch": "helical pitch", "ctdivol_mgy": "CTDIvol in mGy"}, where="ct")


def _divide(job, progress):
    return 1 / 0


def _memory(job, progress):
    raise MemoryError


def _vanish(job, progress):
    print("libsomething: cannot go on", flush=True)
    os._exit(3)


def _segfault(job, progress):
    os.kill(os.getpid(), signal.SIGSEGV)
