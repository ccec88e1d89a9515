//! What is measured: a call as the node makes it, with JSON at both ends.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use trunkline_model::{CallId, Duration, FunctionName, Outcome, Type, json};
use trunkline_plugin::{Bytes, Call, Deployment, Grants, Host, Limits, MemoryKeyValues, Plugin, Settings};

use crate::Step;

pub(crate) struct Ours {
    plugin: Plugin,
    function: FunctionName,
    parameter: Type,
    id: CallId,
}

impl Ours {
    pub(crate) async fn new(component: Vec<u8>) -> anyhow::Result<Self> {
        let host = Host::start(Settings::default(), Arc::new(MemoryKeyValues::default()))?;
        Self::on(&host, component, "cards").await
    }

    /// A plugin of a host.
    pub(crate) async fn on(host: &Arc<Host>, component: Vec<u8>, name: &str) -> anyhow::Result<Self> {
        let grants = Grants {
            limits: Limits {
                memory: Bytes(128 << 20),
                ..Limits::default()
            },
            ..Grants::default()
        };
        let deployment = Deployment {
            name: name.into(),
            department: "civil-affairs".to_owned(),
            config: BTreeMap::new(),
            grants,
        };
        let plugin = host.load(component.into(), deployment).await?;
        let signature = &plugin.interface().functions[0];
        let (function, parameter) = (signature.function.clone(), signature.parameters[0].ty.clone());
        Ok(Self {
            plugin,
            function,
            parameter,
            id: "01jd00000000000000000000-1".into(),
        })
    }
}

#[async_trait]
impl Step for Ours {
    async fn step(&self, input: &str) -> String {
        let text = serde_json::from_str(input).expect("the benchmark's input is JSON");
        let argument = json::from_json(&text, &self.parameter).expect("the input is text");
        let call = Call {
            function: self.function.clone(),
            arguments: vec![argument],
            id: self.id.clone(),
            attempt: 1,
            locale: "zh-CN".to_owned(),
            time: Duration::from_secs(3),
        };
        match self.plugin.call(call).await {
            Outcome::Ok(card) => json::to_json(&card).to_string(),
            outcome => panic!("the call gives {outcome:?}"),
        }
    }
}
