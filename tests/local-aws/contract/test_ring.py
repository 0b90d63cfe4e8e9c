"""`ring.sh`: whatever becomes of pytest, the last line counts, a failure is no success, and the reason is said."""

import os
import subprocess

import pytest
from testing import HERE

GOOD = "def test_good():\n    assert True\n"


@pytest.fixture
def ring(tmp_path):
    """Runs these tests by `ring.sh`; gives the exit code and what was said."""

    def run(text, *arguments):
        (tmp_path / "test_it.py").write_text(text)
        (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider -q\n")
        done = subprocess.run(
            [HERE / "ring.sh", "a ring", tmp_path, *arguments],
            env=os.environ | {"DRILL_LAB": "/nowhere"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout

    return run


def test_what_passed_is_counted(ring):
    code, said = ring(GOOD)

    assert (code, said) == (0, "a ring: 1 passed, 0 failed, 0 skipped\n")


def test_what_failed_is_shown_and_counted(ring):
    code, said = ring(GOOD + "def test_bad():\n    assert 1 == 2\n")

    assert (code, said.splitlines()[-1]) == (1, "a ring: 1 passed, 1 failed, 0 skipped")
    assert "assert 1 == 2" in said
    assert "no result" not in said


@pytest.mark.parametrize(
    ("end", "code", "why"),
    [
        ("os.kill(os.getpid(), 9)", 137, "a signal ended it: KILL"),
        ("os.kill(os.getpid(), 15)", 143, "a signal ended it: TERM"),
        ("os._exit(0)", 3, "it ended in the middle: there is no summary"),
        ("os._exit(7)", 7, "something in a test ended the process"),
        ("raise KeyboardInterrupt", 2, "it was interrupted, or could not read the tests"),
    ],
)
def test_a_pytest_that_ends_early_is_a_failure_with_a_reason(ring, end, code, why):
    found, said = ring(GOOD + f"import os\ndef test_the_end():\n    {end}\n" + GOOD.replace("good", "later"))

    *_, reason, counts = said.splitlines()
    assert found == code
    assert why in reason
    assert counts.endswith("1 failed, 0 skipped")


@pytest.mark.parametrize(
    ("text", "why"), [("import nothing_of_the_kind\n", "could not read the tests"), ("", "there was no test to run")]
)
def test_no_test_is_no_success(ring, text, why):
    code, said = ring(text)

    assert code != 0
    assert why in said
    assert not said.splitlines()[-1].endswith(" 0 failed, 0 skipped")
