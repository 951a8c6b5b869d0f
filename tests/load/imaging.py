"""Measures the archive of images beside Orthanc on this machine and prints one table. See README.md in this folder.

Usage: imaging.py [--quick] [--instances N]     (the program under test: MEDVAN_BIN, default target/release/medvan)
`--quick` runs every step for a moment, to prove that the script works; its numbers mean nothing.
`--instances N` fills the gateway with that many instances more and measures how long searches then take.
"""

import argparse
import os
import platform
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import disk
from archives import Archive, Medvan, Orthanc, StaticFiles
from images import Maker, Series
from senders import DICOM_JSON, ONE_FILE, c_store, fetch, fetch_many, stow, stow_at_once
from table import Comparison

ROOT = Path(__file__).resolve().parent.parent.parent
CORES = os.cpu_count() or 1
CLIENTS = 8
MEGA = 1e6


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    large: int
    large_side: int
    studies: int
    per_study: int
    small_side: int
    rounds: int
    seconds: float


# 512 x 512 x 2 bytes are 512 KB; a small instance is some 3 KB.
WHOLE = Extent(large=300, large_side=512, studies=20, per_study=100, small_side=32, rounds=3, seconds=10)
QUICK = Extent(large=6, large_side=64, studies=2, per_study=10, small_side=16, rounds=1, seconds=1)


