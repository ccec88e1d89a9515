//! `trunkline plugin test` on real components: of a plugin that was just made, in each language, of our own
//! plugins, and of one that uses secrets.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use end_to_end::{Folder, cache, programs};

use crate::commands::{err, out};

/// `trunkline` with programs of a language in front of those of the machine.
fn trunkline(arguments: &[&str], programs_in: Option<&Path>) -> Output {
    let mut command = Command::new(programs::trunkline());
    command
        .args(arguments)
        .env("XDG_CACHE_HOME", cache())
        .env_remove("TRUNKLINE_API_KEY")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    if let Some(programs_in) = programs_in {
        let mut path = OsString::from(programs_in);
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        command
            .env("PATH", path)
            .env("PYTHONPATH", programs::root().join("sdk/python/src"))
            .env("PYTHONDONTWRITEBYTECODE", "1");
    }
    command.output().unwrap()
}

/// What a plugin in Rust depends on is built once for all runs of these tests.
fn share_target(plugin: &Path) {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-plugin-target");
    fs::create_dir_all(&cache).unwrap();
    std::os::unix::fs::symlink(&cache, plugin.join("target")).unwrap();
}

/// The SDK as npm would install it. What it depends on was installed to build our own plugins.
fn install_for_javascript(plugin: &Path) {
    programs::components();
    let sdk = programs::root().join("sdk/js");
    let modules = plugin.join("node_modules");
    fs::create_dir_all(modules.join("@trunkline")).unwrap();
    fs::create_dir_all(modules.join(".bin")).unwrap();
    std::os::unix::fs::symlink(&sdk, modules.join("@trunkline/sdk")).unwrap();
    std::os::unix::fs::symlink(sdk.join("build/cli.mjs"), modules.join(".bin/trunkline-js-build")).unwrap();
}

/// The environment in which our own plugins in Python were built.
fn environment_of_python() -> PathBuf {
    programs::components();
    programs::root().join("plugins/target/python/environment/bin")
}

/// Makes a plugin, builds it and runs its tests, those with inputs made up included.
fn made_built_and_tested(
    language: &str,
    wants: &str,
    prepare: impl FnOnce(&Path),
    programs_in: Option<&Path>,
) -> serde_json::Value {
    let place = Folder::empty();
    let name = format!("meters-in-{language}");
    let plugin = place.beside(&name);
    let shown = plugin.display().to_string();
    let made = trunkline(
        &[
            "plugin",
            "new",
            &name,
            "--language",
            language,
            "--department",
            "water-works",
            "--wants",
            wants,
            "--folder",
            &shown,
        ],
        None,
    );
    assert_eq!(made.status.code(), Some(0), "{}", err(&made));
    prepare(&plugin);
    let built = trunkline(&["plugin", "build", &shown], programs_in);
    assert_eq!(built.status.code(), Some(0), "{}{}", out(&built), err(&built));
    let tested = trunkline(
        &[
            "plugin",
            "test",
            &shown,
            "--no-build",
            "--seed",
            "1",
            "--output-format",
            "json",
        ],
        None,
    );
    let text = format!("{}{}", out(&tested), err(&tested));
    assert_eq!(tested.status.code(), Some(0), "{text}");
    let results: serde_json::Value = serde_json::from_slice(&tested.stdout).unwrap();
    assert_eq!(results["fuzzed"][0]["inputs"], 200, "{text}");
    results
}

fn cases(results: &serde_json::Value) -> usize {
    results["cases"].as_array().unwrap().len()
}

#[test]
fn a_new_plugin_in_rust_passes_its_tests() {
    let results = made_built_and_tested("rust", "http,kv,secrets", share_target, None);
    assert_eq!(cases(&results), 4);
}

#[test]
fn a_new_plugin_in_javascript_passes_its_tests() {
    let results = made_built_and_tested("javascript", "http,kv", install_for_javascript, None);
    assert_eq!(cases(&results), 5);
}

