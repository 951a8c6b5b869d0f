"""Orthanc with its DICOMweb plug-in as the hospital's PACS: it sends, finds, retrieves and receives."""

import corpus
import pytest
from studies import HANAKO, Series
from workstation import data_set_of

FILES = [
    "CT_small.dcm",
    "MR_small_RLE.dcm",
    "examples_jpeg2k.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "rtplan.dcm",
    "test-SR.dcm",
]


class TestAlone:
    """What Orthanc 1.10 with plug-in 1.7 does without a gateway; the reasons why tests here ask no more of it."""

    @pytest.fixture(autouse=True)
    def alone(self, orthanc):
        orthanc.keeps(Series("alone", slices=1, side=32).files()[0])

    def test_a_key_of_a_sequence_is_ignored(self, orthanc):
        found = orthanc.gets("/dicom-web/series?RequestAttributesSequence.ScheduledProcedureStepID=nothing")
        assert len(found) == 1

    def test_it_reads_japanese_names(self, orthanc):
        (study,) = orthanc.gets("/dicom-web/studies")
        assert study["00100010"]["Value"] == [
            {"Alphabetic": "Shiken^Hanako", "Ideographic": "試験^花子", "Phonetic": "しけん^はなこ"}
        ]


@pytest.fixture(scope="module")
def archive(hospital, orthanc, dicom_port):
    archive = hospital("sakura")
    orthanc.knows(archive.ae_title, dicom_port, archive.root)
    return archive


@pytest.fixture(autouse=True)
def empty(orthanc):
    yield
    orthanc.empties()


def test_it_knows_the_gateway(archive, orthanc):
    orthanc.echoes()


def test_it_sends_by_c_store(archive, orthanc):
    series = Series("orthanc c-store", slices=4, side=64)
    files = {series.instance_uid(number): file for number, file in enumerate(series.files(), 1)}
    told = orthanc.sends_by_c_store([orthanc.keeps(file) for file in files.values()])
    assert (told["InstancesCount"], told["FailedInstancesCount"]) == (4, 0)
    for uid, file in files.items():
        path = f"/studies/{series.study_uid}/series/{series.series_uid}/instances/{uid}"
        (came,) = archive.gives(path)
        assert data_set_of(came) == data_set_of(file)


@pytest.mark.parametrize("name", FILES)
def test_it_sends_by_stow(archive, orthanc, name):
    """Orthanc's STOW client sends files as they lie on its disk."""
    file = corpus.named(name)
    orthanc.sends_by_stow([orthanc.keeps(file.bytes)])
    if file.leaves_as_it_came:
        assert archive.gives_file(file) == file.bytes
    else:
        assert len(archive.searches("instances", SOPInstanceUID=file.instance)) == 1


@pytest.fixture(scope="module")
def kept(archive):
    series = Series("orthanc retrieves", slices=4, side=64, patient_id="O-1", accession="O-1")
    archive.keeps(*series.files())
    return series


def test_it_finds_by_c_find(kept, orthanc, archive):
    (found,) = orthanc.finds_by_dimse("Study", {"PatientID": "O-1", "PatientName": "", "StudyInstanceUID": ""})
    assert (found["StudyInstanceUID"], found["PatientName"]) == (kept.study_uid, HANAKO)


def test_it_finds_by_a_japanese_name(kept, orthanc, archive):
    found = orthanc.finds_by_dimse("Study", {"PatientName": "*花子*", "StudyInstanceUID": ""})
    assert kept.study_uid in [study["StudyInstanceUID"] for study in found]


def test_it_finds_by_qido(kept, orthanc, archive):
    (found,) = orthanc.finds_by_qido("/studies", {"PatientID": "O-1"})
    assert {tag.upper(): element.get("Value") for tag, element in found.items()}["0020000D"] == kept.study_uid


def test_it_retrieves_by_wado(kept, orthanc, archive):
    orthanc.retrieves_by_wado({"Study": kept.study_uid})
    assert [orthanc.file(orthanc.has(kept.instance_uid(n))) for n in range(1, 5)] == kept.files()


def test_it_retrieves_by_c_move_to_itself(kept, orthanc, archive):
    orthanc.moves_to_itself("Study", {"StudyInstanceUID": kept.study_uid})
    for number, file in enumerate(kept.files(), 1):
        came = orthanc.file(orthanc.waits_for(kept.instance_uid(number)))
        assert data_set_of(came) == data_set_of(file)


def test_it_receives_what_another_moves_to_it(kept, orthanc, archive, dcmtk):
    keys = (f"StudyInstanceUID={kept.study_uid}", f"SeriesInstanceUID={kept.series_uid}")
    done = dcmtk.moves(archive.ae_title, "ORTHANC", "SERIES", *keys)
    assert done.returncode == 0, done.stderr
    assert all(orthanc.waits_for(kept.instance_uid(number)) for number in range(1, 5))
