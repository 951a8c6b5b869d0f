"""Earlier studies that only the hospital's archive has: Orthanc gives them each way in which it can be asked; archives that pynetdicom
makes do what they should not, and cost nobody anything but the comparison."""

import io
import json
import time
from dataclasses import dataclass, replace
from datetime import date

import odd_archive
import pydicom
import pytest
from analyst import Analyst
from archive import Archive
from house import House
from odd_archive import OddArchive
from served import parts
from studies import Series

AT_HAND = Series("at hand", slices=4, side=32, patient_id="PRIOR-1", day=date(2026, 11, 1))
PRIOR = Series("prior", slices=4, side=32, patient_id="PRIOR-1", day=date(2026, 5, 1))
OLDER = Series("older", slices=4, side=32, patient_id="PRIOR-1", day=date(2026, 1, 5))
ANOTHERS = Series("another's", slices=4, side=32, patient_id="PRIOR-2", day=date(2026, 9, 1))


class Comparer(Analyst):
    """Finds nothing, and remembers what it was to compare with: by study at hand."""

    def __init__(self):
        super().__init__()
        self.compared: dict[str, tuple[str | None, list[str]]] = {}

    def answers(self, content_type: str, body: bytes) -> dict:
        described, *images = parts(content_type, body)
        asked = json.loads(described)
        named = [image["instance"] for image in asked["images"] + asked.get("prior", {}).get("images", [])]
        assert [str(pydicom.dcmread(io.BytesIO(image)).SOPInstanceUID) for image in images] == named
        self.compared[asked["study"]] = asked.get("prior", {}).get("study"), named
        return {"format": "1", "findings": []}


@dataclass
class Hospital:
    """A hospital that asks its archive."""

    gateway: object
    archive: Archive
    comparer: Comparer

    def gets(self, study: Series) -> dict:
        """The study at hand comes; what is told of it when the one job that there is is done."""
        self.archive.keeps(*study.files())
        return self.waits(study)

    def waits(self, study: Series) -> dict:
        end = time.monotonic() + 150
        while time.monotonic() < end:
            jobs = self.gateway.api(f"/hospitals/{self.archive.hospital}/jobs")["items"]
            assert len(jobs) <= 1, "a prior is nobody's work"
            if jobs and jobs[0]["state"] == "done":
                return self.told(study)
            assert not jobs or jobs[0]["state"] != "dead", jobs
            time.sleep(0.2)
        raise AssertionError(self.told(study))

    def told(self, study: Series) -> dict:
        return self.gateway.api(f"/hospitals/{self.archive.hospital}/studies/{study.study_uid}/matching")

    def compared(self, study: Series) -> tuple[str | None, list[str]]:
        return self.comparer.compared[study.study_uid]


@pytest.fixture(scope="module")
def comparer(gateway):
    comparer = Comparer()
    gateway.apply("prior-service", comparer=comparer.base)
    yield comparer
    comparer.stop()


@pytest.fixture
def hospital(gateway, comparer):
    def make(name: str, node: str, port: int, archive: dict, seconds: int = 120) -> Hospital:
        title = name.upper()
        values = {"node": node, "port": port, "archive": json.dumps(archive), "seconds": seconds}
        gateway.apply("prior-hospital", hospital=name, ae_title=title, **values)
        return Hospital(gateway, Archive(gateway.base, name, title), comparer)

    return make


def uids(study: Series) -> list[str]:
    return [study.instance_uid(number) for number in range(1, study.slices + 1)]


def of(name: str, study: Series) -> Series:
    """The same in another hospital: UIDs are the archive's own there."""
    return replace(study, name=f"{study.name} {name}")


WAYS = {
    "move": {"kind": "dimse", "node": "ORTHANC"},
    "get": {"kind": "dimse", "node": "ORTHANC", "retrieve": "get"},
    "web": {"kind": "dicomweb"},
}


