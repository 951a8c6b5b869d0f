"""The load generators: wrk for what a contender can carry, h2load at a constant rate for how long it takes then."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CONNECTIONS = 64
# h2load opens one connection every so many milliseconds, so that calls are spread and do not come in bursts.
SPACING_MS = 10


@dataclass(frozen=True)
class Throughput:
    """Calls a second with all connections always busy."""

    per_second: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Latency:
    """Milliseconds of a call at a constant rate."""

    p50_ms: float
    p99_ms: float

    def minus(self, other: "Latency") -> "Latency":
        return Latency(self.p50_ms - other.p50_ms, self.p99_ms - other.p99_ms)


def saturate(url: str, body: Path, seconds: float, tokens: Path | None = None) -> Throughput:
    """64 keep-alive connections, each sending its next call when the last is answered."""
    threads = "2"
    script = [str(HERE / "request.lua"), url, "--", str(body), *([str(tokens), threads] if tokens else [])]
    command = ["wrk", "-t", threads, "-c", str(CONNECTIONS), "-d", f"{seconds:.0f}s", "--latency", "-s", *script]
    output = _run(command)
    if refused := re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", output):
        raise SystemExit(f"{url}: not every call was answered: {refused.group(0)}")
    return Throughput(
        float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1)),
        _milliseconds(re.search(r"^ +50% +(\S+)", output, re.M).group(1)),
        _milliseconds(re.search(r"^ +99% +(\S+)", output, re.M).group(1)),
    )


def constant_rate(url: str, body: Path, per_second: float, seconds: float, folder: Path, connections: int) -> Latency:
    """So many calls a second, whatever the answers take; the time of opening the connections does not count."""
    log = folder / "h2load.log"
    log.unlink(missing_ok=True)
    opening = connections * SPACING_MS / 1000
    count = max(int(per_second * (seconds + opening)), connections)
    pace = ["-r", "1", "--rate-period", f"{SPACING_MS}ms", "--rps", f"{per_second / connections:.3f}"]
    data = ["-d", str(body), "-H", "content-type: application/json"]
    command = ["h2load", "--h1", "-c", str(connections), "-n", str(count), *pace, *data, f"--log-file={log}", url]
    _run(command)
    rows = [line.split("\t") for line in log.read_text(encoding="ascii").splitlines()]
    wrong = [row for row in rows if row[1] != "200"]
    if wrong or not rows:
        raise SystemExit(f"{url}: {len(wrong)} of {len(rows)} calls were not answered with 200")
    first = min(int(row[0]) for row in rows)
    steady = sorted(int(row[2]) / 1000 for row in rows if int(row[0]) - first > opening * 1e6)
    return Latency(percentile(steady, 0.50), percentile(steady, 0.99))


def percentile(sorted_values: list[float], share: float) -> float:
    """The value below which this share lies."""
    return sorted_values[min(int(len(sorted_values) * share), len(sorted_values) - 1)]


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout
