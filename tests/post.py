"""Post offices for tests: aiosmtpd on loopback, and servers that only misbehave."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tidegate.mail import Account, open_account
from tidegate.model.config import MailSettings

LETTER = b"Subject: hi\r\n\r\nthere\r\n"


def account(server: str, **given: Any) -> Account:
    """One at this server, patient enough for a busy machine."""
    return open_account(
        MailSettings(**{"server": server, "timeout": 20.0, "sender": "pi@example.org", **given})
    )


class Post:
    """What the server took."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []
        self.refuse: list[str] = []
        """Answers to the next letters, instead of taking them."""
        self.grey: dict[str, list[str]] = {}
        """Answers to the next times that somebody writes to an address."""
        self.users: list[str] = []
        self.hello: list[str] = []
        self.tls: list[bool] = []
        self.at_hello: Callable[[], None] = lambda: None
        self.at_letter: Callable[[], None] = lambda: None
        """Called before the answer is given."""

    async def handle_EHLO(  # noqa: N802 - the server's word for it
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.hello.append(hostname)
        self.at_hello()
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such person"
        if self.grey.get(address):
            return self.grey[address].pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refuse:
            return self.refuse.pop(0)
        self.tls.append(session.ssl is not None)
        self.letters.append(envelope)
        self.at_letter()
        return "250 taken"

    def message(self, number: int = 0) -> EmailMessage:
        content = self.letters[number].content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        return message

    def subjects(self) -> list[str]:
        return [str(self.message(number)["Subject"]) for number in range(len(self.letters))]


@contextmanager
def office(
    tls: ssl.SSLContext | None = None, password: str = "", port: int = 0, whole: bool = False, **more: Any
) -> Iterator[tuple[Post, str]]:
    """A server on loopback, and its address. `whole`: by TLS from the beginning, not by STARTTLS."""
    post = Post()

    def known(*given: Any) -> AuthResult:
        login = given[4]
        assert isinstance(login, LoginPassword)
        post.users.append(login.login.decode())
        return AuthResult(success=login.password.decode() == password, handled=False)

    options = {
        "tls_context": None if whole else tls,
        "require_starttls": tls is not None and not whole,
        "authenticator": known if password else None,
        "auth_required": bool(password) and more.get("auth_require_tls", True),  # or aiosmtpd warns
        "auth_require_tls": tls is not None and not whole,
        "hostname": "localhost",
        **more,
    }
    started: Future[str] = Future()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        made = loop.create_server(
            lambda: SMTP(post, loop=loop, **options), "127.0.0.1", port, ssl=tls if whole else None
        )
        async with await made as server:
            started.set_result(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
            await stop.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            await asyncio.wait([task])
        await asyncio.sleep(0)  # connections that were ended close in the next turn

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield post, started.result(30)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


@contextmanager
def saying(*answers: bytes, endless: bytes = b"", hang: bool = False, drop: bool = False) -> Iterator[str]:
    """A server that gives these answers, one to each thing said, and then ends, hangs or never ends.

    It ends when one thing more was said; `drop`: at once.
    """

    words = (b"EHLO", b"HELO", b"MAIL", b"RCPT", b"DATA", b".", b"QUIT", b"AUTH", b"STARTTLS", b"A2LT")
    over = threading.Event()

    def serve() -> None:
        with suppress(OSError), listener.accept()[0] as caller, caller.makefile("rb") as said:
            for number, answer in enumerate(answers, 1):
                caller.sendall(answer)
                if drop and number == len(answers):
                    return
                while line := said.readline():
                    if line.strip().upper().startswith(words):
                        break
            for _ in range(100_000 if endless else 0):
                caller.sendall(endless)
            if hang:
                over.wait(60)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join()
