"""The keyboard: bytes that are no UTF-8 are passed over, where Textual would end the screen."""

from typing import Any

from textual.driver import Driver


def patient(kind: type[Driver]) -> type[Driver]:
    """The same driver, which goes on after such bytes; what was read along with them is lost."""
    if not hasattr(kind, "run_input_thread"):  # not of a terminal of ours
        return kind
    base: Any = kind

    class Patient(base):  # type: ignore[misc]
        """Reads keys as long as there is a screen."""

        def run_input_thread(self) -> None:
            """Reads, and reads on."""
            while not self.exit_event.is_set():
                try:
                    super().run_input_thread()
                except UnicodeDecodeError:
                    continue
                return

    return Patient
