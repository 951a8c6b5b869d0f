"""Writes what pydicom makes of every frame, for the test `reference` of medvan-pixels.

Usage: write_cases.py OUT FOLDER...

Needs pydicom 3 with numpy, pillow, pylibjpeg (libjpeg, openjpeg, rle) and pyjpegls. A case is a file: the length of a JSON head as
four bytes in little endian, the head, and for each frame its fragments and then what pydicom makes of them.
"""

import base64
import json
import pathlib
import struct
import sys
import warnings

import numpy as np
import pydicom
from pydicom import uid
from pydicom.encaps import generate_fragmented_frames
from pydicom.pixels import pixel_array

PIXELS = {"PixelData": "integer", "FloatPixelData": "float32", "DoubleFloatPixelData": "float64"}
LOSSY_JPEG = {uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit}
MOST_FRAMES = 20
MOST_BYTES = 60_000_000


def element(ds):
    return next(name for name in PIXELS if name in ds)


def table(ds, colour):
    segmented = f"Segmented{colour}PaletteColorLookupTableData" in ds
    data = ds[f"{'Segmented' if segmented else ''}{colour}PaletteColorLookupTableData"].value
    if not isinstance(data, bytes):
        data = np.array(data, "<u2").tobytes()
    elif not ds.original_encoding[1]:
        data = np.frombuffer(data, ">u2").astype("<u2").tobytes()
    descriptor = [int(value) & 0xFFFF for value in ds[f"{colour}PaletteColorLookupTableDescriptor"].value]
    return {"descriptor": descriptor, "data": base64.b64encode(data).decode(), "segmented": segmented}


def describe(ds):
    bits = int(ds.BitsAllocated)
    stored = int(ds.get("BitsStored", bits))
    description = {
        "transfer_syntax": str(ds.file_meta.TransferSyntaxUID),
        "rows": int(ds.Rows),
        "columns": int(ds.Columns),
        "samples_per_pixel": int(ds.get("SamplesPerPixel", 1)),
        "kind": PIXELS[element(ds)],
        "bits_allocated": bits,
        "bits_stored": stored,
        "high_bit": int(ds.get("HighBit", stored - 1)),
        "signed": int(ds.get("PixelRepresentation", 0)) == 1,
        "photometric_interpretation": str(ds.get("PhotometricInterpretation", "MONOCHROME2")),
        "planar_configuration": int(ds.get("PlanarConfiguration", 0) or 0),
        "words": ds[element(ds)].VR == "OW",
    }
    if ds.get("PhotometricInterpretation") == "PALETTE COLOR":
        description["palette"] = {colour.lower(): table(ds, colour) for colour in ("Red", "Green", "Blue")}
    return description


def frames_of(ds, count):
    """The first bit and the fragments of each frame."""
    syntax = ds.file_meta.TransferSyntaxUID
    if not syntax.is_transfer_syntax or syntax.is_encapsulated:
        offsets = ds.get("ExtendedOffsetTable"), ds.get("ExtendedOffsetTableLengths")
        offsets = offsets if all(one is not None for one in offsets) else None
        for fragments in generate_fragmented_frames(ds.PixelData, number_of_frames=count, extended_offsets=offsets):
            yield 0, list(fragments)
        return
    key = element(ds)
    data = ds[key].value
    bits = int(ds.Rows) * int(ds.Columns) * int(ds.get("SamplesPerPixel", 1)) * int(ds.BitsAllocated)
    if ds.get("PhotometricInterpretation") == "YBR_FULL_422":
        bits = bits * 2 // 3
    swapped = syntax == uid.ExplicitVRBigEndian and ds.BitsAllocated == 8 and ds[key].VR == "OW"
    for frame in range(count):
        first, last = frame * bits, (frame + 1) * bits
        if swapped:
            odd = first // 8 % 2
            yield odd * 8, [data[first // 8 - odd : (last // 8 + 1) // 2 * 2]]
        else:
            yield first % 8, [data[first // 8 : (last + 7) // 8]]


def expected(ds, path, frame):
    if not ds.file_meta.TransferSyntaxUID.is_transfer_syntax:
        # Deflated frames, which pydicom 3.0 does not know: the same image lies beside it without compression.
        ds = pydicom.dcmread(path.with_name(path.name.replace("_deflate", "")))
    in_rgb = ds.file_meta.TransferSyntaxUID in LOSSY_JPEG and ds.get("SamplesPerPixel", 1) == 3
    array = pixel_array(ds, index=frame, raw=not in_rgb, decoding_plugin="pillow" if in_rgb else "")
    if ds.BitsAllocated == 1:
        return np.packbits(array.ravel().astype("u1"), bitorder="little").tobytes()
    return array.astype(array.dtype.newbyteorder("<")).tobytes()


def case(path):
    ds = pydicom.dcmread(path)
    count = int(ds.get("NumberOfFrames", 1) or 1)
    frames, blob = [], b""
    for number, (first_bit, fragments) in enumerate(frames_of(ds, count)):
        if number == MOST_FRAMES:
            break
        entry = {"first_bit": first_bit, "fragments": [len(fragment) for fragment in fragments]}
        blob += b"".join(fragments)
        try:
            reference = expected(ds, path, number)
            entry["expected"] = len(reference)
            blob += reference
        except Exception as error:
            entry["refused"] = f"{type(error).__name__}: {error}"[:200]
        frames.append(entry)
    head = json.dumps({"description": describe(ds), "frames": frames}).encode()
    return struct.pack("<I", len(head)) + head + blob


def main(out, *folders):
    warnings.simplefilter("ignore")
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    for folder in map(pathlib.Path, folders):
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.stat().st_size > MOST_BYTES:
                continue
            try:
                (out / f"{folder.name}-{path.name}.case").write_bytes(case(path))
            except Exception as error:
                print(f"left out: {path.name}: {type(error).__name__}")


main(*sys.argv[1:])
