"""The container a control group belongs to, by the names that runtimes give."""

import re

_BY_ID = re.compile(r"(?:^|[/-])([0-9a-f]{64})(?:\.scope)?(?:/|$)")
_BY_NAME = (
    re.compile(r"/lxc(?:\.payload)?[./]([^/]+)"),
    re.compile(r"/machine-([^/]+)\.(?:scope|service)"),
    re.compile(r"/systemd-nspawn@([^/]+)\.service"),
)
SHORT = 12
"""Digits of a container's id that are shown, as the runtimes do."""


def container_of(cgroup: str | None) -> str | None:
    """Its short id (docker, podman, containerd, CRI-O) or its name (LXC, nspawn)."""
    if not cgroup:
        return None
    if found := _BY_ID.findall(cgroup):
        return str(found[-1][:SHORT])
    for pattern in _BY_NAME:
        if named := pattern.search(cgroup):
            return named.group(1).replace("\\x2d", "-")
    return None