@pytest.mark.parametrize("way", WAYS)
def test_orthanc_gives_the_latest_comparable_study(way, orthanc, hospital, dicom_port):
    at_hand, prior, older = (of(way, study) for study in (AT_HAND, PRIOR, OLDER))
    wanted = WAYS[way] | ({"url": orthanc.dicom_web} if way == "web" else {})
    name = f"susuki-{way}"
    house = hospital(name, "ORTHANC", orthanc.dicom_port, wanted)
    orthanc.knows(name.upper(), dicom_port, house.archive.root, name)
    for study in (prior, older, of(way, ANOTHERS), at_hand):
        [orthanc.keeps(file) for file in study.files()]
    # Of the prior a slice was here already.
    house.archive.keeps(prior.files()[1])
    time.sleep(3)
    told = house.gets(at_hand)
    assert house.compared(at_hand) == (prior.study_uid, uids(at_hand) + uids(prior)), told
    search = {study["study"]: study for study in told["priorSearch"]["studies"]}
    assert "fault" not in told["priorSearch"], told["priorSearch"]
    assert set(search) == {prior.study_uid, older.study_uid}, "those of this patient"
    assert search[prior.study_uid]["foundIn"] == ["store", "pacs"]
    assert search[prior.study_uid]["fetched"] == [{"series": prior.series_uid, "instances": 3}]
    assert "fetched" not in search[older.study_uid]
    # What came is what Orthanc has, pixel by pixel.
    came = house.archive.client.retrieve_series(prior.study_uid, prior.series_uid)
    slices = {str(image.SOPInstanceUID): image.PixelData for image in came}
    assert slices == {uid: prior.dataset(n).PixelData for n, uid in enumerate(uids(prior), 1)}
    orthanc.empties()


MISBEHAVING = {
    "hangs": (odd_archive.Hangs, "the PACS did not answer in time", 3),
    "shut": (odd_archive.RefusesAssociations, "the PACS could not be asked: the node rejected the association", 60),
    "busy": (odd_archive.RefusesToSearch, "the PACS could not be asked: the node answered", 60),
}


@pytest.fixture
def odd_of():
    made: list[OddArchive] = []

    def make(kind: type[OddArchive], study: Series, gateway_port: int) -> OddArchive:
        made.append(kind(study, gateway_port))
        return made[-1]

    yield make
    for archive in made:
        archive.stop()


@pytest.fixture
def odd(odd_of, dicom_port):
    return lambda kind, study: odd_of(kind, study, dicom_port)


@pytest.mark.parametrize("name", MISBEHAVING)
def test_without_an_answer_the_work_is_done_alone(name, odd, hospital):
    kind, expected, seconds = MISBEHAVING[name]
    at_hand, pacs = of(name, AT_HAND), odd(kind, of(name, PRIOR))
    house = hospital(f"odd-{name}", "ODD", pacs.port, {"kind": "dimse", "node": "ODD"}, seconds)
    told = house.gets(at_hand)
    assert house.compared(at_hand) == (None, uids(at_hand))
    assert told["priorSearch"]["fault"]["en"].startswith(expected), told["priorSearch"]
    assert told["priorSearch"]["fault"]["ja"]


def test_the_same_archive_that_behaves_gives_it(odd, hospital):
    """The others' difference is their misbehaviour alone."""
    for retrieve in ("move", "get"):
        at_hand, prior = of(f"even {retrieve}", AT_HAND), of(f"even {retrieve}", PRIOR)
        pacs = odd(OddArchive, prior)
        house = hospital(f"odd-even-{retrieve}", "ODD", pacs.port, {"kind": "dimse", "node": "ODD", "retrieve": retrieve})
        house.gets(at_hand)
        assert house.compared(at_hand) == (prior.study_uid, uids(at_hand) + uids(prior))
        assert pacs.asked == ["STUDY", "SERIES", "IMAGE", retrieve.upper()]


def test_another_patients_study_is_not_even_asked_for(odd, hospital):
    at_hand, pacs = of("tells another", AT_HAND), odd(odd_archive.TellsOfAnother, of("tells another", PRIOR))
    house = hospital("odd-tells", "ODD", pacs.port, {"kind": "dimse", "node": "ODD"})
    told = house.gets(at_hand)
    assert house.compared(at_hand) == (None, uids(at_hand))
    (looked,) = told["priorSearch"]["studies"]
    assert looked["services"][0]["refusals"][0]["rule"] == "patient"
    assert pacs.asked == ["STUDY"] and "SOMEBODY" not in json.dumps(told)


