//! Tests workbooks that are made here, part by part. The tests of the tool read workbooks from real programs.

use std::io::Write;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::*;
use crate::Record;

/// Packs the parts of a workbook into a ZIP archive.
fn packed(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in parts {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content.as_bytes()).unwrap();
        let content_packed = encoder.finish().unwrap();
        let mut checksum = Crc::new();
        checksum.update(content.as_bytes());
        let offset = u32::try_from(bytes.len()).unwrap();
        // From the version that is needed to the length of the extra field, a header and an entry are the same.
        let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0];
        for number in
            [checksum.sum(), length(&content_packed), length(content.as_bytes()), length(name.as_bytes())]
        {
            common.extend(number.to_le_bytes());
        }
        bytes.extend(b"PK\x03\x04".iter().chain(&common).chain(name.as_bytes()).chain(&content_packed));
        directory.extend(b"PK\x01\x02\x14\0".iter().chain(&common).chain(&[0; 10]));
        directory.extend(offset.to_le_bytes().iter().chain(name.as_bytes()));
    }
    let start = length(&bytes);
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    let count = u16::try_from(parts.len()).unwrap().to_le_bytes();
    bytes.extend(
        count.iter().chain(&count).chain(&length(&directory).to_le_bytes()).chain(&start.to_le_bytes()),
    );
    bytes.extend([0, 0]);
    bytes
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

const RELATIONS: &str = r#"<Relationships><Relationship Id="r1" Type="…/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;

const PARTS: &str = r#"<Relationships>
    <Relationship Id="rId1" Type="…/worksheet" Target="worksheets/one.xml"/>
    <Relationship Id="rId2" Type="…/worksheet" Target="/xl/worksheets/two.xml"/>
    <Relationship Id="rId3" Type="…/sharedStrings" Target="sharedStrings.xml"/>
    <Relationship Id="rId4" Type="…/styles" Target="styles.xml"/></Relationships>"#;

const BOOK: &str = r#"<workbook xmlns:r="…"><sheets>
    <sheet name="Notes &amp; more" sheetId="7" r:id="rId1"/>
    <sheet name="Pairs" sheetId="8" r:id="rId2" state="hidden"/></sheets></workbook>"#;

const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="00000"/></numFmts>
    <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
    <cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="14"/></cellXfs></styleSheet>"#;

/// An `.xlsx` with two sheets and shared texts.
fn xlsx(first: &str, second: &str, strings: &str) -> Vec<u8> {
    let sheet = |rows: &str| format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    packed(&[
        ("_rels/.rels", RELATIONS),
        ("xl/_rels/workbook.xml.rels", PARTS),
        ("xl/workbook.xml", BOOK),
        ("xl/styles.xml", STYLES),
        ("xl/sharedStrings.xml", &format!("<sst>{strings}</sst>")),
        ("xl/worksheets/one.xml", &sheet(first)),
        ("xl/worksheets/two.xml", &sheet(second)),
    ])
}

/// A row of inline texts.
fn row(cells: &[&str]) -> String {
    let cell = |text: &&str| format!(r#"<c t="inlineStr"><is><t>{text}</t></is></c>"#);
    format!("<row>{}</row>", cells.iter().map(cell).collect::<String>())
}

fn ods(tables: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>\
         </office:document-content>"
    );
    packed(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", "<manifest:manifest/>"),
        ("content.xml", &content),
    ])
}

