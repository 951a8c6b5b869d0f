"""What fhir.resources (PyPI) says of a resource: it is read whole, and is what it claims to be, in R5 or R4."""

import re

from fhir.resources import get_fhir_model_class as r5_class
from fhir.resources.R4B import get_fhir_model_class as r4_class

CLASSES = {"5.0": r5_class, "4.0": r4_class}
INSTANTS = ("issued", "lastUpdated", "recorded", "date")


def judged(resource: dict, release: str):
    """The resource as an object of that library, which refuses what it does not know and what is missing."""
    read = CLASSES[release](resource["resourceType"]).model_validate(resource)
    assert plain(read.model_dump(mode="json", exclude_none=True)) == plain(resource), "and nothing is lost"
    return read


def plain(value):
    """Without instants, which the library writes its way; numbers alike, for it writes decimals as texts."""
    match value:
        case dict():
            return {name: plain(each) for name, each in value.items() if name not in INSTANTS}
        case list():
            return [plain(each) for each in value]
        case str() if not re.fullmatch(r"-?\d+(\.\d+)?", value):
            return value
        case bool() | None:
            return value
        case _:
            return float(value)
