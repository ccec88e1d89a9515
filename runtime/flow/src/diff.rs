//! What is different between two versions of a hotline, in words.
//!
//! ```text
//! Side (checked hotline, components, costs) x 2 --diff--> [Change] --say--> Chinese | English
//! ```
//!
//! A difference is one of meaning: steps that only moved in their file, comments and the order of
//! keys are none. A step that has another name but does the same between the same neighbours was
//! renamed, and every way to it leads where it led before. Changes are values; what is said of
//! them is made of their parts, in either language.

mod calendars;
mod change;
mod facts;
mod flows;
mod plugins;
mod prompts;
mod say;
mod settings;
mod text;

use std::{collections::BTreeMap, sync::Arc};

use trunkline_model::{PluginName, signature::Interface};

pub use self::{
    change::{Area, Change, Field, Noun, Way},
    text::Piece,
};
pub use crate::tongue::Tongue;
use crate::{hotline::Hotline, prove::Reach};

/// One of two versions.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The hotline.
    pub hotline: &'a Hotline,
    /// The components of its plugins.
    pub components: &'a BTreeMap<PluginName, Component>,
    /// What its services cost callers; empty when nobody has counted.
    pub costs: &'a [Reach],
    /// The keys of departments whose packages have to be signed, in words.
    pub keys: &'a BTreeMap<Arc<str>, String>,
}

/// A plugin as it was loaded.
#[derive(Debug, Clone)]
pub struct Component {
    /// The digest of its component, as text.
    pub digest: Arc<str>,
    /// Its functions and types.
    pub interface: Arc<Interface>,
    /// What it is granted, one thing a line, as grants.yaml has it.
    pub grants: Vec<String>,
    /// Its limits, by their names in grants.yaml.
    pub limits: BTreeMap<String, String>,
}

/// Compares two versions of a hotline. The changes stand in the order of [`Area`], within it
/// flow by flow in the order of their names, steps as they are written.
pub fn diff(old: &Side<'_>, new: &Side<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    services(old, new, &mut changes);
    settings::compare(old, new, &mut changes);
    flows::compare(old.hotline, new.hotline, &mut changes);
    prompts::compare(old.hotline, new.hotline, &mut changes);
    calendars::compare(old.hotline, new.hotline, &mut changes);
    plugins::compare(old, new, &mut changes);
    changes.sort_by_key(Change::area);
    changes
}

/// Seconds that count as no difference: lengths of prompts are estimates.
const SECONDS_SAME: f64 = 0.5;

