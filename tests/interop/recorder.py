"""A CDS service that keeps every call that it receives, byte for byte, and answers with one card.

It also publishes key sets for the tests' EHRs: `publish("/rs384/jwks.json", keys)`.
"""

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CARD = {"uuid": "recorded-1", "summary": "Recorded", "indicator": "info", "source": {"label": "Recorder"}}


@dataclass(frozen=True)
class Call:
    path: str
    headers: dict
    body: bytes

    @property
    def token(self) -> str:
        return self.headers["authorization"].removeprefix("Bearer ")

    @property
    def json(self) -> dict:
        return json.loads(self.body)


class Recorder:
    """Starts with the object, stops with `stop`."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._documents: dict[str, dict] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        self.publish("/cds-services", {"services": [ECHO]})
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def publish(self, path: str, document: dict) -> None:
        self._documents[path] = document

    def wait_for(self, path: str, seconds: float = 10) -> Call:
        """The latest call at the path; waits for the first one."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := [call for call in self.calls if call.path == path]:
                return found[-1]
            time.sleep(0.05)
        raise AssertionError(f"nothing came to {path}")

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                document = recorder._documents.get(self.path)
                self._answer(404 if document is None else 200, document or {"error": "not found"})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                recorder.calls.append(Call(self.path, headers, body))
                self._answer(200, {} if self.path.endswith("/feedback") else {"cards": [CARD]})

            def _answer(self, status: int, document: dict) -> None:
                body = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Silent: pytest shows what matters."""

        return Handler


ECHO = {
    "id": "echo",
    "hook": "patient-view",
    "title": "Recorder",
    "description": "Keeps the calls that it receives.",
}
