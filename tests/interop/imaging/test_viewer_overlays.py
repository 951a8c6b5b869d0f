"""What two AI services found in the same study, over its images in Chromium: points and lines in the patient on every plane that
shows them, a heat map, and where the two do not say the same."""

import time

import numpy as np
import pydicom
import pytest
from analyst import Analyst
from archive import Archive
from pydicom.uid import generate_uid
from studies import Series, file_of

STUDY = Series("viewer overlays", slices=24, patient_id="OVERLAYS-1")
NODULE = {"scheme": "SCT", "code": "27925004", "meaning": "Nodule"}
CARINA = {"scheme": "SCT", "code": "28700002", "meaning": "Carina"}
COURSE = {"scheme": "99EXAMPLE", "code": "COURSE", "meaning": "Course of an airway"}
ATTENTION = {"scheme": "99EXAMPLE", "code": "ATTENTION", "meaning": "Attention"}
# Millimetres in the patient: slices lie every 5 mm from 0.
IN_PLANE, BETWEEN, NOWHERE = [-72, 0, 60], [72, -20, 62], [0, 0, 500]
TRACKED = {"in plane": "2.25.501", "between": "2.25.502", "course": "2.25.503", "attention": "2.25.504"}


class Finder(Analyst):
    """Finds everything, in the patient and as numbers."""

    def findings(self, slices: list[pydicom.Dataset]) -> dict:
        frame = {"frameOfReference": slices[0].FrameOfReferenceUID}
        point = {"type": "patient-point", **frame}
        course = {"type": "patient-polyline", **frame, "points": [[-100, 30, 60], [-40, 30, 60], [60, -10, 80]]}
        found = [
            {"id": "in plane", "code": NODULE, "confidence": 0.9, "place": {**point, "at": IN_PLANE}},
            {"id": "between", "code": CARINA, "place": {**point, "at": BETWEEN}},
            {"id": "course", "code": COURSE, "place": course},
            {"id": "attention", "code": ATTENTION, "place": {"type": "heat-map", "heatMap": "attention"}},
            {"id": "nowhere", "code": CARINA, "place": {**point, "at": NOWHERE}},
        ]
        for finding in found:
            if finding["id"] in TRACKED:
                finding["trackingUid"] = TRACKED[finding["id"]]
        frames = [{"image": {"instance": ds.SOPInstanceUID}, "runs": runs_of(attention(ds))} for ds in slices[10:15]]
        heat_map = {"id": "attention", "code": ATTENTION, "range": [0, 1], "unit": "1", "frames": frames}
        return {"format": "1", "findings": found, "heatMaps": [heat_map]}


class Doubter(Analyst):
    """Says that there is nothing."""

    def findings(self, slices: list[pydicom.Dataset]) -> dict:
        return {"format": "1", "findings": [{"id": "none", "code": NODULE, "presence": "absent"}]}


def attention(ds: pydicom.Dataset) -> np.ndarray:
    """Numbers from 0 to 255 around the nodule, less of them the farther the slice is."""
    row, column = np.mgrid[0 : ds.Rows, 0 : ds.Columns] * float(ds.PixelSpacing[0]) - 180
    x, y, z = IN_PLANE
    away = (column - x) ** 2 + (row - y) ** 2 + (float(ds.ImagePositionPatient[2]) - z) ** 2
    return np.round(255 * np.exp(-away / 800)).astype(int)


def runs_of(numbers: np.ndarray) -> list[int]:
    """By turns a number and for how many pixels it holds."""
    flat = numbers.ravel()
    begins = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1])
    lengths = np.diff(np.concatenate([begins, [flat.size]]))
    return np.stack([flat[begins], lengths], axis=1).ravel().tolist()


def coronal() -> pydicom.Dataset:
    """The middle of the same patient seen from the front: a plane across all slices, cut from them."""
    rows = [np.frombuffer(STUDY.dataset(number).PixelData, "<i2").reshape(256, 256)[128] for number in range(1, 25)]
    ds = STUDY.dataset(1)
    ds.SeriesInstanceUID, ds.SOPInstanceUID = (generate_uid(entropy_srcs=["coronal", word]) for word in ("series", "image"))
    ds.SeriesNumber, ds.SeriesDescription, ds.ImageType = 3, "冠状断", ["DERIVED", "SECONDARY", "MPR"]
    # Each slice becomes four rows; the uppermost row's centre lies below the upper face of the highest slice by half of itself.
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [-180, 0, 117.5 - 0.625], [1, 0, 0, 0, 0, -1]
    ds.PixelSpacing, ds.SliceThickness, ds.Rows = [1.25, 360 / 256], 3, 96
    del ds.SliceLocation
    ds.PixelData = np.repeat(np.stack(rows)[::-1], 4, axis=0).tobytes()
    return ds


@pytest.fixture(scope="module")
def analysts():
    analysts = Finder(), Doubter()
    yield analysts
    for analyst in analysts:
        analyst.stop()


@pytest.fixture(scope="module")
def study(gateway, analysts):
    """The address of the study in the viewer, when both have answered."""
    first, second = (analyst.base for analyst in analysts)
    hospital = "overlays"
    gateway.apply("two-analysts", hospital=hospital, ae_title="OVERLAYS", first=first, second=second)
    Archive(gateway.base, hospital, "OVERLAYS").keeps(*STUDY.files(), file_of(coronal()))
    end = time.monotonic() + 60
    while time.monotonic() < end:
        jobs = gateway.api(f"/hospitals/{hospital}/jobs")["items"]
        if len(jobs) == 2 and all(job["state"] == "done" for job in jobs):
            return f"{gateway.base}/viewer?hospital={hospital}&study={STUDY.study_uid}"
        time.sleep(0.2)
    raise AssertionError(gateway.api(f"/hospitals/{hospital}/studies/{STUDY.study_uid}/matching"))


def test_a_point_in_a_plane_is_drawn_there_and_disagreement_is_shown(study, browser):
    url = f"{study}&finding={TRACKED['in plane']}"
    seen = browser("overlay-in-plane", url, picture=".picture img", count=".mark.chosen > .in-plane circle")
    assert seen["count"] == 1
    assert "画像 13 / 24" in seen["text"], "the slice at 60 mm"
    assert "サービス間で結果が異なります" in seen["text"]
    assert "ハギ結節: あり" in seen["text"] and "キキョウ結節: なし" in seen["text"]
    assert "患者座標の位置: 2 画像に表示" in seen["text"], "in its slice and in the coronal plane"
    assert "どの画像の断面にもありません" in seen["text"]
    assert not seen["errors"]


def test_a_point_off_the_plane_is_dashed_and_says_how_far(study, browser):
    url = f"{study}&finding={TRACKED['between']}"
    seen = browser("overlay-between", url, picture=".picture img", count=".mark.chosen > .off-plane circle")
    assert seen["count"] == 1
    assert "画像 13 / 24" in seen["text"] and "2 (断面から最大 2 mm)" in seen["labels"]
    assert not seen["errors"]


def test_a_line_is_drawn_in_the_slices_that_it_runs_through(study, browser):
    url = f"{study}&finding={TRACKED['course']}"
    seen = browser("overlay-course", url, picture=".picture img", count=".mark.chosen > g polyline")
    assert seen["count"] == 1
    assert not seen["errors"]


def test_places_are_drawn_on_another_plane_of_the_patient_too(study, browser):
    seen = browser("overlay-coronal", study, click="冠状断", picture=".picture img", count=".mark > .in-plane circle")
    # Of the points only that in its plane; the line goes through it.
    assert seen["count"] == 1 and seen["labels"] == ["1", "3 (断面から最大 1.5 mm)"]
    assert not seen["errors"]


def test_a_heat_map_lies_over_the_image_and_its_legend_says_what_it_is(study, browser):
    url = f"{study}&finding={TRACKED['attention']}"
    heat = {"picture": "canvas.heat:not([hidden])", "coloured": 500}
    seen = browser("overlay-heat", url, **heat)
    assert seen["picture"]["coloured"] >= 500
    assert "Attention" in seen["text"] and "濃さ" in seen["text"]
    assert not seen["errors"]
    assert "Opacity" in browser("overlay-heat-english", f"{url}&lang=en", **heat)["text"]


def test_no_heat_map_covers_an_image_before_a_reader_asks_for_it(study, browser):
    seen = browser("overlay-none", study, picture=".picture img", count="canvas.heat[hidden]")
    assert seen["count"] == 1
