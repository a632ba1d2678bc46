//! Classic BPF, the machine that capture filters are compiled for, run without leaving Rust.
//!
//! As in `McCanne` and Jacobson, "The BSD Packet Filter" (1993), and `bpf(4)`. A load
//! beyond the packet or a division by zero rejects it. libpcap makes one loop, for
//! `protochain`; turns are counted, so every program ends.

/// One instruction as compilers make it, laid out like C's `struct bpf_insn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// Operation, addressing mode and size.
    pub code: u16,
    /// Instructions to skip when a test holds.
    pub jt: u8,
    /// Instructions to skip when it does not.
    pub jf: u8,
    /// The constant.
    pub k: u32,
}

/// Cells of scratch memory.
const MEMORY: usize = 16;
/// Jumps back before a packet is rejected: far more than a chain of headers has links.
const MAX_TURNS: u32 = 1024;

/// A program that was checked: every jump and memory cell is in range, and it ends.
#[derive(Clone, Debug)]
pub struct Program(Vec<Op>);

/// Why instructions are no program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("instruction {at}: {what}")]
pub struct BadProgram {
    /// The instruction's number, from 0.
    pub at: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Load(Size, Address),
    LoadA(Value),
    LoadX(Value),
    /// X = 4 * (low half of the byte at k): the length of an IPv4 header.
    HeaderLength(u32),
    StoreA(usize),
    StoreX(usize),
    Compute(Arithmetic, Operand),
    Negate,
    /// Relative to the next instruction; back only in what `protochain` compiles to.
    Jump(i32),
    JumpIf {
        test: Test,
        with: Operand,
        then: u8,
        otherwise: u8,
    },
    Return(u32),
    ReturnA,
    AToX,
    XToA,
}

#[derive(Clone, Copy, Debug)]
enum Size {
    Word,
    Half,
    Byte,
}

#[derive(Clone, Copy, Debug)]
enum Address {
    Absolute(u32),
    FromX(u32),
}

#[derive(Clone, Copy, Debug)]
enum Value {
    Constant(u32),
    Memory(usize),
    WireLength,
}

#[derive(Clone, Copy, Debug)]
enum Operand {
    K(u32),
    X,
}

#[derive(Clone, Copy, Debug)]
enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
}

#[derive(Clone, Copy, Debug)]
enum Test {
    Equal,
    Greater,
    GreaterOrEqual,
    AnyBit,
}

/// Whether a program has a loop, which no kernel takes.
#[cfg(target_os = "linux")]
pub(crate) fn has_loop(code: &[Instruction]) -> bool {
    const JUMP_ALWAYS: u16 = 0x05;
    code.iter().any(|i| i.code == JUMP_ALWAYS && (i.k as i32) < 0)
}

impl Program {
    /// Checks `code` and keeps it.
    pub fn new(code: &[Instruction]) -> Result<Self, BadProgram> {
        let mut ops = Vec::with_capacity(code.len());
        for (at, instruction) in code.iter().enumerate() {
            let bad = |what| BadProgram { at, what };
            let op = decode(*instruction).map_err(bad)?;
            if op.furthest(at).is_none_or(|to| to >= code.len()) {
                return Err(bad("leads out of the program"));
            }
            ops.push(op);
        }
        if ops.is_empty() {
            let what = "missing";
            return Err(BadProgram { at: 0, what });
        }
        Ok(Self(ops))
    }

    /// Bytes of the packet to keep; 0 rejects it. `wire_len` is what the program sees as the
    /// packet's length, `data` what it can load.
    pub fn run(&self, data: &[u8], wire_len: u32) -> u32 {
        let mut machine = Machine { a: 0, x: 0, memory: [0; MEMORY], data, wire_len };
        let (mut at, mut turns) = (0, 0);
        while let Some(op) = self.0.get(at) {
            let after = at + 1;
            let next = match *op {
                Op::Return(k) => return k,
                Op::ReturnA => return machine.a,
                Op::Jump(k) => after.wrapping_add_signed(k as isize),
                Op::JumpIf { test, with, then, otherwise } => {
                    after + usize::from(if machine.holds(test, with) { then } else { otherwise })
                }
                _ => match machine.step(*op) {
                    Some(()) => after,
                    None => return 0,
                },
            };
            turns += u32::from(next < after);
            if turns > MAX_TURNS {
                return 0;
            }
            at = next;
        }
        0
    }
}

impl Op {
    /// The furthest instruction that can follow the one at `at`, itself for an end; `None` if
    /// that lies before the first.
    fn furthest(self, at: usize) -> Option<usize> {
        match self {
            Self::Return(_) | Self::ReturnA => Some(at),
            Self::Jump(k) => (at + 1).checked_add_signed(k as isize),
            Self::JumpIf { then, otherwise, .. } => Some(at + usize::from(then.max(otherwise)) + 1),
            _ => Some(at + 1),
        }
    }
}

struct Machine<'a> {
    a: u32,
    x: u32,
    memory: [u32; MEMORY],
    data: &'a [u8],
    wire_len: u32,
}

