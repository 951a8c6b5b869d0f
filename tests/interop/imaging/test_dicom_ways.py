"""Services that give their results as DICOM objects: fetched from their archive or from a root of each job, stored by themselves, or
made by somebody who pulls the work. Orthanc sends studies by C-STORE and gets what others' libraries wrote; nobody touches it in between."""

import json
import time
from dataclasses import dataclass
from io import BytesIO

import highdicom
import numpy as np
import pydicom
import pytest
import requests
from archive import Archive, value
from fhir_library import judged
from finder import DENSE, THIN, evidence, regions
from orthanc import Orthanc
from studies import Series
from test_dciodvfy import errors
from vendor import Carrier, Claim, Performer, Pusher, Root, Watcher, client_with, file_of

VOLUME = "118565006"
# Who pulls work is never called; an address has to be there all the same, on a port that may be called.
NOBODY = "http://127.0.0.1:8443"
WAYS = ["archive", "root", "push", "dimse", "worklist"]


@dataclass(frozen=True)
class Chest(Series):
    """A series whose left lung is the smaller one: to its side all is as dense as water."""

    def dataset(self, number: int) -> pydicom.Dataset:
        ds = super().dataset(number)
        units = self.units(ds).copy()
        units[:, self.side * 3 // 4 :] = np.maximum(units[:, self.side * 3 // 4 :], 0)
        ds.PixelData = units.tobytes()
        return ds

    def units(self, ds: pydicom.Dataset) -> np.ndarray:
        return np.frombuffer(ds.PixelData, "<i2").reshape(self.side, self.side)

    def lungs(self) -> list[np.ndarray]:
        """As they were drawn, right and left: what is thin on each side of the middle, inside of the body."""
        units = np.stack([self.units(self.dataset(number)) for number in range(1, self.slices + 1)])
        thin, left = (units > THIN) & (units < DENSE), np.arange(self.side) >= self.side // 2
        return [thin & ~left, thin & left]

    def volumes(self) -> list[float]:
        """Of them, in mm³: slices are 5 mm apart, and 360 mm wide."""
        return [int(mask.sum()) * (360 / self.side) ** 2 * 5 for mask in self.lungs()]


STUDY = Chest("dicom ways", slices=8, side=64, patient_id="WAYS-1")
OTHER = Chest("dicom ways, another patient", slices=8, side=64, patient_id="WAYS-2")


@dataclass
class Vendor:
    """All that stands at the vendor, by the name of its service; its root at the gateway, and what it shows there."""

    root: str
    credential: str
    services: dict[str, Watcher | Root | Pusher | Carrier | Performer]

    def made(self, way: str, study: Series = STUDY) -> list[pydicom.Dataset]:
        return self.services[way].work.made[study.study_uid]

    @property
    def faults(self) -> list[str]:
        return [fault for service in self.services.values() for fault in service.work.faults]


def of_another_patient(images: list[pydicom.Dataset], maker: str) -> list[pydicom.Dataset]:
    made = evidence(images, maker)
    for result in made:
        result.PatientID = "WAYS-9"
    return made


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory):
    """The hospital's PACS, for these tests alone: results come when they come, and other tests expect theirs empty."""
    orthanc = Orthanc(tmp_path_factory.mktemp("pacs"))
    yield orthanc
    orthanc.stop()


@pytest.fixture(scope="module")
def archive(gateway, orthanc, dicom_port):
    gateway.apply("dicom-ways", hospital="hagi-hospital", ae_title="HAGI", orthanc_port=orthanc.dicom_port)
    archive = Archive(gateway.base, "hagi-hospital", "HAGI")
    orthanc.knows(archive.ae_title, dicom_port, archive.root, "ways")
    return archive


@pytest.fixture(scope="module")
def its_archive(tmp_path_factory):
    """The vendor's own Orthanc."""
    orthanc = Orthanc(tmp_path_factory.mktemp("vendor"), StableAge=1)
    yield orthanc
    orthanc.stop()


