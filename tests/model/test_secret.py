"""Secrets come from a file of one's own or from the environment, and from nowhere else."""

import os
from pathlib import Path

import pytest

from tidegate.model import secret
from tidegate.model.errors import UsageError
from tidegate.model.secret import read_secret, secret_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("s3cret\r\nmore\n")
    path.chmod(0o600)
    return path


def test_from_a_file_or_the_environment(file: Path) -> None:
    assert secret_of("password", "", str(file), {}) == "s3cret"
    assert secret_of("password", "${ES}", "", {"ES": "x"}) == "x"
    assert secret_of("password", "", "", {}) == ""


@pytest.mark.parametrize("text", ["hunter2", "${ES} ", "$ES", "x${ES}"])
def test_never_from_the_settings_themselves(text: str) -> None:
    with pytest.raises(UsageError, match="a secret does not belong here") as raised:
        secret_of("password", text, "", {"ES": "x"})
    assert text not in str(raised.value)


def test_not_both_and_not_nothing(file: Path) -> None:
    with pytest.raises(UsageError, match="not both"):
        secret_of("api_key", "${ES}", str(file), {"ES": "x"})
    for environment in ({}, {"ES": ""}):
        with pytest.raises(UsageError, match="the environment has no variable ES"):
            secret_of("api_key", "${ES}", "", environment)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o606])
def test_others_must_not_read_it(mode: int, file: Path) -> None:
    file.chmod(mode)
    with pytest.raises(UsageError, match=f"others can read .*; run: chmod 600 {file}"):
        read_secret(file, "api_key")


def test_a_credential_of_the_service_is_taken_where_it_lies_by_who_may(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret, "KEPT", file.parent)
    assert secret_of("password", "", "${CREDENTIALS_DIRECTORY}/secret", {}) == "s3cret"
    file.chmod(0o640)
    with pytest.raises(UsageError, match="others can read"):
        secret_of("password", "", "${CREDENTIALS_DIRECTORY}/secret", {})
    with pytest.raises(UsageError, match="other is not there: write the password into it"):
        secret_of("password", "", "${CREDENTIALS_DIRECTORY}/other", {})


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")
def test_somebody_else_is_told_whose_it_is(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "KEPT", file.parent)
    os.seteuid(65534)
    try:
        with pytest.raises(UsageError, match=r"is root's: use sudo; a unit needs: LoadCredential=secret:"):
            secret_of("password", "", "${CREDENTIALS_DIRECTORY}/secret", {})
    finally:
        os.seteuid(0)


def test_its_first_line_counts(file: Path) -> None:
    file.write_text("\nx")
    with pytest.raises(UsageError, match="its first line should be the api_key"):
        read_secret(file, "api_key")
