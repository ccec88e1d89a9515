//! A card as text and as fields. Pure, so that the benchmarks can do the same step natively.

/// A citizen's card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    /// The register's number.
    pub(crate) id: String,
    /// The citizen's name.
    pub(crate) name: String,
    /// The district.
    pub(crate) district: String,
    /// Street and house.
    pub(crate) street: String,
    /// Year of birth.
    pub(crate) born: u16,
    /// The household's number.
    pub(crate) household: u32,
    /// Whether the address is registered.
    pub(crate) registered: bool,
}

/// Reads a card.
///
/// # Errors
/// The name of the first field that is missing or malformed.
pub(crate) fn read(text: &str) -> Result<Card, &'static str> {
    let field = |name: &'static str| {
        text.split(';')
            .find_map(|pair| pair.split_once('=').filter(|(key, _)| key.trim() == name))
            .map(|(_, value)| value.trim())
            .ok_or(name)
    };
    Ok(Card {
        id: field("id")?.to_owned(),
        name: field("name")?.to_owned(),
        district: field("district")?.to_owned(),
        street: field("street")?.to_owned(),
        born: field("born")?.parse().map_err(|_| "born")?,
        household: field("household")?.parse().map_err(|_| "household")?,
        registered: field("registered")?.parse().map_err(|_| "registered")?,
    })
}
