"""What leaves the gateway in another form has no error that the original has not: dciodvfy of dicom3tools judges."""

import subprocess

import corpus
import pixels
import pytest
from pydicom.uid import ExplicitVRLittleEndian
from studies import Series, file_of

NATIVE = f'multipart/related; type="application/dicom"; transfer-syntax={ExplicitVRLittleEndian}'
CHANGED = [
    file
    for file in corpus.readable()
    if not file.leaves_as_it_came or (file in pixels.images() and pixels.compressed(file))
]


@pytest.mark.parametrize("file", CHANGED, ids=corpus.label)
def test_another_form_has_no_new_errors(file, shelf, tmp_path):
    archive = shelf(file)
    if archive.asks(f"/studies/{file.study}/series/{file.series}/instances/{file.instance}", NATIVE).status_code == 406:
        pytest.skip("no decoder, and said so")
    new = errors(tmp_path, archive.gives_file(file, NATIVE)) - errors(tmp_path, file.bytes)
    assert not new


def test_the_synthetic_series_is_a_valid_ct(tmp_path):
    """Else the tests would show what a viewer makes of broken images."""
    assert errors(tmp_path, Series("valid", slices=1).files()[0]) == set()


def test_the_judge_sees_errors(tmp_path):
    ds = Series("invalid", slices=1).dataset(1)
    ds.ImageOrientationPatient = None
    assert any("ImageOrientationPatient" in error for error in errors(tmp_path, file_of(ds)))


def errors(folder, file: bytes) -> set[str]:
    path = folder / "judged.dcm"
    path.write_bytes(file)
    done = subprocess.run(["dciodvfy", path], capture_output=True, timeout=60)
    lines = (done.stdout + done.stderr).decode("utf-8", errors="replace").splitlines()
    return {line.strip() for line in lines if line.startswith("Error")}
