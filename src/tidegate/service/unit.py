"""What systemd is told of the service: its unit, and its user."""

import re
from pathlib import Path

from tidegate.service.description import (
    CACHE,
    CREDENTIALS,
    LOGS,
    MISTAKE,
    NAME,
    RESTART,
    SETTINGS,
    STOP,
    STORE,
    SUMMARY,
    TITLE,
    WATCHDOG,
    Description,
    hidden,
)

UNIT = Path("/etc/systemd/system") / f"{NAME}.service"
SYSUSERS = Path("/etc/sysusers.d") / f"{NAME}.conf"

HEAD = "# Written by `tidegate service install`; changes belong into a drop-in: systemctl edit tidegate\n"

# Of what tidegate/docs/service.md says why.
_SHELTER = """\
NoNewPrivileges=yes
ProtectSystem=strict
PrivateTmp=yes
PrivateMounts=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=@chown bpf capset perf_event_open
SystemCallErrorNumber=EPERM
RemoveIPC=yes
KeyringMode=private
UMask=0027
"""


def unit(description: Description) -> str:
    """The unit file."""
    return f"""{HEAD}
[Unit]
Description={TITLE}: {SUMMARY[0].lower()}{SUMMARY[1:]}
After=network.target nss-lookup.target
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={_command(description.program)}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec={RESTART:.0f}s
RestartPreventExitStatus={MISTAKE}
WatchdogSec={WATCHDOG:.0f}s
TimeoutStopSec={STOP:.0f}s
SyslogIdentifier={NAME}

User={description.user}
AmbientCapabilities={_rights(description)}
CapabilityBoundingSet={_rights(description)}

StateDirectory={STORE.name}
StateDirectoryMode=0750
LogsDirectory={LOGS.name}
LogsDirectoryMode=0750
CacheDirectory={CACHE.name}
CacheDirectoryMode=0750
{_environment()}
{_credentials(description)}LimitMEMLOCK=64M

{_SHELTER}{_files(description)}
[Install]
WantedBy=multi-user.target
"""


def sysusers(description: Description) -> str:
    """The user's line, for systemd-sysusers."""
    return f'{HEAD}u {description.user} - "{TITLE}" {STORE}\n'


def written_to(text: str) -> list[str]:
    """The folders beside its own that the service of this unit writes to."""
    found = re.findall(r"^ReadWritePaths=(.*)$", text, re.M)
    return [re.sub(r"\\(.)|%(%)", r"\1\2", path.removeprefix('"').removesuffix('"')) for path in found]


def _rights(description: Description) -> str:
    return " ".join(f"CAP_{right}" for right in description.rights)


def _credentials(description: Description) -> str:
    """Passwords that the configuration names as ${CREDENTIALS_DIRECTORY}/NAME; their files are root's."""
    return "".join(f"LoadCredential={name}:{_path(CREDENTIALS / name)}\n" for name in description.credentials)


def _environment() -> str:
    """Where it looks for settings, keeps its store, and what it draws pictures with."""
    known = {
        "XDG_CONFIG_HOME": SETTINGS.parent,
        "XDG_STATE_HOME": STORE.parent,
        "XDG_CACHE_HOME": CACHE,
        "MPLCONFIGDIR": CACHE / "matplotlib",
        "PYTHONDONTWRITEBYTECODE": 1,
    }
    return "\n".join(f"Environment={_word(f'{name}={value}')}" for name, value in known.items())


def _files(description: Description) -> str:
    """What it sees of homes (nothing but the program, where that lies in one), and where it may write."""
    own = hidden(description.files)
    lines = ["ProtectHome=tmpfs" if own else "ProtectHome=yes"]
    lines += [f"BindReadOnlyPaths={_path(path)}" for path in own]
    lines += [f"ReadWritePaths={_path(path)}" for path in description.writes]
    return "\n".join(lines) + "\n"


def _command(words: tuple[str, ...]) -> str:
    return " ".join(_word(word).replace("$", "$$") for word in words)


def _word(word: str) -> str:
    """One word, whatever is in it: `%` is systemd's, quotes and backslashes are C's."""
    quoted = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{quoted}"' if quoted != word or set(word) & set(" ;'\t") else word


def _path(path: Path) -> str:
    return _word(str(path))
