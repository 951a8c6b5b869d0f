"""Measures the gateway beside nginx on this machine and prints one table. See README.md in this folder.

Usage: run.py [--quick]     (the program under test: MEDVAN_BIN, default target/release/medvan)
`--quick` runs every step for a moment, to prove that the script works; its numbers mean nothing.
"""

import argparse
import json
import os
import platform
import tempfile
import urllib.request
from pathlib import Path

import disk
import objects
import payload
import signatures
from gateway import Gateway
from generators import CONNECTIONS, Latency, constant_rate, saturate
from memory import allow_files, in_flight
from table import Table
from tokens import Signer
from upstream import Nginx

ROOT = Path(__file__).resolve().parent.parent.parent
CORES = os.cpu_count() or 1
IN_FLIGHT = 1000
# Signing them takes time: no more calls a second than this are expected with tokens.
MOST_TOKENS = 10_000
FAN_OUT_PER_SECOND, FAN_OUT_CONNECTIONS = 100, 20


class Run:
    """One measurement: the processes are up, the objects applied."""

    def __init__(self, folder: Path, nginx: Nginx, gateway: Gateway, signer: Signer, seconds: float):
        self.folder, self.nginx, self.gateway, self.signer = folder, nginx, gateway, signer
        self.seconds, self.warming = seconds, max(1, seconds / 5)
        self.body = folder / "request.json"
        self.body.write_bytes(payload.request())
        self.table = Table()

    def all(self) -> None:
        self.every_contender_answers()
        self.table.number("resident MB, before the load", self.gateway.resident_mb(), "")
        plain = self.saturated("nginx, plain reverse proxy", f"{self.nginx.proxy_base}/fast/cds-services/load-one-0")
        before = self.gateway.cpu_seconds()
        off = self.saturated("medvan, trust off", self.gateway.hook("load-one"))
        calls = off * (self.seconds + self.warming)
        self.table.number("  processor time of a call", (self.gateway.cpu_seconds() - before) / calls * 1e6, "µs")
        self.table.aim("  trust off, share of nginx", off / plain, "≥ 0.50", off / plain >= 0.5)
        self.with_tokens(off)
        self.saturated("medvan, fan-out to 5 services", self.gateway.hook("load-five"))
        self.added_latency(off / 2)
        self.fan_out()
        self.memory()
        unanswered = self.gateway.unanswered()
        self.table.aim("calls that a service did not answer in time", unanswered, "0", unanswered == 0)

    def every_contender_answers(self) -> None:
        for hospital, cards in [("load-one", 1), ("load-five", 5), ("load-delays", 5)]:
            found = len(self.cards(self.gateway.hook(hospital)))
            if found != cards:
                raise SystemExit(f"{hospital}: {found} cards instead of {cards}")

    def cards(self, url: str) -> list:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(url, self.body.read_bytes(), headers)
        with urllib.request.urlopen(request, timeout=15) as answer:
            return json.load(answer)["cards"]

    def saturated(self, name: str, url: str) -> float:
        saturate(url, self.body, self.warming)
        found = saturate(url, self.body, self.seconds)
        self.table.throughput(name, found)
        return found.per_second

    def with_tokens(self, off_per_second: float) -> None:
        """A token checked and a token signed for each call; every token is used once, so each run gets its own."""
        url = self.gateway.hook("load-jwt")
        first = self.tokens(url, min(off_per_second, MOST_TOKENS) * self.warming)
        expected = saturate(url, self.body, self.warming, first)
        tokens = self.tokens(url, expected.per_second * self.seconds)
        before = self.gateway.cpu_seconds()
        found = saturate(url, self.body, self.seconds, tokens)
        used = self.gateway.cpu_seconds() - before
        self.table.throughput("medvan, token in and out (ES384)", found)
        cost = signatures.measured(ROOT / "target")
        allowed = cost.allows(CORES)
        self.table.number(f"  signatures alone would allow ({cost.by})", allowed, "calls/s")
        share = found.per_second / allowed
        self.table.aim("  share of that", share, "≥ 0.70", share >= 0.7)
        spent = found.per_second * self.seconds * cost.call / used if used else 0.0
        self.table.number("  signatures' share of the gateway's processor time", spent, "")

    def tokens(self, url: str, count: float) -> Path:
        """A third more than expected, so that none is needed twice."""
        file = self.folder / "tokens.txt"
        self.signer.write(file, url, int(count * 1.3) + 4 * CONNECTIONS)
        return file

    def added_latency(self, per_second: float) -> None:
        direct = self.paced(f"{self.nginx.base}/fast/cds-services/load-one-0", per_second, CONNECTIONS)
        proxied = self.paced(f"{self.nginx.proxy_base}/fast/cds-services/load-one-0", per_second, CONNECTIONS)
        through = self.paced(self.gateway.hook("load-one"), per_second, CONNECTIONS)
        self.table.latency(f"one service, direct, {per_second:.0f} calls/s", direct)
        self.table.latency("  added by nginx", proxied.minus(direct))
        added = through.minus(direct)
        self.table.latency("  added by medvan", added, "p99 ≤ 2 ms", added.p99_ms <= 2)
        self.table.latency("  of that, one flush to this disk (idle)", disk.flush(self.folder))

    def fan_out(self) -> None:
        slowest = f"{self.nginx.base}/delay-20/cds-services/load-delays-4"
        direct = self.paced(slowest, FAN_OUT_PER_SECOND, FAN_OUT_CONNECTIONS)
        through = self.paced(self.gateway.hook("load-delays"), FAN_OUT_PER_SECOND, FAN_OUT_CONNECTIONS)
        self.table.latency("slowest of 5 services (20 ms), direct", direct)
        added = through.minus(direct)
        self.table.latency("  added by fan-out to all 5", added, "≤ 2 ms", added.p50_ms <= 2)

    def paced(self, url: str, per_second: float, connections: int) -> Latency:
        return constant_rate(url, self.body, per_second, self.seconds, self.folder, connections)

    def memory(self) -> None:
        largest = in_flight(self.gateway, self.gateway.hook("load-hung"), self.body.read_bytes(), IN_FLIGHT)
        self.table.aim(f"resident MB, {IN_FLIGHT} calls in flight", largest, "< 100", largest < 100)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    quick = options.parse_args().quick
    binary = Path(os.environ.get("MEDVAN_BIN", ROOT / "target" / "release" / "medvan"))
    allow_files(4 * IN_FLIGHT)
    (ROOT / "target").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "target", prefix="load-") as name:
        folder, signer = Path(name), Signer()
        with Nginx(folder) as nginx, Gateway(binary, folder) as gateway:
            gateway.apply(objects.all_objects(nginx.base, signer.jwks()))
            run = Run(folder, nginx, gateway, signer, seconds=1 if quick else 10)
            run.all()
    size = len(payload.request())
    print(run.table.text(f"{CORES} cores, {platform.machine()}, {size} bytes, {CONNECTIONS} connections"))
    if quick:
        print("quick run: the numbers mean nothing")


if __name__ == "__main__":
    main()
