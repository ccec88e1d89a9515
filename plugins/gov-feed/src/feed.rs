//! The commission's feed: its form, and how to find in it. Pure, and tested natively.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Notices that are given for one district.
const NOTICES_MAX: usize = 20;

/// The language that stands in where a text is not published in the contact's.
const LANGUAGE_OF_THE_CITY: &str = "zh-CN";

/// A text by its language, a BCP 47 tag.
type Texts = BTreeMap<String, String>;

/// The feed as it is published; fields that it may add later are passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Feed {
    districts: Vec<District>,
    notices: Vec<Published>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct District {
    id: String,
    names: Texts,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Published {
    id: String,
    /// Ids; none means the whole city.
    districts: Vec<String>,
    /// A day, `2026-11-20`.
    issued: String,
    title: Texts,
    text: Texts,
    /// Words by which a question names what this is about, in any language.
    #[serde(default)]
    topics: Vec<String>,
}

/// A notice in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub text: &'a str,
    pub district: &'a str,
    pub issued: &'a str,
}

/// A notice in one language, with the ids of all districts that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InForce<'a> {
    pub id: &'a str,
    pub issued: &'a str,
    pub districts: &'a [String],
    pub title: &'a str,
    pub text: &'a str,
}

/// What the feed does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    District,
    Notice,
}

/// A feed that is not of the documented form.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the feed is not of the documented form: {0}")]
    Form(#[from] serde_json::Error),
    #[error("notice {id:?} is issued {issued:?}, which is no day like 2026-11-20")]
    Issued { id: String, issued: String },
    #[error("{what} {id:?} has no text in any language")]
    NoText { what: &'static str, id: String },
    #[error("notice {id:?} is for the district {district:?}, which the feed does not list")]
    District { id: String, district: String },
}

impl Feed {
    /// Reads a feed. One fault refuses all of it: half a feed would say "nothing is in
    /// force" where something is. Notices come out newest first; those of one day stay in
    /// the feed's order.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Error> {
        let mut feed: Self = serde_json::from_slice(body)?;
        feed.check()?;
        feed.notices.sort_by(|one, other| other.issued.cmp(&one.issued));
        Ok(feed)
    }

    fn check(&self) -> Result<(), Error> {
        let no_text = |what, id: &str| Error::NoText {
            what,
            id: id.to_owned(),
        };
        for district in &self.districts {
            if district.names.is_empty() {
                return Err(no_text("district", &district.id));
            }
        }
        for notice in &self.notices {
            if !is_day(&notice.issued) {
                return Err(Error::Issued {
                    id: notice.id.clone(),
                    issued: notice.issued.clone(),
                });
            }
            if notice.title.is_empty() || notice.text.is_empty() {
                return Err(no_text("notice", &notice.id));
            }
            let listed = |id: &String| self.districts.iter().any(|district| district.id == *id);
            if let Some(unknown) = notice.districts.iter().find(|id| !listed(id)) {
                return Err(Error::District {
                    id: notice.id.clone(),
                    district: unknown.clone(),
                });
            }
        }
        Ok(())
    }

    /// All notices in force, newest first, in one language.
    pub(crate) fn published(&self, locale: &str) -> impl Iterator<Item = InForce<'_>> {
        self.notices.iter().map(move |notice| InForce {
            id: &notice.id,
            issued: &notice.issued,
            districts: &notice.districts,
            title: in_language(&notice.title, locale),
            text: in_language(&notice.text, locale),
        })
    }

    /// All notices for a district, newest first.
    pub(crate) fn notices(&self, district: &str, locale: &str) -> Result<Vec<Found<'_>>, Absent> {
        let district = self.district(district).ok_or(Absent::District)?;
        let found: Vec<_> = self
            .in_force(district)
            .take(NOTICES_MAX)
            .map(|notice| notice.found(district, locale))
            .collect();
        if found.is_empty() {
            Err(Absent::Notice)
        } else {
            Ok(found)
        }
    }

    /// The newest notice for a district; with a question, the newest of those that speak
    /// most of what it names.
    pub(crate) fn latest(
        &self,
        district: &str,
        question: Option<&str>,
        locale: &str,
    ) -> Result<Found<'_>, Absent> {
        let district = self.district(district).ok_or(Absent::District)?;
        let question = question.unwrap_or_default().to_lowercase();
        let names_a_topic = self.notices.iter().any(|notice| notice.relevance(&question) > 0);
        let mut best: Option<(&Published, usize)> = None;
        for notice in self.in_force(district) {
            let relevance = notice.relevance(&question);
            let wanted = relevance > 0 || !names_a_topic;
            if wanted && best.is_none_or(|(_, before)| relevance > before) {
                best = Some((notice, relevance));
            }
        }
        let (notice, _) = best.ok_or(Absent::Notice)?;
        Ok(notice.found(district, locale))
    }

    fn in_force<'a>(&'a self, district: &'a District) -> impl Iterator<Item = &'a Published> {
        self.notices
            .iter()
            .filter(|notice| notice.districts.is_empty() || notice.districts.contains(&district.id))
    }

    fn district(&self, given: &str) -> Option<&District> {
        let given = bare(given);
        self.districts.iter().find(|district| {
            bare(&district.id) == given || district.names.values().any(|name| bare(name) == given)
        })
    }
}

impl Published {
    fn found<'a>(&'a self, district: &'a District, locale: &str) -> Found<'a> {
        Found {
            id: &self.id,
            title: in_language(&self.title, locale),
            text: in_language(&self.text, locale),
            district: in_language(&district.names, locale),
            issued: &self.issued,
        }
    }

    /// How many of the notice's topics a question in lower case names.
    fn relevance(&self, question: &str) -> usize {
        self.topics
            .iter()
            .filter(|topic| !topic.is_empty() && question.contains(&topic.to_lowercase()))
            .count()
    }
}

