//! The programs: what each is attached to, when it tells, and what it tells.
//!
//! They hang on the first control group and so see every process. Each says "allowed" whatever
//! happens, looks at the fields its context offers (no kernel memory is read, so that a
//! locked-down kernel takes them too), and leaves other network namespaces out.

use crate::bpf::assemble::{Assembler, Helper, R0, R1, R2, R3, R4, R6, R7, R8, R10, Size};
use crate::bpf::load::Code;
use crate::process::ends::UDP;

/// What a record tells, in its first word. Even numbers are IPv6.
pub(crate) mod kind {
    pub(crate) const CONNECT4: i32 = 1;
    pub(crate) const CONNECT6: i32 = 2;
    pub(crate) const LISTEN4: i32 = 3;
    pub(crate) const LISTEN6: i32 = 4;
    pub(crate) const SEND4: i32 = 5;
    pub(crate) const SEND6: i32 = 6;
    pub(crate) const BIND4: i32 = 7;
    pub(crate) const BIND6: i32 = 8;
    pub(crate) const RELEASE: i32 = 9;
}

/// Where things lie in a record; the reader knows them by the same names.
pub(crate) mod at {
    pub(crate) const KIND: i16 = 0;
    pub(crate) const PID: i16 = 4;
    pub(crate) const TIME: i16 = 8;
    pub(crate) const UID: i16 = 16;
    /// As a number.
    pub(crate) const LOCAL_PORT: i16 = 20;
    /// As the context has it: see the reader.
    pub(crate) const REMOTE_PORT: i16 = 24;
    pub(crate) const COOKIE: i16 = 32;
    pub(crate) const LOCAL: i16 = 40;
    pub(crate) const REMOTE: i16 = 56;
    pub(crate) const LENGTH: i16 = 72;
}

/// On the stack: the record, the key of what was told, and that key's value.
const RECORD: i16 = -at::LENGTH;
const KEY: i16 = RECORD - KEY_LENGTH;
const VALUE: i16 = KEY - 8;
/// Socket, process, port and address of the other end.
pub(crate) const KEY_LENGTH: i16 = 32;

/// Kinds of programs, and what they are attached to (`enum bpf_prog_type`, `bpf_attach_type`).
const SOCK: u32 = 9;
const SOCK_OPS: u32 = 13;
const SOCK_ADDR: u32 = 18;
const ON_SOCK_OPS: u32 = 3;
const ON_POST_BIND: [u32; 2] = [12, 13];
const ON_SENDMSG: [u32; 2] = [14, 15];
const ON_RELEASE: u32 = 34;

/// Fields of `struct bpf_sock_ops`.
mod ops {
    pub(super) const OP: i16 = 0;
    pub(super) const FAMILY: i16 = 20;
    pub(super) const REMOTE: [i16; 2] = [24, 32];
    pub(super) const LOCAL: [i16; 2] = [28, 48];
    pub(super) const REMOTE_PORT: i16 = 64;
    pub(super) const LOCAL_PORT: i16 = 68;
    /// The calls we want: before the SYN of a connection, and after listen(2).
    pub(super) const CONNECT: i32 = 3;
    pub(super) const LISTEN: i32 = 11;
}

/// Fields of `struct bpf_sock`.
mod sock {
    pub(super) const PROTOCOL: i16 = 12;
    pub(super) const LOCAL: [i16; 2] = [24, 28];
    pub(super) const LOCAL_PORT: i16 = 44;
}

/// Fields of `struct bpf_sock_addr`.
mod addr {
    pub(super) const REMOTE: [i16; 2] = [4, 8];
    pub(super) const REMOTE_PORT: i16 = 24;
    pub(super) const SOCK: i16 = 64;
}

/// Address families in the order of the arrays above, and words of their addresses.
const FAMILIES: [(i32, i16); 2] = [(libc::AF_INET, 1), (libc::AF_INET6, 4)];

/// What programs refer to: descriptors of maps, and the namespace that counts.
#[derive(Clone, Copy)]
pub(crate) struct Given {
    pub(crate) ring: i32,
    pub(crate) told: i32,
    pub(crate) lost: i32,
    pub(crate) net: u64,
}

impl Given {
    /// All programs.
    pub(crate) fn programs(&self) -> Vec<Code> {
        vec![
            self.stream("connect", ops::CONNECT, kind::CONNECT4, Ip::Four),
            self.stream("connect", ops::CONNECT, kind::CONNECT6, Ip::Six),
            self.stream("listen", ops::LISTEN, kind::LISTEN4, Ip::Four),
            self.stream("listen", ops::LISTEN, kind::LISTEN6, Ip::Six),
            self.send(kind::SEND4, Ip::Four),
            self.send(kind::SEND6, Ip::Six),
            self.bind(kind::BIND4, Ip::Four),
            self.bind(kind::BIND6, Ip::Six),
            self.release(),
        ]
    }

    /// TCP, in the program's own call.
    fn stream(&self, name: &'static str, op: i32, kind: i32, ip: Ip) -> Code {
        let mut code = begin();
        code.load(Size::Word, R1, R6, ops::OP).end_unless(R1, op);
        code.load(Size::Word, R1, R6, ops::FAMILY).end_unless(R1, ip.family());
        self.start(&mut code, kind);
        word(&mut code, R6, ops::LOCAL_PORT, at::LOCAL_PORT);
        word(&mut code, R6, ops::REMOTE_PORT, at::REMOTE_PORT);
        address(&mut code, R6, ip.of(ops::LOCAL), at::LOCAL, ip);
        address(&mut code, R6, ip.of(ops::REMOTE), at::REMOTE, ip);
        self.tell(code, name, SOCK_OPS, ON_SOCK_OPS)
    }

