//! What a plugin's function takes and gives, read out of its component.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{FunctionName, Type, types::Case};

/// What one plugin offers to flows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its functions, in the order of the component's exports.
    pub functions: Vec<Signature>,
    /// The types it names, by their kebab-case names; a flow writes `plugin.type`.
    pub types: BTreeMap<Arc<str>, Type>,
    /// The kinds of labelled data that its manifest says that it takes; none without a manifest,
    /// which leaves it to the grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<BTreeSet<Arc<str>>>,
}

/// A function's parameters, result and errors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The export's full name: `civil:crm/citizens@1.4.0#find-citizen`, or `find-citizen`
    /// when the world exports the function itself.
    pub function: FunctionName,
    /// The interface's own name, `citizens`; none for a function of the world itself.
    pub interface: Option<Arc<str>>,
    /// The function's own name, `find-citizen`.
    pub name: Arc<str>,
    /// Parameters in order.
    pub parameters: Vec<Parameter>,
    /// What success carries, if it carries something.
    pub ok: Option<Type>,
    /// How the function says no.
    pub errors: Errors,
    /// What the department wrote about it, if the component carries it.
    pub docs: Option<String>,
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name in snake_case, as a flow's `with` writes it.
    pub name: Arc<str>,
    /// Its type; an optional one may be left out.
    #[serde(rename = "type")]
    pub ty: Type,
}

/// How a function says no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Errors {
    /// It does not: its result is no `result<..>`.
    None,
    /// One way, called `refused` in flows, with a payload or without: the error of its
    /// result is absent or neither an enum nor a variant.
    Refused(Option<Type>),
    /// Named ways, each an edge in flows.
    Cases(Vec<Case>),
}

/// The name of the edge of a function whose error has no cases.
pub const REFUSED: &str = "refused";

impl Signature {
    /// The name that flows use when no other interface of the plugin exports the same
    /// function: `find-citizen`; else `citizens.find-citizen`.
    pub fn path(&self) -> String {
        match &self.interface {
            Some(interface) => format!("{interface}.{}", self.name),
            None => self.name.to_string(),
        }
    }

    /// Whether flows may mean it by `name`: its own name, `interface.function`, or the full name.
    pub fn is_called(&self, name: &str) -> bool {
        &*self.name == name || self.path() == name || self.function.as_str() == name
    }

    /// The edges for the function's own errors, each with what it carries.
    pub fn error_cases(&self) -> Vec<(Arc<str>, Option<&Type>)> {
        match &self.errors {
            Errors::None => Vec::new(),
            Errors::Refused(payload) => vec![(REFUSED.into(), payload.as_ref())],
            Errors::Cases(cases) => cases
                .iter()
                .map(|case| (case.name.clone(), case.payload.as_ref()))
                .collect(),
        }
    }
}

impl Interface {
    /// The functions a flow may mean by `name`: a function's own name, `interface.function`,
    /// or the full name. More than one when the name alone does not decide.
    pub fn find<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Signature> {
        self.functions
            .iter()
            .filter(move |signature| signature.is_called(name))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.path())?;
        for (index, parameter) in self.parameters.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{}: {}", parameter.name, parameter.ty)?;
        }
        f.write_str(")")?;
        if let Some(ok) = &self.ok {
            write!(f, " -> {ok}")?;
        }
        match &self.errors {
            Errors::None => Ok(()),
            Errors::Refused(None) => write!(f, " or {REFUSED}"),
            Errors::Refused(Some(payload)) => write!(f, " or {REFUSED}({payload})"),
            Errors::Cases(cases) => {
                let cases: Vec<_> = cases.iter().map(ToString::to_string).collect();
                write!(f, " or {}", cases.join(" | "))
            }
        }
    }
}
