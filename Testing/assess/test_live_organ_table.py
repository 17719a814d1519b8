"""A table that follows edits holds the numbers that the whole table would have, computed anew."""

import dataclasses
import math

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.anatomy.tissues import schneider2000
from organdose.assess import mask_changes, organ_weights_update
from organdose.assess.dvh import dose_volume_histograms
from organdose.assess.hu_density import HUDensity
from organdose.assess.live_organ_table import (
    BOUND_NOTE,
    EARLIER_MASK_NOTE,
    EMPTY_NOTE,
    LiveDose,
    LiveOrganTable,
)
from organdose.assess.mask_changes import KeptMasks
from organdose.assess.organ_dose import OrganDose
from organdose.assess.organ_table import organ_table
from organdose.assess.organ_weights import organ_weights
from organdose.assess.patient_grid import PatientGrid
from organdose.dose_map import DoseMap
from organdose.errors import InputError

SHAPE, SPACING_MM = (18, 26, 30), (2.0, 1.7, 3.1)  # z, y, x and x, y, z
NAMES = [field.name for field in dataclasses.fields(OrganDose) if field.name not in ("note", "uncertainty_percent")]


class Case:
    """A CT, a dose map that is no multiple of it, masks to draw on, and the table that follows them."""

    def __init__(self, drawing, ball, *, dose_mm=5.0, axes=(0, 1, 2), flips=(), known=(), uncertainty=None, **options):
        random = np.random.default_rng(11)
        self.axes, self.flips = axes, flips
        self.hu = random.integers(-900, 1200, SHAPE).astype(np.int16)
        counts = [math.ceil(n * s / dose_mm) for n, s in zip(reversed(SHAPE), SPACING_MM)]
        self.dose_mgy = random.gamma(4, 2, counts[::-1]).astype(np.float32)
        self.uncertainty = uncertainty and random.uniform(0.01, 0.2, counts[::-1]).astype(np.float32)
        self.ct = self._image(SHAPE, SPACING_MM)
        self.dose_grid = self._image(counts[::-1], [dose_mm] * 3, self.ct.GetOrigin(), SPACING_MM)
        body, liver = ball(SHAPE, (9, 13, 15), 12), ball(SHAPE, (9, 12, 9), 5)
        left, right = ball(SHAPE, (6, 18, 18), 3), ball(SHAPE, (12, 18, 20), 3)
        labels, outline = np.zeros((2, *SHAPE), np.uint8)
        for value, mask in enumerate((liver, left, right), start=1):
            labels[mask] = value
        outline[body] = 1
        self.drawing = drawing([self.stored(labels), self.stored(outline)], {
            "liver": (0, 1), "kidney_left": (0, 2), "kidney_right": (0, 3), "body": (1, 1)})
        self.kept = KeptMasks(self.grid.stored_shape)
        self.live = self.table(self.kept, known=known, **options)
        self.rows, self.histograms = {}, {}

    def _image(self, shape, spacing_mm, origin_mm=(-20.5, -31.0, -400.25), first_mm=None):
        image = sitk.Image([int(n) for n in reversed(shape)], sitk.sitkFloat32)
        image.SetSpacing([float(s) for s in spacing_mm])
        image.SetOrigin([o + (s - f) / 2 for o, s, f in zip(origin_mm, spacing_mm, first_mm or spacing_mm)])
        return image

    def stored(self, array):
        """As a CT whose axes run otherwise would store it."""
        return np.ascontiguousarray(np.flip(array, self.flips).transpose(self.axes))

    def seen(self, stored):
        return np.flip(stored.transpose(np.argsort(self.axes)), self.flips)

    @property
    def grid(self):
        """Of the stored CT, as a volume node would tell it."""
        ends = self.ct.TransformIndexToPhysicalPoint([n - 1 for n in self.ct.GetSize()])
        origin = [end if 2 - axis in self.flips else start
                  for axis, (start, end) in enumerate(zip(self.ct.GetOrigin(), ends))]
        direction = np.zeros((3, 3))
        for stored_axis, axis in enumerate(self.axes):
            direction[2 - axis, 2 - stored_axis] = -1 if axis in self.flips else 1
        spacing = [SPACING_MM[2 - axis] for axis in self.axes][::-1]
        return PatientGrid.of(origin, spacing, direction, [SHAPE[axis] for axis in self.axes][::-1])

    def table(self, kept, dose_mgy=None, **options):
        dose = LiveDose.of(_grid_of(self.dose_grid), self.dose_mgy if dose_mgy is None else dose_mgy, self.uncertainty)
        grid = self.grid
        density = HUDensity(grid.turned(self.stored(self.hu)), schneider2000())
        return LiveOrganTable(dose, grid, density, kept, **options)

    def follow(self, live=None):
        """Names of the rows updated; the rows are taken over."""
        names = []
        for step in (live or self.live).follow(self.drawing):
            assert 0 <= step.fraction <= 1
            for update in step.updates:
                names.append(update.name)
                self.rows[update.name], self.histograms[update.name] = update.row, update.histogram
        self.rows = {name: row for name, row in self.rows.items() if row is not None}
        return names

    def masks(self):
        """What is drawn now, without what is empty."""
        masks = OrganMasks(self.ct, notes=self.drawing.notes)
        for name, (layer, value) in self.drawing.segments.items():
            whole = np.zeros(self.grid.stored_shape, np.uint8)
            labels, corner = self.drawing.layer(layer)
            whole[tuple(slice(c, c + n) for c, n in zip(corner, labels.shape))] = labels
            if (whole == value).any():
                masks.add(name, self.seen(whole == value))
        return masks

    def assert_as_computed_anew(self, sex=""):
        dose_mgy = sitk.GetImageFromArray(self.dose_mgy)
        dose_mgy.CopyInformation(self.dose_grid)
        dose = DoseMap(dose_mgy, np.ones_like(self.dose_mgy), "test")
        weights = organ_weights(self.masks(), schneider2000().density_g_cm3(self.hu), self.dose_grid, sex=sex)
        wanted = {row.organ: row for row in organ_table(dose, weights)}
        drawn = {name: row for name, row in self.rows.items() if EMPTY_NOTE not in row.note}
        assert sorted(drawn) == sorted(wanted)
        for name, row in wanted.items():
            for field in NAMES:
                ours, theirs = getattr(drawn[name], field), getattr(row, field)
                assert ours == theirs or (math.isnan(ours) and math.isnan(theirs)), (name, field)
        for histogram in dose_volume_histograms(dose, weights):
            ours = self.histograms[histogram.organ]
            assert np.array_equal(ours.dose_mgy, histogram.dose_mgy)
            assert np.array_equal(ours.volume_percent, histogram.volume_percent)


