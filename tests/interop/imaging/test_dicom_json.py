"""The normaliser evens out what the standard leaves open, and nothing else."""

import pytest
from dicom_json import ascending, comparable

SAME = [
    ("number or string", {"vr": "DS", "Value": ["1.10"]}, {"vr": "DS", "Value": [1.1]}),
    ("a big integer as string", {"vr": "SV", "Value": ["9007199254740993"]}, {"vr": "SV", "Value": [9007199254740993]}),
    ("a float as its double", {"vr": "FL", "Value": [0.1]}, {"vr": "FL", "Value": [0.10000000149011612]}),
    ("no number in JSON", {"vr": "FD"}, {"vr": "FD", "Value": [float("nan")]}),
    ("padding", {"vr": "UI", "Value": ["1.2"]}, {"vr": "UI", "Value": ["1.2\0"]}),
    ("blanks around a code", {"vr": "CS", "Value": ["CT"]}, {"vr": "CS", "Value": [" CT "]}),
    ("empty", {"vr": "LO"}, {"vr": "LO", "Value": []}),
    ("a hole", {"vr": "LO", "Value": [None, "B"]}, {"vr": "LO", "Value": ["", "B"]}),
    (
        "an empty group",
        {"vr": "PN", "Value": [{"Alphabetic": "A"}]},
        {"vr": "PN", "Value": [{"Alphabetic": "A", "Phonetic": ""}]},
    ),
    ("bulk or inline", {"vr": "OW", "BulkDataURI": "http://a/b"}, {"vr": "OW", "InlineBinary": "AAA="}),
    ("a table as bulk", {"vr": "US", "BulkDataURI": "http://a/b"}, {"vr": "US", "Value": [1, 2]}),
    ("an unknown VR", {"vr": "UN", "InlineBinary": "QUI="}, {"vr": "LO", "Value": ["AB"]}),
]
DIFFERENT = [
    ("another number", {"vr": "DS", "Value": ["1.10"]}, {"vr": "DS", "Value": [1.11]}),
    ("another VR", {"vr": "US", "Value": [1]}, {"vr": "SS", "Value": [1]}),
    ("lost precision", {"vr": "SV", "Value": [9007199254740992]}, {"vr": "SV", "Value": ["9007199254740993"]}),
    ("a lost hole", {"vr": "LO", "Value": ["B"]}, {"vr": "LO", "Value": ["", "B"]}),
    ("another order", {"vr": "CS", "Value": ["A", "B"]}, {"vr": "CS", "Value": ["B", "A"]}),
    ("a blank before a text", {"vr": "LT", "Value": ["A"]}, {"vr": "LT", "Value": [" A"]}),
    (
        "a lost group of a name",
        {"vr": "PN", "Value": [{"Alphabetic": "A"}]},
        {"vr": "PN", "Value": [{"Alphabetic": "A", "Ideographic": "山"}]},
    ),
    ("bulk that is not there", {"vr": "OW"}, {"vr": "OW", "InlineBinary": "AAA="}),
    ("a code as bulk", {"vr": "CS", "BulkDataURI": "http://a/b"}, {"vr": "CS", "Value": ["CT"]}),
    ("UN by the judge alone", {"vr": "LO", "Value": ["AB"]}, {"vr": "UN", "InlineBinary": "QUI="}),
]


@pytest.mark.parametrize(("what", "ours", "theirs"), SAME, ids=[row[0] for row in SAME])
def test_what_the_standard_leaves_open_is_the_same(what, ours, theirs):
    first, second = comparable({"00091001": ours}, {"00091001": theirs})
    assert first == second, what
    nested = {"vr": "SQ", "Value": [{"00091001": ours}]}, {"vr": "SQ", "Value": [{"00091001": theirs}]}
    first, second = comparable({"00081140": nested[0]}, {"00081140": nested[1]})
    assert first == second, f"{what}, in an item"


@pytest.mark.parametrize(("what", "ours", "theirs"), DIFFERENT, ids=[row[0] for row in DIFFERENT])
def test_what_says_something_else_is_different(what, ours, theirs):
    first, second = comparable({"00080001": ours}, {"00080001": theirs})
    assert first != second, what


def test_an_attribute_that_only_one_has_is_a_difference():
    first, second = comparable({}, {"00080060": {"vr": "CS"}})
    assert first != second
    first, second = comparable({"00080060": {"vr": "CS"}}, {})
    assert first != second


@pytest.mark.parametrize(
    ("data_set", "right"),
    [
        ({"00080005": {"vr": "CS"}, "00080060": {"vr": "CS"}}, True),
        ({"00080060": {"vr": "CS"}, "00080005": {"vr": "CS"}}, False),
        ({"0008103e": {"vr": "LO"}}, False),
        ({"00081140": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI"}, "00081150": {"vr": "UI"}}]}}, False),
    ],
)
def test_the_order_of_keys_is_seen(data_set, right):
    assert ascending(data_set) == right
