//! A report's page in a browser: searched, sorted, as wide as a phone, and with hostile names.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::Signal;

use crate::{
    binary::{is_refused, text},
    program::compiled,
    verbs::{Ends, Reporting, until, words},
    watch::alone,
};

/// What a browser makes of a page: the document as it stands then, and what it complains of.
struct Seen {
    document: String,
    complaints: Vec<String>,
}

/// Opens a page, and lets its scripts run.
fn browse(browser: &Path, folder: &Path, page: &str) -> Seen {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("timeout")
        .args(["--kill-after=5", "60"])
        .arg(browser)
        // It is root's here, and shows nothing but our own page.
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--dump-dom",
        ])
        .args(["--enable-logging=stderr", "--virtual-time-budget=5000"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}/{page}", folder.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let complaints = text(&output.stderr).lines();
    let complaints = complaints.filter(|line| line.contains("CONSOLE"));
    Seen {
        document: text(&output.stdout).to_owned(),
        complaints: complaints.map(str::to_owned).collect(),
    }
}

/// The rows of all tables' bodies that are hidden, and that are not.
fn rows(document: &str) -> (Vec<&str>, Vec<&str>) {
    let bodies = document.split("<tbody>").skip(1);
    let bodies = bodies.map(|body| body.split("</tbody>").next().unwrap());
    bodies
        .flat_map(|body| body.split("<tr").skip(1))
        .partition(|row| row.split('>').next().unwrap().contains("hidden"))
}

/// The page with a script of the test's at its end.
fn with_script(page: &str, script: &str) -> String {
    page.replace("</body>", &format!("<script>{script}</script></body>"))
}

#[test]
fn a_page_works_in_a_browser() {
    let _alone = alone();
    if is_refused() {
        return;
    }
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    // A path that would be a script: the slash is that of its folder.
    let hostile = folder.path().join("<script>document.title='hit'<");
    fs::create_dir(&hostile).unwrap();
    let mut target = Ends::shell();
    let pid = target.pid().to_string();
    let leaves = compiled("leaves", &[]);
    let mut arguments = words("--grace 200ms --html page.html -p");
    // What a child executes is known by its file alone.
    arguments.extend([&pid, "--marks", leaves.to_str().unwrap()]);
    let mut reporting = Reporting::start(&arguments);
    target.tell(&format!("exec 3> \"{}/script>\"", hostile.display()));
    target.tell(&format!("{} delete leaky", leaves.display()));
    target.tell(&format!("echo > {}/done", folder.path().display()));
    until("the program's end", || folder.path().join("done").exists());
    reporting.signal(Signal::TERM);
    let (status, told) = reporting.end();
    // The other output is there too.
    assert_eq!(
        (status.code(), &told["verdicts"][0]["verdict"]),
        (Some(0), &"late".into())
    );
    let page = reporting.file("page.html");
    let put = |name: &str, content: &str| fs::write(folder.path().join(name), content).unwrap();
    put("page.html", &page);

    let seen = browse(&browser, folder.path(), "page.html");
    assert_eq!(seen.complaints, [""; 0]);
    let (hidden, shown) = rows(&seen.document);
    assert!(hidden.is_empty() && shown.len() > 5, "{}", seen.document);
    assert!(
        seen.document
            .contains(&format!("<title>inspector: process {pid}</title>"))
    );
    assert!(
        seen.document
            .contains("&lt;script&gt;document.title='hit'&lt;/script&gt;")
    );

    // Searched for by the address.
    let seen = browse(&browser, folder.path(), "page.html#search=LATE%20eventfd");
    assert_eq!(seen.complaints, [""; 0]);
    let (hidden, shown) = rows(&seen.document);
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert!(shown[0].contains("~ late") && shown[0].contains("eventfd"));
    assert!(!hidden.is_empty());
    let both = |row: &&&str| row.contains("late") && row.contains("eventfd");
    assert_eq!(hidden.iter().filter(both).count(), 0, "{hidden:?}");

    // Sorted by a click: of the handles, by what they are.
    let click = "document.querySelectorAll('table.handles th button')[0].click();";
    put("sorted.html", &with_script(&page, click));
    let seen = browse(&browser, folder.path(), "sorted.html");
    let table = seen
        .document
        .split("<table class=\"handles\">")
        .nth(1)
        .unwrap();
    let (_, rows) = rows(table.split("</table>").next().unwrap());
    let number = |row: &&str| {
        let cell = row.split("<td class=\"n\">").nth(1).unwrap();
        cell.split('<').next().unwrap().parse::<u32>().unwrap()
    };
    let numbers: Vec<_> = rows.iter().map(number).collect();
    assert!(
        numbers.len() > 2 && numbers.is_sorted_by(|one, next| one > next),
        "{numbers:?}"
    );

    // As wide as a phone, whose edge nothing crosses but within its own box; and, for control, a page
    // that something sticks out of.
    let measure = "addEventListener('load', () => parent.postMessage(document.documentElement.scrollWidth, '*'));";
    let sticks_out = format!("document.body.style.width = '900px';{measure}");
    put(
        "frame.html",
        "<body><iframe src=narrow.html style='width:360px;height:700px;border:0'></iframe>\
         <script>onmessage = (told) => document.body.dataset.wide = told.data;</script></body>",
    );
    for (script, is_narrow) in [(measure, true), (&sticks_out, false)] {
        put("narrow.html", &with_script(&page, script));
        let seen = browse(&browser, folder.path(), "frame.html").document;
        let wide = seen.split("data-wide=\"").nth(1).unwrap();
        let wide: u32 = wide.split('"').next().unwrap().parse().unwrap();
        assert_eq!(wide <= 360, is_narrow, "{wide}");
    }

    // The control: what the page's policy forbids is complained of.
    let fetches = "document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/'}));";
    put("fetches.html", &with_script(&page, fetches));
    let seen = browse(&browser, folder.path(), "fetches.html");
    assert_eq!(seen.complaints.len(), 1, "{:?}", seen.complaints);
    assert!(
        seen.complaints[0].contains("Content Security Policy"),
        "{:?}",
        seen.complaints
    );
}

/// The browser, by whichever name it is installed. `None` is told on stdout; in CI it is a failure.
fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |at| at.join(name)))
        .find(|file| file.is_file());
    if found.is_none() {
        println!("LACKING: chromium is not installed");
    }
    found
}
