//! How many instances a component becomes. Components hold components, and each may be
//! instantiated several times by the next: a chain of thirty that do so twice becomes a thousand
//! million instances, and a compiler sets out to lay out all of them.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind, ComponentTypeRef,
    Encoding, Instance, Payload,
};

use crate::LoadError;

/// Components that one component may know; no valid one knows more.
const COMPONENTS_KNOWN_MAX: usize = 1_000;

/// What an instantiation makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Made {
    /// Instances of components, the outermost included.
    pub(super) components: u64,
    /// Instances of core modules.
    pub(super) core_instances: u64,
}

/// What has been read of a component, or of a module in it.
struct Frame {
    /// What each component that it knows makes, by index.
    known: Vec<Made>,
    /// What it makes itself.
    made: Made,
    is_component: bool,
}

/// Components and modules that are being read, the innermost last.
#[derive(Default)]
pub(super) struct Frames(Vec<Frame>);

impl Made {
    /// An instance without more.
    const ONE: Self = Self {
        components: 1,
        core_instances: 0,
    };

    const fn and(self, other: Self) -> Self {
        Self {
            components: self.components.saturating_add(other.components),
            core_instances: self.core_instances.saturating_add(other.core_instances),
        }
    }
}

impl Frames {
    /// How many are being read.
    pub(super) fn depth(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// Reads one part; at the end of the outermost component, gives what it makes. Indices that
    /// lead nowhere are left for the validator to complain of.
    pub(super) fn read(&mut self, payload: &Payload<'_>) -> Result<Option<Made>, LoadError> {
        match payload {
            Payload::Version { encoding, .. } => self.0.push(Frame {
                known: Vec::new(),
                made: Made::ONE,
                is_component: *encoding == Encoding::Component,
            }),
            Payload::End(_) => return Ok(self.end()),
            Payload::InstanceSection(instances) => {
                let made = instances
                    .clone()
                    .into_iter()
                    .flatten()
                    .filter(|instance| matches!(instance, Instance::Instantiate { .. }))
                    .count() as u64;
                self.make(Made {
                    components: 0,
                    core_instances: made,
                });
            }
            Payload::ComponentInstanceSection(instances) => {
                for instance in instances.clone().into_iter().flatten() {
                    let made = match instance {
                        ComponentInstance::Instantiate { component_index, .. } => {
                            self.known(0, component_index)
                        }
                        ComponentInstance::FromExports(_) => Made::ONE,
                    };
                    self.make(made);
                }
            }
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases.clone().into_iter().flatten() {
                    match alias {
                        ComponentAlias::Outer {
                            kind: ComponentOuterAliasKind::Component,
                            count,
                            index,
                        } => {
                            let made = self.known(count, index);
                            self.know(made);
                        }
                        ComponentAlias::InstanceExport {
                            kind: ComponentExternalKind::Component,
                            ..
                        } => return Err(given()),
                        _ => {}
                    }
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports.clone().into_iter().flatten() {
                    if export.kind == ComponentExternalKind::Component {
                        let made = self.known(0, export.index);
                        self.know(made);
                    }
                }
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports.clone().into_iter().flatten() {
                    if matches!(import.ty, ComponentTypeRef::Component(_)) {
                        // What the outermost one imports is refused by its name.
                        if self.0.len() > 1 {
                            return Err(given());
                        }
                        self.know(Made::ONE);
                    }
                }
            }
            _ => {}
        }
        Ok(None)
    }

    fn end(&mut self) -> Option<Made> {
        let ended = self.0.pop()?;
        if self.0.is_empty() {
            return Some(ended.made);
        }
        if ended.is_component {
            self.know(ended.made);
        }
        None
    }

    /// What the component makes that has an index, so many levels further out.
    fn known(&self, out: u32, index: u32) -> Made {
        let frame = (self.0.len().checked_sub(1))
            .and_then(|innermost| innermost.checked_sub(out as usize))
            .and_then(|level| self.0.get(level));
        frame
            .and_then(|frame| frame.known.get(index as usize))
            .copied()
            .unwrap_or(Made::ONE)
    }

    fn know(&mut self, made: Made) {
        if let Some(frame) = self.0.last_mut()
            && frame.known.len() < COMPONENTS_KNOWN_MAX
        {
            frame.known.push(made);
        }
    }

    fn make(&mut self, made: Made) {
        if let Some(frame) = self.0.last_mut() {
            frame.made = frame.made.and(made);
        }
    }
}

/// A component that is handed over as a value: what it makes depends on who does.
fn given() -> LoadError {
    LoadError::TooDemanding {
        reason: "components in it are handed to components, so that it cannot be told how many instances it \
                 becomes; no tool makes such"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(text: &str) -> Made {
        let bytes = wat::parse_str(text).expect("well-formed text");
        let mut frames = Frames::default();
        let mut made = None;
        for payload in wasmparser::Parser::new(0).parse_all(&bytes) {
            made = made.or(frames.read(&payload.unwrap()).unwrap());
        }
        made.unwrap()
    }

    #[test]
    fn instances_within_instances_are_counted_as_often_as_they_are_made() {
        let found = made(
            r#"(component
                (core module $m)
                (component $inner (core module $m) (core instance (instantiate $m)))
                (component $twice
                    (alias outer 1 $inner (component $p))
                    (instance (instantiate $p)) (instance (instantiate $p)))
                (instance (instantiate $twice)) (instance (instantiate $twice))
                (core instance (instantiate $m)))"#,
        );
        assert_eq!(
            found,
            Made {
                components: 1 + 2 * (1 + 2),
                core_instances: 1 + 2 * 2
            }
        );
    }

    #[test]
    fn a_chain_that_doubles_is_a_large_number_and_no_more() {
        use std::fmt::Write as _;
        let mut text = String::from("(component (component $c0)");
        for step in 1..90 {
            write!(
                text,
                "(component $c{step} (alias outer 1 $c{} (component $p))
                   (instance (instantiate $p)) (instance (instantiate $p)))",
                step - 1
            )
            .unwrap();
        }
        text.push_str("(instance (instantiate $c89)))");
        assert_eq!(made(&text).components, u64::MAX);
    }
}
