"""Who answers for the masks that are shown: organ by organ automatic, edited or approved, and the buttons to sign."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from organdose.panels.job_panel import banner_style

REVIEWER_SETTING = "OrganDose/Reviewer"  # what the person who approves typed last
_HEADINGS = ("Organ", "Volume\nml", "Status", "Approved by")
_WIDTHS = (104, 58, 68, 60)  # pixels; the last one takes what is left
_NAME_NEEDED = "Type your name first: an approval says who answers for the mask."


class MaskReview:
    """Table of the organs, the reviewer's name, Approve and Withdraw, in a widget of its own.

    `on_chosen(name)`: an organ was clicked. `act(line_of)`: called for each review by a person; it makes the states
    current, saves an undo state, calls `line_of(masks)`, which writes the reviews and gives the line that says so.
    """

    def __init__(self, on_chosen: Callable[[str], None], act: Callable[[Callable], None]):
        self._on_chosen, self._act = on_chosen, act
        self._states, self._findings, self._unchecked, self._ids = {}, (), frozenset(), {}
        self._build()
        self._check()

    def show(self, states: Mapping[str, object], findings: Sequence, unchecked: Collection[str],
             complaint: str) -> None:
        """Show `MaskState`s by organ with the findings of the last check; `unchecked`: organs edited since, or all."""
        from organdose.anatomy.organs import describe

        self._states, self._findings, self._unchecked = states, findings, frozenset(unchecked)
        rows = []
        for name, state in states.items():
            rows.append((describe(name).title, state.volume_ml, status_word(state.review), _signature(state.review)))
        hints = [f"{row[0]}: {state.review.line if state.review else 'nobody knows how it was drawn'}"
                 for row, state in zip(rows, states.values())]
        self._table.show(_HEADINGS, rows, keys=list(states), hints=hints)
        self.table.resizeRowsToContents()  # long names and signatures take two lines
        self.table.visible = bool(rows)
        self.summary.text = complaint or _summary(states)
        self.summary.visible = bool(self.summary.text)
        self._check()

    def say(self, line: str, kind: str = "") -> None:
        self.status.text, self.status.styleSheet, self.status.visible = line, banner_style(kind), bool(line)

    def select(self, name: str) -> None:
        """Let the row of an organ be the chosen one; several chosen rows with it among them stay."""
        if name in self._table.selected() or name not in self._states:
            return
        import qt

        for row in range(self.table.rowCount):
            if self.table.item(row, 0).data(qt.Qt.UserRole) == name:
                was_blocked = self.table.blockSignals(True)
                self.table.selectRow(row)
                self.table.blockSignals(was_blocked)
        self._check()

    def _build(self) -> None:
        import qt
        import slicer

        from organdose.panels.number_table import NumberTable

        self.widget = qt.QWidget()
        column = qt.QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        self.summary, self.status, self.warning = (_line(name) for name in ("reviewSummary", "reviewStatus",
                                                                            "reviewWarning"))
        column.addWidget(self.summary)
        self.table = qt.QTableWidget()
        self.table.objectName = "reviewTable"
        self._table = NumberTable(self.table, _WIDTHS, most_rows=10)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.wordWrap = True
        self.table.visible = False
        column.addWidget(self.table)
        row = qt.QHBoxLayout()
        self.reviewer = qt.QLineEdit()
        self.reviewer.objectName = "reviewerEdit"
        self.reviewer.placeholderText = "your name"
        self.reviewer.text = slicer.util.settingsValue(REVIEWER_SETTING, "") or ""
        row.addWidget(qt.QLabel("Reviewer:"))
        row.addWidget(self.reviewer)
        column.addLayout(row)
        column.addWidget(self.warning)
        row = qt.QHBoxLayout()
        self.approve_button, self.approve_all_button, self.withdraw_button = (
            _button(text, name) for text, name in (("Approve", "approveButton"),
                                                   ("Approve all without findings", "approveAllButton"),
                                                   ("Withdraw", "withdrawButton")))
        for button in (self.approve_button, self.approve_all_button, self.withdraw_button):
            row.addWidget(button)
        column.addLayout(row)
        column.addWidget(self.status)
        self.reviewer.textChanged.connect(lambda *_: self._check())
        self.reviewer.editingFinished.connect(lambda *_: self._keep_name())
        self.table.itemSelectionChanged.connect(lambda *_: self._selection_changed())
        self.approve_button.clicked.connect(lambda *_: self._approve(self._table.selected()))
        self.approve_all_button.clicked.connect(lambda *_: self._approve(list(self._free()), all_free=True))
        self.withdraw_button.clicked.connect(lambda *_: self._withdraw(self._table.selected()))

    def _selection_changed(self) -> None:
        chosen = self._table.selected()
        self.say("")
        self._check()
        if len(chosen) == 1:
            self._on_chosen(chosen[0])

    def _check(self) -> None:
        """Which buttons can be pressed now, and why not; and what speaks against an approval."""
        chosen = self._table.selected()
        no_name = "" if self.reviewer.text.strip() else _NAME_NEEDED
        filled = [name for name in chosen if self._states[name].volume_ml]
        reason = no_name or ("" if chosen else "Choose one or more organs in the table.") or \
            ("" if len(filled) == len(chosen) else "A mask without voxels cannot be approved.")
        _enable(self.approve_button, reason, "You looked at the chosen masks and answer for them.")
        reason = no_name or ("" if self._free() else "No mask that was checked is without findings and not approved.")
        _enable(self.approve_all_button, reason, "Approve the masks in which the last check found nothing, not even "
                                                 "a note. Look at each of them first.")
        signed = [name for name in chosen if self._approved(name)]
        _enable(self.withdraw_button, "" if signed else "Choose an approved organ in the table.",
                "Take the approval of the chosen masks back.")
        self.warning.text = self._warning(chosen)
        self.warning.styleSheet = banner_style("bad")
        self.warning.visible = bool(self.warning.text)

    def _warning(self, chosen: Sequence[str]) -> str:
        from organdose.anatomy.organs import describe

        bad = [found for found in self._findings if found.organ in chosen and found.severity.value == "bad"
               and not self._approved(found.organ)]
        if not bad:
            return ""
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        return f"{describe(bad[0].organ).title} has a bad finding: {bad[0].reason}{more}."

    def _free(self) -> dict[str, object]:
        """What 'Approve all without findings' takes: checked as it is now, nothing found, not approved, not empty."""
        found = {finding.organ for finding in self._findings}
        return {name: state for name, state in self._states.items()
                if name not in found | self._unchecked and state.volume_ml and not self._approved(name)}

    def _approved(self, name: str) -> bool:
        review = self._states[name].review if name in self._states else None
        return review is not None and bool(review.approved_by)

    def _approve(self, names: list[str], *, all_free: bool = False) -> None:
        who = self.reviewer.text
        self._keep_name()

        def line_of(masks) -> tuple[str, str]:
            masks.approve(names, who)
            left = [name for name in masks.states if not self._approved(name) and name not in names]
            warning = "" if all_free else self._warning(names)
            line = f"{_organs(names)} approved by {' '.join(who.split())}."
            if all_free and left:
                line += f" {_organs(left)} left: findings, edited since the check, or empty."
            return f"{line} {warning}".strip(), "bad" if warning else "good"

        self._act(line_of)

    def _withdraw(self, names: list[str]) -> None:
        def line_of(masks) -> tuple[str, str]:
            signed = [name for name in names if self._approved(name)]
            masks.withdraw(signed)
            return f"{_organs(signed)}: approval withdrawn.", ""

        self._act(line_of)

    def _keep_name(self) -> None:
        import slicer

        slicer.app.settings().setValue(REVIEWER_SETTING, " ".join(self.reviewer.text.split()))


def status_word(review) -> str:
    """One word for a cell: 'approved', else how the mask was drawn; 'unknown' where nobody knows."""
    if review is None:
        return "unknown"
    return "approved" if review.approved_by else review.drawn.value


def _signature(review) -> str:
    if review is None or not review.approved_by:
        return ""
    day = review.approved_at
    return f"{review.approved_by}, {day[:4]}-{day[4:6]}-{day[6:8]}" if day else review.approved_by


def _summary(states: Mapping[str, object]) -> str:
    words: dict[str, int] = {}
    for state in states.values():
        word = status_word(state.review)
        words[word] = words.get(word, 0) + 1
    many = "1 organ" if len(states) == 1 else f"{len(states)} organs"
    return f"{many}: {', '.join(f'{number} {word}' for word, number in sorted(words.items()))}." if states else ""


def _organs(names: Sequence[str]) -> str:
    from organdose.anatomy.organs import describe

    return describe(names[0]).title if len(names) == 1 else f"{len(names)} organs"


def _enable(button, reason: str, hint: str) -> None:
    button.enabled = not reason
    button.toolTip = reason or hint


def _button(text: str, name: str):
    import qt

    button = qt.QPushButton(text)
    button.objectName = name
    return button


def _line(name: str):
    import qt

    label = qt.QLabel()
    label.objectName = name
    label.wordWrap = True
    label.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Preferred)  # else a long line widens the panel
    label.visible = False
    return label
