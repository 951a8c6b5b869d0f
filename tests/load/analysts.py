"""AI services that cost next to nothing: they read the request, wait a moment, and find one box in the first image."""

import asyncio
import json
import re
import threading
import time

# Seconds between the last byte of a request and the answer.
ANSWERS_AFTER = 0.05


class Analysts:
    """Any number of services at one port, told apart by their paths; runs as a context."""

    def __init__(self):
        self.good = 0
        self._one_of: int | None = None
        self._seen: dict[str, list[tuple[float, float]]] = {}
        self._tried: set[tuple[str, str]] = set()
        self._news = threading.Condition()
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> "Analysts":
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        serving = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, "127.0.0.1", 0), self._loop)
        self.base = f"http://127.0.0.1:{serving.result(30).sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    def fails(self, one_of: int) -> None:
        """From now on one of so many jobs is answered with 500 the first time."""
        self._one_of = one_of

    def waits_for(self, study: str, answers: int) -> tuple[float, float]:
        """When the first request about a study began, and when the last of so many answers had left."""
        with self._news:
            if not self._news.wait_for(lambda: len(self._seen.get(study, [])) == answers, 60):
                raise SystemExit(f"a study was not asked about {answers} times within a minute")
            return min(begun for begun, _ in self._seen[study]), max(ended for _, ended in self._seen[study])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                begun = time.monotonic()
                body = await _chunks(reader)
                await asyncio.sleep(ANSWERS_AFTER)
                await self._answer(writer, head, body, begun)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, head: bytes, body: bytes, begun: float) -> None:
        asked = json.loads(re.search(rb"\{\"images\".*?\}\s*\r\n--|\{.*?\}\r\n--", body, re.S).group(0).rsplit(b"\r\n", 1)[0])
        path, job = head.split(b" ", 2)[1].decode(), asked["job"]
        if self._one_of and (path, job) not in self._tried and int(job[-4:], 16) % self._one_of == 0:
            self._tried.add((path, job))
            writer.write(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
            return await writer.drain()
        box = {"type": "box", "image": {"instance": asked["images"][0]["instance"]}, "from": [1, 1], "to": [9, 9]}
        code = {"scheme": "99LOAD", "code": "box", "meaning": "Box"}
        answer = json.dumps({"format": "1", "findings": [{"id": "box", "code": code, "place": box}]}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))
        await writer.drain()
        with self._news:
            self.good += 1
            self._seen.setdefault(asked["study"], []).append((begun, time.monotonic()))
            self._news.notify_all()


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    """A body whose length was not told (RFC 9112 section 7.1)."""
    body = bytearray()
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return bytes(body)
