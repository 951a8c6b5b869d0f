"""Whole resources, as the tests in Rust keep them (`analysis/src/fhir/snapshots`), read by fhir.resources: every kind of place."""

import json
from pathlib import Path

import pytest
from fhir_library import judged

SNAPSHOTS = sorted((Path(__file__).parents[2] / "analysis/src/fhir/snapshots").glob("*.snap"))


@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: path.stem.split("__")[-1])
def test_what_is_told_of_findings_is_fhir(path):
    _, _, body = path.read_text().split("---\n", 2)
    told = json.loads(body)
    release = "5.0" if "r5" in path.stem or "selection" in path.stem else "4.0"
    resources = told if isinstance(told, list) else [told]
    assert resources
    for resource in resources:
        assert judged(resource, release).id == resource["id"]


def test_the_judge_refuses_what_is_of_the_other_release():
    (path,) = [path for path in SNAPSHOTS if path.stem.endswith("findings_are_a_report")]
    report = json.loads(path.read_text().split("---\n", 2)[2])
    with pytest.raises(ValueError, match="imagingStudy"):
        judged(report, "5.0")
