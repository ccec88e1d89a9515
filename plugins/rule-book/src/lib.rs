//! Decides by rules that the hotline's own people write, one line each: which office takes a matter,
//! who is called back. The rules stand in the setting `rules` of hotline.yaml; without it those of
//! `rules.txt` are used.
//!
//! The tables of a rule book are the plugin's functions. It learns them when it is deployed, so it
//! describes them itself (`trunkline:dynamic`), and flows call them like any other.

mod decide;
mod describe;
mod read;
mod table;
mod words;

use std::sync::LazyLock;

use bindings::{
    exports::trunkline::dynamic::functions::{Guest, Refusal},
    trunkline::host::config,
};
use table::Table;

mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit/host-0.1.0", "../../wit/dynamic-0.1.0", "wit"],
        world: "hotline:rule-book/plugin",
        generate_all,
    });
}
bindings::export!(RuleBook with_types_in bindings);

struct RuleBook;

/// The rules of whoever gives none.
const RULES: &str = include_str!("../rules.txt");

/// The rule book of this hotline. A book that cannot be read stops the plugin with the line that is
/// wrong: it is read before the first call, when the release that has it is built.
static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let given = config::get("rules");
    match read::book(given.as_deref().unwrap_or(RULES)) {
        Ok(tables) => tables,
        Err(error) => panic!("the rule book cannot be read: {error}"),
    }
});

impl Guest for RuleBook {
    fn describe() -> String {
        describe::wit(&TABLES)
    }

    fn run(function: String, arguments: String) -> Result<String, Refusal> {
        let name = function.rsplit_once('.').map_or(&*function, |(_, name)| name);
        let table = TABLES
            .iter()
            .find(|table| table.name == name)
            .expect("the host calls what was described");
        let arguments = serde_json::from_str(&arguments).expect("the host writes JSON");
        match decide::decide(table, &arguments) {
            Some(answer) => Ok(answer.to_string()),
            None => Err(Refusal {
                case: describe::NO_RULE.to_owned(),
                payload: None,
            }),
        }
    }
}
