//! The table of collection, `tests/collection/table.yaml`, played row by row against the
//! engine; and the table against the page whose rules it shows.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use trunkline_engine::{
    Arrival, Channel, Decision, Event, Fact, Input, Readings, Reply, Session, Utterance, arrive, decide,
    session::State,
};
use trunkline_flow::{Checked, Sources, check, parse};
use trunkline_model::{ContactId, Digest, Duration, Timestamp, VariableName, json::to_json};

#[path = "../../../tests/collection/table.rs"]
mod table;

use table::{PROMPTS, Row, flow, rows};

/// Saturday 21 November 2026, 20:05 in Shanghai.
const EVENING: i64 = 1_795_262_700_000;

const PAGE: &str = include_str!("../../../docs/reference/collection.md");

#[test]
fn every_row_comes_out_as_it_is_written() {
    let mut wrong = Vec::new();
    let rows = rows();
    for row in &rows {
        for (channel, tells_at_once) in channels(&row.channel) {
            let mut played = Play::new(row, channel, tells_at_once);
            played.run(row);
            let differences = played.differences(row);
            if !differences.is_empty() {
                wrong.push(format!("{} ({channel:?}):\n{differences}", row.name));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} rows\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
}

#[test]
fn rows_are_unique_and_show_every_rule() {
    let rows = rows();
    assert!(rows.len() >= 60, "{} rows", rows.len());
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "two rows have one name");
    let contents: BTreeSet<String> = rows
        .iter()
        .map(|row| {
            format!(
                "{} {} {:?} {:?} {} {:?} {:?}",
                row.channel, row.step, row.then, row.anywhere, row.notice, row.ahead, row.given
            )
        })
        .collect();
    assert_eq!(contents.len(), rows.len(), "two rows ask and give the same");
    let written: BTreeSet<&str> = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("- **C"))
        .filter_map(|line| line.split_once('.'))
        .map(|(number, _)| number)
        .collect();
    let shown: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| row.rules.iter())
        .map(|rule| rule.strip_prefix('C').unwrap())
        .collect();
    assert_eq!(written, shown, "rules of the page, and rules that rows show");
}

fn channels(name: &str) -> Vec<(Channel, bool)> {
    match name {
        "text" => vec![(Channel::Chat, false)],
        "voice" => vec![(Channel::Voice, false), (Channel::Phone, true)],
        "both" => vec![
            (Channel::Chat, false),
            (Channel::Voice, false),
            (Channel::Phone, true),
        ],
        "line" => vec![(Channel::Phone, false)],
        _ => panic!("no channel: {name}"),
    }
}

/// A hotline that asks the row's question.
fn hotline(row: &Row) -> Checked {
    let flow = flow(row, "row", true);
    let sources = Sources::new([
        (
            "hotline.yaml",
            "hotline: table\nlanguages: [zh-CN]\ntime-zone: Asia/Shanghai\nnumbers: { \"1\": { flow: row } }\n"
                .to_owned(),
        ),
        ("flows/row.yaml", flow.clone()),
        ("prompts/zh-CN.yaml", PROMPTS.to_owned()),
    ]);
    let report = check(&parse(&sources), &BTreeMap::new());
    report
        .checked
        .unwrap_or_else(|| panic!("{}\n{flow}\n{:#?}", row.name, report.diagnostics))
}

struct Play {
    hotline: Checked,
    session: Session,
    at: Timestamp,
    events: Vec<Event>,
    refused: Option<&'static str>,
    inputs: u32,
    /// The line says at once that everything has been heard.
    tells_at_once: bool,
}

impl Play {
    fn new(row: &Row, channel: Channel, tells_at_once: bool) -> Self {
        let hotline = hotline(row);
        let at = Timestamp::from_millis(EVENING);
        let arrival = Arrival {
            contact: ContactId::generate(at, [3; 10]),
            release: Digest::of(b"release"),
            channel,
            number: "1".into(),
            language: None,
            caller: None,
            claimed: None,
        };
        let decision = arrive(&hotline, arrival, at, &Readings::default()).unwrap();
        let mut play = Self {
            hotline,
            session: decision.session.clone(),
            at,
            events: Vec::new(),
            refused: None,
            inputs: 0,
            tells_at_once,
        };
        play.take(decision);
        play
    }

    fn run(&mut self, row: &Row) {
        for given in &row.ahead {
            self.happen(given);
        }
        self.pass(Duration::from_secs(1));
        for given in &row.given {
            self.happen(given);
        }
    }

