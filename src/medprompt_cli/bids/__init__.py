"""The only code that knows file names: datasets, NIfTI and DICOM, derivatives."""
