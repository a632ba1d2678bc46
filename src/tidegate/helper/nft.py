"""Tables of nftables, through libnftables: the kernel removes them when their maker ends.

A table that is owned goes with the connection that made it, however its process ends, and is left alone when
somebody loads their own rules (`nft flush ruleset`). Kernels before 5.12 know no owner: there its name tells
whose it was.
"""

import ctypes
from contextlib import suppress

from tidegate.helper.capabilities import NET_ADMIN, held
from tidegate.model.errors import TidegateError

LIBRARY = "libnftables.so.1"

_NO_RIGHT = "it needs root, or the capability CAP_NET_ADMIN"


class TableError(TidegateError):
    """A table that could not be made; its text says why."""


class Table:
    """A table that is there until it is closed."""

    def __init__(self, family: str, name: str, content: str) -> None:
        """`content` is what stands in the braces, in nft's language. Raises TableError."""
        self._library = _library()
        if NET_ADMIN not in held():  # the library would print this itself, whatever is asked of it
            raise TableError(_NO_RIGHT)
        self._context = self._library.nft_ctx_new(0)
        if not self._context:
            raise TableError("nftables cannot be spoken to")
        self._library.nft_ctx_buffer_output(self._context)
        self._library.nft_ctx_buffer_error(self._context)
        self._place = f"{family} {name}"
        try:
            self._make(content)
        except TableError:
            self._library.nft_ctx_free(self._context)
            raise

    def close(self) -> None:
        """Removes it."""
        if self._context:
            with suppress(TableError):
                self._run(f"delete table {self._place}")
            self._library.nft_ctx_free(self._context)
            self._context = None

    def _make(self, content: str) -> None:
        try:
            self._run(f"table {self._place} {{ flags owner;\n{content}}}\n")
        except TableError:
            # It may be the owner alone that this kernel does not know; otherwise this says the same.
            self._run(f"table {self._place} {{\n{content}}}\n")

    def _run(self, commands: str) -> None:
        failed = self._library.nft_run_cmd_from_buffer(self._context, commands.encode())
        said = self._library.nft_ctx_get_error_buffer(self._context) or b""
        if failed:
            raise TableError(_reason(said.decode(errors="replace")))


def _reason(said: str) -> str:
    """The first line, without the place in the text, which the user has never seen."""
    line = next(iter(said.splitlines()), "nftables refuses without a reason")
    text = line.rpartition("Error: ")[2]
    if "Operation not permitted" in text:
        return _NO_RIGHT
    if "No such file" in text or "not supported" in text:
        return f"this kernel's nftables lack what it takes ({text})"
    return text


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError:
        raise TableError(f"{LIBRARY} is not here: apt install nftables") from None
    library.nft_ctx_new.restype = ctypes.c_void_p
    library.nft_ctx_new.argtypes = [ctypes.c_uint32]
    for name in ("nft_ctx_free", "nft_ctx_buffer_output", "nft_ctx_buffer_error", "nft_ctx_get_error_buffer"):
        getattr(library, name).argtypes = [ctypes.c_void_p]
    library.nft_ctx_free.restype = None
    library.nft_ctx_get_error_buffer.restype = ctypes.c_char_p
    library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    return library
