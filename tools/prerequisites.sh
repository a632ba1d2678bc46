#!/bin/sh
# What a build needs from the machine: `python` prints a fitting interpreter, `all` says what is missing and how to get it.
set -u
RUST=1.88

python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

rust_is_new_enough() {
    version=$(rustc --version 2>/dev/null | cut -d' ' -f2)
    [ -n "$version" ] && [ "$(printf '%s\n' "$RUST" "$version" | sort -V | head -n 1)" = "$RUST" ]
}

missing=0
lacks() {
    echo "missing: $1" >&2
    missing=1
}

all() {
    if found=$(python); then
        "$found" -c 'import ensurepip, venv' 2>/dev/null ||
            lacks "Python's venv module. Debian, Ubuntu: apt install python3-venv"
    else
        lacks "Python 3.11 or newer. Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python; else https://www.python.org/downloads/"
    fi
    if ! command -v cargo >/dev/null; then
        lacks "a Rust toolchain (cargo). See https://rustup.rs"
        [ -n "${SUDO_USER:-}" ] && echo "         (make was called through sudo: call it as $SUDO_USER, it asks for sudo itself)" >&2
    elif ! rust_is_new_enough; then
        lacks "Rust $RUST or newer, here is $(rustc --version 2>/dev/null || echo none). With rustup: rustup update stable; else https://rustup.rs"
    fi
    command -v cc >/dev/null ||
        lacks "a C compiler and linker (cc). Debian, Ubuntu: apt install gcc libc6-dev; Fedora: dnf install gcc; macOS: xcode-select --install"
    return $missing
}

case "${1:-all}" in
    python) python ;;
    all) all ;;
    *) echo "usage: $0 [python|all]" >&2; exit 2 ;;
esac
