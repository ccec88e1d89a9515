//! The hotline that the engine's tests run, checked as any hotline is.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use trunkline_flow::{Checked, check, parse, source::Sources};
use trunkline_model::{
    Errors, Parameter, PluginName, Signature, Type,
    json::record_type,
    signature::Interface,
    types::{Case, Range},
};

/// Reads and checks `tests/hotline`.
pub(crate) fn hotline() -> Checked {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hotline");
    let mut files = BTreeMap::new();
    for folder in ["", "flows", "prompts", "calendars", "surveys", "tickets"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
                files.insert(Arc::from(name), Arc::from(fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let sources = Sources {
        files,
        recordings: [("audio/greeting.wav".into(), Some(6.5))].into(),
    };
    let interfaces = BTreeMap::from([
        (PluginName::from("crm"), Arc::new(crm())),
        (PluginName::from("nlu"), Arc::new(nlu())),
    ]);
    let report = check(&parse(&sources), &interfaces);
    report
        .checked
        .unwrap_or_else(|| panic!("{:#?}", report.diagnostics))
}

/// What tells callers' wishes apart.
fn nlu() -> Interface {
    let wish = Type::Enum(Arc::new(trunkline_model::types::Enum {
        name: Some("wish".into()),
        cases: vec!["tax".into(), "rubbish".into()],
    }));
    let parameter = |name: &str, ty: Type| Parameter {
        name: name.into(),
        ty,
    };
    Interface {
        functions: vec![Signature {
            function: "city:nlu/wishes@1.0.0#classify".into(),
            interface: Some("wishes".into()),
            name: "classify".into(),
            parameters: vec![
                parameter("text", Type::String),
                parameter("dialect", Type::String.optional()),
            ],
            ok: Some(wish.clone()),
            errors: Errors::Refused(None),
            docs: None,
        }],
        types: BTreeMap::from([("wish".into(), wish)]),
        data: None,
    }
}

/// What the hotline's register offers.
fn crm() -> Interface {
    let citizen = record_type(Some("citizen"), [("id", Type::String), ("name", Type::String)]);
    let function = |name: &str, parameter: &str, ok: Option<Type>, errors| Signature {
        function: format!("civil:crm/citizens@1.0.0#{name}").into(),
        interface: Some("citizens".into()),
        name: name.into(),
        parameters: vec![Parameter {
            name: parameter.into(),
            ty: Type::String,
        }],
        ok,
        errors,
        docs: None,
    };
    let cases = vec![
        Case {
            name: "not-found".into(),
            payload: None,
        },
        Case {
            name: "ambiguous".into(),
            payload: Some(Type::Int(Range::of_bits(32, false))),
        },
    ];
    Interface {
        functions: vec![
            function(
                "find-citizen",
                "phone",
                Some(citizen.clone()),
                Errors::Cases(cases),
            ),
            function("note", "text", None, Errors::Refused(None)),
        ],
        types: BTreeMap::from([("citizen".into(), citizen)]),
        data: None,
    }
}
