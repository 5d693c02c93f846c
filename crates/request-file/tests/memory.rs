//! The memory that reading the worst files takes. One test, because the peak is that of the process.

use peak_alloc::PeakAlloc;
use request_file::{FileFormat, MAX_FILE_BYTES, read};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Name, form, text, and the start of the expected error.
type WorstFile = (&'static str, FileFormat, fn() -> String, &'static str);

/// Maximum peak, in MiB, with the file itself. The function for files has 1,024 MiB.
const LIMIT: f32 = 200.0;

#[test]
fn worst_files_take_little_memory() {
    const NUMBERS: usize = (MAX_FILE_BYTES - 100) / 2;
    const TOO_MANY: &str = "the file has more than 250000 pairs";
    let table: [WorstFile; 5] = [
        (
            "numbers",
            FileFormat::Delimited,
            || format!("queueName,emailAddress\n{}", "1\n".repeat(2_100_000)),
            TOO_MANY,
        ),
        ("empty objects", FileFormat::JsonLines, || "{}\n".repeat(2_100_000), TOO_MANY),
        (
            "one line of numbers",
            FileFormat::JsonLines,
            || format!("{{\"x\":[{}1]}}\n{{}}\n", "1,".repeat(NUMBERS)),
            "",
        ),
        (
            "one text",
            FileFormat::JsonLines,
            || format!("{{\"x\":\"{}\"}}\n{{}}\n", "y".repeat(2 * NUMBERS)),
            "",
        ),
        ("an array of numbers", FileFormat::Json, || format!("[{}1]", "1,".repeat(NUMBERS)), TOO_MANY),
    ];
    for (name, form, text, problem) in table {
        let text = text();
        MEMORY.reset_peak_usage();
        let result = read(text.as_bytes(), form);
        let peak = MEMORY.peak_usage_as_mb();
        assert!(peak < LIMIT, "{name}: {peak} MiB");
        let found = result.err().map(|problem| problem.to_string()).unwrap_or_default();
        assert!(found.starts_with(problem), "{name}: {found}");
    }
}
