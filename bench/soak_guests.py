"""Bad guests and bad backends for the soak: `soak_guests.py` with ports by name as JSON; ends with its input.

Once it says so everything goes on at once: bytes that come one a second, receivers that never read, clients
that say nothing, floods of refused addresses, backends that refuse, hang, or break off in the middle.
"""

import asyncio
import contextlib
import json
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

LOCAL = "127.0.0.1"
BAD = "127.0.0.66"
RESET = struct.pack("ii", 1, 0)


async def guest(port: int) -> socket.socket:
    """A connection from the address that some doors refuse."""
    made = socket.socket()
    made.setblocking(False)
    made.bind((BAD, 0))
    try:
        await asyncio.get_running_loop().sock_connect(made, (LOCAL, port))
    except BaseException:
        made.close()
        raise
    return made


async def again(work: Callable[[], Awaitable[None]], pause: float) -> None:
    """Does it without end, whatever comes of it."""
    while True:
        with contextlib.suppress(OSError):
            await work()
        await asyncio.sleep(pause)


async def drip(port: int) -> None:
    """Half a minute of a byte a second."""
    loop = asyncio.get_running_loop()
    with await guest(port) as client:
        for byte in b"GET /a-page-that-never-comes H":
            await loop.sock_sendall(client, bytes([byte]))
            await asyncio.sleep(1)


async def hold(port: int, seconds: float) -> None:
    """Says nothing, reads nothing."""
    with await guest(port):
        await asyncio.sleep(seconds)


async def knock(port: int) -> None:
    """Says a word and waits for the end."""
    loop = asyncio.get_running_loop()
    with await guest(port) as client:
        await loop.sock_sendall(client, b"x")
        while await loop.sock_recv(client, 65536):
            pass


async def half_open(port: int, count: int, ready: asyncio.Event) -> None:
    """So many that say nothing; a hundredth of them is exchanged now and then."""
    held: list[socket.socket] = []
    while True:
        while len(held) < count:
            try:
                held.append(await guest(port))
            except OSError:
                await asyncio.sleep(0.1)
        ready.set()
        await asyncio.sleep(2)
        for each in held[: count // 100]:
            each.close()
        del held[: count // 100]


async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A backend that talks without end."""
    with contextlib.suppress(OSError, asyncio.CancelledError):
        while True:
            writer.write(b"y" * 65536)
            await writer.drain()


async def vanish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A backend that breaks off in the middle."""
    with contextlib.suppress(OSError, asyncio.CancelledError):
        await reader.read(1)
        writer.write(b"z" * 20_000)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A backend that says what it heard."""
    with contextlib.suppress(OSError, asyncio.CancelledError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def guests(ports: dict[str, int], ready: asyncio.Event) -> list[Coroutine[Any, Any, None]]:
    """All of them."""
    several = [
        *(again(partial(drip, ports["drip"]), 0.1) for _ in range(100)),
        *(again(partial(hold, ports["deaf"], 15), 0.1) for _ in range(40)),
        *(again(partial(hold, ports["tarpit"], 6), 0.05) for _ in range(600)),
        *(again(partial(knock, ports["denied"]), 0.01) for _ in range(4)),
        *(again(partial(knock, ports[name]), 0.3) for name in ("refuses", "vanishes") for _ in range(5)),
        *(again(partial(knock, ports["hangs"]), 0.1) for _ in range(20)),
    ]
    return [*several, half_open(ports["half-open"], ports["half-open count"], ready)]


async def main() -> None:
    """Until nobody wants it any more."""
    ports: dict[str, int] = json.loads(sys.argv[1])
    for name, serve in (("flood", flood), ("vanish", vanish), ("echo", echo)):
        await asyncio.start_server(serve, LOCAL, ports[name], backlog=1024)
    hanging = socket.create_server((LOCAL, ports["hang"]), backlog=0)
    fillers = [socket.socket() for _ in range(4)]
    for each in fillers:
        each.setblocking(False)
        each.connect_ex((LOCAL, ports["hang"]))
    ready = asyncio.Event()
    tasks = [asyncio.create_task(one) for one in guests(ports, ready)]
    await ready.wait()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    # Streams of Python 3.11 report tasks that are cancelled before they began.
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for each in (hanging, *fillers):
        each.close()


if __name__ == "__main__":
    asyncio.run(main())
