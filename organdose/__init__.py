"""Personalised dosimetry from CT, PET/CT and SPECT/CT studies. Research software, not a medical device."""

__version__ = "0.1.0"
