"""A person looks: OHIF and the gateway's own viewer in headless Chromium. The screenshots stay in test-logs/screens."""

import time

import corpus
import pydicom
import pytest
from analyst import Analyst, bone, runs_of
from archive import Archive
from studies import Series

CANVAS = "canvas.cornerstone-canvas"
CT = Series("browser", slices=24, patient_id="BROWSER-1")
FOUND = Series("found", slices=24, patient_id="BROWSER-2")
NODULE = {"scheme": "SCT", "code": "27925004", "meaning": "Nodule"}
LUNG = {"scheme": "SCT", "code": "39607008", "meaning": "Lung"}
ULTRASOUND, JPEG_2000 = "examples_ybr_color.dcm", "examples_jpeg2k.dcm"


@pytest.fixture(scope="module")
def archive(hospital):
    archive = hospital("screens")
    archive.keeps(*CT.files(), corpus.named(ULTRASOUND).bytes, corpus.named(JPEG_2000).bytes)
    return archive


class TestOhif:
    def test_the_study_list_shows_the_japanese_name(self, archive, ohif, browser):
        seen = browser("ohif-list", f"{ohif}/?datasources={archive.hospital}", text="試験 花子")
        assert "試験 花子" in seen["text"] and not seen["errors"]
        assert _failed(seen) == []

    def test_a_ct_of_24_slices_is_shown(self, archive, ohif, browser):
        seen = browser("ohif-ct", self.study(archive, ohif, CT.study_uid), picture=CANVAS, text="/24)")
        assert seen["picture"]["shades"] >= 16 and "/24)" in seen["text"]
        assert "縦隔条件" in seen["text"], "the series description in kanji"
        assert _failed(seen) == [] and not seen["errors"]

    def test_a_ct_can_be_cut_in_other_planes(self, archive, ohif, browser):
        url = self.study(archive, ohif, CT.study_uid) + "&hangingProtocolId=mpr"
        seen = browser("ohif-mpr", url, picture=CANVAS)
        assert seen["picture"]["shades"] >= 16

    def test_a_colour_ultrasound_is_shown(self, archive, ohif, browser):
        study = corpus.named(ULTRASOUND).study
        seen = browser("ohif-ultrasound", self.study(archive, ohif, study), picture=CANVAS, text="/30)")
        assert seen["picture"]["shades"] >= 16 and seen["picture"]["coloured"] > 100
        assert _failed(seen) == []

    def test_a_jpeg_2000_image_is_shown(self, archive, ohif, browser):
        study = corpus.named(JPEG_2000).study
        seen = browser("ohif-jpeg-2000", self.study(archive, ohif, study), picture=CANVAS)
        assert seen["picture"]["shades"] >= 16 and seen["picture"]["coloured"] > 100
        assert _failed(seen) == []

    def study(self, archive, ohif: str, uid: str) -> str:
        return f"{ohif}/viewer/{archive.hospital}?StudyInstanceUIDs={uid}"


class Finder(Analyst):
    """Finds something in every way that OHIF's display of reports has to deal with: where there are no coordinates too."""

    def findings(self, slices: list[pydicom.Dataset]) -> dict:
        image = {"image": {"instance": slices[12].SOPInstanceUID}}
        runs = [{**image, "runs": runs_of(bone(slices[12]))}]
        places = {
            "nowhere": None,
            "mask": {"type": "mask", "frames": runs},
            "image": {"type": "image", **image},
            "in the patient": {"type": "patient-point", "frameOfReference": slices[0].FrameOfReferenceUID, "at": [-72, 0, 60]},
            "box": {"type": "box", **image, "from": [60, 80], "to": [110, 130]},
            "point": {"type": "point", **image, "at": [150, 90]},
            "line": {"type": "polyline", **image, "points": [[30, 60], [70, 75], [110, 50]]},
        }
        common = {"code": NODULE, "site": LUNG, "confidence": 0.9}
        found = [{"id": key, **common, **({"place": place} if place else {})} for key, place in places.items()]
        return {"format": "1", "findings": found}


@pytest.fixture(scope="module")
def found(gateway):
    """The archive of a hospital where the service has answered."""
    analyst, archive = Finder(), Archive(gateway.base, "found", "FOUND")
    gateway.apply("one-analyst", hospital=archive.hospital, ae_title=archive.ae_title, analyst=analyst.base)
    archive.keeps(*FOUND.files())
    end = time.monotonic() + 60
    while not any(job["state"] == "done" for job in gateway.api(f"/hospitals/{archive.hospital}/jobs")["items"]):
        assert time.monotonic() < end, gateway.api(f"/hospitals/{archive.hospital}/studies/{FOUND.study_uid}/matching")
        time.sleep(0.2)
    yield archive
    analyst.stop()


class TestFindingsInOhif:
    """README.md, "What OHIF shows of a report", says what is not drawn and why."""

    def test_the_report_is_drawn_over_the_image_that_it_names(self, found, ohif, browser):
        # It sometimes draws only when it shows the image again: one image on and back.
        wish = {"doubleClick": "SR", "keys": ["ArrowDown", "ArrowUp"], "text": "I:13 (12/24)"}
        seen = browser("ohif-report", self.study(found, ohif), picture=CANVAS, count="svg.svg-layer polyline", **wish)
        assert "I:13 (12/24)" in seen["text"], "opened at the image of the first group that has coordinates"
        assert seen["count"] == 2, "the box and the line"
        assert seen["text"].count("Certainty of Finding: 90.00 %") == 3, "and the point"
        assert "363698007: Lung" in seen["text"]
        assert _failed(seen) == [] and not seen["errors"]

    def test_the_segmentation_of_the_same_answer_is_drawn(self, found, ohif, browser):
        seen = browser("ohif-segmentation", self.study(found, ohif), picture=CANVAS, doubleClick="SEG", coloured=100)
        assert seen["picture"]["coloured"] > 100
        assert not seen["errors"]

    def study(self, archive, ohif: str) -> str:
        return f"{ohif}/viewer/{archive.hospital}?StudyInstanceUIDs={FOUND.study_uid}"


class TestOwnViewer:
    """`/viewer` needs no other install."""

    def test_the_study_list_shows_the_japanese_name(self, archive, gateway, browser):
        seen = browser("viewer-list", f"{gateway.base}/viewer?hospital={archive.hospital}", text="花子")
        assert "試験" in seen["text"] and "花子" in seen["text"]
        assert not seen["errors"] and _failed(seen) == []

    @pytest.mark.parametrize(
        ("name", "uid", "coloured"),
        [
            ("ct", CT.study_uid, False),
            ("ultrasound", corpus.named(ULTRASOUND).study, True),
            ("jpeg-2000", corpus.named(JPEG_2000).study, True),
        ],
    )
    def test_a_study_is_shown(self, name, uid, coloured, archive, gateway, browser):
        url = f"{gateway.base}/viewer?hospital={archive.hospital}&study={uid}"
        seen = browser(f"viewer-{name}", url, picture="img")
        assert seen["picture"]["shades"] >= 16
        assert not coloured or seen["picture"]["coloured"] > 100
        assert not seen["errors"] and _failed(seen) == []


def _failed(seen: dict) -> list[str]:
    return [line for line in seen["failed"] if "favicon" not in line]
