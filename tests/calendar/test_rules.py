"""Hours, slots and rules against the oracle, and availability against booking, on generated cases."""
import pytest

import compare
import properties


@pytest.mark.parametrize("comparison", compare.COMPARISONS, ids=lambda comparison: comparison.__name__)
def test_property(comparison):
    properties.run(comparison)