fn table(name: &str, rows: &str) -> String {
    format!(r#"<table:table table:name="{name}">{rows}</table:table>"#)
}

/// A row of displayed texts.
fn ods_row(cells: &[&str]) -> String {
    let cell = |text: &&str| {
        format!(r#"<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>"#)
    };
    format!("<table:table-row>{}</table:table-row>", cells.iter().map(cell).collect::<String>())
}

fn shown(bytes: &[u8]) -> Vec<String> {
    let shown = |record: Record| format!("{} {}", record.line, record.problem.unwrap_or(record.json));
    read(bytes).unwrap().records.into_iter().map(shown).collect()
}

fn rejected(bytes: &[u8]) -> String {
    read(bytes).unwrap_err().to_string()
}

const HEADER: [&str; 2] = ["Queue Name", "E-Mail-Address"];

fn pair(row: u64, queue: &str) -> String {
    format!(r#"{row} {{"queueName":"{queue}","emailAddress":"a@x.example"}}"#)
}

#[test]
fn cells_count_as_the_text_that_is_shown() {
    let rows = r#"<row r="3" hidden="1"><c r="B3" t="s"><v>0</v></c><c r="D3" t="s"><v>1</v></c></row>
        <row r="4"><c r="B4"><v>1001</v></c><c r="D4" t="s"><v>3</v></c></row>
        <row r="6"><c r="B6" s="1"><v>42</v></c><c r="D6" t="str"><f>A1</f><v>a@x.example</v></c></row>
        <row r="7" hidden="1"><c r="B7" t="s"><v>2</v></c><c r="D7" t="s"><v>3</v></c></row>
        <row r="8"><c r="B8" t="b"><v>1</v></c><c r="C8" t="e"><v>#REF!</v></c><c r="D8" t="s"><v>3</v></c><c r="E8"/></row>
        <row r="9"><c r="B9" t="e"><f>X()</f><v>#N/A</v></c><c r="D9" t="s"><v>3</v></c></row>
        <row r="10"><c r="B10" s="2"><v>45000</v></c><c r="D10" t="s"><v>3</v></c></row>
        <row r="11"><c r="B11" t="s"><v>99</v></c><c r="D11" t="s"><v>3</v></c></row>
        <row r="12"><c r="B12" t="str"><v>A_x000A_B</v></c><c r="D12" t="s"><v>3</v></c></row>"#;
    let strings = "<si><t>queue_name</t></si><si><r><t>Email</t></r><r><t xml:space='preserve'> Address</t></r></si>\
                   <si><t>Billing &amp; &#x4d;ore</t><rPh><t>x</t></rPh></si><si><t>a@x.example</t></si>";
    assert_eq!(
        shown(&xlsx("", rows, strings)),
        [
            pair(4, "1001"),
            pair(6, "00042"),
            pair(7, "Billing & More"),
            pair(8, "TRUE"),
            "9 queueName contains the error \"#N/A\": expected a value".to_owned(),
            "10 queueName is the number \"45000\", which the sheet may show as another text: expected a text; format the \
             column as text and type the value again"
                .to_owned(),
            "11 queueName refers to a text that the workbook does not contain: expected a text".to_owned(),
            "12 queueName contains a line end: expected one line".to_owned(),
        ]
    );
    let file = read(&xlsx("", rows, strings)).unwrap();
    assert_eq!(file.records.last().unwrap().row.as_deref(), Some(",A␤B,,a@x.example"));
}

#[test]
fn open_document_cells_count_as_the_text_that_is_shown() {
    let rows = format!(
        r#"<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="1024"/></table:table-row>
        {}
        <table:table-row><table:table-cell office:value-type="float" office:value="1001"><text:p>1.001</text:p></table:table-cell>
          <table:table-cell><office:annotation><text:p>note</text:p></office:annotation><text:p>a@<text:span>x.example</text:span></text:p></table:table-cell></table:table-row>
        <table:table-row table:number-rows-repeated="2"><table:table-cell office:value-type="string"><text:p>A<text:s/>B &lt;<text:s text:c="9"/></text:p></table:table-cell>
          <table:table-cell><text:p>a@x.example</text:p></table:table-cell><table:table-cell table:number-columns-repeated="16382"/></table:table-row>
        <table:table-row><table:table-cell calcext:value-type="error" office:value-type="string"><text:p>#N/A</text:p></table:table-cell>
          <table:table-cell><text:p>a@x.example</text:p></table:table-cell></table:table-row>
        <table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>"#,
        ods_row(&HEADER)
    );
    assert_eq!(
        shown(&ods(&format!("{}{}", table("Notes", &ods_row(&["a", "b"])), table("Pairs", &rows)))),
        [
            pair(4, "1.001"),
            pair(5, "A B <"),
            pair(6, "A B <"),
            "7 queueName contains the error \"#N/A\": expected a value".to_owned(),
        ]
    );
}

#[test]
fn only_one_sheet_may_have_a_header() {
    let pairs = format!("{}{}", row(&HEADER), row(&["Billing", "a@x.example"]));
    let title = "<row><c t='inlineStr'><is><t>Title</t></is></c></row>".repeat(20);
    assert_eq!(shown(&xlsx(&title, &pairs, "")), [pair(2, "Billing")]);
    let both = "the sheets \"Notes & more\", \"Pairs\" have a header: expected one";
    let problem = rejected(&xlsx(&pairs, &pairs, ""));
    assert!(problem.starts_with(both), "{problem}");
    let problem = rejected(&xlsx(&title, &title, ""));
    assert!(
        problem.starts_with(
            "no sheet has a header in its first 10 rows (the workbook has \"Notes & more\", \"Pairs\"): expected queueId"
        ),
        "{problem}"
    );
    let both_ods = format!(
        "{}{}",
        table("A", &format!("{}{}", ods_row(&HEADER), ods_row(&["Billing", "a@x.example"]))),
        table("B", &ods_row(&HEADER))
    );
    let problem = rejected(&ods(&both_ods));
    assert!(problem.starts_with("the sheets \"A\", \"B\" have a header"), "{problem}");
}

#[test]
fn other_files_are_rejected_with_their_form() {
    let encrypted = packed(&[
        (
            "META-INF/manifest.xml",
            "<m:manifest><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>",
        ),
        ("content.xml", "?"),
    ]);
    let mut cut_off = xlsx("", &row(&HEADER), "");
    cut_off.truncate(cut_off.len() / 2);
    let mut changed = xlsx("", &row(&HEADER), "");
    let at = changed.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    // The checksum of the first part.
    changed[at + 16] ^= 1;
    for (bytes, problem) in [
        (&encrypted, "the workbook is damaged or has a password (content.xml: it is encrypted)"),
        (
            &cut_off,
            "the workbook is damaged or has a password (the file: the directory of its archive is missing)",
        ),
        (&changed, "the workbook is damaged or has a password (_rels/.rels: "),
        (&packed(&[("a.txt", "")]), "the workbook is damaged or has a password (_rels/.rels: "),
        (&ods("<table:table><table:table-row>"), "the workbook is damaged or has a password (content.xml: "),
    ] {
        let found = rejected(bytes);
        assert!(found.starts_with(problem), "{found}");
    }
}

/// Each of these takes gigabytes if it is unpacked, or if what it declares is reserved.
#[test]
fn bombs_are_rejected() {
    let header = row(&HEADER);
    let long = format!("<si><t>{}</t></si>", "x".repeat(1 << 20));
    let too_long = format!("{header}<row><c t='str'><v>{}</v></c></row>", "x".repeat((1 << 20) + 1));
    let deep = format!("{header}{}{}", "<a>".repeat(200), "</a>".repeat(200));
    let too_long_of_ods = format!("{}{}", ods_row(&HEADER), ods_row(&[&"x".repeat((1 << 20) + 1)]));
    let shared: String =
        (0..100).map(|_| r#"<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>"#).collect::<String>();
    let rows_of_ods = format!(
        "{}<table:table-row table:number-rows-repeated='4000000000'><table:table-cell><text:p>q</text:p></table:table-cell>\
         <table:table-cell><text:p>a@x.example</text:p></table:table-cell></table:table-row>",
        ods_row(&HEADER)
    );
    let wide = format!(
        "{}{}",
        ods_row(&HEADER),
        format!(
            "<table:table-row><table:table-cell table:number-columns-repeated='4000000000'><text:p>{}</text:p>\
             </table:table-cell></table:table-row>",
            "x".repeat(1_000)
        )
        .repeat(100)
    );
    for (bytes, problem) in [
        (
            xlsx("", &format!("{header}{shared}"), &long),
            "sheet \"Pairs\", the cells have more than 67108864 bytes of text",
        ),
        (
            xlsx("", &too_long, ""),
            "the workbook is damaged or has a password (xl/worksheets/two.xml: a text is longer",
        ),
        (
            xlsx("", &deep, ""),
            "the workbook is damaged or has a password (xl/worksheets/two.xml: its elements are too",
        ),
        (
            ods(&table("A", &too_long_of_ods)),
            "the workbook is damaged or has a password (content.xml: a text is longer",
        ),
        (ods(&table("A", &rows_of_ods)), "sheet \"A\", the file has more than 250000 pairs"),
        (ods(&table("A", &wide)), "sheet \"A\", the cells have more than 67108864 bytes of text"),
    ] {
        let found = rejected(&bytes);
        assert!(found.starts_with(problem), "{found}");
    }
    let far = format!(
        r#"{header}<row r="4000000000"><c r="ZZZZZZZ9"/><c r="A1" t="inlineStr"><is><t>q</t></is></c></row>"#
    );
    assert_eq!(
        shown(&xlsx("", &far, "")),
        ["4000000000 the row has no email address: expected a value in the column emailAddress"]
    );
}

#[test]
fn unpacked_size_is_limited_even_if_less_is_declared() {
    const LIMIT: u64 = 100_000;
    let rows = format!("{}{}", row(&HEADER), " ".repeat(200_000));
    let mut bytes = xlsx("", &rows, "");
    let size = u32::try_from(format!("<worksheet><sheetData>{rows}</sheetData></worksheet>").len()).unwrap();
    let too_large = "the workbook is larger than 268435456 bytes when it is unpacked: expected at most that; save its \
                     list of pairs as a new workbook or as CSV";
    assert_eq!(read_within(&bytes, LIMIT).unwrap_err().to_string(), too_large);
    // In the directory alone, because only that is read.
    let at = bytes.windows(4).rposition(|window| window == size.to_le_bytes()).unwrap();
    bytes[at..at + 4].copy_from_slice(&1u32.to_le_bytes());
    assert_eq!(read_within(&bytes, LIMIT).unwrap_err().to_string(), too_large);
}
