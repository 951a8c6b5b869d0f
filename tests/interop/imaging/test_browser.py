"""A person looks: OHIF and the gateway's own viewer in headless Chromium. The screenshots stay in test-logs/screens."""

import corpus
import pytest
from studies import Series

CANVAS = "canvas.cornerstone-canvas"
CT = Series("browser", slices=24, patient_id="BROWSER-1")
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
