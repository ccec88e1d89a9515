//! The languages in which people who work on a hotline are told things.

/// A language in which findings and changes are told. Names stay as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tongue {
    /// English.
    #[default]
    English,
    /// Chinese, in simplified characters.
    Chinese,
}

impl Tongue {
    /// Of a locale as the environment has it, or of a tag: `zh_CN.UTF-8`, `zh`, `zh-Hans`. All
    /// that is not Chinese is English.
    pub fn of_locale(locale: &str) -> Self {
        let language = locale.trim().split(['_', '-', '.', '@']).next();
        match language.unwrap_or_default().to_ascii_lowercase().as_str() {
            "zh" | "zho" | "chi" | "cmn" | "chinese" => Self::Chinese,
            _ => Self::English,
        }
    }

    /// The Chinese or the English one.
    pub(crate) const fn pick<T: Copy>(self, zh: T, en: T) -> T {
        match self {
            Self::Chinese => zh,
            Self::English => en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_and_tags_are_understood() {
        for (locale, tongue) in [
            ("zh", Tongue::Chinese),
            ("zh_CN.UTF-8", Tongue::Chinese),
            ("zh-Hans", Tongue::Chinese),
            ("ZH-CN", Tongue::Chinese),
            ("en_US.UTF-8", Tongue::English),
            ("C", Tongue::English),
            ("C.UTF-8", Tongue::English),
            ("zhuang", Tongue::English),
            ("", Tongue::English),
        ] {
            assert_eq!(Tongue::of_locale(locale), tongue, "{locale}");
        }
    }
}
