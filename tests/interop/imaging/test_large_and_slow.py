"""Memory is bounded whatever comes and goes: studies larger than it, clients that are slow, clients that are cut off."""

import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from archive import BOUNDARY, value
from bulk import Bulk, DataSetDigest, asked, digests_of, megabytes, stores_streamed
from house import House
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import build_context, build_role, evt
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet
from studies import Series
from workstation import SUCCESS, identifier

MOST = 256 << 20
# Of what is awaited without a clock of one's own: a gateway that hangs.
HANGS = 120


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    assert house.gateway.lives()
    house.stop()


def sends_all(house: House, called: str, bulk: Bulk, path) -> None:
    """C-STORE of all of it in one association, each file on disk only while it is sent."""
    with house.workstation.associated(called, [build_context(CTImageStorage, ExplicitVRLittleEndian)]) as association:
        for number in range(1, bulk.instances + 1):
            bulk.write(number, path)
            assert association.send_c_store(path).Status == SUCCESS


def gets_all(house: House, called: str, bulk: Bulk) -> dict[str, str]:
    """C-GET of the study: digests by SOP Instance UID."""
    model, came = StudyRootQueryRetrieveInformationModelGet, {}

    def keep(event) -> int:
        digest = DataSetDigest()
        digest.update(bytes(128) + b"DICM\x02\0\0\0UL\x04\0" + bytes(4))
        digest.update(event.request.DataSet.getbuffer())
        came[str(event.request.AffectedSOPInstanceUID)] = digest.hexdigest()
        return SUCCESS

    contexts = [build_context(model), build_context(CTImageStorage, ExplicitVRLittleEndian)]
    roles = [build_role(CTImageStorage, scp_role=True)]
    with house.workstation.associated(called, contexts, roles=roles, handlers=[(evt.EVT_C_STORE, keep)]) as association:
        keys = identifier("STUDY", StudyInstanceUID=bulk.series.study_uid)
        (*_, (last, _)) = association.send_c_get(keys, model)
    assert last.Status == SUCCESS, last
    return came


# A study of many instances, and one of a single instance that is larger than the memory that may be taken.
BULKS = [Bulk("large", instances=megabytes() // 2), Bulk("huge", instances=1, frames=136)]


@pytest.mark.parametrize("bulk", BULKS, ids=lambda bulk: bulk.name)
class TestLarge:
    def test_by_dicomweb(self, house, bulk):
        archive = house.hospital("dicomweb")
        stored = stores_streamed(archive, bulk)
        assert stored.status == 200 and set(stored.instances) == bulk.uids()
        assert sorted(digests_of(asked(archive, bulk.study_path))) == sorted(bulk.digests().values())
        assert house.gateway.peak_memory() < MOST

    def test_by_dimse(self, house, bulk, tmp_path):
        archive = house.hospital("dimse")
        sends_all(house, archive.ae_title, bulk, tmp_path / "one.dcm")
        assert gets_all(house, archive.ae_title, bulk) == bulk.digests()
        assert house.gateway.peak_memory() < MOST
