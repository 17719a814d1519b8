"""One validated job description per task, run by every front door on the same code."""
