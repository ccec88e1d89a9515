//! Packages from their publisher to a hotline, as people type it: keys, files, a real registry,
//! the lock, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../../package/tests/docker_registry/mod.rs"]
mod docker_registry;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::json;
use trunkline_package::{
    archive,
    sections::{Words, put},
};

use self::docker_registry::Registry;

/// A publisher, an operator's hotline, and a machine's cache, each a folder.
struct Site {
    folder: tempfile::TempDir,
}

/// What a command said, and how it ended.
struct Said {
    text: String,
    code: Option<i32>,
}

impl Said {
    #[track_caller]
    fn is(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.text);
        for words in words {
            assert!(self.text.contains(words), "{words:?} in\n{}", self.text);
        }
        self
    }
}

impl Site {
    fn new() -> Self {
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        site.write("city/flows/main.yaml", FLOW);
        site.hotline("plugins/sage.wasm");
        site.grants("");
        for version in ["1.4.1", "1.4.2", "1.5.0"] {
            site.write(&format!("sage-{version}.wasm"), component(version, 1));
        }
        site.write("changed.wasm", component("1.4.2", 2));
        site
    }

    /// Lets the operator grant what the component wants, and say more.
    fn grants(&self, more: &str) {
        const GRANTED: &str = "sage: { http: [\"GET https://sage.example/*\"], kv: true }\n";
        self.write("city/grants.yaml", format!("{GRANTED}{more}"));
    }

    /// The same of a plugin whose department the operator names.
    fn grants_of(&self, department: &str, more: &str) {
        self.grants(more);
        let named = format!("sage: {{ department: {department}, ");
        let grants = self.read("city/grants.yaml").replacen("sage: { ", &named, 1);
        self.write("city/grants.yaml", grants);
    }

