"""From a PACS to a vendor and back: Orthanc sends a study by C-STORE, a service written in Python finds something, Orthanc gets
the evidence, and highdicom, an EHR and a FHIR client read the same in it."""

import time

import highdicom
import numpy as np
import pydicom
import pytest
import requests
from analyst import CODE, Analyst, bone
from archive import Archive, value
from fhir_library import judged
from gateway import Ehr
from pydicom.filebase import DicomBytesIO
from studies import Series
from test_dciodvfy import errors

REPORT = "1.2.840.10008.5.1.4.1.1.88.34"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
PICTURE = "1.2.840.10008.5.1.4.1.1.7"
STUDY = Series("study to evidence", slices=6, side=64, patient_id="ANALYSIS-1")


@pytest.fixture(scope="module")
def analyst():
    analyst = Analyst()
    yield analyst
    analyst.stop()


@pytest.fixture(scope="module")
def archive(gateway, orthanc, workstation, dicom_port, analyst):
    ports = {"orthanc_port": orthanc.dicom_port, "workstation_port": workstation.port}
    gateway.apply("image-analysis", hospital="rindo-hospital", ae_title="RINDO", analyst=analyst.base, **ports)
    archive = Archive(gateway.base, "rindo-hospital", "RINDO")
    orthanc.knows(archive.ae_title, dicom_port, archive.root, "analysis")
    return archive


@pytest.fixture(scope="module")
def job(gateway, orthanc, archive):
    """What became of the study that Orthanc sent; nobody touches anything in between."""
    told = orthanc.sends_by_c_store([orthanc.keeps(file) for file in STUDY.files()], "analysis")
    assert (told["InstancesCount"], told["FailedInstancesCount"]) == (STUDY.slices, 0)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        jobs = gateway.api(f"/hospitals/{archive.hospital}/jobs")["items"]
        if jobs and jobs[0]["state"] == "done":
            assert len(jobs) == 1
            return jobs[0]
        time.sleep(0.2)
    raise AssertionError(gateway.api(f"/hospitals/{archive.hospital}/studies/{STUDY.study_uid}/matching"))


@pytest.fixture(scope="module")
def evidence(job, orthanc, archive):
    """What Orthanc has of it, by SOP class."""
    found = archive.searches("instances", StudyInstanceUID=STUDY.study_uid)
    made = {value(row, "00080016"): [] for row in found}
    for row in found:
        file = orthanc.file(orthanc.waits_for(value(row, "00080018")))
        made[value(row, "00080016")].append(pydicom.dcmread(DicomBytesIO(file)))
    return made


def test_the_service_got_the_images_and_nothing_of_the_patient(job, analyst):
    (asked,) = analyst.asked
    assert [image["instance"] for image in asked["images"]] == [STUDY.instance_uid(n) for n in range(1, STUDY.slices + 1)]
    assert asked["job"] == job["id"]


def test_the_segmentation_is_what_the_service_found(evidence):
    (came,) = evidence[SEGMENTATION]
    segmentation = highdicom.seg.Segmentation.from_dataset(came)
    images = [STUDY.dataset(number) for number in range(1, STUDY.slices + 1)]
    for image in images:
        image.file_meta = pydicom.dataset.FileMetaDataset()
        image.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    sources = [image.SOPInstanceUID for image in images]
    pixels = segmentation.get_pixels_by_source_instance(sources, assert_missing_frames_are_empty=True)
    assert (pixels[..., 0] == np.stack([bone(image) for image in images])).all()


def test_the_report_measures_it(evidence, analyst):
    (came,) = evidence[REPORT]
    report = highdicom.sr.Comprehensive3DSR.from_dataset(came)
    (group,) = report.content.get_volumetric_roi_measurement_groups()
    assert (group.finding_type.value, group.tracking_identifier) == (CODE["code"], "bone")
    measured = {each.name.value: each.value for each in group.get_measurements()}
    pixels = sum(int(bone_of(number).sum()) for number in range(1, STUDY.slices + 1))
    assert measured["118565006"] == pytest.approx(pixels * (360 / 64) ** 2 * 5)


def test_a_picture_shows_it(evidence):
    assert evidence[PICTURE], "some slice is drawn"
    for picture in evidence[PICTURE]:
        assert picture.BurnedInAnnotation == "YES" and picture.pixel_array.shape == (512, 512, 3)
    (report,) = evidence[REPORT]
    referenced = {instance for *_, instance, _ in highdicom.sr.Comprehensive3DSR.from_dataset(report).get_evidence()}
    assert {picture.SOPInstanceUID for picture in evidence[PICTURE]} <= referenced


