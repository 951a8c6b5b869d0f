"""Results that highdicom makes, at the gate: they pass as they are, are read as the findings that were put in, and are put right or
kept back where they are broken; dciodvfy finds no error in what was put right that was not there before."""

import io
import json
import os
import subprocess
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from highdicom import sr
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import generate_uid
from studies import file_of
from test_dciodvfy import errors
from test_evidence import IMAGES, mask_of, runs_of

GATE = Path(os.environ["MEDVAN_BIN"]).parent / "examples" / "gate"
NODULE = Code("27925004", "SCT", "Nodule")
LESION = Code("49755003", "SCT", "Morphologically Abnormal Structure")
LUNG = Code("39607008", "SCT", "Lung")
ATTENUATION = Code("112031", "DCM", "Attenuation Coefficient")
MEAN = Code("373098007", "SCT", "Mean")
MAKER = {
    "manufacturer": "Synthetic Vendor",
    "manufacturer_model_name": "Finder",
    "software_versions": "1.0",
    "device_serial_number": "7",
}


def own(name: str) -> str:
    """The same UID in every run."""
    return generate_uid(entropy_srcs=["gate", name])


def as_highdicom_takes(image) -> pydicom.Dataset:
    """It refuses `\\ISO 2022 IR 87`, so a vendor that builds on it turns names into UTF-8 first."""
    copy = pydicom.dcmread(io.BytesIO(file_of(image)))
    copy.decode()
    copy.SpecificCharacterSet = "ISO_IR 192"
    return copy


def segmentation(images, kind="BINARY") -> highdicom.seg.Segmentation:
    images = [as_highdicom_takes(image) for image in images]
    masks = np.stack([mask_of(image) for image in images])
    second = np.zeros_like(masks)
    second[0, 1:3, 1:9] = True
    described = [
        highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=label,
            segmented_property_category=LESION,
            segmented_property_type=NODULE,
            algorithm_type="AUTOMATIC",
            algorithm_identification=highdicom.AlgorithmIdentificationSequence("finder", codes.DCM.ArtificialIntelligence, "1.0"),
            tracking_uid=own(label),
            tracking_id=label,
            anatomic_regions=[LUNG],
        )
        for number, label in enumerate(("large", "small"), start=1)
    ]
    pixels = np.stack([masks, second], axis=-1)
    return highdicom.seg.Segmentation(
        source_images=images,
        pixel_array=pixels if kind == "BINARY" else pixels.astype(np.float32) * 0.5,
        segmentation_type=kind,
        segment_descriptions=described,
        series_instance_uid=own(f"{kind} series"),
        series_number=100,
        sop_instance_uid=own(kind),
        instance_number=1,
        **MAKER,
    )


def report(images, seg) -> sr.Comprehensive3DSR:
    images = [as_highdicom_takes(image) for image in images]
    device = sr.DeviceObserverIdentifyingAttributes(uid=own("device"), name="finder")
    observer = sr.ObserverContext(observer_type=codes.DCM.Device, observer_identifying_attributes=device)
    large = sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=own("large"), identifier="large"),
        referenced_segment=sr.ReferencedSegment.from_segmentation(seg, segment_number=1),
        finding_type=NODULE,
        finding_sites=[sr.FindingSite(LUNG, laterality=codes.SCT.Right)],
        measurements=[sr.Measurement(name=codes.SCT.Volume, value=213.5, unit=codes.UCUM.CubicMillimeter)],
    )
    first = images[0]
    source = sr.SourceImageForRegion(first.SOPClassUID, first.SOPInstanceUID)
    corners = np.array([[20, 10], [40, 10], [40, 30.5], [20, 30.5], [20, 10]])
    box = sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=own("box"), identifier="box"),
        referenced_region=sr.ImageRegion("POLYLINE", corners, source),
        finding_type=NODULE,
        measurements=[
            sr.Measurement(name=codes.SCT.Diameter, value=7.25, unit=codes.UCUM.Millimeter),
            sr.Measurement(name=ATTENUATION, value=61, unit=codes.UCUM.HounsfieldUnit, derivation=MEAN),
        ],
    )
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=observer),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=[large, box],
    )
    return sr.Comprehensive3DSR(
        evidence=[*images, seg],
        content=content,
        series_instance_uid=own("report series"),
        series_number=101,
        sop_instance_uid=own("report"),
        instance_number=1,
        manufacturer=MAKER["manufacturer"],
    )


