#!/bin/sh
# Runs every fuzz target for $1 seconds, FUZZ_JOBS (1) at once, golden captures as seeds; TIDEGATE_CAPTURES names a folder of more.
# `fuzz.sh build` only builds all it needs.
set -eu
seconds=${1:?seconds per target, or build}
cd "$(dirname "$0")/.."
fuzz=crates/core/fuzz

# libFuzzer's coverage flags are unstable; this spares a nightly toolchain. For cargo-fuzz alone: crates ask for it
# as they are built, so that what is shared with `cargo test` would be compiled anew each time.
cargo_fuzz() {
    RUSTC_BOOTSTRAP=1 cargo fuzz "$@"
}

# One target, as this script calls itself: `fuzz.sh SECONDS TARGET SEEDS`.
if [ $# = 3 ]; then
    target=$2 seeds=$3
    mkdir -p "$fuzz/corpus/$target"
    case $target in packet | pcapng | reassembly) kind=in ;; proxy) kind=headers ;; *) kind=said ;; esac
    # The core has no unsafe code where bytes are parsed, so no sanitizer: many more tries per second.
    if ! cargo_fuzz run --fuzz-dir $fuzz --sanitizer none "$target" "$fuzz/corpus/$target" "$seeds/$kind" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 >"$seeds/$target.log" 2>&1; then
        tail -n 60 "$seeds/$target.log" >&2
        echo "$target failed; what it found, if anything, is in $fuzz/artifacts/$target" >&2
        exit 255 # xargs then starts no other
    fi
    told=$(grep -E '^stat::|^Done' "$seeds/$target.log" || tail -n 5 "$seeds/$target.log")
    printf '== %s, %s s\n%s\n' "$target" "$seconds" "$told"
    exit
fi

if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "missing: cargo-fuzz. Get it with: cargo install --locked cargo-fuzz" >&2
    exit 1
fi
# The example in debug: in release it would be all of the core compiled for it alone, while `cargo test` leaves it built.
cargo build --quiet --package tidegate-core --example conversations
cargo_fuzz build --fuzz-dir $fuzz --sanitizer none
[ "$seconds" != build ] || exit 0

seeds=$(mktemp -d)
mkdir "$seeds/in" "$seeds/said" "$seeds/headers"
trap 'rm -rf "$seeds"' EXIT
find tests/golden ${TIDEGATE_CAPTURES:+"$TIDEGATE_CAPTURES"} -type f -size -64k \
    \( -name '*.pcap' -o -name '*.pcapng' -o -name '*.cap' \) | while read -r capture; do
    cp "$capture" "$seeds/in/$(cksum <"$capture" | tr ' ' -)"
done
# What was said in them, as the targets of parsers take it.
cargo run --quiet --package tidegate-core --example conversations -- "$seeds/said" "$seeds"/in/*
python3 tools/proxy_headers.py "$seeds/headers"
cargo_fuzz list --fuzz-dir $fuzz | xargs -P "${FUZZ_JOBS:-1}" -I '{}' sh tools/fuzz.sh "$seconds" '{}' "$seeds"
