"""The embedded test patient: a stylised adult written as a PET/CT study with the truth beside it."""

from __future__ import annotations

import datetime
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from organdose import __version__
from organdose.anatomy.phantoms.ct_appearance import SimulatedCT, simulate_ct
from organdose.anatomy.phantoms.fdg_uptake import UPTAKE_FRACTION, VOIDED_FRACTION, FDGStudy, activity_map, fdg_study
from organdose.anatomy.phantoms.media import media
from organdose.anatomy.phantoms.pet_appearance import simulate_pet
from organdose.anatomy.phantoms.stylised_phantom import ARMS_UP, Phantom, load_phantom
from organdose.anatomy.phantoms.variation import vary
from organdose.anatomy.phantoms.voxelise import VoxelPhantom, body_bounds_mm
from organdose.errors import InputError
from organdose.export.dicom_ct_series import write_ct_series
from organdose.export.dicom_identity import StudyIdentity
from organdose.export.dicom_pet_series import write_pet_series
from organdose.export.dicom_seg import write_dicom_seg
from organdose.export.image_file import write_image
from organdose.export.rtstruct import write_rtstruct
from organdose.export.seg_nrrd import write_seg_nrrd
from organdose.progress import Progress
from organdose.study.ct_study import CTStudy

REGIONS = ("trunk", "whole-body")
_FIRST_LINE = "OrganDose phantom study: generated, not a person. Research only."


@dataclass(frozen=True)
class PhantomStudyPaths:
    """Where the parts of a phantom study lie."""

    folder: Path

    @property
    def ct(self) -> Path:
        return self.folder / "ct"

    @property
    def pet(self) -> Path:
        return self.folder / "pet"

    @property
    def truth(self) -> Path:
        return self.folder / "truth"

    @property
    def rtstruct(self) -> Path:
        return self.truth / "masks.rtstruct.dcm"

    @property
    def dicom_seg(self) -> Path:
        return self.truth / "masks.seg.dcm"

    @property
    def seg_nrrd(self) -> Path:
        return self.truth / "masks.seg.nrrd"

    @property
    def activity(self) -> Path:
        return self.truth / "activity_bq_per_ml.nrrd"

    @property
    def facts(self) -> Path:
        return self.truth / "facts.json"

    @property
    def readme(self) -> Path:
        return self.folder / "README.txt"


def write_phantom_study(name: str, folder: Path | str, *, seed: int = 0, slice_mm: float = 5.0,
                        pixel_mm: float | None = None, pixels: int = 512, region: str = "trunk",
                        z_range_mm: tuple[float, float] | None = None,
                        progress: Progress | None = None) -> PhantomStudyPaths:
    """Write a CT series, a PET series and the truth of the patient `seed` of 'adult-male' or 'adult-female'.

    `region`: 'trunk' (neck to mid-thigh) or 'whole-body' (head to mid-thigh); `z_range_mm` replaces it by the slices
    between two heights over the trunk's base. `pixel_mm` defaults to a 500 mm field over `pixels`. The same arguments
    write the same images and masks. The folder appears whole or not at all. Raises `InputError` for an unknown phantom
    or region, a seed below 0, or a folder that holds something else; `Cancelled`.
    """
    progress = progress or Progress()
    folder = Path(folder)
    if region not in REGIONS:
        raise InputError(f"there is no region {region!r}", mend=f"Choose one of: {', '.join(REGIONS)}.")
    if not isinstance(seed, int) or seed < 0:
        raise InputError(f"the seed {seed!r} is not a whole number from 0", mend="Give for example --seed 1.")
    phantom = vary(load_phantom(name), seed)
    _refuse_foreign(folder)
    temporary = _sibling(folder)
    try:
        ct = simulate_ct(phantom, z_range_mm or _z_range_mm(phantom, region), slice_mm=slice_mm, pixel_mm=pixel_mm,
                         pixels=pixels, progress=progress)
        _write(PhantomStudyPaths(temporary), phantom, ct, progress)
        _put_in_place(temporary, folder)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", where=folder,
                         mend="Choose another folder or free some space.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return PhantomStudyPaths(folder)


def _write(paths: PhantomStudyPaths, phantom: Phantom, ct: SimulatedCT, progress: Progress) -> None:
    fdg = fdg_study(phantom, progress)
    identity = _identity(phantom, fdg, f"{ct.image.GetOrigin()} {ct.image.GetSize()} {ct.image.GetSpacing()}")
    study = write_ct_series(ct, identity, paths.ct, progress=progress)
    bottom_mm = ct.image.GetOrigin()[2]
    top_mm = bottom_mm + (ct.image.GetDepth() - 1) * ct.image.GetSpacing()[2]
    activity = activity_map(phantom, fdg, (bottom_mm, top_mm), progress)
    pet = simulate_pet(activity, float(fdg.bq_per_ml[media().number["liver"]]), phantom.seed)
    write_pet_series(pet, fdg, identity, paths.pet, progress=progress)
    paths.facts.parent.mkdir()
    write_image(activity, paths.activity)
    voxels = VoxelPhantom(phantom, ARMS_UP, ct.image, ct.part, ct.medium)
    del activity, pet
    _write_masks(paths, voxels, study, progress)
    paths.facts.write_text(json.dumps(_facts(phantom, ct, fdg, voxels), indent=1) + "\n", encoding="utf-8")
    paths.readme.write_text(_readme(phantom, ct, fdg), encoding="utf-8")


