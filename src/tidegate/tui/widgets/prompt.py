"""One line in which the user writes: a filter, a file's name. What is wrong with it stands below."""

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from tidegate.model.errors import TidegateError
from tidegate.tui.cells import shown


class Prompt(Vertical):
    """Hidden until something is asked."""

    DEFAULT_CSS = """
    Prompt { height: auto; display: none; background: ansi_default; }
    Prompt.open { display: block; }
    Prompt Horizontal { height: 1; }
    Prompt #asked { width: auto; padding: 0 1; text-style: bold; }
    Prompt Input { height: 1; width: 1fr; background: ansi_default; }
    Prompt Input, Prompt Input:focus { border: none; padding: 0; }
    Prompt #wrong { height: auto; padding: 0 1; text-style: bold; }
    Prompt #wrong.empty { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self._take: Callable[[str], None] = lambda _text: None
        self._leave: Callable[[], None] = lambda: None
        self._check: Callable[[str], object] | None = None

    def compose(self) -> ComposeResult:
        """The line, and below it what is wrong."""
        with Horizontal():
            yield Static("", id="asked", markup=False)
            yield Input(id="written", select_on_focus=False, compact=True)
        yield Static("", id="wrong", classes="empty", markup=False)

    @property
    def is_open(self) -> bool:
        """Whether something is asked."""
        return self.has_class("open")

    def ask(
        self,
        label: str,
        hint: str,
        text: str,
        take: Callable[[str], None],
        check: Callable[[str], object] | None = None,
        leave: Callable[[], None] = lambda: None,
    ) -> None:
        """Asks; `take` gets the text, and raises TidegateError or OSError if it is wrong. `leave`: on Esc."""
        self._take, self._check, self._leave = take, check, leave
        self.query_one("#asked", Static).update(Text(label))
        line = self.query_one(Input)
        line.placeholder = hint
        line.value = text
        line.cursor_position = len(text)
        self._say("")
        self.add_class("open")
        line.focus()

    def close(self) -> None:
        """Hides it."""
        self.remove_class("open")

    def action_leave(self) -> None:
        """Esc: nothing is taken."""
        self.close()
        self._leave()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Says at once what is wrong with what is written."""
        if self._check is not None and self.is_open:
            try:
                self._check(event.value)
            except TidegateError as error:
                self._say(str(error))
            else:
                self._say("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter: takes it, or says what is wrong."""
        event.stop()
        try:
            self._take(event.value)
        except (TidegateError, OSError) as error:
            self._say(str(error))
        else:
            self.close()

    def _say(self, text: str) -> None:
        wrong = self.query_one("#wrong", Static)
        wrong.update(Text(shown(text), style="red"))
        wrong.set_class(not text, "empty")
