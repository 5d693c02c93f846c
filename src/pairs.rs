//! Pairs: every requested association of the invocation, once, with every place that mentions it.
//!
//! A pair here has the names that the caller gave. One message may name an address by identifier and another by name.
//! They are two pairs here, and the plan joins them when the names are found.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Slot;

use crate::index::Index;
use crate::payload::{Body, Envelope, EnvelopeKind, Source};
use crate::requests::{
    AddressRef, Base, Context, Defaults, Entry, Home, Invalid, Options, Path, QueueRef, Request, innermost,
    is_nearly, no_fields_beside, with_request,
};

/// A queue or an email address as the caller named it. Identifiers and names are separate name spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Named<Text = Arc<str>> {
    /// By its identifier.
    Id(Text),
    /// By a queue's name or by the address itself.
    Name(Text),
}

/// A requested queue of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedQueue {
    /// The instance's identifier.
    pub instance: Arc<str>,
    /// The queue.
    pub queue: Named,
}

/// A requested association, as the caller named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    queue: Index,
    // `by_name` and `address` replace a `Named`, because that would take a third more memory.
    by_name: bool,
    address: Arc<str>,
}

/// One request of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestInfo {
    /// Index of the source that holds the request.
    pub source: usize,
    /// The request's options.
    pub options: Options,
    /// The caller's own name for the request, if there is one.
    pub reference: Option<Arc<str>>,
}

/// One place where a request mentions a pair. A request may mention a pair several times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mention {
    pair: Index,
    request: Index,
    /// The path of this place in the request.
    pub path: Path,
}

/// All pairs of an invocation, and the places that mention them.
#[derive(Debug, Default)]
pub struct Pairs {
    /// The requests.
    pub requests: Vec<RequestInfo>,
    /// The queues, in the order they were first named.
    pub queues: Vec<RequestedQueue>,
    /// The pairs, in the order they were first named.
    pub pairs: Vec<Pair>,
    /// The places that mention the pairs, in the order of their sources.
    pub mentions: Vec<Mention>,
    /// The invalid parts, each with the index of its request.
    pub invalid: Vec<(usize, Invalid)>,
}

/// Pairs while the sources are read. The look-up tables are dropped after that.
#[derive(Debug, Default)]
struct Reading {
    pairs: Pairs,
    /// Instances and references. Most requests repeat those of another request.
    shared: HashSet<Arc<str>>,
    queues: Known,
    addresses: Known,
}

/// Finds an element of a list by its name. The table holds positions and not names, because a large batch is mostly
/// names. Callers choose the names, so the hasher uses keys that callers cannot know.
#[derive(Debug, Default)]
struct Known {
    positions: HashTable<Index>,
    hasher: RandomState,
}

impl Pairs {
    /// Reads every source of an envelope.
    ///
    /// # Errors
    /// Refuses invalid defaults of a Distributed Map batch, because no item can be judged without them. Also refuses a
    /// request field that stands beside the requests of an envelope, because its meaning for them is unknown.
    pub fn read(envelope: &Envelope<'_>, home: &Home, instance: Option<&str>) -> Result<Self, Invalid> {
        nothing_beside(envelope)?;
        // Most sources ask for one pair, so their number is a good capacity.
        let mut reading = Reading::with_capacity(envelope.sources.len());
        for (source, asked) in envelope.sources.iter().enumerate() {
            let context = Context { home, instance, defaults: Defaults::default() };
            match &asked.body {
                Body::Text(text) => {
                    let read = with_request(text, |json| {
                        reading.add(source, Request::read(json, Base::Root, &context));
                    });
                    if let Err(invalid) = read {
                        reading.add_unreadable(source, invalid.in_text(innermost(text)));
                    }
                }
                Body::Unreadable { raw, reason } => {
                    let invalid = Invalid::new(Path::default(), reason.as_str());
                    reading.add_unreadable(source, invalid.in_text(&**raw));
                }
                Body::Request(json) => reading.add(source, Request::read(json, Base::Root, &context)),
                Body::Items { items, batch_input } => {
                    let defaults = batch_input.as_ref().map(|json| Defaults::read(json, home)).transpose()?;
                    let context = Context { defaults: defaults.unwrap_or_default(), ..context };
                    for (number, item) in (0u32..).zip(items) {
                        reading.add(source, Request::read(item, Base::Item(number), &context));
                    }
                }
            }
        }
        Ok(reading.pairs)
    }

    /// Index of the source whose request mentions a pair.
    pub fn source_of(&self, mention: &Mention) -> usize {
        self.requests[mention.request()].source
    }

    /// Whether a queue or an address that is not found may still appear. It may on the first delivery of an SQS message
    /// that is no continuation.
    pub fn is_in_grace(&self, request: usize, sources: &[Source<'_>]) -> bool {
        let RequestInfo { source, options, .. } = &self.requests[request];
        sources[*source].delivery.is_first() && !options.continued
    }
}

fn nothing_beside(envelope: &Envelope<'_>) -> Result<(), Invalid> {
    if envelope.kind != EnvelopeKind::DistributedMap {
        return no_fields_beside(&envelope.beside, "detail; it belongs into it");
    }
    if let Some((name, _)) = envelope.beside.iter().find(|(name, _)| is_nearly(name, "BatchInput")) {
        return Err(Invalid::misspelled_member(name, "BatchInput"));
    }
    no_fields_beside(&envelope.beside, "Items; it belongs into BatchInput or into an item")
}

impl Reading {
    /// Reserves memory for this many pairs, so that the look-up tables need not grow.
    fn with_capacity(pairs: usize) -> Self {
        Reading {
            queues: Known::with_capacity(pairs),
            addresses: Known::with_capacity(pairs),
            ..Reading::default()
        }
    }

