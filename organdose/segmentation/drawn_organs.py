"""Each organ of a segmentation cut out by its bounding box, so that no check touches the whole image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from organdose.anatomy.organ_masks import OrganMasks
from organdose.errors import InputError

Box = tuple[slice, slice, slice]


@dataclass
class DrawnOrgan:
    """One organ with voxels. `box` (z, y, x) is its bounding box in `image`."""

    name: str
    layer: int
    value: int
    box: Box
    image: DrawnImage

    @cached_property
    def mask(self) -> np.ndarray:
        """Boolean array (z, y, x) of the box."""
        return self.image.layers[self.layer][self.box] == self.value

    @cached_property
    def voxels(self) -> int:
        return int(np.count_nonzero(self.mask))

    @property
    def volume_ml(self) -> float:
        return self.voxels * self.image.voxel_ml

    @cached_property
    def mean_hu(self) -> float:
        return float(self.image.hu[self.box][self.mask].mean(dtype=np.float64))

    @cached_property
    def centroid(self) -> tuple[float, float, float]:
        """Centre of mass in voxels of the image (z, y, x)."""
        planes = (self.mask.sum(axis=tuple(a for a in range(3) if a != axis)) for axis in range(3))
        return tuple(side.start + float((along * np.arange(along.size)).sum() / along.sum())
                     for side, along in zip(self.box, planes))

    @property
    def centroid_mm(self) -> tuple[float, float, float]:
        return self.image.place_mm(self.centroid)

    @property
    def inside_mm(self) -> tuple[float, float, float]:
        """A voxel of the organ near its centre: a point to jump to that shows it even where it is curved."""
        k = round(self.centroid[0]) - self.box[0].start
        nearest = min(np.flatnonzero(self.mask.any(axis=(1, 2))), key=lambda plane: abs(plane - k))
        y, x = np.nonzero(self.mask[nearest])
        at = np.argmin((y + self.box[1].start - self.centroid[1])**2 + (x + self.box[2].start - self.centroid[2])**2)
        return self.in_box_mm((nearest, y[at], x[at]))

    def in_box_mm(self, voxel) -> tuple[float, float, float]:
        """LPS mm of a voxel (z, y, x) counted from the corner of the box."""
        return self.image.place_mm(tuple(float(at) + side.start for at, side in zip(voxel, self.box)))

    @property
    def ends(self) -> tuple[bool, bool]:
        """Whether it reaches the first and the last slice."""
        return self.box[0].start == 0, self.box[0].stop == self.image.shape[0]

    def forget(self) -> None:
        """Drop the boolean array: a hundred of them together would be as large as the image many times."""
        self.__dict__.pop("mask", None)


class DrawnImage:
    """The organs of a segmentation with the CT they are drawn on. `empty` names the organs without a voxel.

    Raises `InputError` when the masks lie on another grid than the CT.
    """

    def __init__(self, masks: OrganMasks, ct: sitk.Image):
        if ct.GetSize() != masks.reference.GetSize():
            raise InputError(f"the masks have {masks.reference.GetSize()} voxels, the CT {ct.GetSize()}",
                             mend="Use masks drawn on this CT.")
        self.ct, self.layers, self.shape = ct, masks.layers, masks.shape
        self.hu = sitk.GetArrayViewFromImage(ct)
        self.spacing_mm = tuple(reversed(ct.GetSpacing()))
        self.voxel_ml = math.prod(self.spacing_mm) / 1000
        boxes = [ndimage.find_objects(layer, max_label=255) for layer in masks.layers]
        self.organs = {name: DrawnOrgan(name, layer, value, boxes[layer][value - 1], self)
                       for name, (layer, value) in masks.segments.items() if boxes[layer][value - 1] is not None}
        self.empty = tuple(name for name in masks.names if name not in self.organs)

    @classmethod
    def of_boxes(cls, masks: OrganMasks, boxes: Mapping[str, Box]) -> DrawnImage:
        """Masks whose bounding boxes are known, without a CT: for checks of shape and place alone."""
        image = cls.__new__(cls)
        image.ct, image.layers, image.shape, image.hu = masks.reference, masks.layers, masks.shape, None
        image.spacing_mm = tuple(reversed(masks.reference.GetSpacing()))
        image.voxel_ml = math.prod(image.spacing_mm) / 1000
        image.organs = {name: DrawnOrgan(name, layer, value, boxes[name], image)
                        for name, (layer, value) in masks.segments.items() if name in boxes}
        image.empty = tuple(name for name in masks.names if name not in boxes)
        return image

    def place_mm(self, voxel: tuple[float, float, float]) -> tuple[float, float, float]:
        """LPS mm of a voxel (z, y, x; may be between voxels)."""
        return self.ct.TransformContinuousIndexToPhysicalPoint([float(at) for at in reversed(voxel)])

    @property
    def middle_mm(self) -> tuple[float, float, float]:
        return self.place_mm(tuple((size - 1) / 2 for size in self.shape))
