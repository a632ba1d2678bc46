//! QUIC datagrams. Nothing can be sealed here: the core takes some packets as they are when it is fuzzed.
#![no_main]

mod parser;

libfuzzer_sys::fuzz_target!(|input: &[u8]| parser::play("quic", input));
