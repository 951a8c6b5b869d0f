"""One hospital's DICOMweb door as clients see it.

Requests go out and parts come in through Python's dicomweb-client; where a test wants bytes instead of data sets, they
are taken before the client would read them.
"""

from dataclasses import dataclass

import pydicom
import requests
from dicomweb_client import DICOMwebClient

DICOM_JSON = "application/dicom+json"
ANY_SYNTAX = 'multipart/related; type="application/dicom"; transfer-syntax=*'
BOUNDARY = "interop-7d1b5a0c"


@dataclass(frozen=True)
class Stored:
    """The answer of one Store transaction."""

    status: int
    answer: pydicom.Dataset
    text: str

    @property
    def instances(self) -> list[str]:
        return [str(item.ReferencedSOPInstanceUID) for item in self.answer.get("ReferencedSOPSequence", [])]

    @property
    def refused(self) -> dict[str, int]:
        """SOP Instance UID to Failure Reason."""
        failed = self.answer.get("FailedSOPSequence", [])
        return {str(item.ReferencedSOPInstanceUID): int(item.FailureReason) for item in failed}


class Archive:
    """The roots of one hospital."""

    def __init__(self, gateway_base: str, hospital: str, ae_title: str):
        self.hospital, self.ae_title = hospital, ae_title
        self.root = f"{gateway_base}/hospitals/{hospital}/dicom-web"
        self.wado_uri = f"{gateway_base}/hospitals/{hospital}/wado"
        self.client = DICOMwebClient(self.root)

    def stores(self, *files: bytes, study: str | None = None) -> Stored:
        """STOW-RS of files, byte for byte."""
        kind = f'multipart/related; type="application/dicom"; boundary="{BOUNDARY}"'
        body = self.client._encode_multipart_message(files, kind)
        path = f"/studies/{study}" if study else "/studies"
        headers = {"Content-Type": kind, "Accept": DICOM_JSON}
        answer = requests.post(self.root + path, data=body, headers=headers, timeout=120)
        told = pydicom.Dataset()
        if answer.headers.get("Content-Type", "").startswith(DICOM_JSON):
            told = pydicom.Dataset.from_json(answer.json())
        return Stored(answer.status_code, told, answer.text)

    def keeps(self, *files: bytes) -> None:
        """Stores, and every one of them is accepted."""
        stored = self.stores(*files)
        assert stored.status == 200, f"{stored.status} {stored.text}"

    def gives(self, path: str, accept: str = ANY_SYNTAX) -> list[bytes]:
        """The parts of a retrieved resource."""
        parts = self.client._decode_multipart_message(self.answers(path, accept), stream=False)
        return [bytes(part) for part in parts]

    def gives_file(self, file, accept: str = ANY_SYNTAX) -> bytes:
        """One instance as a file."""
        (part,) = self.gives(instance_path(file), accept)
        return part

    def answers(self, path: str, accept: str, **parameters: object) -> requests.Response:
        answer = self.asks(path, accept, **parameters)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:400]}"
        return answer

    def asks(self, path: str, accept: str = "*/*", **parameters: object) -> requests.Response:
        """A GET with whatever answer comes."""
        url = path if path.startswith("http") else self.root + path
        return requests.get(url, headers={"Accept": accept}, params=parameters, timeout=120)

    def metadata(self, path: str) -> list[dict]:
        return self.answers(f"{path}/metadata", DICOM_JSON).json()

    def searches(self, resource: str, **keys: object) -> list[dict]:
        """QIDO-RS; `includefield` and other keys that repeat are lists."""
        answer = self.asks(f"/{resource}", DICOM_JSON, **keys)
        assert answer.status_code in (200, 204), f"{resource} {keys}: {answer.status_code} {answer.text[:400]}"
        return answer.json() if answer.content else []


def study_path(file) -> str:
    return f"/studies/{file.study}"


def series_path(file) -> str:
    return f"/studies/{file.study}/series/{file.series}"


def instance_path(file) -> str:
    return f"{series_path(file)}/instances/{file.instance}"


def value(data_set: dict, tag: str) -> object:
    """The first value of an attribute in DICOM JSON."""
    return data_set.get(tag, {}).get("Value", [None])[0]
