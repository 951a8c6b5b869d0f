"""Measures the way from a study to evidence and prints one table. See README.md in this folder.

Usage: analysis.py [--quick]     (the program under test: MEDVAN_BIN, default target/release/medvan)
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from analysts import ANSWERS_AFTER, Analysts
from archives import Archive
from gateway import Gateway, memory_mb
from images import Maker
from senders import stow, stow_at_once
from table import Comparison

ROOT = Path(__file__).resolve().parent.parent.parent
CORES = os.cpu_count() or 1
SERVICES = 3
# What a service bears, and what one process gives one service at once.
AT_ONCE = 8
QUIET = 1.0
REPORT = "1.2.840.10008.5.1.4.1.1.88.34"
PATIENCE = 900


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    single: int
    burst: int
    slices: int
    side: int


WHOLE = Extent(single=100, burst=1000, slices=4, side=32)
QUICK = Extent(single=2, burst=5, slices=2, side=16)


class Run:
    def __init__(self, gateway: Gateway, analysts: Analysts, extent: Extent):
        self.gateway, self.analysts, self.extent = gateway, analysts, extent
        root = f"{gateway.base}/hospitals/load/dicom-web"
        self.archive = Archive("medvan", root, 0, "LOAD", gateway.pid)
        self.maker, self.table = Maker(), Comparison()

    def all(self) -> None:
        self.one_by_one()
        self.burst()

    def one_by_one(self) -> None:
        """One study after the other: what the gateway adds before a service is asked, and after it has answered."""
        before, after = [], []
        for _ in range(self.extent.single):
            series = self.maker.series(self.extent.slices, self.extent.side)
            stow(self.archive, series.body())
            stored = time.monotonic()
            asked, answered = self.analysts.waits_for(series.study_uid, SERVICES)
            # All but the time in which it is waited whether more comes: that is the hospital's choice.
            before.append((asked - stored - QUIET) * 1000)
            query = f"studies/{series.study_uid}/instances?SOPClassUID={REPORT}"
            while len(self.finds(query)) < SERVICES:
                time.sleep(0.005)
            after.append((time.monotonic() - answered) * 1000)
        for name, found in (
            ("last instance stored to first byte at a service, without the quiet time", before),
            ("last of three answers to all three reports found by QIDO", after),
        ):
            cuts = quantiles(found, n=100, method="inclusive")
            self.table.value(f"{name}, p50", "ms", cuts[49])
            self.table.value(f"{name}, p99", "ms", cuts[98])

    def burst(self) -> None:
        """All studies at once, by eight senders; a tenth of the first tries fail."""
        count = self.extent.burst
        bodies = [self.maker.series(self.extent.slices, self.extent.side).body() for _ in range(count)]
        earlier = self.extent.single * SERVICES
        before = memory_mb(self.gateway.pid, "VmRSS")
        most, end = [before], threading.Event()
        watching = threading.Thread(target=self.watch, args=(most, end))
        watching.start()
        self.analysts.fails(one_of=10)
        start = time.monotonic()
        stow_at_once(self.archive, [bodies[sender::8] for sender in range(8)])
        stored = time.monotonic()
        done = self.settled(earlier + count * SERVICES)
        end.set()
        watching.join()
        # Each service alone, with as many at once as it gets, would take this long for its tries.
        alone = count * ANSWERS_AFTER * 1.1 / AT_ONCE
        self.table.value(f"{count} studies to {SERVICES} services stored after", "s", stored - start)
        self.table.value(f"all {count * SERVICES} jobs done after", "s", done - start)
        self.table.value("of the services' own time, with that many at once", "×", (done - start) / alone)
        good = self.analysts.good - earlier
        self.table.value("good answers for each job", "", good / (count * SERVICES), "1", good == count * SERVICES)
        self.table.value("resident memory before", "MB", before)
        self.table.value("resident memory, the most", "MB", max(most))

    def watch(self, most: list[float], end: threading.Event) -> None:
        while not end.wait(0.2):
            most.append(memory_mb(self.gateway.pid, "VmRSS"))

    def settled(self, count: int) -> float:
        """When so many jobs are done; nothing else may become of any."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            settled = self.counts()
            if lost := {state: number for state, number in settled.items() if state != "done"}:
                raise SystemExit(f"not all jobs were done: {lost}")
            if settled.get("done", 0) == count:
                return time.monotonic()
            time.sleep(0.2)
        raise SystemExit(f"after {PATIENCE} s: {self.counts()} of {count} jobs")

    def counts(self) -> dict[str, int]:
        """How many jobs came to which end, by the gateway's own metric; tries that are repeated are no end."""
        with urllib.request.urlopen(f"{self.gateway.base}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        counts: dict[str, int] = {}
        for line in lines:
            if line.startswith("medvan_jobs_settled_total{"):
                state = line.split('state="')[1].split('"')[0]
                if state not in ("waiting", "answered"):
                    counts[state] = counts.get(state, 0) + int(float(line.rsplit(" ", 1)[1]))
        return counts

    def finds(self, query: str) -> list:
        request = urllib.request.Request(f"{self.archive.dicom_web}/{query}", headers={"Accept": "application/dicom+json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"[]")


def hospital() -> list[dict]:
    imaging = {"aeTitle": "LOAD", "completeness": {"quietSeconds": int(QUIET)}}
    return [
        {"kind": "Hospital", "id": "load", "name": {"ja": "負荷", "en": "Load"}, "imaging": imaging},
        {"kind": "Client", "hospital": "load", "id": "pacs", "authentication": "loopback"},
    ]


def service(number: int, base: str) -> list[dict]:
    name, words = f"boxes-{number}", {"ja": "箱", "en": "Boxes"}
    entry = {
        "id": name,
        "description": "Boxes",
        "why": words,
        "way": {"kind": "image-json", "path": f"/{name}", "send": "dicom"},
        "needs": {"series": [{"name": "any", "rules": {"modality": ["CT"]}}]},
        "limits": {"attempts": 8, "concurrency": AT_ONCE},
    }
    descriptor = {
        "descriptor": "1", "vendor": "boxes", "id": name, "version": "1.0.0",
        "name": words, "description": words, "maker": words, "productCategory": words, "productName": words,
        "purposes": ["other"], "regulatory": {"status": "not_device"},
        "transport": {"kind": "http", "baseUrl": base, "authentication": "none"},
        "images": [entry],
        "limits": {"deadlineMs": 1500, "concurrency": 8, "requestBytes": 1048576, "responseBytes": 65536},
        "contact": {"name": "Load", "email": "load@boxes.example"},
        "modelCard": {"intendedUse": words, "outOfScope": words, "knownRisks": words},
    }
    approval = {"kind": "Approval", "service": f"boxes.{name}", "version": "1.0.0", "decision": "approve", "reason": "Load"}
    enrollment = {"kind": "Enrollment", "hospital": "load", "service": f"boxes.{name}", "mode": "live"}
    return [{"kind": "Service", "descriptor": descriptor}, approval, enrollment]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true")
    chosen = options.parse_args()
    binary = Path(os.environ.get("MEDVAN_BIN", ROOT / "target" / "release" / "medvan"))
    (ROOT / "target").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "target", prefix="load-analysis-") as name, Analysts() as analysts:
        allowed = '[outgoing]\nallowed_hosts = ["127.0.0.1"]\n'
        with Gateway(binary, Path(name), allowed) as gateway:
            words = {"ja": "箱", "en": "Boxes"}
            maker = {"kind": "Vendor", "id": "boxes", "name": words, "contact": {"name": "Load", "email": "load@boxes.example"}}
            services = [one for number in range(SERVICES) for one in service(number, analysts.base)]
            gateway.apply([*hospital(), maker, *services])
            run = Run(gateway, analysts, QUICK if chosen.quick else WHOLE)
            run.all()
    print(run.table.text(f"{CORES} cores, {platform.machine()}, services that answer after {ANSWERS_AFTER * 1000:.0f} ms"))
    if chosen.quick:
        print("quick run: the numbers mean nothing")


if __name__ == "__main__":
    sys.exit(main())
