"""Memory is bounded whatever comes and goes: studies larger than it, clients that are slow, clients that are cut off."""

import random
import socket
import subprocess
import threading
import time
from contextlib import ExitStack

import pytest
import requests
from archive import BOUNDARY, Archive
from bulk import Bulk, DataSetDigest, asked, digests_of, megabytes, stores_streamed
from cable import Cable
from house import House
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import build_context, build_role, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet
from senders import AssociationSender, Sender, StowSender, uid_of
from studies import Series
from workstation import SUCCESS, identifier

MOST = 256 << 20
# Of what is awaited without a clock of one's own: a gateway that hangs.
HANGS = 120


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    assert house.gateway.lives()
    house.stop()


def sends_all(house: House, called: str, bulk: Bulk, path) -> None:
    """C-STORE of all of it in one association, each file on disk only while it is sent."""
    with house.workstation.associated(called, [build_context(CTImageStorage, ExplicitVRLittleEndian)]) as association:
        for number in range(1, bulk.instances + 1):
            bulk.write(number, path)
            assert association.send_c_store(path).Status == SUCCESS


def gets_all(house: House, called: str, bulk: Bulk, go: threading.Event | None = None) -> dict[str, str]:
    """C-GET of the study: digests by SOP Instance UID. The first instance is taken only when `go` says so."""
    model, came = StudyRootQueryRetrieveInformationModelGet, {}

    def keep(event) -> int:
        assert not go or go.wait(HANGS)
        digest = DataSetDigest()
        digest.update(bytes(128) + b"DICM\x02\0\0\0UL\x04\0" + bytes(4))
        digest.update(event.request.DataSet.getbuffer())
        came[str(event.request.AffectedSOPInstanceUID)] = digest.hexdigest()
        return SUCCESS

    contexts = [build_context(model), build_context(CTImageStorage, ExplicitVRLittleEndian)]
    roles = [build_role(CTImageStorage, scp_role=True)]
    with house.workstation.associated(called, contexts, roles=roles, handlers=[(evt.EVT_C_STORE, keep)]) as association:
        keys = identifier("STUDY", StudyInstanceUID=bulk.series.study_uid)
        (*_, (last, _)) = association.send_c_get(keys, model)
    assert last.Status == SUCCESS, last
    return came


def check_peak(house: House) -> None:
    peak = house.gateway.peak_memory()
    # Shown by `pytest -s`.
    print(f"most memory: {peak >> 20} MB")
    assert peak < MOST


