//! `check --fix`, `fmt` and `schema` as a shell meets them.

#[cfg(test)]
mod tests {
    use std::{
        path::Path,
        process::{Command, Output},
    };

    fn trunkline(folder: &Path, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_trunkline"))
            .args(arguments)
            .current_dir(folder)
            .output()
            .expect("cargo has built it")
    }

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn hotline() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in [
            (
                "hotline.yaml",
                "hotline: test\nlanguages: [en]\ntime-zone: Asia/Shanghai\nnumbers: { \"12345\": { flow: mian } }\n",
            ),
            (
                "flows/main.yaml",
                "flow: main\nstart: welcom\nsteps:\n  welcome: {say: helo,   next: done}   # hear, hear\n  done: { end: completed }\n",
            ),
            ("prompts/en.yaml", "hello: Hello\nunused: Nobody says this\n"),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("written");
        }
        folder
    }

    fn read(folder: &Path, file: &str) -> String {
        std::fs::read_to_string(folder.join(file)).expect("it is there")
    }

    #[test]
    fn what_is_surely_meant_is_mended_on_disk() {
        let folder = hotline();
        let folder = folder.path();
        let before = read(folder, "flows/main.yaml");
        let output = trunkline(folder, &["check", "--fix", "--dry-run", "."]);
        let shown = text(&output.stdout);
        assert!(output.status.success(), "{shown}");
        assert!(shown.contains("-start: welcom\n+start: welcome\n"), "{shown}");
        assert_eq!(read(folder, "flows/main.yaml"), before);

        let output = trunkline(folder, &["check", "--fix", "."]);
        let told = text(&output.stderr);
        assert!(output.status.success(), "{told}{}", text(&output.stdout));
        assert!(
            told.contains("3 findings mended; 1 more could be by `--unsafe-fixes`"),
            "{told}"
        );
        assert!(
            text(&output.stdout).contains("0 errors, 1 warning"),
            "{}",
            text(&output.stdout)
        );
        assert_eq!(
            read(folder, "flows/main.yaml"),
            before.replace("welcom\n", "welcome\n").replace("helo", "hello")
        );
        assert!(read(folder, "hotline.yaml").contains("flow: main }"));
        assert!(read(folder, "prompts/en.yaml").contains("unused"));

        let output = trunkline(folder, &["check", "--fix", "--unsafe-fixes", "."]);
        assert!(output.status.success());
        assert_eq!(read(folder, "prompts/en.yaml"), "hello: Hello\n");
        let files = std::fs::read_dir(folder.join("flows")).expect("a folder").count();
        assert_eq!(files, 1, "nothing is left lying about");
    }

    #[test]
    fn files_are_formatted() {
        let folder = hotline();
        let folder = folder.path();
        let output = trunkline(folder, &["fmt", "--check", "."]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(text(&output.stdout), "./flows/main.yaml would change\n");
        assert!(trunkline(folder, &["fmt", "."]).status.success());
        let formatted = read(folder, "flows/main.yaml");
        assert!(
            formatted.contains("  welcome: { say: helo, next: done }  # hear, hear\n"),
            "{formatted}"
        );
        let output = trunkline(folder, &["fmt", "--check", "."]);
        assert!(output.status.success(), "{}", text(&output.stdout));
        std::fs::write(folder.join("flows/main.yaml"), "flow: [main\n").expect("written");
        let output = trunkline(folder, &["fmt", "."]);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            text(&output.stderr).contains("is left as it is"),
            "{}",
            text(&output.stderr)
        );
        assert_eq!(read(folder, "flows/main.yaml"), "flow: [main\n");
        assert_eq!(trunkline(folder, &["fmt", "nowhere"]).status.code(), Some(2));
    }

    #[test]
    fn schemas_are_printed_and_written() {
        let folder = hotline();
        let folder = folder.path();
        let output = trunkline(folder, &["schema", "flow"]);
        let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        assert!(trunkline(folder, &["schema", "--write", "."]).status.success());
        assert_eq!(read(folder, ".trunkline/schema/flow.json"), text(&output.stdout));
        assert_eq!(trunkline(folder, &["schema", "flows"]).status.code(), Some(2));
        assert_eq!(trunkline(folder, &["schema"]).status.code(), Some(2));
    }
}