fn services(old: &Side<'_>, new: &Side<'_>, changes: &mut Vec<Change>) {
    let key = |cost: &Reach| (cost.service.clone(), cost.number.clone(), cost.language.clone());
    let before: BTreeMap<_, _> = old.costs.iter().map(|cost| (key(cost), cost)).collect();
    let after: BTreeMap<_, _> = new.costs.iter().map(|cost| (key(cost), cost)).collect();
    for (key, old) in &before {
        match after.get(key) {
            None => changes.push(Change::ServiceLost { was: (*old).clone() }),
            Some(new) => {
                let differs = |old: Option<f64>, new: Option<f64>| match (old, new) {
                    (Some(old), Some(new)) => (old - new).abs() >= SECONDS_SAME,
                    (old, new) => old.is_some() != new.is_some(),
                };
                let slower =
                    differs(old.seconds_min, new.seconds_min) || differs(old.seconds_max, new.seconds_max);
                let presses = (old.presses_min, old.presses_max) != (new.presses_min, new.presses_max);
                if slower || presses {
                    changes.push(Change::ServiceCost {
                        was: (*old).clone(),
                        is: (*new).clone(),
                    });
                }
            }
        }
    }
    for (key, new) in &after {
        if !before.contains_key(key) {
            changes.push(Change::ServiceGained { is: (*new).clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::{Checked, check, check::harness, parse};

    /// Set to write what is expected anew instead of comparing it.
    const WRITE: &str = "TRUNKLINE_BLESS";

    static NO_KEYS: BTreeMap<Arc<str>, String> = BTreeMap::new();

    /// A hotline of the files in a folder, over the harness's plugins and default files.
    fn hotline(folder: &Path) -> Checked {
        let mut text = String::new();
        let mut open = vec![folder.to_owned()];
        while let Some(next) = open.pop() {
            for entry in fs::read_dir(&next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                    text += &format!("--- {name}\n{}\n", fs::read_to_string(&path).unwrap());
                }
            }
        }
        let report = check(&parse(&harness::files(&text)), &harness::interfaces());
        report
            .checked
            .unwrap_or_else(|| panic!("{}: {:#?}", folder.display(), report.diagnostics))
    }

    fn told(changes: &[Change], tongue: Tongue) -> String {
        let lines = changes.iter().map(|change| change.say(tongue) + "\n");
        lines.collect()
    }

    fn no_components() -> BTreeMap<PluginName, Component> {
        BTreeMap::new()
    }

    #[test]
    fn differences_are_told_in_both_languages() {
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff");
        let mut seen = 0;
        for entry in fs::read_dir(&cases).unwrap() {
            let case = entry.unwrap().path();
            let (old, new) = (hotline(&case.join("old")), hotline(&case.join("new")));
            let components = no_components();
            let side = |hotline| Side {
                hotline,
                components: &components,
                costs: &[],
                keys: &NO_KEYS,
            };
            let changes = diff(&side(&old), &side(&new));
            assert!(diff(&side(&old), &side(&old)).is_empty(), "{}", case.display());
            for (tongue, file) in [(Tongue::Chinese, "zh.txt"), (Tongue::English, "en.txt")] {
                let told = told(&changes, tongue);
                if std::env::var_os(WRITE).is_some() {
                    fs::write(case.join(file), &told).unwrap();
                }
                let expected = fs::read_to_string(case.join(file)).unwrap_or_default();
                assert_eq!(told, expected, "{} in {file}", case.display());
            }
            seen += 1;
        }
        assert!(seen >= 4, "{seen} cases");
    }

    #[test]
    fn services_are_compared_by_what_they_cost() {
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff/said/old");
        let hotline = hotline(&cases);
        let components = no_components();
        let cost = |service: &str, presses: u32, seconds: f64| Reach {
            service: service.into(),
            language: "zh-CN".into(),
            number: "12345".into(),
            presses_min: Some(1),
            presses_max: Some(presses),
            seconds_min: Some(10.0),
            seconds_max: Some(seconds),
        };
        let old = [
            cost("human", 2, 30.0),
            cost("fund", 2, 40.0),
            cost("same", 1, 10.0),
        ];
        let new = [
            cost("human", 1, 22.4),
            cost("tax", 3, 40.0),
            cost("same", 1, 10.2),
        ];
        let side = |costs| Side {
            hotline: &hotline,
            components: &components,
            costs,
            keys: &NO_KEYS,
        };
        let changes = diff(&side(&old), &side(&new));
        assert_eq!(
            told(&changes, Tongue::English),
            "service `fund` from 12345 in zh-CN cannot be reached any more (was 1 to 2 presses and 10 to 40 seconds)\n\
             service `human` from 12345 in zh-CN: was 1 to 2 presses and 10 to 30 seconds, now 1 press and 10 to 22 seconds\n\
             service `tax` from 12345 in zh-CN can be reached now: 1 to 3 presses and 10 to 40 seconds\n"
        );
        assert!(told(&changes, Tongue::Chinese).contains("原为按键1到2次、10到30秒，现为按键1次、10到22秒"));
    }

    #[test]
    fn components_are_compared_by_digest_functions_and_grants() {
        let hotline = hotline(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff/said/old"));
        let interfaces = harness::interfaces();
        let crm = |digest: &str, interface: Interface, grants: &[&str], time: &str| {
            BTreeMap::from([(
                PluginName::from("crm"),
                Component {
                    digest: digest.into(),
                    interface: Arc::new(interface),
                    grants: grants.iter().map(ToString::to_string).collect(),
                    limits: BTreeMap::from([("time".to_owned(), time.to_owned())]),
                },
            )])
        };
        let before = (*interfaces["crm"]).clone();
        let mut after = before.clone();
        after.functions[0].function = "test:pkg/crm@1.1.0#find-citizen".into();
        after.functions[0].parameters.pop();
        let mut more = after.functions[0].clone();
        more.name = "list-citizens".into();
        after.functions.push(more);
        let old = crm("0123456789abcdef", before, &["kv: true"], "1s");
        let new = crm(
            "fedcba9876543210",
            after,
            &["http: GET https://a.example/*"],
            "2s",
        );
        let side = |components| Side {
            hotline: &hotline,
            components,
            costs: &[],
            keys: &NO_KEYS,
        };
        let told = told(&diff(&side(&old), &side(&new)), Tongue::English);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(
            lines[0],
            "plugin `crm`: version 1.0.0 (0123456789ab) became 1.1.0 (fedcba987654)"
        );
        assert!(
            lines[1].starts_with("plugin `crm`: function citizens.find-citizen(phone: string)"),
            "{told}"
        );
        assert!(
            lines[2].contains("list-citizens") && lines[2].ends_with("is new"),
            "{told}"
        );
        assert_eq!(lines[3], "plugin `crm`: granted http: GET https://a.example/*");
        assert_eq!(lines[4], "plugin `crm`: no longer granted kv: true");
        assert_eq!(lines[5], "plugin `crm`: limit `time` from 1s to 2s");
    }

    #[test]
    fn who_may_sign_is_compared() {
        let hotline = hotline(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff/said/old"));
        let components = no_components();
        let keys = |keys: &[(&str, &str)]| -> BTreeMap<Arc<str>, String> {
            let keys = keys.iter();
            keys.map(|(name, keys)| ((*name).into(), (*keys).to_owned()))
                .collect()
        };
        let (old, new) = (
            keys(&[("civil", "a.pub"), ("roads", "b.pub")]),
            keys(&[("civil", "a.pub, c.pub"), ("water", "d.pub")]),
        );
        let side = |keys| Side {
            hotline: &hotline,
            components: &components,
            costs: &[],
            keys,
        };
        let changes = diff(&side(&old), &side(&new));
        assert_eq!(
            told(&changes, Tongue::English),
            "signing department `civil`: keys from a.pub to a.pub, c.pub\n\
             signing department `water` is new (d.pub)\n\
             signing department `roads` is gone\n"
        );
        assert!(changes.iter().all(|change| change.area() == Area::Plugins));
    }
}
