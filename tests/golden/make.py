"""Makes the golden captures anew: real programs talk in network namespaces, tcpdump listens.

    sudo python3 tests/golden/make.py [NAME]...

Without names every capture is made. The captures are committed; run this only to change or add one,
then `expect.py` for the tables, and read both before committing. Needs root and the programs that
`.ci/run` installs.
"""

import argparse
import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from all_scenes import SCENES
from lab import Lab

HERE = Path(__file__).parent
RAW = argparse.RawDescriptionHelpFormatter
LARGEST = 60_000
PROGRAMS = shlex.split("curl dig dnsmasq ip iperf3 mergecap ncat nft nginx openssl ping socat ss ssh tcpdump")


def make(name: str) -> None:
    """One capture, in a laboratory of its own."""
    with tempfile.TemporaryDirectory() as scratch, Lab(Path(scratch)) as lab:
        made = Path(scratch) / name
        SCENES[name](lab, made)
        size = made.stat().st_size
        if size > LARGEST:
            raise SystemExit(f"{name}: {size} bytes, more than {LARGEST}; say less")
        shutil.copy(made, HERE / name)
        print(f"{name}: {size} bytes")


def main() -> None:
    """All captures, or those named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=RAW)
    parser.add_argument("names", nargs="*", metavar="NAME", help="captures to make: " + " ".join(SCENES))
    names = parser.parse_args().names or list(SCENES)
    unknown = [name for name in names if name not in SCENES]
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if unknown or missing or os.geteuid() != 0:
        sys.exit(f"unknown: {unknown}; missing programs: {missing}; root: {os.geteuid() == 0}")
    for name in names:
        make(name)


if __name__ == "__main__":
    main()
