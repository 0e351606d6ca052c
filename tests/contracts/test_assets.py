"""The scripts and styles in dashboard/assets: each is used, and each script can be parsed.

No maintained parser of modern JavaScript exists in pure Python, so the syntax is checked by node where it is
installed; the browser tests run every script on a page.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import dashboard
from dashboard.kit import ASSETS

SCRIPTS = sorted(ASSETS.glob("*.js"))
CODE = "\n".join(path.read_text("utf-8") for path in sorted(Path(dashboard.__file__).parent.rglob("*.py")))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_is_used(script):
    assert f'"{script.name}"' in CODE or f'_script("{script.stem}")' in CODE


@pytest.mark.parametrize("name", sorted(re.findall(r'_script\("(\w+)"\)', CODE)))
def test_every_component_has_a_script_that_exports_render(name):
    assert "export function render(" in (ASSETS / f"{name}.js").read_text("utf-8")


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_node_can_parse_every_script(script, tmp_path):
    text = script.read_text("utf-8")
    is_module = re.search(r"^export ", text, re.MULTILINE) is not None
    body = text if is_module else f"function body() {{\n{text}\n}}"
    copy = tmp_path / f"{script.stem}.{'mjs' if is_module else 'cjs'}"
    copy.write_text(body, "utf-8")
    check = subprocess.run(["node", "--check", str(copy)], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stderr
