"""A network cable that can be cut: a relay between a client and the gateway."""

import socket
import struct
import threading

PIECE = 1 << 16


class Cable:
    """Relays one connection to the port, and is cut when so many bytes have gone there.

    `hard`: the gateway finds the connection reset; else it finds that nothing more comes.
    """

    def __init__(self, port: int, after: int, hard: bool = False):
        self._to, self._after, self._hard = port, after, hard
        # What went to the gateway.
        self.went = bytearray()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._relays, daemon=True)
        self._thread.start()

    def ends(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive(), "the cable was not cut"
        self._door.close()

    def _relays(self) -> None:
        client, _ = self._door.accept()
        with client, socket.create_connection(("127.0.0.1", self._to)) as gateway:
            back = threading.Thread(target=_back, args=(gateway, client), daemon=True)
            back.start()
            while len(self.went) < self._after:
                piece = client.recv(min(PIECE, self._after - len(self.went)))
                if not piece:
                    break
                gateway.sendall(piece)
                self.went += piece
            if self._hard:
                gateway.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                # Or else the thread that reads would keep the connection open.
                gateway.shutdown(socket.SHUT_RD)
            else:
                gateway.shutdown(socket.SHUT_WR)
            client.shutdown(socket.SHUT_RDWR)
            back.join(60)


def _back(gateway: socket.socket, client: socket.socket) -> None:
    try:
        while piece := gateway.recv(PIECE):
            client.sendall(piece)
    except OSError:
        pass
