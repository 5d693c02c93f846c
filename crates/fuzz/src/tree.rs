//! A JSON document that can contain forms that a parser never returns: duplicate keys, raw tokens, lone surrogates.

use std::fmt::Write;

use serde_json::Value;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree {
    /// Written unchanged, whether it is JSON or not.
    Raw(String),
    Text(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str::<Value>(text).ok().map(Tree::from)
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Tree::Text(text.into())
    }

    pub(crate) fn object<const N: usize>(members: [(&str, Tree); N]) -> Self {
        Tree::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    pub(crate) fn write(&self) -> String {
        let mut text = String::new();
        self.write_to(&mut text);
        text
    }

    fn write_to(&self, out: &mut String) {
        match self {
            Tree::Raw(text) => out.push_str(text),
            Tree::Text(text) => write_text(text, out),
            Tree::List(list) => {
                out.push('[');
                for (number, value) in list.iter().enumerate() {
                    if number > 0 {
                        out.push(',');
                    }
                    value.write_to(out);
                }
                out.push(']');
            }
            Tree::Object(members) => {
                out.push('{');
                for (number, (name, value)) in members.iter().enumerate() {
                    if number > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    value.write_to(out);
                }
                out.push('}');
            }
        }
    }

    /// Returns the number of values in the document, including itself.
    pub(crate) fn size(&self) -> usize {
        1 + match self {
            Tree::Raw(_) | Tree::Text(_) => 0,
            Tree::List(list) => list.iter().map(Tree::size).sum(),
            Tree::Object(members) => members.iter().map(|(_, value)| value.size()).sum(),
        }
    }

    /// Returns the value with that number, in depth-first order.
    pub(crate) fn node(&mut self, number: usize) -> Option<&mut Tree> {
        if number == 0 {
            return Some(self);
        }
        let mut left = number - 1;
        let children: Vec<&mut Tree> = match self {
            Tree::Raw(_) | Tree::Text(_) => return None,
            Tree::List(list) => list.iter_mut().collect(),
            Tree::Object(members) => members.iter_mut().map(|(_, value)| value).collect(),
        };
        for child in children {
            let size = child.size();
            if left < size {
                return child.node(left);
            }
            left -= size;
        }
        None
    }
}

impl From<Value> for Tree {
    fn from(value: Value) -> Self {
        match value {
            Value::String(text) => Tree::Text(text),
            Value::Array(list) => Tree::List(list.into_iter().map(Tree::from).collect()),
            Value::Object(members) => {
                Tree::Object(members.into_iter().map(|(name, value)| (name, Tree::from(value))).collect())
            }
            other => Tree::Raw(other.to_string()),
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\0'..='\u{1f}' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