def test_nothing_of_it_has_an_error(evidence, orthanc, tmp_path):
    made = [ds.SOPInstanceUID for uid in (REPORT, SEGMENTATION, PICTURE) for ds in evidence[uid]]
    faults = {uid: errors(tmp_path, orthanc.file(orthanc.waits_for(uid))) for uid in made}
    assert faults == {uid: set() for uid in made}


def test_orthanc_finds_it_by_qido_and_the_workstation_by_c_find(evidence, archive, workstation, job):
    found = workstation.finds(archive.ae_title, level="SERIES", StudyInstanceUID=STUDY.study_uid, Modality="SR", SeriesInstanceUID="")
    (report,) = evidence[REPORT]
    assert [series.SeriesInstanceUID for series in found] == [report.SeriesInstanceUID]


def test_a_fhir_client_reads_it(job, archive, analyst):
    root = archive.root.removesuffix("/dicom-web") + "/fhir"
    found = requests.get(f"{root}/Observation", params={"patient": STUDY.patient_id}, timeout=30).json()
    (observation,) = [entry["resource"] for entry in found["entry"]]
    assert observation["status"] == "preliminary"
    report = requests.get(f"{root}/DiagnosticReport/{job['id']}", timeout=30).json()
    assert f"Observation/{observation['id']}" in [each["reference"] for each in report["result"]]


R5 = {"Accept": "application/fhir+json; fhirVersion=5.0"}


@pytest.fixture(scope="module")
def r5(job, archive):
    """Everything that can be read in R5, as fhir.resources has it, by type."""
    root = archive.root.removesuffix("/dicom-web") + "/fhir"
    statement = judged(requests.get(f"{root}/metadata", headers=R5, timeout=30).json(), "5.0")
    assert statement.fhirVersion == "5.0.0"
    read = {}
    for resource in statement.rest[0].resource:
        answer = requests.get(f"{root}/{resource.type}", headers=R5, timeout=30)
        assert answer.headers["Content-Type"] == R5["Accept"]
        found = judged(answer.json(), "5.0").entry
        assert found, resource.type
        for entry in found:
            alone = requests.get(entry.fullUrl, headers=R5, timeout=30).json()
            assert judged(alone, "5.0") == entry.resource
        read[resource.type] = [entry.resource for entry in found]
    return read


def test_a_client_of_fhir_r5_reads_everything(r5):
    assert set(r5) == {"Observation", "DiagnosticReport", "ImagingSelection", "ImagingStudy", "Device", "Provenance"}
    (observation,), (report,) = r5["Observation"], r5["DiagnosticReport"]
    assert [result.reference for result in report.result] == [f"Observation/{observation.id}"]
    (study,) = [study for study in r5["ImagingStudy"] if study.id == STUDY.study_uid]
    assert [reference.reference for reference in report.study] == [f"ImagingStudy/{study.id}"]
    derived = {reference.reference for reference in observation.derivedFrom}
    assert derived == {f"ImagingSelection/{each.id}" for each in r5["ImagingSelection"]} | {f"ImagingStudy/{study.id}"}


def test_imaging_selections_lead_to_the_images_the_segment_and_the_group_of_the_report(r5, evidence):
    selected = {selection.code.coding[0].code: selection for selection in r5["ImagingSelection"]}
    assert set(selected) == {"121233", "121191", "111040"}
    images, segment, source = selected["121233"], selected["121191"], selected["111040"]
    assert {image.uid for image in images.instance} == {STUDY.instance_uid(n) for n in range(1, STUDY.slices + 1)}
    (made,), (report,) = evidence[SEGMENTATION], evidence[REPORT]
    (instance,) = segment.instance
    assert (segment.seriesUid, instance.uid) == (made.SeriesInstanceUID, made.SOPInstanceUID)
    assert instance.sopClass.code == f"urn:oid:{SEGMENTATION}"
    (item,) = [item for item in made.SegmentSequence if str(item.SegmentNumber) == instance.subset[0]]
    assert f"urn:oid:{item.TrackingUID}" in [identifier.value for identifier in segment.identifier]
    (instance,) = source.instance
    assert (source.seriesUid, instance.uid) == (report.SeriesInstanceUID, report.SOPInstanceUID)
    (group,) = groups_of(report, instance.subset[0])
    assert group.ConceptNameCodeSequence[0].CodeValue == "125007"


def groups_of(item: pydicom.Dataset, observation_uid: str) -> list[pydicom.Dataset]:
    """The content items with this Observation UID, through the whole tree."""
    below = [found for child in item.get("ContentSequence", []) for found in groups_of(child, observation_uid)]
    return below + [item] * (item.get("ObservationUID") == observation_uid)


