//! The conversation as a fold: decide, apply, pending.
