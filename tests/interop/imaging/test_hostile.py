"""Files, names and numbers that are made to harm: refused in bounded memory, and the gateway goes on answering.

What a single reader does with them is tested where the readers are; here they come through the doors.
"""

import socket
import struct
import threading
import zlib

import pydicom
import pytest
import requests
from archive import DICOM_JSON, Archive
from house import House
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000Lossless,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)
from pynetdicom import build_context
from studies import Series, file_of
from workstation import SUCCESS

MOST = 256 << 20
NESTED = 100_000
# Of the longest length there is.
LONG = 0xFFFFFFFE


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("hostile"))
    yield house
    house.stop()


@pytest.fixture
def archive(house, request):
    """It is the same process after the test, it has not taken more memory than it may, and it still stores and gives."""
    archive = house.hospital("hostile")
    house.gateway.forgets_peak()
    yield archive
    peak = house.gateway.peak_memory()
    # Shown by `pytest -s`.
    print(f"most memory: {peak >> 20} MB")
    assert house.gateway.lives() and peak < MOST
    (file,) = (good := Series(f"good {request.node.name}", 1, 16)).files()
    archive.keeps(file)
    assert archive.gives(f"/studies/{good.study_uid}") == [file]


def is_refused(archive: Archive, file: bytes) -> None:
    stored = archive.stores(file)
    failed = [*stored.answer.get("FailedSOPSequence", []), *stored.answer.get("OtherFailuresSequence", [])]
    assert stored.status in (400, 409) and not stored.instances and len(failed) == 1, f"{stored.status} {stored.text}"


class TestPreambles:
    """PS3.10 section 7.1 lets anything stand in the first 128 bytes."""

    PROGRAMS = {
        "Windows": b"MZ\x90\0",
        "Linux": b"\x7fELF\x02\x01\x01",
        "macOS": b"\xcf\xfa\xed\xfe",
        "macOS, fat": b"\xca\xfe\xba\xbe",
        "script": b"#!/bin/sh\nexit\n",
        "ZIP": b"PK\x03\x04\x14\0",
        "PDF": b"%PDF-1.7\n",
        "HTML": b"<html><script>",
        "HTML after blanks": b"\r\n\t <!DOCTYPE html>",
    }
    HARMLESS = {
        "nothing": b"",
        "TIFF, little": b"II*\0\x08\0\0\0",
        "TIFF, big": b"MM\0*\0\0\0\x08",
        "words": b"made by a scanner < 3 T",
    }

    @pytest.mark.parametrize("name", PROGRAMS)
    def test_what_makes_the_file_something_else_is_refused(self, archive, name):
        series = Series(f"preamble {name}", 1, 16)
        is_refused(archive, with_preamble(series, self.PROGRAMS[name]))
        assert archive.searches("studies", StudyInstanceUID=series.study_uid) == []

    @pytest.mark.parametrize("name", HARMLESS)
    def test_what_does_not_comes_back_bit_for_bit(self, archive, name):
        series = Series(f"preamble {name}", 1, 16)
        file = with_preamble(series, self.HARMLESS[name])
        archive.keeps(file)
        assert archive.gives(f"/studies/{series.study_uid}") == [file]


def with_preamble(series: Series, preamble: bytes) -> bytes:
    return preamble.ljust(128, b"\0") + series.files()[0][128:]


class TestNames:
    """Words that are no UIDs where UIDs are expected. None of them leads to a file."""

    WORDS = [
        "..",
        "../../operator.credential",
        "..%2f..%2foperator.credential",
        "%2e%2e/%2e%2e/operator.credential",
        "..%5c..%5coperator.credential",
        "%00",
        "1.2.3%00",
        "1.2.3%0d%0aX-Injected:%20yes",
        "1..2",
        "1.2." + "3" * 61,
        "9" * 7_000,
        "%ff%fe",
        "'%20OR%201=1--",
    ]
    PATHS = [
        "/hospitals/{}/dicom-web/studies",
        "/hospitals/hostile/dicom-web/studies/{}",
        "/hospitals/hostile/dicom-web/studies/{}/metadata",
        "/hospitals/hostile/dicom-web/studies/1.2.3/series/{}",
        "/hospitals/hostile/dicom-web/studies/1.2.3/series/1.2.4/instances/{}/rendered",
        "/hospitals/hostile/dicom-web/studies/1.2.3/series/1.2.4/instances/1.2.5/frames/{}",
        "/hospitals/hostile/dicom-web/studies/1.2.3/series/1.2.4/instances/1.2.5/bulkdata/{}",
        "/hospitals/hostile/wado?requestType=WADO&studyUID={0}&seriesUID={0}&objectUID={0}",
        "/viewer/{}",
        "/ohif/{}",
    ]

    @pytest.mark.parametrize("path", PATHS)
    def test_in_a_url(self, house, archive, path):
        secret = (house.gateway.data / "operator.credential").read_bytes().strip()
        for word in self.WORDS:
            status, answer = bare(archive, "GET", path.format(word))
            assert 400 <= status < 500, f"{word[:40]}: {status}"
            assert secret not in answer and b"\r\nx-injected" not in answer.lower()

    def test_in_a_data_set(self, house, archive):
        before = house.image_bytes()
        for number, word in enumerate(("../../../evil", "1.2/../../evil", "1.2.3\0/x", "1.2.x", ".", "1..2", "1" * 65)):
            series = Series(f"names {number}", 1, 16)
            for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
                ds = series.dataset(1)
                with pydicom.config.disable_value_validation():
                    setattr(ds, keyword, word)
                    is_refused(archive, file_of(ds))
        assert house.image_bytes() == before
        assert not list(house.gateway.data.parent.rglob("*evil*"))