@pytest.mark.parametrize("retrieve", ["move", "get"])
def test_another_patients_images_are_not_compared_with(retrieve, odd, hospital):
    name = f"gives {retrieve}"
    at_hand, prior = of(name, AT_HAND), of(name, PRIOR)
    pacs = odd(odd_archive.GivesAnothers, prior)
    house = hospital(f"odd-gives-{retrieve}", "ODD", pacs.port, {"kind": "dimse", "node": "ODD", "retrieve": retrieve})
    told = house.gets(at_hand)
    assert house.compared(at_hand) == (None, uids(at_hand))
    (looked,) = told["priorSearch"]["studies"]
    assert looked["services"][0]["refusals"][0]["rule"] == "patient", looked


def test_among_ten_thousand_the_latest_is_found(odd, hospital):
    at_hand, prior = of("much", AT_HAND), of("much", PRIOR)
    pacs = odd(odd_archive.TellsTooMuch, prior)
    house = hospital("odd-much", "ODD", pacs.port, {"kind": "dimse", "node": "ODD"})
    told = house.gets(at_hand)
    assert house.compared(at_hand) == (prior.study_uid, uids(at_hand) + uids(prior))
    assert len(told["priorSearch"]["studies"]) == 16


def test_a_success_that_brought_nothing_is_told(odd, hospital):
    at_hand, pacs = of("nothing", AT_HAND), odd(odd_archive.GivesNothing, of("nothing", PRIOR))
    house = hospital("odd-nothing", "ODD", pacs.port, {"kind": "dimse", "node": "ODD"})
    told = house.gets(at_hand)
    assert house.compared(at_hand) == (None, uids(at_hand))
    (looked,) = told["priorSearch"]["studies"]
    assert looked["notFetched"]["en"] == "the PACS gave none of the images"


def test_what_is_moved_without_saying_why_is_no_new_study_either(odd, hospital):
    at_hand, prior = of("silent", AT_HAND), of("silent", PRIOR)
    pacs = odd(odd_archive.SaysNoOriginator, prior)
    house = hospital("odd-silent", "ODD", pacs.port, {"kind": "dimse", "node": "ODD"})
    house.gets(at_hand)
    assert house.compared(at_hand) == (prior.study_uid, uids(at_hand) + uids(prior))
    assert "judgedAt" not in house.told(prior) and house.told(prior)["jobs"] == []


def test_a_gateway_that_is_killed_while_it_asks_asks_again(tmp_path, odd_of):
    """kill -9 in the middle of the search: nothing is lost, and nothing is done twice."""
    house, comparer = House(tmp_path), Comparer()
    at_hand, prior = of("killed", AT_HAND), of("killed", PRIOR)
    try:
        pacs = odd_of(odd_archive.HangsOnce, prior, house.dicom_port)
        house.gateway.apply("prior-service", comparer=comparer.base)
        values = {"node": "ODD", "port": pacs.port, "archive": json.dumps({"kind": "dimse", "node": "ODD"}), "seconds": 120}
        house.gateway.apply("prior-hospital", hospital="killed", ae_title="KILLED", **values)
        Archive(house.gateway.base, "killed", "KILLED").keeps(*at_hand.files())
        end = time.monotonic() + 60
        while pacs.asked != ["STUDY"]:
            assert time.monotonic() < end, pacs.asked
            time.sleep(0.1)
        house.dies()
        house.starts()
        again = Hospital(house.gateway, Archive(house.gateway.base, "killed", "KILLED"), comparer)
        again.waits(at_hand)
        assert again.compared(at_hand) == (prior.study_uid, uids(at_hand) + uids(prior))
        assert pacs.asked == ["STUDY", "STUDY", "SERIES", "IMAGE", "MOVE"]
    finally:
        house.stop()
        comparer.stop()
