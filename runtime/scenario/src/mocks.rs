//! Plugins that answer as a scenario says.

use std::{collections::BTreeMap, sync::Arc};

use trunkline_engine::session::Calling;
use trunkline_flow::scenario::{Mock, Scenario};
use trunkline_model::{
    Duration, FaultKind, Outcome, PluginName, Type,
    signature::{Interface, Signature},
};

use crate::{Answered, Contact, Plugins};

/// What a scenario's `plugins` answer. A call that they do not answer is one too many: who reads
/// the failure is told what to write.
#[derive(Debug)]
pub struct Mocks<'a> {
    mocks: &'a [Mock],
    /// How many answers of each mock that count once have been given.
    given: Vec<usize>,
    interfaces: &'a BTreeMap<PluginName, Arc<Interface>>,
}

impl<'a> Mocks<'a> {
    /// The mocks of a scenario; `interfaces` give the parameters' names.
    pub fn new(scenario: &'a Scenario, interfaces: &'a BTreeMap<PluginName, Arc<Interface>>) -> Self {
        Self {
            mocks: &scenario.plugins,
            given: vec![0; scenario.plugins.len()],
            interfaces,
        }
    }

    fn signature(&self, calling: &Calling) -> Option<(&'a Interface, &'a Signature)> {
        let interface = self.interfaces.get(&calling.plugin)?;
        let mut functions = interface.functions.iter();
        let signature = functions.find(|signature| signature.function == calling.function)?;
        Some((interface, signature))
    }

    /// The function as a scenario writes it, and a line that answers it.
    fn written(&self, calling: &Calling) -> (String, String) {
        let Some((interface, signature)) = self.signature(calling) else {
            let name = format!("{}.{}", calling.plugin, calling.function);
            return (name, "ok: …".to_owned());
        };
        let alone = interface.find(&signature.name).count() == 1;
        let path = if alone {
            signature.name.to_string()
        } else {
            signature.path()
        };
        let ok = signature.ok.as_ref().map_or_else(|| "true".to_owned(), example);
        (format!("{}.{path}", calling.plugin), format!("ok: {ok}"))
    }
}

impl Plugins for Mocks<'_> {
    fn answer(&mut self, calling: &Calling, contact: &Contact) -> Result<Option<Answered>, String> {
        let found = self
            .mocks
            .iter()
            .position(|mock| mock.plugin == calling.plugin && mock.function == calling.function);
        let Some(index) = found else {
            let (name, answer) = self.written(calling);
            return Err(format!(
                "`{name}` was called, and the scenario does not say what it answers; \
                 add under `plugins`:\n  {name}: {{ {answer} }}"
            ));
        };
        let mock = &self.mocks[index];
        let parameters = self
            .signature(calling)
            .map_or(&[][..], |(_, signature)| &signature.parameters);
        let arguments = || {
            let names = parameters.iter().map(|parameter| &*parameter.name);
            names.zip(contact.session().arguments(calling).unwrap_or_default())
        };
        let fitting = mock
            .answers
            .iter()
            .find(|answer| !answer.only_for.is_empty() && answer.answers(arguments()));
        let answer = match fitting {
            Some(answer) => answer,
            None => {
                let mut in_order = mock.answers.iter().filter(|answer| answer.only_for.is_empty());
                let next = if mock.repeated {
                    in_order.next()
                } else {
                    in_order.nth(self.given[index])
                };
                let Some(answer) = next else {
                    return Err(format!(
                        "`{}` was called once more than the scenario has answers ({}); add one to its list",
                        mock.written, self.given[index],
                    ));
                };
                self.given[index] += 1;
                answer
            }
        };
        // A call that times out takes all of its time, unless the scenario says how much.
        let timed_out = matches!(&answer.outcome, Outcome::Fault(fault) if fault.kind == FaultKind::TimedOut);
        if timed_out && answer.after == Duration::default() {
            return Ok(None);
        }
        Ok(Some(Answered {
            after: answer.after,
            outcome: answer.outcome.clone(),
        }))
    }
}

/// Something of a type, to be overwritten.
fn example(ty: &Type) -> String {
    match ty {
        Type::Bool => "true".to_owned(),
        Type::Int(range) => range.min.max(0).to_string(),
        Type::Decimal => "0.5".to_owned(),
        Type::String | Type::Char => "a".to_owned(),
        Type::Date => "2026-01-12".to_owned(),
        Type::Time => "\"2026-01-12T10:00:00+08:00\"".to_owned(),
        Type::Duration => "30s".to_owned(),
        Type::Phone => "\"+8657112345678\"".to_owned(),
        Type::List(_) | Type::Flags(_) => "[]".to_owned(),
        Type::Tuple(types) => {
            let parts: Vec<_> = types.iter().map(example).collect();
            format!("[{}]", parts.join(", "))
        }
        Type::Record(record) => {
            let fields: Vec<_> = record
                .fields
                .iter()
                .filter(|field| !field.ty.is_optional())
                .map(|field| format!("{}: {}", field.name, example(&field.ty)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Type::Variant(variant) => {
            let case = variant.cases.iter().find(|case| case.payload.is_none());
            match (case, variant.cases.first()) {
                (Some(case), _) => case.name.to_string(),
                (None, Some(case)) => {
                    let payload = case.payload.as_ref().map(example).unwrap_or_default();
                    format!("{{ {}: {payload} }}", case.name)
                }
                (None, None) => "…".to_owned(),
            }
        }
        Type::Enum(names) => names
            .cases
            .first()
            .map_or_else(|| "…".to_owned(), ToString::to_string),
        Type::Option(_) => "null".to_owned(),
        Type::Result { ok, .. } => match ok {
            Some(ok) => format!("{{ ok: {} }}", example(ok)),
            None => "ok".to_owned(),
        },
    }
}
