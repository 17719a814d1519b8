"""A small study with a dose map whose place and values are known."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import SimpleITK as sitk

from organdose.anatomy.organ_masks import OrganMasks
from organdose.assess.dvh import dose_volume_histograms
from organdose.assess.organ_dose import DoseVolumeHistogram, OrganDose
from organdose.assess.organ_table import organ_table
from organdose.assess.organ_weights import organ_weights
from organdose.dose_map import DoseMap
from organdose.study.facts import CTAcquisition, Fact, Origin


@dataclass
class ExampleStudy:
    """Box-shaped patient of 200 x 120 x 240 mm (x, y, z) with a few organs, one unknown, and a bright mark."""

    ct: sitk.Image
    masks: OrganMasks
    dose: DoseMap
    rows: list[OrganDose]
    dvhs: list[DoseVolumeHistogram]
    acquisition: CTAcquisition

    @property
    def slice_positions_mm(self) -> list[float]:
        return [self.ct.GetOrigin()[2] + self.ct.GetSpacing()[2] * k for k in range(self.ct.GetDepth())]


def _masks(ct: sitk.Image, body: np.ndarray) -> OrganMasks:
    masks, stretch = OrganMasks(ct, origin="drawn by the test"), len(body) / 48
    masks.add("body", body)
    for name, (z, y, x) in {"liver": (slice(24, 36), slice(8, 22), slice(12, 24)),
                            "kidney_left": (slice(18, 28), slice(20, 26), slice(38, 44)),
                            "kidney_right": (slice(16, 26), slice(20, 26), slice(16, 22)),
                            "sacrum": (slice(4, 10), slice(20, 26), slice(26, 34)),
                            "left_knob": (slice(30, 34), slice(24, 28), slice(46, 50))}.items():
        mask = np.zeros(body.shape, bool)
        mask[math.floor(z.start * stretch):math.ceil(z.stop * stretch), y, x] = True
        masks.add(name, mask)
    return masks


def _example(dose_mgy: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray], slices: int = 48) -> ExampleStudy:
    """`dose_mgy` is a function of z, y, x in mm (LPS)."""
    hu = np.full((slices, 36, 60), -1000, np.int16)  # 5 x 4 x 4 mm: 240 x 144 x 240 mm
    body = np.zeros(hu.shape, bool)
    body[:, 3:33, 5:55] = True
    hu[body] = 40
    hu[slices // 2:, 3:22, 5:30] = 300  # head, front, right
    ct = sitk.GetImageFromArray(hu)
    ct.SetSpacing((4.0, 4.0, 5.0))
    ct.SetOrigin((-120.0, -70.0, 1000.0))
    grid = sitk.Image([24, 15, slices // 2], sitk.sitkFloat32)
    grid.SetSpacing((10.0, 10.0, 10.0))
    grid.SetOrigin((-117.0, -67.0, 1002.5))
    axes = [grid.GetOrigin()[a] + 10.0 * np.arange(grid.GetSize()[a]) for a in (2, 1, 0)]
    values = np.broadcast_to(dose_mgy(*np.meshgrid(*axes, indexing="ij")), [len(a) for a in axes])
    image = sitk.GetImageFromArray(values.astype(np.float32))
    image.CopyInformation(grid)
    masks = _masks(ct, body)
    weights = organ_weights(masks, np.where(body, 1.0, 0.0012).astype(np.float32), grid, sex="M")
    dose = DoseMap(image, np.ones(values.shape, np.float32), "test engine",
                   organ_relative_uncertainty=dict.fromkeys(weights.names, 0.01))
    per_slice = tuple(float(v) for v in np.linspace(100, 300, slices))
    acquisition = CTAcquisition(
        tube_voltage_kv=Fact(120.0, Origin.header), ctdivol_mgy=Fact((8.5,), Origin.protocol, "from the console"),
        tube_current_ma=Fact(per_slice, Origin.header), ctdi_phantom_cm=Fact(32.0, Origin.derived),
        warnings=("the protocol's CTDIvol of 8.5 mGy replaces the header's 8.1 mGy",))
    return ExampleStudy(ct, masks, dose, organ_table(dose, weights), dose_volume_histograms(dose, weights), acquisition)


@pytest.fixture
def example_of() -> Callable[..., ExampleStudy]:
    return _example


@pytest.fixture(scope="session")
def example() -> ExampleStudy:
    """Dose that rises linearly from 2 mGy at the feet's end by 0.05 mGy a mm."""
    return _example(lambda z, y, x: 2.0 + 0.05 * (z - 1000.0))
