//! The detail pane: into it, along its links, and back.

use super::{
    stage::Stage,
    worlds::{FATES, NOW},
};

/// The pane's title.
fn title(stage: &Stage) -> String {
    let line = stage.text();
    let line = line.lines().find(|line| line.starts_with("── ")).unwrap();
    line.trim_matches(['─', ' ']).to_owned()
}

fn at_live() -> Stage {
    let mut stage = Stage::new(FATES, NOW);
    stage.press("/").type_in("key:live").press("Enter");
    stage
}

#[test]
fn follow_goes_in_and_along_links_and_back_returns_by_the_same_way() {
    let mut stage = at_live();
    assert!(title(&stage).starts_with("live  ·"), "{}", title(&stage));
    assert!(!stage.model.in_detail());
    stage.press("Enter");
    assert!(stage.model.in_detail());
    stage.press("Enter");
    assert!(
        title(&stage).starts_with("live ▸ thread 116"),
        "{}",
        title(&stage)
    );
    // Its first link leads back to its owner: the way grows, it does not turn.
    stage.press("Enter");
    assert!(
        title(&stage).starts_with("live ▸ thread 116 ▸ live"),
        "{}",
        title(&stage)
    );
    stage.press("Backspace");
    assert!(
        title(&stage).starts_with("live ▸ thread 116"),
        "{}",
        title(&stage)
    );
    stage.press("Backspace");
    assert!(title(&stage).starts_with("live  ·"), "{}", title(&stage));
    assert!(stage.model.in_detail());
    stage.press("Backspace");
    assert!(!stage.model.in_detail());
}

#[test]
fn escape_leaves_the_pane_first_and_the_filter_then() {
    let mut stage = at_live();
    stage.press("Enter Enter Esc");
    assert!(!stage.model.in_detail());
    assert_eq!(stage.model.table().filter, "key:live");
    stage.press("Esc");
    assert_eq!(stage.model.table().filter, "");
}

#[test]
fn tab_goes_between_table_and_pane() {
    let mut stage = at_live();
    stage.press("Tab");
    assert!(stage.model.in_detail());
    stage.press("Tab");
    assert!(!stage.model.in_detail());
}

#[test]
fn the_chosen_link_stays_among_those_there_are() {
    let mut stage = at_live();
    stage.press("Enter G");
    let last = stage.model.detail.link;
    assert!(last > Some(1));
    stage.press("Down");
    assert_eq!(stage.model.detail.link, last);
    stage.press("g Up");
    assert_eq!(stage.model.detail.link, Some(0));
}

#[test]
fn another_selected_row_is_another_story() {
    let mut stage = Stage::new(FATES, NOW);
    for _ in 0..stage.model.rows.len() {
        let key = stage.selected();
        assert!(
            title(&stage).starts_with(&key),
            "{} of {key}",
            title(&stage)
        );
        stage.press("Down");
    }
}

#[test]
fn the_axis_is_zoomed_around_the_delete_and_scrolled_back_to_now() {
    let mut stage = Stage::new(FATES, NOW);
    stage
        .press("/")
        .type_in("key:retained")
        .press("Enter Enter");
    assert_eq!(stage.model.detail.span_ns, None);
    stage.press("+");
    let span = stage.model.detail.span_ns.unwrap();
    // Half of its life, with the delete in the middle.
    assert_eq!(span, 9_500_000_000);
    assert_eq!(stage.model.detail.back_ns, 15_000_000_000 - span / 2);
    stage.press("-");
    assert_eq!(stage.model.detail.span_ns, Some(span * 2));
    for _ in 0..100 {
        stage.press("]");
    }
    assert_eq!(stage.model.detail.back_ns, 0);
    for _ in 0..100 {
        stage.press("- [").text();
    }
    assert_eq!(stage.model.detail.span_ns, Some(86_400_000_000_000));
    for _ in 0..100 {
        stage.press("+ [").text();
    }
    assert_eq!(stage.model.detail.span_ns, Some(1_000_000));
}

#[test]
fn what_is_copied_is_what_keys_go_to() {
    let mut stage = at_live();
    stage.press("y");
    assert!(
        stage.asked().starts_with(r#"[Copy("live  live"#),
        "{}",
        stage.asked()
    );
    stage.press("Enter y");
    assert!(
        stage.asked().contains(r"\nthread 116 t116"),
        "{}",
        stage.asked()
    );
}

#[test]
fn what_is_forgotten_is_said() {
    let mut stage = Stage::new("1000 100 open 5", 2_000);
    stage.press("5 Enter");
    let far = (0..20_001).map(|at| format!("{} 100 close-refused 9\n", 2_000 + at));
    stage.tell(&far.collect::<String>());
    stage.refresh();
    assert!(title(&stage).contains("forgotten"), "{}", title(&stage));
    stage.press("Down Enter + - y Esc").text();
}
