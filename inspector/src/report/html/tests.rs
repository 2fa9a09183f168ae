//! Pages of stories: what they tell, that hostile text is inert, and that they stay small.

use std::fmt::Write as _;

use super::Page;
use crate::{
    check::CommandEnd,
    event::{
        id::{BootTime, Tgid},
        text::Text,
    },
    ledger::LedgerRules,
    pipeline::{Pipeline, story::Cast},
    report::{
        document::{Document, Of, Run},
        history::Moments,
    },
    source::{SourceKind, probe_set::ProbeSet},
    verdict::growth::Growth,
};

fn ebpf() -> SourceKind {
    SourceKind::Ebpf(ProbeSet::default())
}

fn command() -> Of {
    Of::Command {
        words: vec![
            Text::from(&b"./x"[..]),
            Text::from(&b"</title><img src=x>\x1b"[..]),
        ],
        tgid: Tgid(100),
        end: Some(CommandEnd::Exited(3)),
    }
}

/// The page of a story that is looked at once a second.
fn page(story: &str, source: &SourceKind) -> String {
    page_of(command(), story, source)
}

fn page_of(of: Of, story: &str, source: &SourceKind) -> String {
    let mut pipeline = Pipeline::new(LedgerRules::default());
    let (mut moments, mut growth) = (Moments::default(), Growth::new());
    let mut next = BootTime(0);
    for batch in Cast::default().batches(story) {
        pipeline.take(&batch);
        moments.take(&batch, pipeline.ledger());
        let now = pipeline.ledger().now();
        if now >= next {
            growth.sample(pipeline.ledger());
            next = now.plus_ns(1_000_000_000);
        }
    }
    growth.sample(pipeline.ledger());
    written(of, &pipeline, &growth, &moments, source)
}

fn written(
    of: Of,
    pipeline: &Pipeline,
    growth: &Growth,
    moments: &Moments,
    source: &SourceKind,
) -> String {
    let run = Run {
        of,
        started: BootTime(1_000_000),
        ended: BootTime(12_000_000_000),
        boot_wall_ns: Some(1_700_000_000_000_000_000),
    };
    let page = Page {
        document: Document {
            run: &run,
            source,
            pipeline,
            growth,
        },
        moments,
        kernel: Some(&Text::from(&b"6.18.0<"[..])),
    };
    let mut bytes = Vec::new();
    page.write(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[track_caller]
fn holds(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "no {part:?} in\n{}", shown(page));
    }
}

/// Without the style and the script, which are the same everywhere.
fn shown(page: &str) -> String {
    page.replace(super::STYLE, "").replace(super::SCRIPT, "")
}

const HOSTILE: &str = "%3c/script%3e%3cscript%3ealert(1)%3c/script%3e";

/// One key whose resources stay, one whose do not, a descriptor closed twice, and a gap.
fn story() -> String {
    format!(
        "1 100 baseline 100 | 0 1 2 began=0.5
         30 100 thread 101
         31 101 rename %3c/script%3e%3cb
         40 100 store-begin {HOSTILE}
         45 100 open 5 socket
         50 100 store-end {HOSTILE}
         60 100 store-begin k2
         65 100 open 6
         70 100 store-end k2
         80 100 delete-begin {HOSTILE} %22bare%22
         81 100 delete-end {HOSTILE}
         90 100 delete-begin k2
         91 100 delete-end k2
         94 100 close 6
         95 100 close-refused 6
         200 100 lost wait from=150 until=190
         3000 100 tick"
    )
}

#[test]
fn a_page_tells_what_was_watched_and_what_came_of_it() {
    let page = page(&story(), &ebpf());
    holds(
        &page,
        &[
            "<h1>./x &lt;/title&gt;&lt;img src=x&gt;\\u{1b}</h1>",
            "<b class=\"chip v-retained\">✗ 1 retained</b>",
            "<b class=\"chip v-gone\">✓ 1 gone</b>",
            "<b class=\"chip v-late\">! 1 finding</b>",
            "exited with status 3",
            "2023-11-14 22:13:20.001 UTC",
            "6.18.0&lt;",
            "<td data-v=0><b class=v-retained>✗ retained</b></td>",
            "<td>&quot;bare&quot;</td>",
            "<li>owner by span</li>",
            // 94 less 91 ms.
            "<td class=n data-v=3000000>3 ms</td>",
            "fd 6 closed twice",
            "<li>events lost: 1;",
            "deletes ended: 2",
        ],
    );
    // The worst comes first.
    let place = |word: &str| page.find(word).unwrap();
    assert!(place("class=v-retained>") < place("class=v-gone>"));
}