    /// A datagram to somebody named in the call: told once for each socket, process and somebody.
    fn send(&self, kind: i32, ip: Ip) -> Code {
        let mut code = begin();
        code.load(Size::Double, R7, R6, addr::SOCK).end_if(R7, 0);
        self.start(&mut code, kind);
        word(&mut code, R7, sock::LOCAL_PORT, at::LOCAL_PORT);
        word(&mut code, R6, addr::REMOTE_PORT, at::REMOTE_PORT);
        address(&mut code, R7, ip.of(sock::LOCAL), at::LOCAL, ip);
        address(&mut code, R6, ip.of(addr::REMOTE), at::REMOTE, ip);
        self.once(&mut code);
        self.tell(code, "sendmsg", SOCK_ADDR, ip.of(ON_SENDMSG))
    }

    /// A socket of UDP that gets a port of its choice: it waits for datagrams.
    fn bind(&self, kind: i32, ip: Ip) -> Code {
        let mut code = begin();
        code.load(Size::Word, R1, R6, sock::PROTOCOL).end_unless(R1, i32::from(UDP));
        self.start(&mut code, kind);
        word(&mut code, R6, sock::LOCAL_PORT, at::LOCAL_PORT);
        address(&mut code, R6, ip.of(sock::LOCAL), at::LOCAL, ip);
        self.tell(code, "bind", SOCK, ip.of(ON_POST_BIND))
    }

    /// A socket goes; which one, its cookie says.
    fn release(&self) -> Code {
        let mut code = begin();
        self.start(&mut code, kind::RELEASE);
        self.tell(code, "release", SOCK, ON_RELEASE)
    }

    /// Ends the program in other namespaces, and begins the record.
    fn start(&self, code: &mut Assembler, kind: i32) {
        code.copy(R1, R6).call(Helper::NamespaceCookie);
        code.set_whole(R1, self.net).end_unless_same(R0, R1);
        for word in 0..at::LENGTH / 8 {
            code.put(Size::Double, R10, RECORD + word * 8, 0);
        }
        code.put(Size::Word, R10, RECORD + at::KIND, kind);
        code.call(Helper::PidTgid).shift(R0, 32).store(Size::Word, R10, RECORD + at::PID, R0);
        code.call(Helper::UidGid).store(Size::Word, R10, RECORD + at::UID, R0);
        code.call(Helper::Monotonic).store(Size::Double, R10, RECORD + at::TIME, R0);
        code.copy(R1, R6).call(Helper::SocketCookie);
        code.store(Size::Double, R10, RECORD + at::COOKIE, R0);
    }

    /// Ends the program if this was told before; the table forgets by itself what is not used.
    fn once(&self, code: &mut Assembler) {
        let parts = [(at::COOKIE, 0), (at::REMOTE, 16), (at::REMOTE + 8, 24)];
        for (from, to) in parts {
            code.load(Size::Double, R8, R10, RECORD + from).store(Size::Double, R10, KEY + to, R8);
        }
        for (from, to) in [(at::PID, 8), (at::REMOTE_PORT, 12)] {
            code.load(Size::Word, R8, R10, RECORD + from).store(Size::Word, R10, KEY + to, R8);
        }
        code.map(R1, self.told).on_stack(R2, KEY).call(Helper::MapLookup);
        code.end_unless(R0, 0);
        code.put(Size::Double, R10, VALUE, 1);
        code.map(R1, self.told).on_stack(R2, KEY).on_stack(R3, VALUE).set(R4, 0);
        code.call(Helper::MapUpdate);
    }

    /// Writes the record; one that finds no room is counted.
    fn tell(&self, mut code: Assembler, name: &'static str, kind: u32, attach: u32) -> Code {
        code.map(R1, self.ring).on_stack(R2, RECORD);
        code.set(R3, i32::from(at::LENGTH)).set(R4, 0).call(Helper::RingOutput);
        // Two places for the address, one for the number, one for the sum.
        code.skip_if(R0, 0, 4).map_value(R1, self.lost).set(R2, 1).add_whole(R1, R2);
        Code { name, kind, attach, instructions: code.finish() }
    }
}

/// Which of the two protocols.
#[derive(Clone, Copy)]
enum Ip {
    Four,
    Six,
}

impl Ip {
    fn of<T: Copy>(self, [four, six]: [T; 2]) -> T {
        match self {
            Self::Four => four,
            Self::Six => six,
        }
    }

    fn family(self) -> i32 {
        self.of(FAMILIES).0
    }

    fn words(self) -> i16 {
        self.of(FAMILIES).1
    }
}

/// The context stays in `R6`.
fn begin() -> Assembler {
    let mut code = Assembler::default();
    code.copy(R6, R1);
    code
}

/// Copies a word of a context into the record.
fn word(code: &mut Assembler, from: u8, offset: i16, to: i16) {
    code.load(Size::Word, R1, from, offset).store(Size::Word, R10, RECORD + to, R1);
}

/// Copies an address word by word, as contexts want to be read.
fn address(code: &mut Assembler, from: u8, offset: i16, to: i16, ip: Ip) {
    for at in (0..ip.words()).map(|word| word * 4) {
        word(code, from, offset + at, to + at);
    }
}
