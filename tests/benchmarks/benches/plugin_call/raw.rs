//! The floor: wasmtime as its own users use it, with a tuned pool, a fresh instance for each
//! call and types known at compile time; no limits, no deadline, no accounting.

use async_trait::async_trait;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
    component::{Component, Linker},
};

use crate::Step;

wasmtime::component::bindgen!({ path: "../../plugins/address-card/wit", world: "plugin" });

pub(crate) struct Raw {
    engine: Engine,
    plugin: PluginPre<()>,
}

impl Raw {
    pub(crate) fn new(component: &[u8]) -> anyhow::Result<Self> {
        let mut pool = PoolingAllocationConfig::new();
        pool.max_memory_size(32 << 20)
            .linear_memory_keep_resident(2 << 20)
            .table_keep_resident(64 << 10)
            .max_unused_warm_slots(100)
            .pagemap_scan(Enabled::Auto);
        let mut config = Config::new();
        config
            .concurrency_support(false)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config)?;
        let component = Component::new(&engine, component)?;
        let mut linker = Linker::new(&engine);
        // What std imports is never called by this guest.
        linker.define_unknown_imports_as_traps(&component)?;
        let plugin = PluginPre::new(linker.instantiate_pre(&component)?)?;
        Ok(Self { engine, plugin })
    }
}

#[async_trait]
impl Step for Raw {
    async fn step(&self, input: &str) -> String {
        let text: String = serde_json::from_str(input).expect("the benchmark's input is JSON");
        let mut store = Store::new(&self.engine, ());
        let plugin = self.plugin.instantiate(&mut store).expect("the pool has room");
        let card = plugin
            .civil_cards_cards()
            .call_read(&mut store, &text)
            .expect("the guest runs");
        let card = card.expect("the card is well formed");
        serde_json::json!({
            "id": card.id, "name": card.name, "district": card.district, "street": card.street,
            "born": card.born, "household": card.household, "registered": card.registered,
        })
        .to_string()
    }
}
