"""Names under which results in the scene say what became of them; nothing else, so that windows can read it early."""

MASKS_CHANGED_ATTRIBUTE = "OrganDose.MasksChanged"  # of a table that cannot follow: why it no longer stands
