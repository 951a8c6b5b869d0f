"""The one request that every contender gets: patient-view with a prefetch of about 20 KB."""

import json
import uuid

PATIENT = "load-1"
HOOK = "patient-view"
TEMPLATES = {
    "patient": "Patient/{{context.patientId}}",
    "observations": "Observation?patient={{context.patientId}}&category=vital-signs",
}
SIZE = 20_000


def request() -> bytes:
    """A valid call of about SIZE bytes; the observations fill it."""
    body = {
        "hook": HOOK,
        "hookInstance": str(uuid.UUID(int=0xD1577C6944DDBE6A3E05E953B2EA0000)),
        "context": {"userId": "Practitioner/doctor-1", "patientId": PATIENT},
        "prefetch": {"patient": _patient(), "observations": {"resourceType": "Bundle", "type": "searchset"}},
    }
    entries = body["prefetch"]["observations"]["entry"] = []
    while len(_bytes(body)) < SIZE:
        entries.append({"resource": _observation(len(entries))})
    return _bytes(body)


def cards(service: str) -> str:
    """What the upstream answers, about 1 KB; `service` makes each service's card its own."""
    card = {
        "uuid": "c1",
        "summary": f"Early warning score 5 ({service})",
        "indicator": "warning",
        "detail": "Respiratory rate **2**, oxygen saturation **1**, temperature **2**. " * 8,
        "source": {
            "label": f"Load service {service}",
            "topic": {"system": "https://upstream.example/topics", "code": f"score-{service}"},
        },
        "suggestions": [{"uuid": "s1", "label": "Repeat the vital signs within an hour"}],
        "selectionBehavior": "any",
    }
    return json.dumps({"cards": [card]})


def discovery() -> str:
    return json.dumps({"services": []})


def _bytes(body: dict) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _patient() -> dict:
    return {
        "resourceType": "Patient",
        "id": PATIENT,
        "name": [{"text": "試験　太郎", "family": "試験", "given": ["太郎"]}],
        "gender": "male",
        "birthDate": "1950-01-01",
    }


def _observation(number: int) -> dict:
    code, display, unit = [
        ("9279-1", "呼吸数", "/min"),
        ("59408-5", "酸素飽和度", "%"),
        ("8867-4", "心拍数", "/min"),
        ("8310-5", "体温", "Cel"),
    ][number % 4]
    return {
        "resourceType": "Observation",
        "id": f"vital-{number}",
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "vital-signs",
                    }
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": display}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": f"2026-01-{1 + number % 28:02}T08:{number % 60:02}:00+09:00",
        "valueQuantity": {"value": 18 + number % 5, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }
