"""A million connections open at once: how fast the engine still is, and what each costs in memory."""

import json
from functools import partial

from measure import BUILT, Check, Report, compiled, example, median, run, side_by_side

FLOWS = 1_000_000
HANDSHAKE = 3
ROUNDS = 9
MPPS = 4.0
BYTES_PER_FLOW = 250


def capture(rounds: int) -> str:
    """A capture of so many rounds, made once."""
    made = BUILT / f"flows-{FLOWS}-{rounds}.pcap"
    if not made.exists():
        run([compiled("flows"), str(FLOWS), str(rounds), str(made)])
    return str(made)


def idle(rounds: int) -> Report:
    """The engine over handshakes alone, and over handshakes and data; the difference is the steady state."""
    engine = example("engine")
    files = {"handshakes": capture(HANDSHAKE), "handshakes and data": capture(ROUNDS)}
    runs = side_by_side({name: partial(run, [engine, file]) for name, file in files.items()}, rounds)
    opened, all_of_it = runs["handshakes"], runs["handshakes and data"]
    facts = json.loads(all_of_it[0].output)
    if facts["open"] != FLOWS:
        raise SystemExit(f"{facts['open']} connections open at the end, not {FLOWS}: not comparable")
    cpu = {name: median(each, lambda one: one.cpu) for name, each in runs.items()}
    steady = (ROUNDS - HANDSHAKE) * FLOWS / (cpu["handshakes and data"] - cpu["handshakes"]) / 1e6
    whole = ROUNDS * FLOWS / cpu["handshakes and data"] / 1e6
    per_flow = max(json.loads(one.output)["resident"] for one in opened + all_of_it) / FLOWS
    rows = [
        ("", "Mpps per CPU-second"),
        ("opening a million", f"{HANDSHAKE * FLOWS / cpu['handshakes'] / 1e6:.2f}"),
        ("with a million open", f"{steady:.2f}"),
        ("all together", f"{whole:.2f}"),
    ]
    checks = [
        Check("engine with a million connections open, Mpps", steady, MPPS, at_least=True),
        Check("bytes of memory per idle connection", per_flow, BYTES_PER_FLOW, at_least=False),
    ]
    return Report(rows, checks)