# A study of many instances, and one of a single instance that is larger than the memory that may be taken.
BULKS = [Bulk("large", instances=megabytes() // 2), Bulk("huge", instances=1, frames=136)]


@pytest.mark.parametrize("bulk", BULKS, ids=lambda bulk: bulk.name)
class TestLarge:
    def test_by_dicomweb(self, house, bulk):
        archive = house.hospital("dicomweb")
        stored = stores_streamed(archive, bulk)
        assert stored.status == 200 and set(stored.instances) == bulk.uids()
        assert sorted(digests_of(asked(archive, bulk.study_path))) == sorted(bulk.digests().values())
        check_peak(house)

    def test_by_dimse(self, house, bulk, tmp_path):
        archive = house.hospital("dimse")
        sends_all(house, archive.ae_title, bulk, tmp_path / "one.dcm")
        assert gets_all(house, archive.ae_title, bulk) == bulk.digests()
        check_peak(house)


class TestSlow:
    def test_senders_of_a_byte_at_a_time_hold_nobody_up(self, house, tmp_path):
        """Twenty requests and six associations, all of one hospital, and each in the middle of an instance."""
        archive = house.hospital("slow")
        with ExitStack() as slow:
            dribblers = [slow.enter_context(Dribbler(archive, Series(f"slow {n}", 1, 64))) for n in range(20)]
            contexts = [build_context(CTImageStorage, ExplicitVRLittleEndian)]
            links = [slow.enter_context(house.workstation.associated(archive.ae_title, contexts)) for _ in range(6)]
            for _ in range(3):
                for link in links:
                    # The beginning of a P-DATA-TF PDU that never goes on.
                    link.dul.socket.socket.sendall(b"\x04")
                for dribbler in dribblers:
                    dribbler.sends(1)
                works(house, archive, tmp_path)
            for link in links:
                link.abort()
            # Slow is no fault: who hurries up in the end has stored.
            for dribbler in dribblers:
                assert "200 OK" in dribbler.ends()
        assert len(archive.searches("instances", SeriesDescription="縦隔条件", limit=100)) >= 20

    def test_a_hospital_of_slow_senders_takes_no_other_hospital_s_places(self, house, tmp_path):
        archive, other = house.hospital("slow"), house.hospital("other")
        with ExitStack() as slow:
            series = Series("slow", 1, 64)
            crowd = [slow.enter_context(Dribbler(archive, series)) for _ in range(64)]
            for dribbler in crowd:
                dribbler.sends(200)
            until("all places are taken", lambda: archive.stores(*Series("more", 1, 16).files()).status == 503)
            works(house, other, tmp_path)
            assert archive.searches("studies") == []

    def test_readers_that_do_not_read_take_neither_memory_nor_turns(self, house, tmp_path):
        archive = house.hospital("readers")
        bulk = Bulk("read slowly", instances=48)
        assert stores_streamed(archive, bulk).status == 200
        go, fetched = threading.Event(), []

        def reluctant() -> None:
            fetched.append(gets_all(house, archive.ae_title, bulk, go))

        fetching = [threading.Thread(target=reluctant, daemon=True) for _ in range(3)]
        for thread in fetching:
            thread.start()
        answers = [asked(archive, bulk.study_path) for _ in range(12)]
        works(house, archive, tmp_path)
        digests = bulk.digests()
        assert sorted(digests_of(asked(archive, bulk.study_path))) == sorted(digests.values())
        go.set()
        for thread in fetching:
            thread.join(HANGS)
        for answer in answers[:3]:
            assert sorted(digests_of(answer)) == sorted(digests.values())
        for answer in answers[3:]:
            answer.close()
        assert fetched == [digests] * 3
        check_peak(house)

    def test_idle_connections_keep_no_client_out(self, house, tmp_path):
        with ExitStack() as open_ones:
            port = int(house.gateway.base.rsplit(":", 1)[1])
            for _ in range(200):
                open_ones.enter_context(idle(port))
            works(house, house.hospital("idle"), tmp_path)


class TestIdleAtTheDimseDoor:
    @pytest.fixture
    def house(self, tmp_path):
        """Who does not ask for an association is not sent away while the test lasts."""
        house = House(tmp_path, "artim_seconds = 600\n")
        yield house
        house.gateway.dies()
        house.stop()

    def test_silent_connections_of_a_stranger_keep_no_node_out(self, house):
        archive = house.hospital("idle")
        with ExitStack() as open_ones:
            for _ in range(200):
                # Not the node's own address.
                open_ones.enter_context(idle(house.dicom_port, "127.0.0.2"))
            # The times are those of a modality that would like to send today.
            patience = ("-to", "10", "-ta", "10", "-td", "10")
            titles = ("-aet", "WORKSTATION", "-aec", archive.ae_title)
            command = ["echoscu", *patience, *titles, "127.0.0.1", str(house.dicom_port)]
            assert subprocess.run(command, capture_output=True, timeout=HANGS).returncode == 0


class TestCut:
    """What had come whole is there, bit for bit; of the rest nothing is, and nothing of it stays on the disk."""

    @pytest.mark.parametrize("hard", [False, True], ids=["ended", "reset"])
    def test_a_request(self, house, hard):
        archive, chance = house.hospital("cut"), random.Random(f"cut {hard}")
        senders: list[Sender] = []
        for turn in range(8):
            sender = StowSender(Series(f"cut {hard} {turn}", slices=6, side=64), large=(2, 5), together=6)
            cable = Cable(port_of(archive), chance.randrange(1_000, sum(map(len, sender.files.values()))), hard)
            with pytest.raises(requests.ConnectionError):
                sender.sends(house, house.through(cable, archive))
            cable.ends()
            senders.append(sender)
            whole = finished(cable.went, sender)
            if not hard:
                until("all that came whole is found", lambda: found(archive, sender) == whole)
            until("nothing lies on the disk that is not found", lambda: settled(house, archive, senders))
            assert found(archive, sender) <= whole
        send_again(house, archive, senders)

    @pytest.mark.parametrize("hard", [False, True], ids=["ended", "reset"])
    def test_an_association(self, house, hard, tmp_path):
        archive, chance = house.hospital("cut"), random.Random(f"cut node {hard}")
        senders: list[Sender] = []
        for turn in range(8):
            sender = AssociationSender(Series(f"cut node {hard} {turn}", slices=6, side=64), tmp_path, large=(2, 5))
            cable = Cable(house.dicom_port, chance.randrange(2_000, sum(map(len, sender.files.values()))), hard)
            sender.port = cable.port
            sender.starts(house, archive, lambda: None)
            sender.ends()
            cable.ends()
            sender.port = None
            senders.append(sender)
            until("nothing lies on the disk that is not found", lambda: settled(house, archive, senders))
            # The last one may have been stored and its answer lost.
            there = found(archive, sender)
            assert sender.told <= there and len(there) <= len(sender.told) + 1
        send_again(house, archive, senders)


class Dribbler:
    """STOW-RS of one instance over a bare connection, as slowly as it is told."""

    def __init__(self, archive: Archive, series: Series):
        (file,) = series.files()
        body = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode() + file + f"\r\n--{BOUNDARY}--\r\n".encode()
        path = archive.root.split("/", 3)[3]
        kind = f'multipart/related; type="application/dicom"; boundary="{BOUNDARY}"'
        head = f"POST /{path}/studies HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {kind}\r\n"
        self._rest = body
        self._socket = socket.create_connection(("127.0.0.1", port_of(archive)), timeout=HANGS)
        self._socket.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        self.sends(len(body) // 2)

    def __enter__(self) -> "Dribbler":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def sends(self, count: int) -> None:
        self._socket.sendall(self._rest[:count])
        self._rest = self._rest[count:]

    def ends(self) -> str:
        """Sends the rest; the answer."""
        self.sends(len(self._rest))
        answer = b""
        while piece := self._socket.recv(1 << 16):
            answer += piece
        return answer.decode()


def idle(port: int, source: str = "127.0.0.1") -> socket.socket:
    """A connection that says nothing. Where the system's queue is full it stays half made, and is not waited for."""
    connection = socket.socket()
    connection.bind((source, 0))
    connection.setblocking(False)
    connection.connect_ex(("127.0.0.1", port))
    return connection


def works(house: House, archive: Archive, folder) -> None:
    """Another sender stores by both doors, finds, and gets what it stored."""
    turn = f"meanwhile {time.monotonic_ns()}"
    for sender in (StowSender(Series(f"{turn} stow", 4, 64)), AssociationSender(Series(f"{turn} node", 4, 64), folder)):
        sender.sends(house, archive)
        assert (sender.told, sender.refused) == (set(sender.files), [])
        assert found(archive, sender) == sender.told
        check_same(archive, sender)


def send_again(house: House, archive: Archive, senders: list[Sender]) -> None:
    for sender in senders:
        sender.sends(house, archive)
        assert (sender.told, sender.refused) == (set(sender.files), [])
        assert found(archive, sender) == sender.told
        check_same(archive, sender)
    until("there is no second copy", lambda: settled(house, archive, senders))


def found(archive: Archive, sender: Sender) -> set[str]:
    instances = archive.searches("instances", StudyInstanceUID=sender.series.study_uid)
    return {instance["00080018"]["Value"][0] for instance in instances}


def check_same(archive: Archive, sender: Sender) -> list[bytes]:
    came = archive.gives(f"/studies/{sender.series.study_uid}") if found(archive, sender) else []
    assert [uid for uid in map(uid_of, came) if uid not in sender.files] == []
    assert not any(sender.differs(uid_of(file), file) for file in came)
    return came


def settled(house: House, archive: Archive, senders: list[Sender]) -> bool:
    stored = [file for sender in senders for file in check_same(archive, sender)]
    return house.image_bytes() == sum(map(len, stored))


def finished(went: bytearray, sender: Sender) -> set[str]:
    """Of which instances all bytes went, and the whole delimiter behind them."""
    return {uid for uid, file in sender.files.items() if file + f"\r\n--{BOUNDARY}\r\n".encode() in went}


def until(what: str, happened) -> None:
    end = time.monotonic() + HANGS
    while not happened():
        assert time.monotonic() < end, f"it never came about that {what}"
        time.sleep(0.02)


def port_of(archive: Archive) -> int:
    return int(archive.root.split("/")[2].rsplit(":", 1)[1])
