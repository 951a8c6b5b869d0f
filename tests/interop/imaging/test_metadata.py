"""Metadata as pydicom would write it; names as pydicom reads them."""

import base64
import warnings

import corpus
import pydicom
import pytest
from archive import instance_path, value
from dicom_json import ascending, comparable
from pydicom.filewriter import correct_ambiguous_vr
from same import swap
from studies import HANAKO, JIS_KANJI, JIS_KATAKANA_AND_KANJI, Series

NOTHING_IS_BULK = 1 << 40
# pydicom cannot write these in JSON, so it cannot judge them; they are stored and come back like the others.
BEYOND_PYDICOM = {"badVR.dcm": "an IS that is no number"}
HALF_WIDTH = "ｼｹﾝ^ﾊﾅｺ=試験^花子=しけん^はなこ"


def judged() -> list[corpus.File]:
    return [file for file in corpus.readable() if file.path.name not in BEYOND_PYDICOM]


@pytest.mark.parametrize("file", judged(), ids=corpus.label)
def test_metadata_are_those_that_pydicom_writes(file, shelf):
    (given,) = shelf(file).metadata(instance_path(file))
    assert ascending(given), "the keys ascend, group 0002 is not among them"
    assert not any(tag.startswith("0002") for tag in given)
    ours, theirs = comparable(given, by_pydicom(file))
    assert ours == theirs


@pytest.mark.parametrize("file", judged(), ids=corpus.label)
def test_bulk_data_hold_the_attribute_s_bytes(file, shelf):
    """At any depth; pixel data have tests of their own, and where a VR is open there is nothing to compare with."""
    archive = shelf(file)
    (given,) = archive.metadata(instance_path(file))
    for tag, element, wanted in binaries(given, settled(file)):
        if "InlineBinary" in element:
            came = base64.b64decode(element["InlineBinary"])
        else:
            (came,) = archive.gives(element["BulkDataURI"], 'multipart/related; type="application/octet-stream"')
        assert came == (swap(wanted.value, wanted.VR) if file.big_endian else wanted.value), tag


@pytest.mark.parametrize("file", corpus.charset_files(), ids=corpus.label)
def test_names_are_those_that_pydicom_reads(file, shelf):
    (given,) = shelf(file).metadata(instance_path(file))
    assert value(given, "00100010") == groups(file.dataset.PatientName)
    (found,) = shelf(file).searches("instances", SOPInstanceUID=file.instance, includefield="PatientName")
    assert value(found, "00100010") == groups(file.dataset.PatientName)


@pytest.mark.parametrize(("name", "charset"), [(HANAKO, JIS_KANJI), (HALF_WIDTH, JIS_KATAKANA_AND_KANJI)])
def test_japanese_names_come_in_their_three_groups(name, charset, hospital):
    series = Series(
        f"name {charset[0]}", slices=1, patient=name, charset=tuple(charset), patient_id=charset[0] or "IR6"
    )
    archive = hospital("stow")
    archive.keeps(*series.files())
    alphabetic, ideographic, phonetic = name.split("=")
    wanted = {"Alphabetic": alphabetic, "Ideographic": ideographic, "Phonetic": phonetic}
    (metadata,) = archive.metadata(f"/studies/{series.study_uid}")
    (study,) = archive.searches("studies", StudyInstanceUID=series.study_uid)
    assert value(metadata, "00100010") == value(study, "00100010") == wanted
    assert value(metadata, "00081030") == "胸部単純CT"
    # The JSON is UTF-8; the attribute still tells how the instance is written (PS3.18 section F.2.2).
    assert metadata["00080005"]["Value"] == [word or None for word in charset]


def binaries(given: dict, ds: pydicom.Dataset):
    """Each attribute that came as binary, with the judge's."""
    for tag, element in given.items():
        wanted = ds.get(int(tag, 16))
        if element["vr"] == "SQ" and wanted is not None and wanted.VR == "SQ":
            for item, inner in zip(element.get("Value", []), wanted.value):
                yield from binaries(item, inner)
        elif tag != "7FE00010" and element["vr"] != "UN" and isinstance(getattr(wanted, "value", None), bytes):
            if "BulkDataURI" in element or "InlineBinary" in element:
                yield tag, element, wanted


def settled(file: corpus.File) -> pydicom.FileDataset:
    ds = pydicom.dcmread(file.path)
    return correct_ambiguous_vr(ds, not file.big_endian)


def by_pydicom(file: corpus.File) -> dict:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return settled(file).to_json_dict(bulk_data_threshold=NOTHING_IS_BULK)


def groups(name: pydicom.valuerep.PersonName) -> dict | None:
    """The groups of a name, without the empty ones."""
    parts = {"Alphabetic": name.alphabetic, "Ideographic": name.ideographic, "Phonetic": name.phonetic}
    return {group: text for group, text in parts.items() if text} or None
