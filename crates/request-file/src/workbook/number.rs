//! The text that a sheet displays for a number.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NumberFormat {
    /// A whole number is displayed by its digits.
    Plain,
    /// A whole number has zeros before it, up to the given number of digits.
    Padded(usize),
    Other,
}

/// Maximum number of digits of a number that a spreadsheet stores exactly.
const EXACT_DIGITS: f64 = 1e15;

impl NumberFormat {
    /// Returns one of the formats that every workbook has (ECMA-376, part 1, 18.8.30).
    pub(super) fn built_in(id: u64) -> Self {
        match id {
            0 | 1 | 49 => NumberFormat::Plain,
            _ => NumberFormat::Other,
        }
    }

    /// Returns the format of a code, such as `00000`.
    pub(super) fn of_code(code: &str) -> Self {
        match code {
            "0" | "#" | "@" => NumberFormat::Plain,
            _ if code.eq_ignore_ascii_case("general") => NumberFormat::Plain,
            _ if code.len() <= 20 && code.bytes().all(|byte| byte == b'0') && !code.is_empty() => {
                NumberFormat::Padded(code.len())
            }
            _ => NumberFormat::Other,
        }
    }

    /// Returns the text for a stored number. An error follows the name of a column: the display depends on more than the
    /// number and the format, for example on a language.
    pub(super) fn display(&self, stored: &str) -> Result<String, String> {
        let number = stored.trim().parse::<f64>().ok();
        let whole = number.filter(|number| number.fract() == 0.0 && number.abs() < EXACT_DIGITS);
        let (text, width) = match (whole, self) {
            (Some(number), NumberFormat::Plain) => (format!("{number:.0}"), 0),
            (Some(number), NumberFormat::Padded(width)) if number >= 0.0 => (format!("{number:.0}"), *width),
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
            ("1001", NumberFormat::built_in(0), "1001"),
            ("1001.0", NumberFormat::built_in(1), "1001"),
            ("1.001E3", NumberFormat::built_in(49), "1001"),
            ("-7", NumberFormat::of_code("General"), "-7"),
            ("7", NumberFormat::of_code("00000"), "00007"),
            ("123456", NumberFormat::of_code("000"), "123456"),
        ] {
            assert_eq!(format.display(stored).unwrap(), text);
        }
    }

    #[test]
    fn other_display_is_unknown() {
        for (stored, format) in [
            ("1001.5", NumberFormat::built_in(0)),
            ("1001", NumberFormat::built_in(3)),
            ("45000", NumberFormat::built_in(14)),
            ("1001", NumberFormat::of_code("#,##0")),
            ("-7", NumberFormat::of_code("000")),
            ("1e15", NumberFormat::Plain),
            ("NaN", NumberFormat::Plain),
            ("x", NumberFormat::Plain),
        ] {
            let reason = format.display(stored).unwrap_err();
            assert!(reason.starts_with(&format!("is the number {stored:?}, which")), "{reason}");
        }
    }
}
