"""Execution environments by themselves, where it matters who is first."""

import os

import pytest
from localaws.runtime import Environment, Function
from testing import HERE


@pytest.fixture
def worker():
    code = str(HERE / "fixtures/worker")
    return Function("arn:worker", "worker", "$LATEST", "bootstrap", 128, 10, code, (("PATH", os.environ["PATH"]),))


def test_a_process_may_ask_before_anything_else_is_done(worker):
    class Eager(Environment):
        def _start(self):
            process = super()._start()
            assert self.ready.wait(10), "it has asked"
            return process

    environment = Eager(worker, lambda line: None)
    try:
        outcome = environment.invoke(b"{}")

        assert outcome.error is None
        assert environment.measured.init_millis > 0
        assert environment.measured.pid == environment.process.pid
    finally:
        environment.close()
