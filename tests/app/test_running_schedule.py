"""A whole running Tidegate with a schedule: a report that was missed is made up, mailed, and not twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # as a script it is far from the others

from documents import report
from helpers import LIBRARIES, wait_for
from post import office
from tidegate.app.running import Running
from tidegate.model.config import Config
from tidegate.model.document import Document
from tidegate.settings import find

TESTS = Path(__file__).parents[1]


class Same:
    """Makes reports that are always the same."""

    def build(self, name: str, begin: datetime, end: datetime) -> Document:
        """The report."""
        return report(name, begin=begin, end=end, title=f"{begin:%H:%M} to {end:%H:%M}")

    def covers(self, name: str, moment: datetime) -> None:
        """Leaves it to the schedule."""

    def broken(self, config: Config) -> dict[str, str]:
        """Nothing is."""
        return {}


def serve(file: Path) -> None:
    """What `tidegate run` does, with reports that are always the same."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        running.service.stop()

    def ready() -> None:
        part = running._timetable._scheduler
        wait_for(lambda: part and part._seen)
        file.with_name("ready").touch()

    running = Running(lambda: find.load(file), Same())
    running.ready = ready
    signal.signal(signal.SIGTERM, stop)
    running.run()


def life(file: Path, until: Callable[[], object], environment: dict[str, str]) -> None:
    """A life of the program, until something holds."""
    words = [sys.executable, __file__, str(file)]
    process = subprocess.Popen(words, env=environment)
    try:
        wait_for(until, 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="capturing needs root")
def test_a_missed_report_is_made_up_mailed_and_not_made_again(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    store, file, now = tmp_path / "s", tmp_path / "t.yml", time.time()
    store.mkdir()
    hour = datetime.fromtimestamp(now - 7200, UTC).strftime("%H:%M")
    entry = {"at": f"{int(hour[3:])} {int(hour[:2])} * * * UTC", "since": now - 5 * 86400, "runs": []}
    book, ready = store / "schedule.json", tmp_path / "ready"
    book.write_text(json.dumps({"version": 1, "identity": "x", "entries": {"pings": entry}}))
    ours = os.pathsep.join([LIBRARIES, str(TESTS)])
    environment = {**environment, "PYTHONPATH": ours, "PYTHONWARNINGS": "ignore"}

    def runs() -> list[dict[str, object]]:
        return list(json.loads(book.read_text())["entries"]["pings"]["runs"])

    with office() as (post, server):
        file.write_text(
            f"store: {{path: {store}}}\n"
            "watch: {interfaces: lo}\n"
            f"mail: {{server: '{server}', to: kim@example.org}}\n"
            f"schedule: {{zone: UTC, reports: [{{report: pings, at: 'daily {hour}', last: 1h}}]}}\n"
        )
        life(
            file,
            lambda: post.letters and ready.exists() and runs()[0]["state"] == "made",
            environment,
        )
        began = {**runs()[0]}
        ready.unlink()
        life(file, ready.exists, environment)
    assert len(post.letters) == 1
    begin = datetime.fromtimestamp(now - 10800, UTC).strftime("%H:%M")
    assert post.subjects()[0].endswith(f"{begin} to {hour}")
    assert runs() == [began]
    assert str(began["said"]).startswith("made up for ")


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