def _grid_of(image):
    return PatientGrid.of(image.GetOrigin(), image.GetSpacing(), image.GetDirection(), image.GetSize())


@pytest.fixture
def small_steps(monkeypatch):
    """Slabs so thin that everything takes many steps."""
    for module in (mask_changes, organ_weights_update):
        monkeypatch.setattr(module, "_SLAB_VOXELS", 700)


@pytest.fixture
def case(drawing, ball):
    def make(**options):
        made = Case(drawing, ball, **options)
        made.follow()
        return made

    return make


def test_the_first_time_all_rows_are_those_of_the_table_small_organs_first(drawing, ball):
    case = Case(drawing, ball)
    names = case.follow()
    assert set(names) == {"liver", "kidney_left", "kidney_right", "kidneys", "body", "remainder"}
    assert names.index("liver") < names.index("body") < names.index("remainder")
    case.assert_as_computed_anew()


def test_only_the_rows_that_an_edit_reaches_are_computed(case):
    case = case()
    case.drawing.layers[0][5, 17:19, 18] = 0
    assert case.follow() == ["kidney_left", "kidneys", "remainder"]
    case.assert_as_computed_anew()


def test_without_an_edit_nothing_is_computed(case):
    assert case().follow() == []


def _random_edit(drawing, random):
    layer = drawing.layers[random.integers(len(drawing.layers))]
    values = [v for n, (k, v) in drawing.segments.items() if drawing.layers[k] is layer]
    start = [random.integers(0, n - 2) for n in layer.shape]
    box = tuple(slice(s, s + random.integers(1, 7)) for s in start)
    value = random.choice(values)
    kind = random.integers(4)
    if kind == 0:
        layer[box] = value  # painted, over others too
    elif kind == 1:
        layer[box][layer[box] == value] = 0  # erased
    elif kind == 2:
        layer[(layer == value) & (np.roll(layer, 1, axis=random.integers(3)) != value)] = 0  # shrunk
    else:
        layer[(layer == 0) & (np.roll(layer, 1, axis=random.integers(3)) == value)] = value  # grown


