//! The binary as a shell meets it.
//!
//! Cargo builds `trunkline` for these tests, with the features of whatever else is tested at
//! the same time; `cargo xtask test` counts on finding it there for the end-to-end tests.

#[cfg(test)]
mod tests {
    use std::process::{Command, Output};

    fn trunkline(arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_trunkline"))
            .args(arguments)
            .output()
            .expect("cargo has built it")
    }

    #[test]
    fn it_says_what_it_is_without_colour_where_nobody_looks() {
        for arguments in [
            &["--version"][..],
            &["--help"],
            &["serve", "--help"],
            &["dial", "--help"],
        ] {
            let output = trunkline(arguments);
            assert!(output.status.success(), "{arguments:?}");
            let text = String::from_utf8(output.stdout).expect("help is text");
            assert!(text.to_lowercase().contains("trunkline"), "{arguments:?}: {text}");
            assert!(!text.contains('\u{1b}'), "{arguments:?} is coloured: {text}");
        }
    }

    #[test]
    fn a_wrong_command_is_the_users_mistake() {
        let output = trunkline(&["srve"]);
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8(output.stderr).expect("errors are text");
        assert!(text.contains("serve"), "{text}");
    }
}
