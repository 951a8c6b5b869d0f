"""The CDS service of the npm package `cds-hooks` as a vendor."""

import pytest
import requests
from synthetic import context, medicines, patient

SERVICE = "andes.cardiovascular"
PATH = "/cds-services/idDelHookPatientView"


class TestAlone:
    """What cds-hooks 1.1.1 does without a gateway."""

    def test_discovery_says_name_instead_of_title(self, node_cds_hooks):
        (service,) = requests.get(f"{node_cds_hooks.base}/cds-services", timeout=10).json()["services"]
        assert "title" not in service and service["name"] == "CDS para Patient-View"

    def test_its_critical_card_has_no_source(self, node_cds_hooks):
        body = {"prefetch": {"patient": patient("alone-2")}}
        cards = requests.post(node_cds_hooks.base + PATH, json=body, timeout=10).json()["cards"]
        assert [("source" in card, card["indicator"]) for card in cards] == [(True, "warning"), (False, "critical")]

    @pytest.mark.parametrize("body", [{}, {"prefetch": {"patient": None}}])
    def test_missing_data_is_answered_with_a_page_of_html(self, node_cds_hooks, body):
        answer = requests.post(node_cds_hooks.base + PATH, json=body, timeout=10)
        assert answer.status_code == 500 and answer.text.startswith("<!DOCTYPE html>")

    def test_feedback_is_404(self, node_cds_hooks):
        assert requests.post(f"{node_cds_hooks.base}{PATH}/feedback", json={}, timeout=10).status_code == 404


@pytest.fixture(scope="module")
def ehr(gateway, node_cds_hooks):
    gateway.apply("node-cds-hooks", node_cds_hooks=node_cds_hooks.base)
    return gateway.ehr("interop")


def test_the_conforming_card_arrives_and_the_one_without_source_is_held_back(ehr):
    (card,) = ehr.fires(SERVICE, context("node-1"), prefetch={"patient": patient("node-1")}).cards
    assert card["indicator"] == "warning"
    assert "試験 花子" in card["summary"], "the name as the EHR sent it"
    assert "links" not in card, "its link's host is not on the hospital's list"


def test_the_title_missing_in_its_discovery_comes_from_the_descriptor(ehr):
    (service,) = [service for service in ehr.discovers() if service["id"] == SERVICE]
    assert service["title"] == "Cardiovascular guide"


def test_its_stack_trace_never_reaches_the_ehr(ehr, gateway):
    answer = ehr.fires(SERVICE, context("node-2"), prefetch={"patient": None})
    assert answer.status in (200, 412)
    text = str(answer.body)
    assert "TypeError" not in text and "<pre>" not in text
    assert "TypeError" not in gateway.log()


def test_its_failure_costs_no_other_vendor_a_card(gateway, ehr, healthchain):
    gateway.apply("healthchain", healthchain=healthchain.base)
    prefetch = {"patient": None, "medications": medicines("node-3", 6)}
    answer = ehr.fires("van-patient-view", context("node-3"), prefetch=prefetch)
    assert answer.card_of("HealthChain polypharmacy")


def test_both_vendors_answer_one_call(gateway, ehr, healthchain):
    gateway.apply("healthchain", healthchain=healthchain.base)
    prefetch = {"patient": patient("node-4"), "medications": medicines("node-4", 6)}
    answer = ehr.fires("van-patient-view", context("node-4"), prefetch=prefetch)
    assert answer.card_of("HealthChain polypharmacy") and answer.card_of("riesgo cardiovascular")
    assert len({card["uuid"] for card in answer.cards}) == 2
