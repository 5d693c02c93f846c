//! Reads the requests of a file or of a batch with the function's library, so that both read them in the same way.

use std::str::FromStr;

use queue_email_associator::index::{IndexList, PairIndex};
use queue_email_associator::pairs::{Mention, Pairs};
use queue_email_associator::payload::{Body, Delivery, Envelope, EnvelopeKind, Item, Json, Source};
use queue_email_associator::requests::{self, ArnScope, Base, Field, InstanceId, Path};

/// The field of a request with the line in the file of each of its addresses.
const ROWS: &str = "rows";

/// The field of a request with the references of its addresses, if they differ.
const REFERENCES: &str = "references";

/// The settings for reading a request.
#[derive(Debug, Clone)]
pub struct Context {
    /// The required partition and Region of every ARN.
    pub scope: ArnScope,
    /// The instance of requests without one, if it is known here.
    pub instance: Option<InstanceId>,
}

/// The requests of a file or of a batch.
#[derive(Debug)]
pub(crate) struct Requests<'p> {
    envelope: Envelope<'p>,
    /// All distinct pairs and all invalid parts.
    pub(crate) pairs: Pairs,
}

impl<'p> Requests<'p> {
    /// Reads the requests of a file. Each is an item of a batch.
    pub(crate) fn of_items(items: Vec<Json<'p>>, context: &Context) -> Result<Self, String> {
        let source = Source {
            id: None,
            body: Body::Items { items: items.into_iter().map(Item::Request).collect(), batch_input: None },
            delivery: Delivery::default(),
        };
        Requests::new(
            Envelope {
                kind: EnvelopeKind::DistributedMap,
                sources: vec![source].into(),
                other_members: Vec::new(),
            },
            context,
        )
    }

    /// Reads the input of a child execution, which is a batch or one request.
    pub(crate) fn of_input(input: &'p str, context: &Context) -> Result<Self, String> {
        let envelope = Envelope::read(input.as_bytes()).map_err(|reason| reason.to_string())?;
        match envelope.kind {
            EnvelopeKind::DistributedMap | EnvelopeKind::Direct => Requests::new(envelope, context),
            EnvelopeKind::Sqs | EnvelopeKind::Pipes | EnvelopeKind::EventBridge | EnvelopeKind::Sns => {
                Err("messages or an event, where a batch is expected".to_owned())
            }
        }
    }

    fn new(envelope: Envelope<'p>, context: &Context) -> Result<Self, String> {
        // The associating function uses its default instance for requests without one.
        let instance = context.instance.clone().unwrap_or_else(InstanceId::unknown);
        // A file has its own limit.
        let rules = requests::Context {
            max_parts: usize::MAX,
            ..requests::Context::new(&context.scope, Some(&instance))
        };
        let pairs = Pairs::read(&envelope, rules).map_err(|invalid| invalid.message.to_string())?;
        Ok(Requests { envelope, pairs })
    }

    /// Returns the number of requests.
    pub(crate) fn count(&self) -> usize {
        self.pairs.requests.len()
    }

    /// Returns the number of distinct pairs and invalid entries, which is `distinct` in the function's report.
    pub(crate) fn distinct(&self) -> usize {
        self.pairs.pairs.len() + self.pairs.invalid.len()
    }

    /// Returns the number of mentions that repeat a pair.
    pub(crate) fn repeated(&self) -> usize {
        self.pairs.mentions.len() - self.pairs.pairs.len()
    }

    /// Returns whether a queue or an address is given by name, so that two different pairs may turn out to be the same.
    pub(crate) fn has_names(&self) -> bool {
        self.pairs.have_names()
    }

    /// Returns for each pair the path of its first mention.
    pub(crate) fn first_mentions(&self) -> IndexList<PairIndex, Mention> {
        let mut first = IndexList::<PairIndex, _>::from(vec![None; self.pairs.pairs.len()]);
        for mention in &self.pairs.mentions {
            first[mention.pair].get_or_insert(*mention);
        }
        first.into_iter().flatten().collect()
    }