    fn add(&mut self, source: usize, request: Request<'_>) {
        let number = self.push_request(source, request.options, request.reference);
        let request_index = Index::new(number);
        // An entry without a valid address adds no queue, so nothing looks the queue up.
        for entry in request.entries.iter().filter(|entry| !entry.addresses.is_empty()) {
            let queue = self.queue(entry);
            for (path, address) in &entry.addresses {
                let pair = Index::new(self.pair(queue, *address));
                self.pairs.mentions.push(Mention { pair, request: request_index, path: *path });
            }
        }
        self.pairs.invalid.extend(request.invalid.into_iter().map(|invalid| (number, invalid)));
    }

    /// Adds a source whose request cannot be read.
    fn add_unreadable(&mut self, source: usize, invalid: Invalid) {
        let number = self.push_request(source, Options::default(), None);
        self.pairs.invalid.push((number, invalid));
    }

    fn push_request(&mut self, source: usize, options: Options, reference: Option<&str>) -> usize {
        let reference = reference.map(|reference| self.shared(reference));
        self.pairs.requests.push(RequestInfo { source, options, reference });
        self.pairs.requests.len() - 1
    }

    fn queue(&mut self, entry: &Entry<'_>) -> usize {
        let named = Named::from(entry.queue);
        let queues = &self.pairs.queues;
        let name_of = |queue: usize| (&*queues[queue].instance, queues[queue].queue.as_ref().as_str());
        let queue = self.queues.position(&(entry.instance, named), queues.len(), name_of);
        if queue == queues.len() {
            let instance = self.shared(entry.instance);
            self.pairs.queues.push(RequestedQueue { instance, queue: named.map(Arc::from) });
        }
        queue
    }

    /// Returns the one shared copy of a text.
    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.shared.get(text) {
            return known.clone();
        }
        let text: Arc<str> = text.into();
        self.shared.insert(text.clone());
        text
    }

    fn pair(&mut self, queue: usize, address: AddressRef<'_>) -> usize {
        let named = Named::from(address);
        let pairs = &self.pairs.pairs;
        let name_of = |pair: usize| (pairs[pair].queue(), pairs[pair].address().as_str());
        let pair = self.addresses.position(&(queue, named), pairs.len(), name_of);
        if pair == pairs.len() {
            self.pairs.pairs.push(Pair::new(queue, named));
        }
        pair
    }
}

impl Known {
    fn with_capacity(names: usize) -> Self {
        Known { positions: HashTable::with_capacity(names), hasher: RandomState::new() }
    }

    /// Returns the position of the element with this name. A new name gets the position `next`, and the caller must put
    /// the element there.
    fn position<Name: Hash + Eq>(
        &mut self,
        name: &Name,
        next: usize,
        name_of: impl Fn(usize) -> Name,
    ) -> usize {
        let hash = self.hasher.hash_one(name);
        let is_named = |position: &Index| name_of(position.get()) == *name;
        let hash_of = |position: &Index| self.hasher.hash_one(name_of(position.get()));
        match self.positions.entry(hash, is_named, hash_of) {
            Slot::Occupied(known) => known.get().get(),
            Slot::Vacant(slot) => {
                slot.insert(Index::new(next));
                next
            }
        }
    }
}

impl Mention {
    /// Index into [`Pairs::pairs`].
    pub fn pair(&self) -> usize {
        self.pair.get()
    }

    /// Index into [`Pairs::requests`].
    pub fn request(&self) -> usize {
        self.request.get()
    }
}

impl Pair {
    fn new(queue: usize, address: Named<&str>) -> Self {
        let (by_name, address) = match address {
            Named::Id(id) => (false, id),
            Named::Name(address) => (true, address),
        };
        Pair { queue: Index::new(queue), by_name, address: address.into() }
    }

    /// Index into [`Pairs::queues`].
    pub fn queue(&self) -> usize {
        self.queue.get()
    }

    /// The email address.
    pub fn address(&self) -> Named<&Arc<str>> {
        if self.by_name { Named::Name(&self.address) } else { Named::Id(&self.address) }
    }
}

impl<Text> Named<Text> {
    /// Borrows the text.
    pub fn as_ref(&self) -> Named<&Text> {
        match self {
            Named::Id(id) => Named::Id(id),
            Named::Name(name) => Named::Name(name),
        }
    }

    /// Converts the text.
    pub fn map<Form>(self, form: impl FnOnce(Text) -> Form) -> Named<Form> {
        match self {
            Named::Id(id) => Named::Id(form(id)),
            Named::Name(name) => Named::Name(form(name)),
        }
    }
}

impl<'a> Named<&'a Arc<str>> {
    /// Borrows the text as `&str`.
    pub fn as_str(self) -> Named<&'a str> {
        self.map(|text| &**text)
    }
}

impl<'a> From<QueueRef<'a>> for Named<&'a str> {
    fn from(queue: QueueRef<'a>) -> Self {
        match queue {
            QueueRef::Id(id) => Named::Id(id),
            QueueRef::Name(name) => Named::Name(name),
        }
    }
}

impl<'a> From<AddressRef<'a>> for Named<&'a str> {
    fn from(address: AddressRef<'a>) -> Self {
        match address {
            AddressRef::Id(id) => Named::Id(id),
            AddressRef::Address(address) => Named::Name(address),
        }
    }
}