def picture(images) -> highdicom.sc.SCImage:
    return highdicom.sc.SCImage.from_ref_dataset(
        as_highdicom_takes(images[0]),
        pixel_array=np.full((32, 32, 3), 96, dtype=np.uint8),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        series_instance_uid=own("picture series"),
        series_number=102,
        sop_instance_uid=own("picture"),
        instance_number=1,
        manufacturer=MAKER["manufacturer"],
        pixel_spacing=(1, 1),
        patient_orientation=("L", "P"),
    )


def presentation(images) -> highdicom.pr.GrayscaleSoftcopyPresentationState:
    images = [as_highdicom_takes(image) for image in images]
    layer = highdicom.pr.GraphicLayer("AI", order=1)
    line = highdicom.pr.GraphicObject("POLYLINE", np.array([[1, 1], [9, 9]]), units="PIXEL")
    annotation = highdicom.pr.GraphicAnnotation(referenced_images=images[:1], graphic_layer=layer, graphic_objects=[line])
    return highdicom.pr.GrayscaleSoftcopyPresentationState(
        referenced_images=images,
        series_instance_uid=own("presentation series"),
        series_number=103,
        sop_instance_uid=own("presentation"),
        instance_number=1,
        content_label="AI",
        graphic_layers=[layer],
        graphic_annotations=[annotation],
        **MAKER,
    )


