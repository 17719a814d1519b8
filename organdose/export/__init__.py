"""Results for other people and programs: tables, pictures, report, DICOM SEG and RTSTRUCT."""
