"""Equivalent filters recovered from what a known scanner would show."""

import numpy as np
import pytest

from organdose.ct.bowtie import Bowtie, TabulatedBowtie
from organdose.ct.bowtie_fit import (
    bowtie_for_kerma,
    bowtie_for_ratio,
    ctdi_ratio,
    fitted_scanner,
    flat_filter_for_hvl,
    flat_filter_for_output,
    kerma_through,
    thickness_for,
)
from organdose.ct.scanner import load_scanner
from organdose.ct.scanner_measurements import CTDIMeasurement, FanKerma, HalfValueLayer, Output
from organdose.ct.spectrum import tungsten_spectrum
from organdose.errors import InputError

TOLD = {"bowtie": "body", "status": "published", "text": "made up for this test"}


@pytest.fixture
def scanner():
    return load_scanner("generic")


def ratio_of(value: float | None, **changed) -> CTDIMeasurement:
    fields = {"kind": "ctdi", "tube_voltage_kv": 120, "phantom_cm": 16, "collimation_mm": 20,
              "centre_to_periphery": value, "ctdiw_mgy_per_100mas": 10.0} | TOLD | {"bowtie": "head"}
    return CTDIMeasurement(**(fields | changed))


def kerma_of(scanner, bowtie, kv) -> FanKerma:
    angles = (0.0, 5.0, 10.0, 15.0, 20.0)
    asked = FanKerma(kind="fan_kerma", tube_voltage_kv=kv, fan_angle_deg=angles, relative_air_kerma=(1.0,) * 5, **TOLD)
    return asked.model_copy(update={"relative_air_kerma": tuple(kerma_through(scanner, bowtie, asked))})


def test_the_flat_filter_is_recovered_from_its_half_value_layer(scanner):
    layer_mm = scanner.central_spectrum(120, "body").half_value_layer_mm_al()
    measured = HalfValueLayer(kind="hvl", tube_voltage_kv=120, mm_al=layer_mm, **TOLD)
    assert flat_filter_for_hvl(scanner, measured) == pytest.approx(7.0, abs=0.01)


def test_a_half_value_layer_no_filter_gives_is_refused(scanner):
    with pytest.raises(InputError, match="no flat aluminium filter"):
        flat_filter_for_hvl(scanner, HalfValueLayer(kind="hvl", tube_voltage_kv=80, mm_al=1.0, **TOLD))


def test_the_flat_filter_is_recovered_from_output_in_any_unit(scanner):
    kv = (70, 100, 120, 140)
    output = tuple(3.7e-4 * scanner.central_spectrum(v, "body").air_kerma for v in kv)
    measured = Output(kind="output", tube_voltage_kv=kv, relative_air_kerma=output, **TOLD)
    assert flat_filter_for_output(scanner, measured) == pytest.approx(7.0, abs=0.02)


def test_the_flat_filter_of_a_real_scanner_explains_its_output_from_70_to_150_kv():
    # SOMATOM Force, air kerma on the central ray measured at nine voltages (see the definition): one filter for all.
    force = load_scanner("siemens-force")
    measured = next(m for m in force.measurements if isinstance(m, Output))
    ours = np.array([force.central_spectrum(kv, "body").air_kerma for kv in measured.tube_voltage_kv])
    apart = np.log(ours / measured.relative_air_kerma)
    assert np.abs(apart - apart.mean()).max() < 0.015


def test_thickness_and_material_of_a_bowtie_are_recovered_from_the_air_kerma(scanner):
    carbon = TabulatedBowtie(material="C", fan_angle_deg=(0, 10, 20), thickness_at_mm=(0.0, 20.0, 40.0))
    fit = bowtie_for_kerma(scanner, [kerma_of(scanner, carbon, kv) for kv in (120, 80, 140)])
    assert fit.material == "C"
    assert fit.thickness_at_mm == pytest.approx([0.0, 10.0, 20.0, 30.0, 40.0], abs=0.02)


