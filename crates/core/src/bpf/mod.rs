//! BPF without a compiler: an assembler for programs of a few dozen instructions, and bpf(2).

pub(crate) mod assemble;
pub(crate) mod load;
