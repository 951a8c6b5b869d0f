"""Storage commitment (PS3.4 Annex J): a modality asks whether it may delete, and is told what is safe."""

import pytest
from pydicom.uid import CTImageStorage, generate_uid
from studies import Series

ALL_SAFE, SOME_MISSING = 1, 2
NO_SUCH_OBJECT = 0x0112


@pytest.fixture(scope="module")
def kept(hospital):
    archive, series = hospital("commitment"), Series("commitment", slices=2, side=32)
    archive.keeps(*series.files())
    return archive, series


def test_what_is_kept_is_committed(kept, workstation):
    archive, series = kept
    transaction = generate_uid()
    files = [(CTImageStorage, series.instance_uid(number)) for number in (1, 2)]
    kind, report = workstation.commits(archive.ae_title, transaction, files)
    assert kind == ALL_SAFE and "FailedSOPSequence" not in report
    told = [(item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID) for item in report.ReferencedSOPSequence]
    assert sorted(told) == sorted(files)


def test_what_is_not_kept_is_told(kept, workstation):
    archive, series = kept
    transaction, missing = generate_uid(), generate_uid()
    files = [(CTImageStorage, series.instance_uid(1)), (CTImageStorage, missing)]
    kind, report = workstation.commits(archive.ae_title, transaction, files)
    assert kind == SOME_MISSING
    (safe,), (failed,) = report.ReferencedSOPSequence, report.FailedSOPSequence
    assert safe.ReferencedSOPInstanceUID == series.instance_uid(1)
    assert (failed.ReferencedSOPInstanceUID, failed.FailureReason) == (missing, NO_SUCH_OBJECT)
