"""A vendor in each of the ways in which results come as DICOM objects, on others' software: an Orthanc that a worker watches, a
DICOMweb root for each job with or without storing back, an application entity, and a performer of a worklist. All of them find what `finder` finds."""

import io
import json
import re
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pydicom
import requests
from dicomweb_client import URI, DICOMwebClient
from finder import evidence
from orthanc import Orthanc
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import (
    UID,
    Comprehensive3DSRStorage,
    CTImageStorage,
    ExplicitVRLittleEndian,
    SegmentationStorage,
    generate_uid,
)
from pynetdicom import AE, evt
from served import Handler, Served, parts

DICOM_JSON = "application/dicom+json"
BOUNDARY = "hagi-5c1f"
Finds = Callable[[list[Dataset], str], list[Dataset]]


@dataclass
class Work:
    """What a vendor did: its results by study, and where it broke off."""

    made: dict[str, list[Dataset]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def begins(self, do: Callable, *words: object) -> threading.Thread:
        """In a thread of its own, as a vendor's worker beside its server."""

        def run():
            try:
                do(*words)
            except Exception:
                self.faults.append(traceback.format_exc())

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread


class Watcher:
    """A worker beside an archive: a study that Orthanc calls stable is worked on, and the results are stored beside its images."""

    def __init__(self, orthanc: Orthanc):
        self.work = Work()
        self._orthanc, self._client = orthanc, DICOMwebClient(orthanc.dicom_web)
        self._is_over = threading.Event()
        self._thread = self.work.begins(self._watches)

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _watches(self) -> None:
        seen = 0
        while not self._is_over.wait(0.2):
            told = self._orthanc.gets(f"/changes?since={seen}")
            seen = told["Last"]
            for change in told["Changes"]:
                if change["ChangeType"] == "StableStudy":
                    self._works(self._orthanc.gets(f"/studies/{change['ID']}")["MainDicomTags"]["StudyInstanceUID"])

    def _works(self, study: str) -> None:
        if self._series(study, "SR"):
            return
        images = [image for series in self._series(study, "CT") for image in self._client.retrieve_series(study, series)]
        made = evidence(images, "archive")
        self.work.made[study] = made
        self._client.store_instances(made, study_instance_uid=study)

    def _series(self, study: str, modality: str) -> list[str]:
        found = self._client.search_for_series(study, search_filters={"Modality": modality})
        return [Dataset.from_json(item).SeriesInstanceUID for item in found]


class Root:
    """A DICOMweb root for each job, below `/jobs/{job}/dicom-web`: what is stored is worked on, and the results are found there."""

    def __init__(self, maker: str, finds: Finds = evidence):
        self.work = Work()
        self.job_tokens: dict[str, str | None] = {}
        self._maker, self._finds = maker, finds
        self._kept: dict[str, list[Dataset]] = {}
        self._served = Served(_dicomweb(self))
        self.base = self._served.base

    def stop(self) -> None:
        self._served.stop()

    def takes(self, job: str, study: str, files: list[bytes], token: str | None) -> None:
        """The images of a job, and the token with which its results may be stored at the gateway."""
        self.job_tokens[job] = token
        self.work.begins(self._works, job, study, [pydicom.dcmread(io.BytesIO(file)) for file in files])

    def has(self, job: str) -> list[Dataset]:
        return self._kept.get(job, [])

    def _works(self, job: str, study: str, images: list[Dataset]) -> None:
        made = self._finds(images, self._maker)
        self.work.made[study] = made
        self.returns(job, study, made)

    def returns(self, job: str, study: str, made: list[Dataset]) -> None:
        self._kept[job] = made


class Pusher(Root):
    """Stores its results at the gateway, each by a request of its own, instead of keeping them."""

    def __init__(self, maker: str, gateway: str):
        super().__init__(maker)
        self._gateway = gateway

    def returns(self, job: str, study: str, made: list[Dataset]) -> None:
        client = client_with(self._gateway, self.job_tokens[job])
        for result in made:
            client.store_instances([result], study_instance_uid=study)


class Carrier:
    """An application entity: what it is sent by C-STORE it works on when the association ends, and sends its results back by C-STORE."""

    def __init__(self, title: str, hospital: str, port: int):
        self.work = Work()
        self._ae, self._hospital, self._gateway_port = AE(title), hospital, port
        self._ae.add_supported_context(CTImageStorage)
        for kind in (SegmentationStorage, Comprehensive3DSRStorage):
            self._ae.add_requested_context(kind, ExplicitVRLittleEndian)
        self._came: dict[object, list[Dataset]] = {}
        handlers = [(evt.EVT_C_STORE, self._keeps), (evt.EVT_RELEASED, self._begins)]
        self._server = self._ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        self.port = self._server.server_address[1]

    def stop(self) -> None:
        self._server.shutdown()

    def _keeps(self, event: evt.Event) -> int:
        image = event.dataset
        image.file_meta = event.file_meta
        self._came.setdefault(event.assoc, []).append(image)
        return 0x0000

    def _begins(self, event: evt.Event) -> None:
        if images := self._came.pop(event.assoc, None):
            self.work.begins(self._works, images)

    def _works(self, images: list[Dataset]) -> None:
        made = evidence(images, "dimse")
        self.work.made[images[0].StudyInstanceUID] = made
        association = self._ae.associate("127.0.0.1", self._gateway_port, ae_title=self._hospital)
        assert association.is_established, "the hospital takes no association"
        told = [association.send_c_store(result).Status for result in made]
        association.release()
        assert told == [0x0000] * len(made), told


@dataclass(frozen=True)
class Claim:
    """A workitem that is ours, the lock on it, and the token for its job."""

    uid: str
    workitem: Dataset
    transaction: str
    token: str

    @property
    def study(self) -> str:
        return self.workitem.InputInformationSequence[0].StudyInstanceUID


class Refused(AssertionError):
    """A request about a worklist that was not granted, and its answer."""

    def __init__(self, words: str, answer: requests.Response):
        super().__init__(words)
        self.answer = answer


class Performer:
    """Takes work from a worklist (UPS-RS by requests, which dicomweb-client does not speak), one workitem after the other."""

    def __init__(self, root: str, credential: str):
        self.work = Work()
        self.root = root
        self._session = requests.Session()
        self._session.headers.update({"Authorization": f"Bearer {credential}", "Accept": DICOM_JSON})

    def waiting(self) -> list[Dataset]:
        answer = self._asks("GET", "/workitems?ProcedureStepState=SCHEDULED")
        return [Dataset.from_json(item) for item in (answer.json() if answer.content else [])]

    def claims(self, uid: str) -> Claim:
        transaction = UID(generate_uid(prefix=None))
        answer = self._becomes(uid, transaction, "IN PROGRESS")
        (workitem,) = self._asks("GET", f"/workitems/{uid}").json()
        return Claim(uid, Dataset.from_json(workitem), transaction, answer.headers["MedVAN-Job-Token"])

    def fetches(self, claim: Claim) -> list[Dataset]:
        """The images, each series from where the workitem says."""
        images = []
        for series in claim.workitem.InputInformationSequence:
            place = URI.from_string(series.WADORSRetrievalSequence[0].RetrieveURL)
            client = client_with(place.base_url, claim.token)
            images += client.retrieve_series(place.study_instance_uid, place.series_instance_uid)
        return images

    def stores(self, claim: Claim, made: list[Dataset]) -> None:
        client_with(self.root, claim.token).store_instances(made, study_instance_uid=claim.study)

    def performs(self, claim: Claim) -> None:
        begun = datetime.now(UTC)
        made = evidence(self.fetches(claim), "worklist")
        self.stores(claim, made)
        self.work.made[claim.study] = made
        self._tells(claim, self._performed(claim, made, begun))
        self._becomes(claim.uid, claim.transaction, "COMPLETED")

    def _performed(self, claim: Claim, made: list[Dataset], begun: datetime) -> Dataset:
        """What was done and where the results are (PS3.3 section C.30.3)."""
        done = Dataset()
        done.PerformedStationNameCodeSequence = [coded(Code("finder-1", "99HAGI", "Finder 1"))]
        done.PerformedWorkitemCodeSequence = [coded(codes.DCM.ImageProcessing)]
        done.PerformedProcedureStepStartDateTime = begun.strftime("%Y%m%d%H%M%S.%f+0000")
        done.PerformedProcedureStepEndDateTime = datetime.now(UTC).strftime("%Y%m%d%H%M%S.%f+0000")
        done.OutputInformationSequence = [self._output(result) for result in made]
        update = Dataset()
        update.UnifiedProcedureStepPerformedProcedureSequence = [done]
        return update

    def _output(self, result: Dataset) -> Dataset:
        named, place, output = Dataset(), Dataset(), Dataset()
        named.ReferencedSOPClassUID, named.ReferencedSOPInstanceUID = result.SOPClassUID, result.SOPInstanceUID
        study, series = result.StudyInstanceUID, result.SeriesInstanceUID
        place.RetrieveURL = f"{self.root}/studies/{study}/series/{series}"
        output.TypeOfInstances, output.StudyInstanceUID, output.SeriesInstanceUID = "DICOM", study, series
        output.ReferencedSOPSequence, output.WADORSRetrievalSequence = [named], [place]
        return output

    def _tells(self, claim: Claim, changes: Dataset) -> None:
        self._asks("POST", f"/workitems/{claim.uid}?transaction-uid={claim.transaction}", changes)

    def _becomes(self, uid: str, transaction: str, state: str) -> requests.Response:
        asked = Dataset()
        asked.TransactionUID, asked.ProcedureStepState = transaction, state
        return self._asks("PUT", f"/workitems/{uid}/state", asked)

    def _asks(self, method: str, path: str, data: Dataset | None = None) -> requests.Response:
        text = None if data is None else json.dumps(data.to_json_dict())
        answer = self._session.request(method, self.root + path, data=text, headers={"Content-Type": DICOM_JSON}, timeout=30)
        if not answer.ok:
            raise Refused(f"{method} {path}: {answer.status_code} {answer.text}", answer)
        return answer


def client_with(root: str, token: str) -> DICOMwebClient:
    return DICOMwebClient(root, headers={"Authorization": f"Bearer {token}"})


def coded(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item


PLACE = re.compile(r"/jobs/([0-9a-f-]{36})/dicom-web/studies/([0-9.]+)(/series)?(?:/([0-9.]+)(/instances)?(?:/([0-9.]+))?)?$")


def _dicomweb(root: Root) -> type:
    class OfRoot(Handler):
        def do_POST(self):
            job, study, *_ = self._place()
            files = parts(self.headers["Content-Type"], self.body())
            root.takes(job, study, files, self.headers["MedVAN-Job-Token"])
            self.gives(200, DICOM_JSON, b"{}")

        def do_GET(self):
            job, study, _, series, _, instance = self._place()
            found = [ds for ds in root.has(job) if ds.StudyInstanceUID == study and series in (None, ds.SeriesInstanceUID)]
            if instance is None:
                listed = [{keyword: ds[keyword] for keyword in LISTED} for ds in found]
                return self._lists(listed)
            (one,) = [ds for ds in found if ds.SOPInstanceUID == instance]
            head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
            kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
            self.gives(200, kind, head + file_of(one) + f"\r\n--{BOUNDARY}--\r\n".encode())

        def _lists(self, listed: list[dict]) -> None:
            told = [Dataset({element.tag: element for element in each.values()}).to_json_dict() for each in listed]
            self.gives(200, DICOM_JSON, json.dumps(told).encode()) if told else self.gives(204, DICOM_JSON, b"")

        def _place(self) -> tuple:
            return PLACE.match(self.path).groups()

    return OfRoot


LISTED = ("SOPClassUID", "SOPInstanceUID", "Modality", "StudyInstanceUID", "SeriesInstanceUID")


def file_of(ds: Dataset) -> bytes:
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()