class Judged:
    """What the gate said to some results."""

    def __init__(self, folder: Path, images, results):
        self.folder = folder
        paths = []
        for number, ds in enumerate([*images, *results]):
            paths.append(folder / f"given-{number}.dcm")
            paths[-1].write_bytes(file_of(ds))
        command = [GATE, folder, *paths[: len(images)], "--", *paths[len(images) :]]
        done = subprocess.run(command, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        self.said = json.loads(done.stdout)
        self.given = [path.read_bytes() for path in paths[len(images) :]]

    @property
    def accepted(self) -> list[bytes]:
        return [(self.folder / f"accepted-{number}.dcm").read_bytes() for number in range(1, len(self.said["accepted"]) + 1)]

    @property
    def repairs(self) -> list[list[str]]:
        return [each["repairs"] for each in self.said["accepted"]]

    @property
    def reasons(self) -> set[str]:
        return {f"{reason['place']}: {reason['reason']}" for kept in self.said["quarantined"] for reason in kept["reasons"]}

    @property
    def findings(self) -> dict[str, dict]:
        return {finding["id"]: finding for finding in self.said["findings"]["findings"]}


@pytest.fixture
def judge(tmp_path):
    return lambda images, *results: Judged(tmp_path, images, results)


@pytest.mark.parametrize("name", ["series", "small"])
def test_what_highdicom_makes_passes_as_it_is(judge, name):
    images = IMAGES[name]()
    seg = segmentation(images)
    judged = judge(images, seg, report(images, seg))
    assert judged.said["quarantined"] == []
    assert judged.repairs == [[], []]
    assert judged.accepted == judged.given


@pytest.mark.parametrize("name", ["series", "small"])
def test_findings_are_those_that_were_put_in(judge, name):
    images = IMAGES[name]()
    seg = segmentation(images)
    judged = judge(images, seg, report(images, seg))
    found = judged.findings
    assert list(found) == ["large", "box", "small"], "groups first, then the segment that no group names"
    large, box, small = (found[key] for key in ("large", "box", "small"))
    assert {frame["image"]["instance"] for frame in large["place"]["frames"]} == {image.SOPInstanceUID for image in images}
    assert all(frame["runs"] == runs_of_whole(mask_of(images[0])) for frame in large["place"]["frames"])
    assert (large["trackingUid"], large["site"]["code"], large["laterality"]["code"]) == (own("large"), LUNG.value, "24028007")
    assert [(each["value"], each["unit"]) for each in large["measurements"]] == [(213.5, "mm3")]
    assert box["place"] == {"type": "box", "image": {"instance": images[0].SOPInstanceUID}, "from": [20, 10], "to": [40, 30.5]}
    assert [(each["value"], each["unit"]) for each in box["measurements"]] == [(7.25, "mm")]
    assert judged.said["unread"] == 1, "the mean cannot be said"
    assert small["code"]["code"] == NODULE.value
    assert [frame["image"]["instance"] for frame in small["place"]["frames"]] == [images[0].SOPInstanceUID]


def runs_of_whole(mask) -> list[int]:
    """As `runs_of`; a mask that ends outside has that run too."""
    runs = runs_of(mask)
    assert sum(runs) == mask.size
    return runs


def test_fractions_are_accepted_but_are_no_masks(judge):
    images = IMAGES["series"]()
    judged = judge(images, segmentation(images, "FRACTIONAL"))
    assert (judged.said["quarantined"], judged.repairs) == ([], [[]])
    assert [("place" in each) for each in judged.findings.values()] == [False, False]


@pytest.mark.parametrize("name", ["series", "small"])
def test_pictures_and_presentation_states_pass_as_they_are(judge, name):
    images = IMAGES[name]()
    judged = judge(images, picture(images), presentation(images))
    assert judged.said["quarantined"] == []
    assert judged.repairs == [[], []]
    assert judged.findings == {}


def test_a_line_outside_of_its_image_is_kept_back(judge):
    images = IMAGES["series"]()
    state = presentation(images)
    state.GraphicAnnotationSequence[0].GraphicObjectSequence[0].GraphicData = [1, 1, 9, 5000]
    judged = judge(images, state)
    assert judged.reasons == {"/GraphicAnnotationSequence/0/GraphicObjectSequence/0/GraphicData: it is outside of the image"}


def test_what_has_one_right_answer_is_put_right(judge, tmp_path):
    images = IMAGES["series"]()
    seg = segmentation(images)
    document = report(images, seg)
    before = [errors(tmp_path, file_of(ds)) for ds in (seg, document)]
    expected = {str(item.ReferencedSOPInstanceUID) for item in seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
    del seg.ReferencedSeriesSequence, seg.AccessionNumber, seg.StudyID
    del document.CurrentRequestedProcedureEvidenceSequence
    judged = judge(images, seg, document)
    assert judged.said["quarantined"] == []
    assert [set(repairs) for repairs in judged.repairs] == [{"00081115", "00080050", "00200010"}, {"0040A375"}]
    mended = [pydicom.dcmread(tmp_path / f"accepted-{number}.dcm") for number in (1, 2)]
    assert mended[0].AccessionNumber == images[0].AccessionNumber
    assert {item.ReferencedSOPInstanceUID for item in mended[0].ReferencedSeriesSequence[0].ReferencedInstanceSequence} == expected
    original = mended[0].OriginalAttributesSequence[0]
    assert (original.ModifyingSystem, original.ReasonForTheAttributeModification) == ("MedVAN gateway", "CORRECT")
    assert "AccessionNumber" in original.ModifiedAttributesSequence[0]
    assert [errors(tmp_path, file) - known for file, known in zip(judged.accepted, before, strict=True)] == [set(), set()]
    highdicom.seg.segread(tmp_path / "accepted-1.dcm")
    named = {instance for _, _, instance, _ in sr.srread(tmp_path / "accepted-2.dcm").get_evidence()}
    assert {seg.SOPInstanceUID, images[0].SOPInstanceUID} <= named


def foreign_patient(seg, _):
    seg.PatientID = "SYN-9999"


def foreign_study(seg, _):
    seg.StudyInstanceUID = "1.2.3.4"


def foreign_image(seg, _):
    seg.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID = "1.2.3.4"


def cut_pixels(seg, _):
    seg.PixelData = seg.PixelData[:-2]


def moved(seg, _):
    seg.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient = [500, 0, 0]


def outside(_, document):
    def walk(item):
        for child in item.get("ContentSequence", []):
            if child.ValueType == "SCOORD":
                child.GraphicData = [0, 0, 5000, 0]
            walk(child)

    walk(document)


SOURCE = "/PerFrameFunctionalGroupsSequence/0/DerivationImageSequence/0/SourceImageSequence/0"
BROKEN = [
    (foreign_patient, "/PatientID: it is of another patient than the job"),
    (foreign_study, "/StudyInstanceUID: it is of another study than the job"),
    (foreign_image, f"{SOURCE}/ReferencedSOPInstanceUID: it is none of this job's instances"),
    (cut_pixels, "/PixelData: it has another length than its frames"),
    (moved, "/PerFrameFunctionalGroupsSequence/0/PlanePositionSequence: it lies elsewhere than its source image"),
    (outside, "GraphicData: it is outside of the image"),
]


@pytest.mark.parametrize(("spoil", "reason"), BROKEN, ids=[spoil.__name__ for spoil, _ in BROKEN])
def test_what_does_not_hold_is_kept_back(judge, spoil, reason):
    images = IMAGES["series"]()
    seg = segmentation(images)
    document = report(images, seg)
    spoil(seg, document)
    judged = judge(images, seg, document)
    assert any(told.endswith(reason) for told in judged.reasons), judged.reasons
    report_is_held = document.SOPInstanceUID not in {each["instance"] for each in judged.said["accepted"]}
    assert report_is_held, "it is broken itself, or names the segmentation that is"
