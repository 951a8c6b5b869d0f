"""Unified Procedure Steps by DIMSE with pynetdicom (PS3.4 Annex CC): the twin of UPS-RS, on the same workitems."""

import pytest
import requests
from archive import Archive
from procedure_steps import (
    ALL,
    EVERY_CLASS,
    MATCHING,
    SUSPEND,
    UNSUBSCRIBE,
    Desk,
    Listener,
    performed,
    progress,
    workitem,
)
from processes import free_port
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom.sop_class import (
    UnifiedProcedureStepPull,
    UnifiedProcedureStepPush,
    UnifiedProcedureStepQuery,
    UnifiedProcedureStepWatch,
)

HOSPITAL, AE_TITLE = "worklists", "WORKLISTS"
STATE, CANCEL_REQUESTED, PROGRESS, ASSIGNED = 1, 2, 3, 5
JSON = "application/dicom+json"


@pytest.fixture(scope="module")
def performer_listens():
    listener = Listener("PERFORMER")
    yield listener
    listener.stop()


@pytest.fixture(scope="module")
def dashboard_port():
    """Where nobody listens until a test does."""
    return free_port()


@pytest.fixture(scope="module")
def web(gateway, performer_listens, dashboard_port):
    """The hospital by UPS-RS."""
    ports = {"performer_port": performer_listens.port, "dashboard_port": dashboard_port}
    gateway.apply("worklist-hospital", hospital=HOSPITAL, ae_title=AE_TITLE, **ports)
    return Archive(gateway.base, HOSPITAL, AE_TITLE)


@pytest.fixture(scope="module")
def ris(web, dicom_port):
    return Desk("RIS", AE_TITLE, dicom_port)


@pytest.fixture(scope="module")
def performer(web, dicom_port):
    return Desk("PERFORMER", AE_TITLE, dicom_port)


@pytest.fixture
def scheduled(ris):
    """A new workitem's UID."""
    uid = generate_uid()
    assert ris.creates(uid, workitem("AI-1")) == 0
    return uid


def of_web(web, uid: str) -> Dataset:
    (told,) = web.asks(f"/workitems/{uid}", JSON).json()
    return Dataset.from_json(told)


def keys(**wanted: object) -> Dataset:
    asked = Dataset()
    asked.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    for keyword, value in wanted.items():
        setattr(asked, keyword, value)
    return asked


def station(value: str) -> list[Dataset]:
    item = Dataset()
    item.CodeValue = value
    return [item]


def state_of(told: list) -> list[str]:
    return [each.event.ProcedureStepState for each in told if each.kind == STATE]


def test_work_is_pushed_found_pulled_and_done_and_the_web_sees_the_same(ris, performer, web):
    uid, transaction = generate_uid(), generate_uid()
    assert ris.creates(uid, workitem("AI-7")) == 0
    seen = of_web(web, uid)
    assert seen.ProcedureStepState == "SCHEDULED"
    assert seen.PatientName == "Yamada^Hanako=山田^花子=やまだ^はなこ"

    asked = keys(ProcedureStepState="SCHEDULED", SOPInstanceUID="", PatientName="*=山田*", ScheduledStationNameCodeSequence=station("AI-7"))
    for sop_class in (UnifiedProcedureStepPull, UnifiedProcedureStepWatch, UnifiedProcedureStepQuery):
        status, found = performer.finds(asked, by=sop_class)
        assert (status, [each.SOPInstanceUID for each in found]) == (0, [uid])
        assert found[0].PatientName == "Yamada^Hanako=山田^花子=やまだ^はなこ"
        assert found[0].ScheduledStationNameCodeSequence[0].CodeValue == "AI-7"

    assert performer.becomes(uid, "IN PROGRESS", transaction) == 0
    assert performer.sets(uid, progress(transaction, "50")) == 0
    status, told = performer.gets(uid, "ProcedureStepState", "ProcedureStepProgressInformationSequence")
    assert (status, told.ProcedureStepState, len(told)) == (0, "IN PROGRESS", 2)
    assert told.ProcedureStepProgressInformationSequence[0].ProcedureStepProgress == "50"
    assert performer.sets(uid, performed(transaction)) == 0
    assert performer.becomes(uid, "COMPLETED", transaction) == 0

    for sop_class in (UnifiedProcedureStepPush, UnifiedProcedureStepWatch, UnifiedProcedureStepPull):
        status, told = ris.gets(uid, by=sop_class)
        assert (status, told.ProcedureStepState) == (0, "COMPLETED")
        assert told.SOPClassUID == UnifiedProcedureStepPush and "TransactionUID" not in told
    seen = of_web(web, uid)
    assert seen.ProcedureStepState == "COMPLETED"
    (done,) = seen.UnifiedProcedureStepPerformedProcedureSequence
    assert done.PerformedStationNameCodeSequence[0].CodeValue == "AI-1"


