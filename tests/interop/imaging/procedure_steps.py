"""Systems of a hospital that share a worklist by DIMSE (PS3.4 Annex CC), made by pynetdicom: one asks, and may listen for events."""

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pynetdicom import AE, build_context, evt
from pynetdicom.sop_class import (
    UnifiedProcedureStepEvent,
    UnifiedProcedureStepPull,
    UnifiedProcedureStepPush,
    UnifiedProcedureStepQuery,
    UnifiedProcedureStepWatch,
)

EVERY_CLASS = (
    UnifiedProcedureStepPush,
    UnifiedProcedureStepWatch,
    UnifiedProcedureStepPull,
    UnifiedProcedureStepEvent,
    UnifiedProcedureStepQuery,
)
ALL, MATCHING = "1.2.840.10008.5.1.4.34.5", "1.2.840.10008.5.1.4.34.5.1"
CHANGE_STATE, REQUEST_CANCEL, SUBSCRIBE, UNSUBSCRIBE, SUSPEND = range(1, 6)
PENDING = (0xFF00, 0xFF01)


@dataclass(frozen=True)
class Told:
    """An N-EVENT-REPORT."""

    sop_class: str
    workitem: str
    kind: int
    event: Dataset


class Desk:
    """A system that asks under its AE title."""

    def __init__(self, ae_title: str, called: str, port: int):
        self.ae_title, self._called, self._port = ae_title, called, port

    @contextmanager
    def associated(self, *classes: str):
        ae = AE(self.ae_title)
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 60
        contexts = [build_context(sop_class) for sop_class in classes]
        association = ae.associate("127.0.0.1", self._port, contexts=contexts, ae_title=self._called)
        assert association.is_established, f"{self.ae_title} is not let in"
        try:
            yield association
        finally:
            association.release()

    def accepted(self) -> set[str]:
        """Which of the five classes it may use."""
        ae = AE(self.ae_title)
        contexts = [build_context(sop_class) for sop_class in (*EVERY_CLASS, "1.2.840.10008.1.1")]
        association = ae.associate("127.0.0.1", self._port, contexts=contexts, ae_title=self._called)
        assert association.is_established
        held = {str(context.abstract_syntax) for context in association.accepted_contexts}
        association.release()
        return held & set(EVERY_CLASS)

    # Each method is one service over the class that it belongs to, whose instances are all of UPS Push.

    def creates(self, uid: str, workitem: Dataset) -> int:
        with self.associated(UnifiedProcedureStepPush) as association:
            status, _ = association.send_n_create(workitem, UnifiedProcedureStepPush, uid)
        return status.Status

    def gets(self, uid: str, *keywords: str, by: str = UnifiedProcedureStepPull) -> tuple[int, Dataset | None]:
        from pydicom.datadict import tag_for_keyword

        tags = [tag_for_keyword(keyword) for keyword in keywords]
        with self.associated(by) as association:
            status, told = association.send_n_get(tags, UnifiedProcedureStepPush, uid, meta_uid=by)
        return status.Status, told

    def sets(self, uid: str, changes: Dataset) -> int:
        pull = UnifiedProcedureStepPull
        with self.associated(pull) as association:
            status, _ = association.send_n_set(changes, UnifiedProcedureStepPush, uid, meta_uid=pull)
        return status.Status

    def acts(self, uid: str, action: int, by: str, said: Dataset) -> int:
        with self.associated(by) as association:
            status, _ = association.send_n_action(said, action, UnifiedProcedureStepPush, uid, meta_uid=by)
        return status.Status

    def becomes(self, uid: str, state: str, transaction: str | None) -> int:
        said = Dataset()
        said.ProcedureStepState = state
        if transaction is not None:
            said.TransactionUID = transaction
        return self.acts(uid, CHANGE_STATE, UnifiedProcedureStepPull, said)

    def wants_canceled(self, uid: str, reason: str, by: str = UnifiedProcedureStepPush) -> int:
        said = Dataset()
        said.ReasonForCancellation = reason
        return self.acts(uid, REQUEST_CANCEL, by, said)

    def subscribes(self, uid: str, action: int = SUBSCRIBE, receiver: str | None = None, keys: Dataset | None = None) -> int:
        said = keys if keys is not None else Dataset()
        said.ReceivingAE = self.ae_title if receiver is None else receiver
        said.DeletionLock = "FALSE"
        return self.acts(uid, action, UnifiedProcedureStepWatch, said)

    def finds(self, keys: Dataset, by: str = UnifiedProcedureStepPull) -> tuple[int, list[Dataset]]:
        with self.associated(by) as association:
            answers = list(association.send_c_find(keys, by))
        found = [told for status, told in answers if status.Status in PENDING]
        return answers[-1][0].Status, found


