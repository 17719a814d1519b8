"""What was acquired: DICOM and NIfTI in, acquisition facts with their origin out."""
