//! Streams of any protocol: finding out which it is.
#![no_main]

mod parser;

libfuzzer_sys::fuzz_target!(|input: &[u8]| parser::play("", input));
