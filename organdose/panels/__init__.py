"""Pieces of window that the Slicer modules share. Qt through Slicer's `qt`, never at the cost of a frozen window."""