#[test]
fn a_new_plugin_in_python_passes_its_tests() {
    let environment = environment_of_python();
    let results = made_built_and_tested("python", "http,kv", |_| {}, Some(&environment));
    assert_eq!(cases(&results), 5);
}

#[test]
fn our_own_plugins_pass_their_tests() {
    let plugins = programs::root().join("plugins");
    let mut tested = Vec::new();
    for entry in fs::read_dir(&plugins).unwrap() {
        let plugin = entry.unwrap().path();
        let Ok(tables) = fs::read_dir(plugin.join("tests")) else {
            continue;
        };
        let is_table = |path: PathBuf| path.extension().is_some_and(|extension| extension == "yaml");
        if !tables.flatten().any(|table| is_table(table.path())) {
            continue;
        }
        let name = plugin.file_name().unwrap().to_string_lossy().into_owned();
        let component = programs::component(&format!("{}.wasm", name.replace('-', "_")));
        let ran = trunkline(
            &[
                "plugin",
                "test",
                &plugin.display().to_string(),
                "--component",
                &component.display().to_string(),
                "--fuzz",
                "20",
                "--seed",
                "1",
            ],
            None,
        );
        assert_eq!(ran.status.code(), Some(0), "{name}: {}{}", out(&ran), err(&ran));
        tested.push(name);
    }
    assert!(tested.len() >= 7, "{tested:?}");
}

#[test]
fn a_plugin_that_uses_secrets_is_tested_with_values_of_its_tables() {
    let component = programs::component("courier.wasm").display().to_string();
    let folder = Folder::empty();
    folder.write(
        "plugin.toml",
        "[plugin]\nname = \"courier\"\nversion = \"0.1.0\"\ndepartment = \"post\"\n\
         [build]\nlanguage = \"other\"\ncommand = \"true\"\ncomponent = \"courier.wasm\"\n\
         [wants]\nhttp = [\"GET https://post.example/*\"]\nsecrets = { stamp = \"https://post.example\" }\n",
    );
    let path = folder.path().display().to_string();
    let test = || {
        trunkline(
            &[
                "plugin",
                "test",
                &path,
                "--component",
                &component,
                // The cases alone: inputs that are made up send more headers than may be.
                "--fuzz",
                "0",
            ],
            None,
        )
    };
    // HMAC with SHA-256 of `hello`, by the value that stands in the table and by the one that is made up.
    let signs = |secrets: &str, signature: &str| {
        format!(
            "function: errands.sign\n{secrets}cases:\n  - name: signs\n    \
             with: {{ name: stamp, algorithm: hmac-sha256, text: hello }}\n    ok: \"{signature}\"\n"
        )
    };
    folder.write(
        "tests/given.yaml",
        signs(
            "secrets: { stamp: a-stamp-of-tests }\n",
            "f471d486a6ad7f2af1d78beaefe3653f234f1ef6097e9cbcda8ec03118e031d1",
        ),
    );
    folder.write(
        "tests/made-up.yaml",
        signs(
            "",
            "63e2e5f00b71875ad34055f7d0cbc4fcc5a8edf14d1131b3fb1836965d0f4df5",
        ),
    );
    let tested = test();
    assert_eq!(tested.status.code(), Some(0), "{}{}", out(&tested), err(&tested));

    // What is wrong with one is told, and its value is not.
    folder.write("tests/given.yaml", signs("secrets: { stamp: sh0rt }\n", "ab"));
    let tested = test();
    let said = format!("{}{}", out(&tested), err(&tested));
    assert_eq!(tested.status.code(), Some(1), "{said}");
    assert!(
        said.contains("tests/given.yaml:2") && said.contains("`stamp`"),
        "{said}"
    );
    assert!(!said.contains("sh0rt"), "{said}");
    folder.write(
        "tests/given.yaml",
        signs("secrets: { stamps: a-stamp-of-tests }\n", "ab"),
    );
    let tested = test();
    assert!(
        err(&tested).contains("which plugin.toml does not want"),
        "{}",
        err(&tested)
    );
}
