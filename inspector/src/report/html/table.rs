//! A table of a page: its head, its end, and a line for what it leaves out.

use std::io::{self, Write};

use super::time::Count;

/// A column's name, and whether it holds numbers.
pub(super) type Column = (&'static str, bool);

/// Begins a table. It scrolls in a box of its own, so that the page never does sideways.
pub(super) fn begin(
    out: &mut dyn Write,
    class: &str,
    label: &str,
    columns: &[Column],
) -> io::Result<()> {
    write!(
        out,
        "<div class=box tabindex=0 role=region aria-label=\"{label}\">\n\
         <table class={class}><thead><tr>"
    )?;
    for (name, is_number) in columns {
        let class = if *is_number { " class=n" } else { "" };
        write!(out, "<th scope=col{class}>{name}</th>")?;
    }
    out.write_all(b"</tr></thead><tbody>\n")
}

/// Ends it. `all` is how many rows there would be, `what` they are.
pub(super) fn end(out: &mut dyn Write, shown: u64, all: u64, what: &str) -> io::Result<()> {
    out.write_all(b"</tbody></table></div>\n")?;
    if all > shown {
        writeln!(
            out,
            "<p class=left>Left out: {} more {what}, of {}.</p>",
            Count(all - shown),
            Count(all)
        )?;
    }
    Ok(())
}

/// Begins a section, with how many it is about behind its heading.
pub(super) fn section(out: &mut dyn Write, id: &str, name: &str, count: u64) -> io::Result<()> {
    writeln!(
        out,
        "<section id={id}><h2>{name} <span class=count>{}</span></h2>",
        Count(count)
    )
}
