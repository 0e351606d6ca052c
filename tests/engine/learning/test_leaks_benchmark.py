"""The benchmark of leaks runs in its quick form and prints what it promises."""

import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "particles_leaks.py"
ROW = re.compile(
    r"^(?P<name>[a-f])  .*?(?P<accuracy>\d\.\d+) \(.*?\)\s+(?P<f1>\d\.\d+) \(.*?\)\s+"
    r"(?P<found>\d+) of (?P<pairs>\d+), (?P<false>\d+) false\s+(?P<index>.+)$",
    re.MULTILINE,
)


def test_the_prior_score_falls_as_its_leaks_are_taken_out_and_all_of_them_are_found():
    run = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    rows = {row["name"]: row for row in ROW.finditer(run.stdout)}
    assert list(rows) == ["a", "c", "d", "e", "f"], run.stdout
    for score in ("accuracy", "f1"):
        falling = [float(rows[name][score]) for name in "acde"]
        assert falling == sorted(falling, reverse=True)
        assert falling[0] > falling[1] + 0.02
        assert falling[1] > falling[2] + 0.1
        assert falling[2] > falling[3] + 0.02
    for name in "ac":
        assert int(rows[name]["pairs"]) > 100
        assert int(rows[name]["found"]) >= 0.95 * int(rows[name]["pairs"])
    assert all(int(row["false"]) == 0 for row in rows.values())
    assert all(int(rows[name]["found"]) == 0 for name in "def")
    assert [rows[name]["index"].strip() for name in "acdef"] == ["Unnamed: 0", *["none"] * 4]
