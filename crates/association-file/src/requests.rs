//! Reads the requests of a file or of a batch with the function's library, so that both are read in the same way.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use queue_email_associator::index::{IndexList, PairIndex};
use queue_email_associator::pairs::{Mention, Pairs};
use queue_email_associator::payload::{Body, Delivery, Envelope, EnvelopeKind, Item, Json, Source};
use queue_email_associator::requests::{ArnScope, Base, Context, Field, InstanceId, Named, Path};

/// The field of a grouped request that contains the line of each of its addresses.
const ROWS: &str = "rows";

/// The field of a grouped request that contains the reference of each of its addresses, if they differ.
const REFERENCES: &str = "references";

/// The settings for reading a request.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The required partition and Region of every ARN.
    pub scope: ArnScope,
    /// The instance of requests without one, if it is known here.
    pub instance: Option<InstanceId>,
}

/// The requests of a file or of a batch.
#[derive(Debug)]
pub(crate) struct Requests<'p> {
    envelope: Envelope<'p>,
    pub(crate) pairs: Pairs,
}

impl<'p> Requests<'p> {
    /// Reads the requests of a file. Each is an item of a batch.
    pub(crate) fn of_items(items: Vec<Json<'p>>, context: &RequestContext) -> Result<Self, String> {
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
    pub(crate) fn of_input(input: &'p str, context: &RequestContext) -> Result<Self, String> {
        let envelope = Envelope::read(input.as_bytes())?;
        match envelope.kind {
            EnvelopeKind::DistributedMap | EnvelopeKind::Direct => Requests::new(envelope, context),
            EnvelopeKind::Sqs | EnvelopeKind::Pipes | EnvelopeKind::EventBridge | EnvelopeKind::Sns => {
                Err("messages or an event, where a batch is expected".to_owned())
            }
        }
    }

    fn new(envelope: Envelope<'p>, context: &RequestContext) -> Result<Self, String> {
        // The associating function uses its default instance for requests without one.
        let instance = context.instance.clone().unwrap_or_else(InstanceId::unknown);
        // A file has its own limit.
        let rules = Context { max_parts: usize::MAX, ..Context::new(&context.scope, Some(&instance)) };
        let pairs = Pairs::read(&envelope, rules).map_err(|invalid| invalid.message.to_string())?;
        Ok(Requests { envelope, pairs })
    }

    /// Returns the number of distinct pairs and invalid entries, which is `distinct` in the function's report.
    pub(crate) fn distinct(&self) -> usize {
        self.pairs.pairs.len() + self.pairs.invalid.len()
    }

    /// Returns the number of mentions that repeat a pair.
    pub(crate) fn repeated(&self) -> usize {
        self.pairs.mentions.len() - self.pairs.pairs.len()
    }

    /// Returns the first mention of each pair.
    pub(crate) fn first_mentions(&self) -> IndexList<PairIndex, Mention> {
        let mut first = IndexList::<PairIndex, _>::from(vec![None; self.pairs.pairs.len()]);
        for mention in &self.pairs.mentions {
            first[mention.pair].get_or_insert(*mention);
        }
        first.into_iter().flatten().collect()
    }

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

    /// Returns the line in the file of the address at a path, if the request contains it.
    pub(crate) fn row(&self, path: Path) -> Option<u64> {
        let number = match path.base() {
            Base::Item(number) => number as usize,
            Base::Root => 0,
            Base::BatchInput => return None,
        };
        let rows = elements(self.request(number)?, ROWS);
        let element = path.list_element().map_or(0, |(_, element)| element);
        number_of(rows.get(element).or(rows.first())?)
    }

    /// Returns the references of the lines of the file.
    pub(crate) fn references(&self) -> HashMap<u64, Arc<str>> {
        let mut references = HashMap::new();
        for request in (0..self.pairs.requests.len()).filter_map(|number| self.request(number)) {
            let common: Option<Arc<str>> = text_of(request, Field::Reference.name()).map(Arc::from);
            let own = elements(request, REFERENCES);
            for (number, row) in elements(request, ROWS).iter().enumerate() {
                let own = || own.get(number).and_then(Json::as_str).map(Arc::from);
                if let Some((row, reference)) = number_of(row).zip(common.clone().or_else(own)) {
                    references.insert(row, reference);
                }
            }
        }
        references
    }
}

/// Returns the elements of an array, or none if the field is missing or has another type.
fn elements<'j, 'p>(request: &'j Json<'p>, name: &str) -> &'j [Json<'p>] {
    match request.get(name) {
        Some(Json::Array(elements)) => elements,
        _ => &[],
    }
}

fn number_of(json: &Json<'_>) -> Option<u64> {
    match json {
        Json::Number(number) => number.as_u64(),
        _ => None,
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

/// The instance, the queue and the address of a pair.
pub(crate) type PairKey<'k> = (&'k str, Named<&'k str, &'k str>, Named<&'k str, &'k str>);

/// Finds pairs by instance, queue and address.
#[derive(Debug)]
pub(crate) struct PairTable<'p>(HashMap<PairKey<'p>, PairIndex>);

impl<'p> PairTable<'p> {
    pub(crate) fn new(pairs: &'p Pairs) -> Self {
        PairTable(pairs.pairs.indices().map(|pair| (key_of(pairs, pair), pair)).collect())
    }

    pub(crate) fn find(&self, key: PairKey<'_>) -> Option<PairIndex> {
        // A map of shorter keys, so that the key's lifetime is not that of the table.
        let pairs: &HashMap<PairKey<'_>, PairIndex> = &self.0;
        pairs.get(&key).copied()
    }
}

pub(crate) fn key_of(pairs: &Pairs, pair: PairIndex) -> PairKey<'_> {
    let pair = &pairs.pairs[pair];
    let queue = &pairs.queues[pair.queue()];
    (&*queue.instance, queue.queue.as_ref().as_str(), pair.address().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

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
