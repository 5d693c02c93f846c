//! The XML of a workbook's parts.

use std::borrow::Cow;
use std::io::{BufRead, ErrorKind};

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Error, Reader, XmlVersion};

use super::package::{damaged, too_large};
use crate::UnreadableFile;

/// Maximum number of elements within each other. Spreadsheets write about ten.
const MAX_DEPTH: usize = 100;

/// Maximum length of the text of an element, in bytes. A cell of Excel has at most 32,767 characters.
pub(super) const MAX_TEXT: usize = 1 << 20;

pub(super) struct Xml<R> {
    reader: Reader<R>,
    part: String,
    depth: usize,
    buffer: Vec<u8>,
}

/// The next part of a document. Names have no prefix of a namespace.
pub(super) enum Node<'x> {
    Start(StartTag<'x>),
    End(EndTag<'x>),
    /// Text, or the character of a reference.
    Text(Cow<'x, str>),
    /// A comment, an instruction, or anything else without content.
    Other,
    Eof,
}

pub(super) struct StartTag<'x>(BytesStart<'x>);

pub(super) struct EndTag<'x>(quick_xml::events::BytesEnd<'x>);

impl<R: BufRead> Xml<R> {
    pub(super) fn new(part: R, name: &str) -> Self {
        let mut reader = Reader::from_reader(part);
        reader.config_mut().expand_empty_elements = true;
        Xml { reader, part: name.to_owned(), depth: 0, buffer: Vec::new() }
    }

    pub(super) fn next(&mut self) -> Result<Node<'_>, UnreadableFile> {
        self.buffer.clear();
        let part = &self.part;
        let event = match self.reader.read_event_into(&mut self.buffer) {
            Ok(event) => event,
            Err(Error::Io(error)) if error.kind() == ErrorKind::FileTooLarge => return Err(too_large()),
            Err(Error::Io(_)) => return Err(damaged(part, &"its content cannot be unpacked")),
            // The error contains a part of the document, which may have an email address.
            Err(_) => {
                let position = self.reader.error_position();
                return Err(damaged(part, &format_args!("it is not XML at byte {position}")));
            }
        };
        match event {
            Event::Start(_) if self.depth == MAX_DEPTH => {
                return Err(damaged(part, &"its elements are too deep"));
            }
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        Ok(match event {
            Event::Start(tag) | Event::Empty(tag) => Node::Start(StartTag(tag)),
            Event::End(tag) => Node::End(EndTag(tag)),
            Event::Text(text) => Node::Text(text.into_inner()),
            Event::CData(text) => Node::Text(text.into_inner()),
            Event::GeneralRef(reference) => Node::Text(
                resolved(&reference).ok_or_else(|| damaged(part, &"it refers to an unknown character"))?,
            ),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => Node::Other,
            Event::Eof => Node::Eof,
        })
    }

    /// Reads the rest of the part, and calls `handle` with each start tag of a name.
    pub(super) fn each_element(
        &mut self,
        name: &str,
        mut handle: impl FnMut(&StartTag<'_>),
    ) -> Result<(), UnreadableFile> {
        loop {
            match self.next()? {
                Node::Start(tag) if tag.name() == name => handle(&tag),
                Node::Eof => return Ok(()),
                _ => {}
            }
        }
    }

    /// Reads up to the end of the element that was started last, and returns the text in it, also in its children.
    /// `ignored` is the name of children that do not count.
    pub(super) fn text(&mut self, ignored: &str) -> Result<String, UnreadableFile> {
        let mut text = String::new();
        // The number of open elements, and how many of them are within the first ignored one, including that one.
        let (mut open, mut ignoring) = (1u32, 0u32);
        while open > 0 {
            match self.next()? {
                Node::Start(element) => {
                    open += 1;
                    ignoring += u32::from(ignoring > 0 || element.name() == ignored);
                }
                Node::End(_) => {
                    open -= 1;
                    ignoring = ignoring.saturating_sub(1);
                }
                Node::Text(piece) if ignoring == 0 && text.len() + piece.len() <= MAX_TEXT => {
                    text.push_str(&piece);
                }
                Node::Text(_) if ignoring == 0 => return Err(self.too_long()),
                Node::Text(_) | Node::Other => {}
                Node::Eof => return Err(self.ended()),
            }
        }
        Ok(text)
    }

    /// Describes a part with a text that is longer than [`MAX_TEXT`].
    pub(super) fn too_long(&self) -> UnreadableFile {
        damaged(&self.part, &format_args!("a text is longer than {MAX_TEXT} bytes"))
    }

    /// Describes a part that ends too early.
    pub(super) fn ended(&self) -> UnreadableFile {
        damaged(&self.part, &"it ends too early")
    }
}

impl StartTag<'_> {
    pub(super) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// Returns the value of the first attribute with a name, without regard to prefixes.
    pub(super) fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        self.values(name).next()
    }

    /// Returns the number that is the value of an attribute.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.attribute(name)?.trim().parse().ok()
    }

    /// Returns the values of all attributes with a name, without regard to prefixes.
    pub(super) fn values<'s>(&'s self, name: &str) -> impl Iterator<Item = Cow<'s, str>> {
        let mut attributes = self.0.attributes();
        // Comparing all names with each other would take too long for a tag with very many.
        attributes.with_checks(false);
        let wanted = attributes.filter_map(Result::ok);
        let wanted = wanted.filter(move |attribute| attribute.key.local_name().into_inner() == name);
        wanted.filter_map(|attribute| attribute.normalized_value(XmlVersion::Implicit1_0).ok())
    }
}

impl EndTag<'_> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.0.local_name().into_inner() == name
    }
}

/// Returns the character of a reference. A part that defines entities of its own is not from a spreadsheet.
fn resolved<'x>(reference: &BytesRef<'x>) -> Option<Cow<'x, str>> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Some(Cow::Owned(character.to_string())),
        Ok(None) => resolve_xml_entity(reference).map(Cow::Borrowed),
        Err(_) => None,
    }
}
