//! Calendars: spans that are spans, days that are days, and what they take from each other,
//! from public calendars and from iCalendar files.
//!
//! A calendar is put together in the order `include`, `import`, `open`, `holidays`, `workdays`:
//! what comes later says more about the same day.

#[cfg(test)]
mod tests;
mod written;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::tz::TimeZone;

use crate::{
    calendar::{
        Calendar, DAY, DayKind, OpeningSpan, Spans,
        icalendar::{self, Marks},
        monday_offset, public,
    },
    diagnostics::{Code, Diagnostic, Finding, Findings, did_you_mean},
    expression::WEEKDAYS,
    limits::CALENDAR_DEPTH_MAX,
    parse::Parsed,
    source::{Span, Word},
    syntax::{CalendarSyntax, ImportSyntax, Syntax},
};

/// The weekday that make-up workdays of an iCalendar file follow when nothing else is said.
const IMPORTED_LIKE: usize = 0;

/// What came of a check of the calendars alone.
#[derive(Debug)]
pub struct CalendarReport {
    /// The calendars, `always` among them.
    pub calendars: BTreeMap<Arc<str>, Calendar>,
    /// What each of them says of itself, but for `always`.
    pub notes: BTreeMap<Arc<str>, CalendarNotes>,
    /// The hotline's time zone; none when hotline.yaml does not name one that there is.
    pub time_zone: Option<TimeZone>,
    /// Findings of the files that were parsed, and of the calendars.
    pub diagnostics: Vec<Diagnostic>,
}

/// What a calendar says of itself, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarNotes {
    /// Its file.
    pub file: Arc<str>,
    /// Its title.
    pub title: Option<Arc<str>>,
    /// Where its days come from.
    pub source: Option<Arc<str>>,
}

/// Checks the calendars alone: no flow and no plugin is looked at.
pub fn calendars(parsed: &Parsed) -> CalendarReport {
    let findings = RefCell::new(parsed.findings.clone());
    let calendars = check(&findings, &parsed.syntax);
    let notes = parsed.syntax.calendars.iter().map(|calendar| {
        let value = |word: &Option<Word>| word.as_ref().map(|word| word.value.clone());
        let notes = CalendarNotes {
            file: parsed.files.of(calendar.name.span).path.clone(),
            title: value(&calendar.title),
            source: value(&calendar.source),
        };
        (calendar.name.value.clone(), notes)
    });
    let zone = parsed
        .syntax
        .hotline
        .as_ref()
        .and_then(|hotline| hotline.time_zone.as_ref());
    CalendarReport {
        calendars,
        notes: notes.collect(),
        time_zone: zone.and_then(|zone| TimeZone::get(zone.as_str()).ok()),
        diagnostics: findings.into_inner().into_diagnostics(&parsed.files),
    }
}

/// Checks all calendars; the built-in `always` is among the result.
pub(super) fn check(findings: &RefCell<Findings>, syntax: &Syntax) -> BTreeMap<Arc<str>, Calendar> {
    let mut checked = BTreeMap::from([("always".into(), Calendar::always())]);
    let mut names: BTreeMap<&str, &CalendarSyntax> = BTreeMap::new();
    let report = |finding| findings.borrow_mut().push(finding);
    for calendar in &syntax.calendars {
        let name = calendar.name.as_str();
        if name == "always" {
            report(
                Finding::new(
                    Code::DuplicateName,
                    calendar.name.span,
                    "`always` is built in and always open",
                )
                .help("give this calendar another name"),
            );
        } else if let Some(first) = names.get(name) {
            report(
                Finding::new(
                    Code::DuplicateName,
                    calendar.name.span,
                    format!("there are two calendars `{name}`"),
                )
                .label(first.name.span, "the first"),
            );
        }
        names.entry(name).or_insert(calendar);
    }
    let calendars = Calendars {
        findings,
        syntax,
        names,
        built: RefCell::default(),
    };
    let included: BTreeSet<&str> = syntax
        .calendars
        .iter()
        .flat_map(|calendar| &calendar.include)
        .map(|include| include.calendar.as_str())
        .collect();
    for calendar in &syntax.calendars {
        let spans = calendars.built(calendar, &mut Vec::new());
        calendars.judge(calendar, &spans, included.contains(calendar.name.as_str()));
        checked.insert(calendar.name.value.clone(), Calendar::new(spans));
    }
    calendars.unused_files();
    checked
}

