//! Cells: the names of a pair, in the columns of a file.

use queue_email_associator::pairs::{Pair, RequestedQueue};
use queue_email_associator::payload::Json;
use queue_email_associator::requests::{Field, Named, Path};
use serde::{Deserialize, Serialize};

use crate::requests::text_of;

/// The names of a pair, in the columns of a file. A cell is empty if the request names nothing for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cells {
    /// `instanceId`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub instance_id: String,
    /// `queueId`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub queue_id: String,
    /// `queueName`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub queue_name: String,
    /// `emailAddressId`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email_address_id: String,
    /// `emailAddress`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email_address: String,
}

impl Cells {
    /// The cells, each made anew.
    pub(crate) fn map(self, change: impl Fn(String) -> String) -> Self {
        Cells {
            instance_id: change(self.instance_id),
            queue_id: change(self.queue_id),
            queue_name: change(self.queue_name),
            email_address_id: change(self.email_address_id),
            email_address: change(self.email_address),
        }
    }

    /// The cells of a pair.
    pub(crate) fn of_pair(queue: &RequestedQueue, pair: &Pair) -> Self {
        let mut cells = Cells { instance_id: queue.instance.to_string(), ..Cells::default() };
        match &queue.queue {
            Named::Id(id) => cells.queue_id = id.to_string(),
            Named::Name(name) => cells.queue_name = name.to_string(),
        }
        match pair.address() {
            Named::Id(id) => cells.email_address_id = id.to_string(),
            Named::Name(address) => cells.email_address = address.to_string(),
        }
        cells
    }

    /// The cells of every invalid entry at a path of a request; at least one row. A value that is not text gives no
    /// cell.
    pub(crate) fn of_invalid(request: &Json<'_>, path: Path) -> Vec<Self> {
        let default = text_of(request, Field::InstanceId.name()).unwrap_or_default();
        let entries = match (request.get(Field::Associations.name()), path.entry_index()) {
            (Some(Json::Array(entries)), Some(index)) => entries.get(index).into_iter().collect(),
            (Some(Json::Array(entries)), None) if !entries.is_empty() => entries.iter().collect(),
            _ => vec![request],
        };
        let cells = entries.into_iter().flat_map(|entry| Cells::of_entry(entry, default, path));
        let cells: Vec<Cells> = cells.collect();
        if cells.is_empty() { vec![Cells::default()] } else { cells }
    }

    fn of_entry(entry: &Json<'_>, default_instance: &str, path: Path) -> Vec<Self> {
        let text = |field: Field| text_of(entry, field.name()).unwrap_or_default().to_owned();
        let own = text(Field::InstanceId);
        let common = Cells {
            instance_id: if own.is_empty() { default_instance.to_owned() } else { own },
            queue_id: text(Field::QueueId),
            queue_name: text(Field::QueueName),
            email_address_id: text(Field::EmailAddressId),
            email_address: text(Field::EmailAddress),
        };
        let mut rows = Vec::new();
        for list in [Field::EmailAddressIds, Field::EmailAddresses] {
            let Some(Json::Array(elements)) = entry.get(list.name()) else { continue };
            for (index, element) in elements.iter().enumerate() {
                let wanted = path.list_element().is_none_or(|place| place == (list, index));
                let Some(address) = element.as_str().filter(|_| wanted) else { continue };
                let mut row = common.clone();
                if list == Field::EmailAddressIds {
                    address.clone_into(&mut row.email_address_id);
                } else {
                    address.clone_into(&mut row.email_address);
                }
                rows.push(row);
            }
        }
        if rows.is_empty() { vec![common] } else { rows }
    }
}
