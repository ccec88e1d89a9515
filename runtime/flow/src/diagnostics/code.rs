//! The codes of findings, each with a page that explains it.
//!
//! Codes never change their meaning: 00 files, 01 names, 02 types and expressions, 03 ways
//! out and paths, 04 prompts and languages, 05 keys and words, 06 calendars, 07 plugins,
//! 08 queues, agents, surveys, tickets, services and phones, 09 what this version does not have,
//! 10 the rules of rule packs (TL1001 is rule R1), 11 scenarios.

use std::{borrow::Cow, fmt};

use serde::{Serialize, Serializer};

use super::Severity;
use crate::tongue::Tongue;

macro_rules! codes {
    ($($name:ident $number:literal $severity:ident $title:literal,)*) => {
        /// What a finding is about.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as people write it, such as `TL0101`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("TL", $number),)*
                }
            }

            /// How bad such findings are, unless one says otherwise.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)*
                }
            }

            /// What such findings are about, in a few words.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }

            /// The page that explains it, in Markdown.
            pub const fn page(self) -> &'static str {
                match self {
                    $(Self::$name => include_str!(concat!("../../../../docs/errors/TL", $number, ".md")),)*
                }
            }

            /// The page in Chinese, without the examples, which are those of the English one.
            const fn chinese_page(self) -> &'static str {
                match self {
                    $(Self::$name => {
                        include_str!(concat!("../../../../docs/errors/zh-CN/TL", $number, ".md"))
                    })*
                }
            }
        }
    };
}

