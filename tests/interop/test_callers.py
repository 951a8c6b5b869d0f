"""Clients that others wrote as callers: fhir-mcp and HealthChain's sandbox."""

import json

import pytest
from synthetic import medicines, patient

# fhir-mcp 0.2.2 always calls `{base}/cds-services/fhir-mcp-{hook}`, an id that no catalog has. A base that ends in a
# query makes its real request arrive at a real service: what it appends becomes the value of a parameter.
AIMED = "/van-patient-view?asked="


@pytest.fixture(scope="module")
def vendors(gateway, healthchain):
    gateway.apply("healthchain", healthchain=healthchain.base)
    return healthchain


@pytest.fixture
def base(gateway, vendors):
    return gateway.ehr("interop").base


def hook(**arguments) -> list:
    context = {"userId": "Practitioner/doctor-1", "patientId": "agent-1"}
    return ["run_cds_hook", {"hook": "patient-view", "context": context, "allow_live": True, **arguments}]


def reached(vendors) -> int:
    return len(vendors.requests())


def test_fhir_mcp_gets_a_conforming_answer_despite_its_constant_hook_instance(agent, base):
    (answer,) = agent(base + AIMED, hook())
    assert answer["fallback_reason"] is None and answer["used_mock"] is False
    assert answer["cards"] == [], "no medicines were sent, so the vendor had nothing to say"


def test_the_vendor_never_sees_the_constant_hook_instance(agent, base, vendors):
    before = reached(vendors)
    agent(base + AIMED, hook())
    assert reached(vendors) == before + 1
    assert vendors.requests()[-1]["hookInstance"] != "fhir-mcp-instance"


def test_the_id_that_fhir_mcp_makes_up_is_404(agent, gateway, base):
    (answer,) = agent(f"{gateway.base}/hospitals/interop", hook())
    assert answer["fallback_reason"] == "http_404"


def test_the_lists_that_fhir_mcp_prefetches_are_refused(agent, base, vendors):
    """Its own prefetch holds JSON arrays where the standard has a resource, a Bundle, or null."""
    before = reached(vendors)
    (found,) = agent(base + AIMED, ["search_patients", {"name": ""}])
    pseudonym = found["patients"][0]["pseudonym"]
    (answer,) = agent(base + AIMED, hook(patient_pseudonym=pseudonym))
    assert answer["fallback_reason"] == "http_400" and answer["used_mock"] is True
    assert reached(vendors) == before


def test_fhir_mcp_renames_the_patient_and_nothing_of_that_other_patient_reaches_a_vendor(agent, base, vendors):
    """It replaces the patient's id in the prefetch, not in the context: to the gateway that is another patient."""
    agent(base + AIMED, hook(prefetch={"medications": medicines("agent-1", 6)}))
    assert "agent-1-medicine-0" not in json.dumps(vendors.requests())


def test_a_context_without_patient_is_refused_before_any_vendor(agent, base, vendors):
    before = reached(vendors)
    (answer,) = agent(base + AIMED, hook(context={"userId": "Practitioner/doctor-1"}))
    assert answer["fallback_reason"] == "http_400"
    assert reached(vendors) == before


def test_healthchain_s_sandbox_sends_its_invented_patient_s_context_with_a_real_prefetch(
    sandbox, base, vendors, tmp_path
):
    prefetch = {"medications": medicines("sandbox-1", 6), "patient": patient("sandbox-1")}
    file = tmp_path / "prefetch.json"
    file.write_text(json.dumps(prefetch), encoding="utf-8")
    told = sandbox(f"{base}/van-patient-view", file)
    assert told["sent"][0]["context"]["patientId"] != "sandbox-1"
    assert "sandbox-1" not in json.dumps(vendors.requests())


def test_healthchain_s_sandbox_reads_an_answer_of_the_gateway(sandbox, base, vendors, tmp_path):
    file = tmp_path / "prefetch.json"
    file.write_text(json.dumps({"medications": None}), encoding="utf-8")
    told = sandbox(f"{base}/van-patient-view", file)
    assert told["answers"] == [{"cards": []}]
