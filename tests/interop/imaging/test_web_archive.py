"""Orthanc with registered users, called by DICOMweb only: earlier studies come from it by QIDO-RS and WADO-RS, and results go to it by
STOW-RS, with the name and the password that the operator entered."""

import io
import time
from datetime import date

import pydicom
import pytest
from archive import Archive
from gateway import Gateway
from orthanc import Orthanc
from studies import Series
from test_priors import Comparer

REPORT = "1.2.840.10008.5.1.4.1.1.88.34"
AT_HAND = Series("web at hand", slices=3, side=32, patient_id="WEB-1", day=date(2026, 11, 1))
PRIOR = Series("web prior", slices=3, side=32, patient_id="WEB-1", day=date(2026, 5, 1))
# A password is Unicode (RFC 7617 section 2.1).
USER, PASSWORD = "medvan", "菊 & p:ss"
SETTINGS = """
[outgoing]
allowed_hosts = ["127.0.0.1"]
[outgoing.credentials.keyaki]
vna = { user = "medvan", password_file = "PASSWORD" }
[outgoing.credentials.nara]
vna = { user = "medvan", password_file = "WRONG" }
"""


@pytest.fixture(scope="module")
def vna(tmp_path_factory):
    users = {"AuthenticationEnabled": True, "RegisteredUsers": {USER: PASSWORD}}
    vna = Orthanc(tmp_path_factory.mktemp("vna"), **users)
    yield vna
    vna.stop()


@pytest.fixture(scope="module")
def comparer():
    comparer = Comparer()
    yield comparer
    comparer.stop()


@pytest.fixture(scope="module")
def house(tmp_path_factory, comparer):
    folder = tmp_path_factory.mktemp("web-archive")
    (folder / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    (folder / "wrong").write_text("sesame", encoding="utf-8")
    files = {"PASSWORD": folder / "password", "WRONG": folder / "wrong"}
    settings = SETTINGS
    for name, path in files.items():
        settings = settings.replace(name, str(path))
    gateway = Gateway(folder, settings)
    gateway.apply("prior-service", comparer=comparer.base)
    yield gateway
    gateway.stop()
    assert PASSWORD not in gateway.log() and "sesame" not in gateway.log()


@pytest.fixture(scope="module")
def archive(house, vna):
    return opened(house, vna, "keyaki")


def opened(house: Gateway, vna: Orthanc, name: str) -> Archive:
    house.apply("web-archive-hospital", hospital=name, ae_title=name.upper(), url=vna.dicom_web, credential="vna")
    return Archive(house.base, name, name.upper())


def test_a_prior_comes_from_it_and_the_report_goes_there(house, vna, archive, comparer):
    [vna.keeps(file) for file in PRIOR.files()]
    archive.keeps(*AT_HAND.files())
    end = time.monotonic() + 60
    while not (jobs := house.api("/hospitals/keyaki/jobs")["items"]) or jobs[0]["state"] != "done":
        assert time.monotonic() < end, house.api(f"/hospitals/keyaki/studies/{AT_HAND.study_uid}/matching")
        time.sleep(0.2)
    prior, named = comparer.compared[AT_HAND.study_uid]
    assert prior == PRIOR.study_uid and len(named) == AT_HAND.slices + PRIOR.slices
    [report] = archive.searches("instances", StudyInstanceUID=AT_HAND.study_uid, SOPClassUID=REPORT)
    uid = report["00080018"]["Value"][0]
    came = pydicom.dcmread(io.BytesIO(vna.file(vna.waits_for(uid))))
    assert (came.SOPInstanceUID, came.StudyInstanceUID, came.PatientID) == (uid, AT_HAND.study_uid, "WEB-1")
    assert house.api("/hospitals/keyaki/outbox")["items"] == []


def test_it_says_whether_it_lets_the_gateway_in(house, vna, archive):
    assert house.posts("/hospitals/keyaki/nodes/VNA/echo") == {"answered": True}
    opened(house, vna, "nara")
    told = house.posts("/hospitals/nara/nodes/VNA/echo")
    assert not told["answered"] and "401" in told["reason"]
    # Another hospital's login is nobody else's.
    opened(house, vna, "sugi")
    assert "no credential" in house.posts("/hospitals/sugi/nodes/VNA/echo")["reason"]
