//! Pictures of flows: what leads where, laid out and drawn.
//!
//! ```text
//! Checked flow --ways--> Graph --rank, order, place--> Layout --> svg | mermaid | text | JSON
//! ```
//!
//! [`layout`] gives a [`Layout`]: plain numbers and words, the same for the same flow on every
//! machine. [`svg`] draws it; the web console draws the same one. Where lines would only cover
//! each other, a way is written into its step as a *jump* (`no-input → human`): ways of failure
//! to a step where many gather, ways over many rows, and what holds anywhere.
//!
//! The layout is layered (Sugiyama): circles are cut where a depth-first walk comes back to a
//! step, rows are longest ways from the start, the order within a row keeps crossings few with
//! the keys of a menu left to right as on a keypad, and the main line (the way by `next` and by
//! first keys) is one straight line. It takes time that grows about as the flow does.

mod color;
mod layout;
mod mermaid;
mod order;
mod place;
mod rank;
mod show;
mod svg;
mod text;
mod ways;

pub(crate) use self::show::{about, faults};
pub use self::{
    layout::{Edge, Layout, Node, NodeKind, Point, layout},
    mermaid::mermaid,
    svg::{Paint, svg},
    text::text,
    ways::{EdgeKind, Way},
};
