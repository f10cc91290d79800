"""Runs a comparison on many generated cases."""
import os

import hypothesis
from hypothesis import strategies as st

import cases
import oracle
from probe import Probe

# More than CI has time for: MARCA_EXAMPLES=20000, and other cases each time with MARCA_RANDOM=1.
EXAMPLES = int(os.environ.get("MARCA_EXAMPLES", "1000"))


@st.composite
def cases_and_wishes(draw):
    case = draw(cases.cases())
    spans = oracle.hours_of_day(case, case.date) + [oracle.working(case, case.date)]
    return case, draw(cases.wanted(case, spans))


def settings(**options):
    return hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize="MARCA_RANDOM" not in os.environ,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        **options,
    )


def run(comparison, probe_path=None, **options):
    """Raises AssertionError with the smallest case that fails."""
    with Probe(probe_path) as probe:

        @settings(**options)
        @hypothesis.given(cases_and_wishes())
        def holds(drawn):
            comparison(probe, *drawn)

        holds()