def _write_masks(paths: PhantomStudyPaths, voxels: VoxelPhantom, study: CTStudy, progress: Progress) -> None:
    masks = voxels.masks()
    write_rtstruct(masks, study, paths.rtstruct, progress=progress)
    write_dicom_seg(masks, study, paths.dicom_seg, progress=progress)
    progress.report("writing .seg.nrrd", 0.0)
    write_seg_nrrd(voxels.masks(tissues=True), paths.seg_nrrd)


def _z_range_mm(phantom: Phantom, region: str) -> tuple[float, float]:
    low, high = (10 * z * phantom.scale[2] for z in phantom.trunk_scan_z_cm)
    if region == "whole-body":
        high = body_bounds_mm(phantom, ARMS_UP)[2][1]
    return low, high


def _identity(phantom: Phantom, fdg: FDGStudy, grid: str) -> StudyIdentity:
    who = "AdultMale" if phantom.sex == "M" else "AdultFemale"
    return StudyIdentity(
        key=f"{phantom.name} {phantom.seed} {grid}", patient_name=f"Phantom^{who}",
        patient_id=f"PHANTOM-{phantom.sex}-{phantom.seed:05d}", sex=phantom.sex, height_m=phantom.stature_cm / 100,
        weight_kg=fdg.weight_kg, start=datetime.datetime(2025, 1, 15, 10, 0, 0))


def _facts(phantom: Phantom, ct: SimulatedCT, fdg: FDGStudy, voxels: VoxelPhantom) -> dict:
    organs = {name: {"volume_ml": round(volume_ml, 2), "mass_g": round(mass_g, 2)}
              for name, (volume_ml, mass_g) in voxels.volumes_and_masses().items()}
    return {
        "made_by": f"organdose {__version__}", "phantom": phantom.name, "seed": phantom.seed, "source": phantom.source,
        "stature_cm": round(phantom.stature_cm, 1), "weight_kg": round(fdg.weight_kg, 1),
        "scale_xyz": [round(s, 4) for s in phantom.scale], "girth": round(phantom.girth, 4),
        "mean_ctdivol_mgy": round(float(ct.ctdivol_mgy.mean()), 3),
        "administered_bq": fdg.administered_bq, "uptake_time_s": fdg.uptake_time_s,
        "uptake_fraction": UPTAKE_FRACTION, "voided_fraction": VOIDED_FRACTION,
        "bq_per_ml_at_scan": {m: round(float(v), 1) for m, v in zip(media().names, fdg.bq_per_ml) if v > 0},
        "organs": organs}


def _readme(phantom: Phantom, ct: SimulatedCT, fdg: FDGStudy) -> str:
    nx, ny, nz = ct.image.GetSize()
    sx, _, sz = ct.image.GetSpacing()
    return "\n".join([
        _FIRST_LINE, "",
        f"{phantom.title}, seed {phantom.seed}: {phantom.stature_cm:.1f} cm, {fdg.weight_kg:.1f} kg, arms up.",
        f"Written by OrganDose {__version__}.", "",
        f"ct/    CT Image Storage, {nx} x {ny} x {nz}, {sx:.3f} x {sz:g} mm, {ct.protocol.tube_voltage_kv:g} kV, "
        f"mean CTDIvol {ct.ctdivol_mgy.mean():.1f} mGy, tube current {ct.tube_current_ma.min():.0f} to "
        f"{ct.tube_current_ma.max():.0f} mA",
        f"pet/   F-18 FDG, {fdg.administered_bq / 1e6:.0f} MBq, scan {fdg.uptake_time_s / 60:.0f} min after injection, "
        "Bq/ml",
        "truth/ masks.rtstruct.dcm, masks.seg.dcm, masks.seg.nrrd: the same organ masks, from the equations",
        "       (masks.seg.nrrd also has skin, fat and muscle);",
        "       activity_bq_per_ml.nrrd: activity at the start of the PET, on its grid, without blur and noise;",
        "       facts.json: organ volumes and masses, uptake, sizes", "",
        "Geometry: " + phantom.source,
        "Muscle wall, fat, vessels, raised arms and all HU are added by this project. The images are not reconstructed",
        "from projections: they look like CT and PET, their noise is not that of a real scanner.", ""])


def _refuse_foreign(folder: Path) -> None:
    mend = "Choose an empty or new folder."
    if folder.exists() and not folder.is_dir():
        raise InputError("there is a file of this name", where=folder, mend=mend)
    if folder.is_dir() and any(folder.iterdir()):
        try:
            ours = (folder / "README.txt").read_text(encoding="utf-8").startswith(_FIRST_LINE)
        except (OSError, UnicodeDecodeError):
            ours = False
        if not ours:
            raise InputError("the folder holds something other than a phantom study", where=folder, mend=mend)


def _sibling(folder: Path) -> Path:
    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-writing-", dir=folder.absolute().parent))
        temporary.chmod(0o755)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", where=folder,
                         mend="Choose another folder or free some space.") from error
    return temporary


def _put_in_place(temporary: Path, folder: Path) -> None:
    """The written folder takes the place of an empty one or of an older phantom study."""
    if folder.exists():
        _refuse_foreign(folder)
        old = _sibling(folder)
        folder.replace(old)
        temporary.replace(folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        temporary.replace(folder)
