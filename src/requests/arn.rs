//! Reads ARNs and bare identifiers. Their text is checked, so that none can change a request's path or refer to another
//! account.

use super::identifier::{Id, Instance, InstanceId, Resource};

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

/// An identifier as a caller wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identifier<'a, Of> {
    /// The bare identifier.
    pub id: Id<Of, &'a str>,
    /// The other parts of the ARN, if the caller gave an ARN.
    pub arn: Option<Arn<'a>>,
}

/// The parts of an ARN other than the identifier itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    /// The account, twelve digits.
    pub account: &'a str,
    /// The instance.
    pub instance: InstanceId<&'a str>,
}

impl<Of: Resource> Id<Of> {
    /// Checks an identifier, which may be bare or an ARN, and returns the bare identifier.
    ///
    /// # Errors
    /// Returns the same errors as [`Identifier::parse`].
    pub fn parse(text: &str, scope: &ArnScope) -> Result<Self, String> {
        Identifier::parse(text, scope).map(|identifier| identifier.id.shared())
    }
}

impl<'a, Of: Resource> Identifier<'a, Of> {
    /// Checks an identifier, which may be bare or an ARN.
    ///
    /// # Errors
    /// Returns the problem and the expected form. The message does not contain the value, because it may be an email
    /// address in the wrong field.
    pub fn parse(text: &'a str, scope: &ArnScope) -> Result<Self, String> {
        if !text.starts_with("arn:") {
            return Ok(Identifier { id: Id::checked(bare::<Of>(text)?), arn: None });
        }
        let malformed = || format!("is a malformed ARN; expected {}", Of::ARN_FORM);
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
        let id = match Of::SEGMENT {
            None => instance,
            Some(segment) if segments.next() == Some(segment) => segments.next().ok_or_else(malformed)?,
            Some(_) => return Err(malformed()),
        };
        if segments.next().is_some() {
            return Err(malformed());
        }
        bare::<Instance>(instance).map_err(|reason| format!("is an ARN whose instance {reason}"))?;
        bare::<Of>(id).map_err(|reason| format!("is an ARN whose identifier {reason}"))?;
        if partition != scope.partition || region != scope.region {
            return Err(format!(
                "is an ARN of another partition or Region; expected {} and {}",
                scope.partition, scope.region
            ));
        }
        let arn = Arn { account, instance: Id::checked(instance) };
        Ok(Identifier { id: Id::checked(id), arn: Some(arn) })
    }
}

fn bare<Of: Resource>(text: &str) -> Result<&str, String> {
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
        let hint = match Of::HINT {
            Some((wrong, hint)) if wrong == c => hint,
            _ => "",
        };
        return Err(format!(
            "contains {} at position {}; expected an identifier (letters, digits, '-', '_', '.') or an ARN{hint}",
            shown(c),
            position + 1
        ));
    }
    // All characters are ASCII here, so the length in bytes is the length in characters.
    if text.len() > Of::MAX_LENGTH {
        return Err(format!("has {} characters; expected at most {}", text.len(), Of::MAX_LENGTH));
    }
    if text == "." || text == ".." {
        return Err("is a relative path; expected an identifier or an ARN".to_owned());
    }
    Ok(text)
}

/// Returns a character in a form that a log can contain. The log would redact an at sign.
fn shown(c: char) -> String {
    match c {
        '@' => "an at sign".to_owned(),
        ' ' => "a space".to_owned(),
        c if c.is_ascii_graphic() => format!("'{c}'"),
        c => format!("U+{:04X}", u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::identifier::{EmailAddress, Queue};
    use super::*;

    const INSTANCE: &str = "arn:aws:connect:eu-central-1:111122223333:instance/i-1";

    /// The bare identifier, and the account and the instance of an ARN.
    type Parts<'a> = (&'a str, Option<(&'a str, &'a str)>);

    fn parse<Of: Resource>(text: &str) -> Result<Parts<'_>, String> {
        let identifier = Identifier::<Of>::parse(text, &ArnScope::new("eu-central-1"))?;
        Ok((identifier.id.text, identifier.arn.map(|arn| (arn.account, arn.instance.text))))
    }

    #[test]
    fn identifiers_and_arns_are_accepted() {
        for text in ["q", "a.b", "A-1_2", "...", "11111111-2222-3333-4444-555555555555"] {
            assert_eq!(parse::<Queue>(text), Ok((text, None)));
        }
        assert!(parse::<Queue>(&"q".repeat(500)).is_ok());
        assert!(parse::<Instance>(&"i".repeat(100)).is_ok());
        let arn = Some(("111122223333", "i-1"));
        assert_eq!(parse::<Instance>(INSTANCE), Ok(("i-1", arn)));
        assert_eq!(parse::<Queue>(&format!("{INSTANCE}/queue/q")), Ok(("q", arn)));
        let address = format!("{INSTANCE}/email-address/e");
        assert_eq!(parse::<EmailAddress>(&address), Ok(("e", arn)));
    }

    /// `messages.txt` lists the messages, and `tests/schema` other malformed ARNs.
    #[test]
    fn invalid_parts_of_an_arn_are_identified() {
        for (text, reason) in [
            (format!("{INSTANCE}/queue/"), "whose identifier must not be empty"),
            (format!("{INSTANCE}/queue/a:b"), "whose identifier contains ':'"),
            (format!("{INSTANCE}/queue/\0"), "whose identifier contains U+0000"),
            (format!("{INSTANCE}/queue/q").replace("i-1", ".."), "whose instance is a relative path"),
            (format!("{INSTANCE}/queue/q").replace("arn:aws:", "arn:aws-cn:"), "another partition or Region"),
        ] {
            let error = parse::<Queue>(&text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn partition_follows_from_the_region() {
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
