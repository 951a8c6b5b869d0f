"""One gateway with a DIMSE listener for all tests of images, and the systems around it: Orthanc, a workstation that
pynetdicom makes, and dcmtk's programs."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import corpus
import pytest
from archive import Archive
from dcmtk import Dcmtk
from gateway import binary
from orthanc import Orthanc
from processes import free_port
from workstation import Workstation

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def dicom_port():
    return free_port()


@pytest.fixture(scope="session")
def gateway(tmp_path_factory, dicom_port):
    from gateway import Gateway

    settings = f'[dimse]\nlisten = "127.0.0.1:{dicom_port}"\n'
    gateway = Gateway(tmp_path_factory.mktemp("imaging-gateway"), settings)
    yield gateway
    gateway.stop()
    leaked = [word for word in ("Hanako", "花子", "はなこ", "SYN-0087") if word in gateway.log()]
    assert not leaked, f"the gateway's log holds {leaked}"


@pytest.fixture(scope="session")
def orthanc(tmp_path_factory):
    orthanc = Orthanc(tmp_path_factory.mktemp("orthanc"))
    yield orthanc
    orthanc.stop()


@pytest.fixture(scope="session")
def workstation(dicom_port):
    workstation = Workstation(dicom_port)
    yield workstation
    workstation.stop()


@pytest.fixture(scope="session")
def dcmtk(tmp_path_factory, dicom_port):
    dcmtk = Dcmtk(tmp_path_factory.mktemp("dcmtk"), dicom_port)
    yield dcmtk
    dcmtk.stop()


@pytest.fixture(scope="session")
def hospital(gateway, orthanc, workstation, dcmtk):
    """`hospital(name)`: its archive. The hospital comes into being when it is first asked for."""
    archives: dict[str, Archive] = {}

    def open_archive(name: str) -> Archive:
        if name not in archives:
            ae_title = name.upper()
            ports = {"orthanc_port": orthanc.dicom_port, "workstation_port": workstation.port}
            ports["storescp_port"] = dcmtk.storescp_port
            gateway.apply("imaging-hospital", hospital=name, ae_title=ae_title, **ports)
            archives[name] = Archive(gateway.base, name, ae_title)
        return archives[name]

    return open_archive


@pytest.fixture(scope="session")
def shelf(hospital):
    """`shelf(file)`: the archive that keeps this file of the corpus; the file is there."""
    kept: set[str] = set()

    def archive_of(file: corpus.File) -> Archive:
        archive = hospital(file.hospital)
        if file.name not in kept:
            archive.keeps(file.bytes)
            kept.add(file.name)
        return archive

    return archive_of


@pytest.fixture(scope="session")
def ohif(gateway):
    """OHIF's archive as `tests/run` fetched it, put in its place by the gateway's own command."""
    package = peers() / "ohif" / "ohif.tgz"
    command = [binary(), "viewer", "install", package, "--data", gateway.data]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return f"{gateway.base}/ohif"


@pytest.fixture(scope="session")
def browser():
    """`browser(name, url, …)`: what Chromium saw; the screenshot has the name."""
    folder = Path(os.environ.get("MEDVAN_SCREENS", peers().parent / "test-logs" / "screens"))
    folder.mkdir(parents=True, exist_ok=True)

    def look(name: str, url: str, **wish: object) -> dict:
        screenshot = folder / f"{name}.png"
        wish |= {"url": url, "screenshot": str(screenshot), "chromium": shutil.which("chromium")}
        modules = {**os.environ, "NODE_PATH": str(peers() / "node" / "node_modules")}
        command = ["node", str(HERE / "browser.js"), json.dumps(wish)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, env=modules)
        assert done.returncode == 0, done.stderr[-2000:]
        assert screenshot.stat().st_size > 10_000
        seen = json.loads(done.stdout)
        assert seen["outside"] == [], "a viewer asks nobody but the gateway"
        return seen

    return look


def peers() -> Path:
    return Path(os.environ.get("MEDVAN_INTEROP", HERE.parents[2] / "target" / "interop"))
