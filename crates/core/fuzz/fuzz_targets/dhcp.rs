//! DHCP datagrams, as they are recognised.
#![no_main]

mod parser;

libfuzzer_sys::fuzz_target!(|input: &[u8]| parser::play("dhcp/udp", input));
