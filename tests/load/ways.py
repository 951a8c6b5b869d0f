"""Services that give their results as DICOM objects, in each of the ways in which they are talked to. What they give was written before;
they give it a moment after they have their images, and cost next to nothing."""

import json
import re
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from analysts import ANSWERS_AFTER
from pydicom import Dataset
from pydicom.uid import Comprehensive3DSRStorage, CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE, evt
from reports import file_of

DICOM_JSON = "application/dicom+json"
BOUNDARY = "load-results"
# How often a performer asks for work, in seconds.
POLLS_EVERY = 0.005
NOBODY = "http://127.0.0.1:8443"


class Way:
    """What all have: the reports that are to be given, when a service was asked about a study, and when it had given its report."""

    base = NOBODY

    def __init__(self):
        self.reports: dict[str, Dataset] = {}
        self._asked: dict[str, float] = {}
        self._gave: dict[str, float] = {}
        self._news = threading.Condition()

    def waits_for(self, study: str) -> tuple[float, float]:
        with self._news:
            if not self._news.wait_for(lambda: study in self._gave, 60):
                raise SystemExit(f"{type(self).__name__}: nothing came of a study within a minute")
            return self._asked[study], self._gave[study]

    def stop(self) -> None:
        """Ends what serves."""

    def asked(self, study: str) -> None:
        self._asked.setdefault(study, time.monotonic())

    def gave(self, study: str) -> None:
        with self._news:
            self._gave.setdefault(study, time.monotonic())
            self._news.notify_all()


class Fetched(Way):
    """`dicomweb`: what was stored at it is answered in its own root, where the gateway looks for it."""

    results = "fetch"

    def __init__(self):
        super().__init__()
        self.ready: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def talks(self) -> dict:
        return {"kind": "dicomweb", "path": "/jobs/{job}/dicom-web", "results": self.results, "expects": ["SR"]}

    def stop(self) -> None:
        self._server.shutdown()

    def takes(self, study: str, token: str | None) -> None:
        threading.Thread(target=self._works, args=(study, token), daemon=True).start()

    def _works(self, study: str, token: str | None) -> None:
        time.sleep(ANSWERS_AFTER)
        self.ready.add(study)
        self.gave(study)


class Stored(Fetched):
    """`dicomweb`: it stores its report at the gateway by itself, with the token that came with the images."""

    results = "store"
    gateway: str

    def _works(self, study: str, token: str | None) -> None:
        time.sleep(ANSWERS_AFTER)
        store(self.gateway, study, self.reports[study], token)
        self.gave(study)


class Pulled(Way):
    """`worklist`: a performer that asks for work all the time."""

    def __init__(self):
        super().__init__()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._pulls, daemon=True)

    def talks(self) -> dict:
        return {"kind": "worklist", "expects": ["SR"]}

    def starts(self, gateway: str, credential: str) -> None:
        self._gateway, self._credential = gateway, credential
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _pulls(self) -> None:
        while not self._is_over.wait(POLLS_EVERY):
            for workitem in json.loads(self._asks("GET", "/workitems?ProcedureStepState=SCHEDULED")[1] or b"[]"):
                self._performs(workitem["00080018"]["Value"][0], workitem)

    def _performs(self, uid: str, workitem: dict) -> None:
        (series,) = workitem["00404021"]["Value"]
        study = series["0020000D"]["Value"][0]
        self.asked(study)
        transaction = str(generate_uid(prefix=None))
        head, _ = self._asks("PUT", f"/workitems/{uid}/state", _state(transaction, "IN PROGRESS"))
        token = head["MedVAN-Job-Token"]
        images = f"/studies/{study}/series/{series['0020000E']['Value'][0]}"
        self._asks("GET", images, token=token, accept='multipart/related; type="application/dicom"; transfer-syntax=*')
        time.sleep(ANSWERS_AFTER)
        store(self._gateway, study, self.reports[study], token)
        self._asks("POST", f"/workitems/{uid}?transaction-uid={transaction}", _performed(self.reports[study]))
        self._asks("PUT", f"/workitems/{uid}/state", _state(transaction, "COMPLETED"))
        self.gave(study)

    def _asks(self, method: str, path: str, data: list | None = None, token: str | None = None, accept: str = DICOM_JSON):
        headers = {"Authorization": f"Bearer {token or self._credential}", "Accept": accept, "Content-Type": DICOM_JSON}
        body = None if data is None else json.dumps(data).encode()
        return ask(urllib.request.Request(self._gateway + path, body, headers, method=method))