/// A district's name without what people add or leave out: 西湖区 and 西湖, "Xihu District"
/// and "xihu".
fn bare(name: &str) -> String {
    let name = name.trim().to_lowercase();
    let name = name.strip_suffix("district").unwrap_or(&name).trim();
    match name.strip_suffix('区') {
        Some(short) if !short.is_empty() => short.to_owned(),
        _ => name.to_owned(),
    }
}

/// The text in the contact's language, in another of the same family, in the city's, or in
/// the first there is.
fn in_language<'a>(texts: &'a Texts, locale: &str) -> &'a str {
    fn family(tag: &str) -> &str {
        tag.split('-').next().unwrap_or_default()
    }
    texts
        .get(locale)
        .or_else(|| {
            let (_, text) = texts.iter().find(|(tag, _)| family(tag) == family(locale))?;
            Some(text)
        })
        .or_else(|| texts.get(LANGUAGE_OF_THE_CITY))
        .or_else(|| texts.values().next())
        .map(String::as_str)
        .unwrap_or_default()
}

fn is_day(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
    bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-' && digits(0..4) && digits(5..7) && digits(8..10)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEED: &str = r#"{
        "districts": [
            { "id": "xihu", "names": { "zh-CN": "西湖区", "en": "Xihu District" } },
            { "id": "yuhang", "names": { "zh-CN": "余杭区" } },
            { "id": "linping", "names": { "zh-CN": "临平区" } }
        ],
        "notices": [
            { "id": "n-1", "districts": ["xihu"], "issued": "2026-11-02",
              "title": { "zh-CN": "接种点", "en": "Vaccination" }, "text": { "zh-CN": "接种", "en": "Vaccines" },
              "topics": ["疫苗", "vaccin"] },
            { "id": "n-2", "districts": ["xihu", "yuhang"], "issued": "2026-11-18",
              "title": { "zh-CN": "流感" }, "text": { "zh-CN": "流感高发" }, "topics": ["流感", "flu"] },
            { "id": "n-3", "districts": ["xihu"], "issued": "2026-11-18",
              "title": { "zh-CN": "门诊" }, "text": { "zh-CN": "门诊时间" }, "topics": ["发热门诊"], "later": 1 }
        ]
    }"#;

    fn feed() -> Feed {
        Feed::read(FEED.as_bytes()).unwrap()
    }

    fn latest(district: &str, question: Option<&str>) -> Result<String, Absent> {
        feed()
            .latest(district, question, "zh-CN")
            .map(|found| found.id.to_owned())
    }

    #[test]
    fn the_newest_first_and_the_feeds_order_within_a_day() {
        let feed = feed();
        let ids: Vec<_> = feed
            .notices("xihu", "zh-CN")
            .unwrap()
            .iter()
            .map(|found| found.id)
            .collect();
        assert_eq!(ids, ["n-2", "n-3", "n-1"]);
    }

    #[test]
    fn districts_go_by_id_and_by_name() {
        for name in ["xihu", "西湖区", "西湖", " Xihu district ", "XIHU"] {
            assert_eq!(latest(name, None), Ok("n-2".to_owned()), "{name}");
        }
        for name in ["", "区", "district", "滨江"] {
            assert_eq!(latest(name, None), Err(Absent::District), "{name}");
        }
    }

    #[test]
    fn a_question_finds_what_it_names() {
        assert_eq!(latest("xihu", Some("在哪里打疫苗？")), Ok("n-1".to_owned()));
        assert_eq!(
            latest("xihu", Some("Where can I get VACCINATED")),
            Ok("n-1".to_owned())
        );
        assert_eq!(latest("xihu", Some("有什么新通知")), Ok("n-2".to_owned()));
        // The feed knows of vaccines, but not in this district.
        assert_eq!(latest("yuhang", Some("打疫苗")), Err(Absent::Notice));
        assert_eq!(latest("linping", None), Err(Absent::Notice));
    }

    #[test]
    fn texts_come_in_the_contacts_language_where_there_is_one() {
        let feed = feed();
        let title = |locale, question| feed.latest("xihu", Some(question), locale).unwrap().title;
        assert_eq!(title("en", "疫苗"), "Vaccination");
        assert_eq!(title("en-GB", "疫苗"), "Vaccination");
        assert_eq!(title("zh-HK", "疫苗"), "接种点");
        assert_eq!(title("fr", "疫苗"), "接种点");
        assert_eq!(title("en", "流感"), "流感");
        assert_eq!(feed.latest("yuhang", None, "en").unwrap().district, "余杭区");
    }

    #[test]
    fn a_fault_refuses_the_feed_and_says_where() {
        for (from, to, message) in [
            (
                "2026-11-02",
                "yesterday",
                "notice \"n-1\" is issued \"yesterday\", which is no day like 2026-11-20",
            ),
            (
                "[\"xihu\", \"yuhang\"]",
                "[\"xihu\", \"gongshu\"]",
                "notice \"n-2\" is for the district \"gongshu\", which the feed does not list",
            ),
            (
                "{ \"zh-CN\": \"门诊\" }",
                "{}",
                "notice \"n-3\" has no text in any language",
            ),
            (
                "{ \"zh-CN\": \"余杭区\" }",
                "{}",
                "district \"yuhang\" has no text in any language",
            ),
        ] {
            assert!(FEED.contains(from), "{from}");
            let error = Feed::read(FEED.replacen(from, to, 1).as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        for body in ["", "<html>", "{}", "[]"] {
            assert!(
                matches!(Feed::read(body.as_bytes()), Err(Error::Form(_))),
                "{body}"
            );
        }
    }
}