def test_one_voltage_says_nothing_of_the_material(scanner):
    carbon = TabulatedBowtie(material="C", fan_angle_deg=(0, 20), thickness_at_mm=(0.0, 40.0))
    assert bowtie_for_kerma(scanner, [kerma_of(scanner, carbon, 120)]).material == "Al"


def test_a_part_of_the_air_kerma_nothing_leaves_is_refused():
    with pytest.raises(InputError, match="no Al thinner"):
        thickness_for(tungsten_spectrum(120).filtered("Al", 5.0), "Al", 1e-12)


def test_a_bowtie_is_recovered_from_the_ctdi_ratio_it_gives(scanner):
    known = Bowtie(material="Al", central_mm=0.0, edge_mm=30.0, compensated_water_cylinder_mm=200.0,
                   compensated_part=0.6)
    ratio, uncertainty = ctdi_ratio(scanner, ratio_of(1.0), known, seed=99, histories=1_000_000)
    fit = bowtie_for_ratio(scanner, ratio_of(ratio), known.model_copy(update={"compensated_part": 0.1}),
                           histories=400_000)
    # The ratio rises by 0.03 for each tenth of the part.
    assert fit.bowtie.compensated_part == pytest.approx(0.6, abs=3 * np.hypot(uncertainty, fit.uncertainty) / 0.3)
    assert fit.centre_to_periphery == pytest.approx(ratio, abs=2e-3)
    assert fit.bowtie.edge_mm == 30.0


def test_a_ratio_no_bowtie_gives_is_refused_with_those_it_could(scanner):
    with pytest.raises(InputError, match=r"no bowtie gives centre / periphery = 1.9.*simulated 0\.[0-9]+ to 1\.[0-9]+"):
        bowtie_for_ratio(scanner, ratio_of(1.9), scanner.bowtie("head"), histories=20_000)


def test_a_measurement_without_a_ratio_cannot_be_fitted_to(scanner):
    with pytest.raises(InputError, match="no centre_to_periphery"):
        bowtie_for_ratio(scanner, ratio_of(None), scanner.bowtie("head"))


def test_a_fit_says_where_its_figures_come_from_and_leaves_published_bowties_alone():
    before = load_scanner("ge-lightspeed-vct")
    layer = before.measurements[0].model_copy(update={"mm_al": 8.0})
    after = fitted_scanner(before.model_copy(update={"measurements": [layer, *before.measurements[1:]]}))
    assert after.central_spectrum(120, "body").half_value_layer_mm_al() == pytest.approx(8.0, abs=0.01)
    assert after.bowties == before.bowties
    # The half-value layer is by analogy: the filter fitted to it is no better known.
    assert after.sources["filtration_mm"].status == "unverified"
    assert "aluminium fitted to the half-value layer" in after.sources["filtration_mm"].text
    published = layer.model_copy(update={"status": "published"})
    again = fitted_scanner(before.model_copy(update={"measurements": [published, *before.measurements[1:]]}))
    assert again.sources["filtration_mm"].status == "fitted"


def test_a_scanner_without_measurements_cannot_be_fitted(scanner):
    with pytest.raises(InputError, match="no measurements"):
        fitted_scanner(scanner)


@pytest.mark.parametrize("name", ["siemens-force", "siemens-definition-flash", "siemens-definition-as"])
def test_the_shipped_filters_are_those_that_the_fit_gives(name):
    shipped = load_scanner(name)
    bare = shipped.model_copy(update={"filtration_mm": {"Ti": 0.6, "Al": 1.0}, "sources": {}, "bowties": {
        kind: load_scanner("canon-aquilion").bowties[kind] for kind in shipped.bowties}})
    found = fitted_scanner(bare, histories=20_000)
    assert found.filtration_mm == pytest.approx(shipped.filtration_mm, abs=0.02)
    for kind, bowtie in shipped.bowties.items():
        assert found.bowties[kind].material == bowtie.material
        assert found.bowties[kind].thickness_at_mm == pytest.approx(bowtie.thickness_at_mm, abs=0.1)
