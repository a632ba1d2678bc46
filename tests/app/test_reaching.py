"""What is said of how a store would be written to."""

from pathlib import Path

from tidegate.app.reaching import writer


def test_the_command_names_the_store_where_it_would_go_to_another() -> None:
    usual = Path("/var/lib/tidegate")
    assert writer(usual, usual) == "sudo tidegate watch"
    assert writer(Path("my store"), usual) == "sudo tidegate watch --store 'my store'"