    /// Returns the request that a path leads into, and its number.
    pub(crate) fn request_at(&self, path: Path) -> Option<(usize, &Json<'p>)> {
        let number = match path.base() {
            Base::Item(number) => number as usize,
            Base::Root => 0,
            Base::BatchInput => return None,
        };
        self.request(number).map(|request| (number, request))
    }

    /// Returns a request by its number.
    pub(crate) fn request(&self, number: usize) -> Option<&Json<'p>> {
        match &self.envelope.sources.first()?.body {
            Body::Items { items, .. } => match items.get(number)? {
                Item::Request(json) => Some(json),
                Item::Malformed(_) => None,
            },
            Body::Request(json) => Some(json).filter(|_| number == 0),
            Body::Text(_) | Body::Unreadable { .. } => None,
        }
    }

    /// Returns the references of the file's lines, if the requests have them.
    pub(crate) fn references<'a>(&'a self) -> impl Iterator<Item = (u64, &'a str)> {
        let requests = (0..self.count()).filter_map(|number| self.request(number));
        let of_request = |request: &'a Json<'p>| {
            let rows = match request.get(ROWS) {
                Some(Json::Array(rows)) => &**rows,
                _ => &[],
            };
            let common = text_of(request, Field::Reference.name());
            rows.iter().enumerate().filter_map(move |(number, row)| {
                let own = || match request.get(REFERENCES) {
                    Some(Json::Array(references)) => references.get(number)?.as_str(),
                    _ => None,
                };
                match row {
                    Json::Number(row) => Some((row.as_u64()?, common.or_else(own)?)),
                    _ => None,
                }
            })
        };
        requests.flat_map(of_request)
    }

    /// Returns the line in the file of the element at a path, if the request contains it.
    pub(crate) fn row(&self, path: Path) -> Option<u64> {
        let (_, request) = self.request_at(path)?;
        let Some(Json::Array(rows)) = request.get(ROWS) else { return None };
        let element = path.list_element().map_or(0, |(_, element)| element);
        match rows.get(element).or(rows.first()) {
            Some(Json::Number(row)) => row.as_u64(),
            _ => None,
        }
    }
}

/// Returns the number of the item at the start of a path's text, such as `Items[3].emailAddressIds[7]`.
pub(crate) fn item_of(path: &str) -> Option<usize> {
    let (number, _) = path.strip_prefix("Items[")?.split_once(']')?;
    usize::from_str(number).ok()
}

/// Returns the text of a field, unless it is missing or empty.
pub(crate) fn text_of<'j>(json: &'j Json<'_>, name: &str) -> Option<&'j str> {
    json.get(name).and_then(Json::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_in_a_batch_leads_to_its_row() {
        let context = Context { scope: ArnScope::new("eu-central-1"), instance: None };
        let input = r#"{"BatchInput":{"failOnRetryable":false},"Items":[
            {"queueId":"q","emailAddressIds":["e","f"],"rows":[2,7]},
            {"queueId":"q","emailAddressIds":["e"],"rows":[9]},
            {"queueId":"q/r","emailAddressId":"e","rows":[4]},
            {"queueId":"q","emailAddressId":"g"}]}"#;
        let requests = Requests::of_input(input, &context).unwrap();
        assert_eq!((requests.count(), requests.distinct(), requests.repeated()), (4, 4, 1));
        let rows: Vec<_> =
            requests.first_mentions().iter().map(|mention| requests.row(mention.path)).collect();
        assert_eq!(rows, [Some(2), Some(7), None]);
        assert_eq!(requests.row(requests.pairs.invalid[0].1.path()), Some(4));
    }

    #[test]
    fn path_gives_its_item() {
        for (path, item) in [
            ("Items[3].emailAddressIds[7]", Some(3)),
            ("Items[0]", Some(0)),
            ("associations[3].queueId", None),
            ("Items[x]", None),
            ("", None),
        ] {
            assert_eq!(item_of(path), item, "{path}");
        }
    }
}
