//! Settings that hotline.yaml gives the plugin under `config:`.

use std::str::FromStr;

use crate::host;

/// A setting that is missing or that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The plugin cannot do without it.
    #[error("the setting {name:?} is missing: add it under `config:` of this plugin in hotline.yaml")]
    Missing {
        /// Its name.
        name: String,
    },
    /// It has another form than the plugin reads.
    #[error("the setting {name:?} is {found:?}: {reason}")]
    Malformed {
        /// Its name.
        name: String,
        /// What hotline.yaml gives.
        found: String,
        /// Why that is not it.
        reason: String,
    },
}

/// One setting, or none when hotline.yaml does not give it.
pub fn get(name: &str) -> Option<String> {
    host::setting(name)
}

/// All settings, sorted by name.
pub fn all() -> Vec<(String, String)> {
    host::settings()
}

/// A setting that the plugin cannot do without.
///
/// # Errors
/// [`Error::Missing`] when hotline.yaml does not give it.
pub fn require(name: &str) -> Result<String, Error> {
    get(name).ok_or_else(|| Error::Missing {
        name: name.to_owned(),
    })
}

/// A setting of some type, or `default` when hotline.yaml does not give it.
///
/// # Errors
/// [`Error::Malformed`] when it does not read as that type.
pub fn get_or<T>(name: &str, default: T) -> Result<T, Error>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    get(name).map_or(Ok(default), |found| parse(name, found))
}

fn parse<T>(name: &str, found: String) -> Result<T, Error>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    found.trim().parse().map_err(|reason: T::Err| Error::Malformed {
        name: name.to_owned(),
        reason: reason.to_string(),
        found,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_setting_names_itself() {
        assert_eq!(parse::<u32>("refresh-s", " 60 ".to_owned()), Ok(60));
        let error = parse::<u32>("refresh-s", "soon".to_owned()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the setting \"refresh-s\" is \"soon\": invalid digit found in string"
        );
    }
}
