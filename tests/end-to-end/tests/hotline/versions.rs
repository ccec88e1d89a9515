//! Hotlines made from templates, drawn, and compared with their former selves.

use end_to_end::{Folder, programs};

use crate::commands::{err, out, trunkline};

#[tokio::test(flavor = "multi_thread")]
async fn a_support_desk_is_made_checked_drawn_and_compared() {
    // Building what is not built blocks for minutes, the first time.
    tokio::task::spawn_blocking(programs::city_hotline).await.unwrap();
    let place = Folder::empty();
    let desk = place.beside("my-desk").display().to_string();
    let plugins = programs::root()
        .join("flows/support-desk/plugins")
        .display()
        .to_string();
    let made = trunkline(&[
        "new",
        "my-desk",
        "--template",
        "support-desk",
        "--folder",
        &desk,
        "--plugins",
        &plugins,
    ])
    .await;
    assert_eq!(made.status.code(), Some(0), "{}", err(&made));
    assert!(out(&made).contains("trunkline check"), "{}", out(&made));

    let checked = trunkline(&["check", &desk]).await;
    assert_eq!(checked.status.code(), Some(0), "{}", out(&checked));
    assert!(
        out(&checked).contains("0 errors, 0 warnings"),
        "{}",
        out(&checked)
    );

    let picture = place.beside("support.svg").display().to_string();
    let drawn = trunkline(&["graph", &desk, "support", "-o", &picture]).await;
    assert_eq!(drawn.status.code(), Some(0), "{}", err(&drawn));
    let svg = std::fs::read_to_string(&picture).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains("id=\"support-step-ask-question\""));
    let unknown = trunkline(&["graph", &desk, "suport"]).await;
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        err(&unknown).contains("did you mean support?"),
        "{}",
        err(&unknown)
    );

    let original = programs::root().join("flows/support-desk").display().to_string();
    let compared = trunkline(&["diff", &original, &desk]).await;
    assert_eq!(compared.status.code(), Some(1));
    assert_eq!(
        out(&compared),
        "hotline\n  the hotline: name from support-desk to my-desk\n"
    );
    let same = trunkline(&["diff", "--output-format", "json", &desk, &desk]).await;
    assert_eq!(same.status.code(), Some(0), "{}", err(&same));
    let again = trunkline(&["new", "my-desk", "--template", "zero-menu", "--folder", &desk]).await;
    assert_eq!(again.status.code(), Some(2));
    assert!(err(&again).contains("not empty"), "{}", err(&again));
}