class Carried(Way):
    """`dimse`: an application entity that calls back."""

    def __init__(self, title: str, hospital: str, gateway_port: int):
        super().__init__()
        self._title, self._called, self._gateway_port = title, hospital, gateway_port
        self._ae = AE(title)
        self._ae.add_supported_context(CTImageStorage, ExplicitVRLittleEndian)
        self._ae.add_requested_context(Comprehensive3DSRStorage, ExplicitVRLittleEndian)
        self._opened: dict[object, float] = {}
        handlers = [(evt.EVT_CONN_OPEN, self._opens), (evt.EVT_C_STORE, self._keeps), (evt.EVT_RELEASED, self._begins)]
        self._of: dict[object, str] = {}
        self._server = self._ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        self.port = self._server.server_address[1]

    def talks(self) -> dict:
        return {"kind": "dimse", "aeTitle": self._title, "host": "127.0.0.1", "port": self.port, "expects": ["SR"]}

    def stop(self) -> None:
        self._server.shutdown()

    def _opens(self, event: evt.Event) -> None:
        self._opened[event.assoc] = time.monotonic()

    def _keeps(self, event: evt.Event) -> int:
        self._of[event.assoc] = str(event.dataset.StudyInstanceUID)
        return 0x0000

    def _begins(self, event: evt.Event) -> None:
        if study := self._of.pop(event.assoc, None):
            self._asked.setdefault(study, self._opened.pop(event.assoc))
            threading.Thread(target=self._works, args=(study,), daemon=True).start()

    def _works(self, study: str) -> None:
        time.sleep(ANSWERS_AFTER)
        association = self._ae.associate("127.0.0.1", self._gateway_port, ae_title=self._called)
        told = association.send_c_store(self.reports[study])
        self.gave(study)
        association.release()
        if told.Status != 0x0000:
            raise SystemExit(f"a report was answered with {told.Status:04X}")


def store(root: str, study: str, report: Dataset, token: str) -> None:
    """STOW-RS of one report with the token of its job."""
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    body = head + file_of(report) + f"\r\n--{BOUNDARY}--\r\n".encode()
    kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind, "Accept": DICOM_JSON}
    ask(urllib.request.Request(f"{root}/studies/{study}", body, headers, method="POST"))


def ask(request: urllib.request.Request) -> tuple:
    """Head and body of the answer."""
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        raise SystemExit(f"{request.full_url}: {refused.code} {refused.read()[:400]!r}") from refused


def _state(transaction: str, state: str) -> dict:
    return {"00081195": {"vr": "UI", "Value": [transaction]}, "00741000": {"vr": "CS", "Value": [state]}}


def _performed(report: Dataset) -> dict:
    """What a workitem must say before it is completed (PS3.3 section C.30.3)."""
    done, named, output, code = Dataset(), Dataset(), Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "load", "99LOAD", "Load"
    named.ReferencedSOPClassUID, named.ReferencedSOPInstanceUID = report.SOPClassUID, report.SOPInstanceUID
    output.TypeOfInstances, output.StudyInstanceUID = "DICOM", report.StudyInstanceUID
    output.SeriesInstanceUID, output.ReferencedSOPSequence = report.SeriesInstanceUID, [named]
    done.PerformedStationNameCodeSequence, done.PerformedWorkitemCodeSequence = [code], [code]
    moment = time.strftime("%Y%m%d%H%M%S+0000", time.gmtime())
    done.PerformedProcedureStepStartDateTime = done.PerformedProcedureStepEndDateTime = moment
    done.OutputInformationSequence = [output]
    update = Dataset()
    update.UnifiedProcedureStepPerformedProcedureSequence = [done]
    return update.to_json_dict()


PLACE = re.compile(r"/jobs/[0-9a-f-]{36}/dicom-web/studies/([0-9.]+)(/series)?(?:/([0-9.]+)(/instances)?(?:/([0-9.]+))?)?$")
LISTED = ("SOPClassUID", "SOPInstanceUID", "Modality", "StudyInstanceUID", "SeriesInstanceUID")


def _handler(way: Fetched) -> type:
    class OfWay(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            study = PLACE.match(self.path).group(1)
            way.asked(study)
            self._drains()
            self._gives(DICOM_JSON, b"{}")
            way.takes(study, self.headers["MedVAN-Job-Token"])

        def do_GET(self):
            study, *_, instance = PLACE.match(self.path).groups()
            found = way.reports[study] if study in way.ready else None
            if instance:
                head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
                kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
                return self._gives(kind, head + file_of(found) + f"\r\n--{BOUNDARY}--\r\n".encode())
            listed = [] if found is None else [Dataset({found[word].tag: found[word] for word in LISTED}).to_json_dict()]
            self._gives(DICOM_JSON, json.dumps(listed).encode())

        def _drains(self) -> None:
            """In chunks: a gateway that streams does not know the length."""
            if length := self.headers.get("Content-Length"):
                self.rfile.read(int(length))
                return
            while size := int(self.rfile.readline().split(b";")[0], 16):
                self.rfile.read(size + 2)
            self.rfile.readline()

        def _gives(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_) -> None:
            """Silent."""

    return OfWay
