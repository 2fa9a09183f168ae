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
    assert!(title(&stage).starts_with("live ·"), "{}", title(&stage));
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
    assert!(title(&stage).starts_with("live ·"), "{}", title(&stage));
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
fn the_chosen_link_stays_with_its_entity() {
    let mut stage = at_live();
    stage.press("Enter Down");
    let before = stage.model.detail.clone();
    assert_eq!(before.link, Some(1));
    // Something that stands above it becomes the entry's.
    stage.tell(&format!("{NOW} 100 own-fd live 2"));
    stage.at(NOW + 100);
    assert_eq!(stage.model.detail.link, Some(2), "one further down");
    assert_eq!(stage.model.detail.chosen, before.chosen);
    stage.press("Enter");
    assert!(
        title(&stage).starts_with("live ▸ fd 15"),
        "{}",
        title(&stage)
    );
}

#[test]
fn the_axis_is_zoomed_around_the_delete_and_stays_there() {
    let mut stage = Stage::new(FATES, NOW);
    stage
        .press("/")
        .type_in("key:retained")
        .press("Enter Enter");
    assert_eq!(stage.model.detail.window, None, "its whole life, up to now");
    stage.press("+");
    let first = stage.model.detail.window.unwrap();
    assert_eq!(first.span_ns, 9_500_000_000, "half of its life");
    let delete = first.from.plus_ns(first.span_ns / 2);
    for _ in 0..10 {
        stage.press("+");
        let window = stage.model.detail.window.unwrap();
        let middle = window.from.plus_ns(window.span_ns / 2);
        assert!(
            middle.0.abs_diff(delete.0) <= 2,
            "the delete stays in the middle"
        );
        assert!(stage.text().contains("delete"));
    }
    let before = stage.model.detail.window;
    stage.at(NOW + 5_000);
    assert_eq!(stage.model.detail.window, before, "time passes beside it");
    stage.press("[");
    let earlier = stage.model.detail.window.unwrap();
    assert!(earlier.from < before.unwrap().from);
    for _ in 0..100 {
        stage.press("-").text();
    }
    assert_eq!(stage.model.detail.window, None);
    for _ in 0..100 {
        stage.press("+ [ ]").text();
    }
    assert_eq!(stage.model.detail.window.unwrap().span_ns, 1_000_000);
    stage.press("Esc Down");
    assert_eq!(stage.model.detail.window, None, "another row is seen whole");
}

#[test]
fn what_is_copied_is_what_keys_go_to() {
    let mut stage = at_live();
    stage.press("y");
    assert!(
        stage.asked().starts_with(r#"[Copy("live  t100 100  live"#),
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
