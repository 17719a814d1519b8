"""From a dose map and masks to numbers: organ table, DVH, comparison of masks."""
