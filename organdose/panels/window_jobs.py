"""The jobs of this Slicer: one queue, served by a timer, that ends with the scene and with the application."""

from __future__ import annotations

from collections.abc import Callable

_POLL_MS = 50
_shared: dict[str, object] = {}

INTERPRETER_SETTING = "OrganDose/JobInterpreter"  # path of a Python or environment; '' for Slicer's own


def submit(task: str, make_job: Callable, on_progress: Callable, on_end: Callable):
    """Put a job in the queue of this Slicer (see `JobQueue.submit`).

    Raises `InputError` when the Python chosen for jobs is none any more, or without room for the folder of the job.
    """
    queue = job_queue()
    queue.interpreter = job_interpreter()
    return queue.submit(task, make_job, on_progress, on_end)


def cancel(job) -> None:
    """Stop a job of the queue, wherever it stands, and tell at once."""
    job_queue().cancel(job)
    job_queue().poll()


def job_queue():
    """The `JobQueue` that all modules share."""
    if "queue" not in _shared:
        _start()
    return _shared["queue"]


def job_interpreter():
    """The Python that runs jobs, by the user's setting. Raises `InputError` when the one chosen is none any more."""
    import slicer

    from organdose.jobs.interpreter import Interpreter

    chosen = slicer.util.settingsValue(INTERPRETER_SETTING, "") or ""
    if _shared.get("chosen") != chosen:
        # Looking at another Python starts it: only when the setting changes.
        found = Interpreter.existing(chosen, slicer.util.startupEnvironment()) if chosen else Interpreter.own()
        _shared.update(interpreter=found, chosen=chosen)
    return _shared["interpreter"]


def _start() -> None:
    import qt
    import slicer

    from organdose.jobs.job_queue import JobQueue

    queue, timer = JobQueue(job_interpreter()), qt.QTimer()
    timer.setInterval(_POLL_MS)
    timer.timeout.connect(queue.poll)
    timer.start()
    # Results of a scene that is gone have nowhere to go.
    tag = slicer.mrmlScene.AddObserver(slicer.vtkMRMLScene.StartCloseEvent, lambda *_: queue.cancel_all())
    _shared.update(queue=queue, timer=timer, tag=tag)
    slicer.app.connect("aboutToQuit()", _stop)


def _stop() -> None:
    """The application ends, and the jobs with it."""
    import slicer

    _shared["timer"].stop()
    slicer.mrmlScene.RemoveObserver(_shared["tag"])
    _shared["queue"].close()
