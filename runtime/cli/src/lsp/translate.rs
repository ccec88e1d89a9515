//! What the flow crate says, in the protocol's words.

use std::collections::HashMap;

use tower_lsp_server::ls_types::{
    CodeAction, CodeActionKind, CompletionItem, CompletionItemKind, CompletionTextEdit, Diagnostic,
    DiagnosticRelatedInformation, DiagnosticSeverity, DocumentSymbol, Documentation, Location, MarkupContent,
    MarkupKind, NumberOrString, SymbolKind, TextEdit, Uri, WorkspaceEdit,
};
use trunkline_flow::{
    Severity, Tongue,
    diagnostics::{self, Edit, Fix},
    editor::{self, Completion, CompletionKind, Outline, Subject},
};

use super::{hotlines::Hotline, places::Columns};

/// A hotline, and how places in it are counted.
#[derive(Clone, Copy)]
pub(super) struct Translator<'h> {
    pub(super) hotline: &'h Hotline,
    pub(super) columns: Columns,
    /// The language of whoever edits.
    pub(super) tongue: Tongue,
}

impl Translator<'_> {
    /// The address of a file.
    pub(super) fn uri(&self, file: &str) -> Option<Uri> {
        Uri::from_file_path(self.hotline.path(file))
    }

    pub(super) fn location(&self, place: &editor::Location) -> Option<Location> {
        let range = self.columns.range(self.hotline.text(&place.file), &place.span);
        Some(Location::new(self.uri(&place.file)?, range))
    }

    pub(super) fn diagnostic(&self, finding: &diagnostics::Diagnostic) -> Diagnostic {
        let finding = &finding.in_tongue(self.tongue);
        let related: Vec<DiagnosticRelatedInformation> = finding
            .labels
            .iter()
            .filter_map(|label| {
                let range = self.columns.range(self.hotline.text(&label.file), &label.span);
                Some(DiagnosticRelatedInformation {
                    location: Location::new(self.uri(&label.file)?, range),
                    message: label.message.clone(),
                })
            })
            .collect();
        let mut message = finding.message.clone();
        for help in &finding.help {
            message.push_str(match self.tongue {
                Tongue::Chinese => "\n帮助：",
                Tongue::English => "\nhelp: ",
            });
            message.push_str(help);
        }
        Diagnostic {
            range: self
                .columns
                .range(self.hotline.text(&finding.file), &finding.span),
            severity: Some(match finding.severity {
                Severity::Error => DiagnosticSeverity::ERROR,
                Severity::Warning => DiagnosticSeverity::WARNING,
            }),
            code: Some(NumberOrString::String(finding.code.as_str().to_owned())),
            source: Some("trunkline".to_owned()),
            message,
            related_information: (!related.is_empty()).then_some(related),
            ..Diagnostic::default()
        }
    }

    /// A fix as something that can be chosen.
    pub(super) fn action(&self, finding: &diagnostics::Diagnostic, fix: &Fix) -> CodeAction {
        let place = finding.fixes.iter().position(|known| known == fix);
        let told = finding.in_tongue(self.tongue);
        let title = place
            .and_then(|place| told.fixes.get(place))
            .map(|fix| fix.title.clone());
        CodeAction {
            title: title.unwrap_or_else(|| fix.title.clone()),
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(vec![self.diagnostic(finding)]),
            edit: Some(self.edit(&fix.edits)),
            is_preferred: Some(fix.safe),
            ..CodeAction::default()
        }
    }

    pub(super) fn edit(&self, edits: &[Edit]) -> WorkspaceEdit {
        let mut changes: HashMap<Uri, Vec<TextEdit>> = HashMap::new();
        for edit in edits {
            if let Some(uri) = self.uri(&edit.file) {
                let range = self.columns.range(self.hotline.text(&edit.file), &edit.span);
                let edits = changes.entry(uri).or_default();
                edits.push(TextEdit::new(range, edit.text.clone()));
            }
        }
        WorkspaceEdit {
            changes: Some(changes),
            ..WorkspaceEdit::default()
        }
    }

    pub(super) fn completion(&self, file: &str, order: usize, completion: Completion) -> CompletionItem {
        let range = self.columns.range(self.hotline.text(file), &completion.replace);
        CompletionItem {
            kind: Some(kind(completion.kind)),
            detail: completion.detail,
            documentation: completion
                .docs
                .map(|docs| Documentation::MarkupContent(markdown(docs))),
            // As they come: verbs before fields, fields as people write them.
            sort_text: Some(format!("{order:05}")),
            filter_text: Some(completion.label.clone()),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit::new(range, completion.insert))),
            label: completion.label,
            ..CompletionItem::default()
        }
    }

    #[expect(deprecated, reason = "the field has no other way to be left out")]
    pub(super) fn symbol(&self, file: &str, step: Outline) -> DocumentSymbol {
        let text = self.hotline.text(file);
        DocumentSymbol {
            name: step.name.to_string(),
            detail: Some(step.detail),
            kind: SymbolKind::FUNCTION,
            tags: None,
            deprecated: None,
            range: self.columns.range(text, &step.span),
            selection_range: self.columns.range(text, &step.name_span),
            children: None,
        }
    }
}

pub(super) fn markdown(value: String) -> MarkupContent {
    MarkupContent {
        kind: MarkupKind::Markdown,
        value,
    }
}

const fn kind(kind: CompletionKind) -> CompletionItemKind {
    match kind {
        CompletionKind::Verb => CompletionItemKind::KEYWORD,
        CompletionKind::Field | CompletionKind::Member => CompletionItemKind::FIELD,
        CompletionKind::Argument => CompletionItemKind::PROPERTY,
        CompletionKind::Exit => CompletionItemKind::EVENT,
        CompletionKind::Type => CompletionItemKind::STRUCT,
        CompletionKind::Word => CompletionItemKind::ENUM_MEMBER,
        CompletionKind::Function => CompletionItemKind::FUNCTION,
        CompletionKind::Name(subject) => match subject {
            Subject::Variable | Subject::Output => CompletionItemKind::VARIABLE,
            Subject::Function => CompletionItemKind::METHOD,
            Subject::Plugin => CompletionItemKind::MODULE,
            Subject::Prompt => CompletionItemKind::TEXT,
            Subject::Step | Subject::Flow => CompletionItemKind::REFERENCE,
            Subject::Language
            | Subject::Calendar
            | Subject::Queue
            | Subject::Survey
            | Subject::Ticket
            | Subject::Agent
            | Subject::Skill
            | Subject::Service => CompletionItemKind::VALUE,
        },
    }
}
