"""Acquisition facts out of headers: units, origins, contradictions."""

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from organdose.study import read_ct
from organdose.study.dicom_facts import acquisition_facts
from organdose.study.facts import Origin


def _headers(slices=3, **tags):
    """Headers with the same tags in each slice; a list gives each slice its own."""
    headers = []
    for index in range(slices):
        header = Dataset()
        for keyword, value in tags.items():
            own = value[index] if isinstance(value, list) and keyword not in _MULTIPLE else value
            if own is not None:
                setattr(header, keyword, own)
        headers.append(header)
    return headers


_MULTIPLE = {"ImageType", "DataCollectionCenterPatient", "CTDIPhantomTypeCodeSequence"}
_SIEMENS = {"XRayTubeCurrent": 615, "Exposure": 253, "ExposureTime": 330, "SpiralPitchFactor": 0.8,
            "TotalCollimationWidth": 19.2, "TableFeedPerRotation": 15.3, "TableSpeed": 46.3}


def test_what_no_header_says_stays_unknown():
    assert acquisition_facts([Dataset(), Dataset()]).known() == {}


def test_a_written_series_gives_its_facts(write_series):
    facts = read_ct(write_series()).acquisition
    assert (facts.tube_voltage_kv.value, facts.tube_voltage_kv.origin) == (120, Origin.header)
    assert facts.manufacturer.value == "Maker"
    assert facts.model.value == "Scanner 1"


def test_values_that_change_are_one_a_slice_and_values_that_do_not_are_one():
    facts = acquisition_facts(_headers(XRayTubeCurrent=[100, 120, 110], CTDIvol=7.5))
    assert facts.tube_current_ma.value == (100, 120, 110)
    assert facts.ctdivol_mgy.value == (7.5,)


def test_a_value_some_slices_lack_is_not_used():
    facts = acquisition_facts(_headers(XRayTubeCurrent=[100, None, 110]))
    assert facts.tube_current_ma is None
    assert facts.warnings == ("XRayTubeCurrent stands in 2 of 3 slices only: not used",)


def test_a_zero_means_unknown():
    assert acquisition_facts(_headers(CTDIvol=0.0, KVP=0)).known() == {}


def test_two_tube_voltages_are_not_used():
    facts = acquisition_facts(_headers(KVP=[80, 140, 80]))
    assert facts.tube_voltage_kv is None
    assert facts.warnings == ("KVP changes between slices, from 80 to 140 kV: not used",)


def test_microampere_and_microampere_second_elements_are_converted():
    facts = acquisition_facts(_headers(XRayTubeCurrentInuA=215500.0, ExposureInuAs=107750))
    assert facts.tube_current_ma.value == (215.5,)
    assert facts.exposure_mas.value == (107.75,)


@pytest.mark.filterwarnings("ignore:.*63.5")
def test_integer_strings_with_decimals_are_read():
    headers = _headers()
    for header in headers:
        header[0x00181152] = _raw(0x00181152, b"63.5 ")
        header[0x00180060] = _raw(0x00180060, b"12O ", "DS")
    facts = acquisition_facts(headers)
    assert facts.exposure_mas.value == (63.5,)
    assert facts.tube_voltage_kv is None


def _raw(tag, content, vr="IS"):
    return RawDataElement(Tag(tag), vr, len(content), content, 0, False, True)


@pytest.mark.parametrize(("code", "diameter_cm"), [("113690", 16), ("113691", 32)])
def test_the_ctdi_phantom_is_known_by_its_code(code, diameter_cm):
    phantom = Dataset()
    phantom.CodeValue, phantom.CodingSchemeDesignator = code, "DCM"
    assert acquisition_facts(_headers(CTDIPhantomTypeCodeSequence=[phantom])).ctdi_phantom_cm.value == diameter_cm


def test_isocentre_and_focus_come_from_the_header():
    facts = acquisition_facts(_headers(DataCollectionCenterPatient=[2.5, -188.0, -766.5], DistanceSourceToPatient=595))
    assert facts.isocentre_mm.value == (2.5, -188)
    assert facts.focus_isocentre_mm.value == 595


def test_the_pitch_is_derived_from_the_table_feed():
    facts = acquisition_facts(_headers(TableFeedPerRotation=39.36, TotalCollimationWidth=40.0))
    assert facts.pitch.value == pytest.approx(0.984)
    assert facts.pitch.origin is Origin.derived


def test_the_pitch_is_derived_from_table_speed_and_rotation_time():
    facts = acquisition_facts(_headers(TableSpeed=78.72, RevolutionTime=0.5, TotalCollimationWidth=40.0))
    assert facts.pitch.value == pytest.approx(0.984)


