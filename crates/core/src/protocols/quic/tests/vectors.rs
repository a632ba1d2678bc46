//! The examples of RFC 9001, appendix A, and RFC 9369, appendix A.

use super::super::keys::{Keys, Secrets};
use super::super::packet::{Initial, Packet, split};
use super::super::version::Version;
use super::{CLIENT_HELLO, DCID, SERVER_HELLO, crypto, hex, seal};

fn keys(key: &str, iv: &str, hp: &str) -> Keys {
    let array = |text| hex(text).try_into().unwrap();
    Keys { key: array(key), iv: hex(iv).try_into().unwrap(), hp: array(hp) }
}

fn initial(datagram: &[u8]) -> Initial<'_> {
    match split(datagram) {
        Some((Packet::Initial(initial), [])) => initial,
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys_of_version_1() {
    let secrets = Secrets::derive(Version::ONE, &DCID).unwrap();
    let client = ("1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c");
    assert_eq!(secrets.client, keys(client.0, client.1, "9f50449e04a0e810283a1e9933adedd2"));
    let server = ("cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03e");
    assert_eq!(secrets.server, keys(server.0, server.1, "c206b8d9b9f0f37644430b490eeaa314"));
}

#[test]
fn keys_of_version_2() {
    let secrets = Secrets::derive(Version::TWO, &DCID).unwrap();
    let client = ("8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f");
    assert_eq!(secrets.client, keys(client.0, client.1, "45b95e15235d6f45a6b19cbcb0294ba9"));
    let server = ("82db637861d55e1d011f19ea71d5d2a7", "dd13c276499c0249d3310652");
    assert_eq!(secrets.server, keys(server.0, server.1, "edf6d05c83121201b436e16877593c3a"));
}

/// The client's packet, made from its plain text: 1200 bytes that begin and end as given.
fn client_packet(version: Version, header: &str, begin: &str, end: &str) {
    let header = hex(header);
    let mut frames = crypto(0, &hex(CLIENT_HELLO));
    // The example writes the offset in one byte.
    frames.splice(..3, [6, 0]);
    frames.resize(1162, 0);
    let secrets = Secrets::derive(version, &DCID).unwrap();
    let at = header.len() - 4;
    let packet = seal(&secrets.client, header, at, 2, &frames);
    assert_eq!(packet.len(), 1200);
    assert!(packet.starts_with(&hex(begin)) && packet.ends_with(&hex(end)));
    let opened = secrets.client.open(&initial(&packet), 0).unwrap();
    assert_eq!((opened.number, opened.payload), (2, frames));
    assert!(secrets.server.open(&initial(&packet), 0).is_none());
}

#[test]
fn the_clients_packet_of_version_1() {
    let header = "c300000001088394c8f03e5157080000449e00000002";
    let begin = "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b";
    client_packet(Version::ONE, header, begin, "e221af44860018ab0856972e194cd934");
}

#[test]
fn the_clients_packet_of_version_2() {
    let header = "d36b3343cf088394c8f03e5157080000449e00000002";
    let begin = "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071bf03";
    client_packet(Version::TWO, header, begin, "a18b2faa745b6fe189cf772a9f84cbfc");
}

fn server_packet(version: Version, packet: &str) {
    let packet = hex(packet);
    let secrets = Secrets::derive(version, &DCID).unwrap();
    let opened = secrets.server.open(&initial(&packet), 0).unwrap();
    let frames = [hex("0200000000060040"), hex("5a"), hex(SERVER_HELLO)].concat();
    assert_eq!((opened.number, opened.payload), (1, frames));
}

#[test]
fn the_servers_packet_of_version_1() {
    server_packet(
        Version::ONE,
        "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c697975\
         54780bb38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded\
         74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd0\
         74ee",
    );
}

#[test]
fn the_servers_packet_of_version_2() {
    server_packet(
        Version::TWO,
        "dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb761d9b89237bb\
         f87263017915358230035f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42\
         757507698075b2c984c707f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e\
         140",
    );
}
