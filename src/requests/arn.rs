//! Checks the text of ARNs and bare identifiers, so that none can change a request's path or refer to another account.

use std::fmt;

/// The partition and Region of the function. Every ARN must contain both.
///
/// A replica of an instance in another Region has the same identifier (Administrator Guide, "Set up Amazon Connect Global
/// Resiliency"), so an ARN of another Region would silently become a call to this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArnScope {
    partition: &'static str,
    region: String,
}

impl ArnScope {
    /// Creates the scope of a Region. The partition follows from the Region's name (AWS General Reference, "Amazon
    /// Resource Names"; the prefixes come from the SDKs' partitions file).
    pub fn new(region: impl Into<String>) -> Self {
        let region = region.into();
        let partition = match region.split('-').next().unwrap_or_default() {
            "cn" => "aws-cn",
            "eusc" => "aws-eusc",
            "us" if region.starts_with("us-gov-") => "aws-us-gov",
            "us" if region.starts_with("us-iso-") => "aws-iso",
            "us" if region.starts_with("us-isob-") => "aws-iso-b",
            "us" if region.starts_with("us-isof-") => "aws-iso-f",
            "eu" if region.starts_with("eu-isoe-") => "aws-iso-e",
            _ => "aws",
        };
        ArnScope { partition, region }
    }

    /// The Region, such as `eu-central-1`.
    pub fn region(&self) -> &str {
        &self.region
    }
}

/// The kind of resource that an identifier refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An instance: at most 100 characters.
    Instance,
    /// A queue: at most 500 characters.
    Queue,
    /// An email address: at most 500 characters.
    EmailAddress,
}

impl Kind {
    /// Maximum length of an identifier, in characters. The API reference, AssociateQueueEmailAddresses, specifies the
    /// maximum for `InstanceId` and `EmailAddressId`, but not for `QueueId`.
    fn max_length(self) -> usize {
        match self {
            Kind::Instance => 100,
            Kind::Queue | Kind::EmailAddress => 500,
        }
    }

    /// The segment before this kind's identifier in an ARN, after the instance's.
    fn segment(self) -> Option<&'static str> {
        match self {
            Kind::Instance => None,
            Kind::Queue => Some("queue"),
            Kind::EmailAddress => Some("email-address"),
        }
    }

    fn arn_form(self) -> &'static str {
        match self {
            Kind::Instance => "arn:<partition>:connect:<region>:<account>:instance/<id>",
            Kind::Queue => "arn:<partition>:connect:<region>:<account>:instance/<id>/queue/<id>",
            Kind::EmailAddress => {
                "arn:<partition>:connect:<region>:<account>:instance/<id>/email-address/<id>"
            }
        }
    }
}

/// The bare identifier, and the account and the instance of an ARN.
type Parts<'a> = (&'a str, Option<(&'a str, &'a str)>);

/// Checks the text of an identifier, which may be bare or an ARN. Returns the bare identifier, and the account and the
/// instance of an ARN.
///
/// # Errors
/// Returns the problem and the expected form. The message does not contain the value, because it may be an email address
/// in the wrong field.
pub(super) fn parse<'a>(text: &'a str, kind: Kind, scope: &ArnScope) -> Result<Parts<'a>, String> {
    if !text.starts_with("arn:") {
        return Ok((bare(text, kind)?, None));
    }
    let malformed = || format!("is a malformed ARN; expected {}", kind.arn_form());
    let mut parts = text.splitn(6, ':').skip(1);
    let mut part = || parts.next().ok_or_else(malformed);
    let (partition, service, region, account, resource) = (part()?, part()?, part()?, part()?, part()?);
    if service != "connect" || account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
        return Err(malformed());
    }
    let mut segments = resource.split('/');
    let instance = match (segments.next(), segments.next()) {
        (Some("instance"), Some(id)) => id,
        _ => return Err(malformed()),
    };
    let id = match kind.segment() {
        None => instance,
        Some(segment) if segments.next() == Some(segment) => segments.next().ok_or_else(malformed)?,
        Some(_) => return Err(malformed()),
    };
    if segments.next().is_some() {
        return Err(malformed());
    }
    bare(instance, Kind::Instance).map_err(|reason| format!("is an ARN whose instance {reason}"))?;
    bare(id, kind).map_err(|reason| format!("is an ARN whose identifier {reason}"))?;
    if partition != scope.partition || region != scope.region {
        return Err(format!(
            "is an ARN of another partition or Region; expected {} and {}",
            scope.partition, scope.region
        ));
    }
    Ok((id, Some((account, instance))))
}

fn bare(text: &str, kind: Kind) -> Result<&str, String> {
    if text.is_empty() {
        return Err("must not be empty".to_owned());
    }
    // Checks every byte without a branch, so that the processor compares sixteen at once.
    let accepted = |byte: u8| byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'_') | (byte == b'.');
    let is_invalid = |c: char| !u8::try_from(c).is_ok_and(accepted);
    // Runs for every identifier, so bytes are checked first. Splitting text into characters is much slower.
    if !text.bytes().fold(true, |all, byte| all & accepted(byte))
        && let Some((position, c)) = text.chars().enumerate().find(|(_, c)| is_invalid(*c))
    {
        let hint = match (c, kind) {
            ('@', Kind::EmailAddress) => "; to specify an address itself, use emailAddress",
            (' ', Kind::Queue) => "; to specify a queue by its name, use queueName",
            _ => "",
        };
        return Err(format!(
            "has {} at position {}; expected an identifier (letters, digits, '-', '_', '.') or an ARN{hint}",
            DisplayChar(c),
            position + 1
        ));
    }
    // All characters are ASCII here, so the length in bytes is the length in characters.
    if text.len() > kind.max_length() {
        return Err(format!("has {} characters; expected at most {}", text.len(), kind.max_length()));
    }
    if text == "." || text == ".." {
        return Err("is a relative path; expected an identifier or an ARN".to_owned());
    }
    Ok(text)
}