    /// Lets hotline.yaml name a component.
    fn hotline(&self, source: &str) {
        self.write(
            "city/hotline.yaml",
            format!(
                "hotline: city\nlanguages: [en]\ntime-zone: Asia/Shanghai\nnumbers: {{ \"12345\": {{ flow: main }} }}\n\
                 plugins:\n  sage: {{ component: \"{source}\", department: civil }}\n"
            ),
        );
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// Runs the binary in the folder, with a cache and a home of its own.
    fn run(&self, arguments: &str) -> Said {
        let output = self.command(arguments).output().expect("cargo has built it");
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        Said {
            text,
            code: output.status.code(),
        }
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trunkline"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("HOME", self.path("home"))
            .env("LC_ALL", "C")
            .env_remove("DOCKER_CONFIG")
            .env_remove("TRUNKLINE_REGISTRY_PASSWORD");
        command
    }
}

const FLOW: &str = "flow: main
vars: { told: int? }
start: ask-sage
steps:
  ask-sage: { call: sage.answer, save: told, time: 2s, on: { fault: done }, next: done }
  done: { end: completed }
";

fn component(version: &str, answers: u32) -> Vec<u8> {
    let text = format!(
        "(component
           (core module $m (func (export \"f\") (result i32) i32.const {answers}))
           (core instance $i (instantiate $m))
           (func $answer (result u32) (canon lift (core func $i \"f\")))
           (instance $oracle (export \"answer\" (func $answer)))
           (export \"test:sage/oracle@1.0.0\" (instance $oracle)))"
    );
    let manifest = serde_json::from_value(json!({
        "name": "sage", "version": version, "department": "civil", "description": "Answers.",
        "wants": { "http": ["GET https://sage.example/*"], "kv": true },
    }))
    .unwrap();
    let words = Words {
        manifest: &manifest,
        wit: None,
        revision: None,
    };
    put(&wat::parse_str(text).unwrap(), &words).unwrap()
}

#[test]
fn a_package_goes_from_its_publisher_to_an_air_gapped_site() {
    let site = Site::new();
    site.run("plugin key new civil")
        .is(0, &["civil.key", "fingerprint", "keys/civil.pub"]);
    site.run("plugin key new civil").is(4, &["not written over"]);
    site.run("plugin publish sage-1.4.2.wasm --to sage.tlpkg --key civil.key")
        .is(0, &["sage 1.4.2", "signed by", "published  sage.tlpkg"]);
    site.run("plugin verify sage.tlpkg --key civil.pub")
        .is(0, &["sage 1.4.2  civil", "signed by"]);
    site.run("plugin add city sage sage.tlpkg --key civil.pub").is(
        0,
        &[
            "locked     trunkline.lock as sage",
            "sage: { component: packages/sage.tlpkg, department: civil }",
            "  http: [\"GET https://sage.example/*\"]",
        ],
    );
    let lock = site.read("city/trunkline.lock");
    assert!(
        lock.contains("[plugins.sage]") && lock.contains("signed-by = "),
        "{lock}"
    );
    site.hotline("packages/sage.tlpkg");
    site.run("check city").is(0, &[]);
    // The same again writes the same.
    site.run("plugin add city sage city/packages/sage.tlpkg --key civil.pub")
        .is(0, &[]);
    assert_eq!(site.read("city/trunkline.lock"), lock);
}

#[test]
fn what_is_not_the_package_that_is_locked_is_refused() {
    let site = Site::new();
    for version in ["1.4.1", "1.4.2", "1.5.0"] {
        let publish = format!("plugin publish sage-{version}.wasm --to sage-{version}.tlpkg");
        site.run(&publish).is(0, &["none; with --key"]);
    }
    site.run("plugin publish changed.wasm --to changed.tlpkg")
        .is(0, &[]);
    site.run("plugin add city sage sage-1.4.2.tlpkg").is(0, &[]);
    site.hotline("packages/sage.tlpkg");
    site.run("check city").is(0, &[]);
    let put_there = |file: &str| fs::copy(site.path(file), site.path("city/packages/sage.tlpkg")).unwrap();

    put_there("sage-1.4.1.tlpkg");
    site.run("check city").is(
        1,
        &["TL0720", "version 1.4.1 is older than 1.4.2", "--allow-downgrade"],
    );
    put_there("sage-1.5.0.tlpkg");
    site.run("check city").is(
        1,
        &["TL0720", "it is version 1.5.0, and trunkline.lock has 1.4.2"],
    );
    put_there("changed.tlpkg");
    site.run("check city")
        .is(1, &["TL0720", "other content than trunkline.lock names"]);

    // Bytes that change on the way.
    let mut bytes = fs::read(site.path("sage-1.4.2.tlpkg")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    site.write("city/packages/sage.tlpkg", &bytes);
    site.run("check city")
        .is(1, &["TL0720", "packages/sage.tlpkg is refused"]);
    site.run("plugin verify city/packages/sage.tlpkg")
        .is(1, &["is refused"]);

    // Adding asks the same.
    put_there("sage-1.4.2.tlpkg");
    site.run("plugin add city sage sage-1.4.1.tlpkg")
        .is(4, &["older than 1.4.2"]);
    site.run("plugin add city sage changed.tlpkg")
        .is(4, &["--replace"]);
    site.run("plugin add city sage sage-1.4.1.tlpkg --allow-downgrade")
        .is(0, &[]);
    site.run("check city").is(0, &[]);
    site.run("plugin add city sage sage-1.5.0.tlpkg").is(0, &[]);
    site.run("check city").is(0, &[]);
}

#[test]
fn a_bare_component_is_checked_where_it_is_locked() {
    let site = Site::new();
    site.write("city/plugins/sage.wasm", component("1.4.2", 1));
    site.run("check city").is(0, &[]);
    site.run("plugin add city sage plugins/sage.wasm")
        .is(0, &["as sage"]);
    site.run("check city").is(0, &[]);
    site.write("city/plugins/sage.wasm", component("1.4.2", 2));
    site.run("check city").is(1, &["TL0720", "--replace"]);
    site.run("plugin add city sage plugins/sage.wasm --replace")
        .is(0, &[]);
    site.run("check city").is(0, &[]);
    site.write("city/trunkline.lock", "version = 1\n[plugins.sage]\nsource = 5\n");
    site.run("check city").is(1, &["TL0721", "trunkline.lock:3:10"]);
}

#[test]
fn a_department_that_signs_is_taken_at_its_word_only() {
    let site = Site::new();
    site.run("plugin key new civil").is(0, &[]);
    site.run("plugin key new other").is(0, &[]);
    site.write("city/keys/civil.pub", site.read("civil.pub"));
    site.write("city/plugins/sage.wasm", component("1.4.2", 1));
    // Whose the plugin is the operator says, and not hotline.yaml.
    const SIGNS: &str = "departments:\n  civil: { signed-by: keys/civil.pub }\n";
    site.grants(SIGNS);
    site.run("check city").is(
        1,
        &["TL0720", "does not say whose sage is", "`department: civil`"],
    );
    site.run("plugin add city sage sage-1.4.2.wasm")
        .is(4, &["does not say whose sage is"]);
    site.grants_of("other", SIGNS);
    site.run("check city")
        .is(1, &["TL0720", "hotline.yaml says that it is of civil"]);
    site.grants_of("civil", &SIGNS.replace("civil:", "civl:"));
    site.run("check city")
        .is(1, &["TL0702", "no plugin is of the department `civl`", "`civil`"]);
    site.grants_of("civil", SIGNS);
    site.run("check city")
        .is(1, &["TL0720", "a bare component carries no signature"]);
    site.hotline("packages/sage.tlpkg");
    let publish = |key: &str| {
        site.run(&format!(
            "plugin publish sage-1.4.2.wasm --to city/packages/sage.tlpkg {key}"
        ))
        .is(0, &[]);
    };
    publish("");
    site.run("check city").is(1, &["TL0720", "it is not signed"]);
    publish("--key other.key");
    site.run("check city").is(1, &["TL0720", "by none of the keys"]);
    site.run("plugin add city sage packages/sage.tlpkg")
        .is(4, &["by none of the keys"]);
    publish("--key civil.key");
    site.run("check city").is(0, &[]);
    site.run("plugin add city sage packages/sage.tlpkg")
        .is(0, &["signed by"]);
    // Two keys while one is replaced.
    site.write("city/keys/other.pub", site.read("other.pub"));
    site.grants_of(
        "civil",
        "departments:\n  civil: { signed-by: [keys/other.pub, keys/civil.pub] }\n",
    );
    site.run("check city").is(0, &[]);
    site.grants_of("civil", "departments:\n  civil: { signed-by: keys/gone.pub }\n");
    site.run("check city")
        .is(1, &["TL0702", "there is no file keys/gone.pub"]);
}

#[test]
fn secrets_that_cannot_be_used_are_told_where_plugins_are_called() {
    let site = Site::new();
    site.write("city/plugins/sage.wasm", component("1.4.2", 1));
    let told = |arguments: &str| {
        let mut command = site.command(arguments);
        command.env("TRUNKLINE_SECRET_CRM_TOKEN", "sh0rt");
        let output = command.stdin(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for called in ["test city --real", "dial city"] {
        let told = told(called);
        assert!(
            told.contains("plugins are called without secrets")
                && told.contains("TRUNKLINE_SECRET_CRM_TOKEN")
                && !told.contains("sh0rt"),
            "{called}: {told}"
        );
    }
    assert!(!told("test city").contains("secrets"));
}

#[test]
fn a_package_comes_from_a_registry() {
    let registry = Registry::start("");
    let site = Site::new();
    let place = format!("oci://{}/civil/sage", registry.address);
    site.run("plugin key new civil").is(0, &[]);
    site.run(&format!(
        "plugin publish sage-1.4.2.wasm --to {place} --key civil.key"
    ))
    .is(0, &["signed by", &format!("published  {place}@1.4.2")]);
    site.run(&format!("plugin publish changed.wasm --to {place}"))
        .is(4, &["published already with other content", "raise `version`"]);
    site.run(&format!("plugin publish sage-1.4.2.wasm --to {place}@1.4.3"))
        .is(2, &["holds version 1.4.2"]);
    site.run(&format!("plugin verify {place}@1.4.2 --key civil.pub"))
        .is(0, &["signed by"]);

    site.hotline(&format!("{place}@1.4.2"));
    site.run("check city")
        .is(1, &["TL0720", "plugin add HOTLINE sage oci://"]);
    site.run(&format!("plugin add city sage {place}@1.4.2 --key civil.pub"))
        .is(0, &["signed by"]);
    site.run("check city").is(0, &[]);
    // A department builds its next version beside what is published.
    site.write(
        "sage/plugin.toml",
        "[plugin]\nname = \"sage\"\nversion = \"1.4.2\"\ndepartment = \"civil\"\ndescription = \"Answers.\"\n\
         [build]\nlanguage = \"other\"\ncommand = \"true\"\ncomponent = \"../changed.wasm\"\n\
         [wants]\nhttp = [\"GET https://sage.example/*\"]\nkv = true\n",
    );
    site.run(&format!("plugin build sage --against {place}@1.4.2"))
        .is(
            0,
            &[&format!(
                "patch against 1.4.2 ({place}@1.4.2): flows see no difference"
            )],
        );
    site.run(&format!("plugin build sage --against {place}@1.3.0"))
        .is(1, &["1.3.0"]);
    // Another machine has the lock and not the package.
    fs::remove_dir_all(site.path("cache")).unwrap();
    site.run("check city")
        .is(1, &["is not on this machine", "trunkline plugin pull"]);
    site.run("plugin pull city").is(0, &["sage  oci://"]);
    site.run("check city").is(0, &[]);
    // A version before the locked one, and one that nobody locked.
    site.run(&format!("plugin publish sage-1.4.1.wasm --to {place}"))
        .is(0, &[]);
    site.hotline(&format!("{place}@1.4.1"));
    site.run("check city").is(1, &["1.4.1 is older than 1.4.2"]);
    site.run("plugin pull city").is(1, &["1.4.1 is older than 1.4.2"]);
    site.hotline(&format!("{place}@1.5.0"));
    site.run("check city").is(1, &["hotline.yaml names oci://"]);

    // The registry is gone: what is here goes on, what is not is told so.
    drop(registry);
    site.hotline(&format!("{place}@1.4.2"));
    site.run("check city").is(0, &[]);
    fs::remove_dir_all(site.path("cache")).unwrap();
    site.run("plugin pull city").is(1, &["failed to reach"]);
    site.run(&format!("plugin verify {place}@1.4.2"))
        .is(3, &["failed to reach"]);
}

#[test]
fn a_server_fetches_what_is_locked() {
    let registry = Registry::start("");
    let site = Site::new();
    let place = format!("oci://{}/civil/sage", registry.address);
    site.run(&format!("plugin publish sage-1.4.2.wasm --to {place}"))
        .is(0, &[]);
    site.run(&format!("plugin add city sage {place}@1.4.2"))
        .is(0, &[]);
    site.hotline(&format!("{place}@1.4.2"));
    fs::remove_dir_all(site.path("cache")).unwrap();
    let mut server = site
        .command("serve city --listen 127.0.0.1:0 --store memory: --address-file address")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let ready = (0..600).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        site.path("address").is_file()
    });
    // This process and no other.
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(ready, "the server fetches the package and begins");
    site.run("check city").is(0, &[]);
}

#[test]
fn a_file_is_carried_on_to_another_registry_with_its_signatures() {
    let registry = Registry::start("");
    let site = Site::new();
    site.run("plugin key new civil").is(0, &[]);
    site.run("plugin publish sage-1.4.2.wasm --to sage.tlpkg --key civil.key")
        .is(0, &[]);
    let place = format!("oci://{}/mirror/sage", registry.address);
    site.run(&format!("plugin publish sage.tlpkg --to {place}"))
        .is(0, &["signatures 1"]);
    site.run(&format!("plugin verify {place}@1.4.2 --key civil.pub"))
        .is(0, &["signed by"]);
    let package = archive::read(&fs::read(site.path("sage.tlpkg")).unwrap()).unwrap();
    assert!(Path::new(&registry.blob(&package.digest())).is_file());
}