codes! {
    YamlSyntax "0001" Error "the file is not YAML",
    TooLarge "0002" Error "the file is too large or nests too deep",
    DuplicateKey "0003" Error "the same key stands twice",
    YamlFeature "0004" Error "a part of YAML that hotlines do not use",
    WrongShape "0005" Error "another kind of value is wanted here",
    UnknownField "0006" Error "no such field",
    MissingField "0007" Error "a field is missing",
    BecameComment "0008" Warning "a `#` made a comment of this",
    MissingFile "0009" Error "a file is missing",
    WrongValue "0010" Error "the value is not one that the field takes",
    TooManyFindings "0011" Warning "more findings than are shown",
    StrayFile "0012" Warning "a file that nothing reads",

    UnknownStep "0101" Error "no such step",
    UnknownFlow "0102" Error "no such flow",
    UnknownPlugin "0103" Error "no such plugin",
    UnknownFunction "0104" Error "no such function",
    AmbiguousFunction "0105" Error "several functions have this name",
    UnknownVariable "0106" Error "no such variable",
    BadName "0107" Error "not a name of this kind",
    UnknownVerb "0108" Error "a step without a verb, or with several",
    DuplicateName "0109" Error "the same name is given twice",
    UnknownType "0110" Error "no such type",
    UnknownLanguage "0111" Error "no such language",
    BadNumber "0112" Error "not a number that callers call",
    BadTimeZone "0113" Error "no such time zone",

    ExpressionSyntax "0201" Error "not an expression",
    TypeMismatch "0202" Error "the type does not fit",
    UnknownName "0203" Error "no such name in an expression",
    UnknownRecordField "0204" Error "no such field in a value",
    MayBeAbsent "0205" Error "the value may be absent here",
    NotSet "0206" Error "read before it is set",
    UnknownCase "0207" Error "no such case",
    WrongFunctionUse "0208" Error "the function is not used like this",
    BadLiteral "0209" Error "not a value of the type",
    MissingArgument "0210" Error "an argument is missing",
    UnknownArgument "0211" Error "no such argument",
    ExpressionTooLarge "0212" Error "the expression is too large",
    Unbalanced "0213" Error "an expression is not closed",

    Unwired "0301" Error "a way out leads nowhere",
    MissingNext "0302" Error "the step leads nowhere",
    UnknownExit "0303" Error "no such way out",
    UnreachableStep "0304" Warning "no way leads to the step",
    UnreachedFlow "0305" Warning "no number and no flow leads to the flow",
    NoWayOut "0306" Error "nobody can leave this loop",
    Spins "0307" Error "the loop never waits",
    FlowCircle "0308" Error "flows run each other in a circle",
    NeedsCaller "0309" Error "the step needs a caller who has left",
    NeverTaken "0310" Warning "the way is never taken",
    CallLoop "0311" Warning "the loop calls without a pause",
    FlowsTooDeep "0312" Error "flows run each other too deep",
    NumberNeedsInputs "0313" Error "a number cannot give inputs",
    AnswerLost "0314" Warning "the answer is kept nowhere",
    NothingToSave "0315" Error "the way out carries nothing",
    StartMismatch "0316" Error "what starts the flow does not fit its inputs",
    TwoStarts "0317" Error "a feed or a webhook starts two flows",
    NobodyThere "0318" Error "the step needs a caller, and nobody has called",

    UnknownPrompt "0401" Error "no such prompt",
    MissingTranslation "0402" Error "the prompt is missing in a language",
    UnusedPrompt "0403" Warning "nothing says the prompt",
    TemplateSyntax "0404" Error "the prompt's braces do not match",
    StrayLanguage "0405" Warning "prompts in a language that the hotline does not have",
    NotPrintable "0406" Error "the value cannot be said",
    UnknownMarkup "0407" Error "no such markup in a prompt",
    FormatMismatch "0408" Error "the format does not fit the value",
    RecordingWithValues "0409" Error "a recording cannot say values",
    RecordingLength "0410" Error "the length of the recording",
    NoRecording "0411" Warning "the recording is not in the folder",
    DialectCircle "0412" Error "dialects fall back to each other in a circle",

    BadKey "0501" Error "not a key of the keypad",
    KeyClash "0502" Error "the same key or word leads to two places",
    ShadowsAnywhere "0503" Warning "the key hides one that holds anywhere",
    AnywhereDeaf "0504" Warning "the key is not heard here",
    NothingToChoose "0505" Error "the menu offers nothing",
    BadCollection "0506" Error "the answer cannot be collected like this",
    WrongAnswerField "0507" Error "the field belongs to another kind of answer",

    UnknownCalendar "0601" Error "no such calendar",
    UnknownWeekday "0602" Error "no such weekday",
    BadOpeningSpan "0603" Error "not a span of time",
    OverlappingSpans "0604" Error "spans overlap",
    BadDate "0605" Error "not a date",
    NeverOpen "0606" Warning "the calendar is never open",
    BadICalendar "0607" Error "an iCalendar file that cannot be read",
    CalendarCircle "0608" Error "calendars include each other in a circle",
    NeedlessWorkday "0609" Warning "the make-up workday changes nothing",
    WeekdayNotSaid "0610" Warning "a weekday is not mentioned",
    EventPassedOver "0611" Warning "an event of hours is passed over",
    WorkdaysUnmarked "0612" Warning "make-up workdays are not told from holidays",

    PluginNotLoaded "0701" Error "the plugin is not loaded",
    BadGrant "0702" Error "not a grant",
    BadComponentPath "0703" Error "not a path of a component",
    GrantWithoutPlugin "0704" Warning "a grant for no plugin",
    SecretWithoutValue "0710" Warning "a secret has no value on this server",
    PackageRefused "0720" Error "the package is not let in",
    BadLock "0721" Error "the lock cannot be used",
    OverReserved "0730" Error "more is reserved than there is",
    Overcommitted "0731" Warning "plugins may use more memory than there is",

    HumanOutOfReach "1001" Error "a human is out of reach",
    MenuBeforeHuman "1002" Error "something is asked before a human is there",
    HumanTooLate "1003" Error "it takes too long to a human",
    EmergencyUnheard "1004" Error "an emergency is not heard",
    ElderlyMustPress "1005" Error "callers over 65 have to press keys",
    NoNotice "1006" Error "personal data is used before the notice",
    DataNotGranted "1007" Error "a plugin is given data that it was not granted",
    SyntheticVoice "1008" Error "a synthetic voice is not announced",
    NoCallingWindow "1009" Error "callers may be rung at any hour",
    TooLittleTime "1010" Error "a question leaves too little time",
    SilentEnd "1011" Error "the contact ends without a word",
    MorePresses "1014" Error "a merged number costs more presses",
    UnknownPack "1090" Error "no such rule pack",
    TooLargeToProve "1091" Warning "the hotline is too large for its rules to be proved",
    UnknownQueue "0801" Error "no such queue",
    UnknownSkill "0802" Error "no agent has the skill",
    UnknownAgent "0803" Error "no such agent",
    UnknownSurvey "0804" Error "no such survey",
    UnknownTicketClass "0805" Error "no such class of tickets",
    NobodyServes "0806" Warning "no agent has all the skills",
    NothingUses "0807" Warning "nothing uses it",
    BadSurvey "0808" Error "the survey cannot be scored",
    UnknownEvent "0809" Error "no such event",
    UnknownService "0810" Error "no such service",
    UnknownConsent "0811" Error "nothing asks for this consent",
    UnknownFeed "0812" Error "no such feed or webhook",
    BadFeed "0813" Error "the function or field is not one for a feed",
    UnknownTrunk "0814" Error "no such trunk",
    BadTrunk "0815" Error "the trunk cannot be used like this",
    TrunksOverlap "0816" Error "two trunks claim the same addresses",
    NoWayOutside "0817" Warning "no trunk leads outside",
    MissingVoice "0818" Warning "a language has no voice on the phone",
    NotForPhones "0819" Warning "the recording cannot be played on the phone",
    UnknownNumber "0820" Error "the hotline has no such number",
    NobodyByPhone "0821" Warning "no agent of the queue has a phone",
    CarrierCannot "0830" Warning "a carrier cannot do what the step says",

    VerbNotYet "0901" Error "a verb that this version does not have",
    FieldNotYet "0902" Error "a field that this version does not have",

    ScriptLine "1101" Error "not a line of a script",
    BadMock "1102" Error "not an answer that the function gives",
    UncalledMock "1103" Warning "no flow calls the mocked function",
    ChecksNothing "1104" Warning "the scenario cannot fail",
    NoSuchOutcome "1105" Error "no contact ends like this",
}

