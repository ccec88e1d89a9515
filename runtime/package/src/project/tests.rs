use super::*;

const WHOLE: &str = r#"
[plugin]
name = "crm-lookup"
version = "1.4.0"
department = "civil-affairs"
description = "Finds citizens by phone number."
license = "Apache-2.0"
authors = ["Li Na"]
source = "https://git.civil.example/crm"
[build]
language = "rust"
[wants]
http = ["POST https://crm.civil.example/v1/*"]
kv = true
data = ["phone"]
[limits]
time = "800ms"
memory = "48MiB"
concurrent = 8
"#;

fn problems(text: &str) -> Vec<String> {
    match Project::parse("plugin.toml", text) {
        Err(ProjectError::Wrong { problems }) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_whole_file_is_read() {
    let project = Project::parse("plugin.toml", WHOLE).unwrap();
    let manifest = &project.manifest;
    assert_eq!(manifest.name.as_str(), "crm-lookup");
    assert_eq!(manifest.version, semver::Version::new(1, 4, 0));
    assert_eq!(manifest.department, "civil-affairs");
    assert_eq!(manifest.language.as_deref(), Some("rust"));
    assert_eq!(manifest.authors, ["Li Na"]);
    assert_eq!(manifest.wants.http.len(), 1);
    assert!(manifest.wants.kv.is_some());
    assert_eq!(manifest.wants.data, ["phone"]);
    assert_eq!(manifest.wants.limits.memory.0, 48 << 20);
    assert_eq!(manifest.wants.limits.concurrent, 8);
    assert_eq!(
        project.build,
        Build {
            language: Language::Rust,
            command: "cargo build --release --target wasm32-wasip2".to_owned(),
            component: "target/wasm32-wasip2/release/crm_lookup.wasm".into(),
            wit: "wit".into(),
        }
    );
}

#[test]
fn each_language_knows_how_it_is_built() {
    let least = |build: &str| {
        let text = format!(
            "[plugin]\nname = \"mood\"\nversion = \"0.1.0\"\ndepartment = \"centre\"\n[build]\n{build}\n"
        );
        Project::parse("plugin.toml", &text).unwrap()
    };
    let javascript = least("language = \"javascript\"");
    assert_eq!(javascript.build.command, "npm run build");
    assert_eq!(javascript.build.component, Path::new("dist/mood.wasm"));
    let python = least("language = \"python\"\nwit = \"interface\"\ncomponent = \"out/mood.wasm\"");
    assert_eq!(python.build.command, "python3 -m trunkline_sdk.build");
    assert_eq!(python.build.component, Path::new("out/mood.wasm"));
    assert_eq!(python.build.wit, Path::new("interface"));
    let other = least("language = \"other\"\ncommand = \"make\"\ncomponent = \"mood.wasm\"");
    assert_eq!(other.manifest.language, None);
    assert_eq!(other.build.command, "make");
    assert_eq!(other.manifest.wants, Grants::default());
}

#[test]
fn all_that_is_wrong_is_said_with_its_place() {
    let found = problems(
        "[plugin]\nname = \"CRM lookup\"\nversion = \"1.4\"\ndepartmnet = \"civil-affairs\"\n\
         [build]\nlanguage = \"rusty\"\n[wants]\nhtpp = []\nhttp = [\"GET nowhere\"]\nlimits = {}\n\
         [limits]\ntime = 5\n[lmits]\n",
    );
    let begin = |at: &str, says: &str| {
        assert!(
            found
                .iter()
                .any(|problem| problem.starts_with(&format!("plugin.toml:{at}: ")) && problem.contains(says)),
            "{at} {says}: {found:#?}"
        );
    };
    begin("1:1", "lacks `department`");
    begin("2:8", "write `crm-lookup`");
    begin("3:11", "write three numbers");
    begin("4:1", "did you mean `department`?");
    begin("6:12", "did you mean `rust`?");
    begin("8:1", "did you mean `http`?");
    begin("9:8", "nowhere");
    begin("10:1", "`[limits]`");
    begin("12:8", "");
    begin("13:2", "did you mean `limits`?");
    assert_eq!(found.len(), 10, "{found:#?}");
}

#[test]
fn columns_count_characters() {
    let found = problems("[plugin]\ndescription = \"电话\" x\n");
    assert!(found[0].starts_with("plugin.toml:2:20: "), "{found:?}");
}

#[test]
fn what_another_language_needs_is_asked_for() {
    let found = problems("[build]\nlanguage = \"other\"\n");
    assert_eq!(
        found,
        [
            "plugin.toml:1:1: [build] lacks `command`, which `language = \"other\"` needs; write `command = \"make\"`",
            "plugin.toml:1:1: [build] lacks `component`, which `language = \"other\"` needs; write `component = \"build/plugin.wasm\"`",
            "plugin.toml:1:1: plugin.toml lacks the table `[plugin]`",
        ]
    );
}

#[test]
fn limits_below_the_least_are_refused() {
    let found = problems(&WHOLE.replace("concurrent = 8", "concurrent = 0"));
    assert_eq!(found, ["plugin.toml:16:1: `concurrent` is 0, and the least is 1"]);
}

#[test]
fn a_folder_without_the_file_is_told_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let error = Project::read(folder.path()).unwrap_err();
    assert!(error.to_string().contains("trunkline plugin new"), "{error}");
    std::fs::write(folder.path().join(FILE), WHOLE).unwrap();
    assert!(Project::read(folder.path()).is_ok());
    std::fs::write(folder.path().join(FILE), vec![b'#'; 300 << 10]).unwrap();
    assert!(matches!(
        Project::read(folder.path()),
        Err(ProjectError::TooLarge { .. })
    ));
}
