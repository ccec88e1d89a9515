//! The fields of one table: each is taken once, and what is left is not known.

use std::path::{Component, PathBuf};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{
    keys::{self, did_you_mean},
    place::Places,
};

/// A table that is being read.
pub(super) struct Fields<'i> {
    /// How people call it: `[plugin]`.
    name: String,
    at: usize,
    table: DeTable<'i>,
    /// Keys that were asked for.
    known: Vec<&'static str>,
}

impl<'i> Fields<'i> {
    /// The whole file.
    pub(super) fn root(table: DeTable<'i>) -> Self {
        Self {
            name: "plugin.toml".to_owned(),
            at: 0,
            table,
            known: Vec::new(),
        }
    }

    /// The byte at which the table begins.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'i>>> {
        self.known.push(key);
        self.table.remove(key)
    }

    /// A table within this one, if it is there.
    pub(super) fn table(&mut self, places: &mut Places<'_>, key: &'static str) -> Option<Fields<'i>> {
        let value = self.take(key)?;
        let at = value.span().start;
        match value.into_inner() {
            DeValue::Table(table) => Some(Fields {
                name: format!("[{key}]"),
                at,
                table,
                known: Vec::new(),
            }),
            other => {
                let found = other.type_str();
                places.report(at, format!("`{key}` is a table, not a {found}; write `[{key}]`"));
                None
            }
        }
    }

    /// A table that has to be there.
    pub(super) fn need_table(&mut self, places: &mut Places<'_>, key: &'static str) -> Option<Fields<'i>> {
        if !self.table.contains_key(key) {
            self.known.push(key);
            places.report(self.at, format!("{} lacks the table `[{key}]`", self.name));
            return None;
        }
        self.table(places, key)
    }

    /// A text and where it stands, if it is there.
    pub(super) fn text(&mut self, places: &mut Places<'_>, key: &'static str) -> Option<(usize, String)> {
        let value = self.take(key)?;
        let at = value.span().start;
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Some((at, text.to_owned())),
            Some(_) => {
                places.report(at, format!("`{key}` is empty; write it, or leave the line out"));
                None
            }
            None => {
                let found = value.get_ref().type_str();
                places.report(
                    at,
                    format!("`{key}` is a text, not a {found}; write it in quotation marks"),
                );
                None
            }
        }
    }

    /// A text that has to be there.
    pub(super) fn need_text(
        &mut self,
        places: &mut Places<'_>,
        key: &'static str,
        example: &str,
    ) -> Option<(usize, String)> {
        if !self.table.contains_key(key) {
            self.known.push(key);
            let name = &self.name;
            places.report(
                self.at,
                format!("{name} lacks `{key}`; write `{key} = \"{example}\"`"),
            );
            return None;
        }
        self.text(places, key)
    }

    /// A list of texts; empty if it is not there.
    pub(super) fn texts(&mut self, places: &mut Places<'_>, key: &'static str) -> Vec<String> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let Some(values) = value.get_ref().as_array() else {
            places.report(
                value.span().start,
                format!("`{key}` is a list; write `{key} = [\"…\"]`"),
            );
            return Vec::new();
        };
        let mut texts = Vec::new();
        for value in values {
            match value.get_ref().as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => places.report(value.span().start, format!("`{key}` is a list of texts")),
            }
        }
        texts
    }

    /// A path in the plugin's folder, if it is there.
    pub(super) fn path(&mut self, places: &mut Places<'_>, key: &'static str) -> Option<PathBuf> {
        let (at, text) = self.text(places, key)?;
        let path = PathBuf::from(&text);
        // A workspace keeps what it builds above the folders of its members.
        let fits = path.components().all(|part| {
            matches!(
                part,
                Component::Normal(_) | Component::CurDir | Component::ParentDir
            )
        });
        if !fits {
            places.report(
                at,
                format!(
                    "`{text}` is not relative to the plugin's folder; write `{key}` without `/` before it"
                ),
            );
        }
        fits.then_some(path)
    }

    /// Reads the whole table as a type of the plugin host. Keys in `elsewhere` stand in another
    /// place.
    pub(super) fn typed<T: DeserializeOwned>(
        mut self,
        places: &mut Places<'_>,
        elsewhere: &[(&'static str, &str)],
    ) -> Option<T> {
        for (key, place) in elsewhere {
            let found = self.table.remove_entry(*key);
            if let Some((key, _)) = found {
                let (at, key) = (key.span().start, key.get_ref());
                places.report(
                    at,
                    format!("`{key}` does not stand in {}: it is {place}", self.name),
                );
            }
        }
        self.known = keys::of::<T>()
            .iter()
            .copied()
            .filter(|key| elsewhere.iter().all(|(other, _)| other != key))
            .collect();
        let unknown: Vec<_> = self
            .table
            .keys()
            .filter(|key| !self.known.contains(&key.get_ref().as_ref()))
            .cloned()
            .collect();
        let mut rest = DeTable::new();
        for key in unknown {
            if let Some((key, value)) = self.table.remove_entry(key.get_ref().as_ref()) {
                rest.insert(key, value);
            }
        }
        let table = std::mem::replace(&mut self.table, rest);
        let at = self.at;
        let value = Spanned::new(at..at, DeValue::Table(table));
        let read = T::deserialize(ValueDeserializer::from(value));
        self.finish(places);
        match read {
            Ok(read) => Some(read),
            Err(error) => {
                places.report(error.span().map_or(at, |span| span.start), error.message());
                None
            }
        }
    }

    /// Reports each key that nobody asked for.
    pub(super) fn finish(self, places: &mut Places<'_>) {
        for key in self.table.keys() {
            let meant = did_you_mean(key.get_ref(), &self.known);
            let message = format!("{} has no `{}`; {meant}", self.name, key.get_ref());
            places.report(key.span().start, message);
        }
    }
}
