#!/bin/bash
# `make demo`: HTTP traffic between two namespaces of its own that raises an alert and lets it recover, on screen.
set -euo pipefail
cd "$(dirname "$0")/.."
SECONDS_IN_ALL=${1:-60}
[ "$(id -u)" = 0 ] || { echo "The demo makes network namespaces, which needs root: sudo make demo" >&2; exit 1; }
command -v ip >/dev/null || { echo "The demo needs ip: apt install iproute2" >&2; exit 1; }

shop=tgdemo-shop-$$ town=tgdemo-town-$$ place=$(mktemp -d)
children=()
clean() {
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    exec 9>&- || true
    ip netns del "$shop" 2>/dev/null || true
    ip netns del "$town" 2>/dev/null || true
    rm -rf "$place"
}
trap clean EXIT

ip netns add "$shop"
ip netns add "$town"
ip -n "$shop" link add eth0 type veth peer name eth0 netns "$town"
ip -n "$shop" addr add 192.0.2.1/24 dev eth0
ip -n "$town" addr add 192.0.2.2/24 dev eth0
for net in "$shop" "$town"; do ip -n "$net" link set lo up; ip -n "$net" link set eth0 up; done

cat > "$place/tidegate.yml" <<YAML
watch: {interfaces: eth0, engine: {interim: 1s}}
alerts:
  rules:
    - name: http-traffic
      metric: http_messages
      window: 10s
      threshold: 500
      clear: 200
      message: "High traffic: {value:.0f} HTTP messages in {window}"
YAML

mkfifo "$place/hold"
nsenter --net="/run/netns/$shop" .venv/bin/python tools/demo_traffic.py serve 192.0.2.1 <"$place/hold" & children+=($!)
exec 9>"$place/hold"
nsenter --net="/run/netns/$town" .venv/bin/python tools/demo_traffic.py ask 192.0.2.1 --seconds "$SECONDS_IN_ALL" 2>/dev/null & children+=($!)
nsenter --net="/run/netns/$shop" .venv/bin/tidegate watch --config "$place/tidegate.yml" --no-store --for "${SECONDS_IN_ALL}s"
echo "The demo is over: its namespaces are gone, nothing was kept. Your own traffic: make watch"
