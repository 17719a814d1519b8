"""Python runs this at its start where this folder is on PYTHONPATH: the child processes of tests know one more task."""

from organdose.jobs.tasks import TASKS, Task

TASKS["sample"] = Task("sample", "sample_job", "SampleJob", "run_sample")
