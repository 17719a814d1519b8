"""S-values between the organs of a voxel phantom, by our own Monte Carlo.

S(target <- source) is the mean absorbed dose to the target per decay in the source (MIRD pamphlet 21: Bolch et al.,
J Nucl Med 50 (2009) 477). The activity lies in a source evenly by mass. Photons and charged particles are followed
apart, since an organ's mass changes their self dose in different ways: gammas, x-rays and annihilation photons (these
from where the decay was) by `run_photons`; betas of both signs, conversion and Auger electrons, with the bremsstrahlung
they make, by `run_electrons`. Alphas and their recoils stay where they arise.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from organdose.anatomy.phantoms.voxel_phantom import LabelledPhantom, Region
from organdose.dose_map import MGY_KG_PER_KEV
from organdose.errors import InputError
from organdose.nuclear.emission_sampling import EnergyTable, energy_table, photon_table
from organdose.nuclear.emissions import Emissions
from organdose.nuclear.progeny import DecayMixture
from organdose.progress import Progress
from organdose.transport.cross_sections import photon_tables
from organdose.transport.electron_tables import electron_tables
from organdose.transport.elements import HIGHEST_KEV, LOWEST_KEV
from organdose.transport.materials import Material
from organdose.transport.monte_carlo import StopRule, run_electrons, run_photons
from organdose.transport.voxel_grid import VoxelGrid
from organdose.transport.voxel_source import Energies, VoxelSource

DECAYS_PER_MBQ_S = 1e6
REMAINDER = "remainder"
_ELECTRONS_PER_PHOTON = 0.25  # histories: electrons stay near where they arise, few are enough
_LOWEST_TABLE_KEV = 1100.0


@dataclass(frozen=True)
class SValues:
    """S-values in mGy/(MBq s), arrays (targets, sources).

    `charged`: by electrons, positrons, alphas and bremsstrahlung; `photon`: by photons of the decay; each with its
    standard uncertainty (same unit). `target_mass_g` (targets), `source_mass_g` (sources). `target_parts`,
    `source_parts`: the labels of the phantom behind the names. `electron_kev`: energy of electrons and positrons per
    decay. `notes` are lines for a report.
    """

    phantom: str
    nuclide: str
    targets: tuple[str, ...]
    sources: tuple[str, ...]
    charged: np.ndarray
    photon: np.ndarray
    charged_uncertainty: np.ndarray
    photon_uncertainty: np.ndarray
    target_mass_g: np.ndarray
    source_mass_g: np.ndarray
    target_parts: tuple[Region, ...]
    source_parts: tuple[Region, ...]
    electron_kev: float
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> np.ndarray:
        return self.charged + self.photon

    @property
    def relative_uncertainty(self) -> np.ndarray:
        """Of `total`; 1 where nothing was scored."""
        sigma = np.hypot(self.charged_uncertainty, self.photon_uncertainty)
        return np.divide(sigma, self.total, out=np.ones_like(sigma), where=self.total > 0)

    def s(self, target: str, source: str) -> float:
        """mGy/(MBq s). Raises `InputError` for a name that is not there."""
        return float(self.total[self.row(target), self.column(source)])

    def row(self, target: str) -> int:
        return _place(target, self.targets, "target")

    def column(self, source: str) -> int:
        return _place(source, self.sources, "source")


def _place(name: str, names: Sequence[str], kind: str) -> int:
    if name not in names:
        raise InputError(f"there are no S-values for the {kind} {name!r}", mend=f"There are: {', '.join(names)}.")
    return names.index(name)


def source_regions(phantom: LabelledPhantom, sources: Sequence[str]) -> dict[str, Region]:
    """The labels of each source; 'remainder' is the body without the others and without contents of hollow organs.

    Raises `InputError` for sources that the phantom does not have, that share labels or have no mass.
    """
    named = {name: phantom.region(name) for name in sources if name != REMAINDER}
    taken: dict[int, float] = {}
    for name, region in named.items():
        for label, part in region.items():
            taken[label] = taken.get(label, 0.0) + part
            if taken[label] > 1 + 1e-9:
                raise InputError(f"{name!r} overlaps another source", mend="Give each part of the body to one source.")
    regions = {name: named[name] if name in named else phantom.remainder(named.values()) for name in sources}
    for name, region in regions.items():
        if not phantom.mass_g(region) > 0:
            raise InputError(f"the source {name!r} has no voxel in {phantom.title}", mend="Leave it out.")
    return regions


def s_values(phantom: LabelledPhantom, mixture: DecayMixture, sources: Sequence[str], *, histories: int = 2_000_000,
             targets: Sequence[str] | None = None, seed: int = 1, threads: int | None = None,
             progress: Progress | None = None) -> SValues:
    """S-values of `sources` (names of regions of the phantom, or 'remainder') to `targets` (default: all regions).

    `histories`: photons a source, and a quarter as many electrons. Raises `InputError` for names the phantom does not
    have, `Cancelled` from `progress`.
    """
    return joined(list(source_by_source(phantom, mixture, source_regions(phantom, sources), histories=histories,
                                        targets=targets, seed=seed, threads=threads, progress=progress)))


def source_by_source(phantom: LabelledPhantom, mixture: DecayMixture, regions: Mapping[str, Region], *, histories: int,
                     targets: Sequence[str] | None = None, seed: int = 1, threads: int | None = None,
                     progress: Progress | None = None) -> Iterator[SValues]:
    """S-values of each of the source `regions`, one at a time; a source's are the same whatever stands beside it."""
    names = target_names(phantom, targets)
    target_parts = tuple(phantom.region(name) for name in names)
    mass_g = np.array([phantom.mass_g(region) for region in target_parts])
    runner = _Runner(phantom, mixture.emissions, target_parts, histories, seed, threads, progress or Progress())
    to_s = DECAYS_PER_MBQ_S * MGY_KG_PER_KEV / (mass_g / 1000)
    notes = (*phantom.notes, mixture.assumption, *mixture.emissions.unsupported, *runner.notes())
    for name, region in regions.items():
        columns = [(part * to_s)[:, None] for part in runner.source(name, region)]
        yield SValues(phantom.title, mixture.parent.name, names, (name,), *columns, mass_g,
                      np.array([phantom.mass_g(region)]), target_parts, (region,),
                      mixture.emissions.electron_energy_kev, notes)


