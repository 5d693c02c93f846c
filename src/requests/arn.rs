//! ARNs and bare identifiers: checks their text, so that none can alter a request's path or reach another account.

use std::fmt;

/// The partition and Region of the function. Every ARN must name both.
///
/// A replica of an instance in another Region bears the same identifier (Administrator Guide, "Set up Amazon
/// Connect Global Resiliency"), so an ARN of another Region would silently become a call to this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    partition: &'static str,
    region: String,
}

impl Home {
    /// The home in a Region. The partition follows from the Region's name (AWS General Reference, "Amazon
    /// Resource Names"; the prefixes are those of the SDKs' partitions file).
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
        Home { partition, region }
    }

    /// The Region, such as `eu-central-1`.
    pub fn region(&self) -> &str {
        &self.region
    }
}

/// The kind of resource that an identifier names.
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
    /// The longest accepted identifier, in characters. The API reference, AssociateQueueEmailAddresses, gives the
    /// bounds of `InstanceId` and `EmailAddressId`. It gives none for `QueueId`.
    fn max_length(self) -> usize {
        match self {
            Kind::Instance => 100,
            Kind::Queue | Kind::EmailAddress => 500,
        }
    }

    /// The segment before this kind's identifier in an ARN, behind the instance's.
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
/// The problem and the accepted form. The message leaves the value out, because it may be an email address in the wrong
/// field.
pub(super) fn parse<'a>(text: &'a str, kind: Kind, home: &Home) -> Result<Parts<'a>, String> {
    if !text.starts_with("arn:") {
        return Ok((bare(text, kind)?, None));
    }
    let malformed = || format!("is a malformed ARN; accepted is {}", kind.arn_form());
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
    if partition != home.partition || region != home.region {
        return Err(format!(
            "is an ARN of another partition or Region than the function's; accepted are ARNs of {} in {}",
            home.partition, home.region
        ));
    }
    Ok((id, Some((account, instance))))
}

fn bare(text: &str, kind: Kind) -> Result<&str, String> {
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    // Every byte is looked at, without a branch, because the processor then compares sixteen at once.
    let accepted = |byte: u8| byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'_') | (byte == b'.');
    let refused = |c: char| !u8::try_from(c).is_ok_and(accepted);
    // Every identifier passes here, so bytes are checked first. Splitting text into characters is much slower.
    if !text.bytes().fold(true, |all, byte| all & accepted(byte))
        && let Some((position, c)) = text.chars().enumerate().find(|(_, c)| refused(*c))
    {
        let hint = match (c, kind) {
            ('@', Kind::EmailAddress) => " (an address itself goes into emailAddress)",
            (' ', Kind::Queue) => " (a queue's name goes into queueName)",
            _ => "",
        };
        return Err(format!(
            "has {} at position {}; accepted are letters, digits, '-', '_', '.' or an ARN{hint}",
            Shown(c),
            position + 1
        ));
    }
    // All characters are ASCII here, so the length in bytes is the length in characters.
    if text.len() > kind.max_length() {
        return Err(format!("is {} characters long; at most {} are accepted", text.len(), kind.max_length()));
    }
    if text == "." || text == ".." {
        return Err("is a relative path; an identifier or an ARN is expected".to_owned());
    }
    Ok(text)
}

/// Displays a character in a form that a log can show.
struct Shown(char);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_ascii_graphic() || self.0 == ' ' {
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
        super::parse(text, kind, &Home::new("eu-central-1"))
    }

    #[test]
    fn bare_identifiers() {
        for text in ["q", "a.b", "A-1_2", "...", "11111111-2222-3333-4444-555555555555"] {
            assert_eq!(parse(text, Kind::Queue), Ok((text, None)));
        }
        assert!(parse(&"q".repeat(500), Kind::Queue).is_ok());
        assert!(parse(&"i".repeat(100), Kind::Instance).is_ok());
        let accepted = "accepted are letters, digits, '-', '_', '.' or an ARN";
        let table = [
            (String::new(), Kind::Queue, "is empty".to_owned()),
            (".".into(), Kind::Queue, "is a relative path; an identifier or an ARN is expected".into()),
            ("..".into(), Kind::Queue, "is a relative path; an identifier or an ARN is expected".into()),
            ("a/b".into(), Kind::Instance, format!("has '/' at position 2; {accepted}")),
            ("a%2fb".into(), Kind::Queue, format!("has '%' at position 2; {accepted}")),
            ("a\0".into(), Kind::Queue, format!("has U+0000 at position 2; {accepted}")),
            ("é".into(), Kind::Queue, format!("has U+00E9 at position 1; {accepted}")),
            (
                "Billing EU".into(),
                Kind::Queue,
                format!("has ' ' at position 8; {accepted} (a queue's name goes into queueName)"),
            ),
            (
                "a@b.example".into(),
                Kind::EmailAddress,
                format!("has '@' at position 2; {accepted} (an address itself goes into emailAddress)"),
            ),
            ("q".repeat(501), Kind::Queue, "is 501 characters long; at most 500 are accepted".into()),
            ("q".repeat(101), Kind::Instance, "is 101 characters long; at most 100 are accepted".into()),
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
    fn foreign_arns_are_refused() {
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
            (format!("{INSTANCE}/queue/"), Kind::Queue, "whose identifier is empty"),
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
            assert_eq!(Home::new(region).partition, partition);
        }
    }
}
