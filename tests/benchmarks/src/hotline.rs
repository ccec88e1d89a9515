//! A hotline whose contacts can be kept busy for ever, written out as a folder's files.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

/// The number that answers with a menu that leads back to itself.
pub const NUMBER: &str = "100";

/// The files of the hotline: number 100 answers with a menu whose key 1 counts and comes back.
pub fn files() -> BTreeMap<Arc<str>, Arc<str>> {
    let files = [
        (
            "hotline.yaml",
            "hotline: carousel\nlanguages: [zh-CN]\ntime-zone: Asia/Shanghai\nnumbers:\n  \"100\": { flow: carousel }\n",
        ),
        (
            "flows/carousel.yaml",
            "flow: carousel\n\
             vars:\n  turns: { type: int, is: \"${0}\" }\n\
             start: again\n\
             steps:\n\
             \x20 again:\n    menu: again\n    keys: { 1: count, 0: done }\n    on: { no-input: done, no-match: done }\n\
             \x20 count: { set: { turns: \"${turns + 1}\" }, next: again }\n\
             \x20 done: { end: completed }\n",
        ),
        (
            "prompts/zh-CN.yaml",
            "again: 您已经选择了 {turns} 次。再来一次请按 1，结束请按 0。\n",
        ),
    ];
    files
        .into_iter()
        .map(|(path, text)| (path.into(), text.into()))
        .collect()
}

/// Writes the hotline into a folder.
///
/// # Errors
/// The folder cannot be written.
pub fn write(folder: &Path) -> std::io::Result<()> {
    for (path, text) in files() {
        let path = folder.join(&*path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, &*text)?;
    }
    Ok(())
}