@pytest.mark.parametrize(("axes", "flips"), [((0, 1, 2), ()), ((0, 1, 2), (1, 2)), ((2, 0, 1), (0,)), ((1, 2, 0), ())])
def test_after_any_edits_all_numbers_are_those_computed_anew(case, small_steps, axes, flips):
    """Axes as in CTs stored otherwise: flipped, sagittal, coronal."""
    case, random = case(axes=axes, flips=flips), np.random.default_rng(sum(axes[:2]) + len(flips))
    case.assert_as_computed_anew()
    for _ in range(25):
        for _ in range(random.integers(1, 4)):
            _random_edit(case.drawing, random)
        case.follow()
        case.assert_as_computed_anew()


def test_organs_that_come_and_go_change_their_groups_and_the_remainder(case):
    case = case()
    del case.drawing.segments["kidney_left"]
    case.drawing.layers[0][case.drawing.layers[0] == 2] = 0
    case.follow()
    assert case.rows["kidneys"].note == "without kidney_left (not drawn)"
    case.assert_as_computed_anew()
    case.drawing.layers.append(np.zeros_like(case.drawing.layers[0]))
    case.drawing.corners.append((0, 0, 0))
    case.drawing.layers[2][3:6, 5:8, 5:12] = 9
    case.drawing.segments |= {"spleen": (2, 9)}
    assert case.follow() == ["spleen", "remainder"]
    case.assert_as_computed_anew()


def test_a_group_that_is_drawn_itself_takes_the_place_of_its_members(case):
    case = case()
    case.drawing.layers[1][4:9, 4:9, 4:9] = 7
    case.drawing.segments["kidneys"] = (1, 7)
    assert "kidneys" in case.follow()
    case.assert_as_computed_anew()
    del case.drawing.segments["kidneys"]
    assert "kidneys" in case.follow()
    case.assert_as_computed_anew()


def test_a_renamed_organ_has_its_row_under_the_new_name(case):
    case = case()
    case.drawing.segments["spleen"] = case.drawing.segments.pop("liver")
    case.follow()
    assert "liver" not in case.rows
    case.assert_as_computed_anew()


def test_a_move_to_another_layer_computes_nothing(case):
    case = case()
    first = case.drawing.layers[0]
    own = np.where(first == 1, 5, 0).astype(np.uint8)
    first[first == 1] = 0
    case.drawing.layers.insert(0, own)
    case.drawing.corners.append((0, 0, 0))
    case.drawing.segments = {"liver": (0, 5), "kidney_left": (1, 2), "kidney_right": (1, 3), "body": (2, 1)}
    assert case.follow() == []
    case.drawing.layers[0][9, 12, 9] = 0
    assert case.follow() == ["liver", "remainder"]
    case.assert_as_computed_anew()


def test_a_move_with_an_edit_computes_what_was_edited(case):
    case = case()
    first = case.drawing.layers[0]
    own = np.where(first == 1, 1, 0).astype(np.uint8)
    own[5:9, 14:18, 14:20] = 1  # over a kidney: now they overlap
    first[first == 1] = 0
    case.drawing.layers.append(own)
    case.drawing.corners.append((0, 0, 0))
    case.drawing.segments["liver"] = (2, 1)
    assert case.follow() == ["liver", "remainder"]
    case.assert_as_computed_anew()


def test_a_label_map_smaller_than_the_ct_is_zero_elsewhere(case):
    case = case()
    case.drawing.layers[0] = case.drawing.layers[0][3:15, 6:24, 3:25].copy()
    case.drawing.corners[0] = (3, 6, 3)
    case.follow()
    case.assert_as_computed_anew()
    case.drawing.layers[0][-1] = 1
    case.follow()
    case.assert_as_computed_anew()
    case.drawing.layers[0] = case.drawing.layers[0][:, 4:].copy()
    case.drawing.corners[0] = (3, 10, 3)
    case.follow()
    case.assert_as_computed_anew()


