"""Signatures by independent implementations: PyJWT signs as the EHR, joserfc verifies what the gateway signs."""

import base64
import hmac
import json
import time
import uuid

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt as jose
from joserfc.jwk import KeySet
from synthetic import context

SERVICE = "recorder.echo"


class Signer:
    """An EHR's key. `token` takes the address to be called and anything to bend."""

    def __init__(self, algorithm: str, issuer: str, kid: str):
        self.algorithm, self.issuer, self.kid = algorithm, issuer, kid
        es = algorithm.startswith("ES")
        self._key = ec.generate_private_key(ec.SECP384R1()) if es else rsa.generate_private_key(65537, 3072)

    def jwks(self) -> dict:
        kind = jwt.algorithms.ECAlgorithm if self.algorithm.startswith("ES") else jwt.algorithms.RSAAlgorithm
        public = kind.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": self.kid, "alg": self.algorithm, "use": "sig"}]}

    def token(self, audience: str, header: dict | None = None, **claims) -> str:
        now = int(time.time())
        payload = {
            "iss": self.issuer,
            "aud": audience,
            "iat": now,
            "exp": now + 120,
            "jti": str(uuid.uuid4()),
            **claims,
        }
        payload = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode(payload, self._key, self.algorithm, headers={"kid": self.kid, **(header or {})})


@pytest.fixture(scope="module")
def signers(gateway, recorder):
    es384 = Signer("ES384", "https://es384.ehr.example", "es384-1")
    # A kid as Epic writes them: base64 with `+`, `/` and `=`.
    rs384 = Signer("RS384", "https://rs384.ehr.example", "kZ+/A8=")
    recorder.publish("/rs384/jwks.json", rs384.jwks())
    gateway.apply("signed", recorder=recorder.base, es384_jwks=json.dumps(es384.jwks()))
    return {"ES384": es384, "RS384": rs384}


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_an_ehr_that_signs_with_pyjwt_gets_cards(gateway, signers, algorithm):
    ehr = gateway.ehr("signed", signers[algorithm].token)
    assert SERVICE in [service["id"] for service in ehr.discovers()]
    assert ehr.fires(SERVICE, context("jose-1")).card_of("Recorder")


@pytest.mark.parametrize(
    ("what", "bent"),
    [
        ("another audience", {"aud": "https://elsewhere.example/cds-services/x"}),
        ("no audience", {"aud": None}),
        ("already over", {"iat": 1_600_000_000, "exp": 1_600_000_100}),
        ("no end", {"exp": None}),
        ("a life of a day", {"exp": int(time.time()) + 86_400}),
        ("no id", {"jti": None}),
        ("an unknown issuer", {"iss": "https://nobody.example"}),
        ("an unknown key", {"header": {"kid": "other"}}),
        ("another type", {"header": {"typ": "at+jwt"}}),
    ],
)
def test_a_token_with_something_wrong_is_a_bare_401(gateway, signers, what, bent):
    ehr = gateway.ehr("signed", lambda url: signers["ES384"].token(**{"audience": url, **bent}))
    answer = ehr.fires(SERVICE, context("jose-2"))
    assert (answer.status, answer.body) == (401, None), what


def test_no_token_is_a_bare_401(gateway, signers):
    answer = gateway.ehr("signed").fires(SERVICE, context("jose-3"))
    assert (answer.status, answer.body) == (401, None)


@pytest.mark.parametrize("algorithm", ["none", "HS384"])
def test_a_forgery_that_names_another_algorithm_is_a_bare_401(gateway, signers, algorithm):
    """Unsigned, and the classic: an HMAC whose secret is the public key."""
    signer = signers["ES384"]
    secret = json.dumps(signer.jwks()["keys"][0]).encode()

    def forged(url: str) -> str:
        _, payload, _ = signer.token(url).split(".")
        signed = f"{base64url({'alg': algorithm, 'typ': 'JWT', 'kid': signer.kid})}.{payload}"
        tag = b"" if algorithm == "none" else hmac.digest(secret, signed.encode(), "sha384")
        return f"{signed}.{base64url(tag)}"

    answer = gateway.ehr("signed", forged).fires(SERVICE, context("jose-4"))
    assert (answer.status, answer.body) == (401, None)


def base64url(part: dict | bytes) -> str:
    data = json.dumps(part).encode() if isinstance(part, dict) else part
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_token_works_once(gateway, signers):
    tokens: list[str] = []

    def same(url: str) -> str:
        tokens[:] = tokens or [signers["ES384"].token(url)]
        return tokens[0]

    ehr = gateway.ehr("signed", same)
    assert ehr.fires(SERVICE, context("jose-5")).status == 200
    assert ehr.fires(SERVICE, context("jose-5")).status == 401


def test_the_vendor_can_verify_the_gateway_s_own_token(gateway, signers, recorder):
    sent = []

    def kept(url: str) -> str:
        sent.append(signers["ES384"].token(url))
        return sent[-1]

    assert gateway.ehr("signed", kept).fires(SERVICE, context("jose-6")).status == 200
    call = recorder.calls[-1]
    assert call.json["context"]["patientId"] == "jose-6"
    assert call.token not in sent, "the EHR's token never leaves"
    claims = verified(gateway, call.token)
    assert claims["aud"] == f"{recorder.base}/cds-services/echo"
    assert claims["iat"] <= time.time() + 1 and 0 < claims["exp"] - claims["iat"] <= 300
    assert claims["iss"] != signers["ES384"].issuer and claims["jti"]


def test_feedback_comes_home_signed_and_in_the_vendor_s_own_ids(gateway, signers, recorder):
    ehr = gateway.ehr("signed", signers["ES384"].token)
    card = ehr.fires(SERVICE, context("jose-8")).card_of("Recorder")
    assert card["uuid"] != "recorded-1"
    item = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-01-15T09:30:00Z"}
    item["overrideReason"] = {"userComment": "次回の受診で確認"}
    assert ehr.posts(f"{SERVICE}/feedback", {"feedback": [item]}).status == 200
    delivery = recorder.wait_for("/cds-services/echo/feedback")
    assert delivery.json == {"feedback": [{**item, "card": "recorded-1"}]}
    assert verified(gateway, delivery.token)["aud"].startswith(f"{recorder.base}/cds-services/echo")


def verified(gateway, token: str) -> dict:
    """The claims, after the gateway's published keys have verified the signature."""
    keys = requests.get(f"{gateway.base}/.well-known/jwks.json", timeout=10).json()
    assert all("d" not in key for key in keys["keys"]), "a private key is published"
    read = jose.decode(token, KeySet.import_key_set(keys), algorithms=["ES384", "RS384"])
    assert read.header["typ"] == "JWT" and read.header["kid"]
    return read.claims


def test_the_tokens_to_a_vendor_differ_from_call_to_call(gateway, signers, recorder):
    ehr = gateway.ehr("signed", signers["ES384"].token)
    seen = []
    for _ in range(3):
        assert ehr.fires(SERVICE, context("jose-7")).status == 200
        seen.append(jwt.decode(recorder.calls[-1].token, options={"verify_signature": False})["jti"])
    assert len(set(seen)) == 3