def test_what_the_web_claims_is_claimed(performer, scheduled, web):
    transaction = generate_uid()
    claim = Dataset()
    claim.TransactionUID, claim.ProcedureStepState = transaction, "IN PROGRESS"
    answer = requests.put(f"{web.root}/workitems/{scheduled}/state", json=claim.to_json_dict(), headers={"Content-Type": JSON}, timeout=30)
    assert answer.status_code == 200
    assert performer.becomes(scheduled, "IN PROGRESS", generate_uid()) == 0xC301
    assert performer.sets(scheduled, performed(transaction)) == 0
    assert performer.becomes(scheduled, "COMPLETED", transaction) == 0


def test_what_the_web_asks_for_is_heard_by_dimse(performer, performer_listens, web):
    uid = generate_uid()
    assert performer.subscribes(MATCHING, keys=keys(ScheduledStationNameCodeSequence=station("AI-5"))) == 0
    created = requests.post(f"{web.root}/workitems?{uid}", json=workitem("AI-5").to_json_dict(), headers={"Content-Type": JSON}, timeout=30)
    assert created.status_code == 201, created.text
    assert performer.becomes(uid, "IN PROGRESS", generate_uid()) == 0
    why = Dataset()
    why.ReasonForCancellation = "山田さんは帰りました"
    asked = requests.post(f"{web.root}/workitems/{uid}/cancelrequest", json=why.to_json_dict(), headers={"Content-Type": JSON}, timeout=30)
    assert asked.status_code == 202, asked.text
    *_, told = performer_listens.heard_of(uid, 4)
    assert (told.kind, told.event.RequestingAE) == (CANCEL_REQUESTED, "portal-of-the-ho")
    assert told.event.ReasonForCancellation == "山田さんは帰りました"
    assert performer.subscribes(MATCHING, UNSUBSCRIBE) == 0


def test_a_creation_has_the_status_of_table_cc_2_5_4(ris, scheduled):
    less, begun, unlabelled, hollow, urgent = (workitem("AI-1") for _ in range(5))
    del less.CommentsOnTheScheduledProcedureStep
    begun.ProcedureStepState = "IN PROGRESS"
    del unlabelled.ProcedureStepLabel
    hollow.ProcedureStepLabel = ""
    urgent.ScheduledProcedureStepPriority = "STAT"
    locked = workitem("AI-1")
    locked.TransactionUID = generate_uid()
    table = [
        (0x0111, scheduled, workitem("AI-1")),
        (0xB300, generate_uid(), less),
        (0xC309, generate_uid(), begun),
        (0x0120, generate_uid(), unlabelled),
        (0x0121, generate_uid(), hollow),
        (0x0106, generate_uid(), urgent),
        (0x0106, generate_uid(), locked),
        (0x0117, ALL, workitem("AI-1")),
    ]
    found = [ris.creates(uid, new) for _, uid, new in table]
    assert [hex(status) for status in found] == [hex(status) for status, *_ in table]


