"""Checks the Terraform module that `scripts/release/package` creates, as far as possible without Terraform.

The module and its example must parse. The module must declare what it uses and use what it declares, and its README must
list its inputs and outputs. Uploaded objects must outlive an update, and the packaged template must contain the lines that
the module replaces. `terraform validate` in the folder checks more.
"""

import re
from pathlib import Path

import hcl2

PACKAGE = Path(__file__).parents[2] / "target" / "package"
FILES = sorted((PACKAGE / "terraform").glob("*.tf"))


def test_module_declares_what_it_uses_and_uses_what_it_declares():
    assert FILES
    assert list(wrong_with_names(FILES, parsed(FILES))) == []


def test_readme_lists_every_input_and_output():
    assert list(wrong_with_tables(parsed(FILES), (PACKAGE / "terraform" / "README.md").read_text())) == []


def test_objects_of_a_previous_version_outlive_the_update():
    assert list(wrong_with_objects(parsed(FILES))) == []


def test_template_has_the_lines_that_the_module_replaces():
    assert list(wrong_with_replacements(FILES, (PACKAGE / "template.yaml").read_text())) == []


def test_example_can_be_parsed():
    assert parsed((PACKAGE / "terraform" / "examples").glob("*/*.tf"))


def parsed(files) -> list[tuple[Path, str, dict]]:
    """Returns every block of the given files, with its file and kind."""
    found = []
    for path in files:
        with path.open() as file:
            found += [(path, kind, block) for kind, blocks in hcl2.load(file).items() if not kind.startswith("__")
                      for block in blocks]
    return found


def wrong_with_names(files: list[Path], module: list):
    """Returns variables, locals, resources and data that are used but not declared, or declared but not used."""
    declared = {address: path.name for path, kind, block in module for address in addresses(kind, block)}
    # Comments and descriptions do not use anything.
    source = "\n".join(re.sub(r"#.*|description\s*=.*", "", path.read_text()) for path in files)
    used = {match[0] for match in re.finditer(r"\b(?:data\.)?(?:var|local|aws_\w+)\.\w+", source)}
    yield from (f"{address} is used and not declared" for address in sorted(used - declared.keys()))
    yield from (f"{declared[address]}: {address} is declared and not used" for address in sorted(declared.keys() - used))


def wrong_with_tables(module: list, readme: str):
    """Returns inputs and outputs whose description in the README differs from the module."""
    for _, kind, block in module:
        if kind not in ("variable", "output"):
            continue
        [(name, body)] = [(name.strip('"'), body) for name, body in block.items() if not name.startswith("__")]
        columns = [f"`{name}`"]
        if kind == "variable":
            default = body.get("default", "required")
            shown = "null" if default is None else str(default).strip('"')
            columns += [body["type"].strip("${}"), shown if shown == "required" else f"`{shown}`"]
        row = f"| {' | '.join(columns + [body['description'].strip(chr(34))])} |"
        if row not in readme.splitlines():
            yield f"README.md lacks the row of {kind} {name}: {row}"


def wrong_with_objects(module: list):
    """Returns objects that would be deleted before the update of the stack, which needs them to roll back."""
    for _, kind, block in module:
        for type_, resources in block.items() if kind == "resource" else ():
            if type_.strip('"') != "aws_s3_object":
                continue
            for name, body in resources.items():
                if not name.startswith("__") and not any(rule.get("create_before_destroy") for rule in body.get("lifecycle", [])):
                    yield f"aws_s3_object.{name.strip(chr(34))} lacks create_before_destroy"


def addresses(kind: str, block: dict):
    """Returns the addresses under which expressions refer to what a block declares."""
    def names(mapping):
        return [key.strip('"') for key in mapping if not key.startswith("__")]

    match kind:
        case "variable":
            return [f"var.{name}" for name in names(block)]
        case "locals":
            return [f"local.{name}" for name in names(block)]
        case "resource" | "data":
            prefix = "data." if kind == "data" else ""
            return [f"{prefix}{type_}.{name}" for type_ in names(block)
                    for name in names(next(value for key, value in block.items() if key.strip('"') == type_))]
        case _:
            return []


def wrong_with_replacements(files: list[Path], template: str):
    """Returns lines that the module replaces and that the template does not contain exactly once."""
    source = "\n".join(path.read_text() for path in files)
    for line in re.findall(r'"(CodeUri: \w+\.zip)"', source):
        if (times := template.count(line)) != 1:
            yield f"template.yaml has {line!r} {times} times, and the module replaces it once"
