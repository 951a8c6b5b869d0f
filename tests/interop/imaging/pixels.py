"""What pydicom and its codecs make of an image: the judge of frames and of rendered pictures."""

import io
from functools import cache

import numpy
import pydicom
from corpus import File, readable
from PIL import Image
from pydicom.encaps import generate_frames
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array
from pydicom.uid import UID

# Nobody here can decode these, so nobody can judge them.
BEYOND_PYDICOM = {
    "JPEG-lossy.dcm": "12-bit JPEG with a misplaced marker",
    "JPEG2000-embedded-sequence-delimiter.dcm": "made to hold the bytes of a delimiter, not a picture",
    "badVR.dcm": "an IS that is no number",
}
# It can decode these, but shows them wrong.
MISREAD_BY_PYDICOM = {
    "OBXXXX1A_expb.dcm": "the palette's 8-bit entries in big endian words",
    "OBXXXX1A_expb_2frame.dcm": "the palette's 8-bit entries in big endian words",
    "eCT_Supplemental.dcm": "the modality's transform lies in a functional group",
}
# By these a decoder's rounding is its own affair (PS3.5 section 8.2.1); elsewhere a decoder is right or wrong.
LOSSY = {f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 81, 91)}


@cache
def images() -> list[File]:
    """The files of the corpus whose pixels pydicom can read."""
    return [file for file in readable() if "PixelData" in file.dataset and file.path.name not in BEYOND_PYDICOM]


def shown() -> list[File]:
    """Those that pydicom also shows rightly, pixel for pixel: the gateway gives oblong ones square pixels."""
    return [file for file in images() if file.path.name not in MISREAD_BY_PYDICOM and not oblong(file)]


def oblong(file: File) -> bool:
    return list(file.dataset.get("PixelAspectRatio") or [1, 1]) != [1, 1]


def compressed(file: File) -> bool:
    return UID(file.syntax).is_compressed and UID(file.syntax).is_encapsulated


def frames(file: File) -> int:
    return int(file.dataset.get("NumberOfFrames", 1) or 1)


def monochrome(ds: pydicom.Dataset) -> bool:
    return ds.PhotometricInterpretation.startswith("MONOCHROME")


def frame_bits(ds: pydicom.Dataset) -> int:
    """Of an uncompressed frame; YBR_FULL_422 has a third less (PS3.3 section C.7.6.3.1.2)."""
    bits = ds.Rows * ds.Columns * ds.SamplesPerPixel * ds.BitsAllocated
    return bits * 2 // 3 if ds.PhotometricInterpretation == "YBR_FULL_422" else bits


def has_window(ds: pydicom.Dataset) -> bool:
    """A width of 0 or none at all is no window (PS3.3 section C.11.2.1.2)."""
    width = ds.get("WindowWidth")
    width = width[0] if isinstance(width, pydicom.multival.MultiValue) else width
    return bool(width) and float(width) >= 1


def stored_frames(file: File) -> list[bytes]:
    """The frames of encapsulated pixel data as they lie in the file."""
    return list(generate_frames(file.dataset.PixelData, number_of_frames=frames(file)))


def decoded(ds: pydicom.Dataset, frame: int | None = None) -> numpy.ndarray:
    """The pixels as the photometric interpretation says, without conversion of colours."""
    return pixel_array(ds, index=frame, raw=True)


def colours(ds: pydicom.Dataset, frame: int | None = None) -> numpy.ndarray:
    """The pixels; colours as RGB."""
    return pixel_array(ds, index=frame)


def shades(ds: pydicom.Dataset) -> numpy.ndarray:
    """A monochrome image as a screen with 256 shades shows it by the window or table that it brings along."""
    pixels = pixel_array(ds, index=0)
    values = apply_modality_lut(pixels, ds)
    shown = apply_voi_lut(values, ds, index=0).astype("f8")
    low, high = _output_range(ds)
    shown = (shown - low) / (high - low) * 255
    return 255 - shown if ds.PhotometricInterpretation == "MONOCHROME1" else shown


def painted(ds: pydicom.Dataset) -> numpy.ndarray:
    """A colour image with 8 bits for each channel."""
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        table = apply_color_lut(pixel_array(ds, index=0), ds)
        return table >> 8 if table.dtype.itemsize == 2 else table
    return pixel_array(ds, index=0)


def picture(file: bytes) -> numpy.ndarray:
    """A PNG or JPEG as numbers."""
    return numpy.asarray(Image.open(io.BytesIO(file))).astype("i4")


def farthest(first: numpy.ndarray, second: numpy.ndarray) -> float:
    """The largest difference of two pixels."""
    assert first.shape == second.shape, f"{first.shape} instead of {second.shape}"
    return float(numpy.abs(first.astype("f8") - second.astype("f8")).max())


def _output_range(ds: pydicom.Dataset) -> tuple[float, float]:
    """Of `apply_voi_lut`: that of a table's entries, else that of the stored values after the modality's transform."""
    if sequence := ds.get("VOILUTSequence"):
        return 0, 2 ** int(sequence[0].LUTDescriptor[2]) - 1
    if sequence := ds.get("ModalityLUTSequence"):
        return 0, 2 ** int(sequence[0].LUTDescriptor[2]) - 1
    bits = int(ds.BitsStored)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if ds.PixelRepresentation else (0, 2**bits - 1)
    slope, intercept = float(ds.get("RescaleSlope") or 1), float(ds.get("RescaleIntercept") or 0)
    return low * slope + intercept, high * slope + intercept
