//! A USDT argument string → where the programs find each argument.
//!
//! The grammar, as assemblers print it: arguments separated by blanks, each `N@OP`. N is the size
//! in bytes (1, 2, 4, 8), negative where signed. OP is `%register`, `$constant`, or
//! `displacement(%base,%index,scale)` with the parts C compilers may leave out.

use inspector_ebpf::abi::mark::{Argument, NO_REGISTER, place};

use crate::event::text::Text;

/// An argument that the programs can't read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// As written.
    pub text: Text,
    /// Why.
    pub why: &'static str,
}

/// Parses a whole argument string.
pub fn parse_all(text: &[u8]) -> Vec<Result<Argument, Unsupported>> {
    text.split(u8::is_ascii_whitespace)
        .filter(|part| !part.is_empty())
        .map(|part| {
            parse(part).map_err(|why| Unsupported {
                text: Text::from(part),
                why,
            })
        })
        .collect()
}

fn parse(text: &[u8]) -> Result<Argument, &'static str> {
    let text = str::from_utf8(text).map_err(|_| "not ASCII")?;
    let (size, operand) = text.split_once('@').ok_or("no size")?;
    let (signed, size) = match size.strip_prefix('-') {
        Some(size) => (1, size),
        None => (0, size),
    };
    let size = match size {
        "1" => 1,
        "2" => 2,
        "4" => 4,
        "8" => 8,
        _ if size.ends_with('f') => return Err("a floating-point number"),
        _ => return Err("not a size of 1, 2, 4 or 8 bytes"),
    };
    let plain = Argument {
        value: 0,
        register: NO_REGISTER,
        place: place::NONE,
        size,
        signed,
        scale: 0,
        index: NO_REGISTER,
    };
    if let Some(constant) = operand.strip_prefix('$') {
        return Ok(Argument {
            place: place::CONSTANT,
            value: number(constant).ok_or("a constant that is a symbol or too large")?,
            ..plain
        });
    }
    if let Some(name) = operand.strip_prefix('%') {
        let register = if name.contains(':') {
            Err("relative to a segment")
        } else {
            register(name).ok_or("not a general register")
        };
        return Ok(Argument {
            place: place::REGISTER,
            register: register?,
            ..plain
        });
    }
    let memory = memory(operand)?;
    Ok(Argument {
        place: place::MEMORY,
        size,
        signed,
        ..memory
    })
}

/// `displacement(%base,%index,scale)`.
fn memory(operand: &str) -> Result<Argument, &'static str> {
    let (displacement, rest) = operand.split_once('(').ok_or("an absolute address")?;
    let inner = rest.strip_suffix(')').ok_or("no closing parenthesis")?;
    let mut parts = inner.split(',');
    let base = parts.next().unwrap_or_default();
    if matches!(base, "%rip" | "%eip") {
        return Err("relative to the instruction (a symbol)");
    }
    let base = address_register(base).ok_or("no 64-bit base register")?;
    let index = match parts.next() {
        None => NO_REGISTER,
        Some(index) => address_register(index).ok_or("no 64-bit index register")?,
    };
    let scale = match parts.next() {
        None | Some("1") => 0,
        Some("2") => 1,
        Some("4") => 2,
        Some("8") => 3,
        Some(_) => return Err("a scale other than 1, 2, 4 or 8"),
    };
    if parts.next().is_some() {
        return Err("more than base, index and scale");
    }
    let value = match displacement {
        "" => 0,
        _ => sum(displacement).ok_or("a displacement that is a symbol or too large")?,
    };
    Ok(Argument {
        value,
        register: base,
        index,
        scale,
        ..Argument::default()
    })
}

/// A number, or several joined by signs (`8+16`), as compilers print a frame's slot plus a
/// member.
fn sum(text: &str) -> Option<i64> {
    let mut total = 0i64;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest[1..].find(['+', '-']).map_or(rest.len(), |at| at + 1);
        let (term, next) = rest.split_at_checked(end)?;
        total = total.checked_add(number(term)?)?;
        rest = next;
    }
    Some(total)
}

/// A decimal or hexadecimal number. What fits 64 bits only without a sign keeps its bits.
fn number(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    // The standard parser takes a sign of its own.
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let magnitude = match digits.strip_prefix("0x") {
        Some(hexadecimal) if hexadecimal.starts_with(|c: char| c.is_ascii_hexdigit()) => {
            u64::from_str_radix(hexadecimal, 16).ok()?
        }
        Some(_) => return None,
        None => digits.parse::<u64>().ok()?,
    };
    if negative {
        0i64.checked_sub_unsigned(magnitude)
    } else {
        Some(magnitude.cast_signed())
    }
}

/// The 64-bit registers: their name, the names of their lower 32, 16 and 8 bits, and their byte
/// offset in `struct pt_regs` (`arch/x86/include/asm/ptrace.h`).
const REGISTERS: [([&str; 4], u16); 16] = [
    (["r15", "r15d", "r15w", "r15b"], 0),
    (["r14", "r14d", "r14w", "r14b"], 8),
    (["r13", "r13d", "r13w", "r13b"], 16),
    (["r12", "r12d", "r12w", "r12b"], 24),
    (["rbp", "ebp", "bp", "bpl"], 32),
    (["rbx", "ebx", "bx", "bl"], 40),
    (["r11", "r11d", "r11w", "r11b"], 48),
    (["r10", "r10d", "r10w", "r10b"], 56),
    (["r9", "r9d", "r9w", "r9b"], 64),
    (["r8", "r8d", "r8w", "r8b"], 72),
    (["rax", "eax", "ax", "al"], 80),
    (["rcx", "ecx", "cx", "cl"], 88),
    (["rdx", "edx", "dx", "dl"], 96),
    (["rsi", "esi", "si", "sil"], 104),
    (["rdi", "edi", "di", "dil"], 112),
    (["rsp", "esp", "sp", "spl"], 152),
];

/// Byte offset in `pt_regs` of a general register of any width. The second-lowest bytes (`%ah`)
/// lie one byte further.
fn register(name: &str) -> Option<u16> {
    if let ["a" | "b" | "c" | "d", "h"] = [name.get(..1)?, name.get(1..)?] {
        let low = format!("{}l", &name[..1]);
        return register(&low).map(|offset| offset + 1);
    }
    REGISTERS
        .iter()
        .find(|(names, _)| names.contains(&name))
        .map(|(_, offset)| *offset)
}

/// Byte offset in `pt_regs` of `%name`, a whole register.
fn address_register(text: &str) -> Option<u16> {
    let name = text.strip_prefix('%')?;
    REGISTERS
        .iter()
        .find(|(names, _)| names[0] == name)
        .map(|(_, offset)| *offset)
}

#[cfg(test)]
mod tests;
