"""Two dose maps compared voxel by voxel: errors, similarity, gamma, joint histogram, statistics."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import SimpleITK as sitk

from organdose.assess.dose_map_pair import DoseMapPair
from organdose.assess.error_statistics import ErrorStatistics, error_statistics
from organdose.assess.gamma_index import GammaCriteria, GammaMap, gamma_index
from organdose.assess.statistical_agreement import StatisticalAgreement, statistical_agreement
from organdose.assess.structural_similarity import peak_signal_to_noise_db, structural_similarity
from organdose.progress import Progress

_HISTOGRAM_BINS = 100


@dataclass(frozen=True)
class JointHistogram:
    """How often each pair of doses occurs: `counts[r, t]` voxels with reference in bin r and test in bin t.

    `edges_mgy` (bins + 1) are those of both axes; the outermost bins hold what lies beyond.
    """

    edges_mgy: np.ndarray = field(repr=False)
    counts: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class DoseMapComparison:
    """The figures of one comparison; see the classes they are in for their definitions.

    `ssim` and `psnr_db` have `pair.normalisation_mgy` as their data range. `statistics` is None where no map states an
    uncertainty that fits; `no_statistics` then says why.
    """

    pair: DoseMapPair
    errors: ErrorStatistics
    ssim: float
    psnr_db: float
    gamma_global: GammaMap
    gamma_local: GammaMap
    histogram: JointHistogram
    statistics: StatisticalAgreement | None
    no_statistics: str = ""

    @property
    def difference_mgy(self) -> np.ndarray:
        """Test minus reference, float32 (z, y, x), inside and outside the region; NaN where a map has no dose."""
        return self.pair.test_mgy - self.pair.reference_mgy


def compare_dose_maps(pair: DoseMapPair, criteria: GammaCriteria | None = None, *,
                      test_uncertainty: sitk.Image | None = None, reference_uncertainty: sitk.Image | None = None,
                      progress: Progress | None = None) -> DoseMapComparison:
    """Compare a pair; `criteria` gives distance and dose criterion, cutoff and normalisation are the pair's.

    The uncertainties are relative standard uncertainties (1 = 100 %) on the grids of their maps. Raises `InputError`
    as `gamma_index`.
    """
    progress = progress or Progress()
    test_mgy, reference_mgy = pair.compared
    progress.report("Voxels", 0.0)
    errors = error_statistics(test_mgy, reference_mgy, pair.low_dose_mgy)
    ssim = structural_similarity(pair.test_mgy, pair.reference_mgy, pair.region, pair.normalisation_mgy, progress)
    psnr_db = peak_signal_to_noise_db(test_mgy, reference_mgy, pair.normalisation_mgy)
    own = replace(criteria or GammaCriteria(), normalisation_mgy=pair.normalisation_mgy,
                  cutoff_percent=100 * pair.low_dose_mgy / pair.normalisation_mgy)
    gammas = [gamma_index(pair.reference, pair.test, replace(own, local=local), region=pair.region, progress=progress)
              for local in (False, True)]
    statistics, why = _statistics(pair, test_uncertainty, reference_uncertainty)
    return DoseMapComparison(pair, errors, ssim, psnr_db, *gammas, joint_histogram(test_mgy, reference_mgy),
                             statistics, why)


def joint_histogram(test_mgy: np.ndarray, reference_mgy: np.ndarray, bins: int = _HISTOGRAM_BINS) -> JointHistogram:
    """Joint histogram of doses (n) in mGy, from 0 (or the lowest negative dose) to the highest of both."""
    lowest = min(0.0, float(test_mgy.min()), float(reference_mgy.min()))
    edges = np.linspace(lowest, max(float(test_mgy.max()), float(reference_mgy.max())), bins + 1)
    # Single precision lies beside the edges made of it.
    places = [np.clip(values, edges[0], edges[-1]) for values in (reference_mgy, test_mgy)]
    counts, _, _ = np.histogram2d(*places, bins=(edges, edges))
    return JointHistogram(edges, counts.astype(np.int64))


def _statistics(pair: DoseMapPair, test_uncertainty: sitk.Image | None,
                reference_uncertainty: sitk.Image | None) -> tuple[StatisticalAgreement | None, str]:
    if test_uncertainty is None and reference_uncertainty is None:
        return None, "neither map comes with an uncertainty map"
    if not pair.same_grid and test_uncertainty is not None:
        return None, "interpolation to the reference's grid changes the test's statistical uncertainty"
    relative = [None if image is None else sitk.GetArrayViewFromImage(image)[pair.region]
                for image in (test_uncertainty, reference_uncertainty)]
    found = statistical_agreement(*pair.compared, *relative)
    return found, "" if found else "no compared voxel has an uncertainty below 100 %"
