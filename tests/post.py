"""A post office for tests: aiosmtpd on loopback, which can be told to misbehave."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Post:
    """What the server took."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []
        self.refuse: list[str] = []
        """Answers to the next letters, instead of taking them."""
        self.users: list[str] = []

    async def handle_RCPT(  # noqa: N802 - the server's word for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refuse:
            return self.refuse.pop(0)
        self.letters.append(envelope)
        return "250 taken"

    def message(self, number: int = 0) -> Message:
        content = self.letters[number].content
        assert isinstance(content, bytes)
        return message_from_bytes(content, policy=default)


@contextmanager
def office(tls: ssl.SSLContext | None = None, password: str = "") -> Iterator[tuple[Post, str]]:
    """A server on loopback, and its address."""
    post = Post()

    def known(*given: Any) -> AuthResult:
        login = given[4]
        assert isinstance(login, LoginPassword)
        post.users.append(login.login.decode())
        return AuthResult(success=login.password.decode() == password, handled=False)

    options = {
        "tls_context": tls,
        "require_starttls": tls is not None,
        "authenticator": known if password else None,
        "auth_required": bool(password),
        "auth_require_tls": tls is not None,
        "hostname": "localhost",
    }
    started: Future[str] = Future()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        server = await loop.create_server(lambda: SMTP(post, loop=loop, **options), "127.0.0.1", 0)
        async with server:
            started.set_result(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
            await stop.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            await asyncio.wait([task])
        await asyncio.sleep(0)  # connections that were ended close in the next turn

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield post, started.result(10)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
