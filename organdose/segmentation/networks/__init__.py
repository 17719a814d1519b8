"""Neural networks: the only place that knows torch and MONAI, imported when a network is used or trained."""
