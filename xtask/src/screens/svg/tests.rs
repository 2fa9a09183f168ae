//! What a screen of a few cells looks like in SVG.

use avt::Terminal;

use super::write;

fn picture(columns: usize, text: &str) -> String {
    let mut terminal = Terminal::new(columns, 1).unwrap();
    terminal.feed(text);
    write("t", &terminal)
}

/// The elements of a screen of one line, without the window around them.
#[track_caller]
fn check(columns: usize, text: &str, elements: &[&str]) {
    let picture = picture(columns, text);
    let (_, inside) = picture.split_once("translate(14 34)\">\n").unwrap();
    let found: Vec<&str> = inside
        .lines()
        .filter(|line| !line.starts_with("<g") && !line.starts_with("</"))
        .collect();
    assert_eq!(found, elements);
}

#[test]
fn words_stand_in_their_columns() {
    check(
        12,
        "ab cd  e",
        &[
            "<text x=\"0\" y=\"13.5\" textLength=\"42\" lengthAdjust=\"spacingAndGlyphs\">ab cd</text>",
            "<text x=\"58.8\" y=\"13.5\">e</text>",
        ],
    );
    check(12, "", &[]);
}

#[test]
fn a_style_is_a_run() {
    check(
        8,
        "\x1b[1;31ma\x1b[0;38;2;1;2;3mb\x1b[0;3;38;5;231mc",
        &[
            "<text x=\"0\" y=\"13.5\" fill=\"#d44853\" font-weight=\"bold\">a</text>",
            "<text x=\"8.4\" y=\"13.5\" fill=\"#010203\">b</text>",
            "<text x=\"16.8\" y=\"13.5\" fill=\"#ffffff\" font-style=\"italic\">c</text>",
        ],
    );
}

#[test]
fn reverse_and_backgrounds_are_filled_under_blanks_too() {
    check(
        8,
        "\x1b[7ma \x1b[0;44m b",
        &[
            "<rect x=\"0\" y=\"0\" width=\"16.8\" height=\"18\" fill=\"#d5dbe2\"/>",
            "<rect x=\"16.8\" y=\"0\" width=\"16.8\" height=\"18\" fill=\"#5c9dea\"/>",
            "<text x=\"0\" y=\"13.5\" fill=\"#11161c\">a</text>",
            "<text x=\"25.2\" y=\"13.5\">b</text>",
        ],
    );
}

#[test]
fn what_is_struck_out_or_underlined_has_one_line_across() {
    check(
        8,
        "\x1b[9ma  b\x1b[0;4mc",
        &[
            "<rect x=\"0\" y=\"9\" width=\"33.6\" height=\"1.2\" fill=\"#d5dbe2\"/>",
            "<rect x=\"33.6\" y=\"15.5\" width=\"8.4\" height=\"1.2\" fill=\"#d5dbe2\"/>",
            "<text x=\"0\" y=\"13.5\">a</text>",
            "<text x=\"25.2\" y=\"13.5\">b</text>",
            "<text x=\"33.6\" y=\"13.5\">c</text>",
        ],
    );
}

#[test]
fn wide_signs_take_two_columns() {
    check(
        8,
        "a好b",
        &[
            "<text x=\"0\" y=\"13.5\">a</text>",
            "<text x=\"8.4\" y=\"13.5\">好</text>",
            "<text x=\"25.2\" y=\"13.5\">b</text>",
        ],
    );
}

#[test]
fn bars_and_lines_are_drawn() {
    check(
        8,
        "██▄ ──▸",
        &[
            "<rect x=\"0\" y=\"0\" width=\"16.8\" height=\"18\" fill=\"#d5dbe2\"/>",
            "<rect x=\"16.8\" y=\"9\" width=\"8.4\" height=\"9\" fill=\"#d5dbe2\"/>",
            "<rect x=\"33.6\" y=\"8.45\" width=\"16.8\" height=\"1.09\" fill=\"#d5dbe2\"/>",
            "<polygon points=\"52.08,5.76 57.54,9.36 52.08,12.96\" fill=\"#d5dbe2\"/>",
        ],
    );
}

#[test]
fn a_sign_from_another_font_moves_nothing() {
    check(
        8,
        "✗ ab",
        &[
            "<text x=\"0\" y=\"13.5\">✗</text>",
            "<text x=\"16.8\" y=\"13.5\" textLength=\"16.8\" lengthAdjust=\"spacingAndGlyphs\">ab</text>",
        ],
    );
}

#[test]
fn the_picture_is_xml_whatever_the_screen_holds() {
    let picture = picture(12, "<a & \"b\">\u{ffff}");
    assert!(picture.contains("&lt;a &amp; &quot;b&quot;&gt;"));
    assert!(!picture.contains('\u{ffff}'));
    assert_eq!(
        picture.matches("<g").count(),
        picture.matches("</g>").count()
    );
}

#[test]
fn the_same_screen_gives_the_same_bytes() {
    let text = "\x1b[31mab\x1b[0m ▁▂ ├─┤";
    assert_eq!(picture(20, text), picture(20, text));
}
