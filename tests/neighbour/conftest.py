"""The helpers of other tests: business.py, checks.py; houses.py and the matrix of who may do what."""
import pathlib
import sys

for folder in ("api", "tenancy"):
    sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / folder))
