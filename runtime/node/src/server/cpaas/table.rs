//! The table of collection, `tests/collection/table.yaml`, played row by row by carriers over the
//! node's router. A row that a kind of carrier cannot carry is known by what its channel declares
//! ([`Carries`]) and by the rules that the row shows, never by its name.

use std::{collections::BTreeMap, fmt::Write as _};

use trunkline_channel::cpaas::Dialect;
use trunkline_engine::{
    Carries, Fact,
    collect::{Keys, Prompts},
    session::State as Stands,
};
use trunkline_model::{VariableName, json::to_json};

use super::testing::{CARRIERS, Doing, Exchange, Line};
use crate::testing::Hotline;

#[path = "../../../../../tests/collection/table.rs"]
#[expect(clippy::module_inception, reason = "the table's reader has the table's name")]
mod table;

use table::{PROMPTS, Row, flow, rows};

/// Why a row cannot be shown on a channel; none when it can.
fn lacks(row: &Row, carries: &Carries) -> Option<&'static str> {
    let shows = |rules: &[&str]| row.rules.iter().any(|rule| rules.contains(&rule.as_str()));
    let comes = |what: &str| row.comes.iter().any(|line| line.starts_with(what));
    let text = row.channel == "text";
    let by_the_channel = matches!(carries.keys, Keys::Collected { .. });
    match carries.keys {
        _ if text => Some("it is not text"),
        // What nothing asked for does not arrive, nor what comes after a full answer.
        _ if carries.keys_ahead_max == 0
            && (!row.ahead.is_empty()
                || comes("ahead")
                || comes("refused")
                || shows(&["C8", "C9", "C10", "C11", "C12"])) =>
        {
            Some("keys ahead")
        }
        // Keys pressed during a notice are keys ahead as well.
        _ if carries.keys_ahead_max == 0
            && row.notice
            && row.given.iter().any(|given| given == "played notice") =>
        {
            Some("keys ahead of a notice's end")
        }
        // The key that ends an answer is taken off by the channel: alone it is silence.
        Keys::Collected { .. }
            if row
                .given
                .iter()
                .any(|given| matches!(given.as_str(), "keys #" | "keys *"))
                && shows(&["C7"]) =>
        {
            Some("a finish key alone")
        }
        Keys::Collected { next: None } if shows(&["C3"]) => Some("a time between keys"),
        // Carriers hold the time and the keys of a question themselves, whatever becomes of us.
        Keys::Collected { .. } if shows(&["C43"]) => Some("a time that we measure"),
        _ if by_the_channel && row.channel == "line" && tells_never(row) => Some("a line that does not tell"),
        _ if row.channel == "line" && carries.prompts == Prompts::AtOnce => Some("prompts that are played"),
        _ => None,
    }
}

/// Whether the row is of a line that never tells, or tells what it told: a document's result says it
/// once.
fn tells_never(row: &Row) -> bool {
    let told = row.given.iter().filter(|given| *given == "played").count();
    let waits = row.given.iter().any(|given| given.starts_with("wait 5m"));
    told > 1 || waits && told == 0
}