impl Machine<'_> {
    /// `None` rejects the packet.
    fn step(&mut self, op: Op) -> Option<()> {
        match op {
            Op::Load(size, address) => self.a = self.load(size, address)?,
            Op::LoadA(value) => self.a = self.value(value)?,
            Op::LoadX(value) => self.x = self.value(value)?,
            Op::HeaderLength(k) => {
                self.x = (self.load(Size::Byte, Address::Absolute(k))? & 0xf) * 4;
            }
            Op::StoreA(cell) => *self.memory.get_mut(cell)? = self.a,
            Op::StoreX(cell) => *self.memory.get_mut(cell)? = self.x,
            Op::Compute(what, with) => self.a = compute(what, self.a, self.operand(with))?,
            Op::Negate => self.a = self.a.wrapping_neg(),
            Op::AToX => self.x = self.a,
            Op::XToA => self.a = self.x,
            Op::Jump(_) | Op::JumpIf { .. } | Op::Return(_) | Op::ReturnA => {}
        }
        Some(())
    }

    fn load(&self, size: Size, address: Address) -> Option<u32> {
        let at = match address {
            Address::Absolute(k) => k,
            Address::FromX(k) => self.x.checked_add(k)?,
        };
        let bytes = self.data.get(at as usize..)?;
        Some(match size {
            Size::Word => u32::from_be_bytes(*bytes.first_chunk()?),
            Size::Half => u32::from(u16::from_be_bytes(*bytes.first_chunk()?)),
            Size::Byte => u32::from(*bytes.first()?),
        })
    }

    fn value(&self, value: Value) -> Option<u32> {
        match value {
            Value::Constant(k) => Some(k),
            Value::Memory(cell) => self.memory.get(cell).copied(),
            Value::WireLength => Some(self.wire_len),
        }
    }

    fn operand(&self, operand: Operand) -> u32 {
        match operand {
            Operand::K(k) => k,
            Operand::X => self.x,
        }
    }

    fn holds(&self, test: Test, with: Operand) -> bool {
        let with = self.operand(with);
        match test {
            Test::Equal => self.a == with,
            Test::Greater => self.a > with,
            Test::GreaterOrEqual => self.a >= with,
            Test::AnyBit => self.a & with != 0,
        }
    }
}

fn compute(what: Arithmetic, a: u32, b: u32) -> Option<u32> {
    Some(match what {
        Arithmetic::Add => a.wrapping_add(b),
        Arithmetic::Subtract => a.wrapping_sub(b),
        Arithmetic::Multiply => a.wrapping_mul(b),
        Arithmetic::Divide => a.checked_div(b)?,
        Arithmetic::Remainder => a.checked_rem(b)?,
        Arithmetic::And => a & b,
        Arithmetic::Or => a | b,
        Arithmetic::Xor => a ^ b,
        Arithmetic::ShiftLeft => a.checked_shl(b).unwrap_or(0),
        Arithmetic::ShiftRight => a.checked_shr(b).unwrap_or(0),
    })
}

fn decode(i: Instruction) -> Result<Op, &'static str> {
    match i.code & 0x07 {
        0x00 => load(i),
        0x01 => load_index(i),
        0x02 => Ok(Op::StoreA(cell(i.k)?)),
        0x03 => Ok(Op::StoreX(cell(i.k)?)),
        0x04 => arithmetic(i),
        0x05 => jump(i),
        0x06 => match i.code & 0x18 {
            0x00 => Ok(Op::Return(i.k)),
            0x10 => Ok(Op::ReturnA),
            _ => Err("unknown return"),
        },
        _ => match i.code & 0xf8 {
            0x00 => Ok(Op::AToX),
            0x80 => Ok(Op::XToA),
            _ => Err("unknown move"),
        },
    }
}

fn load(i: Instruction) -> Result<Op, &'static str> {
    let size = match i.code & 0x18 {
        0x00 => Size::Word,
        0x08 => Size::Half,
        0x10 => Size::Byte,
        _ => return Err("unknown size"),
    };
    match i.code & 0xe0 {
        0x00 => Ok(Op::LoadA(Value::Constant(i.k))),
        0x20 => Ok(Op::Load(size, Address::Absolute(i.k))),
        0x40 => Ok(Op::Load(size, Address::FromX(i.k))),
        0x60 => Ok(Op::LoadA(Value::Memory(cell(i.k)?))),
        0x80 => Ok(Op::LoadA(Value::WireLength)),
        _ => Err("unknown load"),
    }
}

fn load_index(i: Instruction) -> Result<Op, &'static str> {
    match i.code & 0xe0 {
        0x00 => Ok(Op::LoadX(Value::Constant(i.k))),
        0x60 => Ok(Op::LoadX(Value::Memory(cell(i.k)?))),
        0x80 => Ok(Op::LoadX(Value::WireLength)),
        0xa0 => Ok(Op::HeaderLength(i.k)),
        _ => Err("unknown load"),
    }
}

fn arithmetic(i: Instruction) -> Result<Op, &'static str> {
    let what = match i.code & 0xf0 {
        0x00 => Arithmetic::Add,
        0x10 => Arithmetic::Subtract,
        0x20 => Arithmetic::Multiply,
        0x30 => Arithmetic::Divide,
        0x40 => Arithmetic::Or,
        0x50 => Arithmetic::And,
        0x60 => Arithmetic::ShiftLeft,
        0x70 => Arithmetic::ShiftRight,
        0x80 => return Ok(Op::Negate),
        0x90 => Arithmetic::Remainder,
        0xa0 => Arithmetic::Xor,
        _ => return Err("unknown arithmetic"),
    };
    Ok(Op::Compute(what, operand(i)))
}

fn jump(i: Instruction) -> Result<Op, &'static str> {
    let test = match i.code & 0xf0 {
        0x00 => return Ok(Op::Jump(i.k as i32)),
        0x10 => Test::Equal,
        0x20 => Test::Greater,
        0x30 => Test::GreaterOrEqual,
        0x40 => Test::AnyBit,
        _ => return Err("unknown jump"),
    };
    Ok(Op::JumpIf { test, with: operand(i), then: i.jt, otherwise: i.jf })
}

fn operand(i: Instruction) -> Operand {
    if i.code & 0x08 == 0 { Operand::K(i.k) } else { Operand::X }
}

fn cell(k: u32) -> Result<usize, &'static str> {
    Some(k as usize).filter(|&k| k < MEMORY).ok_or("memory cell out of range")
}

#[cfg(test)]
mod tests;
