//! The language server as an editor meets it: the real program, spoken to over its standard
//! input and output.

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader, Read as _, Write as _},
        path::Path,
        process::{Child, ChildStdin, Command, Stdio},
        sync::mpsc::{Receiver, channel},
        time::Duration,
    };

    use serde_json::{Value as Json, json};

    /// How long an answer may take before the test gives up.
    const PATIENCE: Duration = Duration::from_secs(60);

    struct Editor {
        child: Child,
        input: ChildStdin,
        messages: Receiver<Json>,
        /// Messages that came before the one that was waited for.
        early: Vec<Json>,
        requests: u64,
    }

    impl Editor {
        fn start(encodings: &[&str]) -> Self {
            Self::start_in(encodings, "en")
        }

        fn start_in(encodings: &[&str], locale: &str) -> Self {
            let mut child = Command::new(env!("CARGO_BIN_EXE_trunkline"))
                .arg("lsp")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("cargo has built it");
            let input = child.stdin.take().expect("it is piped");
            let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
            let (sender, messages) = channel();
            std::thread::spawn(move || {
                loop {
                    let mut length = 0;
                    loop {
                        let mut line = String::new();
                        if output.read_line(&mut line).unwrap_or(0) == 0 {
                            return;
                        }
                        let line = line.trim();
                        if line.is_empty() {
                            break;
                        }
                        if let Some(bytes) = line.strip_prefix("Content-Length: ") {
                            length = bytes.parse().expect("a length");
                        }
                    }
                    let mut body = vec![0; length];
                    output
                        .read_exact(&mut body)
                        .expect("a message as long as it says");
                    let message = serde_json::from_slice(&body).expect("JSON");
                    if sender.send(message).is_err() {
                        return;
                    }
                }
            });
            let mut editor = Self {
                child,
                input,
                messages,
                early: Vec::new(),
                requests: 0,
            };
            let answer = editor.ask(
                "initialize",
                json!({
                    "processId": null,
                    "rootUri": null,
                    "locale": locale,
                    "capabilities": { "general": { "positionEncodings": encodings } },
                }),
            );
            let chosen = &answer["capabilities"]["positionEncoding"];
            let expected = if encodings.contains(&"utf-8") {
                "utf-8"
            } else {
                "utf-16"
            };
            assert_eq!(chosen, expected, "{answer}");
            editor.tell("initialized", json!({}));
            editor
        }

        fn send(&mut self, message: &Json) {
            let body = message.to_string();
            write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("it listens");
            self.input.flush().expect("it listens");
        }

        fn tell(&mut self, method: &str, params: Json) {
            self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
        }

        /// Asks, and gives the result; an error is one.
        fn ask(&mut self, method: &str, params: Json) -> Json {
            let answer = self.ask_whole(method, params);
            assert!(answer.get("error").is_none(), "{method}: {answer}");
            answer["result"].clone()
        }

        fn ask_whole(&mut self, method: &str, params: Json) -> Json {
            self.requests += 1;
            let id = self.requests;
            self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
            self.wait(|message| message.get("method").is_none() && message["id"] == id)
        }

        fn wait(&mut self, wanted: impl Fn(&Json) -> bool) -> Json {
            if let Some(place) = self.early.iter().position(&wanted) {
                return self.early.remove(place);
            }
            loop {
                let message = self.messages.recv_timeout(PATIENCE).expect("an answer in time");
                if wanted(&message) {
                    return message;
                }
                self.early.push(message);
            }
        }

        /// The next findings of a file.
        fn findings(&mut self, uri: &str) -> Vec<Json> {
            let message = self.wait(|message| {
                message["method"] == "textDocument/publishDiagnostics" && message["params"]["uri"] == uri
            });
            message["params"]["diagnostics"]
                .as_array()
                .expect("a list")
                .clone()
        }

        fn open(&mut self, uri: &str, text: &str) {
            self.tell(
                "textDocument/didOpen",
                json!({ "textDocument": { "uri": uri, "languageId": "yaml", "version": 1, "text": text } }),
            );
        }

        fn change(&mut self, uri: &str, version: u32, text: &str) {
            self.tell(
                "textDocument/didChange",
                json!({ "textDocument": { "uri": uri, "version": version }, "contentChanges": [{ "text": text }] }),
            );
        }

        fn stop(mut self) {
            assert_eq!(self.ask("shutdown", Json::Null), Json::Null);
            self.tell("exit", Json::Null);
            drop(self.input);
            assert!(self.child.wait().expect("it ends").success());
        }
    }

    const FLOW: &str = "flow: main
