"""Synthetic patients of these tests."""

# What every one of them contains: found anywhere else, clinical content has leaked.
MARKS = ("試験　花子", "試験薬", "-medicine-", "1941-02-03")


def patient(id: str) -> dict:
    return {
        "resourceType": "Patient",
        "id": id,
        "name": [{"text": "試験　花子", "family": "試験", "given": ["花子"]}],
        "gender": "female",
        "birthDate": "1941-02-03",
    }


def medicines(patient_id: str, count: int) -> dict:
    """A search result with so many active prescriptions."""
    entries = [{"resource": _medicine(patient_id, number)} for number in range(count)]
    return {"resourceType": "Bundle", "type": "searchset", "total": count, "entry": entries}


def context(patient_id: str, user: str = "Practitioner/doctor-1") -> dict:
    return {"userId": user, "patientId": patient_id}


def _medicine(patient_id: str, number: int) -> dict:
    return {
        "resourceType": "MedicationRequest",
        "id": f"{patient_id}-medicine-{number}",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": f"試験薬{number}"},
        "subject": {"reference": f"Patient/{patient_id}"},
    }
