//! What a new version of a plugin means for flows that were written against an older one, and so
//! which part of its version has to rise.
//!
//! | change | part |
//! |---|---|
//! | a function, a parameter, a field or a type is gone; a case of a result or an error is new or gone | major |
//! | a parameter or one of its fields is new and has to be given, or takes less than before | major |
//! | a function has the own name of another, which flows could call by that alone | major |
//! | a result may be absent where it was not, or lost what it carried | major |
//! | a function, a type, a field of a result, or an optional parameter or field is new; a parameter takes more | minor |
//! | comments, or only what is inside | patch |
//!
//! A new error case is a major change since each flow has to say where it leads; so is a new case of
//! an enum or a variant in a result, which a menu's `intent` or a `choose` tells apart.

use std::{fmt, sync::Arc};

use crate::{
    Parameter, Signature, Type,
    signature::{Errors, Interface},
    types::{Case, Field, Range},
};

/// The part of a version that has to rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Flows see no difference.
    Patch,
    /// Flows go on as they are, and may use more.
    Minor,
    /// Flows may have to be changed.
    Major,
}

/// One difference between two versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it means for flows.
    pub level: Level,
    /// What it is, in a sentence.
    pub what: String,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        })
    }
}

/// All differences between two versions of a plugin, the gravest first. None when what they offer
/// is the same, comments included.
pub fn changes(old: &Interface, new: &Interface) -> Vec<Change> {
    let mut found = Found::default();
    for before in &old.functions {
        match new.functions.iter().find(|after| same(before, after)) {
            Some(after) => found.function(before, after),
            None => found.add(Level::Major, format!("`{}` is gone", before.path())),
        }
    }
    for after in &new.functions {
        if old.functions.iter().any(|before| same(before, after)) {
            continue;
        }
        let (path, name) = (after.path(), &after.name);
        let mut named_so = old.functions.iter().filter(|before| before.name == *name);
        match (named_so.next(), named_so.next()) {
            // If that one is gone, flows have to be changed anyway.
            (Some(before), None) => found.add(
                Level::Major,
                format!(
                    "`{path}` is new, and `{name}` alone is `{}` no longer: flows have to say which they call",
                    before.path()
                ),
            ),
            _ => found.add(Level::Minor, format!("`{path}` is new")),
        }
    }
    for name in old.types.keys().filter(|name| !new.types.contains_key(*name)) {
        found.add(Level::Major, format!("the type `{name}` is gone"));
    }
    for name in new.types.keys().filter(|name| !old.types.contains_key(*name)) {
        found.add(Level::Minor, format!("the type `{name}` is new"));
    }
    // The sort is stable: what stands first in the component stays first.
    found.0.sort_by_key(|change| std::cmp::Reverse(change.level));
    found.0
}

/// The gravest of some changes.
pub fn level(changes: &[Change]) -> Option<Level> {
    changes.iter().map(|change| change.level).max()
}

/// The least version that may follow a former one after a change. Below 1.0.0 the parts shift by one, as
/// everywhere.
pub fn due(former: (u64, u64, u64), level: Level) -> (u64, u64, u64) {
    let (major, minor, patch) = former;
    match (level, major) {
        (Level::Major, 1..) => (major + 1, 0, 0),
        (Level::Minor, 1..) | (Level::Major, 0) => (major, minor + 1, 0),
        (Level::Patch, _) | (Level::Minor, 0) => (major, minor, patch + 1),
    }
}

/// The gravest change that a version may bring, as its numbers say: 2.0.0 a major one, 1.4.2 a patch.
pub fn brings(numbers: (u64, u64, u64)) -> Level {
    match numbers {
        (_, 0, 0) | (0, _, 0) => Level::Major,
        (_, _, 0) | (0, _, _) => Level::Minor,
        _ => Level::Patch,
    }
}

