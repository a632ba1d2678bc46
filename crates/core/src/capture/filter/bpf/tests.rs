//! Tests of the filter machine: its bounds and its arithmetic. What it makes of compiled
//! filters is compared with tcpdump in `tests/filter.rs`.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn op(code: u16, k: u32) -> Instruction {
    Instruction { code, jt: 0, jf: 0, k }
}

fn run(code: &[Instruction], data: &[u8]) -> u32 {
    Program::new(code).unwrap().run(data, 1500)
}

const RETURN_A: Instruction = Instruction { code: 0x16, jt: 0, jf: 0, k: 0 };

#[test]
fn loads_are_big_endian_and_end_with_the_packet() {
    let data = [1, 2, 3, 4, 5];
    assert_eq!(run(&[op(0x20, 1), RETURN_A], &data), 0x0203_0405);
    assert_eq!(run(&[op(0x28, 3), RETURN_A], &data), 0x0405);
    assert_eq!(run(&[op(0x30, 4), RETURN_A], &data), 5);
    for (code, k) in [(0x20, 2), (0x28, 4), (0x30, 5), (0x20, u32::MAX)] {
        assert_eq!(run(&[op(code, k), op(0x06, 9)], &data), 0);
    }
    assert_eq!(run(&[op(0x80, 0), RETURN_A], &data), 1500);
    assert_eq!(run(&[op(0xb1, 4), op(0x87, 0), RETURN_A], &data), 20);
}

#[test]
fn an_index_that_overflows_rejects() {
    let code = [op(0x01, u32::MAX), op(0x50, 1), op(0x06, 9)];
    assert_eq!(run(&code, &[1, 2, 3]), 0);
}

#[test]
fn division_by_zero_rejects_and_long_shifts_give_zero() {
    let with = |code: u16, k: u32| run(&[op(0x00, 12), op(code, k), RETURN_A], &[]);
    assert_eq!(with(0x34, 5), 2);
    assert_eq!(with(0x94, 5), 2);
    assert_eq!(with(0x34, 0), 0);
    assert_eq!(with(0x94, 0), 0);
    assert_eq!(with(0x64, 2), 48);
    assert_eq!(with(0x64, 32), 0);
    assert_eq!(with(0x74, 99), 0);
    assert_eq!(with(0x84, 0), 12_u32.wrapping_neg());
}

#[test]
fn what_is_no_program_is_refused() {
    let bad = |code: &[Instruction]| Program::new(code).unwrap_err().to_string();
    assert_eq!(bad(&[]), "instruction 0: missing");
    assert_eq!(bad(&[op(0x20, 0)]), "instruction 0: leads out of the program");
    assert_eq!(bad(&[op(0x05, 0x7fff_ffff), RETURN_A]), "instruction 0: leads out of the program");
    assert_eq!(bad(&[op(0x60, 16), RETURN_A]), "instruction 0: memory cell out of range");
    assert_eq!(bad(&[op(0xff, 0), RETURN_A]), "instruction 0: unknown move");
}

#[test]
fn an_endless_loop_rejects() {
    let back = op(0x05, (-2_i32) as u32);
    assert_eq!(run(&[op(0x00, 1), back, RETURN_A], &[]), 0);
    assert!(has_loop(&[back]) && !has_loop(&[op(0x05, 2)]));
    assert!(Program::new(&[back, RETURN_A]).is_err());
}

proptest! {
    #[test]
    fn any_program_ends_on_any_packet(
        code in prop::collection::vec((0..0x200_u16, 0..6_u8, 0..6_u8, 0..40_u32, any::<bool>()), 0..30),
        data in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut code: Vec<Instruction> = code
            .into_iter()
            .map(|(code, jt, jf, k, back)| Instruction { code, jt, jf, k: if back { k.wrapping_neg() } else { k } })
            .filter(|i| decode(*i).is_ok())
            .collect();
        code.extend([RETURN_A; 42]);
        if let Ok(program) = Program::new(&code) {
            program.run(&data, 60);
        }
    }
}