def bare(archive: Archive, method: str, path: str) -> tuple[int, bytes]:
    """A request whose path no client has tidied: its status, and all of the answer."""
    address = archive.root.split("/")[2].split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=60) as gateway:
        gateway.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while piece := gateway.recv(1 << 16):
            answer += piece
    return int(answer.split(b" ")[1]), answer


def element(tag: int, vr: bytes, length: int, value: bytes = b"") -> bytes:
    """One element in Explicit VR Little Endian, with a long length that need not be that of the value."""
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, length) + value


def nested(levels: int, is_closed: bool) -> bytes:
    opened = element(0x0040A730, b"SQ", 0xFFFFFFFF, struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF))
    closed = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    return opened * levels + closed * levels * is_closed


ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, LONG)
# Elements that stand behind a good data set.
BROKEN = {
    "nested deeply": nested(NESTED, is_closed=True),
    "nested deeply, without an end": nested(NESTED, is_closed=False),
    "pixels of 4 GB": element(0x7FE00010, b"OW", LONG, bytes(64)),
    "a text of 4 GB": element(0x0040A160, b"UT", LONG, b"text"),
    "a sequence of 4 GB": element(0x0040A730, b"SQ", LONG, struct.pack("<HHI", 0xFFFE, 0xE000, 0)),
    "an item of 4 GB": element(0x0040A730, b"SQ", 0xFFFFFFFF, ITEM),
    "a fragment of 4 GB": element(0x7FE00010, b"OB", 0xFFFFFFFF, ITEM),
    "unknown, of 4 GB": element(0x00991001, b"UN", LONG),
    "half a million empty elements": struct.pack("<HH2sH", 0x0099, 0x1001, b"LO", 0) * 600_000,
}


class TestDataSets:
    @pytest.mark.parametrize("name", BROKEN)
    def test_by_stow(self, archive, name):
        series = Series(f"broken {name}", 1, 16)
        is_refused(archive, without_pixels(series) + BROKEN[name])
        assert archive.searches("studies", StudyInstanceUID=series.study_uid) == []

    @pytest.mark.parametrize("name", BROKEN)
    def test_by_c_store(self, house, archive, name):
        series = Series(f"broken node {name}", 1, 16)
        assert house.sends(archive, without_pixels(series) + BROKEN[name]) >> 12 in (0xA, 0xC)
        assert archive.searches("studies", StudyInstanceUID=series.study_uid) == []

    def test_a_head_of_4_gb(self, archive):
        file = Series("head", 1, 16).files()[0]
        is_refused(archive, file[:144] + element(0x00020102, b"OB", LONG) + file[144:])

    def test_json_that_is_nested_deeply(self, archive):
        deep = '{"0040A730":{"vr":"SQ","Value":[' * NESTED + "]}}" * NESTED
        body = f"--b\r\nContent-Type: application/dicom+json\r\n\r\n[{deep}]\r\n--b--\r\n"
        headers = {"Content-Type": 'multipart/related; type="application/dicom+json"; boundary=b', "Accept": DICOM_JSON}
        assert requests.post(f"{archive.root}/studies", data=body, headers=headers, timeout=120).status_code in (400, 409)


def without_pixels(series: Series, syntax: str = ExplicitVRLittleEndian) -> bytes:
    ds = series.dataset(1)
    del ds.PixelData
    return file_of(ds, syntax)


