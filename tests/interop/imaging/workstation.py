"""A workstation that pynetdicom makes: it sends, asks, fetches, and receives what is moved to it.

Data sets go over the wire as they lie in their files, and what comes is kept as it came: pynetdicom neither decodes nor
encodes them on the way.
"""

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, _config, build_context, build_role, evt
from pynetdicom.sop_class import (
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)

from corpus import File

_config.STORE_SEND_CHUNKED_DATASET = True
_config.UNRESTRICTED_STORAGE_SERVICE = True
# What it sends and asks for is the test's business, broken files included.
_config.LOG_HANDLER_LEVEL = "none"

AE_TITLE = "WORKSTATION"
SUCCESS = 0x0000
SYNTAXES = [
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.5",
    *(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 81, 90, 91)),
]


@dataclass(frozen=True)
class Received:
    """An instance that came by C-STORE, in the form in which it came."""

    instance: str
    syntax: str
    data_set: bytes


class Workstation:
    """Its receiver runs from the making of the object to `stop`."""

    def __init__(self, gateway_port: int):
        self._gateway = ("127.0.0.1", gateway_port)
        self._arrived: list[Received] = []
        self._commitments: list[tuple[int, Dataset]] = []
        self._news = threading.Condition()
        ae = AE(AE_TITLE)
        for context in AllStoragePresentationContexts:
            ae.add_supported_context(context.abstract_syntax, SYNTAXES)
        ae.add_supported_context(Verification)
        ae.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
        handlers = [(evt.EVT_C_STORE, self._store), (evt.EVT_N_EVENT_REPORT, self._event)]
        self._server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        self.port = self._server.socket.getsockname()[1]

    def stop(self) -> None:
        self._server.shutdown()

    # --- what it asks of the gateway -------------------------------------------------------------------------------

    def echoes(self, called: str, calling: str = AE_TITLE) -> int:
        with self.associated(called, [build_context(Verification)], calling) as association:
            return association.send_c_echo().Status

    def is_let_in(self, called: str, calling: str) -> bool:
        ae = AE(calling)
        association = ae.associate(*self._gateway, contexts=[build_context(Verification)], ae_title=called)
        let_in = association.is_established
        if let_in:
            association.release()
        return let_in

    def sends(self, called: str, file: File) -> int:
        """C-STORE of a corpus file; the status."""
        return self.sends_path(called, file.path, file.sop_class, file.syntax)

    def sends_path(self, called: str, path: Path, sop_class: str, syntax: str) -> int:
        with self.associated(called, [build_context(sop_class, syntax)]) as association:
            return association.send_c_store(path).Status

    def finds(self, called: str, **keys: object) -> list[Dataset]:
        """The answers of C-FIND."""
        with self.associated(called, [build_context(StudyRootQueryRetrieveInformationModelFind)]) as association:
            answers = association.send_c_find(identifier(**keys), StudyRootQueryRetrieveInformationModelFind)
            answers = list(answers)
        assert answers[-1][0].Status == SUCCESS, answers[-1][0]
        return [found for status, found in answers if status.Status in (0xFF00, 0xFF01)]

    def gets(self, called: str, file: File, **keys: object) -> list[Received]:
        """C-GET in the transfer syntax of the file."""
        model = StudyRootQueryRetrieveInformationModelGet
        contexts = [build_context(model), build_context(file.sop_class, file.syntax)]
        roles = [build_role(file.sop_class, scp_role=True)]
        came: list[Received] = []
        handlers = [(evt.EVT_C_STORE, lambda event: came.append(_received(event)) or SUCCESS)]
        with self.associated(called, contexts, roles=roles, handlers=handlers) as association:
            (*_, (last, _)) = association.send_c_get(identifier(**keys), model)
        assert last.Status == SUCCESS, last
        return came

    def moves_to_itself(self, called: str, **keys: object) -> tuple[int, list[Received]]:
        """C-MOVE with its own receiver as the destination: the last status, and what came."""
        model = StudyRootQueryRetrieveInformationModelMove
        before = len(self._arrived)
        with self.associated(called, [build_context(model)]) as association:
            (*_, (last, _)) = association.send_c_move(identifier(**keys), AE_TITLE, model)
        return last.Status, self._arrived[before:]

    def commits(self, called: str, transaction: str, files: list[tuple[str, str]], seconds: float = 30) -> tuple:
        """Storage commitment of (SOP class, SOP instance): event type and the report, on whichever association."""
        asked = Dataset()
        asked.TransactionUID = transaction
        asked.ReferencedSOPSequence = [_reference(*file) for file in files]
        roles = [build_role(StorageCommitmentPushModel, scu_role=True, scp_role=True)]
        contexts = [build_context(StorageCommitmentPushModel)]
        handlers = [(evt.EVT_N_EVENT_REPORT, self._event)]
        with self.associated(called, contexts, roles=roles, handlers=handlers) as association:
            sop = (StorageCommitmentPushModel, StorageCommitmentPushModelInstance)
            status, _ = association.send_n_action(asked, 1, *sop)
            assert status.Status == SUCCESS, status
            return self._commitment(transaction, seconds)

    @contextmanager
    def associated(self, called: str, contexts: list, calling: str = AE_TITLE, roles=None, handlers=None, port=None):
        ae = AE(calling)
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 60
        extended = {"ext_neg": roles or [], "evt_handlers": handlers or []}
        host, door = self._gateway
        association = ae.associate(host, port or door, contexts=contexts, ae_title=called, **extended)
        assert association.is_established, f"{called} did not let {calling} in"
        try:
            yield association
        finally:
            association.release()

    # --- what comes to it ------------------------------------------------------------------------------------------

    def _store(self, event) -> int:
        with self._news:
            self._arrived.append(_received(event))
            self._news.notify_all()
        return SUCCESS

    def _event(self, event) -> tuple[int, None]:
        with self._news:
            self._commitments.append((event.event_type, event.event_information))
            self._news.notify_all()
        return SUCCESS, None

    def _commitment(self, transaction: str, seconds: float) -> tuple[int, Dataset]:
        end = time.monotonic() + seconds
        with self._news:
            while time.monotonic() < end:
                for kind, report in self._commitments:
                    if report.TransactionUID == transaction:
                        return kind, report
                self._news.wait(end - time.monotonic())
        raise AssertionError("no report about the commitment came")


def identifier(level: str, **keys: object) -> Dataset:
    """The keys of a query or a retrieval, in UTF-8."""
    asked = Dataset()
    asked.SpecificCharacterSet = "ISO_IR 192"
    asked.QueryRetrieveLevel = level
    for keyword, wanted in keys.items():
        setattr(asked, keyword, wanted)
    return asked


def data_set_of(file: bytes) -> bytes:
    """The data set of a DICOM file, without preamble and group 0002."""
    length = int.from_bytes(file[140:144], "little")
    assert file[128:138] == b"DICM\x02\0\0\0UL", "group 0002 begins with its length"
    return file[144 + length :]


def _received(event) -> Received:
    syntax = event.context.transfer_syntax
    return Received(str(event.request.AffectedSOPInstanceUID), str(syntax), event.request.DataSet.getvalue())


def _reference(sop_class: str, instance: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, instance
    return item
