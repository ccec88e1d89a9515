//! The contract of the command line: what is printed, where, and the exit codes, as a shell meets them.
//!
//! Each file of `cmd` is a session; `cmd/check.in` are the hotlines that its commands find. After a change
//! of words `TRYCMD=overwrite cargo test -p trunkline-cli --test contract` writes the sessions anew: read
//! the difference.

#[cfg(test)]
mod tests {
    use std::process::Command;

    #[test]
    fn sessions_go_as_they_are_written() {
        trycmd::TestCases::new()
            .env("LC_ALL", "C.UTF-8")
            .env("COLUMNS", "100")
            .case("tests/cmd/*.trycmd");
    }

    fn check(environment: &[(&str, &str)], arguments: &[&str]) -> (String, Option<i32>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trunkline"));
        command
            .args(["check", "city"])
            .args(arguments)
            .current_dir("tests/cmd/check.in")
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env("LC_ALL", "C");
        for (name, value) in environment {
            command.env(name, value);
        }
        let output = command.output().expect("cargo has built it");
        let text = String::from_utf8(output.stdout).expect("findings are text");
        (text, output.status.code())
    }

    const ESCAPE: char = '\u{1b}';

    #[test]
    fn colours_are_for_who_looks() {
        let (piped, code) = check(&[], &[]);
        assert!(piped.contains("TL1001") && !piped.contains(ESCAPE), "{piped}");
        assert_eq!(code, Some(1));
        let (forced, _) = check(&[("CLICOLOR_FORCE", "1")], &[]);
        assert!(forced.contains(ESCAPE), "{forced}");
        let (asked, _) = check(&[("NO_COLOR", "1")], &["--color", "always"]);
        assert!(asked.contains(ESCAPE), "{asked}");
        let (declined, _) = check(&[("CLICOLOR_FORCE", "1")], &["--color", "never"]);
        assert!(!declined.contains(ESCAPE), "{declined}");
        for format in ["json", "sarif", "github", "junit"] {
            let (text, code) = check(&[("CLICOLOR_FORCE", "1")], &["--output-format", format]);
            assert!(!text.contains(ESCAPE), "{format}: {text}");
            assert_eq!(code, Some(1), "{format}");
        }
    }

    #[test]
    fn the_locale_chooses_the_language() {
        let chinese = "之后，无法转到人工或回呼";
        for locale in ["zh_CN.UTF-8", "zh_CN", "zh-Hans"] {
            let (text, _) = check(&[("LC_ALL", locale)], &[]);
            assert!(text.contains(chinese), "{locale}: {text}");
        }
        let (text, _) = check(&[("LC_ALL", "zh_CN.UTF-8")], &["--lang", "en"]);
        assert!(!text.contains(chinese), "{text}");
        let (text, _) = check(&[("TRUNKLINE_LANG", "zh-CN")], &["--output-format", "sarif"]);
        assert!(text.contains(chinese), "{text}");
    }

    #[test]
    fn a_machine_that_says_no_is_told_from_a_wrong_command() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = taken.local_addr().expect("it has one").to_string();
        let output = Command::new(env!("CARGO_BIN_EXE_trunkline"))
            .args(["serve", "mended", "--store", "memory:", "--listen", &address])
            .current_dir("tests/cmd/check.in")
            .env("LC_ALL", "C")
            .output()
            .expect("cargo has built it");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{told}");
        assert!(told.contains(&address), "{told}");
    }

    #[test]
    fn what_programs_read_is_what_it_says_it_is() {
        let (text, _) = check(&[], &["--output-format", "sarif"]);
        let log: serde_json::Value = serde_json::from_str(&text).expect("SARIF is JSON");
        assert_eq!(log["version"], "2.1.0");
        let result = &log["runs"][0]["results"][0];
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "city/flows/city.yaml");
        assert_eq!(place["region"]["startLine"], 5);
        let (text, _) = check(&[], &["--output-format", "json", "--budget"]);
        let report: serde_json::Value = serde_json::from_str(&text).expect("JSON is JSON");
        assert_eq!(report["findings"][0]["code"], "TL1001");
        assert_eq!(report["findings"][0]["witness"]["ended"], "completed");
        assert_eq!(report["budget"][0]["service"], "human");
    }
}