#[test]
fn processes_are_told_with_their_names() {
    let story = "1 100 baseline 100 | 0 began=0.5\n2 100 rename ser%3cver";
    let page = page_of(Of::Processes(vec![Tgid(100), Tgid(7)]), story, &ebpf());
    holds(
        &page,
        &["<h1>processes 100, 7</h1>", "<dd>100 ser&lt;ver, 7</dd>"],
    );
}

#[test]
fn the_axis_has_lines_ticks_marks_and_bands() {
    let page = page(&story(), &ebpf());
    holds(
        &page,
        &[
            "threads 2 at the end, 1 to 2",
            "<svg class=deletes",
            "<g class=\"mark v-retained\"",
            "<title>retained: fd 5 of 100 of &lt;/script&gt;",
            "<rect class=gap",
            "\"gaps\":[[149,189,1]]",
        ],
    );
}

#[test]
fn hostile_text_is_inert() {
    let page = page(&story(), &ebpf());
    // The data's and the page's own.
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script").count(), 2);
    assert!(!page.contains("<img") && !page.contains("</title><img"));
    assert!(!page.contains('\u{1b}'));
    holds(
        &page,
        &["&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"],
    );
    // The data are numbers and the names of their lists.
    let data = page.split("id=moments>").nth(1).unwrap();
    let data = data.split("</script>").next().unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(data).is_ok());
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "{}[]\":,_".contains(sign);
    assert!(data.chars().all(is_plain), "{data}");
}

#[test]
fn nothing_is_fetched() {
    let page = page(&story(), &ebpf());
    holds(
        &page,
        &["content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\""],
    );
    for forbidden in [
        " src=", "@import", "http:", "https:", "url(h", "<link", "<base", "<form",
    ] {
        let page = page.replace("&lt;img src=x", "");
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn what_is_not_there_is_said() {
    let empty = page("", &ebpf());
    holds(
        &empty,
        &[
            "no deletes declared",
            "No deletes of anything that owned",
            "No samples: nobody counted",
            "threads: not counted",
            "No suspects",
            "<p class=none>None: no number",
            "<p class=none>None lives.",
            "<p class=none>None is open.",
        ],
    );
    // A clean run has nothing to be read first, and no colour of alarm.
    assert!(!empty.contains("Read this first") && !empty.contains("chip v-"));
    let polling = SourceKind::Polling {
        every: std::time::Duration::from_millis(250),
        why: "no <BPF>\u{7}".to_owned(),
    };
    holds(
        &page("", &polling),
        &[
            "Read this first",
            "/proc was read every 250ms in place of probes: no &lt;BPF&gt;\\u{7}",
        ],
    );
}

/// 20,000 threads and 200,000 handles, of which many are named.
#[test]
fn a_large_run_is_a_small_page_and_says_what_it_leaves_out() {
    let mut story = "1 100 baseline 100 | 0 began=0.5\n".to_owned();
    let mut pipeline = Pipeline::new(LedgerRules::default());
    let (mut moments, mut growth) = (Moments::default(), Growth::new());
    for number in 0..20_000 {
        let _ = writeln!(story, "2 100 thread {}", 1000 + number);
    }
    let key = "k".repeat(60);
    for number in 0..200_000 {
        // A key of each 20 owns what is opened in it, and is deleted.
        let is_stored = number % 20 == 0;
        if is_stored {
            let _ = writeln!(story, "3 100 store-begin {key}{number}");
        }
        let _ = writeln!(story, "3 100 open {} socket", 3 + number);
        if is_stored {
            let _ = writeln!(story, "3 100 store-end {key}{number}");
            let _ = writeln!(story, "4 100 delete-begin {key}{number} bare");
            let _ = writeln!(story, "4 100 delete-end {key}{number}");
        }
    }
    story += "3000 100 tick";
    for batch in Cast::default().batches(&story) {
        pipeline.take(&batch);
        moments.take(&batch, pipeline.ledger());
    }
    growth.sample(pipeline.ledger());
    let page = written(command(), &pipeline, &growth, &moments, &ebpf());
    assert!(page.len() < 3_000_000, "{}", page.len());
    holds(
        &page,
        &[
            "Left out: 8,000 more verdicts, none worse than these, of 10,000.",
            "Left out: 18,001 more threads of higher numbers, of 20,001.",
            "Left out: 198,001 more handles, of 200,001.",
            "deletes ended: 10,000",
        ],
    );
}

#[test]
fn every_row_has_a_cell_for_each_column() {
    let page = page(&story(), &ebpf());
    let tables: Vec<_> = page.split("<table class=").skip(1).collect();
    assert_eq!(tables.len(), 6);
    for table in tables {
        let table = table.split("</table>").next().unwrap();
        let columns = table.matches("<th ").count();
        for row in table.split("<tr").skip(2) {
            assert_eq!(row.matches("<td").count(), columns, "{row}");
            assert_eq!(row.matches("</td>").count(), columns, "{row}");
        }
    }
}