def joined(columns: Sequence[SValues]) -> SValues:
    """S-values of one phantom, nuclide and list of targets, source beside source."""
    arrays = {name: np.concatenate([getattr(each, name) for each in columns], axis=1)
              for name in ("charged", "photon", "charged_uncertainty", "photon_uncertainty")}
    return replace(columns[0], sources=tuple(name for each in columns for name in each.sources),
                   source_mass_g=np.concatenate([each.source_mass_g for each in columns]),
                   source_parts=tuple(part for each in columns for part in each.source_parts), **arrays)


def target_names(phantom: LabelledPhantom, targets: Sequence[str] | None) -> tuple[str, ...]:
    """`targets`, or every region that has a voxel. Raises `InputError` for one that has none."""
    for name in targets or ():
        if not phantom.mass_g(name) > 0:
            raise InputError(f"the target {name!r} has no voxel in {phantom.title}", mend="Leave it out.")
    return tuple(targets or (name for name in phantom.regions if phantom.mass_g(name) > 0))


def voxel_grid(phantom: LabelledPhantom) -> VoxelGrid:
    """The phantom for the transport; media of one composition share a material."""
    compositions = {name: tuple(sorted(medium.weight_fractions.items())) for name, medium in phantom.media.items()}
    used = {compositions[phantom.entries[label].medium]: phantom.entries[label].medium for label in phantom.voxels}
    number = {composition: index for index, composition in enumerate(used)}
    materials = tuple(Material.from_symbols(name, dict(composition)) for composition, name in used.items())
    size = max(phantom.voxels) + 1
    index, density = np.zeros(size, np.uint8), np.zeros(size, np.float32)
    for label in phantom.voxels:
        entry = phantom.entries[label]
        index[label], density[label] = number[compositions[entry.medium]], entry.density_g_cm3
    return VoxelGrid(materials, index[phantom.labels], density[phantom.labels], phantom.spacing_mm, (0.0, 0.0, 0.0))


