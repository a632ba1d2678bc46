//! TLS written by hand: hellos, records, and a certificate that openssl made.

/// What a `ClientHello` in a test says; all of it may be changed.
pub(super) struct Client {
    pub version: u16,
    pub session_id: Vec<u8>,
    pub ciphers: Vec<u16>,
    pub extensions: Vec<(u16, Vec<u8>)>,
}

/// A client of TLS 1.3 and 1.2 that asks for a name and offers h2.
pub(super) fn client(name: &str) -> Client {
    Client {
        version: 0x0303,
        session_id: vec![7; 32],
        ciphers: vec![0x2a2a, 0x1301, 0xc02f, 0x00ff],
        extensions: vec![
            (0x1a1a, vec![]),
            (0, server_name(name.as_bytes())),
            (16, protocols(&[b"h2", b"http/1.1"])),
            (43, vec![6, 0x3a, 0x3a, 3, 4, 3, 3]),
            (13, vec![0, 4, 4, 3, 8, 4]),
        ],
    }
}

impl Client {
    /// Adds an extension.
    pub(super) fn and(mut self, number: u16, content: &[u8]) -> Self {
        self.extensions.push((number, content.to_vec()));
        self
    }

    /// The handshake message.
    pub(super) fn message(&self) -> Vec<u8> {
        let mut body = self.version.to_be_bytes().to_vec();
        body.extend([1; 32]);
        body.extend(vector8(&self.session_id));
        body.extend(vector16(&numbers(&self.ciphers)));
        body.extend([1, 0]);
        body.extend(extensions(&self.extensions));
        message(1, &body)
    }

    /// The message in a record.
    pub(super) fn record(&self) -> Vec<u8> {
        record(22, &self.message())
    }
}

/// A `ServerHello` of this version: TLS 1.3 says so in an extension.
pub(super) fn server(version: u16, session_id: &[u8], more: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut list = more.to_vec();
    if version == 0x0304 {
        list.push((43, vec![3, 4]));
    }
    let cipher = if version == 0x0304 { 0x1301 } else { 0xc02f };
    server_with([2; 32], version.min(0x0303), session_id, cipher, &list)
}

/// A `HelloRetryRequest`.
pub(super) fn retry() -> Vec<u8> {
    let random = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";
    let random = hex(random).try_into().unwrap();
    server_with(random, 0x0303, &[7; 32], 0x1301, &[(43, vec![3, 4]), (51, vec![0, 23])])
}

fn server_with(
    random: [u8; 32],
    version: u16,
    session_id: &[u8],
    cipher: u16,
    list: &[(u16, Vec<u8>)],
) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend(random);
    body.extend(vector8(session_id));
    body.extend(cipher.to_be_bytes());
    body.push(0);
    body.extend(extensions(list));
    record(22, &message(2, &body))
}

/// A record of a type.
pub(super) fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3], &*vector16(body)].concat()
}

/// Encrypted data, as far as anybody can see.
pub(super) fn data(length: usize) -> Vec<u8> {
    record(23, &vec![0xee; length])
}

/// `ChangeCipherSpec`.
pub(super) fn change() -> Vec<u8> {
    record(20, &[1])
}

/// `ChangeCipherSpec` and an encrypted Finished, as up to TLS 1.2.
pub(super) fn finished() -> Vec<u8> {
    [change(), record(22, &[0xee; 40])].concat()
}

/// A handshake message.
pub(super) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &(body.len() as u32).to_be_bytes()[1..], body].concat()
}

/// A certificate message with these certificates.
pub(super) fn certificates(chain: &[&[u8]]) -> Vec<u8> {
    let chain: Vec<u8> = chain.iter().flat_map(|one| vector24(one)).collect();
    record(22, &message(11, &vector24(&chain)))
}

/// The rest of a server's first flight, up to TLS 1.2.
pub(super) fn done() -> Vec<u8> {
    record(22, &message(14, &[]))
}

/// The extension that asks for a name.
pub(super) fn server_name(name: &[u8]) -> Vec<u8> {
    vector16(&[&[0], &*vector16(name)].concat())
}

/// The extension that offers or chooses application protocols.
pub(super) fn protocols(list: &[&[u8]]) -> Vec<u8> {
    let list: Vec<u8> = list.iter().flat_map(|one| vector8(one)).collect();
    vector16(&list)
}

fn extensions(list: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let list: Vec<u8> = list
        .iter()
        .flat_map(|(number, content)| [&number.to_be_bytes()[..], &vector16(content)].concat())
        .collect();
    vector16(&list)
}

pub(super) fn numbers(list: &[u16]) -> Vec<u8> {
    list.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn vector8(bytes: &[u8]) -> Vec<u8> {
    [&[bytes.len() as u8], bytes].concat()
}

pub(super) fn vector16(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes(), bytes].concat()
}

fn vector24(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[1..], bytes].concat()
}

pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).collect();
    let pairs = digits.chunks(2).map(|pair| pair.iter().collect::<String>());
    pairs.map(|pair| u8::from_str_radix(&pair, 16).unwrap()).collect()
}

/// Signed by itself: C=XX, O="Acme, Inc.", CN=www.example.org; names www and * under example.org;
/// from 2026-11-20 14:07:11 to 2126-10-27 14:07:11.
pub(super) fn certificate() -> Vec<u8> {
    hex("
        308201ce30820174a00302010202140c0f4bc777acf1f0aeabf5b906ab8ae63873442f300a06082a8648
        ce3d040302303c310b300906035504061302585831133011060355040a0c0a41636d652c20496e632e31
        18301606035504030c0f7777772e6578616d706c652e6f72673020170d3236313132303134303731315a
        180f32313236313032373134303731315a303c310b300906035504061302585831133011060355040a0c
        0a41636d652c20496e632e3118301606035504030c0f7777772e6578616d706c652e6f72673059301306
        072a8648ce3d020106082a8648ce3d030107034200048c8cfa062381111574591aae27eeaf636bdee1d5
        363ab18e072889a14c7dc733abdf66fcd8320c951cbe780a8f1a04d4b35a676b97d175219c63ff86bc0a
        725aa3523050302f0603551d1104283026820f7777772e6578616d706c652e6f7267820d2a2e6578616d
        706c652e6f72678704c0000202301d0603551d0e041604148364989090b4d408ebe6017797e79909dbd8
        9c4c300a06082a8648ce3d04030203480030450221009277001c8889631b5f0a485a407e54921a910881
        d9b8ef8e7b692c5a75c8791b02201ffb4bb715fdd518a58861273c16e88f5a272abb5f796c32ae5ca423
        6ad3f6a2")
}