def test_table_feeds_that_contradict_each_other_give_no_pitch():
    """A Philips Ingenuity writes TableFeedPerRotation 25.024 mm where table speed x rotation time is 15.65 mm."""
    table = {"TableFeedPerRotation": 25.024, "TableSpeed": 31.3, "RevolutionTime": 0.5, "TotalCollimationWidth": 40.0}
    facts = acquisition_facts(_headers(**table))
    assert facts.pitch is None
    assert "different pitches (0.626; table speed x rotation time / total collimation = 0.391)" in facts.warnings[0]
    facts = acquisition_facts(_headers(**table, SpiralPitchFactor=0.391))
    assert (facts.pitch.value, facts.pitch.origin) == (0.391, Origin.header)
    assert "SpiralPitchFactor 0.391 disagrees with table feed per rotation" in facts.warnings[0]


def test_the_rotation_time_is_derived_from_the_table():
    rotation = acquisition_facts(_headers(**_SIEMENS)).rotation_time_s
    assert rotation.value == pytest.approx(15.3 / 46.3)
    assert rotation.origin is Origin.derived


def test_an_exposure_divided_by_the_pitch_is_consistent():
    facts = acquisition_facts(_headers(**_SIEMENS))
    assert facts.exposure_mas.value == (253,)
    assert facts.warnings == ()


def test_an_exposure_not_divided_by_the_pitch_is_recognised_and_divided():
    facts = acquisition_facts(_headers(**{**_SIEMENS, "Exposure": 203}))
    assert facts.exposure_mas.value == pytest.approx((203 / 0.8,))
    assert facts.exposure_mas.origin is Origin.derived
    assert facts.exposure_mas.note == "Exposure is mA x rotation time: divided by the pitch of 0.8"
    assert facts.warnings == ()


def test_an_exposure_that_is_neither_way_of_counting_is_kept_and_both_values_are_named():
    facts = acquisition_facts(_headers(**{**_SIEMENS, "Exposure": 100}))
    assert (facts.exposure_mas.value, facts.exposure_mas.origin) == ((100,), Origin.header)
    assert "100 mAs where mA x rotation time / pitch gives 254" in facts.warnings[0]
    assert facts.warnings[0].endswith("the value of Exposure is kept")


def test_an_exposure_time_of_a_rotation_or_of_that_over_the_pitch_is_consistent():
    table = {"RevolutionTime": 0.5, "SpiralPitchFactor": 0.391, "TotalCollimationWidth": 40.0}
    for time_ms in (500, 1279, 5200):
        assert acquisition_facts(_headers(**table, ExposureTime=time_ms)).warnings == ()


def test_an_exposure_time_that_fits_no_rotation_is_told():
    facts = acquisition_facts(_headers(RevolutionTime=0.5, SpiralPitchFactor=0.5, ExposureTime=[500, 300, 500]))
    assert facts.rotation_time_s.value == 0.5
    assert facts.warnings == ("ExposureTime 300 ms beside a rotation time of 500 ms is not the rotation time, nor that "
                              "over the pitch: the rotation time is used",)


def test_an_exposure_that_fits_nothing_is_kept_and_told():
    facts = acquisition_facts(_headers(XRayTubeCurrent=80, ExposureTime=870, Exposure=[13, 70, 70]))
    assert facts.exposure_mas.value == (13, 70, 70)
    assert "13 mAs where mA x exposure time gives 69.6 mAs (1 of 3 slices)" in facts.warnings[0]


def test_a_missing_exposure_is_derived_from_current_rotation_and_pitch():
    facts = acquisition_facts(_headers(XRayTubeCurrent=[100, 200, 300], RevolutionTime=0.5, SpiralPitchFactor=1.25))
    assert facts.exposure_mas.value == pytest.approx((40, 80, 120))
    assert facts.exposure_mas.origin is Origin.derived


@pytest.mark.parametrize(("tags", "kind", "origin"), [
    ({"AcquisitionType": "SPIRAL"}, "helical", Origin.header),
    ({"AcquisitionType": "SEQUENCED"}, "axial", Origin.header),
    ({"ScanOptions": "HELICAL MODE"}, "helical", Origin.header),
    ({"ScanOptions": "AXIAL MODE"}, "axial", Origin.header),
    ({"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"]}, "helical", Origin.header),
    ({"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SEQ"]}, "axial", Origin.header),
    ({"SpiralPitchFactor": 0.9}, "helical", Origin.derived),
    ({"AcquisitionType": "STATIONARY", "TotalCollimationWidth": 160.0}, "cone_beam", Origin.derived),
    ({"AcquisitionType": "STATIONARY", "TotalCollimationWidth": 20.0}, "axial", Origin.derived),
    ({"AcquisitionType": "STATIONARY"}, "axial", Origin.derived),
    ({"AcquisitionType": "CONSTANT_ANGLE"}, "localiser", Origin.header),
    ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localiser", Origin.header),
])
def test_the_kind_of_scan_is_found(tags, kind, origin):
    facts = acquisition_facts(_headers(**tags))
    assert (facts.scan_kind.value, facts.scan_kind.origin) == (kind, origin)


