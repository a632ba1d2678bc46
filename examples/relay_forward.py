"""Forward a port and say who came: relay_forward.py 127.0.0.1:8022 127.0.0.1:22."""

import sys

from tidegate.relay import forward

listen, backend = sys.argv[1:]

with forward({listen: backend}) as running:
    print("relaying", *running.services, flush=True)
    for event in running.events():
        if event["type"] == "close":
            print(event["client_ip"], event["cause"], event["up_bytes"], event["down_bytes"], flush=True)
