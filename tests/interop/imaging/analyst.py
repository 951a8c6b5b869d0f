"""An AI service written in Python as its vendor would: it reads `image-json` requests with Python's own mail parser and pydicom,
finds bone by a threshold, and answers findings."""

import io
import json
import threading
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pydicom

BONE = 400
CODE = {"scheme": "SCT", "code": "272673000", "meaning": "Bone"}
VOLUME = {"scheme": "SCT", "code": "118565006", "meaning": "Volume"}


class Analyst:
    """Answers from the making of the object to `stop`."""

    def __init__(self):
        self.asked: list[dict] = []
        self.tokens: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answers(self, content_type: str, body: bytes) -> dict:
        message = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
        described, *images = (part.get_payload(decode=True) for part in message.get_payload())
        asked = json.loads(described)
        self.asked.append(asked)
        slices = [pydicom.dcmread(io.BytesIO(image)) for image in images]
        assert [ds.SOPInstanceUID for ds in slices] == [image["instance"] for image in asked["images"]]
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
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            analyst.tokens.append(self.headers.get("Authorization", ""))
            answer = json.dumps(analyst.answers(self.headers["Content-Type"], self._body())).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _body(self) -> bytes:
            """Of one length, or in chunks: a gateway that streams does not know the length."""
            if length := self.headers.get("Content-Length"):
                return self.rfile.read(int(length))
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, *_):
            pass

    return Handler
