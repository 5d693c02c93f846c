"""Checks that the release archive of `scripts/release/package` works without the repository."""

import os
import re
import shutil
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "target" / "package"
LINK = re.compile(r"\[[^]]*]\(([^()\s]+)\)")
COMMANDS = re.compile(r"scripts/(?:verify|stop)-stack\b")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> Path:
    archive = shutil.make_archive(str(tmp_path_factory.mktemp("archive") / "release"), "gztar", PACKAGE)
    folder = tmp_path_factory.mktemp("unpacked")
    shutil.unpack_archive(archive, folder, filter="data")
    return folder


def anchors(page: str) -> set[str]:
    """Returns the fragments of a page's headings, as GitHub generates them."""
    headings = re.findall(r"^#+ +(.+?) *$", re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(folder: Path):
    for page in folder.rglob("*.md"):
        for link in LINK.findall(page.read_text()):
            path, _, fragment = link.partition("#")
            if ":" in path:
                continue
            linked = page.parent / urllib.parse.unquote(path) if path else page
            if folder not in linked.resolve().parents or not linked.exists():
                yield f"{page.relative_to(folder)}: {link}"
            elif fragment and fragment not in anchors(linked.read_text()):
                yield f"{page.relative_to(folder)}: no heading for {link}"


def test_every_link_leads_to_a_file_of_the_archive(unpacked):
    assert (unpacked / "docs" / "operations.md").is_file()
    assert list(broken_links(unpacked)) == []


def test_alarms_and_pages_refer_to_scripts_of_the_archive(unpacked):
    pages = [unpacked / "template.yaml", *unpacked.rglob("*.md")]
    named = {name for page in pages for name in COMMANDS.findall(page.read_text())}
    assert named == {"scripts/verify-stack", "scripts/stop-stack"}
    for name in named:
        # -S: without the packages that are installed here.
        done = subprocess.run([sys.executable, "-S", unpacked / name, "--help"], cwd=unpacked, text=True, capture_output=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert os.access(unpacked / name, os.X_OK)
