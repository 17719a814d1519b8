"""Scanner and exposure to CT dose: spectra, bowtie, source path, CTDI calibration, engines."""
