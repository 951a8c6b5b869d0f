"""Synthetic studies, the same in every run: a CT series whose patient has a Japanese name in ISO 2022 IR 87.

Nobody was ever scanned: the slices are drawn (an ellipse with two lungs, a spine and seeded noise).
"""

import io
from dataclasses import dataclass
from datetime import date

import numpy
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

SEED = 87
# The three groups of a name: alphabetic, ideographic, phonetic (PS3.5 section 6.2.1.2).
HANAKO = "Shiken^Hanako=試験^花子=しけん^はなこ"
TARO = "Mihon^Taro=見本^太郎=みほん^たろう"
JIS_KANJI = ["", "ISO 2022 IR 87"]
JIS_KATAKANA_AND_KANJI = ["ISO 2022 IR 13", "ISO 2022 IR 87"]


@dataclass(frozen=True)
class Series:
    """What one synthetic CT series is made of; `name` makes its UIDs."""

    name: str
    slices: int = 24
    side: int = 256
    patient: str = HANAKO
    patient_id: str = "SYN-0087"
    charset: tuple[str, ...] = tuple(JIS_KANJI)
    day: date = date(2026, 1, 15)
    accession: str = "ACC-87"

    @property
    def study_uid(self) -> str:
        return _uid(self.name, "study")

    @property
    def series_uid(self) -> str:
        return _uid(self.name, "series")

    def instance_uid(self, number: int) -> str:
        return _uid(self.name, "instance", str(number))

    def files(self) -> list[bytes]:
        """The slices as DICOM files, feet to head."""
        return [file_of(self.dataset(number)) for number in range(1, self.slices + 1)]

    def dataset(self, number: int) -> Dataset:
        """Slice `number`, from 1."""
        ds = Dataset()
        ds.SpecificCharacterSet = list(self.charset)
        self._patient_and_study(ds)
        self._series(ds)
        self._image(ds, number)
        return ds

    def _patient_and_study(self, ds: Dataset) -> None:
        ds.PatientName, ds.PatientID = self.patient, self.patient_id
        ds.PatientBirthDate, ds.PatientSex = "19410203", "F"
        ds.StudyInstanceUID = self.study_uid
        ds.StudyDate, ds.StudyTime = self.day.strftime("%Y%m%d"), "093000"
        ds.StudyID, ds.AccessionNumber = "87", self.accession
        ds.StudyDescription = "胸部単純CT"
        ds.ReferringPhysicianName = "Ishi^Ichiro=医師^一郎=いし^いちろう"

    def _series(self, ds: Dataset) -> None:
        ds.Modality, ds.SeriesInstanceUID, ds.SeriesNumber = "CT", self.series_uid, 2
        ds.SeriesDescription = "縦隔条件"
        ds.FrameOfReferenceUID = _uid(self.name, "frame of reference")
        ds.PositionReferenceIndicator, ds.PatientPosition = "", "HFS"
        ds.BodyPartExamined, ds.Manufacturer, ds.KVP = "CHEST", "Synthetic", "120"

    def _image(self, ds: Dataset, number: int) -> None:
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, self.instance_uid(number)
        ds.InstanceNumber, ds.AcquisitionNumber = number, 1
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.ImagePositionPatient = [-180, -180, 5 * (number - 1)]
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing, ds.SliceThickness = [360 / self.side] * 2, 5
        ds.SliceLocation = 5 * (number - 1)
        ds.Rows = ds.Columns = self.side
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "HU"
        ds.WindowCenter, ds.WindowWidth = 40, 400
        ds.PixelData = _slice(self.side, number / self.slices).tobytes()


def file_of(ds: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The data set as a DICOM file."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    file = FileDataset(None, ds, preamble=b"\0" * 128, file_meta=meta)
    out = io.BytesIO()
    file.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _slice(side: int, height: float) -> numpy.ndarray:
    """Hounsfield units of one slice at this height of the body, 0 to 1."""
    y, x = numpy.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    units = numpy.full((side, side), -1000.0)
    units[(x / 0.85) ** 2 + (y / 0.6) ** 2 < 1] = 50
    lung = 0.35 * numpy.sin(numpy.pi * height)
    for middle in (-0.4, 0.4):
        units[((x - middle) / 0.3) ** 2 + (y / (lung + 0.05)) ** 2 < 1] = -800
    units[x**2 + ((y - 0.4) / 0.9) ** 2 < 0.015] = 700
    noise = numpy.random.default_rng([SEED, int(height * 1e6)]).normal(0, 12, units.shape)
    return (units + noise).astype("<i2")


def _uid(*words: str) -> str:
    return generate_uid(entropy_srcs=["medvan interop", *words])
