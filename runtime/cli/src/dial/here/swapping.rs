//! Plugins that are saved while a rehearsal runs: the next call goes to the new one. The contact's flows stay
//! what they were when it began, so a plugin whose functions are others waits for the next rehearsal.

use std::sync::{Arc, PoisonError};

use tokio::sync::broadcast::error::RecvError;
use trunkline_node::{Node, Verdict};

use super::{Screen, Stage};

/// Takes what is built of the folder, until the node stops. Dropping the future loses nothing.
pub(super) async fn swap(node: Node, stage: Arc<Stage>, screen: Screen) {
    let mut reports = node.releases().subscribe();
    loop {
        match reports.recv().await {
            Ok(report) => match report.verdict {
                Verdict::Live => take(&node, &stage, &screen),
                Verdict::Refused | Verdict::Failed => screen.trouble(
                    "what was saved does not load, and changes nothing here; `trunkline check` says why",
                ),
                Verdict::Unchanged | Verdict::Built => {}
            },
            Err(RecvError::Lagged(_)) => take(&node, &stage, &screen),
            Err(RecvError::Closed) => return,
        }
    }
}

fn take(node: &Node, stage: &Stage, screen: &Screen) {
    let Some(release) = node.releases().current() else {
        return;
    };
    let mut remarks = Vec::new();
    {
        let mut plugins = stage.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, saved) in release.plugins() {
            let Some(present) = plugins.get_mut(name) else {
                continue;
            };
            if present.component == saved.component {
                // Its grants or settings may be others.
                *present = saved.clone();
            } else if present.plugin.interface() == saved.plugin.interface() {
                *present = saved.clone();
                remarks.push(format!("{name} is {} from now on", saved.component.short()));
            } else {
                remarks.push(format!(
                    "the functions of {name} are others now: this contact goes on with what it began with; dial again for the new"
                ));
            }
        }
    }
    if release.id() != stage.cast.release.id() && remarks.is_empty() {
        remarks.push("what was saved counts for the next rehearsal".to_owned());
    }
    for remark in remarks {
        screen.remark(&remark);
    }
}
