//! A component forgets the comments of its WIT. Carrying the text along lets `plugin
//! inspect`, completion and the reference show them.

/// Puts a file of WIT text into the component, in the custom section `trunkline:wit`.
///
/// The path is relative to the source file, like that of `include_str!`; several files
/// follow each other in the section.
///
/// `trunkline plugin build` puts all files of the folder `wit` there itself, in place of what
/// stands there already, so a plugin that is built by it needs no line of this. A plugin that
/// plain `cargo build` makes does, or `inspect` and the reference show it without comments.
///
/// ```ignore
/// trunkline_sdk::embed_wit!("../wit/crm.wit");
/// ```
#[macro_export]
macro_rules! embed_wit {
    ($path:literal) => {
        const _: () = {
            #[cfg(target_arch = "wasm32")]
            #[used]
            #[unsafe(link_section = "trunkline:wit")]
            static WIT: [u8; include_bytes!($path).len()] = *include_bytes!($path);
        };
    };
}