/// The days of a calendar that stands alone: a public one.
pub(crate) fn days(findings: &RefCell<Findings>, calendar: &CalendarSyntax) -> Spans {
    let syntax = Syntax::default();
    let calendars = Calendars {
        findings,
        syntax: &syntax,
        names: BTreeMap::new(),
        built: RefCell::default(),
    };
    calendars.built(calendar, &mut Vec::new())
}

struct Calendars<'a> {
    findings: &'a RefCell<Findings>,
    syntax: &'a Syntax,
    names: BTreeMap<&'a str, &'a CalendarSyntax>,
    /// Those that have been put together, by the place of their name.
    built: RefCell<BTreeMap<Span, Spans>>,
}

impl Calendars<'_> {
    fn report(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    /// Puts a calendar together. `above` are those that include it.
    fn built<'s>(&'s self, calendar: &'s CalendarSyntax, above: &mut Vec<&'s Word>) -> Spans {
        if let Some(built) = self.built.borrow().get(&calendar.name.span) {
            return built.clone();
        }
        let mut spans = Spans::default();
        above.push(&calendar.name);
        for include in &calendar.include {
            let like = include
                .like
                .as_ref()
                .and_then(|like| written::weekday(self.findings, like));
            if let Some(other) = self.included(&include.calendar, above) {
                spans.include(&other, like);
            }
        }
        above.pop();
        for import in &calendar.import {
            self.import(import, &mut spans);
        }
        self.week(calendar, &mut spans);
        for (day, name) in &calendar.holidays {
            for date in written::dates(self.findings, day) {
                spans.add_holiday(date, name.as_ref().map(|name| name.value.clone()));
            }
        }
        self.workdays(calendar, &mut spans);
        let until = calendar.known_until.as_ref();
        let until = until.and_then(|until| written::date(self.findings, until));
        spans.known_until = spans.known_until.max(until);
        self.built.borrow_mut().insert(calendar.name.span, spans.clone());
        spans
    }

    /// The calendar that is included by a name.
    fn included<'s>(&'s self, name: &'s Word, above: &mut Vec<&'s Word>) -> Option<Spans> {
        let itself = above.last().is_some_and(|above| above.value == name.value);
        let built_in = public::find(name.as_str());
        // A calendar that has a public one's name may include that one.
        if let Some(built_in) = built_in.filter(|_| itself || !self.names.contains_key(name.as_str())) {
            return Some(built_in.spans.clone());
        }
        if let Some(first) = above.iter().find(|above| above.value == name.value) {
            let circle: Vec<&str> = above
                .iter()
                .skip_while(|above| above.value != name.value)
                .map(|above| above.as_str())
                .chain([name.as_str()])
                .collect();
            self.report(
                Finding::new(
                    Code::CalendarCircle,
                    name.span,
                    format!("the calendar includes itself: {}", circle.join(" > ")),
                )
                .label(first.span, "this calendar")
                .help("put what they share into a calendar of its own, and include that"),
            );
            return None;
        }
        if above.len() >= CALENDAR_DEPTH_MAX {
            self.report(
                Finding::new(
                    Code::CalendarCircle,
                    name.span,
                    format!("more than {CALENDAR_DEPTH_MAX} calendars include each other in a row"),
                )
                .help("include the last of them directly"),
            );
            return None;
        }
        if let Some(calendar) = self.names.get(name.as_str()) {
            return Some(self.built(calendar, above));
        }
        // What is wrong with a broken one has been said.
        if !self.syntax.broken_calendars.contains(&name.value) {
            let known = public::all().iter().map(|public| &*public.name);
            let own = self
                .names
                .keys()
                .copied()
                .filter(|own| above.iter().all(|above| above.as_str() != *own));
            self.report(
                Finding::new(
                    Code::UnknownCalendar,
                    name.span,
                    if name.as_str() == "always" {
                        "`always` has no days that another calendar could take over".to_owned()
                    } else {
                        format!("there is no calendar `{}`", name.as_str())
                    },
                )
                .help_if(did_you_mean("there are", name.as_str(), own.chain(known))),
            );
        }
        None
    }

    /// Takes over the days of an iCalendar file.
    fn import(&self, import: &ImportSyntax, spans: &mut Spans) {
        let like = import
            .like
            .as_ref()
            .and_then(|like| written::weekday(self.findings, like));
        let Some(file) = self.syntax.icalendars.get(&import.file.value) else {
            let known = self.syntax.icalendars.keys().map(|name| &**name);
            let name = import.file.as_str();
            self.report(
                Finding::new(
                    Code::MissingFile,
                    import.file.span,
                    format!("there is no file calendars/{name}"),
                )
                .help_if(if name.ends_with(".ics") && !name.contains('/') {
                    did_you_mean("there are", name, known)
                } else {
                    Some("name an iCalendar file in calendars/, such as `holidays.ics`".to_owned())
                }),
            );
            return;
        };
        let words = |words: &[Word]| words.iter().map(|word| word.value.clone()).collect();
        let named = icalendar::sort(
            &file.events,
            &Marks {
                workdays_if: words(&import.workdays_if),
                holidays_if: words(&import.holidays_if),
            },
        );
        if let Some(suspect) = &named.suspect {
            self.report(
                Finding::new(
                    Code::WorkdaysUnmarked,
                    import.file.span,
                    format!("`{suspect}` looks like a make-up workday and is taken for a holiday"),
                )
                .help(format!(
                    "say what marks them: `import: {{ file: {}, workdays-if: 班, like: monday }}`",
                    import.file.as_str()
                )),
            );
        }
        for marks in [&import.workdays_if, &import.holidays_if] {
            let mentioned = |mark: &Word| file.events.iter().any(|event| event.mentions(mark.as_str()));
            if let Some(first) = marks.first()
                && !marks.iter().any(mentioned)
            {
                let words: Vec<String> = marks.iter().map(|mark| format!("`{}`", mark.as_str())).collect();
                self.report(
                    Finding::new(
                        Code::WorkdaysUnmarked,
                        first.span,
                        format!(
                            "no event of {} mentions {}",
                            import.file.as_str(),
                            words.join(" or ")
                        ),
                    )
                    .help(
                        "write words that stand in the summary or the categories of the events that are meant",
                    ),
                );
            }
        }
        for (date, name) in named.holidays {
            spans.add_holiday(date, Some(name));
        }
        for (date, name) in named.workdays {
            spans.add_workday(date, like.unwrap_or(IMPORTED_LIKE), Some(name));
        }
    }

    /// The spans of the week.
    fn week(&self, calendar: &CalendarSyntax, spans: &mut Spans) {
        let mut nights: Vec<(usize, OpeningSpan, &Word)> = Vec::new();
        for (day, written) in calendar.open.iter().flatten() {
            let Some(weekday) = written::weekday(self.findings, day) else {
                continue;
            };
            let mut places: Vec<(OpeningSpan, &Word)> = Vec::new();
            for word in written {
                let Some(span) = written::opening(self.findings, word) else {
                    continue;
                };
                if let Some((_, other)) = places
                    .iter()
                    .find(|(other, _)| other.from < span.until && span.from < other.until)
                {
                    self.report(
                        Finding::new(
                            Code::OverlappingSpans,
                            word.span,
                            format!(
                                "`{}` overlaps `{}` of the same day",
                                word.as_str(),
                                other.as_str()
                            ),
                        )
                        .label(other.span, "this one")
                        .help("join them to one span"),
                    );
                }
                if span.until > DAY {
                    nights.push((weekday, span, word));
                }
                places.push((span, word));
            }
            let mut week: Vec<OpeningSpan> = places.into_iter().map(|(span, _)| span).collect();
            week.sort_unstable();
            spans.week[weekday] = Some(week);
        }
        for (weekday, night, word) in nights {
            let next = spans.of_weekday((weekday + 1) % WEEKDAYS.len());
            if next.iter().any(|span| span.from + DAY < night.until) {
                self.report(
                    Finding::new(
                        Code::OverlappingSpans,
                        word.span,
                        format!("`{}` reaches into a span of the next day", word.as_str()),
                    )
                    .help("end it where the next day's first span begins"),
                );
            }
        }
    }

    fn workdays(&self, calendar: &CalendarSyntax, spans: &mut Spans) {
        let open = spans.opens();
        for (day, like) in &calendar.workdays {
            let weekday = written::weekday(self.findings, like);
            let Some((date, weekday)) = written::date(self.findings, day).zip(weekday) else {
                continue;
            };
            let usual = spans.day(date);
            let needless = if !open {
                // Days for others to include: whose spans they are, those know.
                None
            } else if spans.of_weekday(weekday).is_empty() {
                Some((
                    like,
                    format!("{date} stays closed: {} has no spans", like.as_str()),
                    "follow a weekday that has some".to_owned(),
                ))
            } else if usual.kind == DayKind::Usual && usual.spans == spans.of_weekday(weekday) {
                let own = WEEKDAYS[monday_offset(date.weekday())];
                Some((
                    day,
                    format!("{date} is a {own} and open at these times anyway"),
                    "is it another day that is made up? Else leave it out".to_owned(),
                ))
            } else {
                None
            };
            if let Some((word, message, help)) = needless {
                self.report(Finding::new(Code::NeedlessWorkday, word.span, message).help(help));
            }
            spans.add_workday(date, weekday, None);
        }
    }

    /// Whether a calendar says when it is open. One that others include may leave it to them.
    fn judge(&self, calendar: &CalendarSyntax, spans: &Spans, included: bool) {
        let name = calendar.name.as_str();
        let mut days = calendar.open.iter().flatten().map(|(day, _)| day.as_str());
        if !days.all(|day| WEEKDAYS.contains(&day)) {
            // Which day a misspelt one is, and whether it opens, shows when it is mended.
            return;
        }
        let unsaid = spans.week.iter().filter(|day| day.is_none()).count();
        if unsaid == WEEKDAYS.len() && calendar.open.is_none() {
            if !included {
                self.report(
                    Finding::new(
                        Code::MissingField,
                        calendar.name.span,
                        format!(
                            "the calendar `{name}` needs `open`, or has to include a calendar that has it"
                        ),
                    )
                    .help("add a line like `open: { monday: [\"08:30-17:30\"] }`"),
                );
            }
        } else if !spans.opens() {
            self.report(
                Finding::new(
                    Code::NeverOpen,
                    calendar.name.span,
                    format!("the calendar `{name}` is never open"),
                )
                .help("give a weekday its spans: `monday: [\"08:30-12:00\", \"13:30-17:30\"]`"),
            );
        } else if unsaid > 0 {
            let days = || {
                WEEKDAYS
                    .into_iter()
                    .zip(&spans.week)
                    .filter(|(_, said)| said.is_none())
                    .map(|(day, _)| day)
            };
            let lines: Vec<String> = days().map(|day| format!("`{day}: []`")).collect();
            self.report(
                Finding::new(
                    Code::WeekdayNotSaid,
                    calendar.name.span,
                    format!("the calendar `{name}` says nothing of {}", all_of(days())),
                )
                .help(format!(
                    "a day that is closed is said to be: {}",
                    lines.join(", ")
                )),
            );
        }
    }

    /// Reports iCalendar files that no calendar imports.
    fn unused_files(&self) {
        let imports = self.syntax.calendars.iter().flat_map(|calendar| &calendar.import);
        let imported: BTreeSet<&str> = imports.map(|import| import.file.as_str()).collect();
        // A calendar that could not be read may import any.
        if !self.syntax.broken_calendars.is_empty() {
            return;
        }
        for (name, file) in &self.syntax.icalendars {
            if !imported.contains(&**name) {
                self.report(
                    Finding::new(
                        Code::StrayFile,
                        file.span,
                        format!("no calendar imports calendars/{name}"),
                    )
                    .help(format!(
                        "add a line to the calendar that needs it: `import: {name}`"
                    )),
                );
            }
        }
    }
}

/// Names in a row: `a, b and c`.
fn all_of<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match &names[..] {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        names => names.concat(),
    }
}
