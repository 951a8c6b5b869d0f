"""Evidence of AI findings: dciodvfy finds no error in it, highdicom and pydicom read the findings that were given, dcmtk and
poppler show them."""

import json
import os
import subprocess
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import UID
from studies import Series, file_of
from test_dciodvfy import errors

AUTHOR = Path(os.environ["MEDVAN_BIN"]).parent / "examples" / "author"
NODULE = {"scheme": "SCT", "code": "27925004", "meaning": "Nodule"}
LUNG = {"scheme": "SCT", "code": "39607008", "meaning": "Lung"}
RIGHT = {"scheme": "SCT", "code": "24028007", "meaning": "Right"}
VOLUME = {"scheme": "SCT", "code": "118565006", "meaning": "Volume"}
WORDS = {"ja": "右肺の結節", "en": "Nodule of the right lung"}
COLUMNS, ROWS = slice(20, 40), slice(10, 30)


class Evidence:
    """What was written for some images, in a folder."""

    def __init__(self, folder: Path, images: list[pydicom.Dataset], findings: list[dict], **more):
        self.folder, self.images = folder, images
        self.findings = {"format": "1", "summary": WORDS, "limitations": [WORDS], "findings": findings, **more}
        (folder / "findings.json").write_text(json.dumps(self.findings))
        paths = []
        for number, image in enumerate(images):
            paths.append(folder / f"image-{number}.dcm")
            paths[-1].write_bytes(file_of(image))
        done = subprocess.run([AUTHOR, folder, folder / "findings.json", *paths], capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()

    def written(self, kind: str) -> list[Path]:
        return sorted(self.folder.glob(f"{kind}*.dcm"))

    @property
    def report(self) -> highdicom.sr.Comprehensive3DSR:
        return highdicom.sr.srread(self.folder / "report.dcm")


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    """`evidence(name)`: of a CT series with Japanese names, of a CT of pydicom, of a film that does not say where it lies."""
    made: dict[str, Evidence] = {}

    def author(name: str) -> Evidence:
        if name not in made:
            images = IMAGES[name]()
            made[name] = Evidence(tmp_path_factory.mktemp(name), images, findings(images), **heat_maps(images))
        return made[name]

    return author


def film() -> list[pydicom.Dataset]:
    image = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    for name in ("FrameOfReferenceUID", "ImagePositionPatient", "ImageOrientationPatient", "SliceThickness"):
        del image[name]
    image.Modality, image.SOPClassUID = "CR", UID("1.2.840.10008.5.1.4.1.1.1")
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    return [image]


IMAGES = {
    "series": lambda: [Series("evidence", slices=3).dataset(number) for number in (1, 2, 3)],
    "small": lambda: [pydicom.dcmread(get_testdata_file("CT_small.dcm"))],
    "film": film,
}


def name_of(image) -> dict:
    return {"instance": str(image.SOPInstanceUID)}


def mask_of(image) -> np.ndarray:
    mask = np.zeros((image.Rows, image.Columns), dtype=bool)
    mask[ROWS, COLUMNS] = True
    return mask


def runs_of(mask: np.ndarray) -> list[int]:
    """Lengths by turns outside and inside, beginning outside."""
    changes = np.flatnonzero(np.diff(np.concatenate([[False], mask.ravel()])))
    return np.diff(np.concatenate([[0], changes, [mask.size]])).tolist()


def findings(images) -> list[dict]:
    first, where = images[0], {"site": LUNG, "laterality": RIGHT}
    frames = [{"image": name_of(image), "runs": runs_of(mask_of(image))} for image in images]
    found = [
        {
            "id": "mask",
            "trackingUid": "2.25.77",
            "code": NODULE,
            **where,
            "confidence": 0.57,
            "measurements": [{"code": VOLUME, "value": 213.123456789012345, "unit": "mm3"}],
            "evaluations": [{"question": VOLUME, "answer": {"code": LUNG}}, {"question": LUNG, "answer": {"text": "solid"}}],
            "place": {"type": "mask", "frames": frames},
            "text": WORDS,
        },
        {"id": "second", "code": NODULE, "place": {"type": "mask", "frames": frames[:1]}},
        {"id": "box", "code": NODULE, **where, "place": {"type": "box", "image": name_of(first), "from": [20, 10], "to": [40, 30.5]}},
        {"id": "point", "code": NODULE, "presence": "indeterminate", "place": {"type": "point", "image": name_of(first), "at": [1.5, 2.5]}},
        {"id": "line", "code": NODULE, "place": {"type": "polyline", "image": name_of(first), "points": [[1, 1], [9, 9]]}},
        {"id": "image", "code": NODULE, "place": {"type": "image", "image": name_of(first)}},
        {"id": "attention", "code": NODULE, "place": {"type": "heat-map", "heatMap": "map"}},
        {"id": "absent", "code": NODULE, "presence": "absent"},
    ]
    if "FrameOfReferenceUID" in first:
        place = {"type": "patient-point", "frameOfReference": str(first.FrameOfReferenceUID), "at": [1, 2, 3]}
        found.append({"id": "in the patient", "code": NODULE, "place": place})
    return found


def heat_maps(images) -> dict:
    frame = {"image": name_of(images[0]), "runs": [255, images[0].Rows * images[0].Columns]}
    code = {"scheme": "99EXAMPLE", "code": "ATTENTION", "meaning": "Attention"}
    return {"heatMaps": [{"id": "map", "code": code, "range": [0, 1], "unit": "1", "frames": [frame]}]}


def code_of(concept) -> dict:
    return {"scheme": concept.scheme_designator, "code": concept.value, "meaning": concept.meaning}


def groups_of(report) -> dict:
    content = report.content
    groups = [
        *content.get_volumetric_roi_measurement_groups(),
        *content.get_planar_roi_measurement_groups(),
        *content.get_image_measurement_groups(),
    ]
    return {group.tracking_identifier: group for group in groups}


KINDS = ("report", "segmentation", "presentation", "picture", "document")


@pytest.mark.parametrize("name", IMAGES)
def test_nothing_that_is_written_has_an_error(evidence, name, tmp_path):
    made = evidence(name)
    written = [path for kind in KINDS for path in made.written(kind)]
    assert len(written) == 4 + len(made.images)
    inherited = set().union(*(errors(tmp_path, file_of(image)) for image in made.images))
    faults = {path.name: errors(tmp_path, path.read_bytes()) - inherited for path in written}
    assert faults == {path.name: set() for path in written}


@pytest.mark.parametrize("name", IMAGES)
def test_the_report_says_every_finding(evidence, name):
    made = evidence(name)
    groups = groups_of(made.report)
    assert set(groups) == {finding["id"] for finding in made.findings["findings"]}
    for finding in made.findings["findings"]:
        group = groups[finding["id"]]
        assert code_of(group.finding_type) == finding["code"]
        assert [code_of(site.value) for site in group.finding_sites] == [finding[key] for key in ("site",) if key in finding]
    mask = groups["mask"]
    assert mask.tracking_uid == "2.25.77"
    assert [(each.name.value, each.value, each.unit.value) for each in mask.get_measurements()] == [
        ("111012", 57.0, "%"),
        ("118565006", 213.123456789012345, "mm3"),
    ]
    assert code_of(mask.finding_sites[0].laterality) == RIGHT
    answers = {key: [each.value.meaning for each in groups[key].get_qualitative_evaluations()] for key in groups}
    assert answers["mask"] == ["Lung"]
    assert (answers["point"], answers["absent"], answers["box"]) == (["Indeterminate"], ["Absent"], [])


@pytest.mark.parametrize("name", IMAGES)
def test_regions_lie_where_they_were_found(evidence, name):
    made = evidence(name)
    groups = groups_of(made.report)
    box = groups["box"].roi
    assert box.value.tolist() == [[20, 10], [40, 10], [40, 30.5], [20, 30.5], [20, 10]]
    assert groups["point"].roi.value.tolist() == [[1.5, 2.5]]
    source = box.ContentSequence[0].ReferencedSOPSequence[0]
    assert source.ReferencedSOPInstanceUID == made.images[0].SOPInstanceUID


@pytest.mark.parametrize("name", IMAGES)
def test_segments_are_the_masks_and_the_report_names_them(evidence, name):
    made = evidence(name)
    (path,) = made.written("segmentation")
    segmentation = highdicom.seg.segread(path)
    sources = [image.SOPInstanceUID for image in made.images]
    pixels = segmentation.get_pixels_by_source_instance(sources, assert_missing_frames_are_empty=True)
    expected = np.stack([mask_of(image) for image in made.images])
    assert (pixels[..., 0] == expected).all()
    assert (pixels[0, ..., 1] == expected[0]).all() and not pixels[1:, ..., 1].any()
    groups = groups_of(made.report)
    for number, key in enumerate(("mask", "second"), start=1):
        described = segmentation.get_segment_description(number)
        assert (described.tracking_id, described.tracking_uid) == (key, groups[key].tracking_uid)
        (reference,) = [item for item in groups[key][0].ContentSequence if item.name.value == "121191"]
        named = reference.ReferencedSOPSequence[0]
        assert named.ReferencedSOPInstanceUID == segmentation.SOPInstanceUID
        assert named.ReferencedSegmentNumber == number


@pytest.mark.parametrize("name", IMAGES)
def test_all_of_it_is_of_the_same_patient_and_study(evidence, name):
    made = evidence(name)
    first = made.images[0]
    written = [pydicom.dcmread(path) for kind in KINDS for path in made.written(kind)]
    for ds in written:
        assert (ds.StudyInstanceUID, str(ds.PatientName).rstrip("="), ds.PatientID) == (
            first.StudyInstanceUID,
            str(first.PatientName).rstrip("="),
            first.PatientID,
        )
    named = {instance for _, _, instance, _ in made.report.get_evidence()}
    beside = {ds.SOPInstanceUID for ds in written if ds.Modality not in ("SR", "DOC")}
    assert named == beside | {image.SOPInstanceUID for image in made.images}


def test_a_picture_says_what_it_is_and_shows_the_box(evidence):
    picture = pydicom.dcmread(evidence("small").written("picture")[0])
    assert picture.BurnedInAnnotation == "YES"
    assert "NOT FOR DIAGNOSIS" in picture.DerivationDescription
    # 512 pixels for 128: the box's left side lies at column 80.
    assert not (picture.pixel_array[100, 78:83] == 96).all()


@pytest.mark.parametrize("name", IMAGES)
def test_a_presentation_state_draws_what_the_report_says(evidence, name):
    made = evidence(name)
    (path,) = made.written("presentation")
    state = pydicom.dcmread(path)
    *annotations, legend = state.GraphicAnnotationSequence
    named = [annotation.ReferencedImageSequence[0].ReferencedSOPInstanceUID for annotation in annotations]
    assert named == [image.SOPInstanceUID for image in made.images]
    drawn = [np.reshape(graphic.GraphicData, (-1, 2)).tolist() for graphic in annotations[0].GraphicObjectSequence]
    box = made.findings["findings"][2]["place"]
    (left, top), (right, bottom) = box["from"], box["to"]
    mask = [[COLUMNS.start, ROWS.start], [COLUMNS.stop, ROWS.start], [COLUMNS.stop, ROWS.stop], [COLUMNS.start, ROWS.stop]]
    assert drawn == [
        [*mask, mask[0]],
        [*mask, mask[0]],
        [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]],
        [[1, 1], [9, 9]],
    ]
    # highdicom checks the values of what it makes: its own objects of these are the same, but that it says of open lines too
    # that they are not filled.
    for graphic in annotations[0].GraphicObjectSequence:
        points = np.reshape(graphic.GraphicData, (-1, 2))
        expected = highdicom.pr.GraphicObject(graphic.GraphicType, points, graphic.GraphicAnnotationUnits)
        graphic.GraphicFilled = graphic.get("GraphicFilled", "N")
        assert pydicom.Dataset(expected) == graphic
    label = annotations[0].TextObjectSequence[0].UnformattedTextValue
    assert "57%" in label and "右肺の結節" in label
    assert "NOT FOR DIAGNOSIS BY ITSELF" in legend.TextObjectSequence[0].UnformattedTextValue


