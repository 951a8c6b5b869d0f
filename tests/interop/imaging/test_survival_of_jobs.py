"""kill -9 while AI services work: every job comes to its end by itself, and once, whatever was under way when the plug was pulled.

A service in each of the ways is asked about some studies. The plug is pulled again and again: when a service was just given images,
when it has just answered, when a result of it was just stored, while evidence is made and sent, and at any time. Services may be asked
more than once by that; what comes of it is there once."""

import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass

import pytest
import requests
from archive import Archive, value
from house import House
from persistent import (
    ANSWERED,
    ASKED,
    DELIVERED,
    STORED,
    Node,
    PersistentAnalyst,
    PersistentCarrier,
    PersistentModel,
    PersistentPerformer,
    PersistentPusher,
    PersistentRoot,
)
from processes import free_port
from studies import Series

SEED = 20260116
STUDIES = [Series(f"jobs {number}", slices=2, side=64, patient_id=f"JOBS-{number}") for number in range(18)]
SERVICES = ["json", "root", "push", "dimse", "worklist", "model"]
OWN_REPORTS = ["root", "push", "dimse", "worklist"]
REPORT, SEGMENTATION = "1.2.840.10008.5.1.4.1.1.88.34", "1.2.840.10008.5.1.4.1.1.66.4"
# Pixels of bone, what is bright, and two lungs of each of the others.
FINDINGS = {"json": 1, "root": 2, "push": 2, "dimse": 2, "worklist": 2, "model": 1}
MODEL = {
    "kind": "inference",
    "model": "bright",
    "input": {
        "name": "image",
        "datatype": "FP32",
        "layout": "NCHW",
        "channels": 1,
        "height": 64,
        "width": 64,
        "intensity": {"from": "window", "window": {"center": 0, "width": 2000}, "range": [0, 1]},
    },
    "encoding": "json",
    "outputs": [
        {
            "kind": "mask",
            "tensor": "mask",
            "pick": "threshold",
            "activation": "none",
            "labels": [{"code": {"scheme": "99HAGI", "code": "BRIGHT", "meaning": "Bright"}}],
            "threshold": 0.5,
        }
    ],
}
NOBODY = "http://127.0.0.1:8443"
# So long it is waited for a moment that is aimed at.
AIMS_FOR = 1
# And so long for the first job that is done after the plug was pulled.
GOES_ON_WITHIN = 5


@dataclass(frozen=True)
class Aim:
    """The plug is pulled so many seconds after this moment at this service; without one, after the gateway is up."""

    moment: tuple[str, str] | None
    after: float


def aims() -> list[Aim]:
    """In an order that is the same in every run."""
    chance = random.Random(SEED)
    found = [Aim((service, ASKED), 0) for service in SERVICES]
    found += [Aim((service, ANSWERED), after) for service in SERVICES for after in (0, chance.uniform(0.01, 0.3))]
    found += [Aim((service, STORED), chance.uniform(0, 0.02)) for service in ("push", "dimse", "worklist")]
    found += [Aim((node, DELIVERED), chance.uniform(0, 0.02)) for node in ("FIRST", "SECOND")]
    found += [Aim(None, chance.uniform(0.005, 1.2)) for _ in range(8)]
    chance.shuffle(found)
    return found


class Moments:
    """What services and nodes just did."""

    def __init__(self):
        self._news = threading.Condition()
        self.told: Counter[tuple[str, str]] = Counter()

    def of(self, who: str):
        def tells(moment: str) -> None:
            with self._news:
                self.told[who, moment] += 1
                self._news.notify_all()

        return tells

    def waits_for(self, moment: tuple[str, str], seconds: float) -> bool:
        """Whether it came once more in this time."""
        with self._news:
            before = self.told[moment]
            return self._news.wait_for(lambda: self.told[moment] > before, seconds)