@pytest.fixture(scope="module")
def vendor(gateway, archive, its_archive, dicom_port):
    root, credential = f"{gateway.base}/vendors/hagi/dicom-web", gateway.issues("vendor", "hagi")
    services = {
        "archive": Watcher(its_archive),
        "root": Root("root"),
        "push": Pusher("push", root),
        "dimse": Carrier("HAGI_AI", archive.ae_title, dicom_port),
        "worklist": Performer(root, credential),
        "mistaken": Root("mistaken", of_another_patient),
    }
    kept, own = {"kind": "dicomweb", "path": "/dicom-web", "results": "fetch"}, "/jobs/{job}/dicom-web"
    talks = {
        "archive": (its_archive.base, kept),
        "root": (services["root"].base, kept | {"path": own}),
        "push": (services["push"].base, kept | {"path": own, "results": "store"}),
        "dimse": (NOBODY, {"kind": "dimse", "aeTitle": "HAGI_AI", "host": "127.0.0.1", "port": services["dimse"].port}),
        "worklist": (NOBODY, {"kind": "worklist"}),
        "mistaken": (services["mistaken"].base, kept | {"path": own}),
    }
    for service, (base, way) in talks.items():
        way = json.dumps(way | {"expects": ["SR", "SEG"]})
        gateway.apply("dicom-way", hospital=archive.hospital, service=service, base=base, way=way)
    yield Vendor(root, credential, services)
    for service in ("archive", "root", "push", "dimse", "mistaken"):
        services[service].stop()


@pytest.fixture(scope="module")
def claims(orthanc, vendor) -> list[Claim]:
    """The work on both studies, taken from the worklist and not begun."""
    files = STUDY.files() + OTHER.files()
    told = orthanc.sends_by_c_store([orthanc.keeps(file) for file in files], "ways")
    assert (told["InstancesCount"], told["FailedInstancesCount"]) == (len(files), 0)
    performer = vendor.services["worklist"]
    waiting = until(lambda: found if len(found := performer.waiting()) == 2 else None, vendor)
    claims = {claim.study: claim for claim in (performer.claims(item.SOPInstanceUID) for item in waiting)}
    return [claims[study.study_uid] for study in (STUDY, OTHER)]


@pytest.fixture(scope="module")
def jobs(gateway, archive, vendor, claims):
    """What became of the work on the first study, by service; all of it has ended."""
    for claim in claims:
        vendor.services["worklist"].performs(claim)

    def ended():
        jobs = gateway.api(f"/hospitals/{archive.hospital}/jobs")["items"]
        jobs = [job for job in jobs if job["state"] in ("done", "dead", "canceled")]
        return jobs if len(jobs) == 2 * len(vendor.services) else None

    jobs = until(ended, vendor)
    assert vendor.faults == []
    return {job["service"].removeprefix("hagi."): job for job in jobs if job["study"] == STUDY.study_uid}


@pytest.fixture
def delivered(jobs, vendor, archive):
    """`delivered(way)`: segmentation and report of a service, as dicomweb-client fetches and highdicom reads them."""

    def read(way: str):
        names = [(made.StudyInstanceUID, made.SeriesInstanceUID, made.SOPInstanceUID) for made in vendor.made(way)]
        segmentation, report = (archive.client.retrieve_instance(*name) for name in names)
        return highdicom.seg.Segmentation.from_dataset(segmentation), highdicom.sr.Comprehensive3DSR.from_dataset(report)

    return read


def until(holds, vendor: Vendor, seconds: float = 60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.2)
    raise AssertionError(f"it never came: {vendor.faults}")


def path_of(made: pydicom.Dataset) -> str:
    return f"/studies/{made.StudyInstanceUID}/series/{made.SeriesInstanceUID}/instances/{made.SOPInstanceUID}"