impl Code {
    /// What such findings are about, in a few words of a language.
    pub fn title_in(self, tongue: Tongue) -> &'static str {
        match tongue {
            Tongue::English => self.title(),
            Tongue::Chinese => {
                let heading = self.chinese_page().lines().next().unwrap_or_default();
                heading.split_once('：').map_or(self.title(), |(_, title)| title)
            }
        }
    }

    /// The page that explains it in a language, in Markdown. Its examples are the same in each.
    pub fn page_in(self, tongue: Tongue) -> Cow<'static, str> {
        if tongue == Tongue::English {
            return self.page().into();
        }
        let mut page = self.chinese_page().to_owned();
        for (english, chinese) in EXAMPLES {
            if let Some(example) = example(self.page(), english) {
                page.push_str(&format!("\n## {chinese}\n\n{example}\n"));
            }
        }
        page.into()
    }

    /// Finds a code as people write it: `TL0101`, `tl0101` or `0101`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_uppercase();
        let number = text.strip_prefix("TL").unwrap_or(&text);
        Self::ALL
            .iter()
            .copied()
            .find(|code| &code.as_str()[2..] == number)
    }
}

/// The headings of examples on pages, in English and in Chinese.
const EXAMPLES: [(&str, &str); 2] = [("Wrong", "错误示例"), ("Right", "正确示例")];

/// The example under a heading of an English page, with its fences.
fn example<'p>(page: &'p str, heading: &str) -> Option<&'p str> {
    const OPEN: &str = "```yaml\n";
    const CLOSE: &str = "\n```";
    let start = page.find(&format!("## {heading}\n\n{OPEN}"))?;
    let open = start + page[start..].find(OPEN)?;
    let close = open + page[open..].find(CLOSE)?;
    Some(&page[open..close + CLOSE.len()])
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_differ_and_their_pages_name_them() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert!(
                Code::ALL[..index]
                    .iter()
                    .all(|other| other.as_str() != code.as_str())
            );
            let heading = format!("# {code}: {}\n", code.title());
            assert!(
                code.page().starts_with(&heading),
                "docs/errors/{code}.md should begin with {heading:?}"
            );
            assert_eq!(Code::parse(code.as_str()), Some(*code));
        }
        assert_eq!(Code::parse("tl0101"), Some(Code::UnknownStep));
        assert_eq!(Code::parse("nonsense"), None);
    }

    #[test]
    fn pages_are_there_in_chinese_with_the_same_examples() {
        for code in Code::ALL {
            let page = code.page_in(Tongue::Chinese);
            let title = code.title_in(Tongue::Chinese);
            let mut paragraphs = page.split("\n\n");
            assert_eq!(paragraphs.next(), Some(format!("# {code}：{title}").as_str()));
            let severity = code.severity().name_in(Tongue::Chinese);
            assert!(
                paragraphs.next().is_some_and(|first| first.starts_with(severity)),
                "{code}"
            );
            assert!(
                paragraphs.next().is_some_and(|second| second.contains('。')),
                "{code}"
            );
            let blocks = |page: &str| -> Vec<String> {
                page.split("```yaml\n")
                    .skip(1)
                    .filter_map(|rest| Some(rest.split_once("\n```")?.0.to_owned()))
                    .collect()
            };
            assert_eq!(blocks(&page), blocks(code.page()), "{code}");
            assert_eq!(
                page.matches("## 错误示例").count(),
                code.page().matches("## Wrong").count()
            );
            assert_eq!(
                page.matches("## 正确示例").count(),
                code.page().matches("## Right").count()
            );
            assert_eq!(code.page_in(Tongue::English), code.page());
        }
        assert_eq!(Code::Unwired.title_in(Tongue::Chinese), "出口没有去向");
    }
}
