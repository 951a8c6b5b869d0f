"""QIDO-RS by dicomweb-client and C-FIND by dcmtk and pynetdicom: one archive, the same answers."""

from datetime import date

import pydicom
import pytest
from archive import value
from studies import JIS_KATAKANA_AND_KANJI, Series

HANAKO, TARO, KATAKANA = (
    "Shiken^Hanako=試験^花子=しけん^はなこ",
    "Mihon^Taro=見本^太郎=みほん^たろう",
    "ﾐﾎﾝ^ﾀﾛｳ=見本^太郎=みほん^たろう",
)
FIRST = Series("search 1", slices=3, side=32, patient=HANAKO, patient_id="F-1", day=date(2025, 4, 1), accession="A-1")
SECOND = Series("search 2", slices=2, side=32, patient=HANAKO, patient_id="F-1", day=date(2025, 9, 30), accession="A-2")
THIRD = Series("search 3", slices=1, side=32, patient=TARO, patient_id="F-2", day=date(2026, 1, 15), accession="A-3")
FOURTH = Series(
    "search 4",
    slices=1,
    side=32,
    patient=KATAKANA,
    patient_id="F-3",
    day=date(2026, 2, 28),
    accession="B-4",
    charset=tuple(JIS_KATAKANA_AND_KANJI),
)
ALL = [FIRST, SECOND, THIRD, FOURTH]

# Keys of a search for studies, and what it finds.
SEARCHES = [
    ("everything", {}, ALL),
    ("a kanji name", {"PatientName": "試験^花子"}, [FIRST, SECOND]),
    ("a kanji family name with a wild card", {"PatientName": "見本*"}, [THIRD, FOURTH]),
    ("a phonetic name", {"PatientName": "しけん^はなこ"}, [FIRST, SECOND]),
    ("a romaji name, in any case", {"PatientName": "shiken^hanako"}, [FIRST, SECOND]),
    ("half-width katakana", {"PatientName": "ﾐﾎﾝ*"}, [FOURTH]),
    ("one letter unknown", {"PatientName": "Mihon^Tar?"}, [THIRD]),
    ("an id", {"PatientID": "F-2"}, [THIRD]),
    ("ids with a wild card", {"PatientID": "F-*"}, ALL),
    ("no such id", {"PatientID": "G-1"}, []),
    ("a day", {"StudyDate": "20250930"}, [SECOND]),
    ("a range of days", {"StudyDate": "20250901-20260115"}, [SECOND, THIRD]),
    ("until a day", {"StudyDate": "-20250401"}, [FIRST]),
    ("from a day on", {"StudyDate": "20260116-"}, [FOURTH]),
    ("an accession number", {"AccessionNumber": "A-?"}, [FIRST, SECOND, THIRD]),
    ("a modality in the study", {"ModalitiesInStudy": "CT"}, ALL),
    ("another modality", {"ModalitiesInStudy": "MR"}, []),
    ("one UID", {"StudyInstanceUID": FIRST.study_uid}, [FIRST]),
    ("two keys", {"PatientName": "Shiken*", "StudyDate": "20250401"}, [FIRST]),
]


@pytest.fixture(scope="module")
def archive(hospital):
    archive = hospital("search")
    for series in ALL:
        archive.keeps(*series.files())
    return archive


def studies(found: list[dict]) -> set[str]:
    return {value(study, "0020000D") for study in found}


@pytest.mark.parametrize(("what", "keys", "wanted"), SEARCHES, ids=[row[0] for row in SEARCHES])
class TestOneSearchThreeClients:
    def test_by_qido(self, archive, what, keys, wanted):
        found = archive.client.search_for_studies(search_filters=keys)
        assert len(found) == len(wanted)
        assert studies(found) == {series.study_uid for series in wanted}

    def test_by_pynetdicom(self, archive, workstation, what, keys, wanted):
        asked = {"StudyInstanceUID": "", "PatientName": "", **keys}
        found = workstation.finds(archive.ae_title, level="STUDY", **asked)
        assert sorted(str(ds.StudyInstanceUID) for ds in found) == sorted(series.study_uid for series in wanted)
        names = {str(ds.StudyInstanceUID): ds.PatientName for ds in found}
        assert all(names[series.study_uid] == series.patient for series in wanted)

    def test_by_findscu(self, archive, dcmtk, what, keys, wanted):
        asked = {"StudyInstanceUID": "", "PatientName": "", **keys}
        words = ["SpecificCharacterSet=ISO_IR 192", *(f"{keyword}={text}" for keyword, text in asked.items())]
        found = [pydicom.dcmread(path, force=True) for path in dcmtk.finds(archive.ae_title, "STUDY", *words)]
        assert sorted(str(ds.StudyInstanceUID) for ds in found) == sorted(series.study_uid for series in wanted)


