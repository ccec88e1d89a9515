//! Describes the tables as functions, in WIT.

use crate::table::{Field, Kind, Table};

/// The refusal of a table without `else`, when no rule holds.
pub(crate) const NO_RULE: &str = "no-rule";

/// The package of all tables.
pub(crate) fn wit(tables: &[Table]) -> String {
    let mut text = "package hotline:rule-book@0.1.0;\n\ninterface rules {\n".to_owned();
    text.push_str(&format!(
        "  /// Why a table gives nothing.\n  enum refusal {{\n    /// None of its rules holds.\n    {NO_RULE},\n  }}\n"
    ));
    for table in tables {
        function(table, &mut text);
    }
    text.push_str("}\n");
    text
}

fn function(table: &Table, text: &mut String) {
    let name = &table.name;
    for field in table.given.iter().chain(&table.gives) {
        if let Kind::OneOf(words) = &field.kind {
            let words: Vec<String> = words.iter().map(|word| format!("%{word}")).collect();
            text.push_str(&format!(
                "\n  enum {name}-{} {{ {} }}\n",
                field.name,
                words.join(", ")
            ));
        }
    }
    let fields = |fields: &[Field]| {
        let fields: Vec<String> = fields
            .iter()
            .map(|field| {
                let ty = ty(table, field);
                let ty = if field.optional {
                    format!("option<{ty}>")
                } else {
                    ty
                };
                format!("%{}: {ty}", field.name)
            })
            .collect();
        fields.join(", ")
    };
    text.push_str(&format!(
        "\n  record {name}-answer {{ {} }}\n\n",
        fields(&table.gives)
    ));
    for line in &table.about {
        text.push_str(&format!("  /// {line}\n"));
    }
    let answer = if table.otherwise.is_some() {
        format!("{name}-answer")
    } else {
        format!("result<{name}-answer, refusal>")
    };
    text.push_str(&format!(
        "  %{name}: func({}) -> {answer};\n",
        fields(&table.given)
    ));
}

fn ty(table: &Table, field: &Field) -> String {
    match &field.kind {
        Kind::Text => "string".to_owned(),
        Kind::Number => "s64".to_owned(),
        Kind::YesOrNo => "bool".to_owned(),
        Kind::OneOf(_) => format!("{}-{}", table.name, field.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::book;

    #[test]
    fn tables_are_functions() {
        let text = wit(&book(crate::RULES).unwrap());
        for line in [
            "  enum which-office-matter { %water, %gas, %road, %noise, %other }\n",
            "  record which-office-answer { %office: string, %hours: s64 }\n",
            "  /// Whether a caller is called back after a rating, and how soon.\n",
            "  %which-office: func(%district: which-office-district, %matter: which-office-matter, %daytime: bool) \
             -> result<which-office-answer, refusal>;\n",
            "  %follow-up: func(%stars: s64, %complaints: option<s64>) -> follow-up-answer;\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
