//! Public calendars that are built in: holidays and make-up workdays as an authority
//! announced them, for calendars to `include`.
//!
//! Each is a file of one year, `runtime/flow/calendars/NAME.yaml`, that names its source. One that
//! has been shipped changes only to follow its source: a new year is a new file, so what is live
//! on an old release counts its days as before. A hotline's own calendar of the same name is taken
//! instead.

use std::{
    cell::RefCell,
    sync::{Arc, LazyLock},
};

use super::{Calendar, Spans};
use crate::{Sources, check, diagnostics::Findings, parse};

/// The files, by name.
const FILES: [(&str, &str); 1] = [("cn-2026", include_str!("../../calendars/cn-2026.yaml"))];

static PUBLIC: LazyLock<Vec<PublicCalendar>> = LazyLock::new(|| {
    FILES
        .iter()
        .filter_map(|(name, text)| read(name, text).0)
        .collect()
});

/// A public calendar that is built in.
#[derive(Debug)]
pub struct PublicCalendar {
    /// Its name, as `include` takes it: country and year, such as `cn-2026`.
    pub name: Arc<str>,
    /// What it is, for people.
    pub title: Arc<str>,
    /// Who announced its days, where and when.
    pub source: Arc<str>,
    /// Its days; it has no spans of its own.
    pub calendar: Calendar,
    pub(crate) spans: Spans,
}

/// All public calendars that are built in, by name.
pub fn all() -> &'static [PublicCalendar] {
    &PUBLIC
}

/// The public calendar of a name.
pub(crate) fn find(name: &str) -> Option<&'static PublicCalendar> {
    all().iter().find(|public| &*public.name == name)
}

fn read(name: &str, text: &str) -> (Option<PublicCalendar>, Findings) {
    let parsed = parse(&Sources::new([(format!("calendars/{name}.yaml"), text)]));
    let findings = RefCell::new(Findings::default());
    let read = parsed.syntax.calendars.first().map(|syntax| {
        let spans = check::calendars::days(&findings, syntax);
        PublicCalendar {
            name: syntax.name.value.clone(),
            title: syntax
                .title
                .as_ref()
                .map_or_else(|| name.into(), |title| title.value.clone()),
            source: syntax
                .source
                .as_ref()
                .map(|source| source.value.clone())
                .unwrap_or_default(),
            calendar: Calendar::new(spans.clone()),
            spans,
        }
    });
    (read, findings.into_inner())
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, Weekday};

    use super::{super::DayKind, *};

    #[test]
    fn every_file_reads_without_findings() {
        for (name, text) in FILES {
            let (read, findings) = read(name, text);
            let read = read.expect(name);
            assert_eq!(&*read.name, name);
            assert_eq!(findings.iter().count(), 0, "{name}: {findings:?}");
            assert!(
                !read.source.is_empty() && read.spans.known_until.is_some(),
                "{name}"
            );
        }
        assert_eq!(all().len(), FILES.len());
    }

    /// The notice's own sums: how many days off each holiday has, and which days are worked.
    #[test]
    fn the_days_of_2026_are_those_of_the_notice() {
        let calendar = &find("cn-2026").unwrap().calendar;
        let first: Date = "2026-01-01".parse().unwrap();
        let days: Vec<_> = first
            .series(jiff::Span::new().days(1))
            .take(365)
            .map(|date| calendar.day(date))
            .collect();
        for (name, count) in [
            ("元旦", 3),
            ("春节", 9),
            ("清明节", 3),
            ("劳动节", 5),
            ("端午节", 3),
            ("中秋节", 3),
            ("国庆节", 7),
        ] {
            let found = days
                .iter()
                .filter(|day| day.kind == DayKind::Holiday { name: Some(name) });
            assert_eq!(found.count(), count, "{name}");
        }
        let worked: Vec<String> = days
            .iter()
            .filter(|day| matches!(day.kind, DayKind::MakeUp { .. }))
            .map(|day| {
                assert!(matches!(day.date.weekday(), Weekday::Saturday | Weekday::Sunday));
                day.date.to_string()
            })
            .collect();
        assert_eq!(
            worked,
            [
                "2026-01-04",
                "2026-02-14",
                "2026-02-28",
                "2026-05-09",
                "2026-09-20",
                "2026-10-10"
            ]
        );
    }
}
