"""The DICOM files of the measurement of images: made from one template, so that making them costs next to nothing.

All UIDs have one length; a new series is the template with other UIDs written over the old ones. No content is ever
sent twice to one archive under one UID: a duplicate would be cheap.
"""

import io
import os
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

# 44 letters, an even number, so that no padding comes in between.
_UID = "1.2.826.0.1.3680043.8.498.1{series:08d}{number:09d}"
_PATIENT = "LOAD-{series:08d}"
BOUNDARY = "load-images"


@dataclass(frozen=True)
class Series:
    """So many CT slices of so many bytes; `id` tells it from every other."""

    id: int
    slices: int
    files: list[bytes]

    @property
    def study_uid(self) -> str:
        return uid(self.id, 0)

    @property
    def series_uid(self) -> str:
        return uid(self.id, 1)

    @property
    def patient_id(self) -> str:
        return _PATIENT.format(series=self.id)

    @property
    def size(self) -> int:
        return sum(map(len, self.files))

    @property
    def path(self) -> str:
        return f"/studies/{self.study_uid}/series/{self.series_uid}"

    def instance_paths(self) -> list[str]:
        return [f"{self.path}/instances/{instance_uid(self.id, number)}" for number in range(self.slices)]

    def body(self, numbers: range | None = None) -> bytes:
        """A multipart/related body with these of its files, or with all."""
        head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        parts = self.files if numbers is None else [self.files[number] for number in numbers]
        return b"".join(head + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()

    def write(self, folder: Path) -> Path:
        """As files, for senders that read from disk."""
        folder.mkdir(parents=True)
        for number, file in enumerate(self.files):
            (folder / f"{number:06d}.dcm").write_bytes(file)
        return folder


class Maker:
    """Makes series that differ in their UIDs."""

    def __init__(self) -> None:
        self._made = 0

    def series(self, slices: int, side: int) -> Series:
        self._made += 1
        template = _template(side)
        return Series(self._made, slices, [_filled(template, self._made, number) for number in range(slices)])


def uid(series: int, number: int) -> str:
    return _UID.format(series=series, number=number)


def instance_uid(series: int, number: int) -> str:
    return uid(series, number + 2)


def _filled(template: bytes, series: int, number: int) -> bytes:
    file = template.replace(uid(0, 0).encode(), uid(series, 0).encode())
    file = file.replace(uid(0, 1).encode(), uid(series, 1).encode())
    file = file.replace(uid(0, 2).encode(), instance_uid(series, number).encode())
    return file.replace(_PATIENT.format(series=0).encode(), _PATIENT.format(series=series).encode())


def _template(side: int) -> bytes:
    ds = Dataset()
    ds.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, uid(0, 2)
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid(0, 0), uid(0, 1)
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20260115", "093000", "1", "LOAD"
    ds.PatientName, ds.PatientID = "Shiken^Hanako=試験^花子=しけん^はなこ", _PATIENT.format(series=0)
    ds.PatientBirthDate, ds.PatientSex, ds.ReferringPhysicianName = "19410203", "F", ""
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "CT", 1, 1
    ds.FrameOfReferenceUID, ds.KVP, ds.Manufacturer = uid(0, 0), "120", "Synthetic"
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness = [1, 1], 1
    ds.Rows = ds.Columns = side
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.RescaleIntercept, ds.RescaleSlope, ds.WindowCenter, ds.WindowWidth = 0, 1, 40, 400
    # Nothing on the way may gain by squeezing it.
    ds.PixelData = os.urandom(2 * side * side)
    return _file(ds)


def _file(ds: Dataset) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = io.BytesIO()
    FileDataset(None, ds, preamble=b"\0" * 128, file_meta=meta).save_as(out, enforce_file_format=True)
    return out.getvalue()
