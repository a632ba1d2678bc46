"""Scene of a local network: who has which address and which name, with private addresses, as only these have.

Needs the Debian packages udhcpc, isc-dhcp-client, arping and avahi-daemon too.
"""

import shlex
from pathlib import Path

from lab import CLIENT, SERVER, Lab
from scenes import Scene

ROUTER = {SERVER: ("192.168.77.1/24", "fd77::1/64", "fe80::1/64"), CLIENT: ("fd77::2/64", "fe80::2/64")}

BOUND = """#!/bin/sh
[ "$1" != bound ] || ip addr add "$ip/24" dev "$interface"
"""

DHCLIENT = """
send host-name "phone";
send fqdn.fqdn "phone.home.example";
send fqdn.encoded true;
send fqdn.no-client-update on;
request subnet-mask, routers, host-name;
"""


def _dhcp(lab: Lab) -> None:
    """dnsmasq gives addresses to a tablet (udhcpc) and a phone (dhclient, another hardware address)."""
    leases = f"--dhcp-leasefile={lab.scratch / 'leases'}"
    given = ("--dhcp-range=192.168.77.100,192.168.77.120,1h", "--no-ping", "--dhcp-authoritative", leases)
    lab.start(
        SERVER,
        *shlex.split("dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --user=root"),
        *given,
    )
    lab.listening(67)
    script, conf = lab.scratch / "bound", lab.scratch / "dhclient.conf"
    script.write_text(BOUND)
    script.chmod(0o755)
    conf.write_text(DHCLIENT)
    lab.run(CLIENT, *shlex.split("udhcpc -i net0 -n -q -f -x hostname:tablet -s"), str(script))
    lab.run(CLIENT, "ip", "link", "set", "net0", "address", "02:00:00:00:00:09")
    files = ("-cf", str(conf), "-lf", str(lab.scratch / "client"), "-pf", str(lab.scratch / "pid"))
    lab.run(CLIENT, "dhclient", "-1", "-v", *files, "-sf", "/bin/true", "net0")
    lab.run(CLIENT, "dhclient", "-x", *files, "-sf", "/bin/true", "net0", check=False)
    lab.run(CLIENT, "ip", "link", "set", "net0", "address", "02:00:00:00:00:01")


def _avahi(lab: Lab) -> None:
    """avahi announces the tablet."""
    folder = lab.scratch / "avahi"
    (folder / "services").mkdir(parents=True)
    (folder / "avahi.conf").write_text(
        "[server]\nhost-name=Tablet\nenable-dbus=no\nallow-interfaces=net0\n[rlimits]\n[publish]\n"
    )
    # It has /etc/avahi and /run/avahi-daemon for itself.
    start = f"mkdir -p /run/avahi-daemon; mount --bind {folder} /etc/avahi; "
    start += f"mount -t tmpfs none /run/avahi-daemon; exec avahi-daemon -f {folder}/avahi.conf"
    start += " --no-drop-root --no-chroot --no-rlimits"
    lab.start(CLIENT, "unshare", "-m", "sh", "-c", start)
    lab.run(CLIENT, "sleep", "4")


def hosts(lab: Lab, file: Path) -> None:
    """DHCP, ARP (questions, answers, an announcement, a takeover), NDP, mDNS; then traffic to the names."""
    for name, addresses in ROUTER.items():
        for address in addresses:
            extra = ("nodad",) if ":" in address else ()
            lab.run(name, "ip", "addr", "add", address, "dev", "net0", *extra)
    lab.run(CLIENT, "ip", "addr", "del", "192.0.2.1/24", "dev", "net0")
    with lab.capture(file, "not", "port", "40000"):
        _dhcp(lab)
        lab.run(CLIENT, "ping", "-c1", "192.168.77.1")
        lab.run(CLIENT, "ping", "-c1", "fd77::1")
        lab.run(CLIENT, "ping", "-c1", "fe80::1%net0")
        lab.run(
            SERVER, *shlex.split("arping -q -c2 -w1 -i net0 -S 192.168.77.1 -U 192.168.77.1"), check=False
        )
        # Another machine says that it has the router's address.
        spoof = shlex.split(
            "arping -q -c1 -w1 -i net0 -S 192.168.77.1 -s 02:00:00:00:00:66 -P -U 192.168.77.1"
        )
        lab.run(CLIENT, *spoof, check=False)
        _avahi(lab)
        given = next(iter((lab.scratch / "leases").read_text().split("\n"))).split()[2]
        lab.run(SERVER, "ping", "-c1", given, check=False)
        lab.run(SERVER, "ping", "-c1", "fd77::2")


SCENES: dict[str, Scene] = {"hosts.pcap": hosts}