def test_an_organ_that_has_become_empty_keeps_its_row_and_says_so(case):
    case = case()
    liver = case.drawing.layers[0] == 1
    case.drawing.layers[0][liver] = 0
    assert set(case.follow()) == {"liver", "remainder"}
    row = case.rows["liver"]
    assert row.note == EMPTY_NOTE
    assert (row.volume_ml, row.mass_g, row.uncertainty_percent) == (0, 0, None)
    assert math.isnan(row.mean_mgy) and math.isnan(row.in_image_percent)
    assert case.histograms["liver"] is None
    case.assert_as_computed_anew()
    case.drawing.layers[0][liver] = 1
    case.follow()
    case.assert_as_computed_anew()
    case.drawing.layers[0][liver] = 0
    case.follow()
    del case.drawing.segments["liver"]
    assert case.follow() == ["liver"]
    assert "liver" not in case.rows


def test_a_new_segment_without_voxels_gets_no_row_until_it_is_drawn(case):
    case = case()
    case.drawing.segments["spleen"] = (0, 4)
    assert case.follow() == []
    case.drawing.layers[0][2:4, 13, 13] = 4
    assert case.follow() == ["spleen", "remainder"]
    case.assert_as_computed_anew()


def test_the_remainder_goes_when_nothing_is_left_of_the_body(case):
    case = case()
    case.drawing.layers[0][case.drawing.layers[1] == 1] = 1
    case.follow()
    assert "remainder" not in case.rows
    case.assert_as_computed_anew()


def test_two_dose_maps_follow_one_drawing(case, small_steps):
    case = case()
    other_mgy = case.dose_mgy[::-1].copy()
    other = case.table(case.kept, other_mgy)
    assert len(case.follow(other)) == 6
    case.drawing.layers[0][9, 10:14, 9] = 0
    by_turns = [case.live.follow(case.drawing), other.follow(case.drawing)]
    names = [[], []]
    while by_turns[0] or by_turns[1]:
        for which, steps in enumerate(by_turns):
            step = steps and next(steps, None)
            by_turns[which] = steps if step else None
            names[which] += [update.name for update in step.updates] if step else []
    assert names == [["liver", "remainder"]] * 2


def test_a_newer_edit_that_another_table_began_to_follow_is_taken_over_whole(case, small_steps):
    """Wherever the other one stopped, and so too when it had read an organ but not yet found its smaller box."""
    for stopped in range(0, 60, 2):
        one = case()
        other = one.table(one.kept)
        one.drawing.layers[0][0:5, 12, 9] = 1  # to the first slice
        one.follow(other)
        one.follow()
        one.drawing.layers[0][5, 17:19, 18] = 0
        steps = one.live.follow(one.drawing)
        while not next(steps).waiting:
            pass
        one.drawing.layers[0][0:5, 12, 9] = 0
        others = other.follow(one.drawing)
        for _ in range(stopped):
            next(others, None)
        for step in steps:
            for update in step.updates:
                one.rows[update.name], one.histograms[update.name] = update.row, update.histogram
        others.close()
        one.follow()
        one.assert_as_computed_anew()


def test_work_that_was_left_is_finished_the_next_time_after_another_edit_too(case, small_steps):
    case = case()
    for edit in range(40):
        case.drawing.layers[0][edit % 18, 10:14, 9 + edit % 5] = 1 + edit % 3
        case.drawing.layers[1][edit % 18, 2:5, 3 + edit % 5] = edit % 2
        steps = case.live.follow(case.drawing)
        for _ in range(7 * edit % 60):
            step = next(steps, None)
            for update in step.updates if step else ():
                case.rows[update.name], case.histograms[update.name] = update.row, update.histogram
        steps.close()
    case.follow()
    case.assert_as_computed_anew()


def _known(case, **changes):
    return [dataclasses.replace(row, uncertainty_percent=1.5, **changes) for row in case.rows.values()]