vars: { 称呼: string? }
start: welcome
steps:
  welcome: { say: hello, next: 结束 }
  结束: { say: bye, next: done }
  done: { end: completed }
";

    fn hotline(folder: &Path) {
        for (path, text) in [
            (
                "hotline.yaml",
                "hotline: test\nlanguages: [zh-CN]\ntime-zone: Asia/Shanghai\nnumbers: { \"12345\": { flow: main } }\nplugins: { crm: { component: plugins/crm.wasm, department: civil } }\n",
            ),
            ("flows/main.yaml", FLOW),
            ("prompts/zh-CN.yaml", "hello: 您好，欢迎致电\nbye: 再见\n"),
        ] {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("written");
        }
    }

    fn uri(folder: &Path, file: &str) -> String {
        format!("file://{}", folder.join(file).display())
    }

    /// The place of a text in another, in columns of UTF-16.
    fn place(text: &str, part: &str) -> Json {
        let byte = text.find(part).expect("it is there");
        let line = text[..byte].rfind('\n').map_or(0, |end| end + 1);
        json!({
            "line": text[..byte].matches('\n').count(),
            "character": text[line..byte].encode_utf16().count(),
        })
    }

    #[test]
    fn scenarios_are_checked_and_findings_are_told_in_the_editors_language() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().canonicalize().expect("a path");
        hotline(&folder);
        std::fs::write(
            folder.join("hotline.yaml"),
            "hotline: test\nlanguages: [zh-CN]\ntime-zone: Asia/Shanghai\nnumbers: { \"12345\": { flow: main } }\n",
        )
        .expect("written");
        let scenario = uri(&folder, "tests/a.yaml");
        let text = "scenario: 一个场景\ncall: { number: \"12345\" }\nscript:\n  - hears: helo\n  - expect: { ended: completed }\n";
        std::fs::create_dir(folder.join("tests")).expect("a folder");
        std::fs::write(folder.join("tests/a.yaml"), text).expect("written");
        let mut editor = Editor::start_in(&["utf-16"], "zh-cn");
        editor.open(&scenario, text);
        let findings = editor.findings(&scenario);
        assert_eq!(findings[0]["code"], "TL0401", "{findings:?}");
        assert_eq!(findings[0]["range"]["start"], place(text, "helo"));
        let message = findings[0]["message"].as_str().expect("a text");
        assert!(message.contains("没有"), "{message}");
        editor.change(&scenario, 2, &text.replace("helo", "hello"));
        assert_eq!(editor.findings(&scenario), Vec::<Json>::new());
        editor.stop();
    }

    #[test]
    fn a_session() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().canonicalize().expect("a path");
        hotline(&folder);
        let flow = uri(&folder, "flows/main.yaml");
        let prompts = uri(&folder, "prompts/zh-CN.yaml");
        let mut editor = Editor::start(&["utf-16"]);

        // An error behind Chinese text has its columns in UTF-16; a component that is missing
        // keeps nothing else from being found.
        let wrong = FLOW.replace(
            "  结束: { say: bye, next: done }",
            "  结束: { say: bye, next: dome }",
        );
        editor.open(&flow, &wrong);
        let findings = editor.findings(&flow);
        let unknown = findings
            .iter()
            .find(|finding| finding["code"] == "TL0101")
            .expect("it is found");
        assert_eq!(unknown["range"]["start"], place(&wrong, "dome"), "{unknown}");
        assert!(
            unknown["message"]
                .as_str()
                .expect("a text")
                .contains("did you mean `done`?")
        );
        let missing = editor.findings(&uri(&folder, "hotline.yaml"));
        assert_eq!(missing[0]["code"], "TL0701", "{missing:?}");

        // The fix is offered where the finding is, and mends it.
        let actions = editor.ask(
            "textDocument/codeAction",
            json!({ "textDocument": { "uri": flow }, "range": unknown["range"], "context": { "diagnostics": [] } }),
        );
        let edit = &actions[0]["edit"]["changes"][&flow][0];
        assert_eq!(
            (&edit["newText"], &actions[0]["isPreferred"]),
            (&json!("done"), &json!(true)),
            "{actions}"
        );
        editor.change(&flow, 2, FLOW);
        let findings = editor.findings(&flow);
        assert!(
            findings.iter().all(|finding| finding["code"] != "TL0101"),
            "{findings:?}"
        );

        // What is typed and not saved is completed on.
        let typing = FLOW.replace("say: bye, next: done", "say: ");
        editor.change(&flow, 3, &typing);
        let mut at = place(&typing, "say:  }");
        at["character"] = json!(at["character"].as_u64().expect("a number") + 5);
        let items = editor.ask(
            "textDocument/completion",
            json!({ "textDocument": { "uri": flow }, "position": at }),
        );
        let hello = items
            .as_array()
            .expect("a list")
            .iter()
            .find(|item| item["label"] == "hello");
        let hello = hello.unwrap_or_else(|| panic!("{items}"));
        assert!(
            hello["documentation"]["value"]
                .as_str()
                .expect("docs")
                .contains("您好，欢迎致电")
        );
        editor.change(&flow, 4, FLOW);

        // A step is described, found, and renamed.
        let step = json!({ "textDocument": { "uri": flow }, "position": place(FLOW, "结束 }") });
        let hover = editor.ask("textDocument/hover", step.clone());
        assert!(
            hover["contents"]["value"]
                .as_str()
                .expect("docs")
                .contains("say bye"),
            "{hover}"
        );
        let places = editor.ask("textDocument/definition", step.clone());
        assert_eq!(places[0]["range"]["start"], place(FLOW, "结束: {"), "{places}");
        let mut rename = step.clone();
        rename["newName"] = json!("farewell");
        let edits = editor.ask("textDocument/rename", rename);
        assert_eq!(
            edits["changes"][&flow].as_array().expect("edits").len(),
            2,
            "{edits}"
        );
        let mut taken = step;
        taken["newName"] = json!("welcome");
        let answer = editor.ask_whole("textDocument/rename", taken);
        assert!(
            answer["error"]["message"]
                .as_str()
                .expect("a reason")
                .contains("already"),
            "{answer}"
        );

        // A prompt is renamed where it is said and in its table.
        let edits = editor.ask(
            "textDocument/rename",
            json!({ "textDocument": { "uri": flow }, "position": place(FLOW, "hello"), "newName": "greeting" }),
        );
        assert_eq!(
            edits["changes"][&prompts][0]["range"]["start"],
            json!({ "line": 0, "character": 0 })
        );
        assert_eq!(edits["changes"][&flow].as_array().expect("edits").len(), 1);

        let symbols = editor.ask(
            "textDocument/documentSymbol",
            json!({ "textDocument": { "uri": flow } }),
        );
        let names: Vec<&Json> = symbols
            .as_array()
            .expect("a list")
            .iter()
            .map(|symbol| &symbol["name"])
            .collect();
        assert_eq!(names, ["welcome", "结束", "done"]);

        editor.change(&flow, 5, &FLOW.replace("{ say: hello,", "{say:   hello,"));
        let edits = editor.ask(
            "textDocument/formatting",
            json!({ "textDocument": { "uri": flow }, "options": { "tabSize": 2, "insertSpaces": true } }),
        );
        assert_eq!(edits[0]["newText"], FLOW, "{edits}");
        editor.stop();
    }

    #[test]
    fn columns_in_bytes_when_they_are_offered() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().canonicalize().expect("a path");
        hotline(&folder);
        let flow = uri(&folder, "flows/main.yaml");
        let mut editor = Editor::start(&["utf-8", "utf-16"]);
        let wrong = FLOW.replace(
            "  结束: { say: bye, next: done }",
            "  结束: { say: bye, next: dome }",
        );
        editor.open(&flow, &wrong);
        let findings = editor.findings(&flow);
        let unknown = findings
            .iter()
            .find(|finding| finding["code"] == "TL0101")
            .expect("it is found");
        let column = "  结束: { say: bye, next: ".len();
        assert_eq!(
            unknown["range"]["start"],
            json!({ "line": 5, "character": column })
        );
        editor.stop();
    }

    #[test]
    fn files_of_no_hotline_are_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().canonicalize().expect("a path");
        std::fs::write(folder.join("a.yaml"), "a: b\n").expect("written");
        let uri = uri(&folder, "a.yaml");
        let mut editor = Editor::start(&["utf-16"]);
        editor.open(&uri, "a: b\n");
        let hover = editor.ask(
            "textDocument/hover",
            json!({ "textDocument": { "uri": uri }, "position": { "line": 0, "character": 0 } }),
        );
        assert_eq!(hover, Json::Null);
        editor.stop();
    }
}
