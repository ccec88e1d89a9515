//! `trunkline:host/config`: a plugin's settings.

use super::bindings::trunkline::host::config::Host;
use crate::guest::Guest;

impl Host for Guest {
    fn get(&mut self, name: String) -> Option<String> {
        self.plugin.config.get(&name).cloned()
    }

    fn all(&mut self) -> Vec<(String, String)> {
        self.plugin
            .config
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}