/// Whether two signatures are of one function: flows name it by its interface's own name and its own,
/// never by a version.
fn same(a: &Signature, b: &Signature) -> bool {
    a.name == b.name && a.interface == b.interface
}

/// Which way a value goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From flows into the plugin.
    In,
    /// Out of the plugin into flows.
    Out,
}

#[derive(Default)]
struct Found(Vec<Change>);

impl Found {
    fn add(&mut self, level: Level, what: String) {
        self.0.push(Change { level, what });
    }

    fn function(&mut self, old: &Signature, new: &Signature) {
        let path = new.path();
        for before in &old.parameters {
            let at = format!("`{}` of `{path}`", before.name);
            match new.parameters.iter().find(|after| after.name == before.name) {
                Some(after) => self.ty(&before.ty, &after.ty, Way::In, &at),
                None => self.add(Level::Major, format!("the parameter {at} is gone")),
            }
        }
        let known =
            |parameter: &&Parameter| !old.parameters.iter().any(|before| before.name == parameter.name);
        for after in new.parameters.iter().filter(known) {
            let at = format!("`{}` of `{path}`", after.name);
            if after.ty.is_optional() {
                self.add(Level::Minor, format!("the optional parameter {at} is new"));
            } else {
                self.add(
                    Level::Major,
                    format!("the parameter {at} is new and has to be given"),
                );
            }
        }
        let at = format!("the answer of `{path}`");
        self.payload(old.ok.as_ref(), new.ok.as_ref(), Way::Out, &at);
        self.errors(&old.errors, &new.errors, &path);
        if old.docs != new.docs {
            self.add(Level::Patch, format!("the comment on `{path}` is another"));
        }
    }

    fn errors(&mut self, old: &Errors, new: &Errors, path: &str) {
        match (old, new) {
            (Errors::None, Errors::None) => {}
            (Errors::Refused(old), Errors::Refused(new)) => {
                let at = format!("what `refused` of `{path}` carries");
                self.payload(old.as_ref(), new.as_ref(), Way::Out, &at);
            }
            (Errors::Cases(old), Errors::Cases(new)) => {
                self.cases(old, new, Way::Out, &format!("the errors of `{path}`"));
            }
            _ => self.add(
                Level::Major,
                format!("`{path}` says no in another way: flows wire its edges anew"),
            ),
        }
    }

    fn payload(&mut self, old: Option<&Type>, new: Option<&Type>, way: Way, at: &str) {
        match (old, new, way) {
            (None, None, _) => {}
            (Some(old), Some(new), _) => self.ty(old, new, way, at),
            (None, Some(_), Way::Out) => self.add(Level::Minor, format!("{at} carries something now")),
            (None, Some(_), Way::In) => self.add(Level::Major, format!("{at} has to carry something now")),
            (Some(_), None, _) => self.add(Level::Major, format!("{at} carries nothing any more")),
        }
    }

