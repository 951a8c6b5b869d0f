"""An EHR's ES384 tokens, signed before the run: the gateway takes each `jti` once, so every request needs its own."""

import base64
import json
import multiprocessing
import time
import uuid
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from objects import ISSUER

KID = "load-1"
BYTES = 48


class Signer:
    """One P-384 key."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP384R1())

    def jwks(self) -> dict:
        point = self._key.public_key().public_numbers()
        key = {"kty": "EC", "crv": "P-384", "alg": "ES384", "use": "sig", "kid": KID}
        key |= {"x": _encoded(point.x.to_bytes(BYTES, "big")), "y": _encoded(point.y.to_bytes(BYTES, "big"))}
        return {"keys": [key]}

    def write(self, file: Path, audience: str, count: int) -> None:
        """So many different tokens, one a line, made on every core."""
        cores = multiprocessing.cpu_count()
        pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with multiprocessing.Pool(cores) as pool:
            parts = pool.starmap(_tokens, [(pem, audience, -(-count // cores))] * cores)
        file.write_text("\n".join(token for part in parts for token in part) + "\n", encoding="ascii")


def _tokens(pem: bytes, audience: str, count: int) -> list[str]:
    key, issued = serialization.load_pem_private_key(pem, None), int(time.time())
    return [_token(key, audience, issued) for _ in range(count)]


def _token(key: ec.EllipticCurvePrivateKey, audience: str, issued: int) -> str:
    header = {"alg": "ES384", "typ": "JWT", "kid": KID}
    claims = {"iss": ISSUER, "aud": audience, "iat": issued, "exp": issued + 290, "jti": uuid.uuid4().hex}
    signed = f"{_encoded(json.dumps(header))}.{_encoded(json.dumps(claims))}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA384())))
    return f"{signed}.{_encoded(r.to_bytes(BYTES, 'big') + s.to_bytes(BYTES, 'big'))}"


def _encoded(part: bytes | str) -> str:
    part = part.encode() if isinstance(part, str) else part
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