def test_an_axial_plane_does_not_make_an_axial_scan():
    assert acquisition_facts(_headers(ImageType=["ORIGINAL", "PRIMARY", "AXIAL"])).scan_kind is None


def test_an_axial_scan_has_pitch_zero_and_keeps_its_exposure_undivided():
    facts = acquisition_facts(_headers(AcquisitionType="SEQUENCED", XRayTubeCurrent=200, RevolutionTime=1.0))
    assert facts.pitch.value == 0
    assert facts.exposure_mas.value == (200,)


def test_a_pitch_of_zero_in_a_helical_scan_is_told_and_derived_from_the_table():
    tags = {"AcquisitionType": "SPIRAL", "SpiralPitchFactor": 0.0, "TotalCollimationWidth": 40.0}
    facts = acquisition_facts(_headers(**tags))
    assert facts.pitch is None
    assert facts.warnings == ("the header calls the scan helical and gives a SpiralPitchFactor of 0: that pitch is not "
                              "used",)
    assert acquisition_facts(_headers(**tags, TableFeedPerRotation=36.0)).pitch.value == pytest.approx(0.9)


def test_the_table_feed_of_a_helical_scan_goes_with_the_pitch_that_is_used():
    """A Philips Ingenuity: 25.024 mm = pitch x 64 rows, which contradicts pitch x 40 mm."""
    facts = acquisition_facts(_headers(TableFeedPerRotation=25.024, SpiralPitchFactor=0.391,
                                       TotalCollimationWidth=40.0))
    assert facts.table_feed_mm.value == pytest.approx(15.64)


def test_the_table_feed_of_an_axial_scan_is_kept():
    facts = acquisition_facts(_headers(AcquisitionType="SEQUENCED", TableFeedPerRotation=10.0,
                                       TotalCollimationWidth=1.2))
    assert (facts.table_feed_mm.value, facts.pitch.value) == (10.0, 0)


def test_a_row_wider_than_the_beam_is_told():
    facts = acquisition_facts(_headers(SingleCollimationWidth=1.25, TotalCollimationWidth=0.6))
    assert facts.total_collimation_mm.value == 0.6
    assert "SingleCollimationWidth 1.25 mm is wider than TotalCollimationWidth 0.6 mm" in facts.warnings[0]


def test_slices_of_two_irradiations_are_told():
    facts = acquisition_facts(_headers(IrradiationEventUID=["2.25.1", "2.25.1", "2.25.2"]))
    assert facts.warnings == ("the slices come from 2 irradiation events: they are taken for one scan",)


@pytest.mark.parametrize(("position", "gantry_deg", "patient_deg"), [
    ("HFS", 0, 0), ("HFS", 90, 90), ("FFS", 90, 270), ("HFP", 0, 180), ("HFDR", 0, 90), ("FFDL", 90, 180)])
def test_the_tube_angle_of_a_localiser_is_turned_into_the_patient(position, gantry_deg, patient_deg):
    """PS3.3 C.8.15.3.2: 0 is the highest point of the gantry, clockwise as seen where the table enters. Seen from the
    feet of a supine patient who lies head first, clockwise from above leads to his left side (our 90 degrees)."""
    facts = acquisition_facts(_headers(1, AcquisitionType="CONSTANT_ANGLE", TubeAngle=float(gantry_deg),
                                       PatientPosition=position))
    assert facts.tube_angle_deg.value == patient_deg


def test_a_tube_angle_without_the_patients_position_is_not_known():
    assert acquisition_facts(_headers(1, AcquisitionType="CONSTANT_ANGLE", TubeAngle=90.0)).tube_angle_deg is None


@pytest.mark.parametrize(("tag", "bowtie"), [("BODY FILTER", "body"), ("HEAD FILTER", "head"), ("FLAT", None),
                                             ("B", None), ("", None)])
def test_the_bowtie_is_known_where_the_header_calls_it_by_its_name(tag, bowtie):
    found = acquisition_facts(_headers(FilterType=tag)).bowtie
    assert (found and found.value) == bowtie


def test_a_tin_filter_is_a_fact_where_its_thickness_is_known_and_told_where_it_is_not():
    facts = acquisition_facts(_headers(FilterMaterial="TIN"))
    assert any("tin filter but not its thickness" in line for line in facts.warnings) and facts.tube_filter is None
    facts = acquisition_facts(_headers(FilterMaterial="TIN", FilterThicknessMinimum=0.4, FilterThicknessMaximum=0.4))
    assert facts.tube_filter.value == "Sn 0.4" and not facts.warnings
    assert not any("tin" in line for line in acquisition_facts(_headers(FilterMaterial="ALUMINUM")).warnings)
