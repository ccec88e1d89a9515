//! The flow language: parse, expressions, check, diagnostics.
