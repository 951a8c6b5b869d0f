"""Studies of any size that are never whole in memory: drawn while they are sent, and known by their digests when they return."""

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy
import requests
from archive import ANY_SYNTAX, BOUNDARY, DICOM_JSON, Archive, Stored
from pydicom import Dataset
from studies import SEED, Series, file_of

CHUNK = 1 << 20
# One frame of 1024 by 1024 words.
FRAME = 2 << 20
# What lies in the middle of a part may look like the beginning of a delimiter.
_NOISE = numpy.random.default_rng(SEED).bytes(CHUNK - 10) + b"\r\n--" + BOUNDARY[:6].encode()
_TWICE = memoryview(_NOISE + _NOISE)


def megabytes() -> int:
    """Size of a large study; `MEDVAN_LARGE_STUDY` makes it larger or smaller."""
    return int(os.environ.get("MEDVAN_LARGE_STUDY", "320"))


@dataclass(frozen=True)
class Bulk:
    """A study of so many instances, each of so many frames of 2 MB."""

    name: str
    instances: int
    frames: int = 1

    @cached_property
    def series(self) -> Series:
        return Series(self.name, slices=self.instances, side=2)

    @property
    def study_path(self) -> str:
        return f"/studies/{self.series.study_uid}"

    def uids(self) -> set[str]:
        return {self.series.instance_uid(number) for number in range(1, self.instances + 1)}

    def file(self, number: int) -> Iterator[bytes | memoryview]:
        """One instance, piece by piece."""
        ds = self.series.dataset(number)
        del ds.PixelData
        ds.Rows = ds.Columns = 1024
        ds.NumberOfFrames = self.frames
        yield file_of(ds) + struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, self.frames * FRAME)
        for piece in range(self.frames * FRAME // CHUNK):
            shift = (number * 7919 + piece * 104729) % CHUNK
            yield _TWICE[shift : shift + CHUNK]

    def digests(self) -> dict[str, str]:
        """Of each data set, by SOP Instance UID."""
        return {self.series.instance_uid(number): digest_of(self.file(number)) for number in range(1, self.instances + 1)}

    def write(self, number: int, path: Path) -> None:
        with path.open("wb") as out:
            out.writelines(self.file(number))


class DataSetDigest:
    """SHA-256 of what follows preamble and group 0002, which may be the receiver's own (PS3.10 section 7.1)."""

    def __init__(self) -> None:
        self._head, self._digest = b"", hashlib.sha256()
        self.length = 0

    def update(self, piece: bytes | memoryview) -> None:
        self.length += len(piece)
        if self._head is None:
            self._digest.update(piece)
            return
        self._head += bytes(piece)
        if len(self._head) >= 144:
            begin = 144 + int.from_bytes(self._head[140:144], "little")
            if len(self._head) >= begin:
                self._digest.update(self._head[begin:])
                self._head = None

    def hexdigest(self) -> str:
        assert self._head is None, "there was no file head, or nothing behind it"
        return self._digest.hexdigest()


def digest_of(pieces: Iterable[bytes | memoryview]) -> str:
    digest = DataSetDigest()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def stores_streamed(archive: Archive, bulk: Bulk) -> Stored:
    """STOW-RS of all of it in one request, in chunks as they are drawn."""

    def body() -> Iterator[bytes | memoryview]:
        for number in range(1, bulk.instances + 1):
            yield f"\r\n--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
            yield from bulk.file(number)
        yield f"\r\n--{BOUNDARY}--\r\n".encode()

    kind = f'multipart/related; type="application/dicom"; boundary="{BOUNDARY}"'
    headers = {"Content-Type": kind, "Accept": DICOM_JSON}
    answer = requests.post(f"{archive.root}/studies", data=body(), headers=headers, timeout=600)
    assert answer.headers["Content-Type"].startswith(DICOM_JSON), f"{answer.status_code} {answer.text[:400]}"
    return Stored(answer.status_code, Dataset.from_json(answer.json()), answer.text)


def asked(archive: Archive, path: str) -> requests.Response:
    """The answer to WADO-RS, of which nothing but the head has been read."""
    answer = requests.get(archive.root + path, headers={"Accept": ANY_SYNTAX}, stream=True, timeout=600)
    assert answer.status_code == 200, answer.status_code
    return answer


def digests_of(answer: requests.Response) -> list[str]:
    """Of the data sets in a multipart answer, digested while it is read."""
    boundary = answer.headers["Content-Type"].split("boundary=")[1].split(";")[0].strip('"').encode()
    return list(_parts(answer.iter_content(CHUNK), b"\r\n--" + boundary))


def _parts(chunks: Iterable[bytes], delimiter: bytes) -> Iterator[str]:
    # The first delimiter may begin the body.
    waiting, current, ended = b"\r\n", None, False
    for chunk in chunks:
        waiting += chunk
        while not ended and (at := waiting.find(delimiter)) >= 0:
            if current:
                current.update(waiting[:at])
                yield current.hexdigest()
            after = at + len(delimiter)
            if waiting[after : after + 2] == b"--":
                ended = True
                break
            if (head := waiting.find(b"\r\n\r\n", after)) < 0:
                break
            waiting, current = waiting[head + 4 :], DataSetDigest()
        else:
            keep = len(delimiter)
            if current and not ended and len(waiting) > keep:
                current.update(waiting[:-keep])
                waiting = waiting[-keep:]
    assert ended, "the answer ended in the middle"
