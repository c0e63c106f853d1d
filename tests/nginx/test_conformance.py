"""The battery of `make conformance`, against this server: every probe must pass.

The probes and their applications are in tests/conformance. The results of other servers are in
benches/record, and this test does not need them.
"""

import sys

import pytest
from server import INLINE, ROOT

sys.path.append(str(ROOT / "tests" / "conformance"))

from judge import PASS, Judge, probes_of, rows  # noqa: E402

pytestmark = pytest.mark.not_validated("the applications are not those of tests/apps")

PATIENCE = 20.0
THREADS = 0 if INLINE else 4


@pytest.fixture(scope="module")
def judge(module_nginx):
    server = f"location / {{ wsgi_app {ROOT}/tests/conformance/app.py application; }}"
    nginx = module_nginx(server, http=f"wsgi_threads {THREADS};")
    with Judge(("127.0.0.1", nginx.port), PATIENCE, THREADS) as made:
        yield made


@pytest.mark.parametrize("row", rows())
def test_each_probe_of_a_row_passes(judge, row):
    for probe in probes_of(row):
        verdict = judge.judge(probe)
        assert verdict.kind == PASS, f"{probe.name} ({probe.rule}): {verdict.phrase}{verdict.wires}"
        assert judge.is_alive(), f"the server does not answer after {probe.name}"


def test_the_battery_has_all_rows():
    """The 36 rows, and the rows about environ."""
    assert rows() == [*map(str, range(1, 37)), *(f"E{number}" for number in range(1, 10))]
