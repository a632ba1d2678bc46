//! A small assembler for BPF: instructions by name, jumps forward to one place.

/// Registers. `R1` to `R5` are arguments and lost in calls, `R6` to `R9` stay, `R10` is the stack's end.
pub(crate) const R0: u8 = 0;
pub(crate) const R1: u8 = 1;
pub(crate) const R2: u8 = 2;
pub(crate) const R3: u8 = 3;
pub(crate) const R4: u8 = 4;
pub(crate) const R6: u8 = 6;
pub(crate) const R7: u8 = 7;
pub(crate) const R8: u8 = 8;
pub(crate) const R10: u8 = 10;

/// Kernel functions that programs may call.
#[derive(Clone, Copy)]
pub(crate) enum Helper {
    MapLookup = 1,
    MapUpdate = 2,
    Monotonic = 5,
    PidTgid = 14,
    UidGid = 15,
    SocketCookie = 46,
    SocketRelease = 86,
    NamespaceCookie = 122,
    SocketAssign = 124,
    RingOutput = 130,
}

/// Sizes of loads and stores, as their codes.
#[derive(Clone, Copy)]
pub(crate) enum Size {
    Word = 0x00,
    Double = 0x18,
}

/// A program in the making.
#[derive(Default)]
pub(crate) struct Assembler {
    code: Vec<[u8; 8]>,
    /// Jumps whose distance to the end is not known yet.
    to_end: Vec<usize>,
}

impl Assembler {
    fn push(&mut self, code: u8, to: u8, from: u8, offset: i16, value: i32) -> &mut Self {
        let registers =
            if cfg!(target_endian = "little") { from << 4 | to } else { to << 4 | from };
        let mut instruction = [code, registers, 0, 0, 0, 0, 0, 0];
        let rest = offset.to_ne_bytes().into_iter().chain(value.to_ne_bytes());
        instruction.iter_mut().skip(2).zip(rest).for_each(|(to, from)| *to = from);
        self.code.push(instruction);
        self
    }

    /// `to = *(from + offset)`
    pub(crate) fn load(&mut self, size: Size, to: u8, from: u8, offset: i16) -> &mut Self {
        self.push(0x61 + size as u8, to, from, offset, 0)
    }

    /// `*(to + offset) = from`
    pub(crate) fn store(&mut self, size: Size, to: u8, offset: i16, from: u8) -> &mut Self {
        self.push(0x63 + size as u8, to, from, offset, 0)
    }

    /// `*(to + offset) = value`
    pub(crate) fn put(&mut self, size: Size, to: u8, offset: i16, value: i32) -> &mut Self {
        self.push(0x62 + size as u8, to, 0, offset, value)
    }

    /// `to = from`
    pub(crate) fn copy(&mut self, to: u8, from: u8) -> &mut Self {
        self.push(0xbf, to, from, 0, 0)
    }

    /// `to = value`
    pub(crate) fn set(&mut self, to: u8, value: i32) -> &mut Self {
        self.push(0xb7, to, 0, 0, value)
    }

    /// `to += value`
    pub(crate) fn add(&mut self, to: u8, value: i32) -> &mut Self {
        self.push(0x07, to, 0, 0, value)
    }

    /// `to += from`
    pub(crate) fn add_register(&mut self, to: u8, from: u8) -> &mut Self {
        self.push(0x0f, to, from, 0, 0)
    }

    /// `to &= value`
    pub(crate) fn mask(&mut self, to: u8, value: i32) -> &mut Self {
        self.push(0x57, to, 0, 0, value)
    }

    /// `to >>= bits`
    pub(crate) fn shift(&mut self, to: u8, bits: i32) -> &mut Self {
        self.push(0x77, to, 0, 0, bits)
    }

    /// `to >>= bits`, a register's number of them
    pub(crate) fn shift_by(&mut self, to: u8, bits: u8) -> &mut Self {
        self.push(0x7f, to, bits, 0, 0)
    }

    /// `to <<= bits`
    pub(crate) fn shift_left(&mut self, to: u8, bits: i32) -> &mut Self {
        self.push(0x67, to, 0, 0, bits)
    }

    /// `to = place + offset` on the stack
    pub(crate) fn on_stack(&mut self, to: u8, offset: i16) -> &mut Self {
        self.copy(to, R10).add(to, i32::from(offset))
    }

    /// `to = the map`
    pub(crate) fn map(&mut self, to: u8, fd: i32) -> &mut Self {
        self.push(0x18, to, 1, 0, fd).push(0, 0, 0, 0, 0)
    }

    /// `to = where the map's only value lies`
    pub(crate) fn map_value(&mut self, to: u8, fd: i32) -> &mut Self {
        self.push(0x18, to, 2, 0, fd).push(0, 0, 0, 0, 0)
    }

    /// `*to += from` as one
    pub(crate) fn add_whole(&mut self, to: u8, from: u8) -> &mut Self {
        self.push(0xdb, to, from, 0, 0)
    }

    pub(crate) fn call(&mut self, helper: Helper) -> &mut Self {
        self.push(0x85, 0, 0, 0, helper as i32)
    }

    /// Ends the program if the register is this value.
    pub(crate) fn end_if(&mut self, register: u8, value: i32) -> &mut Self {
        self.to_end.push(self.code.len());
        self.push(0x15, register, 0, 0, value)
    }

    /// Ends the program if the register is another value.
    pub(crate) fn end_unless(&mut self, register: u8, value: i32) -> &mut Self {
        self.to_end.push(self.code.len());
        self.push(0x55, register, 0, 0, value)
    }

    /// Ends the program if the two registers differ.
    pub(crate) fn end_unless_same(&mut self, one: u8, other: u8) -> &mut Self {
        self.to_end.push(self.code.len());
        self.push(0x5d, one, other, 0, 0)
    }

    /// `to = value`, all 64 bits
    pub(crate) fn set_whole(&mut self, to: u8, value: u64) -> &mut Self {
        self.push(0x18, to, 0, 0, value as i32).push(0, 0, 0, 0, (value >> 32) as i32)
    }

    /// Leaves out the next `count` instructions if the register is this value.
    pub(crate) fn skip_if(&mut self, register: u8, value: i32, count: i16) -> &mut Self {
        self.push(0x15, register, 0, count, value)
    }

    /// The whole program. It returns 1: whatever it is attached to is allowed.
    pub(crate) fn finish(mut self) -> Vec<[u8; 8]> {
        let end = self.code.len();
        for at in std::mem::take(&mut self.to_end) {
            let distance = (end - at - 1) as i16;
            if let Some([_, _, a, b, ..]) = self.code.get_mut(at) {
                [*a, *b] = distance.to_ne_bytes();
            }
        }
        self.set(R0, 1).push(0x95, 0, 0, 0, 0);
        self.code
    }
}
