//! What flows declare, for editors.

use std::{collections::BTreeMap, sync::Arc};

use indexmap::IndexMap;
use trunkline_model::{PluginName, Type, VariableName, signature::Interface};

use super::world::World;
use crate::parse::Parsed;

/// The types that a flow declares, for editors; none for one that cannot be read.
#[derive(Debug, Default)]
pub(crate) struct FlowTypes {
    /// Inputs and variables together.
    pub(crate) variables: IndexMap<VariableName, Option<Type>>,
    pub(crate) outputs: IndexMap<VariableName, Option<Type>>,
    pub(crate) outcomes: Vec<Arc<str>>,
}

/// The types that all flows declare, by the flows' names.
pub(crate) fn flow_types(
    parsed: &Parsed,
    interfaces: &BTreeMap<PluginName, Arc<Interface>>,
) -> BTreeMap<Arc<str>, FlowTypes> {
    let Some(hotline) = &parsed.syntax.hotline else {
        return BTreeMap::new();
    };
    let world = World::new(parsed, hotline, interfaces);
    let heads = world.flows.into_iter();
    heads
        .map(|(name, head)| {
            let types = FlowTypes {
                variables: head.variables,
                outputs: head.outputs,
                outcomes: head.outcomes.into_keys().collect(),
            };
            (name, types)
        })
        .collect()
}
