//! Languages as carriers name them: a tag without a region gets its most common one, and Chinese
//! gets the names that speech services have for it.

/// The tag by which a text is said.
pub(super) fn said(tag: &str) -> String {
    match tag.to_ascii_lowercase().as_str() {
        "zh" | "zh-cn" | "zh-hans" | "zh-hans-cn" | "cmn" | "cmn-cn" => "cmn-CN".to_owned(),
        "zh-tw" | "zh-hant" | "zh-hant-tw" => "cmn-TW".to_owned(),
        "zh-hk" | "zh-hant-hk" | "yue" | "yue-hk" | "yue-cn" => "yue-HK".to_owned(),
        other => with_region(other, tag),
    }
}

/// The tag by which words are recognised.
pub(super) fn heard(tag: &str) -> String {
    match said(tag).as_str() {
        "cmn-CN" => "cmn-Hans-CN".to_owned(),
        "cmn-TW" => "cmn-Hant-TW".to_owned(),
        "yue-HK" => "yue-Hant-HK".to_owned(),
        other => other.to_owned(),
    }
}

/// The tag of services that name Chinese as BCP 47 tags in common use do.
pub(super) fn common(tag: &str) -> String {
    match said(tag).as_str() {
        "cmn-CN" => "zh-CN".to_owned(),
        "cmn-TW" => "zh-TW".to_owned(),
        "yue-HK" => "zh-HK".to_owned(),
        other => other.to_owned(),
    }
}

fn with_region(lower: &str, tag: &str) -> String {
    let region = match lower {
        "en" => "US",
        "ja" => "JP",
        "ko" => "KR",
        "de" => "DE",
        "fr" => "FR",
        "es" => "ES",
        "it" => "IT",
        "pt" => "BR",
        "ru" => "RU",
        "nl" => "NL",
        "pl" => "PL",
        "tr" => "TR",
        "sv" => "SE",
        "da" => "DK",
        "nb" | "no" => "NO",
        "vi" => "VN",
        "th" => "TH",
        "id" => "ID",
        "hi" => "IN",
        "ar" => "AE",
        _ => return tag.to_owned(),
    };
    format!("{lower}-{region}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_those_that_speech_services_have() {
        for (tag, say, hear, both) in [
            ("zh-CN", "cmn-CN", "cmn-Hans-CN", "zh-CN"),
            ("yue", "yue-HK", "yue-Hant-HK", "zh-HK"),
            ("en", "en-US", "en-US", "en-US"),
            ("en-GB", "en-GB", "en-GB", "en-GB"),
            ("xx", "xx", "xx", "xx"),
        ] {
            assert_eq!(
                (said(tag), heard(tag), common(tag)),
                (say.into(), hear.into(), both.into())
            );
        }
    }
}
