"""How the CT of a generated patient looks: contrast phase, gut contents, texture, couch, thick slices, noise."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from organdose.anatomy.phantoms.ct_appearance import Couch
from organdose.anatomy.phantoms.media import media
from organdose.segmentation.network_labels import organ_values
from organdose.segmentation.training_patients import PatientVoxels, patient_voxels, variety

_FINE = 2  # fine voxels along each side of a voxel of the image
_GUT = ("stomach_contents", "bowel_contents", "gas")


@dataclass(frozen=True)
class GeneratedPatient:
    """CT (float32 HU) and label map (uint8, values of `network_labels.organ_values`) on one grid; what was drawn."""

    ct: sitk.Image
    labels: np.ndarray
    facts: dict[str, object]


def generate_patient(seed: int, spacing_mm: float = 4.0) -> GeneratedPatient:
    """The patient of `seed` in cubic voxels of `spacing_mm`; the same seed gives the same voxels.

    The image is the mean of eight finer voxels each (partial volume), the label the most frequent of the eight.
    Raises `InputError` for a seed below 1.
    """
    patient = patient_voxels(seed, spacing_mm / _FINE)
    rng = np.random.default_rng([seed, 21])
    hu = _table_hu(patient, rng)[patient.part, _with_cortex(patient)]
    _add_couch(hu, patient, spacing_mm / _FINE, rng)
    labels = _most_frequent(patient.part_labels[patient.part])
    hu = _mean_of_blocks(_thick_slices(hu, spacing_mm / _FINE, rng))
    _add_texture(hu, labels, spacing_mm, rng)
    hu = _noisy(hu, spacing_mm, rng)
    _round_field(hu, labels, spacing_mm, rng)
    return GeneratedPatient(_image(np.clip(hu, -1024, 3071), patient, spacing_mm), labels, asdict(patient.facts))


def _table_hu(patient: PatientVoxels, rng: np.random.Generator) -> np.ndarray:
    """HU (float32) of each (part, medium): media differ a little between patients, organs by the contrast phase."""
    table, known = variety(), media()
    sigma, bone = table["medium_sigma_hu"], rng.uniform(*table["bone_factor"])
    base = known.hu + np.array([rng.normal(0, sigma.get(name, sigma["other"])) for name in known.names], np.float32)
    for name in ("bone", "cortical_bone", "spongiosa"):
        base[known.number[name]] = known.hu[known.number[name]] * bone
    enhancement = table["phases"][patient.facts.phase]["hu"]
    factor = rng.uniform(*table["enhancement_factor"])
    for name, hu in enhancement.items():
        if name in known.number:
            base[known.number[name]] += factor * hu
    hu = np.tile(base, (256, 1)).astype(np.float32)
    blood = known.number["blood"]
    for number, name in enumerate(patient.part_names):
        if name in enhancement:
            hu[number, blood] = known.hu[blood] + factor * enhancement[name]
        hu[number] += np.float32(rng.normal(0, 3.0)) if number else 0
        for medium in _GUT:
            hu[number, known.number[medium]] = rng.uniform(*table["gut_contents_hu"][_contents(rng)])
    hu[:, known.number["air"]] = -1000
    return hu


def _contents(rng: np.random.Generator) -> str:
    shares = variety()["gut_contents_share"]
    return str(rng.choice(list(shares), p=np.array(list(shares.values())) / sum(shares.values())))


def _with_cortex(patient: PatientVoxels) -> np.ndarray:
    """Media with bone divided into a cortex one fine voxel thick and spongiosa."""
    number, medium = media().number, patient.medium.copy()
    bone = medium == number["bone"]
    disk = ndimage.generate_binary_structure(2, 1)[None]
    core = ndimage.binary_erosion(bone, disk)
    medium[bone] = number["cortical_bone"]
    medium[core] = number["spongiosa"]
    return medium


def _add_couch(hu: np.ndarray, patient: PatientVoxels, fine_mm: float, rng: np.random.Generator) -> None:
    body_rows = np.flatnonzero((patient.part > 0).any(axis=(0, 2)))
    if rng.random() > variety()["couch_share"] or body_rows.size == 0:
        return
    x_mm, y_mm = (np.arange(n) * fine_mm for n in (hu.shape[2], hu.shape[1]))
    x_mm = x_mm - x_mm.mean() + rng.normal(0, 8)
    plane = Couch(y_mm[body_rows[-1]] + rng.uniform(2, 10)).hu(x_mm, y_mm)
    outside = patient.part == 0
    for k in range(hu.shape[0]):
        hu[k][outside[k]] = np.maximum(hu[k], plane)[outside[k]]


def _thick_slices(hu: np.ndarray, fine_mm: float, rng: np.random.Generator) -> np.ndarray:
    """Averaged along z as by thick slices, blurred in the plane as by a soft kernel."""
    slice_mm, blur_mm = rng.choice(variety()["slice_mm"]), rng.uniform(*variety()["blur_mm"])
    hu = ndimage.uniform_filter1d(hu, max(1, round(float(slice_mm) / fine_mm)), axis=0, mode="nearest")
    sigma = blur_mm / 2.3548 / fine_mm
    return ndimage.gaussian_filter(hu, (0, sigma, sigma)) if sigma > 0.2 else hu


def _add_texture(hu: np.ndarray, labels: np.ndarray, spacing_mm: float, rng: np.random.Generator) -> None:
    """Uneven uptake and fat inside tissue: a smooth random field, not in air."""
    low, high = variety()["texture_hu"]
    coarse = [max(2, int(np.ceil(n * spacing_mm / rng.uniform(*variety()["texture_mm"])))) for n in hu.shape]
    field = rng.standard_normal(coarse, dtype=np.float32)
    field = ndimage.zoom(field, [n / m for n, m in zip(hu.shape, coarse)], order=1, mode="nearest", grid_mode=True)
    hu += np.where(labels > 0, rng.uniform(low, high) * field, 0).astype(np.float32)


def _noisy(hu: np.ndarray, spacing_mm: float, rng: np.random.Generator) -> np.ndarray:
    low, high = variety()["noise_hu"]
    noise = rng.standard_normal(hu.shape, dtype=np.float32)
    sigma = rng.uniform(0, 0.7)
    if sigma > 0.25:
        noise = ndimage.gaussian_filter(noise, (0, sigma, sigma))
        noise /= max(float(noise.std()), 1e-6)
    # Most scans are quiet on voxels this large; some are not.
    return hu + np.float32(low + (high - low) * rng.random() ** 2 * 4.0 / spacing_mm) * noise


def _round_field(hu: np.ndarray, labels: np.ndarray, spacing_mm: float, rng: np.random.Generator) -> None:
    """Nothing is known outside the round field of view, which is sometimes smaller than the patient."""
    narrow, (rows, columns) = variety()["narrow_field"], hu.shape[1:]
    widest = variety()["field_of_view_mm"] / spacing_mm
    diameter = rng.uniform(narrow["smallest"], 1.0) * columns if rng.random() < narrow["share"] else widest
    y, x = np.ogrid[:rows, :columns]
    outside = np.hypot(y - rows / 2 + rng.normal(0, 2), x - columns / 2 + rng.normal(0, 2)) > min(diameter, widest) / 2
    hu[:, outside], labels[:, outside] = -1024, 0


def _mean_of_blocks(fine: np.ndarray) -> np.ndarray:
    return _blocks(fine).mean(axis=(1, 3, 5), dtype=np.float32)


def _most_frequent(fine: np.ndarray) -> np.ndarray:
    """The value that most of each 2 x 2 x 2 voxels have; of those as frequent the one that comes first."""
    blocks = _blocks(fine)
    each = [blocks[:, i, :, j, :, k] for i in range(_FINE) for j in range(_FINE) for k in range(_FINE)]
    best, most = each[0].copy(), np.zeros(each[0].shape, np.uint8)
    for one in each:
        count = sum((one == other).astype(np.uint8) for other in each)
        better = count > most
        best[better], most[better] = one[better], count[better]
    return best


def _blocks(fine: np.ndarray) -> np.ndarray:
    """(z, 2, y, 2, x, 2) view; odd voxels at the ends are left out."""
    z, y, x = (n // _FINE for n in fine.shape)
    return fine[:_FINE * z, :_FINE * y, :_FINE * x].reshape(z, _FINE, y, _FINE, x, _FINE)


def _image(hu: np.ndarray, patient: PatientVoxels, spacing_mm: float) -> sitk.Image:
    image = sitk.GetImageFromArray(hu.astype(np.float32))
    image.SetSpacing((spacing_mm,) * 3)
    fine_mm = patient.reference.GetSpacing()[0]
    image.SetOrigin([origin + fine_mm * (_FINE - 1) / 2 for origin in patient.reference.GetOrigin()])
    return image


def organs_present(labels: np.ndarray) -> tuple[str, ...]:
    """The organs that have a voxel in a label map."""
    there = np.bincount(labels.ravel(), minlength=256) > 0
    return tuple(name for name, value in organ_values().items() if there[value])