def test_a_change_of_state_has_the_status_of_table_cc_2_1_2(performer, scheduled):
    mine, other = generate_uid(), generate_uid()
    table = [
        (0xC307, generate_uid(), "IN PROGRESS", mine),
        (0xC310, scheduled, "COMPLETED", mine),
        (0xC303, scheduled, "SCHEDULED", mine),
        (0xC301, scheduled, "IN PROGRESS", None),
        (0x0000, scheduled, "IN PROGRESS", mine),
        (0xC302, scheduled, "IN PROGRESS", mine),
        (0xC301, scheduled, "COMPLETED", other),
        (0xC304, scheduled, "COMPLETED", mine),
        (0x0115, scheduled, "PERHAPS", mine),
    ]
    found = [performer.becomes(*asked) for _, *asked in table]
    assert [hex(status) for status in found] == [hex(status) for status, *_ in table]
    assert performer.sets(scheduled, performed(mine)) == 0
    table = [
        (0x0000, scheduled, "COMPLETED", mine),
        (0xB306, scheduled, "COMPLETED", mine),
        (0xC300, scheduled, "CANCELED", mine),
        (0xC300, scheduled, "IN PROGRESS", mine),
    ]
    found = [performer.becomes(*asked) for _, *asked in table]
    assert [hex(status) for status in found] == [hex(status) for status, *_ in table]


def test_a_change_has_the_status_of_table_cc_2_6(performer, scheduled):
    mine = generate_uid()

    def said(transaction: str | None, **values: str) -> Dataset:
        changes = Dataset()
        if transaction:
            changes.TransactionUID = transaction
        for keyword, value in values.items():
            setattr(changes, keyword, value)
        return changes

    assert performer.sets(generate_uid(), said(None, InputReadinessState="READY")) == 0xC307
    assert performer.sets(scheduled, said(mine, InputReadinessState="READY")) == 0xC310
    assert performer.sets(scheduled, said(None, InputReadinessState="INCOMPLETE")) == 0
    assert performer.sets(scheduled, said(None, PatientID="SYN-1")) == 0x0106
    assert performer.sets(scheduled, said(None, ProcedureStepLabel="")) == 0x0121
    assert performer.becomes(scheduled, "IN PROGRESS", mine) == 0
    assert performer.sets(scheduled, said(None, InputReadinessState="READY")) == 0xC301
    assert performer.sets(scheduled, said(generate_uid(), InputReadinessState="READY")) == 0xC301
    assert performer.gets(scheduled, "PatientID", "TransactionUID")[0] == 0x0001
    assert performer.gets(generate_uid())[0] == 0xC307
    assert performer.finds(keys(ScheduledProcedureStepStartDateTime="yesterday"))[0] == 0xA900


def test_a_cancellation_has_the_status_of_table_cc_2_2_2(ris, performer, performer_listens, scheduled):
    mine = generate_uid()
    assert ris.wants_canceled(generate_uid(), "never mind") == 0xC307
    unheard, done = generate_uid(), generate_uid()
    for uid in (unheard, done):
        assert ris.creates(uid, workitem("AI-1")) == 0
        assert performer.becomes(uid, "IN PROGRESS", mine) == 0
    assert ris.wants_canceled(unheard, "never mind") == 0xC312, "its performer cannot be told"
    assert performer.sets(done, performed(mine)) == 0
    assert performer.becomes(done, "COMPLETED", mine) == 0
    assert ris.wants_canceled(done, "never mind") == 0xC311

    # Nobody has taken it.
    assert ris.wants_canceled(scheduled, "never mind", by=UnifiedProcedureStepWatch) == 0
    assert ris.gets(scheduled)[1].ProcedureStepState == "CANCELED"
    assert ris.wants_canceled(scheduled, "never mind") == 0xB304

    # Its performer hears, and decides.
    taken = generate_uid()
    assert ris.creates(taken, workitem("AI-1")) == 0
    assert performer.becomes(taken, "IN PROGRESS", mine) == 0
    assert performer.subscribes(taken) == 0
    assert ris.wants_canceled(taken, "the patient left") == 0
    first, asked = performer_listens.heard_of(taken, 2)
    assert (first.kind, first.event.ProcedureStepState) == (STATE, "IN PROGRESS")
    assert (asked.kind, asked.event.RequestingAE) == (CANCEL_REQUESTED, "RIS")
    assert asked.event.ReasonForCancellation == "the patient left"
    assert asked.sop_class == UnifiedProcedureStepPush