class TestAlone:
    def test_it_finds_what_was_drawn(self):
        images = [pydicom.dcmread(BytesIO(file)) for file in STUDY.files()]
        found = regions(images)
        assert all((region.mask == lung).all() for region, lung in zip(found, STUDY.lungs(), strict=True))
        right, left = STUDY.volumes()
        assert [region.volume for region in found] == pytest.approx([right, left]) and right > left > 0

    def test_its_objects_have_no_errors(self, tmp_path):
        images = [pydicom.dcmread(BytesIO(file)) for file in STUDY.files()]
        assert [errors(tmp_path, file_of(made)) for made in evidence(images, "alone")] == [set(), set()]


def test_a_claim_opens_its_own_images_and_nothing_else(claims, vendor):
    performer, (own, other) = vendor.services["worklist"], claims
    images = performer.fetches(own)
    assert {image.SOPInstanceUID for image in images} == {STUDY.instance_uid(number) for number in range(1, STUDY.slices + 1)}
    assert {image.PatientID for image in images} == {STUDY.patient_id}

    def asks(token: str, path: str) -> int:
        headers = {"Authorization": f"Bearer {token}", "Accept": "*/*"}
        return requests.get(vendor.root + path, headers=headers, timeout=30).status_code

    for path in (f"/studies/{OTHER.study_uid}", f"/workitems/{other.uid}", f"/studies/{STUDY.study_uid}/series/1.2.3"):
        assert asks(own.token, path) == 404, path
    assert asks(own.token, f"/workitems/{own.uid}") == 200
    assert asks("mvj_" + "A" * 60, f"/studies/{STUDY.study_uid}") == 401


def test_a_token_takes_no_results_of_another_job(claims, vendor):
    made = evidence([pydicom.dcmread(BytesIO(file)) for file in OTHER.files()], "another")
    with pytest.raises(requests.HTTPError) as refused:
        client_with(vendor.root, claims[0].token).store_instances(made)
    assert refused.value.response.status_code == 409
    told = pydicom.Dataset.from_json(refused.value.response.json())
    assert {item.FailureReason for item in told.FailedSOPSequence} == {0x0124}, "not authorized"


@pytest.mark.parametrize("way", WAYS)
def test_the_hospital_finds_what_the_service_made_and_orthanc_gets_it(way, jobs, vendor, archive, orthanc):
    assert jobs[way]["state"] == "done", jobs[way]
    for made, modality in zip(vendor.made(way), ("SEG", "SR"), strict=True):
        (found,) = archive.searches("instances", SOPInstanceUID=made.SOPInstanceUID)
        told = [value(found, tag) for tag in ("00080060", "00100020", "0020000D")]
        assert told == [modality, STUDY.patient_id, STUDY.study_uid]
        (kept,) = archive.gives(path_of(made))
        # DIMSE makes a new head of the file.
        if way == "dimse":
            assert pydicom.dcmread(BytesIO(kept)) == pydicom.dcmread(BytesIO(file_of(made)))
        else:
            assert kept == file_of(made), "as the service made it, byte for byte"
        sent = orthanc.file(orthanc.waits_for(made.SOPInstanceUID))
        assert pydicom.dcmread(BytesIO(sent)) == pydicom.dcmread(BytesIO(kept))


@pytest.mark.parametrize("way", WAYS)
def test_highdicom_reads_the_same_volumes(way, delivered):
    segmentation, report = delivered(way)
    sources = [STUDY.instance_uid(number) for number in range(1, STUDY.slices + 1)]
    masks = segmentation.get_pixels_by_source_instance(sources, assert_missing_frames_are_empty=True)
    assert (masks == np.stack(STUDY.lungs(), axis=-1)).all()
    groups = report.content.get_volumetric_roi_measurement_groups()
    measured = [each.value for group in groups for each in group.get_measurements() if each.name.value == VOLUME]
    assert measured == pytest.approx(STUDY.volumes())
    assert [list(group.referenced_segment.referenced_segment_numbers) for group in groups] == [[1], [2]]
    assert {group.referenced_segment.referenced_sop_instance_uid for group in groups} == {segmentation.SOPInstanceUID}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_of_it_has_an_error(way, jobs, vendor, archive, tmp_path):
    for made in vendor.made(way):
        assert errors(tmp_path, archive.gives(path_of(made))[0]) == set()