class Listener:
    """The other half of a subscriber: SCU of UPS Event, which the gateway calls."""

    def __init__(self, ae_title: str, port: int = 0):
        self._told: list[Told] = []
        self._callers: set[str] = set()
        self._news = threading.Condition()
        ae = AE(ae_title)
        # Only the one who calls may be the SCP.
        ae.add_supported_context(UnifiedProcedureStepEvent, scu_role=False, scp_role=True)
        self._server = ae.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, self._hears)])
        self.port = self._server.socket.getsockname()[1]

    def stop(self) -> None:
        self._server.shutdown()

    @property
    def callers(self) -> set[str]:
        return self._callers

    def heard_of(self, uid: str, many: int, seconds: float = 30) -> list[Told]:
        """The first events of a workitem, so many of them."""
        end = time.monotonic() + seconds
        with self._news:
            while len(heard := [told for told in self._told if told.workitem == uid]) < many:
                left = end - time.monotonic()
                assert left > 0, f"heard of only {len(heard)} events: {heard}"
                self._news.wait(left)
        return heard

    def heard_of_all(self) -> set[str]:
        with self._news:
            return {told.workitem for told in self._told}

    def _hears(self, event) -> tuple[int, None]:
        request = event.request
        told = Told(str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID), event.event_type, event.event_information)
        with self._news:
            self._callers.add(event.assoc.requestor.ae_title)
            self._told.append(told)
            self._news.notify_all()
        return 0, None


def code(value: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "99INTEROP", value
    return item


def workitem(station: str) -> Dataset:
    """Everything that a new one must say (PS3.4 Table CC.2.5-3), types 1 and 2."""
    new = Dataset()
    new.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    new.ProcedureStepState = "SCHEDULED"
    new.ScheduledProcedureStepPriority = "HIGH"
    new.ProcedureStepLabel = "Nodule detection"
    new.WorklistLabel = "AI"
    new.ScheduledProcedureStepStartDateTime = "20261123090000"
    new.InputReadinessState = "READY"
    new.CommentsOnTheScheduledProcedureStep = ""
    new.PatientName = "Yamada^Hanako=山田^花子=やまだ^はなこ"
    new.PatientID, new.PatientBirthDate, new.PatientSex = "SYN-0087", "", "F"
    new.ScheduledStationNameCodeSequence = [code(station)]
    for keyword in (
        "ScheduledProcessingParametersSequence",
        "ScheduledStationClassCodeSequence",
        "ScheduledStationGeographicLocationCodeSequence",
        "ScheduledWorkitemCodeSequence",
        "InputInformationSequence",
        "IssuerOfPatientIDQualifiersSequence",
        "OtherPatientIDsSequence",
        "IssuerOfAdmissionIDSequence",
        "AdmittingDiagnosesCodeSequence",
        "ReferencedRequestSequence",
        "ProcedureStepProgressInformationSequence",
        "UnifiedProcedureStepPerformedProcedureSequence",
    ):
        setattr(new, keyword, [])
    for keyword in ("IssuerOfPatientID", "AdmissionID", "AdmittingDiagnosesDescription"):
        setattr(new, keyword, "")
    return new


def performed(transaction: str, output: Dataset | None = None) -> Dataset:
    """What a performer says before it completes a workitem."""
    done = Dataset()
    done.PerformedStationNameCodeSequence = [code("AI-1")]
    done.PerformedWorkitemCodeSequence = [code("NODULES")]
    done.PerformedProcedureStepStartDateTime = "20261123090000"
    done.PerformedProcedureStepEndDateTime = "20261123090030"
    done.OutputInformationSequence = [output] if output is not None else []
    changes = Dataset()
    changes.TransactionUID = transaction
    changes.UnifiedProcedureStepPerformedProcedureSequence = [done]
    return changes


def progress(transaction: str, percent: str) -> Dataset:
    step = Dataset()
    step.ProcedureStepProgress = percent
    changes = Dataset()
    changes.TransactionUID = transaction
    changes.ProcedureStepProgressInformationSequence = [step]
    return changes