class TestJapaneseNamesByFuzzyMatching:
    """One person, however the name was typed: width, kana, group and romaji do not matter."""

    @pytest.mark.parametrize(
        "typed",
        ["ミホン", "みほん", "ﾐﾎﾝ", "ＭＩＨＯＮ", "mihon", "見本", "見本 太郎", "Taro Mihon", "ﾐﾎﾝ ﾀﾛｳ", "見本　太郎"],
    )
    def test_finds_all_that_bear_it(self, archive, typed):
        found = archive.client.search_for_studies(fuzzymatching=True, search_filters={"PatientName": typed})
        assert {THIRD.study_uid, FOURTH.study_uid} <= studies(found)
        assert not {FIRST.study_uid, SECOND.study_uid} & studies(found)


class TestLevels:
    def test_series_of_a_study(self, archive):
        (found,) = archive.client.search_for_series(FIRST.study_uid)
        assert value(found, "0020000E") == FIRST.series_uid
        assert value(found, "00201209") == 3

    def test_instances_of_a_series(self, archive):
        found = archive.client.search_for_instances(FIRST.study_uid, FIRST.series_uid)
        assert {value(one, "00080018") for one in found} == {FIRST.instance_uid(n) for n in (1, 2, 3)}

    def test_all_instances_by_a_key_of_the_patient(self, archive):
        found = archive.client.search_for_instances(search_filters={"PatientID": "F-1"})
        assert len(found) == 5
        assert studies(found) == {FIRST.study_uid, SECOND.study_uid}

    def test_c_find_at_series_and_image_level(self, archive, workstation):
        keys = {"StudyInstanceUID": FIRST.study_uid, "SeriesInstanceUID": ""}
        (series,) = workstation.finds(archive.ae_title, level="SERIES", **keys)
        assert series.SeriesInstanceUID == FIRST.series_uid
        keys |= {"SeriesInstanceUID": FIRST.series_uid, "SOPInstanceUID": "", "InstanceNumber": ""}
        images = workstation.finds(archive.ae_title, level="IMAGE", **keys)
        assert {int(ds.InstanceNumber): str(ds.SOPInstanceUID) for ds in images} == {
            number: FIRST.instance_uid(number) for number in (1, 2, 3)
        }

    def test_counts_of_a_study(self, archive):
        (found,) = archive.client.search_for_studies(search_filters={"StudyInstanceUID": FIRST.study_uid})
        assert (value(found, "00201206"), value(found, "00201208")) == (1, 3)


class TestPages:
    def test_pages_add_up_to_the_whole(self, archive):
        whole = archive.client.search_for_instances()
        pages = [archive.client.search_for_instances(limit=2, offset=offset) for offset in range(0, len(whole) + 2, 2)]
        assert [value(one, "00080018") for page in pages for one in page] == [value(one, "00080018") for one in whole]
        assert pages[-1] == [], "beyond the end there is nothing"

    def test_the_client_s_loop_over_all_pages_ends(self, archive):
        """It asks on until a page is empty: a server that ignores the offset keeps it for ever."""
        found = archive.client.search_for_instances(limit=3, get_remaining=True)
        assert len(found) == 7

    def test_pages_stay_in_order_when_something_is_stored_between(self, hospital):
        archive = hospital("pages")
        early = [Series(f"page {n}", slices=1, side=32, day=date(2025, 1, 1 + n)) for n in range(4)]
        for series in early:
            archive.keeps(*series.files())
        first = archive.client.search_for_studies(limit=2)
        archive.keeps(*Series("page late", slices=1, side=32, day=date(2025, 1, 2)).files())
        rest = archive.client.search_for_studies(limit=10, offset=2)
        seen = [value(study, "0020000D") for study in first + rest]
        assert len(seen) == len(set(seen)) and {series.study_uid for series in early} <= set(seen)


class TestWhatAServerMustNotDo:
    def test_an_included_field_is_there_even_when_empty(self, archive):
        found = archive.client.search_for_studies(fields=["StudyDescription", "PatientComments"])
        assert all(value(study, "00081030") == "胸部単純CT" for study in found)

    def test_a_key_of_a_sequence_is_not_ignored(self, archive):
        keys = {"RequestAttributesSequence.ScheduledProcedureStepID": "nothing has this"}
        assert archive.searches("series", **keys) == []

    def test_a_key_that_cannot_be_searched_is_told_and_finds_not_everything(self, archive):
        answer = archive.asks("/instances", "application/dicom+json", RedPaletteColorLookupTableData="x")
        assert answer.status_code == 400 or "Warning" in answer.headers or answer.json() == []

    @pytest.mark.parametrize(
        "keys", [{"StudyDate": "2025-2026-"}, {"limit": "-1"}, {"offset": "x"}, {"StudyDate": "yesterday"}]
    )
    def test_nonsense_is_refused(self, archive, keys):
        assert archive.asks("/studies", "application/dicom+json", **keys).status_code == 400

    def test_a_list_of_uids_finds_each(self, archive):
        wanted = [FIRST.study_uid, FOURTH.study_uid]
        for separator in (",", "\\"):
            assert studies(archive.searches("studies", StudyInstanceUID=separator.join(wanted))) == set(wanted)

    def test_nothing_found_is_an_empty_list(self, archive):
        answer = archive.asks("/studies", "application/dicom+json", PatientID="nobody")
        assert (answer.status_code, answer.json()) == (200, [])
