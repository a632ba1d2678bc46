"""The helper's loop: it takes questions from the worker until the worker is gone."""

import selectors
import socket
from collections.abc import Sequence

from tidegate.helper import messages
from tidegate.helper.answers import Answer, Answers


def serve(questions: socket.socket, others: Sequence[socket.socket], answers: Answers) -> None:
    """Answers on all connections; ends when the first one is closed at its other end."""
    with selectors.DefaultSelector() as selector:
        for connection in (questions, *others):
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ, connection)
        while True:
            for key, _ in selector.select():
                connection = key.data
                if _serve_one(connection, answers):
                    continue
                if connection is questions:
                    return
                selector.unregister(connection)


def _serve_one(connection: socket.socket, answers: Answers) -> bool:
    """Takes one question; False if there will be no more. An empty message ends it too."""
    try:
        # No room for control messages: descriptors that come along are closed by the kernel.
        message, _, flags, _ = connection.recvmsg(messages.QUESTION, 0)
    except (BlockingIOError, InterruptedError):
        return True
    except OSError:
        return False
    if not message:
        return False
    _send(connection, _answer(message, flags, answers))
    return True


def _answer(message: bytes, flags: int, answers: Answers) -> Answer:
    try:
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            raise messages.Refused("too long" if flags & socket.MSG_TRUNC else "descriptors")
        return answers.answer(messages.parse(message))
    except messages.Refused as refused:
        return Answer({"errno": 22, "error": f"refused: {refused}"})
    except Exception as error:  # noqa: BLE001 - no question may end the helper
        return Answer({"errno": 5, "error": f"could not be answered: {type(error).__name__}"})


def _send(connection: socket.socket, answer: Answer) -> None:
    """Hands the answer over, or forgets it where nobody takes it: the helper waits for no one."""
    message = messages.encode(answer.fields)
    if len(message) > messages.ANSWER:
        message = messages.encode({"errno": 7, "error": "the answer is too long"})
    try:
        if answer.handed:
            socket.send_fds(connection, [message], [one.fileno() for one in answer.handed])
        else:
            connection.send(message)
    except OSError:
        pass
    finally:
        for one in answer.handed:
            one.close()
