//! The server: requests in, answers out, and findings whenever something has changed.

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use tower_lsp_server::{
    Client, LanguageServer,
    jsonrpc::{Error, Result},
    ls_types::{
        CodeActionKind, CodeActionOptions, CodeActionOrCommand, CodeActionParams,
        CodeActionProviderCapability, CodeActionResponse, CompletionOptions, CompletionParams,
        CompletionResponse, DidChangeTextDocumentParams, DidChangeWatchedFilesParams,
        DidChangeWatchedFilesRegistrationOptions, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
        DidSaveTextDocumentParams, DocumentFormattingParams, DocumentSymbolParams, DocumentSymbolResponse,
        FileSystemWatcher, GlobPattern, GotoDefinitionParams, GotoDefinitionResponse, Hover, HoverContents,
        HoverParams, HoverProviderCapability, InitializeParams, InitializeResult, InitializedParams,
        Location, MessageType, OneOf, Position, PrepareRenameResponse, ReferenceParams, Registration,
        RenameOptions, RenameParams, ServerCapabilities, ServerInfo, TextDocumentPositionParams,
        TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions, TextEdit, Uri,
        WorkspaceEdit,
    },
};

use trunkline_flow::Tongue;

use super::{
    hotlines::{Hotline, Hotlines, name_in},
    places::Columns,
    translate::{Translator, markdown},
};
use crate::tongue::tongue;

/// How long typing has to rest before findings are looked for.
const REST: Duration = Duration::from_millis(150);

/// The server of one editor.
pub(super) struct Helper(Arc<Shared>);

struct Shared {
    client: Client,
    hotlines: Hotlines,
    columns: OnceLock<Columns>,
    /// The language that the editor shows.
    tongue: OnceLock<Tongue>,
    /// Whether the editor can be asked to watch files.
    watches: OnceLock<bool>,
    /// Files that have findings in the editor.
    marked: Mutex<HashSet<PathBuf>>,
}

/// A place in a hotline.
struct Here {
    hotline: Arc<Hotline>,
    file: String,
    byte: usize,
}

impl Helper {
    pub(super) fn new(client: Client) -> Self {
        Self(Arc::new(Shared {
            client,
            hotlines: Hotlines::default(),
            columns: OnceLock::new(),
            tongue: OnceLock::new(),
            watches: OnceLock::new(),
            marked: Mutex::default(),
        }))
    }
}

impl Shared {
    fn columns(&self) -> Columns {
        self.columns.get().copied().unwrap_or(Columns::Utf16)
    }

    /// The hotline of a file, and the file's name in it; none for files of no hotline.
    async fn hotline_of(&self, uri: &Uri) -> Option<(Arc<Hotline>, String)> {
        let path = uri.to_file_path()?;
        let folder = self.hotlines.folder(&path)?;
        let file = name_in(&folder, &path)?;
        match self.hotlines.hotline(&folder).await {
            Ok(hotline) => Some((hotline, file)),
            Err(failure) => {
                let message = format!("{:#}", failure.error);
                self.client.log_message(MessageType::ERROR, message).await;
                None
            }
        }
    }

    async fn here(&self, uri: &Uri, position: Position) -> Option<Here> {
        let (hotline, file) = self.hotline_of(uri).await?;
        let byte = self.columns().byte(hotline.text(&file), position);
        Some(Here { hotline, file, byte })
    }

