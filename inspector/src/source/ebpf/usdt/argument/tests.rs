//! The argument grammar of USDT probes, operand by operand.

use super::*;
use proptest::prelude::*;

fn one(text: &str) -> Result<Argument, &'static str> {
    let mut parsed = parse_all(text.as_bytes());
    assert_eq!(parsed.len(), 1, "{text}");
    parsed.remove(0).map_err(|unsupported| unsupported.why)
}

fn plain(place: u8, size: u8, signed: u8) -> Argument {
    Argument {
        value: 0,
        register: NO_REGISTER,
        place,
        size,
        signed,
        scale: 0,
        index: NO_REGISTER,
    }
}

#[test]
fn registers_of_every_width() {
    for (text, size, signed, register) in [
        ("8@%rdi", 8, 0, 112),
        ("-4@%edi", 4, 1, 112),
        ("2@%di", 2, 0, 112),
        ("-1@%dil", 1, 1, 112),
        ("1@%al", 1, 0, 80),
        ("1@%ah", 1, 0, 81),
        ("-8@%r15", 8, 1, 0),
        ("4@%r8d", 4, 0, 72),
        ("2@%r10w", 2, 0, 56),
        ("1@%r9b", 1, 0, 64),
        ("8@%rsp", 8, 0, 152),
        ("8@%rbp", 8, 0, 32),
    ] {
        let expected = Argument {
            register,
            ..plain(place::REGISTER, size, signed)
        };
        assert_eq!(one(text), Ok(expected), "{text}");
    }
}

#[test]
fn constants() {
    for (text, value) in [
        ("8@$0", 0),
        ("-4@$-5", -5),
        ("4@$+7", 7),
        ("8@$0x10", 16),
        ("8@$18446744073709551615", -1),
        ("-8@$-9223372036854775808", i64::MIN),
    ] {
        let parsed = one(text).expect(text);
        assert_eq!((parsed.place, parsed.value), (place::CONSTANT, value));
    }
}

#[test]
fn memory_operands() {
    for (text, value, register, index, scale) in [
        ("8@(%rax)", 0, 80, NO_REGISTER, 0),
        ("-4@-20(%rbp)", -20, 32, NO_REGISTER, 0),
        ("8@16+8(%rsp)", 24, 152, NO_REGISTER, 0),
        ("8@-8+0x20(%rsp)", 24, 152, NO_REGISTER, 0),
        ("8@8(%rax,%rcx)", 8, 80, 88, 0),
        ("1@(%rdx,%rbx,1)", 0, 96, 40, 0),
        ("8@-48(%r12,%r13,8)", -48, 24, 16, 3),
    ] {
        let parsed = one(text).expect(text);
        assert_eq!(
            (
                parsed.place,
                parsed.value,
                parsed.register,
                parsed.index,
                parsed.scale
            ),
            (place::MEMORY, value, register, index, scale),
            "{text}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    for (text, why) in [
        ("8@counter(%rip)", "relative to the instruction (a symbol)"),
        (
            "8@4+counter(%rip)",
            "relative to the instruction (a symbol)",
        ),
        (
            "8@counter(%rax)",
            "a displacement that is a symbol or too large",
        ),
        ("8@$counter", "a constant that is a symbol or too large"),
        (
            "8@$99999999999999999999",
            "a constant that is a symbol or too large",
        ),
        ("8@$", "a constant that is a symbol or too large"),
        ("8@$--1", "a constant that is a symbol or too large"),
        ("8@$0x", "a constant that is a symbol or too large"),
        ("8f@%xmm0", "a floating-point number"),
        ("8@%xmm0", "not a general register"),
        ("8@%rip", "not a general register"),
        ("8@%", "not a general register"),
        ("8@%fs:16", "relative to a segment"),
        ("8@%é", "not a general register"),
        ("8@(%eax)", "no 64-bit base register"),
        ("8@(,%rax,8)", "no 64-bit base register"),
        ("8@(%rax,%rbx,3)", "a scale other than 1, 2, 4 or 8"),
        ("8@(%rax,%rbx,8,1)", "more than base, index and scale"),
        ("8@(%rax", "no closing parenthesis"),
        ("8@8+(%rax)", "a displacement that is a symbol or too large"),
        ("8@1234", "an absolute address"),
        ("3@%rax", "not a size of 1, 2, 4 or 8 bytes"),
        ("@%rax", "not a size of 1, 2, 4 or 8 bytes"),
        ("%rax", "no size"),
    ] {
        assert_eq!(one(text), Err(why), "{text}");
    }
}

#[test]
fn several_are_kept_in_their_order() {
    let parsed = parse_all(b" 8@%rdi  -4@$7 x ");
    assert_eq!(parsed.len(), 3);
    assert_eq!(parsed[0].as_ref().map(|a| a.register), Ok(112));
    assert_eq!(parsed[1].as_ref().map(|a| a.value), Ok(7));
    let text = parsed[2]
        .as_ref()
        .expect_err("not an argument")
        .text
        .clone();
    assert_eq!(text, Text::from(&b"x"[..]));
    assert_eq!(parse_all(b""), []);
}

/// Writes an argument as an assembler does.
fn print(argument: &Argument) -> String {
    let name = |offset: u16| {
        let (names, _) = REGISTERS
            .iter()
            .find(|(_, at)| *at == offset)
            .expect("known");
        names[0]
    };
    let sign = if argument.signed == 1 { "-" } else { "" };
    let operand = match argument.place {
        place::CONSTANT => format!("${}", argument.value),
        place::REGISTER => format!("%{}", name(argument.register)),
        _ if argument.index == NO_REGISTER => {
            format!("{}(%{})", argument.value, name(argument.register))
        }
        _ => format!(
            "{}(%{},%{},{})",
            argument.value,
            name(argument.register),
            name(argument.index),
            1 << argument.scale
        ),
    };
    format!("{sign}{}@{operand}", argument.size)
}

prop_compose! {
    fn any_argument()(
        value in any::<i64>(), register in 0..16usize, index in prop::option::of(0..16usize),
        place in 1..=3u8, size in 0..4u8, signed in 0..2u8, scale in 0..4u8,
    ) -> Argument {
        let mut argument = plain(place, 1 << size, signed);
        if place != place::REGISTER {
            argument.value = value;
        }
        if place != place::CONSTANT {
            argument.register = REGISTERS[register].1;
        }
        if let (place::MEMORY, Some(index)) = (place, index) {
            argument.index = REGISTERS[index].1;
            argument.scale = scale;
        }
        argument
    }
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(arguments in prop::collection::vec(any_argument(), 0..6)) {
        let printed: Vec<_> = arguments.iter().map(print).collect();
        let read: Result<Vec<_>, _> = parse_all(printed.join(" ").as_bytes()).into_iter().collect();
        prop_assert_eq!(read.map_err(|unsupported| unsupported.why), Ok(arguments));
    }

    #[test]
    fn no_bytes_panic(text in prop::collection::vec(any::<u8>(), 0..60)) {
        parse_all(&text);
    }

    #[test]
    fn no_near_miss_panics(text in "-?[1248]?f?@?[$%(]?[-+0-9a-z]{0,6}[(]?[%,a-z0-9)]{0,12}") {
        parse_all(text.as_bytes());
    }
}
