//! A hotline by somebody who knows Trunkline from its documentation alone, with a component
//! that no SDK of ours has seen: it loads, is listed, and is called by YAML alone.

use end_to_end::{Caller, Folder, Setup};

/// A component written by hand in the text format: one function of its world,
/// `seat: func(row: u32) -> result<u32, trouble>` with `enum trouble { too-small, too-large }`.
const SEATS: &str = r#"
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "seat") (param $row i32) (result i32)
      ;; The result lies at 16: its case in a byte, what it carries at 20.
      (if (i32.eqz (local.get $row))
        (then
          (i32.store8 (i32.const 16) (i32.const 1))
          (i32.store8 (i32.const 20) (i32.const 0)))
        (else
          (if (i32.gt_u (local.get $row) (i32.const 9))
            (then
              (i32.store8 (i32.const 16) (i32.const 1))
              (i32.store8 (i32.const 20) (i32.const 1)))
            (else
              (i32.store8 (i32.const 16) (i32.const 0))
              (i32.store (i32.const 20) (i32.mul (local.get $row) (i32.const 7)))))))
      (i32.const 16)))
  (core instance $instance (instantiate $code))
  (alias core export $instance "memory" (core memory $memory))
  (type $trouble-inside (enum "too-small" "too-large"))
  (export $trouble "trouble" (type $trouble-inside))
  (func $seat (param "row" u32) (result (result u32 (error $trouble)))
    (canon lift (core func $instance "seat") (memory $memory)))
  (export "seat" (func $seat)))
"#;

/// The stranger's component.
pub(crate) fn seats() -> Vec<u8> {
    wat::parse_str(SEATS).unwrap()
}

/// The same with eight seats in a row, and not seven.
pub(crate) fn wider_seats() -> Vec<u8> {
    wat::parse_str(SEATS.replace("i32.const 7", "i32.const 8")).unwrap()
}

/// Another, which may refuse for a third reason.
pub(crate) fn stricter_seats() -> Vec<u8> {
    wat::parse_str(SEATS.replace(r#""too-large"))"#, r#""too-large" "too-late"))"#)).unwrap()
}

/// The stranger's hotline.
pub(crate) fn theatre() -> Folder {
    let folder = Folder::empty();
    folder.write("plugins/seats.wasm", seats());
    folder.write(
        "hotline.yaml",
        "\
hotline: theatre
languages: [en]
time-zone: Europe/Berlin
numbers:
  \"1000\": { flow: seats }
plugins:
  seats: { component: plugins/seats.wasm, department: box-office }
",
    );
    folder.write(
        "flows/seats.yaml",
        "\
flow: seats
vars:
  row: int?
  seat: int?
otherwise: sorry
start: which-row
steps:
  which-row:
    ask: which-row
    answer: number
    save: row
    next: find
  find:
    call: seats.seat
    with: { row: \"${row}\" }
    save: seat
    on: { too-small: front, too-large: back }
    next: tell
  tell: { say: seat, next: done }
  front: { say: front, next: done }
  back: { say: back, next: done }
  sorry: { say: sorry, next: unserved }
  done: { end: completed }
  unserved: { end: unserved }
",
    );
    folder.write(
        "prompts/en.yaml",
        "\
which-row: Which row?
seat: \"Your seat is {seat}.\"
front: There is no row before the first.
back: The house has nine rows.
sorry: We are sorry.
",
    );
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_hotline_runs_with_a_strangers_component() {
    let folder = theatre();
    let server = Setup::new(folder.path(), folder.beside("server")).start().await;
    for (row, prompt, words) in [
        ("3", "seat", "Your seat is 21."),
        ("0", "front", "There is no row before the first."),
        ("10", "back", "The house has nine rows."),
    ] {
        let mut caller = Caller::dial(&server, "1000").await;
        caller.hears("which-row").await;
        caller.says(row).await;
        assert_eq!(caller.hears(prompt).await, words);
        assert_eq!(caller.ends().await, "completed");
    }
    let (_, plugins) = server.asked("/api/v1/plugins").await;
    let function = &plugins["plugins"][0]["functions"][0];
    assert_eq!(function["name"], "seat");
    let signature = function["signature"].as_str().unwrap();
    for part in ["seat(row: u32)", "u32", "too-small", "too-large"] {
        assert!(signature.contains(part), "{signature}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_out_that_the_component_has_and_the_flow_has_not_is_told() {
    let folder = theatre();
    folder.replace("flows/seats.yaml", "otherwise: sorry\n", "");
    folder.replace(
        "flows/seats.yaml",
        "on: { too-small: front, too-large: back }",
        "on: { too-small: front }",
    );
    let (status, log) = Setup::new(folder.path(), folder.beside("server"))
        .start_in_vain()
        .await;
    assert_eq!(status.code(), Some(1));
    assert!(
        log.contains("TL0301") && log.contains("too-large") && log.contains("flows/seats.yaml"),
        "{log}"
    );
}
