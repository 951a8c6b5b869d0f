"""Whether two data sets say the same where their bytes may differ: after a change of the transfer syntax."""

import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filewriter import correct_ambiguous_vr

# Bytes of one value of the VRs that pydicom leaves as they lie in the file (PS3.5 section 6.2).
WIDTH = {"OW": 2, "OL": 4, "OF": 4, "OV": 8, "OD": 8}


def differences(original: pydicom.FileDataset, copy: pydicom.FileDataset) -> list[str]:
    """What `copy`, an Explicit VR Little Endian form of `original`, says differently; empty when nothing.

    An attribute whose VR the standard's dictionary does not know (a private one in an implicit file) may come as UN:
    then its bytes are compared.
    """
    little = original.original_encoding[1]
    return _compared(_settled(original, little), _settled(copy, True), "", swapped=not little)


def _compared(original: Dataset, copy: Dataset, place: str, swapped: bool) -> list[str]:
    found = []
    before = {element.tag: element for element in original if not _group_length(element)}
    after = {element.tag: element for element in copy if not _group_length(element)}
    found += [f"{place}{tag} is lost" for tag in before.keys() - after.keys()]
    found += [f"{place}{tag} was not there" for tag in after.keys() - before.keys()]
    for tag in before.keys() & after.keys():
        found += _element(before[tag], after[tag], f"{place}{tag}", swapped)
    return found


def _element(before: DataElement, after: DataElement, place: str, swapped: bool) -> list[str]:
    if before.VR == "SQ" and after.VR == "SQ":
        if len(before.value) != len(after.value):
            return [f"{place} has {len(after.value)} items instead of {len(before.value)}"]
        pairs = enumerate(zip(before.value, after.value))
        return [word for n, (b, a) in pairs for word in _compared(b, a, f"{place}[{n}].", swapped)]
    if after.VR == "UN" and before.VR != "UN":
        return [] if before.tag.is_private else [f"{place} is UN instead of {before.VR}"]
    if before.VR != after.VR:
        return [f"{place} is {after.VR} instead of {before.VR}"]
    wanted = swap(before.value, before.VR) if swapped else before.value
    same = wanted == after.value or _padded(wanted) == _padded(after.value) or _nan(wanted, after.value)
    return [] if same else [f"{place} {before.VR} has another value"]


def swap(value: object, vr: str) -> object:
    """A value that lies in the file's byte order, in the other one."""
    width = WIDTH.get(vr, 1)
    if not isinstance(value, bytes) or width == 1:
        return value
    whole = len(value) - len(value) % width
    turned = bytearray(value)
    for position in range(width):
        turned[position:whole:width] = value[width - 1 - position : whole : width]
    return bytes(turned)


def _settled(ds: Dataset, little: bool) -> Dataset:
    """With the VRs that an implicit file leaves open."""
    return correct_ambiguous_vr(ds, little)


def _padded(value: object) -> object:
    return value.rstrip(b"\0") if isinstance(value, bytes) else value


def _nan(first: object, second: object) -> bool:
    return str(first) == str(second)


def _group_length(element: DataElement) -> bool:
    return element.tag.element == 0
