//! The language in which people are told things: what `--lang` says, else the environment's locale.

use std::{env, sync::OnceLock};

use clap::ValueEnum;
use trunkline_flow::Tongue;

/// What the environment says of the language, the strongest first (POSIX, "Internationalization
/// Variables").
const LOCALES: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

static CHOSEN: OnceLock<Tongue> = OnceLock::new();

/// A language to be told things in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// Chinese
    #[value(name = "zh-CN", alias = "zh")]
    Chinese,
    /// English
    #[value(name = "en")]
    English,
}

/// Chooses the language for this run, once.
pub(crate) fn choose(lang: Option<Lang>) {
    let tongue = match lang {
        Some(Lang::Chinese) => Tongue::Chinese,
        Some(Lang::English) => Tongue::English,
        None => of_environment(|name| env::var(name).ok()),
    };
    // A second choice would come from nowhere: there is one command line.
    let _ = CHOSEN.set(tongue);
}

/// The language of this run.
pub(crate) fn tongue() -> Tongue {
    CHOSEN.get().copied().unwrap_or_default()
}

/// The Chinese or the English text.
pub(crate) fn told<T>(zh: T, en: T) -> T {
    match tongue() {
        Tongue::Chinese => zh,
        Tongue::English => en,
    }
}

fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Tongue {
    let set = LOCALES.iter().filter_map(|name| variable(name));
    let locale = set.into_iter().find(|locale| !locale.is_empty());
    locale.map_or(Tongue::English, |locale| Tongue::of_locale(&locale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_variable_that_says_something_decides() {
        let with = |set: &[(&str, &str)]| {
            of_environment(|name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(with(&[]), Tongue::English);
        assert_eq!(with(&[("LANG", "zh_CN.UTF-8")]), Tongue::Chinese);
        assert_eq!(with(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")]), Tongue::English);
        assert_eq!(with(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "")]), Tongue::Chinese);
    }
}
