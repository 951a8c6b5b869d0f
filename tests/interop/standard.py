"""Checks of answers against the standard, by an implementation that shares nothing with the gateway's own."""

import json
from pathlib import Path

import jsonschema

SCHEMAS = Path(__file__).parent / "schemas"


def check_discovery(body: dict) -> None:
    """A discovery document as CDS Hooks 2.0.1 wants it."""
    _check("discovery", body)


def check_response(body: dict) -> None:
    """An answer as CDS Hooks 2.0.1 wants it: nothing null, nothing empty but `cards`."""
    _check("response", body)


def check_outcome(body: dict) -> None:
    """An OperationOutcome that tells what is wrong."""
    _check("operation-outcome", body)


def _check(name: str, body: dict) -> None:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(body)
