//! Derives the URL of a queue from its ARN. A request to SQS for the URL would need a permission and a call.

/// The domain of the endpoints of each public partition (AWS General Reference, "Service endpoints and quotas").
const DOMAINS: [(&str, &str); 4] = [
    ("aws", "amazonaws.com"),
    ("aws-us-gov", "amazonaws.com"),
    ("aws-cn", "amazonaws.com.cn"),
    ("aws-eusc", "amazonaws.eu"),
];

/// Returns the URL of a queue in the client's Region. The queue may belong to another account. `endpoint` is the
/// client's custom endpoint, if it has one. Returns `None` unless `arn` is the ARN of a queue in that Region, because
/// the client cannot reach any other queue.
pub(crate) fn queue_url(arn: &str, region: &str, endpoint: Option<&str>) -> Option<String> {
    let mut parts = arn.splitn(6, ':');
    let [Some("arn"), Some(partition), Some("sqs"), Some(of_queue), Some(account), Some(name)] =
        std::array::from_fn(|_| parts.next())
    else {
        return None;
    };
    let is_account = !account.is_empty() && account.bytes().all(|b| b.is_ascii_digit());
    // A name has letters, digits, hyphens, underscores, and perhaps the FIFO suffix (SQS API reference, CreateQueue).
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if of_queue != region || !is_account || name.is_empty() || !name.bytes().all(is_name) {
        return None;
    }
    let endpoint = match endpoint {
        Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
        None => {
            let (_, domain) = DOMAINS.into_iter().find(|(known, _)| *known == partition)?;
            format!("https://sqs.{region}.{domain}")
        }
    };
    Some(format!("{endpoint}/{account}/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_follows_from_the_arn() {
        let local = Some("http://127.0.0.1:4566/");
        let table = [
            (
                "arn:aws:sqs:eu-central-1:111122223333:requests",
                None,
                Some("https://sqs.eu-central-1.amazonaws.com/111122223333/requests"),
            ),
            (
                "arn:aws:sqs:eu-central-1:444455556666:of-another_account.fifo",
                None,
                Some("https://sqs.eu-central-1.amazonaws.com/444455556666/of-another_account.fifo"),
            ),
            (
                "arn:aws-eusc:sqs:eu-central-1:111122223333:requests",
                None,
                Some("https://sqs.eu-central-1.amazonaws.eu/111122223333/requests"),
            ),
            (
                "arn:aws:sqs:eu-central-1:111122223333:requests",
                local,
                Some("http://127.0.0.1:4566/111122223333/requests"),
            ),
            ("arn:aws:sqs:us-east-1:111122223333:requests", None, None),
            ("arn:aws:sqs:us-east-1:111122223333:requests", local, None),
            ("arn:aws-unknown:sqs:eu-central-1:111122223333:requests", None, None),
            ("arn:aws:sns:eu-central-1:111122223333:requests", None, None),
            ("arn:aws:sqs:eu-central-1:account:requests", None, None),
            ("arn:aws:sqs:eu-central-1:111122223333:", None, None),
            ("arn:aws:sqs:eu-central-1:111122223333:a/b", None, None),
            ("arn:aws:sqs:eu-central-1:111122223333", None, None),
            ("", None, None),
        ];
        for (arn, endpoint, url) in table {
            assert_eq!(queue_url(arn, "eu-central-1", endpoint).as_deref(), url, "{arn}");
        }
    }
}
