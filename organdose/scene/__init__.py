"""The 3D Slicer scene: nodes from images, display, .mrb files; on slicer-core or in desktop Slicer."""
