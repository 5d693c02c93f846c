//! Pairs: every requested association of the invocation, once, with every place that mentions it.
//!
//! A pair here has the names that the caller gave. One message may name an address by identifier and another by name.
//! They are two pairs here, and the plan joins them when the names are found.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Slot;

use crate::index::Index;
use crate::payload::{Body, Envelope, EnvelopeKind, Source};
use crate::requests::{
    Base, Context, Defaults, EmailAddressId, Entry, Home, InstanceId, Invalid, Named, Options, Path, QueueId,
    Request, innermost, is_nearly, no_fields_beside, with_request,
};

/// A requested queue of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedQueue {
    /// The instance.
    pub instance: InstanceId,
    /// The queue.
    pub queue: Named<QueueId>,
}

/// A requested association, as the caller named it.
///
/// The two variants replace a `Named` field, because that would take a third more memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pair {
    /// The caller names the address by its identifier.
    Id(Index, EmailAddressId),
    /// The caller names the address itself.
    Name(Index, Arc<str>),
}

const _: () = assert!(size_of::<Pair>() == 24);

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
    /// Most requests repeat the instance and the reference of another request.
    instances: HashSet<InstanceId>,
    references: HashSet<Arc<str>>,
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
    pub fn read(
        envelope: &Envelope<'_>,
        home: &Home,
        instance: Option<&InstanceId>,
    ) -> Result<Self, Invalid> {
        nothing_beside(envelope)?;
        // Most sources ask for one pair, so their number is a good capacity.
        let mut reading = Reading::with_capacity(envelope.sources.len());
        for (source, asked) in envelope.sources.iter().enumerate() {
            let context =
                Context { home, instance: instance.map(InstanceId::borrowed), defaults: Defaults::default() };
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

    /// Whether a queue or an address is named by its name. Only then can two pairs turn out to be one.
    pub fn have_names(&self) -> bool {
        self.queues.iter().any(|queue| queue.queue.name().is_some())
            || self.pairs.iter().any(|pair| matches!(pair, Pair::Name(..)))
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
        let reference = reference.map(|text| shared(&mut self.references, text, || text.into()));
        self.pairs.requests.push(RequestInfo { source, options, reference });
        self.pairs.requests.len() - 1
    }

    fn queue(&mut self, entry: &Entry<'_>) -> usize {
        let queues = &self.pairs.queues;
        let name_of = |queue: usize| (&*queues[queue].instance, queues[queue].queue.as_ref().as_str());
        let name = (&*entry.instance, entry.queue.as_ref().as_str());
        let queue = self.queues.position(&name, queues.len(), name_of);
        if queue == queues.len() {
            let instance = shared(&mut self.instances, &entry.instance, || entry.instance.shared());
            self.pairs.queues.push(RequestedQueue { instance, queue: entry.queue.shared() });
        }
        queue
    }

    fn pair(&mut self, queue: usize, address: Named<EmailAddressId<&str>, &str>) -> usize {
        let pairs = &self.pairs.pairs;
        let name_of = |pair: usize| (pairs[pair].queue(), pairs[pair].address().as_str());
        let pair = self.addresses.position(&(queue, address.as_ref().as_str()), pairs.len(), name_of);
        if pair == pairs.len() {
            self.pairs.pairs.push(Pair::new(queue, address));
        }
        pair
    }
}

/// Returns the one shared copy of a text.
fn shared<T: Borrow<str> + Hash + Eq + Clone>(
    known: &mut HashSet<T>,
    text: &str,
    copy: impl FnOnce() -> T,
) -> T {
    if let Some(known) = known.get(text) {
        return known.clone();
    }
    let copy = copy();
    known.insert(copy.clone());
    copy
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
    fn new(queue: usize, address: Named<EmailAddressId<&str>, &str>) -> Self {
        let queue = Index::new(queue);
        match address.shared() {
            Named::Id(id) => Pair::Id(queue, id),
            Named::Name(address) => Pair::Name(queue, address),
        }
    }

    /// Index into [`Pairs::queues`].
    pub fn queue(&self) -> usize {
        let (Pair::Id(queue, _) | Pair::Name(queue, _)) = self;
        queue.get()
    }

    /// The email address.
    pub fn address(&self) -> Named<&EmailAddressId, &Arc<str>> {
        match self {
            Pair::Id(_, id) => Named::Id(id),
            Pair::Name(_, address) => Named::Name(address),
        }
    }
}
