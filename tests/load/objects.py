"""The hospitals and services of the measurement, as `medvan apply` takes them.

| hospital | its services | callers |
|---|---|---|
| load-one | one, fast, no token out | loopback |
| load-jwt | one, fast, token out | token in (ES384) |
| load-five | five, fast, no token out | loopback |
| load-delays | five, answering after 5, 10, 15, 18 and 20 ms | loopback |
| load-hung | one, answering after 3 s | loopback |
"""

import payload

FAST = ["fast"] * 5
DELAYS = ["delay-5", "delay-10", "delay-15", "delay-18", "delay-20"]
ISSUER = "https://ehr.load.example"


def all_objects(upstream: str, jwks: dict) -> list[dict]:
    """Everything, in the order in which it can be applied."""
    objects: list[dict] = [_vendor()]
    objects += _hospital("load-one", upstream, FAST[:1])
    objects += _hospital("load-jwt", upstream, FAST[:1], jwks)
    objects += _hospital("load-five", upstream, FAST)
    objects += _hospital("load-delays", upstream, DELAYS)
    objects += _hospital("load-hung", upstream, ["delay-3000"], deadline=10_000)
    return objects


def _hospital(id: str, upstream: str, paths: list[str], jwks: dict | None = None, deadline: int = 2_000) -> list[dict]:
    hospital = {"kind": "Hospital", "id": id, "name": _words(id), "deadlineMs": deadline}
    client = {"kind": "Client", "hospital": id, "id": "ehr", "authentication": _authentication(jwks)}
    objects = [hospital, client]
    for number, path in enumerate(paths):
        service = f"{id}-{number}"
        way_out = "jwt" if jwks else "none"
        objects.append(_service(service, f"{upstream}/{path}", way_out, deadline * 3 // 4))
        objects.append(
            {
                "kind": "Approval",
                "service": f"upstream.{service}",
                "version": "1.0.0",
                "decision": "approve",
                "reason": "Load test",
            }
        )
        objects.append(
            {"kind": "Enrollment", "hospital": id, "service": f"upstream.{service}", "mode": "live", "tier": number}
        )
    return objects


def _authentication(jwks: dict | None) -> object:
    return {"jwt": {"issuer": ISSUER, "jwks": jwks, "algorithms": ["ES384"]}} if jwks else "loopback"


def _vendor() -> dict:
    contact = {"name": "Load test", "email": "load@upstream.example"}
    return {"kind": "Vendor", "id": "upstream", "name": _words("Upstream"), "contact": contact}


def _service(id: str, base: str, authentication: str, deadline: int) -> dict:
    hook = {
        "id": id,
        "hook": payload.HOOK,
        "title": id,
        "description": "Answers a fixed card.",
        "prefetch": payload.TEMPLATES,
        "why": {key: _words("Load test") for key in payload.TEMPLATES},
    }
    descriptor = {
        "descriptor": "1",
        "vendor": "upstream",
        "id": id,
        "version": "1.0.0",
        "name": _words(id),
        "description": _words("Answers a fixed card."),
        "maker": _words("Upstream"),
        "productCategory": _words("Load test"),
        "productName": _words(id),
        "purposes": ["other"],
        "regulatory": {"status": "not_device"},
        "transport": {"kind": "cds-hooks", "baseUrl": base, "authentication": authentication},
        "hooks": [hook],
        "limits": {"deadlineMs": deadline, "concurrency": 1024, "requestBytes": 1 << 20, "responseBytes": 1 << 20},
        "contact": {"name": "Load test", "email": "load@upstream.example"},
        "modelCard": {
            "intendedUse": _words("Load test"),
            "outOfScope": _words("Care"),
            "knownRisks": _words("None"),
        },
    }
    return {"kind": "Service", "descriptor": descriptor}


def _words(text: str) -> dict:
    return {"ja": text, "en": text}
