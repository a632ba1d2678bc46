//! DNS, each input as a stream and as datagrams.
#![no_main]

mod parser;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    parser::play("dns", input);
    parser::play("dns/udp", input);
});
