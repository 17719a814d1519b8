"""Scanner and exposure to CT dose.

- The scan: `exposure` puts it together from `ctdivol_per_slice`, `scan_path`, `second_tube`, `additional_filter` and
  `exposure_checks`; `start_angles` samples what no header tells.
- The scanner: `scanner` finds a definition; `scanner_definition` and `scanner_measurements` say what is in one,
  `bowtie_fit` finds its equivalent filters, `scanner_report` sums it up.
- The X-ray source: `spectrum`, `bowtie`, `tube` and `tube_path` make an `xray_source`, whose photons `photon_emission`
  draws from `emission_tables`; `scanner_source` is that of a scanner.
- The absolute scale: `ctdi` is the phantom and its simulation, `calibrated_source` the source of a scan scaled by it.
- The patient: `patient_model` from `couch`, `contrast_medium` and the HU curve; `dose_grid`, and `scan_extension`
  beyond the images.
- The computation: `engines` lists them, `monte_carlo_engine` runs, `run_facts` goes into the record.
"""
