"""What is told stored is stored: whoever ends the gateway, whatever its disk has left."""

import random
import threading
from dataclasses import dataclass, field

import pytest
import small_disk
from archive import Archive, value
from house import House
from senders import HANGS, AssociationSender, Sender, StowSender, uid_of
from studies import Series
from workstation import SUCCESS, data_set_of

SEED = 20260115
ROUNDS = 5


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.stop()


class TestKilled:
    """kill -9 while five senders store by both doors; then the gateway starts on what is left."""

    def test_what_was_told_is_there_and_the_rest_can_be_sent_again(self, house, tmp_path):
        chance = random.Random(SEED)
        everybody: list[Sender] = []
        for turn in range(ROUNDS):
            senders = senders_of(turn, chance, tmp_path)
            send_until_killed(house, senders, after=chance.randrange(3, 60))
            everybody += senders
            house.starts()
            archive = house.hospital("kill")
            for sender in senders:
                check(archive, sender)
        assert any(len(sender.told) < len(sender.files) for sender in everybody), "nobody was cut off"
        check_bytes(house, everybody)
        send_again(house, everybody)
        check_bytes(house, everybody)

    def test_a_second_start_finds_the_same(self, house, tmp_path):
        """Sweeping what has no rows takes nothing else, also when it is itself cut short and done again."""
        chance = random.Random(SEED + 1)
        senders = senders_of("twice", chance, tmp_path)
        send_until_killed(house, senders, after=30)
        found = []
        for _ in range(3):
            house.starts()
            archive = house.hospital("kill")
            for sender in senders:
                check(archive, sender)
            found.append((house.image_bytes(), sorted(uid for sender in senders for uid in found_of(archive, sender))))
            house.dies()
        house.starts()
        assert found[0] == found[1] == found[2]


def senders_of(turn: object, chance: random.Random, folder) -> list[Sender]:
    """Each with a study of its own; among its instances a few large ones."""

    def series(who: str) -> Series:
        return Series(f"kill {turn} {who}", slices=24, side=64)

    def large() -> tuple[int, ...]:
        return tuple(chance.sample(range(1, 25), 3))

    one_by_one = [StowSender(series(f"single {n}"), large()) for n in range(3)]
    return [*one_by_one, StowSender(series("together"), large(), 8), AssociationSender(series("node"), folder, large())]


def send_until_killed(house: House, senders: list[Sender], after: int) -> None:
    """Pulls the plug when so many instances were told stored; the senders are in the middle of the next ones."""
    archive = house.hospital("kill")
    news = threading.Condition()

    def hear() -> None:
        with news:
            news.notify_all()

    for sender in senders:
        sender.starts(house, archive, hear)
    with news:
        enough = news.wait_for(lambda: sum(len(sender.told) for sender in senders) >= after, HANGS)
    house.dies()
    for sender in senders:
        sender.ends()
        assert not sender.refused, sender.refused
    assert enough, "nothing is stored any more"


def check(archive: Archive, sender: Sender) -> None:
    """What was told is found, what is found comes back as it was sent, and all counts agree."""
    found = found_of(archive, sender)
    assert sender.told <= set(found) <= set(sender.files), sender.series.name
    came = {uid_of(file): file for file in archive.gives(f"/studies/{sender.series.study_uid}")} if found else {}
    assert set(came) == set(found) and len(found) == len(set(found)), sender.series.name
    assert [uid for uid in came if sender.differs(uid, came[uid])] == []
    studies = archive.searches("studies", StudyInstanceUID=sender.series.study_uid)
    counts = [(value(s, "00201208"), value(s, "00201206")) for s in studies]
    assert counts == ([(len(found), 1)] if found else []), sender.series.name


def found_of(archive: Archive, sender: Sender) -> list[str]:
    found = archive.searches("instances", StudyInstanceUID=sender.series.study_uid)
    return [value(instance, "00080018") for instance in found]


def check_bytes(house: House, senders: list[Sender]) -> None:
    """The disk holds what is found, and of each sender at most what was under way when it was cut: small arrivals share files,
    and one that others' instances are in is not swept."""
    archive = house.hospital("kill")
    found = [sender.series for sender in senders if found_of(archive, sender)]
    came = [file for series in found for file in archive.gives(f"/studies/{series.study_uid}")]
    cut = sum(sum(sorted(map(len, s.files.values()))[-s.together :]) for s in senders)
    stored = sum(map(len, came))
    assert stored <= house.image_bytes() <= stored + cut