async fn play(dialect: Dialect) -> (usize, BTreeMap<&'static str, usize>, Vec<String>) {
    let rows = rows();
    let hotline = Hotline::new();
    let mut numbers = String::new();
    for (index, row) in rows.iter().enumerate() {
        let name = format!("row-{index}");
        let _ = writeln!(numbers, "  \"{index}\": {{ flow: {name} }}");
        hotline.write(&format!("flows/{name}.yaml"), flow(row, &name, false));
    }
    hotline.write(
        "hotline.yaml",
        format!(
            "hotline: table\nlanguages: [zh-CN]\ntime-zone: Asia/Shanghai\n{CARRIERS}numbers:\n{numbers}"
        ),
    );
    std::fs::remove_file(hotline.path().join("flows/main.yaml")).unwrap();
    std::fs::remove_file(hotline.path().join("prompts/en.yaml")).unwrap();
    hotline.write("prompts/zh-CN.yaml", PROMPTS);
    let exchange = Exchange::new(hotline).await;
    let carries = dialect.channel().carries();
    let (mut ran, mut left_out, mut wrong) = (0, BTreeMap::<_, usize>::new(), Vec::new());
    for (index, row) in rows.iter().enumerate() {
        if let Some(why) = lacks(row, &carries) {
            *left_out.entry(why).or_default() += 1;
            continue;
        }
        ran += 1;
        let mut line = Line::call(&exchange, dialect, &index.to_string(), row.channel == "line").await;
        for given in &row.given {
            let (what, with) = given.split_once(' ').unwrap_or((given, ""));
            match what {
                "keys" => line.press(with).await,
                "text" => line.speak(with).await,
                "wait" => line.pass(with.parse().unwrap()).await,
                "played" => line.played(),
                other => panic!("{other}"),
            }
        }
        // A channel that collects keys brings those that lead another way when their time is over.
        if line.holds_keys() && !row.comes.iter().any(|comes| comes == "asked") {
            line.pass(carries.first_input).await;
        }
        let differences = differences(row, &line).await;
        if !differences.is_empty() {
            wrong.push(format!("{} ({}):\n{differences}", row.name, dialect.as_str()));
        }
    }
    (ran, left_out, wrong)
}

async fn differences(row: &Row, line: &Line<'_>) -> String {
    let session = line.session().await;
    let (events, _) = line
        .exchange
        .node
        .contacts()
        .events(&session.contact, 0, usize::MAX)
        .await
        .unwrap();
    let facts = || events.iter().map(|(_, event)| &event.fact);
    let mut came: BTreeMap<&str, String> = BTreeMap::new();
    for name in ["value", "second"] {
        let variable = VariableName::from(name);
        let value = session
            .frames
            .first()
            .and_then(|frame| frame.variables.get(&variable));
        if let Some(value) = value {
            came.insert(name, to_json(value).to_string());
        }
    }
    match (&session.state, &line.doing) {
        (Stands::Ended { outcome, .. }, Doing::HangUp) => {
            came.insert("exit", outcome.to_string());
        }
        (Stands::Hearing(_), Doing::Gather { .. }) => {
            came.insert("asked", String::new());
            if let Some(until) = line.until {
                came.insert("until", until.since(line.exchange.clock.now()).to_string());
            }
        }
        other => return format!("  {other:?}"),
    }
    let list = |texts: Vec<String>| texts.join(", ");
    came.insert(
        "misheard",
        list(
            facts()
                .filter_map(|fact| match fact {
                    Fact::Misheard { why, .. } => Some(why.to_string()),
                    _ => None,
                })
                .collect(),
        ),
    );
    came.insert(
        "said",
        list(
            facts()
                .filter_map(|fact| match fact {
                    Fact::Said {
                        prompt, notice: None, ..
                    } => Some(prompt.as_ref()?.to_string()),
                    _ => None,
                })
                .collect(),
        ),
    );
    if let Some(given) = facts().find_map(|fact| match fact {
        Fact::Consent { given, .. } => Some(given),
        _ => None,
    }) {
        came.insert("consent", given.to_string());
    }
    let mut out = String::new();
    let mut wanted: BTreeMap<&str, &str> = BTreeMap::from([("misheard", "")]);
    for line in &row.comes {
        let (what, with) = line.split_once(' ').unwrap_or((line, ""));
        wanted.insert(what, with);
    }
    for (what, with) in wanted {
        let is = came.get(what).map(String::as_str);
        if is != Some(with) {
            let _ = writeln!(out, "  {what}: {is:?} instead of {with:?}");
        }
    }
    out
}

#[tokio::test]
async fn every_row_that_twiml_carries_comes_out_as_it_is_written() {
    let (ran, left_out, wrong) = play(Dialect::Twiml).await;
    assert!(wrong.is_empty(), "{} of {ran}\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((ran, left_out.values().sum::<usize>()), (143, 43), "{left_out:?}");
}

#[tokio::test]
async fn every_row_that_jambonz_carries_comes_out_as_it_is_written() {
    let (ran, left_out, wrong) = play(Dialect::Jambonz).await;
    assert!(wrong.is_empty(), "{} of {ran}\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((ran, left_out.values().sum::<usize>()), (148, 38), "{left_out:?}");
}
