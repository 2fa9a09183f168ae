//! A report as one page of HTML, which needs nothing but itself: for a ticket, or a mail.
//!
//! Everything it tells stands in its markup; the script only searches, sorts and points, so that
//! the page is whole where scripts are not run. Its policy forbids every request, and what comes
//! from other processes reaches it through `escape` alone: the script's data are numbers.

mod basis;
mod escape;
mod findings;
mod groups;
mod head;
mod lives;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod time;
mod timeline;
mod verdicts;

use std::io::{self, Write};

use super::{document::Document, history::Moments};
use crate::event::text::Text;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// What may happen in the page: its own style and script, and no request.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// A page of a report.
#[derive(Clone, Copy)]
pub struct Page<'a> {
    /// What is known.
    pub document: Document<'a>,
    /// What its time axis shows.
    pub moments: &'a Moments,
    /// The release of the kernel on which it was watched; `None` = not known.
    pub kernel: Option<&'a Text>,
}

impl Page<'_> {
    /// Writes it, row by row.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Document {
            run,
            pipeline,
            growth,
            ..
        } = self.document;
        let ledger = pipeline.ledger();
        let counts = verdicts::counts(pipeline);
        writeln!(
            out,
            "<!doctype html>\n<html lang=en><head><meta charset=utf-8>\n\
             <meta http-equiv=Content-Security-Policy content=\"{POLICY}\">\n\
             <meta name=viewport content=\"width=device-width, initial-scale=1\">\n\
             <meta name=color-scheme content=\"light dark\"><meta name=referrer content=no-referrer>\n\
             <title>inspector: {}</title>\n<style>\n{STYLE}</style></head><body>",
            escape::Cut(head::Watched(run))
        )?;
        head::write(out, self, &counts)?;
        out.write_all(b"<main>\n")?;
        basis::cautions(out, self)?;
        verdicts::write(out, pipeline, &counts)?;
        timeline::write(out, self)?;
        groups::write(out, growth, ledger.now())?;
        findings::write(out, ledger, run.started)?;
        lives::threads(out, ledger)?;
        lives::handles(out, ledger)?;
        lives::processes(out, ledger)?;
        basis::write(out, self)?;
        writeln!(out, "</main>\n<script>\n{SCRIPT}</script></body></html>")
    }
}
