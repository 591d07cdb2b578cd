"""Runs PyMISP's live suite in its own folder and writes one JSON line for each test.

Started by tools/pymisp-suite, with the unpacked source package as the working directory.
"""

from __future__ import annotations

import json
import signal
import sys
import time
import unittest
from pathlib import Path
from types import FrameType

SUITE = "tests.testlive_comprehensive"


class Recorder(unittest.TestResult):
    """Writes what became of each test as soon as it is known."""

    def __init__(self, out: Path, limit: int) -> None:
        super().__init__()
        self.out = out.open("w")
        self.limit = limit
        self.started = 0.0

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's name
        super().startTest(test)
        self.started = time.monotonic()
        signal.alarm(self.limit)

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        signal.alarm(0)
        super().stopTest(test)

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        self.write(test, "passed", "")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        self.write(test, "skipped", reason)

    def addFailure(self, test: unittest.TestCase, err: object) -> None:  # noqa: N802
        self.write(test, "failed", self.last_line(err, test))

    def addError(self, test: unittest.TestCase, err: object) -> None:  # noqa: N802
        signal.alarm(0)
        self.write(test, "failed", self.last_line(err, test))

    def last_line(self, err: object, test: unittest.TestCase) -> str:
        """Where in the suite it failed, and how."""
        text = self._exc_info_to_string(err, test)
        places = [line.split("line ")[1].split(",")[0] for line in text.splitlines() if "testlive_" in line]
        return (
            f"line {places[-1] if places else '?'}: {' '.join(text.strip().splitlines()[-1].split())[:300]}"
        )

    def write(self, test: unittest.TestCase, outcome: str, reason: str) -> None:
        name = test.id().split(" ")[0].rsplit(".", 1)[-1]
        seconds = round(time.monotonic() - self.started, 1) if self.started else 0.0
        line = {"name": name, "outcome": outcome, "seconds": seconds, "reason": reason}
        self.out.write(json.dumps(line) + "\n")
        self.out.flush()


def overdue(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError("the test took too long")


def main() -> None:
    out, limit, names = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    signal.signal(signal.SIGALRM, overdue)
    wanted = [f"{SUITE}.TestComprehensive.{name}" for name in names] or [SUITE]
    sys.path.insert(0, str(Path.cwd()))
    unittest.defaultTestLoader.loadTestsFromNames(wanted).run(Recorder(out, limit))


main()