def send_again(house: House, senders: list[Sender]) -> None:
    archive = house.hospital("kill")
    for sender in senders:
        sender.told.clear()
        sender.sends(house, archive)
        assert (sender.told, sender.refused) == (set(sender.files), [])
        check(archive, sender)


# SQLite ends a transaction by itself when it finds no room. sqlx counts it as open for ever, so that the one connection
# that writes begins no other: "attempted to call begin_with at non-zero transaction depth".


class TestFullDisk:
    """The gateway's folder is on a file system of 24 MB, and a ballast file takes what is left of it."""

    @pytest.fixture
    def small(self, tmp_path):
        if reason := small_disk.why_not():
            pytest.skip(reason)
        (tmp_path / "data").mkdir()
        house = House(tmp_path, inside=small_disk.inside(tmp_path / "data", 24))
        yield house
        house.stop()

    # Bytes that are left: none; some pages, for a file and not for its row; a few instances.
    @pytest.mark.parametrize("room", [0, 16_384, 1_500_000])
    def test_it_keeps_its_word_and_goes_on_when_there_is_room_again(self, small, room):
        archive, ballast = small.hospital("full"), small_disk.Ballast(small.gateway.data)
        kept = storing(small, archive, "before", 2)
        assert not kept.reasons, "there is room at first"
        ballast.leaves(room)
        tried = storing(small, archive, "without room", 12)
        assert tried.reasons, "more was sent than there was room for"
        assert small.gateway.lives()
        kept.check(archive)
        tried.check(archive)
        ballast.goes()
        again = storing(small, archive, "without room", 12)
        assert not again.reasons, words(again.reasons)
        for stored in (kept, again):
            stored.check(archive)

    @pytest.mark.parametrize("room", [0, 16_384])
    def test_senders_hear_that_it_is_about_resources(self, small, room):
        """A700 to A7FF (PS3.18 table I.2-2, PS3.4 table B.2-1), whatever it was that found no room."""
        archive, ballast = small.hospital("full"), small_disk.Ballast(small.gateway.data)
        ballast.leaves(room)
        tried = storing(small, archive, "without room", 12)
        assert tried.reasons and not [reason for reason in tried.reasons if reason >> 8 != 0xA7], words(tried.reasons)


@dataclass
class Storing:
    """What became of instances that were sent by STOW-RS, alone and together, and by C-STORE."""

    sent: dict[str, bytes]
    studies: list[str]
    told: set[str] = field(default_factory=set)
    reasons: list[int] = field(default_factory=list)

    def check(self, archive: Archive) -> None:
        """What was told stored is there, all that is there is right, and it is as many as the index says."""
        there = set()
        for study in self.studies:
            rows = archive.searches("instances", StudyInstanceUID=study)
            came = archive.gives(f"/studies/{study}") if rows else []
            assert {value(row, "00080018") for row in rows} == set(map(uid_of, came)) and len(rows) == len(came)
            assert all(data_set_of(file) == data_set_of(self.sent[uid_of(file)]) for file in came)
            there |= set(map(uid_of, came))
        assert self.told <= there


def storing(house: House, archive: Archive, name: str, count: int) -> Storing:
    """Sends some small and some larger ones by each door; the same name is the same instances."""
    ways, sides = ("stow", "node", "many"), (16, 256)
    doors = {way: [Series(f"{name} {way} {side}", count, side) for side in sides] for way in ways}
    every = [series for both in doors.values() for series in both]
    sent = {s.instance_uid(number): file for s in every for number, file in enumerate(s.files(), 1)}
    result = Storing(sent, [series.study_uid for series in every])
    files = {series: [sent[series.instance_uid(number)] for number in range(1, count + 1)] for series in every}

    def stow(*together: bytes) -> None:
        stored = archive.stores(*together)
        assert stored.status in (200, 202, 409, 503, 507), f"{stored.status} {stored.text}"
        failed = [*stored.answer.get("FailedSOPSequence", []), *stored.answer.get("OtherFailuresSequence", [])]
        result.reasons.extend(int(item.FailureReason) for item in failed)
        result.told.update(stored.instances)
        assert len(stored.instances) + len(failed) == len(together)

    def node(file: bytes) -> None:
        status = house.sends(archive, file)
        if status == SUCCESS:
            result.told.add(uid_of(file))
        else:
            result.reasons.append(status)

    for series in doors["stow"]:
        for file in files[series]:
            stow(file)
    for series in doors["node"]:
        for file in files[series]:
            node(file)
    for series in doors["many"]:
        stow(*files[series])
    return result


def words(reasons: list[int]) -> list[str]:
    return [f"{reason:04X}" for reason in reasons]
