//! Addresses as they are told.

use crate::process::Ends;
use crate::process::ends::TCP;

fn ends(local: &str, remote: &str, both: bool) -> Ends {
    let (local, remote) = (local.parse().unwrap(), remote.parse().unwrap());
    Ends { proto: TCP, local, local_port: 80, remote, remote_port: 0, both }
}

#[test]
fn ipv4_within_ipv6_is_ipv4() {
    let mut mapped = ends("::ffff:10.0.0.1", "::ffff:10.0.0.2", true);
    mapped.remote_port = 9;
    let plain = mapped.plain();
    assert_eq!(
        (plain.local_text(), plain.remote_text()),
        ("10.0.0.1".into(), Some("10.0.0.2".into()))
    );
}

#[test]
fn an_unspecified_address_says_which_families_it_takes() {
    assert_eq!(ends("::", "::", true).plain().local_text(), "*");
    assert_eq!(ends("::", "::", false).plain().local_text(), "::");
    assert_eq!(ends("0.0.0.0", "0.0.0.0", false).plain().local_text(), "0.0.0.0");
    assert_eq!(ends("::", "::", true).plain().remote_text(), None);
}

#[test]
fn one_end_in_ipv4_makes_the_other_so() {
    let mut sent = ends("::", "::ffff:10.0.0.2", true);
    sent.remote_port = 53;
    assert_eq!(sent.plain().local_text(), "0.0.0.0");
}
