"""The section that compares the masks shown with a reference segmentation: the job, the table, the file."""

from __future__ import annotations

import shutil

from organdose.panels.job_panel import JobPanel, banner_style

_SHOWN = ("organ", "dice", "surface_dice", "hd95_mm", "volume_ml", "reference_volume_ml", "precision", "recall",
          "jaccard")
_HEADINGS = {"organ": "Organ", "dice": "Dice", "jaccard": "Jaccard", "precision": "Precision", "recall": "Recall",
             "hd95_mm": "HD95\nmm", "surface_dice": "Surface\nDice", "volume_ml": "Volume\nml",
             "reference_volume_ml": "Reference\nml"}
_WIDTHS = (120, 50, 58, 50, 62, 70, 66, 56)


class MaskComparison:
    """Works in the widget `place`, below the selector of the reference. `following` is the `MaskFollowing` of the masks
    shown."""

    def __init__(self, place, following):
        self._following = following
        self._test = self._reference = self._ct = self._node = None
        self._build(place)

    def stop(self) -> None:
        self.job.stop()

    def show(self, test, reference, ct) -> None:
        """Compare the segmentation `test` with `reference` on a CT, any of them None; show what there is of the two."""
        from organdose.scene.mask_comparison_node import find_mask_comparison

        self._test, self._reference, self._ct = test, reference, ct
        self.job.refuse(self._why_not())
        self._node = find_mask_comparison(test, reference) if test is not None and reference is not None else None
        self.show_state()

    def show_state(self) -> None:
        """The table, and whether it still is of the masks as they are."""
        from organdose.anatomy.organs import describe
        from organdose.scene.mask_comparison_node import comparison_rows, edited_since_comparison

        there = self._node is not None and self._node.GetScene() is not None
        rows = comparison_rows(self._node) if there else []
        self._table.show([_HEADINGS[name] for name in _SHOWN],
                         [[describe(row.organ).title, *(getattr(row, name) for name in _SHOWN[1:])] for row in rows],
                         keys=[row.organ for row in rows])
        self.table.visible = bool(rows)
        self.save_button.visible = bool(rows)
        now = {name: state.fingerprint for name, state in self._following.states.items()}
        stale = bool(rows and now and edited_since_comparison(self._node, now))
        self.note.text = "The masks were edited since they were compared: compare again." if stale else ""
        self.note.styleSheet = banner_style("stale" if stale else "")
        self.note.visible = stale

    def _build(self, place) -> None:
        import qt

        from organdose.panels.number_table import NumberTable

        self.job = JobPanel("Compare", self._run)
        self.note = qt.QLabel()
        self.note.objectName = "maskComparisonNote"
        self.note.wordWrap = True
        self.table = qt.QTableWidget()
        self.table.objectName = "maskComparisonTable"
        self._table = NumberTable(self.table, _WIDTHS, most_rows=10, digits=3)
        self.save_button = qt.QPushButton("Save table (CSV)...")
        self.save_button.objectName = "saveMaskComparisonButton"
        self.save_button.clicked.connect(lambda *_: self._save())
        for widget in (self.job.widget, self.note, self.table, self.save_button):
            place.layout().addWidget(widget)

    def _why_not(self) -> str:
        if self._test is None or self._ct is None:
            return "Choose CT and masks above."
        if self._reference is None:
            return "Choose the reference segmentation."
        return "The reference are the masks themselves: choose another segmentation." \
            if self._reference is self._test else ""

    def _run(self) -> None:
        test, reference, ct, masks = self._test, self._reference, self._ct, self._following.masks
        compared: dict[str, str] = {}

        def make_job(folder):
            from organdose.panels.mask_check import current_masks_steps
            from organdose.scene.job_files import masks_file_steps, masks_of_node_steps, staged

            drawn, fingerprints = yield from staged("Copying the masks", current_masks_steps(test, ct, masks))
            compared.update(fingerprints)
            yield from staged("Writing the masks", masks_file_steps(drawn, folder / "test.seg.nrrd"))
            known = yield from staged("Copying the reference", masks_of_node_steps(reference, ct))
            yield from staged("Writing the reference", masks_file_steps(known, folder / "reference.seg.nrrd"))
            return {"test": str(folder / "test.seg.nrrd"), "reference": str(folder / "reference.seg.nrrd"),
                    "out": str(folder / "comparison.csv")}

        def take(folder):
            from organdose.errors import InputError
            from organdose.export.mask_comparison_table import read_mask_comparison_csv
            from organdose.scene.mask_comparison_node import mask_comparison_node

            yield 0.5
            rows = read_mask_comparison_csv(folder / "comparison.csv")
            if test.GetScene() is None or reference.GetScene() is None:
                raise InputError("the masks were deleted while they were compared", mend="Compare again.")
            mask_comparison_node(rows, test, reference, compared)
            shutil.rmtree(folder, ignore_errors=True)
            self.show(self._test, self._reference, self._ct)
            return _headline(rows)

        self.job.run("compare-masks", make_job, take)

    def _save(self) -> None:
        import qt
        import slicer

        from organdose.errors import InputError
        from organdose.export.mask_comparison_table import write_mask_comparison_csv
        from organdose.scene.mask_comparison_node import comparison_rows

        path = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), "Save the comparison", "mask-comparison.csv",
                                              "Table (*.csv)")
        if not path:
            return
        try:
            write_mask_comparison_csv(path, comparison_rows(self._node))
            self.job.say(f"Written: {path}", "good")
        except InputError as error:
            self.job.say(str(error), "bad")


def _headline(rows) -> str:
    both = [row.dice for row in rows if row.dice == row.dice and row.volume_ml > 0]
    many = "1 organ" if len(both) == 1 else f"{len(both)} organs"
    missing = len([row for row in rows if row.dice == 0])
    line = f"Done: {many} in both, mean Dice {sum(both) / len(both):.3f}." if both else "Done: no organ is in both."
    return line + (f" {missing} of the reference not met." if missing else "")
