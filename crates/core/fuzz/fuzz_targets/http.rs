//! HTTP transactions.
#![no_main]

mod parser;

libfuzzer_sys::fuzz_target!(|input: &[u8]| parser::play("http", input));
