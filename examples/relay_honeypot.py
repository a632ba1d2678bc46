"""A small honeypot: says what everybody who comes says. relay_honeypot.py 127.0.0.1:2222."""

import json
import sys
import threading

from tidegate.relay import ClosedError, Connection, Event, Services

BANNERS = {b"SSH-": b"SSH-2.0-OpenSSH_9.2\r\n", b"GET ": b"HTTP/1.1 401 Unauthorized\r\n\r\n"}


def told(event: Event) -> None:
    line = {"type": event.type, "id": event.connection_id, "from": event.remote, "said": event.data.hex()}
    print(json.dumps(line), flush=True)


def answer(connection: Connection) -> None:
    with connection:
        try:
            said = connection.recv()
            connection.sendall(BANNERS.get(said[:4], b"login: "))
            while connection.recv():
                connection.sendall(b"Password: ")
        except OSError:
            pass


with Services() as services:
    trap = services.add("trap", on_event=told, addresses=100, max_idle=30, read_timeout=30, close_wait=1)
    print("trap at", trap.listen(sys.argv[1]), flush=True)
    try:
        while True:
            threading.Thread(target=answer, args=(trap.accept(),), name="visitor").start()
    except (ClosedError, KeyboardInterrupt):
        print(trap.log_line(), flush=True)