def test_the_engines_uncertainty_is_kept_and_said_to_be_of_the_mask_before_the_edit(case, drawing, ball):
    known = _known(case())
    edited = Case(drawing, ball, known=known)
    edited.follow()
    assert EARLIER_MASK_NOTE not in edited.rows["liver"].note
    assert edited.rows["liver"].uncertainty_percent == 1.5
    before = edited.drawing.layers[0].copy()
    edited.drawing.layers[0][9, 10:14, 9] = 0
    edited.follow()
    assert edited.rows["liver"].uncertainty_percent == 1.5
    assert EARLIER_MASK_NOTE in edited.rows["liver"].note
    assert EARLIER_MASK_NOTE not in edited.rows["kidneys"].note
    edited.drawing.layers[0][...] = before
    edited.follow()
    assert EARLIER_MASK_NOTE not in edited.rows["liver"].note


def test_a_note_of_an_earlier_edit_stays(case, drawing, ball):
    again = Case(drawing, ball, known=_known(case(), note=EARLIER_MASK_NOTE))
    again.follow()
    assert EARLIER_MASK_NOTE in again.rows["liver"].note


def test_an_organ_drawn_later_gets_the_upper_bound_of_the_voxels_uncertainties(case, drawing, ball):
    known = [row for row in _known(case()) if row.organ != "liver"]
    drawn = Case(drawing, ball, known=known, uncertainty=True)
    drawn.follow()
    row = drawn.rows["liver"]
    assert BOUND_NOTE in row.note
    weights = organ_weights(drawn.masks(), schneider2000().density_g_cm3(drawn.hu), drawn.dose_grid)
    indices, mass_g, _ = weights.row("liver")
    imparted = mass_g * drawn.dose_mgy.ravel()[indices]
    assert row.uncertainty_percent == pytest.approx(
        100 * (imparted * drawn.uncertainty.ravel()[indices]).sum() / imparted.sum())
    assert drawn.rows["kidneys"].uncertainty_percent == 1.5


def test_without_a_map_of_uncertainties_none_is_stated(case):
    assert all(row.uncertainty_percent is None for row in case().rows.values())


def test_rows_not_asked_for_stay_away_but_organs_drawn_later_come(drawing, ball):
    case = Case(drawing, ball, organs=("liver",))
    assert case.follow() == ["liver"]
    case.drawing.segments["spleen"] = (0, 4)
    case.drawing.layers[0][2:4, 13, 13] = 4
    assert case.follow() == ["spleen"]


def test_the_part_of_an_organ_without_dose_is_told(drawing, ball):
    case = Case(drawing, ball)
    case.dose_mgy[:, :, :3] = 0
    case.live = case.table(case.kept)
    case.follow()
    assert "% of the organ lies outside the computed dose" in case.rows["liver"].note
    assert "outside the computed dose" not in case.rows["kidney_right"].note


def test_an_organ_that_sticks_out_of_the_dose_map_says_so_and_does_not_stop_the_others(drawing, ball):
    case = Case(drawing, ball)
    grid = _grid_of(case.dose_grid)
    small = dataclasses.replace(grid, shape=(grid.shape[0], grid.shape[1], 4))  # 20 of 60 mm along x
    case.live = LiveOrganTable(LiveDose.of(small, case.dose_mgy[:, :, :4]), case.grid,
                               HUDensity(case.grid.turned(case.hu), schneider2000()), case.kept)
    case.follow()
    assert "% of the organ lies outside the dose map" in case.rows["liver"].note
    right = case.rows["kidney_right"]
    assert right.note == "100 % of the organ lies outside the dose map"
    assert math.isnan(right.mean_mgy)


def test_a_cut_organ_is_judged_by_the_reference_mass_of_the_sex(drawing, ball):
    shown = {}
    for sex in ("M", "F"):
        case = Case(drawing, ball, sex=sex)
        case.drawing.layers[0][0, 10, 9] = 1
        case.follow()
        case.assert_as_computed_anew(sex)
        shown[sex] = case.rows["liver"].in_image_percent
    assert shown["F"] > shown["M"]


def test_masks_of_another_size_are_refused(case):
    with pytest.raises(InputError, match="different numbers of voxels"):
        case().table(KeptMasks((3, 4, 5)))
