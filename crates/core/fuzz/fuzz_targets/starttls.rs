//! Lines of SMTP, up to where TLS begins.
#![no_main]

mod parser;

libfuzzer_sys::fuzz_target!(|input: &[u8]| parser::play("smtp", input));
