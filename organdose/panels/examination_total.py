"""The total of an examination: dose of the CT and of the radiopharmaceutical by organ, with the share of each."""

from __future__ import annotations


class ExaminationTotal:
    """Shows the total of the internal dose that the window shows and of a CT dose, in the module's .ui (`ui`).

    The table stands in the scene and goes with both organ tables.
    """

    def __init__(self, ui):
        from organdose.panels.number_table import NumberTable
        from organdose.panels.result_following import result_following

        self._ui, self._node, self._tables = ui, None, ()
        self.table = NumberTable(ui.totalTable, (130, 62, 52, 62, 62, 56, 56, 200), most_rows=14)
        ui.totalViewButton.clicked.connect(lambda *_: self._show_in_view())
        result_following().listen(self._table_changed)

    def stop(self) -> None:
        from organdose.panels.result_following import result_following

        result_following().unlisten(self._table_changed)

    def filter_selector(self) -> None:
        """Offer organ tables of CT doses only."""
        from organdose.panels.dose_results import RESULT_ATTRIBUTE

        self._ui.ctResultSelector.addAttribute("vtkMRMLTableNode", RESULT_ATTRIBUTE, "ct-dose")

    @staticmethod
    def only_ct_dose():
        """The organ table of the CT dose of the scene; None where there is none, or more than one to choose from."""
        from organdose.scene.ct_dose_scene import CTDoseScene

        found = CTDoseScene.in_scene()
        return found[0].organ_table if len(found) == 1 else None

    def show(self, ct_table, internal_table) -> None:
        """Show the total of these organ tables; None: nothing is chosen."""
        from organdose.scene.derived_tables import find_total, total_node

        self._node, self._tables = None, ()
        if ct_table is not None and internal_table is not None:
            self._tables = (ct_table, internal_table)
            self._node = find_total(*self._tables) or self._placed(total_node(*self._tables))
        self._fill()

    def _placed(self, node):
        from organdose.scene import subject_hierarchy

        if place := subject_hierarchy.parent_of(self._tables[1]):
            subject_hierarchy.put_under(place, [node])
        return node

    def _fill(self) -> None:
        from organdose.panels.job_panel import banner_style
        from organdose.scene.derived_tables import table_texts

        ui, there = self._ui, self._node is not None
        ui.totalTable.visible = ui.totalViewButton.visible = there
        stale = self._stale()
        ui.totalStatus.text = stale or ("" if there else
                                        "Choose the CT dose of the same patient; it is added to the result above.")
        ui.totalStatus.visible = bool(ui.totalStatus.text)
        ui.totalStatus.styleSheet = banner_style("stale" if stale else "")
        if there:
            headings, rows = table_texts(self._node)
            self.table.show([_short(heading) for heading in headings], rows)

    def _stale(self) -> str:
        """What the parts say against themselves, in one line."""
        from organdose.panels.result_following import STALE_ATTRIBUTES

        said = [f"{table.GetName()}: {table.GetAttribute(attribute)}." for table in self._tables
                for attribute in STALE_ATTRIBUTES if table.GetAttribute(attribute)]
        return f"Stale: {' '.join(said)}" if said else ""

    def _table_changed(self, table_node) -> None:
        if table_node in self._tables:
            self._fill()

    def _show_in_view(self) -> None:
        from organdose.scene.dose_result import DoseResult
        from organdose.scene.views import show_table_and_chart

        show_table_and_chart(self._node, self._tables[1].GetNodeReference(DoseResult.roles["dvh"]))


def _short(heading: str) -> str:
    """A heading in two lines, the unit below; the panel is narrow."""
    title, _, unit = heading.partition(" (")
    title = title.replace("Radiopharmaceutical", "Pharm.").replace("Uncertainty", "±")
    return f"{title}\n{unit.rstrip(')')}"
