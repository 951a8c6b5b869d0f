"""The archives that are measured, and what they have in common: two doors, and a process whose memory is read."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gateway import Gateway, memory_mb
from images import Series
from net import free_port, wait_for_port

PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
SENDER = "STORESCU"


@dataclass(frozen=True)
class Archive:
    """Where an archive is, and as whom one speaks to it."""

    name: str
    dicom_web: str
    dicom_port: int
    ae_title: str
    pid: int

    def peak_mb(self) -> float:
        """The most memory that was ever resident."""
        return memory_mb(self.pid, "VmHWM")


class Orthanc:
    """Debian's Orthanc with its DICOMweb plug-in, its default index (SQLite), durable writes; runs as a context."""

    def __init__(self, folder: Path):
        self._folder = folder / "orthanc"

    def __enter__(self) -> Archive:
        self._folder.mkdir()
        http, dicom = free_port(), free_port()
        config = self._folder / "orthanc.json"
        config.write_text(json.dumps(self._settings(http, dicom)), encoding="utf-8")
        program = shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen([program, config], stdout=log, stderr=log)
        wait_for_port(http)
        wait_for_port(dicom)
        return Archive("Orthanc", f"http://127.0.0.1:{http}/dicom-web", dicom, "ORTHANC", self._process.pid)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)

    def _settings(self, http: int, dicom: int) -> dict:
        return {
            "StorageDirectory": str(self._folder / "storage"),
            "IndexDirectory": str(self._folder / "index"),
            "Plugins": [PLUGIN],
            "SyncStorageArea": True,
            "HttpPort": http,
            "DicomPort": dicom,
            "DicomAet": "ORTHANC",
            "RemoteAccessAllowed": False,
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }


class Medvan:
    """The gateway with one hospital; runs as a context."""

    def __init__(self, binary: Path, folder: Path):
        self._port = free_port()
        self._gateway = Gateway(binary, folder, f'[dimse]\nlisten = "127.0.0.1:{self._port}"\n')

    def __enter__(self) -> Archive:
        self._gateway.__enter__()
        node = {"aeTitle": SENDER, "host": "127.0.0.1", "port": 4, "store": True, "query": True, "retrieve": True}
        imaging = {"aeTitle": "LOAD", "nodes": [node]}
        words = {"ja": "負荷", "en": "Load"}
        hospital = {"kind": "Hospital", "id": "load", "name": words, "imaging": imaging}
        client = {"kind": "Client", "hospital": "load", "id": "pacs", "authentication": "loopback"}
        self._gateway.apply([hospital, client])
        root = f"{self._gateway.base}/hospitals/load/dicom-web"
        wait_for_port(self._port)
        return Archive("medvan", root, self._port, "LOAD", self._gateway.pid)

    def __exit__(self, *_: object) -> None:
        self._gateway.__exit__()


class StaticFiles:
    """nginx that serves a series as static files under the same paths; runs as a context."""

    def __init__(self, folder: Path):
        self._folder, self._port = folder / "static", free_port()
        self.base = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> "StaticFiles":
        self._folder.mkdir()
        config = self._folder / "nginx.conf"
        config.write_text(self._config(), encoding="utf-8")
        program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        self._process = subprocess.Popen([program, "-c", config, "-e", self._folder / "error.log"])
        wait_for_port(self._port)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)

    def serve(self, series: Series) -> None:
        """Each instance as a file, the series as one more with the same bytes in one."""
        root = self._folder / "root"
        for path, file in zip(series.instance_paths(), series.files):
            at = root / path.lstrip("/")
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_bytes(file)
        (root / series.path.lstrip("/") / "whole").write_bytes(series.body())

    def _config(self) -> str:
        folder = self._folder
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
        # As root its workers would be somebody else, who may not read the folder.
        user = "user root;" if os.geteuid() == 0 else ""
        return f"""
            {user} daemon off; worker_processes auto; pid {folder}/nginx.pid; error_log {folder}/error.log warn;
            events {{ worker_connections 1024; }}
            http {{
                access_log off; default_type application/dicom; sendfile on; tcp_nopush on;
                keepalive_requests 1000000000; {temporary}
                server {{ listen 127.0.0.1:{self._port}; root {folder}/root; }}
            }}
        """
