//! PROXY headers of both versions, and what is no header.
#![no_main]

use tidegate_core::relay::proxy::{Ends, LONGEST, make, parse};

// A header is known as soon as its last byte is there, never before, and no byte behind it counts; what is refused is
// refused with more bytes too. Who speaks with whom can be said again.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    match parse(input) {
        Ok(Some((header, taken))) => {
            assert!(taken <= input.len() && taken <= LONGEST);
            assert_eq!(parse(&input[..taken]), Ok(Some((header.clone(), taken))));
            assert_eq!(parse(&input[..taken - 1]), Ok(None));
            if let Ends::Ip(src, dst) = header.ends {
                let again = make(header.version, src, dst);
                let (read, length) = parse(&again).expect("ours").expect("whole");
                assert_eq!((read.ends, length), (Ends::Ip(src, dst), again.len()));
            }
        }
        Ok(None) => assert!(input.len() < LONGEST, "waited for without end"),
        Err(bad) => {
            let longer = [input, b"\r\n"].concat();
            assert_eq!(parse(&longer), Err(bad));
        }
    }
});
