"""What one ES384 signature and one verification cost on this machine: the bound of a call with a token in and out."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """Seconds of one core."""

    sign: float
    verify: float
    by: str

    @property
    def call(self) -> float:
        return self.sign + self.verify

    def allows(self, cores: int) -> float:
        """Calls a second if the cores did nothing else."""
        return cores / self.call


def measured(target: Path) -> Cost:
    """By the gateway's own bench (gateway/benches/tokens.rs) where it has been run, else by `openssl speed`."""
    return _by_criterion(target / "criterion") or _by_openssl()


def _by_criterion(folder: Path) -> Cost | None:
    found = [folder / name / "new" / "estimates.json" for name in ("sign ES384", "verify ES384")]
    if not all(file.exists() for file in found):
        return None
    sign, verify = (json.loads(file.read_text())["median"]["point_estimate"] / 1e9 for file in found)
    return Cost(sign, verify, "the gateway's library (Criterion)")


def _by_openssl() -> Cost:
    command = ["openssl", "speed", "-seconds", "1", "ecdsap384"]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    sign, verify = map(float, re.search(r"nistp384\).*?([\d.]+)\s+([\d.]+)\s*$", output, re.M).groups())
    return Cost(1 / sign, 1 / verify, "openssl speed ecdsap384")