def test_a_subscription_has_the_status_of_table_cc_2_3_3(performer, scheduled):
    unknown = generate_uid()
    assert performer.subscribes(unknown) == 0xC307
    assert performer.subscribes(scheduled, receiver="NOBODY") == 0xC308
    assert performer.subscribes(scheduled, receiver="RIS") == 0x0124
    assert performer.subscribes(scheduled, SUSPEND) == 0xC314
    assert performer.subscribes(scheduled) == 0
    assert performer.subscribes(scheduled, UNSUBSCRIBE) == 0
    assert performer.subscribes(unknown, UNSUBSCRIBE) == 0xC307
    assert performer.subscribes(MATCHING, keys=keys(ScheduledProcedureStepStartDateTime="yesterday")) == 0x0115


def test_a_subscriber_of_one_hears_of_that_one(ris, performer, performer_listens, scheduled):
    other, mine = generate_uid(), generate_uid()
    assert ris.creates(other, workitem("AI-1")) == 0
    assert performer.subscribes(scheduled) == 0
    assert performer.becomes(scheduled, "IN PROGRESS", mine) == 0
    assert performer.sets(scheduled, progress(mine, "70")) == 0
    assert performer.sets(scheduled, performed(mine)) == 0
    assert performer.becomes(scheduled, "COMPLETED", mine) == 0
    told = performer_listens.heard_of(scheduled, 4)
    assert [each.kind for each in told] == [STATE, STATE, PROGRESS, STATE]
    assert state_of(told) == ["SCHEDULED", "IN PROGRESS", "COMPLETED"]
    (step,) = told[2].event.ProcedureStepProgressInformationSequence
    assert step.ProcedureStepProgress == "70"
    assert performer_listens.callers == {AE_TITLE}
    assert other not in performer_listens.heard_of_all()


def test_a_subscriber_of_all_hears_of_what_comes_until_it_suspends(ris, performer, performer_listens):
    assert performer.subscribes(ALL) == 0
    first, second = generate_uid(), generate_uid()
    assert ris.creates(first, workitem("AI-1")) == 0
    told = performer_listens.heard_of(first, 2)
    assert [each.kind for each in told] == [STATE, ASSIGNED]
    assert told[1].event.ScheduledStationNameCodeSequence[0].CodeValue == "AI-1"
    assert performer.subscribes(ALL, SUSPEND) == 0
    assert ris.creates(second, workitem("AI-1")) == 0
    assert performer.becomes(second, "IN PROGRESS", generate_uid()) == 0
    assert performer.becomes(first, "IN PROGRESS", generate_uid()) == 0
    performer_listens.heard_of(first, 3)
    assert second not in performer_listens.heard_of_all(), "it came after the suspension"
    assert performer.subscribes(ALL, UNSUBSCRIBE) == 0


def test_a_subscriber_with_a_filter_hears_of_what_matches(ris, performer, performer_listens):
    assert performer.subscribes(MATCHING, keys=keys(ScheduledStationNameCodeSequence=station("AI-9"), PatientName="*=山田*")) == 0
    other, mine = generate_uid(), generate_uid()
    assert ris.creates(other, workitem("AI-8")) == 0
    assert ris.creates(mine, workitem("AI-9")) == 0
    assert state_of(performer_listens.heard_of(mine, 2)) == ["SCHEDULED"]
    assert other not in performer_listens.heard_of_all()
    assert performer.subscribes(MATCHING, UNSUBSCRIBE) == 0


def test_what_happens_while_a_subscriber_is_away_is_told_when_it_is_back(ris, web, dicom_port, dashboard_port):
    dashboard = Desk("DASHBOARD", AE_TITLE, dicom_port)
    assert dashboard.subscribes(ALL) == 0
    uid, mine = generate_uid(), generate_uid()
    assert ris.creates(uid, workitem("AI-1")) == 0
    assert ris.becomes(uid, "IN PROGRESS", mine) == 0
    listener = Listener("DASHBOARD", dashboard_port)
    try:
        assert state_of(listener.heard_of(uid, 3)) == ["SCHEDULED", "IN PROGRESS"]
    finally:
        assert dashboard.subscribes(ALL, UNSUBSCRIBE) == 0
        listener.stop()


def test_who_may_not_gets_none_of_the_five(performer, web, dicom_port):
    assert performer.accepted() == set(EVERY_CLASS)
    assert Desk("MODALITY", AE_TITLE, dicom_port).accepted() == set()
