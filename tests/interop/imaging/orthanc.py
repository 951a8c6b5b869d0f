"""Orthanc with its DICOMweb plug-in, as the hospital's PACS: a process with its own folder and ports."""

import json
import shutil
import time
from pathlib import Path

import requests

from processes import Process, free_port

PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
AE_TITLE = "ORTHANC"


class Orthanc:
    """Runs from the making of the object to `stop`. `knows` tells it of the gateway's two doors.

    `settings` are words of its configuration file that another archive than the hospital's needs.
    """

    def __init__(self, folder: Path, **settings: object):
        self.http_port, self.dicom_port = free_port(), free_port()
        self.base = f"http://127.0.0.1:{self.http_port}"
        self.dicom_web = f"{self.base}/dicom-web"
        # Where there are users, the test is the first of them.
        self._http = requests.Session()
        for user, password in list(settings.get("RegisteredUsers", {}).items())[:1]:
            self._http.auth = (user.encode(), password.encode())
        config = folder / "orthanc.json"
        config.write_text(json.dumps(self._settings(folder) | settings), encoding="utf-8")
        program = shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        self._process = Process([program, config], folder / "orthanc.log")
        self._process.wait_for_port(self.http_port)
        self._process.wait_for_port(self.dicom_port)

    def stop(self) -> None:
        self._process.stop()

    # --- its own REST interface ------------------------------------------------------------------------------------

    def keeps(self, file: bytes) -> str:
        """Puts a file in by its own interface; its id there."""
        return self._posts("/instances", file)["ID"]

    def knows(self, ae_title: str, port: int, dicom_web: str, name: str = "gateway") -> None:
        """Enters a partner, by DIMSE and by DICOMweb, under one name."""
        modality = {"AET": ae_title, "Host": "127.0.0.1", "Port": port, "AllowTranscoding": False}
        self._puts(f"/modalities/{name}", modality)
        self._puts(f"/dicom-web/servers/{name}", {"Url": dicom_web})

    def echoes(self, partner: str = "gateway") -> None:
        self._posts(f"/modalities/{partner}/echo", {})

    def sends_by_c_store(self, ids: list[str], partner: str = "gateway") -> dict:
        return self._posts(f"/modalities/{partner}/store", {"Resources": ids, "Synchronous": True})

    def sends_by_stow(self, ids: list[str], partner: str = "gateway") -> dict:
        return self._posts(f"/dicom-web/servers/{partner}/stow", {"Resources": ids, "Synchronous": True})

    def finds_by_dimse(self, level: str, query: dict, partner: str = "gateway") -> list[dict]:
        """The answers of C-FIND, each as Orthanc reads it: keyword to text."""
        found = self._posts(f"/modalities/{partner}/query", {"Level": level, "Query": query})["ID"]
        answers = self.gets(f"/queries/{found}/answers")
        return [self.gets(f"/queries/{found}/answers/{answer}/content?simplify") for answer in answers]

    def moves_to_itself(self, level: str, keys: dict, partner: str = "gateway") -> None:
        """C-MOVE with itself as the destination."""
        asked = {"Level": level, "Resources": [keys], "TargetAet": AE_TITLE, "Synchronous": True, "Timeout": 60}
        self._posts(f"/modalities/{partner}/move", asked)

    def finds_by_qido(self, uri: str, arguments: dict, partner: str = "gateway") -> list[dict]:
        return self._posts(f"/dicom-web/servers/{partner}/qido", {"Uri": uri, "Arguments": arguments})

    def retrieves_by_wado(self, resource: dict, partner: str = "gateway") -> dict:
        asked = {"Resources": [resource], "Synchronous": True}
        return self._posts(f"/dicom-web/servers/{partner}/retrieve", asked)

    def has(self, sop_instance_uid: str) -> str | None:
        """Its id of the instance."""
        found = self._posts("/tools/lookup", sop_instance_uid.encode())
        return next((entry["ID"] for entry in found if entry["Type"] == "Instance"), None)

    def waits_for(self, sop_instance_uid: str, seconds: float = 30) -> str:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if id := self.has(sop_instance_uid):
                return id
            time.sleep(0.05)
        raise AssertionError(f"{sop_instance_uid} never came to Orthanc:\n{self.log()}")

    def file(self, id: str) -> bytes:
        return self._checked(self._http.get(f"{self.base}/instances/{id}/file", timeout=30)).content

    def empties(self) -> None:
        for id in self.gets("/patients"):
            self._checked(self._http.delete(f"{self.base}/patients/{id}", timeout=60))

    def gets(self, path: str) -> object:
        return self._checked(self._http.get(self.base + path, timeout=30)).json()

    def log(self) -> str:
        return self._process.output()[-4000:]

    def _posts(self, path: str, body: object) -> object:
        data = body if isinstance(body, bytes) else json.dumps(body)
        return self._checked(self._http.post(self.base + path, data=data, timeout=120)).json()

    def _puts(self, path: str, body: dict) -> None:
        self._checked(self._http.put(self.base + path, data=json.dumps(body), timeout=30))

    def _checked(self, answer: requests.Response) -> requests.Response:
        assert answer.ok, f"{answer.url}: {answer.status_code} {answer.text}\n{self.log()}"
        return answer

    def _settings(self, folder: Path) -> dict:
        return {
            "Name": "Interop PACS",
            "StorageDirectory": str(folder / "storage"),
            "IndexDirectory": str(folder / "index"),
            "Plugins": [PLUGIN],
            "HttpPort": self.http_port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomAet": AE_TITLE,
            "DicomPort": self.dicom_port,
            "DicomCheckCalledAet": False,
            "DicomAlwaysAllowEcho": True,
            "DicomAlwaysAllowStore": True,
            "DicomCheckModalityHost": False,
            "UnknownSopClassAccepted": True,
            "OverwriteInstances": False,
            # `medvan` stores what it is given as it is given; so does this PACS.
            "TranscodeDicomProtocol": False,
            "SyncStorageArea": True,
            "DefaultEncoding": "Utf8",
            "HttpTimeout": 60,
            "DicomScuTimeout": 30,
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": True, "WadoRoot": "/wado", "Ssl": False},
        }