    fn ty(&mut self, old: &Type, new: &Type, way: Way, at: &str) {
        match (old, new) {
            (Type::Option(old), Type::Option(new)) | (Type::List(old), Type::List(new)) => {
                self.ty(old, new, way, at);
            }
            (Type::Option(old), new) => {
                let (level, what) = match way {
                    Way::In => (Level::Major, "has to be given now"),
                    Way::Out => (Level::Minor, "is always there now"),
                };
                self.add(level, format!("{at} {what}"));
                self.ty(old, new, way, at);
            }
            (old, Type::Option(new)) => {
                let (level, what) = match way {
                    Way::In => (Level::Minor, "may be left out now"),
                    Way::Out => (Level::Major, "may be absent now"),
                };
                self.add(level, format!("{at} {what}"));
                self.ty(old, new, way, at);
            }
            (Type::Int(old), Type::Int(new)) => self.range(*old, *new, way, at),
            (Type::Record(old), Type::Record(new)) => self.fields(&old.fields, &new.fields, way, at),
            (Type::Variant(old), Type::Variant(new)) => self.cases(&old.cases, &new.cases, way, at),
            (Type::Enum(old), Type::Enum(new)) => self.names(&old.cases, &new.cases, way, at),
            // A set of names that grew holds the old ones as before.
            (Type::Flags(old), Type::Flags(new)) => self.names(&old.cases, &new.cases, Way::In, at),
            (Type::Tuple(old), Type::Tuple(new)) if old.len() == new.len() => {
                for (old, new) in old.iter().zip(new.iter()) {
                    self.ty(old, new, way, at);
                }
            }
            (
                Type::Result { ok, error },
                Type::Result {
                    ok: new_ok,
                    error: new_error,
                },
            ) => {
                self.payload(ok.as_deref(), new_ok.as_deref(), way, at);
                self.payload(error.as_deref(), new_error.as_deref(), way, at);
            }
            (old, new) if old == new => {}
            // What a flow may pass where more is taken.
            (Type::Enum(_) | Type::Char | Type::Phone, Type::String) if way == Way::In => {
                self.add(Level::Minor, format!("{at} takes any text now"));
            }
            (Type::Int(_), Type::Decimal) if way == Way::In => {
                self.add(Level::Minor, format!("{at} takes any number now"));
            }
            (old, new) => self.add(Level::Major, format!("{at} was {old} and is {new}")),
        }
    }

    fn range(&mut self, old: Range, new: Range, way: Way, at: &str) {
        if old == new {
            return;
        }
        let wider = new.min <= old.min && old.max <= new.max;
        let level = if way == Way::In && !wider {
            Level::Major
        } else {
            Level::Minor
        };
        self.add(level, format!("{at} was {old} and is {new}"));
    }

    fn fields(&mut self, old: &[Field], new: &[Field], way: Way, at: &str) {
        for before in old {
            let at = format!("`{}` in {at}", before.name);
            match new.iter().find(|after| after.name == before.name) {
                Some(after) => self.ty(&before.ty, &after.ty, way, &at),
                None => self.add(Level::Major, format!("the field {at} is gone")),
            }
        }
        for after in new
            .iter()
            .filter(|after| !old.iter().any(|before| before.name == after.name))
        {
            let at = format!("`{}` in {at}", after.name);
            if way == Way::Out || after.ty.is_optional() {
                self.add(Level::Minor, format!("the field {at} is new"));
            } else {
                self.add(Level::Major, format!("the field {at} is new and has to be given"));
            }
        }
    }

    fn cases(&mut self, old: &[Case], new: &[Case], way: Way, at: &str) {
        let names =
            |cases: &[Case]| -> Vec<Arc<str>> { cases.iter().map(|case| case.name.clone()).collect() };
        self.names(&names(old), &names(new), way, at);
        for before in old {
            if let Some(after) = new.iter().find(|after| after.name == before.name) {
                let at = format!("`{}` in {at}", before.name);
                self.payload(before.payload.as_ref(), after.payload.as_ref(), way, &at);
            }
        }
    }

