"""HealthChain's CDS service as a vendor that bends the standard."""

import pytest
import requests
from synthetic import context, medicines, patient

SERVICE = "healthchain.polypharmacy"


class TestAlone:
    """What HealthChain 0.16.1 does without a gateway: the reason for each override in objects/healthchain.yaml."""

    @pytest.fixture
    def post(self, healthchain):
        def post(path="/cds/cds-services/polypharmacy", **changes):
            body = {
                "hook": "patient-view",
                "hookInstance": "4b0a2c0e-3a58-4d3b-9b9c-6f1b8f1d7a10",
                "context": context("alone-1"),
                "prefetch": {"medications": medicines("alone-1", 6)},
                **changes,
            }
            return requests.post(healthchain.base + path, json=body, timeout=10)

        return post

    def test_discovery_is_elsewhere_and_without_prefetch(self, healthchain):
        assert requests.get(f"{healthchain.base}/cds/cds-services", timeout=10).status_code == 404
        (service,) = requests.get(f"{healthchain.base}/cds/cds-discovery", timeout=10).json()["services"]
        assert service["id"] == "polypharmacy" and "prefetch" not in service

    def test_an_object_extension_is_422_and_the_error_repeats_the_request(self, post):
        answer = post(extension={"com.example.ehr": {"trigger": "60"}})
        assert answer.status_code == 422 and "com.example.ehr" in answer.text

    def test_a_context_without_user_is_422(self, post):
        assert post(context={"patientId": "alone-1"}).status_code == 422

    def test_feedback_is_404(self, post):
        assert post("/cds/cds-services/polypharmacy/feedback").status_code == 404

    def test_its_cards_break_the_standard(self, post):
        (card,) = post().json()["cards"]
        assert card["suggestions"][0]["actions"] == [], "an empty array, which the standard forbids"
        assert "autoLaunchable" in card["links"][0], "the standard spells it autolaunchable"


@pytest.fixture(scope="module")
def ehr(gateway, healthchain):
    gateway.apply("healthchain", healthchain=healthchain.base)
    return gateway.ehr("interop")


def polypharmacy(ehr, patient_id: str, **more):
    prefetch = {"medications": medicines(patient_id, 7)}
    return ehr.fires(SERVICE, context(patient_id), prefetch=prefetch, **more)


def test_its_hand_entered_prefetch_is_published(ehr):
    (service,) = [service for service in ehr.discovers() if service["id"] == SERVICE]
    assert service["hook"] == "patient-view"
    assert list(service["prefetch"].values()) == ["MedicationRequest?patient={{context.patientId}}&status=active"]


def test_its_card_reaches_the_ehr_mended(ehr):
    card = polypharmacy(ehr, "hc-1").card_of("HealthChain polypharmacy")
    assert card["summary"] == "7 active medicines: review recommended"
    assert card["indicator"] == "warning"
    (suggestion,) = card["suggestions"]
    assert suggestion["label"] == "Ask the pharmacist for a review" and "actions" not in suggestion


def test_html_and_remote_pictures_do_not_reach_the_doctor(ehr):
    detail = polypharmacy(ehr, "hc-2").card_of("HealthChain")["detail"]
    assert "<b>" not in detail and "tracker.example.net" not in detail


def test_only_links_to_hosts_that_the_hospital_allows_remain(ehr):
    links = polypharmacy(ehr, "hc-3").card_of("HealthChain")["links"]
    assert [link["url"] for link in links] == ["https://guideline.example.org/elderly"]


def test_an_extension_of_the_ehr_does_not_kill_it(ehr, healthchain):
    answer = polypharmacy(ehr, "hc-4", extension={"com.example.ehr": {"trigger": "60"}})
    assert answer.card_of("HealthChain")
    assert "extension" not in healthchain.requests()[-1]


def test_it_never_gets_the_token_of_the_ehr(ehr, healthchain):
    secret = "the-ehr-s-own-token"
    authorization = {
        "access_token": secret,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "user/Patient.read",
        "subject": "medvan",
    }
    polypharmacy(ehr, "hc-5", fhirServer="http://127.0.0.1:9/fhir", fhirAuthorization=authorization)
    received = healthchain.requests()[-1]
    assert received["context"]["patientId"] == "hc-5" and secret not in str(received)


def test_it_gets_only_the_keys_that_it_asked_for(ehr, healthchain):
    prefetch = {"medications": medicines("hc-6", 7), "patient": patient("hc-6")}
    ehr.fires(SERVICE, context("hc-6"), prefetch=prefetch)
    received = healthchain.requests()[-1]
    assert received["context"]["patientId"] == "hc-6" and set(received["prefetch"]) == {"medications"}


def test_feedback_is_taken_although_it_has_no_endpoint(ehr):
    card = polypharmacy(ehr, "hc-7").card_of("HealthChain")
    item = {
        "card": card["uuid"],
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}],
        "outcomeTimestamp": "2026-01-15T09:30:00Z",
    }
    assert ehr.posts(f"{SERVICE}/feedback", {"feedback": [item]}).status == 200


def test_a_patient_without_many_medicines_gets_no_card(ehr):
    answer = ehr.fires(SERVICE, context("hc-8"), prefetch={"medications": medicines("hc-8", 2)})
    assert answer.cards == []


def test_a_prefetch_of_another_patient_is_withheld_from_it(ehr, healthchain):
    answer = ehr.fires(SERVICE, context("hc-9"), prefetch={"medications": medicines("somebody-else", 7)})
    assert answer.cards == []
    received = healthchain.requests()[-1]
    assert received["context"]["patientId"] == "hc-9" and "somebody-else" not in str(received)


def test_its_repairs_are_in_the_scorecard(ehr, gateway):
    polypharmacy(ehr, "hc-10")
    marks = gateway.api("/vendors/healthchain/scorecard")["marks"]
    repaired = {mark["rule"] for mark in marks if mark["kind"] == "repaired"}
    assert {"empty-member", "unknown-member", "markdown"} <= repaired
