"""BED and EQD2: closed forms, published equivalences, quadrature of arbitrary courses, parameter files."""

import json
import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from organdose.assess.radiobiology import (
    DoseRate,
    biologically_effective_dose_gy,
    equivalent_dose_2gy_gy,
    protraction_factor,
    read_radiobiology,
)
from organdose.errors import InputError


def per_h(half_life_h: float) -> float:
    return math.log(2) / half_life_h


def by_differential_equation(rate, repair_per_h: float, stop_h: float) -> float:
    """G from y' = R - mu y, dose' = R, pairs' = R y: none of the closed forms."""
    def derivatives(t, state):
        now = rate(t)
        return [now - repair_per_h * state[0], now, now * state[0]]
    _, dose, pairs = solve_ivp(derivatives, (0, stop_h), [0, 0, 0], rtol=1e-10, atol=1e-12, max_step=1.0).y[:, -1]
    return 2 * pairs / dose ** 2


def test_one_exponential_has_the_factor_of_dale():
    # Dale 1985: lambda / (lambda + mu), the same as T_repair / (T_repair + T_effective).
    found = protraction_factor(DoseRate((7.0,), (per_h(50.0),)), per_h(2.8))
    assert found == pytest.approx(2.8 / 52.8, rel=1e-12)


def test_the_same_phase_in_two_halves_is_one_phase():
    one = protraction_factor(DoseRate((3.0,), (0.02,)), 0.3)
    assert protraction_factor(DoseRate((1.0, 2.0), (0.02, 0.02)), 0.3) == pytest.approx(one, rel=1e-12)


@pytest.mark.parametrize(("amplitudes", "half_lives_h"), [((5.0, 1.0), (4.0, 60.0)), ((-1.0, 1.0), (3.0, 60.0))])
def test_two_phases_agree_with_the_differential_equation_of_repair(amplitudes, half_lives_h):
    decays = tuple(per_h(each) for each in half_lives_h)
    found = protraction_factor(DoseRate(amplitudes, decays), per_h(2.8))
    expected = by_differential_equation(lambda t: sum(a * math.exp(-d * t) for a, d in zip(amplitudes, decays)),
                                        per_h(2.8), 3000.0)
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_constant_rate_has_the_factor_of_continuous_irradiation():
    # Dale 1985: G = 2 / (mu T) (1 - (1 - exp(-mu T)) / (mu T)) for a dose given at one rate within T.
    mu, hours = 0.46, 72.0
    rate = DoseRate((), (), hours, (0.0, hours), (0.8, 0.8))
    expected = 2 / (mu * hours) * (1 - (1 - math.exp(-mu * hours)) / (mu * hours))
    assert protraction_factor(rate, mu) == pytest.approx(expected, rel=1e-9)


def test_measured_points_with_a_tail_agree_with_the_differential_equation():
    times, rates = (0.0, 4.0, 24.0, 96.0), (0.0, 6.0, 4.0, 1.0)
    tail = DoseRate((1.0,), (per_h(40.0),), 96.0, times, rates)
    def rate(t):
        return np.interp(t, times, rates) if t < 96 else math.exp(-per_h(40.0) * (t - 96))
    assert protraction_factor(tail, per_h(1.5)) == pytest.approx(by_differential_equation(rate, per_h(1.5), 2000.0),
                                                                 rel=1e-5)


def test_repair_far_faster_than_points_apart_stays_exact():
    # mu -> infinity: G -> 2 / (mu D^2) integral of R^2.
    rate = DoseRate((), (), 200.0, (0.0, 100.0, 200.0), (0.0, 1.0, 0.0))
    assert protraction_factor(rate, 1000.0) == pytest.approx(2 / 1000.0 * (200 / 3) / 100 ** 2, rel=1e-3)


def test_an_acute_dose_is_not_repaired():
    assert protraction_factor(DoseRate((1.0,), (1e6,)), 0.3) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("rate", [DoseRate((), ()), DoseRate((0.0,), (0.1,)), DoseRate((math.nan,), (0.1,))])
def test_without_a_dose_there_is_no_factor(rate):
    assert math.isnan(protraction_factor(rate, 0.3))


def test_a_kidney_by_hand():
    # 27 Gy with T_eff 30 h, T_repair 2.8 h, alpha/beta 2.6 Gy: 27 (1 + 2.8 / 32.8 x 27 / 2.6) = 50.936 Gy.
    factor = protraction_factor(DoseRate((1.0,), (per_h(30.0),)), per_h(2.8))
    bed_gy = biologically_effective_dose_gy(27.0, 2.6, factor)
    assert bed_gy == pytest.approx(50.936, abs=0.001)
    assert equivalent_dose_2gy_gy(bed_gy, 2.6) == pytest.approx(28.790, abs=0.001)


def test_fractions_of_2_gy_are_their_own_equivalent():
    # 23 Gy in fractions of 2 Gy, the dose with 5 % nephropathy after five years in external beams: BED 40.7 Gy.
    bed_gy = 23.0 * (1 + 2.0 / 2.6)
    assert bed_gy == pytest.approx(40.69, abs=0.005)
    assert equivalent_dose_2gy_gy(bed_gy, 2.6) == pytest.approx(23.0)


def test_the_kidney_threshold_of_yttrium_90_in_three_cycles_is_the_published_one():
    # Konijnenberg, Cancer Biother Radiopharm 18 (2003) 619: 23 Gy of external beams become at least 30 to 35 Gy with
    # Y-90 in three or more cycles. Kinetics here: 30 h effective half-life.
    factor = protraction_factor(DoseRate((1.0,), (per_h(30.0),)), per_h(2.8))
    def equivalent_gy(total_gy):
        return equivalent_dose_2gy_gy(3 * biologically_effective_dose_gy(total_gy / 3, 2.6, factor), 2.6)
    assert equivalent_gy(29.0) < 23.0 < equivalent_gy(35.0)
    assert equivalent_gy(30.5) == pytest.approx(23.0, rel=0.01)


def written(tmp_path, content):
    path = tmp_path / "radiobiology.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def entry(**changed):
    return {"alpha_beta_gy": 2.6, "repair_half_time_h": 2.8, "source": "the physicist of the clinic"} | changed


def test_a_parameter_file_is_read(tmp_path):
    found = read_radiobiology(written(tmp_path, {"organs": {"kidneys": entry(), "lesion": entry(alpha_beta_gy=10)}}))
    assert found.of("kidneys").repair_per_h == pytest.approx(math.log(2) / 2.8)
    assert found.of("lesion_12").alpha_beta_gy == 10
    assert found.of("liver") is None and found.of("kidneys_2") is None


@pytest.mark.parametrize(("content", "said"), [
    ("not json", "not a readable"), ({}, "organs"), ({"organs": {}}, "organs"),
    ({"organs": {"kidneys": entry(source="")}}, "organs.kidneys.source"),
    ({"organs": {"kidneys": {"alpha_beta_gy": 2.6, "source": "x"}}}, "repair_half_time_h"),
    ({"organs": {"kidneys": entry(alpha_beta_gy=0)}}, "alpha_beta_gy"),
    ({"organs": {"kidneys": entry(rbe=5)}}, "rbe")])
def test_a_parameter_file_that_is_not_whole_is_refused(tmp_path, content, said):
    with pytest.raises(InputError, match=said):
        read_radiobiology(written(tmp_path, content))


def test_a_parameter_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a readable"):
        read_radiobiology(tmp_path / "absent.json")
