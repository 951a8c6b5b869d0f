"""The gateway under load: one process, its own data folder on the disk of the checkout, loopback profile."""

import json
import os
import subprocess
from pathlib import Path

from net import free_port, wait_for_port

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Gateway:
    """Runs while the object is used as a context."""

    def __init__(self, binary: Path, folder: Path):
        self._binary, self._folder = binary, folder
        self._data = folder / "data"
        self._port = free_port()
        self.base = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> "Gateway":
        config = self._folder / "medvan.toml"
        # As delivered but for one line: no line of log for each call, as nginx writes none either.
        config.write_text('[log]\nfilter = "warn"\n[discovery]\npoll_seconds = 0\n', encoding="utf-8")
        command = [self._binary, "serve", "--config", config, "--listen", f"127.0.0.1:{self._port}"]
        with (self._folder / "gateway.log").open("wb") as log:
            self._process = subprocess.Popen([*command, "--data", self._data], stdout=log, stderr=log)
        wait_for_port(self._port)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)

    def apply(self, objects: list[dict]) -> None:
        files = []
        for number, object in enumerate(objects):
            file = self._folder / f"{number:03}-{object['kind']}.json"
            file.write_text(json.dumps(object, ensure_ascii=False), encoding="utf-8")
            files.append(file)
        command = [self._binary, "apply", *files, "--server", self.base, "--data", self._data]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"medvan apply: {done.stdout}{done.stderr}")

    def hook(self, hospital: str) -> str:
        return f"{self.base}/hospitals/{hospital}/cds-services/van-patient-view"

    def resident_mb(self) -> float:
        """Resident memory now."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1000

    def cpu_seconds(self) -> float:
        """Processor time used so far, user and system."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii")
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
