//! A CTF trace's `metadata`: what its stream holds, in the description language TSDL.

use std::fmt::{self, Formatter, Write as _};

use super::kinds::{KINDS, Kind, Shape};

/// What the trace is of; text that is escaped already.
pub(super) struct Facts<'a> {
    pub(super) host: &'a str,
    pub(super) command: Option<&'a str>,
    pub(super) boot_wall_ns: Option<u64>,
}

/// What comes before the kinds of events. Nothing is aligned to more than a byte.
const TYPES: &str = r"
typealias integer { size = 8; align = 8; signed = false; } := u8;
typealias integer { size = 16; align = 8; signed = false; } := u16;
typealias integer { size = 32; align = 8; signed = false; } := u32;
typealias integer { size = 64; align = 8; signed = false; } := u64;
typealias integer { size = 64; align = 8; signed = false; base = 16; } := address;
typealias integer { size = 64; align = 8; signed = false; map = clock.boot.value; } := time;
typealias string { encoding = UTF8; } := text;

trace {
    major = 1;
    minor = 8;
    byte_order = le;
    packet.header := struct { u32 magic; u32 stream_id; };
};
";

const STREAM: &str = r"
stream {
    id = 0;
    packet.context := struct {
        time timestamp_begin;
        time timestamp_end;
        u64 content_size;
        u64 packet_size;
        u64 events_discarded;
    };
    event.header := struct { u16 id; time timestamp; };
};
";

/// The whole text.
pub(super) fn text(facts: &Facts<'_>) -> String {
    fmt::from_fn(|f| write(facts, f)).to_string()
}

fn write(facts: &Facts<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str("/* CTF 1.8 */\n")?;
    f.write_str(TYPES)?;
    writeln!(f, "\nenv {{")?;
    writeln!(f, "    tracer_name = \"inspector\";")?;
    writeln!(f, "    hostname = {};", Quoted(facts.host))?;
    if let Some(command) = facts.command {
        writeln!(f, "    command = {};", Quoted(command))?;
    }
    writeln!(f, "}};")?;
    let wall_ns = facts.boot_wall_ns.unwrap_or(0);
    writeln!(f, "\nclock {{")?;
    writeln!(f, "    name = boot;")?;
    writeln!(
        f,
        "    description = \"since boot, suspended time included\";"
    )?;
    writeln!(f, "    freq = 1000000000;")?;
    writeln!(f, "    offset_s = {};", wall_ns / 1_000_000_000)?;
    writeln!(f, "    offset = {};", wall_ns % 1_000_000_000)?;
    writeln!(f, "}};")?;
    f.write_str(STREAM)?;
    for (id, kind) in KINDS.iter().enumerate() {
        event(id, kind, f)?;
    }
    Ok(())
}

fn event(id: usize, (name, fields): &Kind, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(
        f,
        "\nevent {{\n    name = \"{name}\";\n    id = {id};\n    stream_id = 0;"
    )?;
    writeln!(f, "    fields := struct {{\n        u64 _at_ns;")?;
    for field in *fields {
        let kind = match field.shape {
            Shape::Number => "u64",
            Shape::Flag => "u8",
            Shape::Address => "address",
            Shape::Text | Shape::Parts => "text",
        };
        // Readers take the first underline away: without one, names could be words of TSDL.
        let name = field.name;
        if field.may_lack {
            writeln!(f, "        enum : u8 {{ unknown, known }} _{name}_is;")?;
            writeln!(
                f,
                "        variant <_{name}_is> {{ struct {{ }} unknown; {kind} known; }} _{name};"
            )?;
        } else {
            writeln!(f, "        {kind} _{name};")?;
        }
    }
    writeln!(f, "    }};\n}};")
}

/// A string of TSDL.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            if matches!(character, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(character)?;
        }
        f.write_char('"')
    }
}
