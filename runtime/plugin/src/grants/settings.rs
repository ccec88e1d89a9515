//! Settings named in what a plugin wants: `${url}` stands for the setting `url` of its `config:`
//! in hotline.yaml.

use std::collections::BTreeMap;

/// A want whose settings do not make it a want.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// The setting is not given.
    #[error(
        "it names the setting `{0}`, which hotline.yaml does not give: add it to the plugin's \
         `config: {{ {0}: … }}`"
    )]
    Missing(String),
    /// A `${` without its `}`.
    #[error("{0:?} opens a setting with ${{ and does not close it")]
    Open(String),
    /// What comes out cannot be wanted.
    #[error("`{written}` does not fit the settings that hotline.yaml gives: {reason}")]
    Unfit {
        /// As it is written.
        written: String,
        /// Why not.
        reason: String,
    },
}

const OPEN: &str = "${";

/// Whether a text names settings.
pub(super) fn named(text: &str) -> bool {
    text.contains(OPEN)
}

/// Puts settings in the place of their names.
pub(super) fn put(text: &str, settings: &BTreeMap<String, String>) -> Result<String, SettingError> {
    let mut settled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (name, after) = after
            .split_once('}')
            .ok_or_else(|| SettingError::Open(text.to_owned()))?;
        let value = settings
            .get(name.trim())
            .ok_or_else(|| SettingError::Missing(name.trim().to_owned()))?;
        settled.push_str(before);
        settled.push_str(value);
        rest = after;
    }
    settled.push_str(rest);
    Ok(settled)
}
