"""Where things are; and the tests' harness, which starts servers for benchmarks too."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import harness  # noqa: E402

TOOLS = harness.binary().parent / "bench"  # load, raw_loop and fill