class PowerCuts:
    """A hospital with its nodes, a vendor with its services, and a gateway between them."""

    def __init__(self, folder):
        self.moments = Moments()
        self.house = House(folder, port=free_port())
        self.nodes = {title: Node(title, self.moments.of(title)) for title in ("FIRST", "SECOND")}
        ports = {f"{title.lower()}_port": node.port for title, node in self.nodes.items()}
        self.house.gateway.apply("surviving-hospital", hospital="cuts", ae_title="CUTS", **ports)
        self.archive = Archive(self.house.gateway.base, "cuts", "CUTS")
        root, credential = f"{self.house.gateway.base}/vendors/hagi/dicom-web", self.house.gateway.issues("vendor", "hagi")
        tells = self.moments.of
        self.services = {
            "json": PersistentAnalyst(tells("json")),
            "model": PersistentModel(tells("model")),
            "root": PersistentRoot(tells("root")),
            "push": PersistentPusher(tells("push"), root),
            "dimse": PersistentCarrier(tells("dimse"), "HAGI_AI", "CUTS", self.house.dicom_port),
            "worklist": PersistentPerformer(tells("worklist"), root, credential),
        }
        self._enrolls()
        self.aimed_well = self._done = 0

    def _enrolls(self) -> None:
        expects, own = {"expects": ["SR", "SEG"]}, {"kind": "dicomweb", "path": "/jobs/{job}/dicom-web"}
        entity = {"kind": "dimse", "aeTitle": "HAGI_AI", "host": "127.0.0.1", "port": self.services["dimse"].port}
        talks = {
            "json": (self.services["json"].base, {"kind": "image-json", "path": "/analyze", "send": "dicom"}),
            "model": (self.services["model"].base, MODEL),
            "root": (self.services["root"].base, own | expects | {"results": "fetch"}),
            "push": (self.services["push"].base, own | expects | {"results": "store"}),
            "dimse": (NOBODY, entity | expects),
            "worklist": (NOBODY, {"kind": "worklist"} | expects),
        }
        for service, (base, way) in talks.items():
            words = {"hospital": "cuts", "service": service, "base": base, "way": json.dumps(way)}
            self.house.gateway.apply("surviving-service", **words)

    def pulls_the_plug(self, aim: Aim) -> None:
        if aim.moment:
            self._goes_on()
            self.aimed_well += self.moments.waits_for(aim.moment, AIMS_FOR)
        time.sleep(aim.after)
        self.house.dies()
        self.house.starts()

    def _goes_on(self) -> None:
        """Until something is done that was not before: a job with which the process dies each time is given up, and rightly."""
        end = time.monotonic() + GOES_ON_WITHIN
        while (done := self.done()) <= self._done and time.monotonic() < end:
            time.sleep(0.1)
        self._done = done

    def done(self) -> int:
        return sum(job["state"] == "done" for job in self.jobs())

    def jobs(self) -> list[dict]:
        return self.house.gateway.api("/hospitals/cuts/jobs?limit=200")["items"]

    def waits_until_all_is_done(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            jobs = self.jobs()
            if len(jobs) == len(STUDIES) * len(SERVICES) and all(job["state"] == "done" for job in jobs):
                return
            time.sleep(0.25)
        left = [(job["service"], job["state"], job["attempts"], job.get("fault")) for job in self.jobs() if job["state"] != "done"]
        raise AssertionError(f"{len(self.jobs())} jobs, not done: {left}; {self.faults}")

    @property
    def faults(self) -> list[str]:
        return [fault for name in OWN_REPORTS for fault in self.services[name].work.faults]

    def results(self) -> set[str]:
        """All that the hospital has beside the images themselves."""
        found = {value(row, "00080018") for study in STUDIES for row in self.instances(study)}
        return found - {study.instance_uid(number) for study in STUDIES for number in range(1, study.slices + 1)}

    def instances(self, study: Series) -> list[dict]:
        return self.archive.metadata(f"/studies/{study.study_uid}")

    def stop(self) -> None:
        # First who pulls work: it never rests as long as nobody answers.
        self.services["worklist"].stop()
        for service in ("json", "model", "root", "push", "dimse"):
            self.services[service].stop()
        for node in self.nodes.values():
            node.stop()
        self.house.stop()


@pytest.fixture(scope="module")
def cuts(tmp_path_factory):
    """After all plugs were pulled, and all is done that is done by itself."""
    cuts = PowerCuts(tmp_path_factory.mktemp("cuts"))
    try:
        studies = iter(STUDIES)
        for number, aim in enumerate(aims()):
            # There is always something to do, and never all of it before the last plug is pulled.
            if number % 3 < 2 and (study := next(studies, None)):
                cuts.archive.keeps(*study.files())
            cuts.pulls_the_plug(aim)
        assert next(studies, None) is None
        cuts.waits_until_all_is_done(60)
        yield cuts
    finally:
        cuts.stop()


def test_work_was_cut_off(cuts):
    assert len(aims()) >= 25 and cuts.aimed_well > 0, "no moment that was aimed at ever came"
    asked = {service: cuts.moments.told[service, ASKED] for service in SERVICES}
    assert sum(asked.values()) > len(STUDIES) * len(SERVICES), "nobody was asked again: no work was cut off"


def test_every_service_did_every_study_once(cuts):
    done = Counter((job["study"], job["service"]) for job in cuts.jobs() if job["state"] == "done")
    assert done == Counter((study.study_uid, f"hagi.{service}") for study in STUDIES for service in SERVICES)
    assert cuts.faults == []


def test_each_study_has_one_report_and_one_segmentation_of_each_service(cuts):
    kinds = {}
    for study in STUDIES:
        rows = cuts.instances(study)
        made = Counter((value(row, "00080016"), value(row, "00080070")) for row in rows)
        assert {made[kind, maker] for kind in (REPORT, SEGMENTATION) for maker in OWN_REPORTS} == {1}, study.name
        assert [sum(count for (kind, _), count in made.items() if kind == of) for of in (REPORT, SEGMENTATION)] == [6, 6]
        kinds[study.name] = made
    # All studies show the same: what is found in them, and drawn of it, is as much in each.
    assert len({frozenset(made.items()) for made in kinds.values()}) == 1, kinds


def test_each_job_has_one_workitem_and_all_are_completed(cuts):
    found = cuts.archive.searches("workitems", limit=500)
    assert Counter(value(row, "00741000") for row in found) == {"COMPLETED": len(STUDIES) * len(SERVICES)}
    assert {value(row, "00080018") for row in found} == {job["workitem"] for job in cuts.jobs()}


def test_each_run_left_one_record_and_each_use_is_counted_once(cuts):
    records = cuts.house.gateway.api("/hospitals/cuts/exchanges?limit=200")["items"]
    assert Counter(record["explanation"]["job"] for record in records) == Counter(job["id"] for job in cuts.jobs())
    assert {record["status"] for record in records} == {200}
    lines = cuts.house.gateway.api("/hospitals/cuts/usage")["lines"]
    assert {line["service"]: line["uses"] for line in lines} == {f"hagi.{service}": len(STUDIES) for service in SERVICES}


def test_each_node_got_all_results_and_nothing_else(cuts):
    results, end = cuts.results(), time.monotonic() + 30
    while any(set(node.got) != results for node in cuts.nodes.values()) and time.monotonic() < end:
        time.sleep(0.2)
    for title, node in cuts.nodes.items():
        assert set(node.got) == results, title


def test_a_fhir_client_is_told_each_finding_once(cuts):
    root = cuts.archive.root.removesuffix("/dicom-web") + "/fhir"
    for study in STUDIES:
        told = {}
        for kind in ("Observation", "DiagnosticReport"):
            bundle = requests.get(f"{root}/{kind}", params={"patient": study.patient_id}, timeout=30).json()
            told[kind] = [entry["resource"] for entry in bundle["entry"]]
        by = Counter(each["device"]["display"].removeprefix("hagi.").split()[0] for each in told["Observation"])
        assert by == FINDINGS, study.name
        assert len({each["id"] for each in told["DiagnosticReport"]}) == len(told["DiagnosticReport"]) == len(SERVICES)
