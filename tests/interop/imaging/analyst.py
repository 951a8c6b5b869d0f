"""An AI service written in Python as its vendor would: it reads `image-json` requests with Python's own mail parser and pydicom,
finds bone by a threshold, and answers findings."""

import io
import json

import numpy as np
import pydicom
from served import Handler, Served, parts

BONE = 400
CODE = {"scheme": "SCT", "code": "272673000", "meaning": "Bone"}
VOLUME = {"scheme": "SCT", "code": "118565006", "meaning": "Volume"}


class Analyst:
    """Answers from the making of the object to `stop`."""

    def __init__(self):
        self.asked: list[dict] = []
        self.tokens: list[str] = []
        self._served = Served(_handler(self))
        self.base = self._served.base

    def stop(self) -> None:
        self._served.stop()

    def answers(self, content_type: str, body: bytes) -> dict:
        described, *images = parts(content_type, body)
        asked = json.loads(described)
        self.asked.append(asked)
        slices = [pydicom.dcmread(io.BytesIO(image)) for image in images]
        assert [ds.SOPInstanceUID for ds in slices] == [image["instance"] for image in asked["images"]]
        return self.findings(slices)

    def findings(self, slices: list[pydicom.Dataset]) -> dict:
        frames, pixels = [], 0
        for ds in slices:
            mask = bone(ds)
            if mask.any():
                frames.append({"image": {"instance": ds.SOPInstanceUID}, "runs": runs_of(mask)})
                pixels += int(mask.sum())
        volume = pixels * float(np.prod([float(side) for side in slices[0].PixelSpacing])) * float(slices[0].SliceThickness)
        found = {
            "id": "bone",
            "code": CODE,
            "confidence": 0.9,
            "measurements": [{"code": VOLUME, "value": volume, "unit": "mm3"}],
            "place": {"type": "mask", "frames": frames},
        }
        summary = {"ja": f"骨 {volume:.0f} mm3", "en": f"{volume:.0f} mm3 of bone"}
        return {"format": "1", "summary": summary, "findings": [found]}


def bone(ds: pydicom.Dataset) -> np.ndarray:
    return ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept) > BONE


def runs_of(mask: np.ndarray) -> list[int]:
    """Lengths by turns outside and inside, beginning outside."""
    changes = np.flatnonzero(np.diff(np.concatenate([[False], mask.ravel()])))
    return np.diff(np.concatenate([[0], changes, [mask.size]])).tolist()


def _handler(analyst: Analyst) -> type:
    class OfAnalyst(Handler):
        def do_POST(self):
            analyst.tokens.append(self.headers.get("Authorization", ""))
            answer = analyst.answers(self.headers["Content-Type"], self.body())
            self.gives(200, "application/json", json.dumps(answer).encode())

    return OfAnalyst
