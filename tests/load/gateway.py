"""The gateway under load: one process, its own data folder on the disk of the checkout, loopback profile."""

import json
import os
import subprocess
import urllib.request
from pathlib import Path

from net import free_port, wait_until_ready

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int, line: str) -> float:
    """A line of /proc/PID/status: VmRSS is what is resident now, VmHWM the most that ever was."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (found,) = [text for text in status.splitlines() if text.startswith(f"{line}:")]
    return int(found.split()[1]) / 1000


class Gateway:
    """Runs while the object is used as a context."""

    def __init__(self, binary: Path, folder: Path, settings: str = ""):
        self._binary, self._folder, self._settings = binary, folder, settings
        self._data = folder / "data"
        self._port = free_port()
        self.base = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> "Gateway":
        config = self._folder / "medvan.toml"
        # As delivered but for one line: no line of log for each call, as nginx writes none either.
        config.write_text(f'[log]\nfilter = "warn"\n[discovery]\npoll_seconds = 0\n{self._settings}', encoding="utf-8")
        command = [self._binary, "serve", "--config", config, "--listen", f"127.0.0.1:{self._port}"]
        with (self._folder / "gateway.log").open("wb") as log:
            self._process = subprocess.Popen([*command, "--data", self._data], stdout=log, stderr=log)
        wait_until_ready(f"{self.base}/readyz")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)

    def apply(self, objects: list[dict]) -> None:
        file = self._folder / "objects.json"
        file.write_text(json.dumps(objects, ensure_ascii=False), encoding="utf-8")
        command = [self._binary, "apply", file, "--server", self.base, "--data", self._data]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"medvan apply: {done.stdout}{done.stderr}")

    def issues(self, role: str, subject: str) -> str:
        """A new credential of a vendor or a hospital; its secret."""
        wanted = json.dumps({"role": role, "subject": subject, "label": "Load"}).encode()
        headers = {"Authorization": f"Bearer {self._credential()}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.base}/api/v1/credentials", wanted, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["secret"]

    def hook(self, hospital: str) -> str:
        return f"{self.base}/hospitals/{hospital}/cds-services/van-patient-view"

    def unanswered(self) -> int:
        """Calls to services that ended otherwise than with an answer, since the start."""
        url = f"{self.base}/api/v1/vendors/upstream/scorecard"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self._credential()}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            marks = json.load(answer)["marks"]
        return sum(mark["times"] for mark in marks if mark["kind"] == "asked" and mark["rule"] != "answered")

    def _credential(self) -> str:
        return (self._data / "operator.credential").read_text(encoding="ascii").strip()

    @property
    def pid(self) -> int:
        return self._process.pid

    def resident_mb(self) -> float:
        """Resident memory now."""
        return memory_mb(self._process.pid, "VmRSS")

    def cpu_seconds(self) -> float:
        """Processor time used so far, user and system."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii")
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
