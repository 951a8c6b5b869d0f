"""The comparison of data sets sees what it should."""

import io

import pydicom
import pytest
from pydicom.dataset import Dataset
from same import differences, swap
from studies import Series, file_of


def copies(change) -> list[str]:
    original, copy = Series("same").dataset(1), Series("same").dataset(1)
    original.ReferencedImageSequence, copy.ReferencedImageSequence = [_item()], [_item()]
    change(copy)
    return differences(*(pydicom.dcmread(io.BytesIO(file_of(ds))) for ds in (original, copy)))


def _item() -> Dataset:
    item = Dataset()
    item.ReferencedSOPInstanceUID = "1.2.3"
    return item


def test_a_copy_is_the_same():
    assert copies(lambda ds: None) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda ds: setattr(ds, "PatientID", "X"), "(0010,0020) LO has another value"),
        (lambda ds: delattr(ds, "PatientID"), "(0010,0020) is lost"),
        (lambda ds: setattr(ds, "StationName", "X"), "(0008,1010) was not there"),
        (lambda ds: setattr(ds, "PixelData", ds.PixelData[:-2] + b"ab"), "(7FE0,0010) OW has another value"),
        (
            lambda ds: setattr(ds.ReferencedImageSequence[0], "ReferencedSOPInstanceUID", "1.2.4"),
            "(0008,1140)[0].(0008,1155) UI has another value",
        ),
        (lambda ds: setattr(ds, "ReferencedImageSequence", []), "(0008,1140) has 0 items instead of 1"),
    ],
)
def test_each_kind_of_difference_is_told(change, said):
    assert copies(change) == [said]


@pytest.mark.parametrize(
    ("vr", "turned"), [("OB", b"abcdefgh"), ("OW", b"badcfehg"), ("OL", b"dcbahgfe"), ("OV", b"hgfedcba")]
)
def test_bytes_turn_by_the_width_of_the_vr(vr, turned):
    assert swap(b"abcdefgh", vr) == turned