def test_a_fhir_client_reads_the_volumes_of_every_service(jobs, archive):
    root = archive.root.removesuffix("/dicom-web") + "/fhir"
    found = requests.get(f"{root}/Observation", params={"patient": STUDY.patient_id}, timeout=30).json()
    told = {}
    for observation in (entry["resource"] for entry in found["entry"]):
        way = observation["device"]["display"].removeprefix("hagi.").removesuffix(" 1.0.0")
        (quantity,) = [part["valueQuantity"] for part in observation["component"] if code_of(part["code"]) == VOLUME]
        assert (observation["status"], quantity["unit"]) == ("preliminary", "mm3")
        told.setdefault(way, {})[observation["bodySite"]["text"]] = quantity["value"]
    right, left = STUDY.volumes()
    assert told == {way: {"Lung (Right)": pytest.approx(right), "Lung (Left)": pytest.approx(left)} for way in WAYS}


def test_a_client_of_fhir_r5_reads_in_which_images_the_lungs_are(jobs, archive):
    """Whose reports and segmentations are the services' own: only the images are told."""
    root = archive.root.removesuffix("/dicom-web") + "/fhir"
    headers = {"Accept": "application/fhir+json; fhirVersion=5.0"}
    found = requests.get(f"{root}/ImagingSelection", params={"patient": STUDY.patient_id}, headers=headers, timeout=30).json()
    selected = [entry.resource for entry in judged(found, "5.0").entry]
    assert len(selected) == 2 * len(WAYS)
    images = {STUDY.instance_uid(number) for number in range(1, STUDY.slices + 1)}
    for selection in selected:
        assert (selection.code.coding[0].code, selection.seriesUid) == ("121233", STUDY.series_uid)
        assert {image.uid for image in selection.instance} <= images
        (site,) = selection.contained
        assert site.includedStructure[0].laterality.text in ("Right", "Left")


def code_of(concept: dict) -> str:
    return concept["coding"][0]["code"]


def test_objects_of_another_patient_are_delivered_to_nobody(jobs, vendor, archive, orthanc, gateway):
    for made in vendor.made("mistaken"):
        assert archive.searches("instances", SOPInstanceUID=made.SOPInstanceUID) == []
        assert archive.asks(path_of(made)).status_code == 404
        assert orthanc.has(made.SOPInstanceUID) is None
    assert archive.searches("studies", PatientID="WAYS-9") == []
    assert jobs["mistaken"]["state"] == "dead"
    told = gateway.api("/vendors/hagi/jobs", vendor.credential)["items"]
    (job,) = [job for job in told if job["id"] == jobs["mistaken"]["id"]]
    assert "/PatientID: it is of another patient than the job" in job["fault"]
    assert "WAYS" not in job["fault"] and STUDY.study_uid not in job["fault"], "nothing that an object says is told"


def test_when_a_job_is_over_its_token_is(jobs, claims, vendor):
    tokens = [claims[0].token, *vendor.services["push"].job_tokens.values()]
    assert set(vendor.services["root"].job_tokens.values()) == {None}, "whose results are fetched needs none"
    headers = [{"Authorization": f"Bearer {token}", "Accept": "*/*"} for token in tokens]
    url = f"{vendor.root}/studies/{STUDY.study_uid}"
    assert [requests.get(url, headers=each, timeout=30).status_code for each in headers] == [404] * 3
    assert [requests.post(url, headers=each, timeout=30).status_code for each in headers] == [404] * 3


def test_the_workitem_says_what_the_performer_made(jobs, claims, vendor, archive):
    (workitem,) = archive.asks(f"/workitems/{claims[0].uid}", "application/dicom+json").json()
    workitem = pydicom.Dataset.from_json(workitem)
    assert workitem.ProcedureStepState == "COMPLETED"
    (done,) = workitem.UnifiedProcedureStepPerformedProcedureSequence
    named = {item.ReferencedSOPInstanceUID for output in done.OutputInformationSequence for item in output.ReferencedSOPSequence}
    assert named == {made.SOPInstanceUID for made in vendor.made("worklist")}
