//! Plugins: their components, functions, settings and grants.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Component, Side,
    change::{Change, Field, Noun},
};
use crate::hotline::Plugin;

/// Characters of a digest that are shown.
const DIGEST_CHARS: usize = 12;

pub(super) fn compare(old: &Side<'_>, new: &Side<'_>, changes: &mut Vec<Change>) {
    for (name, plugin) in &new.hotline.plugins {
        let Some(before) = old.hotline.plugins.get(name) else {
            changes.push(Change::Added {
                what: Noun::Plugin,
                name: name.to_string(),
                flow: None,
                detail: plugin.component.to_string(),
            });
            continue;
        };
        let mut field = |field: Field, from: Option<&str>, to: Option<&str>| {
            if from != to {
                changes.push(Change::Changed {
                    what: Noun::Plugin,
                    name: name.to_string(),
                    flow: None,
                    field,
                    from: from.map(str::to_owned),
                    to: to.map(str::to_owned),
                });
            }
        };
        field(
            Field::new("department", "部门"),
            Some(&before.department),
            Some(&plugin.department),
        );
        field(
            Field::new("component", "组件"),
            Some(&before.component),
            Some(&plugin.component),
        );
        let success = |plugin: &Plugin| plugin.success.map(|rate| rate.to_string());
        field(
            Field::new("rate of success", "成功率"),
            success(before).as_deref(),
            success(plugin).as_deref(),
        );
        let settings: BTreeSet<&String> = before.config.keys().chain(plugin.config.keys()).collect();
        for setting in settings {
            field(
                Field::of("setting", "设置", setting.clone()),
                before.config.get(setting).map(String::as_str),
                plugin.config.get(setting).map(String::as_str),
            );
        }
        let labels: BTreeSet<&Arc<str>> = before.labels.keys().chain(plugin.labels.keys()).collect();
        for path in labels {
            let kind = |plugin: &Plugin| plugin.labels.get(path).map(|label| label.kind.clone());
            field(
                Field::of("label of", "数据标签", path.to_string()),
                kind(before).as_deref(),
                kind(plugin).as_deref(),
            );
        }
        let (one, other) = (old.components.get(name), new.components.get(name));
        if let (Some(one), Some(other)) = (one, other) {
            component(name.as_str(), one, other, changes);
        }
    }
    for name in old.hotline.plugins.keys() {
        if !new.hotline.plugins.contains_key(name) {
            changes.push(Change::Removed {
                what: Noun::Plugin,
                name: name.to_string(),
                flow: None,
            });
        }
    }
}

fn component(plugin: &str, old: &Component, new: &Component, changes: &mut Vec<Change>) {
    if old.digest != new.digest {
        changes.push(Change::ComponentChanged {
            plugin: plugin.to_owned(),
            from: version(old),
            to: version(new),
        });
    }
    let functions = |component: &Component| -> BTreeMap<String, String> {
        let functions = component.interface.functions.iter();
        functions
            .map(|signature| (signature.path(), signature.to_string()))
            .collect()
    };
    let (before, after) = (functions(old), functions(new));
    for (name, to) in &after {
        match before.get(name) {
            None => changes.push(Change::FunctionGained {
                plugin: plugin.to_owned(),
                signature: to.clone(),
            }),
            Some(from) if from != to => changes.push(Change::FunctionChanged {
                plugin: plugin.to_owned(),
                from: from.clone(),
                to: to.clone(),
            }),
            Some(_) => {}
        }
    }
    for (name, from) in &before {
        if !after.contains_key(name) {
            changes.push(Change::FunctionLost {
                plugin: plugin.to_owned(),
                signature: from.clone(),
            });
        }
    }
    for grant in new.grants.iter().filter(|grant| !old.grants.contains(grant)) {
        changes.push(Change::GrantGained {
            plugin: plugin.to_owned(),
            grant: grant.clone(),
        });
    }
    for grant in old.grants.iter().filter(|grant| !new.grants.contains(grant)) {
        changes.push(Change::GrantLost {
            plugin: plugin.to_owned(),
            grant: grant.clone(),
        });
    }
    for (limit, to) in &new.limits {
        let from = old.limits.get(limit);
        if from != Some(to) {
            changes.push(Change::Changed {
                what: Noun::Plugin,
                name: plugin.to_owned(),
                flow: None,
                field: Field::of("limit", "限额", limit.clone()),
                from: from.cloned(),
                to: Some(to.clone()),
            });
        }
    }
}

/// A component's version, as its package says it, and the beginning of its digest.
fn version(component: &Component) -> String {
    let digest: String = component.digest.chars().take(DIGEST_CHARS).collect();
    let version = component.interface.functions.iter().find_map(|signature| {
        // civil:crm/citizens@1.4.0#find-citizen
        let (_, after) = signature.function.as_str().split_once('@')?;
        Some(after.split('#').next().unwrap_or(after))
    });
    match version {
        Some(version) => format!("{version} ({digest})"),
        None => digest,
    }
}
