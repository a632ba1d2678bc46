"""Questions and their answers: one file, one question. Each can be called by its name, as a function.

from tidegate.queries import http_hosts

http_hosts(limit=5)                    # over the store
http_hosts(capture="x.pcap", limit=5)  # over a capture
"""

from tidegate.queries.question import Question


def __getattr__(name: str) -> Question:
    """The question of that name, loaded only when it is asked."""
    from tidegate.queries.questions import QUESTIONS

    for question in QUESTIONS:
        if question.name.replace("-", "_") == name:
            return question
    raise AttributeError(f"module 'tidegate.queries' has no question {name!r}")


def __dir__() -> list[str]:
    from tidegate.queries.questions import QUESTIONS

    return [question.name.replace("-", "_") for question in QUESTIONS]
