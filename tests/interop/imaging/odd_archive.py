"""A hospital's archive that pynetdicom makes, and that does not do what it should: each class is one that is met somewhere."""

import threading
from collections.abc import Iterator

from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE, build_context, evt
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)
from studies import Series

AE_TITLE = "ODD"
SUCCESS, PENDING, OUT_OF_RESOURCES = 0x0000, 0xFF00, 0xA700


class OddArchive:
    """Has one study, tells of it, and gives it by C-MOVE and C-GET. Runs from the making of the object to `stop`."""

    def __init__(self, study: Series, gateway_port: int):
        self.study, self.gateway_port = study, gateway_port
        self.asked: list[str] = []
        self.over = threading.Event()
        self.ae = AE(AE_TITLE)
        models = [
            StudyRootQueryRetrieveInformationModelFind,
            StudyRootQueryRetrieveInformationModelMove,
            StudyRootQueryRetrieveInformationModelGet,
        ]
        for model in models:
            self.ae.add_supported_context(model)
        self.ae.add_supported_context(CTImageStorage, ExplicitVRLittleEndian, scu_role=True, scp_role=True)
        self.ae.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
        self.prepares()
        handlers = [(evt.EVT_C_FIND, self._finds), (evt.EVT_C_MOVE, self.moves), (evt.EVT_C_GET, self.gets)]
        self._server = self.ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
        self.port = self._server.socket.getsockname()[1]

    def stop(self) -> None:
        self.over.set()
        self._server.shutdown()

    def prepares(self) -> None:
        """Before it listens."""

    def _finds(self, event: evt.Event) -> Iterator[tuple[int, Dataset | None]]:
        level = event.identifier.QueryRetrieveLevel
        self.asked.append(level)
        yield from {"STUDY": self.tells_studies, "SERIES": self.tells_series, "IMAGE": self.tells_images}[level]()

    def tells_studies(self) -> Iterator[tuple[int, Dataset | None]]:
        yield PENDING, self.told_study(self.study)

    def tells_series(self) -> Iterator[tuple[int, Dataset | None]]:
        told = Dataset()
        told.QueryRetrieveLevel, told.SeriesInstanceUID, told.Modality = "SERIES", self.study.series_uid, "CT"
        yield PENDING, told

    def tells_images(self) -> Iterator[tuple[int, Dataset | None]]:
        for number in range(1, self.study.slices + 1):
            told = Dataset()
            told.QueryRetrieveLevel, told.SOPInstanceUID = "IMAGE", self.study.instance_uid(number)
            told.SOPClassUID = CTImageStorage
            yield PENDING, told

    def told_study(self, study: Series) -> Dataset:
        told = Dataset()
        told.QueryRetrieveLevel, told.StudyInstanceUID = "STUDY", study.study_uid
        told.PatientID, told.StudyDate = study.patient_id, study.day.strftime("%Y%m%d")
        told.ModalitiesInStudy = "CT"
        return told

    def moves(self, event: evt.Event) -> Iterator:
        self.asked.append("MOVE")
        yield "127.0.0.1", self.gateway_port, {"contexts": [build_context(CTImageStorage, ExplicitVRLittleEndian)]}
        yield from self.gives()

    def gets(self, event: evt.Event) -> Iterator:
        self.asked.append("GET")
        yield from self.gives()

    def gives(self) -> Iterator:
        yield self.study.slices
        for number in range(1, self.study.slices + 1):
            yield PENDING, self.image(number)

    def image(self, number: int) -> Dataset:
        image = self.study.dataset(number)
        image.file_meta = Dataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        return image


class Hangs(OddArchive):
    """Takes the question and never answers."""

    def tells_studies(self):
        self.over.wait(120)
        yield SUCCESS, None


class HangsOnce(OddArchive):
    """Never answers the first question."""

    def tells_studies(self):
        if self.asked == ["STUDY"]:
            self.over.wait(120)
            return
        yield from super().tells_studies()


class RefusesAssociations(OddArchive):
    def prepares(self) -> None:
        self.ae.require_calling_aet = ["SOMEBODY_ELSE"]


class RefusesToSearch(OddArchive):
    def tells_studies(self):
        yield OUT_OF_RESOURCES, None


class TellsOfAnother(OddArchive):
    """Another patient's study, whatever is asked."""

    def told_study(self, study: Series) -> Dataset:
        told = super().told_study(study)
        told.PatientID = "SOMEBODY"
        return told


class TellsTooMuch(OddArchive):
    """Ten thousand studies, older and older; the one that counts is somewhere among them."""

    def tells_studies(self):
        for number in range(10_000):
            if number == 7_000:
                yield PENDING, self.told_study(self.study)
            told = self.told_study(self.study)
            told.StudyInstanceUID = f"2.25.{number + 1}"
            told.StudyDate = "20250301"
            yield PENDING, told


class GivesNothing(OddArchive):
    """Says that all went well."""

    def gives(self):
        yield 0


class GivesAnothers(OddArchive):
    """Images of another patient under the UIDs that it told."""

    def image(self, number: int) -> Dataset:
        image = super().image(number)
        image.PatientID = "SOMEBODY"
        return image


class SaysNoOriginator(OddArchive):
    """Sends without saying for whose C-MOVE (PS3.7 section 9.1.1.1.6)."""

    def moves(self, event: evt.Event):
        self.asked.append("MOVE")
        association = self.ae.associate("127.0.0.1", self.gateway_port, ae_title=str(event.move_destination).strip())
        assert association.is_established
        told = [association.send_c_store(self.image(number)).Status for number in range(1, self.study.slices + 1)]
        association.release()
        assert told == [SUCCESS] * self.study.slices, told
        yield "127.0.0.1", self.gateway_port
        yield 0


