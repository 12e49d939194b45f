"""Theorems as objects: a statement, its source, a measurement, an error and a verdict."""

from relaxon.theorems.check import Check, Measurement, Unmeasured, Verdict, check, checks, claim

__all__ = ["Check", "Measurement", "Unmeasured", "Verdict", "check", "checks", "claim"]
