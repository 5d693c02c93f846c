//! The names of a pair, in the columns of a file.

use std::sync::Arc;

use queue_email_associator::index::PairIndex;
use queue_email_associator::pairs::Pairs;
use queue_email_associator::payload::Json;
use queue_email_associator::requests::{Field, Named, Path};
use serde::{Deserialize, Serialize};

use crate::requests::text_of;

/// The names of a pair, in the columns of a file. A cell is empty if the request has no value for it. Pairs share the text
/// of their queue, because a long queue may have all pairs of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Cells {
    #[serde(skip_serializing_if = "is_empty")]
    pub(crate) instance_id: Arc<str>,
    #[serde(skip_serializing_if = "is_empty")]
    pub(crate) queue_id: Arc<str>,
    #[serde(skip_serializing_if = "is_empty")]
    pub(crate) queue_name: Arc<str>,
    #[serde(skip_serializing_if = "is_empty")]
    pub(crate) email_address_id: Arc<str>,
    #[serde(skip_serializing_if = "is_empty")]
    pub(crate) email_address: Arc<str>,
}

impl Cells {
    pub(crate) const COLUMNS: [Field; 5] =
        [Field::InstanceId, Field::QueueId, Field::QueueName, Field::EmailAddressId, Field::EmailAddress];

    /// Returns the cells in the order of [`Cells::COLUMNS`].
    pub(crate) fn as_array(&self) -> [&str; 5] {
        let Cells { instance_id, queue_id, queue_name, email_address_id, email_address } = self;
        [instance_id, queue_id, queue_name, email_address_id, email_address]
    }

    /// Returns the queue, unless both of its cells are empty.
    pub(crate) fn queue(&self) -> Option<Named<&str, &str>> {
        named(&self.queue_id, &self.queue_name)
    }

    /// Returns the address, unless both of its cells are empty.
    pub(crate) fn address(&self) -> Option<Named<&str, &str>> {
        named(&self.email_address_id, &self.email_address)
    }

    /// Applies `change` to every cell.
    pub(crate) fn map(self, change: impl Fn(&str) -> String) -> Self {
        let [instance_id, queue_id, queue_name, email_address_id, email_address] =
            self.as_array().map(|cell| change(cell).into());
        Cells { instance_id, queue_id, queue_name, email_address_id, email_address }
    }

    pub(crate) fn of_pair(pairs: &Pairs, pair: PairIndex) -> Self {
        let pair = &pairs.pairs[pair];
        let queue = &pairs.queues[pair.queue()];
        let mut cells = Cells { instance_id: (&queue.instance).into(), ..Cells::default() };
        match &queue.queue {
            Named::Id(id) => cells.queue_id = id.into(),
            Named::Name(name) => cells.queue_name = name.clone(),
        }
        match pair.address() {
            Named::Id(id) => cells.email_address_id = id.into(),
            Named::Name(address) => cells.email_address = address.clone(),
        }
        cells
    }

    /// Returns the names at a path of an invalid request. A value that is not text leaves its cell empty.
    pub(crate) fn of_invalid(request: &Json<'_>, path: Path) -> Self {
        let entry = entry(request, path);
        let text = |field: Field| text_of(entry, field.name()).unwrap_or_default().into();
        let mut cells = Cells {
            instance_id: text(Field::InstanceId),
            queue_id: text(Field::QueueId),
            queue_name: text(Field::QueueName),
            email_address_id: text(Field::EmailAddressId),
            email_address: text(Field::EmailAddress),
        };
        if cells.instance_id.is_empty() {
            cells.instance_id = text_of(request, Field::InstanceId.name()).unwrap_or_default().into();
        }
        if let Some((list, index)) = path.list_element()
            && let Some(Json::Array(elements)) = entry.get(list.name())
            && let Some(address) = elements.get(index).and_then(Json::as_str)
        {
            let cell = if list == Field::EmailAddressIds {
                &mut cells.email_address_id
            } else {
                &mut cells.email_address
            };
            *cell = address.into();
        }
        cells
    }
}

fn is_empty(cell: &str) -> bool {
    cell.is_empty()
}

fn named<'c>(id: &'c str, name: &'c str) -> Option<Named<&'c str, &'c str>> {
    match (id, name) {
        ("", "") => None,
        ("", name) => Some(Named::Name(name)),
        (id, _) => Some(Named::Id(id)),
    }
}

/// Returns the entry that a path leads into, or the whole request.
pub(crate) fn entry<'j, 'p>(request: &'j Json<'p>, path: Path) -> &'j Json<'p> {
    match (request.get(Field::Associations.name()), path.entry_index()) {
        (Some(Json::Array(entries)), Some(index)) => entries.get(index).unwrap_or(request),
        (Some(entry @ Json::Object(_)), Some(_)) => entry,
        _ => request,
    }
}
