//! A component forgets the comments of its WIT. Carrying the text along lets `plugin
//! inspect`, completion and the reference show them.

/// Puts a file of WIT text into the component, in the custom section `trunkline:wit`.
///
/// The path is relative to the source file, like that of `include_str!`; several files
/// follow each other in the section.
///
/// `trunkline plugin build` puts all files of the folder `wit` into the component itself, so a
/// plugin that is built by it needs no line of this. A plugin that plain `cargo build` makes does,
/// or `inspect` and the reference show it without comments. Where `plugin build` runs the build it
/// sets `TRUNKLINE_PLUGIN_BUILD`, and then this puts nothing: both together leave one text.
///
/// ```ignore
/// trunkline_sdk::embed_wit!("../wit/crm.wit");
/// ```
#[macro_export]
macro_rules! embed_wit {
    ($path:literal) => {
        const _: () = {
            #[cfg(target_arch = "wasm32")]
            const TEXT: &[u8] = if ::core::option_env!("TRUNKLINE_PLUGIN_BUILD").is_some() {
                &[]
            } else {
                include_bytes!($path)
            };
            #[cfg(target_arch = "wasm32")]
            #[used]
            #[unsafe(link_section = "trunkline:wit")]
            static WIT: [u8; TEXT.len()] = match TEXT.first_chunk() {
                Some(text) => *text,
                None => [0; TEXT.len()],
            };
        };
    };
}
