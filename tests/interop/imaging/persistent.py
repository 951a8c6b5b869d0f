"""The vendor's services once more, such as bear that the gateway is away for a moment: who is cut off tries again. Each says what it
just did, so that a plug can be pulled in that moment."""

import io
import json
import threading
import time
from collections.abc import Callable

import numpy as np
import pydicom
import requests
from analyst import Analyst
from finder import evidence
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, AllStoragePresentationContexts, evt
from served import Handler, Served
from vendor import Carrier, Claim, Performer, Pusher, Refused, Root, client_with

# A service was given images, gave results, had one of them stored; a node was given one.
ASKED, ANSWERED, STORED, DELIVERED = "asked", "answered", "stored", "delivered"
Says = Callable[[str], None]
SUCCESS = 0x0000
PAUSE = 0.05


def persists(do: Callable, *words: object) -> object:
    """Does it until nobody pulls the plug meanwhile. What is refused is refused."""
    while True:
        try:
            return do(*words)
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
            time.sleep(PAUSE)


class PersistentAnalyst(Analyst):
    def __init__(self, says: Says):
        self._says = says
        super().__init__()

    def answers(self, content_type: str, body: bytes) -> dict:
        self._says(ASKED)
        answer = super().answers(content_type, body)
        self._says(ANSWERED)
        return answer


class PersistentModel:
    """A bare model behind the Open Inference Protocol: the brighter half of what it is shown is a mask."""

    def __init__(self, says: Says):
        self._says = says
        self._served = Served(_inference(self))
        self.base = self._served.base

    def stop(self) -> None:
        self._served.stop()

    def infers(self, asked: dict) -> dict:
        self._says(ASKED)
        (image,) = asked["inputs"]
        pixels = np.array(image["data"], dtype=float).reshape(image["shape"])
        mask = (pixels > 0.5).astype(float).ravel().tolist()
        output = {"name": "mask", "datatype": "FP32", "shape": image["shape"], "data": mask}
        self._says(ANSWERED)
        return {"model_name": "bright", "outputs": [output]}


def _inference(model: PersistentModel) -> type:
    class Handles(Handler):
        def do_POST(self):
            answer = json.dumps(model.infers(json.loads(self.body()))).encode()
            self.gives(200, "application/json", answer)

    return Handles


class PersistentRoot(Root):
    """Asked twice it works twice and gives what it found first: an archive keeps what it has."""

    def __init__(self, says: Says):
        self._says = says
        super().__init__("root")

    def takes(self, job: str, study: str, files: list[bytes], token: str | None) -> None:
        super().takes(job, study, files, token)
        self._says(ASKED)

    def returns(self, job: str, study: str, made: list[Dataset]) -> None:
        super().returns(job, study, self._kept.get(job, made))
        self._says(ANSWERED)


class PersistentPusher(Pusher):
    """Asked twice it works twice, on other results each time, which go with the token that came with their images."""

    def __init__(self, says: Says, gateway: str):
        self._says = says
        super().__init__("push", gateway)

    def takes(self, job: str, study: str, files: list[bytes], token: str | None) -> None:
        self.work.begins(self._pushes, study, files, token)
        self._says(ASKED)

    def _pushes(self, study: str, files: list[bytes], token: str) -> None:
        client = client_with(self._gateway, token)
        for result in evidence([pydicom.dcmread(io.BytesIO(file)) for file in files], self._maker):
            try:
                persists(client.store_instances, [result], study)
            except requests.HTTPError as refused:
                # It was asked again meanwhile: these are the results of an earlier try.
                assert refused.response.status_code in (404, 409), refused.response.text
                return
            self._says(STORED)
        self._says(ANSWERED)


class PersistentCarrier(Carrier):
    """Asked twice it sends the same results twice: no result names the try that it is of."""

    def __init__(self, says: Says, title: str, hospital: str, port: int):
        self._says, self._one_by_one = says, threading.Lock()
        super().__init__(title, hospital, port)
        self._ae.acse_timeout = self._ae.dimse_timeout = self._ae.network_timeout = 5

    def _works(self, images: list[Dataset]) -> None:
        self._says(ASKED)
        with self._one_by_one:
            study = images[0].StudyInstanceUID
            made = self.work.made.setdefault(study, []) or evidence(images, "dimse")
            self.work.made[study] = made
            while not self._carries(made):
                time.sleep(PAUSE)
        self._says(ANSWERED)

    def _carries(self, made: list[Dataset]) -> bool:
        """Whether each got a word: that it is stored, or that nobody waits for it any more."""
        association = self._ae.associate("127.0.0.1", self._gateway_port, ae_title=self._hospital)
        if not association.is_established:
            return False
        try:
            for result in made:
                if not association.is_established or "Status" not in (told := association.send_c_store(result)):
                    return False
                if told.Status == SUCCESS:
                    self._says(STORED)
            return True
        except (RuntimeError, ValueError):
            # The association broke under it.
            return False
        finally:
            association.release()


class PersistentPerformer(Performer):
    """Takes what there is on the worklist until `stop`."""

    def __init__(self, says: Says, root: str, credential: str):
        super().__init__(root, credential)
        self._says = says
        self._is_over = threading.Event()
        self._thread = self.work.begins(self._pulls)

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _pulls(self) -> None:
        while not self._is_over.wait(PAUSE):
            for workitem in self.waiting():
                claim = self.claims(workitem.SOPInstanceUID)
                self._says(ASKED)
                self.performs(claim)
                self._says(ANSWERED)

    def fetches(self, claim: Claim) -> list[Dataset]:
        return persists(super().fetches, claim)

    def stores(self, claim: Claim, made: list[Dataset]) -> None:
        persists(super().stores, claim, made)
        self._says(STORED)

    def _asks(self, method: str, path: str, data: Dataset | None = None) -> requests.Response:
        """A change of state of which no answer was heard is asked for again; that it was made already is no fault then."""
        tries = 0
        while True:
            tries += 1
            try:
                return super()._asks(method, path, data)
            except requests.RequestException:
                time.sleep(PAUSE)
            except Refused as refused:
                if tries == 1 or not path.endswith("/state"):
                    raise
                return refused.answer


class Node:
    """A node that remembers what it got."""

    def __init__(self, title: str, says: Says):
        self.got: list[str] = []
        self._says = says
        ae = AE(title)
        for context in AllStoragePresentationContexts:
            ae.add_supported_context(context.abstract_syntax, ExplicitVRLittleEndian)
        self._server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, self._keeps)])
        self.port = self._server.server_address[1]

    def stop(self) -> None:
        self._server.shutdown()

    def _keeps(self, event: evt.Event) -> int:
        self.got.append(str(event.request.AffectedSOPInstanceUID))
        self._says(DELIVERED)
        return SUCCESS