class TestBombs:
    """A few bytes that become many."""

    def test_a_deflated_data_set_by_stow(self, archive):
        archive.keeps(deflated(Series("no bomb", 1, 16), pixels(4 << 20)))
        is_refused(archive, deflated(Series("bomb", 1, 16), pixels(4092 << 20)))

    def test_a_deflated_data_set_by_c_store(self, house, archive, tmp_path):
        path = tmp_path / "bomb.dcm"
        path.write_bytes(deflated(Series("bomb node", 1, 16), pixels(4092 << 20)))
        with house.workstation.associated(
            archive.ae_title, [build_context(CTImageStorage, DeflatedExplicitVRLittleEndian)]
        ) as association:
            assert association.send_c_store(path).Status != SUCCESS

    def test_a_compressed_request(self, house, archive):
        before = house.image_bytes()
        packed = zlib.compressobj(9, zlib.DEFLATED, 31)
        body = b"".join(packed.compress(bytes(1 << 20)) for _ in range(512)) + packed.flush()
        headers = {"Content-Type": "application/dicom", "Content-Encoding": "gzip", "Accept": DICOM_JSON}
        assert requests.post(f"{archive.root}/studies", data=body, headers=headers, timeout=300).status_code == 400
        assert house.image_bytes() == before

    JPEG = bytes.fromhex(
        "ffd8" "ffdb0043" + "00" + "01" * 64 + "ffc0000b08ffffffff01011100" "ffda0008010100003f00" "00ffd9"
    )
    J2K = bytes.fromhex("ff4fff510029000000007fffffff7fffffff0000000000000000000000017fffffff0000000000000000") + bytes.fromhex(
        "0001070101" "ff52000c00000001000504040001" "ff5c00134040484850484850484850484850484850" "ff90000a0000000000000001" "ff93" "ffd9"
    )
    JLS = bytes.fromhex("ffd8" "fff7000b08ffffffff01011100" "ffda0008010100000000" "00ffd9")
    RLE = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\0" * 64
    PICTURES = {
        "JPEG": (JPEGBaseline8Bit, JPEG),
        "JPEG 2000": (JPEG2000Lossless, J2K),
        "JPEG-LS": (JPEGLSLossless, JLS),
        "RLE": (RLELossless, RLE),
        "native": (ExplicitVRLittleEndian, bytes(64)),
    }

    @pytest.mark.parametrize("claimed", [16, 65_535])
    @pytest.mark.parametrize("frames", [1, 2_147_483_647])
    @pytest.mark.parametrize("name", PICTURES)
    def test_a_picture(self, archive, name, frames, claimed):
        """Whether the data set claims the same or something modest."""
        syntax, stream = self.PICTURES[name]
        series = Series(f"picture {name} {frames} {claimed}", 1, 16)
        archive.keeps(picture(series, syntax, stream, claimed, frames))
        path = f"/studies/{series.study_uid}/series/{series.series_uid}/instances/{series.instance_uid(1)}"
        for resource, accept in (
            ("/rendered", "image/jpeg"),
            ("/rendered?viewport=65535,65535", "image/png"),
            ("/thumbnail", "image/jpeg"),
            (f"/frames/{frames}", 'multipart/related; type="application/octet-stream"'),
            (f"/frames/{frames}/rendered", "image/jpeg"),
            ("", 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1'),
        ):
            is_copy = resource == "" and name == "native"
            # Sixteen by sixteen zeros that are there.
            is_good = claimed == 16 and frames == 1 and name == "RLE"
            status = status_of(f"{archive.root}{path}{resource}", accept)
            assert is_copy or is_good or 400 <= status < 500, f"{resource}: {status}"


CUT_OFF = 499


def status_of(url: str, accept: str) -> int:
    """The status; an answer of parts that begins and is cut off is none."""
    try:
        with requests.get(url, headers={"Accept": accept}, timeout=120, stream=True) as answer:
            for _ in answer.iter_content(1 << 20):
                pass
            return answer.status_code
    except requests.exceptions.ChunkedEncodingError:
        return CUT_OFF


class TestBombsTogether:
    @pytest.fixture
    def house(self, tmp_path):
        house = House(tmp_path)
        yield house
        house.stop()

    def test_many_deflated_data_sets_at_once(self, house):
        """Each is within what one may inflate to, and together they would take 2 GB; a hospital may have twice as many
        senders at once. They are read one after the other; the allocator gives their memory back a moment later."""
        archive = house.hospital("bombs")
        files = [deflated(Series(f"bombs {n}", 1, 16), pixels(60 << 20)) for n in range(32)]
        at_once([lambda file=file: archive.stores(file) for file in files])
        assert house.gateway.lives()
        peak = house.gateway.peak_memory()
        print(f"most memory: {peak >> 20} MB")
        assert peak < 2 * MOST


def pixels(length: int) -> tuple[bytes, int]:
    return element(0x7FE00010, b"OB", length), length


def deflated(series: Series, added: tuple[bytes, int]) -> bytes:
    """The data set with one more value of zeros, behind the head of a deflated one."""
    file = without_pixels(series)
    begin = 144 + int.from_bytes(file[140:144], "little")
    value, length = added
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(file[begin:] + value) + packer.flush(zlib.Z_FULL_FLUSH)
    # Behind a full flush a block depends on nothing before it: once compressed it serves again and again.
    block = packer.compress(bytes(4 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    ds = series.dataset(1)
    del ds.PixelData
    empty = file_of(pydicom.Dataset({tag: ds[tag] for tag in ds.keys()}), DeflatedExplicitVRLittleEndian)
    head = empty[: 144 + int.from_bytes(empty[140:144], "little")]
    return head + body + block * (length // (4 << 20)) + packer.flush()


def picture(series: Series, syntax: str, stream: bytes, side: int, frames: int) -> bytes:
    ds = series.dataset(1)
    ds.Rows = ds.Columns = side
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation, ds.NumberOfFrames = 7, 0, frames
    is_native = syntax == ExplicitVRLittleEndian
    ds.PixelData = stream if is_native else encapsulate([stream])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = not is_native
    return file_of(ds, syntax)


def at_once(tasks: list) -> None:
    threads = [threading.Thread(target=task, daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