@pytest.mark.parametrize("name", IMAGES)
def test_a_presentation_state_shows_images_as_they_say(evidence, name):
    made = evidence(name)
    state, first = pydicom.dcmread(made.written("presentation")[0]), made.images[0]
    assert (state.get("RescaleSlope"), state.get("RescaleIntercept")) == (
        first.get("RescaleSlope"),
        first.get("RescaleIntercept"),
    )
    (area,) = state.DisplayedAreaSelectionSequence
    assert (list(area.DisplayedAreaTopLeftHandCorner), list(area.DisplayedAreaBottomRightHandCorner)) == (
        [1, 1],
        [first.Columns, first.Rows],
    )
    windows = [window.WindowCenter for window in state.get("SoftcopyVOILUTSequence", [])]
    assert windows == ([first.WindowCenter] if "WindowCenter" in first else [])


def test_dcmtk_renders_an_image_through_its_presentation_state(evidence, tmp_path):
    """dcmtk's own reading of the object: dcmp2pgm takes a state whole or not at all."""
    made = evidence("series")
    image, shown = made.folder / "image-0.dcm", tmp_path / "shown.pgm"
    done = subprocess.run(["dcmp2pgm", "--pstate", made.written("presentation")[0], image, shown], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    assert shown.stat().st_size > made.images[0].Rows * made.images[0].Columns


@pytest.mark.parametrize("name", IMAGES)
def test_the_document_says_in_both_languages_what_was_found(evidence, name, tmp_path):
    made = evidence(name)
    (path,) = made.written("document")
    document = pydicom.dcmread(path)
    (source,) = document.SourceInstanceSequence
    assert source.ReferencedSOPInstanceUID == made.report.SOPInstanceUID
    pdf = tmp_path / "document.pdf"
    pdf.write_bytes(document.EncapsulatedDocument[: document.EncapsulatedDocumentLength])
    read = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, timeout=60)
    assert (read.returncode, read.stderr) == (0, b""), read.stderr.decode()
    text = read.stdout.decode()
    for words in (
        "AI result. Not for diagnosis by itself.",
        "これだけで診断しないでください",
        f"患者ID Patient ID: {made.images[0].PatientID}",
        "例示メディカル",
        "Nodule finder 2.1.0",
        *WORDS.values(),
        "確信度 Confidence: 57%",
        "Volume: 213.123456789012 mm3",
    ):
        assert words in text, words
    told = subprocess.run(["pdfinfo", pdf], capture_output=True, timeout=60)
    assert (told.returncode, told.stderr) == (0, b""), told.stderr.decode()
    assert "AI解析結果 / AI result" in told.stdout.decode()