    fn translator<'h>(&self, hotline: &'h Hotline, columns: Columns) -> Translator<'h> {
        let tongue = self.tongue.get().copied().unwrap_or_else(tongue);
        Translator {
            hotline,
            columns,
            tongue,
        }
    }

    /// Looks for findings once typing rests.
    fn look_soon(self: &Arc<Self>) {
        let shared = self.clone();
        let changes = self.hotlines.changes();
        tokio::spawn(async move {
            tokio::time::sleep(REST).await;
            // Whoever typed meanwhile looks later.
            if shared.hotlines.changes() == changes {
                shared.look(changes).await;
            }
        });
    }

    async fn look(&self, changes: u64) {
        let mut marked = HashSet::new();
        for folder in self.hotlines.folders() {
            let hotline = match self.hotlines.hotline(&folder).await {
                Ok(hotline) => hotline,
                Err(failure) => {
                    let message = format!("{:#}", failure.error);
                    self.client.show_message(MessageType::ERROR, message).await;
                    continue;
                }
            };
            if self.hotlines.changes() != changes {
                return;
            }
            let translator = self.translator(&hotline, self.columns());
            for (file, findings) in hotline.by_file() {
                let path = hotline.path(file);
                let known = self.marked().contains(&path);
                if findings.is_empty() && !known {
                    continue;
                }
                let Some(uri) = translator.uri(file) else { continue };
                let found = findings.into_iter().map(|finding| translator.diagnostic(finding));
                let found: Vec<_> = found.collect();
                if !found.is_empty() {
                    marked.insert(path);
                }
                self.client.publish_diagnostics(uri, found, None).await;
            }
        }
        // Files that are gone, or belong to no hotline any more, have no findings.
        let before = std::mem::replace(&mut *self.marked(), marked.clone());
        for path in before.difference(&marked) {
            if let Some(uri) = Uri::from_file_path(path) {
                self.client.publish_diagnostics(uri, Vec::new(), None).await;
            }
        }
    }

    fn marked(&self) -> std::sync::MutexGuard<'_, HashSet<PathBuf>> {
        self.marked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LanguageServer for Helper {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let general = params.capabilities.general.as_ref();
        let offered = general.and_then(|general| general.position_encodings.as_deref());
        let columns = Columns::choose(offered);
        let watches = params
            .capabilities
            .workspace
            .and_then(|workspace| workspace.did_change_watched_files)
            .and_then(|watching| watching.dynamic_registration)
            .unwrap_or_default();
        // An editor initializes once; the protocol refuses a second time before it comes here.
        let _ = self.0.columns.set(columns);
        if let Some(locale) = &params.locale {
            let _ = self.0.tongue.set(Tongue::of_locale(locale));
        }
        let _ = self.0.watches.set(watches);
        let triggers = [".", ":", " ", "{", "'", "\""];
        Ok(InitializeResult {
            capabilities: ServerCapabilities {
                position_encoding: Some(columns.kind()),
                text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
                    open_close: Some(true),
                    change: Some(TextDocumentSyncKind::FULL),
                    save: Some(true.into()),
                    ..TextDocumentSyncOptions::default()
                })),
                completion_provider: Some(CompletionOptions {
                    trigger_characters: Some(triggers.map(str::to_owned).to_vec()),
                    ..CompletionOptions::default()
                }),
                hover_provider: Some(HoverProviderCapability::Simple(true)),
                definition_provider: Some(OneOf::Left(true)),
                references_provider: Some(OneOf::Left(true)),
                document_symbol_provider: Some(OneOf::Left(true)),
                document_formatting_provider: Some(OneOf::Left(true)),
                code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
                    code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
                    ..CodeActionOptions::default()
                })),
                rename_provider: Some(OneOf::Right(RenameOptions {
                    prepare_provider: Some(true),
                    work_done_progress_options: Default::default(),
                })),
                ..ServerCapabilities::default()
            },
            server_info: Some(ServerInfo {
                name: "trunkline".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            ..InitializeResult::default()
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        if self.0.watches.get() != Some(&true) {
            return;
        }
        let watchers = ["**/*.yaml", "**/*.wasm"].map(|pattern| FileSystemWatcher {
            glob_pattern: GlobPattern::String(pattern.to_owned()),
            kind: None,
        });
        let options = DidChangeWatchedFilesRegistrationOptions {
            watchers: watchers.to_vec(),
        };
        let registration = Registration {
            id: "files".to_owned(),
            method: "workspace/didChangeWatchedFiles".to_owned(),
            register_options: serde_json::to_value(options).ok(),
        };
        if let Err(error) = self.0.client.register_capability(vec![registration]).await {
            let message = format!("files are not watched: {error}");
            self.0.client.log_message(MessageType::WARNING, message).await;
        }
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        if let Some(path) = params.text_document.uri.to_file_path() {
            self.0.hotlines.typed(&path, params.text_document.text);
            self.0.look_soon();
        }
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        // Whole texts are asked for, so the last one counts.
        let last = params.content_changes.into_iter().next_back();
        if let (Some(path), Some(change)) = (params.text_document.uri.to_file_path(), last) {
            self.0.hotlines.typed(&path, change.text);
            self.0.look_soon();
        }
    }

    async fn did_save(&self, _: DidSaveTextDocumentParams) {
        self.0.hotlines.stale();
        self.0.look_soon();
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        if let Some(path) = params.text_document.uri.to_file_path() {
            self.0.hotlines.closed(&path);
            self.0.look_soon();
        }
    }

    async fn did_change_watched_files(&self, _: DidChangeWatchedFilesParams) {
        self.0.hotlines.stale();
        self.0.look_soon();
    }

    async fn completion(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        let at = params.text_document_position;
        let Some(here) = self.0.here(&at.text_document.uri, at.position).await else {
            return Ok(None);
        };
        let translator = self.0.translator(&here.hotline, self.0.columns());
        let completions = here.hotline.editor.completions(&here.file, here.byte);
        let items = completions
            .into_iter()
            .enumerate()
            .map(|(order, completion)| translator.completion(&here.file, order, completion));
        Ok(Some(CompletionResponse::Array(items.collect())))
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let at = params.text_document_position_params;
        let Some(here) = self.0.here(&at.text_document.uri, at.position).await else {
            return Ok(None);
        };
        let hover = here.hotline.editor.hover(&here.file, here.byte);
        Ok(hover.map(|hover| Hover {
            contents: HoverContents::Markup(markdown(hover.markdown)),
            range: Some(self.0.columns().range(here.hotline.text(&here.file), &hover.span)),
        }))
    }

    async fn goto_definition(&self, params: GotoDefinitionParams) -> Result<Option<GotoDefinitionResponse>> {
        let at = params.text_document_position_params;
        let Some(here) = self.0.here(&at.text_document.uri, at.position).await else {
            return Ok(None);
        };
        let translator = self.0.translator(&here.hotline, self.0.columns());
        let places = here.hotline.editor.definition(&here.file, here.byte);
        let places = places.iter().filter_map(|place| translator.location(place));
        Ok(Some(GotoDefinitionResponse::Array(places.collect())))
    }

    async fn references(&self, params: ReferenceParams) -> Result<Option<Vec<Location>>> {
        let at = params.text_document_position;
        let Some(here) = self.0.here(&at.text_document.uri, at.position).await else {
            return Ok(None);
        };
        let translator = self.0.translator(&here.hotline, self.0.columns());
        let declarations = params.context.include_declaration;
        let places = here
            .hotline
            .editor
            .references(&here.file, here.byte, declarations);
        let places = places.iter().filter_map(|place| translator.location(place));
        Ok(Some(places.collect()))
    }

    async fn prepare_rename(
        &self,
        params: TextDocumentPositionParams,
    ) -> Result<Option<PrepareRenameResponse>> {
        let Some(here) = self.0.here(&params.text_document.uri, params.position).await else {
            return Ok(None);
        };
        let renamable = here
            .hotline
            .editor
            .renamable(&here.file, here.byte)
            .map_err(refused)?;
        Ok(Some(PrepareRenameResponse::RangeWithPlaceholder {
            range: self
                .0
                .columns()
                .range(here.hotline.text(&here.file), &renamable.span),
            placeholder: renamable.name.to_string(),
        }))
    }

    async fn rename(&self, params: RenameParams) -> Result<Option<WorkspaceEdit>> {
        let at = params.text_document_position;
        let Some(here) = self.0.here(&at.text_document.uri, at.position).await else {
            return Ok(None);
        };
        let edits = here
            .hotline
            .editor
            .rename(&here.file, here.byte, &params.new_name)
            .map_err(refused)?;
        let translator = self.0.translator(&here.hotline, self.0.columns());
        Ok(Some(translator.edit(&edits)))
    }

    async fn document_symbol(&self, params: DocumentSymbolParams) -> Result<Option<DocumentSymbolResponse>> {
        let Some((hotline, file)) = self.0.hotline_of(&params.text_document.uri).await else {
            return Ok(None);
        };
        let translator = self.0.translator(&hotline, self.0.columns());
        let steps = hotline.editor.outline(&file).into_iter();
        let symbols = steps.map(|step| translator.symbol(&file, step));
        Ok(Some(DocumentSymbolResponse::Nested(symbols.collect())))
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let Some((hotline, file)) = self.0.hotline_of(&params.text_document.uri).await else {
            return Ok(None);
        };
        let text = hotline.text(&file);
        let columns = self.0.columns();
        let (from, to) = (
            columns.byte(text, params.range.start),
            columns.byte(text, params.range.end),
        );
        let translator = self.0.translator(&hotline, columns);
        let here = hotline
            .findings
            .iter()
            .filter(|finding| *finding.file == *file && finding.span.start <= to && from <= finding.span.end);
        let actions = here.flat_map(|finding| {
            let fixes = finding.fixes.iter();
            fixes.map(move |fix| CodeActionOrCommand::CodeAction(translator.action(finding, fix)))
        });
        Ok(Some(actions.collect()))
    }

    async fn formatting(&self, params: DocumentFormattingParams) -> Result<Option<Vec<TextEdit>>> {
        let path = params.text_document.uri.to_file_path();
        let text = path.and_then(|path| self.0.hotlines.text(&path));
        let Some(text) = text else { return Ok(None) };
        match trunkline_flow::format::format(&text) {
            Ok(formatted) if *formatted == *text => Ok(None),
            Ok(formatted) => {
                let range = self.0.columns().range(&text, &(0..text.len()));
                Ok(Some(vec![TextEdit::new(range, formatted)]))
            }
            Err(error) => Err(refused(error)),
        }
    }
}

/// A request that is refused, with the reason that the editor shows.
fn refused(error: impl std::fmt::Display) -> Error {
    let mut refusal = Error::invalid_request();
    refusal.message = error.to_string().into();
    refusal
}
