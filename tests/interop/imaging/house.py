"""A gateway of a test's own, with both doors: one that may be killed, starved or flooded."""

import shutil
from pathlib import Path

from archive import Archive
from cable import Cable
from gateway import Gateway
from processes import free_port
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from workstation import Workstation

NOBODY = 4


class House:
    """A gateway on a folder that outlives it, and a workstation that calls it and receives from it."""

    def __init__(self, folder: Path, settings: str = "", inside: tuple[str, ...] = (), port: int | None = None):
        self._folder, self._inside, self._port = folder, inside, port
        self.dicom_port = free_port()
        self._settings = f'[dimse]\nlisten = "127.0.0.1:{self.dicom_port}"\n{settings}'
        self.workstation = Workstation(self.dicom_port)
        self.gateway: Gateway
        self.starts()

    def starts(self) -> None:
        self.gateway = Gateway(self._folder, self._settings, self._inside, self._port)

    def dies(self) -> None:
        self.gateway.dies()

    def stop(self) -> None:
        self.workstation.stop()
        self.gateway.stop()
        # pytest keeps the folders of three runs.
        shutil.rmtree(self._folder / "data" / "images", ignore_errors=True)

    def hospital(self, name: str) -> Archive:
        """Its archive, at the address that the gateway has now; a second time nothing is changed."""
        ports = {"orthanc_port": NOBODY, "workstation_port": self.workstation.port, "storescp_port": NOBODY}
        self.gateway.apply("imaging-hospital", hospital=name, ae_title=name.upper(), **ports)
        return Archive(self.gateway.base, name, name.upper())

    def sends(self, archive: Archive, file: bytes) -> int:
        """C-STORE of one CT image; the status."""
        path = self._folder / "sent.dcm"
        path.write_bytes(file)
        return self.workstation.sends_path(archive.ae_title, path, CTImageStorage, ExplicitVRLittleEndian)

    def through(self, cable: Cable, archive: Archive) -> Archive:
        """The same archive at the other end of a cable."""
        return Archive(f"http://127.0.0.1:{cable.port}", archive.hospital, archive.ae_title)

    def image_bytes(self) -> int:
        """What the images take on its disk."""
        return sum(path.stat().st_size for path in (self.gateway.data / "images").rglob("*") if path.is_file())
