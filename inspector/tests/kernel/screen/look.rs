//! Looking around: filters, links, every screen at every size, and a screen that holds still.

use super::{
    leak,
    process::{lab_of, threads_of},
    started,
    terminal::{SOON, Start, Terminal},
};

#[test]
fn a_filter_shows_only_what_it_asks_for() {
    let Some(mut terminal) = started(&Start::default()) else {
        return;
    };
    leak(&mut terminal);
    let both = |picture: &super::picture::Picture| {
        picture.entry("task-0001").is_some() && picture.entry("task-0002").is_some()
    };
    terminal.press("/");
    terminal.type_in("state:retained");
    terminal.press("Enter");
    let picture = terminal.until("the retained one alone", |picture| {
        picture.entry("task-0002").is_none() && picture.shows("state:retained")
    });
    assert!(picture.entry("task-0001").is_some(), "{picture}");
    terminal.press("\\");
    terminal.until("both entries", both);

    terminal.press("/");
    terminal.type_in("nothing:is");
    terminal.until_shown("there is no field nothing");
    // What is wrong is not taken.
    terminal.press("Enter");
    terminal.type_in("!");
    terminal.until_shown("nothing:is!");
    terminal.press("Esc");
    // And leaving it leaves what was there before.
    terminal.until_hidden("nothing");
    terminal.until("both entries", both);
}

/// Pauses at a moment at which the thread that is shown is blocked, as it is but for moments: what
/// it is blocked in is a link only then.
fn hold_while_blocked(terminal: &mut Terminal) {
    for _ in 0..20 {
        terminal.press("space");
        if terminal.until_shown("PAUSED").shows("blocked in read") {
            return;
        }
        terminal.press("space");
        terminal.until_hidden("PAUSED");
    }
    panic!("the thread is never blocked");
}

#[test]
fn links_lead_from_an_entry_to_its_thread_and_its_handle_and_back() {
    let Some(mut terminal) = started(&Start::default()) else {
        return;
    };
    leak(&mut terminal);
    terminal.press("Enter");
    terminal.until_shown("to the table");
    terminal.choose("Down", "tick-0001");
    terminal.press("Enter");
    terminal.until_shown("owned by task-0001");
    terminal.until_shown("\"tick-0001\"");
    hold_while_blocked(&mut terminal);
    terminal.choose("Down", "blocked in read");
    terminal.press("Enter");
    let handle = "made by thread";
    let picture = terminal.until_shown(handle);
    assert!(picture.shows("timerfd"), "{picture}");
    terminal.press("Backspace");
    terminal.until_hidden(handle);
    terminal.until_shown("blocked in read");
    terminal.press("Backspace");
    let picture = terminal.until_hidden("blocked in read");
    assert!(picture.shows("to the table"), "{picture}");
    terminal.press("Backspace");
    terminal.until_hidden("to the table");
}

/// Opens and closes everything there is, and sees that each is there and goes away.
fn look_at_everything(terminal: &mut Terminal) {
    for (key, column) in [
        ("2", "NAME"),
        ("3", "FD"),
        ("4", "WHO"),
        ("5", "TIME"),
        ("1", "KEY"),
    ] {
        terminal.press(key);
        terminal.until(column, |picture| picture.has_column(column));
        for (key, words) in [("?", "chosen column"), ("i", "performance:")] {
            terminal.press(key);
            terminal.until_shown(words);
            terminal.press("Esc");
            terminal.until_hidden(words);
        }
    }
    for (key, words) in [("b", "how many"), ("a", "play a scenario")] {
        terminal.press(key);
        terminal.until_shown(words);
        terminal.press("Esc");
        terminal.until_hidden(words);
    }
}

#[test]
fn everything_opens_and_closes_at_every_size() {
    let Some(mut terminal) = started(&Start::default()) else {
        return;
    };
    look_at_everything(&mut terminal);
    for (cols, rows) in [(80, 24), (40, 12), (120, 40)] {
        terminal.resize(cols, rows);
        terminal.until_shown("LIVE");
        look_at_everything(&mut terminal);
    }
    // Smaller than anything fits into, with everything open, and back.
    for (key, words) in [
        ("2", "NAME"),
        ("1", "task-0001"),
        ("?", "chosen column"),
        ("i", "performance:"),
        ("b", "how many"),
        ("a", "play a scenario"),
    ] {
        terminal.press(key);
        terminal.until_shown(words);
        terminal.resize(10, 2);
        terminal.until_shown("too small");
        terminal.resize(1, 1);
        terminal.resize(120, 40);
        terminal.until_shown(words);
        if !["1", "2"].contains(&key) {
            terminal.press("Esc");
            terminal.until_hidden(words);
        }
    }
}

#[test]
fn a_screen_that_is_paused_holds_still() {
    let Some(mut terminal) = started(&Start::default()) else {
        return;
    };
    terminal.until_shown("LIVE");
    terminal.press("space");
    terminal.until_shown("PAUSED");
    let lab = lab_of(terminal.pid());
    let threads = threads_of(lab);
    terminal.press("s");
    let stored = std::time::Instant::now() + SOON;
    while threads_of(lab) == threads {
        assert!(std::time::Instant::now() < stored, "nothing is stored");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // It is painted since then, and more than once.
    for _ in 0..3 {
        terminal.press("i");
        terminal.until_shown("performance:");
        terminal.press("Esc");
        let picture = terminal.until_hidden("performance:");
        assert!(picture.shows("PAUSED"), "{picture}");
        assert!(picture.entry("task-0003").is_none(), "{picture}");
    }
    terminal.press("space");
    let picture = terminal.until("the third entry", |picture| {
        picture.entry("task-0003").is_some()
    });
    assert!(
        picture.shows("LIVE") && !picture.shows("PAUSED"),
        "{picture}"
    );
}
