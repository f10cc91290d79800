"""The helpers of the API's and of the events' tests, for what grows: poolers, replicas, several Redis."""
import pathlib
import sys

for folder in ("api", "events", "insight"):
    sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / folder))
