"""Starts each peer once for the whole run, and one gateway in front of them."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import synthetic
from processes import Process, free_port

HERE = Path(__file__).parent
PEERS = HERE / "peers"


def environment() -> Path:
    """Where `tests/run` installed the peers."""
    return Path(os.environ.get("MEDVAN_INTEROP", HERE.parent.parent / "target" / "interop"))


class Peer:
    """A vendor made of other people's software."""

    def __init__(self, process: Process, base: str, seen: Path | None = None):
        self.process = process
        self.base = base
        self._seen = seen

    def requests(self) -> list[dict]:
        """The requests that reached its code, oldest first."""
        if not self._seen.exists():
            return []
        return [json.loads(line) for line in self._seen.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def healthchain(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("healthchain"), free_port()
    seen = folder / "seen.jsonl"
    python = environment() / "healthchain" / "bin" / "python"
    process = Process([python, PEERS / "healthchain_service.py", str(port), seen], folder / "log")
    process.wait_for_port(port)
    yield Peer(process, f"http://127.0.0.1:{port}", seen)
    process.stop()


@pytest.fixture(scope="session")
def node_cds_hooks(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("node"), free_port()
    modules = {"NODE_PATH": str(environment() / "node" / "node_modules")}
    process = Process(["node", PEERS / "node_cds_hooks.js", str(port)], folder / "log", modules)
    process.wait_for_port(port)
    yield Peer(process, f"http://127.0.0.1:{port}")
    process.stop()


@pytest.fixture(scope="session")
def recorder():
    from recorder import Recorder

    recorder = Recorder()
    yield recorder
    recorder.stop()


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    from gateway import Gateway

    gateway = Gateway(tmp_path_factory.mktemp("gateway"))
    gateway.apply("hospital")
    yield gateway
    gateway.stop()
    leaked = [word for word in (*synthetic.MARKS, "the-ehr-s-own-token", "eyJ") if word in gateway.log()]
    assert not leaked, f"the gateway's log holds {leaked}"


@pytest.fixture(scope="session")
def agent(tmp_path_factory):
    """`agent(base, [tool, arguments], …)`: what fhir-mcp's tools gave back."""
    state = tmp_path_factory.mktemp("fhir-mcp")
    python = environment() / "fhir-mcp" / "bin" / "python"

    def run(base: str, *calls: list) -> list[dict]:
        command = [python, PEERS / "fhir_mcp_agent.py", base, state]
        return json.loads(output_of(command, json.dumps(calls)))

    return run


@pytest.fixture(scope="session")
def sandbox():
    """`sandbox(url, file)`: what HealthChain's sandbox client sent and read."""
    python = environment() / "healthchain" / "bin" / "python"

    def run(url: str, prefetch: Path) -> dict:
        return json.loads(output_of([python, PEERS / "healthchain_client.py", url, prefetch]))

    return run


def output_of(command: list, text: str = "") -> str:
    done = subprocess.run([str(word) for word in command], input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout
