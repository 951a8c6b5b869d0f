"""The gateway as a process of its own, and an EHR that calls it."""

import json
import os
import re
import string
import subprocess
import uuid
from pathlib import Path

import requests

import standard
from processes import Process, free_port

HERE = Path(__file__).parent
OBJECTS = HERE / "objects"


def binary() -> str:
    """The program under test; `tests/run` builds it and names it here."""
    return os.environ.get("MEDVAN_BIN", str(HERE.parent.parent / "target" / "debug" / "medvan"))


class Gateway:
    """`medvan serve` on a data folder of its own, loopback profile; `settings` is the text of its configuration file.

    `inside` are the words of a command that runs it (in a namespace of its own, say) and becomes it. One that comes back where others
    know it has a `port`.
    """

    def __init__(self, folder: Path, settings: str = "", inside: tuple[str, ...] = (), port: int | None = None):
        self.data = folder / "data"
        self._folder = folder
        config = folder / "medvan.toml"
        config.write_text(settings, encoding="utf-8")
        port = port or free_port()
        self.base = f"http://127.0.0.1:{port}"
        command = [binary(), "serve", "--config", config, "--listen", f"127.0.0.1:{port}", "--data", self.data]
        self._process = Process([*inside, *command], folder / "gateway.log")
        if inside:
            # What lies in its namespace is seen from outside by this way only.
            self.data = Path(f"/proc/{self._process.pid}/root{self.data}")
        self._process.wait_for_port(port)
        self._gets_ready()

    def apply(self, *names: str, **values: object) -> None:
        """`medvan apply` of files in objects/, with `${name}` in them replaced."""
        files = [self._filled(name, values) for name in names]
        command = [binary(), "apply", *files, "--server", self.base, "--data", self.data]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"medvan apply {names}: {done.stdout}\n{done.stderr}"

    def ehr(self, hospital: str, sign=None) -> "Ehr":
        return Ehr(f"{self.base}/hospitals/{hospital}/cds-services", sign)

    def api(self, path: str, credential: str | None = None) -> dict:
        """Reads from the management API, as the operator or with another credential."""
        return self._manages("GET", path, credential=credential)

    def posts(self, path: str, body: dict | None = None) -> dict:
        """Asks something of the management API, as the operator."""
        return self._manages("POST", path, body)

    def issues(self, role: str, subject: str) -> str:
        """A new credential of a vendor or a hospital; its secret."""
        wanted = {"role": role, "subject": subject, "label": "Interop tests"}
        return self._manages("POST", "/credentials", wanted)["secret"]

    def log(self) -> str:
        return self._process.output()

    def peak_memory(self) -> int:
        """The most bytes that it has had in memory since it began, or since `forgets_peak`."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024

    def forgets_peak(self) -> None:
        # proc(5): 5 sets the most to what there is now.
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5", encoding="ascii")

    def lives(self) -> bool:
        return self._process.lives() and requests.get(f"{self.base}/healthz", timeout=30).status_code == 200

    def dies(self) -> None:
        """As by kill -9; what it has on disk is all that is left of it."""
        self._process.dies()

    def stop(self) -> None:
        self._process.stop()

    def _gets_ready(self) -> None:
        """The port is open before the rest is up."""
        try:
            status = requests.get(f"{self.base}/readyz", timeout=30).status_code
        except requests.RequestException as error:
            ended = "" if self._process.lives() else ", it has ended"
            raise AssertionError(f"the gateway does not get ready: {error}{ended}; it wrote:\n{self.log()}") from error
        assert status == 200, self.log()

    def _manages(self, method: str, path: str, body: dict | None = None, credential: str | None = None) -> dict:
        credential = credential or (self.data / "operator.credential").read_text(encoding="utf-8").strip()
        headers = {"Authorization": f"Bearer {credential}"}
        answer = requests.request(method, f"{self.base}/api/v1{path}", json=body, headers=headers, timeout=10)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def _filled(self, name: str, values: dict[str, object]) -> Path:
        text = string.Template((OBJECTS / f"{name}.yaml").read_text(encoding="utf-8")).substitute(values)
        path = self._folder / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path


class Ehr:
    """A caller that does what the standard says; `sign` makes the token for an address."""

    def __init__(self, base: str, sign=None):
        self.base = base
        self._sign = sign

    def discovers(self) -> list[dict]:
        answer = requests.get(self.base, headers=self._headers(self.base), timeout=10)
        assert answer.status_code == 200, answer.text
        standard.check_discovery(answer.json())
        return answer.json()["services"]

    def fires(self, service: str, context: dict, hook: str = "patient-view", **more) -> "Answer":
        request = {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": context, **more}
        return self.posts(service, request)

    def posts(self, path: str, body: dict, headers: dict | None = None) -> "Answer":
        url = f"{self.base}/{path}"
        sent = {**self._headers(url), **(headers or {})}
        return Answer(requests.post(url, json=body, headers=sent, timeout=15))

    def _headers(self, url: str) -> dict:
        return {"Authorization": f"Bearer {self._sign(url)}"} if self._sign else {}


class Answer:
    """What came back. A 200 has been checked against the standard, a 4xx with a body against OperationOutcome."""

    def __init__(self, answer: requests.Response):
        self.status = answer.status_code
        self.headers = answer.headers
        self.body = answer.json() if answer.content else None
        if self.status == 200 and self.body is not None and "cards" in self.body:
            standard.check_response(self.body)
        if self.status in (400, 412):
            standard.check_outcome(self.body)

    @property
    def cards(self) -> list[dict]:
        assert self.status == 200, f"{self.status}: {json.dumps(self.body, ensure_ascii=False)}"
        return self.body["cards"]

    @property
    def complaint(self) -> str:
        """The texts of the refusal."""
        return " ".join(issue["diagnostics"] for issue in self.body["issue"])

    def card_of(self, label: str) -> dict:
        """The one card whose source names this service."""
        found = [card for card in self.cards if re.search(label, card["source"]["label"])]
        assert len(found) == 1, f"{len(found)} cards of {label}: {self.cards}"
        return found[0]
