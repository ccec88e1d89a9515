//! What a key names: of JSON, of a parameter, of an element.

use super::Kind;

/// Parts of keys by what they name, in small letters with `-` around each word. One that begins or ends
/// with `-` is a word's begin or end.
const KEYS: &[(Kind, &[&str])] = &[
    (
        Kind::Secret,
        &[
            "token",
            "secret",
            "password",
            "passwd",
            "passphrase",
            "-pwd-",
            "-pin-",
            "-api-key-",
            "-apikey-",
            "-access-key-",
            "-private-key-",
            "-session-",
            "-sessionid-",
            "-sid-",
            "signature",
            "-sign-",
            "credential",
            "authorization",
            "口令",
            "密码",
            "密钥",
            "验证码",
        ],
    ),
    (
        Kind::IdNumber,
        &[
            "-id-number-",
            "-id-num-",
            "-id-no-",
            "-id-card-",
            "-idnumber-",
            "-idno-",
            "-idcard",
            "identity-",
            "identitynumber",
            "-cert-no-",
            "-certno-",
            "-cert-number-",
            "-ssn-",
            "social-security",
            "national-id-",
            "passport",
            "身份证",
            "证件号",
        ],
    ),
    (
        Kind::Phone,
        &[
            "phone", "mobile", "msisdn", "-tel-", "-telno-", "-cell-", "-fax-", "电话", "手机",
        ],
    ),
    (Kind::Email, &["email", "mail-", "邮箱", "邮件地址"]),
    (Kind::Address, &["address", "-addr-", "street", "住址", "地址"]),
    (
        Kind::Name,
        &["-surname-", "-nickname-", "姓名", "名字", "联系人", "称呼"],
    ),
];

/// What stands before `name` where it is no person's.
const THINGS: &[&str] = &[
    "app",
    "area",
    "bank",
    "branch",
    "brand",
    "city",
    "class",
    "column",
    "company",
    "country",
    "department",
    "district",
    "domain",
    "event",
    "field",
    "file",
    "function",
    "group",
    "host",
    "key",
    "module",
    "office",
    "organization",
    "package",
    "path",
    "place",
    "product",
    "project",
    "province",
    "region",
    "road",
    "role",
    "school",
    "service",
    "station",
    "table",
    "tag",
    "type",
];

/// Last words of keys about something personal that is not in their values.
const ABOUT: &[&str] = &[
    "type", "kind", "count", "total", "status", "verified", "required", "enabled", "length", "format", "in",
    "at",
];

/// What a key names.
pub(super) fn kind_of(key: &str) -> Option<Kind> {
    let words = words(key);
    let (last, before) = words.split_last()?;
    if ABOUT.contains(&last.as_str()) {
        return None;
    }
    let dashed = format!("-{}-", words.join("-"));
    let named = KEYS
        .iter()
        .find(|(_, parts)| parts.iter().any(|part| dashed.contains(part)))
        .map(|(kind, _)| *kind);
    named.or_else(|| {
        let stem = last.strip_suffix("name")?;
        let of = if stem.is_empty() {
            before.last().map_or("", String::as_str)
        } else {
            stem
        };
        (!THINGS.contains(&of)).then_some(Kind::Name)
    })
}

/// The words of a key, in small letters and without the `s` of many: `mobilePhones` is `mobile`, `phone`.
fn words(key: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = None;
    for c in key.chars() {
        let begins = match before {
            None => true,
            Some(before) => c.is_uppercase() && !char::is_uppercase(before),
        };
        if !c.is_alphanumeric() {
            before = None;
            continue;
        }
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
        before = Some(c);
    }
    for word in &mut words {
        if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("us") {
            word.pop();
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_their_parts() {
        for (kind, keys) in [
            (
                Some(Kind::Phone),
                &[
                    "phone",
                    "phones",
                    "mobile_phone",
                    "mobilePhones",
                    "TEL",
                    "contact-phone-number",
                    "联系电话",
                ][..],
            ),
            (
                Some(Kind::IdNumber),
                &[
                    "id_number",
                    "idCardNo",
                    "idNo",
                    "IDCard",
                    "citizen_id_number",
                    "passport-no",
                    "身份证号码",
                ],
            ),
            (
                Some(Kind::Secret),
                &[
                    "client_secret",
                    "accessToken",
                    "X-Auth-Token",
                    "db_password",
                    "sessionId",
                    "api_key",
                ],
            ),
            (
                Some(Kind::Name),
                &[
                    "name",
                    "names",
                    "fullName",
                    "first_name",
                    "applicant_name",
                    "Name",
                    "surname",
                    "username",
                    "申请人姓名",
                ],
            ),
            (Some(Kind::Email), &["email", "e-mail", "emailAddress", "mail"]),
            (
                Some(Kind::Address),
                &["address", "home_address", "streets", "家庭住址"],
            ),
            (
                None,
                &[
                    "id",
                    "district",
                    "district_name",
                    "filename",
                    "hostName",
                    "android_node",
                    "phone_type",
                    "token_expires_in",
                    "phone_verified",
                    "notes",
                    "status",
                    "",
                    "-",
                    "telemetry",
                ],
            ),
        ] {
            for key in keys {
                assert_eq!(kind_of(key), kind, "{key}");
            }
        }
    }
}