class Run:
    """One measurement: the archives are up, and everything is done to each of them, in turns."""

    def __init__(self, folder: Path, ours: Archive, rival: Archive, static: StaticFiles, extent: Extent):
        self.folder, self.ours, self.rival, self.static, self.extent = folder, ours, rival, static, extent
        self.both = (ours, rival)
        self.maker, self.table = Maker(), Comparison()
        self.kept: Series | None = None

    def all(self) -> None:
        self.stow_large()
        self.stow_small()
        self.stow_at_once()
        self.c_store()
        self.one_instance()
        self.whole_series()
        self.metadata()
        self.searches()
        self.table.less("resident memory, the most of all the above", "MB", *self.each(Archive.peak_mb), of_rival=0.25)

    def stow_large(self) -> None:
        """One request with the whole series; the floor writes the same files and flushes each of them."""
        rounds = [self.large() for _ in range(self.extent.rounds)]
        rates, floors = [], []
        for series in rounds:
            rates.append(self.each(lambda archive: series.size / MEGA / stow(archive, series.body())))
            floors.append(series.size / MEGA / disk.write(self.folder, series.files))
        floor = median(floors)
        name = f"STOW, {self.extent.large} x {len(rounds[0].files[0]) // 1024} KB in one request"
        self.table.more(name, "MB/s", *_medians(rates), floor, of_rival=1.5, of_floor=0.7)
        self.kept = rounds[0]

    def stow_small(self) -> None:
        """All small instances in one request."""
        count = self.extent.studies * self.extent.per_study
        rounds = [self.maker.series(count, self.extent.small_side) for _ in range(self.extent.rounds)]
        rates, floors = [], []
        for series in rounds:
            rates.append(self.each(lambda archive: count / stow(archive, series.body())))
            floors.append(count / disk.write(self.folder, series.files))
        floor = median(floors)
        self.table.more(f"STOW, {count} small instances in one request", "1/s", *_medians(rates), floor, of_rival=3)

    def stow_at_once(self) -> None:
        """The same number, one instance a request, by eight clients; they are what the searches look through."""
        count = self.extent.studies * self.extent.per_study
        rates = []
        for _ in range(self.extent.rounds):
            self.studies = [self.small() for _ in range(self.extent.studies)]
            bodies = [study.body(range(n, n + 1)) for study in self.studies for n in range(study.slices)]
            shares = [bodies[client::CLIENTS] for client in range(CLIENTS)]
            rates.append(self.each(lambda archive: count / stow_at_once(archive, shares)))
        name = f"STOW, {count} small instances one by one, {CLIENTS} clients"
        self.table.more(name, "1/s", *_medians(rates), of_rival=3)

    def c_store(self) -> None:
        """dcmtk's storescu, one association. Few small ones: it waits some 40 ms for each answer of Orthanc."""
        for what, make in (("large", self.large), ("small", self.small)):
            rates = []
            for number in range(self.extent.rounds):
                series = make()
                files = series.write(self.folder / f"c-store-{what}-{number}")
                amount = series.size / MEGA if what == "large" else series.slices
                rates.append(self.each(lambda archive: amount / c_store(archive, files)))
            unit = "MB/s" if what == "large" else "1/s"
            self.table.more(f"C-STORE, {series.slices} {what} instances", unit, *_medians(rates), of_rival=1.5)

    def one_instance(self) -> None:
        """WADO-RS of single instances over eight connections; the floor is nginx with the same files."""
        self.static.serve(self.kept)
        floor = self.wrk(self.static.base, self.kept.instance_paths(), "*/*").per_second
        found = self.each(lambda archive: self.wrk(archive.dicom_web, self.kept.instance_paths(), ONE_FILE).per_second)
        name = f"WADO-RS, one instance of {len(self.kept.files[0]) // 1024} KB, {CLIENTS} connections"
        self.table.more(name, "1/s", *found, floor, of_rival=3, of_floor=0.5)

    def whole_series(self) -> None:
        size = self.kept.size / MEGA

        def rate(url: str) -> float:
            seconds, received = zip(*(fetch(url) for _ in range(self.extent.rounds)))
            if min(received) < self.kept.size:
                raise SystemExit(f"{url}: {min(received)} bytes are not the whole series")
            return size / median(seconds)

        found = self.each(lambda archive: rate(archive.dicom_web + self.kept.path))
        floor = rate(f"{self.static.base}{self.kept.path}/whole")
        self.table.more("WADO-RS, the whole series in one answer", "MB/s", *found, floor, of_rival=1.5)

    def metadata(self) -> None:
        path = [f"{self.kept.path}/metadata"]
        found = self.each(lambda archive: self.wrk(archive.dicom_web, path, DICOM_JSON).per_second)
        name = f"metadata of the series, {CLIENTS} connections"
        self.table.more(name, "1/s", *found, of_rival=5)

    def searches(self) -> None:
        by_patient = [f"/studies?PatientID={study.patient_id}" for study in self.studies]
        of_a_study = [f"/studies/{study.study_uid}/instances" for study in self.studies]
        for name, paths in (
            ("studies of a patient", by_patient),
            (f"{self.extent.per_study} instances of a study", of_a_study),
        ):
            found = self.each(lambda archive: self.wrk(archive.dicom_web, paths, DICOM_JSON).per_second)
            self.table.more(f"QIDO, {name}, {CLIENTS} connections", "1/s", *found, of_rival=20)

    def full(self, instances: int) -> None:
        """Searches in a gateway that holds so many instances, in studies of a hundred."""
        patients = []
        for _ in range(instances // 1000):
            batch = [self.small(100) for _ in range(10)]
            stow(self.ours, _joined([study.body() for study in batch]))
            patients.append(batch[0].patient_id)
        paths = [f"/studies?PatientID={patient}" for patient in patients]
        found = self.wrk(self.ours.dicom_web, paths, DICOM_JSON)
        name = f"QIDO, studies of a patient, among {instances} instances more, p99"
        self.table.value(name, "ms", found.p99_ms, "≤ 20", found.p99_ms <= 20)

    def wrk(self, base: str, paths: list[str], accept: str):
        return fetch_many(base, paths, accept, self.folder, self.extent.seconds, CLIENTS)

    def each(self, measure: Callable[[Archive], float]) -> tuple[float, ...]:
        """Ours, then the rival's: one after the other, so that neither has to share the machine."""
        return tuple(measure(archive) for archive in self.both)

    def large(self) -> Series:
        return self.maker.series(self.extent.large, self.extent.large_side)

    def small(self, slices: int | None = None) -> Series:
        return self.maker.series(slices or self.extent.per_study, self.extent.small_side)


def _medians(rates: list[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(median(column) for column in zip(*rates))


def _joined(bodies: list[bytes]) -> bytes:
    """Several multipart bodies with one boundary as one."""
    end = bodies[0][bodies[0].rindex(b"--load-images--") :]
    return b"".join(body.removesuffix(end) for body in bodies) + end


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--instances", type=int, default=0)
    chosen = options.parse_args()
    extent = QUICK if chosen.quick else WHOLE
    binary = Path(os.environ.get("MEDVAN_BIN", ROOT / "target" / "release" / "medvan"))
    (ROOT / "target").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "target", prefix="load-images-") as name:
        folder = Path(name)
        with StaticFiles(folder) as static, Orthanc(folder) as rival, Medvan(binary, folder) as ours:
            run = Run(folder, ours, rival, static, extent)
            run.all()
            if chosen.instances:
                run.full(chosen.instances)
    print(run.table.text(f"{CORES} cores, {platform.machine()}, durable writes on both sides"))
    if chosen.quick:
        print("quick run: the numbers mean nothing")


if __name__ == "__main__":
    main()
