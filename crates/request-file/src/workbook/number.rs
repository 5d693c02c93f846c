//! The text that a sheet displays for a number.

/// The format of a cell's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    /// A whole number is displayed by its digits.
    Plain,
    /// A whole number has zeros before it, up to the given number of digits.
    Padded(usize),
    /// Another one.
    Other,
}

/// Maximum number of digits of a number that a spreadsheet stores exactly.
const EXACT_DIGITS: f64 = 1e15;

impl Format {
    /// Returns one of the formats that every workbook has (ECMA-376, part 1, 18.8.30).
    pub(super) fn built_in(id: u64) -> Self {
        match id {
            0 | 1 | 49 => Format::Plain,
            _ => Format::Other,
        }
    }

    /// Returns the format of a code, such as `00000`.
    pub(super) fn of_code(code: &str) -> Self {
        match code {
            "0" | "#" | "@" => Format::Plain,
            _ if code.eq_ignore_ascii_case("general") => Format::Plain,
            _ if code.len() <= 20 && code.bytes().all(|byte| byte == b'0') && !code.is_empty() => {
                Format::Padded(code.len())
            }
            _ => Format::Other,
        }
    }

    /// Returns the text for a stored number.
    ///
    /// # Errors
    /// The display depends on more than the number and the format, for example on a language. The reason follows the name
    /// of a column.
    pub(super) fn display(&self, stored: &str) -> Result<String, String> {
        let number = stored.trim().parse::<f64>().ok();
        let whole = number.filter(|number| number.fract() == 0.0 && number.abs() < EXACT_DIGITS);
        let (text, width) = match (whole, self) {
            (Some(number), Format::Plain) => (format!("{number:.0}"), 0),
            (Some(number), Format::Padded(width)) if number >= 0.0 => (format!("{number:.0}"), *width),
            _ => {
                return Err(format!(
                    "is the number {:?}, which the sheet may show as another text: expected a text; format the column as \
                     text and type the value again",
                    stored.trim()
                ));
            }
        };
        Ok(format!("{text:0>width$}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_number_is_its_digits() {
        for (stored, format, text) in [
            ("1001", Format::built_in(0), "1001"),
            ("1001.0", Format::built_in(1), "1001"),
            ("1.001E3", Format::built_in(49), "1001"),
            ("-7", Format::of_code("General"), "-7"),
            ("7", Format::of_code("00000"), "00007"),
            ("123456", Format::of_code("000"), "123456"),
        ] {
            assert_eq!(format.display(stored).unwrap(), text);
        }
    }

    #[test]
    fn other_display_is_unknown() {
        for (stored, format) in [
            ("1001.5", Format::built_in(0)),
            ("1001", Format::built_in(3)),
            ("45000", Format::built_in(14)),
            ("1001", Format::of_code("#,##0")),
            ("-7", Format::of_code("000")),
            ("1e15", Format::Plain),
            ("NaN", Format::Plain),
            ("x", Format::Plain),
        ] {
            let reason = format.display(stored).unwrap_err();
            assert!(reason.starts_with(&format!("is the number {stored:?}, which")), "{reason}");
        }
    }
}
