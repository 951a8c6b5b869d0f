"""Frames: as they lie in the file, and decoded, against pydicom and its codecs."""

import io

import corpus
import numpy
import pixels
import pydicom
import pytest
from archive import instance_path
from pydicom.uid import ExplicitVRLittleEndian
from same import swap

OCTETS = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
NATIVE = f'multipart/related; type="application/octet-stream"; transfer-syntax={ExplicitVRLittleEndian}'
NATIVE_FILE = f'multipart/related; type="application/dicom"; transfer-syntax={ExplicitVRLittleEndian}'

COMPRESSED = [file for file in pixels.images() if pixels.compressed(file)]
PLAIN = [file for file in pixels.images() if not pixels.compressed(file)]
# The media type of each codec (PS3.18 table 8.7.3-5).
MEDIA = {
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.5": "image/dicom-rle",
}
# For these the gateway has no decoder and says so.
NOT_DECODED: dict[str, str] = {}


def as_stored(file: corpus.File) -> str:
    return f'multipart/related; type="{MEDIA[file.syntax]}"; transfer-syntax={file.syntax}'


def frames_path(file: corpus.File) -> str:
    numbers = range(1, min(pixels.frames(file), 5) + 1)
    return f"{instance_path(file)}/frames/{','.join(map(str, numbers))}"


@pytest.mark.parametrize("file", COMPRESSED, ids=corpus.label)
def test_a_compressed_frame_comes_as_it_is_stored(file, shelf):
    came, wanted = shelf(file).gives(frames_path(file), as_stored(file)), pixels.stored_frames(file)[:5]
    assert len(came) == len(wanted)
    # The byte that makes a fragment's length even may stay behind.
    assert all(one in (frame, frame.removesuffix(b"\0")) for one, frame in zip(came, wanted))


@pytest.mark.parametrize("file", PLAIN, ids=corpus.label)
def test_a_plain_frame_comes_as_a_slice_of_the_pixel_data(file, shelf):
    ds = file.dataset
    whole = swap(ds.PixelData, ds["PixelData"].VR) if file.big_endian else ds.PixelData
    bits = pixels.frame_bits(ds)
    assert bits % 8 == 0, "no file of the corpus has a frame that ends within a byte"
    size = bits // 8
    wanted = [whole[n * size : (n + 1) * size] for n in range(min(pixels.frames(file), 5))]
    for accept in (OCTETS, NATIVE):
        came = shelf(file).gives(frames_path(file), accept)
        assert [part[:size] for part in came] == wanted
        assert all(len(part) - size in (0, size % 2) for part in came), "at most a byte of padding"


@pytest.mark.parametrize("file", COMPRESSED, ids=corpus.label)
def test_a_compressed_image_leaves_decoded(file, shelf):
    """The pixels of the decoded instance are those that pydicom's codecs find, and its frames are slices of them."""
    archive = shelf(file)
    answer = archive.asks(instance_path(file), NATIVE_FILE)
    if file.path.name in NOT_DECODED:
        assert answer.status_code == 406
        return
    assert answer.status_code == 200, answer.text[:300]
    copy = pydicom.dcmread(io.BytesIO(archive.gives_file(file, NATIVE_FILE)))
    assert copy.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert copy.SOPInstanceUID == file.instance
    for number in range(min(pixels.frames(file), 5)):
        ours, judge = pixels.colours(copy, number), pixels.colours(file.dataset, number)
        _check(ours, judge, exact=file.syntax not in pixels.LOSSY)
    whole, size = copy.PixelData, pixels.frame_bits(copy) // 8
    came = archive.gives(frames_path(file), NATIVE)
    assert [part[:size] for part in came] == [whole[n * size : (n + 1) * size] for n in range(len(came))]


@pytest.mark.parametrize(
    ("numbers", "status"),
    [("1", 200), ("30,1,7", 200), ("31", 404), ("0", 400), ("1,x", 400), ("1,31", 404), ("", 404)],
)
def test_frames_are_numbered_from_one_in_the_order_asked(numbers, status, shelf):
    file = corpus.named("examples_ybr_color.dcm")
    path = f"{instance_path(file)}/frames/{numbers}"
    assert shelf(file).asks(path, as_stored(file)).status_code == status
    if status == 200:
        stored = pixels.stored_frames(file)
        assert shelf(file).gives(path, as_stored(file)) == [stored[int(number) - 1] for number in numbers.split(",")]


@pytest.mark.parametrize(
    "name", ["SC_rgb_jpeg_dcmtk.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"]
)
def test_the_client_s_own_function_gets_a_frame(name, shelf):
    file = corpus.named(name)
    uids, wanted = (file.study, file.series, file.instance), ((MEDIA[file.syntax], file.syntax),)
    (came,) = shelf(file).client.retrieve_instance_frames(*uids, [1], media_types=wanted)
    assert bytes(came) == pixels.stored_frames(file)[0]


@pytest.mark.parametrize("file", COMPRESSED[:8], ids=corpus.label)
def test_octets_in_any_syntax_tell_in_which_they_are(file, shelf):
    """What OHIF asks for. Stored or decoded, the part's Content-Type says which (OHIF decodes by that)."""
    answer = shelf(file).answers(f"{instance_path(file)}/frames/1", OCTETS)
    (came,) = shelf(file).gives(f"{instance_path(file)}/frames/1", OCTETS)
    head = answer.content.partition(b"\r\n\r\n")[0].decode("ascii")
    if f"transfer-syntax={file.syntax}\r\n" in head + "\r\n":
        assert came in (pixels.stored_frames(file)[0], pixels.stored_frames(file)[0].removesuffix(b"\0"))
    else:
        assert f"transfer-syntax={ExplicitVRLittleEndian}\r\n" in head + "\r\n"
        assert came == shelf(file).gives(f"{instance_path(file)}/frames/1", NATIVE)[0]


def _check(ours: numpy.ndarray, judge: numpy.ndarray, exact: bool) -> None:
    if exact:
        assert numpy.array_equal(ours, judge)
        return
    # Decoders round and interpolate the colours of a lossy JPEG as they like; a wrong one is far off.
    difference = numpy.abs(ours.astype("f8") - judge.astype("f8"))
    assert difference.mean() <= 1.5, f"on average {difference.mean():.2f} grey levels off"
