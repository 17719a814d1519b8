"""Published tables beside ours, and how fast we are. Run by `organdose validate` and `organdose benchmark`."""