class _Runner:
    """The phantom made ready once for all sources."""

    def __init__(self, phantom: LabelledPhantom, emissions: Emissions, targets: Sequence[Region], histories: int,
                 seed: int, threads: int | None, progress: Progress):
        self.phantom, self.emissions, self.targets = phantom, emissions, targets
        self.histories, self.seed, self.threads, self.progress = histories, seed, threads, progress
        self.photons = photon_table(emissions, annihilation=True).between(LOWEST_KEV, HIGHEST_KEV)
        self.slow_kev = photon_table(emissions, annihilation=True).energy_kev - self.photons.energy_kev
        self.electrons = energy_table((*emissions.electrons, *emissions.beta_minus, *emissions.beta_plus))
        self.grid = voxel_grid(phantom)
        highest = max([_LOWEST_TABLE_KEV, *(float(table.high_kev.max()) for table in (self.photons, self.electrons)
                                            if len(table.yields))])
        self.tables = photon_tables(self.grid.materials, min(highest + 1.0, HIGHEST_KEV))
        densities = [float(self.grid.density_g_cm3[self.grid.material_index == m].max(initial=0.0)) or 1.0
                     for m in range(len(self.grid.materials))]
        self.stopping = electron_tables(self.grid.materials, tuple(densities), highest + 1.0)
        self.scores = _scores(phantom, targets)

    def source(self, name: str, region: Region) -> tuple[np.ndarray, ...]:
        """keV per decay left in each target: charged, photons, and the standard uncertainties of both."""
        mass_g = self.phantom.mass_g(region)
        share = {label: part * self.phantom.label_mass_g.get(label, 0.0) / mass_g for label, part in region.items()}
        local = np.array([sum(share.get(label, 0.0) * part for label, part in target.items())
                          for target in self.targets])
        activity = self._activity(region)
        photon, photon_sigma = self._followed(name, activity, self.photons, "photons")
        charged, charged_sigma = self._followed(name, activity, self.electrons, "electrons")
        return (charged + local * self.emissions.alpha_energy_kev, photon + local * self.slow_kev, charged_sigma,
                photon_sigma)

    def _activity(self, region: Region) -> np.ndarray:
        per_voxel = np.zeros(max(self.phantom.voxels) + 1)
        for label, part in region.items():
            if label in self.phantom.voxels:
                per_voxel[label] = part * self.phantom.entries[label].density_g_cm3
        return per_voxel[self.phantom.labels]

    def _followed(self, name: str, activity: np.ndarray, table: EnergyTable, kind: str) -> tuple[np.ndarray, ...]:
        if not table.particles_per_decay > 0:
            return np.zeros(len(self.targets)), np.zeros(len(self.targets))
        # The same energies drawn for all sources would shift all of them alike.
        seed = self.seed + zlib.crc32(f"{name}, {kind}".encode())
        source = VoxelSource(activity, self.grid.spacing_mm, self.grid.origin_mm,
                             Energies(table.low_kev, table.high_kev - table.low_kev, table.yields))
        common = {"seed": seed, "regions": self.scores, "threads": self.threads, "progress": self.progress,
                  "stage": f"S-values of {name}, {kind}"}
        if kind == "photons":
            tally = run_photons(source, self.grid, self.tables, StopRule(self.histories), **common)
        else:
            stop = StopRule(max(20, int(self.histories * _ELECTRONS_PER_PHOTON)))
            tally = run_electrons(source, self.grid, self.tables, self.stopping, stop, **common)
        # Energy per particle is known exactly; that of the histories drawn is near it.
        emitted_kev = tally.energy_balance["emitted_kev"] * table.particles_per_decay
        energy_kev = tally.regions * table.particles_per_decay * table.energy_kev / emitted_kev
        # A score of nothing has the relative uncertainty 1; nothing is known of what was never seen.
        return energy_kev, energy_kev * tally.region_relative_uncertainty

    def notes(self) -> tuple[str, ...]:
        lines = [f"activity lies evenly by mass in each source of {self.phantom.title}; voxels of "
                 f"{' x '.join(f'{size:.4g}' for size in self.phantom.spacing_mm)} mm"]
        if self.emissions.beta_plus:
            lines.append("annihilation photons start where the decay was, not where the positron stops")
        if "red_bone_marrow" in self.phantom.regions:
            lines.append("red marrow: the mean dose of the bone tissue it lies in, weighted with the marrow's mass "
                         "there; the range of electrons in marrow cavities is not resolved")
        return tuple(lines)


def _scores(phantom: LabelledPhantom, targets: Sequence[Region]) -> sp.csr_array:
    """(targets, voxels): the part of each voxel's energy that counts for a target."""
    size = max(phantom.voxels) + 1
    rows = [(row, label, part) for row, target in enumerate(targets) for label, part in target.items() if label < size]
    row, label, part = (np.array(column) for column in zip(*rows))
    by_label = sp.csr_array((part.astype(np.float32), (row, label)), shape=(len(targets), size))
    voxels = np.flatnonzero(~np.isin(phantom.labels.ravel(), list(phantom.outside)))
    of_voxel = sp.csr_array((np.ones(len(voxels), np.float32), (phantom.labels.ravel()[voxels], voxels)),
                            shape=(size, phantom.labels.size))
    return sp.csr_array(by_label @ of_voxel)
