"""How a CT would show a stylised patient: partial volume, blur, tube-current modulation, noise, couch, round field.

Nothing here is reconstructed: the noiseless HU are blurred in the plane and noise with the texture of filtered
backprojection is added, stronger where fewer photons arrive.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import fft, ndimage

from organdose.anatomy.phantoms.media import media
from organdose.anatomy.phantoms.stylised_phantom import ARMS_UP, Phantom
from organdose.anatomy.phantoms.voxelise import Labeller, body_back_mm, body_bounds_mm
from organdose.errors import InputError
from organdose.progress import Progress

FIELD_OF_VIEW_MM = 500.0
_WATER_PER_CM = 0.195  # attenuation coefficient of water for a 120 kV CT beam, 1/cm
_SUBSLICES = 3


@dataclass(frozen=True)
class ScanProtocol:
    """How the CT is taken. Defaults: a routine trunk scan of a generic 64-slice scanner, CTDIvol about 10 mGy.

    `mean_ctdivol_mgy` over the slices fixes the tube current through `ctdivol_per_100_mas_mgy` (a fixed number of the
    scanner: CTDIvol for an effective 100 mAs at 120 kV in the 32 cm phantom). `modulation` is the exponent of
    attenuation that the tube current follows (1 keeps the detector signal, 0 switches modulation off; clinical
    systems lie between). `noise_hu` is the standard deviation in the middle of 26 cm of water, 100 mAs effective, 5 mm.
    """

    tube_voltage_kv: float = 120.0
    rotation_time_s: float = 0.5
    pitch: float = 1.0
    total_collimation_mm: float = 40.0
    single_collimation_mm: float = 0.625
    ctdivol_per_100_mas_mgy: float = 7.0
    mean_ctdivol_mgy: float = 10.0
    modulation: float = 0.6
    noise_hu: float = 13.0
    blur_fwhm_mm: float = 1.4


@dataclass(frozen=True)
class SimulatedCT:
    """A CT series with what the header needs. Per-slice arrays run from feet to head.

    `image`: int16 HU, LPS, identity direction. `tube_current_ma` x `rotation_time_s` / pitch is the effective exposure
    `effective_mas`; `ctdivol_mgy` is that times the scanner's fixed CTDIvol per mAs.
    """

    image: sitk.Image
    part: np.ndarray
    medium: np.ndarray
    protocol: ScanProtocol
    water_equivalent_diameter_cm: np.ndarray
    tube_current_ma: np.ndarray
    couch_top_y_mm: float

    @property
    def effective_mas(self) -> np.ndarray:
        return self.tube_current_ma * self.protocol.rotation_time_s / self.protocol.pitch

    @property
    def ctdivol_mgy(self) -> np.ndarray:
        return self.effective_mas * self.protocol.ctdivol_per_100_mas_mgy / 100


def simulate_ct(phantom: Phantom, z_range_mm: tuple[float, float], *, slice_mm: float = 5.0,
                pixel_mm: float | None = None, pixels: int = 512, protocol: ScanProtocol | None = None,
                progress: Progress | None = None) -> SimulatedCT:
    """A CT of the phantom, arms up, `pixels` x `pixels` of `pixel_mm` (default: the field of view divided by `pixels`).

    `z_range_mm`: first and last slice centre. The same phantom (seed) gives the same image. Raises `InputError` when
    the body does not fit the field or the pixels make no image.
    """
    protocol, progress = protocol or ScanProtocol(), progress or Progress()
    pixel_mm = pixel_mm or FIELD_OF_VIEW_MM / pixels
    if not (pixels >= 16 and pixel_mm > 0 and slice_mm > 0 and z_range_mm[1] > z_range_mm[0]):
        raise InputError(f"no CT has {pixels} pixels of {pixel_mm} mm in slices of {slice_mm} mm from {z_range_mm[0]} "
                         f"to {z_range_mm[1]} mm", mend="Give positive sizes and a rising range.")
    plane_mm = (np.arange(pixels) - (pixels - 1) / 2) * pixel_mm
    count = int((z_range_mm[1] - z_range_mm[0]) / slice_mm + 1e-6) + 1
    z_mm = z_range_mm[0] + np.arange(count) * slice_mm
    couch = Couch(body_back_mm(phantom, ARMS_UP) + 4.0)
    hu, part, medium = _noiseless(phantom, plane_mm, z_mm, slice_mm, progress)
    diameter_cm = water_equivalent_diameter_cm(hu, pixel_mm)
    current_ma = _modulated_current_ma(diameter_cm, protocol)
    outside = np.hypot(*np.meshgrid(plane_mm, plane_mm)) > min(FIELD_OF_VIEW_MM, pixels * pixel_mm) / 2
    noise = _Noise(plane_mm, slice_mm, phantom.seed, protocol)
    couch_hu = couch.hu(plane_mm, plane_mm)

    def finish(k: int) -> None:
        plane = np.where(part[k] > 0, hu[k], np.maximum(hu[k], couch_hu))
        plane = ndimage.gaussian_filter(plane, protocol.blur_fwhm_mm / 2.3548 / pixel_mm)
        plane += noise.plane(k, diameter_cm[k], current_ma[k])
        plane[outside] = -1024
        hu[k] = np.clip(plane, -1024, 3071)

    _in_threads(finish, range(count), "CT image", progress)
    image = sitk.GetImageFromArray(np.rint(hu).astype(np.int16))
    image.SetSpacing((pixel_mm, pixel_mm, float(slice_mm)))
    image.SetOrigin((float(plane_mm[0]), float(plane_mm[0]), float(z_mm[0])))
    return SimulatedCT(image, part, medium, protocol, diameter_cm, current_ma, couch.top_y_mm)


def _noiseless(phantom, plane_mm, z_mm, slice_mm, progress):
    """(HU float32 averaged over the slice thickness, part and medium at the slice centre); computed around the body."""
    bounds = body_bounds_mm(phantom, ARMS_UP)
    if max(abs(edge) for side in bounds[:2] for edge in side) > FIELD_OF_VIEW_MM / 2:
        raise InputError("the patient is wider than the field of view", mend="Choose another seed.")
    columns, rows = (np.flatnonzero((plane_mm >= low - 2) & (plane_mm <= high + 2)) for low, high in bounds[:2])
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    labeller = Labeller(phantom, ARMS_UP)
    shape = (len(z_mm), len(plane_mm), len(plane_mm))
    hu = np.full(shape, -1000, np.float32)
    part, medium = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    offsets_mm = (np.arange(_SUBSLICES) - (_SUBSLICES - 1) / 2) * slice_mm / _SUBSLICES
    step = 6

    def label(k: int) -> None:
        fine_z = (z_mm[k:k + step, None] + offsets_mm).ravel()
        parts, media_there = labeller.label(plane_mm[box[1]], plane_mm[box[0]], fine_z)
        fine_hu = media().hu[media_there].reshape(-1, _SUBSLICES, *parts.shape[1:])
        hu[k:k + step, box[0], box[1]] = fine_hu.mean(axis=1)
        part[k:k + step, box[0], box[1]] = parts[_SUBSLICES // 2::_SUBSLICES]
        medium[k:k + step, box[0], box[1]] = media_there[_SUBSLICES // 2::_SUBSLICES]

    _in_threads(label, range(0, len(z_mm), step), "phantom in CT voxels", progress)
    return hu, part, medium


def _in_threads(work: Callable[[int], None], items: Sequence[int], stage: str, progress: Progress) -> None:
    """Do independent slices side by side (NumPy frees the interpreter's lock); stops soon after a cancellation."""
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        try:
            for done, _ in enumerate(pool.map(work, items)):
                progress.report(stage, done / len(items))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def water_equivalent_diameter_cm(hu: np.ndarray, pixel_mm: float) -> np.ndarray:
    """Diameter of the water disc that attenuates as much as each slice (AAPM Report 220, eq. 3d), array (slices,)."""
    water_cm2 = ((hu + 1000.0) / 1000.0).sum(axis=(1, 2), dtype=float) * (pixel_mm / 10) ** 2
    return 2 * np.sqrt(np.maximum(water_cm2, 0) / math.pi)


def _modulated_current_ma(diameter_cm: np.ndarray, protocol: ScanProtocol) -> np.ndarray:
    """Tube current of each slice in mA: exp(modulation mu d), smoothed as a turning tube must, scaled to CTDIvol."""
    wanted = np.exp(protocol.modulation * _WATER_PER_CM * (diameter_cm - diameter_cm.mean()))
    smooth = ndimage.gaussian_filter1d(wanted, 1.0, mode="nearest")
    mean_mas = 100 * protocol.mean_ctdivol_mgy / protocol.ctdivol_per_100_mas_mgy
    current = smooth / smooth.mean() * mean_mas * protocol.pitch / protocol.rotation_time_s
    return 2 * np.rint(current / 2)  # even, so that mA x 0.5 s is a whole number of mAs, as DICOM writes it


@dataclass(frozen=True)
class Couch:
    """A carbon-fibre couch: a shallow trough 43 cm wide, hard skin around foam. `top_y_mm`: its lowest point's top."""

    top_y_mm: float

    def hu(self, x_mm: np.ndarray, y_mm: np.ndarray) -> np.ndarray:
        """HU of the couch on a plane (y, x), -1000 elsewhere."""
        x, y = np.meshgrid(x_mm, y_mm)
        half_width, skin, thickness = 215.0, 2.5, 26.0
        top = self.top_y_mm - 18.0 * (x / half_width) ** 2
        bottom = self.top_y_mm + thickness - 24.0 * (x / half_width) ** 4
        there = (np.abs(x) <= half_width) & (y >= top) & (y <= bottom)
        inner = (np.abs(x) <= half_width - skin) & (y >= top + skin) & (y <= bottom - skin)
        return np.where(inner, -905.0, np.where(there, -180.0, -1000.0)).astype(np.float32)


class _Noise:
    """Noise planes with the spectrum of filtered backprojection: |f| times a Gaussian, unit variance before scaling."""

    def __init__(self, plane_mm: np.ndarray, slice_mm: float, seed: int, protocol: ScanProtocol):
        frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(len(plane_mm), plane_mm[1] - plane_mm[0])] * 2))
        shape = frequency * np.exp(-((frequency / 0.28) ** 2))
        self._filter = (shape / np.sqrt((shape**2).mean()))[:, :len(plane_mm) // 2 + 1].astype(np.float32)
        self._radius_mm = np.hypot(*np.meshgrid(plane_mm, plane_mm)).astype(np.float32)
        self._seed, self._protocol, self._slice_mm = seed, protocol, slice_mm

    def plane(self, k: int, diameter_cm: float, current_ma: float) -> np.ndarray:
        """Noise (HU, float32) of slice `k` for a body of this water-equivalent diameter."""
        generator = np.random.default_rng([self._seed, 11, k])
        size = len(self._radius_mm)
        white = generator.standard_normal((size, size), dtype=np.float32)
        texture = fft.irfft2(fft.rfft2(white) * self._filter, s=white.shape)
        p = self._protocol
        effective_mas = current_ma * p.rotation_time_s / p.pitch
        central = p.noise_hu * math.sqrt(math.exp(_WATER_PER_CM * (diameter_cm - 26)) * 100 / max(effective_mas, 1e-3)
                                         * 5 / self._slice_mm)
        half_chord_cm = np.sqrt(np.maximum((diameter_cm / 2) ** 2 - (self._radius_mm / 10) ** 2, 0))
        local = np.exp(0.5 * _WATER_PER_CM * (half_chord_cm - diameter_cm / 2))
        return texture * (central * np.maximum(local, 0.35)).astype(np.float32)