def test_the_ehr_shows_a_card_until_a_doctor_answers_it(job, gateway, archive):
    ehr = Ehr(f"{gateway.base}/hospitals/{archive.hospital}/cds-services")
    offers = {offer["id"]: offer for offer in ehr.discovers()}
    assert "Patient/{{context.patientId}}" in offers["van-patient-view"]["prefetch"].values()
    patient = {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": "urn:example:patients", "value": STUDY.patient_id}],
        "birthDate": "1941-02-03",
    }
    (key,) = [key for key, text in offers["van-patient-view"]["prefetch"].items() if text.startswith("Patient/")]
    view = {"context": {"userId": "Practitioner/1", "patientId": "p1"}, "prefetch": {key: patient}}
    card = ehr.fires("van-patient-view", **view).card_of("Bone volume")
    assert "骨" in card["summary"] and STUDY.study_uid in card["links"][0]["url"]
    outcome = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-23T09:00:00Z"}
    url = f"{ehr.base}/van-patient-view/feedback"
    assert requests.post(url, json={"feedback": [outcome]}, timeout=30).status_code == 200
    assert ehr.fires("van-patient-view", **view).cards == []
    other = {**view, "prefetch": {key: {**patient, "birthDate": "1941-02-04"}}}
    assert ehr.fires("van-patient-view", **other).cards == []


def bone_of(number: int) -> np.ndarray:
    image = STUDY.dataset(number)
    image.file_meta = pydicom.dataset.FileMetaDataset()
    image.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    return bone(image)


CANVAS = "canvas.cornerstone-canvas"


def test_the_link_of_the_card_opens_at_the_finding(evidence, gateway, archive, browser):
    (report,) = evidence[REPORT]
    (group,) = highdicom.sr.Comprehensive3DSR.from_dataset(report).content.get_volumetric_roi_measurement_groups()
    query = f"hospital={archive.hospital}&study={STUDY.study_uid}&finding={group.tracking_uid}"
    seen = browser("viewer-findings", f"{gateway.base}/viewer?{query}", text="骨の体積", picture="img", count=".mark.chosen path")
    assert seen["count"] == 1, "the mask of the finding lies over the picture"
    assert "1 Bone" in seen["text"] and "NOT FOR DIAGNOSIS" in seen["text"] and "診断ではありません" in seen["text"]
    # Of six slices the mask has all: the middle one is shown.
    assert "画像 4 / 6" in seen["text"]
    assert not seen["errors"]


def test_a_study_opens_where_something_is_marked(evidence, gateway, archive, browser):
    query = f"hospital={archive.hospital}&study={STUDY.study_uid}"
    seen = browser("viewer-marked", f"{gateway.base}/viewer?{query}", text="骨の体積", picture="img", count=".mark path")
    assert seen["count"] == 1 and "画像 4 / 6" in seen["text"], "the middle one of those that have the mask"
    assert "Volume 41770 mm³" in seen["text"], "units as people write them"
    assert "レポート 1 件" in seen["text"] and "領域抽出 1 件" in seen["text"]
    # What has no pixels is not asked for as a picture.
    assert seen["failed"] == [] and not seen["errors"]


def test_people_see_what_became_of_the_job_and_why_the_series_was_sent(job, gateway, archive, browser):
    pages = f"{gateway.base}/viewer?hospital={archive.hospital}"
    seen = browser("viewer-jobs", f"{pages}&view=jobs", text=job["id"], count="tbody tr")
    assert seen["count"] == 1 and job["service"] in seen["text"] and STUDY.study_uid in seen["text"]
    assert not seen["errors"] and not seen["failed"]
    seen = browser("viewer-no-jobs", f"{pages}&view=jobs&state=failed&lang=en", text="There are no such jobs")
    assert not seen["errors"] and not seen["failed"]
    seen = browser("viewer-matching", f"{pages}&study={STUDY.study_uid}&view=matching", text="判定の時刻", count="tr.chosen")
    assert seen["count"] == 1 and "送る" in seen["text"] and "揃った" in seen["text"] and job["service"] in seen["text"]
    assert not seen["errors"] and not seen["failed"]
    # What is told to people cannot be asked from outside of this machine's pages.
    assert requests.get(f"{gateway.base}/viewer/hospitals/nobody/jobs", timeout=30).status_code == 404


def test_ohif_draws_the_segmentation_and_lists_the_report(evidence, archive, ohif, browser):
    """A mask has no coordinates in a report: OHIF draws it from the segmentation."""
    url = f"{ohif}/viewer/{archive.hospital}?StudyInstanceUIDs={STUDY.study_uid}"
    seen = browser("ohif-findings", url, picture=CANVAS, doubleClick="SEG", coloured=100)
    assert seen["picture"]["coloured"] > 100, "the segment in its colour over the grey image"
    assert "SR" in seen["text"]
    assert not seen["errors"]
