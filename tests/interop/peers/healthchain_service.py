"""A polypharmacy check written with HealthChain (PyPI), served the way HealthChain serves it.

The rule is deliberately small and real: six or more active medicines are a reason to review the list
(MHLW, "Guidelines on appropriate medication for older people", 2018, part 1: adverse drug events rise from six on).
What matters to the gateway is the framework around it, which bends the standard: discovery lies at
`/cds/cds-discovery`, carries no prefetch, an `extension` object is answered with 422, there is no feedback
endpoint, empty `actions` leave as `[]` and links carry `autoLaunchable`.

Usage: healthchain_service.py PORT SEEN, where every request body that reaches the handler is appended to SEEN.
"""

import json
import sys

import uvicorn
from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models.requests.cdsrequest import CDSRequest
from healthchain.models.responses.cdsresponse import (
    Card,
    CDSResponse,
    Link,
    Source,
    Suggestion,
)

MANY = 6
PORT, SEEN = int(sys.argv[1]), sys.argv[2]

service = CDSHooksService()


@service.hook(
    "patient-view",
    id="polypharmacy",
    title="Polypharmacy check",
    description="Counts the active medicines and asks for a review from six on.",
)
def polypharmacy(request: CDSRequest) -> CDSResponse:
    note(request)
    medicines = active_medicines(request.prefetch or {})
    if len(medicines) < MANY:
        return CDSResponse(cards=[])
    return CDSResponse(cards=[card(medicines)])


def active_medicines(prefetch: dict) -> list[dict]:
    bundle = prefetch.get("medications") or {}
    resources = [entry.get("resource", {}) for entry in bundle.get("entry", [])]
    return [r for r in resources if r.get("resourceType") == "MedicationRequest" and r.get("status") == "active"]


def card(medicines: list[dict]) -> Card:
    return Card(
        summary=f"{len(medicines)} active medicines: review recommended",
        indicator="warning",
        source=Source(label="HealthChain polypharmacy", url="https://polypharmacy.example.org"),
        detail="<b>Six or more</b> medicines. ![x](http://tracker.example.net/p.png)",
        suggestions=[Suggestion(label="Ask the pharmacist for a review", uuid="ask-pharmacist", isRecommended=True)],
        selectionBehavior="any",
        links=[
            Link(label="Guideline", url="https://guideline.example.org/elderly", type="absolute", autoLaunchable=False),
            Link(label="Shop", url="https://shop.example.net/buy", type="absolute", autoLaunchable=False),
        ],
        uuid="polypharmacy-1",
    )


def note(request: CDSRequest) -> None:
    with open(SEEN, "a", encoding="utf-8") as seen:
        seen.write(json.dumps(request.model_dump(mode="json", exclude_none=True), ensure_ascii=False) + "\n")


app = HealthChainAPI(title="HealthChain vendor", description="Interop peer", enable_cors=False)
app.register_service(service)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
