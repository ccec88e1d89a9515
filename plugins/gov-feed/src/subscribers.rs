//! The register of those who asked to be told. Pure, and tested natively.

use serde::Deserialize;

/// A list of subscribers; fields that it may have besides are passed over.
#[derive(Deserialize)]
struct Subscribers {
    subscribers: Vec<String>,
}

/// A list that is not of the documented form.
#[derive(Debug, thiserror::Error)]
#[error("the list of subscribers is not of the documented form: {0}")]
pub(crate) struct Error(#[from] serde_json::Error);

/// Where the subscribers of some districts are asked for; of none, those of the whole city.
pub(crate) fn address(url: &str, districts: &[String]) -> String {
    let mut address = url.to_owned();
    for (index, district) in districts.iter().enumerate() {
        address.push(if index == 0 { '?' } else { '&' });
        address.push_str("district=");
        for byte in district.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                address.push(char::from(byte));
            } else {
                address.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    address
}

/// The telephone numbers of a list.
pub(crate) fn read(body: &[u8]) -> Result<Vec<String>, Error> {
    let list: Subscribers = serde_json::from_slice(body)?;
    Ok(list.subscribers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn districts_are_asked_for_one_by_one_and_the_whole_city_at_once() {
        let url = "http://127.0.0.1:7002/v1/subscribers";
        assert_eq!(address(url, &[]), url);
        assert_eq!(
            address(url, &["xihu".to_owned(), "西湖 1".to_owned()]),
            format!("{url}?district=xihu&district=%E8%A5%BF%E6%B9%96%201")
        );
    }

    #[test]
    fn a_list_is_read_whole_or_not_at_all() {
        let list = br#"{ "subscribers": ["+8613800138000"], "more": 1 }"#;
        assert_eq!(read(list).unwrap(), ["+8613800138000"]);
        assert!(read(br#"{ "subscribers": [1] }"#).is_err());
        assert!(read(b"<html>").is_err());
    }
}
