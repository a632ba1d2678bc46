"""Containers by their control group, users by their number, psutil's table."""

import os
import socket

import pytest

from helpers import wait_for
from tidegate.enrich.by_psutil import ByPsutil
from tidegate.enrich.container import container_of
from tidegate.enrich.users import Users

ID = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("cgroup", "container"),
    [
        (f"/docker/{ID}", ID[:12]),
        (f"/system.slice/docker-{ID}.scope", ID[:12]),
        (f"/machine.slice/libpod-{ID}.scope/container", ID[:12]),
        (f"/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope", ID[:12]),
        (f"/kubepods/besteffort/pod1/{ID}", ID[:12]),
        ("/lxc.payload.web/init.scope", "web"),
        ("/lxc/web", "web"),
        ("/machine.slice/machine-my\\x2dbox.scope", "my-box"),
        ("/user.slice/user-1000.slice/session-1.scope", None),
        ("/process_api/abebf514b166b7e84808ea09c7c32c55", None),
        (None, None),
    ],
)
def test_a_container_is_known_by_its_control_group(cgroup: str | None, container: str | None) -> None:
    assert container_of(cgroup) == container


def test_users_have_names_or_numbers() -> None:
    users = Users(bound=1)
    assert [users.name(uid) for uid in (0, 4_000_000_000, None, "DOMAIN\\me")] == [
        "root", "4000000000", None, "DOMAIN\\me",
    ]  # fmt: skip


def test_psutil_finds_this_very_program() -> None:
    pytest.importorskip("psutil", reason="psutil is missing")
    source = ByPsutil()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        wait_for(lambda: source.lookup("tcp", "127.0.0.1", port, "127.0.0.1", 9))
        program, held = source.lookup("tcp", "127.0.0.1", port, "127.0.0.1", 9)
    assert program[2] == os.getpid()
    assert held[2:6] == ("listen", "psutil", "tcp", "127.0.0.1")
    assert held[9] == program[1]
