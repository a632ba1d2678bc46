"""Settings of mail: the one server that reports and alerts go by, and what reports look like in the post."""

from dataclasses import dataclass
from typing import Annotated, Literal

from tidegate.model.config.option import DURATION, SIZE, option

Security = Literal["none", "starttls", "tls"]


@dataclass(frozen=True)
class MailSettings:
    """Mail."""

    server: str = option("localhost:25", "SMTP server and port; 25, 587 or 465 by security unless given")
    security: Security = option("none", "none, starttls or tls")
    sender: str = option("", "address it comes from; tidegate@ this host unless given")
    hello: str = option(
        "", "name this machine says hello by (EHLO); its host name, or its address if that has no dot"
    )
    user: str = option("", "user name at the server, or ${VARIABLE}; needs starttls or tls")
    user_file: str = option("", "file whose first line is the user name, readable by nobody else")
    password: str = option("", "${VARIABLE}: the variable of the environment that holds the password")
    password_file: str = option(
        "",
        "file whose first line is the password, readable by nobody else; "
        "${CREDENTIALS_DIRECTORY}/NAME is a credential of systemd",
    )
    ca_file: str = option("", "PEM file of certificates to trust instead of the system's")
    timeout: Annotated[float, DURATION] = option(30.0, "how long the server may be silent")
    to: tuple[str, ...] = option((), "who gets reports")
    subject: str = option(
        "[tidegate {host}] {title}",
        "subject of reports; {title}, {report}, {host}, {begin}, {end}, {zone} are put in",
    )
    text: str = option("", "text before each report; the same are put in")
    max_size: Annotated[int, SIZE] = option(
        10_000_000, "a mail is not larger: what does not fit is left out, and said"
    )
    outbox: str = option("", "directory of what is to be sent; in the store unless given")
    outbox_size: Annotated[int, SIZE] = option(
        200_000_000, "size of what waits; the oldest goes first, and is said"
    )
    keep: Annotated[float, DURATION] = option(5 * 86400.0, "how long it is tried to send a report")
