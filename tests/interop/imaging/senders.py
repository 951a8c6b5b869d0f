"""Senders that go on until they have sent all or somebody pulls the plug, and remember what they were told."""

import threading
from collections.abc import Callable
from pathlib import Path

import pydicom
import requests
from archive import Archive
from house import House
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import build_context
from studies import Series, file_of
from workstation import SUCCESS, data_set_of

# A sender who is neither answered nor cut off. pynetdicom sometimes does not notice that a connection is gone: then it waits
# half a minute for the answer, and as long for the end of the association.
HANGS = 180


class Sender:
    """Sends one series, `together` instances at a time, by a thread of its own."""

    def __init__(self, series: Series, large: tuple[int, ...] = (), together: int = 1):
        self.series, self.together = series, together
        self.files = {series.instance_uid(number): _file(series, number, large) for number in range(1, series.slices + 1)}
        self.told: set[str] = set()
        self.refused: list[str] = []
        self._thread: threading.Thread

    def starts(self, house: House, archive: Archive, news: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=self._sends_until_cut, args=(house, archive, news), daemon=True)
        self._thread.start()

    def ends(self) -> None:
        self._thread.join(HANGS)
        assert not self._thread.is_alive(), f"{self.series.name} was neither answered nor cut off"

    def sends(self, house: House, archive: Archive, news: Callable[[], None] = lambda: None) -> None:
        raise NotImplementedError

    def differs(self, uid: str, came: bytes) -> bool:
        """Whether this is not what was sent under that UID."""
        return came != self.files[uid]

    def _sends_until_cut(self, house: House, archive: Archive, news: Callable[[], None]) -> None:
        try:
            self.sends(house, archive, news)
        except (requests.RequestException, ConnectionError, AssertionError, RuntimeError):
            # The plug was pulled. Whoever was refused is in `refused`.
            pass
        news()

    def _hears(self, stored: list[str], refusal: str | None, news: Callable[[], None]) -> None:
        self.told.update(stored)
        if refusal:
            self.refused.append(refusal)
        news()


class StowSender(Sender):
    def sends(self, house: House, archive: Archive, news: Callable[[], None] = lambda: None) -> None:
        files = list(self.files.values())
        for first in range(0, len(files), self.together):
            stored = archive.stores(*files[first : first + self.together])
            self._hears(stored.instances, None if stored.status == 200 else f"{stored.status} {stored.text}", news)


class AssociationSender(Sender):
    """All in one association. What comes back has the head that the receiver wrote."""

    def __init__(self, series: Series, folder: Path, large: tuple[int, ...] = ()):
        super().__init__(series, large)
        self._path = folder / f"{series.name}.dcm"
        # Of another way to the gateway.
        self.port: int | None = None

    def sends(self, house: House, archive: Archive, news: Callable[[], None] = lambda: None) -> None:
        contexts = [build_context(CTImageStorage, ExplicitVRLittleEndian)]
        with house.workstation.associated(archive.ae_title, contexts, port=self.port) as association:
            for uid, file in self.files.items():
                if not association.is_established:
                    return
                self._path.write_bytes(file)
                # Empty where the association broke before an answer came.
                status = association.send_c_store(self._path).get("Status")
                refusal = None if status in (SUCCESS, None) else f"{status:04X}"
                self._hears([uid] if status == SUCCESS else [], refusal, news)

    def differs(self, uid: str, came: bytes) -> bool:
        return data_set_of(came) != data_set_of(self.files[uid])


def uid_of(file: bytes) -> str:
    """SOPInstanceUID in the data set."""
    return str(pydicom.dcmread(pydicom.filebase.DicomBytesIO(file), specific_tags=["SOPInstanceUID"]).SOPInstanceUID)


def _file(series: Series, number: int, large: tuple[int, ...]) -> bytes:
    """`large` ones are beyond the gateway's buffer, and lie partly on its disk while they come."""
    ds = series.dataset(number)
    if number in large:
        ds.Rows, ds.Columns = ds.Rows * 12, ds.Columns * 12
        ds.PixelData = ds.PixelData * 144
    return file_of(ds)