    fn happen(&mut self, given: &str) {
        let (what, with) = given.split_once(' ').unwrap_or((given, ""));
        match what {
            "keys" => self.utter(Utterance::Keys(with.into())),
            "text" => self.utter(Utterance::Text(with.into())),
            "wait" => self.pass(with.parse().unwrap()),
            "played" => {
                let notice = |event: &Event| matches!(&event.fact, Fact::Said { notice: Some(_), .. });
                let seq = match with {
                    "notice" => self.events.iter().rposition(notice).unwrap() + 1,
                    _ => self.events.len(),
                };
                self.give(Input::Played { seq: seq as u64 });
            }
            "restart" => {
                self.session = Session::fold(self.session.contact.clone(), &self.events);
                self.at = self.at + with.parse().unwrap();
                self.give(Input::Recovered);
            }
            _ => panic!("nothing that is given: {given}"),
        }
    }

    fn utter(&mut self, utterance: Utterance) {
        self.inputs += 1;
        let id = format!("i{}", self.inputs).into();
        self.give(Input::Utterance { id, utterance });
    }

    /// Lets time pass, waking the contact whenever it wants to be woken.
    fn pass(&mut self, time: Duration) {
        let end = self.at + time;
        while let Some(wake) = self.session.pending().wake.filter(|wake| *wake <= end) {
            self.at = wake;
            self.give(Input::TimeUp);
        }
        self.at = end;
    }

    fn give(&mut self, input: Input) {
        let decision = decide(
            &self.hotline,
            &self.session,
            &input,
            self.at,
            &Readings::default(),
        );
        self.take(decision);
    }

    fn take(&mut self, decision: Decision) {
        if let Reply::Refused(why) = decision.reply {
            self.refused = Some(why.as_str());
        }
        self.events.extend(decision.events);
        self.session = decision.session;
        assert_eq!(
            Session::fold(self.session.contact.clone(), &self.events),
            self.session,
            "folding gives the session"
        );
        if self.tells_at_once && self.session.unheard.is_some() {
            self.give(Input::Played {
                seq: self.session.seq,
            });
        }
    }

    /// What came of it, by the table's words.
    fn outcome(&self) -> BTreeMap<&'static str, String> {
        let mut came = BTreeMap::new();
        let facts = || self.events.iter().map(|event| &event.fact);
        let joined = |parts: Vec<String>| parts.join(", ");
        for (what, name) in [("value", "value"), ("second", "second")] {
            let name = VariableName::from(name);
            let value = self
                .session
                .frames
                .first()
                .and_then(|frame| frame.variables.get(&name));
            if let Some(value) = value {
                came.insert(what, to_json(value).to_string());
            }
        }
        match &self.session.state {
            State::Ended { outcome, .. } => {
                came.insert("exit", outcome.to_string());
            }
            State::Hearing(hearing) => {
                came.insert("asked", String::new());
                came.insert("until", hearing.until.since(self.at).to_string());
            }
            other => panic!("{other:?}"),
        }
        let misheard = facts().filter_map(|fact| match fact {
            Fact::Misheard { why, .. } => Some(why.to_string()),
            _ => None,
        });
        came.insert("misheard", joined(misheard.collect()));
        let said = facts().filter_map(|fact| match fact {
            Fact::Said {
                prompt, notice: None, ..
            } => Some(prompt.as_ref()?.to_string()),
            _ => None,
        });
        came.insert("said", joined(said.collect()));
        came.insert("ahead", self.session.keys_ahead.to_string());
        if let Some(given) = facts().find_map(|fact| match fact {
            Fact::Consent { given, .. } => Some(given),
            _ => None,
        }) {
            came.insert("consent", given.to_string());
        }
        came.insert("refused", self.refused.unwrap_or_default().to_owned());
        came
    }

    fn differences(&self, row: &Row) -> String {
        let came = self.outcome();
        let mut out = String::new();
        let mut wanted: BTreeMap<&str, &str> =
            BTreeMap::from([("misheard", ""), ("ahead", ""), ("refused", "")]);
        for line in &row.comes {
            let (what, with) = line.split_once(' ').unwrap_or((line, ""));
            wanted.insert(what, with);
        }
        assert!(
            wanted.contains_key("exit") || wanted.contains_key("asked"),
            "{}: the row does not say where it leaves the caller",
            row.name
        );
        for (what, with) in wanted {
            let is = came.get(what).map(String::as_str);
            if is != Some(with) {
                writeln!(
                    out,
                    "  {what}: {} instead of {with:?}",
                    is.map_or("nothing".to_owned(), |is| format!("{is:?}"))
                )
                .unwrap();
            }
        }
        out
    }
}
