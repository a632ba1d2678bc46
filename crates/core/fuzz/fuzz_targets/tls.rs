//! TLS records and the handshakes in them.
#![no_main]

mod parser;

libfuzzer_sys::fuzz_target!(|input: &[u8]| parser::play("tls", input));