/// Displays a character in a form that a log can contain. The log would redact an at sign.
struct DisplayChar(char);

impl fmt::Display for DisplayChar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == '@' {
            f.write_str("an at sign")
        } else if self.0.is_ascii_graphic() || self.0 == ' ' {
            write!(f, "'{}'", self.0)
        } else {
            write!(f, "U+{:04X}", u32::from(self.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTANCE: &str = "arn:aws:connect:eu-central-1:111122223333:instance/i-1";

    fn parse(text: &str, kind: Kind) -> Result<Parts<'_>, String> {
        super::parse(text, kind, &ArnScope::new("eu-central-1"))
    }

    #[test]
    fn bare_identifiers() {
        for text in ["q", "a.b", "A-1_2", "...", "11111111-2222-3333-4444-555555555555"] {
            assert_eq!(parse(text, Kind::Queue), Ok((text, None)));
        }
        assert!(parse(&"q".repeat(500), Kind::Queue).is_ok());
        assert!(parse(&"i".repeat(100), Kind::Instance).is_ok());
        let expected = "expected an identifier (letters, digits, '-', '_', '.') or an ARN";
        let table = [
            (String::new(), Kind::Queue, "must not be empty".to_owned()),
            (".".into(), Kind::Queue, "is a relative path; expected an identifier or an ARN".into()),
            ("..".into(), Kind::Queue, "is a relative path; expected an identifier or an ARN".into()),
            ("a/b".into(), Kind::Instance, format!("has '/' at position 2; {expected}")),
            ("a%2fb".into(), Kind::Queue, format!("has '%' at position 2; {expected}")),
            ("a\0".into(), Kind::Queue, format!("has U+0000 at position 2; {expected}")),
            ("é".into(), Kind::Queue, format!("has U+00E9 at position 1; {expected}")),
            (
                "Billing EU".into(),
                Kind::Queue,
                format!("has ' ' at position 8; {expected}; to specify a queue by its name, use queueName"),
            ),
            (
                "a@b.example".into(),
                Kind::EmailAddress,
                format!(
                    "has an at sign at position 2; {expected}; to specify an address itself, use emailAddress"
                ),
            ),
            ("q".repeat(501), Kind::Queue, "has 501 characters; expected at most 500".into()),
            ("q".repeat(101), Kind::Instance, "has 101 characters; expected at most 100".into()),
        ];
        for (text, kind, message) in table {
            assert_eq!(parse(&text, kind), Err(message), "{text:?}");
        }
    }

    #[test]
    fn arns() {
        let arn = Some(("111122223333", "i-1"));
        assert_eq!(parse(INSTANCE, Kind::Instance), Ok(("i-1", arn)));
        assert_eq!(parse(&format!("{INSTANCE}/queue/q"), Kind::Queue), Ok(("q", arn)));
        let address = format!("{INSTANCE}/email-address/e");
        assert_eq!(parse(&address, Kind::EmailAddress), Ok(("e", arn)));
    }

    #[test]
    fn other_arns_are_rejected() {
        let malformed = "malformed ARN";
        let elsewhere = "another partition or Region";
        let table = [
            ("arn:aws:connect".to_owned(), Kind::Instance, malformed),
            (INSTANCE.to_owned(), Kind::Queue, malformed),
            (format!("{INSTANCE}/queue/q"), Kind::Instance, malformed),
            (format!("{INSTANCE}/queue/q"), Kind::EmailAddress, malformed),
            (format!("{INSTANCE}/queue/q/x"), Kind::Queue, malformed),
            (format!("{INSTANCE}/queue"), Kind::Queue, malformed),
            (INSTANCE.replace("connect", "s3"), Kind::Instance, malformed),
            (INSTANCE.replace("111122223333", "1111"), Kind::Instance, malformed),
            (format!("{INSTANCE}/queue/"), Kind::Queue, "whose identifier must not be empty"),
            (format!("{INSTANCE}/queue/a:b"), Kind::Queue, "whose identifier has ':'"),
            (INSTANCE.replace("i-1", ".."), Kind::Instance, "whose instance is a relative path"),
            (INSTANCE.replace("eu-central-1", "us-east-1"), Kind::Instance, elsewhere),
            (INSTANCE.replace("arn:aws:", "arn:aws-cn:"), Kind::Instance, elsewhere),
        ];
        for (text, kind, reason) in table {
            let error = parse(&text, kind).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn the_partition_follows_from_the_region() {
        for (region, partition) in [
            ("eu-central-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("eusc-de-east-1", "aws-eusc"),
            ("us-east-1", "aws"),
        ] {
            assert_eq!(ArnScope::new(region).partition, partition);
        }
    }
}