    fn names(&mut self, old: &[Arc<str>], new: &[Arc<str>], way: Way, at: &str) {
        for name in old.iter().filter(|name| !new.contains(name)) {
            self.add(Level::Major, format!("the case `{name}` in {at} is gone"));
        }
        for name in new.iter().filter(|name| !old.contains(name)) {
            match way {
                Way::In => self.add(Level::Minor, format!("the case `{name}` in {at} is new")),
                Way::Out => self.add(
                    Level::Major,
                    format!("the case `{name}` in {at} is new: flows have to tell it apart"),
                ),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        FunctionName,
        json::record_type,
        types::{Enum, Variant},
    };

    fn function(parameters: &[(&str, Type)], ok: Option<Type>, errors: Errors) -> Interface {
        Interface {
            functions: vec![Signature {
                function: FunctionName::new("a:b/c@1.0.0#f"),
                interface: Some("c".into()),
                name: "f".into(),
                parameters: parameters
                    .iter()
                    .map(|(name, ty)| Parameter {
                        name: (*name).into(),
                        ty: ty.clone(),
                    })
                    .collect(),
                ok,
                errors,
                docs: None,
            }],
            types: std::collections::BTreeMap::new(),
            data: None,
        }
    }

    /// The same with one function more, in an interface of its own.
    fn also_in(mut interface: Interface, of: &str, name: &str) -> Interface {
        interface.functions.push(Signature {
            function: FunctionName::new(format!("a:b/{of}@1.0.0#{name}")),
            interface: Some(of.into()),
            name: name.into(),
            ..interface.functions[0].clone()
        });
        interface
    }

    fn also(interface: Interface, name: &str) -> Interface {
        also_in(interface, "d", name)
    }

    fn takes(ty: Type) -> Interface {
        function(&[("p", ty)], None, Errors::None)
    }

    fn gives(ty: Type) -> Interface {
        function(&[], Some(ty), Errors::None)
    }

    fn refuses(cases: &[(&str, Option<Type>)]) -> Interface {
        function(&[], None, Errors::Cases(cases_of(cases)))
    }

    fn cases_of(cases: &[(&str, Option<Type>)]) -> Vec<Case> {
        cases
            .iter()
            .map(|(name, payload)| Case {
                name: (*name).into(),
                payload: payload.clone(),
            })
            .collect()
    }

    fn names(cases: &[&str]) -> Type {
        Type::Enum(Arc::new(Enum {
            name: None,
            cases: cases.iter().map(|case| (*case).into()).collect(),
        }))
    }

    fn flags(cases: &[&str]) -> Type {
        Type::Flags(Arc::new(Enum {
            name: None,
            cases: cases.iter().map(|case| (*case).into()).collect(),
        }))
    }

    fn variant(cases: &[(&str, Option<Type>)]) -> Type {
        Type::Variant(Arc::new(Variant {
            name: None,
            cases: cases_of(cases),
        }))
    }

    fn record(fields: &[(&str, Type)]) -> Type {
        record_type(None, fields.iter().cloned())
    }

    /// From the old to the new, and what it is the other way round.
    #[test]
    fn each_change_has_its_part() {
        use Level::{Major, Minor};
        let (text, byte) = (Type::String, Type::Int(Range::of_bits(8, false)));
        let nothing = || function(&[], None, Errors::None);
        for (old, new, there, back) in [
            // Functions and parameters.
            (Interface::default(), nothing(), Minor, Major),
            (nothing(), also(nothing(), "g"), Minor, Major),
            (nothing(), also(nothing(), "f"), Major, Major),
            (
                also(nothing(), "f"),
                also_in(also(nothing(), "f"), "e", "f"),
                Minor,
                Major,
            ),
            (nothing(), takes(text.clone()), Major, Major),
            (nothing(), takes(text.clone().optional()), Minor, Major),
            (takes(text.clone()), takes(text.clone().optional()), Minor, Major),
            (takes(byte.clone()), takes(Type::INT), Minor, Major),
            (takes(byte.clone()), takes(Type::Decimal), Minor, Major),
            (takes(byte.clone()), takes(text.clone()), Major, Major),
            (takes(names(&["a"])), takes(names(&["a", "b"])), Minor, Major),
            (takes(names(&["a"])), takes(text.clone()), Minor, Major),
            (takes(flags(&["a"])), takes(flags(&["a", "b"])), Minor, Major),
            (
                takes(text.clone().list()),
                takes(text.clone().optional().list()),
                Minor,
                Major,
            ),
            (
                takes(record(&[("a", Type::Bool)])),
                takes(record(&[("a", Type::Bool), ("b", text.clone().optional())])),
                Minor,
                Major,
            ),
            (
                takes(record(&[("a", Type::Bool)])),
                takes(record(&[("a", Type::Bool), ("b", text.clone())])),
                Major,
                Major,
            ),
            (
                takes(variant(&[("a", None)])),
                takes(variant(&[("a", None), ("b", None)])),
                Minor,
                Major,
            ),
            (
                takes(variant(&[("a", None)])),
                takes(variant(&[("a", Some(text.clone()))])),
                Major,
                Major,
            ),
            (
                takes(Type::Tuple(Arc::new(vec![text.clone()]))),
                takes(Type::Tuple(Arc::new(vec![]))),
                Major,
                Major,
            ),
            // Answers.
            (nothing(), gives(text.clone()), Minor, Major),
            (gives(text.clone()), gives(text.clone().optional()), Major, Minor),
            (gives(byte.clone()), gives(Type::INT), Minor, Minor),
            (gives(names(&["a"])), gives(names(&["a", "b"])), Major, Major),
            (gives(flags(&["a"])), gives(flags(&["a", "b"])), Minor, Major),
            (
                gives(record(&[("a", Type::Bool)])),
                gives(record(&[("a", Type::Bool), ("b", text.clone())])),
                Minor,
                Major,
            ),
            (
                gives(record(&[("a", byte.clone())])),
                gives(record(&[("a", byte.clone().optional())])),
                Major,
                Minor,
            ),
            (gives(Type::Bool), gives(text.clone()), Major, Major),
            // Errors.
            (nothing(), refuses(&[("no", None)]), Major, Major),
            (
                refuses(&[("no", None)]),
                refuses(&[("no", None), ("later", None)]),
                Major,
                Major,
            ),
            (
                refuses(&[("no", None)]),
                refuses(&[("no", Some(byte.clone()))]),
                Minor,
                Major,
            ),
            (
                refuses(&[("no", Some(byte.clone()))]),
                refuses(&[("no", Some(text.clone()))]),
                Major,
                Major,
            ),
            (
                function(&[], None, Errors::Refused(None)),
                function(&[], None, Errors::Refused(Some(text.clone()))),
                Minor,
                Major,
            ),
        ] {
            let found = changes(&old, &new);
            assert_eq!(level(&found), Some(there), "{found:#?}");
            let found = changes(&new, &old);
            assert_eq!(level(&found), Some(back), "back: {found:#?}");
            assert_eq!(changes(&old, &old), []);
        }
    }

    #[test]
    fn comments_are_a_patch_and_versions_of_packages_nothing() {
        let old = takes(Type::Bool);
        let mut new = old.clone();
        new.functions[0].function = FunctionName::new("a:b/c@1.1.0#f");
        assert_eq!(changes(&old, &new), []);
        new.functions[0].docs = Some("Now with words.".to_owned());
        assert_eq!(level(&changes(&old, &new)), Some(Level::Patch));
    }

    #[test]
    fn types_are_named_in_flows() {
        let old = gives(Type::Bool);
        let mut new = old.clone();
        new.types.insert("citizen".into(), Type::Bool);
        assert_eq!(level(&changes(&old, &new)), Some(Level::Minor));
        assert_eq!(level(&changes(&new, &old)), Some(Level::Major));
    }

    #[test]
    fn the_version_that_is_due() {
        for (former, level, next) in [
            ((1, 4, 2), Level::Major, (2, 0, 0)),
            ((1, 4, 2), Level::Minor, (1, 5, 0)),
            ((1, 4, 2), Level::Patch, (1, 4, 3)),
            ((0, 4, 2), Level::Major, (0, 5, 0)),
            ((0, 4, 2), Level::Minor, (0, 4, 3)),
            ((0, 4, 2), Level::Patch, (0, 4, 3)),
        ] {
            assert_eq!(due(former, level), next);
            assert!(brings(next) >= level, "{next:?}");
        }
        assert_eq!(brings((1, 4, 2)), Level::Patch);
        assert_eq!(brings((1, 4, 0)), Level::Minor);
    }
}
