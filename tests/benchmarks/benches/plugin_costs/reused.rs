//! What a fresh instance costs, seen from the other side: one instance that serves every call, as
//! nobody should who runs other people's code, since each call finds what the last one left.

use std::sync::Mutex;

use async_trait::async_trait;
use wasmtime::{
    Config, Engine, Store,
    component::{Component, Linker},
};

use crate::{Step, raw::Plugin};

pub(crate) struct Reused(Mutex<(Store<()>, Plugin)>);

impl Reused {
    pub(crate) fn new(component: &[u8]) -> anyhow::Result<Self> {
        let mut config = Config::new();
        config.concurrency_support(false);
        let engine = Engine::new(&config)?;
        let component = Component::new(&engine, component)?;
        let mut linker = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&component)?;
        let mut store = Store::new(&engine, ());
        let plugin = Plugin::instantiate(&mut store, &component, &linker)?;
        Ok(Self(Mutex::new((store, plugin))))
    }
}

#[async_trait]
impl Step for Reused {
    async fn step(&self, input: &str) -> String {
        let text: String = serde_json::from_str(input).expect("the benchmark's input is JSON");
        let mut instance = self.0.lock().expect("no call panics");
        let (store, plugin) = &mut *instance;
        let card = plugin
            .civil_cards_cards()
            .call_read(store, &text)
            .expect("the guest runs")
            .expect("the card is well formed");
        serde_json::json!({
            "id": card.id, "name": card.name, "district": card.district, "street": card.street,
            "born": card.born, "household": card.household, "registered": card.registered,
        })
        .to_string()
    }
}
