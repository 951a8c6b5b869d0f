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
from net import free_port
from reports import report
from senders import stow, stow_at_once
from table import Comparison
from ways import Carried, Fetched, Pulled, Stored, Way

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
    """How much is measured: studies one by one, of each of the other ways, and at once."""

    single: int
    of_way: int
    burst: int
    slices: int
    side: int


WHOLE = Extent(single=100, of_way=40, burst=1000, slices=4, side=32)
QUICK = Extent(single=2, of_way=1, burst=5, slices=2, side=16)


@dataclass(frozen=True)
class Burst:
    """Seconds until all was stored and until all was done, good answers, and the most resident megabytes."""

    stored: float
    done: float
    good: int
    memory: float


class Run:
    def __init__(self, gateway: Gateway, analysts: Analysts, ways: dict[str, Way], extent: Extent):
        self.gateway, self.analysts, self.ways, self.extent = gateway, analysts, ways, extent
        self.archive = self.archive_of("load")
        self.maker, self.table = Maker(), Comparison()

    def archive_of(self, hospital: str) -> Archive:
        return Archive("medvan", f"{self.gateway.base}/hospitals/{hospital}/dicom-web", 0, hospital.upper(), self.gateway.pid)

    def all(self) -> None:
        self.one_by_one()
        for name, way in self.ways.items():
            self.way(name, way)
        self.bursts()

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
            after.append((self.found(self.archive, series.study_uid, SERVICES) - answered) * 1000)
        self.told("last instance stored to first byte at a service, without the quiet time", before)
        self.told("last of three answers to all three reports found by QIDO", after)

    def way(self, name: str, way: Way) -> None:
        """The same for one service that gives its result as a DICOM object."""
        archive, before, after = self.archive_of(hospital_of(name)), [], []
        for _ in range(self.extent.of_way):
            series = self.maker.series(self.extent.slices, self.extent.side)
            way.reports[series.study_uid] = report(series.files)
            stow(archive, series.body())
            stored = time.monotonic()
            asked, gave = way.waits_for(series.study_uid)
            before.append((asked - stored - QUIET) * 1000)
            after.append((self.found(archive, series.study_uid, 1) - gave) * 1000)
        # It costs the burst nothing.
        way.stop()
        self.told(f"{name}: last instance stored to first byte at the service, without the quiet time", before)
        self.told(f"{name}: result given to report found by QIDO", after)

    def found(self, archive: Archive, study: str, reports: int) -> float:
        """When so many reports of a study are found."""
        while len(self.finds(archive, f"studies/{study}/instances?SOPClassUID={REPORT}")) < reports:
            time.sleep(0.005)
        return time.monotonic()

    def told(self, name: str, found: list[float]) -> None:
        # Of one value alone there are no quantiles.
        cuts = quantiles(found * 2, n=100, method="inclusive")
        self.table.value(f"{name}, p50", "ms", cuts[49])
        self.table.value(f"{name}, p99", "ms", cuts[98])

    def bursts(self) -> None:
        """A burst, and the same once more: what the first one left resident must be enough for the second."""
        before = memory_mb(self.gateway.pid, "VmRSS")
        self.analysts.fails(one_of=10)
        first, second = (self.burst() for _ in range(2))
        count = self.extent.burst
        # Each service alone, with as many at once as it gets, would take this long for its tries.
        alone = count * ANSWERS_AFTER * 1.1 / AT_ONCE
        self.table.value(f"{count} studies to {SERVICES} services stored after", "s", first.stored)
        self.table.value(f"all {count * SERVICES} jobs done after", "s", first.done)
        self.table.value("of the services' own time, with that many at once", "×", first.done / alone)
        good = first.good / (count * SERVICES)
        self.table.value("good answers for each job", "", good, "1", good == 1)
        self.table.value("all jobs of a second burst done after", "s", second.done)
        self.table.value("resident memory before", "MB", before)
        self.table.value("resident memory, the most in the first burst", "MB", first.memory)
        self.table.value("resident memory, the most in the second burst", "MB", second.memory)

    def burst(self) -> Burst:
        """All studies at once, by eight senders; a tenth of the first tries fail."""
        count = self.extent.burst
        bodies = [self.maker.series(self.extent.slices, self.extent.side).body() for _ in range(count)]
        answered, settled = self.analysts.good, self.counts().get("done", 0)
        most, end = [0.0], threading.Event()
        watching = threading.Thread(target=self.watch, args=(most, end))
        watching.start()
        start = time.monotonic()
        stow_at_once(self.archive, [bodies[sender::8] for sender in range(8)])
        stored = time.monotonic()
        done = self.settled(settled + count * SERVICES)
        end.set()
        watching.join()
        return Burst(stored - start, done - start, self.analysts.good - answered, max(most))

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

    def finds(self, archive: Archive, query: str) -> list:
        request = urllib.request.Request(f"{archive.dicom_web}/{query}", headers={"Accept": "application/dicom+json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"[]")


def hospital_of(way: str) -> str:
    """Each way is measured at a hospital of its own, so that no other service is asked."""
    return f"load-{way.replace(' ', '-')}"


def hospital(id: str) -> list[dict]:
    imaging = {"aeTitle": id.upper()[:16], "completeness": {"quietSeconds": int(QUIET)}}
    return [
        {"kind": "Hospital", "id": id, "name": {"ja": "負荷", "en": "Load"}, "imaging": imaging},
        {"kind": "Client", "hospital": id, "id": "pacs", "authentication": "loopback"},
    ]


def service(name: str, hospital: str, base: str, way: dict) -> list[dict]:
    words = {"ja": "箱", "en": "Boxes"}
    entry = {
        "id": name,
        "description": "Boxes",
        "why": words,
        "way": way,
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
    enrollment = {"kind": "Enrollment", "hospital": hospital, "service": f"boxes.{name}", "mode": "live"}
    return [{"kind": "Service", "descriptor": descriptor}, approval, enrollment]


def objects(analysts: Analysts, ways: dict[str, Way]) -> list[dict]:
    words = {"ja": "箱", "en": "Boxes"}
    made = [{"kind": "Vendor", "id": "boxes", "name": words, "contact": {"name": "Load", "email": "load@boxes.example"}}]
    made += hospital("load")
    for number in range(SERVICES):
        name = f"boxes-{number}"
        made += service(name, "load", analysts.base, {"kind": "image-json", "path": f"/{name}", "send": "dicom"})
    for name, way in ways.items():
        made += hospital(hospital_of(name)) + service(hospital_of(name), hospital_of(name), way.base, way.talks())
    return made


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true")
    chosen = options.parse_args()
    binary = Path(os.environ.get("MEDVAN_BIN", ROOT / "target" / "release" / "medvan"))
    (ROOT / "target").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "target", prefix="load-analysis-") as name, Analysts() as analysts:
        dicom_port = free_port()
        settings = f'[outgoing]\nallowed_hosts = ["127.0.0.1"]\n[dimse]\nlisten = "127.0.0.1:{dicom_port}"\n'
        ways = {"dicomweb fetch": Fetched(), "dicomweb store": Stored(), "worklist": Pulled()}
        ways["dimse"] = Carried("LOAD_AI", "LOAD-DIMSE", dicom_port)
        with Gateway(binary, Path(name), settings) as gateway:
            gateway.apply(objects(analysts, ways))
            root = f"{gateway.base}/vendors/boxes/dicom-web"
            ways["dicomweb store"].gateway = root
            ways["worklist"].starts(root, gateway.issues("vendor", "boxes"))
            run = Run(gateway, analysts, ways, QUICK if chosen.quick else WHOLE)
            run.all()
    print(run.table.text(f"{CORES} cores, {platform.machine()}, services that answer after {ANSWERS_AFTER * 1000:.0f} ms"))
    if chosen.quick:
        print("quick run: the numbers mean nothing")


if __name__ == "__main__":
    sys.exit(main())
