"""dcmtk's programs: storescu, findscu, getscu, movescu and echoscu call the gateway, storescp receives from it."""

import subprocess
from pathlib import Path

from processes import Process, free_port

RECEIVER = "STORESCP"


class Dcmtk:
    """Its storescp runs from the making of the object to `stop`."""

    def __init__(self, folder: Path, gateway_port: int):
        self.folder, self._port = folder, gateway_port
        self.received = folder / "received"
        self.received.mkdir()
        self.storescp_port = free_port()
        # Every transfer syntax, and files as they came.
        command = ["storescp", "+xa", "+B", "-aet", RECEIVER, "-od", self.received, str(self.storescp_port)]
        self._storescp = Process(command, folder / "storescp.log")
        self._storescp.wait_for_port(self.storescp_port)

    def stop(self) -> None:
        self._storescp.stop()

    def echoes(self, called: str, calling: str = RECEIVER) -> subprocess.CompletedProcess:
        return self._runs("echoscu", called, calling)

    def stores(self, called: str, *files: Path, options: tuple[str, ...] = ()) -> str:
        return self._succeeds("storescu", called, *options, *files)

    def finds(self, called: str, level: str, *keys: str) -> list[Path]:
        """The answers of C-FIND, each in a file; keys as dcmtk writes them."""
        folder = self._fresh("found")
        asked = [word for key in (f"QueryRetrieveLevel={level}", *keys) for word in ("-k", key)]
        self._succeeds("findscu", called, "-S", "-X", "-od", folder, *asked)
        return sorted(folder.iterdir())

    def gets(self, called: str, level: str, *keys: str, options: tuple[str, ...] = ()) -> list[Path]:
        folder = self._fresh("got")
        asked = [word for key in (f"QueryRetrieveLevel={level}", *keys) for word in ("-k", key)]
        self._succeeds("getscu", called, "-S", "+B", "-od", folder, *options, *asked)
        return sorted(folder.iterdir())

    def moves(self, called: str, destination: str, level: str, *keys: str) -> subprocess.CompletedProcess:
        asked = [word for key in (f"QueryRetrieveLevel={level}", *keys) for word in ("-k", key)]
        return self._runs("movescu", called, RECEIVER, "-S", "-aem", destination, *asked)

    def runs_as(self, calling: str, program: str, called: str, *words: object) -> subprocess.CompletedProcess:
        return self._runs(program, called, calling, *words)

    def _succeeds(self, program: str, called: str, *words: object) -> str:
        done = self._runs(program, called, RECEIVER, *words)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def _runs(self, program: str, called: str, calling: str, *words: object) -> subprocess.CompletedProcess:
        to = ["-aet", calling, "-aec", called, "127.0.0.1", str(self._port)]
        options, files = _split(program, words)
        command = [program, *options, *to, *files]
        return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120)

    def _fresh(self, name: str) -> Path:
        count = sum(1 for _ in self.folder.glob(f"{name}-*"))
        folder = self.folder / f"{name}-{count}"
        folder.mkdir()
        return folder


def _split(program: str, words: tuple) -> tuple[list, list]:
    """storescu wants the files after the address, everything else before it."""
    if program != "storescu":
        return list(words), []
    return [w for w in words if not isinstance(w, Path)], [w for w in words if isinstance(w, Path)]
