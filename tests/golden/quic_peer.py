"""A QUIC server or client for the scenes, on aioquic: `quic_peer.py serve|call ADDRESS PORT JSON`.

The JSON has fields of `QuicConfiguration`, and `retry` and `cert` (a folder) for the server, `times` for the
client: how often it connects, each time with the session ticket it got the time before.
"""

import asyncio
import json
import ssl
import sys
from typing import Any

from aioquic.asyncio import connect, serve
from aioquic.quic.configuration import QuicConfiguration
from aioquic.tls import SessionTicket

PATIENCE = 5.0


async def listen(address: str, port: int, options: dict[str, Any]) -> None:
    """Serves until it is killed; what it is sent is ignored."""
    folder, retry = options.pop("cert"), options.pop("retry", False)
    tickets: dict[bytes, SessionTicket] = {}
    configuration = QuicConfiguration(is_client=False, **options)
    configuration.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    await serve(
        address,
        port,
        configuration=configuration,
        retry=retry,
        session_ticket_fetcher=tickets.get,
        session_ticket_handler=lambda ticket: tickets.__setitem__(ticket.ticket, ticket),
    )
    await asyncio.Event().wait()


async def call(address: str, port: int, options: dict[str, Any]) -> None:
    """Connects, says hello on a stream, closes."""
    tickets: list[SessionTicket] = []
    for _ in range(options.pop("times", 1)):
        configuration = QuicConfiguration(verify_mode=ssl.CERT_NONE, **options)
        configuration.session_ticket = tickets[-1] if tickets else None
        async with (
            asyncio.timeout(PATIENCE),
            connect(
                address, port, configuration=configuration, session_ticket_handler=tickets.append
            ) as peer,
        ):
            _, writer = await peer.create_stream()
            writer.write(b"hello")
            await peer.ping()
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    verb, where, number, words = sys.argv[1:]
    asyncio.run({"serve": listen, "call": call}[verb](where, int(number), json.loads(words)))
