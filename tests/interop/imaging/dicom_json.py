"""Makes two answers in the DICOM JSON Model (PS3.18 Annex F) comparable: the gateway's and pydicom's `to_json_dict`.

Both are right where they differ only in the following, and only that is evened out:

- the order of the keys; the gateway's ascending order is asserted elsewhere;
- IS, DS, SV, UV as number or as string (F.2.3): 1.10 and "1.10" are one decimal;
- FL: pydicom writes the double of a float, others its shortest decimal: both become the float again;
- a number that JSON has no word for (NaN, infinities): pydicom writes NaN, the standard none: it is left out;
- padding: blanks and NULs at the end of strings (PS3.5 section 6.2); blanks before them too where they mean nothing;
- an empty attribute without `Value`, with `[]` or with nulls and empty strings only; empty values as null;
- an empty group of a name absent or "";
- bulk data: `BulkDataURI` and `InlineBinary` both become the mark `bulk`, and so does a value whose VR may go as bulk
  data (PS3.18 section 10.4.3.3.2) where the gateway gives it as such; their bytes are compared elsewhere;
- group lengths (gggg,0000), which the JSON model leaves out, and pydicom does not;
- VRs that a file leaves open: an attribute that the gateway calls UN (private in an implicit file, or written as UN)
  loses its value and VR on both sides: pydicom guesses private VRs by its own dictionary of vendors.
"""

import math
import struct
from decimal import Decimal, InvalidOperation

from pydicom.tag import Tag

MAY_BE_BULK = set("DS FL FD IS LT OB OD OF OL OV OW SL SS ST SV UC UL UN US UT UV".split())
DECIMAL = {"DS", "IS", "SV", "UV"}
# Blanks before the text mean nothing either (PS3.5 table 6.2-1).
TRIMMED = {"AE", "AS", "CS", "DA", "DT", "LO", "SH", "TM", "UI"}
OPEN = {"vr": "open"}


def comparable(gateway: dict, judge: dict) -> tuple[dict, dict]:
    """Both in one form, ready for `==`."""
    ours, theirs = _data_set(gateway), _data_set(judge)
    _open(ours, theirs)
    _bulk(ours, theirs)
    return ours, theirs


def ascending(data_set: dict) -> bool:
    """Whether the keys are in the order that Annex F asks for, down to the last item, and written as it asks."""
    keys = list(data_set)
    items = [item for element in data_set.values() if element["vr"] == "SQ" for item in element.get("Value", [])]
    return keys == sorted(keys) and all(key == key.upper() for key in keys) and all(map(ascending, items))


def _data_set(data_set: dict) -> dict:
    return {tag: _element(element) for tag, element in data_set.items() if not tag.endswith("0000")}


def _element(element: dict) -> dict:
    vr = element["vr"]
    if "BulkDataURI" in element or element.get("InlineBinary"):
        return {"vr": vr, "bulk": True}
    values = [_value(vr, value) for value in element.get("Value", [])]
    return {"vr": vr, "Value": values} if any(value is not None for value in values) else {"vr": vr}


def _value(vr: str, value: object) -> object:
    if value is None or value == "":
        return None
    if vr == "SQ":
        return _data_set(value)
    if vr == "PN":
        return _name(value)
    if vr in DECIMAL:
        return _decimal(value)
    if vr in ("FL", "FD"):
        return _float(vr, float(value))
    return _text(vr, value) if isinstance(value, str) else value


def _name(value: object) -> dict | None:
    groups = {"Alphabetic": value} if isinstance(value, str) else value
    kept = {group: text.rstrip(" \0") for group, text in groups.items()}
    return {group: text for group, text in kept.items() if text} or None


def _decimal(value: object) -> object:
    try:
        return Decimal(str(value).strip(" \0")).normalize()
    except InvalidOperation:
        return str(value).strip(" \0") or None


def _float(vr: str, value: float) -> float | None:
    if not math.isfinite(value):
        return None
    return struct.unpack("<f", struct.pack("<f", value))[0] if vr == "FL" else value


def _text(vr: str, value: str) -> str | None:
    return (value.strip(" \0") if vr in TRIMMED else value.rstrip(" \0")) or None


def _open(ours: dict, theirs: dict) -> None:
    """Where the gateway says UN the judge's guess of the VR proves nothing."""
    for tag, element in ours.items():
        other = theirs.get(tag)
        if other is None:
            continue
        if element["vr"] == "UN" and (other["vr"] != "UN" or Tag(int(tag, 16)).is_private):
            ours[tag] = theirs[tag] = OPEN
        elif element["vr"] == other["vr"] == "SQ":
            for item, guess in zip(element.get("Value", []), other.get("Value", [])):
                if item is not None and guess is not None:
                    _open(item, guess)


def _bulk(ours: dict, theirs: dict) -> None:
    """What the gateway gives as bulk data and the judge as values, both of one VR that may go so."""
    for tag, element in ours.items():
        other = theirs.get(tag, OPEN)
        if element.get("bulk") and "Value" in other and element["vr"] == other["vr"] in MAY_BE_BULK:
            theirs[tag] = element
        elif element["vr"] == other["vr"] == "SQ":
            for item, judged in zip(element.get("Value", []), other.get("Value", [])):
                if item is not None and judged is not None:
                    _bulk(item, judged)
